"""Who was in somebody else's trial: units, arms, clusters, strata, pairs and batches, from the rows of their data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.base.errors import Refused
from nudge.experiment.definition import RecordedExperiment
from nudge.trial.recorded_codes import RecordedCode, counted
from nudge.trial.recorded_columns import Coded, Columns
from nudge.trial.recorded_sequences import in_order, read_sequences
from nudge.uplift.units import BoolArray, IntArray

_NONE: Final = "(none)"  # a stratum with no value (rules §3)
_EXAMPLES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Units:
    """The units of a trial, n of them, and which unit each of R rows belongs to.

    `arm` holds codes into `arms`, the reference first. `cluster` (None: each unit its own) and `pair` are codes; a
    side of a pair is a cluster. `site` is what a percentile, or a rate or a mean before the letters, is taken over: the
    unit, else the cluster; a cluster's one period where it had one arm after the other. `before` marks rows of a period
    before the trial. `kept` is False where a cluster in several arms was dropped. `spanning` says that clusters hold
    units of several arms.
    """

    arms: tuple[str, ...]
    row_unit: IntArray
    arm: IntArray
    cluster: IntArray | None
    stratum: IntArray | None
    strata: tuple[str, ...]
    pair: IntArray | None
    batch: IntArray | None
    period: IntArray | None
    before: BoolArray
    kept: BoolArray
    spanning: bool
    named: bool  # the data name their units; else every row is one
    periods: tuple[str, ...] = ()
    sequences: IntArray | None = None  # by cluster, the sequence of arms that it had
    patterns: IntArray | None = None  # (sequences, periods), the arm of each

    def __len__(self) -> int:
        return len(self.arm)

    @property
    def row_arm(self) -> IntArray:
        """The arm of each row."""
        return self.arm[self.row_unit]

    @property
    def site(self) -> IntArray:
        """The unit itself where units are named, else its cluster, in turn its cluster's period, else itself."""
        if self.sequences is not None and self.cluster is not None and self.period is not None:
            cell: IntArray = np.unique(self.cluster * len(self.periods) + self.period, return_inverse=True)[1]
            return cell
        if self.named or self.cluster is None:
            return np.arange(len(self))
        return self.cluster

    @property
    def counted(self) -> BoolArray:
        """Units of the trial: where every row is one, a row of a period before it is none."""
        return np.ones(len(self), dtype=np.bool_) if self.named else ~self.before

    def clusters_by_arm(self) -> tuple[int, ...]:
        """Clusters with a unit in each arm; each unit is its own where none are named."""
        codes = np.arange(len(self)) if self.cluster is None else self.cluster
        return tuple(int(np.unique(codes[(self.arm == code) & self.counted]).size) for code in range(len(self.arms)))

    def assignment(self, drawn: str) -> tuple[Assignment | None, IntArray]:
        """What was drawn, cluster by cluster, and the place of each unit's cluster in it; None where clusters span."""
        codes = np.arange(len(self)) if self.cluster is None else self.cluster
        inside = self.kept & self.counted
        drawn_codes, first = np.unique(np.where(inside, codes, -1), return_index=True)
        first = first[drawn_codes >= 0]
        place = np.searchsorted(drawn_codes[drawn_codes >= 0], codes)
        if self.spanning:
            return None, place
        layer, names = self.stratum, self.strata
        if drawn == "pairs":
            layer, names = self.pair, ()
        assignment = Assignment.of_recorded(
            self.arm[first], None if layer is None else layer[first], drawn, self.arms, strata=names
        )
        return assignment, place


def drawn_word(experiment: RecordedExperiment) -> str:
    """How the arms were drawn, as the plan says or by the defaults of rules §6."""
    data = experiment.design, experiment.data
    if data[0].drawn is not None:
        return str(data[0].drawn)
    return "pairs" if data[1].pair else "clusters" if data[1].cluster else "complete"


