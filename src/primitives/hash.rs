//! Tagged SHA-256, hash to scalar, and the complete list of tags and domain separation tags.

use core::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::curve::{Scalar, SecretScalar, expand_message_xmd};
use super::secret::Secret32;

/// Domain separation of Ethereum's BLS signatures (proof-of-possession scheme, consensus
/// specification `phase0/bls`).
pub const DST_ETHEREUM: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
/// Domain separation of the possession proofs (protocol chapter, round 2). Never Ethereum's.
pub const DST_POSSESSION: &[u8] = b"QUORATE-V1-POSSESSION-BLS12381G2_XMD:SHA-256_SSWU_RO_";
/// Domain separation of what a rehearsal signs in the place of Ethereum's messages.
pub const DST_REHEARSAL: &[u8] = b"QUORATE-V1-REHEARSAL-BLS12381G2_XMD:SHA-256_SSWU_RO_";
/// Domain separation of a rehearsal's possession proofs.
pub const DST_REHEARSAL_POSSESSION: &[u8] =
    b"QUORATE-V1-REHEARSAL-POSSESSION-BLS12381G2_XMD:SHA-256_SSWU_RO_";
/// Prefix of every hash-to-scalar domain separation tag.
const DST_SCALAR: &str = "QUORATE-V1-SCALAR-";
/// Prefix of every hash tag.
const TAG_PREFIX: &str = "quorate/v1/";

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Every domain in which anything is hashed or signed. Two uses never share a tag.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Tag { $($(#[$doc])* $name,)* }

        impl Tag {
            /// All tags, for the test that no two are equal.
            pub const ALL: &'static [Tag] = &[$(Tag::$name,)*];

            /// The tag's text.
            pub fn text(self) -> &'static str {
                match self { $(Tag::$name => $text,)* }
            }
        }
    };
}

tags! {
    /// Digest of a spec's canonical bytes.
    Spec = "spec",
    /// Session identifier: spec digest and every hello.
    Session = "session",
    /// Digest of an envelope without its signature (108 bytes); of version 1 with it (172).
    Envelope = "envelope",
    /// What an operator signs: an envelope without its signature.
    EnvelopeSignature = "envelope-signature",
    /// Digest of a statement's body.
    Body = "body",
    /// Digest vector of a round.
    View = "view",
    /// Commitment to a dealer's polynomials, in the hello.
    Commit = "commit",
    /// Digest of a share box.
    ShareBox = "share-box",
    /// Prologue of a share box's Noise handshake.
    BoxPrologue = "box-prologue",
    /// The seed that blinds the shares of a box of a reshare.
    BlindingSeed = "blinding-seed",
    /// What blinds one share.
    ShareBlind = "share-blind",
    /// One blinded share.
    BlindedShare = "blinded-share",
    /// The mask between two helpers of a repair.
    RepairMask = "repair-mask",
    /// The blinded shares of a box, as a deal of a reshare signs them.
    ShareList = "share-list",
    /// Merkle leaf.
    Leaf = "leaf",
    /// Merkle node.
    Node = "node",
    /// The transcript digest `D`.
    Dkg = "dkg",
    /// Message of a possession proof.
    Possess = "possess",
    /// Output digest `O`.
    Outputs = "outputs",
    /// Certificate: what a complete ceremony is named by.
    Certificate = "certificate",
    /// Challenge of the proof of possession.
    PopChallenge = "pop-challenge",
    /// Exponents of the proof of possession, from its challenge.
    PopExponent = "pop-exponent",
    /// Weights of the share check.
    Rho = "rho",
    /// Seeds of local batch weights.
    BatchSeed = "batch-seed",
    /// Local batch weights.
    BatchWeight = "batch-weight",
    /// Ceremony seed: salt from the identity key.
    SeedSalt = "seed-salt",
    /// Ceremony seed.
    Seed = "seed",
    /// Polynomial coefficients.
    Coefficient = "coefficient",
    /// Nonce of the proof of possession.
    PopNonce = "pop-nonce",
    /// Salt of the commitment.
    CommitSalt = "commit-salt",
    /// One-time X25519 keys.
    OneTimeKey = "one-time-key",
    /// Ephemeral key of a share box.
    BoxEphemeral = "box-ephemeral",
    /// Seeds of the padding of shares for SSV.
    SsvSeed = "ssv-seed",
    /// Signature of an operator card: of the operator key on Noise static, install mark and name.
    CardSignature = "noise-certificate",
    /// The install mark of a new operator, from its entropy.
    InstallMark = "install-mark",
    /// Operator card.
    Card = "card",
    /// Prologue of a channel's Noise handshake.
    ChannelPrologue = "channel-prologue",
    /// Prologue of the Noise handshake of a channel for a request.
    RequestChannelPrologue = "request-channel-prologue",
    /// Channel confirmation.
    ChannelConfirm = "channel-confirm",
    /// An operator's word that it has finished.
    Done = "done",
    /// Seed of an operator's Ed25519 key, from the operator's entropy.
    OperatorSeed = "operator-seed",
    /// Seed of an operator's Noise static, from the operator's entropy.
    NoiseSeed = "noise-seed",
    /// Seed of an operator's storage key, from the operator's entropy.
    StorageSeed = "storage-seed",
    /// Keys of files at rest.
    StorageKey = "storage-key",
    /// Digest of a transcript container.
    Transcript = "transcript",
    /// Digest of a request for signatures after a ceremony.
    SigningRequest = "signing-request",
    /// An operator's word that it stands by such a request.
    SigningRequestSignature = "signing-request-signature",
    /// An operator's word that a partial signature is its answer to a request.
    PartialSignature = "partial-signature",
    /// Prologue of an answer that is sealed to a custodian.
    PartialBox = "partial-box",
    /// Digest of a rehearsal's canonical bytes, in the place of `spec`.
    Rehearsal = "rehearsal",
    /// Id of a rehearsal, from the ceremony and the words.
    RehearsalId = "rehearsal-id",
    /// Keys for nothing, in the place of those that a reshare deals anew.
    RehearsalKey = "rehearsal-key",
    /// What stands at the front of an operator packet.
    Packet = "packet",
    /// A file in an operator packet.
    PacketFile = "packet-file",
}

