//! The SSV part of the spec: its rules, and its text.

use quorate::spec::{Ceremony, CeremonyFile, Place, SpecError};

use super::{IDS, OWNER, TWO, ceremony, file, rsa};

#[test]
fn every_cluster_size_with_its_threshold() {
    for (n, t) in [(4, 3), (7, 5), (10, 7), (13, 9)] {
        let ceremony = ceremony(&file(n, t, TWO));
        let ssv = ceremony.ssv().unwrap();
        assert_eq!((ssv.owner.to_string().as_str(), ssv.nonce, ssv.keys.len()), (OWNER, 7, n));
        assert_eq!([ssv.owner_nonce(0).nonce, ssv.owner_nonce(1).nonce], [7, 8]);
        for (position, (index, seat)) in ceremony.roster().iter().enumerate() {
            assert_eq!((index.position(), seat.point), (position, IDS[position]));
            assert_eq!(ssv.keys[position], *rsa(position).public());
        }
        // The canonical bytes give it back, and so does the file that is written of it.
        let read = Ceremony::from_canonical(ceremony.canonical()).unwrap();
        assert_eq!(read.ssv(), ceremony.ssv());
        let written = CeremonyFile::from(&*ceremony).to_toml();
        assert_eq!(super::ceremony(&written).canonical(), ceremony.canonical());
    }
}

#[test]
fn what_is_agreed_stands_at_the_end_behind_a_flag() {
    let with = ceremony(&file(4, 3, TWO));
    let lines = file(4, 3, TWO);
    let without: String = lines
        .lines()
        .filter(|line| {
            !["[ssv]", "owner", "nonce", "ssv_key"].iter().any(|start| line.starts_with(start))
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let without = ceremony(&without);
    let (with, without) = (with.canonical(), without.canonical());
    assert_eq!(with.len(), without.len() + 20 + 8 + 4 * 256);
    // Nothing but the policy differs before it.
    assert_eq!((without[7], with[7]), (0, 2));
    assert!(with[..7] == without[..7] && with[8..without.len()] == without[8..]);
    let end = &with[without.len()..];
    assert_eq!(
        hex::encode(&end[..28]),
        format!("{}0000000000000007", OWNER[2..].to_ascii_lowercase())
    );
    assert_eq!(end[28..284], rsa(0).public().modulus()[..]);
    // A flag without what it announces, and the other way round.
    let mut cut = with.to_vec();
    cut.truncate(without.len());
    assert!(matches!(Ceremony::from_canonical(&cut), Err(SpecError::Layout(_))));
    let mut unflagged = with.to_vec();
    unflagged[7] = 0;
    assert!(matches!(Ceremony::from_canonical(&unflagged), Err(SpecError::Layout(_))));
    // An even modulus is no key.
    let mut even = with.to_vec();
    *even.last_mut().unwrap() ^= 1;
    let place = Place::operator(3, "ssv_key");
    assert!(matches!(Ceremony::from_canonical(&even), Err(SpecError::SsvKey { place: found,
        .. }) if found == place));
}

#[test]
fn a_person_sees_what_is_agreed_for_ssv_and_its_weakness() {
    let ceremony = ceremony(&file(4, 3, TWO));
    let shown = quorate::spec::show::describe(&ceremony);
    assert!(
        shown.contains(&format!(
            "SSV: registered by {OWNER} with nonces 7 to 8, in order; no other account can \
             register them"
        )),
        "{shown}"
    );
    assert!(
        shown.contains("SSV operator 33, RSA key with SHA-256 ")
            && shown.contains("no forward secrecy")
    );
}
