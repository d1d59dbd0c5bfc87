//! Secrets, and a check whether bytes that leave a machine contain one.

use std::collections::{BTreeMap, BTreeSet};

use crate::primitives::hash::{Tag, secret_scalar};
use crate::protocol::participant::OwnSeat;
use crate::protocol::record::{Record, RecordKind};

const BITS: usize = 1 << 14;

/// Every secret of every honest operator so far, as 32 bytes in either order.
pub struct Canaries {
    /// By their first eight bytes.
    secrets: BTreeMap<u64, [u8; 32]>,
    /// Which first eight bytes there may be.
    filter: Vec<bool>,
    known: BTreeSet<[u8; 32]>,
}

fn head(bytes: &[u8; 8]) -> (u64, usize) {
    let word = u64::from_le_bytes(*bytes);
    let bit = usize::try_from(word >> 50).expect("14 bits");
    (word, bit)
}

impl Default for Canaries {
    fn default() -> Self {
        Self { secrets: BTreeMap::new(), filter: vec![false; BITS], known: BTreeSet::new() }
    }
}

impl Canaries {
    fn add(&mut self, secret: [u8; 32]) {
        if !self.known.insert(secret) {
            return;
        }
        let mut reversed = secret;
        reversed.reverse();
        for bytes in [secret, reversed] {
            let (word, bit) = head(bytes.first_chunk().expect("32 bytes"));
            self.secrets.insert(word, bytes);
            self.filter[bit] = true;
        }
    }

    /// The secrets of a record: the seed and the polynomials that follow from it, one-time keys,
    /// shares.
    pub fn watch(&mut self, seat: &OwnSeat, record: &Record) {
        let body = record.body.expose();
        match record.kind {
            RecordKind::OneTimeKeys | RecordKind::OwnShares | RecordKind::Shares => {
                body.as_chunks::<32>().0.iter().for_each(|chunk| self.add(*chunk));
            }
            RecordKind::Seed => {
                let Ok(seed) = <[u8; 32]>::try_from(body) else { return };
                self.add(seed);
                let number =
                    |number: usize| u32::try_from(number).expect("small numbers").to_be_bytes();
                for (v, k) in
                    (0..seat.ceremony.v()).flat_map(|v| (0..seat.ceremony.t()).map(move |k| (v, k)))
                {
                    let place = [number(v), number(k), number(0)].concat();
                    let coefficient = secret_scalar(
                        Tag::Coefficient,
                        &[&seed, seat.ceremony.digest().as_ref(), &place],
                    );
                    self.add(*coefficient.to_be_bytes());
                }
            }
            _ => (),
        }
    }

    /// Shares that are kept from before.
    pub fn watch_shares(&mut self, shares: &[[u8; 32]]) {
        shares.iter().for_each(|share| self.add(*share));
    }

    /// From now on this secret may be said.
    pub fn forget(&mut self, secret: &[u8; 32]) {
        self.secrets.retain(|_, known| known != secret);
    }

    /// Whether the bytes hold a secret.
    pub fn sing(&self, bytes: &[u8]) -> bool {
        bytes.windows(32).any(|window| {
            let (word, bit) = head(window.first_chunk().expect("32 bytes"));
            self.filter[bit] && self.secrets.get(&word).is_some_and(|secret| secret == window)
        })
    }
}