/// A 32-byte digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// All zero; never the digest of anything.
    pub const ZERO: Self = Self([0; 32]);

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// `TH(tag, parts)`: SHA-256 over the tag and every part, each behind its length (8 bytes,
/// big-endian).
pub fn tagged(tag: Tag, parts: &[&[u8]]) -> Digest {
    Digest(absorbed(tag, parts).finalize().into())
}

fn absorbed(tag: Tag, parts: &[&[u8]]) -> Sha256 {
    let mut hash = Sha256::new();
    let mut absorb = |part: &[u8]| {
        hash.update(u64::try_from(part.len()).expect("a length fits 64 bits").to_be_bytes());
        hash.update(part);
    };
    absorb(&[TAG_PREFIX.as_bytes(), tag.text().as_bytes()].concat());
    parts.iter().for_each(|part| absorb(part));
    hash
}

/// Plain SHA-256 of the concatenated parts, for the formats of others.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// 48 uniform bytes: `expand_message_xmd` (RFC 9380 section 5.3.1) of `TH(tag, parts)` under the
/// tag's own DST.
fn expand(tag: Tag, parts: &[&[u8]]) -> Zeroizing<[u8; 48]> {
    let digest = Zeroizing::new(tagged(tag, parts).0);
    let mut out = Zeroizing::new([0; 48]);
    let dst = [DST_SCALAR.as_bytes(), tag.text().as_bytes()].concat();
    expand_message_xmd(&*digest, &dst, &mut *out);
    out
}

/// `HW(tag, parts)`: a public weight of 128 bits, the first half of `TH(tag, parts)` as a
/// big-endian number.
pub fn weight(tag: Tag, parts: &[&[u8]]) -> u128 {
    let digest = tagged(tag, parts);
    u128::from_be_bytes(*digest.0.first_chunk().expect("32 bytes"))
}

/// `HS(tag, parts)`: a public scalar, uniform modulo `r` up to 2^-128.
pub fn scalar(tag: Tag, parts: &[&[u8]]) -> Scalar {
    Scalar::reduce(&expand(tag, parts))
}

/// `HS(tag, parts)` over secret parts.
pub fn secret_scalar(tag: Tag, parts: &[&[u8]]) -> SecretScalar {
    SecretScalar::reduce(&expand(tag, parts))
}

/// 32 secret bytes: `TH(tag, parts)` over secret parts.
pub fn secret_bytes(tag: Tag, parts: &[&[u8]]) -> Secret32 {
    Secret32::filled(|out| absorbed(tag, parts).finalize_into(out.into()))
}

/// Merkle root over leaves (RFC 6962 shape: the left subtree is the largest power of two below the
/// count; leaf and node hashes have different tags). The root of no leaves is the hash of the empty
/// leaf list.
pub fn merkle_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => tagged(Tag::Node, &[]),
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            tagged(Tag::Node, &[merkle_root(left).as_ref(), merkle_root(right).as_ref()])
        }
    }
}
