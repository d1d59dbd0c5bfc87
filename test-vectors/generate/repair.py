#!/usr/bin/env python3
"""Writes test-vectors/repair/*.json: what a repair of test-vectors/ceremony/3-of-4.quorate agrees on, and the arithmetic of its rounds, from the
text of chapters 01, 05, 13, 14 and 19.

    python3 test-vectors/generate/repair.py

The curve is that of reshare.py; X25519 (RFC 7748) and expand_message_xmd (RFC 9380) are written out here. Nothing but the standard library is used.
"""

import hashlib
import json

from reshare import HERE, P, add, bech32m, checksummed, compressed, read_transcript, root_of, th, times, uncompressed
from reshare_rounds import G, R, evaluate, root, scalar, u, word

P25519 = 2**255 - 19
# Seats by index: helpers at old points 2, 5 and 11, and the one that has lost its share at 7. Threshold 3, two validators.
HELPERS = [(1, 2), (2, 5), (4, 11)]
RECIPIENT = (3, 7)
T, V = 3, 2


def x25519(secret, public):
    """RFC 7748, section 5."""
    k = bytearray(secret)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(public, "little") % 2**255
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P25519, x1 * (da - cb) ** 2 % P25519
        x2, z2 = aa * bb % P25519, e * (aa + 121665 * e) % P25519
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, -1, P25519) % P25519).to_bytes(32, "little")


