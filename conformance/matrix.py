"""Fresh ceremonies on every network in every shape, judged by several engines: a table, rows of outputs, columns of engines.

Every ceremony is made by the program as three operators run it, processes and all: deposits, registrations, keystores; then a voluntary exit by two
of them, and where registrations were agreed a later one. Each output is judged by each engine that knows its kind. Negative controls show that an engine's yes means something.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import check
import clusters
import keystore as eip2335
import roots
from ceremony import GENESIS_TIMES
from ethstaker_deposit.key_handling.keystore import Keystore as EthstakerKeystore
from ethstaker_deposit.settings import ALL_CHAINS, BaseChainSetting
from py_ecc.bls import G2ProofOfPossession as bls

HERE = pathlib.Path(__file__).resolve().parent
OPERATORS = ("alice", "bob", "carol")
PASSPHRASE = "a passphrase for the matrix"
FIRST, SECOND = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
ENGINES = ("ethstaker-deposit", "py_ecc", "lodestar", "bls-keystore")
INDEX = 1804
# The date of later registrations: after every genesis, before Gloas on any network.
LATER = 1_790_000_000

# From the networks' published configurations, written down here a second time.
CAPELLA = {
    "mainnet": ("03000000", "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
    "hoodi": ("40000910", "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"),
    "sepolia": ("90000072", "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"),
    "gnosis": ("03000064", "f5dcb5564e829aab27264b9becd5dfaa017085611224cb3036f573368dbb9d47"),
    "chiado": ("0300006f", "9d642dac73058fbf39c0ae41ab1e34e4d889043cb199851ded7095bc99eb4c1e"),
    "devnet-7": ("40000038", "5a" * 32),
}
DEVNET = {"name": "devnet-7", "genesis_fork_version": "10000038", "genesis_time": 1760000000}


def amounts_of(network: str) -> list:
    return ["0.03125", "1", "8"] if network in ("gnosis", "chiado") else ["1", "32", "256"]


def shapes(network: str) -> dict:
    """What is asked for, as flags of `spec new`."""
    several = [flag for amount in amounts_of(network) for flag in ("--amount", amount)]
    one = ["--validators", "1", "--withdrawal", FIRST]
    return {
        "0x01, one amount": [*one, "--compounding", "false"],
        "0x02, several amounts": [*one, "--compounding", "true", *several],
        "two addresses": [*one, "--validators", "1", "--withdrawal", SECOND, "--compounding", "false"],
        "registrations": [*one, "--compounding", "false", "--fee-recipient", SECOND, "--gas-limit", "45000000", "--preregistration"],
    }


class Program:
    """The program, with an operator's directory."""

    def __init__(self, binary: pathlib.Path, root: pathlib.Path):
        self.binary, self.root = binary, root
        self.passphrase = root / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")
        self.passphrase.chmod(0o600)

    def command(self, operator: str, *arguments) -> list:
        place = ["--dir", str(self.root / operator), "--passphrase-file", str(self.passphrase)]
        return [str(self.binary), "--json", *place, *map(str, arguments)]

    def run(self, operator: str, *arguments) -> dict:
        ended = subprocess.run(self.command(operator, *arguments), capture_output=True, text=True, timeout=300)
        check.require(ended.returncode == 0, f"{arguments[0]} {arguments[1]}: {ended.stderr.strip()}")
        return json.loads(ended.stdout)


