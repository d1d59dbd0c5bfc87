//! Attacks ETH on exits.

use quorate::ethereum::bls::message_point;
use quorate::ethereum::exit::VoluntaryExit;
use quorate::ethereum::network::Network;
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::Secret32;
use quorate::protocol::items::items;
use quorate::signing::combine::{CombineError, combine};
use quorate::signing::partial::{Partial, PartialError, PartialFile};
use quorate::signing::{Cleared, Delivery, Items, Parent, Purpose, Request, RequestError, Target};
use quorate::simulation::machine::{Machine, TWO_VALIDATORS, honest, machines, run};

use crate::scene::index;

const EXIT: VoluntaryExit = VoluntaryExit { epoch: 3, validator_index: 1_804_776 };

/// Three of four operators that have a validator, and what is known of it to everybody.
struct Finished {
    all: Vec<Machine>,
    parent: Parent,
}

impl Finished {
    fn new() -> Self {
        let mut all = machines(4, 3, TWO_VALIDATORS);
        run(&mut all, &mut honest);
        let parent = Parent::finished(all[0].participant()).unwrap();
        Self { all, parent }
    }

    /// A request of the first operator's.
    fn request(&self, exit: VoluntaryExit, delivery: Delivery) -> Request {
        let key = self.parent.validators()[0].public_key.to_compressed();
        self.parent
            .request(key, Purpose::Exit(exit), delivery)
            .signed_by(&self.all[0].seat.operator, index(1))
    }

    /// The answers to it for operator `seat`'s eyes.
    fn custodian(&self, seat: usize) -> Delivery {
        Delivery::Custodian(Box::new(self.all[seat - 1].seat.operator.card()))
    }

    fn partial(&self, cleared: &Cleared, seat: u16) -> Partial {
        let machine = &self.all[usize::from(seat) - 1];
        let share = &machine.participant().shares().unwrap()[cleared.targets[0].validator];
        Partial::sign(cleared, &machine.seat.operator, index(seat), &[Some(share)]).unwrap()
    }

    /// What operator `seat` sends, as text.
    fn answer(&self, cleared: &Cleared, seat: u16) -> String {
        let operator = &self.all[usize::from(seat) - 1].seat.operator;
        let ephemeral = Secret32::new(&mut [u8::try_from(seat).unwrap(); 32]);
        String::from_utf8(self.partial(cleared, seat).to_json(cleared, operator, ephemeral))
            .unwrap()
    }

    fn open(
        &self,
        cleared: &Cleared,
        answer: &str,
        by: Option<u16>,
    ) -> Result<Partial, PartialError> {
        let secret = by.map(|seat| self.all[usize::from(seat) - 1].seat.operator.noise());
        PartialFile::from_json(answer.as_bytes())?.open(cleared, &self.parent, secret)
    }
}

#[test]
fn attack_eth5_leaked_exit_partials() {
    let finished = Finished::new();
    // The ceremony signs no exit: nothing that it leaves behind is part of one.
    let (ceremony, key) = (finished.parent.ceremony(), finished.parent.validators()[0].public_key);
    let exit = EXIT.signing_root(ceremony.network()).unwrap();
    assert!(items(ceremony, 0, &key).iter().all(|item| item.signing_root(ceremony) != exit));
    // Everything that the operators send leaks. It is for carol, who can use it, and for nobody
    // else.
    let cleared = finished.parent.clear(finished.request(EXIT, finished.custodian(3))).unwrap();
    let leaked: Vec<String> =
        [1, 2, 4].iter().map(|seat| finished.answer(&cleared, *seat)).collect();
    for (seat, answer) in [1, 2, 4].into_iter().zip(&leaked) {
        let partial = finished.partial(&cleared, seat);
        assert!(!answer.contains(&hex::encode(partial.partials[0].unwrap().to_compressed())));
        for thief in [None, Some(1), Some(2), Some(4)] {
            assert_eq!(finished.open(&cleared, answer, thief), Err(PartialError::Sealed));
        }
    }
    let opened: Vec<Partial> =
        leaked.iter().map(|answer| finished.open(&cleared, answer, Some(3)).unwrap()).collect();
    combine(&cleared, &finished.parent, &opened).unwrap();
    // Fewer than the threshold, leaked from carol, are no exit.
    assert_eq!(
        combine(&cleared, &finished.parent, &opened[..2]),
        Err(CombineError::TooFew { found: 2, needed: 3 })
    );
    // The same exit, asked for dave's eyes: what was sealed to carol does not become an answer to
    // that.
    let stolen = finished.parent.clear(finished.request(EXIT, finished.custodian(4))).unwrap();
    let (expected, found) = (stolen.request.id(), cleared.request.id());
    assert_eq!(
        finished.open(&stolen, &leaked[0], Some(4)),
        Err(PartialError::Request { expected, found })
    );
    let renamed = leaked[0].replace(&found.to_string(), &expected.to_string());
    assert_eq!(finished.open(&stolen, &renamed, Some(4)), Err(PartialError::Sealed));
    // Carol cannot say that somebody chose to answer in public.
    let public = finished
        .answer(&finished.parent.clear(finished.request(EXIT, Delivery::Public)).unwrap(), 1);
    let renamed = public
        .replace(&finished.request(EXIT, Delivery::Public).id().to_string(), &found.to_string());
    let delivery = PartialError::Delivery { expected: "sealed", found: "public" };
    assert_eq!(finished.open(&cleared, &renamed, Some(3)), Err(delivery));
}

