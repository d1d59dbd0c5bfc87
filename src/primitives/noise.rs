//! Noise (revision 34) with X25519, ChaCha20-Poly1305 and SHA-256: sealed boxes (pattern N, and X
//! where the sender shows itself) and channel handshakes (pattern IK).
//!
//! The protocol engine is `snow`; the resolver below gives it the crate's own primitives, refuses
//! an all-zero key agreement (snow itself does not look), and takes the ephemeral key as a value,
//! so that a handshake is reproducible byte for byte.
//!
//! # Security
//! Keys, ephemeral secrets and plaintexts are wiped here. snow keeps chaining keys in its state and
//! on its stack: of a box, both are on the stack, which whoever works with boxes overwrites
//! ([`super::secret::wiping`]); of a channel, the state is not wiped.

use core::cell::Cell;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Tag};
use sha2::{Digest as _, Sha256};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::secret::{Secret32, SecretBytes, wiping};
use super::x25519::{DhKeyError, DhPublic, DhSecret};

/// Scalars carried by one message of a box: the most that fit in Noise's 65535 bytes beside an
/// ephemeral key and a tag.
pub const SCALARS_PER_MESSAGE: usize = 2046;
/// Bytes of payload carried by one message of a box.
pub const BOX_CHUNK: usize = 32 * SCALARS_PER_MESSAGE;
/// Length of an authentication tag.
pub const TAG_LENGTH: usize = 16;
/// Length of an X25519 public key.
pub const KEY_LENGTH: usize = 32;

const BOX_PATTERN: &str = "Noise_N_25519_ChaChaPoly_SHA256";
const SIGNED_BOX_PATTERN: &str = "Noise_X_25519_ChaChaPoly_SHA256";
const CHANNEL_PATTERN: &str = "Noise_IK_25519_ChaChaPoly_SHA256";

/// Why a box does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    /// Not the one length that a box with this payload has.
    #[error("the box has {found} bytes, not {expected}")]
    Length {
        /// [`box_len`] of the payload.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// The box's ephemeral key is non-canonical or of low order.
    #[error("the box's ephemeral key is {0}")]
    EphemeralKey(DhKeyError),
    /// A message does not authenticate: another recipient, another prologue, or changed bytes.
    #[error("message {message} of the box does not authenticate")]
    Forged {
        /// Position of the message, from 0.
        message: usize,
    },
}

/// Length of a box: `32 + payload + 16 * max(1, ceil(payload / 65472))` bytes.
pub fn box_len(payload_len: usize) -> usize {
    let messages = payload_len.div_ceil(BOX_CHUNK).max(1);
    payload_len.saturating_add(KEY_LENGTH + TAG_LENGTH * messages)
}

/// Seals `payload` to `recipient` with `Noise_N_25519_ChaChaPoly_SHA256`; gives [`box_len`] bytes.
///
/// The handshake message carries the first 65472 bytes of payload, one-way transport messages the
/// rest, 65472 bytes each.
///
/// # Security
/// `ephemeral` is the ephemeral secret key itself: 32 fresh bytes, spent by this call. The box says
/// nothing about its sender.
pub fn seal_box(
    recipient: &DhPublic,
    prologue: &[u8],
    payload: &SecretBytes,
    ephemeral: Secret32,
) -> Vec<u8> {
    let payload = payload.expose();
    let (first, rest) = payload.split_at(payload.len().min(BOX_CHUNK));
    let mut sealed = vec![0; box_len(payload.len())];
    let (head, mut tail) = sealed.split_at_mut(KEY_LENGTH + first.len() + TAG_LENGTH);
    let mut handshake = builder(BOX_PATTERN, prologue, Some(ephemeral))
        .remote_public_key(recipient.as_bytes())
        .and_then(Builder::build_initiator)
        .expect("pattern N needs the recipient's key only");
    handshake
        .write_message(first, head)
        .expect("a checked key, and a buffer of the message's length");
    let mut stream = handshake.into_transport_mode().expect("pattern N has one message");
    for chunk in rest.chunks(BOX_CHUNK) {
        let message;
        (message, tail) = tail.split_at_mut(chunk.len() + TAG_LENGTH);
        stream.write_message(chunk, message).expect("a buffer of the message's length");
    }
    sealed
}

