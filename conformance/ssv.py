"""Key shares for SSV, judged by the rules of `ssv-dkg verify`, written anew from the format and applied to a ceremony's directory.

RSA is that of `cryptography`, the curve is py_ecc's, keccak256 is pycryptodome's. What those rules leave open and registration cannot take
back is checked as well: the two deposit roots, the size of the cluster, the degree of the sharing, and, where an operator's key file is at
hand, that its ciphertext holds the share of its public share.
"""

import base64
import binascii
import functools
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime

import ceremony as agreed
import check
import roots
from check import DEPOSIT_FIELDS, Fault, Report, load, require
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from Crypto.Hash import SHA256, keccak
from py_ecc.bls.g2_primitives import pubkey_to_G1
from py_ecc.optimized_bls12_381 import Z1, add, eq, multiply

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
VERSION = "v1.2.0"
THRESHOLDS = {4: 3, 7: 5, 10: 7, 13: 9}
FORK_VERSIONS = {"00000000": "mainnet", "01017000": "holesky", "10000910": "hoodi", "90000069": "sepolia", "00001020": "prater"}
FILES = ("deposit_data.json", "keyshares.json", "proofs.json")
CIPHERTEXT = 256
JAVASCRIPT = pathlib.Path(__file__).resolve().parent / "ssv-js"
LIBRARIES = ("ssv-sdk 0.1.0", "ssv-keys 1.1.0")


@dataclass(frozen=True)
class Expected:
    """What the person at the command line knows: `verify` takes it as options. `operators` maps an id to the key that is registered."""

    owner: str
    nonce: int
    validators: int
    withdrawals: tuple | None = None
    operators: dict | None = None
    amount: int | None = None


# Encodings


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def checksummed(address: bytes) -> str:
    """EIP-55."""
    digits = address.hex()
    mask = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(m, 16) >= 8 else c for c, m in zip(digits, mask))


def nonce_message(owner: str, nonce: int) -> bytes:
    return keccak256(f"{owner}:{nonce}".encode())


def field(where: str, condition, sentence: str):
    require(condition, f"{where}: {sentence}")


def hexadecimal(where: str, text, digits: int, prefix: str = "") -> bytes:
    field(where, isinstance(text, str) and re.fullmatch(f"{prefix}[0-9a-f]{{{digits}}}", text), f"not {prefix}{digits} hexadecimal digits")
    return bytes.fromhex(text.removeprefix("0x"))


def natural(where: str, value, least: int = 0) -> int:
    field(where, type(value) is int and least <= value < 2**64, f"not a whole number from {least}")
    return value


def fields(where: str, value, names: tuple) -> dict:
    field(where, isinstance(value, dict) and set(value) == set(names), f"not exactly the fields {', '.join(names)}")
    return value


def operator_key(where: str, text) -> rsa.RSAPublicKey:
    """One line of base64 around PEM, whose label says RSA PUBLIC KEY and whose body is a SubjectPublicKeyInfo."""
    field(where, isinstance(text, str), "not a string")
    try:
        pem = base64.b64decode(text, validate=True).decode("ascii")
        lines = pem.splitlines()
        field(where, lines[0] == "-----BEGIN RSA PUBLIC KEY-----" and lines[-1] == "-----END RSA PUBLIC KEY-----", "not that label")
        key = serialization.load_der_public_key(base64.b64decode("".join(lines[1:-1]), validate=True))
    except (ValueError, binascii.Error, UnicodeDecodeError, IndexError) as error:
        raise Fault(f"{where}: not an operator key: {error}") from error
    field(where, isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048, "not an RSA key of 2048 bits")
    field(where, key_text(key) == text, "not the usual spelling of this key")
    return key


def key_text(key: rsa.RSAPublicKey) -> str:
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return base64.b64encode(pem.replace("PUBLIC KEY", "RSA PUBLIC KEY").encode()).decode()


# Curve


