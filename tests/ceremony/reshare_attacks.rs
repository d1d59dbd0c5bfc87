//! For each check of a reshare, somebody that only this check can stop. Whoever is named has broken
//! the rule, and strangers see it too.

use std::sync::Arc;

use quorate::message::body::{Commit, Deal, Hello, Prepare};
use quorate::message::complaint::{Claim, Complaint, Shown};
use quorate::message::envelope::{Kind, Reject, Round, Statement, view_root};
use quorate::message::shape::Shape;
use quorate::message::share_box::{self, ShareBoxError, ShownShare};
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::curve::{G2, Scalar, SecretScalar};
use quorate::primitives::hash::{DST_POSSESSION, Digest, Tag, secret_scalar, tagged};
use quorate::primitives::lagrange::coefficients_at_zero;
use quorate::primitives::noise::seal_box;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::checks::{self, Signed};
use quorate::protocol::dealt::dealt;
use quorate::protocol::evidence::{Certainty, Rule};
use quorate::protocol::judge::judge;
use quorate::simulation::machine::{Mutate, bytes};
use quorate::simulation::reshare::reshare;
use quorate::spec::ceremony::Ceremony;
use quorate::spec::{CeremonyKind, Index};

use super::common::{Machine, run};
use super::reshare::parent;

fn index(number: u16) -> Index {
    Index::new(number).unwrap()
}

/// The cheat's seat: alice, who deals and receives; bob and carol do so too, dave and erin only
/// receive (threshold 3).
pub(super) const CHEAT: usize = 0;

fn scene() -> Vec<Machine> {
    let both = |name| (name, true, true);
    let receives = |name| (name, false, true);
    let parts = [both("alice"), both("bob"), both("carol"), receives("dave"), receives("erin")];
    reshare(&parent(4, 3), &parts, 3, &[0, 1])
}

/// The same statement of `machine`, with another body; the envelope says what the body does.
pub(crate) fn resigned(machine: &Machine, like: &Statement, kind: Kind, body: &[u8]) -> Statement {
    let envelope = &like.envelope;
    let shape = Shape::of(&machine.seat.ceremony);
    let view = 32 * shape.view_len(envelope.round);
    let root = match envelope.round {
        Round::Hello => Digest::ZERO,
        _ => {
            let (digests, _) = body[..view].as_chunks::<32>();
            view_root(&digests.iter().copied().map(Digest).collect::<Vec<_>>())
        }
    };
    let key = machine.seat.operator.key();
    Statement::sign_kind(kind, key, machine.seat.me, envelope.round, envelope.session, root, body)
}

/// What becomes of a statement; `None` as it is.
pub(crate) type Lie<'a> = dyn FnMut(&Statement) -> Option<Statement> + 'a;

/// What a cheat makes of its own statements and boxes.
pub(crate) struct Lies<'a> {
    pub(crate) seat: Index,
    pub(crate) statement: Box<Lie<'a>>,
    pub(crate) sealed: Box<dyn FnMut(Index) -> Option<Vec<u8>> + 'a>,
}

/// Runs with a cheat that says one thing to all others. Nobody shows the cheat its own words.
pub(crate) fn play(all: &mut [Machine], mut lies: Lies<'_>) {
    let ceremony = all[0].seat.ceremony.clone();
    let seat = lies.seat;
    let mutate: &mut Mutate<'_> = &mut |_, to, frame| match &frame {
        Frame::Statement(bytes) => {
            let statement = Statement::open(bytes, &ceremony).unwrap();
            match statement.envelope.sender == seat {
                true if to == seat => Vec::new(),
                true => match (lies.statement)(&statement) {
                    Some(lie) => vec![Frame::Statement(lie.bytes().to_vec())],
                    None => vec![frame],
                },
                false => vec![frame],
            }
        }
        Frame::ShareBox { dealer, recipient, .. } if *dealer == seat => {
            match (lies.sealed)(*recipient) {
                Some(sealed) => {
                    vec![Frame::ShareBox { dealer: *dealer, recipient: *recipient, sealed }]
                }
                None => vec![frame],
            }
        }
        _ => vec![frame],
    };
    run(all, mutate);
}

/// The same ceremony, read from bytes as a stranger has it: canonical bytes, and of a reshare rows.
pub(crate) fn as_strangers_have_it(ceremony: &Ceremony) -> Ceremony {
    let rows = ceremony.parent_shares().unwrap().rows().clone();
    let read = Ceremony::from_canonical(ceremony.canonical()).unwrap();
    match read.kind() {
        CeremonyKind::Import => read,
        _ => read.with_parent_rows(rows).unwrap(),
    }
}