/// Opens what [`seal_box`] sealed: exactly `payload_len` bytes, or the reason why not. Lengths are
/// compared before anything else.
pub fn open_box(
    secret: &DhSecret,
    prologue: &[u8],
    sealed: &[u8],
    payload_len: usize,
) -> Result<SecretBytes, BoxError> {
    let expected = box_len(payload_len);
    if sealed.len() != expected {
        return Err(BoxError::Length { expected, found: sealed.len() });
    }
    DhPublic::from_bytes(*sealed.first_chunk().expect("a box is longer than a key"))
        .map_err(BoxError::EphemeralKey)?;
    let mut payload = Zeroizing::new(vec![0; payload_len]);
    let (first, rest) = payload.split_at_mut(payload_len.min(BOX_CHUNK));
    let (head, tail) = sealed.split_at(KEY_LENGTH + first.len() + TAG_LENGTH);
    let mut handshake = builder(BOX_PATTERN, prologue, None)
        .local_private_key(secret.expose())
        .and_then(Builder::build_responder)
        .expect("pattern N needs the recipient's secret only");
    handshake.read_message(head, first).map_err(|_| BoxError::Forged { message: 0 })?;
    let mut stream = handshake.into_transport_mode().expect("pattern N has one message");
    let messages = tail.chunks(BOX_CHUNK + TAG_LENGTH).zip(rest.chunks_mut(BOX_CHUNK));
    for (position, (message, chunk)) in messages.enumerate() {
        stream
            .read_message(message, chunk)
            .map_err(|_| BoxError::Forged { message: position + 1 })?;
    }
    Ok(SecretBytes::new(core::mem::take(&mut *payload)))
}

/// Length of a box that shows its sender: `32 + 48 + payload + 16` bytes, for payloads of at most
/// 65439 bytes.
pub const fn signed_box_len(payload_len: usize) -> usize {
    KEY_LENGTH + KEY_LENGTH + TAG_LENGTH + payload_len + TAG_LENGTH
}

/// Seals `payload`, at most 65439 bytes, to `recipient` from `sender` with
/// `Noise_X_25519_ChaChaPoly_SHA256`, in one message.
///
/// # Security
/// `ephemeral` as in [`seal_box`]. Only the recipient learns who the sender is. Whoever has the
/// recipient's secret can make boxes that seem to come from anybody: what must be proven to others
/// is to be signed inside.
pub fn seal_signed_box(
    sender: &DhSecret,
    recipient: &DhPublic,
    prologue: &[u8],
    payload: &SecretBytes,
    ephemeral: Secret32,
) -> Vec<u8> {
    let mut sealed = vec![0; signed_box_len(payload.expose().len())];
    let mut handshake = builder(SIGNED_BOX_PATTERN, prologue, Some(ephemeral))
        .local_private_key(sender.expose())
        .and_then(|builder| builder.remote_public_key(recipient.as_bytes()))
        .and_then(Builder::build_initiator)
        .expect("pattern X needs our secret and the recipient's key");
    handshake
        .write_message(payload.expose(), &mut sealed)
        .expect("a checked key, and a buffer of the message's length");
    sealed
}

/// Opens what [`seal_signed_box`] sealed: its sender, and exactly `payload_len` bytes.
pub fn open_signed_box(
    secret: &DhSecret,
    prologue: &[u8],
    sealed: &[u8],
    payload_len: usize,
) -> Result<(DhPublic, SecretBytes), BoxError> {
    let expected = signed_box_len(payload_len);
    if sealed.len() != expected {
        return Err(BoxError::Length { expected, found: sealed.len() });
    }
    DhPublic::from_bytes(*sealed.first_chunk().expect("a box is longer than a key"))
        .map_err(BoxError::EphemeralKey)?;
    let mut payload = Zeroizing::new(vec![0; payload_len]);
    let mut handshake = builder(SIGNED_BOX_PATTERN, prologue, None)
        .local_private_key(secret.expose())
        .and_then(Builder::build_responder)
        .expect("pattern X needs the recipient's secret only");
    handshake.read_message(sealed, &mut payload).map_err(|_| BoxError::Forged { message: 0 })?;
    let sender = handshake.get_remote_static().and_then(|key| key.first_chunk().copied());
    let sender = sender
        .and_then(|key| DhPublic::from_bytes(key).ok())
        .ok_or(BoxError::Forged { message: 0 })?;
    Ok((sender, SecretBytes::new(core::mem::take(&mut *payload))))
}

/// The side that opens a channel (`Noise_IK_25519_ChaChaPoly_SHA256`), knowing the other side's
/// static key.
///
/// # Security
/// `ephemeral` as in [`seal_box`].
pub fn channel_initiator(
    local: &DhSecret,
    remote: &DhPublic,
    prologue: &[u8],
    ephemeral: Secret32,
) -> HandshakeState {
    builder(CHANNEL_PATTERN, prologue, Some(ephemeral))
        .local_private_key(local.expose())
        .and_then(|builder| builder.remote_public_key(remote.as_bytes()))
        .and_then(Builder::build_initiator)
        .expect("pattern IK needs our secret and the other side's key")
}

