#!/usr/bin/env python3
"""Writes test-vectors/reshare/*.json: what reshares of test-vectors/ceremony/3-of-4.quorate agree on, from the texts of chapters 01 to 04 and 13.

    python3 test-vectors/generate/reshare.py

It reads the parent's transcript and the cards of two more operators (of 5-of-7.quorate) byte by byte, adds up the deals, and writes for each
reshare the ceremony file as JSON, the canonical bytes, their digest, the rows and the dealers' public shares. The curve is written out here
(affine, over Python's integers): none of this project's code, nor of the libraries under it. Nothing but the standard library is used.
"""

import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent.parent
P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


def add(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    total = None
    for bit in bin(k)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def uncompressed(point):
    return b"".join(c.to_bytes(48, "big") for c in point)


def compressed(point):
    larger = point[1] > (P - 1) // 2
    x = bytearray(point[0].to_bytes(48, "big"))
    x[0] |= 0x80 | (0x20 if larger else 0)
    return bytes(x)


def th(tag, *parts):
    framed = lambda p: len(p).to_bytes(8, "big") + p
    return hashlib.sha256(b"".join(framed(p) for p in (b"quorate/v1/" + tag.encode(), *parts))).digest()


def merkle(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return th("node", merkle(leaves[:half]), merkle(leaves[half:]))


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count : self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "big")


def read_spec(spec):
    """Section 2.4."""
    r = Bytes(spec)
    assert r.take(7) == b"QSPC\0\2\1"
    policy = r.number(1)
    assert policy & ~1 == 0
    r.take(r.number(2))
    r.take(32)
    assert r.number(4) == 1
    network_from = r.at
    r.take(r.number(2))
    r.take(4)
    if r.number(1):
        r.take(4)
    r.take(32)
    if r.number(1):
        r.take(8)
    network = spec[network_from : r.at]
    n, t = r.number(2), r.number(2)
    seats = []
    for _ in range(n):
        point, at = r.number(8), r.at
        r.take(32 + 32 + 32 + 64)
        name = r.take(r.number(1))
        seats.append({"point": point, "card": spec[at : r.at], "name": name.decode()})
    validators = []
    for _ in range(r.number(4)):
        credentials = r.take(32)
        r.take(8 * r.number(1))
        if r.number(1):
            r.take(28)
        validators.append(credentials)
    assert r.at == len(spec)
    return {"network": network, "n": n, "t": t, "seats": seats, "validators": validators}


def read_transcript(name):
    """Sections 8.1, 4.1, 4.4: the spec, the summed commitments, the certificate."""
    r = Bytes((HERE / "ceremony" / f"{name}.quorate").read_bytes())
    assert r.take(8) == b"QTRN\0\1\1\0"
    spec_bytes = r.take(r.number(4))
    spec = read_spec(spec_bytes)
    n, t, v = spec["n"], spec["t"], len(spec["validators"])
    digest = th("spec", spec_bytes)
    hellos = [r.take(172 + 64 + 32 * n) for _ in range(n)]
    deals = [r.take(172 + 128 + 64 * n + 96 * v * t) for _ in range(n)]
    finals = [r.data[len(r.data) - (n - i) * (172 + 32 + 32 * n) :][: 172 + 32 + 32 * n] for i in range(n)]
    named = lambda statements: [th("envelope", s[:108]) for s in statements]
    session = th("session", digest, *named(hellos))
    rows = []
    for position in range(v):
        row = []
        for k in range(t):
            total = None
            for deal in deals:
                at = len(deal) - 96 * (v * t - position * t - k)
                point = tuple(int.from_bytes(deal[at + 48 * c : at + 48 * (c + 1)], "big") for c in (0, 1))
                assert (point[1] ** 2 - point[0] ** 3 - 4) % P == 0
                total = add(total, point)
            row.append(total)
        rows.append(row)
    root = root_of(rows)
    dkg = th("dkg", session, th("view", *named(deals)), root)
    outputs = {final[-32:] for final in finals}
    assert len(outputs) == 1
    return spec, rows, th("certificate", digest, dkg, outputs.pop())


def root_of(rows):
    return merkle([th("leaf", b"".join(map(uncompressed, row))) for row in rows])


def evaluate(row, x):
    total = None
    for point in reversed(row):
        total = add(times(x, total) if total else None, point)
    return total


def bech32m(prefix, data):
    """BIP-350."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]

    def polymod(values):
        check = 1
        for value in values:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                check ^= generator if top >> i & 1 else 0
        return check

    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(expanded + values + [0] * 6) ^ 0x2BC830A3
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(letters[value] for value in values)


def checksummed(address):
    """ERC-55 needs Keccak, which Python has not: the spelling is copied from the parent's ceremony (tests/common), and checked in lower case."""
    known = ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB")
    return next(text for text in known if bytes.fromhex(text[2:]) == address)


def reshare(parent, others, about, name, threshold, seats, positions):
    """`seats`: (name, old index or None, whether it receives, or the point at which); of a witness its old index is negative."""
    spec, rows, certificate = parent
    cards = {seat["name"]: seat["card"] for seat in others["seats"]}
    cards |= {seat["name"]: seat["card"] for seat in spec["seats"]}
    rows = [rows[u] for u in positions]
    root = root_of(rows)
    identifier = hashlib.sha256(name.encode()).digest()
    u16 = lambda x: x.to_bytes(2, "big")
    text = lambda s: u16(len(s)) + s.encode()
    out = b"QSPC\0\2\2\0" + text(name) + identifier + (1).to_bytes(4, "big") + spec["network"]
    out += u16(len(seats)) + u16(threshold) + certificate + root + u16(spec["n"]) + u16(spec["t"])
    operators, number, shares, witnessed = [], 0, {}, {}
    for who, old, receives in seats:
        witness, old = bool(old and old < 0), old and abs(old)
        out += bytes([(1 if old and not witness else 0) | (2 if receives else 0) | (4 if witness else 0)])
        entry = {"card": bech32m("quorate", b"\2" + cards[who])}
        if old:
            old_point = spec["seats"][old - 1]["point"]
            assert spec["seats"][old - 1]["name"] == who
            out += u16(old) + old_point.to_bytes(8, "big")
            entry["witness" if witness else "deals"] = old
            if old_point != old:
                entry["old_point"] = old_point
            (witnessed if witness else shares)[who] = [compressed(evaluate(row, old_point)).hex() for row in rows]
        if receives:
            # Section 13.2: its number among the receivers, if the file does not say otherwise.
            number += 1
            point = number if receives is True else receives
            if receives is not True:
                entry["point"] = point
            out += point.to_bytes(8, "big")
        else:
            entry["receives"] = False
        out += cards[who]
        operators.append(entry)
    out += len(positions).to_bytes(4, "big")
    validators = []
    for u, row in zip(positions, rows):
        credentials = spec["validators"][u]
        out += u.to_bytes(4, "big") + compressed(row[0]) + credentials
        validators.append(
            {"first": u + 1, "keys": [compressed(row[0]).hex()], "withdrawal": checksummed(credentials[12:]), "compounding": credentials[0] == 2}
        )
    file = {
        "version": 2,
        "name": name,
        "id": identifier.hex(),
        "network": spec["network"][2:][: spec["network"][1]].decode(),
        "threshold": threshold,
        "parent": {"certificate": certificate.hex(), "rows": root.hex(), "operators": spec["n"], "threshold": spec["t"]},
        "operators": operators,
        "validators": validators,
    }
    return {
        "comment": about,
        "parent": "3-of-4.quorate",
        "file": file,
        "canonical": out.hex(),
        "digest": th("spec", out).hex(),
        "rows": b"".join(uncompressed(point) for row in rows for point in row).hex(),
        "dealer_shares": shares,
    } | ({"witness_shares": witnessed} if witnessed else {})


def main():
    parent = read_transcript("3-of-4")
    others = read_transcript("5-of-7")[0]
    everybody = [(seat["name"], i + 1, True) for i, seat in enumerate(parent[0]["seats"])]
    first, second, third, fourth = (seat["name"] for seat in parent[0]["seats"])
    cases = {
        "refresh": ("the same operators and threshold, all validators", "Refresh", 3, everybody, [0, 1]),
        "replace": (
            "the fourth operator is absent and the third leaves; erin and frank come, one validator",
            "Replace",
            3,
            [(first, 1, True), (second, 2, True), (third, 3, False), ("erin", None, True), ("frank", None, True)],
            [1],
        ),
        "grow": (
            "three of the old operators deal, out of the order of their indices, and a fourth comes back without its share; 4 of 5",
            "Grow",
            4,
            [(third, 3, True), (first, 1, True), (fourth, 4, True), (second, None, True), ("erin", None, True)],
            [0, 1],
        ),
        "numbers": (
            "points that the file gives, as for a cluster of SSV: one operator is replaced by another with a number between theirs",
            "Numbers",
            3,
            [(first, 1, 11), (second, 2, 22), ("erin", None, 2**53 - 1 - 44), (fourth, 4, 2**53 - 1), (third, 3, False)],
            [0, 1],
        ),
        "witness": (
            "three deal, and the fourth witnesses, without a new share",
            "Witness",
            2,
            [(first, 1, True), (second, 2, True), (third, 3, True), (fourth, -4, False)],
            [0, 1],
        ),
        "lost-witness": (
            "the first has lost its share: it witnesses, and gets a new one",
            "Lost and witnessed",
            3,
            [(first, -1, True), (second, 2, True), (third, 3, True), (fourth, 4, True)],
            [1],
        ),
    }
    for label, (about, name, threshold, seats, positions) in cases.items():
        made = reshare(parent, others, about, name, threshold, seats, positions)
        (HERE / "reshare" / f"{label}.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
