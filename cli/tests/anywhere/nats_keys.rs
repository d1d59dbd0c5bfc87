//! Keys of NATS users and accounts, and the JWTs that servers with an operator ask for. Formats:
//! docs.nats.io, nkeys and JWT version 2.

use base32ct::{Base32UpperUnpadded as Base32, Encoding as _};
use base64ct::{Base64UrlUnpadded as Base64Url, Encoding as _};
use quorate::identity::ForeignKey;
use quorate::primitives::secret::Secret32;
use serde_json::{Value, json};

const SEED: u8 = 18 << 3;
pub(crate) const OPERATOR: u8 = 14 << 3;
pub(crate) const ACCOUNT: u8 = 0;
pub(crate) const USER: u8 = 20 << 3;

/// A key of a kind, the same in each run.
pub(crate) struct Key {
    kind: u8,
    number: u8,
    key: ForeignKey,
}

impl Key {
    pub(crate) fn new(kind: u8, number: u8) -> Self {
        Self { kind, number, key: ForeignKey::from_seed(Secret32::copied(&[number; 32])) }
    }

    pub(crate) fn public(&self) -> String {
        text(&[&[self.kind][..], &self.key.public()].concat())
    }

    pub(crate) fn seed(&self) -> String {
        let kinds = [SEED | self.kind >> 5, (self.kind & 31) << 3];
        text(&[&kinds[..], &[self.number; 32]].concat())
    }

    /// What this key says about another, for ever or until a time in seconds of 1970.
    fn jwt(&self, about: &Key, name: &str, nats: &Value, until: Option<u64>) -> String {
        let part = |value: &Value| Base64Url::encode_string(value.to_string().as_bytes());
        let mut claims = json!({
            "jti": name, "iat": 1_700_000_000, "iss": self.public(), "sub": about.public(),
            "name": name, "nats": nats,
        });
        if let Some(until) = until {
            claims["exp"] = until.into();
        }
        let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
        let signed = format!("{}.{}", part(&head), part(&claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", Base64Url::encode_string(&signature))
    }

    /// A `.creds` file of this key.
    pub(crate) fn creds(&self, jwt: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\n\
             NKEY Seed printed below can be used to sign and prove identity.\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            self.seed()
        )
    }
}

fn text(bytes: &[u8]) -> String {
    let bit = |crc: u16| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
    let byte = |crc: u16, byte: &u8| (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| bit(crc));
    let sum = bytes.iter().fold(0, byte).to_le_bytes();
    Base32::encode_string(&[bytes, &sum].concat())
}

/// An operator with one account for operators to meet in, and the system's.
pub(crate) struct Trust {
    operator: Key,
    system: Key,
    account: Key,
}

impl Trust {
    pub(crate) fn new() -> Self {
        let (operator, system) = (Key::new(OPERATOR, 1), Key::new(ACCOUNT, 2));
        Self { operator, system, account: Key::new(ACCOUNT, 3) }
    }

    /// What the server's configuration says of it.
    pub(crate) fn config(&self) -> String {
        let Self { operator, system, account } = self;
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
            "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1,
            "consumer": -1,
        });
        let of = |key: &Key, name: &str, limits: &Value| {
            let claims = json!({ "limits": limits, "type": "account", "version": 2 });
            operator.jwt(key, name, &claims, None)
        };
        let none = json!({ "subs": -1, "data": -1, "payload": -1, "conn": -1, "leaf": -1 });
        let said = json!({
            "type": "operator", "version": 2, "system_account": system.public(),
        });
        format!(
            "operator: {}\nsystem_account: {sys}\nresolver: MEMORY\nresolver_preload {{\n{sys}: \
             {}\n{}: {}\n}}",
            operator.jwt(operator, "keeper", &said, None),
            of(system, "SYS", &none),
            account.public(),
            of(account, "ceremonies", &limits),
            sys = system.public(),
        )
    }

    /// The `.creds` file of a user, whose JWT is good for ever or until a time.
    pub(crate) fn user(&self, number: u8, until: Option<u64>) -> String {
        let user = Key::new(USER, number);
        let nats = json!({
            "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user",
            "version": 2,
        });
        user.creds(&self.account.jwt(&user, "operator", &nats, until))
    }
}
