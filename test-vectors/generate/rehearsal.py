#!/usr/bin/env python3
"""Prints what section 18.4 says of the rehearsal of a reshare: that of test-vectors/reshare/grow.json with the words `first try`.

    python3 test-vectors/generate/rehearsal.py

Written from chapters 01, 02, 13 and 18. Curve and hashes are those of reshare.py beside it: standard library alone.
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


def scalar(tag, *parts):
    """`HS` of section 1.2, with `expand_message_xmd` of RFC 9380, 5.3.1."""
    message, dst = th(tag, *parts), DST + tag.encode()
    dst += bytes([len(dst)])
    first = hashlib.sha256(bytes(64) + message + (48).to_bytes(2, "big") + b"\0" + dst).digest()
    blocks = [hashlib.sha256(first + b"\1" + dst).digest()]
    blocks.append(hashlib.sha256(bytes(a ^ b for a, b in zip(first, blocks[0])) + b"\2" + dst).digest())
    return int.from_bytes(b"".join(blocks)[:48], "big") % R


def main():
    vector = json.loads((HERE / "reshare" / "grow.json").read_text())
    real, file = bytes.fromhex(vector["canonical"]), vector["file"]
    u16, u32 = (lambda x: x.to_bytes(2, "big")), (lambda x: x.to_bytes(4, "big"))
    identifier = th("rehearsal-id", bytes.fromhex(vector["digest"]), b"first try")
    parent, validators = file["parent"], file["validators"]
    positions = [at["first"] - 1 + k for at in validators for k in range(len(at["keys"]))]
    rows = [
        [times(scalar("rehearsal-key", identifier, u32(v) + u32(k)), G) for k in range(parent["threshold"])]
        for v in range(len(positions))
    ]
    text = lambda s: u16(len(s)) + s.encode()
    out = b"QRHS\0\2\2\0" + text("Rehearsal") + identifier + u32(1) + text("rehearsal") + b"rhrs" + b"\0" + th("rehearsal-id") + b"\0"
    # What the seats are stands in the reshare's own bytes, behind its parent, up to its validators.
    head = u16(len(file["operators"])) + u16(file["threshold"]) + bytes.fromhex(parent["certificate"]) + bytes.fromhex(parent["rows"])
    tail = u32(len(positions)) + u32(positions[0]) + bytes.fromhex(validators[0]["keys"][0].removeprefix("0x"))
    begin, end = real.index(head) + len(head) + 4, real.index(tail)
    out += u16(len(file["operators"])) + u16(file["threshold"]) + th("rehearsal-key", identifier) + root_of(rows)
    out += u16(parent["operators"]) + u16(parent["threshold"]) + real[begin:end] + u32(len(positions))
    for position, row in zip(positions, rows):
        out += u32(position) + compressed(row[0]) + b"\1" + bytes(11) + bytes.fromhex("%040x" % 0xDEAD)
    for name, value in (
        ("id", identifier.hex()),
        ("root of the parent's rows", root_of(rows).hex()),
        ("first key", compressed(rows[0][0]).hex()),
        ("length of the canonical bytes", len(out)),
        ("digest", th("rehearsal", out).hex()),
    ):
        print(f"| {name} | `{value}` |")


if __name__ == "__main__":
    main()