/// Every honest operator names this fault and no other, and strangers see it from the evidence.
pub(crate) fn convicted(all: &[Machine], cheat: usize, rule: &Rule) {
    let honest = all.iter().enumerate().filter(|(at, _)| *at != cheat);
    for (_, machine) in honest {
        let participant = machine.participant();
        let fault = participant.proven_fault().expect("a proven fault");
        assert_eq!(fault.rule, *rule);
        assert_eq!(fault.rule.certainty(), Certainty::Proven);
        assert!(participant.outcome().is_none());
        let ceremony = as_strangers_have_it(&machine.seat.ceremony);
        let judged = judge(&ceremony, &fault.evidence);
        let rules: Vec<&Rule> = judged.iter().map(|fault| &fault.rule).collect();
        assert_eq!(rules, [rule], "the evidence shows this fault and no other");
        // All that is held shows no fault of anybody else.
        let held: Vec<Statement> = participant.inbox().everything().cloned().collect();
        let judged = judge(&ceremony, &held);
        assert!(judged.iter().all(|fault| fault.rule.culprits() == rule.culprits()), "{judged:?}");
    }
}

/// A box as the specification has it, written a second time here: this payload behind the blinding
/// seed, with the digests that a deal signs. Shares are any 32 bytes.
fn boxed(
    machine: &Machine,
    deal: &Statement,
    recipient: Index,
    shares: &[[u8; 32]],
) -> (Vec<u8>, Digest) {
    let ceremony = &machine.seat.ceremony;
    let shape = Shape::of(ceremony);
    let body = Deal::decode(deal.body(), &shape, machine.seat.me).unwrap();
    let signed = Signed { statement: deal.clone(), body };
    let root = dealt(ceremony, &signed).merkle_root();
    let session = deal.envelope.session;
    let (from, to) = (machine.seat.me.get().to_be_bytes(), recipient.get().to_be_bytes());
    let prologue = tagged(Tag::BoxPrologue, &[session.as_ref(), &from, &to, root.as_ref()]);
    let seed = bytes("a blinding seed");
    let leaf = |(v, share): (usize, &[u8; 32])| {
        let v = u32::try_from(v).unwrap().to_be_bytes();
        let blind = tagged(Tag::ShareBlind, &[&seed, &v]);
        tagged(Tag::BlindedShare, &[prologue.as_ref(), &v, blind.as_ref(), share])
    };
    let leaves: Vec<Digest> = shares.iter().enumerate().map(leaf).collect();
    let parts: Vec<&[u8]> = leaves.iter().map(AsRef::as_ref).collect();
    let list = tagged(Tag::ShareList, &parts);
    let hello = machine.participant().inbox().get(Round::Hello, recipient).unwrap();
    let hello = Hello::decode(hello.body(), &shape, recipient).unwrap();
    let key = &hello.one_time_keys[shape.place_of_key(recipient, machine.seat.me).unwrap()];
    let payload = [seed.to_vec(), shares.concat()].concat();
    let ephemeral = Secret32::new(&mut bytes("an ephemeral key"));
    (seal_box(key, prologue.as_ref(), &SecretBytes::new(payload), ephemeral), list)
}

pub(super) fn share(label: &str) -> [u8; 32] {
    *secret_scalar(Tag::Coefficient, &[label.as_bytes()]).to_be_bytes()
}

/// The shares that `machine` really deals to `recipient`: known to a test that has the polynomials'
/// seed in the log of the dealer before it deals.
pub(super) fn good(all: &[Machine], dealer: usize, recipient: usize) -> Vec<[u8; 32]> {
    let (from, to) = (&all[dealer], &all[recipient]);
    let kind = quorate::protocol::record::RecordKind::OneTimeKeys;
    let keys = &to.log.iter().find(|(of, _)| *of == kind).unwrap().1;
    let shape = Shape::of(&to.seat.ceremony);
    let place = shape.place_of_key(to.seat.me, from.seat.me).unwrap();
    let mut key: [u8; 32] = keys[32 * place..][..32].try_into().unwrap();
    let key = quorate::primitives::x25519::DhSecret::new(Secret32::new(&mut key));
    let deal = from.participant().inbox().get(Round::Deal, from.seat.me).unwrap();
    let body = Deal::decode(deal.body(), &shape, from.seat.me).unwrap();
    let signed = Signed { statement: deal.clone(), body };
    let address = share_box::Address {
        session: deal.envelope.session,
        dealer: from.seat.me,
        recipient: to.seat.me,
        root: dealt(&to.seat.ceremony, &signed).merkle_root(),
    };
    let Some(Frame::ShareBox { sealed, .. }) = from.participant().box_for(to.seat.me) else {
        panic!("it has dealt")
    };
    let list = &signed.body.share_lists[shape.place_of_box(from.seat.me, to.seat.me).unwrap()];
    let opened = share_box::open_listed(&address, &key, &sealed, &shape, list).unwrap();
    opened.shares().unwrap().iter().map(|share| *share.to_be_bytes()).collect()
}

/// A network in which all say hello and deal, and nobody hears of a deal.
pub(super) fn dealt_and_unheard(all: &mut [Machine]) {
    let ceremony = all[0].seat.ceremony.clone();
    run(all, &mut |_, _, frame| match &frame {
        Frame::Statement(bytes)
            if Statement::open(bytes, &ceremony).unwrap().envelope.round == Round::Hello =>
        {
            vec![frame]
        }
        _ => Vec::new(),
    });
}

