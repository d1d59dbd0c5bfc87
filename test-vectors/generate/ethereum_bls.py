#!/usr/bin/env python3
"""Writes test-vectors/ethereum-bls: the cases of the Ethereum BLS test suite, release v0.1.2, byte for byte.

    python3 -m venv venv && venv/bin/pip install py_ecc==8.0.0
    venv/bin/python test-vectors/generate/ethereum_bls.py

Keys, messages and case names are that suite's (ethereum/bls12-381-tests, CC0-1.0). Signatures and aggregates are computed
here with py_ecc, an implementation independent of the curve library of this crate. Every file is then compared with
RELEASE, the first four bytes of its SHA-256 in the release: a file that differs in one byte stops the script.
"""

import hashlib
import json
import pathlib

from py_ecc.bls import G2ProofOfPossession as bls
from py_ecc.bls.hash_to_curve import hash_to_G2
from py_ecc.optimized_bls12_381 import normalize

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "ethereum-bls"

KEYS = [
    0x263DBD792F5B1BE47ED85F8938C0F29586AF0D3AC7B977F21C278FE1462040E3,
    0x47B8192D77BF871B62E87859D653922725724A5C031AFEABC60BCEF5FF665138,
    0x328388AFF0D4A5B7DC9205ABD374E7E98F3CD9F3418EDB4EAFDA5FB16473D216,
]
MESSAGES = [bytes([b]) * 32 for b in (0x00, 0x56, 0xAB)]
SAMPLE = b"\x12" * 32
INFINITY_G1 = b"\xc0" + bytes(47)
INFINITY_G2 = b"\xc0" + bytes(95)
# A point that the suite gives as it stands.
G2_POINT = bytes.fromhex(
    "b2cc74bc9f089ed9764bbceac5edba416bef5e73701288977b9cac1ccb6964269d4ebf78b4e8aa7792ba09d3e49c8e6a"
    "1351bdf582971f796bbaf6320e81251c9d28f674d720cca07ed14596b96697cf18238e0e03ebd7fc1353d885a39407e0"
)
DST_RFC9380 = b"QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_"
P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB

RELEASE = json.loads((HERE / "ethereum_bls_release.json").read_text())

files = {}


def hexed(data):
    return "0x" + data.hex()


def name_of(text):
    return hashlib.sha256(text.encode()).digest()[:8].hex()


def add(kind, name, given, output):
    files[f"{kind}/{name}.json"] = json.dumps({"input": given, "output": output}).encode()


def tampered(signature):
    return signature[:-4] + b"\xff" * 4


def sign():
    for key in KEYS:
        for message in MESSAGES:
            name = name_of(f"{hexed(key.to_bytes(32, 'big'))}_{hexed(message)}")
            given = {"privkey": hexed(key.to_bytes(32, "big")), "message": hexed(message)}
            add("sign", f"sign_case_{name}", given, hexed(bls.Sign(key, message)))
    add("sign", "sign_case_zero_privkey", {"privkey": hexed(bytes(32)), "message": hexed(MESSAGES[2])}, None)


def verify():
    def case(name, pubkey, message, signature, output):
        given = {"pubkey": hexed(pubkey), "message": hexed(message), "signature": hexed(signature)}
        add("verify", name, given, output)

    for i, key in enumerate(KEYS):
        for message in MESSAGES:
            pubkey, signature = bls.SkToPk(key), bls.Sign(key, message)
            name = name_of(f"{hexed(pubkey)}_{hexed(message)}")
            case(f"verify_valid_case_{name}", pubkey, message, signature, True)
            case(f"verify_wrong_pubkey_case_{name}", pubkey, message, bls.Sign(KEYS[i - 1], message), False)
            case(f"verify_tampered_signature_case_{name}", pubkey, message, tampered(signature), False)
    case("verify_infinity_pubkey_and_infinity_signature", INFINITY_G1, SAMPLE, INFINITY_G2, False)
    # The suite names this file after another message than the one it holds.
    name = name_of(f"{hexed(bls.SkToPk(1))}_{hexed(MESSAGES[-1])}")
    case(f"verifycase_one_privkey_{name}", bls.SkToPk(1), SAMPLE, bls.Sign(1, SAMPLE), True)


def aggregate():
    for message in MESSAGES:
        parts = [bls.Sign(key, message) for key in KEYS]
        add("aggregate", f"aggregate_{hexed(message)}", [hexed(p) for p in parts], hexed(bls.Aggregate(parts)))
    one = bls.Sign(KEYS[0], MESSAGES[0])
    add("aggregate", "aggregate_single_signature", [hexed(one)], hexed(one))
    add("aggregate", "aggregate_infinity_signature", [hexed(INFINITY_G2)], hexed(INFINITY_G2))
    add("aggregate", "aggregate_na_signatures", [], None)


