//! Comparing a transcript with a reader's files, and the rendered reports.

use std::sync::Arc;

use proptest::prelude::*;
use quorate::audit::code::Code;
use quorate::audit::expectation::{Expectations, HeldShare, differences};
use quorate::audit::render::{
    Author, Reading, to_html, to_json, to_text, to_text_for, transcript_json,
};
use quorate::audit::report::{
    BEFORE_DEPOSIT, CANNOT_CONCLUDE, COMPARE_FIRST, Report, Status, Verdict,
};
use quorate::audit::{audit, describe, first_failure};
use quorate::ethereum::bls::message_point;
use quorate::ethereum::deposit::DepositMessage;
use quorate::export::launchpad::{SignedDeposit, deposit_files, write_deposits};
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::lagrange::combine_all;
use quorate::spec::ceremony::Ceremony;
use quorate::spec::file::CeremonyFile;
use quorate::spec::threshold::Index;
use quorate::transcript::container::Header;
use quorate::transcript::stopped;

use crate::common::collusion::{Collusion, Hooks, collude};
use crate::common::{TWO_VALIDATORS, operators, spec_toml};

fn honest() -> Collusion {
    collude(3, 2, TWO_VALIDATORS, Hooks::default())
}

fn ceremony(toml: &str) -> Ceremony {
    CeremonyFile::parse_toml(toml).unwrap().try_into().unwrap()
}

fn finding(bytes: &[u8], expectations: &Expectations<'_>, code: Code) -> (Status, String) {
    let report = audit(bytes, expectations);
    // What the reader brings does not change what the transcript is.
    assert!(report.audited().is_some());
    let line = report.line(code).unwrap();
    assert_eq!(report.is_clean(), line.status == Status::Passed);
    (line.status, line.detail.clone())
}

/// What is said of another ceremony than the expected one. No more than its front is looked at: the
/// same is said where the rest is missing.
fn other_than_expected(bytes: &[u8], expected: &Ceremony) -> (Status, String) {
    let expectations = Expectations { ceremony: Some(expected), ..Expectations::default() };
    let front = 12 + Header::parse(bytes).unwrap().spec(bytes).unwrap().len();
    let [whole, cut] = [bytes, &bytes[..front]].map(|bytes| {
        let report = audit(bytes, &expectations);
        assert_eq!(report.failed(), [Code::Expected]);
        assert!(report.audited().is_none() && report.ceremony().is_some());
        assert!(report.culprits().is_none());
        for code in [Code::V1, Code::V4, Code::V10, Code::V16, Code::V19] {
            let line = report.line(code).unwrap();
            assert_eq!((line.status, line.cause), (Status::NotReached, Some(Code::Expected)));
        }
        assert!(to_text(&report).starts_with("ANOTHER CEREMONY: "));
        let line = report.line(Code::Expected).unwrap();
        (line.status, line.detail.clone())
    });
    assert_eq!(whole, cut);
    whole
}

#[test]
fn statements_of_another_ceremony_than_the_expected_one_are_not_judged() {
    let collusion = honest();
    let file = stopped::encode(&collusion.ceremony, &collusion.statements());
    let another = ceremony(&spec_toml(&operators(4), 3, TWO_VALIDATORS));
    assert_eq!(other_than_expected(&file, &another).0, Status::Failed);
    let expected = Some(&*collusion.ceremony);
    let report = audit(&file, &Expectations { ceremony: expected, ..Expectations::default() });
    assert_eq!(report.failed(), [Code::V19]);
    assert_eq!(report.line(Code::Expected).unwrap().status, Status::Passed);
}

