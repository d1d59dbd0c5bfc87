"""Writes test-vectors/conformance-demo: the outputs of a small ceremony, made by one dealer with py_ecc from fixed seeds.

    conformance/.venv/bin/python conformance/make_sample.py

It has the layout of a finished demo (four operators, three of whom can sign, two validators on hoodi), so that the checks can be
checked; `tests/conformance/sample.rs` reads it too. Every key in it is published and guards nothing, and key derivation is next to
none. The folder's name, elsewhere the start of a digest, is made up.
"""

import hashlib
import json
import pathlib
import shutil
import uuid

import roots
from ceremony import ALPHABET, BECH32M, checksum
from Crypto.Cipher import AES
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from eth_utils import to_checksum_address
from py_ecc.bls import G2ProofOfPossession as bls

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
OUT = pathlib.Path(__file__).resolve().parent.parent / "test-vectors/conformance-demo"
PASSPHRASE = "only a sample 𝔭𝔞𝔰𝔰𝔭𝔥𝔯𝔞𝔰𝔢"
NORMALIZED = b"only a sample passphrase"
# Not in the order of the names, and not 1 to 4: a checker that guesses points must fail.
OPERATORS = {"carol": 2, "alice": 3, "dave": 5, "bob": 11}
THRESHOLD = 3
HOODI = bytes.fromhex("10000910")
HOODI_GENESIS = 1742213400
ADDRESS = to_checksum_address("0x4d496ccc28058b1d74b7a19541663e21154f9c84")
RECIPIENT = to_checksum_address("0x" + "11" * 19 + "cc")
STAMP = 1742213400


def seed(*labels) -> bytes:
    return hashlib.sha256("/".join(["conformance sample", *map(str, labels)]).encode()).digest()


def scalar(*labels) -> int:
    return int.from_bytes(seed(*labels, 0) + seed(*labels, 1), "big") % ORDER


def card(name: str) -> str:
    """An operator card, as the identity room reads it."""
    key = ECC.construct(curve="Ed25519", seed=seed(name, "key"))
    noise = ECC.construct(curve="Curve25519", seed=seed(name, "noise")).public_key().export_key(format="raw")
    parts = (b"quorate/v1/noise-certificate", noise + name.encode())
    digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
    signature = eddsa.new(key, "rfc8032").sign(digest)
    data = b"\x01" + key.public_key().export_key(format="raw") + noise + signature + bytes([len(name)]) + name.encode()
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]
    expanded = [ord(c) >> 5 for c in "quorate"] + [0] + [ord(c) & 31 for c in "quorate"]
    check = checksum(expanded + values + [0] * 6) ^ BECH32M
    return "quorate1" + "".join(ALPHABET[v] for v in values + [check >> 5 * (5 - i) & 31 for i in range(6)])


def ceremony_file() -> str:
    lines = [
        "version = 1",
        'name = "Conformance sample"',
        f'id = "{seed("id").hex()}"',
        'network = "hoodi"',
        f"threshold = {THRESHOLD}",
    ]
    for name, point in OPERATORS.items():
        lines += ["", "[[operators]]", f'card = "{card(name)}"', f"point = {point}"]
    lines += ["", "[[validators]]", f'withdrawal = "{ADDRESS}"', "compounding = true", 'amounts = ["1", "32"]']
    lines += ["", "[[validators]]", f'withdrawal = "{ADDRESS}"', "compounding = false"]
    lines += [f'fee_recipient = "{RECIPIENT}"', "gas_limit = 36000000"]
    return "\n".join(lines) + "\n"


