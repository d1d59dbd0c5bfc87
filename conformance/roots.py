"""The hash tree roots of what a ceremony signs (consensus specification, ssz/simple-serialize), on hashlib alone."""

from hashlib import sha256

DOMAIN_DEPOSIT = bytes.fromhex("03000000")
DOMAIN_APPLICATION_BUILDER = bytes.fromhex("00000001")
# A draft: EIP-8205 as of 17 August 2026.
DOMAIN_PREREGISTRATION = bytes.fromhex("11000000")


def pair(left: bytes, right: bytes) -> bytes:
    return sha256(left + right).digest()


def uint64(value: int) -> bytes:
    return value.to_bytes(8, "little") + bytes(24)


def bytes48(data: bytes) -> bytes:
    return pair(data[:32], data[32:] + bytes(16))


def bytes96(data: bytes) -> bytes:
    return pair(pair(data[:32], data[32:64]), pair(data[64:], bytes(32)))


def deposit_message_root(pubkey: bytes, credentials: bytes, amount: int) -> bytes:
    return pair(pair(bytes48(pubkey), credentials), pair(uint64(amount), bytes(32)))


def deposit_data_root(pubkey: bytes, credentials: bytes, amount: int, signature: bytes) -> bytes:
    return pair(pair(bytes48(pubkey), credentials), pair(uint64(amount), bytes96(signature)))


def registration_root(fee_recipient: bytes, gas_limit: int, timestamp: int, pubkey: bytes) -> bytes:
    left = pair(fee_recipient + bytes(12), uint64(gas_limit))
    return pair(left, pair(uint64(timestamp), bytes48(pubkey)))


def preregistration_root(pubkey: bytes, credentials: bytes) -> bytes:
    return pair(bytes48(pubkey), credentials)


def signing_root(root: bytes, domain_type: bytes, genesis_fork_version: bytes, validators_root: bytes = bytes(32)) -> bytes:
    """Under the genesis fork version; deposits and builder registrations have no validators root."""
    fork_data = pair(genesis_fork_version + bytes(28), validators_root)
    return pair(root, domain_type + fork_data[:28])
