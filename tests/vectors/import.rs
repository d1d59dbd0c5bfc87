//! What imports agree on, and the shares of their receivers, as a program computed it that is
//! written from the specification alone (`generate/import.py`).

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::Verdict;
use quorate::primitives::commitment::evaluate_row;
use quorate::primitives::curve::{G1, Scalar, SecretScalar};
use quorate::primitives::polynomial::Polynomial;
use quorate::simulation::import::import;
use quorate::simulation::machine::{honest, run};
use quorate::simulation::reshare::minima;
use quorate::spec::{Ceremony, CeremonyFile, CeremonyKind};
use quorate::transcript::container;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(rename = "comment")]
    _comment: String,
    file: serde_json::Value,
    canonical: String,
    digest: String,
    /// By validator.
    coefficients: Vec<Vec<String>>,
    /// By receiver, then by validator.
    shares: Vec<Vec<String>>,
    public_shares: Vec<Vec<String>>,
}

fn secret(text: &str) -> SecretScalar {
    let bytes: [u8; 32] = hex::decode(text).unwrap().try_into().unwrap();
    SecretScalar::from_be_bytes(&bytes).unwrap()
}

#[test]
fn imports_have_these_bytes_keys_and_shares() {
    let names = crate::support::names("import");
    assert_eq!(names, ["leaves", "stays"]);
    for name in names {
        let text = std::fs::read(crate::support::path(&format!("import/{name}.json"))).unwrap();
        let vector: Vector = serde_json::from_slice(&text).unwrap();
        let file = CeremonyFile::parse_json(&vector.file.to_string()).unwrap();
        let made = Ceremony::try_from(file).unwrap();
        assert_eq!(made.kind(), CeremonyKind::Import);
        assert_eq!(hex::encode(made.canonical()), vector.canonical, "{name}");
        assert_eq!(made.digest().to_string(), vector.digest, "{name}");
        assert_eq!(Ceremony::from_canonical(made.canonical()).unwrap().digest(), made.digest());

        let keys: Vec<G1> = made.parent_shares().unwrap().all().collect();
        assert_eq!(keys.len(), vector.coefficients.len());
        assert_eq!(vector.shares.len(), made.parts().receivers.len());
        for (v, row) in vector.coefficients.iter().enumerate() {
            let row: Vec<SecretScalar> = row.iter().map(|text| secret(text)).collect();
            let points: Vec<G1> = row.iter().map(|one| one.base_mult().unwrap()).collect();
            assert_eq!(points[0], keys[v], "{name}");
            let polynomial = Polynomial::from_coefficients(row).unwrap();
            for (place, (_, seat)) in made.receivers().enumerate() {
                let share = polynomial.evaluate(&Scalar::from_u64(seat.point));
                assert_eq!(hex::encode(*share.to_be_bytes()), vector.shares[place][v], "{name}");
                let public = evaluate_row(&points, seat.point).finish().unwrap();
                let public = hex::encode(public.to_compressed());
                assert_eq!(public, vector.public_shares[place][v], "{name}");
            }
        }
    }
}

/// A whole import from published labels: bob holds the key, any two of three sign afterwards. To
/// write it again: `QUORATE_WRITE_VECTORS=1 cargo test --test vectors a_whole_import`.
#[test]
fn a_whole_import_leaves_this_transcript() {
    let mut all = import(&["alice", "bob", "carol"], (1, true), 2, &["one"]);
    run(&mut all, &mut honest);
    all[1].stop(minima(1, 100)).unwrap().unwrap();
    run(&mut all, &mut honest);
    let (ceremony, inbox) = (&all[0].seat.ceremony, all[0].participant().inbox());
    let transcript = container::encode(ceremony, inbox.statements().chain(inbox.minima())).unwrap();
    let file = CeremonyFile::from(&**ceremony).to_toml();
    for (name, bytes) in [("2-of-3.quorate", &transcript[..]), ("2-of-3.toml", file.as_bytes())] {
        let path = crate::support::path(&format!("import-ceremony/{name}"));
        if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
            std::fs::write(&path, bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
    assert_eq!(audit(&transcript, &Expectations::default()).verdict(), Verdict::Sound);
}
