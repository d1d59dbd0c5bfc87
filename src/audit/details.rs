//! The detail line of each check that passed.

use crate::ethereum::obol::check::Cluster;
use crate::message::body::{Final, Hello};
use crate::message::shape::Shape;
use crate::primitives::hash::Digest;
use crate::protocol::checks::Signed;
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;
use crate::spec::seats::Seats;
use crate::spec::show::{dealer, plural, whole};
use crate::transcript::container::CONTAINER_VERSION;

use super::code::Code;
use super::describe;
use super::ledger::Ledger;

pub(super) fn well_formed(bytes: usize) -> String {
    format!("{bytes} bytes, transcript format {CONTAINER_VERSION}")
}

pub(super) fn parameters(ceremony: &Ceremony) -> String {
    let (n, t, validators) = (ceremony.n(), ceremony.t(), plural(ceremony.v(), "validator"));
    let who = match ceremony.threshold().participants() {
        all if all == n => "them".to_owned(),
        some => format!("the {some} with shares"),
    };
    format!("{n} operators, any {t} of {who} can sign, {validators}; all parameters are valid")
}

pub(super) fn cards(operators: usize) -> String {
    format!("{operators} operator cards, each signed with its own identity key")
}

pub(super) fn consent(operators: usize, spec: Digest) -> String {
    format!("all {operators} operators signed the digest of the spec, {spec}")
}

pub(super) fn hellos_differ(shape: &Shape) -> String {
    let committed = shape.parts.dealers.iter().filter(|dealer| shape.commits(*dealer)).count();
    let (n, dealers) = (shape.n, committed);
    format!(
        "{n} nonces, {dealers} commitments and {} one-time keys, all different",
        shape.key_count()
    )
}

pub(super) fn reveals_follow(shape: &Shape, session: Digest) -> String {
    let (n, dealers) = (shape.n, shape.parts.dealers.len());
    format!("all {dealers} reveals were signed over the same {n} commitments, session {session}")
}

pub(super) fn opened() -> String {
    "no contribution can depend on an honest operator's".to_owned()
}

pub(super) fn points(shape: &Shape) -> String {
    let dealt = shape.dealt_coefficients();
    let points = shape.parts.dealers.len() * (shape.v * dealt + usize::from(shape.makes_keys()));
    format!("{points} points, exactly {} for each polynomial", plural(dealt, "commitment"))
}

pub(super) fn constants_differ(Shape { v, parts, .. }: &Shape) -> String {
    format!("{}, all different", plural(parts.dealers.len() * v, "constant term"))
}

pub(super) fn constants_known(Shape { v, parts, .. }: &Shape) -> String {
    let n = parts.dealers.len();
    format!("{n} proofs of possession, each over {} of its dealer", all(*v, "constant term"))
}

/// `the one key`, `all 2 keys`.
fn all(count: usize, word: &str) -> String {
    if count == 1 { format!("the one {word}") } else { format!("all {count} {word}s") }
}

pub(super) fn sums(shape: &Shape, dkg: &Digest) -> String {
    let Shape { v, parts, .. } = shape;
    if shape.masks() {
        let keys = plural(*v, "key");
        return format!(
            "the masks between each two helpers cancel, so that what they send adds up to the lost \
             share; {keys} as before; digest of the key generation {dkg}"
        );
    }
    format!(
        "{} and {} public shares, all different; digest of the key generation {dkg}",
        plural(*v, "key"),
        parts.receivers.len() * v
    )
}

pub(super) fn stored(Shape { n, .. }: &Shape) -> String {
    format!("all {n} operators signed the same deals and the same sums")
}

pub(super) fn shares_proven(shape: &Shape) -> String {
    let Shape { t, parts, .. } = shape;
    if shape.masks() {
        return "the one that has lost its share answered for it, under its old public share"
            .to_owned();
    }
    let n = parts.receivers.len();
    format!(
        "{n} possession proofs; together with V11, any {t} operators can sign for every validator"
    )
}

pub(super) fn agreed(outputs: Digest, finals: &[&Signed<Final>], ceremony: &Ceremony) -> String {
    let n = finals.len();
    let here: Seats = finals.iter().map(|last| last.sender()).collect();
    let lost = Seats::first(ceremony.n()).minus(here);
    if !lost.is_empty() {
        let names: Vec<String> =
            lost.iter().map(|seat| describe::operator(Some(ceremony), seat)).collect();
        return format!(
            "{n} operators signed the output digest {outputs}, and that they finish without {}, \
             of whom no last statement is here",
            names.join(" and ")
        );
    }
    let agreed = format!("all {n} operators signed the output digest {outputs}");
    let flags: Vec<u32> = finals.iter().filter_map(|last| last.body.flags).collect();
    if flags.is_empty() {
        return agreed;
    }
    let keystores = flags.iter().filter(|flags| **flags & Final::KEYSTORES != 0).count();
    format!("{agreed}; {keystores} of {n} state that their keystores are written")
}

