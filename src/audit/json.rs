//! A report as plain strings and numbers, for JSON and HTML alike. The order of the fields is the
//! order of reading.

use serde::Serialize;

use crate::message::body::Final;
use crate::protocol::items::Item;
use crate::spec::show::whole_keys;
use crate::spec::threshold::Index;

use super::facts::Audited;
use super::json_spec::{Spec, credentials, hexed};
use super::report::{CANNOT_CONCLUDE, Line, Report, Status};

#[derive(Serialize)]
pub(super) struct PublicShare {
    pub(super) operator: String,
    pub(super) point: String,
    pub(super) public_key: String,
    /// The share, encrypted to the operator's RSA key: of a ceremony for SSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encrypted: Option<String>,
}

/// A validator's consent to its registration with SSV.
#[derive(Serialize)]
pub(super) struct SsvConsent {
    pub(super) nonce: u64,
    pub(super) text: String,
    pub(super) signed: String,
    pub(super) signature: String,
}

#[derive(Serialize)]
pub(super) struct Deposit {
    pub(super) amount: String,
    pub(super) amount_gwei: u64,
    pub(super) deposit_message_root: String,
    pub(super) deposit_data_root: String,
    pub(super) signing_root: String,
    pub(super) signature: String,
}

#[derive(Serialize)]
pub(super) struct Registration {
    pub(super) fee_recipient: String,
    pub(super) gas_limit: u64,
    pub(super) timestamp: u64,
    pub(super) signing_root: String,
    pub(super) signature: String,
}

/// A DRAFT (EIP-8205): the draft that is signed, by its date.
#[derive(Serialize)]
pub(super) struct Preregistration {
    pub(super) draft: &'static str,
    pub(super) signing_root: String,
    pub(super) signature: String,
}

#[derive(Serialize)]
pub(super) struct Validator {
    /// In the spec's list, from 1.
    pub(super) number: usize,
    pub(super) public_key: String,
    pub(super) withdrawal_address: String,
    pub(super) credentials: &'static str,
    pub(super) withdrawal_credentials: String,
    pub(super) deposits: Vec<Deposit>,
    pub(super) registration: Option<Registration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preregistration: Option<Preregistration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ssv: Option<SsvConsent>,
    pub(super) public_shares: Vec<PublicShare>,
}

/// What an operator says it did; nobody can check it.
#[derive(Serialize)]
pub(super) struct Statement {
    pub(super) operator: String,
    pub(super) beacon_block_root: Option<String>,
    /// In version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keystores_written: Option<bool>,
    /// In version 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secrets_erased: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct Digests {
    pub(super) certificate: String,
    pub(super) transcript: String,
    pub(super) spec: String,
    pub(super) session: String,
    pub(super) dkg: String,
    pub(super) outputs: String,
}

/// Everything public that a verified transcript holds.
#[derive(Serialize)]
pub(super) struct Facts {
    /// Of keys that came by an import: that they were whole, in whose hands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) whole_keys: Option<String>,
    pub(super) spec: Spec,
    pub(super) validators: Vec<Validator>,
    pub(super) operators_say: Vec<Statement>,
    /// Of a reshare that was finished without operators: who, by index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) finished_without: Vec<u16>,
    pub(super) digests: Digests,
}

impl Facts {
    pub(super) fn of(audited: &Audited) -> Self {
        let ceremony = audited.ceremony();
        let names = || ceremony.roster().iter().map(|(_, seat)| seat.card.name.to_string());
        let said = names().zip(audited.anchors()).enumerate().map(|(at, (operator, anchor))| {
            let flag = |flag: u32| audited.flags().get(at).map(|flags| flags & flag != 0);
            Statement {
                operator,
                beacon_block_root: (*anchor != [0; 32]).then(|| hexed(anchor)),
                keystores_written: flag(Final::KEYSTORES),
                secrets_erased: flag(Final::ERASED),
            }
        });
        let lost = audited.finished_without().into_iter().map(Index::get);
        Self {
            whole_keys: audited.import.as_deref().and_then(whole_keys),
            spec: Spec::of(ceremony),
            validators: (0..ceremony.v()).map(|v| validator(audited, v)).collect(),
            operators_say: said.collect(),
            finished_without: lost.collect(),
            digests: Digests {
                certificate: hexed(audited.certificate()),
                transcript: hexed(audited.transcript()),
                spec: hexed(ceremony.digest()),
                session: hexed(audited.session()),
                dkg: hexed(audited.dkg()),
                outputs: hexed(audited.outputs()),
            },
        }
    }
}

