"""Fresh ceremonies for Obol's clusters and for SSV, on every network that these run on: a table like the matrix' own, rows of outputs, columns of
engines. Each is a demo of the program, four processes or thirteen, judged like any finished ceremony."""

import pathlib
import subprocess
import tempfile

import check
import ssv

# What is made, its networks, and how many operators of whom how many are needed.
CEREMONIES = {
    "obol": (("mainnet", "hoodi", "sepolia", "gnosis", "chiado"), ((4, 3),)),
    "ssv": (("mainnet", "hoodi"), ((4, 3), (13, 9))),
}
OUTPUT = {"obol": "cluster lock", "ssv": "key shares"}
# Another account, and its next nonce.
OWNER, NONCE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 5
# Rules and formats written anew in Python, over py_ecc, cryptography and the like.
ANEW = "Python, anew"
ENGINES = (ANEW, "ethstaker-deposit", *ssv.LIBRARIES)


def engine_of(what: str) -> str:
    """Whose verdict a check is, by what it is called."""
    if "ethstaker-deposit takes" in what:
        return "ethstaker-deposit"
    return next((library for library in ssv.LIBRARIES if what == ssv.taken_by(library)), ANEW)


class Verdicts(check.Report):
    """A report that also counts by engine: checks passed, and all."""

    def __init__(self):
        super().__init__()
        self.engines = {}

    def check(self, what: str, function, *arguments):
        before = self.passed
        value = super().check(what, function, *arguments)
        engine = engine_of(what)
        passed, all_of_them = self.engines.get(engine, (0, 0))
        self.engines[engine] = (passed + self.passed - before, all_of_them + 1)
        return value


def hold(binary: pathlib.Path, kind: str, network: str, operators: int, threshold: int, folder: pathlib.Path):
    shape = ["--operators", str(operators), "--threshold", str(threshold), "--validators", "2"]
    command = [binary, "demo", f"--{kind}", "--network", network, *shape, "--out", folder]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    check.require(ended.returncode == 0, ended.stderr.strip()[-500:])


def again(verdicts: Verdicts, binary: pathlib.Path, demo: pathlib.Path):
    """Key shares for another owner, from the shares of the finished ceremony: every operator answers, and what comes of it is judged."""
    (ceremony,) = (demo / "alice/ceremonies").iterdir()
    transcript = ceremony / "out/public/transcript.quorate"
    names = sorted(path.parent.name for path in demo.glob("ssv/*/encrypted_private_key.json"))
    deposits = check.load(ceremony / "out/public/deposit-data.json")
    listed = ", ".join(f'"0x{entry["pubkey"]}"' for entry in deposits)

    def by(name: str, *arguments):
        command = [binary, "--dir", demo / name, "--passphrase-file", demo / "passphrase", "ssv", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
        check.require(ended.returncode == 0, f"ssv {arguments[0]}: {ended.stderr.strip()[-500:]}")

    def make() -> pathlib.Path:
        by("alice", "request", transcript, "--all", "--public", "--owner", OWNER, "--nonce", str(NONCE), "-o", demo / "request.json")
        for name in names:
            policy = demo / name / "signing.toml"
            policy.write_text(f'key_shares = "allow-list"\nallow = [{listed}]\nowners = ["{OWNER}"]\n')
            policy.chmod(0o600)
            key = ["--ssv-key", demo / "ssv" / name / "encrypted_private_key.json", "--ssv-password-file", demo / "ssv/password"]
            by(name, "sign", demo / "request.json", "--yes", *key, "-o", demo / f"partial-{name}.json")
        partials = [demo / f"partial-{name}.json" for name in names]
        by("alice", "combine", demo / "request.json", "--transcript", transcript, "-o", demo / "key-shares", *partials)
        return demo / "key-shares"

    folder = verdicts.check("ssv again: every operator answers a request for another owner", make)
    if folder is None:
        return
    password = (demo / "ssv/password").read_bytes()
    keys = {name: lambda name=name: ssv.open_key_file(demo / "ssv" / name / "encrypted_private_key.json", password) for name in names}
    ssv.check_list(verdicts, folder, ssv.Expected(OWNER, NONCE, len(deposits)), keys)


def one(report: check.Report, binary: pathlib.Path, kind: str, network: str, operators: int, threshold: int) -> dict:
    """Holds one ceremony and judges it; gives the verdicts by engine."""
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory(prefix="quorate-cluster-") as name:
        demo = pathlib.Path(name) / "demo"
        report.check(f"{kind} / {network}: a ceremony of {threshold} of {operators}", hold, binary, kind, network, operators, threshold, demo)
        if not demo.is_dir():
            return {}
        check.check_demo(verdicts, demo, (demo / "passphrase").read_text().removesuffix("\n"), False)
        ssv.check_demo(verdicts, demo)
        if kind == "ssv":
            again(verdicts, binary, demo)
        made = {"obol": "*/ceremonies/*/out/public/cluster-lock.json", "ssv": "*/ceremonies/*/out/public/ssv"}[kind]
        found = len(list(demo.glob(made)))
        verdicts.check(f"every operator has the {OUTPUT[kind]}", check.require, found == operators, f"{found} of {operators} have")
    report.passed += verdicts.passed
    report.failures += verdicts.failures
    return verdicts.engines


def run(report: check.Report, binary: pathlib.Path):
    rows = []
    for kind, (networks, sizes) in CEREMONIES.items():
        for network in networks:
            for operators, threshold in sizes:
                row = (OUTPUT[kind], network, f"{threshold} of {operators}")
                rows.append((row, one(report, binary, kind, network, operators, threshold)))
    print(f"\n{'output':<14}{'network':<10}{'shape':<24}" + "".join(f"{engine:<19}" for engine in ENGINES))
    for (output, network, shape), engines in rows:
        cells = (f"{engines[e][0]} of {engines[e][1]}" if e in engines else "-" for e in ENGINES)
        print(f"{output:<14}{network:<10}{shape:<24}" + "".join(f"{cell:<19}" for cell in cells))
    print()
