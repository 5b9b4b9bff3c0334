"""`nudge compare`: what differs between the arms of an experiment, shown on letters to people who do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from nudge.base.canonical import digest
from nudge.base.errors import Place, Problem, Refused
from nudge.documents.blocks import read_contents
from nudge.documents.checks import check_letter, check_values
from nudge.documents.claims import wording
from nudge.documents.comparison import Difference, Shown, Size, alone, differences
from nudge.documents.form import Form, Format
from nudge.documents.letter import LetterSpec
from nudge.documents.page import Drawn, draw
from nudge.documents.plain import plainness
from nudge.documents.profiles import Profile, profile_named
from nudge.documents.remarks import remarks_of
from nudge.documents.sample import INVENTED_SHARE, MORE_RECIPIENTS, RECIPIENTS, Recipient, sample_spec
from nudge.documents.siblings import lines_missing, siblings_of
from nudge.documents.sign import SignSpec, check_sign, draw_sign
from nudge.documents.templates import TemplateFolder, check_templates
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.loader import Loaded, load
from nudge.experiment.seal import definition_hash
from nudge.experiment.sites import SiteExperiment
from nudge.experiment.spelling import listed
from nudge.trial.claims import claim_figures
from nudge.trial.codes import TrialCode
from nudge.workspace import SETTINGS, open_workspace

LARGEST: Final = Form(format=Format.LARGE_PRINT, points=18)
DRAWN_FOR: Final = (*RECIPIENTS[:2], *MORE_RECIPIENTS)
PROFILE: Final = "dl"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Every letter or sign of an experiment, each arm's beside the control's.

    `shown` are those of the arms, then those of the later waves, which are the same in every arm. `without` names the
    arms that get none. `folder` is where the experiment's own `out` folder would lie.
    """

    experiment: LiveExperiment
    definition_hash: str
    folder: Path
    shown: tuple[Shown, ...]
    waves: tuple[Shown, ...]
    against: tuple[Difference, ...]
    without: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    templates: str  # SHA-256 of every file that the letters are made of, so that what was signed for can be told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What every letter of one comparison is drawn with: the same sender, claims and constants."""

    folder: TemplateFolder
    profile: Profile
    experiment: LiveExperiment
    claims: Mapping[str, str]
    council: Mapping[str, str] | None
    reference: str  # one for every arm: a letter's own would stand in the redline as a difference


def compare_file(path: Path) -> Comparison:
    """Fill in, draw and compare the letters of an experiment file. Needs no seal, no tenant and no workspace.

    Templates are looked for in the workspace, else in `templates` beside the file or beside its folder. Refused where
    the file is not an experiment to be run, or where a letter cannot be filled in.
    """
    loaded = load(path)
    experiment = loaded.experiment
    if not isinstance(experiment, LiveExperiment):
        raise Refused(TrialCode.IS_RECORDED.at(Place(loaded.name), path=path))
    root = _root(path, experiment)
    true = _true_claims(loaded, root)
    settled = open_workspace(root) if (root / SETTINGS).is_file() else None
    desk = _Desk(
        folder=TemplateFolder(root / "templates"),
        profile=profile_named(PROFILE if settled is None else settled.profile),
        experiment=experiment,
        claims={name: wording(claim, *INVENTED_SHARE) for name, claim in experiment.claims.items()} | true,
        council=None if settled is None else settled.council,
        reference="",
    )
    _refuse_unreadable(desk, loaded)
    first = _first(desk)
    desk = replace(desk, reference=first.reference, council=first.council if desk.council is None else desk.council)
    shown = tuple(_arms(desk, loaded))
    waves = tuple(_waves(desk, loaded))
    against = differences(shown, experiment.control.id)
    problems = (
        *(problem for difference in against for problem in difference.problems),
        *(problem for one in (*shown, *waves) for problem in alone(one)),
    )
    return Comparison(
        experiment=experiment,
        definition_hash=definition_hash(experiment),
        folder=root / "out" / experiment.id,
        shown=shown,
        waves=waves,
        against=against,
        without=tuple(arm.id for arm in experiment.arms if arm.id not in {one.id for one in shown}),
        problems=tuple(dict.fromkeys(problems)),
        notes=tuple(_notes(desk, true, settled is not None)),
        templates=digest(_hashes(desk)),
    )


def _hashes(desk: _Desk) -> dict[str, str]:
    used = {name for letter in _named(desk.experiment) for name in desk.folder.used_by(letter)}
    every = desk.folder.hashes()
    return {name: sha256 for name, sha256 in every.items() if name in used or not name.endswith(".html")}


def _root(path: Path, experiment: LiveExperiment) -> Path:
    """The folder that holds `templates/`: the workspace, else the file's folder, else the one around it."""
    here = path.absolute().parent
    for folder in (here, here.parent):
        if (folder / "templates").is_dir():
            return folder
    named = next(_named(experiment), "letters")
    raise Refused(
        TrialCode.SOURCE_MISSING.at(Place(path.name), file=f"templates/{named}", part="arm", key="`letter:` or `sign:`")
    )


def _named(experiment: LiveExperiment) -> Iterator[str]:
    for arm in experiment.arms:
        yield from filter(None, (arm.letter, arm.sign))
    yield from (wave.letter for wave in experiment.waves)


def _refuse_unreadable(desk: _Desk, loaded: Loaded) -> None:
    known = set(desk.folder.names())
    named = tuple(dict.fromkeys(_named(desk.experiment)))
    problems: list[Problem] = [
        TrialCode.SOURCE_MISSING.at(
            loaded.place("arms"), file=f"templates/{name}", part="experiment", key="`letter:` or `sign:`"
        )
        for name in named
        if name not in known
    ]
    for name in named:  # each by itself: a block that only one arm has is what the comparison shows
        problems += check_templates(desk.folder, (name,)) if name in known else ()
    Refused.when(problems)


