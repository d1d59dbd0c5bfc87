"""Checks the checks of SSV's files: a sample passes, and each damaged copy fails in exactly the checks that are there for it.

The sample is a cluster of four (operators 11, 22, 33 and 44, of whom three can sign) with two validators on hoodi, made by one dealer. Its RSA
keys are those of test-vectors/ssv.
"""

import functools
import json
import pathlib
import shutil
import tempfile
import types

import check
import make_sample as sample
import roots
import ssv
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from py_ecc.bls import G2ProofOfPossession as bls
from selftest import edit, fails_exactly, flip

KEYS = pathlib.Path(__file__).resolve().parent.parent / "test-vectors/ssv/keys"
IDS = (11, 22, 33, 44)
OWNER = "0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9"
NONCE = 7
CREDENTIALS = b"\x01" + bytes(11) + bytes.fromhex(sample.ADDRESS[2:])
AMOUNT = 32 * 10**9

DIRECTORY = "ssv: the ceremony's directory"
TWICE = "ssv: nothing occurs twice"
ALL = "ssv: the files of all validators"
DEPOSIT, SHARES, PROOFS, ONE = (f"ssv 8: {what}" for what in ("deposit_data.json", "keyshares.json", "proofs.json", "one validator"))


@functools.cache
def private_key(position: int):
    return serialization.load_pem_private_key((KEYS / f"{position + 1:02}.pem").read_bytes(), None)


@functools.cache
def key_texts() -> tuple:
    return tuple(ssv.key_text(private_key(at).public_key()) for at in range(len(IDS)))


def expected(**changes) -> ssv.Expected:
    usual = {
        "owner": OWNER,
        "nonce": NONCE,
        "validators": 2,
        "withdrawals": (sample.ADDRESS, sample.ADDRESS),
        "operators": dict(zip(IDS, key_texts())),
        "amount": AMOUNT,
    }
    return ssv.Expected(**(usual | changes))


def sign_proof(proof: dict, position: int) -> str:
    parts = [bytes.fromhex(proof[name]) for name in ("validator", "encrypted_share", "share_pub", "owner")]
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    return private_key(position).sign(ssv.proof_root(*parts), pss, hashes.SHA256()).hex()


def validator(v: int) -> dict:
    """The three files of one validator."""
    coefficients = [sample.scalar("ssv", v, k) for k in range(3)]
    secret, nonce = coefficients[0], NONCE + v
    pubkey = check.bls.SkToPk(secret)
    shares = [sum(c * x**k for k, c in enumerate(coefficients)) % ssv.ORDER for x in IDS]
    publics = [check.bls.SkToPk(share) for share in shares]
    sealed = [private_key(at).public_key().encrypt(f"{share:064x}".encode(), padding.PKCS1v15()) for at, share in enumerate(shares)]
    blob = check.bls.Sign(secret, ssv.nonce_message(OWNER, nonce)) + b"".join(publics) + b"".join(sealed)
    operators = [{"id": i, "operatorKey": text} for i, text in zip(IDS, key_texts())]
    key = "0x" + pubkey.hex()
    share = {
        "data": {"ownerNonce": nonce, "ownerAddress": OWNER, "publicKey": key, "operators": operators},
        "payload": {"publicKey": key, "operatorIds": list(IDS), "sharesData": "0x" + blob.hex()},
    }
    proofs = []
    for at, (public, text) in enumerate(zip(publics, sealed)):
        proof = {"validator": pubkey.hex(), "encrypted_share": text.hex(), "share_pub": public.hex(), "owner": OWNER[2:].lower()}
        proofs.append({"proof": proof, "signature": sign_proof(proof, at)})
    root = roots.deposit_message_root(pubkey, CREDENTIALS, AMOUNT)
    signature = check.bls.Sign(secret, roots.signing_root(root, roots.DOMAIN_DEPOSIT, sample.HOODI))
    deposit = {
        "pubkey": pubkey.hex(),
        "withdrawal_credentials": CREDENTIALS.hex(),
        "amount": AMOUNT,
        "signature": signature.hex(),
        "deposit_message_root": root.hex(),
        "deposit_data_root": roots.deposit_data_root(pubkey, CREDENTIALS, AMOUNT, signature).hex(),
        "fork_version": sample.HOODI.hex(),
        "network_name": "hoodi",
        "deposit_cli_version": "2.7.0",
    }
    return {"deposit_data.json": [deposit], "keyshares.json": envelope([share]), "proofs.json": proofs}


