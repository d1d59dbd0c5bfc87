"""The exits of all validators of a large ceremony by one request, each verified by the executable consensus specification: how long every command
takes and how much memory, and that a node's list in which a few validators are named wrongly is noticed."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import check

try:
    import beacon
except ImportError as error:  # the specification is a package of its own
    raise SystemExit(f"the executable specification cannot be loaded: {error}") from error

NETWORKS = {
    "hoodi": ("10000910", "40000910", "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"),
    "mainnet": ("00000000", "03000000", "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
}
OPERATORS = ("alice", "bob", "carol", "dave")
SIGNERS = OPERATORS[1:]
EPOCH = 300


class Place:
    """A finished demo, its operators' commands, and what each cost."""

    def __init__(self, binary: pathlib.Path, home: pathlib.Path, network: str, validators: int):
        self.binary, self.home, self.network = binary, home, network
        self.costs: list = []
        shape = ["--validators", str(validators), "--network", network, "--no-keystores"]
        self.command("demo", "demo", "--out", home / "demo", *shape)
        (ceremony,) = (home / "demo/alice/ceremonies").iterdir()
        self.public = ceremony / "out/public"
        (deposits,) = self.public.glob("deposit-data*.json")
        self.deposits = check.load(deposits)
        # The chain has them in another order than the ceremony.
        self.index = {entry["pubkey"]: (7 * number + 3) % validators for number, entry in enumerate(self.deposits)}
        check.require(len(set(self.index.values())) == validators, "7 divides the number of validators")
        listed = ", ".join(f'"0x{entry["pubkey"]}"' for entry in self.deposits)
        for name in OPERATORS:
            policy = home / "demo" / name / "signing.toml"
            policy.write_text(f'exits = "allow-list"\nallow = [{listed}]\n')
            policy.chmod(0o600)

    def command(self, what: str, *arguments, code: int = 0) -> str:
        """Runs it, and remembers seconds and most KiB of memory of the process itself. What it said."""
        begun = time.monotonic()
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen([self.binary, *map(str, arguments)], stdout=said, stderr=subprocess.STDOUT)
            status, usage, memory = watched(process.pid)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read().decode()
        check.require(process.returncode == code, f"{what}: exit code {process.returncode}, {text.strip()[-500:]}")
        self.costs.append((what, time.monotonic() - begun, usage.ru_utime + usage.ru_stime, memory))
        return text

    def by(self, operator: str, what: str, *arguments, code: int = 0) -> str:
        place = ["--dir", self.home / "demo" / operator, "--passphrase-file", self.home / "demo/passphrase"]
        return self.command(what, *place, *arguments, code=code)

    def node(self, name: str, change=lambda number, entry: entry) -> pathlib.Path:
        """A beacon node's list."""
        entries = []
        for number, deposit in enumerate(self.deposits):
            validator = {"pubkey": "0x" + deposit["pubkey"], "withdrawal_credentials": "0x" + deposit["withdrawal_credentials"]}
            validator |= {"activation_epoch": "0", "exit_epoch": str(2**64 - 1)}
            entry = {"index": str(self.index[deposit["pubkey"]]), "status": "active_ongoing", "validator": validator}
            entries.append(change(number, entry))
        path = self.home / name
        path.write_text(json.dumps({"data": entries}))
        return path


def watched(pid: int) -> tuple:
    """Waits for a process: how it ended, what it used, and the most KiB of memory that were seen. What the system says at the end (`ru_maxrss`) counts
    this program too, from before the other began."""
    most = 0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage, most
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
        most = max(most, int(found[1]) if found else 0)
        time.sleep(0.01)


def ask(place: Place):
    place.by("alice", "request", "exit", "request", place.public / "transcript.quorate", "--all", "--beacon", place.node("node.json"),
             "--public", "-o", place.home / "request.json")


