"""`nudge check`: what an experiment file says, what the seal still needs, and what to think about first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from nudge.base.errors import Problem, Refused
from nudge.base.languages import ENGLISH
from nudge.documents.form import Format, template_in
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.loader import Loaded, load
from nudge.experiment.seal import unsealable
from nudge.experiment.sites import SiteExperiment
from nudge.trial.codes import TrialCode


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A file that can be read as an experiment. `before_seal` lists what only the seal needs."""

    id: str
    kind: Literal["live", "recorded"]
    summary: str
    before_seal: tuple[Problem, ...]
    warnings: tuple[str, ...]


def check_file(path: Path) -> Checked:
    """Read an experiment file; Refused with every problem at its line, or what there is to say of it.

    Refused too where all the units there are, drawn once, could not make any difference significant (rules §5).
    """
    loaded = load(path)
    experiment = loaded.experiment
    warnings = tuple(str(note) for note in loaded.notes)
    arms, outcomes = len(experiment.arms), len(experiment.outcomes)
    summary = f"{arms} arms, {outcomes} outcome{'s' if outcomes > 1 else ''}"
    if not isinstance(experiment, LiveExperiment):
        return Checked(id=experiment.id, kind="recorded", summary=summary, before_seal=(), warnings=warnings)
    if experiment.design.enrol == "once" and experiment.baseline is not None:
        Refused.when(_hopeless(loaded, experiment, experiment.baseline.units))
    unfilled = _unfilled(loaded, experiment, path)
    stops, told = ((), ()) if unfilled else _said(loaded, experiment, path)
    return Checked(
        id=experiment.id,
        kind="live",
        summary=summary,
        before_seal=(
            *unsealable(experiment, loaded.place),
            *_missing_files(loaded, experiment, path),
            *unfilled,
            *stops,
        ),
        warnings=(*warnings, *told),
    )


def _hopeless(loaded: Loaded, experiment: LiveExperiment, clusters: int) -> tuple[Problem, ...]:
    # These load the estimators, which hardly a check needs.
    from nudge.planning.feasibility import cannot_reach, drawn_one_by_one
    from nudge.planning.question import Question

    asked = Question.of(experiment, experiment.primary or experiment.outcomes[0])
    p = cannot_reach(drawn_one_by_one(asked), clusters)
    if p is None:
        return ()
    facts = {"clusters": clusters, "p": p, "alpha": 1 - experiment.analysis.confidence}
    return (TrialCode.PLAN_CANNOT_REACH.at(loaded.place("design"), **facts),)


def _letters(experiment: LiveExperiment, path: Path) -> tuple[Path, list[str]]:
    """The templates folder beside the experiments, and the letters of the file that are in it."""
    named = (*(arm.letter for arm in experiment.arms), *(wave.letter for wave in experiment.waves))
    folder = path.absolute().parent.parent / "templates"
    return folder, [letter for letter in dict.fromkeys(named) if letter and (folder / letter).is_file()]


def _said(loaded: Loaded, experiment: LiveExperiment, path: Path) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """What the seal will say of the letters, as far as an invented council and invented people show it."""
    folder, letters = _letters(experiment, path)
    signs = [arm.sign for arm in experiment.arms if arm.sign]
    if not letters and not (signs and all((folder / one).is_file() for one in signs)):
        return (), ()
    # These load the page maker, which a check without templates does not need.
    from nudge.documents.claims import wordings
    from nudge.documents.sample import INVENTED_SHARE
    from nudge.documents.templates import TemplateFolder
    from nudge.trial.sign_proofs import faults_of_signs
    from nudge.trial.wording import by_language, remarks_on_letters, sorted_out

    claims = by_language({name: wordings(claim, *INVENTED_SHARE) for name, claim in experiment.claims.items()})
    if isinstance(experiment, SiteExperiment):
        return faults_of_signs(experiment, TemplateFolder(folder), claims=claims[ENGLISH]), ()
    try:
        remarks = remarks_on_letters(experiment, TemplateFolder(folder), letters, claims=claims)
        said = sorted_out(remarks, experiment, loaded.place)
    except Refused as refused:
        return refused.problems, ()
    return said.stops, tuple(map(str, said.told))


def _unfilled(loaded: Loaded, experiment: LiveExperiment, path: Path) -> tuple[Problem, ...]:
    """Details that the letters or signs print and the file lacks, where the templates lie beside it and can be read."""
    folder, printed = _letters(experiment, path)
    printed += [arm.sign for arm in experiment.arms if arm.sign and (folder / arm.sign).is_file()]
    if not printed:
        return ()
    # These load the template engine, which a check without templates does not need.
    from nudge.documents.details import check_details
    from nudge.documents.templates import TemplateFolder

    try:
        return check_details(TemplateFolder(folder), printed, experiment.details, place=loaded.place)
    except Refused as refused:
        return refused.problems


_KEYS: Final = {
    "arms": "`letter:` or `sign:`",
    "waves": "`letter:`",
    "languages": "`languages:`",
    "claims": "`source:`",
}


def _missing_files(loaded: Loaded, experiment: LiveExperiment, path: Path) -> tuple[Problem, ...]:
    """Letters and sources that are not where the file's own folder says; the seal reads them from the workspace."""
    root = path.absolute().parent.parent
    named: dict[str, tuple[str | int, ...]] = {
        f"templates/{template}": ("arms", number)
        for number, arm in enumerate(experiment.arms)
        for template in (arm.letter, arm.sign)
        if template
    }
    named |= {f"templates/{wave.letter}": ("waves", number) for number, wave in enumerate(experiment.waves)}
    named |= {
        f"templates/{template_in(file.removeprefix('templates/'), Format.STANDARD, language)}": ("languages",)
        for file in tuple(named)
        for language in experiment.languages
        if language != ENGLISH
    }
    named |= {claim.source: ("claims", name) for name, claim in experiment.claims.items()}
    return tuple(
        TrialCode.SOURCE_MISSING.at(
            loaded.place(*where), file=file, part=str(where[0]).rstrip("s"), key=_KEYS[str(where[0])]
        )
        for file, where in named.items()
        if not (root / file).is_file()
    )
