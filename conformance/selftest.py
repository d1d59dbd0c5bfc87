"""Checks the checks: the sample passes, and each damaged copy fails in exactly the checks that are there for it."""

import functools
import json
import pathlib
import shutil
import tempfile
import types

import check
import make_sample as sample
import selftest_obol

SAMPLE = sample.OUT
ALL_OPEN = [f"{name}: keystores open" for name in sorted(sample.OPERATORS)] + ["enough operators to interpolate"]
OPEN = "alice: keystores open"
SHAPE = "deposit-data.json: shape, network, message roots"
TAKEN = "deposit-data.json: ethstaker-deposit takes 2 deposits"
AGREED = "the deposits are those agreed"
REGISTERED = "the registrations are those agreed"
BOUND = "the preregistrations are those agreed"
HELD = "every deposit is of a key that the operators hold"
SIGNED = ["validator 0: its key and signatures are in the deposit file", "validator 1: its key and signatures are in the deposit file"]
# The whole file falls away, and with it the only deposit of validator 1.
UNREAD = [SHAPE, AGREED, REGISTERED, SIGNED[1]]
SHARED = [f"validator {v}: any 3 of 4 operators make one secret, no 2 do" for v in range(2)]


def edit(path: pathlib.Path, change):
    """Rewrites a JSON file, or a text, with what `change` makes of it."""
    text = path.read_text("utf-8")
    if path.suffix != ".json":
        path.write_text(change(text), "utf-8")
        return
    document = json.loads(text)
    path.write_text(json.dumps(change(document) or document, indent=2) + "\n", "utf-8")


def folders(demo: pathlib.Path) -> list:
    return sorted(demo.glob("*/ceremonies/*"))


def everywhere(file: str, change):
    """A damage to the same public file of every operator."""
    return lambda demo: [edit(folder / file, change) for folder in folders(demo)]


def deposits(change):
    return everywhere("out/public/deposit-data.json", change)


def registered(change):
    return everywhere("out/public/registrations.json", change)


def keystores(name: str, change):
    """A damage to one operator's first keystore."""

    def damage(demo: pathlib.Path):
        edit(sorted(demo.glob(f"{name}/ceremonies/*/out/secret/validator_keys/*_0_0_0-*"))[0], change)

    return damage


def flip(text: str) -> str:
    """The last hexadecimal digit changed."""
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def secret_of(validator: int) -> int:
    return sample.scalar(validator, "coefficient", 0)


def reroot(entry: dict):
    message = check.raw_message(entry)
    entry["deposit_message_root"] = check.roots.deposit_message_root(*message).hex()
    entry["deposit_data_root"] = check.roots.deposit_data_root(*message, bytes.fromhex(entry["signature"])).hex()


def amount(entries: list):
    entries[1]["amount"] = 31 * 10**9
    reroot(entries[1])


def stolen_address(entries: list):
    """Signed by the validator's own key, so that only the agreement tells."""
    message = bytes.fromhex(entries[1]["pubkey"]), b"\x01" + bytes(11) + b"\xaa" * 20, 32 * 10**9
    root = check.roots.signing_root(
        check.roots.deposit_message_root(*message), check.roots.DOMAIN_DEPOSIT, sample.HOODI
    )
    entries[1]["withdrawal_credentials"] = message[1].hex()
    entries[1]["signature"] = check.bls.Sign(secret_of(1), root).hex()
    reroot(entries[1])


def infinity(entries: list):
    entries[1]["pubkey"], entries[1]["signature"] = "c0" + "00" * 47, "c0" + "00" * 95
    reroot(entries[1])


def flip_field(field: str, at: int = 1):
    def change(entries: list):
        entries[at][field] = flip(entries[at][field])

    return change


def tampered_signature(entries: list):
    """Off the curve or out of the subgroup, with roots that fit."""
    flip_field("signature")(entries)
    reroot(entries[1])


def relabelled(entries: list):
    for entry in entries:
        entry["fork_version"], entry["network_name"] = "00000000", "mainnet"


