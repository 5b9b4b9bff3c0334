"""What became of letters and units after the draw: whom the letters reached, what was spent, who moved or died.

Nothing here takes a unit out of the analysis (I5).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from nudge.documents.form import Form, Format
from nudge.experiment.definition import LiveExperiment
from nudge.records.tables import PostingRow
from nudge.reports.wording import count_of
from nudge.trial.batches import FIRST
from nudge.trial.population import Population, Recorded
from nudge.uplift.checks import missing_by_arm

RETURNED: Final = "returned"
_BEFELL: Final = ("vacated", "deceased", "breathing_space")


def delivered(experiment: LiveExperiment, population: Population, recorded: Recorded) -> dict[str, Any]:
    """`received`, `spent` and `later_letters` of every unit of the population, as columns of a `UnitTable`.

    A letter reached its unit if one was posted and none is on file as returned. `spent` is in pence: every letter of
    every wave, reprints too, at the arm's own `cost` or `costs.letter`, and the officers' minutes of every event in
    `minutes`; None where the plan names no cost of a letter.
    """
    row = population.row_of
    size = len(row)
    first, later, sent = np.zeros(size), np.zeros(size), np.zeros(size)
    for posting in recorded.postings:
        number = row.get(posting.unit)
        if number is not None and posting.status == "posted":
            (first if posting.wave == FIRST else later)[number] += 1
            sent[number] += 1 + posting.reprints
    back = np.zeros(size, dtype=np.bool_)
    for event in recorded.events:
        if event.kind == RETURNED and event.unit in row:
            back[row[event.unit]] = True
    columns: dict[str, Any] = {
        "received": np.where((first > 0) & ~back, population.arm, -1),
        "later_letters": later,
    }
    if "letter" in experiment.costs:
        own = {arm.id: arm.cost for arm in experiment.arms if arm.cost is not None}
        pence = np.array([100.0 * own.get(arm, experiment.costs["letter"]) for arm in population.arms])
        columns["spent"] = sent * pence[population.arm] + _minutes(experiment, population, recorded, row)
    return columns


def form_notes(experiment: LiveExperiment, population: Population, recorded: Recorded) -> list[str]:
    """How many letters went in another form than most, batch by batch, and by arm once the trial is closed.

    A form is the reader's, never the arm's: after the close the counts by arm show it.
    """
    own = Form(languages=experiment.languages)
    arm = {unit.unit: population.arms[code] for unit, code in zip(population.units, population.arm, strict=True)}
    by_batch: Counter[tuple[int, str]] = Counter()
    by_arm: Counter[tuple[str, str]] = Counter()
    for posting in recorded.postings:
        form = Form(format=Format(posting.format), languages=tuple(posting.languages.split()))
        if posting.status == "posted" and form != own and posting.unit in arm:
            by_batch[posting.batch, form.words] += 1
            by_arm[form.words, arm[posting.unit]] += 1
    notes = [
        f"Batch {batch}: {count_of(n, 'letter')} went as {words}." for (batch, words), n in sorted(by_batch.items())
    ]
    if any(entry.what == "closed" for entry in recorded.ledger):
        for words in sorted({words for words, _ in by_arm}):
            each = ", ".join(f"{name} {by_arm[words, name]:,}" for name in population.arms)
            notes.append(f"Letters as {words}, by arm: {each}.")
    return notes


def _minutes(
    experiment: LiveExperiment, population: Population, recorded: Recorded, row: Mapping[str, int]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Pence of officers' time: each event after day 0, up to the primary outcome's last day."""
    spent = np.zeros(len(row))
    primary = experiment.primary
    last = float((primary.horizon or primary.within or np.inf) if primary is not None else np.inf)
    for event in recorded.events:
        number = row.get(event.unit)
        if number is not None and event.kind in experiment.minutes:
            day = event.on_day - int(population.day0[number])
            if 0 < day <= last:
                spent[number] += 100.0 * experiment.minutes[event.kind] * experiment.costs.get("officer_minute", 0.0)
    return spent


def after_draw(experiment: LiveExperiment, population: Population, recorded: Recorded) -> dict[str, Any]:
    """What befell letters and units after the draw, by arm, among those allocated: `counts` of `of`, and a p-value.

    Units, not letters. The p-value is Pearson's of the shares over arms: a small one says that something other than
    chance, or what the letters did, set the arms apart.
    """
    row = population.row_of
    marked: dict[str, np.ndarray[Any, np.dtype[np.bool_]]] = defaultdict(lambda: np.zeros(len(row), dtype=np.bool_))
    stopped: dict[int, str] = {}
    for posting in recorded.postings:
        if posting.wave != FIRST or posting.unit not in row:
            continue
        if posting.status == "posted":
            marked["posted"][row[posting.unit]] = True
        elif posting.status == "withheld":
            stopped[row[posting.unit]] = posting.reason or "withheld"
    for number, reason in stopped.items():
        if not marked["posted"][number]:  # of joint tenants one letter may have gone out
            marked[f"withheld_{reason}"][number] = True
    for event in recorded.events:
        number = row.get(event.unit, -1)
        if number >= 0 and event.on_day > population.day0[number] and event.kind in (RETURNED, *_BEFELL):
            marked[event.kind][number] = True
    with_letter = {arm.id for arm in experiment.arms if arm.letter is not None}
    assigned = population.by_arm(population.primary)
    order = ("posted", *sorted(name for name in marked if name.startswith("withheld_")), RETURNED, *_BEFELL)
    found = {}
    for name in order:
        if name not in marked:
            continue
        befell = name in _BEFELL
        of = {arm: n for arm, n in assigned.items() if befell or arm in with_letter}
        counts = Counter(population.by_arm(marked[name] & population.primary))
        told = missing_by_arm(of, counts)
        found[name] = {"counts": told["counts"], "of": of, "p_value": told["p_value"]}
    return found


def dispatched(population: Population, first: Sequence[PostingRow]) -> dict[str, Any]:
    """Letters posted, withheld and the median posting day after day 0, by arm: a sign that arms went out apart."""
    row = population.row_of
    found: dict[str, Any] = {}
    for code, arm in enumerate(population.arms):
        own = [posting for posting in first if posting.unit in row and population.arm[row[posting.unit]] == code]
        days = [posting.posted_on - int(population.day0[row[posting.unit]]) for posting in own if posting.posted_on]
        found[arm] = {
            "posted": len(days),
            "withheld": sum(posting.status == "withheld" for posting in own),
            "median_day": float(np.median(days)) if days else None,
        }
    return found


def dispatched_apart(population: Population, first: Sequence[PostingRow]) -> bool:
    """Whether the median posting days of two arms lie a day or more apart (rules §1)."""
    medians = [arm["median_day"] for arm in dispatched(population, first).values() if arm["median_day"] is not None]
    return bool(medians) and max(medians) - min(medians) >= 1
