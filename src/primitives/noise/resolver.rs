//! The primitives that snow is given: X25519, SHA-256, ChaCha20-Poly1305, and one ephemeral secret
//! in place of a random source.

use core::cell::Cell;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Tag};
use sha2::{Digest as _, Sha256};
use snow::Builder;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use x25519_dalek::{PublicKey, StaticSecret};

use super::{KEY_LENGTH, TAG_LENGTH};
use crate::primitives::secret::{Secret32, wiping};
use crate::primitives::x25519::DhSecret;

/// A handshake of `pattern`, which has the ephemeral secret as its only randomness.
pub(super) fn builder<'a>(
    pattern: &str,
    prologue: &'a [u8],
    ephemeral: Option<Secret32>,
) -> Builder<'a> {
    let params = pattern.parse().expect("a pattern that snow knows");
    Builder::with_resolver(params, Box::new(Resolver(Cell::new(ephemeral))))
        .prologue(prologue)
        .expect("a prologue is set once")
}

/// Gives snow our primitives, and for randomness one ephemeral secret at most.
pub(super) struct Resolver(pub(super) Cell<Option<Secret32>>);

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Once(self.0.take())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        matches!(choice, DHChoice::Curve25519)
            .then(|| Box::new(X25519::new(Secret32::filled(|_| ()))) as Box<dyn Dh>)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        matches!(choice, HashChoice::SHA256).then(|| Box::new(Sha(Sha256::new())) as Box<dyn Hash>)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        matches!(choice, CipherChoice::ChaChaPoly)
            .then(|| Box::new(ChaChaPoly(Secret32::filled(|_| ()))) as Box<dyn Cipher>)
    }
}

/// A secret handed over once. Each side of N, X and IK makes one ephemeral key; a second request
/// would reuse it, and fails.
pub(super) struct Once(pub(super) Option<Secret32>);

impl Random for Once {
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), snow::Error> {
        let secret = self.0.take().ok_or(snow::Error::Rng)?;
        let out: &mut [u8; 32] = out.try_into().map_err(|_| snow::Error::Rng)?;
        out.copy_from_slice(secret.expose());
        Ok(())
    }
}

/// X25519 (RFC 7748 section 5); wipes its secret.
pub(super) struct X25519 {
    secret: DhSecret,
    public: [u8; 32],
}

impl X25519 {
    pub(super) fn new(secret: Secret32) -> Self {
        let secret = DhSecret::new(secret);
        Self { public: *secret.public().as_bytes(), secret }
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        KEY_LENGTH
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn set(&mut self, secret: &[u8]) {
        let secret: &[u8; 32] =
            secret.try_into().expect("every caller in this file passes 32 bytes");
        *self = Self::new(Secret32::copied(secret));
    }

    fn generate(&mut self, random: &mut dyn Random) -> Result<(), snow::Error> {
        let mut filled = Ok(());
        let secret = Secret32::filled(|out| filled = random.try_fill_bytes(out));
        filled?;
        *self = Self::new(secret);
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        self.secret.expose()
    }

    fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        // snow passes its whole key buffer, of which the first 32 bytes are the key.
        let public: [u8; 32] = *public.first_chunk().ok_or(snow::Error::Dh)?;
        let out = out.first_chunk_mut().ok_or(snow::Error::Dh)?;
        wiping(|| {
            let secret = StaticSecret::from(*self.secret.expose());
            let shared = secret.diffie_hellman(&PublicKey::from(public));
            *out = *shared.as_bytes();
            shared.was_contributory().then_some(()).ok_or(snow::Error::Dh)
        })
    }
}

/// SHA-256 (FIPS 180-4); HMAC and HKDF over it are snow's.
struct Sha(Sha256);

impl Hash for Sha {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0 = Sha256::new();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        out[..32].copy_from_slice(&self.0.finalize_reset());
    }
}

/// ChaCha20-Poly1305 (RFC 8439) with Noise's nonce: 4 zero bytes, then the counter, little-endian.
struct ChaChaPoly(Secret32);

impl ChaChaPoly {
    fn nonce(counter: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&counter.to_le_bytes());
        nonce
    }
}

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0 = Secret32::copied(key);
    }

    fn encrypt(&self, nonce: u64, associated: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let (body, rest) = out.split_at_mut(plaintext.len());
        body.copy_from_slice(plaintext);
        let tag = ChaCha20Poly1305::new(self.0.expose().into())
            .encrypt_inout_detached(&Self::nonce(nonce).into(), associated, body.into())
            .expect("far below the cipher's limit of 256 GiB");
        rest[..TAG_LENGTH].copy_from_slice(&tag);
        plaintext.len() + TAG_LENGTH
    }

    fn decrypt(
        &self,
        nonce: u64,
        associated: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<usize, snow::Error> {
        let (body, tag) = sealed.split_last_chunk::<TAG_LENGTH>().ok_or(snow::Error::Decrypt)?;
        let out = out.get_mut(..body.len()).ok_or(snow::Error::Decrypt)?;
        out.copy_from_slice(body);
        ChaCha20Poly1305::new(self.0.expose().into())
            .decrypt_inout_detached(
                &Self::nonce(nonce).into(),
                associated,
                out.into(),
                &Tag::from(*tag),
            )
            .map_err(|_| snow::Error::Decrypt)?;
        Ok(body.len())
    }
}