def free_ports(count: int) -> list:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def hold(program: Program, cards: dict, network: str, flags: list, folder: pathlib.Path) -> dict:
    """Holds a ceremony. Gives its file and each operator's outputs."""
    ports = dict(zip(OPERATORS, free_ports(len(OPERATORS))))
    file = folder / "ceremony.toml"
    known = network in ALL_CHAINS
    operators = [flag for name in OPERATORS for flag in ("--operator", f"{cards[name]}@127.0.0.1:{ports[name]}")]
    fixed = ["--name", "Matrix", "--network", network if known else "hoodi", "--threshold", "2"]
    program.run("alice", "spec", "new", *fixed, *flags, *operators, "-o", file if known else folder / "draft.toml")
    if not known:
        capella, root = CAPELLA[network]
        table = "".join(
            f"{line}\n"
            for line in (
                "",
                "[network]",
                f'name = "{network}"',
                f'genesis_fork_version = "0x{DEVNET["genesis_fork_version"]}"',
                f'capella_fork_version = "0x{capella}"',
                f'genesis_validators_root = "0x{root}"',
                f"genesis_time = {DEVNET['genesis_time']}",
            )
        )
        draft = (folder / "draft.toml").read_text()
        check.require('network = "hoodi"\n' in draft, "the draft does not name its network")
        file.write_text(draft.replace('network = "hoodi"\n', "") + table)
    agreed = program.run("alice", "spec", "check", file)
    running = []
    for name in OPERATORS:
        flags = ["--yes-fingerprint", agreed["fingerprint"], "--kdf", "pbkdf2", "--listen", f"127.0.0.1:{ports[name]}"]
        command = program.command(name, "run", file, *flags)
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    for name, process in zip(OPERATORS, running):
        _, said = process.communicate(timeout=300)
        check.require(process.returncode == 0, f"{name}: {said.strip()[-500:]}")
    return {name: program.root / name / "ceremonies" / agreed["digest"][:16] / "out" for name in OPERATORS}


def sign_exit(program: Program, outs: dict, folder: pathlib.Path) -> tuple:
    """A voluntary exit of the first validator by two of the three. Its file and the validator's key."""
    transcript = outs["alice"] / "public/transcript.quorate"
    key = json.loads((outs["alice"] / "public/transcript.json").read_text())["validators"][0]["public_key"]
    request, exit_file, partials = folder / "request.json", folder / "exit.json", []
    program.run("alice", "exit", "request", transcript, "--public-key", key, "--index", INDEX, "--public", "-o", request)
    for name in ("alice", "carol"):
        policy = program.root / name / "signing.toml"
        policy.write_text(f'exits = "allow-list"\nallow = ["{key}"]\n')
        policy.chmod(0o600)
        partials.append(folder / f"partial-{name}.json")
        program.run(name, "exit", "sign", request, "--yes", "-o", partials[-1])
    program.run("alice", "exit", "combine", request, "--transcript", transcript, "-o", exit_file, *partials)
    return exit_file, key.removeprefix("0x")


def sign_registration(program: Program, outs: dict, folder: pathlib.Path) -> pathlib.Path:
    """A later registration of all validators by two of the three. Its file."""
    transcript = outs["alice"] / "public/transcript.quorate"
    key = json.loads((outs["alice"] / "public/transcript.json").read_text())["validators"][0]["public_key"]
    request, file, partials = folder / "later-request.json", folder / "later.json", []
    flags = ["--all", "--fee-recipient", SECOND, "--gas-limit", "45000000", "--timestamp", LATER, "--public", "-o", request]
    program.run("alice", "registration", "request", transcript, *flags)
    for name in ("bob", "carol"):
        policy = program.root / name / "signing.toml"
        policy.write_text(f'registrations = "allow-list"\nallow = ["{key}"]\nfee_recipients = ["{SECOND}"]\n')
        policy.chmod(0o600)
        partials.append(folder / f"later-{name}.json")
        program.run(name, "registration", "sign", request, "--yes", "-o", partials[-1])
    program.run("alice", "registration", "combine", request, "--transcript", transcript, "-o", file, *partials)
    return file


# The engines in Python


def chain_of(network: str) -> BaseChainSetting:
    if network in ALL_CHAINS:
        return ALL_CHAINS[network]
    return BaseChainSetting(network, bytes.fromhex(DEVNET["genesis_fork_version"]), b"")


