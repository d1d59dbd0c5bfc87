"""Writes test-vectors/ssv: RSA keys of thirteen operators, a key file, and what an operator encrypts and signs, all by `cryptography`.

    python3 -m venv v && v/bin/pip install cryptography && v/bin/python test-vectors/generate/ssv.py

Keys, padding and salts are drawn anew each time; the files are written once and then kept.
"""

import base64
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HERE = pathlib.Path(__file__).resolve().parent.parent / "ssv"
PASSWORD = "ssv-test-password"
# The share of operator 11 in the worked example, as SSV's documents and files have it.
SHARE = "47e4e0c3b0a3b355c58f21b9d4978302b7cdff6dfbc4edbac9a1d101179e22ef"
# The root of its proof there.
ROOT = "3752a361ff477f0d3f4465a9bbe3de36b9c936f4b833674a9a7109d7b49cc57a"


def public_text(key):
    """SSV's spelling of a public key: PKIX in lines of 64 characters, armoured under another name, and base64 again."""
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(pem.replace(b" PUBLIC KEY", b" RSA PUBLIC KEY")).decode()


def private_pem(key):
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())


def key_file(key, salt=bytes(range(32)), iv=bytes(range(16))):
    """The `crypto` object of an EIP-2335 keystore, with the public key beside it."""
    derived = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 262144, 32)
    encryptor = Cipher(algorithms.AES(derived[:16]), modes.CTR(iv)).encryptor()
    message = encryptor.update(private_pem(key)) + encryptor.finalize()
    return {
        "checksum": {"function": "sha256", "message": hashlib.sha256(derived[16:] + message).hexdigest(), "params": {}},
        "cipher": {"function": "aes-128-ctr", "message": message.hex(), "params": {"iv": iv.hex()}},
        "kdf": {
            "function": "pbkdf2",
            "message": "",
            "params": {"c": 262144, "dklen": 32, "prf": "hmac-sha256", "salt": salt.hex()},
        },
        "pubKey": public_text(key),
    }


def main():
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(13)]
    (HERE / "keys").mkdir(parents=True, exist_ok=True)
    for number, key in enumerate(keys, 1):
        (HERE / "keys" / f"{number:02}.pem").write_bytes(private_pem(key))
    (HERE / "encrypted_private_key.json").write_text(json.dumps(key_file(keys[0])))
    pkcs1 = lambda text: keys[0].public_key().encrypt(text.encode(), padding.PKCS1v15()).hex()

    def signature(salt):
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        return keys[0].sign(bytes.fromhex(ROOT), scheme, hashes.SHA256()).hex()

    vectors = {
        "public_keys": [public_text(key) for key in keys],
        "share": SHARE,
        "root": ROOT,
        "encrypted": {"bare": pkcs1(SHARE), "prefixed": pkcs1("0x" + SHARE), "upper": pkcs1(SHARE.upper())},
        "encrypted_otherwise": {
            "raw bytes": keys[0].public_key().encrypt(bytes.fromhex(SHARE), padding.PKCS1v15()).hex(),
            "short": pkcs1(SHARE[2:]),
            "another share": pkcs1(SHARE[:-1] + "e"),
            "to another operator": keys[1].public_key().encrypt(SHARE.encode(), padding.PKCS1v15()).hex(),
        },
        "signatures": {"salt of 222 bytes": signature(222), "salt of 32 bytes": signature(32), "no salt": signature(0)},
    }
    (HERE / "first-operator.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
