//! The fields in which two ceremonies differ, with the names that they have in a ceremony file.

use std::collections::BTreeMap;

use crate::ethereum::network::Network;
use crate::ethereum::obol::check::Cluster;
use crate::ethereum::ssv::RsaPublic;
use crate::spec::ceremony::{Ceremony, RegistrationSpec, ValidatorSpec};
use crate::spec::kind::CeremonyKind;
use crate::spec::reshare::{Inherited, OldShare, Origin, ReshareSpec, SeatPart};
use crate::spec::roster::Seat;
use crate::spec::show::plural;

/// A field in which two ceremonies differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field's path, such as `validator 1, withdrawal`; positions count from 1.
    pub path: String,
    /// What the reader expects.
    pub expected: String,
    /// What the transcript says.
    pub found: String,
}

impl core::fmt::Display for Difference {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: expected {}, found {}", self.path, self.expected, self.found)
    }
}

/// A ceremony as a list of fields with their paths, in a fixed order: everything in the canonical
/// bytes but the card signatures, which change with names and keys.
fn fields(ceremony: &Ceremony) -> Vec<(String, String)> {
    let threshold = ceremony.threshold();
    let mut fields: Vec<(String, String)> = [
        ("version", ceremony.version().to_string()),
        ("kind", kind(ceremony.kind()).to_owned()),
        ("name", format!("{:?}", ceremony.name())),
        ("id", hex::encode(ceremony.id())),
        ("attempt", ceremony.attempt().to_string()),
        ("supersedes", or_none(ceremony.supersedes().map(|digest| digest.to_string()))),
        ("threshold", threshold.required().to_string()),
        ("policy.allow_all_required", ceremony.allow_all_required().to_string()),
        ("obol", or_none(ceremony.obol().map(cluster))),
        (
            "preregistration.draft",
            or_none(ceremony.preregistration().map(|draft| draft.date().to_owned())),
        ),
        ("operators", format!("{} operators", ceremony.n())),
        ("validators", plural(ceremony.v(), "validator")),
    ]
    .map(|(path, value)| (path.to_owned(), value))
    .to_vec();
    fields.extend(network_fields(ceremony.network()));
    fields.push(("ssv.owner".to_owned(), or_none(ceremony.ssv().map(|ssv| ssv.owner.to_string()))));
    fields.push(("ssv.nonce".to_owned(), or_none(ceremony.ssv().map(|ssv| ssv.nonce.to_string()))));
    let key = |i: usize| ceremony.ssv().and_then(|ssv| ssv.keys.get(i)).map(RsaPublic::to_text);
    fields.extend(
        (0..ceremony.n()).map(|i| (format!("operator {}, ssv_key", i + 1), or_none(key(i)))),
    );
    let seats = ceremony.roster().iter().enumerate();
    fields.extend(seats.flat_map(|(i, (_, seat))| {
        operator_fields(seat).map(|(field, value)| (format!("operator {}, {field}", i + 1), value))
    }));
    let validators = ceremony.validators().iter().enumerate();
    let of = |(i, validator)| {
        validator_fields(ceremony.network(), validator)
            .map(move |(field, value)| (format!("validator {}, {field}", i + 1), value))
    };
    fields.extend(validators.flat_map(of));
    fields.extend(reshare_fields(ceremony));
    fields
}

/// What a ceremony makes, in a word.
fn kind(kind: CeremonyKind) -> &'static str {
    match kind {
        CeremonyKind::Dkg => "key generation",
        CeremonyKind::Reshare => "reshare",
        CeremonyKind::Import => "import",
        CeremonyKind::Repair => "repair",
    }
}

/// What a reshare, an import and a repair agree on besides: whose keys, and who does what. A key
/// generation has none of it; beside another kind it differs in its kind.
fn reshare_fields(ceremony: &Ceremony) -> Vec<(String, String)> {
    let Some(spec) = ceremony.reshare() else { return Vec::new() };
    let mut fields = Vec::new();
    if let Origin::Ceremony(parent) = &spec.origin {
        fields.extend(
            [
                ("certificate", parent.certificate.to_string()),
                ("rows", parent.rows.to_string()),
                ("operators", parent.threshold.participants().to_string()),
                ("threshold", parent.threshold.required().to_string()),
            ]
            .map(|(field, value)| (format!("parent.{field}"), value)),
        );
    }
    fields.extend(spec.seats.iter().enumerate().flat_map(|(i, part)| {
        part_fields(spec, part)
            .map(|(field, value)| (format!("operator {}, {field}", i + 1), value))
    }));
    fields.extend(spec.validators.iter().enumerate().flat_map(|(i, inherited)| {
        inherited_fields(&spec.origin, inherited)
            .map(|(field, value)| (format!("validator {}, {field}", i + 1), value))
    }));
    fields
}