def read_units(experiment: RecordedExperiment, columns: Columns) -> Units:
    """The units of the data. Raises Refused with everything that is wrong with them at once."""
    data = experiment.data
    arms = tuple(sorted(experiment.arm_ids, key=lambda arm: arm != experiment.control.id))
    row_arm = _arms(data.arm, arms, columns)
    rows = len(columns.cells)
    if data.unit is None:
        row_unit, first = np.arange(rows), np.arange(rows)
    else:
        unit = _filled(columns, "unit", data.unit)
        _, first, row_unit = np.unique(unit.codes, return_index=True, return_inverse=True)
    Refused.when(columns.problems)
    sides: dict[str, Coded] = {}
    for key in ("cluster", "pair", "batch", "period"):
        if (heading := getattr(data, key)) is not None:
            sides[key] = _filled(columns, key, heading)
    strata = [columns.codes(heading) for heading in data.strata]
    _agree(columns, "arm", data.arm, row_arm, first, row_unit)
    for key in ("cluster", "pair", "batch"):
        if key in sides:
            _agree(columns, key, getattr(data, key), sides[key].codes, first, row_unit)
    for heading, layer in zip(data.strata, strata, strict=True):
        _agree(columns, "strata", heading, layer.codes, first, row_unit)
    before = _before(data.before, sides.get("period"), columns, data.period)
    Refused.when(columns.problems)
    arm = row_arm[first]
    pair = sides["pair"].codes[first] if "pair" in sides else None
    cluster = sides["cluster"].codes[first] if "cluster" in sides else None
    if pair is not None and cluster is None and data.unit is None:
        cluster = pair * len(arms) + arm  # rows are readings; the side of the pair is what was drawn
    if cluster is not None:
        cluster = np.unique(cluster, return_inverse=True)[1]
    sequences = None
    if experiment.design.drawn in ("stepped_wedge", "crossover") and cluster is not None and "period" in sides:
        kept, spanning = np.ones(len(arm), dtype=np.bool_), True
        sides["period"] = in_order(sides["period"])
        sequences = read_sequences(experiment, columns, cluster, sides["period"].codes, arm)
    else:
        kept, spanning = _spanning(experiment, columns, cluster, arm, first)
    _whole_pairs(columns, pair, cluster, arm, first, heading=data.pair)
    Refused.when(columns.problems)
    stratum, names = _strata(strata, cluster, first)
    return Units(
        arms=arms,
        row_unit=row_unit,
        arm=arm,
        cluster=cluster,
        stratum=stratum,
        strata=names,
        pair=pair,
        batch=sides["batch"].codes[first] if "batch" in sides else None,
        period=sides["period"].codes if "period" in sides else None,
        before=before,
        kept=kept,
        spanning=spanning,
        named=data.unit is not None,
        periods=sides["period"].words if "period" in sides else (),
        sequences=None if sequences is None else sequences[0],
        patterns=None if sequences is None else sequences[1],
    )


def _arms(heading: str, arms: Sequence[str], columns: Columns) -> IntArray:
    found = columns.codes(heading)
    columns.refuse(RecordedCode.ARM_BLANK, heading, found.blank)
    place = {arm: number for number, arm in enumerate(arms)}
    lookup = np.array([place.get(word, -1) for word in found.words] + [-1], dtype=np.int64)
    codes = lookup[found.codes]
    strange = (codes < 0) & ~found.blank
    columns.refuse(RecordedCode.ARM_UNLISTED, heading, strange, arms=", ".join(arms))
    present = set(np.unique(codes).tolist())
    columns.problems += [
        RecordedCode.ARM_EMPTY.at(columns.cells.place(heading), arm=arm)
        for number, arm in enumerate(arms)
        if number not in present
    ]
    return codes


def _filled(columns: Columns, key: str, heading: str) -> Coded:
    found = columns.codes(heading)
    columns.refuse(RecordedCode.CELL_BLANK, heading, found.blank, key=key)
    return found


