"""Writes test-vectors/ssv: RSA keys of thirteen operators, a key file, what an operator encrypts and signs, and a registration with its
proofs, all by `cryptography`.

    python3 -m venv v && v/bin/pip install cryptography && v/bin/python test-vectors/generate/ssv.py

Padding and salts are drawn anew each time, and keys that are not there yet; the files are written once and then kept. The registration is
that of SSV's worked example (shares, share keys and signature as published), for operators with these keys.
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


IDS = [11, 22, 33, 44]
OWNER = "0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9"
VALIDATOR = "801bca4e379a2e240ed004acbe8f905a0a43f3322faa251fbb9c8d4d49af8ba9c669e930ea7caa234cb7d537d600e9ee"
SIGNATURE = (
    "980e566c2c16f4d1b8bc14e17a83c4346eefe234063675f4ddcfee0e7712c7f9ec6f8ae5ad7ec13318a8aa032eedb91b"
    "059c92aa01cc7c30b1c4fbd9282bf9b4ef25d394bca3051bac002139e03d7c2865df8fc496a8d7777fd1eda1f960dfda"
)
SHARES = [
    SHARE,
    "41b1c12f0dd803758208dd56558d338c0f225c7747d386f55591bb5fe19a2ec3",
    "5983dcaa0751230aee03b83a1319c68c76aea79a26578966a94e010f974e6fd6",
    "1b6d8be1737194cdd645da5d039b63fe9ab53cd39752990fc4d6a21138bae627",
]
SHARE_KEYS = [
    "a653852dfaa7231ca32e61085bc896dcabb2b00c1f3e8fae8aeef314b6eee8b665552dea14986a35996180d946e8560f",
    "80ad1e0d0d25bd5ec09eb551eaf82f655104ef5795c73fb89e5cb5ba1e563f78daeb902072d499e81cbf84b74d02cf89",
    "8e3cce11278428db0245b71cdde79c032237cd5b170e48f36480c1ade1f7cede933a899e40431da261cb6e7162de75d1",
    "8101f3aef6430158918237bdf61b49f7d5ed094009cb0a2bef5e1373f3a46afe521466ffacf1280f656de271d9e86e5d",
]


def merkle(chunks):
    while len(chunks) > 1:
        chunks = [hashlib.sha256(a + b).digest() for a, b in zip(chunks[::2], chunks[1::2])]
    return chunks[0]


def proof_root(validator, encrypted, share_key, owner):
    """Root of Proof: Bytes48, ByteList[512], Bytes48, Bytes20."""
    public = lambda key: merkle([key[:32], key[32:].ljust(32, b"\0")])
    chunks = [encrypted[i : i + 32] for i in range(0, len(encrypted), 32)] + [bytes(32)] * 8
    listed = hashlib.sha256(merkle(chunks) + len(encrypted).to_bytes(32, "little")).digest()
    return merkle([public(validator), listed, public(share_key), owner.ljust(32, b"\0")])


def registration(keys):
    """keyshares.json and proofs.json of one validator."""
    encrypted = [key.public_key().encrypt(share.encode(), padding.PKCS1v15()) for key, share in zip(keys, SHARES)]
    operators = [{"id": number, "operatorKey": public_text(key)} for number, key in zip(IDS, keys)]
    shares_data = "0x" + SIGNATURE + "".join(SHARE_KEYS) + b"".join(encrypted).hex()
    data = {"ownerNonce": 1, "ownerAddress": OWNER, "publicKey": "0x" + VALIDATOR, "operators": operators}
    payload = {"publicKey": "0x" + VALIDATOR, "operatorIds": IDS, "sharesData": shares_data}
    created = "2024-10-21T09:56:54.354903Z"
    keyshares = {"version": "v1.2.0", "createdAt": created, "shares": [{"data": data, "payload": payload}]}
    proofs = []
    for key, share_key, ciphertext in zip(keys, SHARE_KEYS, encrypted):
        owner = bytes.fromhex(OWNER[2:])
        root = proof_root(bytes.fromhex(VALIDATOR), ciphertext, bytes.fromhex(share_key), owner)
        signature = key.sign(root, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), hashes.SHA256())
        proof = {"validator": VALIDATOR, "encrypted_share": ciphertext.hex(), "share_pub": share_key, "owner": owner.hex()}
        proofs.append({"proof": proof, "signature": signature.hex()})
    return keyshares, proofs


def operator_key(path):
    if not path.exists():
        path.write_bytes(private_pem(rsa.generate_private_key(65537, 2048)))
    return serialization.load_pem_private_key(path.read_bytes(), None)


def main():
    (HERE / "keys").mkdir(parents=True, exist_ok=True)
    keys = [operator_key(HERE / "keys" / f"{number:02}.pem") for number in range(1, 14)]
    keyshares, proofs = registration(keys)
    (HERE / "keyshares.json").write_text(json.dumps(keyshares) + "\n")
    (HERE / "proofs.json").write_text(json.dumps(proofs) + "\n")
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
