//! For each check of a repair, somebody that only this check can stop. Whoever is named has broken
//! the rule, and strangers see it too.

use quorate::message::body::Deal;
use quorate::message::complaint::{Claim, Complaint, Shown};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::share_box;
use quorate::message::sync::Frame;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{G1, SecretScalar};
use quorate::primitives::hash::{Tag, secret_scalar};
use quorate::primitives::secret::Secret32;
use quorate::primitives::x25519::{DhPublic, DhSecret};
use quorate::protocol::checks::Signed;
use quorate::protocol::dealt::dealt;
use quorate::protocol::evidence::{Certainty, Rule};
use quorate::protocol::judge::judge;
use quorate::protocol::record::RecordKind;
use quorate::simulation::machine::bytes;
use quorate::simulation::repair::repair;
use quorate::spec::Index;
use quorate::transcript::stopped::{self, Stopped};

use super::common::{Machine, run};
use super::reshare::parent;
use super::reshare_attacks::{Lies, convicted, play, resigned};

/// Helpers are alice, bob and dave; carol, the third, has lost her share. Threshold 3.
const RECIPIENT: usize = 2;
const CHEAT: usize = 0;

fn scene() -> Vec<Machine> {
    repair(&parent(4, 3), "carol", &["alice", "bob", "dave"])
}

fn scalar(label: &str) -> SecretScalar {
    secret_scalar(Tag::Coefficient, &[label.as_bytes()])
}

/// All say hello and deal, and nobody hears of a deal.
fn dealt_and_unheard(all: &mut [Machine]) {
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

fn own_deal(machine: &Machine) -> (Statement, Deal) {
    let shape = Shape::of(&machine.seat.ceremony);
    let deal = machine.participant().inbox().get(Round::Deal, machine.seat.me).unwrap().clone();
    let body = Deal::decode(deal.body(), &shape, machine.seat.me).unwrap();
    (deal, body)
}

/// The one-time secret of `machine` for what is between it and `other`.
fn one_time(machine: &Machine, other: Index) -> DhSecret {
    let keys = &machine.log.iter().find(|(of, _)| *of == RecordKind::OneTimeKeys).unwrap().1;
    let place = Shape::of(&machine.seat.ceremony).place_of_key(machine.seat.me, other).unwrap();
    let mut key: [u8; 32] = keys[32 * place..][..32].try_into().unwrap();
    DhSecret::new(Secret32::new(&mut key))
}

fn public(machine: &Machine, owner: Index, other: Index) -> DhPublic {
    let shape = Shape::of(&machine.seat.ceremony);
    let hello = machine.participant().inbox().get(Round::Hello, owner).unwrap();
    let hello = quorate::message::body::Hello::decode(hello.body(), &shape, owner).unwrap();
    hello.one_time_keys[shape.place_of_key(owner, other).unwrap()]
}

/// Says `deal` in the place of the cheat's own to all, and `sealed` in the place of its box.
fn deal_badly(all: &mut [Machine], deal: Statement, sealed: Option<Vec<u8>>) {
    let lies = Lies {
        seat: all[CHEAT].seat.me,
        statement: Box::new(move |statement| match statement.envelope.round {
            Round::Deal => Some(deal.clone()),
            _ => None,
        }),
        sealed: Box::new(move |_| sealed.clone()),
    };
    play(all, lies);
}

/// The cheat's deal with another box for the recipient: these bytes instead of a share of validator
/// `v`, listed as the deal has to list them.
fn with_share(all: &[Machine], v: usize, share: SecretScalar) -> (Statement, Vec<u8>) {
    let machine = &all[CHEAT];
    let (deal, mut body) = own_deal(machine);
    let (me, recipient) = (machine.seat.me, all[RECIPIENT].seat.me);
    let shape = Shape::of(&machine.seat.ceremony);
    let signed = Signed { statement: deal.clone(), body: body.clone() };
    let root = dealt(&machine.seat.ceremony, &signed).merkle_root();
    let session = deal.envelope.session;
    let address = share_box::Address { session, dealer: me, recipient, root };
    let Some(Frame::ShareBox { sealed, .. }) = machine.participant().box_for(recipient) else {
        panic!("it has dealt")
    };
    let key = one_time(&all[RECIPIENT], me);
    let opened = share_box::open_listed(&address, &key, &sealed, &shape, &body.share_lists[0]);
    let mut shares = opened.unwrap().shares().unwrap();
    shares[v] = share;
    let to = public(machine, recipient, me);
    let [blinding, ephemeral] = ["a", "b"].map(|label| Secret32::new(&mut bytes(label)));
    let (sealed, list) = share_box::seal_listed(&address, &to, &shares, &blinding, ephemeral);
    body.box_digests[0] = share_box::digest(&sealed);
    body.share_lists[0] = list;
    (resigned(machine, &deal, Kind::Ordinary, &body.encode()), sealed)
}

fn complaint_of(machine: &Machine) -> Complaint {
    let me = machine.seat.me;
    let complaint = machine.participant().inbox().get(Round::Prepare, me).unwrap();
    assert_eq!(complaint.envelope.kind, Kind::Complaint);
    Complaint::decode(complaint.body(), &Shape::of(&machine.seat.ceremony), me).unwrap()
}

#[test]
fn attack_rs8_wrong_contribution_is_shown_alone() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let (deal, sealed) = with_share(&all, 1, scalar("anything"));
    deal_badly(&mut all, deal, Some(sealed));
    let dealer = all[CHEAT].seat.me;
    convicted(&all, CHEAT, &Rule::Share { dealer, validator: 1 });
    let complaint = complaint_of(&all[RECIPIENT]);
    assert_eq!((complaint.dealer, complaint.claim), (dealer, Claim::Mismatch { validator: 1 }));
    let Shown::Share(shown) = complaint.shown else { panic!("one share is shown") };
    assert_eq!(shown.share, *scalar("anything").to_be_bytes());
    // The recipient has stored nothing.
    assert!(all[RECIPIENT].log.iter().all(|(kind, _)| *kind != RecordKind::Shares));
}