def _first(desk: _Desk) -> LetterSpec:
    """The control's letter, else the first there is: its invented sender and its reference are every arm's."""
    control = desk.experiment.control
    return sample_spec(desk.folder, control.letter or control.sign or next(_named(desk.experiment)))


def _arms(desk: _Desk, loaded: Loaded) -> Iterator[Shown]:
    for index, arm in enumerate(desk.experiment.arms):
        place = loaded.place("arms", index)
        if arm.letter is not None:
            yield _letter(desk, arm.letter, arm.id, arm.name, arm.levers, place)
        elif arm.sign is not None:
            yield _sign(desk, arm.sign, arm.id, arm.name, arm.levers, place)


def _waves(desk: _Desk, loaded: Loaded) -> Iterator[Shown]:
    for index, wave in enumerate(desk.experiment.waves):
        name = f"Later letter: {wave.id.replace('_', ' ')}"
        yield _letter(desk, wave.letter, wave.id, name, (), loaded.place("waves", index))


def _letter(desk: _Desk, template: str, id_: str, name: str, levers: tuple[str, ...], place: Place) -> Shown:
    drawn = [_drawn(desk, template, recipient) for recipient in DRAWN_FOR]
    spec, html, first, _ = drawn[0]
    return Shown(
        id=id_,
        name=name,
        template=template,
        levers=levers,
        contents=read_contents(html),
        plainness=plainness(html),
        sizes=(*(size for *_, size in drawn), *_forms(desk, template, spec)),
        pdf=first.pdf,
        place=place,
        remarks=remarks_of(html, first, spec),
        forms=tuple(name.removeprefix(template.removesuffix("html")) for name in siblings_of(desk.folder, template)),
    )


def _forms(desk: _Desk, template: str, spec: LetterSpec) -> Iterator[Size]:
    """The letter in large print, and in each format and language that there are words and the council's lines for."""
    yield _size(desk, replace(spec, form=LARGEST))
    for sibling in siblings_of(desk.folder, template):
        if not lines_missing(desk.folder, sibling, spec.council):
            yield _size(desk, _spec(desk, sibling, DRAWN_FOR[0]))


def _size(desk: _Desk, spec: LetterSpec) -> Size:
    label = spec.form.words[0].upper() + spec.form.words[1:]
    try:
        drawn = draw(desk.folder.html(spec), desk.folder.path, profile=desk.profile, template=spec.template)
    except Refused as refused:
        return Size(recipient=label, pages=0, sheets=0, problems=refused.problems)
    problems = check_letter(drawn, spec, desk.profile, desk.folder)
    return Size(recipient=label, pages=drawn.pages, sheets=drawn.sheets, problems=problems)


def _drawn(desk: _Desk, template: str, recipient: Recipient) -> tuple[LetterSpec, str, Drawn, Size]:
    spec = _spec(desk, template, recipient)
    html = desk.folder.html(spec)
    drawn = draw(html, desk.folder.path, profile=desk.profile, template=template)
    problems = (*check_values(spec), *check_letter(drawn, spec, desk.profile, desk.folder))
    size = Size(recipient=recipient.label, pages=drawn.pages, sheets=drawn.sheets, problems=problems)
    return spec, html, drawn, size


def _spec(desk: _Desk, template: str, recipient: Recipient) -> LetterSpec:
    experiment = desk.experiment
    spec = sample_spec(
        desk.folder,
        template,
        recipient=recipient,
        kinds=experiment.kinds,
        claims=desk.claims,
        council=desk.council,
        details=experiment.details,
    )
    return replace(spec, reference=desk.reference)


def _sign(desk: _Desk, template: str, id_: str, name: str, levers: tuple[str, ...], place: Place) -> Shown:
    invented = sample_spec(desk.folder, template, claims=desk.claims, council=desk.council)
    spec = SignSpec(
        reference=desk.reference,
        template=template,
        site="sample",
        council=invented.council,
        claims=invented.claims,
        details={**invented.details, **desk.experiment.details},
    )
    if isinstance(desk.experiment, SiteExperiment):
        sites = desk.experiment.sites
        spec = replace(spec, size=sites.size, orientation=sites.orientation)
    spec = replace(spec, preset="no-marks")
    html, drawn = desk.folder.sign_html(spec), draw_sign(spec, desk.folder)
    size = Size(
        recipient=f"A sign of {spec.size}, {spec.orientation}",
        pages=drawn.pages,
        sheets=drawn.sheets,
        problems=check_sign(drawn, spec, desk.folder),
    )
    return Shown(
        id=id_,
        name=name,
        template=template,
        levers=levers,
        contents=read_contents(html),
        plainness=plainness(html),
        sizes=(size,),
        pdf=drawn.pdf,
        place=place,
    )


def _true_claims(loaded: Loaded, root: Path) -> dict[str, str]:
    """The wording of each claim that its own source bears out today; the others stay invented until the seal."""
    figures, _ = claim_figures(loaded, root)
    return {name: figure.wording for name, figure in figures.items() if figure.wording and not figure.problems}


def _notes(desk: _Desk, true: Mapping[str, str], in_workspace: bool) -> Iterable[str]:
    yield "Everybody here is invented. Every arm is drawn for the same people, with the same date and reference."
    if desk.claims:
        yield "A figure inside a claim is not warned of as one that the other letter lacks."
    if true:
        yield f"Worked out from its own source, as the seal will: {listed(true)}."
    if invented := [name for name in desk.claims if name not in true]:
        yield f"With an invented figure, because its source is not there or does not bear it out: {listed(invented)}."
    if not in_workspace:
        yield "The sender is invented: in a workspace it is your own."
