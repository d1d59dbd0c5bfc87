"""Judges the outputs of a finished ceremony with other people's software.

Nothing here shares code with the project: deposits are judged by ethstaker-deposit, curve arithmetic is py_ecc's, keystores are
opened by a reader written from the ERC, and shares are interpolated over plain integers.
"""

import hashlib
import itertools
import json
import math
import os
import pathlib
import random
import re
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import ceremony as agreed
import keystore as eip2335
import obol
import roots
from ethstaker_deposit.key_handling.keystore import Keystore as EthstakerKeystore
from ethstaker_deposit.utils.validation import validate_deposit
from jsonschema.exceptions import ValidationError
from py_ecc.bls import G2ProofOfPossession as bls

# The order of the group that secrets live in.
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
# Subsets of operators tried for one validator; beyond, a sample that is the same in every run.
MOST_SUBSETS = 1000

DEPOSIT_FIELDS = {
    "pubkey": 96,
    "withdrawal_credentials": 64,
    "amount": None,
    "signature": 192,
    "deposit_message_root": 64,
    "deposit_data_root": 64,
    "fork_version": 8,
    "network_name": None,
    "deposit_cli_version": None,
}


class Fault(Exception):
    """Why a check fails, as a sentence."""


class Report:
    """Counts checks, and prints a line for each."""

    def __init__(self, quiet: bool = False):
        self.passed, self.failures, self.quiet = 0, [], quiet

    def check(self, what: str, function, *arguments):
        """Runs one check: it passes unless it raises. Gives its value, or None if it failed."""
        try:
            value = function(*arguments)
        except Exception as error:  # noqa: BLE001 (what a check did not foresee is a failure too, and the others still run)
            self.failures.append(what)
            foreseen = isinstance(error, (Fault, agreed.CeremonyError, eip2335.KeystoreError, obol.ObolError, OSError))
            self.say(f"FAIL  {what}: {error if foreseen else repr(error)}")
            return None
        self.passed += 1
        self.say(f"ok    {what}")
        return value

    def say(self, line: str):
        if not self.quiet:
            print(line, flush=True)


def require(condition, sentence: str):
    if not condition:
        raise Fault(sentence)


def load(path: pathlib.Path):
    try:
        return json.loads(path.read_text("utf-8"), object_pairs_hook=eip2335.no_duplicates)
    except ValueError as error:
        raise Fault(f"not JSON: {error}") from error


# Deposits and registrations


def deposit_shape(path: pathlib.Path, chain) -> list:
    """What the launchpad asks of the shape, and what no tool looks at: network, fork version, the message root."""
    entries = load(path)
    require(isinstance(entries, list) and entries, "not a JSON array with something in it")
    for at, entry in enumerate(entries):
        require(isinstance(entry, dict) and set(entry) == set(DEPOSIT_FIELDS), f"entry {at}: not the nine fields")
        for field, digits in DEPOSIT_FIELDS.items():
            value = entry[field]
            if field == "amount":
                require(type(value) is int, f"entry {at}: amount is not an integer")
            else:
                require(isinstance(value, str) and value, f"entry {at}: {field} is not a string")
            if digits is not None:
                require(re.fullmatch(f"[0-9a-f]{{{digits}}}", value), f"entry {at}: {field} is not {digits} hexadecimal digits")
        require(entry["network_name"] == chain.NETWORK_NAME, f"entry {at}: network {entry['network_name']}")
        require(entry["fork_version"] == chain.GENESIS_FORK_VERSION.hex(), f"entry {at}: fork version {entry['fork_version']}")
        root = roots.deposit_message_root(*raw_message(entry))
        require(entry["deposit_message_root"] == root.hex(), f"entry {at}: deposit_message_root is not the root of the entry")
    return entries


def raw_message(entry: dict) -> tuple:
    return bytes.fromhex(entry["pubkey"]), bytes.fromhex(entry["withdrawal_credentials"]), entry["amount"]


def deposit_verdicts(entries: list, chain):
    """The verdict of ethstaker-deposit on each entry alone: a later deposit's signature is never looked at on chain."""
    for at, entry in enumerate(entries):
        try:
            verdict = validate_deposit(entry, chain)
        except Exception as error:  # noqa: BLE001 (whatever it raises is its way to refuse)
            raise Fault(f"entry {at}: {type(error).__name__}: {error}") from error
        require(verdict is True, f"entry {at}: refused")