#[test]
fn the_expected_ceremony_passes_and_another_differs_field_by_field() {
    let bytes = honest().transcript();
    let toml = spec_toml(&operators(3), 2, TWO_VALIDATORS);
    let expected = ceremony(&toml);
    let expect = |ceremony| Expectations { ceremony: Some(ceremony), ..Expectations::default() };
    let (status, detail) = finding(&bytes, &expect(&expected), Code::Expected);
    assert_eq!(status, Status::Passed);
    assert!(detail.contains(&expected.digest().to_string()));
    // Addresses are hints.
    let moved = ceremony(&toml.replace("127.0.0.1", "127.0.0.2"));
    assert_eq!(finding(&bytes, &expect(&moved), Code::Expected).0, Status::Passed);

    let id = hex::encode(expected.id());
    let other_id = format!("{}00", &id[..62]);
    let others = operators(4);
    let changed: Vec<(Ceremony, &[&str])> = vec![
        (ceremony(&toml.replace("Test cluster", "Test")), &["name"]),
        (ceremony(&toml.replace(&id, &other_id)), &["id"]),
        (
            ceremony(&toml.replace(
                "version = 2",
                &format!("version = 2\nattempt = 2\nsupersedes = \"{id}\""),
            )),
            &["attempt", "supersedes"],
        ),
        (
            ceremony(&toml.replace("network = \"hoodi\"", "network = \"sepolia\"")),
            &[
                "network.name",
                "network.genesis_fork_version",
                "network.capella_fork_version",
                "network.genesis_validators_root",
                "network.genesis_time",
            ],
        ),
        (
            ceremony(
                &(toml.replace("threshold = 2", "threshold = 3")
                    + "[policy]\nallow_all_required = true\n"),
            ),
            &["threshold", "policy.allow_all_required"],
        ),
        (
            ceremony(&toml.replace(&others[1].card().encode(), &others[3].card().encode())),
            &[
                "operator 2, name",
                "operator 2, key",
                "operator 2, noise",
                "operator 2, install mark",
            ],
        ),
        (
            ceremony(&toml.replace("127.0.0.1:3602\"", "127.0.0.1:3602\"\npoint = 9")),
            &["operator 3, point"],
        ),
        (ceremony(&spec_toml(&others, 3, TWO_VALIDATORS)), &["threshold", "operators"]),
        (
            ceremony(&toml.replace(
                "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            )),
            &["validator 1, withdrawal"],
        ),
        (
            ceremony(&toml.replace("compounding = false", "compounding = true")),
            &["validator 1, compounding"],
        ),
        (ceremony(&toml.replace("[\"1\", \"32\"]", "[\"1\", \"31\"]")), &["validator 2, amounts"]),
        (
            ceremony(&toml.replace(
                "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
                "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            )),
            &["validator 2, fee_recipient"],
        ),
        (ceremony(&(toml.clone() + "gas_limit = 30000000\n")), &["validator 2, gas_limit"]),
        (
            ceremony(
                &(toml.clone()
                    + "[[validators]]\nwithdrawal = \
                       \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\n"),
            ),
            &["validators"],
        ),
    ];
    for (other, paths) in &changed {
        let found = differences(other, &expected);
        assert_eq!(
            found.iter().map(|difference| difference.path.as_str()).collect::<Vec<_>>(),
            *paths
        );
        let (status, detail) = other_than_expected(&bytes, other);
        assert_eq!(status, Status::Failed);
        assert!(
            paths.iter().all(|path| detail.contains(&format!("{path}: expected "))),
            "{detail}"
        );
    }
    let words = other_than_expected(&bytes, &changed[7].0).1;
    assert_eq!(
        words,
        "threshold: expected 3, found 2; operators: expected 4 operators, found 3 operators"
    );
}

#[test]
fn deposit_files_hold_the_transcripts_deposits_and_no_others() {
    let collusion = honest();
    let bytes = collusion.transcript();
    let report = audit(&bytes, &Expectations::default());
    let audited = report.audited().unwrap();
    let (deposits, network) = (audited.deposits(), collusion.ceremony.network());
    let files = deposit_files(&collusion.ceremony, audited.validators()).unwrap();
    let given: Vec<(&str, &[u8])> =
        files.iter().map(|file| (file.name.as_str(), file.bytes.as_slice())).collect();
    assert_eq!(given.len(), 2);
    let check = |files: &[(&str, &[u8])]| {
        finding(
            &bytes,
            &Expectations { deposit_files: files, ..Expectations::default() },
            Code::DepositData,
        )
    };
    let (status, detail) = check(&given);
    assert!(status == Status::Passed && detail.starts_with("3 of the 3 deposits"), "{detail}");
    // Files for some of the validators and amounts are judged for what they have.
    for (kept, lacking) in [
        (&deposits[..1], "not in any file: 1 ETH for validator 2, 32 ETH for validator 2"),
        (&deposits[1..2], "not in any file: 32 ETH for validators 1-2"),
        (&deposits[1..], "not in any file: 32 ETH for validator 1"),
    ] {
        let file = write_deposits(network, kept);
        let (status, detail) = check(&[("d.json", &file)]);
        let expected = format!(
            "{} of the 3 deposits that the ceremony signed, each exactly as signed; {lacking}",
            kept.len()
        );
        assert!(status == Status::Passed && detail == expected, "{detail}");
    }

    let fails = |files: &[(&str, &[u8])], words: &str| {
        let (status, detail) = check(files);
        assert_eq!(status, Status::Failed);
        assert!(detail.contains(words), "{detail}");
    };
    let mut wrong = deposits.clone();
    wrong[0].message.withdrawal_credentials = deposits[1].message.withdrawal_credentials;
    fails(
        &[("d.json", &write_deposits(network, &wrong))],
        "d.json: entry 1, withdrawal_credentials",
    );
    let mut wrong = deposits.clone();
    wrong[2].signature = deposits[0].signature;
    fails(&[("d.json", &write_deposits(network, &wrong))], "d.json: entry 3, signature");
    let mut wrong = deposits.clone();
    wrong[1].message.amount += 1_000_000_000;
    fails(&[("d.json", &write_deposits(network, &wrong))], "d.json: entry 2, signature");
    let twice = [&deposits[..], &deposits[1..2]].concat();
    fails(&[("d.json", &write_deposits(network, &twice))], "d.json: entry 4");
    let mut wrong = deposits.clone();
    wrong[0].message.pubkey = audited.validators()[0].public_shares[0].to_compressed();
    fails(&[("d.json", &write_deposits(network, &wrong))], "d.json: entry 1, pubkey");
    fails(&[given[0], ("again.json", given[0].1)], "and again.json contain the same deposits");
    fails(&[("d.json", b"[]")], "no entries");
    let sepolia = quorate::ethereum::network::Network::known("sepolia").unwrap();
    fails(&[("d.json", &write_deposits(&sepolia, &deposits))], "network_name");
}

/// What was signed after the ceremony, to its validators and their credentials, is told and passes.
#[test]
fn a_further_deposit_is_told() {
    let collusion = honest();
    let bytes = collusion.transcript();
    let report = audit(&bytes, &Expectations::default());
    let audited = report.audited().unwrap();
    let (deposits, network) = (audited.deposits(), collusion.ceremony.network());
    let signed = |message: DepositMessage| {
        let point = message_point(&message.signing_root(network));
        let partials = [0, 1].map(|seat| [collusion.share(seat, 0).sign(&point).unwrap()]);
        let signature = combine_all(&[1, 2], &partials.each_ref().map(|one| &one[..])).unwrap()[0];
        SignedDeposit { message, signature }
    };
    let check = |file: &[SignedDeposit]| {
        let file = write_deposits(network, file);
        let deposit_files = &[("d.json", &file[..])][..];
        let expectations = Expectations { deposit_files, ..Expectations::default() };
        finding(&bytes, &expectations, Code::DepositData)
    };
    let further = signed(DepositMessage { amount: 8_000_000_000, ..deposits[0].message });
    let (status, detail) = check(&[deposits[0], further]);
    assert_eq!(status, Status::Passed, "{detail}");
    assert!(detail.starts_with("1 of the 3 deposits that the ceremony signed"), "{detail}");
    let told = "; signed later, and not by the ceremony, to the same withdrawal credentials: 8 ETH \
                for validator 1";
    assert!(detail.ends_with(told), "{detail}");

    // To other credentials, twice, or without a valid signature it is a finding.
    let elsewhere = deposits[1].message.withdrawal_credentials;
    let elsewhere = DepositMessage { withdrawal_credentials: elsewhere, ..further.message };
    let unsigned = SignedDeposit { signature: deposits[0].signature, ..further };
    for (file, words) in [
        (vec![signed(elsewhere)], "entry 1, withdrawal_credentials: "),
        (vec![further, further], "entry 2"),
        (vec![unsigned], "entry 1, signature: "),
    ] {
        let (status, detail) = check(&file);
        assert!(status == Status::Failed && detail.contains(words), "{words}: {detail}");
    }
}

#[test]
fn shares_are_one_operators_and_complete() {
    let collusion = honest();
    let bytes = collusion.transcript();
    let held = |name: &str, seat, v| HeldShare::new(name, &collusion.share(seat, v));
    let check = |shares: &[HeldShare]| {
        finding(&bytes, &Expectations { shares, ..Expectations::default() }, Code::Shares)
    };
    for (seat, name) in ["alice", "bob", "carol"].into_iter().enumerate() {
        let (status, detail) = check(&[held("a", seat, 0), held("b", seat, 1)]);
        assert!(status == Status::Passed && detail.contains(name), "{detail}");
    }
    let fails = |shares: &[HeldShare], words: &str| {
        let (status, detail) = check(shares);
        assert_eq!((status, detail.as_str()), (Status::Failed, words));
    };
    fails(
        &[held("a", 0, 0), held("b", 1, 1)],
        "a holds a share of \"alice\" (operator 1), but b a share of \"bob\" (operator 2)",
    );
    fails(&[held("a", 0, 0), held("b", 0, 0)], "a and b hold the same share");
    fails(&[held("a", 2, 0)], "shares found: 1, missing: 1 (validator 2)");
    let foreign = "b: not a share of any operator and validator of this transcript";
    let mut other = collusion.share(0, 1);
    other.add_assign(&collusion.share(0, 0));
    fails(&[held("a", 0, 0), HeldShare::new("b", &other)], foreign);
    fails(&[HeldShare::new("b", &SecretScalar::zero())], foreign);
    let validator =
        audit(&bytes, &Expectations::default()).audited().unwrap().validators()[0].public_key;
    fails(&[HeldShare::from_public("b", validator)], foreign);
}

#[test]
fn nothing_is_compared_with_a_transcript_that_does_not_hold() {
    let collusion = honest();
    let mut bytes = collusion.transcript();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let shares = [HeldShare::new("a", &collusion.share(0, 0))];
    let expectations = Expectations {
        ceremony: Some(&collusion.ceremony),
        keyshare_files: &[],
        proof_files: &[],
        deposit_files: &[("d.json", b"[]")],
        lock: None,
        shares: &shares,
        exhaustive: false,
        family: None,
    };
    let report = audit(&bytes, &expectations);
    let status = |code| report.line(code).unwrap().status;
    assert_eq!(report.failed(), [Code::V14]);
    assert_eq!(status(Code::Expected), Status::Passed);
    assert_eq!(
        (status(Code::DepositData), status(Code::Shares)),
        (Status::NotReached, Status::NotReached)
    );
    let report = audit(&bytes[..20], &expectations);
    assert_eq!(report.line(Code::Expected).unwrap().status, Status::NotReached);
    assert_eq!(report.line(Code::Expected).unwrap().detail, "because V1 failed");
}

/// Everything that a hostile name could try in a page.
fn hostile() -> (Arc<Ceremony>, Report) {
    let mut collusion = honest();
    let toml = spec_toml(&collusion.operators, 2, TWO_VALIDATORS)
        .replace("Test cluster", "<script>alert(1)</script>&");
    collusion.ceremony = Arc::new(ceremony(&toml));
    let report = audit(&collusion.transcript(), &Expectations::default());
    (collusion.ceremony, report)
}

#[test]
fn the_page_is_static_and_escaped() {
    let (_, report) = hostile();
    assert!(report.is_clean());
    let page = to_html(&report, Author::Auditor);
    for forbidden in
        ["<script", "src=", "href=", "url(", "@import", "http:", "https:", "javascript:"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(page.contains("default-src 'none'"));
    // Money stands before operators, operators before validators, and all checks and limits are
    // there.
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(
        at("SOUND, NOT COMPARED") < at("33 ETH")
            && at("33 ETH") < at("<h2>Operators")
            && at("<h2>Operators") < at("<h2>Validators")
    );
    assert!(
        Code::ALL
            .iter()
            .filter(|code| **code <= Code::V20)
            .all(|code| page.contains(&format!("<td>{code}</td>")))
    );
    let sentences = CANNOT_CONCLUDE.len() + BEFORE_DEPOSIT.len() + 1;
    let words = 12;
    assert_eq!(page.matches("<li>").count(), sentences + words, "with that it is to be compared");
    assert_eq!(page, to_html(&hostile().1, Author::Auditor));
}

#[test]
fn json_holds_every_public_fact_and_is_deterministic() {
    let (ceremony, report) = hostile();
    let audited = report.audited().unwrap();
    assert_eq!(to_json(&report), to_json(&hostile().1));
    let whole: serde_json::Value = serde_json::from_slice(&to_json(&report)).unwrap();
    let facts: serde_json::Value = serde_json::from_slice(&transcript_json(audited)).unwrap();
    assert_eq!(whole["facts"], facts);
    assert_eq!((whole["verdict"].as_str(), whole["findings"].as_u64()), (Some("sound"), Some(0)));
    assert_eq!(whole["as_expected"], serde_json::Value::Null);
    assert_eq!(whole["checks"].as_array().unwrap().len(), 20);
    assert_eq!(facts["spec"]["name"], ceremony.name());
    assert_eq!(facts["spec"]["operators"][2]["point"], "3");
    let hexed = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    for (v, validator) in audited.validators().iter().enumerate() {
        let row = &facts["validators"][v];
        assert_eq!(row["public_key"], hexed(&validator.public_key.to_compressed()));
        for (j, share) in validator.public_shares.iter().enumerate() {
            assert_eq!(row["public_shares"][j]["public_key"], hexed(&share.to_compressed()));
            assert_eq!(row["public_shares"][j]["operator"], ["alice", "bob", "carol"][j]);
        }
        let deposits = row["deposits"].as_array().unwrap().len();
        assert_eq!(
            deposits + usize::from(!row["registration"].is_null()),
            validator.signatures.len()
        );
        assert_eq!(
            row["deposits"][0]["signature"],
            hexed(&validator.signatures[0].to_compressed())
        );
    }
    assert_eq!(facts["digests"]["dkg"], hexed(audited.dkg().as_ref()));
    assert_eq!(facts["digests"]["certificate"], hexed(audited.certificate().as_ref()));
    // Nobody says more than can be checked.
    assert_eq!(facts["operators_say"][1]["keystores_written"], serde_json::Value::Null);
}

/// Anybody can make a sound transcript: the word for it is not the word for one that was compared.
#[test]
fn sound_is_not_verified() {
    let collusion = honest();
    let bytes = collusion.transcript();
    let other = ceremony(
        &spec_toml(&collusion.operators, 2, TWO_VALIDATORS).replace("Test cluster", "Another one"),
    );
    let report = audit(&bytes, &Expectations::default());
    let files = deposit_files(&collusion.ceremony, report.audited().unwrap().validators()).unwrap();
    let file = [(files[0].name.as_str(), files[0].bytes.as_slice())];
    let with = |ceremony, deposit_files| {
        let report =
            audit(&bytes, &Expectations { ceremony, deposit_files, ..Expectations::default() });
        let json: serde_json::Value = serde_json::from_slice(&to_json(&report)).unwrap();
        let text = to_text(&report);
        let page = to_html(&report, Author::Auditor);
        let tone = |tone: &str| page.contains(&format!("<p class=\"verdict {tone}\">"));
        let tones: Vec<&str> = ["good", "open", "bad"].into_iter().filter(|t| tone(t)).collect();
        assert_eq!(json["verdict"], report.verdict().word());
        (
            report.verdict(),
            text.split([':', ',']).next().unwrap().to_owned(),
            json["as_expected"].as_bool(),
            tones.concat(),
            json["before_deposit"][0] == COMPARE_FIRST,
        )
    };
    let sound = (Verdict::Sound, "SOUND".to_owned(), None, "open".to_owned(), true);
    assert_eq!(with(None, &[]), sound);
    // A deposit file is the transcript's own: it says nothing of what was agreed to.
    assert_eq!(with(None, &file), sound);
    let verified = (Verdict::Verified, "VERIFIED".to_owned(), Some(true), "good".to_owned(), false);
    assert_eq!(with(Some(&collusion.ceremony), &[]), verified);
    assert_eq!(with(Some(&collusion.ceremony), &file), verified);
    let another =
        (Verdict::Failed, "ANOTHER CEREMONY".to_owned(), Some(false), "bad".to_owned(), false);
    assert_eq!(with(Some(&other), &[]), another);
}

/// The one line of the text that begins so.
fn line_of(report: &Report, begins: &str) -> String {
    let text = to_text(report);
    let mut lines = text.lines().filter(|line| line.starts_with(begins));
    let line = lines.next().unwrap_or_else(|| panic!("{begins}: {text}")).to_owned();
    assert_eq!(lines.next(), None);
    line
}

/// On a telephone and on paper: what is wide is stacked, nothing is hidden, and the money stands
/// before every long table.
#[test]
fn the_page_is_for_small_screens_and_paper() {
    let page = to_html(&hostile().1, Author::Auditor);
    assert!(page.contains("<meta name=\"viewport\" content=\"width=device-width"));
    assert!(page.contains("@media (max-width: 40rem)") && page.contains("@media print"));
    // Where headings are hidden, each cell says what it is.
    let body = page.split("<body>").nth(1).unwrap();
    for table in body.split("<table>").skip(1) {
        let table = table.split("</table>").next().unwrap();
        let headings = table.matches("<th>").count();
        if headings > 1 && !table.contains("<th>Code</th>") {
            assert_eq!(table.matches("<td data-of=").count(), table.matches("<td").count());
        }
    }
    let at = |text: &str| body.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(at("class=\"verdict") < at("<h2>Money") && at("<h2>Money") < at("class=\"words\""));
    assert!(at("class=\"words\"") < at("<h2>Operators") && at("<h2>Validators") < at("<h2>Checks"));
    assert_eq!(body.matches("SOUND, NOT COMPARED").count(), 2, "first and last");
}

/// The verdict is the first and the last line; what failed stands right behind it, in full.
#[test]
fn the_verdict_is_the_first_and_the_last_line() {
    let collusion = honest();
    let bytes = collusion.transcript();
    let expected = Expectations { ceremony: Some(&collusion.ceremony), ..Expectations::default() };
    let verified = to_text(&audit(&bytes, &expected));
    assert_eq!(verified.lines().next(), verified.lines().last());
    assert!(!verified.contains("What failed") && !verified.contains("\n  V3 "), "{verified}");
    assert!(verified.contains("\n  V1 to V16 passed, V17 to V20 not applicable (--verbose "));
    let report = audit(&bytes, &Expectations::default());
    let next = Some("a command");
    let sound = to_text_for(&report, Reading { everything: true, next });
    let last = sound.lines().last().unwrap();
    assert!(sound.starts_with(last.trim_end_matches('.')), "{last}");
    assert!(sound.contains("\n  a command\n\nSOUND"), "{sound}");
    for code in Code::ALL.iter().filter(|code| **code <= Code::V20) {
        assert!(sound.contains(&format!("\n  {code:<12}  ")), "{code}");
    }
    let failed = audit(&bytes[..bytes.len() - 1], &expected);
    let text = to_text(&failed);
    let detail = &failed.line(Code::V1).unwrap().detail;
    let title = Code::V1.title();
    assert!(
        text.starts_with(&format!(
            "FAILED: 1 check failed. Do not deposit.\n\nWhat failed\n  V1: {title}: {detail}\n"
        )),
        "{text}"
    );
    assert!(text.contains("\n  V4            not reached"), "each of them, where one failed");
    assert_eq!(text.lines().next(), text.lines().last());
}

/// Anybody can change a page: it says so, who made it, and how to verify what it says.
#[test]
fn the_page_says_who_made_it_and_that_it_proves_nothing() {
    let collusion = honest();
    let bytes = collusion.transcript();
    let compared = Expectations { ceremony: Some(&collusion.ceremony), ..Expectations::default() };
    let report = audit(&bytes, &compared);
    let version = env!("CARGO_PKG_VERSION");
    let bob = describe::operator(Some(&collusion.ceremony), Index::new(2).unwrap());
    let by_auditor =
        format!("made with quorate audit (version {version}) by whoever gave it to you.");
    let by_bob = format!(
        "made by {bob} at the end of its own ceremony, with quorate run (version {version})."
    );
    for (author, made) in
        [(Author::Auditor, by_auditor), (Author::Operator(Index::new(2).unwrap()), by_bob)]
    {
        let page = to_html(&report, author).replace("&#34;", "\"");
        let body = &page[page.find("<body>").unwrap()..];
        let top = &body[..body.find("VERIFIED: every check").unwrap()];
        for said in [
            made,
            "It proves nothing by itself: anybody can write or change such a page.".to_owned(),
            "<code>quorate audit transcript.quorate --expect ceremony.toml</code>".to_owned(),
            "The answer must begin with VERIFIED.".to_owned(),
            format!("<code>{}</code>", line_of(&report, "Certificate ")),
            format!("transcript <code>{}</code>", report.transcript()),
        ] {
            assert!(top.contains(&said), "{said}\n{top}");
        }
    }
    // Of one that failed nothing may be expected but the same bytes.
    let failed = to_html(&audit(&bytes[..bytes.len() - 1], &compared), Author::Auditor);
    assert!(!failed.contains("must begin with VERIFIED") && failed.contains("<code>Transcript "));
}

#[test]
fn a_failed_report_shows_no_keys_and_says_so_first() {
    let collusion = honest();
    let good = collusion.transcript();
    let mut bytes = good.clone();
    let hello = 12 + collusion.ceremony.canonical().len();
    bytes[hello + 150] ^= 1;
    let report = audit(&bytes, &Expectations::default());
    let text = to_text(&report);
    assert!(text.starts_with("FAILED: 1 check failed. Do not deposit.\n"), "{text}");
    assert!(text.contains("NOT ESTABLISHED"));
    let page = to_html(&report, Author::Auditor);
    assert!(page.contains("Not established") && page.contains("class=\"bad\""));
    let key = hex::encode(
        audit(&good, &Expectations::default()).audited().unwrap().validators()[0]
            .public_key
            .to_compressed(),
    );
    for shown in [text, page, String::from_utf8(to_json(&report)).unwrap()] {
        assert!(!shown.contains(&key));
    }
    let nothing = audit(b"", &Expectations::default());
    assert!(to_text(&nothing).contains("The agreed ceremony cannot be read."));
    assert!(to_html(&nothing, Author::Auditor).contains("Audit of a ceremony"));
    let brought = audit(
        &good,
        &Expectations { deposit_files: &[("d.json", b"[]")], ..Expectations::default() },
    );
    assert!(to_text(&brought).starts_with(
        "FINDING: the transcript is valid, but what you compared with it does not match."
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None,
    ..ProptestConfig::default() })]

    /// Several bytes changed, a piece moved, anything at all: a finding, and no panic.
    #[test]
    fn no_bytes_but_the_transcripts_pass(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        (from, to) in any::<(prop::sample::Index, prop::sample::Index)>(),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let good = honest().transcript();
        let mut bytes = good.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let moved = bytes[from..bytes.len().min(from + tail.len())].to_vec();
        let end = bytes.len().min(to + moved.len());
        let fits = end - to;
        bytes[to..end].copy_from_slice(&moved[..fits]);
        prop_assert_eq!(audit(&bytes, &Expectations::default()).is_clean(), bytes == good);
        prop_assert_eq!(first_failure(&bytes).is_none(), bytes == good);
        let mut free = good[..12].to_vec();
        free.extend_from_slice(&tail);
        prop_assert!(first_failure(&free).is_some() && first_failure(&tail).is_some());
    }
}

#[test]
fn everything_can_be_checked_one_by_one_too() {
    let bytes = honest().transcript();
    let exhaustive = || Expectations { exhaustive: true, ..Expectations::default() };
    let (status, detail) = finding(&bytes, &exhaustive(), Code::Exhaustive);
    assert!(status == Status::Passed && detail.contains(" partial and "), "{detail}");
    assert!(audit(&bytes, &Expectations::default()).line(Code::Exhaustive).is_none());
    // Nothing to look at once more where something fails already.
    let mut cut = bytes;
    let last = cut.len() - 1;
    cut[last] ^= 1;
    assert_eq!(
        audit(&cut, &exhaustive()).line(Code::Exhaustive).unwrap().status,
        Status::NotReached
    );
}