/// The cheat's deal with other boxes for these recipients: what they hold, and whether the list is
/// what it should be.
fn with_boxes(
    all: &[Machine],
    bad: &[(usize, Vec<[u8; 32]>, bool)],
) -> (Statement, Vec<(Index, Vec<u8>)>) {
    let machine = &all[CHEAT];
    let shape = Shape::of(&machine.seat.ceremony);
    let deal = machine.participant().inbox().get(Round::Deal, machine.seat.me).unwrap().clone();
    let mut body = Deal::decode(deal.body(), &shape, machine.seat.me).unwrap();
    let mut boxes = Vec::new();
    for (recipient, shares, listed) in bad {
        let recipient = all[*recipient].seat.me;
        let (sealed, list) = boxed(machine, &deal, recipient, shares);
        let place = shape.place_of_box(machine.seat.me, recipient).unwrap();
        body.box_digests[place] = share_box::digest(&sealed);
        if *listed {
            body.share_lists[place] = list;
        }
        boxes.push((recipient, sealed));
    }
    (resigned(machine, &deal, Kind::Ordinary, &body.encode()), boxes)
}

pub(super) fn deal_badly(all: &mut [Machine], bad: &[(usize, Vec<[u8; 32]>, bool)]) {
    let (deal, boxes) = with_boxes(all, bad);
    let seat = all[CHEAT].seat.me;
    let lies = Lies {
        seat,
        statement: Box::new(move |statement| match statement.envelope.round {
            Round::Deal => Some(deal.clone()),
            _ => None,
        }),
        sealed: Box::new(move |recipient| {
            let found = boxes.iter().find(|(of, _)| *of == recipient);
            found.map(|(_, sealed)| sealed.clone())
        }),
    };
    play(all, lies);
}

pub(super) fn complaint_of(machine: &Machine) -> Complaint {
    let me = machine.seat.me;
    let complaint = machine.participant().inbox().get(Round::Prepare, me).unwrap();
    assert_eq!(complaint.envelope.kind, Kind::Complaint);
    Complaint::decode(complaint.body(), &Shape::of(&machine.seat.ceremony), me).unwrap()
}

#[test]
fn attack_rs1_bad_share_is_shown_alone() {
    // Of the second validator only.
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let mut shares = good(&all, CHEAT, 3);
    shares[1] = share("anything");
    deal_badly(&mut all, &[(3, shares.clone(), true)]);
    let dealer = all[CHEAT].seat.me;
    convicted(&all, CHEAT, &Rule::Share { dealer, validator: 1 });
    let complaint = complaint_of(&all[3]);
    assert_eq!((complaint.dealer, complaint.claim), (dealer, Claim::Mismatch { validator: 1 }));
    let Shown::Share(shown) = complaint.shown else { panic!("one share is shown") };
    assert_eq!(shown.share, shares[1]);
    assert!(all[3].participant().is_stopped() && !all[3].participant().is_prepared());
}

