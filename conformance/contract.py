"""The deposit contract's own code in an EVM: it takes every deposit of a file, and its root is the one that the consensus specification computes."""

import json
import pathlib
import shutil
import subprocess

import check

HERE = pathlib.Path(__file__).resolve().parent
# The runtime code on hoodi: 6358 bytes with this SHA-256. README.md says how it compares with what the specification publishes.
CODE = "5aaa8327c5765ec883224895ca02cade2871e12dad0197bdc791efc91c7ef18d"
# What the contract says of a call in which one thing differs.
REFUSES = "DepositContract: reconstructed DepositData does not match supplied deposit_data_root"
FIELDS = ("amount", "deposit_data_root", "pubkey", "signature", "withdrawal_credentials")
NPM = ("node_modules/@ethereumjs/evm/package.json", "node_modules/.package-lock.json")


def available() -> bool:
    """Whether there is an EVM; it is installed if npm is there. Without one that is said loudly."""
    if not shutil.which("npm") or not shutil.which("node"):
        print("!! npm or node is not installed: the deposit contract is SKIPPED, its code was not run", flush=True)
        return False
    installed = [HERE / name for name in NPM]
    if not all(path.exists() for path in installed) or installed[1].stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        print("installing what conformance/package.json names", flush=True)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=HERE, check=True)
        installed[1].touch()
    return True


def specified(entries: list) -> bytes:
    """`hash_tree_root` of the list of all deposits, by the executable specification."""
    from eth_consensus_specs.electra import mainnet as spec
    from eth_consensus_specs.utils.ssz.ssz_typing import List

    def data(entry: dict):
        fields = {name: bytes.fromhex(entry[name]) for name in ("pubkey", "withdrawal_credentials", "signature")}
        return spec.DepositData(amount=entry["amount"], **fields)

    return bytes(spec.hash_tree_root(List[spec.DepositData, 2**spec.DEPOSIT_CONTRACT_TREE_DEPTH](*map(data, entries))))


def event(entry: dict, index: int) -> str:
    """The data of the contract's log, from which execution clients make deposit requests (EIP-6110): five byte strings, little-endian numbers."""
    little = lambda number: number.to_bytes(8, "little")
    values = [bytes.fromhex(entry["pubkey"]), bytes.fromhex(entry["withdrawal_credentials"]), little(entry["amount"])]
    values += [bytes.fromhex(entry["signature"]), little(index)]
    heads, tails, at = b"", b"", 32 * len(values)
    for value in values:
        tail = len(value).to_bytes(32, "big") + value + bytes(-len(value) % 32)
        heads, tails, at = heads + at.to_bytes(32, "big"), tails + tail, at + len(tail)
    return "0x" + (heads + tails).hex()


def run_contract(entries: list) -> dict:
    told = json.dumps(entries)
    ended = subprocess.run(["node", "contract.mjs"], cwd=HERE, input=told, capture_output=True, text=True, timeout=300)
    check.require(ended.returncode == 0, f"the EVM: {ended.stderr.strip()[-500:]}")
    return json.loads(ended.stdout)


def taken(entries: list, made: dict):
    check.require(made["code"] == CODE, f"other code: {made['bytes']} bytes with SHA-256 {made['code']}")
    check.require(len(made["deposits"]) == len(entries), "not a verdict on each")
    for at, (entry, verdict) in enumerate(zip(entries, made["deposits"])):
        check.require(verdict["ok"], f"entry {at}: refused: {verdict.get('said')}")
        check.require(verdict["log"] == event(entry, at), f"entry {at}: another log")


def refused(made: dict):
    for at, verdict in enumerate(made["deposits"]):
        check.require(sorted(verdict["refused"]) == sorted(FIELDS), f"entry {at}: not every field was tried")
        for field, said in verdict["refused"].items():
            check.require(said == REFUSES, f"entry {at}, another {field}: {said or 'taken'}")


def counted(entries: list, made: dict):
    check.require(made["root"] == "0x" + specified(entries).hex(), f"{made['root']} instead of 0x{specified(entries).hex()}")
    check.require(made["count"][2 + 128 : 2 + 144] == len(entries).to_bytes(8, "little").hex(), f"count {made['count']}")


def judge(report: check.Report, entries: list):
    """The entries of one deposit file or of several, in order."""
    if not available():
        return
    made = report.check(f"the deposit contract runs on {len(entries)} deposits", run_contract, entries)
    if made is None:
        return
    report.check(f"the deposit contract takes all {len(entries)}, and logs each as it stands in the file", taken, entries, made)
    report.check("it refuses each with another key, credentials, signature, root or amount", refused, made)
    report.check("its root is that of the specification's list of deposits", counted, entries, made)


def run(report: check.Report, files: list):
    entries = []
    for path in files:
        entries += report.check(f"{path.name} is read", check.load, path) or []
    if entries:
        judge(report, entries)
