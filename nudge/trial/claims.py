"""Claims worked out from their own sources (I6), and those that could be made looked for in past letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Problem, Refused
from nudge.base.files import private_folder
from nudge.documents.claim_search import Search, search_claims
from nudge.documents.claims import ClaimFigure, work_out_claim, work_out_observed
from nudge.experiment.claim import OBSERVED, Claim
from nudge.experiment.conditions import compile_condition
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.fields import Period
from nudge.experiment.loader import Loaded, load
from nudge.experiment.sites import SiteExperiment
from nudge.intake.history import read_history
from nudge.intake.mapping import ColumnMapping, load_mappings, save_mappings
from nudge.intake.observed import read_observed
from nudge.trial.codes import TrialCode
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.units import with_bands

MAPPINGS: Final = "columns.json"


def claim_figures(
    loaded: Loaded, folder: Path, today: date | None = None
) -> tuple[dict[str, ClaimFigure], list[Problem]]:
    """Each claim of a live experiment worked out from its source in `folder`, and what makes it unfit to print (I6).

    Letters dated after `today` cannot be.
    """
    experiment = loaded.experiment
    figures: dict[str, ClaimFigure] = {}
    problems: list[Problem] = []
    if not isinstance(experiment, LiveExperiment):
        return figures, problems
    for name, claim in experiment.claims.items():
        path = folder / claim.source
        if not path.is_file():
            place = loaded.place("claims", name, "source")
            problems.append(TrialCode.SOURCE_MISSING.at(place, file=claim.source, part="claim", key="`source:`"))
            continue
        if claim.population == OBSERVED:
            figures[name] = _watched(experiment, name, claim, path, folder)
        else:
            figures[name] = _written_to(experiment, name, claim, path, folder, today)
        place = loaded.place("claims", name)
        problems += [replace(problem, place=place) for problem in figures[name].problems]
    return figures, problems


def _written_to(
    experiment: LiveExperiment, name: str, claim: Claim, path: Path, folder: Path, today: date | None
) -> ClaimFigure:
    eligible = compile_condition(experiment.eligible, experiment.kinds)
    mapping = load_mappings(folder / MAPPINGS).get("history")
    spool = private_folder(folder / "data")
    with read_history(path, experiment.columns, mapping, today=today, spool=spool) as history:
        return work_out_claim(
            name,
            claim,
            history.rows(),
            eligible=lambda values: eligible.holds(with_bands(experiment, values)),
            cut=history.cut,
            event_kinds=history.event_kinds,
            has_household=history.has_household,
            source=claim.source,
            source_sha256=history.sha256,
            unread=history.rejected,
        )


def _watched(experiment: LiveExperiment, name: str, claim: Claim, path: Path, folder: Path) -> ClaimFigure:
    survey = read_observed(path, claim.numerator, load_mappings(folder / MAPPINGS).get("observed"))
    return work_out_observed(name, claim, survey.rows, source=claim.source, source_sha256=survey.sha256)


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What past letters could bear out; `history` is the file's name, `rejected` its rows that cannot be read."""

    experiment: LiveExperiment
    search: Search
    history: str
    rejected: int
    notes: tuple[str, ...]


def find_claims(
    path: Path,
    history: Path,
    *,
    period: Period | None = None,
    today: date | None = None,
    columns: Mapping[str, str] | None = None,
) -> Sought:
    """Look for claims in a file of past letters. Refused where the file is no experiment to be run, or cannot be read.

    Parts of the tenants are those that the experiment's strata and bands make. Headings given in `columns`, by our
    name, are kept for the seal and for the next time.
    """
    loaded, experiment, folder = experiment_of(path)
    if isinstance(experiment, SiteExperiment):
        raise Refused(SignTrialCode.CLAIM_OF_SIGNS.at(Place(loaded.name)))
    eligible = compile_condition(experiment.eligible, experiment.kinds)
    learnt = folder / MAPPINGS
    known = load_mappings(learnt)
    mapping = known.get("history")
    if columns:
        mapping = ColumnMapping("history", {**(mapping.columns if mapping else {}), **columns})
    with read_history(history, experiment.columns, mapping, today=today) as read:
        if columns:
            save_mappings(learnt, known | {"history": read.mapping})
        search = search_claims(
            read.rows(),
            eligible=lambda values: eligible.holds(with_bands(experiment, values)),
            parts=_parts(experiment),
            about=" about arrears" if "arrears" in experiment.columns else "",
            people="tenants" if experiment.unit == "tenancy" else "people",
            period=period,
            cut=read.cut,
            event_kinds=read.event_kinds,
            has_household=read.has_household,
            source=_named(history, folder),
            source_sha256=read.sha256,
            unread=read.rejected,
        )
        return Sought(experiment=experiment, search=search, history=read.name, rejected=read.rejected, notes=read.notes)


def experiment_of(path: Path) -> tuple[Loaded, LiveExperiment, Path]:
    """The experiment of a file, and the folder that its sources are named from. Refused for a recorded one."""
    loaded = load(path)
    if not isinstance(loaded.experiment, LiveExperiment):
        raise Refused(TrialCode.IS_RECORDED.at(Place(loaded.name), path=path))
    return loaded, loaded.experiment, path.absolute().parent.parent


def _named(history: Path, folder: Path) -> str:
    """The file as `source:` names it: from the workspace where it lies inside, else its name in data/."""
    here = history.absolute()
    return here.relative_to(folder).as_posix() if here.is_relative_to(folder) else f"data/{history.name}"


def _parts(experiment: LiveExperiment) -> dict[str, Callable[[Mapping[str, Value]], object]]:
    """By column or band of text: the part that a row's values put a tenancy in."""

    def of(name: str) -> Callable[[Mapping[str, Value]], object]:
        return lambda values: with_bands(experiment, values).get(name)

    names = dict.fromkeys((*experiment.design.strata, *experiment.bands))
    return {name: of(name) for name in names if experiment.kinds.get(name) is Kind.TEXT}