def envelope(shares: list) -> dict:
    return {"version": "v1.2.0", "createdAt": "2025-03-17T12:10:00.000Z", "shares": shares}


def folder_of(v: int, files: dict) -> str:
    return f"{NONCE + v:06}-0x{files['deposit_data.json'][0]['pubkey']}"


def write(root: pathlib.Path, parts: list):
    for v, files in enumerate(parts):
        folder = root / folder_of(v, files)
        folder.mkdir(parents=True)
        for name, document in files.items():
            (folder / name).write_text(json.dumps(document) + "\n")
    aggregate(root, parts)


def aggregate(root: pathlib.Path, parts: list):
    (root / "deposit_data.json").write_text(json.dumps([part["deposit_data.json"][0] for part in parts]))
    (root / "keyshares.json").write_text(json.dumps(envelope([part["keyshares.json"]["shares"][0] for part in parts])))
    (root / "proofs.json").write_text(json.dumps([part["proofs.json"] for part in parts]))


def outcome(root: pathlib.Path, wanted: ssv.Expected, keys: dict) -> list:
    report = check.Report(quiet=True)
    ssv.check_directory(report, root, wanted, keys)
    check.require(report.passed or report.failures, "nothing was checked")
    return report.failures


def second(root: pathlib.Path) -> pathlib.Path:
    return sorted(path for path in root.iterdir() if path.is_dir())[1]


def damage(file: str, change, again: bool = True):
    """A damage to the second validator's file; to the aggregates too, so that it is this file that tells."""

    def apply(root: pathlib.Path):
        edit(second(root) / file, change)
        if again:
            folders = sorted(path for path in root.iterdir() if path.is_dir())
            aggregate(root, [{name: json.loads((folder / name).read_text()) for name in ssv.FILES} for folder in folders])

    return apply


def data(field: str, change):
    def apply(document: dict):
        part = document["shares"][0]["data"]
        part[field] = change(part[field])

    return damage("keyshares.json", apply)


def payload(field: str, change):
    def apply(document: dict):
        part = document["shares"][0]["payload"]
        part[field] = change(part[field])

    return damage("keyshares.json", apply)


def blob(at: int, length: int, change):
    """A damage to bytes of sharesData."""

    def apply(text: str) -> str:
        raw = bytearray.fromhex(text[2:])
        raw[at : at + length] = change(bytes(raw[at : at + length]))
        return "0x" + raw.hex()

    return payload("sharesData", apply)


def another_degree(text: str) -> str:
    """Public shares of a polynomial of degree 3, through the validator's key: all four interpolate to it, and no three."""
    raw = bytearray.fromhex(text[2:])
    coefficients = [sample.scalar("ssv", 1, k) for k in range(3)] + [sample.scalar("ssv", "steep")]
    for at, x in enumerate(IDS):
        share = sum(c * x**k for k, c in enumerate(coefficients)) % ssv.ORDER
        raw[96 + 48 * at : 144 + 48 * at] = check.bls.SkToPk(share)
    return "0x" + raw.hex()


def deposit(field: str, change):
    def apply(entries: list):
        entries[0][field] = change(entries[0][field])

    return damage("deposit_data.json", apply)


def proof(position: int, field: str, change, sign: bool = False):
    def apply(proofs: list):
        part = proofs[position]["proof"]
        part[field] = change(part[field])
        if sign:
            proofs[position]["signature"] = sign_proof(part, position)

    return damage("proofs.json", apply)


def swap(items: list) -> list:
    return [items[1], items[0], *items[2:]]


def lower(text: str) -> str:
    return text.lower()


def constant(value):
    return lambda _: value


def renamed(root: pathlib.Path):
    folder = second(root)
    folder.rename(root / folder.name.replace("000008", "000009"))


def copied(root: pathlib.Path):
    """The first validator a second time, under the second nonce: everything about it is of another nonce and folder."""
    first = sorted(path for path in root.iterdir() if path.is_dir())[0]
    for name in ssv.FILES:
        shutil.copy(first / name, second(root) / name)


def operators(change):
    return data("operators", change)


def another_key(items: list) -> list:
    text = ssv.key_text(private_key(7).public_key())
    return [*items[:2], items[2] | {"operatorKey": text}, items[3]]


