"""Cut-overs from one generation of shares to the next, played with validator clients and judged by the executable consensus specification.

A model: operators are clients with the slashing protection of EIP-3076, shares are counted and not computed. A message of the validator exists where as many shares of
one generation as its threshold sign the same data. What a cluster agrees on is one datum for each duty of each generation; the two generations know nothing of each other
and may see different forks. Who is false is free: it states what it likes, signs whatever it is shown, with old shares and new ones, and comes back.

The floors of new shares follow the formula of chapter 15.4, written again here. That the program gives the same floors is checked first, on a reshare that it makes.
"""

import dataclasses
import json
import pathlib
import random
import subprocess
import tempfile
from collections import Counter

import check

try:
    from eth_consensus_specs.electra import minimal as spec
except ImportError as error:  # the specification is a package of its own
    raise SystemExit(f"the executable specification cannot be loaded: {error}") from error

SLOTS = int(spec.SLOTS_PER_EPOCH)
# Operators and threshold, of either generation.
CLUSTERS = ((3, 2), (4, 3), (5, 4), (7, 5))
# Epochs before the first stop, and after the last: at most this many.
BEFORE, AFTER = 6, 8
# Epochs of a chain in its middle: numbers are not small.
EPOCH = 1000
FALSE = ("liar", "restarts", "lost-database")


@dataclasses.dataclass
class Signed:
    """What a key has signed last: all that a minimal record of EIP-3076 keeps."""

    slot: int | None = None
    source: int | None = None
    target: int | None = None

    def join(self, other: "Signed") -> "Signed":
        def most(a, b):
            return b if a is None else a if b is None else max(a, b)

        return Signed(most(self.slot, other.slot), most(self.source, other.source), most(self.target, other.target))

    def attests(self, source: int, target: int) -> bool:
        """Conditions 4 and 5 of the EIP. What is signed is remembered."""
        if (self.source is not None and source < self.source) or (self.target is not None and target <= self.target):
            return False
        self.source, self.target = source, target
        return True

    def proposes(self, slot: int) -> bool:
        """Condition 2."""
        if self.slot is not None and slot <= self.slot:
            return False
        self.slot = slot
        return True


