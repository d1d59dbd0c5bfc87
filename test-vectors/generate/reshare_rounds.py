#!/usr/bin/env python3
"""Writes test-vectors/reshare-rounds/rounds.json: the arithmetic of a reshare's rounds, from the text of chapters 01, 05 and 14.

    python3 test-vectors/generate/reshare_rounds.py

A parent of three operators, threshold 2, with evaluation points 2, 5 and 9, all of whom deal; three receivers, threshold 2, two validators.
Everything follows from labels. The curve is that of reshare.py, written out over Python's integers; nothing but the standard library is used.
"""

import hashlib
import json

from reshare import HERE, add, compressed, merkle, th, times, uncompressed

R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
G = (
    0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
    0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
)
PARENT_T, T, V = 2, 2, 2
DEALERS = [(1, 2), (2, 5), (3, 9)]  # seat, old point
RECEIVERS = [(2, 1), (4, 2), (5, 3)]  # seat, new point


def scalar(*label):
    return int.from_bytes(hashlib.sha512("/".join(map(str, label)).encode()).digest(), "big") % R


def word(label):
    return hashlib.sha256(label.encode()).digest()


def evaluate(coefficients, x):
    return sum(c * pow(x, k, R) for k, c in enumerate(coefficients)) % R


def root(rows):
    return merkle([th("leaf", b"".join(uncompressed(point) for point in row)) for row in rows])


def u(number, size):
    return number.to_bytes(size, "big")


def main():
    parent = [[scalar("parent", v, k) for k in range(PARENT_T)] for v in range(V)]
    rows = [[times(c, G) for c in row] for row in parent]
    weights = []
    for _, y in DEALERS:
        numerator = denominator = 1
        for _, other in DEALERS:
            if other != y:
                numerator, denominator = numerator * other % R, denominator * (other - y) % R
        weights.append(numerator * pow(denominator, -1, R) % R)
    old = [[evaluate(parent[v], y) for v in range(V)] for _, y in DEALERS]
    dealt = [
        [[old[d][v]] + [scalar("dealt", d, v, k) for k in range(1, T)] for v in range(V)] for d in range(len(DEALERS))
    ]
    commitments = [[[times(c, G) for c in row] for row in rows_] for rows_ in dealt]
    summed = []
    for v in range(V):
        row = []
        for k in range(T):
            total = None
            for weight, of in zip(weights, commitments):
                total = add(total, times(weight, of[v][k]))
            row.append(total)
        summed.append(row)
        assert row[0] == rows[v][0], "the key does not change"
    shares = [
        [sum(w * evaluate(dealt[d][v], x) for d, w in enumerate(weights)) % R for v in range(V)] for _, x in RECEIVERS
    ]
    public = [[times(share, G) for share in of] for of in shares]
    for of, (_, x) in zip(public, RECEIVERS):
        for v in range(V):
            assert add(summed[v][0], times(x, summed[v][1])) == of[v], "the share is that of the sums"
    session, view, spec = word("session"), word("view"), word("spec")
    dkg = th("dkg", session, view, root(summed))
    outputs = th("outputs", dkg, th("node"))
    dealer, (recipient, x) = 0, RECEIVERS[2]
    prologue = th("box-prologue", session, u(DEALERS[dealer][0], 2), u(recipient, 2), root(commitments[dealer]))
    seed = word("blinding seed")
    sent = [evaluate(dealt[dealer][v], x) for v in range(V)]
    leaves = [
        th("blinded-share", prologue, u(v, 4), th("share-blind", seed, u(v, 4)), u(share, 32)) for v, share in enumerate(sent)
    ]
    hexed = lambda number: u(number, 32).hex()
    made = {
        "comment": "Parent of 3, threshold 2, at points 2, 5, 9, who deal; three receivers, threshold 2; two validators.",
        "dealers": [{"seat": seat, "old_index": at + 1, "old_point": y} for at, (seat, y) in enumerate(DEALERS)],
        "receivers": [{"seat": seat, "point": x} for seat, x in RECEIVERS],
        "rows": b"".join(uncompressed(point) for row in rows for point in row).hex(),
        "rows_root": root(rows).hex(),
        "keys": [compressed(row[0]).hex() for row in rows],
        "weights": [hexed(weight) for weight in weights],
        "old_shares": [[hexed(share) for share in of] for of in old],
        "sent_commitments": [
            b"".join(uncompressed(point) for row in of for point in row[1:]).hex() for of in commitments
        ],
        "commitment_roots": [root(of).hex() for of in commitments],
        "sums_root": root(summed).hex(),
        "sums": [[compressed(point).hex() for point in row] for row in summed],
        "dealt_shares": [
            [[hexed(evaluate(dealt[d][v], x)) for v in range(V)] for _, x in RECEIVERS] for d in range(len(DEALERS))
        ],
        "new_shares": [[hexed(share) for share in of] for of in shares],
        "public_shares": [[compressed(point).hex() for point in of] for of in public],
        "session": session.hex(),
        "view": view.hex(),
        "spec": spec.hex(),
        "D": dkg.hex(),
        "O": outputs.hex(),
        "certificate": th("certificate", spec, dkg, outputs).hex(),
        "box": {
            "dealer": DEALERS[dealer][0],
            "recipient": recipient,
            "seed": seed.hex(),
            "leaves": [leaf.hex() for leaf in leaves],
            "list": th("share-list", *leaves).hex(),
        },
    }
    (HERE / "reshare-rounds" / "rounds.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