/// All receivers of one dealer get a bad share of one validator, and complain: everything that they
/// publish together gives no share of another validator, nor what opens a box.
#[test]
fn all_complaints_together_open_one_validator() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let receivers = [1, 2, 3, 4];
    let dealt: Vec<Vec<[u8; 32]>> =
        receivers.iter().map(|receiver| good(&all, CHEAT, *receiver)).collect();
    // The first validator's are off by one; the second's are as they should be.
    let off = |share: &[u8; 32]| {
        let mut sum = SecretScalar::from_be_bytes(share).unwrap();
        sum.add_assign(&SecretScalar::from_be_bytes(&Scalar::one().to_be_bytes()).unwrap());
        *sum.to_be_bytes()
    };
    let bad: Vec<(usize, Vec<[u8; 32]>, bool)> = receivers
        .iter()
        .zip(&dealt)
        .map(|(receiver, shares)| (*receiver, vec![off(&shares[0]), shares[1]], true))
        .collect();
    let one_time: Vec<Vec<u8>> = receivers
        .iter()
        .map(|receiver| {
            let kind = quorate::protocol::record::RecordKind::OneTimeKeys;
            all[*receiver].log.iter().find(|(of, _)| *of == kind).unwrap().1.clone()
        })
        .collect();
    let (deal, boxes) = with_boxes(&all, &bad);
    // None hears of another's complaint before its own.
    let seat = all[CHEAT].seat.me;
    let ceremony = all[0].seat.ceremony.clone();
    run(&mut all, &mut |_, to, frame| match &frame {
        Frame::Statement(bytes) => {
            let statement = Statement::open(bytes, &ceremony).unwrap();
            match (statement.envelope.sender == seat, statement.envelope.round) {
                (true, Round::Deal) if to != seat => {
                    vec![Frame::Statement(deal.bytes().to_vec())]
                }
                (true, _) if to == seat => Vec::new(),
                (_, Round::Prepare) => Vec::new(),
                _ => vec![frame],
            }
        }
        Frame::ShareBox { dealer, recipient, .. } if *dealer == seat => {
            let (_, sealed) = boxes.iter().find(|(of, _)| of == recipient).unwrap();
            let sealed = sealed.clone();
            vec![Frame::ShareBox { dealer: *dealer, recipient: *recipient, sealed }]
        }
        _ => vec![frame],
    });
    let published: Vec<Vec<u8>> = receivers
        .iter()
        .map(|receiver| {
            let machine = &all[*receiver];
            let own = machine.participant().inbox().get(Round::Prepare, machine.seat.me);
            assert_eq!(own.unwrap().envelope.kind, Kind::Complaint);
            own.unwrap().body().to_vec()
        })
        .collect();
    // What they show of the first validator gives its dealer's share, off by one.
    let shown = |receiver: &usize| match complaint_of(&all[*receiver]).shown {
        Shown::Share(ShownShare { share, .. }) => SecretScalar::from_be_bytes(&share).unwrap(),
        Shown::Box { .. } | Shown::Key { .. } => panic!("a whole box is opened"),
    };
    let points: Vec<u64> = receivers
        .iter()
        .map(|receiver| ceremony.roster().get(all[*receiver].seat.me).unwrap().point)
        .collect();
    let mut found = SecretScalar::zero();
    for (receiver, coefficient) in receivers.iter().zip(coefficients_at_zero(&points).unwrap()) {
        found.add_assign(&shown(receiver).scaled(&coefficient));
    }
    let mut one = SecretScalar::from_be_bytes(&Scalar::one().to_be_bytes()).unwrap();
    one = one.scaled(&-Scalar::one());
    found.add_assign(&one);
    let public = ceremony.parent_shares().unwrap().of(seat).unwrap();
    assert_eq!(found.base_mult(), Some(public[0]));
    // And nothing that opens the second: not its shares, not the seeds, not a one-time secret.
    let secrets = dealt
        .iter()
        .map(|shares| shares[1].to_vec())
        .chain([bytes("a blinding seed").to_vec()])
        .chain(one_time.iter().flat_map(|keys| keys.chunks(32).map(<[u8]>::to_vec)));
    for secret in secrets {
        for body in &published {
            assert!(!body.windows(32).any(|window| window == secret));
        }
    }
}

#[test]
fn a_share_that_is_no_scalar_is_shown_alone() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let mut shares = good(&all, CHEAT, 1);
    shares[0] = [0xff; 32];
    deal_badly(&mut all, &[(1, shares, true)]);
    let (dealer, error) = (all[CHEAT].seat.me, ShareBoxError::NotAScalar { validator: 0 });
    convicted(&all, CHEAT, &Rule::ShareBox { dealer, error });
    assert!(matches!(complaint_of(&all[1]).shown, Shown::Share(_)));
}

#[test]
fn a_box_with_other_shares_than_the_deal_lists_is_shown_whole() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    // Even with the right shares: they could not be shown one by one.
    let shares = good(&all, CHEAT, 4);
    deal_badly(&mut all, &[(4, shares, false)]);
    let dealer = all[CHEAT].seat.me;
    convicted(&all, CHEAT, &Rule::ShareBox { dealer, error: ShareBoxError::Unlisted });
    let complaint = complaint_of(&all[4]);
    assert_eq!(complaint.claim, Claim::Sealed);
    assert!(matches!(complaint.shown, Shown::Box { .. }));
}

#[test]
fn a_box_that_does_not_open_is_shown_whole() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let machine = &all[CHEAT];
    let shape = Shape::of(&machine.seat.ceremony);
    let (seat, victim) = (machine.seat.me, all[2].seat.me);
    let deal = machine.participant().inbox().get(Round::Deal, seat).unwrap().clone();
    let mut body = Deal::decode(deal.body(), &shape, seat).unwrap();
    let noise = vec![7; shape.box_bytes()];
    body.box_digests[shape.place_of_box(seat, victim).unwrap()] = share_box::digest(&noise);
    let deal = resigned(machine, &deal, Kind::Ordinary, &body.encode());
    let lies = Lies {
        seat,
        statement: Box::new(move |statement| {
            (statement.envelope.round == Round::Deal).then(|| deal.clone())
        }),
        sealed: Box::new(move |recipient| (recipient == victim).then(|| noise.clone())),
    };
    play(&mut all, lies);
    convicted(&all, CHEAT, &Rule::ShareBox { dealer: seat, error: ShareBoxError::Sealed });
}