def ethstaker_deposit(job: dict):
    check.deposit_verdicts(json.loads(pathlib.Path(job["file"]).read_text()), chain_of(job["network"]["name"]))


def ethstaker_keystore(job: dict):
    document = json.loads(pathlib.Path(job["file"]).read_text())
    secret = EthstakerKeystore.from_json(document).decrypt(job["password"])
    check.require(bls.SkToPk(int.from_bytes(secret, "big")).hex() == document["pubkey"], "another secret")


def ecc_deposit(job: dict):
    chain = chain_of(job["network"]["name"])
    for at, entry in enumerate(check.deposit_shape(pathlib.Path(job["file"]), chain)):
        root = roots.signing_root(roots.deposit_message_root(*check.raw_message(entry)), roots.DOMAIN_DEPOSIT, chain.GENESIS_FORK_VERSION)
        good = bls.Verify(bytes.fromhex(entry["pubkey"]), root, bytes.fromhex(entry["signature"]))
        check.require(good, f"entry {at}: signature")


def ecc_registration(job: dict):
    version = chain_of(job["network"]["name"]).GENESIS_FORK_VERSION
    entries = json.loads(pathlib.Path(job["file"]).read_text())
    check.require(entries, "no entries")
    for at, entry in enumerate(entries):
        message = entry["message"]
        recipient, pubkey = (bytes.fromhex(message[field][2:]) for field in ("fee_recipient", "pubkey"))
        time = job.get("timestamp") or GENESIS_TIMES.get(job["network"]["name"], DEVNET["genesis_time"])
        check.require((message["gas_limit"], message["timestamp"]) == ("45000000", str(time)), f"entry {at}: not what was agreed")
        root = roots.registration_root(recipient, int(message["gas_limit"]), int(message["timestamp"]), pubkey)
        signed = roots.signing_root(root, roots.DOMAIN_APPLICATION_BUILDER, version)
        check.require(bls.Verify(pubkey, signed, bytes.fromhex(entry["signature"][2:])), f"entry {at}: signature")


def ecc_preregistration(job: dict):
    """A draft: EIP-8205, which no other engine knows yet."""
    version = chain_of(job["network"]["name"]).GENESIS_FORK_VERSION
    entries = json.loads(pathlib.Path(job["file"]).read_text())
    check.require(len(entries) == 1, f"{len(entries)} entries")
    for at, entry in enumerate(entries):
        pubkey, credentials, signature = (bytes.fromhex(entry[field][2:]) for field in ("pubkey", "withdrawal_credentials", "signature"))
        check.require(credentials == b"\x01" + bytes(11) + bytes.fromhex(FIRST[2:]), f"entry {at}: not what was agreed")
        root = roots.preregistration_root(pubkey, credentials)
        signed = roots.signing_root(root, roots.DOMAIN_PREREGISTRATION, version, bytes.fromhex(job["network"]["genesis_validators_root"]))
        check.require(bls.Verify(pubkey, signed, signature), f"entry {at}: signature")


def ecc_exit(job: dict):
    document = json.loads(pathlib.Path(job["file"]).read_text())
    check.require(set(document) == {"message", "signature"}, "not a signed exit")
    check.require(document["message"] == {"epoch": "0", "validator_index": str(INDEX)}, "another message, or not in decimal strings")
    capella, root = CAPELLA[job["network"]["name"]]
    fork_data = roots.pair(bytes.fromhex(capella) + bytes(28), bytes.fromhex(root))
    message = roots.pair(roots.uint64(0), roots.uint64(INDEX))
    signed = roots.pair(message, bytes.fromhex("04000000") + fork_data[:28])
    check.require(bls.Verify(bytes.fromhex(job["pubkey"]), signed, bytes.fromhex(document["signature"][2:])), "signature")


def ecc_keystore(job: dict):
    parsed = eip2335.parse(pathlib.Path(job["file"]))
    check.require(parsed.is_standard, "not the standard key derivation")
    secret = eip2335.decrypt(parsed, eip2335.derive(parsed, eip2335.password_bytes(job["password"])))
    check.require(bls.SkToPk(int.from_bytes(secret, "big")) == parsed.pubkey, "another secret")


