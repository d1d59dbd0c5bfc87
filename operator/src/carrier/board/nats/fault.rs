//! Why a NATS server is of no use to somebody: what a person can do differs with each.

use super::LEAST_VERSION;

/// Characters of what a server says that are repeated.
const MOST_QUOTED: usize = 300;

/// Why a server cannot be used. What it says itself is quoted, and may be anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerFault {
    /// Nobody knows its name.
    #[error("its host name does not resolve")]
    Resolve,
    /// Something else answers there.
    #[error("this is no NATS server")]
    NotNats,
    /// It speaks nothing but TLS.
    #[error("the server wants TLS, which this program does not speak")]
    Tls,
    /// It is older than what a board needs.
    #[error(
        "this is nats-server {0}, and a board needs {major}.{minor} or newer",
        major = LEAST_VERSION.0, minor = LEAST_VERSION.1
    )]
    TooOld(String),
    /// It does not take this many bytes in one message, which is less than any board needs.
    #[error("the server takes too little in one message: {0} bytes")]
    SmallMessages(usize),
    /// A file of this many bytes has more pieces there than a file may have.
    #[error("the server takes {takes} bytes in one message: too little for a file of {len}")]
    LongFile {
        /// What it takes.
        takes: usize,
        /// What a file of the ceremony has.
        len: u64,
    },
    /// It asks who we are, and no credentials were given.
    #[error("the server asks for credentials, and none were given: {0}")]
    NoCredentials(String),
    /// It refuses the credentials that were given.
    #[error("the server refuses these credentials: {0}")]
    Credentials(String),
    /// The credentials are a key, and it has sent nothing to sign.
    #[error("the credentials are a key, and the server asks for none")]
    AsksForNoKey,
    /// This user may not do something there.
    #[error("the server forbids this user something that a board needs: {0}")]
    Forbidden(String),
    /// It keeps nothing.
    #[error("it has no JetStream")]
    NoJetStream,
    /// It keeps nothing for this account.
    #[error("its JetStream is not for this account: {0}")]
    NotThisAccount(String),
    /// Anything else that it says, or that is wrong with what it says.
    #[error("{0}")]
    Said(String),
}

impl ServerFault {
    /// What a server means that says `-ERR` and this; `given` says whether there are credentials.
    pub(super) fn told(said: &str, given: bool) -> Self {
        let said = &quoted(said);
        let lower = said.to_ascii_lowercase();
        let about = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if about(&["permissions violation"]) {
            return Self::Forbidden(said.to_owned());
        }
        match about(&["authorization", "authentication"]) {
            true if given => Self::Credentials(said.to_owned()),
            true => Self::NoCredentials(said.to_owned()),
            false if about(&["tls required"]) => Self::Tls,
            false => Self::Said(said.to_owned()),
        }
    }
}

/// The beginning of what a server says, as much of it as people read, on one line: what follows a
/// line break would look like the program's own words.
pub(super) fn quoted(said: &str) -> String {
    said.chars().take(MOST_QUOTED).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are those of nats-server's errors.go.
    #[test]
    fn what_servers_mean() {
        let of = |said: &str, given| ServerFault::told(said, given);
        for said in ["Authorization Violation", "User Authentication Expired"] {
            assert_eq!(of(said, true), ServerFault::Credentials(said.to_owned()));
            assert_eq!(of(said, false), ServerFault::NoCredentials(said.to_owned()));
        }
        let forbidden = "Permissions Violation for Publish to \"$JS.API.INFO\"";
        assert_eq!(of(forbidden, true), ServerFault::Forbidden(forbidden.to_owned()));
        assert_eq!(of("Secure Connection - TLS Required", false), ServerFault::Tls);
        assert_eq!(of(&"é".repeat(1000), false), ServerFault::Said("é".repeat(300)));
        let lines = of("no\r\nREADY: nothing", false);
        assert_eq!(lines, ServerFault::Said("no  READY: nothing".to_owned()));
        let other = "Unknown Protocol Operation";
        assert_eq!(of(other, false), ServerFault::Said(other.to_owned()));
    }
}
