"""The flagship trial on a simulated council, from messy files to a certificate, through the steps an officer takes.

Nothing here is a short cut: the demo writes the files that a housing system would export, and calls the same
functions as the commands.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from nudge.base.errors import Place, Refused
from nudge.base.files import write_whole
from nudge.base.resources import resources
from nudge.records.store import rows_of
from nudge.records.tables import AllocationRow, BatchRow, PostingRow, RecipientRow, UnitRow
from nudge.simulation.behaviour import Truth
from nudge.simulation.council import SimulatedCouncil, simulate
from nudge.simulation.responses import SimulatedResponses, respond
from nudge.simulation.sheet import Sheet
from nudge.trial.analysis import Written, write_report
from nudge.trial.closing import Verified, close_trial, verify_trial
from nudge.trial.codes import TrialCode
from nudge.trial.enrolment import enrol
from nudge.trial.gate import Listed
from nudge.trial.handle import Trial, open_trial
from nudge.trial.letters import FIRST, batches_to_letter, make_batch_letters
from nudge.trial.posting import confirm_posting, hold
from nudge.trial.responses import add_responses
from nudge.trial.review import open_reviews
from nudge.trial.sealing import record_beacon, seal_trial
from nudge.workspace import make_workspace, open_workspace

EXPERIMENT: Final = "wealden-arrears"
SEED: Final = 20261123
START: Final = date(2026, 12, 7)  # a Monday; the beacon of the flagship is drawn two days before
BEACON: Final = "04 11 23 31 40 52"
LATER: Final = 2  # weeks after the last enrolment in which second letters fall due
MARK: Final = ".nudge-demo"
# A demo has no keeper to trust: its secret is fixed, so that it gives the same arms, and bytes, every time.
SECRET: Final = hashlib.sha256(b"the secret of a demonstration is no secret").digest()
Say = Callable[[str], None]

_GOVERNANCE: Final = {
    'service: ""': 'service: "AB 2026-11-20"',
    'legal: ""': 'legal: "CD 2026-11-20"',
    'communications: ""': 'communications: "EF 2026-11-20"',
    'data_protection: ""': 'data_protection: "GH 2026-11-20"',
    'keeper: ""': 'keeper: "head of internal audit"',
}


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """Where everything lies, what was found, and what the simulated truth was."""

    folder: Path
    written: Written
    verified: Verified
    truth: Truth
    certificate: tuple[Path, ...]
    rejected: int
    waiting: int
    posted: int


def run_demo(
    folder: Path,
    *,
    say: Say,
    tenancies: int = 1500,
    weeks: int = 8,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    redraws: int = 9_999,
) -> Demonstration:
    """Run the whole trial in `folder`, from scratch: what an earlier demonstration left there is replaced.

    Refused where the folder holds anything else.
    """
    clear(folder)
    council = simulate(SEED, start=START, weeks=weeks + LATER, tenancies=tenancies)
    say(f"1. A workspace for {council.name}, and the files its systems export")
    make_workspace(folder, council=council.name, resources=resources())
    write_whole(folder / MARK, "made by `nudge demo`; the next demonstration replaces this folder\n")
    _write(folder, council.history)
    for week in council.weeks:
        _write(folder, week.extract, week.suppression, week.suppression_at_posting)
    planted = Counter(fault.kind.value for fault in council.faults)
    kinds = f"{sum(planted.values())} faults of {len(planted)} kinds"
    say(f"   {weeks + LATER} weekly extracts, with {kinds} planted in them")
    say("2. The experiment, signed off and sealed; its secret committed to before the beacon is drawn")
    path = folder / "experiments" / f"{EXPERIMENT}.yaml"
    text = path.read_text("utf-8")
    for blank, filled in _GOVERNANCE.items():
        text = text.replace(blank, filled)
    write_whole(path, text)
    sealed = seal_trial(_trial(folder), secret=SECRET, now=_at(START - timedelta(days=7), 10))
    record_beacon(_trial(folder), BEACON, now=_at(START - timedelta(days=2), 21))
    say(f"   the witness holds: {sealed.witness_line[:100]}…")
    rejected = _weeks(folder, council, weeks, say, executor, progress)
    responses = _responses(folder, council, say)
    trial = _trial(folder)
    with trial.store.snapshot() as connection:
        posted = len(rows_of(connection, PostingRow, trial=trial.id, status="posted"))
    waiting = len(open_reviews(trial))
    opens = trial.opens_on()
    if opens is None:
        raise Refused(TrialCode.NOTHING_POSTED.at(Place(str(folder))))
    say(f"5. The results open on {opens:%d %B %Y}: uplift, report, certificate")
    written = write_report(trial, today=opens, now=_at(opens, 9), redraws=redraws)
    closed = close_trial(trial, today=opens, now=_at(opens, 10))
    return Demonstration(
        folder=folder,
        written=written,
        verified=verify_trial(trial),
        truth=responses.truth,
        certificate=closed.files,
        rejected=rejected,
        waiting=waiting,
        posted=posted,
    )


def clear(folder: Path) -> None:
    """Empty the folder of an earlier demonstration; Refused where it holds anything that is not one."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARK).is_file():
        raise Refused(TrialCode.NOT_A_DEMO.at(Place(str(folder))))
    import shutil

    shutil.rmtree(folder)