/// A receiver that complains of what is as it should be, in every way there is.
#[test]
fn false_complaints_are_their_senders_faults() {
    type Lie = fn(&mut Complaint, &[[u8; 32]]);
    let cases: [(&str, Lie); 6] = [
        ("a good share", |_, _| ()),
        ("another share", |complaint, _| shown(complaint).share = [1; 32]),
        ("another blind", |complaint, _| shown(complaint).blind[0] ^= 1),
        ("another list", |complaint, _| shown(complaint).list[0].0[0] ^= 1),
        ("no scalar, but one", |complaint, _| complaint.claim = Claim::NotAScalar { validator: 1 }),
        ("of another validator", |complaint, others| {
            shown(complaint).share = others[0];
        }),
    ];
    fn shown(complaint: &mut Complaint) -> &mut ShownShare {
        match &mut complaint.shown {
            Shown::Share(shown) => shown,
            Shown::Box { .. } | Shown::Key { .. } => panic!("made of a share"),
        }
    }
    for (what, lie) in cases {
        let mut all = scene();
        dealt_and_unheard(&mut all);
        let (liar, dealer) = (3, all[CHEAT].seat.me);
        let shares = good(&all, CHEAT, liar);
        let machine = &all[liar];
        let shape = Shape::of(&machine.seat.ceremony);
        // What it could show of its box, made by the honest code from the box itself.
        let deal = all[CHEAT].participant().inbox().get(Round::Deal, dealer).unwrap();
        let body = Deal::decode(deal.body(), &shape, dealer).unwrap();
        let opened = opened(&all, CHEAT, liar, &body);
        let signed = Signed { statement: deal.clone(), body };
        let address = share_box::Address {
            session: deal.envelope.session,
            dealer,
            recipient: machine.seat.me,
            root: dealt(&machine.seat.ceremony, &signed).merkle_root(),
        };
        let share = opened.show(&address, 1).unwrap();
        assert_eq!(share.share, shares[1]);
        let claim = Claim::Mismatch { validator: 1 };
        let mut complaint =
            Complaint { view: Vec::new(), dealer, claim, shown: Shown::Share(share) };
        lie(&mut complaint, &shares);
        let operator = machine.seat.me;
        complain_falsely(&mut all, liar, complaint);
        let rule = Rule::FalseComplaint { operator, dealer };
        convicted_but(&all, liar, &rule, what);
    }
}

fn opened(all: &[Machine], dealer: usize, recipient: usize, body: &Deal) -> share_box::Listed {
    let (from, to) = (&all[dealer], &all[recipient]);
    let shape = Shape::of(&to.seat.ceremony);
    let kind = quorate::protocol::record::RecordKind::OneTimeKeys;
    let keys = &to.log.iter().find(|(of, _)| *of == kind).unwrap().1;
    let place = shape.place_of_key(to.seat.me, from.seat.me).unwrap();
    let mut key: [u8; 32] = keys[32 * place..][..32].try_into().unwrap();
    let key = quorate::primitives::x25519::DhSecret::new(Secret32::new(&mut key));
    let deal = from.participant().inbox().get(Round::Deal, from.seat.me).unwrap();
    let signed = Signed { statement: deal.clone(), body: body.clone() };
    let address = share_box::Address {
        session: deal.envelope.session,
        dealer: from.seat.me,
        recipient: to.seat.me,
        root: dealt(&to.seat.ceremony, &signed).merkle_root(),
    };
    let Some(Frame::ShareBox { sealed, .. }) = from.participant().box_for(to.seat.me) else {
        panic!("it has dealt")
    };
    let list = &body.share_lists[shape.place_of_box(from.seat.me, to.seat.me).unwrap()];
    share_box::open_listed(&address, &key, &sealed, &shape, list).unwrap()
}

/// `liar` complains in the place of its prepare.
fn complain_falsely(all: &mut [Machine], liar: usize, complaint: Complaint) {
    let (seat, operator) = (all[liar].seat.me, all[liar].seat.operator.clone());
    let lies = Lies {
        seat,
        statement: Box::new(move |statement| {
            let envelope = &statement.envelope;
            match envelope.round {
                Round::Prepare => {
                    let (views, _) = statement.body()[..3 * 32].as_chunks::<32>();
                    let view: Vec<Digest> = views.iter().copied().map(Digest).collect();
                    let body = Complaint { view, ..complaint.clone() }.encode();
                    let (kind, root) = (Kind::Complaint, envelope.view_root);
                    let (round, session) = (envelope.round, envelope.session);
                    let key = operator.key();
                    Some(Statement::sign_kind(kind, key, seat, round, session, root, &body))
                }
                _ => None,
            }
        }),
        sealed: Box::new(|_| None),
    };
    play(all, lies);
}

fn convicted_but(all: &[Machine], liar: usize, rule: &Rule, what: &str) {
    for machine in all.iter().enumerate().filter(|(at, _)| *at != liar).map(|(_, one)| one) {
        let fault = machine.participant().proven_fault().unwrap_or_else(|| panic!("{what}"));
        assert_eq!(fault.rule, *rule, "{what}");
    }
    convicted(all, liar, rule);
}

