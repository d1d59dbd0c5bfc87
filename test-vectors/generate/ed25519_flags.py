#!/usr/bin/env python3
"""Checks that the Ed25519 vectors say what they claim, with RFC 8032 arithmetic on plain integers: no library.

    python3 test-vectors/generate/ed25519_flags.py

For cctv.json every flag is computed again and compared, and every equation must hold with the cofactor. For speccheck.json the
equations are classified. A digit copied wrongly fails one or the other.
"""

import hashlib
import json
import pathlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
ZERO = (0, 1)
VECTORS = pathlib.Path(__file__).resolve().parent.parent / "ed25519"


def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + t, -1, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P
    return x, y


def times(scalar, point):
    total = ZERO
    for bit in bin(scalar)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def decode(data):
    """The point, taking non-canonical encodings too."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number % 2**255 % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    assert (x * x - square) % P == 0, "not on the curve"
    return (P - x if x % 2 != sign else x) % P, y


def encode(point):
    return (point[1] | (point[0] % 2) << 255).to_bytes(32, "little")


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def challenge(r, a, message):
    # Reduced first, as every implementation does: with a key of mixed order that is not the same.
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


def residue(key, signature, message, reencode=False):
    """S·B - R - k·A."""
    point_a, point_r = decode(key), decode(signature[:32])
    if reencode:
        k = challenge(encode(point_r), encode(point_a), message)
    else:
        k = challenge(signature[:32], key, message)
    left = times(int.from_bytes(signature[32:], "little"), BASE)
    right = add(point_r, times(k, point_a))
    return add(left, ((P - right[0]) % P, right[1]))


def is_canonical(data):
    return encode(decode(data)) == data


def cctv():
    vectors = json.loads((VECTORS / "cctv.json").read_text())["vectors"]
    for vector in vectors:
        key, signature, message = bytes.fromhex(vector["key"]), bytes.fromhex(vector["sig"]), vector["msg"].encode()
        point_a, point_r = decode(key), decode(signature[:32])
        reencoded = "reencoded_k" in vector["flags"]
        # The low-order residue is defined over the bytes as they stand, re-encoded or not.
        rest = residue(key, signature, message)
        held = residue(key, signature, message, reencode=True) if reencoded else rest
        assert times(8, held) == ZERO, f"{vector['number']}: does not hold with the cofactor"
        flags = {
            "low_order_R": times(8, point_r) == ZERO,
            "low_order_A": times(8, point_a) == ZERO,
            "low_order_component_R": times(L, point_r) != ZERO,
            "low_order_component_A": times(L, point_a) != ZERO,
            "non_canonical_A": not is_canonical(key),
            "non_canonical_R": not is_canonical(signature[:32]),
            "reencoded_k": reencoded,
        }
        if not reencoded:
            flags["low_order_residue"] = rest != ZERO
        wanted = set(vector["flags"]) - (set() if "low_order_residue" in flags else {"low_order_residue"})
        assert {flag for flag, is_set in flags.items() if is_set} == wanted, f"{vector['number']}: other flags"
    return len(vectors)


def speccheck():
    # Number: S below L, key canonical, R canonical, holds without cofactor, with it (challenge over the bytes as they stand).
    wanted = [
        (True, True, True, True, True),
        (True, True, True, True, True),
        (True, True, True, True, True),
        (True, True, True, True, True),
        (True, True, True, False, True),
        (True, True, True, False, True),
        (False, True, True, True, True),
        (False, True, True, True, True),
        (True, True, False, False, False),
        (True, True, False, True, True),
        (True, False, True, False, True),
        (True, False, True, True, True),
    ]
    vectors = json.loads((VECTORS / "speccheck.json").read_text())["vectors"]
    for vector, want in zip(vectors, wanted, strict=True):
        key, signature, message = (bytes.fromhex(vector[k]) for k in ("pub_key", "signature", "message"))
        rest = residue(key, signature, message)
        got = (
            int.from_bytes(signature[32:], "little") < L,
            is_canonical(key),
            is_canonical(signature[:32]),
            rest == ZERO,
            times(8, rest) == ZERO,
        )
        assert got == want, f"{vector['number']}: {got}"
    return len(vectors)


if __name__ == "__main__":
    print(f"cctv: {cctv()}, speccheck: {speccheck()}: as claimed")
