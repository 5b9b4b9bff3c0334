"""The certificate of a draw: what outsiders need to know it was not steered, and, after the close, to repeat it.

While the trial runs it holds hashes and counts only. After the close it opens the secret and each batch's arms in
the order drawn; the codes of the clusters are never in it, because whoever holds the secret could try addresses
against them. An auditor gets the lists of codes apart and runs `verify`. Rules of the trial §4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import ALGORITHMS, Allocated, Design, Entry
from nudge.allocation.keying import Keyed, composed
from nudge.allocation.listing import list_hash
from nudge.allocation.schemes import ALGORITHM
from nudge.base.canonical import digest
from nudge.base.errors import Place, Problem, Refused
from nudge.experiment.seal import NO_BEACON, commitment, seed

SCHEMA: Final = "nudge-certificate/1"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECRET: Final = re.compile(r"[0-9a-f]{64}")


class Level(StrEnum):
    """How much an outsider need not take on trust."""

    FULL = "full"  # a witness held the commitment before a public beacon settled the seed
    ORDINARY = "ordinary"  # one of the two is missing
    WEAK = "weak"  # both are


def names_beacon(beacon: str) -> bool:
    """Whether a seal's beacon is a public value at all: blank and `none`, in any capitals, are not."""
    return beacon.strip().lower() not in {"", NO_BEACON}


def level_of(beacon: str, witness: str | None) -> Level:
    """The level that a seal's beacon and witness give."""
    return (Level.WEAK, Level.ORDINARY, Level.FULL)[names_beacon(beacon) + bool((witness or "").strip())]


