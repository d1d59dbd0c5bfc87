//! Writes input for `conformance/run.sh` without the command line: a ceremony in memory, with its
//! files in the layout of a finished demo, in the build's scratch folder.
//!
//!     cargo test --test conformance
//!     conformance/run.sh target/tmp/conformance-outputs --allow-weak-kdf \
//!         --passphrase-file target/tmp/conformance-outputs/passphrase.txt

use std::path::Path;
use std::sync::Arc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::ethereum::keystore::{DerivedKey, Kdf, Password};
use quorate::export::keystores::{Holder, keystore_files};
use quorate::export::launchpad::{
    deposit_files, registrations_file, verify_deposit_file, verify_registrations_file,
};
use quorate::export::{Artifact, Audience};
use quorate::primitives::curve::G1;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::{Ceremony, CeremonyFile};

use crate::common::{Machine, bytes, honest, operators, run, spec_toml};

const PASSPHRASE: &str = "only for a test: Passwört";
const STAMP: u64 = 1_742_213_400;

/// Two validators alike, one with three deposits and a registration.
const VALIDATORS: &str = r#"
[[validators]]
count = 2
withdrawal = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
compounding = false
[[validators]]
withdrawal = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
compounding = true
amounts = ["1", "32", "100.5"]
fee_recipient = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
"#;

/// Five operators, three of whom can sign, at points that are not their positions.
fn agreed() -> (String, Vec<Machine>) {
    let operators = operators(5);
    let mut text = spec_toml(&operators, 3, VALIDATORS);
    for (position, point) in [2, 3, 7, 20, 4_294_967_311_u64].iter().enumerate() {
        let address = format!("address = \"127.0.0.1:{}\"\n", 3600 + position);
        assert!(text.contains(&address));
        text = text.replace(&address, &format!("point = {point}\n"));
    }
    let ceremony = Arc::new(Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap());
    (text, operators.iter().map(|operator| Machine::new(&ceremony, operator)).collect())
}

fn write(folder: &Path, artifact: &Artifact) {
    let audience = match artifact.audience {
        Audience::Public => "public",
        Audience::Secret => "secret",
    };
    let path = folder.join("out").join(audience).join(&artifact.name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, &artifact.bytes).unwrap();
}

#[test]
fn outputs_for_the_conformance_checks() {
    let (text, mut machines) = agreed();
    run(&mut machines, &mut honest);

    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance-outputs");
    let _ = std::fs::remove_dir_all(&root);
    for (position, machine) in machines.iter().enumerate() {
        let (ceremony, participant) = (&machine.seat.ceremony, machine.participant());
        let name = ceremony.roster().get(machine.seat.me).unwrap().card.name.as_str().to_owned();
        let folder = root.join(name).join("ceremonies").join(&ceremony.digest().to_string()[..16]);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("ceremony.toml"), &text).unwrap();

        let validators = &participant.outcome().unwrap().validators;
        let deposits = deposit_files(ceremony, validators).unwrap();
        let registrations = registrations_file(ceremony, validators).unwrap().unwrap();
        let keys: Vec<G1> = validators.iter().map(|validator| validator.public_key).collect();
        assert_eq!(deposits.len(), 3);
        for artifact in &deposits {
            verify_deposit_file(&artifact.bytes, ceremony, &keys).unwrap();
        }
        verify_registrations_file(&registrations.bytes, ceremony, &keys).unwrap();

        let password = Password::new(&SecretBytes::new(PASSPHRASE.as_bytes().to_vec())).unwrap();
        let kdf = if position % 2 == 0 { Kdf::insecure_scrypt() } else { Kdf::insecure_pbkdf2() };
        let key = DerivedKey::derive(kdf, &password, bytes(&format!("salt {position}")));
        let own: Vec<G1> =
            validators.iter().map(|validator| validator.public_shares[position]).collect();
        let random = ChaCha20Rng::from_seed(bytes(&format!("keystores {position}")));
        let holder = Holder::new(ceremony, machine.seat.me).unwrap();
        let keystores =
            keystore_files(holder, participant.shares().unwrap(), &own, &key, STAMP, random)
                .unwrap();
        assert_eq!(keystores.len(), 3);

        for artifact in deposits.iter().chain([&registrations]).chain(&keystores) {
            write(&folder, artifact);
        }
    }
    std::fs::write(root.join("passphrase.txt"), format!("{PASSPHRASE}\n")).unwrap();
}