def expand(message, dst, length):
    """expand_message_xmd of RFC 9380, section 5.3.1, with SHA-256."""
    h = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
    prime = dst + bytes([len(dst)])
    first = h(bytes(64), message, length.to_bytes(2, "big"), b"\0", prime)
    block = h(first, b"\1", prime)
    out = block
    for i in range(2, -(-length // 32) + 1):
        block = h(bytes(a ^ b for a, b in zip(first, block)), bytes([i]), prime)
        out += block
    return out[:length]


def hs(tag, *parts):
    """Section 1.2, hash to scalar."""
    return int.from_bytes(expand(th(tag, *parts), b"QUORATE-V1-SCALAR-" + tag.encode(), 48), "big") % R


def negative(point):
    return point[0], -point[1] % P


def rounds():
    parent = [[scalar("repaired parent", v, k) for k in range(T)] for v in range(V)]
    rows = [[times(c, G) for c in row] for row in parent]
    lost = [evaluate(parent[v], RECIPIENT[1]) for v in range(V)]
    session, view, spec = word("session of a repair"), word("view of its deals"), word("spec of a repair")
    secret = {(a, b): word(f"one-time key of {a} for {b}") for a, _ in HELPERS for b, _ in HELPERS if a != b}
    base = (9).to_bytes(32, "little")
    public = {pair: x25519(key, base) for pair, key in secret.items()}
    agreed = {(a, b): x25519(secret[a, b], public[b, a]) for a, b in secret}
    assert all(agreed[a, b] == agreed[b, a] for a, b in agreed)
    mask = {
        (a, b, v): hs("repair-mask", agreed[a, b], session, u(a, 2), u(b, 2), u(v, 4)) for a, b in agreed if a < b for v in range(V)
    }
    weights, sent, in_exponent, masks = [], [], [], []
    for seat, y in HELPERS:
        numerator = denominator = 1
        for _, other in HELPERS:
            if other != y:
                numerator, denominator = numerator * (other - RECIPIENT[1]) % R, denominator * (other - y) % R
        weight = numerator * pow(denominator, -1, R) % R
        weights.append(weight)
        others = [other for other, _ in HELPERS if other != seat]
        points = [[times(mask[min(seat, o), max(seat, o), v], G) for o in others] for v in range(V)]
        masks.append(points)
        share, exponent = [], []
        for v in range(V):
            own = evaluate(parent[v], y)
            total, point = weight * own % R, times(weight, times(own, G))
            for other, one in zip(others, points[v]):
                scalar_ = mask[min(seat, other), max(seat, other), v]
                total = (total + scalar_ if seat < other else total - scalar_) % R
                point = add(point, one if seat < other else negative(one))
            assert times(total, G) == point
            share.append(total)
            exponent.append(point)
        sent.append(share)
        in_exponent.append(exponent)
    for v in range(V):
        assert sum(share[v] for share in sent) % R == lost[v], "all masks cancel"
    dkg = th("dkg", session, view, root(rows))
    outputs = th("outputs", dkg, th("node"))
    hexed = lambda number: u(number, 32).hex()
    return {
        "comment": "Helpers 1, 2 and 4 at old points 2, 5 and 11; operator 3, at 7, has lost its share; threshold 3, two validators.",
        "helpers": [{"seat": seat, "old_point": y} for seat, y in HELPERS],
        "recipient": {"seat": RECIPIENT[0], "old_point": RECIPIENT[1]},
        "rows": b"".join(uncompressed(point) for row in rows for point in row).hex(),
        "rows_root": root(rows).hex(),
        "keys": [compressed(row[0]).hex() for row in rows],
        "weights": [hexed(weight) for weight in weights],
        "session": session.hex(),
        "view": view.hex(),
        "spec": spec.hex(),
        "agreed": [
            {"pair": [a, b], "secret": secret[a, b].hex(), "public": public[a, b].hex(), "agreed": agreed[a, b].hex()}
            for a, b in sorted(secret)
        ],
        "masks": [[hexed(mask[a, b, v]) for v in range(V)] for a, b in sorted(agreed) if a < b],
        "sent_masks": [b"".join(uncompressed(one) for row in of for one in row).hex() for of in masks],
        "mask_roots": [root(of).hex() for of in masks],
        "sent": [[hexed(share) for share in of] for of in sent],
        "sent_in_exponent": [[compressed(point).hex() for point in of] for of in in_exponent],
        "lost": [hexed(share) for share in lost],
        "lost_public": [compressed(times(share, G)).hex() for share in lost],
        "D": dkg.hex(),
        "O": outputs.hex(),
        "certificate": th("certificate", spec, dkg, outputs).hex(),
    }


def file():
    """Sections 19.2 and 19.4: the second operator has lost its share."""
    spec, rows, certificate = read_transcript("3-of-4")
    name, top = "Repair", root_of(rows)
    identifier = hashlib.sha256(name.encode()).digest()
    text = lambda s: u(len(s), 2) + s.encode()
    out = b"QSPC\0\2\4\0" + text(name) + identifier + u(1, 4) + spec["network"]
    out += u(4, 2) + u(3, 2) + certificate + top + u(spec["n"], 2) + u(spec["t"], 2)
    operators = []
    for i, seat in enumerate(spec["seats"]):
        lost = i == 1
        out += bytes([2 if lost else 1]) + u(i + 1, 2) + u(seat["point"], 8) + seat["card"]
        entry = {"card": bech32m("quorate", b"\2" + seat["card"]), "regains" if lost else "deals": i + 1}
        if seat["point"] != i + 1:
            entry["old_point"] = seat["point"]
        operators.append(entry)
    out += u(len(rows), 4)
    validators = []
    for v, row in enumerate(rows):
        credentials = spec["validators"][v]
        out += u(v, 4) + compressed(row[0]) + credentials
        validators.append(
            {"first": v + 1, "keys": [compressed(row[0]).hex()], "withdrawal": checksummed(credentials[12:]), "compounding": credentials[0] == 2}
        )
    return {
        "comment": "the second of four operators has lost its share, and the three others help",
        "parent": "3-of-4.quorate",
        "file": {
            "version": 2,
            "name": name,
            "id": identifier.hex(),
            "network": spec["network"][2:][: spec["network"][1]].decode(),
            "threshold": 3,
            "parent": {"certificate": certificate.hex(), "rows": top.hex(), "operators": spec["n"], "threshold": spec["t"]},
            "repair": {"old_machine": "destroyed"},
            "operators": operators,
            "validators": validators,
        },
        "canonical": out.hex(),
        "digest": th("spec", out).hex(),
    }


def main():
    for label, made in (("file", file()), ("rounds", rounds())):
        (HERE / "repair" / f"{label}.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
