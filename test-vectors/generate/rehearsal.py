#!/usr/bin/env python3
"""Prints what sections 18.5 to 18.7 say of the rehearsals, with the words `first try`, of the reshare in test-vectors/reshare/grow.json, of the
import in test-vectors/import/stays.json and of the repair in test-vectors/repair/file.json.

    python3 test-vectors/generate/rehearsal.py

Written from chapters 01, 02, 13, 17, 18 and 19. Curve and hashes are those of reshare.py beside it: standard library alone.
"""

import hashlib
import json

from reshare import HERE, compressed, root_of, th, times

DST = b"QUORATE-V1-SCALAR-"
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
G = (
    0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
    0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
)
NOWHERE = b"\1" + bytes(11) + bytes.fromhex("%040x" % 0xDEAD)


def u16(x):
    return x.to_bytes(2, "big")


def u32(x):
    return x.to_bytes(4, "big")


def text(s):
    return u16(len(s)) + s.encode()


def scalar(tag, *parts):
    """`HS` of section 1.2, with `expand_message_xmd` of RFC 9380, 5.3.1."""
    message, dst = th(tag, *parts), DST + tag.encode()
    dst += bytes([len(dst)])
    first = hashlib.sha256(bytes(64) + message + (48).to_bytes(2, "big") + b"\0" + dst).digest()
    blocks = [hashlib.sha256(first + b"\1" + dst).digest()]
    blocks.append(hashlib.sha256(bytes(a ^ b for a, b in zip(first, blocks[0])) + b"\2" + dst).digest())
    return int.from_bytes(b"".join(blocks)[:48], "big") % R


def rehearsed(kind, path):
    vector = json.loads((HERE / path).read_text())
    real, file = bytes.fromhex(vector["canonical"]), vector["file"]
    identifier = th("rehearsal-id", bytes.fromhex(vector["digest"]), b"first try")
    parent, validators = file.get("parent"), file["validators"]
    keys = [(at.get("first", 0) - 1 + k, key.removeprefix("0x")) for at in validators for k, key in enumerate(at["keys"])]
    rows = [
        [times(scalar("rehearsal-key", identifier, u32(v) + u32(k)), G) for k in range(parent["threshold"] if parent else 1)]
        for v in range(len(keys))
    ]
    out = b"QRHS\0\2" + bytes([kind, 0]) + text("Rehearsal") + identifier + u32(1)
    out += text("rehearsal") + b"rhrs" + b"\0" + th("rehearsal-id") + b"\0"
    # What the seats are stands in the ceremony's own bytes, behind its parent, up to its validators.
    head = u16(len(file["operators"])) + u16(file["threshold"])
    out += head
    if parent:
        head += bytes.fromhex(parent["certificate"]) + bytes.fromhex(parent["rows"]) + u16(parent["operators"]) + u16(parent["threshold"])
        out += th("rehearsal-key", identifier) + root_of(rows) + u16(parent["operators"]) + u16(parent["threshold"])
        tail = u32(len(keys)) + u32(keys[0][0]) + bytes.fromhex(keys[0][1])
    else:
        tail = u32(len(keys)) + bytes.fromhex(keys[0][1])
    assert real.count(head) == 1 and real.count(tail) == 1
    begin, end = real.index(head) + len(head), real.index(tail)
    out += real[begin:end] + u32(len(keys))
    for (position, _), row in zip(keys, rows):
        out += (u32(position) if parent else b"") + compressed(row[0]) + NOWHERE
    answers = [("id", identifier.hex())]
    if parent:
        answers.append(("root of the parent's rows", root_of(rows).hex()))
    answers += [("first key", compressed(rows[0][0]).hex()), ("length of the canonical bytes", len(out)), ("digest", th("rehearsal", out).hex())]
    return "\n".join(["| | |", "|---|---|"] + [f"| {name} | `{value}` |" for name, value in answers])


def main():
    for section, kind, path in (("18.5", 2, "reshare/grow.json"), ("18.6", 3, "import/stays.json"), ("18.7", 4, "repair/file.json")):
        print(f"{section}\n\n{rehearsed(kind, path)}\n")


if __name__ == "__main__":
    main()