/// The side that answers; it learns the initiator's static key from the first message.
///
/// # Security
/// `ephemeral` as in [`seal_box`].
pub fn channel_responder(local: &DhSecret, prologue: &[u8], ephemeral: Secret32) -> HandshakeState {
    builder(CHANNEL_PATTERN, prologue, Some(ephemeral))
        .local_private_key(local.expose())
        .and_then(Builder::build_responder)
        .expect("pattern IK needs our secret")
}

fn builder<'a>(pattern: &str, prologue: &'a [u8], ephemeral: Option<Secret32>) -> Builder<'a> {
    let params = pattern.parse().expect("a pattern that snow knows");
    Builder::with_resolver(params, Box::new(Resolver(Cell::new(ephemeral))))
        .prologue(prologue)
        .expect("a prologue is set once")
}

/// Gives snow our primitives, and for randomness one ephemeral secret at most.
struct Resolver(Cell<Option<Secret32>>);

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
struct Once(Option<Secret32>);

impl Random for Once {
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), snow::Error> {
        let secret = self.0.take().ok_or(snow::Error::Rng)?;
        let out: &mut [u8; 32] = out.try_into().map_err(|_| snow::Error::Rng)?;
        out.copy_from_slice(secret.expose());
        Ok(())
    }
}

/// X25519 (RFC 7748 section 5); wipes its secret.
struct X25519 {
    secret: DhSecret,
    public: [u8; 32],
}

