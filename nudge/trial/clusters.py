"""What is drawn whole, by code and stratum: a household, a column such as street, or the unit itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nudge.allocation.design import Entry
from nudge.experiment.definition import HOUSEHOLD, LiveExperiment
from nudge.experiment.seal import cluster_code
from nudge.intake.extract import Tenancy
from nudge.records.tables import RecipientRow, UnitRow
from nudge.trial.entries import entry_of
from nudge.trial.households import Home, Placed, normalised, place_households
from nudge.trial.units import home_of, home_of_recipient, unit_code, with_bands

_APOSTROPHES: Final = dict.fromkeys(map(ord, "'’‘`"))  # St Marys Close and St Mary's Close are one street


@dataclass(frozen=True)
class Clusters:
    """Which code and cluster each unit has, by its reference, and what the draw looks at of each new cluster.

    `late` are units of a cluster drawn before; `merged` leads from a household's code to the one it turned out to be.
    """

    cluster: Mapping[str, str]
    unit: Mapping[str, str]
    late: frozenset[str]
    merged: Mapping[str, str]
    entries: Mapping[str, Entry]


def clusters_of(
    experiment: LiveExperiment,
    *,
    new: Sequence[Tenancy],
    back: Sequence[Tenancy],
    homes: Iterable[Home],
    units: Mapping[str, UnitRow],
    recipients: Sequence[RecipientRow],
    allocated: frozenset[str],
    secret: bytes,
) -> Clusters:
    """Place the new units of an extract, and those that come `back` from a batch that was undone.

    `homes` are those of units already in the trial that the extract names again, `units` those of the trial by code,
    `allocated` the clusters drawn before. A unit that comes back keeps its cluster, whatever its cells say now.
    """
    placed = place_households(
        [*homes, *(home_of(tenancy) for tenancy in (*new, *back))],
        {row.tenancy_reference: units[row.unit].cluster for row in recipients},
        [home_of_recipient(row) for row in recipients],
    )
    cluster, unit = {}, {}
    members: dict[str, list[Tenancy]] = defaultdict(list)
    for tenancy in (*new, *back):
        code = unit_code(secret, tenancy.reference)
        where = placed[tenancy.reference]
        known = units[code].cluster if code in units else where.cluster if experiment.cluster == HOUSEHOLD else None
        unit[tenancy.reference] = code
        cluster[tenancy.reference] = known or cluster_code(secret, _key(experiment, tenancy, where))
        members[cluster[tenancy.reference]].append(tenancy)
    entries = {}
    for code, tenancies in members.items():
        if code in allocated:
            continue
        first = min(tenancies, key=lambda tenancy: tenancy.reference)  # rules §3: the unit with the smallest id
        entries[code] = entry_of(experiment, with_bands(experiment, first.values))
    late = frozenset(tenancy.reference for tenancy in new if cluster[tenancy.reference] in allocated)
    merged = {}
    if experiment.cluster == HOUSEHOLD:
        for where in placed.values():
            for other in where.merged[1:]:
                merged[other] = where.merged[0]
    return Clusters(cluster, unit, late, merged, entries)


def _key(experiment: LiveExperiment, tenancy: Tenancy, where: Placed) -> str:
    """What tells the cluster of a unit that is not in the trial yet; text without regard to case, spaces and marks."""
    if experiment.cluster is None:
        return f"tenancy:{tenancy.reference}"
    if experiment.cluster == HOUSEHOLD:
        return where.key
    named = str(with_bands(experiment, tenancy.values)[experiment.cluster])
    return f"column:{experiment.cluster}:{normalised((named.translate(_APOSTROPHES),))}"