def deposits_as_agreed(entries: list, ceremony: agreed.Ceremony):
    """As many validators as agreed, each with the credentials and amounts of one that was agreed."""
    by_key: dict = {}
    for entry in entries:
        by_key.setdefault(entry["pubkey"], []).append((entry["withdrawal_credentials"], entry["amount"]))
    found = Counter(tuple(sorted(deposits)) for deposits in by_key.values())
    wanted = Counter(tuple(sorted((v.credentials.hex(), a) for a in v.amounts)) for v in ceremony.validators)
    require(found == wanted, f"not what the ceremony file says: {(found - wanted) or 'nothing'} instead of {wanted - found}")


def registrations(path: pathlib.Path, entries: list, ceremony: agreed.Ceremony):
    """Every registration that was agreed, signed by a key of the deposit file, in the shape of the builder API."""
    wanted = Counter(v.registration for v in ceremony.validators if v.registration)
    require(path.exists() == bool(wanted), "registrations.json is there without being agreed, or is missing")
    if not wanted:
        return
    keys, found = {entry["pubkey"] for entry in entries}, Counter()
    for at, item in enumerate(load(path)):
        require(isinstance(item, dict) and set(item) == {"message", "signature"}, f"entry {at}: not a signed registration")
        message = item["message"]
        names = {"fee_recipient", "gas_limit", "timestamp", "pubkey"}
        require(isinstance(message, dict) and set(message) == names, f"entry {at}: not the four fields")
        texts = [*message.values(), item["signature"]]
        require(all(isinstance(text, str) for text in texts), f"entry {at}: the API has strings only")
        for field, digits in (("fee_recipient", 40), ("pubkey", 96)):
            require(re.fullmatch(f"0x[0-9a-fA-F]{{{digits}}}", message[field]), f"entry {at}: {field}")
        require(re.fullmatch("0x[0-9a-f]{192}", item["signature"]), f"entry {at}: signature")
        for field in ("gas_limit", "timestamp"):
            require(re.fullmatch("0|[1-9][0-9]{0,19}", message[field]), f"entry {at}: {field} is not a decimal string")
        recipient, pubkey = bytes.fromhex(message["fee_recipient"][2:]), bytes.fromhex(message["pubkey"][2:])
        limit, timestamp = int(message["gas_limit"]), int(message["timestamp"])
        require(pubkey.hex() in keys, f"entry {at}: a key without a deposit")
        keys.discard(pubkey.hex())
        root = roots.registration_root(recipient, limit, timestamp, pubkey)
        signed = roots.signing_root(root, roots.DOMAIN_APPLICATION_BUILDER, ceremony.chain.GENESIS_FORK_VERSION)
        require(bls.Verify(pubkey, signed, bytes.fromhex(item["signature"][2:])), f"entry {at}: the signature does not verify")
        found[(recipient, limit, timestamp)] += 1
    require(found == wanted, f"not what the ceremony file says: {dict(found)} instead of {dict(wanted)}")


def preregistrations(path: pathlib.Path, entries: list, ceremony: agreed.Ceremony):
    """If they were agreed, each key of the deposit files is bound to the credentials of its deposits, by its own signature. A draft: EIP-8205."""
    require(path.exists() == (ceremony.preregistration is not None), f"{path.name} is there without being agreed, or is missing")
    if ceremony.preregistration is None:
        return
    deposited, found = {entry["pubkey"]: entry["withdrawal_credentials"] for entry in entries}, {}
    for at, entry in enumerate(load(path)):
        fields = {"pubkey": 96, "withdrawal_credentials": 64, "signature": 192}
        require(isinstance(entry, dict) and list(entry) == list(fields), f"entry {at}: not the three fields")
        for field, digits in fields.items():
            text = entry[field]
            require(isinstance(text, str) and re.fullmatch(f"0x[0-9a-f]{{{digits}}}", text), f"entry {at}: {field}")
        pubkey, credentials, signature = (bytes.fromhex(entry[field][2:]) for field in fields)
        require(pubkey.hex() not in found, f"entry {at}: the key is there twice")
        found[pubkey.hex()] = credentials.hex()
        root = roots.preregistration_root(pubkey, credentials)
        signed = roots.signing_root(root, roots.DOMAIN_PREREGISTRATION, ceremony.chain.GENESIS_FORK_VERSION, ceremony.preregistration)
        require(bls.Verify(pubkey, signed, signature), f"entry {at}: the signature does not verify")
    require(found == deposited, "not the keys and credentials of the deposits")


# Keystores and shares


