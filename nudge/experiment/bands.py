"""Bands: a column cut at edges, so that amounts can serve as strata and subgroups."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from nudge.base.columns import Kind
from nudge.base.values import pounds
from nudge.experiment.definition import Band


def labels(band: Band, kind: Kind) -> tuple[str, ...]:
    """The bands in ascending order: `under £150`, `£150 to under £500`, `£500 and over`."""
    edges = [pounds(round(edge * 100), show_pence=False) if kind is Kind.MONEY else str(edge) for edge in band.edges]
    between = [f"{low} to under {high}" for low, high in pairwise(edges)]
    return (f"under {edges[0]}", *between, f"{edges[-1]} and over")


def label_of(value: int | float | None, band: Band, kind: Kind) -> str | None:
    """The band of a typed cell (money in pence); an edge belongs to the upper band. None where the cell is blank."""
    if value is None:
        return None
    edges = [round(edge * 100) if kind is Kind.MONEY else edge for edge in band.edges]
    return labels(band, kind)[bisect_right(edges, value)]