def set_field(field: str, value, at: int = 1):
    def change(entries: list):
        entries[at][field] = value

    return change


def message_field(field: str, value):
    def change(items: list):
        items[0]["message"][field] = value

    return change


def crypto(module: str, field: str, change):
    def damage(document: dict):
        part = document["crypto"][module]
        part = part["params"] if field in part["params"] else part
        part[field] = change(part[field])

    return damage


def top(field: str, value):
    def damage(document: dict):
        document[field] = value

    return damage


def new_shares(polynomial_of):
    """Keystores in order, over other polynomials: `polynomial_of(name, validator)`."""

    def damage(demo: pathlib.Path):
        for path in demo.glob("*/ceremonies/*/out/secret/validator_keys/*.json"):
            name, validator = path.relative_to(demo).parts[0], int(path.name.split("_")[3])
            point = sample.OPERATORS[name]
            share = sum(c * point**k for k, c in enumerate(polynomial_of(name, validator))) % check.ORDER
            sample.write(path, sample.keystore(name, validator, share))

    return damage


def coefficients(validator: int, count: int) -> list:
    return [sample.scalar(validator, "coefficient", k) for k in range(count)]


def one_wrong(name: str, validator: int) -> list:
    own = coefficients(validator, 3)
    return [own[0] + 1, *own[1:]] if (name, validator) == ("dave", 1) else own


def remove(pattern: str):
    def damage(demo: pathlib.Path):
        for path in demo.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def copy_shares(demo: pathlib.Path):
    """Dave holds Carol's shares."""
    for path in demo.glob("carol/ceremonies/*/out/secret/validator_keys/*.json"):
        shutil.copy(path, str(path).replace("/carol/", "/dave/"))


def extra_public(demo: pathlib.Path):
    (folders(demo)[1] / "out/public/extra.json").write_text("{}")


def other_threshold(demo: pathlib.Path):
    edit(folders(demo)[-1] / "ceremony.toml", lambda text: text.replace("threshold = 3", "threshold = 2"))


def swapped_points(demo: pathlib.Path):
    for folder in folders(demo):
        swap = {"point = 2": "point = 3", "point = 3": "point = 2"}
        edit(folder / "ceremony.toml", lambda text: "\n".join(swap.get(line, line) for line in text.split("\n")))


def mistyped_card(demo: pathlib.Path):
    for folder in folders(demo):
        edit(folder / "ceremony.toml", lambda text: text.replace("quorate1q", "quorate1p", 1))


def mistyped_address(demo: pathlib.Path):
    for folder in folders(demo):
        edit(folder / "ceremony.toml", lambda text: text.replace(sample.ADDRESS, sample.ADDRESS[:-1] + "5"))


def preregistered(change, agreed: bool = True):
    """The sample's own keys, bound to the credentials of their deposits; then a change to that file."""

    def entry(validator: int, deposit: dict) -> dict:
        return bound(validator, bytes.fromhex(deposit["withdrawal_credentials"]), check.roots.DOMAIN_PREREGISTRATION, HOODI_ROOT)

    def damage(demo: pathlib.Path):
        for folder in folders(demo):
            deposits = {}
            for path in (folder / "out/public").glob("deposit-data*.json"):
                deposits |= {deposit["pubkey"]: deposit for deposit in json.loads(path.read_text())}
            keys = [check.bls.SkToPk(secret_of(v)).hex() for v in range(len(deposits))]
            entries = [entry(v, deposits[key]) for v, key in enumerate(keys)]
            document = json.dumps(change(entries) or entries, indent=2) + "\n"
            (folder / "out/public/preregistrations-draft.json").write_text(document)
            if agreed:
                edit(folder / "ceremony.toml", lambda text: text + '\n[preregistration]\ndraft = "2026-08-17"\n')

    return damage


HOODI_ROOT = bytes.fromhex(check.agreed.ROOTS["hoodi"])


