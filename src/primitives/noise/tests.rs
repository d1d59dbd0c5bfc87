//! Vectors of others, every refusal, and what a hostile peer could present.
#![allow(clippy::unwrap_used)]

use core::cell::Cell;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use snow::Builder;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};

use super::channel::CHANNEL_PATTERN;
use super::resolver::{Once, Resolver, X25519, builder};
use super::sealed_box::BOX_PATTERN;
use super::*;
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::primitives::x25519::{DhKeyError, DhPublic, DhSecret};

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
        serde_json::from_str(include_str!("../../../test-vectors/noise/cacophony.json")).unwrap();
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
            DhPublic::from_bytes(bytes(&vector.init_remote_static).try_into().unwrap()).unwrap();
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
            let (from, to) =
                if position == 0 { (&mut first, &mut second) } else { (&mut second, &mut first) };
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
    let vector = vectors().into_iter().find(|vector| vector.protocol_name == BOX_PATTERN).unwrap();
    let recipient = DhSecret::new(secret(&vector.resp_static));
    let (prologue, message) = (bytes(&vector.init_prologue), &vector.messages[0]);
    let payload = SecretBytes::new(bytes(&message.payload));
    let sealed = seal_box(&recipient.public(), &prologue, &payload, secret(&vector.init_ephemeral));
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
        serde_json::from_str(include_str!("../../../test-vectors/noise/boxes.json")).unwrap();
    assert_eq!(file.vectors.len(), 9);
    for vector in file.vectors {
        let recipient = DhSecret::new(secret(&vector.recipient_secret));
        let (prologue, contents) = (bytes(&vector.prologue), payload(vector.payload_length / 32));
        let payload = SecretBytes::new(contents.clone());
        let sealed =
            seal_box(&recipient.public(), &prologue, &payload, secret(&vector.ephemeral_secret));
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
        assert_eq!(sealed.len(), 32 + payload.len() + 16 * payload.len().div_ceil(65472).max(1));
        assert_eq!(opened(&sealed, payload.len()), Ok(payload));
    }
    assert_eq!(box_len(usize::MAX), usize::MAX);
}

#[test]
fn a_box_of_another_length_is_refused_first() {
    let whole = sealed(&payload(2047));
    for (change, length) in
        [(whole.len() - 1, 32 * 2047), (whole.len(), 32 * 2046), (whole.len(), usize::MAX), (0, 0)]
    {
        let reason = BoxError::Length { expected: box_len(length), found: change };
        assert_eq!(opened(&whole[..change], length), Err(reason));
    }
}

#[test]
fn a_changed_byte_is_found_in_its_message() {
    let (payload, mut whole) = (payload(2047), sealed(&payload(2047)));
    for (at, message) in [(40, 0), (32 + 65472 + 15, 0), (32 + 65472 + 16, 1), (whole.len() - 1, 1)]
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
