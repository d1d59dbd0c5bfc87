#!/usr/bin/env python3
"""Writes test-vectors/import/*.json: what two imports agree on, from the texts of chapters 01 to 04 and 17.

    python3 test-vectors/generate/import.py

The keys are that of EIP-2335's test cases and seven times it, the cards those of 3-of-4.quorate. For each import: the ceremony file as JSON, the
canonical bytes and their digest, and for a polynomial of published coefficients the shares and public shares of the receivers (section 14.4 with one
dealer, whose weight is 1). Reading and the arithmetic of the curve are those of generate/reshare.py: none of this project's code.
"""

import hashlib
import importlib.util
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("reshare", HERE / "reshare.py")
reshare = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reshare)

R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
# The generator of G1, and EIP-2335's secret with its public key.
G = (
    0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
    0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
)
SECRET = 0x000000000019D6689C085AE165831E934FF763AE46A2A6C172B3F1B60A8CE26F
PUBLIC = "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07"
ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def point(secret):
    return reshare.compressed(reshare.times(secret % R, G))


def made(about, name, threshold, dealer, seats, kinds):
    """`seats`: (card, whether it receives). `kinds`: of each key, whether its credentials compound."""
    identifier = hashlib.sha256(name.encode()).digest()
    u16 = lambda x: x.to_bytes(2, "big")
    text = lambda s: u16(len(s)) + s.encode()
    out = b"QSPC\0\2\3\0" + text(name) + identifier + (1).to_bytes(4, "big") + network
    out += u16(len(seats)) + u16(threshold)
    operators, points = [], []
    for at, (card, receives) in enumerate(seats):
        out += bytes([(1 if at + 1 == dealer else 0) | (2 if receives else 0)])
        entry = {"card": reshare.bech32m("quorate", b"\2" + card)}
        if receives:
            points.append(len(points) + 1)
            out += points[-1].to_bytes(8, "big")
        else:
            entry["receives"] = False
        out += card
        operators.append(entry)
    secrets = [SECRET, 7 * SECRET % R][: len(kinds)]
    keys = [point(secret) for secret in secrets]
    assert keys[0].hex() == PUBLIC
    out += len(keys).to_bytes(4, "big")
    for key, compounding in zip(keys, kinds):
        out += key + bytes([2 if compounding else 1]) + bytes(11) + bytes.fromhex(ADDRESS[2:])
    validators = [{"keys": ["0x" + key.hex()], "withdrawal": ADDRESS, "compounding": kind} for key, kind in zip(keys, kinds)]
    number = lambda v, k: int.from_bytes(hashlib.sha256(f"{name} {v} {k}".encode()).digest(), "big") % R
    rows = [[secret] + [number(v, k) for k in range(1, threshold)] for v, secret in enumerate(secrets)]
    at = lambda row, x: sum(c * x**k for k, c in enumerate(row)) % R
    shares = [[at(row, x) for row in rows] for x in points]
    return {
        "comment": about,
        "file": {
            "version": 2,
            "name": name,
            "id": identifier.hex(),
            "network": "hoodi",
            "threshold": threshold,
            "import": {"dealer": dealer},
            "operators": operators,
            "validators": validators,
        },
        "canonical": out.hex(),
        "digest": reshare.th("spec", out).hex(),
        "coefficients": [[c.to_bytes(32, "big").hex() for c in row] for row in rows],
        "shares": [[s.to_bytes(32, "big").hex() for s in of] for of in shares],
        "public_shares": [[point(s).hex() for s in of] for of in shares],
    }


parent = reshare.read_transcript("3-of-4")[0]
network = parent["network"]
cards = [seat["card"] for seat in parent["seats"]]
cases = {
    "stays": made("the first operator holds both keys and gets a share; 3 of 4", "Import", 3, 1, [(card, True) for card in cards], [False, True]),
    "leaves": made(
        "the second operator holds one key and gets no share; 2 of 3", "Import and leave", 2, 2, [(card, at != 1) for at, card in enumerate(cards)], [False]
    ),
}
if __name__ == "__main__":
    folder = HERE.parent / "import"
    folder.mkdir(exist_ok=True)
    for label, case in cases.items():
        (folder / f"{label}.json").write_text(json.dumps(case, indent=2) + "\n")
