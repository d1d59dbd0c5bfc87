#!/usr/bin/env python3
"""Writes test-vectors/noise/boxes.json: share boxes of one and of several messages, from the text of chapter 01, section 1.8.

    python3 -m venv venv && venv/bin/pip install cryptography==48.0.0
    venv/bin/python test-vectors/generate/noise_boxes.py

Noise N is written out here (Noise revision 34, sections 5.1 to 5.3) over the primitives of Python's `cryptography` (OpenSSL): none
of this project's code, nor of the libraries under it.
"""

import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

OUT = pathlib.Path(__file__).resolve().parent.parent / "noise" / "boxes.json"
NAME = b"Noise_N_25519_ChaChaPoly_SHA256"
CHUNK = 65472


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hkdf(chaining_key, material):
    """Two outputs."""
    temporary = hmac.digest(chaining_key, material, "sha256")
    first = hmac.digest(temporary, b"\x01", "sha256")
    return first, hmac.digest(temporary, first + b"\x02", "sha256")


def encrypt(key, number, associated, plaintext):
    return ChaCha20Poly1305(key).encrypt(bytes(4) + number.to_bytes(8, "little"), plaintext, associated)


def box(recipient, prologue, payload, ephemeral):
    h = chaining_key = NAME.ljust(32, b"\0")
    h = sha256(h, prologue)
    h = sha256(h, recipient.public_key().public_bytes_raw())
    e = ephemeral.public_key().public_bytes_raw()
    h = sha256(h, e)
    chaining_key, key = hkdf(chaining_key, ephemeral.exchange(recipient.public_key()))
    first = encrypt(key, 0, h, payload[:CHUNK])
    key, _ = hkdf(chaining_key, b"")
    rest = range(CHUNK, len(payload), CHUNK)
    return e + first + b"".join(encrypt(key, number, b"", payload[at : at + CHUNK]) for number, at in enumerate(rest))


def main():
    vectors = []
    for scalars in (0, 1, 2, 2045, 2046, 2047, 4092, 4093, 8192):
        seed = b"quorate box %d " % scalars
        secret, ephemeral, prologue = (sha256(seed, what) for what in (b"recipient", b"ephemeral", b"prologue"))
        payload = bytes(i % 251 for i in range(32 * scalars))
        keys = [X25519PrivateKey.from_private_bytes(key) for key in (secret, ephemeral)]
        sealed = box(keys[0], prologue, payload, keys[1])
        vector = {"recipient_secret": secret, "ephemeral_secret": ephemeral, "prologue": prologue}
        vector = {name: value.hex() for name, value in vector.items()}
        # The payload counts 0 to 250, again and again; a box is given by its length and SHA-256.
        vector |= {"payload_length": len(payload), "box_length": len(sealed), "box_sha256": sha256(sealed).hex()}
        vectors.append(vector)
    OUT.write_text(json.dumps({"vectors": vectors}, indent=1) + "\n")


main()