/// The rest of a complaint that shows one share is zero, and as long as it has to be; one that
/// shows a box has none.
#[test]
fn a_complaint_is_filled_with_zeros() {
    let all = scene();
    let generation = Shape::of(&parent(4, 3)[0].seat.ceremony);
    let shape = Shape::of(&all[0].seat.ceremony);
    let one_length = |complaint: &Complaint, shape: &Shape| {
        let whole = complaint.encode();
        assert_eq!(whole.len(), shape.complaint_bytes());
        assert_eq!(Complaint::decode(&whole, shape, index(4)).as_ref(), Ok(complaint));
        let longer = [&whole[..], &[0; 4]].concat();
        let error = Complaint::decode(&longer, shape, index(4)).unwrap_err();
        assert_eq!(error, DecodeError::Trailing { extra: 4 });
        let error = Complaint::decode(&whole[..whole.len() - 1], shape, index(4)).unwrap_err();
        assert!(matches!(error, DecodeError::Short { .. }), "{error}");
    };
    let sealed = vec![5; generation.box_bytes()];
    let whole_box = Complaint {
        view: vec![Digest([4; 32]); 4],
        dealer: index(1),
        claim: Claim::Mismatch { validator: 1 },
        shown: Shown::Box { opened: [1; 32], sealed },
    };
    one_length(&whole_box, &generation);
    let shown = ShownShare { blind: [1; 32], share: [2; 32], list: vec![Digest([3; 32]); 2] };
    let complaint = Complaint {
        view: vec![Digest([4; 32]); 3],
        dealer: index(1),
        claim: Claim::Mismatch { validator: 1 },
        shown: Shown::Share(shown),
    };
    one_length(&complaint, &shape);
    let mut body = complaint.encode();
    assert_eq!(
        body.len() + 172,
        shape.bytes_of(index(4), Kind::Complaint, Round::Prepare).unwrap()
    );
    assert_eq!(Complaint::decode(&body, &shape, index(4)).unwrap(), complaint);
    *body.last_mut().unwrap() = 1;
    // Erin deals nothing: nobody could judge it, and it would name nobody.
    let other = Complaint { dealer: index(5), ..complaint }.encode();
    let error = Complaint::decode(&other, &shape, index(4)).unwrap_err();
    assert_eq!(error.to_string(), "claim: not about this operator");
    let error = Complaint::decode(&body, &shape, index(4)).unwrap_err();
    assert_eq!(error.to_string(), "filling: not zero");
}

/// RS1: commitments to anything else than what the hello committed to, the dealer's old public
/// share in front of each row.
#[test]
fn attack_rs1_other_polynomials() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let machine = &all[CHEAT];
    let shape = Shape::of(&machine.seat.ceremony);
    let seat = machine.seat.me;
    let deal = machine.participant().inbox().get(Round::Deal, seat).unwrap().clone();
    let mut body = Deal::decode(deal.body(), &shape, seat).unwrap();
    let mut points: Vec<_> = body.commitments.rows().flatten().copied().collect();
    points.swap(0, 1);
    body.commitments = quorate::primitives::commitment::Commitments::new(2, points);
    let deal = resigned(machine, &deal, Kind::Ordinary, &body.encode());
    let lies = Lies {
        seat,
        statement: Box::new(move |statement| {
            (statement.envelope.round == Round::Deal).then(|| deal.clone())
        }),
        sealed: Box::new(|_| None),
    };
    play(&mut all, lies);
    convicted(&all, CHEAT, &Rule::Opening { dealer: seat });
}

/// RS1: the commitment is over another constant term than the dealer's share: no deal opens it,
/// because constants are never received.
#[test]
fn attack_rs1_commitment_to_another_share() {
    let mut all = scene();
    let seat = all[CHEAT].seat.me;
    run(&mut all, &mut |_, _, _| Vec::new());
    let machine = &all[CHEAT];
    let (ceremony, shape) = (machine.seat.ceremony.clone(), Shape::of(&machine.seat.ceremony));
    let hello = machine.participant().inbox().get(Round::Hello, seat).unwrap().clone();
    let mut body = Hello::decode(hello.body(), &shape, seat).unwrap();
    let salt = bytes("a salt");
    // Rows with the generator in front, as if that were what it holds.
    let one = quorate::primitives::curve::G1::generator();
    let rows = quorate::primitives::commitment::Commitments::new(3, vec![one; 6]);
    let root = rows.merkle_root();
    let commitment = checks::hello_commitment(&ceremony, seat, &body.nonce, &salt, &root);
    body.commitment = Some(commitment);
    let hello = resigned(machine, &hello, Kind::Ordinary, &body.encode());
    let key = machine.seat.operator.clone();
    let said = hello.clone();
    let lies = Lies {
        seat,
        statement: Box::new(move |statement| match statement.envelope.round {
            Round::Hello => Some(said.clone()),
            _ => None,
        }),
        sealed: Box::new(|_| None),
    };
    play(&mut all, lies);
    // The others have dealt; the cheat reveals the rows that it has committed to.
    let other = all[1].participant();
    let view: Vec<Digest> = ceremony
        .indices()
        .map(|of| other.inbox().get(Round::Hello, of).unwrap().digest())
        .collect();
    assert_eq!(view[CHEAT], hello.digest());
    let body = Deal {
        view: view.clone(),
        salt: Some(salt),
        box_digests: vec![Digest([1; 32]); 4],
        share_lists: vec![Digest([2; 32]); 4],
        proof: None,
        commitments: rows.without_constants(),
    };
    let session = other.inbox().session().unwrap();
    let deal =
        Statement::sign(key.key(), seat, Round::Deal, session, view_root(&view), &body.encode());
    for machine in &mut all[1..] {
        let me = machine.seat.me;
        // Its boxes are withheld; the judge needs none.
        let _ = machine.receive(Frame::Statement(deal.bytes().to_vec())).unwrap().unwrap();
        let held: Vec<Statement> = machine.participant().inbox().everything().cloned().collect();
        let rules: Vec<Rule> =
            judge(&ceremony, &held).into_iter().map(|fault| fault.rule).collect();
        assert_eq!(rules, [Rule::Opening { dealer: seat }], "{me}");
    }
}