@functools.cache
def at_zero(points: tuple):
    """The value at zero, in G1, of the polynomial through (x, compressed point)."""
    total = Z1
    for x_i, key in points:
        weight = 1
        for x_j, _ in points:
            if x_j != x_i:
                weight = weight * x_j % ORDER * pow(x_j - x_i, -1, ORDER) % ORDER
        total = add(total, multiply(pubkey_to_G1(key), weight))
    return total


def interpolates(where: str, points: tuple, validator: bytes):
    field(where, eq(at_zero(points), pubkey_to_G1(validator)), "do not interpolate to the validator's key")


# SSZ


def proof_root(validator: bytes, ciphertext: bytes, share: bytes, owner: bytes) -> bytes:
    """Proof{ValidatorPubKey Bytes48, EncryptedShare List[byte, 512], SharePubKey Bytes48, Owner Bytes20}."""
    chunks = [ciphertext[at : at + 32].ljust(32, b"\0") for at in range(0, len(ciphertext), 32)]
    chunks += [bytes(32)] * (16 - len(chunks))
    while len(chunks) > 1:
        chunks = [roots.pair(*chunks[at : at + 2]) for at in range(0, len(chunks), 2)]
    text = roots.pair(chunks[0], len(ciphertext).to_bytes(32, "little"))
    return roots.pair(roots.pair(roots.bytes48(validator), text), roots.pair(roots.bytes48(share), owner + bytes(12)))


# The files


def read_deposit(path: pathlib.Path, expected: Expected, at: int) -> bytes:
    """One deposit entry by the rules for it; the validator's key."""
    entries = load(path)
    field("deposit_data", isinstance(entries, list) and len(entries) == 1, "not one entry")
    entry = fields("deposit_data[0]", entries[0], tuple(DEPOSIT_FIELDS))
    for name, digits in DEPOSIT_FIELDS.items():
        if digits:
            hexadecimal(f"deposit_data[0].{name}", entry[name], digits)
    pubkey, credentials = bytes.fromhex(entry["pubkey"]), bytes.fromhex(entry["withdrawal_credentials"])
    amount = natural("deposit_data[0].amount", entry["amount"])
    field("deposit_data[0].amount", 32 * 10**9 <= amount <= 2048 * 10**9, f"{amount} gwei, outside 32 to 2048 ETH")
    field("deposit_data[0].amount", expected.amount in (None, amount), f"{amount} gwei, not the amount agreed")
    field("deposit_data[0].withdrawal_credentials", credentials[0] in (1, 2), "neither 0x01 nor 0x02")
    field("deposit_data[0].withdrawal_credentials", credentials[1:12] == bytes(11), "eleven bytes that are not zero")
    if expected.withdrawals:
        wanted = expected.withdrawals[at]
        field("deposit_data[0].withdrawal_credentials", checksummed(credentials[12:]) == wanted, f"not to {wanted}")
    network = FORK_VERSIONS.get(entry["fork_version"])
    field("deposit_data[0].fork_version", network, "of no network of SSV")
    field("deposit_data[0].network_name", entry["network_name"] == network, f"{entry['network_name']}, not {network}")
    version = entry["deposit_cli_version"]
    field("deposit_data[0].deposit_cli_version", re.fullmatch("[0-9]+[.][0-9]+[.][0-9]+", str(version)), "not a version")
    field("deposit_data[0].deposit_cli_version", tuple(map(int, version.split("."))) >= (2, 7, 0), "older than 2.7.0")
    signature = bytes.fromhex(entry["signature"])
    root = roots.deposit_message_root(pubkey, credentials, amount)
    field("deposit_data[0].deposit_message_root", entry["deposit_message_root"] == root.hex(), "not the root of the entry")
    data_root = roots.deposit_data_root(pubkey, credentials, amount, signature)
    field("deposit_data[0].deposit_data_root", entry["deposit_data_root"] == data_root.hex(), "not the root of the entry")
    signed = roots.signing_root(root, roots.DOMAIN_DEPOSIT, bytes.fromhex(entry["fork_version"]))
    field("deposit_data[0].signature", check.bls.Verify(pubkey, signed, signature), "does not verify")
    return pubkey