def deposit(secret: int, prefix: int, amount: int) -> dict:
    pubkey, credentials = bls.SkToPk(secret), bytes([prefix]) + bytes(11) + bytes.fromhex(ADDRESS[2:])
    root = roots.deposit_message_root(pubkey, credentials, amount)
    signature = bls.Sign(secret, roots.signing_root(root, roots.DOMAIN_DEPOSIT, HOODI))
    return {
        "pubkey": pubkey.hex(),
        "withdrawal_credentials": credentials.hex(),
        "amount": amount,
        "signature": signature.hex(),
        "deposit_message_root": root.hex(),
        "deposit_data_root": roots.deposit_data_root(pubkey, credentials, amount, signature).hex(),
        "fork_version": HOODI.hex(),
        "network_name": "hoodi",
        "deposit_cli_version": "2.7.0",
    }


def registration(secret: int) -> dict:
    pubkey = bls.SkToPk(secret)
    root = roots.registration_root(bytes.fromhex(RECIPIENT[2:]), 36_000_000, HOODI_GENESIS, pubkey)
    signature = bls.Sign(secret, roots.signing_root(root, roots.DOMAIN_APPLICATION_BUILDER, HOODI))
    message = {
        "fee_recipient": RECIPIENT,
        "gas_limit": "36000000",
        "timestamp": str(HOODI_GENESIS),
        "pubkey": "0x" + pubkey.hex(),
    }
    return {"message": message, "signature": "0x" + signature.hex()}


def keystore(name: str, validator: int, share: int) -> dict:
    """Alice and Bob have scrypt, the others PBKDF2."""
    salt, iv = seed(name, "salt"), seed(name, validator, "iv")[:16]
    if name in ("alice", "bob"):
        params, function = {"dklen": 32, "n": 4, "p": 1, "r": 8}, "scrypt"
        key = hashlib.scrypt(NORMALIZED, salt=salt, n=4, r=8, p=1, dklen=32)
    else:
        params, function = {"c": 2, "dklen": 32, "prf": "hmac-sha256"}, "pbkdf2"
        key = hashlib.pbkdf2_hmac("sha256", NORMALIZED, salt, 2, 32)
    ciphertext = AES.new(key[:16], AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(share.to_bytes(32, "big"))
    return {
        "crypto": {
            "kdf": {"function": function, "params": {**params, "salt": salt.hex()}, "message": ""},
            "checksum": {"function": "sha256", "params": {}, "message": hashlib.sha256(key[16:] + ciphertext).hexdigest()},
            "cipher": {"function": "aes-128-ctr", "params": {"iv": iv.hex()}, "message": ciphertext.hex()},
        },
        "description": f"sample, validator {validator}, share of {name}",
        "pubkey": bls.SkToPk(share).hex(),
        "path": f"m/12381/3600/{validator}/0/0",
        "uuid": str(uuid.UUID(bytes=seed(name, validator, "uuid")[:16], version=4)),
        "version": 4,
    }


def write(path: pathlib.Path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document, indent=2) + "\n"
    path.write_text(text, "utf-8")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    polynomials = [[scalar(v, "coefficient", k) for k in range(THRESHOLD)] for v in range(2)]
    secrets = [coefficients[0] for coefficients in polynomials]
    public = {
        "deposit-data.json": [deposit(secrets[0], 2, 32 * 10**9), deposit(secrets[1], 1, 32 * 10**9)],
        "deposit-data-1eth.json": [deposit(secrets[0], 2, 10**9)],
        "registrations.json": [registration(secrets[1])],
    }
    for name, point in OPERATORS.items():
        folder = OUT / name / "ceremonies" / seed("digest").hex()[:16]
        write(folder / "ceremony.toml", ceremony_file())
        for file, document in public.items():
            write(folder / "out/public" / file, document)
        for validator, coefficients in enumerate(polynomials):
            share = sum(c * pow(point, k, ORDER) for k, c in enumerate(coefficients)) % ORDER
            file = f"keystore-m_12381_3600_{validator}_0_0-{STAMP}.json"
            write(folder / "out/secret/validator_keys" / file, keystore(name, validator, share))
    write(OUT / "passphrase.txt", PASSPHRASE + "\n")


if __name__ == "__main__":
    main()
