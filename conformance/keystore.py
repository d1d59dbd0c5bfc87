"""A reader of EIP-2335 keystores, written from the ERC on hashlib and an AES primitive; it shares no code with the project."""

import hashlib
import hmac
import json
import pathlib
import re
import unicodedata
from dataclasses import dataclass

from Crypto.Cipher import AES

STANDARD = {"scrypt": {"dklen": 32, "n": 2**18, "r": 8, "p": 1}, "pbkdf2": {"dklen": 32, "c": 2**18, "prf": "hmac-sha256"}}
# Bounds on what a file can make this program do: 2 GiB for scrypt, some minutes for PBKDF2.
MOST_SCRYPT = 2**24
MOST_PBKDF2 = 2**27


class KeystoreError(Exception):
    """What is wrong with a keystore, as a sentence."""


@dataclass
class Keystore:
    """A parsed keystore."""

    validator: int
    pubkey: bytes
    kdf: str
    params: dict
    salt: bytes
    checksum: bytes
    iv: bytes
    ciphertext: bytes

    @property
    def is_standard(self) -> bool:
        """The parameters that every validator client takes; Nimbus takes no others for scrypt."""
        return self.params == STANDARD[self.kdf] and len(self.salt) == 32


def password_bytes(password: str) -> bytes:
    """NFKD, C0, DEL and C1 removed, UTF-8."""
    kept = (c for c in unicodedata.normalize("NFKD", password) if not (ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F))
    return "".join(kept).encode()


def fields(value, where: str, required: set, optional: frozenset = frozenset()) -> dict:
    if not isinstance(value, dict):
        raise KeystoreError(f"{where}: not an object")
    missing, unknown = required - set(value), set(value) - required - optional
    if missing or unknown:
        raise KeystoreError(f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    return value


def hexadecimal(value, where: str, size: int | None = None) -> bytes:
    if not isinstance(value, str) or not re.fullmatch("([0-9a-f]{2})*", value):
        raise KeystoreError(f"{where}: not lower-case hexadecimal")
    if size is not None and len(value) != 2 * size:
        raise KeystoreError(f"{where}: {len(value) // 2} bytes instead of {size}")
    return bytes.fromhex(value)


def number(value, where: str) -> int:
    if type(value) is not int or value < 1:
        raise KeystoreError(f"{where}: not a positive integer")
    return value


def no_duplicates(pairs: list) -> dict:
    if len({key for key, _ in pairs}) != len(pairs):
        raise KeystoreError("a key occurs twice")
    return dict(pairs)


def parse(path: pathlib.Path) -> Keystore:
    try:
        document = json.loads(path.read_text("utf-8"), object_pairs_hook=no_duplicates)
    except ValueError as error:
        raise KeystoreError(f"not JSON: {error}") from error
    top = fields(document, "keystore", {"crypto", "path", "pubkey", "uuid", "version"}, frozenset({"description"}))
    if type(top["version"]) is not int or top["version"] != 4:
        raise KeystoreError("version: not 4")
    if not isinstance(top.get("description", ""), str):
        raise KeystoreError("description: not a string")
    four = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    if not isinstance(top["uuid"], str) or not re.fullmatch(four, top["uuid"]):
        raise KeystoreError("uuid: not a lower-case version 4 UUID")
    of_path = re.fullmatch("m/12381/3600/(0|[1-9][0-9]{0,8})/0/0", top["path"] if isinstance(top["path"], str) else "")
    if not of_path:
        raise KeystoreError("path: not m/12381/3600/<validator>/0/0")

    crypto = fields(top["crypto"], "crypto", {"kdf", "checksum", "cipher"})
    modules = {name: fields(crypto[name], name, {"function", "params", "message"}) for name in crypto}
    kdf, checksum, cipher = modules["kdf"], modules["checksum"], modules["cipher"]
    if kdf["function"] not in STANDARD or checksum["function"] != "sha256" or cipher["function"] != "aes-128-ctr":
        raise KeystoreError("crypto: a function that the ERC does not name")
    if kdf["message"] != "" or checksum["params"] != {}:
        raise KeystoreError("crypto: the kdf has no message and the checksum no parameters")
    params = dict(fields(kdf["params"], "kdf.params", {*STANDARD[kdf["function"]], "salt"}))
    salt = hexadecimal(params.pop("salt"), "kdf.params.salt")
    for name, value in params.items():
        if name != "prf":
            number(value, f"kdf.params.{name}")
    if params["dklen"] != 32 or params.get("prf", "hmac-sha256") != "hmac-sha256":
        raise KeystoreError("kdf.params: dklen is not 32, or prf not hmac-sha256")
    if kdf["function"] == "scrypt" and (params["n"] & (params["n"] - 1) or params["n"] * params["r"] * params["p"] > MOST_SCRYPT):
        raise KeystoreError("kdf.params: n is not a power of two, or the cost is out of bounds")
    if kdf["function"] == "pbkdf2" and params["c"] > MOST_PBKDF2:
        raise KeystoreError("kdf.params: the cost is out of bounds")
    return Keystore(
        validator=int(of_path[1]),
        pubkey=hexadecimal(top["pubkey"], "pubkey", 48),
        kdf=kdf["function"],
        params=params,
        salt=salt,
        checksum=hexadecimal(checksum["message"], "checksum.message", 32),
        iv=hexadecimal(fields(cipher["params"], "cipher.params", {"iv"})["iv"], "cipher.params.iv", 16),
        ciphertext=hexadecimal(cipher["message"], "cipher.message", 32),
    )


def derive(keystore: Keystore, password: bytes) -> bytes:
    """The 32-byte decryption key."""
    params = keystore.params
    if keystore.kdf == "pbkdf2":
        return hashlib.pbkdf2_hmac("sha256", password, keystore.salt, params["c"], 32)
    memory = 128 * params["r"] * (params["n"] + params["p"] + 2) + 2**20
    return hashlib.scrypt(password, salt=keystore.salt, n=params["n"], r=params["r"], p=params["p"], dklen=32, maxmem=memory)


def decrypt(keystore: Keystore, key: bytes) -> bytes:
    """The 32-byte secret. The checksum does not cover the IV: the caller compares public keys."""
    found = hashlib.sha256(key[16:] + keystore.ciphertext).digest()
    if not hmac.compare_digest(found, keystore.checksum):
        raise KeystoreError("checksum: another password, or an altered file")
    return AES.new(key[:16], AES.MODE_CTR, nonce=b"", initial_value=keystore.iv).decrypt(keystore.ciphertext)