def bound(validator: int, credentials: bytes, domain: bytes, root: bytes) -> dict:
    """Signed by the validator's key, under whatever domain is asked for."""
    secret = secret_of(validator)
    pubkey = check.bls.SkToPk(secret)
    signed = check.roots.signing_root(check.roots.preregistration_root(pubkey, credentials), domain, sample.HOODI, root)
    fields = {"pubkey": pubkey, "withdrawal_credentials": credentials, "signature": check.bls.Sign(secret, signed)}
    return {name: "0x" + value.hex() for name, value in fields.items()}


def other_binding(credentials: bytes | None, domain: str, root: bytes):
    """The second entry signed otherwise, and rightly by itself."""

    def change(entries: list):
        own = bytes.fromhex(entries[1]["withdrawal_credentials"][2:])
        entries[1] = bound(1, credentials or own, bytes.fromhex(domain), root)

    return change


# What is damaged, how, and which checks fail by it. The check that catches a damage alone is the reason for having it.
DAMAGES = [
    ("deposit: signature altered", deposits(tampered_signature), [TAKEN, SIGNED[1], HELD]),
    ("deposit: amount altered, roots recomputed", deposits(amount), [TAKEN, AGREED, SIGNED[1], HELD]),
    ("deposit: another address, signed by the validator's key", deposits(stolen_address), [AGREED]),
    ("deposit: data root altered", deposits(flip_field("deposit_data_root")), [TAKEN]),
    ("deposit: message root altered", deposits(flip_field("deposit_message_root")), UNREAD),
    ("deposit: fork version and name of mainnet", deposits(relabelled), UNREAD),
    ("deposit: network name only", deposits(set_field("network_name", "mainnet")), UNREAD),
    ("deposit: amount as a string", deposits(set_field("amount", "32000000000")), UNREAD),
    ("deposit: one object, no array", deposits(lambda entries: entries[0]), UNREAD),
    ("deposit: key and signature at infinity", deposits(infinity), [TAKEN, REGISTERED, SIGNED[1], HELD]),
    ("deposit: one is missing", deposits(lambda entries: entries[:1]), [AGREED, REGISTERED, SIGNED[1]]),
    (
        "deposit: a stranger's key",
        deposits(lambda entries: [entries[0], sample.deposit(7, 1, 32 * 10**9)]),
        [REGISTERED, SIGNED[1], HELD],
    ),
    ("registration: signature altered", registered(flip_field("signature", 0)), [REGISTERED]),
    ("registration: gas limit altered", registered(message_field("gas_limit", "36000001")), [REGISTERED]),
    ("registration: gas limit as a number", registered(message_field("gas_limit", 36000000)), [REGISTERED]),
    ("registration: fee recipient altered", registered(message_field("fee_recipient", "0x" + "aa" * 20)), [REGISTERED]),
    ("registration: missing", remove("*/ceremonies/*/out/public/registrations.json"), [REGISTERED]),
    ("preregistration: as agreed", preregistered(lambda entries: None), []),
    ("preregistration: not agreed", preregistered(lambda entries: None, agreed=False), [BOUND]),
    ("preregistration: signature altered", preregistered(flip_field("signature")), [BOUND]),
    ("preregistration: credentials altered", preregistered(flip_field("withdrawal_credentials")), [BOUND]),
    ("preregistration: keys exchanged", preregistered(lambda e: [{**e[0], "pubkey": e[1]["pubkey"]}, {**e[1], "pubkey": e[0]["pubkey"]}]), [BOUND]),
    ("preregistration: other credentials, signed", preregistered(other_binding(b"\x01" + bytes(11) + b"\xaa" * 20, "11000000", HOODI_ROOT)), [BOUND]),
    ("preregistration: the domain of deposits", preregistered(other_binding(None, "03000000", HOODI_ROOT)), [BOUND]),
    ("preregistration: without the validators root", preregistered(other_binding(None, "11000000", bytes(32))), [BOUND]),
    ("preregistration: one is missing", preregistered(lambda entries: entries[:1]), [BOUND]),
    ("preregistration: one twice", preregistered(lambda entries: [*entries, entries[0]]), [BOUND]),
    ("preregistration: a field more", preregistered(set_field("amount", 1)), [BOUND]),
    ("public: a file more", extra_public, ["bob: the public folder of alice, byte for byte"]),
    ("public: nothing", remove("carol/ceremonies/*/out/public"), ["carol: the public folder of alice, byte for byte"]),
    ("ceremony: one operator has another threshold", other_threshold, ["dave: the ceremony file of alice"]),
    ("ceremony: two points swapped", swapped_points, [*SHARED, HELD]),
    ("ceremony: a card with a typing error", mistyped_card, ["ceremony.toml is read"]),
    ("ceremony: an address with a typing error", mistyped_address, ["ceremony.toml is read"]),
    ("operator: one is missing", remove("bob"), ["every operator has outputs"]),
    ("keystore: iv altered", keystores("alice", crypto("cipher", "iv", flip)), [OPEN]),
    ("keystore: ciphertext altered", keystores("alice", crypto("cipher", "message", flip)), [OPEN]),
    ("keystore: checksum altered", keystores("alice", crypto("checksum", "message", flip)), [OPEN]),
    ("keystore: salt altered", keystores("alice", crypto("kdf", "salt", flip)), [OPEN]),
    ("keystore: cost altered", keystores("alice", crypto("kdf", "n", lambda n: 2 * n)), [OPEN]),
    ("keystore: cost out of bounds", keystores("alice", crypto("kdf", "n", lambda n: 2**40)), [OPEN]),
    ("keystore: another key's pubkey", keystores("alice", top("pubkey", check.bls.SkToPk(7).hex())), [OPEN]),
    ("keystore: empty path", keystores("alice", top("path", "")), [OPEN]),
    ("keystore: path of another validator", keystores("alice", top("path", "m/12381/3600/1/0/0")), [OPEN]),
    ("keystore: version 3", keystores("alice", top("version", 3)), [OPEN]),
    ("keystore: unknown field", keystores("alice", top("name", "alice")), [OPEN]),
    ("keystore: uuid in capitals", keystores("alice", lambda d: {**d, "uuid": d["uuid"].upper()}), [OPEN]),
    (
        "keystore: one is missing",
        remove("alice/ceremonies/*/out/secret/validator_keys/*_1_0_0-*"),
        ["alice: one share of each of 2 validators"],
    ),
    ("shares: one operator holds another's", copy_shares, [*SHARED, HELD]),
    ("shares: one is off the polynomial", new_shares(one_wrong), [SHARED[1], HELD]),
    ("shares: fewer operators suffice", new_shares(lambda name, v: coefficients(v, 2)), [*SHARED, HELD]),
    ("shares: more operators are needed", new_shares(lambda name, v: coefficients(v, 4)), [*SHARED, HELD]),
    (
        "shares: of other secrets",
        new_shares(lambda name, v: coefficients(v + 2, 3)),
        [*SIGNED, HELD],
    ),
]


