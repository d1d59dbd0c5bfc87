//! What may be agreed, and how it is written.

use quorate::spec::ssv::{LARGEST_ID, LARGEST_NONCE};
use quorate::spec::{Ceremony, CeremonyFile, Place, SpecError};

use super::{IDS, OWNER, TWO, ceremony, file, rsa};

fn refusal(text: &str) -> SpecError {
    CeremonyFile::parse_toml(text).and_then(Ceremony::try_from).unwrap_err()
}

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
        .filter(|line| !["[ssv]", "owner", "nonce", "ssv_key"].iter().any(|start| line.starts_with(start)))
        .fold(String::new(), |text, line| text + line + "\n");
    let without = ceremony(&without);
    let (with, without) = (with.canonical(), without.canonical());
    assert_eq!(with.len(), without.len() + 20 + 8 + 4 * 256);
    // Nothing but the policy differs before it.
    assert_eq!((without[7], with[7]), (0, 2));
    assert!(with[..7] == without[..7] && with[8..without.len()] == without[8..]);
    let end = &with[without.len()..];
    assert_eq!(hex::encode(&end[..28]), format!("{}0000000000000007", OWNER[2..].to_ascii_lowercase()));
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
    assert!(matches!(Ceremony::from_canonical(&even), Err(SpecError::SsvKey { place: found, .. }) if found == place));
}

#[test]
fn each_rule_refuses_by_name() {
    use SpecError::*;
    let good = file(4, 3, TWO);
    let operator = |position, field| Place::operator(position, field);
    let validator = Place::validator(0, "amounts");
    let key = |i: usize| format!("ssv_key = \"{}\"\n", rsa(i).public().to_text());
    let validators = |more: &str| good.replace("compounding = false", &format!("compounding = true\n{more}"));

    assert_eq!(refusal(&file(5, 4, TWO)), SsvSize(5));
    assert_eq!(refusal(&file(7, 6, TWO)), SsvThreshold { required: 6, operators: 7, usual: 5 });
    assert_eq!(refusal(&file(10, 6, TWO)), SsvThreshold { required: 6, operators: 10, usual: 7 });
    let chiado = validators("").replace("\"hoodi\"", "\"chiado\"");
    assert!(matches!(refusal(&chiado), SsvNetwork(_) | SsvAmount { .. }));
    let custom = good.replace("network = \"hoodi\"\n", "").replace(
        "[ssv]",
        "[network]\nname = \"devnet\"\ngenesis_fork_version = \"0x10203040\"\ngenesis_validators_root = \
         \"0x1111111111111111111111111111111111111111111111111111111111111111\"\n[ssv]",
    );
    assert_eq!(refusal(&custom), SsvNetwork("devnet".to_owned()));
    assert_eq!(refusal(&good.replace(&key(2), "")), SsvKeyMissing { place: operator(2, "ssv_key") });
    assert_eq!(refusal(&good.replace(&key(2), &key(1))), SsvKeyDuplicate { place: operator(2, "ssv_key"), first: 1 });
    let lone = good.replace(&format!("[ssv]\nowner = \"{OWNER}\"\nnonce = 7\n"), "");
    assert_eq!(refusal(&lone), SsvKeyAlone { place: operator(0, "ssv_key") });
    assert!(
        matches!(refusal(&good.replace("ssv_key = \"LS0t", "ssv_key = \"LS1t")), SsvKey { place, .. } if place == operator(0, "ssv_key"))
    );
    assert_eq!(refusal(&good.replace("point = 33\n", "")), SsvPointMissing { place: operator(2, "point") });
    let large = LARGEST_ID + 1;
    let id = SsvId { place: operator(3, "point"), id: large };
    assert_eq!(refusal(&good.replace("point = 44\n", &format!("point = {large}\n"))), id);
    let nonce = |nonce: u64| good.replace("nonce = 7", &format!("nonce = {nonce}"));
    ceremony(&nonce(LARGEST_NONCE - 1));
    assert_eq!(refusal(&nonce(LARGEST_NONCE)), SsvNonce { nonce: LARGEST_NONCE, validators: 2 });
    assert!(matches!(refusal(&good.replace("0xDC", "0xdC")), SsvOwner(_)));
    assert!(matches!(refusal(&good.replace(OWNER, "0x0000000000000000000000000000000000000000")), SsvOwner(_)));
    let least = "31.999999999".to_owned();
    assert_eq!(
        refusal(&validators(&format!("amounts = [\"{least}\"]"))),
        SsvAmount { place: validator, amount: format!("{least} ETH") }
    );
    assert_eq!(refusal(&validators("amounts = [32, 64]")), SsvAmounts { place: validator, found: 2 });
    assert_eq!(ceremony(&validators("amounts = [64]")).validators()[0].amounts, [64_000_000_000]);
}

#[test]
fn a_person_sees_what_is_agreed_for_ssv_and_its_weakness() {
    let ceremony = ceremony(&file(4, 3, TWO));
    let shown = quorate::spec::show::describe(&ceremony);
    assert!(shown.contains(&format!("SSV: registered by {OWNER} with nonces 7 to 8, in order; no other account can")), "{shown}");
    assert!(shown.contains("SSV operator 33, RSA key with SHA-256 ") && shown.contains("no forward secrecy"));
}
