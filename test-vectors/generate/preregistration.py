#!/usr/bin/env python3
"""Writes test-vectors/preregistration/preregistrations.json: preregistrations of withdrawal credentials, by the draft EIP-8205 of 17 August 2026.

    python3 -m venv venv && venv/bin/pip install eth-consensus-specs==1.7.0a13 py_ecc==8.0.0
    venv/bin/python test-vectors/generate/preregistration.py

Roots and domains are those of the executable consensus specification (`compute_domain`, `compute_signing_root`), with the draft's container added
here; signatures are py_ecc's. Also the canonical bytes of an example's ceremony file that asks for them, from the texts of chapter 02. Nothing of
this project's code is used.
"""

import hashlib
import json
import pathlib
import tomllib

from eth_consensus_specs.electra import mainnet as spec
from eth_consensus_specs.utils.ssz.ssz_typing import Bytes32, Bytes48, Container
from py_ecc.bls import G2ProofOfPossession as bls

HERE = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = HERE.parent / "ceremony-specs/examples/hoodi-3-of-4.toml"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
DOMAIN_TYPE = "11000000"
# Genesis fork version and genesis validators root, as the networks publish them; the last is nobody's.
NETWORKS = {
    "mainnet": ("00000000", "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
    "hoodi": ("10000910", "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"),
    "sepolia": ("90000069", "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"),
    "gnosis": ("00000064", "f5dcb5564e829aab27264b9becd5dfaa017085611224cb3036f573368dbb9d47"),
    "chiado": ("0000006f", "9d642dac73058fbf39c0ae41ab1e34e4d889043cb199851ded7095bc99eb4c1e"),
    "devnet-7": ("10000038", "5a" * 32),
}
SECRETS = [int.from_bytes(hashlib.sha256(f"preregistration {i}".encode()).digest(), "big") >> 2 for i in range(2)]
CREDENTIALS = [
    "0100000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    "020000000000000000000000fb6916095ca1df60bb79ce92ce3ea74c37c5d359",
]


class ValidatorPreregistration(Container):
    """The draft's signing container."""

    pubkey: Bytes48
    withdrawal_credentials: Bytes32


def hexed(data) -> str:
    return "0x" + bytes(data).hex()


def signed(version: str, root: str) -> list:
    domain = spec.compute_domain(spec.DomainType(bytes.fromhex(DOMAIN_TYPE)), spec.Version(bytes.fromhex(version)), spec.Root(bytes.fromhex(root)))
    entries = []
    for secret, credentials in zip(SECRETS, CREDENTIALS):
        message = ValidatorPreregistration(pubkey=bls.SkToPk(secret), withdrawal_credentials=bytes.fromhex(credentials))
        signing_root = spec.compute_signing_root(message, domain)
        entries.append(
            {
                "pubkey": hexed(message.pubkey),
                "withdrawal_credentials": hexed(message.withdrawal_credentials),
                "root": hexed(message.hash_tree_root()),
                "signing_root": hexed(signing_root),
                "signature": hexed(bls.Sign(secret, bytes(signing_root))),
            }
        )
    return [hexed(domain), entries]


def card_bytes(card: str) -> bytes:
    values = [BECH32.index(c) for c in card.rpartition("1")[2]][:-6]
    bits = "".join(f"{value:05b}" for value in values)
    whole = len(bits) // 8
    return int(bits[: 8 * whole], 2).to_bytes(whole, "big")


def u(size: int, number: int) -> bytes:
    return number.to_bytes(size, "big")


def text(value: str) -> bytes:
    return u(2, len(value)) + value.encode()


def canonical(path: pathlib.Path, policy: int, end: bytes) -> bytes:
    """Section 2.4, for what the example has."""
    file = tomllib.loads(path.read_text())
    assert file["version"] == 2 and file["network"] == "hoodi" and file.get("attempt", 1) == 1 and "policy" not in file
    version, root = NETWORKS["hoodi"]
    out = b"QSPC" + u(2, 2) + u(1, 1) + u(1, policy) + text(file["name"]) + bytes.fromhex(file["id"].removeprefix("0x")) + u(4, 1)
    out += text("hoodi") + bytes.fromhex(version) + b"\x01" + bytes.fromhex("40000910") + bytes.fromhex(root) + b"\x01" + u(8, 1742213400)
    out += u(2, len(file["operators"])) + u(2, file["threshold"])
    for at, operator in enumerate(file["operators"], start=1):
        out += u(8, operator.get("point", at)) + card_bytes(operator["card"])[1:]
    blocks = file["validators"]
    out += u(4, sum(block.get("count", 1) for block in blocks))
    for block in blocks:
        amounts = [int(float(amount) * 10**9) for amount in block.get("amounts", [32])]
        one = (b"\x02" if block["compounding"] else b"\x01") + bytes(11) + bytes.fromhex(block["withdrawal"][2:])
        one += u(1, len(amounts)) + b"".join(u(8, amount) for amount in amounts)
        if "fee_recipient" in block:
            one += b"\x01" + bytes.fromhex(block["fee_recipient"][2:]) + u(8, block.get("gas_limit", 60_000_000))
        else:
            one += b"\x00"
        out += one * block.get("count", 1)
    return out + end


def digest(data: bytes) -> str:
    framed = lambda part: u(8, len(part)) + part
    return hashlib.sha256(framed(b"quorate/v1/spec") + framed(data)).hexdigest()


def main():
    networks = {}
    for name, (version, root) in NETWORKS.items():
        domain, entries = signed(version, root)
        networks[name] = {"genesis_fork_version": version, "genesis_validators_root": root, "domain": domain, "entries": entries}
    plain, asked = canonical(EXAMPLE, 0, b""), canonical(EXAMPLE, 8, b"\x01")
    example = {
        "without": {"digest": digest(plain), "length": len(plain)},
        "with": {"digest": digest(asked), "canonical": asked.hex()},
    }
    document = {"draft": "2026-08-17", "networks": networks, "example": example}
    out = HERE / "preregistration/preregistrations.json"
    out.write_text(json.dumps(document, indent=1) + "\n")
    print(f"wrote {out}: {len(networks)} networks; digests {example['without']['digest']}, {example['with']['digest']}")


if __name__ == "__main__":
    main()
