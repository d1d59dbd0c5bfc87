//! An operator with valid keys that breaks the rules of answering.

use std::sync::Arc;
use std::time::Duration;

use quorate::primitives::curve::SecretScalar;
use quorate::primitives::secret::Secret32;
use quorate::signing::live::frame::{Frame, State};
use quorate::signing::partial::{Extent, Partial};
use quorate::signing::{Cleared, Request};
use quorate::spec::{Ceremony, CeremonyFile, Index};
use quorate_operator::carrier::{Event, Peer, Session, Tcp, TcpConfig, Timing};
use tokio::time::timeout;

use crate::place::Place;
use crate::support::program::{Ended, names};
use crate::support::running::{Running, Signal};
use crate::together::{live, ports, verified};

const LIMIT: Duration = Duration::from_secs(120);

/// Dave, the last operator, who calls all others.
struct Dave {
    tcp: Tcp,
}

impl Dave {
    async fn start(place: &Place, request: &Request, most: usize) -> Self {
        let ceremony = CeremonyFile::parse_toml(
            &std::fs::read_to_string(place.path("demo/ceremony.toml")).unwrap(),
        )
        .unwrap();
        let ceremony = Ceremony::try_from(ceremony).unwrap();
        let me = Index::new(4).unwrap();
        let config = TcpConfig {
            session: Session::Request(request.id()),
            me: 4,
            operator: Arc::new(place.operator("dave")),
            peers: Peer::of(&ceremony, me),
            listen: None,
            proxy: None,
            max_frame: most,
            // Each call has to be fresh, and nothing here is secret.
            random: Arc::new(|| {
                Secret32::new(&mut quorate::simulation::machine::bytes(&format!(
                    "{:?}",
                    std::time::Instant::now()
                )))
            }),
            timing: Timing::default(),
        };
        Self { tcp: Tcp::start(config).await.unwrap() }
    }

    /// Waits for what is looked for.
    async fn until<T>(&mut self, mut found: impl FnMut(Event) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(found) = found(self.tcp.next().await) {
                    return found;
                }
            }
        };
        timeout(LIMIT, search).await.expect("it does not happen")
    }

    async fn up(&mut self, peer: u16) {
        self.until(|event| {
            matches!(event, Event::Up { peer: who, .. } if who == peer).then_some(())
        })
        .await;
    }

    /// Sends a frame as soon as there is a connection.
    async fn send(&mut self, peer: u16, frame: &[u8]) {
        while !self.tcp.send(peer, frame.to_vec()) {
            self.up(peer).await;
        }
    }

    async fn down(&mut self, peer: u16) {
        self.until(|event| {
            matches!(event, Event::Down { peer: who, .. } if who == peer).then_some(())
        })
        .await;
    }
}

/// Waits until an operator has said this, while Dave's connections go on.
async fn until(mut operator: Running, text: &'static str) -> Running {
    let waiting = tokio::task::spawn_blocking(move || {
        operator.until(text);
        operator
    });
    waiting.await.unwrap()
}

/// How an operator ends, while Dave's connections go on.
async fn ended(operator: Running) -> Ended {
    tokio::task::spawn_blocking(move || operator.ended()).await.unwrap()
}

