"""The duties of a fresh ceremony's validators: a chain that they run by themselves, judged by the executable consensus specification."""

import itertools
import json
import pathlib
import subprocess
import tempfile
import time

import ceremony as agreed
import check
import contract
from ethstaker_deposit.settings import ALL_CHAINS

try:
    import beacon
except ImportError as error:  # the specification is a package of its own
    raise SystemExit(f"the executable specification cannot be loaded: {error}") from error

OPERATORS = ("alice", "bob", "carol", "dave")
THRESHOLD = 3
# So many begin the chain; the others deposit when it runs.
FIRST, LATE = 16, 2
# Exits are signed for the network whose name the chain takes.
NETWORK = {
    "genesis_fork_version": ALL_CHAINS["hoodi"].GENESIS_FORK_VERSION.hex(),
    "capella_fork_version": "40000910",
    "genesis_validators_root": "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
}


class Demo:
    """A finished demo, and its operators' commands."""

    def __init__(self, binary: pathlib.Path, home: pathlib.Path):
        self.binary, self.home, self.folder = binary, home, home / "demo"
        made = [str(binary), "demo", "--out", str(self.folder), "--validators", str(FIRST + LATE), "--network", "hoodi"]
        ended = subprocess.run(made, capture_output=True, text=True, timeout=600)
        check.require(ended.returncode == 0, f"demo: {ended.stderr.strip()[-500:]}")
        (self.ceremony,) = (self.folder / "alice/ceremonies").iterdir()
        self.transcript = self.ceremony / "out/public/transcript.quorate"

    def by(self, operator: str, *arguments):
        place = ["--dir", str(self.folder / operator), "--passphrase-file", str(self.folder / "passphrase")]
        command = [str(self.binary), "--json", *place, *map(str, arguments)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
        check.require(ended.returncode == 0, f"{arguments[0]} {arguments[1]}: {ended.stderr.strip()[-500:]}")
        return json.loads(ended.stdout)

    def entries(self) -> list:
        """What is in the deposit file."""
        (file,) = (self.ceremony / "out/public").glob("deposit-data*.json")
        return check.load(file)

    def deposits(self) -> list:
        """The same as the specification has it."""
        fields = ("pubkey", "withdrawal_credentials", "signature")
        return [{"amount": entry["amount"]} | {name: bytes.fromhex(entry[name]) for name in fields} for entry in self.entries()]

    def shares(self, deposits: list) -> tuple:
        """Evaluation points, and of each validator's key each operator's share, out of their keystores."""
        password = (self.folder / "passphrase").read_text().strip()
        found = {}
        for name in OPERATORS:
            (keystores,) = self.folder.glob(f"{name}/ceremonies/*/out/secret/validator_keys")
            found[name] = check.operator_shares(keystores, password, False)
        keys = [deposit["pubkey"] for deposit in deposits]
        check.require(all(len(own) == len(set(keys)) for own in found.values()), "not a share of each validator")
        by_key = {key: {name: found[name][number] for name in OPERATORS} for number, key in enumerate(keys)}
        return agreed.read(self.ceremony / "ceremony.toml").points, by_key

    def sign(self, kind: str, number: int, request: list) -> dict:
        """A message of validator `number` by files: three operators answer, another three each time."""
        signers = list(itertools.combinations(OPERATORS, THRESHOLD))[number % 4]
        at = self.home / f"{kind}-{number}"
        at.mkdir()
        self.by(signers[0], kind, "request", self.transcript, *request, "--public", "-o", at / "request.json")
        partials = []
        for name in signers:
            partials.append(at / f"{name}.json")
            self.by(name, kind, "sign", at / "request.json", "--yes", "-o", partials[-1])
        self.by(signers[0], kind, "combine", at / "request.json", "--transcript", self.transcript, "-o", at / "made.json", *partials)
        return check.load(at / "made.json")

    def allow(self, keys: list):
        listed = ", ".join(f'"0x{key.hex()}"' for key in keys)
        for name in OPERATORS:
            policy = self.folder / name / "signing.toml"
            policy.write_text(f'exits = "allow-list"\ndeposits = "allow-list"\nallow = [{listed}]\n')
            policy.chmod(0o600)


def run(report: check.Report, binary: pathlib.Path, epochs: int):
    """A fresh ceremony, then `epochs` epochs on each fork."""
    with tempfile.TemporaryDirectory() as home:
        demo = report.check(f"a ceremony of {FIRST + LATE} validators, {THRESHOLD} of {len(OPERATORS)}", Demo, binary, pathlib.Path(home))
        if demo is not None:
            judge(report, demo, epochs)


def judge(report: check.Report, demo: Demo, epochs: int):
    deposits = demo.deposits()
    points, shares = demo.shares(deposits)
    keys = [deposit["pubkey"] for deposit in deposits]
    cluster = beacon.Cluster(points, shares, THRESHOLD)
    contract.judge(report, demo.entries())
    begun = time.monotonic()
    chain = beacon.Chain(NETWORK, cluster, deposits[:FIRST], epochs)
    report.check(f"the deposits of the ceremony's file make {FIRST} active validators", entered, chain, keys[:FIRST])

    # For each fork one validator exits and another tops up; by request, answers and combination.
    demo.allow(keys[: 2 * len(beacon.FORKS)])
    exits, tops = [], []
    for number in range(len(beacon.FORKS)):
        key = "0x" + keys[number].hex()
        index = [bytes(validator.pubkey) for validator in chain.state.validators].index(keys[number])
        signed = demo.sign("exit", number, ["--public-key", key, "--index", index])
        exits.append((index, signed))
        other = "0x" + keys[len(beacon.FORKS) + number].hex()
        (made,) = demo.sign("deposit", number, ["--public-key", other, "--amount", "1"])
        tops.append({"amount": made["amount"]} | {name: bytes.fromhex(made[name]) for name in ("pubkey", "withdrawal_credentials", "signature")})

    report.check(f"no {THRESHOLD - 1} operators make a signature", too_few, chain)
    stopped = report.check(f"{4 * epochs} epochs on {', '.join(beacon.FORKS)}", go, chain, epochs, exits, tops, deposits[FIRST:])
    took = time.monotonic() - begun
    if stopped is None:
        return
    report.check("every fork finalised epochs of its own", finalised, chain, epochs)
    report.check("every subset of three operators signed, at least a hundred duties each", everybody, cluster)
    report.check("exits are accepted on every fork", left, chain, [index for index, _ in exits])
    report.check("further deposits are processed on every fork", topped, chain, stopped)
    report.check(f"{LATE} validators enter by deposits while the chain runs, and do duties", entered, chain, keys)
    report.check("what is withdrawn goes to the address of the ceremony", paid, chain, deposits)
    print_table(chain, cluster, took)


def entered(chain, keys: list):
    active = {bytes(chain.state.validators[index].pubkey) for index in chain.active()}
    gone = {bytes(v.pubkey) for v in chain.state.validators if v.exit_epoch <= chain.spec.get_current_epoch(chain.state)}
    check.require(active | gone == set(keys), f"{len(active)} are active and {len(gone)} have left, instead of all {len(keys)}")


def too_few(chain):
    """Each pair of operators: its RANDAO reveal, block and attestation are refused where that of three is accepted."""
    for size in (THRESHOLD - 1, THRESHOLD):
        for duty, subset, accepted in chain.trials(size):
            check.require(accepted == (size == THRESHOLD), f"{duty} by {', '.join(subset)}: accepted is {accepted}")


def go(chain, epochs: int, exits: list, tops: list, late: list) -> list:
    """Every slot of every fork. Gives how many further deposits were waiting or done on each fork."""
    per_epoch = int(chain.spec.SLOTS_PER_EPOCH)
    number, done = FIRST, []
    for place in range(len(beacon.FORKS)):
        for slot in range(epochs * per_epoch):
            at = place * epochs * per_epoch + slot + 1
            if slot == per_epoch:
                # In the second epoch of each fork: a top-up, and on the first the latecomers.
                given = [tops[place]] + (late if place == 0 else [])
                chain.deposits = tuple(deposit | {"index": number + offset} for offset, deposit in enumerate(given))
                number += len(given)
            if slot == 2 * per_epoch:
                index, signed = exits[place]
                message = chain.spec.VoluntaryExit(epoch=int(signed["message"]["epoch"]), validator_index=int(signed["message"]["validator_index"]))
                check.require(int(message.validator_index) == index, "an exit of another validator")
                exit_of = chain.spec.SignedVoluntaryExit(message=message, signature=bytes.fromhex(signed["signature"][2:]))
                chain.exits = [exit_of]
            chain.slot()
            check.require(int(chain.state.slot) == at, f"slot {int(chain.state.slot)} instead of {at}")
        done.append(number - FIRST - len(chain.state.pending_deposits))
    return done


def finalised(chain, epochs: int):
    for place, fork in enumerate(beacon.FORKS):
        least = place * epochs if place else 1
        check.require(chain.finalised[fork] >= least, f"{fork}: finalised epoch {chain.finalised[fork]}, not {least}")


def everybody(cluster):
    wanted = set(itertools.combinations(cluster.points, THRESHOLD))
    check.require({subset for subset, count in cluster.used.items() if count >= 100} == wanted, f"used: {dict(cluster.used)}")


def left(chain, indices: list):
    never = chain.spec.FAR_FUTURE_EPOCH
    stay = [index for index in indices if chain.state.validators[index].exit_epoch == never]
    others = [index for index, one in enumerate(chain.state.validators) if one.exit_epoch != never and index not in indices]
    check.require(not stay and not others, f"validators {stay} stay, and {others} leave unasked")


def topped(chain, done: list):
    check.require(done == sorted(done) and done[0] >= 1, f"processed by the end of each fork: {done}")
    waiting = len(chain.state.pending_deposits)
    check.require(done[-1] == LATE + len(beacon.FORKS) and not waiting, f"{waiting} deposits still wait, {done[-1]} are processed")


def paid(chain, deposits: list):
    expected = {deposit["withdrawal_credentials"][12:] for deposit in deposits}
    check.require(set(chain.withdrawn) == expected and sum(chain.withdrawn.values()) > 0, f"withdrawn: {dict(chain.withdrawn)}")


def print_table(chain, cluster, took: float):
    print()
    print("| fork | blocks | finalised epoch at its end |")
    print("|---|---|---|")
    for fork in beacon.FORKS:
        print(f"| {fork} | {chain.blocks[fork]} | {chain.finalised[fork]} |")
    print()
    print("signatures: " + ", ".join(f"{count} {duty}" for duty, count in cluster.signed.most_common()))
    print("made by:    " + ", ".join(f"{'+'.join(subset)} {count}" for subset, count in sorted(cluster.used.items())))
    print(f"withdrawn:  {sum(chain.withdrawn.values())} Gwei; the chain took {took:.0f} s")
    print()
