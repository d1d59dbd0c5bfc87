"""What was agreed, read from ceremony.toml: who takes part at which point, and what is to be signed."""

import pathlib
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal

from eth_utils import is_checksum_address
from ethstaker_deposit.settings import ALL_CHAINS, BaseChainSetting

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32M = 0x2BC830A3
GAS_LIMIT = 60_000_000


class CeremonyError(Exception):
    """Why a ceremony file cannot be used, as a sentence."""


@dataclass(frozen=True)
class Validator:
    """What one validator signs."""

    credentials: bytes
    amounts: tuple
    registration: tuple | None


@dataclass(frozen=True)
class Ceremony:
    """The agreed thing, as far as it shows in the outputs. `points` maps the name of an operator that gets a share to its evaluation point;
    `ssv` is owner, first nonce, and the operators' RSA keys by number; `names` are all operators, and of a reshare or an import `keys` are the
    validators' keys, which it did not make; `preregistration` is the network's genesis validators root, if withdrawal credentials are
    preregistered."""

    chain: BaseChainSetting
    genesis_time: int | None
    threshold: int
    points: dict
    validators: tuple
    ssv: tuple | None = None
    names: tuple = ()
    keys: tuple = ()
    preregistration: bytes | None = None


# Seconds since 1970, as each network's genesis state says.
GENESIS_TIMES = {
    "mainnet": 1606824023,
    "hoodi": 1742213400,
    "sepolia": 1655733600,
    "gnosis": 1638993340,
    "chiado": 1665396300,
}


# The genesis validators roots, as the networks publish them.
ROOTS = {
    "mainnet": "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
    "hoodi": "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
    "sepolia": "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
    "gnosis": "f5dcb5564e829aab27264b9becd5dfaa017085611224cb3036f573368dbb9d47",
    "chiado": "9d642dac73058fbf39c0ae41ab1e34e4d889043cb199851ded7095bc99eb4c1e",
}


def checksum(values: list) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> bit & 1 else 0
    return check


def card_bytes(card: str) -> bytes:
    """Bech32m (BIP-350) with the prefix `quorate`."""
    prefix, _, body = card.rpartition("1")
    if prefix != "quorate" or not re.fullmatch(f"[{ALPHABET}]{{6,}}", body):
        raise CeremonyError(f"not an operator card: {card[:20]}...")
    values = [ALPHABET.index(c) for c in body]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    if checksum(expanded + values) != BECH32M:
        raise CeremonyError(f"operator card with a wrong checksum: {card[:20]}...")
    bits = "".join(f"{value:05b}" for value in values[:-6])
    whole = len(bits) // 8
    if "1" in bits[8 * whole :] or len(bits) - 8 * whole > 4:
        raise CeremonyError("operator card with stray bits")
    return int(bits[: 8 * whole], 2).to_bytes(whole, "big")


def operator_name(card: str) -> str:
    """The name in a card: version(1), key(32), Noise static(32), install mark(32; not in version 1), card signature(64),
    length(1), name."""
    data = card_bytes(card)
    front = {1: 130, 2: 162}.get(data[0] if data else 0)
    if front is None or len(data) < front or len(data) != front + data[front - 1]:
        raise CeremonyError("operator card of another version or length")
    return data[front:].decode("ascii")


def chain_of(network) -> tuple:
    """The chain's settings (those of ethstaker-deposit, for a known network) and its genesis time."""
    if isinstance(network, str):
        if network not in ALL_CHAINS:
            raise CeremonyError(f"unknown network {network}")
        return ALL_CHAINS[network], GENESIS_TIMES.get(network)
    version = bytes.fromhex(network["genesis_fork_version"].removeprefix("0x"))
    return BaseChainSetting(network["name"], version, b""), network.get("genesis_time")


def gwei(amount, chain: BaseChainSetting) -> int:
    value = Decimal(str(amount)) * 10**9 * chain.MULTIPLIER
    if value != int(value):
        raise CeremonyError(f"amount {amount} is not a whole number of Gwei")
    return int(value)


def address(text: str) -> bytes:
    """An address with its EIP-55 checksum."""
    if not is_checksum_address(text):
        raise CeremonyError(f"not an address with its checksum: {text}")
    return bytes.fromhex(text[2:])


def validators_of(group: dict, chain: BaseChainSetting, genesis_time: int | None) -> list:
    prefix = b"\x02" if group["compounding"] else b"\x01"
    credentials = prefix + bytes(11) + address(group["withdrawal"])
    amounts = group.get("amounts", [chain.MIN_ACTIVATION_AMOUNT])
    registration = None
    if "fee_recipient" in group:
        registration = (address(group["fee_recipient"]), group.get("gas_limit", GAS_LIMIT), genesis_time)
    validator = Validator(credentials, tuple(sorted(gwei(a, chain) for a in amounts)), registration)
    return [validator] * group.get("count", 1)


def ssv_of(document: dict) -> tuple | None:
    """What `[ssv]` and the operators' keys say."""
    if "ssv" not in document:
        return None
    address(document["ssv"]["owner"])
    keys = {operator["point"]: operator["ssv_key"] for operator in document["operators"]}
    return document["ssv"]["owner"], document["ssv"]["nonce"], keys


def preregistration_of(document: dict) -> bytes | None:
    """Of the one state of the draft that is known."""
    if "preregistration" not in document:
        return None
    if document["preregistration"] != {"draft": "2026-08-17"}:
        raise CeremonyError("preregistrations by another draft")
    network = document["network"]
    root = ROOTS[network] if isinstance(network, str) else network["genesis_validators_root"]
    return bytes.fromhex(root.removeprefix("0x"))


def read(path: pathlib.Path) -> Ceremony:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        chain, genesis_time = chain_of(document["network"])
        operators = document["operators"]
        names = tuple(operator_name(o["card"]) for o in operators)
        operators = [o for o in operators if o.get("receives", True)]
        points = {operator_name(o["card"]): o.get("point", at) for at, o in enumerate(operators, start=1)}
        keys = tuple(key.removeprefix("0x") for group in document["validators"] for key in group.get("keys", ()))
        validators = [v for group in document["validators"] for v in validators_of(group, chain, genesis_time)]
        threshold = document["threshold"]
        ssv = ssv_of(document)
        preregistration = preregistration_of(document)
    except (KeyError, TypeError, ValueError) as error:
        raise CeremonyError(f"{type(error).__name__}: {error}") from error
    if len(points) != len(operators) or len(set(points.values())) != len(operators) or 0 in points.values():
        raise CeremonyError("operators do not have distinct names and distinct non-zero points")
    if not 2 <= threshold <= len(operators):
        raise CeremonyError(f"threshold {threshold} of {len(operators)}")
    return Ceremony(chain, genesis_time, threshold, points, tuple(validators), ssv, names, keys, preregistration)