def outcome(demo: pathlib.Path, password: str = sample.PASSPHRASE, allow_weak: bool = True) -> list:
    """The checks that fail."""
    report = check.Report(quiet=True)
    check.check_demo(report, demo, password, allow_weak)
    return report.failures


def fails_exactly(got: list, wanted: list):
    lacking, extra = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
    check.require(not lacking and not extra, f"did not fail: {lacking}; failed too: {extra}")


def damaged(damage, wanted: list):
    with tempfile.TemporaryDirectory() as scratch:
        demo = pathlib.Path(scratch) / "demo"
        shutil.copytree(SAMPLE, demo)
        damage(demo)
        fails_exactly(outcome(demo), wanted)


OUTSIDE = SAMPLE.parent / "ethereum"


def opened(path: pathlib.Path, password: str) -> bytes:
    """The secret in a keystore of others, if it is the one of its public key."""
    parsed = check.eip2335.parse(path)
    secret = check.eip2335.decrypt(parsed, check.eip2335.derive(parsed, check.eip2335.password_bytes(password)))
    number = int.from_bytes(secret, "big")
    check.require(0 < number < check.ORDER and check.bls.SkToPk(number) == parsed.pubkey, "not the secret of the public key")
    return secret


def erc_vector(path: pathlib.Path):
    """The ERC's own test cases. Their path is not a validator's, so another stands in for it; nothing depends on it."""
    password = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch) / path.name
        shutil.copy(path, copy)
        edit(copy, top("path", "m/12381/3600/0/0/0"))
        secret = opened(copy, password).hex()
    check.require(secret == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", f"another secret: {secret}")


def normalisation(path: pathlib.Path):
    cases = json.loads(path.read_text())
    check.require(len(cases) == 23, f"{len(cases)} cases")
    for case in cases:
        got = check.eip2335.password_bytes(bytes.fromhex(case["password_utf8"]).decode()).hex()
        check.require(got == case["processed"], f"{case['password_utf8']} becomes {got}")


def refused(function, *arguments):
    try:
        function(*arguments)
    except (check.Fault, check.eip2335.KeystoreError):
        return
    raise check.Fault("taken")


def strictly_opened(path: pathlib.Path):
    check.require(check.eip2335.parse(path).is_standard, "key derivation below the standard")
    opened(path, "dkg-test-password-2" if path.name == "wrong-password.json" else "dkg-test-password-1")


def deposit_file(path: pathlib.Path, network: str):
    chain = check.agreed.ALL_CHAINS[network]
    check.deposit_verdicts(check.deposit_shape(path, chain), chain)


def others(report: check.Report):
    """Files that others made, good ones and bad ones."""
    files = sorted(OUTSIDE.glob("keystores/*.json"))
    for path in files:
        report.check(f"others: {path.name} opens", strictly_opened, path)
    for path in sorted(OUTSIDE.glob("eip2335/test*.json")):
        report.check(f"others: {path.name} opens", erc_vector, path)
    report.check("others: passwords", normalisation, OUTSIDE / "eip2335/normalization.json")
    bad = sorted(OUTSIDE.glob("tampered/keystore/*.json"))
    for path in bad:
        report.check(f"others: {path.name} is refused", refused, strictly_opened, path)
    deposits = sorted(OUTSIDE.glob("deposits/*.json"))
    for path in deposits:
        network = path.name.split("-")[0]
        if path.name == "hoodi-00.json":
            report.check(f"others: {path.name} is refused", refused, deposit_file, path, network)
        else:
            report.check(f"others: {path.name} is taken", deposit_file, path, network)
    tampered = sorted(OUTSIDE.glob("tampered/deposit/*.json"))
    for path in tampered:
        report.check(f"others: {path.name} is refused", refused, deposit_file, path, "hoodi")
    counts = [len(files), len(bad), len(deposits), len(tampered)]
    report.check("others: none left out", check.require, counts == [3, 11, 7, 18], f"found {counts}")


def run(report: check.Report):
    # Most damages leave most signatures as they are: each is judged once.
    of_json = functools.cache(lambda entry, chain: validate_deposit(json.loads(entry), chain))
    validate_deposit, bls = check.validate_deposit, check.bls
    check.validate_deposit = lambda entry, chain: of_json(json.dumps(entry), chain)
    check.bls = types.SimpleNamespace(
        SkToPk=functools.cache(bls.SkToPk), Sign=functools.cache(bls.Sign), Verify=functools.cache(bls.Verify)
    )
    report.check("the sample passes", lambda: fails_exactly(outcome(SAMPLE), []))
    wrong = lambda: fails_exactly(outcome(SAMPLE, password="another"), ALL_OPEN)
    report.check("another passphrase", wrong)
    weak = lambda: fails_exactly(outcome(SAMPLE, allow_weak=False), ALL_OPEN)
    report.check("key derivation below the standard, when not allowed", weak)
    report.check("an empty folder", damaged, remove("*"), ["there are outputs"])
    for what, damage, wanted in DAMAGES:
        report.check(what, damaged, damage, wanted)
    others(report)
    selftest_obol.run(report)