impl X25519 {
    fn new(secret: Secret32) -> Self {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Vector {
        protocol_name: String,
        init_prologue: String,
        init_static: Option<String>,
        init_ephemeral: String,
        init_remote_static: String,
        resp_prologue: String,
        resp_static: String,
        resp_ephemeral: Option<String>,
        handshake_hash: String,
        messages: Vec<Message>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Message {
        payload: String,
        ciphertext: String,
    }

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    fn secret(text: &str) -> Secret32 {
        Secret32::new(&mut bytes(text).try_into().unwrap())
    }

    fn vectors() -> Vec<Vector> {
        let file: Vectors =
            serde_json::from_str(include_str!("../../test-vectors/noise/cacophony.json")).unwrap();
        assert_eq!(file.vectors.len(), 2);
        file.vectors
    }

    fn dh(byte: u8) -> DhSecret {
        DhSecret::new(Secret32::new(&mut [byte; 32]))
    }

    fn payload(scalars: usize) -> Vec<u8> {
        (0..32 * scalars).map(|i| u8::try_from(i % 251).unwrap()).collect()
    }

    fn sealed(payload: &[u8]) -> Vec<u8> {
        let ephemeral = Secret32::new(&mut [9; 32]);
        seal_box(&dh(1).public(), b"prologue", &SecretBytes::new(payload.to_vec()), ephemeral)
    }

    fn opened(sealed: &[u8], length: usize) -> Result<Vec<u8>, BoxError> {
        open_box(&dh(1), b"prologue", sealed, length).map(|payload| payload.expose().to_vec())
    }

    #[test]
    fn vectors_of_another_implementation() {
        for vector in vectors() {
            let local = vector.init_static.as_deref().map(|text| DhSecret::new(secret(text)));
            let remote =
                DhPublic::from_bytes(bytes(&vector.init_remote_static).try_into().unwrap())
                    .unwrap();
            let prologue = bytes(&vector.init_prologue);
            assert_eq!(prologue, bytes(&vector.resp_prologue));
            let answering = DhSecret::new(secret(&vector.resp_static));
            let (mut first, mut second) = match vector.protocol_name.as_str() {
                CHANNEL_PATTERN => (
                    channel_initiator(
                        &local.unwrap(),
                        &remote,
                        &prologue,
                        secret(&vector.init_ephemeral),
                    ),
                    channel_responder(
                        &answering,
                        &prologue,
                        secret(vector.resp_ephemeral.as_ref().unwrap()),
                    ),
                ),
                BOX_PATTERN => (
                    builder(BOX_PATTERN, &prologue, Some(secret(&vector.init_ephemeral)))
                        .remote_public_key(remote.as_bytes())
                        .and_then(Builder::build_initiator)
                        .unwrap(),
                    builder(BOX_PATTERN, &prologue, None)
                        .local_private_key(answering.expose())
                        .and_then(Builder::build_responder)
                        .unwrap(),
                ),
                other => panic!("no case for {other}"),
            };
            let one_way = vector.protocol_name == BOX_PATTERN;
            let (mut written, mut read) = (vec![0; 65535], vec![0; 65535]);
            let mut messages = vector.messages.iter().enumerate();
            while !first.is_handshake_finished() {
                let (position, message) = messages.next().unwrap();
                let (from, to) = if position == 0 {
                    (&mut first, &mut second)
                } else {
                    (&mut second, &mut first)
                };
                let length = from.write_message(&bytes(&message.payload), &mut written).unwrap();
                assert_eq!(hex::encode(&written[..length]), message.ciphertext);
                let length = to.read_message(&written[..length], &mut read).unwrap();
                assert_eq!(hex::encode(&read[..length]), message.payload);
            }
            assert_eq!(hex::encode(first.get_handshake_hash()), vector.handshake_hash);
            assert_eq!(first.get_handshake_hash(), second.get_handshake_hash());
            let (mut first, mut second) =
                (first.into_transport_mode().unwrap(), second.into_transport_mode().unwrap());
            for (position, message) in messages {
                let forward = one_way || position % 2 == 0;
                let (from, to) =
                    if forward { (&mut first, &mut second) } else { (&mut second, &mut first) };
                let length = from.write_message(&bytes(&message.payload), &mut written).unwrap();
                assert_eq!(hex::encode(&written[..length]), message.ciphertext);
                let length = to.read_message(&written[..length], &mut read).unwrap();
                assert_eq!(hex::encode(&read[..length]), message.payload);
            }
        }
    }

    #[test]
    fn a_box_is_the_pattern_s_first_message() {
        let vector =
            vectors().into_iter().find(|vector| vector.protocol_name == BOX_PATTERN).unwrap();
        let recipient = DhSecret::new(secret(&vector.resp_static));
        let (prologue, message) = (bytes(&vector.init_prologue), &vector.messages[0]);
        let payload = SecretBytes::new(bytes(&message.payload));
        let sealed =
            seal_box(&recipient.public(), &prologue, &payload, secret(&vector.init_ephemeral));
        assert_eq!(hex::encode(sealed), message.ciphertext);
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Boxes {
        vectors: Vec<BoxVector>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct BoxVector {
        recipient_secret: String,
        ephemeral_secret: String,
        prologue: String,
        payload_length: usize,
        box_length: usize,
        box_sha256: String,
    }

    #[test]
    fn boxes_sealed_elsewhere() {
        let file: Boxes =
            serde_json::from_str(include_str!("../../test-vectors/noise/boxes.json")).unwrap();
        assert_eq!(file.vectors.len(), 9);
        for vector in file.vectors {
            let recipient = DhSecret::new(secret(&vector.recipient_secret));
            let (prologue, contents) =
                (bytes(&vector.prologue), payload(vector.payload_length / 32));
            let payload = SecretBytes::new(contents.clone());
            let sealed = seal_box(
                &recipient.public(),
                &prologue,
                &payload,
                secret(&vector.ephemeral_secret),
            );
            assert_eq!(sealed.len(), vector.box_length);
            assert_eq!(hex::encode(Sha256::digest(&sealed)), vector.box_sha256);
            let opened = open_box(&recipient, &prologue, &sealed, vector.payload_length).unwrap();
            assert!(opened.expose() == contents);
        }
    }

    #[test]
    fn boxes_of_every_shape_open() {
        for scalars in [0, 1, 2046, 2047, 8192] {
            let payload = payload(scalars);
            let sealed = sealed(&payload);
            assert_eq!(sealed.len(), box_len(payload.len()));
            assert_eq!(
                sealed.len(),
                32 + payload.len() + 16 * payload.len().div_ceil(65472).max(1)
            );
            assert_eq!(opened(&sealed, payload.len()), Ok(payload));
        }
        assert_eq!(box_len(usize::MAX), usize::MAX);
    }

    #[test]
    fn a_box_of_another_length_is_refused_first() {
        let whole = sealed(&payload(2047));
        for (change, length) in [
            (whole.len() - 1, 32 * 2047),
            (whole.len(), 32 * 2046),
            (whole.len(), usize::MAX),
            (0, 0),
        ] {
            let reason = BoxError::Length { expected: box_len(length), found: change };
            assert_eq!(opened(&whole[..change], length), Err(reason));
        }
    }

    #[test]
    fn a_changed_byte_is_found_in_its_message() {
        let (payload, mut whole) = (payload(2047), sealed(&payload(2047)));
        for (at, message) in
            [(40, 0), (32 + 65472 + 15, 0), (32 + 65472 + 16, 1), (whole.len() - 1, 1)]
        {
            whole[at] ^= 1;
            assert_eq!(opened(&whole, payload.len()), Err(BoxError::Forged { message }));
            whole[at] ^= 1;
        }
        assert_eq!(opened(&whole, payload.len()), Ok(payload));
    }

    #[test]
    fn a_box_opens_for_one_recipient_and_prologue() {
        let whole = sealed(&payload(1));
        let forged = Err(BoxError::Forged { message: 0 });
        assert_eq!(open_box(&dh(2), b"prologue", &whole, 32).map(|_| ()), forged);
        assert_eq!(open_box(&dh(1), b"prologuf", &whole, 32).map(|_| ()), forged);
    }

    #[test]
    fn weak_ephemeral_keys_are_refused() {
        let mut whole = sealed(&payload(1));
        whole[..32].fill(0);
        assert_eq!(opened(&whole, 32), Err(BoxError::EphemeralKey(DhKeyError::LowOrder)));
        whole[31] = 0x80;
        assert_eq!(opened(&whole, 32), Err(BoxError::EphemeralKey(DhKeyError::NotCanonical)));
    }

    #[test]
    fn an_all_zero_agreement_is_an_error() {
        let mut shared = [0; 32];
        assert!(matches!(
            X25519::new(Secret32::copied(&[7; 32])).dh(&[0; 32], &mut shared),
            Err(snow::Error::Dh)
        ));
    }

    /// A static key without a secret: weak, so that every agreement with it gives zero.
    struct Imposter([u8; 32]);

    impl Dh for Imposter {
        fn name(&self) -> &'static str {
            "25519"
        }

        fn pub_len(&self) -> usize {
            32
        }

        fn priv_len(&self) -> usize {
            32
        }

        fn set(&mut self, _: &[u8]) {}

        fn generate(&mut self, _: &mut dyn Random) -> Result<(), snow::Error> {
            Err(snow::Error::Rng)
        }

        fn pubkey(&self) -> &[u8] {
            &self.0
        }

        fn privkey(&self) -> &[u8] {
            &[0; 32]
        }

        fn dh(&self, _: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
            out[..32].fill(0);
            Ok(())
        }
    }

    /// Our primitives, except that the first key agreement asked for, the static one, is an
    /// [`Imposter`].
    struct Hostile(Cell<Option<Imposter>>, Resolver);

    impl CryptoResolver for Hostile {
        fn resolve_rng(&self) -> Option<Box<dyn Random>> {
            self.1.resolve_rng()
        }

        fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
            let imposter = self.0.take().map(|imposter| Box::new(imposter) as Box<dyn Dh>);
            imposter.or_else(|| self.1.resolve_dh(choice))
        }

        fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
            self.1.resolve_hash(choice)
        }

        fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
            self.1.resolve_cipher(choice)
        }
    }

