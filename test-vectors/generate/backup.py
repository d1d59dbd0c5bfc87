#!/usr/bin/env python3
"""Writes test-vectors/backup: a backup and the secret in it, from the text of chapter 09 (sections 9.1, 9.2, 9.5).

    python3 test-vectors/generate/backup.py

scrypt and SHA-256 are Python's own; ChaCha20-Poly1305 is the package `cryptography`; HChaCha20, which makes XChaCha20 of it, is written out
here and checked with the published answer (draft-irtf-cfrg-xchacha-03, section 2.2.1). Everything follows from labels; the keys guard nothing.
"""

import hashlib
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = pathlib.Path(__file__).resolve().parent.parent
CEREMONY = HERE.parent / "ceremony-specs/examples/hoodi-3-of-4.toml"
# Chapter 02, section 2.4: the known answer for this file.
DIGEST = bytes.fromhex("7184bb00c80b0514cbfc56b112463726fcede97d7b40ea1ff159bd960df02323")
PASSPHRASE = b"correct horse battery staple"


def hchacha20(key, nonce):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def rotate(value, by):
        return ((value << by) | (value >> (32 - by))) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for one, two, three, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[one] = (state[one] + state[two]) & 0xFFFFFFFF
            state[three] = rotate(state[three] ^ state[one], by)

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for start in range(4):
            quarter(start, 4 + (start + 1) % 4, 8 + (start + 2) % 4, 12 + (start + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])


assert hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927")).hex() == (
    "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
)


def label(text, length=32):
    return hashlib.sha256(b"backup vector " + text.encode()).digest()[:length]


def u16(value):
    return struct.pack(">H", value)


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def block(data):
    return u32(len(data)) + data


def many(items):
    return u16(len(items)) + b"".join(items)


def text(value):
    return u16(len(value)) + value


operator = b"QSID" + u16(1) + label("operator key") + label("Noise secret") + label("storage key") + text(b"alice")
records = [(4, b"a statement"), (7, label("share")), (8, u16(2)), (9, b"a signature"), (10, b"done")]
ceremony = (
    DIGEST
    + bytes([1])
    + block(CEREMONY.read_bytes())
    + many([block(b"a transcript of a parent")])
    + u32(len(records))
    + b"".join(bytes([kind]) + block(body) for kind, body in records)
)
child = b"QCHD" + u16(1) + label("parent") + label("reshare") + u32(1) + label("validator") + label("more", 16)
child += hashlib.sha256(child).digest()
secret = (
    b"QBAK"
    + u16(1)
    + u64(1_796_000_000)
    + block(operator)
    + many([ceremony])
    + many([label("ledger", 8) + block(b"QLOG")])
    + many([block(child)])
    + block(b"")
    + block(b'exits = "ask"\n')
    + many([label("left out", 8)])
)

salt, nonce = label("salt"), label("nonce", 24)
header = b"QSEA" + bytes([1, 10]) + salt
key = hashlib.scrypt(PASSPHRASE, salt=salt, n=1 << 10, r=8, p=1, dklen=32)
associated = header + text(b"backup")
cipher = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
sealed = header + nonce + cipher.encrypt(b"\0\0\0\0" + nonce[16:], secret, associated)
sealed += hashlib.sha256(sealed).digest()[:8]

(HERE / "backup/alice.backup").write_bytes(sealed)
(HERE / "backup/alice.secret").write_bytes(secret)