fn validator(audited: &Audited, v: usize) -> Validator {
    let ceremony = audited.ceremony();
    let network = ceremony.network();
    let (wanted, made) = (&ceremony.validators()[v], &audited.validators()[v]);
    let (mut deposits, mut registration) = (Vec::new(), None);
    let (mut preregistration, mut ssv) = (None, None);
    for (item, signature) in audited.signed(v) {
        let signature = signature.to_compressed();
        let signing_root = hexed(item.signing_root(ceremony));
        match item {
            Item::Deposit(message) => deposits.push(Deposit {
                amount: network.unit().text(message.amount),
                amount_gwei: message.amount,
                deposit_message_root: hexed(message.root()),
                deposit_data_root: hexed(message.data_root(&signature)),
                signing_root,
                signature: hexed(signature),
            }),
            Item::Registration(message) => {
                registration = Some(Registration {
                    fee_recipient: message.fee_recipient.to_string(),
                    gas_limit: message.gas_limit,
                    timestamp: message.timestamp,
                    signing_root,
                    signature: hexed(signature),
                });
            }
            Item::Preregistration(_, draft) => {
                preregistration = Some(Preregistration {
                    draft: draft.date(),
                    signing_root,
                    signature: hexed(signature),
                });
            }
            Item::OwnerNonce(consent) => {
                ssv = Some(SsvConsent {
                    nonce: consent.nonce,
                    text: consent.text(),
                    signed: signing_root,
                    signature: hexed(signature),
                });
            }
        }
    }
    // Who gets no share has none here, wherever its seat stands.
    let shares = ceremony.receivers().zip(&made.public_shares).enumerate().map(
        |(at, ((_, seat), share))| PublicShare {
            operator: seat.card.name.to_string(),
            point: seat.point.to_string(),
            public_key: hexed(share.to_compressed()),
            encrypted: made.sealed.get(at).map(|sealed| hexed(sealed.ciphertext)),
        },
    );
    Validator {
        number: v + 1,
        public_key: hexed(made.public_key.to_compressed()),
        withdrawal_address: wanted.withdrawal.address().to_string(),
        credentials: credentials(&wanted.withdrawal),
        withdrawal_credentials: hexed(wanted.withdrawal.as_bytes()),
        deposits,
        registration,
        preregistration,
        ssv,
        public_shares: shares.collect(),
    }
}

#[derive(Serialize)]
pub(super) struct Check {
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) status: String,
    pub(super) detail: String,
}

impl Check {
    fn of(line: &Line) -> Self {
        let Line { code, status, detail, .. } = line;
        Self {
            code: code.text(),
            title: code.title(),
            status: status.to_string(),
            detail: detail.clone(),
        }
    }

    /// For the page's style.
    pub(super) fn is_failed(&self) -> bool {
        self.status == Status::Failed.to_string()
    }
}

/// A whole report.
#[derive(Serialize)]
pub(super) struct Findings {
    /// `verified`, `sound`, `statements` or `failed`.
    pub(super) verdict: &'static str,
    /// Whether it is the ceremony that the reader expects; null if that was not compared.
    pub(super) as_expected: Option<bool>,
    pub(super) findings: usize,
    /// Of a set of statements: who is proven to be at fault, by index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) culprits: Option<Vec<u16>>,
    /// Of a set of statements: the certificate of the completed ceremony that it holds; null if it
    /// does not show whether the ceremony was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completed: Option<Option<String>>,
    /// Who is proven to be at fault, by index, in a transcript or in a set of statements.
    pub(super) at_fault: Vec<u16>,
    pub(super) transcript: String,
    /// What the ceremony is named by, whatever the bytes of its transcripts; if the checks of the
    /// transcript itself passed.
    pub(super) certificate: Option<String>,
    /// What the transcript says was agreed, if that much could be read.
    pub(super) spec: Option<Spec>,
    pub(super) checks: Vec<Check>,
    pub(super) before_deposit: Vec<&'static str>,
    /// Of keys that came by an import: that they were whole, in whose hands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) whole_keys: Option<String>,
    pub(super) cannot_conclude: &'static [&'static str],
    /// Only if every check of the transcript itself passed.
    pub(super) facts: Option<Facts>,
}

impl Findings {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            verdict: report.verdict().word(),
            as_expected: report.as_expected(),
            culprits: report
                .culprits()
                .map(|culprits| culprits.iter().map(|index| index.get()).collect()),
            completed: report.culprits().map(|_| report.completed().map(hexed)),
            at_fault: report.at_fault().iter().map(|index| index.get()).collect(),
            findings: report.findings(),
            transcript: hexed(report.transcript()),
            certificate: report.audited().map(|audited| hexed(audited.certificate())),
            spec: report.ceremony().map(|ceremony| Spec::of(ceremony)),
            checks: report.lines().iter().map(Check::of).collect(),
            before_deposit: report.before_deposit(),
            whole_keys: report.whole_keys(),
            cannot_conclude: &CANNOT_CONCLUDE,
            facts: report.audited().map(Facts::of),
        }
    }
}
