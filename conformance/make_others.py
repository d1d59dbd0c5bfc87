"""Makes the files of ethstaker-deposit and eth-account in test-vectors/others, and asks their makers for a verdict on each.

    python3 conformance/make_others.py test-vectors/others

Keys come from a published mnemonic of zeros ("abandon ... art"): worth nothing, and so are the passwords.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from eth_account import Account
from ethstaker_deposit.credentials import Credential
from ethstaker_deposit.key_handling.keystore import Keystore
from ethstaker_deposit.settings import ALL_CHAINS
from ethstaker_deposit.utils.exit_transaction import exit_transaction_generation, export_exit_transaction_json
from ethstaker_deposit.utils.validation import validate_deposit, verify_signed_exit_json

MNEMONIC = " ".join(["abandon"] * 23 + ["art"])
ADDRESS = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
OTHER_ADDRESS = "dbf03b407c01e7cd3cbea99509d93f8dddc8c6fb"
PASSWORD = "another throw-away password"
STAMP = 1700000000
GWEI = 10**9
# The tool writes a random uuid, salt and iv: fixed here, so that the files come out the same.
UUID = "f3a4b5c6-0718-4c2d-9e3f-50617283940a"
ETHSTAKER = "ethstaker-deposit 1.3.1"


def credential(network, index=0, amount=32 * GWEI, compounding=False, pbkdf2=False, address=ADDRESS):
    return Credential(mnemonic=MNEMONIC, mnemonic_password="", index=index, amount=amount,
                      chain_setting=ALL_CHAINS[network], hex_withdrawal_address=address,
                      compounding=compounding, use_pbkdf2=pbkdf2)


class Folder:
    def __init__(self, root):
        self.root, self.entries = Path(root), []

    def add(self, name, text, kind, maker, accepted, **more):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.entries.append({"file": name, "kind": kind, "maker": maker, "accepted": accepted, **more})


def judged_deposits(text, network):
    """What the tool says of each entry when it reads its own files back."""
    try:
        return all(validate_deposit(entry, ALL_CHAINS[network]) for entry in json.loads(text))
    except Exception:
        return False


def deposits(folder):
    def file(name, network, credentials, change=None, why=None):
        # As CredentialList.export_deposit_data_json writes it, without its progress bar.
        text = json.dumps([one.deposit_datum_dict for one in credentials], default=lambda x: x.hex())
        if change:
            entries = json.loads(text)
            change(entries)
            text = json.dumps(entries)
        folder.add(f"ethstaker-deposit/{name}.json", text, "deposit", ETHSTAKER, judged_deposits(text, network),
                   network=network, **({"changed": why} if why else {}))

    for network in ("mainnet", "hoodi", "sepolia", "gnosis", "chiado"):
        file(f"deposits-{network}-0x01", network, [credential(network, i) for i in range(2)])
        file(f"deposits-{network}-0x02", network, [credential(network, 2, 64 * GWEI, compounding=True)])
    file("deposits-hoodi-partial", "hoodi", [credential("hoodi", 0, GWEI), credential("hoodi", 0, 31 * GWEI)])
    file("deposits-hoodi-five", "hoodi", [credential("hoodi", i) for i in range(5)])
    one = lambda: [credential("hoodi")]
    set_field = lambda field, value: lambda entries: entries[0].update({field: value})
    file("deposits-amount-changed", "hoodi", one(), set_field("amount", 31 * GWEI), "the amount")
    file("deposits-address-changed", "hoodi", one(),
         set_field("withdrawal_credentials", "01" + "00" * 11 + OTHER_ADDRESS), "the withdrawal address")
    file("deposits-bls-credentials", "hoodi", one(),
         set_field("withdrawal_credentials", "00" + "11" * 31), "credentials of a BLS key")
    other = credential("hoodi", 1).signing_pk.hex()
    file("deposits-key-changed", "hoodi", one(), set_field("pubkey", other), "the public key")
    file("deposits-fork-changed", "hoodi", one(), set_field("fork_version", "00000000"), "the fork version")


def exits(folder):
    key = credential("mainnet")
    pubkey = key.signing_pk.hex()

    def file(name, network, signed_for, index, change=None, why=None):
        signed = exit_transaction_generation(ALL_CHAINS[signed_for], key.signing_sk, index, 0)
        with TemporaryDirectory() as temporary:
            path = Path(export_exit_transaction_json(temporary, signed, STAMP))
            exit = json.loads(path.read_text())
            if change:
                change(exit)
                path.chmod(0o600)
                path.write_text(json.dumps(exit))
            text = path.read_text()
            accepted = verify_signed_exit_json(str(path), pubkey, ALL_CHAINS[network])
        folder.add(f"ethstaker-deposit/{name}.json", text, "exit", ETHSTAKER, accepted, network=network,
                   pubkey=pubkey, **({"changed": why} if why else {}))

    for index, network in enumerate(("mainnet", "hoodi", "sepolia", "gnosis", "chiado")):
        file(f"exit-{network}", network, network, 1000 + index)
    file("exit-of-mainnet-for-hoodi", "hoodi", "mainnet", 1000, why="offered for another network")
    file("exit-index-changed", "hoodi", "hoodi", 1001,
         lambda exit: exit["message"].update(validator_index="1002"), "the index")


def keystores(folder):
    def file(name, text, kind="keystore", maker=ETHSTAKER, why=None):
        with TemporaryDirectory() as temporary:
            path = Path(temporary) / "k.json"
            path.write_text(text)
            try:
                accepted = bool(Keystore.from_file(str(path)).decrypt(PASSWORD))
            except Exception:
                accepted = False
        folder.add(name, text, kind, maker, accepted, password=PASSWORD, judge=ETHSTAKER,
                   **({"changed": why} if why else {}))

    for name, pbkdf2 in (("scrypt", False), ("pbkdf2", True)):
        keystore = credential("mainnet", 3, pbkdf2=pbkdf2).signing_keystore(PASSWORD, kdf_salt=bytes(range(32)))
        keystore.uuid = UUID
        text = keystore.as_json()
        file(f"ethstaker-deposit/keystore-{name}.json", text)
        if pbkdf2:
            changed = json.loads(text)
            message = changed["crypto"]["checksum"]["message"]
            changed["crypto"]["checksum"]["message"] = ("0" if message[0] != "0" else "1") + message[1:]
            file("ethstaker-deposit/keystore-checksum-changed.json", json.dumps(changed), why="the checksum")
    # Keys of accounts of the execution layer, in the format that looks alike.
    for kdf in ("scrypt", "pbkdf2"):
        text = json.dumps(Account.encrypt(bytes([7] * 32), PASSWORD, kdf=kdf, iterations=2 if kdf == "scrypt" else 1000))
        file(f"eth-account/v3-{kdf}.json", text, maker="eth-account 0.14.0")


def main(root):
    folder = Folder(root)
    deposits(folder)
    exits(folder)
    keystores(folder)
    print(json.dumps(folder.entries, indent=1))


main(sys.argv[1])
