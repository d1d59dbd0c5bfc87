"""Checks the checks of Obol's clusters: hashes with known answers, locks that hold, and each damage noticed by the check that is there for it."""

import copy
import pathlib

import obol

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "test-vectors/obol"

# The fixed definition of Charon's own hash tests, with the fields that later versions added.
FIXED = {
    "name": "test-cluster-3of4",
    "creator": {"address": "0x" + 20 * "11", "config_signature": ""},
    "operators": [
        {"address": "0x" + 20 * byte, "enr": enr, "config_signature": "", "enr_signature": ""}
        for byte, enr in (("11", "enr:-Iu4QNHNMf"), ("22", "enr:-Iu4QABCDef"), ("33", "enr:-Iu4QXYZghi"))
    ],
    "uuid": "f4c00e58-1a54-4e55-8d76-2b2a6d4c3f9a",
    "timestamp": "2024-06-15T12:00:00Z",
    "num_validators": 2,
    "threshold": 3,
    "validators": 2 * [{"fee_recipient_address": "0x" + 20 * "aa", "withdrawal_address": "0x" + 20 * "bb"}],
    "dkg_algorithm": "default",
    "fork_version": "0x00001020",
    "deposit_amounts": ["32000000000"],
    "consensus_protocol": "abft",
    "target_gas_limit": 30000000,
    "compounding": True,
}


def known_answers():
    """The first configuration hash is Charon's; the others were computed by a third implementation."""

    def hashes(definition: dict) -> tuple:
        config = obol.definition_tree(definition, True)
        return config.hex(), obol.definition_tree({**definition, "config_hash": "0x" + config.hex()}, False).hex()

    wanted = (
        "5e16fdd44a25d37ebce15ea9d2069ec9d0930ce8d3a0e9091f82edae5969b306",
        "41db92e0d9d29e8b3f2b3ee80e7a7256a97851e0aa63cb91d5ed9516cd2f8689",
    )
    obol.require(hashes({**FIXED, "version": "v1.10.0"}) == wanted, "v1.10.0")
    config = "e7e406f896eca7e9e375489e672665e5646f3eb585e252d9e5afae5a8ddc23d2"
    latest = copy.deepcopy({**FIXED, "version": "v1.11.0"})
    wanted = (config, "f97438b172b6cf2c07fbf8c0fac5b542e333df50937c999f6d69730e73711b73")
    obol.require(hashes(latest) == wanted, "v1.11.0, unsigned")
    latest["operators"][0].update(config_signature="0x" + 65 * "01", enr_signature="0x" + 130 * "02")
    latest["creator"]["config_signature"] = "0x" + 65 * "03"
    wanted = (config, "789901c0cfdfa8ed510b4ad948b20be55983363ed5ae4a2c9640e963a89eb85e")
    obol.require(hashes(latest) == wanted, "v1.11.0, with one and with two signatures of a wallet")
    text = "0xe57f66637bdfa05cce6a78e8cf4120d67d305b485367a69baa5f738436533bcb"
    digest = obol.wallet_digest("CreatorConfigHash(string creator_config_hash)", text, 11155111).hex()
    obol.require(digest == "7c8fe012e2f872ca7ec870164184f57b921166f80565ff74af7bee5796f973e4", "EIP-712 digest")


def holds(path: pathlib.Path):
    lock = obol.read(path)
    for what, function in obol.LISTS.items():
        try:
            function(lock)
        except Exception as error:
            raise obol.ObolError(f"{what}: {error!r}") from error


def changed(path: str, value):
    """A damage: one field, by its path, and what it becomes."""

    def apply(lock: dict):
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in steps:
            lock = lock[step]
        lock[last] = value(lock[last]) if callable(value) else value

    return apply


def flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


HASHES, WALLETS = "14.1: config_hash, definition_hash, lock_hash", "14.1: wallets' signatures"
SHARES, NODES = "14.1: shares interpolate to their keys", "14.1: node signatures and records"
AGGREGATE, FLOW = "14.1: signature_aggregate of all shares", "14.4: signed by all, by the creator, or by nobody"
SHAPE, DEPOSITS = "14.1: definition", "14.4: deposits"
REGISTRATIONS, SPELLED = "14.4 and 14.5: registrations", "addresses are spelled with checksums"
DEFINITION, V0 = "cluster_definition", "distributed_validators/0"

