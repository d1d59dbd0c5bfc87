//! Derives the encryption key of this run's keystores on a separate thread during the ceremony: it
//! depends on the password and not on the shares.

use std::fs::File;
use std::path::PathBuf;
use std::thread::{Builder, JoinHandle};

use zeroize::Zeroize;

use quorate::ethereum::keystore::{DerivedKey, Kdf, Password};
use quorate::export::Artifact;
use quorate::export::keystores::Profile;
use quorate::primitives::secret::SecretBytes;

use crate::{MachineError, random};

/// What the system calls the thread.
const THREAD: &str = "keystore-key";

/// How keystores are laid out.
pub struct Layout {
    /// File names and contents for one kind of validator client.
    pub profile: Profile,
    /// The password, if it is to be written beside the keystores.
    pub written: Option<SecretBytes>,
}

impl Layout {
    /// The files with the password, if there are to be any.
    pub fn password_files(&self, count: usize, stamp: u64) -> Vec<Artifact> {
        self.written
            .as_ref()
            .map(|password| self.profile.password_files(count, stamp, password))
            .unwrap_or_default()
    }
}

/// Keystores that a run writes: their key, their layout, and the folder that they are below (with
/// its slash).
pub struct KeystorePlan {
    /// What they are encrypted under.
    pub key: KeystoreKey,
    /// How they are laid out.
    pub layout: Layout,
    /// The folder below the secret outputs, with its slash; empty for the secret outputs
    /// themselves.
    pub folder: &'static str,
}

impl KeystorePlan {
    /// Those of a node in an Obol cluster: as Charon reads them, with a fresh password beside each.
    pub fn for_node() -> Self {
        let secret = fresh_password();
        let password = Password::new(&secret).expect("hexadecimal digits are a password");
        let layout = Layout { profile: Profile::Charon, written: Some(secret) };
        Self {
            key: KeystoreKey::planned(Kdf::pbkdf2(), password, None),
            layout,
            folder: NODE_FOLDER,
        }
    }

    /// The same, with the derivation of its key on its way.
    pub fn begin(self) -> Result<Self, MachineError> {
        Ok(Self { key: self.key.begin()?, ..self })
    }
}

/// The folder of a node, below the secret outputs.
pub const NODE_FOLDER: &str = "obol/";

/// A fresh password for files that machines read: 32 hexadecimal digits.
pub fn fresh_password() -> SecretBytes {
    let secret = random::secret();
    SecretBytes::new(hex::encode(&secret.expose()[..16]).into_bytes())
}

/// A key to be derived, at most once.
///
/// # Security
/// Dropped before it was begun, the password is wiped at once; dropped later, the thread wipes
/// password and key as soon as it is done. It cannot be stopped, and nothing waits for it: it ends
/// with the process, whose memory is not dumped.
pub struct KeystoreKey(State);

enum State {
    Planned(Plan),
    Begun(JoinHandle<DerivedKey>),
}

struct Plan {
    kdf: Kdf,
    password: Password,
    /// A file that one process at a time locks for as long as it derives.
    turns: Option<PathBuf>,
}

impl Plan {
    fn derive(self) -> DerivedKey {
        // Only memory is at stake: where nothing can be locked, nobody waits.
        let turn =
            self.turns.and_then(|path| File::open(path).ok()).filter(|file| file.lock().is_ok());
        let mut salt = *random::secret().expose();
        let key = DerivedKey::derive(self.kdf, &self.password, salt);
        salt.zeroize();
        drop(turn);
        key
    }
}

impl KeystoreKey {
    /// Nothing is done yet.
    pub fn planned(kdf: Kdf, password: Password, turns: Option<PathBuf>) -> Self {
        Self(State::Planned(Plan { kdf, password, turns }))
    }

    /// The same, with the derivation on its way.
    pub fn begin(self) -> Result<Self, MachineError> {
        match self.0 {
            State::Planned(plan) => {
                let thread = Builder::new().name(THREAD.to_owned()).spawn(move || plan.derive());
                Ok(Self(State::Begun(thread.map_err(MachineError::System)?)))
            }
            begun @ State::Begun(_) => Ok(Self(begun)),
        }
    }

    /// The key, once it is there; derives it now if that was not begun.
    pub fn finish(self) -> DerivedKey {
        match self.0 {
            State::Planned(plan) => plan.derive(),
            State::Begun(thread) => {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use quorate::ethereum::keystore::{KeyPath, Keystore};
    use quorate::primitives::curve::SecretScalar;

    fn password() -> Password {
        Password::new(&SecretBytes::new(b"as long as it lasts".to_vec())).unwrap()
    }

    fn planned(turns: Option<PathBuf>) -> KeystoreKey {
        KeystoreKey::planned(Kdf::insecure_scrypt(), password(), turns)
    }

    /// Whether what is sealed under this key opens with the password.
    fn opens(key: &DerivedKey) -> bool {
        let secret = SecretScalar::from_be_bytes(&[7; 32]).unwrap();
        let sealed =
            Keystore::encrypt(key, &secret, KeyPath::validator(0), String::new(), random::os())
                .unwrap();
        sealed.decrypt(&password()).is_ok_and(|opened| *opened.to_be_bytes() == [7; 32])
    }

    #[test]
    fn begun_or_not_it_is_the_key_of_the_password() {
        assert!(opens(&planned(None).finish()));
        assert!(opens(&planned(None).begin().unwrap().finish()));
        assert!(opens(&planned(None).begin().unwrap().begin().unwrap().finish()), "begun once");
    }

    #[test]
    fn it_is_derived_before_anybody_asks_for_it() {
        let KeystoreKey(State::Begun(thread)) = planned(None).begin().unwrap() else {
            panic!("it was begun")
        };
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        while !thread.is_finished() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(opens(&KeystoreKey(State::Begun(thread)).finish()));
    }

    #[test]
    fn processes_take_turns_and_do_without_where_they_cannot() {
        let home = tempfile::tempdir().unwrap();
        let turns = home.path().join("ceremony.toml");
        std::fs::write(&turns, "").unwrap();
        let other = File::open(&turns).unwrap();
        other.lock().unwrap();
        let KeystoreKey(State::Begun(thread)) = planned(Some(turns.clone())).begin().unwrap()
        else {
            panic!("it was begun")
        };
        std::thread::sleep(Duration::from_millis(100));
        assert!(!thread.is_finished(), "another process has its turn");
        drop(other);
        assert!(opens(&KeystoreKey(State::Begun(thread)).finish()));
        File::open(&turns).unwrap().try_lock().unwrap();
        assert!(opens(&planned(Some(home.path().join("not there"))).finish()));
    }
}