fn part_fields(spec: &ReshareSpec, part: &SeatPart) -> [(&'static str, String); 5] {
    let index = |share: Option<OldShare>| or_none(share.map(|share| share.index.to_string()));
    let regains = spec.regained.filter(|_| part.receives);
    let old_point = spec.share_of(part).map(|share| share.point.to_string());
    [
        ("deals", index(part.deals)),
        ("witness", index(part.witnesses)),
        ("regains", index(regains)),
        ("old_point", or_none(old_point)),
        ("receives", part.receives.to_string()),
    ]
}

/// The validator's number in the parent, of which an import has none, and its key.
fn inherited_fields(origin: &Origin, inherited: &Inherited) -> [(&'static str, String); 2] {
    let first = origin.parent().map(|_| inherited.position.saturating_add(1).to_string());
    [("first", or_none(first)), ("key", hex::encode(inherited.key))]
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| "none".to_owned())
}

fn network_fields(network: &Network) -> [(String, String); 5] {
    [
        ("name", network.name().to_owned()),
        ("genesis_fork_version", hex::encode(network.genesis_fork_version())),
        ("capella_fork_version", or_none(network.capella_fork_version().map(hex::encode))),
        ("genesis_validators_root", hex::encode(network.genesis_validators_root())),
        ("genesis_time", or_none(network.genesis_time().map(|time| time.to_string()))),
    ]
    .map(|(field, value)| (format!("network.{field}"), value))
}

fn operator_fields(seat: &Seat) -> [(&'static str, String); 5] {
    [
        ("name", format!("{:?}", seat.card.name.as_str())),
        ("key", hex::encode(seat.card.key.as_bytes())),
        ("noise", hex::encode(seat.card.noise.as_bytes())),
        ("install mark", or_none(seat.card.mark.map(|mark| hex::encode(mark.0)))),
        // One that gets no share has no point.
        ("point", or_none((seat.point != 0).then(|| seat.point.to_string()))),
    ]
}

fn validator_fields(network: &Network, validator: &ValidatorSpec) -> [(&'static str, String); 5] {
    let amounts: Vec<String> =
        validator.amounts.iter().map(|amount| network.unit().text(*amount)).collect();
    let registration = |text: fn(&RegistrationSpec) -> String| {
        validator.registration.as_ref().map_or_else(|| "none".to_owned(), text)
    };
    [
        ("withdrawal", validator.withdrawal.address().to_string()),
        ("compounding", validator.withdrawal.is_compounding().to_string()),
        ("amounts", amounts.join(" + ")),
        ("fee_recipient", registration(|wanted| wanted.fee_recipient.to_string())),
        ("gas_limit", registration(|wanted| wanted.gas_limit.to_string())),
    ]
}

/// Every field in which `found` is not as `expected`. Lists of different lengths differ in their
/// counts and in what both have.
pub fn differences(expected: &Ceremony, found: &Ceremony) -> Vec<Difference> {
    let theirs: BTreeMap<String, String> = fields(found).into_iter().collect();
    let differing = |(path, expected): (String, String)| {
        let found = theirs.get(&path)?.clone();
        (found != expected).then_some(Difference { path, expected, found })
    };
    fields(expected).into_iter().filter_map(differing).collect()
}

/// A cluster by the hash of its definition, and what of it was not checked.
fn cluster(cluster: &Cluster) -> String {
    let contracts: Vec<String> = cluster.contracts().iter().map(ToString::to_string).collect();
    let unchecked = if contracts.is_empty() {
        String::new()
    } else {
        format!(", contract wallets {}", contracts.join(" "))
    };
    format!("definition 0x{}{unchecked}", hex::encode(cluster.definition().definition_hash))
}