/// Every receiver proves its new shares, whether or not others could do without it.
#[test]
fn a_receiver_without_its_shares_is_found() {
    let mut all = scene();
    let liar = 4;
    let (seat, operator) = (all[liar].seat.me, all[liar].seat.operator.clone());
    let shape = Shape::of(&all[liar].seat.ceremony);
    let lies = Lies {
        seat,
        statement: Box::new(move |statement| {
            let envelope = &statement.envelope;
            match envelope.round {
                Round::Prepare => {
                    let mut body = Prepare::decode(statement.body(), &shape, seat).unwrap();
                    body.stored.as_mut().unwrap().possession = G2::hash(b"other", DST_POSSESSION);
                    let (round, session) = (envelope.round, envelope.session);
                    let root = envelope.view_root;
                    let body = body.encode();
                    Some(Statement::sign(operator.key(), seat, round, session, root, &body))
                }
                _ => None,
            }
        }),
        sealed: Box::new(|_| None),
    };
    play(&mut all, lies);
    convicted(&all, liar, &Rule::Possession { operator: seat });
    // Nobody is asked to stop.
    assert!(all[..4].iter().all(|machine| !machine.participant().awaits_stop()));
}

/// RS7: no statement of another length is looked at.
#[test]
fn attack_rs7_validator_left_out() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let machine = &all[CHEAT];
    let seat = machine.seat.me;
    let deal = machine.participant().inbox().get(Round::Deal, seat).unwrap();
    let cut = &deal.body()[..deal.body().len() - 2 * 96];
    let short = resigned(machine, deal, Kind::Ordinary, cut);
    let expected = deal.bytes().len();
    let refused = all[1].receive(Frame::Statement(short.bytes().to_vec())).unwrap();
    let reject = Reject::Length { expected, actual: expected - 2 * 96 };
    assert_eq!(refused.err(), Some(reject.into()));
}

/// A commit over another certificate does not count, and releases nothing.
#[test]
fn a_commit_over_other_prepares_is_not_followed() {
    let mut all = scene();
    let liar = 3;
    let (seat, operator) = (all[liar].seat.me, all[liar].seat.operator.clone());
    let shape = Shape::of(&all[liar].seat.ceremony);
    let lies = Lies {
        seat,
        statement: Box::new(move |statement| {
            let envelope = &statement.envelope;
            match envelope.round {
                Round::Commit => {
                    let mut body = Commit::decode(statement.body(), &shape, seat).unwrap();
                    body.view[0] = Digest([9; 32]);
                    let root = view_root(&body.view);
                    let (round, session) = (envelope.round, envelope.session);
                    let body = body.encode();
                    Some(Statement::sign(operator.key(), seat, round, session, root, &body))
                }
                _ => None,
            }
        }),
        sealed: Box::new(|_| None),
    };
    play(&mut all, lies);
    let stop = |machine: &mut Machine| {
        let minima = quorate::simulation::reshare::minima(2, 7);
        machine.stop(minima).unwrap().unwrap();
    };
    all[..3].iter_mut().for_each(stop);
    for machine in &all[..3] {
        // It has stopped, and its commit waits for one over its own certificate.
        let waiting = machine.participant().waiting();
        assert_eq!((waiting.statements, waiting.stop), (vec![seat], false));
        assert!(!machine.participant().has_said(Round::Commit));
    }
}

/// Whoever brings rows, they are the parent's or refused.
#[test]
fn attack_rs2_false_rows_of_the_parent() {
    use quorate::spec::parent::ParentError;
    let all = scene();
    let ceremony = || Ceremony::from_canonical(all[0].seat.ceremony.canonical()).unwrap();
    let rows = all[0].seat.ceremony.parent_shares().unwrap().rows().clone();
    let points: Vec<_> = rows.rows().flatten().copied().collect();
    let new = quorate::primitives::commitment::Commitments::new;
    let mut swapped = points.clone();
    swapped.swap(1, 2);
    let refused = |rows| ceremony().with_parent_rows(rows).err().unwrap();
    assert_eq!(refused(new(3, swapped)), ParentError::Root);
    assert_eq!(refused(new(2, points.clone())), ParentError::Threshold { expected: 3, found: 2 });
    let count = ParentError::Count { expected: 2, found: 1 };
    assert_eq!(refused(new(3, points[..3].to_vec())), count);
    assert!(ceremony().with_parent_rows(rows).is_ok());
    // Without rows nobody takes part, and the judge looks at no deal.
    let without = Arc::new(ceremony());
    let seat = quorate::protocol::seat::OwnSeat::find(without, all[0].seat.operator.clone());
    let started =
        quorate::protocol::participant::Participant::start(seat.unwrap(), Vec::new(), || {
            quorate::simulation::machine::entropy("none")
        });
    assert_eq!(started.err(), Some(quorate::protocol::record::ReplayError::NoParent));
}

