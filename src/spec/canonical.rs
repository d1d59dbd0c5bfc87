//! The canonical bytes of a spec.
//!
//! Integers are big-endian; a text stands behind its length (2 bytes).
//!
//! ```text
//! "QSPC" ‖ version(2): 1 or 2
//!   ‖ kind(1): 1 = key generation, 2 = reshare, 3 = import, 4 = repair
//!   ‖ policy(1): bit 0 = all operators may be required,
//!     bit 1 = what is agreed for SSV stands at the end, bit 2 = an Obol cluster does, behind that,
//!     bit 3 = what is agreed of preregistrations does, behind that
//! name(text) ‖ id(32) ‖ attempt(4) ‖ superseded digest(32), if attempt > 1
//! network name(text) ‖ genesis fork version(4) ‖ 0, or 1 ‖ capella fork version(4)
//!   ‖ genesis validators root(32) ‖ 0, or 1 ‖ genesis time(8)
//! n(2) ‖ t(2)
//!   ‖ of a reshare or repair: parent's certificate(32) ‖ root of its rows(32) ‖ its n(2)
//!     ‖ its t(2)
//! n times: point(8), or of a reshare or import: parts(1): bit 0 = deals, bit 1 = receives
//!     ‖ of a dealer of a reshare: index in the parent(2) ‖ point in the parent(8)
//!     ‖ of a receiver: point(8)
//!     or of a repair: 1 = helps, 2 = regains its share ‖ index and point in the parent(10)
//!   ‖ operator key(32) ‖ Noise static(32)
//!   ‖ install mark(32), not in version 1 ‖ card signature(64) ‖ name length(1) ‖ name
//! V(4) ‖ of a reshare or repair, V times: position in the parent(4) ‖ key(48)
//!     ‖ withdrawal credentials(32)
//!   ‖ of an import, V times: key(48) ‖ withdrawal credentials(32)
//!   ‖ of a key generation, V times: withdrawal credentials(32) ‖ amounts(1) ‖ that many: gwei(8)
//!   ‖ 0, or 1 ‖ fee recipient(20) ‖ gas limit(8)
//! with bit 1: owner(20) ‖ nonce of the first validator(8)
//!   ‖ n times: modulus of the operator's RSA key(256)
//! with bit 2: length(4) ‖ contract wallets(2) ‖ that many: address(20), ascending
//!   ‖ the cluster definition as compact JSON
//! with bit 3: state of the draft(1)
//! ```
//!
//! Addresses of operators (`host:port`) are not in it: they are hints about the day, not part of
//! what is agreed.

use super::ceremony::{self, MOST_AMOUNTS, MOST_VALIDATORS, RegistrationSpec, ValidatorSpec};
use super::error::{Place, SpecError};
use super::kind::CeremonyKind;
use super::network::network;
use super::obol;
use super::preregistration;
use super::reshare::{
    Inherited, Origin, RawParent, RawPart, ReshareError, ReshareSpec, read_inherited, read_key,
    write_inherited, write_parent, write_part,
};
use super::roster::Seat;
use super::ssv::SsvSpec;
use super::terms::Terms;
use super::threshold::MOST_OPERATORS;
use super::version::Version;
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::network::CustomNetwork;
use crate::ethereum::ssv::{CLUSTER_SIZES, RSA_BYTES, RsaPublic};
use crate::identity::card::{self, RawCard};
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::Digest;

pub use super::fingerprint::{
    FINGERPRINT_WORDS, FingerprintError, fingerprint, fingerprint_words, parse_fingerprint,
};

/// Upper bound of the length: 8 + head + network + operators + validators + extensions, each at its
/// longest. A reshare has no extensions, and is shorter.
pub const MOST_CANONICAL_BYTES: usize = 8
    + (2 + ceremony::LONGEST_NAME + 32 + 4 + 32)
    + (2 + LONGEST_NETWORK_NAME + 4 + 5 + 32 + 9)
    + (4 + MOST_OPERATORS * (8 + 161 + card::LONGEST_NAME))
    + (4 + MOST_VALIDATORS * (32 + 1 + 8 * MOST_AMOUNTS + 1 + 28))
    + (20 + 8 + CLUSTER_SIZES[CLUSTER_SIZES.len() - 1] * RSA_BYTES)
    + (4 + obol::MOST_EXTENSION_BYTES)
    + 1;

const MAGIC: &[u8; 4] = b"QSPC";
const LONGEST_NETWORK_NAME: usize = 32;
const ALLOW_ALL_REQUIRED: u8 = 0b1;
const FOR_SSV: u8 = 0b10;
const OBOL: u8 = 0b100;
const PREREGISTERS: u8 = 0b1000;

