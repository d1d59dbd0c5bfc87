//! Benchmark of `commonware-cryptography`, module `feldman_desmedt`: its quorum is `n - f` with `n
//! = 3f + 1`.

use chacha20::ChaCha20Rng;
use commonware_cryptography::bls12381::dkg::feldman_desmedt::{Dealer, Info, Logs, Player, Reveal};
use commonware_cryptography::bls12381::primitives::sharing::Mode;
use commonware_cryptography::bls12381::primitives::variant::MinPk;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::N3f1;
use commonware_utils::ordered::Set;
use rand_core::SeedableRng as _;

use super::clock::{Cost, measure};
use super::shape::Shape;

/// What the last operator computes for `validators` keys.
pub fn live(shape: Shape, validators: u32) -> Cost {
    let f = (shape.n - 1) / 3;
    assert!(shape.n == 3 * f + 1 && shape.t == 2 * f + 1, "the quorum that the crate has");
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let mut total = Cost::default();
    (0..validators).for_each(|round| total += key(shape.n, u64::from(round), &mut random));
    total
}

fn key(n: usize, round: u64, random: &mut ChaCha20Rng) -> Cost {
    let keys: Vec<ed25519::PrivateKey> =
        (0..n as u64).map(ed25519::PrivateKey::from_seed).collect();
    let everybody: Set<ed25519::PublicKey> =
        Set::from_iter_dedup(keys.iter().map(|key| key.public_key()));
    let new = Info::<MinPk, ed25519::PublicKey>::new::<N3f1>;
    let info =
        new(b"bench", round, None, Mode::NonZeroCounter, Reveal::V1, everybody.clone(), everybody)
            .expect("a round");
    let (me, others) = keys.split_last().expect("an operator");
    let mut total = Cost::default();

    let player = |key: &ed25519::PrivateKey| {
        Player::<MinPk, _>::new(info.clone(), key.clone()).expect("a player")
    };
    let mut their_players: Vec<_> = others.iter().map(player).collect();
    let mut my_player = player(me);
    let mut logs = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        let mine = position == n - 1;
        let mut start = || {
            Dealer::start::<N3f1>(&mut *random, info.clone(), key.clone(), None).expect("a dealer")
        };
        let ((mut dealer, commitment, shares), cost) = measure(&mut start);
        total += if mine { cost } else { Cost::default() };
        let mut acknowledgements = Vec::new();
        for (player, share) in shares {
            let receive = |to: &mut Player<MinPk, ed25519::PrivateKey>| {
                to.dealer_message::<N3f1>(key.public_key(), commitment.clone(), share.clone())
                    .expect("a good share")
                    .expect("new")
            };
            let ack = match others.iter().position(|other| other.public_key() == player) {
                Some(other) => receive(&mut their_players[other]),
                None => {
                    let (ack, cost) = measure(|| receive(&mut my_player));
                    total += cost;
                    ack
                }
            };
            acknowledgements.push((player, ack));
        }
        let (log, cost) = measure(|| {
            for (player, ack) in acknowledgements {
                dealer.receive_player_ack(player, ack).expect("a good acknowledgement");
            }
            dealer.finalize::<N3f1>()
        });
        total += if mine { cost } else { Cost::default() };
        logs.push(log);
    }
    let (_, cost) = measure(|| {
        let mut all = Logs::<MinPk, ed25519::PublicKey, N3f1>::new(info.clone());
        for log in logs {
            let (dealer, log) = log.check(&info).expect("a good log");
            all.record(dealer, log);
        }
        my_player.finalize::<N3f1>(random, all, &Sequential).expect("a key")
    });
    total += cost;
    total
}
