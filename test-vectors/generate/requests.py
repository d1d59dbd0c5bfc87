#!/usr/bin/env python3
"""Writes test-vectors/requests/requests.json: requests after a ceremony, from the texts of chapters 01, 03 and 11.

    python3 test-vectors/generate/requests.py

For each request: the file, its canonical bytes, its id, what an operator that asks signs, what the log remembers of each validator behind the
signing root, the length of an answer in the clear and sealed, and of key shares the digests that the validators sign. Hashes but SHA-256 are
written out here. Nothing but the standard library is used, and nothing of this project's code.
"""

import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent.parent
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
# The card of section 3.6.
CARD = (
    "quorate1q2u4wqx3tal94s9szlfw3mt5tmszkw75r3t4947j792mx5n30zry8ezmtm73m0nu4su2asqlexykmzzr7pa8fqsmx3yxmlupn483j9f76wpfrx2tld8puka3s6z47amgjp390"
    "w2l5pn3afskd4x3ztwnm4l5f4ghg0vnfthxugkvtn4cw2866fynh3rdccdlv3te34yxe34xysh8eq2suc7htjpd27uf3kkkx2ktqvx37064k758k9h4t3uq5fs4pyzkzmrfvdjskufkth"
)
OWNER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def u(size, number):
    return number.to_bytes(size, "big")


def th(tag, *parts):
    framed = lambda p: u(8, len(p)) + p
    return hashlib.sha256(b"".join(framed(p) for p in (b"quorate/v1/" + tag.encode(), *parts))).digest()