PYTHON = {
    ("deposit", "ethstaker-deposit"): ethstaker_deposit,
    ("keystore", "ethstaker-deposit"): ethstaker_keystore,
    ("deposit", "py_ecc"): ecc_deposit,
    ("exit", "py_ecc"): ecc_exit,
    ("keystore", "py_ecc"): ecc_keystore,
    ("registration", "py_ecc"): ecc_registration,
    ("preregistration", "py_ecc"): ecc_preregistration,
}
NODE = {("deposit", "lodestar"), ("exit", "lodestar"), ("registration", "lodestar"), ("keystore", "bls-keystore")}


class Node:
    """The engines in JavaScript: a process for each preset (Gnosis networks have their own), one line for each job and each verdict."""

    def __init__(self):
        self.processes = {}
        if not shutil.which("npm") or not shutil.which("node"):
            print("!! npm or node is not installed: the columns lodestar and bls-keystore are SKIPPED, nothing in them was checked", flush=True)
            return
        installed = HERE / "node_modules/.package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
            print("installing what conformance/package.json names", flush=True)
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=HERE, check=True)
            installed.touch()
        for preset in ("mainnet", "gnosis"):
            command = ["node", str(HERE / "judge.mjs")]
            environment = os.environ | {"LODESTAR_PRESET": preset}
            pipe = subprocess.PIPE
            self.processes[preset] = subprocess.Popen(command, cwd=HERE, stdin=pipe, stdout=pipe, text=True, env=environment)

    def judge(self, job: dict):
        process = self.processes["gnosis" if job["network"]["name"] in ("gnosis", "chiado") else "mainnet"]
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        verdict = json.loads(process.stdout.readline())
        check.require(verdict["ok"], verdict.get("why", "refused"))

    def close(self):
        for process in self.processes.values():
            process.stdin.close()
            process.wait()


class Table:
    """Verdicts by row and engine."""

    def __init__(self, report: check.Report, node: Node):
        self.report, self.node, self.rows, self.skipped = report, node, {}, 0

    def judge(self, row: tuple, job: dict):
        """Shows one output to every engine that knows its kind."""
        for engine in ENGINES:
            what = (job["kind"], engine)
            if what in PYTHON:
                verdict = lambda what=what: PYTHON[what](job)
            elif what in NODE and self.node.processes:
                verdict = lambda: self.node.judge(job)
            else:
                self.skipped += what in NODE
                continue
            before = len(self.report.failures)
            self.report.check(f"{' / '.join(row)}: {engine}, {pathlib.Path(job['file']).name}", verdict)
            taken, shown = self.rows.setdefault(row, {}).get(engine, (0, 0))
            self.rows[row][engine] = (taken + (len(self.report.failures) == before), shown + 1)

    def print(self):
        print(f"\n{'output':<17}{'network':<10}{'shape':<24}" + "".join(f"{engine:<19}" for engine in ENGINES))
        for (kind, network, shape), verdicts in sorted(self.rows.items()):
            cells = (f"{verdicts[e][0]} of {verdicts[e][1]}" if e in verdicts else "-" for e in ENGINES)
            print(f"{kind:<17}{network:<10}{shape:<24}" + "".join(f"{cell:<19}" for cell in cells))
        if self.skipped:
            print(f"!! SKIPPED for want of npm: {self.skipped} verdicts of lodestar and bls-keystore")


# Of the tampered files, those that Lodestar's functions cannot refuse: they take texts without 0x and numbers for strings, and look neither at
# the network that a file names, nor at its shape, nor at the least amount.
NOT_CONTROLS = {
    "deposit/amount-string.json",
    "deposit/below-1-eth.json",
    "deposit/fork-version-field.json",
    "deposit/hex-0x-prefixed.json",
    "deposit/missing-cli-version.json",
    "exit/integers.json",
    "exit/no-0x.json",
    "keystore/empty-path.json",
    "keystore/unknown-field.json",
    "keystore/uuid-upper.json",
    "keystore/version-3.json",
    "keystore/weak-pbkdf2.json",
    "registration/integers.json",
}


