"""A beacon chain in the executable consensus specification (minimal preset), whose validators sign by threshold shares.

The chain begins by the deposits of a ceremony's file and goes from Electra through Fulu and Gloas to Heze. It takes the name of the network
of the ceremony (fork versions and genesis validators root), because exits are signed for it. What is not the network's: the fork versions
after Electra continue its pattern, and a validator may exit after two epochs instead of 256.
"""

import hashlib
import importlib
import itertools
from collections import Counter

from py_arkworks_bls12381 import G2Point, Scalar

FORKS = ("electra", "fulu", "gloas", "heze")
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
# Epochs until a validator may exit, so that a short chain sees one. 64 in the preset, 256 on mainnet.
EXIT_AFTER = 2


class Cluster:
    """The operators of a ceremony, who sign by shares. Each signature is made by another subset of those that are online."""

    def __init__(self, points: dict, shares: dict, threshold: int):
        self.points, self.shares, self.threshold = points, shares, threshold
        self.away: set = set()
        self.used: Counter = Counter()
        self.signed: Counter = Counter()

    def subset(self, size: int) -> tuple:
        """The subset that was used least among those online."""
        online = [name for name in self.points if name not in self.away]
        return min(itertools.combinations(online, size), key=lambda subset: self.used[subset])

    def sign(self, duty: str, pubkey: bytes, root: bytes) -> bytes:
        """A duty's signature, by exactly `threshold` operators."""
        subset = self.subset(self.threshold)
        self.used[subset] += 1
        self.signed[duty] += 1
        return self.combine(subset, pubkey, root)

    def combine(self, subset: tuple, pubkey: bytes, root: bytes) -> bytes:
        """Each operator's partial signature, combined by Lagrange coefficients at zero. Nobody adds up secrets."""
        message = G2Point.hash_to_curve(root, b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_")
        total = G2Point.identity()
        for name in subset:
            partial = message * Scalar(self.shares[pubkey][name])
            total += partial * Scalar(coefficient(self.points[name], [self.points[other] for other in subset]))
        return bytes(total.to_compressed_bytes())


def coefficient(point: int, points: list) -> int:
    """The Lagrange coefficient of `point` among `points`, at zero."""
    value = 1
    for other in points:
        if other != point:
            value = value * other % ORDER * pow(other - point, -1, ORDER) % ORDER
    return value


def specification(fork: str, network: dict):
    """The module of a fork, with the network's name: the one thing that its preset cannot know."""
    spec = importlib.import_module(f"eth_consensus_specs.{fork}.minimal")
    first = bytes.fromhex(network["genesis_fork_version"])
    capella = bytes.fromhex(network["capella_fork_version"])
    step = capella[0] - first[0]
    known = {"GENESIS_FORK_VERSION": first, "CAPELLA_FORK_VERSION": capella, "SHARD_COMMITTEE_PERIOD": spec.Epoch(EXIT_AFTER)}
    for number, name in enumerate(("ELECTRA", "FULU", "GLOAS", "HEZE"), 5):
        known[f"{name}_FORK_VERSION"] = bytes([first[0] + number * step // 3, *first[1:]])
    changed = {name: spec.Version(value) if isinstance(value, bytes) else value for name, value in known.items() if hasattr(spec.config, name)}
    spec.config = spec.config._replace(**changed)
    return spec


class Chain:
    """One chain, block by block. Whatever the specification refuses is an AssertionError of its."""

    def __init__(self, network: dict, cluster: Cluster, deposits: list, epochs: int):
        self.specs = {fork: specification(fork, network) for fork in FORKS}
        self.spec, self.fork, self.epochs = self.specs["electra"], "electra", epochs
        self.cluster = cluster
        self.blocks: Counter = Counter()
        self.attestations: list = []
        self.ptc = None
        # What the next block carries: deposits for its payload, and exits. The requests of a payload
        # are in the block after it, from Gloas on.
        self.deposits: tuple = ()
        self.exits: list = []
        self.next_requests = self.requests = None
        self.finalised: dict = {}
        self.withdrawn: Counter = Counter()
        self.state = self.genesis(deposits, bytes.fromhex(network["genesis_validators_root"]))

    # Entering

    def genesis(self, deposits: list, name: bytes):
        """The genesis state by the rules of phase0 ("Genesis"), with Electra's queue: each deposit is proven and processed."""
        spec = self.spec
        data = [spec.DepositData(**deposit) for deposit in deposits]
        leaves = [bytes(spec.hash_tree_root(one)) for one in data]
        root, proofs = deposit_tree(leaves)
        state = spec.BeaconState(
            genesis_time=0,
            fork=spec.Fork(
                previous_version=spec.config.ELECTRA_FORK_VERSION,
                current_version=spec.config.ELECTRA_FORK_VERSION,
                epoch=spec.GENESIS_EPOCH,
            ),
            eth1_data=spec.Eth1Data(deposit_root=root, deposit_count=len(data), block_hash=b"\x11" * 32),
            latest_block_header=spec.BeaconBlockHeader(body_root=spec.hash_tree_root(spec.BeaconBlockBody())),
            randao_mixes=[b"\x11" * 32] * spec.EPOCHS_PER_HISTORICAL_VECTOR,
            deposit_requests_start_index=spec.UNSET_DEPOSIT_REQUESTS_START_INDEX,
        )
        for one, proof in zip(data, proofs):
            spec.process_deposit(state, spec.Deposit(proof=proof, data=one))
        for pending in state.pending_deposits:
            index = [validator.pubkey for validator in state.validators].index(pending.pubkey)
            spec.increase_balance(state, index, pending.amount)
        state.pending_deposits = []
        for index, validator in enumerate(state.validators):
            balance = state.balances[index]
            most = spec.get_max_effective_balance(validator)
            validator.effective_balance = min(balance - balance % spec.EFFECTIVE_BALANCE_INCREMENT, most)
            if validator.effective_balance >= spec.MIN_ACTIVATION_BALANCE:
                validator.activation_eligibility_epoch = validator.activation_epoch = spec.GENESIS_EPOCH
        state.genesis_validators_root = name
        state.current_sync_committee = state.next_sync_committee = spec.get_next_sync_committee(state)
        state.latest_execution_payload_header = spec.ExecutionPayloadHeader(block_hash=b"\x22" * 32, gas_limit=30_000_000)
        return state

    def active(self) -> list:
        return [int(index) for index in self.spec.get_active_validator_indices(self.state, self.spec.get_current_epoch(self.state))]

    # With fewer

    def trials(self, size: int):
        """Every subset of `size` operators at its RANDAO reveal, block and attestation in the next slot: the duty, the subset, and whether the
        specification takes the signature; of the reveal, also whether its state transition does."""
        spec, state, cluster = self.spec, self.state.copy(), self.cluster
        spec.process_slots(state, spec.Slot(state.slot + 1))
        pubkey = bytes(state.validators[spec.get_beacon_proposer_index(state)].pubkey)
        duties = {
            "randao": (spec.DOMAIN_RANDAO, spec.get_current_epoch(state)),
            "block": (spec.DOMAIN_BEACON_PROPOSER, spec.BeaconBlock()),
            "attestation": (spec.DOMAIN_BEACON_ATTESTER, spec.AttestationData()),
        }
        for duty, (kind, message) in duties.items():
            root = bytes(spec.compute_signing_root(message, spec.get_domain(state, kind)))
            for subset in itertools.combinations(cluster.points, size):
                signature = cluster.combine(subset, pubkey, root)
                yield duty, subset, spec.bls.Verify(pubkey, root, signature)
                if duty == "randao":
                    yield "process_randao", subset, processed(spec.process_randao, state, spec.BeaconBlockBody(randao_reveal=signature))

    # A slot

    def slot(self):
        """The next block, and what is signed about it."""
        spec, state = self.spec, self.state
        number = state.slot + 1
        spec.process_slots(state, number)
        epoch = int(spec.get_current_epoch(state))
        if number % spec.SLOTS_PER_EPOCH == 0:
            self.upgrade(epoch)
            spec, state = self.spec, self.state
            names = list(self.cluster.points)
            # Each operator in turn is away for an epoch; in every fifth, nobody is.
            gone = epoch % (len(names) + 1)
            self.cluster.away = {names[gone]} if gone < len(names) else set()
        signed = self.block()
        if not spec.verify_block_signature(state, signed):
            raise AssertionError("the specification refuses a block's signature")
        spec.process_block(state, signed.message)
        assert signed.message.state_root == spec.hash_tree_root(state), "the state is not the block's"
        self.blocks[self.fork] += 1
        self.finalised[self.fork] = int(state.finalized_checkpoint.epoch)
        self.after(signed.message)

    def upgrade(self, epoch: int):
        """Into the next fork, at its epoch."""
        place = FORKS.index(self.fork)
        if place + 1 < len(FORKS) and epoch == (place + 1) * self.epochs:
            self.fork = FORKS[place + 1]
            self.spec = self.specs[self.fork]
            self.state = getattr(self.spec, f"upgrade_to_{self.fork}")(self.state)

    def sign(self, duty: str, index: int, message, domain_type, epoch: int | None = None) -> bytes:
        spec = self.spec
        domain = spec.get_domain(self.state, domain_type, epoch)
        return self.cluster.sign(duty, bytes(self.state.validators[index].pubkey), bytes(spec.compute_signing_root(message, domain)))

    def block(self):
        """A block with everything in it, signed by its proposer."""
        spec, state = self.spec, self.state
        epoch = spec.get_current_epoch(state)
        proposer = spec.get_beacon_proposer_index(state)
        body = spec.BeaconBlockBody(
            randao_reveal=self.sign("randao", proposer, spec.Epoch(epoch), spec.DOMAIN_RANDAO),
            eth1_data=state.eth1_data,
            graffiti=hashlib.sha256(b"threshold").digest(),
            attestations=[self.into_fork(one) for one in self.attestations],
            sync_aggregate=self.sync_aggregate(),
            voluntary_exits=self.exits,
        )
        self.fill(body)
        block = spec.BeaconBlock(
            slot=state.slot, proposer_index=proposer, parent_root=spec.hash_tree_root(state.latest_block_header), body=body
        )
        trial = state.copy()
        spec.process_block(trial, block)
        block.state_root = spec.hash_tree_root(trial)
        signature = self.sign("block", proposer, block, spec.DOMAIN_BEACON_PROPOSER)
        return spec.SignedBeaconBlock(message=block, signature=signature)

    def into_fork(self, attestation):
        """An attestation of the fork before, in the first block of this one."""
        spec = self.spec
        bits = list(attestation.aggregation_bits)
        fields = {name: getattr(attestation, name) for name in ("data", "signature", "committee_bits")}
        return spec.Attestation(aggregation_bits=bits, **fields)

    def fill(self, body):
        """What the execution layer gives, as the fork has it."""
        spec, state = self.spec, self.state
        requests = spec.ExecutionRequests(deposits=[spec.DepositRequest(**deposit) for deposit in self.deposits])
        block_hash = hashlib.sha256(f"payload {int(state.slot)}".encode()).digest()
        if not hasattr(body, "signed_execution_payload_bid"):
            before = state.latest_execution_payload_header
            withdrawals = spec.get_expected_withdrawals(state).withdrawals
            self.count(withdrawals)
            body.execution_requests = requests
            body.execution_payload = spec.ExecutionPayload(
                parent_hash=before.block_hash,
                prev_randao=spec.get_randao_mix(state, spec.get_current_epoch(state)),
                block_number=before.block_number + 1,
                gas_limit=before.gas_limit,
                timestamp=spec.compute_time_at_slot(state, state.slot),
                block_hash=block_hash,
                withdrawals=withdrawals,
            )
            return
        parent = state.latest_execution_payload_bid
        if self.requests is not None:
            body.parent_execution_requests = self.requests
        bid = spec.ExecutionPayloadBid(
            parent_block_hash=parent.block_hash,
            parent_block_root=spec.hash_tree_root(state.latest_block_header),
            block_hash=block_hash,
            prev_randao=spec.get_randao_mix(state, spec.get_current_epoch(state)),
            gas_limit=parent.gas_limit,
            builder_index=spec.BUILDER_INDEX_SELF_BUILD,
            slot=state.slot,
            execution_requests_root=spec.hash_tree_root(requests),
        )
        body.signed_execution_payload_bid = spec.SignedExecutionPayloadBid(message=bid, signature=spec.G2_POINT_AT_INFINITY)
        if self.ptc is not None:
            body.payload_attestations = [self.ptc]
        self.next_requests = requests

    def count(self, withdrawals):
        for withdrawal in withdrawals:
            self.withdrawn[bytes(withdrawal.address)] += int(withdrawal.amount)

    def sync_aggregate(self):
        """Every seat of the sync committee signs the block before."""
        spec, state = self.spec, self.state
        slot = max(int(state.slot), 1) - 1
        root = spec.get_block_root_at_slot(state, slot)
        keys = {bytes(validator.pubkey): index for index, validator in enumerate(state.validators)}
        made: dict = {}
        for pubkey in state.current_sync_committee.pubkeys:
            index = keys[bytes(pubkey)]
            if index not in made:
                made[index] = self.sign("sync committee", index, root, spec.DOMAIN_SYNC_COMMITTEE, spec.compute_epoch_at_slot(slot))
        seats = [made[keys[bytes(pubkey)]] for pubkey in state.current_sync_committee.pubkeys]
        return spec.SyncAggregate(sync_committee_bits=[True] * spec.SYNC_COMMITTEE_SIZE, sync_committee_signature=spec.bls.Aggregate(seats))

    # What is signed about a block

    def after(self, block):
        """Everybody attests to the block; from Gloas on its payload is revealed and attested to, in Heze inclusion lists are signed."""
        spec, state = self.spec, self.state
        self.exits, self.deposits, self.requests, self.ptc = [], (), None, None
        head = spec.hash_tree_root(block)
        if hasattr(block.body, "signed_execution_payload_bid"):
            self.reveal(block, head)
            self.ptc = self.payload_attestation(head)
        if self.fork == "heze":
            self.inclusion_lists()
        self.attestations = [self.attestation(head)]

    def attestation(self, head):
        """One aggregate of all committees of the slot."""
        spec, state = self.spec, self.state
        epoch = spec.get_current_epoch(state)
        start = spec.compute_start_slot_at_epoch(epoch)
        target = head if start == state.slot else spec.get_block_root(state, epoch)
        data = spec.AttestationData(
            slot=state.slot,
            index=0,
            beacon_block_root=head,
            source=state.current_justified_checkpoint,
            target=spec.Checkpoint(epoch=epoch, root=target),
        )
        committees = [
            spec.get_beacon_committee(state, state.slot, spec.CommitteeIndex(index))
            for index in range(spec.get_committee_count_per_slot(state, epoch))
        ]
        members = [member for committee in committees for member in committee]
        signatures = [self.sign("attestation", member, data, spec.DOMAIN_BEACON_ATTESTER, epoch) for member in members]
        bits = [index < len(committees) for index in range(spec.MAX_COMMITTEES_PER_SLOT)]
        return spec.Attestation(
            aggregation_bits=[True] * len(members), data=data, signature=spec.bls.Aggregate(signatures), committee_bits=bits
        )

    def reveal(self, block, head):
        """The payload that the block has bid, signed by its proposer, who built it."""
        spec, state = self.spec, self.state
        bid = block.body.signed_execution_payload_bid.message
        self.count(state.payload_expected_withdrawals)
        payload = spec.ExecutionPayload(
            parent_hash=state.latest_block_hash,
            prev_randao=bid.prev_randao,
            gas_limit=bid.gas_limit,
            timestamp=spec.compute_time_at_slot(state, state.slot),
            block_hash=bid.block_hash,
            withdrawals=list(state.payload_expected_withdrawals),
            slot_number=state.slot,
        )
        envelope = spec.ExecutionPayloadEnvelope(
            payload=payload,
            execution_requests=self.next_requests,
            builder_index=spec.BUILDER_INDEX_SELF_BUILD,
            beacon_block_root=head,
            parent_beacon_block_root=block.parent_root,
        )
        signature = self.sign("payload envelope", block.proposer_index, envelope, spec.DOMAIN_BEACON_BUILDER)
        spec.verify_execution_payload_envelope(
            state, spec.SignedExecutionPayloadEnvelope(message=envelope, signature=signature), spec.EXECUTION_ENGINE
        )
        self.requests = self.next_requests

    def payload_attestation(self, head):
        """The payload timeliness committee has seen it."""
        spec, state = self.spec, self.state
        data = spec.PayloadAttestationData(beacon_block_root=head, slot=state.slot, payload_present=True, blob_data_available=True)
        seats = spec.get_ptc(state, state.slot)
        epoch = spec.get_current_epoch(state)
        made = {index: self.sign("payload attestation", index, data, spec.DOMAIN_PTC_ATTESTER, epoch) for index in set(seats)}
        return spec.PayloadAttestation(
            aggregation_bits=[True] * len(seats), data=data, signature=spec.bls.Aggregate([made[index] for index in seats])
        )

    def inclusion_lists(self):
        """The members of this slot's inclusion list committee sign lists, which the specification verifies by themselves."""
        spec, state = self.spec, self.state
        committee = spec.get_inclusion_list_committee(state, state.slot)
        for index in sorted(set(committee)):
            message = spec.InclusionList(
                slot=state.slot, validator_index=index, inclusion_list_committee_root=spec.hash_tree_root(committee)
            )
            signature = self.sign(
                "inclusion list", index, message, spec.DOMAIN_INCLUSION_LIST_COMMITTEE, spec.get_current_epoch(state)
            )
            assert spec.is_valid_inclusion_list_signature(state, spec.SignedInclusionList(message=message, signature=signature))


def processed(function, state, body) -> bool:
    """Whether the specification's state transition takes it. It refuses by an assertion."""
    try:
        function(state.copy(), body)
    except AssertionError:
        return False
    return True


def deposit_tree(leaves: list) -> tuple:
    """Root and proofs of the deposit contract's tree: depth 32, the number of leaves mixed in."""

    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    levels, zero = [list(leaves)], bytes(32)
    zeros = []
    for _ in range(32):
        zeros.append(zero)
        below = levels[-1]
        padded = below + [zero] * (len(below) % 2)
        levels.append([sha(padded[i] + padded[i + 1]) for i in range(0, len(padded), 2)])
        zero = sha(zero + zero)
    length = len(leaves).to_bytes(32, "little")
    proofs = []
    for index in range(len(leaves)):
        proof = []
        for depth in range(32):
            beside = index >> depth ^ 1
            level = levels[depth]
            proof.append(level[beside] if beside < len(level) else zeros[depth])
        proofs.append([*proof, length])
    return sha(levels[32][0] + length), proofs
