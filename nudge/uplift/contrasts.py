"""Arms put together or set apart: the comparison that results, and the draw between its two sides.

A comparison of more than two arms keeps the stored design: what is redrawn follows from it (TRIAL-RULES §3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.uplift.comparison import Comparison
from nudge.uplift.units import UnitTable


def one_factor(assignment: Assignment, sides: Sequence[tuple[str, str]]) -> Assignment:
    """The redraw of one factor within levels of the others: `sides` are (arm, reference) alike but for that factor.

    Inside each group of the draw the clusters of each two arms are permuted among themselves, all others held.
    Independent draws are held to the numbers seen at each level of the others, which is a smaller set of equally
    likely allocations, so the test stays exact.
    """
    parts = [assignment.between(arm, reference) for arm, reference in sides]
    if assignment.scheme == "simple":
        parts = [
            replace(
                part,
                scheme="complete",
                group=np.zeros_like(part.group),
                slots=np.bincount(part.arm, minlength=2).astype(np.int64)[None, :],
            )
            for part in parts
        ]
    groups = np.cumsum([0, *(len(part.slots) for part in parts)])
    strata = np.cumsum([0, *(len(part.strata) for part in parts)])
    return Assignment(
        arms=(sides[0][1], sides[0][0]),
        arm=np.concatenate([part.arm for part in parts]),
        stratum=np.concatenate(
            [part.stratum + np.int32(start) for part, start in zip(parts, strata[:-1], strict=True)]
        ).astype(np.int32),
        strata=tuple(f"{name}\t{arm}" for part, (arm, _) in zip(parts, sides, strict=True) for name in part.strata),
        scheme=parts[0].scheme,
        group=np.concatenate(
            [part.group + np.int32(start) for part, start in zip(parts, groups[:-1], strict=True)]
        ).astype(np.int32),
        slots=np.concatenate([part.slots for part in parts]),
        positions=np.concatenate([part.positions for part in parts]),
    )


def pooled(assignment: Assignment, reference: str, name: str) -> Assignment:
    """Every other arm together, under `name`, against the reference."""
    code = assignment.arms.index(reference)
    others = assignment.slots.sum(axis=1) - assignment.slots[:, code]
    return replace(
        assignment,
        arms=(reference, name),
        arm=(assignment.arm != code).astype(np.int8),
        slots=np.stack([assignment.slots[:, code], others], axis=1),
    )


def _by_groups_alone(assignment: Assignment | None) -> TypeGuard[Assignment]:
    """Whether the draw can be redrawn for arms put together.

    A balance criterion or a minimised draw looked at every arm by itself: what it would have done with two sides is
    not what was done, so such a line has no randomisation test and says so.
    """
    return assignment is not None and assignment.rule is None


def factor_comparison(
    table: UnitTable, assignment: Assignment | None, sides: Sequence[tuple[str, str]], layers: Sequence[str]
) -> Comparison:
    """One factor's level against another: `sides` are (arm, reference) at each level of the other factors.

    Those levels, named by `layers`, multiply the strata. The comparison bears the names of the first two arms.
    """
    side = np.full(len(table.arms), -1)
    layer = np.zeros(len(table.arms), dtype=np.int64)
    for number, (arm, reference) in enumerate(sides):
        for name, code in ((arm, 1), (reference, 0)):
            side[table.arms.index(name)] = code
            layer[table.arms.index(name)] = number
    rows = table.take(side[table.arm] >= 0)
    stratum = rows.stratum_codes * len(sides) + layer[rows.arm]
    if rows.stratum is None:
        names = tuple(layers)
    else:
        before = rows.strata or tuple(map(str, range(int(rows.stratum_codes.max(initial=0)) + 1)))
        names = tuple(f"{name}\t{other}" if len(sides) > 1 else name for name in before for other in layers)
    rows = replace(
        rows,
        arms=(sides[0][1], sides[0][0]),
        arm=side[rows.arm],
        stratum=stratum if len(names) > 1 else None,
        strata=names if len(names) > 1 else (),
    )
    return Comparison(
        arm=sides[0][0],
        reference=sides[0][1],
        table=rows,
        assignment=one_factor(assignment, sides) if _by_groups_alone(assignment) else None,
    )


def pooled_comparison(table: UnitTable, assignment: Assignment | None, reference: str, name: str) -> Comparison:
    """Every other arm together, under `name`, against one."""
    code = table.arms.index(reference)
    rows = replace(table, arms=(reference, name), arm=(table.arm != code).astype(np.int64))
    return Comparison(
        arm=name,
        reference=reference,
        table=rows,
        assignment=pooled(assignment, reference, name) if _by_groups_alone(assignment) else None,
    )