/// The bytes of terms that [`ceremony::Ceremony`] has checked.
pub(super) fn encode(terms: &Terms) -> Vec<u8> {
    let count =
        |length: usize| u16::try_from(length).expect("a threshold has at most 255 operators");
    let network = &terms.network;
    Writer::default()
        .bytes(MAGIC)
        .u16(terms.version.number())
        .u8(terms.kind.number())
        .u8(policy(terms))
        .text(&terms.name)
        .bytes(&terms.id)
        .u32(terms.attempt)
        .each(&terms.supersedes, |w, digest| w.bytes(digest.as_ref()))
        .text(network.name())
        .bytes(&network.genesis_fork_version())
        .u8(network.capella_fork_version().is_some().into())
        .each(network.capella_fork_version(), |w, version| w.bytes(&version))
        .bytes(&network.genesis_validators_root())
        .u8(network.genesis_time().is_some().into())
        .each(network.genesis_time(), Writer::u64)
        .u16(count(terms.seats.len()))
        .u16(count(terms.required))
        .each(terms.reshare.as_ref().and_then(|reshare| reshare.origin.parent()), write_parent)
        .each(terms.seats.iter().enumerate(), |w, (at, seat)| {
            seat.card.write(match &terms.reshare {
                None => w.u64(seat.point),
                Some(reshare) => write_part(w, reshare, &reshare.seats[at], seat.point),
            })
        })
        .u32(u32::try_from(terms.validators.len()).expect("at most 8192 validators"))
        .each(terms.validators.iter().enumerate(), |w, (v, validator)| match &terms.reshare {
            None => write_validator(w, validator),
            Some(reshare) => write_inherited(w, &reshare.origin, &reshare.validators[v])
                .bytes(validator.withdrawal.as_bytes()),
        })
        .each(&terms.ssv, write_ssv)
        .each(&terms.obol, |w, cluster| {
            let bytes = obol::encode(cluster);
            w.u32(u32::try_from(bytes.len()).expect("a definition is at most 2 MiB")).bytes(&bytes)
        })
        .each(terms.preregistration, |w, draft| w.u8(draft.number()))
        .finish()
}

fn policy(terms: &Terms) -> u8 {
    let all_required = if terms.allow_all_required { ALLOW_ALL_REQUIRED } else { 0 };
    let for_ssv = if terms.ssv.is_some() { FOR_SSV } else { 0 };
    let obol = if terms.obol.is_some() { OBOL } else { 0 };
    let preregisters = if terms.preregistration.is_some() { PREREGISTERS } else { 0 };
    all_required | for_ssv | obol | preregisters
}

fn write_ssv(w: Writer, ssv: &SsvSpec) -> Writer {
    w.bytes(ssv.owner.as_bytes()).u64(ssv.nonce).each(&ssv.keys, |w, key| w.bytes(key.modulus()))
}

fn write_validator(w: Writer, validator: &ValidatorSpec) -> Writer {
    w.bytes(validator.withdrawal.as_bytes())
        .u8(u8::try_from(validator.amounts.len()).expect("at most 8 amounts"))
        .each(&validator.amounts, |w, amount| w.u64(*amount))
        .u8(validator.registration.is_some().into())
        .each(&validator.registration, |w, wanted| {
            w.bytes(wanted.fee_recipient.as_bytes()).u64(wanted.gas_limit)
        })
}

/// A spec's fields as they stand in the bytes, with bounded lists, not yet believed.
struct Raw {
    name: String,
    id: [u8; 32],
    attempt: u32,
    supersedes: Option<Digest>,
    network: CustomNetwork,
    required: u16,
    parent: Option<RawParent>,
    seats: Vec<(RawPart, RawCard)>,
    validators: Vec<RawValidator>,
    ssv: Option<RawSsv>,
    obol: Option<Vec<u8>>,
    draft: Option<u8>,
}

struct RawSsv {
    owner: [u8; 20],
    nonce: u64,
    moduli: Vec<[u8; RSA_BYTES]>,
}

struct RawValidator {
    inherited: Option<Inherited>,
    withdrawal: [u8; 32],
    amounts: Vec<u64>,
    registration: Option<([u8; 20], u64)>,
}