pub(super) fn signatures(Shape { items, .. }: &Shape, ceremony: &Ceremony) -> String {
    let network = ceremony.network().name();
    format!(
        "{} on messages recomputed from the spec: valid on {network} for the \
         credentials and amounts above, and for no \
         other",
        plural(*items, "signature")
    )
}

pub(super) fn partials(Shape { items, parts, .. }: &Shape) -> String {
    let partials = parts.receivers.len() * items;
    format!("{partials} partial signatures, each under its operator's public share")
}

pub(super) fn sealed(Shape { v, parts, .. }: &Shape) -> String {
    format!(
        "{} proofs by the operators' RSA keys; only each operator itself can check that its \
         ciphertext holds its share",
        parts.receivers.len() * v
    )
}

/// The lock of an Obol cluster; with what of its definition nobody has checked.
pub(super) fn lock(Shape { v, parts, .. }: &Shape, ceremony: &Ceremony) -> String {
    let unchecked: Vec<&str> = ceremony
        .obol()
        .into_iter()
        .flat_map(Cluster::unchecked)
        .map(|unchecked| unchecked.field.as_str())
        .collect();
    let n = parts.receivers.len();
    let signed = format!("{} shares and {n} nodes have signed it", n * v);
    match unchecked.as_slice() {
        [] => signed,
        some => format!(
            "{signed}; NOT CHECKED, because contract-wallet signatures (ERC-1271) can only be \
             verified on chain: {} of the cluster definition",
            some.join(", ")
        ),
    }
}

/// V17: what the operators state; nobody but the beacon chain can confirm it.
pub(super) fn anchors(
    ceremony: &Ceremony,
    hellos: &[&Signed<Hello>],
    ledger: &mut Ledger,
) -> Vec<[u8; 32]> {
    let stated: Vec<String> = hellos
        .iter()
        .filter(|hello| hello.body.anchor != [0; 32])
        .map(|hello| {
            format!(
                "{} states 0x{}",
                describe::operator(Some(ceremony), hello.sender()),
                hex::encode(hello.body.anchor)
            )
        })
        .collect();
    match stated.as_slice() {
        [] => ledger.not_applicable(Code::V17, "no operator states a beacon block"),
        stated => {
            let words = format!(
                "not earlier than the block with this root, if such a block exists (look it up): \
                 {}",
                stated.join("; ")
            );
            ledger.not_applicable(Code::V17, &words);
        }
    }
    hellos.iter().map(|hello| hello.body.anchor).collect()
}

/// What a reshare or an import has no use for: constant terms that nobody chooses, and messages
/// that nobody signs.
pub(super) fn not_made(shape: &Shape, ledger: &mut Ledger) {
    if shape.makes_keys() {
        return;
    }
    if shape.masks() {
        let words = "none: in a repair there are no polynomials";
        for code in [Code::V7, Code::V9, Code::V10] {
            ledger.not_applicable(code, words);
        }
        let words = "none: a repair signs nothing with the shares";
        for code in [Code::V15, Code::V16] {
            ledger.not_applicable(code, words);
        }
        return;
    }
    let (constants, signs) = match shape.kind {
        CeremonyKind::Import => {
            ("none: the constant terms are the keys", "none: an import signs no deposits")
        }
        CeremonyKind::Dkg | CeremonyKind::Reshare | CeremonyKind::Repair => (
            "none: the constant terms are shares of the parent",
            "none: a reshare signs no deposits",
        ),
    };
    for code in [Code::V9, Code::V10] {
        ledger.not_applicable(code, constants);
    }
    for code in [Code::V15, Code::V16] {
        ledger.not_applicable(code, signs);
    }
}

/// What V18 says of the oldest of a chain: an import does not show where its keys come from.
pub(super) fn oldest(ceremony: &Ceremony) -> String {
    match ceremony.kind() {
        CeremonyKind::Import => format!(", which is an import: {}", whole(&dealer(ceremony))),
        _ => String::new(),
    }
}

/// V18 to V20, about which one complete transcript says nothing.
pub(super) fn beyond(ceremony: Option<&Ceremony>, ledger: &mut Ledger) {
    match ceremony {
        Some(ceremony) if ceremony.has_parent() => {}
        Some(ceremony) if ceremony.kind() == CeremonyKind::Import => {
            let detail = format!("none: {}", whole(&dealer(ceremony)));
            ledger.not_applicable(Code::V18, &detail);
        }
        Some(_) => ledger.not_applicable(Code::V18, "none: the keys are new"),
        None => ledger.not_applicable(Code::V18, "not known: the agreed ceremony cannot be read"),
    }
    ledger.not_applicable(Code::V19, "none: a transcript holds no evidence");
    ledger.not_applicable(Code::V20, "not checked: only one transcript was given");
}