def _trial(folder: Path) -> Trial:
    return open_trial(open_workspace(folder), EXPERIMENT)


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _write(folder: Path, *sheets: Sheet) -> list[Path]:
    return [write_whole(folder / "data" / sheet.name, sheet.csv()) for sheet in sheets]


def _weeks(
    folder: Path,
    council: SimulatedCouncil,
    enrolling: int,
    say: Say,
    executor: Executor | None,
    progress: Callable[[int, int], None] | None,
) -> int:
    """Mondays: enrol, make letters, post on Wednesday; from the third week second letters, and at last those alone."""
    say("3. Week by week: enrol, letters, posting")
    rejected = 0
    for number, week in enumerate(council.weeks[:enrolling], start=1):
        extract, listed, fresh = _write(folder, week.extract, week.suppression, week.suppression_at_posting)
        responses = _responses_until(folder, council, week.extract_on)
        if responses is not None:
            _import(folder, responses, week.extract_on)
        enrolled = enrol(
            _trial(folder), extract, listed, dated=week.extract_on, as_of=week.extract_on, today=week.extract_on,
            now=_at(week.extract_on, 9), accept_good_rows=True, executor=executor, progress=progress,
        )  # fmt: skip
        rejected += len(enrolled.rejects)
        line = f"   week {number}: {enrolled.flow['rows']} rows, {len(enrolled.rejects)} rejected"
        if enrolled.batch is not None:
            made = make_batch_letters(
                _trial(folder), enrolled.batch, today=week.extract_on, now=_at(week.extract_on, 11), executor=executor
            )
            if number == 4:
                _hold_somebody(folder, enrolled.batch, week.extract_on)
            posted = confirm_posting(
                _trial(folder), enrolled.batch, on=week.post_on, listed=Listed(fresh, week.post_on), today=week.post_on,
                now=_at(week.post_on, 16),
            )  # fmt: skip
            line += (
                f", {enrolled.flow['allocated']} tenancies drawn, {made.made} letters, {posted.posted} posted,"
                f" {sum(posted.withheld.values())} withheld"
            )
        say(line)
        _second_letters(folder, extract, Listed(fresh, week.post_on), week.post_on, executor)
    for week in council.weeks[enrolling:]:  # nobody new: the second letters of the last batches
        responses = _responses_until(folder, council, week.post_on)
        if responses is not None:
            _import(folder, responses, week.post_on)
        extract, fresh = (folder / "data" / sheet.name for sheet in (week.extract, week.suppression_at_posting))
        _second_letters(folder, extract, Listed(fresh, week.post_on), week.post_on, executor)
    return rejected


