"""Sites of somebody else's data that had one arm after the other: the sequence of each, from its arms by period."""

from __future__ import annotations

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.experiment.definition import RecordedExperiment
from nudge.trial.recorded_codes import RecordedCode
from nudge.trial.recorded_columns import Coded, Columns
from nudge.uplift.sequence import Sequences
from nudge.uplift.units import IntArray


def in_order(period: Coded) -> Coded:
    """The periods by number where all are numbers, else as they stand in the alphabet."""
    try:
        order = np.argsort([float(word) for word in period.words], kind="stable")
    except ValueError:
        return period
    place = np.argsort(order)
    return Coded(np.where(period.blank, -1, place[period.codes]), tuple(period.words[number] for number in order))


def read_sequences(
    experiment: RecordedExperiment, columns: Columns, cluster: IntArray, period: IntArray, arm: IntArray
) -> tuple[IntArray, IntArray] | None:
    """By cluster its sequence, and the arm of each sequence in each period; None where the data show no such design.

    Of a stepped wedge a sequence is the period of the change, of a crossover the arm that came first.
    """
    size, periods = int(cluster.max(initial=-1)) + 1, int(period.max(initial=-1)) + 1
    cell = cluster * periods + period
    had = np.full(size * periods, -1)
    had[cell[::-1]] = arm[::-1]
    rows = columns.cells.rows
    wrong = np.flatnonzero(had[cell] != arm)
    heading = str(experiment.data.cluster)
    place = columns.cells.place(heading)
    if wrong.size:
        earlier = int(np.flatnonzero(cell == cell[wrong[0]])[0])
        columns.problems.append(
            RecordedCode.SEQUENCE_MIXED.at(
                place,
                count=np.unique(cell[wrong]).size,
                rows=f"{rows[earlier]} and {rows[int(wrong[0])]}",
            )
        )
        return None
    grid = had.reshape(size, periods)
    if experiment.design.drawn == "crossover":
        fits = (periods == 2) & (np.sort(grid, axis=1) == np.arange(periods) % 2).all(axis=1)
        code, facts = RecordedCode.CROSSOVER_PATTERN, {}
    else:
        known = np.where(grid < 0, np.maximum.accumulate(grid, axis=1), grid)
        fits = (np.diff(known, axis=1) >= 0).all(axis=1)
        code, facts = RecordedCode.WEDGE_BACKWARDS, {"arm": experiment.control.id}
    if not fits.all():
        broken = int(np.flatnonzero(~fits)[0])
        row = rows[int(np.flatnonzero(cluster == broken)[0])]
        columns.problems.append(code.at(place, count=int((~fits).sum()), total=size, row=row, **facts))
        return None
    if experiment.design.drawn == "crossover":
        started = grid[:, 0]
        return started, np.array([[0, 1], [1, 0]])
    first = np.where((grid == 1).any(axis=1), (grid == 1).argmax(axis=1), periods)
    steps, sequence = np.unique(first, return_inverse=True)
    if steps.size < 2:
        columns.problems.append(RecordedCode.WEDGE_ONE_STEP.at(place))
        return None
    return sequence, (np.arange(periods)[None, :] >= steps[:, None]).astype(np.int64)


def drawn_sequences(
    experiment: RecordedExperiment,
    sequence: IntArray,
    patterns: IntArray,
    periods: tuple[str, ...],
    stratum: IntArray | None,
) -> Sequences:
    """The draw: as many clusters with each sequence in each stratum as there were."""
    arms = (experiment.control.id, *(arm.id for arm in experiment.arms if not arm.control))
    if experiment.design.drawn == "crossover":
        names: tuple[str, ...] = (f"{arms[0]} first", f"{arms[1]} first")
    else:
        steps = [int(row.argmax()) if row.any() else len(periods) for row in patterns]
        names = tuple(f"{arms[1]} from {periods[step]}" if step < len(periods) else "never" for step in steps)
    return Sequences(
        kind="crossover" if experiment.design.drawn == "crossover" else "stepped_wedge",
        assignment=Assignment.of_recorded(sequence, stratum, "clusters", names),
        arms=patterns,
    )
