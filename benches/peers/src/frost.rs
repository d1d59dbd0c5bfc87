//! Benchmark of `frost-dkg` over `blstrs_plus`.

use std::num::NonZeroUsize;

use blstrs_plus::{G1Projective, Scalar};
use frost_dkg::{Parameters, SecretParticipant};
use vsss_rs::{IdentifierPrimeField, ParticipantIdGenerator};

use super::clock::{Cost, measure};
use super::shape::Shape;

/// What the last operator computes for `validators` keys.
pub fn live(shape: Shape, validators: u32) -> Cost {
    let mut total = Cost::default();
    (0..validators).for_each(|_| total += key(shape));
    total
}

fn key(shape: Shape) -> Cost {
    let count = |count| NonZeroUsize::new(count).expect("not zero");
    let ids: Vec<_> =
        (1..=shape.n as u64).map(|id| IdentifierPrimeField(Scalar::from(id))).collect();
    let parameters = Parameters::<G1Projective>::new(count(shape.t), count(shape.n))
        .expect("a threshold")
        .with_participant_number_generators(vec![ParticipantIdGenerator::list(&ids)])
        .expect("identifiers");
    let mut total = Cost::default();
    let last = shape.n - 1;
    let mut participants = Vec::new();
    for (position, id) in ids.iter().enumerate() {
        let (participant, cost) =
            measure(|| SecretParticipant::new_secret(*id, &parameters).expect("a participant"));
        total += if position == last { cost } else { Cost::default() };
        participants.push(participant);
    }
    for _ in 0..3 {
        let mut sent = Vec::new();
        for (position, participant) in participants.iter_mut().enumerate() {
            let (outputs, cost) = measure(|| {
                let round = participant.run().expect("a round");
                round.iter().expect("messages").collect::<Vec<_>>()
            });
            total += if position == last { cost } else { Cost::default() };
            sent.extend(outputs);
        }
        for output in sent {
            let participant = &mut participants[output.dst_ordinal];
            let ((), cost) = measure(|| {
                participant.receive(output.data.as_bytes()).expect(
                    "a good message",
                )
            });
            total += if output.dst_ordinal == last { cost } else { Cost::default() };
        }
    }
    assert!(participants[last].public_key().is_some(), "a key");
    total
}