def _second_letters(folder: Path, extract: Path, listed: Listed, day: date, executor: Executor | None) -> None:
    try:
        due = batches_to_letter(_trial(folder), "second", day)
    except Refused:  # nothing due yet
        return
    for number in due:
        trial = _trial(folder)
        with trial.store.snapshot() as connection:
            if rows_of(connection, PostingRow, trial=trial.id, batch=number, wave="second"):
                continue
        made = make_batch_letters(
            trial, number, today=day, now=_at(day, 12), listed=listed, wave="second", extract=extract,
            accept_good_rows=True, executor=executor,
        )  # fmt: skip
        if made.made:
            confirm_posting(trial, number, on=day, listed=listed, today=day, now=_at(day, 16), wave="second")


def _hold_somebody(folder: Path, batch: int, day: date) -> None:
    """A tenant in crisis after the draw: their letter is stopped, they stay in the analysis."""
    trial = _trial(folder)
    with trial.store.snapshot() as connection:
        unit = rows_of(connection, UnitRow, trial=trial.id, batch=batch)[0].unit
        [first, *_] = rows_of(connection, RecipientRow, trial=trial.id, unit=unit)
    hold(trial, first.tenancy_reference, because="tenant in crisis", today=day, now=_at(day, 15))


def _drawn(folder: Path) -> tuple[dict[str, str], dict[str, date], dict[str, str]]:
    """Each tenancy's arm, day 0 and letter, as the simulated tenants live them: only the simulation looks."""
    trial = _trial(folder)
    with trial.store.snapshot() as connection:
        arms = {row.cluster: row.arm for row in rows_of(connection, AllocationRow, trial=trial.id)}
        batches = {row.number: row for row in rows_of(connection, BatchRow, trial=trial.id)}
        units = {row.unit: row for row in rows_of(connection, UnitRow, trial=trial.id)}
        reference = {row.unit: row.tenancy_reference for row in rows_of(connection, RecipientRow, trial=trial.id)}
        postings = rows_of(connection, PostingRow, trial=trial.id, wave=FIRST)
    day0 = {
        reference[unit]: date.fromordinal(day)
        for unit, row in units.items()
        if (day := batches[row.batch].day0) is not None
    }
    letters = {reference[row.unit]: row.letter_reference for row in postings if row.status == "posted"}
    return {reference[unit]: arms[row.cluster] for unit, row in units.items()}, day0, letters


def _responses_until(folder: Path, council: SimulatedCouncil, day: date) -> SimulatedResponses | None:
    arms, day0, letters = _drawn(folder)
    if not day0:
        return None
    known = {reference: arm for reference, arm in arms.items() if reference in day0}
    return respond(council, known, day0, until=day - timedelta(days=1), letters=letters)


def _responses(folder: Path, council: SimulatedCouncil, say: Say) -> SimulatedResponses:
    opens = _trial(folder).opens_on()
    responses = _responses_until(folder, council, opens + timedelta(days=1)) if opens is not None else None
    if responses is None or opens is None:
        raise Refused(TrialCode.NOTHING_POSTED.at(Place(str(folder))))
    imported = _import(folder, responses, opens + timedelta(days=1))
    counts = Counter({key: sum(getattr(one, key) for one in imported) for key in ("rows", "matched", "not_in_trial")})
    say(
        f"4. What came back: {counts['rows']:,} rows, {counts['matched']:,} matched,"
        f" {counts['not_in_trial']:,} not in this trial"
    )
    return responses


_KINDS: Final[Mapping[str, str]] = {
    "contacts": "contacts",
    "payments": "payments",
    "returned": "returned",
    "complaints": "complaints",
    "moved": "moved",
    "breathing_space": "breathing_space",
}


def _import(folder: Path, responses: SimulatedResponses, day: date) -> list[Any]:
    imported: list[Any] = []
    for attribute, kind in _KINDS.items():
        sheet = getattr(responses, attribute)
        [path] = _write(folder, sheet)
        imported += add_responses(
            _trial(folder),
            [path],
            kind=kind,
            covers=responses.covers,
            today=day,
            now=_at(day, 8),
            accept_good_rows=True,
        )
    for sheet in responses.rent_accounts:
        [path] = _write(folder, sheet)
        taken = date.fromisoformat(path.stem[-10:])
        imported += add_responses(
            _trial(folder),
            [path],
            kind="rent_accounts",
            covers=(taken, taken),
            today=day,
            now=_at(day, 8),
            accept_good_rows=True,
        )
    return imported
