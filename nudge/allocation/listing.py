"""A batch's list: what is frozen and hashed before the draw."""

from __future__ import annotations

from collections.abc import Mapping

from nudge.allocation.design import Entry
from nudge.allocation.keying import composed
from nudge.base.canonical import digest


def list_hash(clusters: Mapping[str, str | Entry]) -> str:
    """The hash of a batch's list that enters the ledger before the draw.

    Of sorted [cluster, stratum]; where an entry has more, of sorted [cluster, stratum, pair, covariates].
    """
    lines: list[tuple[object, ...]] = []
    for cluster, given in clusters.items():
        entry = Entry.of(given)
        line: tuple[object, ...] = (composed(cluster), entry.stratum)
        if entry.pair is not None or entry.covariates:
            line += (entry.pair, list(map(_number, entry.covariates)))
        lines.append(line)
    return digest(sorted(lines, key=lambda line: line[:2]))


def _number(value: float | None) -> str | None:
    """A number as text that gives it back exactly: the shortest decimal, whole numbers without a point."""
    if value is None:
        return None
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