def fast_aggregate_verify():
    def case(name, pubkeys, message, signature, output):
        given = {"pubkeys": [hexed(p) for p in pubkeys], "message": hexed(message), "signature": hexed(signature)}
        add("fast_aggregate_verify", f"fast_aggregate_verify_{name}", given, output)

    def named(prefix, pubkeys, message, signature, output):
        listed = [hexed(p) for p in pubkeys]
        case(f"{prefix}_{name_of(f'{listed}_{hexed(message)}')}", pubkeys, message, signature, output)

    everyone = [bls.SkToPk(key) for key in KEYS]
    for count, message in enumerate(MESSAGES, start=1):
        total = bls.Aggregate([bls.Sign(key, message) for key in KEYS[:count]])
        named("valid", everyone[:count], message, total, True)
        named("extra_pubkey", everyone[:count] + everyone[-1:], message, total, False)
        named("tampered_signature", everyone[:count], message, tampered(total), False)
    case("na_pubkeys_and_infinity_signature", [], MESSAGES[2], INFINITY_G2, False)
    case("na_pubkeys_and_na_signature", [], MESSAGES[2], bytes(96), False)
    total = bls.Aggregate([bls.Sign(key, SAMPLE) for key in KEYS])
    case("infinity_pubkey", everyone + [INFINITY_G1], SAMPLE, total, False)


def aggregate_verify():
    def case(name, pubkeys, messages, signature, output):
        given = {
            "pubkeys": [hexed(p) for p in pubkeys],
            "messages": [hexed(m) for m in messages],
            "signature": hexed(signature),
        }
        add("aggregate_verify", f"aggregate_verify_{name}", given, output)

    everyone = [bls.SkToPk(key) for key in KEYS]
    total = bls.Aggregate([bls.Sign(key, message) for key, message in zip(KEYS, MESSAGES)])
    case("valid", everyone, MESSAGES, total, True)
    case("tampered_signature", everyone, MESSAGES, total[:4] + b"\xff" * 4, False)
    case("na_pubkeys_and_infinity_signature", [], [], INFINITY_G2, False)
    case("na_pubkeys_and_na_signature", [], [], bytes(96), False)
    case("infinity_pubkey", everyone + [INFINITY_G1], MESSAGES + [SAMPLE], total, False)


def deserialization():
    def case(group, name, data, output):
        add(f"deserialization_{group}", f"deserialization_{name}", {field[group]: data.hex()}, output)

    field = {"G1": "pubkey", "G2": "signature"}

    def coordinate(value):
        return value.to_bytes(48, "big")

    pattern = bytes.fromhex("0123456789abcdef") * 12
    compressed = 1 << 383
    for group, size in (("G1", 48), ("G2", 96)):
        data = pattern[:size]
        marked = bytes([data[0] | 0x80]) + data[1:]
        rest = bytes(size - 48)
        case(group, "fails_infinity_with_false_b_flag", coordinate(compressed) + rest, False)
        case(group, "fails_infinity_with_true_b_flag", b"\xc0\x10" + bytes(size - 2), False)
        case(group, "succeeds_infinity_with_true_b_flag", b"\xc0" + bytes(size - 1), True)
        case(group, "fails_with_b_flag_and_a_flag_true", b"\xe0" + bytes(size - 1), False)
        case(group, "fails_with_b_flag_and_x_nonzero", bytes([data[0] | 0xC0]) + data[1:], False)
        case(group, "fails_with_wrong_c_flag", data, False)
        case(group, f"fails_not_in_{group}", marked, False)
        case(group, "fails_not_in_curve", marked[:-1] + b"\xe0", False)
    near = coordinate(P - 2 + compressed)
    case("G1", "fails_too_few_bytes", near[:-1], False)
    case("G1", "fails_too_many_bytes", near + b"\x00", False)
    case("G1", "fails_x_equal_to_modulus", coordinate(P + compressed), False)
    case("G1", "fails_x_greater_than_modulus", coordinate(P + 1 + compressed), False)
    case("G1", "succeeds_correct_point", bls.SkToPk(KEYS[0]), True)
    case("G2", "fails_too_few_bytes", marked[:-1], False)
    case("G2", "fails_too_many_bytes", marked + b"\xff", False)
    case("G2", "fails_xim_equal_to_modulus", coordinate(P + compressed) + bytes(48), False)
    case("G2", "fails_xim_greater_than_modulus", coordinate(P + 1 + compressed) + bytes(48), False)
    case("G2", "fails_xre_equal_to_modulus", coordinate(compressed) + coordinate(P), False)
    case("G2", "fails_xre_greater_than_modulus", coordinate(compressed) + coordinate(P + 1), False)
    case("G2", "succeeds_correct_point", G2_POINT, True)


def hash_to_g2():
    for message in ("", "abc", "abcdef0123456789", "a512_" + "a" * 512):
        x, y = normalize(hash_to_G2(message.encode(), DST_RFC9380, hashlib.sha256))
        output = {k: ",".join(hexed(int(c).to_bytes(48, "big")) for c in v.coeffs) for k, v in (("x", x), ("y", y))}
        add("hash_to_G2", f"hash_to_G2__{name_of(hexed(message.encode()))}", {"msg": message}, output)


def main():
    sign()
    verify()
    aggregate()
    fast_aggregate_verify()
    aggregate_verify()
    deserialization()
    hash_to_g2()
    faults = sorted(set(RELEASE) ^ set(files))
    faults += [n for n in sorted(set(RELEASE) & set(files)) if not hashlib.sha256(files[n]).hexdigest().startswith(RELEASE[n])]
    if faults:
        raise SystemExit("not the release's file: " + "\n".join(faults))
    for name, data in files.items():
        path = OUT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(files)} files, each as in the release")


if __name__ == "__main__":
    main()