/// The terms in the bytes, of the right types, but with card signatures that nobody has verified;
/// [`ceremony::Uncertified::from_canonical`] checks all else, and that they are encoded so.
pub(super) fn decode(bytes: &[u8]) -> Result<Terms, SpecError> {
    if bytes.len() > MOST_CANONICAL_BYTES {
        return Err(SpecError::CanonicalTooLarge(bytes.len()));
    }
    let rest = bytes.strip_prefix(MAGIC).ok_or(SpecError::Magic)?;
    // The head first: what follows has this layout in these versions only.
    let short = || DecodeError::Short { what: "head", missing: 4_usize.saturating_sub(rest.len()) };
    let (head, body) = rest.split_at_checked(4).ok_or_else(short)?;
    let (version, kind, policy) =
        Reader::all(head, |r| Ok((r.u16("version")?, r.u8("kind")?, r.u8("policy")?)))?;
    let version = Version::from_number(version).ok_or(SpecError::CanonicalVersion(version))?;
    let kind = CeremonyKind::from_number(kind).ok_or(SpecError::Kind(kind))?;
    let known = match kind {
        CeremonyKind::Dkg if version == Version::One => ALLOW_ALL_REQUIRED | FOR_SSV | OBOL,
        CeremonyKind::Dkg => ALLOW_ALL_REQUIRED | FOR_SSV | OBOL | PREREGISTERS,
        CeremonyKind::Reshare | CeremonyKind::Import => ALLOW_ALL_REQUIRED,
        CeremonyKind::Repair => 0,
    };
    if policy & !known != 0 {
        return Err(SpecError::Policy(policy));
    }
    if kind != CeremonyKind::Dkg && version == Version::One {
        return Err(ReshareError::Version.into());
    }
    let raw = Reader::all(body, |r| Raw::read(r, version, kind, policy))?;
    raw.into_terms(version, kind, policy & ALLOW_ALL_REQUIRED != 0)
}

impl Raw {
    fn read(
        r: &mut Reader<'_>,
        version: Version,
        kind: CeremonyKind,
        policy: u8,
    ) -> Result<Self, DecodeError> {
        let with_marks = version.has_marks();
        let (name, id, attempt) =
            (r.text("name", ceremony::LONGEST_NAME)?, r.array("id")?, r.u32("attempt")?);
        let supersedes =
            if attempt > 1 { Some(Digest(r.array("superseded digest")?)) } else { None };
        let network = CustomNetwork {
            name: r.text("network name", LONGEST_NETWORK_NAME)?,
            genesis_fork_version: r.array("genesis fork version")?,
            capella_fork_version: optional(r, "capella fork version", |r| {
                r.array("capella fork version")
            })?,
            genesis_validators_root: r.array("genesis validators root")?,
            genesis_time: optional(r, "genesis time", |r| r.u64("genesis time"))?,
        };
        let operators = bounded("operators", r.u16("operators")?.into(), MOST_OPERATORS)?;
        let required = r.u16("threshold")?;
        let parent = match kind {
            CeremonyKind::Dkg | CeremonyKind::Import => None,
            CeremonyKind::Reshare | CeremonyKind::Repair => Some(RawParent::read(r)?),
        };
        let part = |r: &mut Reader<'_>| match kind {
            CeremonyKind::Dkg => RawPart::all(r),
            CeremonyKind::Reshare | CeremonyKind::Import => RawPart::read(r, kind),
            CeremonyKind::Repair => RawPart::of_repair(r),
        };
        let seats = r.many(operators, |r| Ok((part(r)?, RawCard::read(r, with_marks)?)))?;
        let count = usize::try_from(r.u32("validators")?).unwrap_or(usize::MAX);
        let count = bounded("validators", count, MOST_VALIDATORS)?;
        let validators = match kind {
            CeremonyKind::Dkg => r.many(count, RawValidator::read)?,
            CeremonyKind::Reshare | CeremonyKind::Repair => {
                r.many(count, |r| RawValidator::inherited(r, read_inherited))?
            }
            CeremonyKind::Import => r.many(count, |r| RawValidator::inherited(r, read_key))?,
        };
        let ssv = if policy & FOR_SSV != 0 { Some(RawSsv::read(r, operators)?) } else { None };
        let obol = match policy & OBOL {
            0 => None,
            _ => {
                let length = usize::try_from(r.u32("length of the cluster")?).unwrap_or(usize::MAX);
                Some(r.bytes("cluster", length)?.to_vec())
            }
        };
        let preregisters = policy & PREREGISTERS != 0;
        let draft = if preregisters { Some(r.u8("state of the draft")?) } else { None };
        Ok(Self {
            name,
            id,
            attempt,
            supersedes,
            network,
            required,
            parent,
            seats,
            validators,
            ssv,
            obol,
            draft,
        })
    }

    fn into_terms(
        self,
        version: Version,
        kind: CeremonyKind,
        allow_all_required: bool,
    ) -> Result<Terms, SpecError> {
        // Their signatures are verified in the end: see `ceremony::Uncertified`.
        let origin = match kind {
            CeremonyKind::Import => Some(Origin::Keys),
            _ => self.parent.map(RawParent::check).transpose()?.map(Origin::Ceremony),
        };
        let part = |origin| {
            let parts = self.seats.iter().enumerate();
            let parts = parts.map(|(at, (part, _))| part.check(at, origin));
            parts.collect::<Result<Vec<_>, _>>()
        };
        let regained = |origin| {
            let seats = self.seats.iter().enumerate();
            let shares = seats.filter_map(|(at, (part, _))| part.regained(at, origin).transpose());
            shares.collect::<Result<Vec<_>, _>>()
        };
        let inherited = |(at, raw): (usize, &RawValidator)| match kind {
            CeremonyKind::Import => raw.inherited.map(|one| Inherited { position: at, ..one }),
            _ => raw.inherited,
        };
        let reshare = match origin {
            None => None,
            Some(origin) => Some(ReshareSpec {
                seats: part(&origin)?,
                validators: self.validators.iter().enumerate().filter_map(inherited).collect(),
                regained: regained(&origin)?.first().copied(),
                origin,
            }),
        };
        let seat = |(position, (part, card)): (usize, (RawPart, RawCard))| {
            let place = Place::operator(position, "card");
            let card = card.check_but_signature();
            let card = card.map_err(|source| SpecError::Card { place, source })?;
            Ok(Seat { card, point: part.point, address: None })
        };
        let validator = |(position, raw): (usize, RawValidator)| raw.check(position);
        Ok(Terms {
            version,
            kind,
            name: self.name,
            id: self.id,
            attempt: self.attempt,
            supersedes: self.supersedes,
            network: network(self.network)?,
            required: self.required.into(),
            seats: self
                .seats
                .into_iter()
                .enumerate()
                .map(seat)
                .collect::<Result<_, SpecError>>()?,
            validators: self
                .validators
                .into_iter()
                .enumerate()
                .map(validator)
                .collect::<Result<_, _>>()?,
            allow_all_required,
            ssv: self.ssv.map(RawSsv::check).transpose()?,
            obol: self.obol.as_deref().map(obol::decode).transpose()?,
            preregistration: self.draft.map(preregistration::of_number).transpose()?,
            reshare,
        })
    }
}