    /// Without the check, anyone could present a weak static key: agreeing with it gives zero, so
    /// no secret is needed.
    #[test]
    fn a_weak_static_key_is_refused() {
        for weak in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let imposter = Imposter(bytes(weak).try_into().unwrap());
            let ours = Resolver(Cell::new(Some(Secret32::new(&mut [4; 32]))));
            let hostile = Box::new(Hostile(Cell::new(Some(imposter)), ours));
            let mut initiator = Builder::with_resolver(CHANNEL_PATTERN.parse().unwrap(), hostile)
                .prologue(b"prologue")
                .and_then(|builder| builder.local_private_key(&[0; 32]))
                .and_then(|builder| {
                    builder
                        .remote_public_key(dh(1).public().as_bytes())
                        .and_then(Builder::build_initiator)
                })
                .unwrap();
            let mut first = [0; 96];
            initiator.write_message(&[], &mut first).unwrap();
            let mut responder = channel_responder(&dh(1), b"prologue", Secret32::new(&mut [5; 32]));
            assert!(matches!(responder.read_message(&first, &mut []), Err(snow::Error::Dh)));
        }
    }

    #[test]
    fn an_ephemeral_secret_is_handed_over_once() {
        let mut once = Once(Some(Secret32::new(&mut [5; 32])));
        let mut out = [0; 32];
        assert!(once.try_fill_bytes(&mut out).is_ok());
        assert_eq!(out, [5; 32]);
        assert!(matches!(once.try_fill_bytes(&mut out), Err(snow::Error::Rng)));
    }
}
