//! A cache of public verification results, for the simulation only: all operators of a ceremony
//! verify the same statements. In a build without the feature `simulation` there is only the call
//! itself. With it, nothing is cached unless a `Memory` is held, and a cached answer is used only
//! if every byte of the question is the same.

#[cfg(feature = "simulation")]
mod kept {
    use std::any::Any;
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use crate::primitives::hash::{Digest, Tag, tagged};

    thread_local! {
        static ANSWERS: RefCell<Option<BTreeMap<Digest,
        Box<dyn Any>>>> = const { RefCell::new(None) };
    }

    /// While this is held, this thread remembers. It forgets everything when it is dropped.
    pub struct Memory(());

    impl Memory {
        /// Begins to remember.
        pub fn begin() -> Self {
            ANSWERS.set(Some(BTreeMap::new()));
            Self(())
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            ANSWERS.set(None);
        }
    }

    pub(crate) fn remember<T: Clone + 'static>(
        what: &str,
        question: impl FnOnce() -> Vec<u8>,
        answer: impl FnOnce() -> T,
    ) -> T {
        if ANSWERS.with_borrow(Option::is_none) {
            return answer();
        }
        let key = tagged(Tag::BatchSeed, &[b"memo", what.as_bytes(), &question()]);
        let known = ANSWERS
            .with_borrow(|answers| answers.as_ref()?.get(&key)?.downcast_ref::<T>().cloned());
        known.unwrap_or_else(|| {
            let new = answer();
            ANSWERS.with_borrow_mut(|answers| {
                answers.as_mut().map(|answers| answers.insert(key, Box::new(new.clone())))
            });
            new
        })
    }
}

#[cfg(feature = "simulation")]
pub use kept::Memory;

#[cfg(feature = "simulation")]
pub(crate) use kept::remember;

/// The answer.
#[cfg(not(feature = "simulation"))]
#[inline(always)]
pub(crate) fn remember<T>(_: &str, _: impl FnOnce() -> Vec<u8>, answer: impl FnOnce() -> T) -> T {
    answer()
}