def operator_shares(folder: pathlib.Path, password: str, allow_weak: bool) -> dict:
    """One operator's shares by validator, each the secret of the public key that its keystore names."""
    secrets, keys = {}, {}
    files = sorted(folder.glob("*"))
    require(files, f"no keystores in {folder}")
    for path in files:
        require(re.fullmatch("keystore-m_12381_3600_[0-9]+_0_0-[0-9]+[.]json", path.name), f"{path.name}: not a keystore's name")
        try:
            EthstakerKeystore.from_json(json.loads(path.read_text("utf-8")))
        except (ValidationError, ValueError, KeyError) as error:
            raise Fault(f"{path.name}: refused by ethstaker-deposit: {str(error).splitlines()[0]}") from error
        try:
            parsed = eip2335.parse(path)
            require(parsed.is_standard or allow_weak, f"{path.name}: {parsed.kdf} with {parsed.params}, which clients may refuse")
            # One derivation serves the keystores of a run, which have one salt.
            of_kdf = (parsed.kdf, parsed.salt, tuple(sorted(parsed.params.items())))
            if of_kdf not in keys:
                keys[of_kdf] = eip2335.derive(parsed, eip2335.password_bytes(password))
            secret = int.from_bytes(eip2335.decrypt(parsed, keys[of_kdf]), "big")
        except eip2335.KeystoreError as error:
            raise Fault(f"{path.name}: {error}") from error
        require(f"_3600_{parsed.validator}_0_0-" in path.name, f"{path.name}: path of validator {parsed.validator}")
        require(parsed.validator not in secrets, f"{path.name}: a second share of validator {parsed.validator}")
        require(0 < secret < ORDER, f"{path.name}: the secret is not a scalar")
        require(bls.SkToPk(secret) == parsed.pubkey, f"{path.name}: the secret is not that of the public key in the file")
        secrets[parsed.validator] = secret
    return secrets


def at_zero(shares: list) -> int:
    """The value at zero of the polynomial through the points (x, y)."""
    total = 0
    for i, (x_i, y_i) in enumerate(shares):
        term = y_i
        for j, (x_j, _) in enumerate(shares):
            if i != j:
                term = term * x_j % ORDER * pow(x_j - x_i, -1, ORDER) % ORDER
        total = (total + term) % ORDER
    return total


def subsets(operators: list, size: int):
    """All subsets of that size, or a fixed sample of them."""
    if math.comb(len(operators), size) <= MOST_SUBSETS:
        return list(itertools.combinations(operators, size))
    chosen = random.Random(0)
    return [tuple(sorted(chosen.sample(operators, size))) for _ in range(MOST_SUBSETS)]


def reconstruct(shares: dict, threshold: int) -> tuple:
    """The secret on which all subsets of `threshold` operators agree; `shares` maps an operator to (point, share)."""
    enough = subsets(sorted(shares), threshold)
    secrets = {at_zero([shares[name] for name in subset]) for subset in enough}
    require(len(secrets) == 1, f"{len(enough)} subsets of {threshold} operators give {len(secrets)} different secrets")
    (secret,) = secrets
    require(secret != 0, "the secret is zero")
    few = subsets(sorted(shares), threshold - 1)
    for subset in few:
        require(at_zero([shares[name] for name in subset]) != secret, f"{', '.join(subset)} alone give the secret")
    return secret, len(enough), len(few)


def signs_as_the_file(secret: int, entries: list, chain) -> str:
    """The key of the interpolated secret is in the deposit file, with the very signatures that it makes (BLS is deterministic)."""
    pubkey = bls.SkToPk(secret).hex()
    own = [entry for entry in entries if entry["pubkey"] == pubkey]
    require(own, f"no deposit for {pubkey}, the public key of the interpolated secret")
    for entry in own:
        root = roots.deposit_message_root(*raw_message(entry))
        signed = bls.Sign(secret, roots.signing_root(root, roots.DOMAIN_DEPOSIT, chain.GENESIS_FORK_VERSION))
        require(signed.hex() == entry["signature"], f"another signature than the interpolated secret's, for {entry['amount']} Gwei")
    return pubkey


# One ceremony


def tree(folder: pathlib.Path) -> dict:
    require(folder.is_dir(), f"{folder} is not there")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    require(files, f"nothing in {folder}")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def same_public(first: pathlib.Path, other: pathlib.Path):
    one, two = tree(first / "out/public"), tree(other / "out/public")
    # The page says which operator made it. It has to be there, and nothing depends on it.
    for files in (one, two):
        if "report.html" in files:
            files["report.html"] = "a page"
    differing = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
    require(not differing, f"differs in {', '.join(differing)}")


def same_ceremony(first: agreed.Ceremony, other: pathlib.Path):
    require(agreed.read(other / "ceremony.toml") == first, "another ceremony file")