def envelope(path: pathlib.Path, entries: int) -> list:
    """The `shares` of a file."""
    document = fields("keyshares", load(path), ("version", "createdAt", "shares"))
    field("version", document["version"] == VERSION, f"{document['version']}, not {VERSION}")
    created = document["createdAt"]
    field("createdAt", isinstance(created, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", created), "not RFC 3339 in UTC")
    try:
        datetime.fromisoformat(created[:19])
    except ValueError as error:
        raise Fault(f"createdAt: {error}") from error
    field("shares", isinstance(document["shares"], list) and len(document["shares"]) == entries, f"not {entries} entries")
    return document["shares"]


@dataclass(frozen=True)
class Cluster:
    """What one entry of keyshares.json says, checked."""

    validator: bytes
    ids: list
    keys: list
    shares: list
    ciphertexts: list


def read_keyshare(path: pathlib.Path, expected: Expected, nonce: int) -> Cluster:
    """The only entry of a keyshares.json by the rules for it."""
    entry = fields("shares[0]", envelope(path, 1)[0], ("data", "payload"))
    data = fields("data", entry["data"], ("ownerNonce", "ownerAddress", "publicKey", "operators"))
    payload = fields("payload", entry["payload"], ("publicKey", "operatorIds", "sharesData"))
    field("data.ownerAddress", data["ownerAddress"] == expected.owner, f"{data['ownerAddress']}, not {expected.owner}")
    field("data.ownerNonce", natural("data.ownerNonce", data["ownerNonce"]) == nonce, f"{data['ownerNonce']}, not {nonce}")
    validator = hexadecimal("data.publicKey", data["publicKey"], 96, "0x")
    field("payload.publicKey", payload["publicKey"] == data["publicKey"], "not data.publicKey")

    operators = data["operators"]
    field("data.operators", isinstance(operators, list) and len(operators) in THRESHOLDS, "not 4, 7, 10 or 13 operators")
    ids, keys = [], []
    for at, operator in enumerate(operators):
        where = f"data.operators[{at}]"
        fields(where, operator, ("id", "operatorKey"))
        ids.append(natural(f"{where}.id", operator["id"], 1))
        keys.append(operator_key(f"{where}.operatorKey", operator["operatorKey"]))
        if expected.operators:
            registered = expected.operators.get(operator["id"])
            field(f"{where}.id", registered, f"{operator['id']} is no operator of the ceremony")
            field(f"{where}.operatorKey", operator["operatorKey"] == registered, "not the key of this operator")
    field("data.operators", all(a < b for a, b in zip(ids, ids[1:])), "ids are not strictly ascending")
    numbers = {key.public_numbers().n for key in keys}
    field("data.operators", len(numbers) == len(keys), "two operators have one key")
    found = payload["operatorIds"]
    field("payload.operatorIds", isinstance(found, list) and all(type(i) is int for i in found) and found == ids, "not those of data.operators")

    n = len(ids)
    blob = hexadecimal("payload.sharesData", payload["sharesData"], 2 * (96 + n * (48 + CIPHERTEXT)), "0x")
    field("payload.sharesData, signature", check.bls.Verify(validator, nonce_message(expected.owner, nonce), blob[:96]), "does not verify")
    shares = [blob[96 + 48 * at :][:48] for at in range(n)]
    for at, share in enumerate(shares):
        field(f"payload.sharesData, public share {at}", check.bls.KeyValidate(share), "not a public key")
    ciphertexts = [blob[96 + 48 * n + CIPHERTEXT * at :][:CIPHERTEXT] for at in range(n)]
    points = tuple(zip(ids, shares))
    interpolates("payload.sharesData, public shares", points, validator)
    # Stricter: any of t of them, so that the sharing has the degree that SSV's nodes count on.
    threshold = THRESHOLDS[n]
    for start in range(n - threshold + 1):
        interpolates(f"payload.sharesData, public shares {start} to {start + threshold - 1}", points[start : start + threshold], validator)
    field("payload.sharesData, public shares", not eq(at_zero(points[: threshold - 1]), pubkey_to_G1(validator)), f"{threshold - 1} are enough")
    return Cluster(validator, ids, keys, shares, ciphertexts)


def read_proofs(path: pathlib.Path, cluster: Cluster, expected: Expected):
    """One proof for each operator, in its order, of exactly what is in sharesData."""
    proofs = load(path)
    field("proofs", isinstance(proofs, list) and len(proofs) == len(cluster.ids), f"not {len(cluster.ids)} entries")
    owner = bytes.fromhex(expected.owner[2:])
    for at, signed in enumerate(proofs):
        where = f"proofs[{at}]"
        fields(where, signed, ("proof", "signature"))
        proof = fields(f"{where}.proof", signed["proof"], ("validator", "encrypted_share", "share_pub", "owner"))
        validator = hexadecimal(f"{where}.proof.validator", proof["validator"], 96)
        field(f"{where}.proof.validator", validator == cluster.validator, "another validator")
        ciphertext = hexadecimal(f"{where}.proof.encrypted_share", proof["encrypted_share"], 2 * CIPHERTEXT)
        field(f"{where}.proof.encrypted_share", ciphertext == cluster.ciphertexts[at], "not that of sharesData")
        share = hexadecimal(f"{where}.proof.share_pub", proof["share_pub"], 96)
        field(f"{where}.proof.share_pub", share == cluster.shares[at], "not that of sharesData")
        field(f"{where}.proof.owner", hexadecimal(f"{where}.proof.owner", proof["owner"], 40) == owner, "another owner")
        signature = hexadecimal(f"{where}.signature", signed["signature"], 512)
        message = proof_root(validator, ciphertext, share, owner)
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
        try:
            cluster.keys[at].verify(signature, message, pss, hashes.SHA256())
        except InvalidSignature as error:
            raise Fault(f"{where}.signature: not that of operator {cluster.ids[at]}") from error


# Operators' own keys


def open_key_file(path: pathlib.Path, password: bytes) -> rsa.RSAPrivateKey:
    """`encrypted_private_key.json`: the crypto object of an EIP-2335 keystore, around PEM."""
    document = load(path)
    kdf, cipher, check = document["kdf"], document["cipher"], document["checksum"]
    salt = bytes.fromhex(kdf["params"]["salt"])
    if kdf["function"] == "pbkdf2":
        derived = PBKDF2HMAC(hashes.SHA256(), kdf["params"]["dklen"], salt, kdf["params"]["c"]).derive(password)
    else:
        params = kdf["params"]
        derived = Scrypt(salt, params["dklen"], params["n"], params["r"], params["p"]).derive(password)
    message = bytes.fromhex(cipher["message"])
    require(SHA256.new(derived[16:32] + message).hexdigest() == check["message"], f"{path.name}: wrong password, or damaged")
    counter = Cipher(algorithms.AES(derived[:16]), modes.CTR(bytes.fromhex(cipher["params"]["iv"]))).decryptor()
    key = serialization.load_pem_private_key(counter.update(message) + counter.finalize(), None)
    require(isinstance(key, rsa.RSAPrivateKey), f"{path.name}: not an RSA key")
    return key


def holds_share(key: rsa.RSAPrivateKey, clusters: list) -> int:
    """That this operator's ciphertext of every validator holds the share of its public share. How many there are."""
    for at, cluster in enumerate(clusters):
        own = [i for i, public in enumerate(cluster.keys) if public.public_numbers() == key.public_key().public_numbers()]
        require(len(own) == 1, f"validator {at}: the key is of no operator")
        text = key.decrypt(cluster.ciphertexts[own[0]], padding.PKCS1v15())
        require(re.fullmatch(b"[0-9a-f]{64}", text), f"validator {at}: not 64 lower-case hexadecimal digits")
        secret = int(text, 16)
        require(0 < secret < ORDER, f"validator {at}: not a scalar")
        require(check.bls.SkToPk(secret) == cluster.shares[own[0]], f"validator {at}: not the share of the public share")
    return len(clusters)


# The directory


def folders(root: pathlib.Path, expected: Expected) -> list:
    """The validators' folders in order, and nothing else."""
    require(re.fullmatch(r"ceremony-\d{4}-\d\d-\d\d--\d\d-\d\d-\d\d\.\d{3}", root.name), f"{root.name}: not a ceremony's folder")
    found = sorted(path for path in root.iterdir() if not path.name.endswith((".DS_Store", "Thumbs.db")))
    aggregates = {path.name for path in found if path.is_file()}
    require(aggregates == (set(FILES) if expected.validators > 1 else set()), f"files beside the validators: {sorted(aggregates)}")
    inner = [path for path in found if path.is_dir()]
    require(len(inner) == expected.validators, f"{len(inner)} validators, not {expected.validators}")
    for at, path in enumerate(inner):
        match = re.fullmatch("([0-9]{6,})-0x([0-9a-f]{96})", path.name)
        require(match, f"{path.name}: not a validator's folder")
        require(int(match[1]) == expected.nonce + at, f"{path.name}: not nonce {expected.nonce + at}")
        require({entry.name for entry in path.iterdir()} == set(FILES), f"{path.name}: not the three files")
    return inner


def key_of_folder(path: pathlib.Path, pubkey: bytes, cluster: Cluster):
    name = path.name.split("-0x")[1]
    require(name == pubkey.hex(), f"{path.name}: the deposit is of another validator")
    require(name == cluster.validator.hex(), f"{path.name}: the key shares are of another validator")


def aggregates(root: pathlib.Path, inner: list):
    """The files beside the folders hold exactly what is in these, in order."""
    parts = [{name: load(path / name) for name in FILES} for path in inner]
    require(load(root / "deposit_data.json") == [part["deposit_data.json"][0] for part in parts], "deposit_data.json: not the parts")
    require(envelope(root / "keyshares.json", len(inner)) == [part["keyshares.json"]["shares"][0] for part in parts], "keyshares.json: not the parts")
    require(load(root / "proofs.json") == [part["proofs.json"] for part in parts], "proofs.json: not the parts")


def distinct(clusters: list):
    validators = [cluster.validator for cluster in clusters]
    require(len(set(validators)) == len(validators), "a validator occurs twice")
    shares = [share for cluster in clusters for share in cluster.shares]
    require(len(set(shares)) == len(shares), "two public shares are equal")
    ciphertexts = [text for cluster in clusters for text in cluster.ciphertexts]
    require(len(set(ciphertexts)) == len(ciphertexts), "two ciphertexts are equal")


def check_directory(report: Report, root: pathlib.Path, expected: Expected, keys: dict):
    """`keys` maps what an operator's private key is called to a function that opens it."""
    inner = report.check("ssv: the ceremony's directory", folders, root, expected)
    if inner is None:
        return
    clusters = []
    for at, path in enumerate(inner):
        nonce = expected.nonce + at
        pubkey = report.check(f"ssv {nonce}: deposit_data.json", read_deposit, path / "deposit_data.json", expected, at)
        cluster = report.check(f"ssv {nonce}: keyshares.json", read_keyshare, path / "keyshares.json", expected, nonce)
        if cluster is None:
            continue
        report.check(f"ssv {nonce}: proofs.json", read_proofs, path / "proofs.json", cluster, expected)
        if pubkey is not None:
            report.check(f"ssv {nonce}: one validator", key_of_folder, path, pubkey, cluster)
        clusters.append(cluster)
    if len(clusters) != len(inner):
        return
    report.check("ssv: nothing occurs twice", distinct, clusters)
    if len(inner) > 1:
        report.check("ssv: the files of all validators", aggregates, root, inner)
    for name, opened in sorted(keys.items()):
        report.check(f"ssv: {name} decrypts its {len(clusters)} shares", lambda: holds_share(opened(), clusters))


def check_list(report: Report, folder: pathlib.Path, expected: Expected, keys: dict):
    """`keyshares.json` and `proofs.json` of all validators, without deposits: each entry by itself, and what is encrypted."""
    shares = report.check("ssv again: keyshares.json", envelope, folder / "keyshares.json", expected.validators)
    proofs = report.check("ssv again: proofs.json", load, folder / "proofs.json")
    if shares is None or proofs is None:
        return
    report.check("ssv again: as many proofs as validators", require, len(proofs) == len(shares), f"{len(proofs)}")
    clusters = []
    with tempfile.TemporaryDirectory() as name:
        for at, (entry, signed) in enumerate(zip(shares, proofs)):
            whole = load(folder / "keyshares.json") | {"shares": [entry]}
            alone, proven = pathlib.Path(name) / f"keyshares-{at}.json", pathlib.Path(name) / f"proofs-{at}.json"
            alone.write_text(json.dumps(whole))
            proven.write_text(json.dumps(signed))
            nonce = expected.nonce + at
            cluster = report.check(f"ssv again {nonce}: key shares", read_keyshare, alone, expected, nonce)
            if cluster is not None:
                report.check(f"ssv again {nonce}: proofs", read_proofs, proven, cluster, expected)
                clusters.append(cluster)
    report.check("ssv again: nothing occurs twice", distinct, clusters)
    for name, opened in sorted(keys.items()):
        report.check(f"ssv again: {name} decrypts its {len(clusters)} shares", lambda opened=opened: holds_share(opened(), clusters))
    libraries(report, folder / "keyshares.json")


def taken_by(library: str) -> str:
    """What the check is called that is this library's verdict."""
    return f"ssv: {library} takes keyshares.json"


def libraries(report: Report, path: pathlib.Path):
    """SSV's own libraries read the file, and find nothing wrong with any item."""
    if not shutil.which("npm") or not shutil.which("node"):
        print("!! npm or node is not installed: ssv-sdk and ssv-keys are SKIPPED, they have read nothing", flush=True)
        return
    if not (JAVASCRIPT / "node_modules").is_dir():
        print("installing what conformance/ssv-js/package-lock.json names", flush=True)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=JAVASCRIPT, check=True)
    judged = subprocess.run(["node", "judge.mjs", path.resolve()], cwd=JAVASCRIPT, check=True, capture_output=True, text=True)
    verdicts = [json.loads(line) for line in judged.stdout.splitlines()]
    judges = tuple(verdict["engine"] for verdict in verdicts)
    report.check("ssv: two libraries have read keyshares.json", require, judges == LIBRARIES, judged.stdout)
    for verdict in verdicts:
        report.check(taken_by(verdict["engine"]), require, verdict["ok"], verdict["why"])


def check_demo(report: Report, demo: pathlib.Path):
    """Every ceremony for SSV below a demo's folder: its directory by the ceremony file, the ciphertexts by the operators' key files, which a
    demo keeps in `ssv`. That every operator's public folder is the same, byte for byte, is checked elsewhere: one is enough."""
    ceremonies = {path.parent.name: path for path in sorted(demo.glob("*/ceremonies/*/ceremony.toml"))}
    for path in ceremonies.values():
        try:
            ceremony = agreed.read(path)
        except (OSError, agreed.CeremonyError):
            # Said where the ceremony itself is checked.
            continue
        if ceremony.ssv is None:
            continue
        owner, nonce, operators = ceremony.ssv
        withdrawals = tuple(checksummed(validator.credentials[12:]) for validator in ceremony.validators)
        expected = Expected(owner, nonce, len(ceremony.validators), withdrawals, operators)
        found = sorted((path.parent / "out/public/ssv").glob("*"))
        report.check("ssv: one directory of key shares", require, len(found) == 1, f"{len(found)} of them")
        files = {key.parent.name: key for key in sorted(demo.glob("ssv/*/encrypted_private_key.json"))}
        report.check("ssv: a key file of each operator", require, set(files) == set(ceremony.points), f"of {sorted(files)}")
        if len(found) == 1:
            password = demo / "ssv/password"
            keys = {name: lambda key=key: open_key_file(key, password.read_bytes()) for name, key in files.items()}
            check_directory(report, found[0], expected, keys)
            shares = found[0] if len(ceremony.validators) > 1 else next(iter(found[0].iterdir()))
            libraries(report, shares / "keyshares.json")