@dataclasses.dataclass
class Old:
    """An operator of the parent with its client."""

    false: str | None = None
    deals: bool = True
    stops_at: int | None = None
    comes_back_at: int | None = None
    loses_at: int | None = None
    away: tuple = (0, 0)
    record: Signed = dataclasses.field(default_factory=Signed)

    def runs(self, slot: int) -> bool:
        if self.away[0] <= slot < self.away[1]:
            return False
        stopped = self.stops_at is not None and slot >= self.stops_at
        return not stopped or (self.comes_back_at is not None and slot >= self.comes_back_at)

    def states(self, chance: random.Random) -> Signed:
        """Its minima. A liar says that its key never ran, or what it likes."""
        if self.false != "liar":
            return dataclasses.replace(self.record)
        return chance.choice([Signed(), Signed(chance.randrange(SLOTS * EPOCH), EPOCH // 2, EPOCH // 2)])


@dataclasses.dataclass
class New:
    """A receiver with its client: what it has signed begins with its floors."""

    obeys: bool
    record: Signed
    begins: int


class CutOver:
    """One cut-over; everything about it follows from its seed."""

    def __init__(self, seed: int, at_the_bound: bool, floors: bool):
        self.chance = chance = random.Random(seed)
        self.n_0, self.t_0 = chance.choice(CLUSTERS)
        self.n, self.t = chance.choice(CLUSTERS)
        self.floors = floors
        dealers = chance.randint(self.t_0, self.n_0)
        self.old = [Old(deals=number < dealers) for number in range(self.n_0)]
        # Of so many stops so many false ones give an old quorum (chapter 15.4).
        self.bound = dealers - (self.n_0 - self.t_0)
        self.many = self.bound if at_the_bound else chance.randrange(self.bound) if floors else 0
        for operator in chance.sample(self.old[:dealers], self.many):
            operator.false = chance.choice(FALSE[:2] if at_the_bound else FALSE)
        self.messages: list = []
        self.seen: Counter = Counter()

    def play(self) -> list:
        """What the validator has signed: (generation, kind, object of the specification)."""
        chance = self.chance
        first_stop = SLOTS * (EPOCH + chance.randint(1, BEFORE)) + chance.randrange(SLOTS)
        last_stop = first_stop + chance.randrange(2 * SLOTS)
        end = last_stop + SLOTS * AFTER
        for operator in self.old:
            if operator.deals:
                operator.stops_at = chance.randint(first_stop, last_stop)
            if operator.false in ("liar", "restarts"):
                operator.comes_back_at = operator.stops_at + chance.randrange(1, 2 * SLOTS)
            if operator.false == "lost-database":
                operator.loses_at = chance.randint(SLOTS * EPOCH, operator.stops_at)
            if chance.random() < 0.3:
                away = chance.randint(SLOTS * EPOCH, end)
                operator.away = (away, away + chance.randrange(SLOTS))
        new, source = [], EPOCH - 2
        for slot in range(SLOTS * EPOCH, end):
            for operator in self.old:
                if operator.loses_at == slot:
                    operator.record = Signed()
            if slot == last_stop + 1:
                new = self.begin(slot)
            if slot % SLOTS == 0:
                # The chain justifies an epoch, or does not.
                source = chance.choice((source, slot // SLOTS - 1, slot // SLOTS - 2))
                duty = slot + chance.randrange(SLOTS)
                proposal = slot + chance.randrange(SLOTS) if chance.random() < 0.4 else None
            # Each generation sees a fork: a head, and what is justified there.
            views = [(chance.randrange(2), source - chance.choice((0, 0, 1))) for _ in range(2)]
            if slot == duty:
                self.attest(slot, views, new)
            if slot == proposal:
                self.propose(slot, views, new)
        return self.messages

    def begin(self, slot: int) -> list:
        """All commits are held: each receiver makes its outputs, by its own clock."""
        chance = self.chance
        stated = [operator.states(chance) for operator in self.old if operator.deals]
        # An operator that is false may have a new share too, and ignore its floors. As many as sign could do so anyway.
        free = min(self.many, self.t - 1)
        receivers = []
        for number in range(self.n):
            clock = slot + chance.randrange(SLOTS)
            floors = floors_of(stated, clock)
            if floors is None:
                self.seen["refused by the clock"] += 1
                return []
            begins = SLOTS * (floors.target + 1) if chance.random() < 0.5 else slot
            receivers.append(New(number >= free, floors if self.floors else Signed(), begins if self.floors else slot))
        self.seen["began"] += 1
        return receivers

    def attest(self, slot: int, views: list, new: list):
        target = slot // SLOTS
        for generation, (head, source) in enumerate(views):
            if generation == 0:
                signers = [one for one in self.old if one.runs(slot)]
                count = sum(one.false == "liar" or one.record.attests(source, target) for one in signers)
            else:
                count = sum(not one.obeys or (slot >= one.begins and one.record.attests(source, target)) for one in new)
            if new if generation else True:
                self.made(generation, count, "attestation", attestation(slot, head, source, target))

    def propose(self, slot: int, views: list, new: list):
        for generation, (head, _) in enumerate(views):
            if generation == 0:
                signers = [one for one in self.old if one.runs(slot)]
                count = sum(one.false == "liar" or one.record.proposes(slot) for one in signers)
            else:
                count = sum(not one.obeys or (slot >= one.begins and one.record.proposes(slot)) for one in new)
            header = spec.BeaconBlockHeader(slot=slot, proposer_index=1, body_root=root(head, generation))
            self.made(generation, count, "block", header)

    def made(self, generation: int, count: int, kind: str, message):
        if count >= (self.t if generation else self.t_0):
            self.seen[("old ", "new ")[generation] + kind] += 1
            self.messages.append((generation, kind, message))


def floors_of(stated: list, clock: int) -> Signed | None:
    """Chapter 15.4, number 4; nothing if more is stated than the clock allows."""
    epoch, joined = clock // SLOTS, Signed()
    for one in stated:
        joined = joined.join(one)
    most = (joined.target or 0, joined.source or 0, (joined.slot or 0) // SLOTS)
    if max(most) > epoch + 1:
        return None
    return Signed(max(clock, joined.slot or 0) + SLOTS, joined.source or 0, max(epoch, joined.target or 0) + 1)


def root(*what: int) -> bytes:
    return bytes(what).ljust(32, b"\1")


def attestation(slot: int, head: int, source: int, target: int):
    ends = [spec.Checkpoint(epoch=epoch, root=root(epoch % 251)) for epoch in (source, target)]
    return spec.AttestationData(slot=slot, index=0, beacon_block_root=root(head), source=ends[0], target=ends[1])


def slashable(messages: list) -> int:
    """How many pairs of an old message and a new one a validator is slashed for, by the specification's own words.

    Two of one generation are no matter of cut-overs: 2t - n false operators sign two messages with the help of others that each have seen one of them.
    """
    count = 0
    for generation, kind, one in messages:
        for other_generation, other_kind, other in messages:
            if kind != other_kind or generation or not other_generation:
                continue
            if kind == "attestation":
                count += spec.is_slashable_attestation_data(one, other) or spec.is_slashable_attestation_data(other, one)
            else:
                # The first two assertions of process_proposer_slashing.
                count += one.slot == other.slot and one != other
    return count


def many(count: int, at_the_bound: bool, floors: bool) -> tuple:
    """So many cut-overs: how many of them are slashed, the first of these, and what happened in all."""
    slashed, first, seen = 0, None, Counter()
    for seed in range(count):
        cut_over = CutOver(seed, at_the_bound, floors)
        pairs = slashable(cut_over.play())
        seen.update(cut_over.seen)
        seen.update(operator.false for operator in cut_over.old if operator.false)
        if pairs:
            slashed, first = slashed + 1, first if first is not None else seed
    return slashed, first, seen


def below(count: int):
    slashed, first, seen = many(count, False, True)
    check.require(not slashed, f"{slashed} of {count} are slashed, the first with seed {first}")
    # It would be no news if nobody had signed, or nobody had been false.
    for what in ("old attestation", "new attestation", "old block", "new block", *FALSE):
        check.require(seen[what] >= count // 20, f"only {seen[what]} times: {what}")
    print("        " + ", ".join(f"{number} {what}" for what, number in sorted(seen.items())))


def some(count: int, at_the_bound: bool, floors: bool):
    slashed, _, _ = many(count, at_the_bound, floors)
    check.require(slashed >= count // 50, f"only {slashed} of {count} are slashed: the model shows nothing")
    print(f"        {slashed} of {count} are slashed")


def program(binary: pathlib.Path):
    """The floors of a reshare that the program makes are those of the formula, by what its dealers state and its clock says."""
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home) / "demo"
        command = [str(binary), "--json", "demo", "--reshare", "--out", str(folder), "--network", "hoodi"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
        check.require(ended.returncode == 0, f"demo --reshare: {ended.stderr.strip()[-500:]}")
        digest = pathlib.Path(json.loads(ended.stdout)["public"]).parent.parent.name
        stated = [record(path) for path in folder.glob("*-protection.json")]
        check.require(len(stated) == 4, f"{len(stated)} dealers")
        made = 0
        for path in folder.glob(f"*/ceremonies/{digest}/out/secret/slashing-protection.json"):
            floors, per_epoch = record(path), 32
            held = check.load(path.parent / "cut-over.json")["commits_held_in_epoch"]
            joined = Signed()
            for one in stated:
                joined = joined.join(one)
            check.require(floors.source == joined.source, f"source {floors.source}, stated {joined.source}")
            check.require(floors.target == max(held, joined.target) + 1, f"target {floors.target} in epoch {held}")
            check.require(floors.slot // per_epoch == held + 1 and floors.slot >= joined.slot + per_epoch, f"slot {floors.slot} in epoch {held}")
            made += 1
        check.require(made == 4, f"{made} receivers")


def record(path: pathlib.Path) -> Signed:
    """The greatest values of a file of EIP-3076, over all its keys."""
    joined = Signed()
    for entry in check.load(path)["data"]:
        for block in entry["signed_blocks"]:
            joined = joined.join(Signed(slot=int(block["slot"])))
        for vote in entry["signed_attestations"]:
            joined = joined.join(Signed(source=int(vote["source_epoch"]), target=int(vote["target_epoch"])))
    return joined


def run(report: check.Report, binary: pathlib.Path, count: int):
    report.check("the program's floors are those of chapter 15.4", program, binary)
    report.check(f"{count} cut-overs with fewer false stops than give an old quorum: nobody is slashed", below, count)
    report.check(f"{count} cut-overs with just as many: some are slashed", some, count, True, True)
    report.check(f"{count} cut-overs without floors, all stops true: some are slashed", some, count, False, False)