def keccak256(data):
    rate, mask = 136, (1 << 64) - 1
    rotate = lambda x, n: ((x << n) | (x >> (64 - n))) & mask if n else x
    constants, lfsr = [], 1
    for _ in range(24):
        constant = 0
        for bit in range(7):
            if lfsr & 1:
                constant |= 1 << ((1 << bit) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
        constants.append(constant)
    padded = bytearray(data) + bytearray(rate - len(data) % rate)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    a = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            a[i % 5][i // 5] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        for constant in constants:
            c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
            d = [c[(x - 1) % 5] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
            a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
            x, y, current = 1, 0, a[1][0]
            for t in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                current, a[x][y] = a[x][y], rotate(current, (t + 1) * (t + 2) // 2 % 64)
            a = [[a[x][y] ^ (~a[(x + 1) % 5][y] & mask & a[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
            a[0][0] ^= constant
    return b"".join(u(8, a[i][0])[::-1] for i in range(4))


def card_bytes(text):
    digits = [BECH32.index(c) for c in text.split("1", 1)[1]][:-6]
    bits = "".join(f"{digit:05b}" for digit in digits)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - len(bits) % 8, 8))


def checksummed(address):
    digits = address[2:].lower()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(h, 16) >= 8 else c for c, h in zip(digits, digest))


assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
assert checksummed(OWNER) == OWNER

KEYS = [th("batch-seed", b"request vector", u(1, i)) + bytes([i]) * 16 for i in range(3)]
DIGESTS = [th("batch-seed", b"request vector", name) for name in (b"ceremony", b"dkg", b"outputs")]
ADDRESS = bytes.fromhex(OWNER[2:])
CREDENTIALS = [b"\1" + bytes(11) + ADDRESS, b"\2" + bytes(11) + ADDRESS]


def modulus(number):
    """The RSA modulus of an operator of test-vectors/ssv/keys, from the private key's DER."""
    import base64

    lines = (HERE / f"ssv/keys/{number:02}.pem").read_text().split("\n")
    der = base64.b64decode("".join(line for line in lines if line and not line.startswith("-")))
    at = der.index(b"\x02\x82\x01\x01\x00") + 5
    return der[at : at + 256]


def rsa_text(n):
    import base64

    before = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")
    body = base64.b64encode(before + n + bytes.fromhex("0203010001")).decode()
    lines = "".join(body[i : i + 64] + "\n" for i in range(0, len(body), 64))
    return base64.b64encode(f"-----BEGIN RSA PUBLIC KEY-----\n{lines}-----END RSA PUBLIC KEY-----\n".encode()).decode()


def hexed(data):
    return "0x" + data.hex()


def case(name, kind, version, fields, middle, details, custodian=False, per=0, more=0):
    file = {"format": "quorate-request", "version": version}
    file |= dict(zip(("ceremony", "dkg", "outputs"), (digest.hex() for digest in DIGESTS)))
    file |= {"network": "hoodi"} | fields | {"answers_to": CARD if custodian else "public"}
    canonical = b"QREQ" + u(2, version) + u(1, kind) + b"".join(DIGESTS) + u(2, 5) + b"hoodi" + middle
    canonical += card_bytes(CARD) if custodian else b"\0"
    identity = th("signing-request", canonical)
    payload = 2 + 96 * len(details) + per * len(details) + more + 64
    sealed = 32 + 48 + payload + 16 * max(1, -(-payload // 65439))
    made = {"name": name, "file": file, "canonical": canonical.hex(), "id": identity.hex()}
    made["asked_by_2"] = th("signing-request-signature", identity + u(2, 2)).hex()
    made |= {"details": [detail.hex() for detail in details], "answer": payload, "sealed": sealed}
    return made


def exits(keys, custodian=False):
    details = [bytes(32) for _ in keys]
    if len(keys) == 1:
        fields = {"public_key": hexed(keys[0]), "exit": {"validator_index": 1804776, "epoch": 3}}
        return case("one exit", 1, 1, fields, keys[0] + u(8, 1804776) + u(8, 3), details, custodian)
    validators = [{"public_key": hexed(key), "validator_index": 100 + i} for i, key in enumerate(keys)]
    middle = u(8, 3) + u(4, len(keys)) + b"".join(key + u(8, 100 + i) for i, key in enumerate(keys))
    name = "exits for a custodian" if custodian else "exits"
    return case(name, 1, 2, {"exits": {"epoch": 3, "validators": validators}}, middle, details, custodian)


def deposits(keys):
    amount = 8 * 10**9
    if len(keys) == 1:
        fields = {"withdrawal_credentials": hexed(CREDENTIALS[0]), "amount": amount}
        return case(
            "one deposit", 2, 1, {"public_key": hexed(keys[0]), "deposit": fields}, keys[0] + CREDENTIALS[0] + u(8, amount), CREDENTIALS[:1]
        )
    pairs = list(zip(keys, CREDENTIALS))
    validators = [{"public_key": hexed(key), "withdrawal_credentials": hexed(to)} for key, to in pairs]
    middle = u(8, amount) + u(4, len(pairs)) + b"".join(key + to for key, to in pairs)
    return case("deposits", 2, 2, {"deposits": {"amount": amount, "validators": validators}}, middle, CREDENTIALS)


def registrations(keys):
    gas, date = 60_000_000, 1_795_910_400
    terms = {"fee_recipient": OWNER, "gas_limit": gas, "timestamp": date}
    common, details = ADDRESS + u(8, gas) + u(8, date), [bytes(24) + u(8, date) for _ in keys]
    if len(keys) == 1:
        return case("one registration", 3, 1, {"public_key": hexed(keys[0]), "registration": terms}, keys[0] + common, details)
    terms["validators"] = [{"public_key": hexed(key)} for key in keys]
    middle = common + u(4, len(keys)) + b"".join(keys)
    return case("registrations", 3, 2, {"registrations": terms}, middle, details)


def key_shares(keys, nonce, custodian=False):
    moduli = [modulus(number) for number in range(1, 5)]
    fields = {"owner": OWNER, "nonce": nonce, "operator_keys": [rsa_text(n) for n in moduli]}
    fields["validators"] = [{"public_key": hexed(key)} for key in keys]
    middle = ADDRESS + u(8, nonce) + u(1, 4) + b"".join(moduli) + u(4, len(keys)) + b"".join(keys)
    nonces = range(nonce, nonce + len(keys))
    details = [ADDRESS + bytes(4) + u(8, n) for n in nonces]
    name = "key shares for a custodian" if custodian else f"key shares of {len(keys)}"
    made = case(name, 4, 3, {"key_shares": fields}, middle, details, custodian, per=512)
    return made | {"consents": [keccak256(f"{OWNER}:{n}".encode()).hex() for n in nonces]}


def lock(keys, version, custodian=False):
    """Section 11.12: the definition is an example's, in its one encoding (section 12.1)."""
    path = HERE.parent / f"ceremony-specs/examples/obol/definition-{version}.json"
    definition = json.loads(path.read_text())
    text = json.dumps(definition, separators=(",", ":"), ensure_ascii=False)
    fields = {"definition": text, "validators": [{"public_key": hexed(key)} for key in keys]}
    cluster = u(2, 0) + text.encode()
    middle = u(4, len(cluster)) + cluster + u(4, len(keys)) + b"".join(keys)
    details = [bytes.fromhex(definition["definition_hash"][2:])] * len(keys)
    name = f"a lock of {version} for a custodian" if custodian else f"a lock of {version}"
    return case(name, 5, 4, {"cluster_lock": fields}, middle, details, custodian, more=65)


cases = [exits(KEYS[:1]), exits(KEYS), exits(KEYS[:2], True), deposits(KEYS[:1]), deposits(KEYS[:2])]
cases += [registrations(KEYS[:1]), registrations(KEYS), key_shares(KEYS[:1], 0), key_shares(KEYS, 7), key_shares(KEYS[:2], 999998, True)]
cases += [lock(KEYS, "v1.10.0"), lock(KEYS[:1], "v1.11.0", True)]
comment = "requests of chapter 11: written from the specification alone by generate/requests.py"
out = HERE / "requests/requests.json"
out.parent.mkdir(exist_ok=True)
out.write_text(json.dumps({"comment": comment, "cases": cases}, indent=1) + "\n")