def find(place: Place) -> int:
    """A signer's own node has another index for one, and other credentials for two. Nothing is signed, and all three are named."""
    wrong = [len(place.deposits) // 5, len(place.deposits) // 2, len(place.deposits) - 1]

    def change(number: int, entry: dict) -> dict:
        if number == wrong[0]:
            entry["index"] = str(10**6)
        elif number in wrong:
            entry["validator"]["withdrawal_credentials"] = "0x01" + "00" * 31
        return entry

    answer = place.home / "none.json"
    told = place.by("bob", "sign, with a list that is wrong", "exit", "sign", place.home / "request.json", "--yes", "--beacon",
                    place.node("wrong.json", change), "-o", answer, code=4)
    check.require(not answer.exists(), "an answer is written")
    check.require("does not agree about 3 validators" in told, told[-500:])
    for number in wrong:
        check.require(f"validator {number + 1}, 0x{place.deposits[number]['pubkey']}" in told, f"validator {number + 1} is not named")
    return len(wrong)


def sign(place: Place) -> int:
    partials = []
    for name in SIGNERS:
        partials.append(place.home / f"{name}.json")
        place.by(name, f"sign ({name})", "exit", "sign", place.home / "request.json", "--yes", "--beacon", place.home / "node.json", "-o", partials[-1])
    place.by("dave", "combine", "exit", "combine", place.home / "request.json", "--transcript", place.public / "transcript.quorate",
             "-o", place.home / "exits", *partials)
    return len(list((place.home / "exits").glob("exit-0x*.json")))


def process(place: Place) -> int:
    """Every exit by the specification's own state transition, on the network's domains. One that is altered is refused."""
    genesis, capella, root = NETWORKS[place.network]
    spec = beacon.specification("electra", {"genesis_fork_version": genesis, "capella_fork_version": capella})
    state = spec.BeaconState(
        slot=EPOCH * spec.SLOTS_PER_EPOCH,
        genesis_validators_root=bytes.fromhex(root),
        fork=spec.Fork(previous_version=spec.config.DENEB_FORK_VERSION, current_version=spec.config.ELECTRA_FORK_VERSION, epoch=0),
    )
    order = sorted(place.deposits, key=lambda entry: place.index[entry["pubkey"]])
    for entry in order:
        state.validators.append(spec.Validator(
            pubkey=bytes.fromhex(entry["pubkey"]),
            withdrawal_credentials=bytes.fromhex(entry["withdrawal_credentials"]),
            effective_balance=entry["amount"],
            exit_epoch=spec.FAR_FUTURE_EPOCH,
            withdrawable_epoch=spec.FAR_FUTURE_EPOCH,
        ))
        state.balances.append(entry["amount"])
    done = 0
    for path in sorted((place.home / "exits").glob("exit-0x*.json")):
        signed = check.load(path)
        message = spec.VoluntaryExit(epoch=int(signed["message"]["epoch"]), validator_index=int(signed["message"]["validator_index"]))
        key = path.stem.removeprefix("exit-0x")
        check.require(int(message.validator_index) == place.index[key], f"{path.name}: another index")
        signature = bytes.fromhex(signed["signature"][2:])
        other = message.copy()
        other.epoch = message.epoch + 1
        if done % 100 == 0:
            altered = spec.SignedVoluntaryExit(message=other, signature=signature)
            check.require(not beacon.processed(spec.process_voluntary_exit, state, altered), f"{path.name}: another epoch is accepted")
        spec.process_voluntary_exit(state, spec.SignedVoluntaryExit(message=message, signature=signature))
        done += 1
    check.require(all(validator.exit_epoch != spec.FAR_FUTURE_EPOCH for validator in state.validators), "a validator stays")
    return done


def run(report: check.Report, binary: pathlib.Path, validators: int):
    for network in NETWORKS:
        with tempfile.TemporaryDirectory(prefix="quorate-exits-") as home:
            made = report.check(f"{network}: a ceremony of {validators} validators", Place, binary, pathlib.Path(home), network, validators)
            if made is None:
                continue
            report.check(f"{network}: one request for all exits", ask, made)
            report.check(f"{network}: a list in which three are named wrongly is found", find, made)
            signed = report.check(f"{network}: three answers, combined", sign, made)
            report.check(f"{network}: there are {validators} exits", check.require, signed == validators, f"{signed}")
            done = report.check(f"{network}: the specification processes each", process, made)
            report.check(f"{network}: {validators} of them", check.require, done == validators, f"{done}")
            print(f"\n{network:<34}{'seconds':>10}{'processor':>12}{'MiB':>8}")
            for what, seconds, processor, memory in made.costs:
                print(f"{what:<34}{seconds:>10.2f}{processor:>12.2f}{memory / 1024:>8.0f}")
            print()