/// The cheat's deal with other masks: `points(v, place)`.
fn with_masks(machine: &Machine, points: impl Fn(usize, usize, G1) -> G1) -> Statement {
    let (deal, mut body) = own_deal(machine);
    let rows = body.commitments.rows().enumerate();
    let all = rows.flat_map(|(v, row)| {
        row.iter().enumerate().map(|(place, one)| points(v, place, *one)).collect::<Vec<G1>>()
    });
    body.commitments = Commitments::new(body.commitments.t(), all.collect());
    resigned(machine, &deal, Kind::Ordinary, &body.encode())
}

/// A mask that does not cancel: without this check the recipient would get another share, and
/// nobody would know whose doing it is.
#[test]
fn attack_rs8_mask_that_does_not_cancel_is_proven_by_the_other_helper() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let wrong = scalar("a mask").base_mult().unwrap();
    // Of validator 2, between alice and dave, who is the second of the other helpers.
    let deal =
        with_masks(&all[CHEAT], |v, place, own| if (v, place) == (1, 1) { wrong } else { own });
    deal_badly(&mut all, deal, None);
    let dealer = all[CHEAT].seat.me;
    convicted(&all, CHEAT, &Rule::Mask { dealer, validator: 1 });
    let complaint = complaint_of(&all[3]);
    assert_eq!((complaint.dealer, complaint.claim), (dealer, Claim::Mask { validator: 1 }));
    // Strangers see it from a file of evidence.
    let proof = all[1].participant().proven_fault().unwrap();
    let file = stopped::encode(&all[0].seat.ceremony, &proof.evidence);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/repair/mask.quorate");
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        std::fs::write(path, &file).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == file, "the kept evidence has changed");
    let read = Stopped::parse(&file).unwrap();
    assert_eq!(read.statements.len(), 4, "both hellos, the deal and the complaint");
    let judged = judge(&read.ceremony, &read.statements);
    assert_eq!(judged.iter().map(|fault| &fault.rule).collect::<Vec<_>>(), [&proof.rule]);
    // Without the dealer's hello nobody is named.
    let without =
        |said: &&Statement| (said.envelope.round, said.envelope.sender) != (Round::Hello, dealer);
    let fewer: Vec<Statement> = read.statements.iter().filter(without).cloned().collect();
    assert_eq!(judge(&read.ceremony, &fewer), []);
    // It shows the secret between these two, and no other.
    let Shown::Key { opened, .. } = complaint.shown else { panic!("a key is shown") };
    let (dave, key) = (all[3].seat.me, DhSecret::new(Secret32::copied(&opened)));
    assert_eq!(key.public(), public(&all[1], dave, dealer));
    // Bob has nothing to complain of: his masks with both are right.
    let bob = all[1].participant().inbox().get(Round::Prepare, all[1].seat.me);
    assert!(bob.is_none() && all[1].participant().is_stopped());
}

