#!/usr/bin/env python3
"""Writes test-vectors/reshare-rounds/without.json: the word with which an operator finishes a reshare without others, from the text of chapters 01, 04 and 14.

    python3 test-vectors/generate/without.py

Five seats, of which seat 2 does without seats 4 and 5. Everything follows from labels. Ed25519 is written out as in RFC 8032; nothing but the standard library is
used.
"""

import hashlib
import json

from reshare import HERE, th

Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q
BASE_Y = 4 * pow(5, -1, Q) % Q


def recover(y, odd):
    square = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if (x * x - square) % Q:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    assert (x * x - square) % Q == 0
    return x if x % 2 == odd else Q - x


BASE = (recover(BASE_Y, 0), BASE_Y)


def plus(a, b):
    product = D * a[0] * b[0] * a[1] * b[1] % Q
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, Q) % Q
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, Q) % Q
    return x, y


def multiple(k, point):
    total = (0, 1)
    for bit in bin(k)[2:]:
        total = plus(total, total)
        if bit == "1":
            total = plus(total, point)
    return total


def encoded(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def number(data):
    return int.from_bytes(data, "little")


def sign(seed, message):
    digest = hashlib.sha512(seed).digest()
    secret = number(digest[:32]) & ~7 & (2**254 - 1) | 2**254
    public = encoded(multiple(secret, BASE))
    nonce = number(hashlib.sha512(digest[32:] + message).digest()) % L
    first = encoded(multiple(nonce, BASE))
    challenge = number(hashlib.sha512(first + public + message).digest()) % L
    return public, first + ((nonce + challenge * secret) % L).to_bytes(32, "little")


def main():
    seed = hashlib.sha256(b"without/key").digest()
    certificate = hashlib.sha256(b"without/certificate").digest()
    session = hashlib.sha256(b"without/session").digest()
    n, sender, lost = 5, 2, [4, 5]
    body = certificate + bytes(int(seat in lost) for seat in range(1, n + 1))
    front = b"QRTE" + (2).to_bytes(2, "big") + bytes([5, 4]) + sender.to_bytes(2, "big") + bytes(2)
    front += session + bytes(32) + th("body", body)
    public, signature = sign(seed, th("envelope-signature", front))
    vector = {
        "comment": "Seat 2 of five finishes without seats 4 and 5 (chapter 14, section 14.11).",
        "seats": n,
        "sender": sender,
        "lost": lost,
        "certificate": certificate.hex(),
        "session": session.hex(),
        "body": body.hex(),
        "public_key": public.hex(),
        "statement": (front + signature + body).hex(),
        "digest": th("envelope", front).hex(),
    }
    path = HERE / "reshare-rounds/without.json"
    path.write_text(json.dumps(vector, indent=2) + "\n")


if __name__ == "__main__":
    main()