async fn ended_well(operator: Running) -> Ended {
    ended(operator).await.done()
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

fn asked(place: &Place) -> Cleared {
    place.request(&["--public"]).done();
    let request = Request::from_json(&std::fs::read(place.path("request.json")).unwrap()).unwrap();
    place.parent().clear(request).unwrap()
}

#[test]
fn a_hostile_operator_is_named_or_hung_up_on_and_the_others_have_their_exit() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    let cleared = asked(&place);
    let dave = place.operator("dave");
    let wrong = SecretScalar::from_be_bytes(&[1; 32]).unwrap();
    let lie = Partial::sign(&cleared, &dave, Index::new(4).unwrap(), &[Some(&wrong)]).unwrap();
    let lie = Frame::Answer(lie.to_answer(&cleared, &dave, Secret32::new(&mut [3; 32]))).encode();
    let (alice, bob) = run(async {
        let (alice, bob) = (live(&place, "alice"), live(&place, "bob"));
        let mut dave = Dave::start(&place, &cleared.request, 1 << 20).await;
        // A false answer, and then as many as there is time for, to alice.
        for _ in 0..2000 {
            dave.send(1, &lie).await;
        }
        let named = "Not counted: \"dave\" (operator 4): partial: does not verify under the public \
                     share of operator 4, who signed it";
        let alice = until(alice, named).await;
        // More than any frame is long, to bob: the connection ends, and the next is as good as the
        // first.
        dave.send(2, &[1; 1 << 20]).await;
        dave.down(2).await;
        // What is no frame, to bob: he is not spoken with again.
        dave.send(2, &[0; 100]).await;
        let bob = until(
            bob,
            "Closed the connection to \"dave\" (operator 4): it sent something that is not a \
             frame: frame type: unknown.",
        )
        .await;
        dave.down(2).await;
        let bob = until(bob, "Refused a connection from").await;
        dave.tcp.shutdown().await;
        (alice, bob)
    });
    // The three others do without him, and do not wait for him: alice and carol for what he signed,
    // bob for what he sent.
    let carol = live(&place, "carol");
    let (alice, bob) = (alice.ended().done(), bob.ended().done());
    assert_eq!(names(&alice.json()["signed_by"]), serde_json::json!(["alice", "bob", "carol"]));
    assert_eq!(alice.json()["not_counted"].as_array().unwrap().len(), 1);
    assert_eq!(alice.stderr.matches("Not counted").count(), 1);
    assert_eq!(bob.json()["not_counted"], serde_json::json!([]));
    let why = "\"dave\" (operator 4): it sent something that is not a frame: frame type: unknown";
    assert_eq!(bob.json()["hung_up_on"], serde_json::json!([why]));
    assert_eq!(alice.json()["hung_up_on"], serde_json::json!([]));
    carol.signal(Signal::INT);
    carol.ended().done();
    ["alice", "bob", "carol"]
        .iter()
        .for_each(|operator| verified(&place, &format!("exit-{operator}.json")));
}

/// What a custodian says is its word: nobody repeats it as a fact, and nothing is said to be sent
/// before it was, however it ends.
#[test]
fn a_custodian_that_lies_is_quoted() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--custodian", &place.card("dave")]).done();
    let request = Request::from_json(&std::fs::read(place.path("request.json")).unwrap()).unwrap();
    let state = |satisfied, alice| {
        let counted = vec![alice, false, false, false];
        Frame::State(State { satisfied, counted }).encode()
    };
    let unsent = "\"dave\" (operator 4) says that it counts this operator's answer, which was not \
                  sent to it";
    run(async {
        let mut dave = Dave::start(&place, &request, Frame::max_bytes(4, Extent::plain(1))).await;
        // It counts an answer that it never had.
        let alice = live(&place, "alice");
        dave.send(1, &state(false, true)).await;
        let alice = until(alice, unsent).await;
        alice.signal(Signal::INT);
        let ended = ended(alice).await;
        assert_eq!((ended.code, &ended.json()["answer_sent"]), (5, &false.into()));
        dave.down(1).await;
        // It has enough, and asked for nothing.
        let alice = live(&place, "alice");
        dave.send(1, &state(true, false)).await;
        let ended = ended_well(alice).await;
        assert_eq!(ended.json()["answer_sent"], false);
        dave.down(1).await;
        // It gets the answer, and then sends what no operator sends.
        let alice = live(&place, "alice");
        dave.send(1, &state(false, false)).await;
        let answer = |event| match event {
            Event::Frame { peer: 1, bytes } => {
                matches!(Frame::decode(&bytes, 4, Extent::plain(1)).unwrap(), Frame::Answer(_))
                    .then_some(())
            }
            _ => None,
        };
        dave.until(answer).await;
        dave.send(1, &[0; 100]).await;
        let ended = self::ended(alice).await;
        ended.failed(4, &["the connection to the custodian was closed"]);
        let json = ended.json();
        assert_eq!((&json["answer_sent"], &json["operator"]), (&true.into(), &1.into()));
        dave.tcp.shutdown().await;
    });
}

/// Power is lost as soon as an answer has left: the log has it.
#[test]
fn no_answer_leaves_that_the_log_does_not_remember() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    let cleared = asked(&place);
    let alice = live(&place, "alice");
    run(async {
        let mut dave =
            Dave::start(&place, &cleared.request, Frame::max_bytes(4, Extent::plain(1))).await;
        dave.send(1, &Frame::State(State { satisfied: false, counted: vec![false; 4] }).encode())
            .await;
        let answer = |event| match event {
            Event::Frame { peer: 1, bytes } => {
                matches!(Frame::decode(&bytes, 4, Extent::plain(1)).unwrap(), Frame::Answer(_))
                    .then_some(())
            }
            _ => None,
        };
        dave.until(answer).await;
        alice.signal(Signal::KILL);
    });
    drop(alice);
    let again = place.sign("alice", "exit").done();
    assert!(again.stderr.contains("has already answered this request"), "{}", again.stderr);
}