def _agree(columns: Columns, key: str, heading: str, codes: IntArray, first: IntArray, row_unit: IntArray) -> None:
    differing = np.flatnonzero(codes != codes[first][row_unit])
    if differing.size:
        one = int(differing[0])
        rows = columns.cells.rows
        columns.problems.append(
            RecordedCode.UNIT_DISAGREES.at(
                columns.cells.place(heading),
                key=key,
                count=counted(np.unique(row_unit[differing]).size, "unit"),
                rows=f"{rows[int(first[row_unit[one]])]} and {rows[one]}",
            )
        )


def _before(words: Sequence[str], period: Coded | None, columns: Columns, heading: str | None) -> BoolArray:
    if period is None or heading is None:
        return np.zeros(len(columns.cells), dtype=np.bool_)
    columns.problems += [
        RecordedCode.BEFORE_ABSENT.at(columns.cells.place(heading), word=word)
        for word in words
        if word not in period.words
    ]
    marked = [number for number, word in enumerate(period.words) if word in words]
    return np.isin(period.codes, marked)


def _spanning(
    experiment: RecordedExperiment, columns: Columns, cluster: IntArray | None, arm: IntArray, first: IntArray
) -> tuple[BoolArray, bool]:
    everyone = np.ones(len(arm), dtype=np.bool_)
    data = experiment.data
    if cluster is None or data.cluster is None:
        return everyone, False
    reference = np.zeros(int(cluster.max()) + 1, dtype=np.int64)
    reference[cluster[::-1]] = arm[::-1]  # the arm of the cluster's first unit
    several = np.unique(cluster[arm != reference[cluster]])
    if not several.size:
        return everyone, False
    if data.spanning == "as_drawn":
        return everyone, True
    inside = np.isin(cluster, several)
    if data.spanning == "drop":
        return ~inside, False
    examples = []
    for code in several[:_EXAMPLES]:
        members = np.flatnonzero(cluster == code)
        other = members[arm[members] != arm[members[0]]][0]
        rows = sorted(columns.cells.rows[int(first[member])] for member in (members[0], other))
        examples.append(f"{rows[0]} and {rows[1]}")
    columns.problems.append(
        RecordedCode.CLUSTER_SPANS.at(
            columns.cells.place(data.cluster),
            count=f"{several.size:,}",
            total=f"{np.unique(cluster).size:,}",
            rows="; ".join(examples),
        )
    )
    return everyone, True


def _whole_pairs(
    columns: Columns,
    pair: IntArray | None,
    cluster: IntArray | None,
    arm: IntArray,
    first: IntArray,
    *,
    heading: str | None,
) -> None:
    if pair is None or heading is None:
        return
    codes = np.arange(len(arm)) if cluster is None else cluster
    _, one = np.unique(codes, return_index=True)
    pairs = int(pair.max()) + 1
    sides = np.bincount(pair[one], minlength=pairs)
    low, high = np.full(pairs, np.iinfo(np.int64).max), np.full(pairs, -1)
    np.minimum.at(low, pair[one], arm[one])
    np.maximum.at(high, pair[one], arm[one])
    broken = np.flatnonzero((sides != 2) | (low == high))
    if broken.size:
        row = columns.cells.rows[int(first[np.flatnonzero(pair == broken[0])[0]])]
        columns.problems.append(
            RecordedCode.PAIR_BROKEN.at(columns.cells.place(heading), count=broken.size, total=pairs, row=row)
        )


def _strata(
    layers: Sequence[Coded], cluster: IntArray | None, first: IntArray
) -> tuple[IntArray | None, tuple[str, ...]]:
    """Strata of units; those of a cluster are its first unit's, in the order of ids (rules §3)."""
    if not layers:
        return None, ()
    named = [
        "\t".join(layer.words[layer.codes[row]] if layer.codes[row] >= 0 else _NONE for layer in layers)
        for row in first.tolist()
    ]
    names, codes = np.unique(np.array(named), return_inverse=True)
    if cluster is not None:
        of_cluster = np.zeros(int(cluster.max()) + 1, dtype=np.int64)
        of_cluster[cluster[::-1]] = codes[::-1]
        codes = of_cluster[cluster]
    return codes, tuple(str(name) for name in names)
