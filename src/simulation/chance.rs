//! The random choices of a seed.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::primitives::hash::{Tag, tagged};

/// A stream of choices. Streams of one seed with different labels are independent, so that one
/// decision more in one place does not change the others.
pub struct Chance(ChaCha20Rng);

impl Chance {
    /// The stream of a seed and a label.
    pub fn new(seed: u64, label: &str) -> Self {
        Self(ChaCha20Rng::from_seed(
            tagged(Tag::BatchSeed, &[b"simulation", &seed.to_be_bytes(), label.as_bytes()]).0,
        ))
    }

    /// A number below `bound`, which must not be zero. The bias is of no concern here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    /// A position in something of this length.
    pub fn position(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `permille` of 1000 cases.
    pub fn happens(&mut self, permille: u64) -> bool {
        permille > 0 && self.below(1000) < permille
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.position(from.len())]
    }

    /// One of these, each as often as its weight says.
    pub fn weighted<'a, T>(&mut self, from: &'a [(u64, T)]) -> &'a T {
        let mut left = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in from {
            if left < *weight {
                return item;
            }
            left -= weight;
        }
        unreachable!("the weights add up to the bound")
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
