"""An Obol cluster judged from the description of its formats: hashes, node records, wallets' signatures, shares, the lock's signatures, and the
folder that Charon reads. Lists 14.1 (what Charon verifies on load) and 14.4 (what Obol's SDK verifies), made again on hashlib, py_ecc and the
curve arithmetic below; and what neither of them looks at."""

import base64
import itertools
import json
import pathlib
from hashlib import sha256

import keystore as eip2335
import roots
from eth_utils import is_checksum_address, keccak
from py_ecc.bls import G2ProofOfPossession as bls
from py_ecc.bls.g2_primitives import G1_to_pubkey, pubkey_to_G1
from py_ecc.optimized_bls12_381 import Z1, add, multiply

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
# By genesis fork version: name, chain id, genesis time.
NETWORKS = {
    "00000000": ("mainnet", 1, 1606824023),
    "00000064": ("gnosis", 100, 1638993340),
    "0000006f": ("chiado", 10200, 1665396300),
    "90000069": ("sepolia", 11155111, 1655733600),
    "10000910": ("hoodi", 560048, 1742213400),
}
VERSIONS = ("v1.8.0", "v1.9.0", "v1.10.0", "v1.11.0")


class ObolError(Exception):
    """Why a cluster's file is refused, as a sentence."""


def require(condition, why: str):
    if not condition:
        raise ObolError(why)


# SSZ: merkleization with a limit.


def merkleize(chunks: list, limit: int) -> bytes:
    depth, zero, layer = (limit - 1).bit_length(), bytes(32), list(chunks)
    for _ in range(depth):
        if len(layer) % 2:
            layer.append(zero)
        layer = [sha256(left + right).digest() for left, right in zip(layer[::2], layer[1::2])]
        zero = sha256(zero + zero).digest()
    return layer[0] if layer else zero


def chunks_of(data: bytes) -> list:
    return [data[at : at + 32].ljust(32, b"\0") for at in range(0, len(data), 32)]


def with_length(root: bytes, length: int) -> bytes:
    return sha256(root + length.to_bytes(32, "little")).digest()


def container(fields: list) -> bytes:
    return merkleize(fields, len(fields))