def pkcs1(items: list) -> list:
    import base64

    body = private_key(2).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
    return [*items[:2], items[2] | {"operatorKey": base64.b64encode(body).decode()}, items[3]]


# A share that is not read takes with it what is compared with it.
UNREAD = [SHARES]

DAMAGES = [
    ("an owner without its checksum", data("ownerAddress", lower), UNREAD),
    ("another owner", data("ownerAddress", constant("0x382f6FF5B9a29FcF1Dd2bf8B86C3234Dc7ed2Df6")), UNREAD),
    ("another nonce", data("ownerNonce", constant(9)), UNREAD),
    ("a nonce as a text", data("ownerNonce", str), UNREAD),
    ("operators out of order", operators(swap), UNREAD),
    ("an operator's number changed", operators(lambda items: [*items[:3], items[3] | {"id": 45}]), UNREAD),
    ("an operator left out", operators(lambda items: items[:3]), UNREAD),
    ("an operator's key of somebody else", operators(another_key), UNREAD),
    ("an operator's key as PKCS#1", operators(pkcs1), UNREAD),
    ("an operator's key with a blank", operators(lambda items: [items[0] | {"operatorKey": items[0]["operatorKey"] + " "}, *items[1:]]), UNREAD),
    ("two keys of validators", payload("publicKey", flip), UNREAD),
    ("numbers in another order", payload("operatorIds", swap), UNREAD),
    ("a number as a text", payload("operatorIds", lambda ids: [str(ids[0]), *ids[1:]]), UNREAD),
    ("sharesData cut", payload("sharesData", lambda text: text[:-2]), UNREAD),
    ("sharesData with one byte more", payload("sharesData", lambda text: text + "00"), UNREAD),
    ("sharesData in upper case", payload("sharesData", lambda text: "0x" + text[2:].upper()), UNREAD),
    ("sharesData without 0x", payload("sharesData", lambda text: text[2:]), UNREAD),
    ("another signature", blob(0, 96, lambda _: check.bls.Sign(5, b"another")), UNREAD),
    ("a signature that is no point", blob(95, 1, lambda b: bytes([b[0] ^ 1])), UNREAD),
    ("two public shares exchanged", blob(96, 96, lambda b: b[48:] + b[:48]), UNREAD),
    ("a public share that is no point", blob(143, 1, lambda b: bytes([b[0] ^ 1])), UNREAD),
    ("a sharing of another degree", payload("sharesData", another_degree), UNREAD),
    ("two ciphertexts exchanged", blob(288, 512, lambda b: b[256:] + b[:256]), [PROOFS, "ssv: 11 decrypts its 2 shares", "ssv: 22 decrypts its 2 shares"]),
    ("a ciphertext changed", blob(288, 1, lambda b: bytes([b[0] ^ 1])), [PROOFS, "ssv: 11 decrypts its 2 shares"]),
    ("version of another release", damage("keyshares.json", lambda d: d.update(version="v1.1.0")), UNREAD),
    ("createdAt without a zone", damage("keyshares.json", lambda d: d.update(createdAt="2025-03-17T12:10:00")), UNREAD),
    ("a field more", damage("keyshares.json", lambda d: d.update(more=1)), UNREAD),
    ("a proof's signature changed", damage("proofs.json", lambda p: p[2].update(signature=flip(p[2]["signature"]))), [PROOFS]),
    ("proofs in another order", damage("proofs.json", swap), [PROOFS]),
    ("a proof left out", damage("proofs.json", lambda p: p[:3]), [PROOFS]),
    ("a proof of another owner, signed", proof(1, "owner", constant("11" * 20), sign=True), [PROOFS]),
    ("a proof of another public share, signed", proof(1, "share_pub", flip, sign=True), [PROOFS]),
    ("a proof of another ciphertext, signed", proof(1, "encrypted_share", flip, sign=True), [PROOFS]),
    ("a proof of another validator, signed", proof(1, "validator", flip, sign=True), [PROOFS]),
    ("a proof with 0x", proof(1, "owner", lambda text: "0x" + text[2:]), [PROOFS]),
    ("a deposit of another amount", deposit("amount", constant(33 * 10**9)), [DEPOSIT]),
    ("a deposit with another root", deposit("deposit_data_root", flip), [DEPOSIT]),
    ("a deposit on another network", deposit("fork_version", constant("00000000")), [DEPOSIT]),
    ("a deposit of an old tool", deposit("deposit_cli_version", constant("2.6.9")), [DEPOSIT]),
    ("a deposit with another signature", deposit("signature", flip), [DEPOSIT]),
    ("an aggregate that is not its parts", damage("proofs.json", lambda p: p[2].update(signature=flip(p[2]["signature"])), again=False), [PROOFS, ALL]),
    ("an aggregate left out", lambda root: (root / "proofs.json").unlink(), [DIRECTORY]),
    ("a file more", lambda root: (root / "report.html").write_text("x"), [DIRECTORY]),
    ("a file more beside a validator's", lambda root: (second(root) / "x.json").write_text("{}"), [DIRECTORY]),
    ("a folder of another nonce", renamed, [DIRECTORY]),
    ("a validator twice", copied, UNREAD),
]