/// RS3: a file with fewer dealers than the parent's threshold is refused. That their shares make
/// other keys, tests/vectors/reshare_rounds.rs shows.
#[test]
fn attack_rs3_fewer_dealers_than_the_threshold() {
    use quorate::simulation::reshare::reshare_toml;
    use quorate::spec::CeremonyFile;
    use quorate::spec::reshare::ReshareError;
    let parts = [("alice", true, true), ("bob", true, true), ("erin", false, true)];
    let text = reshare_toml(&parent(4, 3), &parts, 2, &[0, 1]);
    let refused = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap_err();
    let rule = ReshareError::TooFewDealers { dealers: 2, required: 3 };
    assert_eq!(refused.to_string(), rule.to_string());
}

/// RS4: some hold everything and others not yet: each receiver's new share is stored, and each old
/// one is where it was, until all have the end.
#[test]
fn attack_rs4_some_finish_before_others() {
    let old = parent(4, 3);
    let parts = ["alice", "bob", "carol", "dave"].map(|name| (name, true, true));
    let mut all = reshare(&old, &parts, 3, &[0, 1]);
    run(&mut all, &mut |_, _, frame| vec![frame]);
    for machine in &mut all {
        machine.stop(quorate::simulation::reshare::minima(2, 3)).unwrap().unwrap();
    }
    let (ceremony, late) = (all[0].seat.ceremony.clone(), all[3].seat.me);
    let mut last = |_, to, frame: Frame| match &frame {
        Frame::Statement(bytes) if to == late => {
            let round = Statement::open(bytes, &ceremony).unwrap().envelope.round;
            if round == Round::Final { Vec::new() } else { vec![frame] }
        }
        _ => vec![frame],
    };
    run(&mut all, &mut last);
    let finished: Vec<bool> =
        all.iter().map(|machine| machine.participant().is_finished()).collect();
    assert_eq!(finished, [true, true, true, false]);
    let kind = quorate::protocol::record::RecordKind::Shares;
    let stored = |machine: &Machine| machine.log.iter().any(|(of, _)| *of == kind);
    assert!(all.iter().chain(&old).all(stored));
    // It is started again, hears the rest, and finishes with the same.
    all[3].start().unwrap();
    run(&mut all, &mut |_, _, frame| vec![frame]);
    let certificate = |machine: &Machine| machine.participant().outcome().unwrap().certificate;
    assert!(all.iter().all(|machine| certificate(machine) == certificate(&all[0])));
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
}

/// RS6: a file that gives an operator another's place in the parent. It sees that what it holds is
/// not the share at that point, and signs nothing.
#[test]
fn attack_rs6_points_of_another_operator() {
    use quorate::protocol::participant::{OwnSeat, Participant};
    use quorate::protocol::record::{Record, ReplayError};
    use quorate::protocol::seat::OldShares;
    use quorate::simulation::machine::entropy;
    use quorate::simulation::reshare::{reshare_toml, rows};
    use quorate::spec::CeremonyFile;
    let old = parent(4, 3);
    let parts = ["alice", "bob", "carol", "dave"].map(|name| (name, true, true));
    let text = reshare_toml(&old, &parts, 3, &[0, 1]);
    let swapped = text
        .replace("deals = 3\nold_point = 3", "deals = 0\nold_point = 0")
        .replace("deals = 4\nold_point = 4", "deals = 3\nold_point = 3")
        .replace("deals = 0\nold_point = 0", "deals = 4\nold_point = 4");
    for (text, refuses) in [(text, [false; 4]), (swapped, [false, false, true, true])] {
        let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
        let ceremony = Arc::new(ceremony.with_parent_rows(rows(&old[0])).unwrap());
        for (parent, refuses) in old.iter().zip(refuses) {
            let records: Vec<Record> = parent
                .log
                .iter()
                .map(|(kind, body)| Record { kind: *kind, body: SecretBytes::new(body.clone()) })
                .collect();
            let shares = OldShares::of(&records, 2, ceremony.reshare().unwrap()).unwrap();
            let seat = OwnSeat::find(ceremony.clone(), parent.seat.operator.clone()).unwrap();
            let seat = seat.with_old_shares(Arc::new(shares));
            let started = Participant::start(seat, Vec::new(), || entropy("rs6")).err();
            assert_eq!(started, refuses.then_some(ReplayError::OldShares));
        }
    }
}