# What is done to a lock that holds, and the check that has to notice it.
DAMAGES = [
    (changed(f"{DEFINITION}/version", "v1.7.0"), SHAPE),
    (changed(f"{DEFINITION}/num_validators", 3), SHAPE),
    (changed(f"{DEFINITION}/threshold", 5), SHAPE),
    (changed(f"{DEFINITION}/deposit_amounts", ["1000000000"]), SHAPE),
    (changed(f"{DEFINITION}/threshold", 2), HASHES),
    (changed(f"{DEFINITION}/config_hash", flip), HASHES),
    (changed(f"{DEFINITION}/definition_hash", flip), HASHES),
    (changed("lock_hash", flip), HASHES),
    (changed("distributed_validators", lambda all_: all_[:1]), HASHES),
    (changed(f"{DEFINITION}/operators/0/config_signature", ""), WALLETS),
    (changed(f"{DEFINITION}/operators/1/enr_signature", lambda s: "0x" + 64 * "11" + "00"), WALLETS),
    (changed(f"{DEFINITION}/creator", {"address": "", "config_signature": ""}), WALLETS),
    (changed(f"{DEFINITION}/creator/config_signature", ""), FLOW),
    (changed(f"{DEFINITION}/operators/2/address", str.lower), SPELLED),
    (changed(f"{DEFINITION}/operators/2/enr", lambda s: s[:30] + ("A" if s[30] != "A" else "B") + s[31:]), NODES),
    (changed("node_signatures/1", lambda s: "0x" + ("1" if s[2] != "1" else "2") + s[3:]), NODES),
    (changed("node_signatures", lambda all_: all_[:-1]), NODES),
    (changed("signature_aggregate", lambda s: "0x" + ("8" if s[2] != "8" else "9") + s[3:]), AGGREGATE),
    (changed(f"{V0}/public_shares", lambda all_: [all_[1], *all_[1:]]), AGGREGATE),
    (changed(f"{V0}/public_shares", lambda all_: all_[:-1]), SHARES),
    (changed(f"{V0}/public_shares", lambda all_: all_[::-1]), SHARES),
    (changed(f"{V0}/public_shares", lambda all_: [all_[1], *all_[1:]]), SHARES),
    (changed(f"{V0}/partial_deposit_data", []), DEPOSITS),
    (changed(f"{V0}/partial_deposit_data", lambda all_: [*all_, *all_]), DEPOSITS),
    (changed(f"{V0}/partial_deposit_data/0/withdrawal_credentials", flip), DEPOSITS),
    (changed(f"{V0}/partial_deposit_data/0/amount", "31000000000"), DEPOSITS),
    (changed(f"{V0}/builder_registration/message/timestamp", 1), REGISTRATIONS),
    (changed(f"{V0}/builder_registration/message/gas_limit", 30_000_000), REGISTRATIONS),
    (changed(f"{V0}/builder_registration/message/fee_recipient", flip), REGISTRATIONS),
]


def damaged(sample: dict, damage, noticed: str):
    lock = copy.deepcopy(sample)
    damage(lock)
    obol.require(lock != sample, "the damage changes nothing")
    try:
        obol.LISTS[noticed](lock)
    except Exception:  # noqa: BLE001 (however it refuses)
        return
    raise obol.ObolError("not noticed")


def run(report):
    report.check("Obol: hashes with known answers", known_answers)
    locks = sorted(FOLDER.glob("*.lock.json"))
    report.check("Obol: there are samples", obol.require, len(locks) == 4, f"{len(locks)} of 4")
    for path in locks:
        report.check(f"Obol: {path.name} holds", holds, path)
    sample = obol.read(FOLDER / "signed-v1.10.0.lock.json")
    for number, (damage, noticed) in enumerate(DAMAGES, 1):
        report.check(f"Obol: damage {number} is noticed by {noticed}", damaged, sample, damage, noticed)
