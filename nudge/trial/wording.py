"""What is said of a trial's letters before anybody is drawn: every arm's and wave's, filled in for people who are not.

What refuses a letter is known now, in every arm (I4); what is held waits for a person who lets it through by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nudge.base.errors import Place, Problem, Refused
from nudge.documents.address import address_lines
from nudge.documents.batch import letter_key
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.remark_codes import Remark, RemarkCode, Weight
from nudge.documents.remarks import remarks_of
from nudge.documents.sample import sample_spec
from nudge.documents.siblings import lines_missing
from nudge.documents.structure import check_structure
from nudge.documents.templates import TemplateFolder
from nudge.experiment.definition import LiveExperiment

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
    claims: Mapping[str, str] | None = None,
) -> tuple[Remark, ...]:
    """The remarks on each of these letters as an invented person gets it. Refused where one cannot be filled in.

    `others` are its templates in other formats and languages: one that wants lines which the council has not given
    is passed over, as nobody can be sent it. Each letter is drawn once in a process for the same templates and words.
    """
    hashes = folder.hashes()
    found: list[Remark] = []
    sendable = [one for one in others if council is None or not lines_missing(folder, one, council)]
    for template in dict.fromkeys((*letters, *sendable)):
        found += _remarks_on(experiment, folder, template, hashes, profile, council, claims)
    return tuple(dict.fromkeys(found))


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
    claims: Mapping[str, str] | None,
) -> tuple[Remark, ...]:
    spec = sample_spec(
        folder,
        template,
        kinds=experiment.kinds,
        claims=claims,
        council=council,
        details=experiment.details,
    )
    key = letter_key(spec, hashes, profile)
    if key not in _KEPT:
        html = folder.html(spec)
        drawn = draw(html, folder.path, profile=profile_named(profile), template=template)
        order = (*address_lines(spec.name, spec.post_to), spec.salutation)
        Refused.when(check_structure(drawn.pdf, Place(template), order))
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = remarks_of(html, drawn, spec)
    return _KEPT[key]