#[test]
fn attack_eth6_exit_for_something_else() {
    let finished = Finished::new();
    let genuine = finished.request(EXIT, Delivery::Public);
    let cleared = finished.parent.clear(genuine.clone()).unwrap();
    assert_eq!(
        Some(cleared.targets[0].signing_root),
        EXIT.signing_root(finished.parent.ceremony().network()),
        "from the typed fields"
    );
    // A field altered on the way: it is no more what the first operator stands by.
    let others =
        [VoluntaryExit { epoch: 4, ..EXIT }, VoluntaryExit { validator_index: 1_804_777, ..EXIT }];
    for exit in others {
        let key = genuine.items.first().public_key;
        let altered = Request { items: Items::one(key, Purpose::Exit(exit)), ..genuine.clone() };
        assert_eq!(finished.parent.clear(altered).err(), Some(RequestError::Requester(1)));
    }
    // A request for another network, ceremony, run or validator.
    let refused = |request: Request| finished.parent.clear(request).err().unwrap().field();
    let digest = Digest([9; 32]);
    assert_eq!(refused(Request { network: "mainnet".to_owned(), ..genuine.clone() }), "network");
    assert_eq!(refused(Request { ceremony: digest, ..genuine.clone() }), "ceremony");
    assert_eq!(refused(Request { dkg: digest, ..genuine.clone() }), "dkg");
    assert_eq!(refused(Request { outputs: digest, ..genuine.clone() }), "outputs");
    let second = finished.parent.validators()[1].public_key.to_compressed();
    let of = |key| Items::one(key, Purpose::Exit(EXIT));
    assert_eq!(refused(Request { items: of(second), ..genuine.clone() }), "requested_by");
    let unknown = Request { items: of([1; 48]), requester: None, ..genuine.clone() };
    assert_eq!(refused(unknown), "public_key");
    // An answer to another exit is none to this one, whatever is written on it.
    for exit in others {
        let other = finished.parent.clear(finished.request(exit, Delivery::Public)).unwrap();
        let answer = finished.answer(&other, 2);
        let (expected, found) = (genuine.id(), other.request.id());
        assert_eq!(
            finished.open(&cleared, &answer, None),
            Err(PartialError::Request { expected, found })
        );
        let renamed = answer.replace(&found.to_string(), &expected.to_string());
        assert_eq!(finished.open(&cleared, &renamed, None), Err(PartialError::Signature(2)));
    }
    // An operator that signs under another domain, or another exit, as an answer to this one.
    let mainnet = EXIT.signing_root(&Network::known("mainnet").unwrap()).unwrap();
    let network = finished.parent.ceremony().network();
    let elsewhere = others.iter().map(|exit| exit.signing_root(network).unwrap());
    for signing_root in elsewhere.chain([mainnet]) {
        let message = message_point(&signing_root);
        let target = Target { validator: 0, signing_root, message };
        let wrong = Cleared {
            request: genuine.clone(),
            targets: vec![target],
            required: Vec::new(),
            lock: None,
        };
        assert_eq!(
            finished.open(&cleared, &finished.answer(&wrong, 2), None),
            Err(PartialError::Wrong(2))
        );
        let good = [1, 3].map(|seat| finished.partial(&cleared, seat));
        let all = [good[0].clone(), good[1].clone(), finished.partial(&wrong, 2)];
        let too_few = CombineError::TooFew { found: 2, needed: 3 };
        assert_eq!(combine(&cleared, &finished.parent, &all), Err(too_few));
    }
}