def vector(data: bytes, size: int) -> bytes:
    require(len(data) <= size, f"{len(data)} bytes where {size} fit")
    return merkleize(chunks_of(data.rjust(size, b"\0")), (size + 31) // 32)


def byte_list(data: bytes, limit: int) -> bytes:
    require(len(data) <= limit, f"{len(data)} bytes where {limit} fit")
    return with_length(merkleize(chunks_of(data), (limit + 31) // 32), len(data))


def listed(root_of_each: list, limit: int) -> bytes:
    return with_length(merkleize(root_of_each, limit), len(root_of_each))


def numbers(values: list, limit: int) -> bytes:
    packed = b"".join(value.to_bytes(8, "little") for value in values)
    return with_length(merkleize(chunks_of(packed), (limit * 8 + 31) // 32), len(values))


def number(value: int) -> bytes:
    return value.to_bytes(32, "little")


def raw(text: str) -> bytes:
    require(text == "" or text.startswith("0x"), f"{text[:12]} without 0x")
    return bytes.fromhex(text[2:])


# The definition.


def signature_root(version: str, text: str) -> bytes:
    data = raw(text)
    if version != "v1.11.0":
        return vector(data, 65)
    require(len(data) % 65 == 0, "not a multiple of 65 bytes")
    return listed([vector(data[at : at + 65], 65) for at in range(0, len(data), 65)], 32)


def definition_tree(definition: dict, config_only: bool) -> bytes:
    version = definition["version"]

    def operator(entry: dict) -> bytes:
        address = vector(raw(entry["address"]), 20)
        if config_only:
            return address
        signatures = [signature_root(version, entry[name]) for name in ("config_signature", "enr_signature")]
        return container([address, byte_list(entry["enr"].encode(), 1024), *signatures])

    creator = vector(raw(definition["creator"]["address"]), 20)
    if not config_only:
        creator = container([creator, signature_root(version, definition["creator"]["config_signature"])])
    addresses = ("fee_recipient_address", "withdrawal_address")
    validators = [container([vector(raw(v[name]), 20) for name in addresses]) for v in definition["validators"]]
    fields = [
        byte_list(definition["uuid"].encode(), 64),
        byte_list(definition.get("name", "").encode(), 256),
        byte_list(version.encode(), 16),
        byte_list(definition.get("timestamp", "").encode(), 32),
        number(definition["num_validators"]),
        number(definition["threshold"]),
        byte_list(definition["dkg_algorithm"].encode(), 32),
        vector(raw(definition["fork_version"]), 4),
        listed([operator(entry) for entry in definition["operators"]], 256),
        creator,
        listed(validators, 65536),
        numbers([int(amount) for amount in definition["deposit_amounts"] or []], 256),
    ]
    if VERSIONS.index(version) >= 1:
        fields.append(byte_list(definition["consensus_protocol"].encode(), 256))
    if VERSIONS.index(version) >= 2:
        fields += [number(definition["target_gas_limit"]), number(int(definition["compounding"]))]
    if not config_only:
        fields.append(raw(definition["config_hash"]))
    return container(fields)


def amounts_of(definition: dict) -> list:
    given = [int(amount) for amount in definition["deposit_amounts"] or []]
    usual = [1, 8, 32, 256] if definition.get("compounding") else [1, 32]
    return sorted(set(given or [eth * 10**9 for eth in usual]))


def network(definition: dict) -> tuple:
    known = NETWORKS.get(definition["fork_version"][2:])
    require(known, "unknown network")
    return known


# secp256k1.

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def k1_add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def k1_multiply(point, scalar: int):
    total = None
    while scalar:
        total = k1_add(total, point) if scalar & 1 else total
        point, scalar = k1_add(point, point), scalar >> 1
    return total


def k1_lift(x: int, odd: int):
    y = pow(x**3 + 7, (P + 1) // 4, P)
    require(x < P and (y * y - x**3 - 7) % P == 0, "not a point of secp256k1")
    return x, y if y % 2 == odd else P - y


def compressed(point) -> bytes:
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def recover(digest: bytes, signature: bytes):
    require(len(signature) == 65, "a signature that is not 65 bytes long")
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    require(0 < r < N and 0 < s <= N // 2 and v in (0, 1, 27, 28), "not a signature with a low s")
    z, inverse = int.from_bytes(digest, "big"), pow(r, -1, N)
    lifted = k1_lift(r, v % 27)
    return k1_add(k1_multiply(lifted, s * inverse % N), k1_multiply(G, -z * inverse % N))


def address_of(point) -> bytes:
    return keccak(point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big"))[12:]


# EIP-712 and node records.


def wallet_digest(kind: str, text: str, chain: int) -> bytes:
    domain = keccak(text="EIP712Domain(string name,string version,uint256 chainId)")
    domain = keccak(domain + keccak(text="Obol") + keccak(text="1") + chain.to_bytes(32, "big"))
    return keccak(b"\x19\x01" + domain + keccak(keccak(text=kind) + keccak(text=text)))


def rlp_strings(data: bytes) -> list:
    def item(at: int) -> tuple:
        prefix = data[at]
        if prefix < 0x80:
            return data[at : at + 1], at + 1
        if prefix < 0xB8:
            return data[at + 1 : at + 1 + prefix - 0x80], at + 1 + prefix - 0x80
        size = int.from_bytes(data[at + 1 : at + 1 + prefix - 0xB7], "big")
        start = at + 1 + prefix - 0xB7
        return data[start : start + size], start + size

    require(data[0] == 0xF8 and data[1] == len(data) - 2 or 0xC0 <= data[0] < 0xF8 and data[0] - 0xC0 == len(data) - 1, "not one RLP list")
    at, strings = (2 if data[0] == 0xF8 else 1), []
    while at < len(data):
        string, at = item(at)
        strings.append(string)
    require(at == len(data), "RLP beyond its end")
    return strings


def rlp(strings: list) -> bytes:
    def one(string: bytes) -> bytes:
        if len(string) == 1 and string[0] < 0x80:
            return string
        return (bytes([0x80 + len(string)]) if len(string) < 56 else bytes([0xB8, len(string)])) + string

    body = b"".join(one(string) for string in strings)
    return (bytes([0xC0 + len(body)]) if len(body) < 56 else bytes([0xF8, len(body)])) + body


def node_key(record: str):
    require(record.startswith("enr:"), "a record without enr:")
    body = record[4:].rstrip("=")
    strings = rlp_strings(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    signature, pairs = strings[0], dict(zip(strings[2::2], strings[3::2]))
    require(len(strings) % 2 == 0 and 2 * len(pairs) == len(strings) - 2, "pairs that do not pair up, or a key twice")
    require(pairs.get(b"id") == b"v4" and len(pairs.get(b"secp256k1", b"")) == 33, "not a v4 record with a key")
    key = pairs[b"secp256k1"]
    point = k1_lift(int.from_bytes(key[1:], "big"), key[0] - 2)
    digest = keccak(rlp(strings[1:]))
    # Of a record Charon takes a high s too.
    s = int.from_bytes(signature[32:], "big")
    require(len(signature) == 64 and 0 < s < N, "a record that its key has not signed")
    low = signature[:32] + min(s, N - s).to_bytes(32, "big")
    both = [recover(digest, low + bytes([v])) for v in (0, 1)]
    require(point in both, "a record that its key has not signed")
    return point


# What Charon verifies on load, in its order (14.1).


def definition_shape(lock: dict):
    definition = lock["cluster_definition"]
    require(definition["version"] in VERSIONS, "unknown version")
    require(definition["num_validators"] == len(definition["validators"]), "num_validators")
    given = [int(amount) for amount in definition["deposit_amounts"] or []]
    most = 2048 if definition.get("compounding") else 32
    require(all(10**9 <= amount <= most * 10**9 for amount in given), "an amount out of bounds")
    require(not given or sum(given) >= 32 * 10**9, "amounts that do not activate a validator")
    require(1 <= definition["threshold"] <= len(definition["operators"]), "threshold")


def hashes(lock: dict):
    definition = lock["cluster_definition"]
    require(definition_tree(definition, True) == raw(definition["config_hash"]), "config_hash")
    require(definition_tree(definition, False) == raw(definition["definition_hash"]), "definition_hash")
    require(len(lock["distributed_validators"]) == definition["num_validators"], "another number of validators")
    require(lock_hash(lock) == raw(lock["lock_hash"]), "lock_hash")


def lock_hash(lock: dict) -> bytes:
    def deposit(entry: dict) -> bytes:
        credentials, amount = raw(entry["withdrawal_credentials"]), int(entry["amount"])
        return roots.deposit_data_root(raw(entry["pubkey"]), credentials, amount, raw(entry["signature"]))

    def validator(entry: dict) -> bytes:
        registration = entry["builder_registration"]
        shares = [vector(raw(share), 48) for share in entry["public_shares"]]
        return container(
            [
                vector(raw(entry["distributed_public_key"]), 48),
                listed(shares, 256),
                listed([deposit(one) for one in entry.get("partial_deposit_data", [])], 256),
                container([registration_root(registration["message"]), vector(raw(registration["signature"]), 96)]),
            ]
        )

    validators = listed([validator(entry) for entry in lock["distributed_validators"]], 65536)
    return container([definition_tree(lock["cluster_definition"], False), validators])


def registration_root(message: dict) -> bytes:
    return roots.registration_root(
        raw(message["fee_recipient"]), message["gas_limit"], message["timestamp"], raw(message["pubkey"])
    )


def wallets(lock: dict):
    """3: everybody or nobody has signed, and each signature is its wallet's."""
    definition = lock["cluster_definition"]
    chain, config = network(definition)[1], definition["config_hash"]
    signed = []
    for operator in definition["operators"]:
        parts = [operator["address"], operator["config_signature"], operator["enr_signature"]]
        require(all(parts) or not any(parts), "an operator who has signed in part")
        signed.append(all(parts))
        if all(parts):
            for kind, text, signature in (
                ("OperatorConfigHash(string operator_config_hash)", config, parts[1]),
                ("ENR(string enr)", operator["enr"], parts[2]),
            ):
                found = address_of(recover(wallet_digest(kind, text, chain), raw(signature)))
                require(found == raw(operator["address"]), "a signature of another wallet")
    require(all(signed) or not any(signed), "some operators have signed")
    creator = definition["creator"]
    require(bool(creator["address"]) == bool(creator["config_signature"]), "a creator who has signed in part")
    require(creator["address"] or not any(signed), "operators have signed, the creator has not")
    if creator["address"]:
        digest = wallet_digest("CreatorConfigHash(string creator_config_hash)", config, chain)
        require(address_of(recover(digest, raw(creator["config_signature"]))) == raw(creator["address"]), "the creator's signature")


def interpolate(points: list, shares: list):
    total = Z1
    for x, share in zip(points, shares):
        coefficient = 1
        for other in points:
            if other != x:
                coefficient = coefficient * other * pow(other - x, -1, ORDER) % ORDER
        total = add(total, multiply(pubkey_to_G1(share), coefficient))
    return bytes(G1_to_pubkey(total))


def shares(lock: dict):
    definition = lock["cluster_definition"]
    n, t = len(definition["operators"]), definition["threshold"]
    keys = [entry["distributed_public_key"] for entry in lock["distributed_validators"]]
    require(len(set(keys)) == len(keys), "a validator's key twice")
    for entry in lock["distributed_validators"]:
        own = [raw(share) for share in entry["public_shares"]]
        require(len(own) == n and len(set(own)) == n, "another number of shares, or one twice")
        require(all(bls.KeyValidate(share) for share in own), "a share that is no key")
        for last in range(t, n + 1):
            points = [*range(1, t), last]
            found = interpolate(points, [own[point - 1] for point in points])
            require(found == raw(entry["distributed_public_key"]), f"share {last} is not on the polynomial")


def aggregate(lock: dict):
    keys = [raw(share) for entry in lock["distributed_validators"] for share in entry["public_shares"]]
    require(bls.FastAggregateVerify(keys, lock_hash(lock), raw(lock["signature_aggregate"])), "signature_aggregate")


def nodes(lock: dict):
    operators = lock["cluster_definition"]["operators"]
    keys = [node_key(operator["enr"]) for operator in operators]
    require(len(set(keys)) == len(keys), "a node key twice")
    require(len(lock["node_signatures"]) == len(keys), "another number of node signatures")
    for key, signature in zip(keys, lock["node_signatures"]):
        require(recover(raw(lock["lock_hash"]), raw(signature)) == key, "a signature of another node")


# What Obol's SDK verifies besides (14.4), and what neither does.


def flow(lock: dict):
    definition = lock["cluster_definition"]
    creator = all(definition["creator"].values())
    group = all(all(operator.values()) for operator in definition["operators"])
    only_enr = all(
        operator["enr"] and not any((operator["address"], operator["config_signature"], operator["enr_signature"]))
        for operator in definition["operators"]
    )
    require(creator and (group or only_enr) or only_enr and not any(definition["creator"].values()), "neither group, solo nor unsigned")


def deposits(lock: dict):
    definition = lock["cluster_definition"]
    version, amounts = raw(definition["fork_version"]), amounts_of(definition)
    prefix = "0x02" if definition.get("compounding") else "0x01"
    for entry, agreed in zip(lock["distributed_validators"], definition["validators"], strict=True):
        found = entry["partial_deposit_data"]
        require([int(deposit["amount"]) for deposit in found] == amounts, "other amounts than agreed")
        for deposit in found:
            credentials = prefix + "0" * 22 + agreed["withdrawal_address"][2:].lower()
            require(deposit["withdrawal_credentials"] == credentials, "other credentials than agreed")
            require(deposit["pubkey"] == entry["distributed_public_key"], "a deposit for another key")
            root = roots.deposit_message_root(raw(deposit["pubkey"]), raw(credentials), int(deposit["amount"]))
            signing = roots.signing_root(root, roots.DOMAIN_DEPOSIT, version)
            require(bls.Verify(raw(deposit["pubkey"]), signing, raw(deposit["signature"])), "a deposit's signature")


def registrations(lock: dict):
    definition = lock["cluster_definition"]
    gas, genesis = definition.get("target_gas_limit") or 30_000_000, network(definition)[2]
    for entry, agreed in zip(lock["distributed_validators"], definition["validators"], strict=True):
        message = entry["builder_registration"]["message"]
        require(message["pubkey"] == entry["distributed_public_key"], "a registration of another key")
        require(message["fee_recipient"].lower() == agreed["fee_recipient_address"].lower(), "another fee recipient")
        require((message["gas_limit"], message["timestamp"]) == (gas, genesis), "another gas limit or timestamp")
        signing = roots.signing_root(registration_root(message), roots.DOMAIN_APPLICATION_BUILDER, raw(definition["fork_version"]))
        signature = raw(entry["builder_registration"]["signature"])
        require(bls.Verify(raw(message["pubkey"]), signing, signature), "a registration's signature")


def spelled(lock: dict):
    """Addresses in the spelling that Charon's own commands demand."""
    definition = lock["cluster_definition"]
    own = [definition["creator"]["address"], *(operator["address"] for operator in definition["operators"])]
    own += [address for validator in definition["validators"] for address in validator.values()]
    require(all(is_checksum_address(address) for address in own if address), "an address without its checksum")


LISTS = {
    "14.1: definition": definition_shape,
    "14.1: config_hash, definition_hash, lock_hash": hashes,
    "14.1: wallets' signatures": wallets,
    "14.1: shares interpolate to their keys": shares,
    "14.1: signature_aggregate of all shares": aggregate,
    "14.1: node signatures and records": nodes,
    "14.4: signed by all, by the creator, or by nobody": flow,
    "14.4: deposits": deposits,
    "14.4 and 14.5: registrations": registrations,
    "addresses are spelled with checksums": spelled,
}


def read(path: pathlib.Path) -> dict:
    return json.loads(path.read_text("utf-8"))


def check_lock(report, path: pathlib.Path):
    lock = report.check(f"{path.name}: is JSON", read, path)
    for what, function in LISTS.items() if lock else ():
        report.check(f"{path.name}, {what}", function, lock)
    return lock


# A node's folder.


def node_folder(folder: pathlib.Path, lock: dict, position: int):
    require(read(folder / "cluster-lock.json") == lock, "another lock than the public one")
    require(read(folder / "cluster-definition.json") == lock["cluster_definition"], "another definition than the lock's")
    text = (folder / "charon-enr-private-key").read_text("ascii")
    require(len(text) == 64 and text == text.lower(), "not 64 lower-case digits")
    key = k1_multiply(G, int(text, 16))
    require(key == node_key(lock["cluster_definition"]["operators"][position]["enr"]), "the key of another node")
    require((folder / "charon-enr-private-key").stat().st_mode & 0o777 == 0o600, "a key that others can read")


def node_keystores(folder: pathlib.Path, lock: dict, position: int):
    validators = lock["distributed_validators"]
    names = {path.name for path in (folder / "validator_keys").iterdir()}
    expected = {f"keystore-{v}.{end}" for v, end in itertools.product(range(len(validators)), ("json", "txt"))}
    require(names == expected, f"{sorted(names ^ expected)}")
    derived: dict = {}
    for v, entry in enumerate(validators):
        path = folder / "validator_keys" / f"keystore-{v}.json"
        keystore, password = eip2335.parse(path), path.with_suffix(".txt").read_bytes()
        require(len(password) == 32, "a password that is not 32 characters")
        place = (keystore.salt, password, keystore.kdf, tuple(sorted(keystore.params.items())))
        if place not in derived:
            derived[place] = eip2335.derive(keystore, password)
        secret = int.from_bytes(eip2335.decrypt(keystore, derived[place]), "big")
        share = entry["public_shares"][position]
        require(bls.SkToPk(secret).hex() == share[2:] == keystore.pubkey.hex(), f"keystore-{v}: another share than the lock's")


def node_deposits(folder: pathlib.Path, lock: dict):
    agreed = [deposit for entry in lock["distributed_validators"] for deposit in entry["partial_deposit_data"]]
    by_name: dict = {}
    for deposit in agreed:
        eth = f"{int(deposit['amount']) / 10**9:.9f}".rstrip("0").rstrip(".")
        name = "deposit-data.json" if eth == "32" else f"deposit-data-{eth}eth.json"
        by_name.setdefault(name, []).append(deposit)
    require({path.name for path in folder.glob("deposit-data*.json")} == set(by_name), "other deposit files")
    for name, expected in by_name.items():
        found = read(folder / name)
        require([row["pubkey"] for row in found] == sorted(row["pubkey"] for row in found), f"{name}: not sorted by key")
        rows = {(row["pubkey"], row["withdrawal_credentials"], row["amount"], row["signature"]) for row in found}
        wanted = {
            (one["pubkey"][2:], one["withdrawal_credentials"][2:], int(one["amount"]), one["signature"][2:]) for one in expected
        }
        require(rows == wanted and len(found) == len(expected), f"{name}: other deposits than the lock's")


def check_cluster(report, folders: dict, points: dict):
    """The lock and every operator's folder, if the ceremony made a cluster; `points` gives positions from 1."""
    first = folders[min(folders)]
    if not (first / "out/public/cluster-lock.json").is_file():
        return
    lock = check_lock(report, first / "out/public/cluster-lock.json")
    for name, folder in sorted(folders.items()) if lock else ():
        node, position = folder / "out/secret/obol", points[name] - 1
        report.check(f"{name}: the node's folder has lock, definition and key", node_folder, node, lock, position)
        report.check(f"{name}: the node's keystores open, and hold the shares of the lock", node_keystores, node, lock, position)
        report.check(f"{name}: the node's deposit files are the lock's", node_deposits, node, lock)


def check_later(report, demo: pathlib.Path):
    """The lock that a demo makes after its reshare, and what each operator's Charon reads. Who has which place, the nodes' keys say."""
    path = demo / "cluster-lock.json"
    if not path.is_file():
        return
    lock = check_lock(report, path)
    nodes_of = [node_key(operator["enr"]) for operator in lock["cluster_definition"]["operators"]] if lock else []
    folders = sorted(demo.glob("*/charon"))
    report.check("as many folders of nodes as operators", require, len(folders) == len(nodes_of), f"{len(folders)} of them")
    for folder in folders:
        name = folder.parent.name
        key = k1_multiply(G, int((folder / "charon-enr-private-key").read_text("ascii"), 16))
        report.check(f"{name}: its node is in the lock", require, key in nodes_of, "it is not")
        if key in nodes_of:
            position = nodes_of.index(key)
            report.check(f"{name}: the node's folder has lock, definition and key", node_folder, folder, lock, position)
            report.check(f"{name}: the node's keystores open, and hold the shares of the lock", node_keystores, folder, lock, position)