LIMITS: Final[Mapping[str, str]] = {
    "beacon": "No public beacon was used: whoever sealed this could have tried several seeds.",
    "witness": "No witness outside the team was named: that the seal came first rests on this ledger alone.",
    "secret": "The secret is not opened before the close: until then the draw cannot be repeated.",
    "seals": "Sealed {count} times: every seal is listed.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealLine:
    """One seal of the trial, in the order of their numbers. Hashes are 64 hex digits; `sealed_at` is UTC text."""

    number: int
    sealed_at: str
    definition_hash: str
    seal_hash: str
    commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLine:
    """The design of one epoch. `multiples` says how many times the ratio a block may hold, `terms` the rest of it."""

    epoch: int
    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    strata: tuple[str, ...]
    multiples: tuple[int, ...]
    terms: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, design: Design) -> EpochLine:
        """The line of a design."""
        return cls(
            epoch=design.epoch,
            arms=design.arms,
            ratio=design.ratio,
            strata=design.strata,
            multiples=design.multiples,
            terms=design.terms,
        )

    def design(self, trial: str) -> Design:
        """The design that the line is of. Raises Refused where no such design can be drawn."""
        terms = {name: _tuples(value) for name, value in self.terms.items()}
        whole = {"trial": trial, "arms": self.arms, "ratio": self.ratio, "strata": self.strata, "epoch": self.epoch}
        return Design(**(terms | whole))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """One batch. `clusters` were drawn in it, with `units`; `late_members` joined clusters drawn before.

    `previous_hash` is the `ledger_hash` of the batch before; for batch 1 the commitment of seal 1.
    """

    number: int
    epoch: int
    frozen_at: str
    drawn_at: str
    list_hash: str
    clusters: int
    units: int
    late_members: int
    previous_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """What one draw gave, its cluster unnamed; lines stand in the order drawn."""

    batch: int
    epoch: int
    stratum: str
    block: int
    slot: int
    block_size: int
    arm: str

    @classmethod
    def of(cls, row: Allocated) -> DrawnLine:
        """The line of an allocation."""
        return cls(**{one.name: getattr(row, one.name) for one in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumLine:
    """How many clusters of one stratum of one epoch each arm holds, abandoned batches included."""

    epoch: int
    stratum: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is told after the close only. `secret` in hex."""

    secret: str
    drawn: tuple[DrawnLine, ...]
    strata: tuple[StratumLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """`nudge-certificate/1`. `beacon` is as the seal names it, `beacon_value` as typed in (both `none` without one)."""

    trial: str
    seals: tuple[SealLine, ...]
    beacon: str
    beacon_value: str | None
    witness: str | None
    versions: Mapping[str, str]
    epochs: tuple[EpochLine, ...]
    batches: tuple[BatchLine, ...]
    opened: Opened | None = None
    algorithm: str = ALGORITHM

    @property
    def commitment(self) -> str | None:
        """The commitment of the seal in force."""
        return self.seals[-1].commitment if self.seals else None

    @property
    def has_beacon(self) -> bool:
        """Whether a public value settled the seed after the seal."""
        return names_beacon(self.beacon)

    @property
    def level(self) -> Level:
        """How much an outsider need not take on trust."""
        return level_of(self.beacon, self.witness)

    @property
    def limits(self) -> tuple[str, ...]:
        """What this certificate does not prove, in sentences to be printed with it."""
        holds = {
            "beacon": not self.has_beacon,
            "witness": not self.witness,
            "secret": self.opened is None,
            "seals": len(self.seals) > 1,
        }
        return tuple(words.format(count=len(self.seals)) for limit, words in LIMITS.items() if holds[limit])

    def to_json(self) -> str:
        """The document `nudge-certificate/1`; the same certificate gives the same text."""
        document = {"schema": SCHEMA, "level": self.level.value, "limits": list(self.limits), **asdict(self)}
        return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def ledger_hash(trial: str, line: BatchLine, *, algorithm: str = ALGORITHM) -> str:
    """The hash that the next batch carries as `previous_hash`: what was frozen before this batch was drawn."""
    return digest([algorithm, trial, line.number, line.epoch, line.frozen_at, line.list_hash, line.previous_hash])


def opened(certificate: Certificate, *, secret: bytes, allocated: Iterable[Allocated]) -> Certificate:
    """The certificate after the close: its secret, and its arms in the order drawn.

    `allocated` is every allocation of the trial in any order. Raises ValueError while no beacon value is known.
    """
    if certificate.beacon_value is None:
        msg = "no draw without a beacon value"
        raise ValueError(msg)
    key = seed(secret, certificate.beacon_value)
    if certificate.algorithm == ALGORITHM:
        keyed = Keyed(key, ALGORITHM, certificate.trial)
        rows = sorted(allocated, key=lambda row: (row.batch, keyed("order", row.batch, row.cluster)))
    else:
        rows = sorted(allocated, key=lambda row: (row.batch, row.stratum, row.block, row.slot))
        if certificate.algorithm == ALGORITHMS["minimised"]:  # drawn turn by turn, whatever the levels
            rows.sort(key=lambda row: (row.batch, row.slot))
    return replace(
        certificate,
        opened=Opened(secret=secret.hex(), drawn=tuple(map(DrawnLine.of, rows)), strata=count_strata(rows)),
    )


def count_strata(rows: Iterable[Allocated | DrawnLine]) -> tuple[StratumLine, ...]:
    """Clusters by arm in each stratum of each epoch, in the order of epoch and stratum; arms by name."""
    counts: dict[tuple[int, str], dict[str, int]] = {}
    for row in rows:
        held = counts.setdefault((row.epoch, row.stratum), {})
        held[row.arm] = held.get(row.arm, 0) + 1
    return tuple(
        StratumLine(epoch=epoch, stratum=stratum, counts=dict(sorted(held.items())))
        for (epoch, stratum), held in sorted(counts.items())
    )


def from_json(text: str) -> Certificate:
    """Read `nudge-certificate/1`; keys it does not know are passed over. Raises Refused."""
    place = Place("certificate")
    try:
        document = json.loads(text)
    except ValueError:
        raise Refused(AllocationCode.CERTIFICATE_NOT_JSON.at(place)) from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise Refused(AllocationCode.CERTIFICATE_OF_ANOTHER_KIND.at(place, schema=SCHEMA))
    try:
        later = document["opened"]
        return Certificate(
            trial=document["trial"],
            seals=_lines(SealLine, document["seals"]),
            beacon=document["beacon"],
            beacon_value=document["beacon_value"],
            witness=document["witness"],
            versions=dict(document["versions"]),
            epochs=_lines(EpochLine, document["epochs"]),
            batches=_lines(BatchLine, document["batches"]),
            opened=None
            if later is None
            else Opened(
                secret=later["secret"],
                drawn=_lines(DrawnLine, later["drawn"]),
                strata=_lines(StratumLine, later["strata"]),
            ),
            algorithm=document["algorithm"],
        )
    except (KeyError, TypeError, AttributeError) as lacking:
        key = lacking.args[0] if isinstance(lacking, KeyError) else "of another type"
        raise Refused(AllocationCode.CERTIFICATE_LACKS.at(place, key=key)) from None


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _lines(kind: type[Any], items: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    names = [one.name for one in fields(kind)]
    return tuple(
        kind(**{name: tuple(item[name]) if isinstance(item[name], list) else item[name] for name in names})
        for item in (OLDER.get(kind, {}) | dict(item) for item in items)
    )


OLDER: Final[Mapping[type[Any], dict[str, Any]]] = {EpochLine: {"terms": {}}}
"""What certificates written before a key was added are read with."""


def verify(
    certificate: Certificate,
    lists: Mapping[int, Mapping[str, str | Entry]],
    *,
    recorded: Iterable[Allocated] | None = None,
) -> tuple[Problem, ...]:
    """Everything wrong with a draw; empty where all of it agrees.

    `lists` has each batch's list as frozen, {cluster code: stratum, or an Entry where the draw looked at more}.
    Before the close only hashes, numbers and times
    can be checked; after it the whole draw is repeated from the secret and the beacon. `recorded` are the database's
    allocations, in any order, to be compared cluster by cluster as well.
    """
    return (*_of_ledger(certificate, lists), *_of_draw(certificate, lists, recorded))


def _of_ledger(certificate: Certificate, lists: Mapping[int, Mapping[str, str | Entry]]) -> Iterator[Problem]:
    place = Place("certificate")
    known = ALGORITHMS.values()
    named = {ALGORITHMS.get(str(line.terms.get("method", "blocked"))) for line in certificate.epochs}
    if certificate.algorithm not in known or named - {certificate.algorithm}:
        yield AllocationCode.ALGORITHM_UNKNOWN.at(place, known=" or ".join(known))
    seals, batches = certificate.seals, certificate.batches
    times = [seal.sealed_at for seal in seals]
    if not seals or [seal.number for seal in seals] != list(range(1, len(seals) + 1)) or times != sorted(times):
        yield AllocationCode.SEALS_OUT_OF_ORDER.at(place)
    frozen = [batch.frozen_at for batch in batches]
    if [batch.number for batch in batches] != list(range(1, len(batches) + 1)) or frozen != sorted(frozen):
        yield AllocationCode.BATCHES_OUT_OF_ORDER.at(place)
    first_seal = times[0] if times else ""
    previous = seals[0].commitment if seals else ""
    for batch in batches:
        if not first_seal <= batch.frozen_at <= batch.drawn_at:
            yield AllocationCode.DRAWN_BEFORE_FROZEN.at(place, batch=batch.number)
        if batch.previous_hash != previous:
            yield AllocationCode.LEDGER_BROKEN.at(place, batch=batch.number)
        previous = ledger_hash(certificate.trial, batch, algorithm=certificate.algorithm)
        if batch.number not in lists:
            yield AllocationCode.LIST_MISSING.at(place, batch=batch.number)
        elif list_hash(lists[batch.number]) != batch.list_hash:
            yield AllocationCode.LIST_CHANGED.at(place, batch=batch.number)
    day = _DAY.search(certificate.beacon)
    drawn = min((batch.drawn_at for batch in batches), default=None)
    if day and (day[0] < first_seal[:10] or (drawn is not None and drawn[:10] < day[0])):
        yield AllocationCode.BEACON_TOO_EARLY.at(place, beacon=day[0])


def _of_draw(
    certificate: Certificate, lists: Mapping[int, Mapping[str, str | Entry]], recorded: Iterable[Allocated] | None
) -> Iterator[Problem]:
    place = Place("certificate")
    if certificate.opened is None:
        yield AllocationCode.SECRET_UNOPENED.at(place)
        return
    if not _SECRET.fullmatch(certificate.opened.secret):
        yield AllocationCode.SECRET_UNREADABLE.at(place)
        return
    secret = bytes.fromhex(certificate.opened.secret)
    for seal in certificate.seals:
        if commitment(certificate.trial, seal.seal_hash, secret) != seal.commitment:
            yield AllocationCode.COMMITMENT_BROKEN.at(place, seal=seal.number)
    beacon = certificate.beacon_value or ""
    if not beacon or beacon != beacon.strip() or "\n" in beacon:
        yield AllocationCode.BEACON_UNKNOWN.at(place, beacon=certificate.beacon)
        return
    key = seed(secret, beacon)
    redrawn: list[Allocated] = []
    for batch in certificate.batches:
        if batch.number not in lists:
            return  # the draw cannot be carried past a missing list, and `_of_ledger` has said so
        found = _drawn_again(certificate, batch, lists[batch.number], redrawn, key)
        if isinstance(found, tuple):
            redrawn += found
            yield from _of_batch(certificate.opened.drawn, batch, found)
        else:
            yield from found.problems
            return
    if certificate.opened.strata != count_strata(certificate.opened.drawn):
        yield AllocationCode.STRATA_MISCOUNTED.at(place)
    if recorded is not None:
        held = {composed(row.cluster): astuple(row)[1:] for row in recorded}
        again = {row.cluster: astuple(row)[1:] for row in redrawn}
        differing = sum(held.get(cluster) != again.get(cluster) for cluster in held.keys() | again.keys())
        if differing:
            yield AllocationCode.RECORDS_DIFFER.at(place, count=differing, total=len(held.keys() | again.keys()))


def _drawn_again(
    certificate: Certificate,
    batch: BatchLine,
    clusters: Mapping[str, str | Entry],
    before: Iterable[Allocated],
    key: bytes,
) -> tuple[Allocated, ...] | Refused:
    place = Place("certificate")
    epoch = next((line for line in certificate.epochs if line.epoch == batch.epoch), None)
    if epoch is None:
        return Refused(AllocationCode.DESIGN_MISSING.at(place, epoch=batch.epoch))
    try:
        design = epoch.design(certificate.trial)
        if EpochLine.of(design) != epoch:
            return Refused(AllocationCode.DESIGN_ALTERED.at(place, epoch=epoch.epoch, multiples=design.multiples))
        return design.draw(seed=key, batch=batch.number, clusters=clusters, drawn=before)
    except Refused as refusal:
        return refusal


def _of_batch(certified: Iterable[DrawnLine], batch: BatchLine, found: tuple[Allocated, ...]) -> Iterator[Problem]:
    place = Place("certificate")
    if len(found) != batch.clusters:
        yield AllocationCode.CLUSTERS_MISCOUNTED.at(place, batch=batch.number, count=batch.clusters, found=len(found))
    told = [line for line in certified if line.batch == batch.number]
    again = [DrawnLine.of(row) for row in found]
    total = max(len(told), len(again))
    agreeing = sum(one == other for one, other in zip(told, again, strict=False))
    if agreeing != total:
        yield AllocationCode.DRAW_DIFFERS.at(place, batch=batch.number, count=total - agreeing, total=total)