def damaged(original: pathlib.Path, change, wanted: list, keys: dict):
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary) / original.name
        shutil.copytree(original, copy)
        change(copy)
        fails_exactly(outcome(copy, expected(), keys), wanted)


def worked_example():
    """The second example of formats: on chain, by nobody that we know."""
    owner, nonce = "0x382f6FF5B9a29FcF1Dd2bf8B86C3234Dc7ed2Df6", 8
    key = "94cbce91137bfda4a7638941a68d6b156712bd1ce80e5dc580adc74a445099cbbfb9f97a6c7c89c6a87e28e0657821ac"
    signature = (
        "9720bfb2aa152d512232dc255f9565b226800bc362f1e2462e08a8856317497e3d21c5e2690b86f8e27f3c6c666d9487"
        "104c72847bba9493aa8fcc2d473b4c83dcc7b3db2f732da2a8a3df6e2609a65222e335321f694a7ab3ac16f55920d645"
    )
    message = ssv.nonce_message(owner, nonce)
    check.require(message.hex() == "32b2772a6daac6532a21a0b4f01e3728099abab56f9e135c9ff6122b44fd74fa", "another hash")
    check.require(check.bls.Verify(bytes.fromhex(key), message, bytes.fromhex(signature)), "it does not verify")
    lower_case = ssv.nonce_message(owner.lower(), nonce)
    check.require(not check.bls.Verify(bytes.fromhex(key), lower_case, bytes.fromhex(signature)), "it verifies in lower case")
    check.require(ssv.checksummed(bytes.fromhex(owner[2:])) == owner, "another checksum")


def run(report: check.Report):
    # Most damages leave most signatures as they are: each is judged once.
    names = ("SkToPk", "Sign", "Verify", "KeyValidate")
    check.bls = types.SimpleNamespace(**{name: functools.cache(getattr(bls, name)) for name in names})
    report.check("ssv: a consent that is on chain", worked_example)
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary) / "ceremony-2025-03-17--12-10-00.000"
        write(root, [validator(0), validator(1)])
        keys = {str(i): functools.partial(private_key, at) for at, i in enumerate(IDS)}
        report.check("ssv: the sample passes", lambda: fails_exactly(outcome(root, expected(), keys), []))
        report.check("ssv: another owner expected", lambda: fails_exactly(outcome(root, expected(owner="0x382f6FF5B9a29FcF1Dd2bf8B86C3234Dc7ed2Df6"), keys), ["ssv 7: keyshares.json", SHARES]))
        report.check("ssv: another nonce expected", lambda: fails_exactly(outcome(root, expected(nonce=8), keys), [DIRECTORY]))
        report.check("ssv: another number of validators expected", lambda: fails_exactly(outcome(root, expected(validators=3), keys), [DIRECTORY]))
        other = expected(withdrawals=(sample.ADDRESS, sample.RECIPIENT))
        report.check("ssv: another withdrawal address expected", lambda: fails_exactly(outcome(root, other, keys), [DEPOSIT]))
        stranger = keys | {"44": functools.partial(private_key, 9)}
        report.check("ssv: an RSA key of no operator", lambda: fails_exactly(outcome(root, expected(), stranger), ["ssv: 44 decrypts its 2 shares"]))
        for what, change, wanted in DAMAGES:
            report.check(f"ssv: {what}", damaged, root, change, wanted, keys)
