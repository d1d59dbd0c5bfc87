"""What `quorate demo --duties` shows: the validators of a finished demo run a beacon chain by themselves, for a few epochs of Electra.

The program embeds this file with `beacon.py` and `keystore.py`, and says on stdin what was made. Progress goes to stderr, one JSON object to stdout.
Needs the executable consensus specification (`eth-consensus-specs`) and `pycryptodome`. The longer version is `conformance/run.sh --duties`.
"""

import json
import pathlib
import sys
import time

import keystore


def shares(folder: str, password: str) -> dict:
    """An operator's shares out of its keystores, by number of the validator."""
    found, keys = {}, {}
    for path in sorted(pathlib.Path(folder).glob("keystore-*.json")):
        parsed = keystore.parse(path)
        # One derivation serves the keystores of a run, which have one salt.
        of_kdf = (parsed.kdf, parsed.salt)
        if of_kdf not in keys:
            keys[of_kdf] = keystore.derive(parsed, keystore.password_bytes(password))
        found[parsed.validator] = int.from_bytes(keystore.decrypt(parsed, keys[of_kdf]), "big")
    return found


def say(text: str):
    print(text, file=sys.stderr, flush=True)


def main():
    try:
        import beacon
    except ImportError as error:
        raise SystemExit(f"the executable specification cannot be loaded: {error}") from error
    asked = json.load(sys.stdin)
    password = pathlib.Path(asked["passphrase"]).read_text().strip()
    entries = json.loads(pathlib.Path(asked["deposits"]).read_text())
    fields = ("pubkey", "withdrawal_credentials", "signature")
    deposits = [{"amount": entry["amount"]} | {name: bytes.fromhex(entry[name]) for name in fields} for entry in entries]
    opened = {one["name"]: shares(one["keystores"], password) for one in asked["operators"]}
    by_key = {one["pubkey"]: {name: own[number] for name, own in opened.items()} for number, one in enumerate(deposits)}
    points = {one["name"]: one["point"] for one in asked["operators"]}
    cluster = beacon.Cluster(points, by_key, asked["threshold"])
    begun = time.monotonic()
    chain = beacon.Chain(asked["network"], cluster, deposits, asked["epochs"] + 1)
    count, threshold = len(chain.active()), asked["threshold"]
    if count != len(deposits):
        raise SystemExit(f"{count} of {len(deposits)} validators have entered by their deposits")
    say(f"{count} validators have entered the chain by the deposits in the ceremony's own file.")
    for size in (threshold - 1, threshold):
        for duty, subset, accepted in chain.trials(size):
            if accepted != (size == threshold):
                raise SystemExit(f"{duty} signed by {', '.join(subset)}: accepted is {accepted}")
    say(f"No {threshold - 1} operators make a signature that the specification takes; any {threshold} do.")
    per_epoch = int(chain.spec.SLOTS_PER_EPOCH)
    for epoch in range(asked["epochs"]):
        for _ in range(per_epoch):
            chain.slot()
        gone = f", without {', '.join(sorted(cluster.away))}" if cluster.away else ""
        finalised = f"epoch {chain.finalised['electra']} is final" if chain.finalised["electra"] else "no epoch is final yet"
        say(f"Epoch {epoch}: {chain.blocks['electra']} blocks so far{gone}; {finalised}.")
    if chain.finalised["electra"] < 1:
        raise SystemExit("no epoch has become final")
    made = {
        "validators": count,
        "blocks": chain.blocks["electra"],
        "finalised_epoch": chain.finalised["electra"],
        "signatures": dict(cluster.signed),
        "signed_by": {"+".join(subset): times for subset, times in sorted(cluster.used.items())},
        "seconds": round(time.monotonic() - begun),
    }
    print(json.dumps(made), flush=True)


if __name__ == "__main__":
    main()