def every_operator(folders: dict, ceremony: agreed.Ceremony):
    require(set(folders) == set(ceremony.names), f"outputs of {sorted(folders)}, operators {sorted(ceremony.names)}")


def check_ceremony(report: Report, identifier: str, folders: dict, password: str, allow_weak: bool):
    """`folders` maps an operator's name to its folder of this ceremony."""
    report.say(f"ceremony {identifier}")
    first = folders[min(folders)]
    ceremony = report.check("ceremony.toml is read", agreed.read, first / "ceremony.toml")
    if ceremony is None:
        return
    report.check("every operator has outputs", every_operator, folders, ceremony)
    for name in sorted(folders)[1:]:
        report.check(f"{name}: the ceremony file of {min(folders)}", same_ceremony, ceremony, folders[name])
        report.check(f"{name}: the public folder of {min(folders)}, byte for byte", same_public, first, folders[name])

    entries = []
    for path in sorted((first / "out/public").glob("deposit-data*.json")):
        found = report.check(f"{path.name}: shape, network, message roots", deposit_shape, path, ceremony.chain)
        if found:
            report.check(f"{path.name}: ethstaker-deposit takes {len(found)} deposits", deposit_verdicts, found, ceremony.chain)
            entries += found
    if ceremony.keys:
        report.check("a ceremony that makes no keys signs no deposits", require, not entries, "there are deposit files")
    else:
        report.check("the deposits are those agreed", deposits_as_agreed, entries, ceremony)
        report.check("the registrations are those agreed", registrations, first / "out/public/registrations.json", entries, ceremony)

    path = first / "out/public/preregistrations-draft.json"
    report.check("the preregistrations are those agreed", preregistrations, path, entries, ceremony)

    known = sorted(set(folders) & set(ceremony.points))
    jobs = {name: (operator_shares, folders[name] / "out/secret/validator_keys", password, allow_weak) for name in known}
    if allow_weak:
        shares = {name: report.check(f"{name}: keystores open", *job) for name, job in jobs.items()}
    else:
        # Standard scrypt takes 256 MiB and a second for each operator.
        with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
            running = {name: pool.submit(*job) for name, job in jobs.items()}
            shares = {name: report.check(f"{name}: keystores open", job.result) for name, job in running.items()}
    shares = {name: found for name, found in shares.items() if found is not None}
    check_shares(report, ceremony, shares, entries)
    obol.check_cluster(report, {name: folders[name] for name in known}, ceremony.points)


def check_shares(report: Report, ceremony: agreed.Ceremony, shares: dict, entries: list):
    """From the shares of all operators to the keys in the deposit file."""

    def complete(found: dict):
        require(set(found) == set(range(len(ceremony.validators))), f"shares of validators {sorted(found)}")

    for name, found in shares.items():
        report.check(f"{name}: one share of each of {len(ceremony.validators)} validators", complete, found)
    if len(shares) < ceremony.threshold:
        report.check("enough operators to interpolate", require, False, f"{len(shares)} of {ceremony.threshold}")
        return
    seen = set()
    for validator in range(len(ceremony.validators)):
        own = {name: (ceremony.points[name], found[validator]) for name, found in shares.items() if validator in found}
        label = f"validator {validator}: any {ceremony.threshold} of {len(own)} operators make one secret, no {ceremony.threshold - 1} do"
        result = report.check(label, reconstruct, own, ceremony.threshold)
        if result is None:
            continue
        if ceremony.keys:
            own_key, key = bls.SkToPk(result[0]).hex(), ceremony.keys[validator]
            report.check(f"validator {validator}: the secret is that of its key", require, own_key == key, f"of {own_key}")
            continue
        label = f"validator {validator}: its key and signatures are in the deposit file"
        seen.add(report.check(label, signs_as_the_file, result[0], entries, ceremony.chain))
    missing = {entry["pubkey"] for entry in entries} - seen
    report.check("every deposit is of a key that the operators hold", require, not missing, f"nobody holds {sorted(missing)}")


def check_demo(report: Report, demo: pathlib.Path, password: str, allow_weak: bool):
    ceremonies: dict = {}
    for path in sorted(demo.glob("*/ceremonies/*")):
        if path.is_dir() and re.fullmatch("[0-9a-f]{16}", path.name):
            ceremonies.setdefault(path.name, {})[path.parent.parent.name] = path
    if not ceremonies:
        report.check("there are outputs", require, False, f"no <operator>/ceremonies/<16 digits> below {demo}")
    for identifier, folders in sorted(ceremonies.items()):
        check_ceremony(report, identifier, folders, password, allow_weak)
    obol.check_later(report, demo)
