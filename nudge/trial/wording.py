"""What is said of a trial's letters before anybody is drawn: every arm's and wave's, filled in for people who are not.

What refuses a letter is known now, in every arm (I4); what is held waits for a person who lets it through by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from nudge.base.errors import Place, Problem, Refused
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.documents.address import address_lines
from nudge.documents.batch import letter_key
from nudge.documents.checks import check_letter
from nudge.documents.codes import LetterCode
from nudge.documents.form import Format, language_of
from nudge.documents.letter import LetterSpec
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.remark_codes import Remark, RemarkCode, Weight
from nudge.documents.remarks import remarks_of
from nudge.documents.sample import of_nobody, sample_spec
from nudge.documents.siblings import lines_missing
from nudge.documents.structure import check_structure
from nudge.documents.templates import TemplateFolder
from nudge.experiment.definition import LiveExperiment
from nudge.workspace import PLAIN_PRINTING, PrintSettings

MOST_KEPT: Final = 256
_KEPT: Final[dict[str, tuple[Remark, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Said:
    """Remarks sorted by what they do to a seal: those that stop it, and those that are told."""

    stops: tuple[Problem, ...]
    told: tuple[Remark, ...]


def remarks_on_letters(
    experiment: LiveExperiment,
    folder: TemplateFolder,
    letters: Iterable[str],
    *,
    others: Iterable[str] = (),
    profile: str = "dl",
    council: Mapping[str, str] | None = None,
    claims: Mapping[str, Mapping[str, str]],
    printing: PrintSettings = PLAIN_PRINTING,
) -> tuple[Remark, ...]:
    """The remarks on each of these letters as an invented person gets it. Refused with what would refuse everybody's.

    `claims` are their wordings by language. `others` are the templates in other formats and languages: one that wants
    a claim, or a line of the council, which its language lacks is passed over, as nobody can be sent it. Each letter
    is drawn once in a process for the same templates and words.
    """
    hashes = folder.hashes()
    found: list[Remark] = []
    sendable = [
        one
        for one in others
        if (council is None or not lines_missing(folder, one, council))
        and set(folder.marks(one, "claim")) <= claims.get(language_of(one), {}).keys()
    ]
    refused: list[Problem] = []
    for template in dict.fromkeys((*letters, *sendable)):
        try:
            found += _remarks_on(experiment, folder, template, hashes, profile, council, claims, printing)
        except Refused as refusal:
            refused += refusal.problems
    Refused.when(dict.fromkeys(refused))
    return tuple(dict.fromkeys(found))


def by_language(claims: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Wordings of claims that are given by claim and language, by language; a language may lack some."""
    return {
        language: {name: words[language] for name, words in claims.items() if language in words}
        for language in LANGUAGES
    }


def sorted_out(remarks: Iterable[Remark], experiment: LiveExperiment, place: Callable[..., Place]) -> Said:
    """What stops the seal, and what is only told: warnings, and what somebody let through by name."""
    overrides = experiment.governance.overrides
    stops, told, held = [], [], set()
    for remark in remarks:
        held |= {remark.key} if remark.weight is Weight.HOLD else set()
        let_through = remark.weight is Weight.HOLD and remark.key in overrides
        if remark.weight is Weight.WARN or let_through:
            told.append(remark)
        else:
            stops.append(remark.problem)
    told += [
        RemarkCode.OVERRIDE_IDLE.at(place("governance", "overrides", key), key=key)
        for key in overrides
        if key not in held
    ]
    return Said(stops=tuple(stops), told=tuple(told))


def _remarks_on(
    experiment: LiveExperiment,
    folder: TemplateFolder,
    template: str,
    hashes: Mapping[str, str],
    profile: str,
    council: Mapping[str, str] | None,
    claims: Mapping[str, Mapping[str, str]],
    printing: PrintSettings,
) -> tuple[Remark, ...]:
    # What the council or the experiment has not given is not invented here: nobody's letter would have it.
    invented = sample_spec(folder, template, kinds=experiment.kinds, details=experiment.details)
    others = {language: dict(claims.get(language, {})) for language in invented.languages if language != ENGLISH}
    spec = replace(
        invented,
        claims=dict(claims[ENGLISH]),
        claims_in=others,
        council=invented.council if council is None else dict(council),
    )
    key = f"{letter_key(spec, hashes, profile)} {printing}"
    if key not in _KEPT:
        html = _filled_in(folder, spec)
        drawn = draw(html, folder.path, profile=profile_named(profile), template=template)
        order = (*address_lines(spec.name, spec.post_to), spec.salutation)
        wrong = (
            *check_structure(drawn.pdf, Place(template), order),
            *check_letter(drawn, spec, profile_named(profile), folder, printing),
        )
        # Which day the letters go, and what a pack of another form takes, is known only when they are made.
        later = {LetterCode.ASK_GONE_BY.slug}
        if spec.form.format is not Format.STANDARD:
            later |= {LetterCode.TOO_MANY_SHEETS.slug}
        Refused.when(
            dict.fromkeys(replace(problem, place=Place(template)) for problem in wrong if problem.code not in later)
        )
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = remarks_of(html, drawn, spec)
    return _KEPT[key]


def _filled_in(folder: TemplateFolder, spec: LetterSpec) -> str:
    """The letter's HTML; what refuses it is told of the template alone."""
    try:
        return folder.html(spec)
    except Refused as refused:
        raise Refused(*(of_nobody(problem, spec) for problem in refused.problems)) from None