impl RawSsv {
    fn read(r: &mut Reader<'_>, operators: usize) -> Result<Self, DecodeError> {
        let (owner, nonce) = (r.array("owner")?, r.u64("nonce")?);
        Ok(Self { owner, nonce, moduli: r.many(operators, |r| r.array("RSA modulus"))? })
    }

    fn check(self) -> Result<SsvSpec, SpecError> {
        let key = |(position, modulus): (usize, [u8; RSA_BYTES])| {
            let place = Place::operator(position, "ssv_key");
            RsaPublic::from_modulus(modulus).map_err(|source| SpecError::SsvKey { place, source })
        };
        Ok(SsvSpec {
            owner: ExecutionAddress::from_bytes(self.owner).map_err(SpecError::SsvOwner)?,
            nonce: self.nonce,
            keys: self.moduli.into_iter().enumerate().map(key).collect::<Result<_, _>>()?,
        })
    }
}

impl RawValidator {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let withdrawal = r.array("withdrawal credentials")?;
        let count = r.u8("amounts")?.into();
        let amounts = r.many(count, |r| r.u64("amount"))?;
        let registration =
            optional(r, "registration", |r| Ok((r.array("fee recipient")?, r.u64("gas limit")?)))?;
        Ok(Self { inherited: None, withdrawal, amounts, registration })
    }

    fn inherited(
        r: &mut Reader<'_>,
        read: impl Fn(&mut Reader<'_>) -> Result<Inherited, DecodeError>,
    ) -> Result<Self, DecodeError> {
        let inherited = Some(read(r)?);
        let withdrawal = r.array("withdrawal credentials")?;
        Ok(Self { inherited, withdrawal, amounts: Vec::new(), registration: None })
    }

    fn check(self, position: usize) -> Result<ValidatorSpec, SpecError> {
        let withdrawal = WithdrawalCredentials::from_bytes(self.withdrawal).map_err(|source| {
            SpecError::Credentials { place: Place::validator(position, "withdrawal"), source }
        })?;
        let registration = match self.registration {
            None => None,
            Some((address, gas_limit)) => {
                let fee_recipient = ExecutionAddress::from_bytes(address).map_err(|source| {
                    SpecError::FeeRecipient {
                        place: Place::validator(position, "fee_recipient"),
                        source,
                    }
                })?;
                Some(RegistrationSpec { fee_recipient, gas_limit })
            }
        };
        Ok(ValidatorSpec { withdrawal, amounts: self.amounts, registration })
    }
}

/// A value behind a byte that says whether it is there. Any byte but 0 reads as there: that it is 1
/// is seen by encoding again.
fn optional<T>(
    r: &mut Reader<'_>,
    what: &'static str,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if r.u8(what)? == 0 { Ok(None) } else { read(r).map(Some) }
}

fn bounded(what: &'static str, count: usize, most: usize) -> Result<usize, DecodeError> {
    if count <= most {
        Ok(count)
    } else {
        Err(DecodeError::Invalid { what, why: "more than a ceremony can have" })
    }
}