def controls(report: check.Report, node: Node):
    """What an engine must refuse, so that what it takes counts: the tampered files of others."""
    if not node.processes:
        return
    outside = HERE.parent / "test-vectors/ethereum/tampered"
    for case in json.loads((outside / "manifest.json").read_text()):
        if case["file"] in NOT_CONTROLS:
            continue
        job = {"kind": case["kind"], "file": str(outside / case["file"]), "network": {"name": case.get("network", "hoodi")}}
        job |= {"pubkey": case.get("pubkey", ""), "password": case.get("password", "")}

        def refused(job=job):
            try:
                node.judge(job)
            except check.Fault:
                return
            raise check.Fault("taken")

        report.check(f"control: {case['file']} is refused in JavaScript", refused)


def run(report: check.Report, binary: pathlib.Path):
    node = Node()
    table = Table(report, node)
    with tempfile.TemporaryDirectory(prefix="quorate-matrix-") as name:
        root = pathlib.Path(name)
        program = Program(binary, root)
        cards = {}
        for operator in OPERATORS:
            cards[operator] = program.run(operator, "identity", "new", "--name", operator, "--kdf-cost", "10")["card"]
        for network, (capella, validators_root) in CAPELLA.items():
            for shape, flags in shapes(network).items():
                folder = root / f"{network}-{len(list(root.iterdir()))}"
                folder.mkdir()
                outs = report.check(f"{network} / {shape}: a ceremony of {len(OPERATORS)}", hold, program, cards, network, flags, folder)
                if outs is None:
                    continue
                of_network = {
                    "name": network,
                    "genesis_fork_version": chain_of(network).GENESIS_FORK_VERSION.hex(),
                    "capella_fork_version": capella,
                    "genesis_validators_root": validators_root,
                }
                public = outs["alice"] / "public"
                files = [("deposit", path) for path in sorted(public.glob("deposit-data*.json"))]
                expected = len(amounts_of(network)) if "several" in shape else 1
                check_count = lambda files=files, expected=expected: check.require(len(files) == expected, f"{len(files)} files")
                report.check(f"{network} / {shape}: a deposit file for each of {expected} amounts", check_count)
                files += [("registration", path) for path in public.glob("registrations.json")]
                files += [("preregistration", path) for path in public.glob("preregistrations-draft.json")]
                wanted = shape == "registrations"
                there = (public / "preregistrations-draft.json").exists()
                report.check(f"{network} / {shape}: preregistrations only if agreed", check.require, there == wanted, "")
                report.check(f"{network} / {shape}: registrations only if agreed", check.require, (public / "registrations.json").exists() == wanted, "")
                for operator in OPERATORS:
                    files += [("keystore", path) for path in sorted((outs[operator] / "secret/validator_keys").iterdir())]
                if wanted:
                    later = report.check(f"{network} / {shape}: a later registration by 2 of 3", sign_registration, program, outs, folder)
                    if later:
                        job = {"kind": "registration", "file": str(later), "network": of_network, "timestamp": LATER}
                        table.judge(("registration", network, f"{shape}, later"), job)
                for kind, path in files:
                    table.judge((kind, network, shape), {"kind": kind, "file": str(path), "network": of_network, "password": PASSPHRASE})
                signed = report.check(f"{network} / {shape}: an exit by 2 of 3", sign_exit, program, outs, folder)
                if signed:
                    path, key = signed
                    table.judge(("exit", network, shape), {"kind": "exit", "file": str(path), "network": of_network, "pubkey": key})
    controls(report, node)
    node.close()
    clusters.run(report, binary)
    table.print()
