"""What a batch's list says of a cluster, from its tenancy's values, and how that is kept with the batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from nudge.allocation.design import Entry
from nudge.allocation.schemes import stratum_of
from nudge.base.columns import Value
from nudge.experiment.definition import LiveExperiment
from nudge.records.tables import AllocationRow

MISSING_STRATUM: Final = "(none)"


def entry_of(experiment: LiveExperiment, values: Mapping[str, Value]) -> Entry:
    """The entry of a cluster: its stratum, and what the design pairs or balances by. `values` include the bands."""
    design = experiment.design
    numbers = (values.get(name) for name in design.covariates)
    return Entry(
        stratum=stratum_of([_text(values.get(name)) for name in design.strata]),
        pair=None if design.pair is None or values.get(design.pair) is None else _text(values[design.pair]),
        covariates=tuple(float(value) if isinstance(value, (int, float)) else None for value in numbers),
    )


def kept_with_batch(entries: Mapping[str, Entry]) -> dict[str, object]:
    """What the list holds besides codes and strata: a unit's own values may be those of a later extract."""
    more = {code: [one.pair, list(one.covariates)] for code, one in entries.items()}
    return {"list": more} if any(pair or numbers for pair, numbers in more.values()) else {}


def as_listed(
    more: Mapping[int, Mapping[str, tuple[str | None, list[float | None]]]], allocated: Iterable[AllocationRow]
) -> dict[int, dict[str, str | Entry]]:
    """Each batch's list as frozen, from the rows drawn and what was kept with each batch."""
    lists: dict[int, dict[str, str | Entry]] = {number: {} for number in more}
    for row in allocated:
        held = more[row.batch].get(row.cluster)
        lists[row.batch][row.cluster] = (
            row.stratum if held is None else Entry(stratum=row.stratum, pair=held[0], covariates=tuple(held[1]))
        )
    return lists


def _text(value: Value) -> str:
    if value is None:
        return MISSING_STRATUM
    return " ".join(str(value).split()) or MISSING_STRATUM
