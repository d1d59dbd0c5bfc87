"""What an Obol cluster and a cluster of SSV get after a reshare, judged as what a key generation makes: one operator leaves, another comes.

The demos are the program's own, processes and all. The demo of Obol makes its lock; the key shares for SSV are asked for here, when the wait
until the first epoch is over, which this file says of the operators' outputs.
"""

import json
import os
import pathlib
import subprocess
import tempfile

import check
import ssv

OWNER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
NONCE = 7


def demo(binary: pathlib.Path, root: pathlib.Path, *flags: str) -> pathlib.Path:
    out = root / "demo"
    command = [binary, "demo", "--reshare", "--out", out, "--kdf", "pbkdf2", *flags]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    check.require(ended.returncode == 0, f"demo --reshare {' '.join(flags)}: {ended.stderr.strip()[-500:]}")
    return out


def by(binary: pathlib.Path, out: pathlib.Path, operator: str, *arguments):
    place = ["--dir", out / operator, "--passphrase-file", out / "passphrase"]
    ended = subprocess.run(list(map(str, [binary, *place, *arguments])), capture_output=True, text=True, timeout=300)
    check.require(ended.returncode == 0, f"{arguments[0]} {arguments[1]} by {operator}: {ended.stderr.strip()[-500:]}")


def wait_is_over(path: pathlib.Path):
    """As the outputs will be read when their first epoch has come."""
    file = json.loads(path.read_text())
    for one in file["data"]:
        one["signed_blocks"] = [{"slot": "32"}]
        one["signed_attestations"] = [{"source_epoch": "0", "target_epoch": "1"}]
    path.write_text(json.dumps(file))


def key_shares(binary: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    """Asks for key shares of the reshare, and lets every operator answer. The folder that comes of it."""
    outputs = {path.parents[4].name: path.parents[1] for path in out.glob("*/ceremonies/*/out/secret/cut-over.json")}
    transcript = next(iter(outputs.values())) / "public/transcript.quorate"
    facts = json.loads((transcript.parent / "transcript.json").read_text())
    allow = [one["public_key"] for one in facts["validators"]]
    asked, folder = out / "key-shares-request.json", out / "key-shares"
    terms = ["--owner", OWNER, "--nonce", NONCE, "--ssv-operators", out / "ssv/operators_info.json"]
    first = min(outputs)
    by(binary, out, first, "ssv", "request", transcript, "--all", "--public", *terms, "-o", asked)
    answers = []
    for name, own in sorted(outputs.items()):
        wait_is_over(own / "secret/slashing-protection.json")
        policy = out / name / "signing.toml"
        policy.write_text(f'key_shares = "allow-list"\nallow = {json.dumps(allow)}\nowners = ["{OWNER}"]\n')
        os.chmod(policy, 0o600)
        rsa = ["--ssv-key", out / "ssv" / name / "encrypted_private_key.json", "--ssv-password-file", out / "ssv/password"]
        answers.append(out / f"key-shares-{name}.json")
        by(binary, out, name, "ssv", "sign", asked, "--yes", *rsa, "-o", answers[-1])
    by(binary, out, first, "ssv", "combine", asked, "--transcript", transcript, "-o", folder, *answers)
    return folder


def run(report: check.Report, binary: pathlib.Path):
    with tempfile.TemporaryDirectory() as name:
        report.say("an Obol cluster after a reshare")
        out = report.check("demo --obol --reshare", demo, binary, pathlib.Path(name), "--obol")
        if out is not None:
            check.check_demo(report, out, (out / "passphrase").read_text().strip(), True)
            report.check("the demo has made a lock after its reshare", check.require, (out / "cluster-lock.json").is_file(), "it has not")
    with tempfile.TemporaryDirectory() as name:
        report.say("a cluster of SSV after a reshare")
        out = report.check("demo --ssv --reshare", demo, binary, pathlib.Path(name), "--ssv")
        if out is None:
            return
        check.check_demo(report, out, (out / "passphrase").read_text().strip(), True)
        folder = report.check("the operators make key shares of their new shares", key_shares, binary, out)
        if folder is None:
            return
        info = {one["id"]: one["public_key"] for one in json.loads((out / "ssv/operators_info.json").read_text())}
        del info[44]
        expected = ssv.Expected(OWNER, NONCE, 2, None, info)
        password = (out / "ssv/password").read_bytes()
        files = {key.parent.name: key for key in sorted(out.glob("ssv/*/encrypted_private_key.json"))}
        keys = {name: lambda key=key: ssv.open_key_file(key, password) for name, key in files.items() if name != "dave"}
        ssv.check_list(report, folder, expected, keys)