/// As long as the other helper is silent, one of two is at fault, and nobody is named guilty.
#[test]
fn until_the_other_helper_speaks_nobody_is_proven_guilty() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let wrong = scalar("a mask").base_mult().unwrap();
    let deal =
        with_masks(&all[CHEAT], |v, place, own| if (v, place) == (0, 1) { wrong } else { own });
    let (cheat, dave) = (all[CHEAT].seat.me, all[3].seat.me);
    let ceremony = all[0].seat.ceremony.clone();
    run(&mut all, &mut |_, to, frame| match &frame {
        Frame::Statement(bytes) => {
            let envelope = Statement::open(bytes, &ceremony).unwrap().envelope;
            match (envelope.sender == cheat, envelope.round) {
                (true, Round::Deal) if to != cheat => {
                    vec![Frame::Statement(deal.bytes().to_vec())]
                }
                (true, _) if to == cheat => Vec::new(),
                _ if envelope.sender == dave && envelope.kind == Kind::Complaint => Vec::new(),
                _ => vec![frame],
            }
        }
        _ => vec![frame],
    });
    for at in [1, 2] {
        let participant = all[at].participant();
        let fault = participant.fault().unwrap();
        assert_eq!(fault.rule, Rule::MasksDiffer { operators: [cheat, dave], validator: 0 });
        assert_eq!(fault.rule.certainty(), Certainty::Suspected);
        assert!(participant.proven_fault().is_none() && !participant.is_prepared());
    }
}

/// Complaints that are not so: the one that makes them is named.
#[test]
fn attack_rs8_false_complaint_about_a_mask() {
    let mut all = scene();
    dealt_and_unheard(&mut all);
    let (cheat, bob) = (all[CHEAT].seat.me, all[1].seat.me);
    let key = one_time(&all[CHEAT], bob);
    for opened in [*key.expose(), bytes("another secret")] {
        let mut all = scene();
        let shown = Shown::Key { opened, validators: 2 };
        let claim = Claim::Mask { validator: 0 };
        let complain = |like: &Statement, machine: &Machine| {
            let (digests, _) = like.body()[..96].as_chunks::<32>();
            let view = digests.iter().copied().map(quorate::primitives::hash::Digest).collect();
            let body = Complaint { view, dealer: bob, claim, shown: shown.clone() };
            resigned(machine, like, Kind::Complaint, &body.encode())
        };
        // The cheat's own prepare, when it has one, is what it is signed like.
        let copy = scene();
        let lies = Lies {
            seat: cheat,
            statement: Box::new(move |said| match said.envelope.round {
                Round::Prepare => Some(complain(said, &copy[CHEAT])),
                _ => None,
            }),
            sealed: Box::new(|_| None),
        };
        play(&mut all, lies);
        let rule = Rule::FalseComplaint { operator: cheat, dealer: bob };
        let fault = all[1].participant().proven_fault().expect("a proven fault");
        assert_eq!(fault.rule, rule);
        assert_eq!(fault.rule.culprits(), [cheat]);
    }
}

/// A complaint that nobody in this part can make does not decode: it is its sender's fault.
#[test]
fn attack_rs8_complaint_about_what_is_not_there() {
    let all = scene();
    let shape = Shape::of(&all[0].seat.ceremony);
    let (alice, bob, carol) = (all[0].seat.me, all[1].seat.me, all[2].seat.me);
    let view = vec![quorate::primitives::hash::Digest([7; 32]); 3];
    let key = || Shown::Key { opened: [1; 32], validators: 2 };
    let sealed = || Shown::Box { opened: [1; 32], sealed: vec![0; shape.box_bytes()] };
    let body =
        |dealer, claim, shown| Complaint { view: view.clone(), dealer, claim, shown }.encode();
    let (mask, closed) = (Claim::Mask { validator: 0 }, Claim::Sealed);
    let read = |sender, dealer, claim, shown| {
        Complaint::decode(&body(dealer, claim, shown), &shape, sender).err().map(|e| e.to_string())
    };
    let refused = Some("claim: not about this operator".to_owned());
    assert_eq!(read(alice, bob, mask, key()), None);
    assert_eq!(read(carol, bob, closed, sealed()), None);
    assert_eq!(read(alice, bob, closed, sealed()), refused);
    assert_eq!(read(carol, bob, mask, key()), refused);
    assert_eq!(read(alice, carol, mask, key()), refused);
    assert_eq!(read(alice, carol, closed, sealed()), refused);
    let beyond = read(alice, bob, Claim::Mask { validator: 2 }, key());
    assert!(beyond.unwrap().contains("not about a validator"));
    // Everything that is longer than it has to be is zero.
    let mut full = body(bob, mask, key());
    *full.last_mut().unwrap() = 1;
    let error = Complaint::decode(&full, &shape, alice).err().unwrap().to_string();
    assert_eq!(error, "filling: not zero");
}
