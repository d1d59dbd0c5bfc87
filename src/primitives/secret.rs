//! Secret bytes: behind a pointer from birth, wiped on drop, and neither copied, cloned, printed
//! nor serialised; and the wiping of what the work with them has left on the stack.

use core::hint::black_box;

use zeroize::Zeroize;

/// A secret of unknown length.
///
/// # Security
/// No `Clone`, `Debug` or serde; [`SecretBytes::expose`] is the only way to the bytes, and is meant
/// to be searched for in review.
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes over `bytes`; the caller must not have copied or regrown them.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A 32-byte secret key or seed.
///
/// # Security
/// As [`SecretBytes`]. The bytes stay where they were made: an array inside a value would leave a
/// copy behind wherever that value is moved to another place.
pub struct Secret32(Box<[u8; 32]>);

impl Secret32 {
    /// Has `fill` write the bytes where they stay.
    pub fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut secret = Self(Box::new([0; 32]));
        fill(&mut secret.0);
        secret
    }

    /// Takes over `bytes`, wiping the caller's copy.
    pub fn new(bytes: &mut [u8; 32]) -> Self {
        let secret = Self::copied(bytes);
        bytes.zeroize();
        secret
    }

    /// A copy of `bytes`, which somebody else wipes.
    pub fn copied(bytes: &[u8; 32]) -> Self {
        Self::filled(|out| out.copy_from_slice(bytes))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Secret32 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Bytes of stack that are overwritten: more than any work of this crate with secrets takes below
/// the call that it begins with.
const WORKED_ON: usize = 64 << 10;
/// Bytes of stack between a call and the work with secrets that it does: more than the calls take
/// by which a thread comes to overwrite it.
const DISTANCE: usize = 4 << 10;

/// Does `work`, and overwrites the stack that it has used: arithmetic, hashes and ciphers keep
/// copies of secrets in variables, many of them in libraries that do not wipe them.
///
/// # Security
/// What outlives the work is made outside of it: an enum or a structure takes along, in bytes that
/// it does not use, whatever was on the stack where it was made. Inside, only secrets and what is
/// returned are made.
///
/// The language promises nothing about where variables are. That this overwrites them is tested on
/// the memory of running processes. What the caller keeps in its own variables, and what `work`
/// returns, is not reached.
pub fn wiping<T>(work: impl FnOnce() -> T) -> T {
    let done = deep(work);
    overwrite();
    done
}

/// As [`wiping`], also of the threads that work is shared among, where each piece is done
/// `deep`. From within one of them, of that one alone: the others have work of their own.
pub fn wiping_all<T>(work: impl FnOnce() -> T) -> T {
    // Starts the threads, if nobody has: what their registry keeps is not to be made during the
    // work.
    let _ = rayon::current_num_threads();
    wiping(|| {
        let done = work();
        if rayon::current_thread_index().is_none() {
            rayon::broadcast(|_| overwrite());
        }
        done
    })
}

/// Does `work` so far down the stack that whoever overwrites it later begins above all of it, by
/// whatever calls it comes there.
#[inline(never)]
pub(crate) fn deep<T>(work: impl FnOnce() -> T) -> T {
    let mut distance = [0u8; DISTANCE];
    black_box(&mut distance);
    let done = work();
    // Here too, so that it is there during the work.
    black_box(&mut distance);
    done
}

#[inline(never)]
fn overwrite() {
    let mut region = [0u8; WORKED_ON];
    black_box(&mut region);
}
