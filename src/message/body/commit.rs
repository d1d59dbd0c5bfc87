//! R3, the commit: signatures that are read first, and tested and weighed together.

use rayon::prelude::*;

use super::{EncryptedShare, digests, outside, put_digests};
use crate::message::envelope::Round;
use crate::message::shape::Shape;
use crate::primitives::batch::{Weighing, test_signatures, weigh_signatures};
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::curve::{G2, UntestedG2};
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

/// R3: the release. `32n + 192·items` bytes; in version 1, for SSV, `+ 512V`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Digests of certificate 1, the prepares by index.
    pub view: Vec<Digest>,
    /// Partial signatures on every message of every validator, in the spec's order.
    pub partials: Vec<G2>,
    /// The sender's share of every validator, for SSV in version 1; otherwise none.
    pub sealed: Vec<EncryptedShare>,
}

/// A commit as it was read.
struct UntestedCommit {
    view: Vec<Digest>,
    partials: Vec<UntestedG2>,
    sealed: Vec<EncryptedShare>,
}

const PARTIAL: &str = "partial signature";

impl UntestedCommit {
    fn read(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                view: digests(r, "view", shape.view_len(Round::Commit))?,
                partials: r.many(shape.items_of(sender), |r| r.untested_g2(PARTIAL))?,
                sealed: EncryptedShare::read_all(r, shape, sender, Round::Commit)?,
            })
        })
    }
}

/// Which of several bodies does not decode, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Its position.
    pub at: usize,
    /// Why.
    pub error: DecodeError,
}

impl Commit {
    /// Reads the body; every signature is checked for its subgroup.
    pub fn decode(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        let UntestedCommit { view, partials, sealed } = UntestedCommit::read(bytes, shape, sender)?;
        Ok(Self {
            view,
            partials: test_signatures(&partials, &[bytes]).map_err(|_| outside(PARTIAL))?,
            sealed,
        })
    }

    /// Reads the body; every signature is tested by itself, exactly.
    pub fn decode_exactly(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        let UntestedCommit { view, partials, sealed } = UntestedCommit::read(bytes, shape, sender)?;
        let partials: Result<Vec<G2>, _> = partials.par_iter().map(UntestedG2::test).collect();
        Ok(Self { view, partials: partials.map_err(|_| outside(PARTIAL))?, sealed })
    }

    /// Reads several bodies; all their signatures are checked for their subgroup together, and
    /// weighed for their verification under keys that `keys` is a digest of.
    pub fn decode_and_weigh(
        bodies: &[(Index, &[u8])],
        shape: &Shape,
        keys: Digest,
    ) -> Result<(Vec<Self>, Weighing), Misfit> {
        let read = |(at, (sender, bytes)): (usize, &(Index, &[u8]))| {
            UntestedCommit::read(bytes, shape, *sender).map_err(|error| Misfit { at, error })
        };
        let read: Vec<UntestedCommit> = bodies
            .par_iter()
            .enumerate()
            .map(read)
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<_, _>>()?;
        let partials: Vec<UntestedG2> =
            read.iter().flat_map(|commit| commit.partials.iter().copied()).collect();
        let parts: Vec<&[u8]> =
            core::iter::once(keys.as_ref()).chain(bodies.iter().map(|(_, bytes)| *bytes)).collect();
        let weighed = weigh_signatures(&partials, &parts);
        let whose = |partial: usize| {
            let ends = read.iter().scan(0, |end, commit| {
                *end += commit.partials.len();
                Some(*end)
            });
            ends.take_while(|end| *end <= partial).count()
        };
        let (partials, weighing) =
            weighed.map_err(|at| Misfit { at: whose(at), error: outside(PARTIAL) })?;
        let mut rest = partials.as_slice();
        let commit = |UntestedCommit { view, partials, sealed }: UntestedCommit| {
            let own = rest.split_off(..partials.len()).expect("one for each that was read");
            Self { view, partials: own.to_vec(), sealed }
        };
        Ok((read.into_iter().map(commit).collect(), weighing))
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        put_digests(Writer::default(), &self.view)
            .each(&self.partials, |w, partial| w.bytes(&partial.to_uncompressed()))
            .each(&self.sealed, EncryptedShare::write)
            .finish()
    }
}
