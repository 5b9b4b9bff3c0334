"""The experiment's constants against the templates that print them: missing, of another kind, or a day gone by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from nudge.base.columns import Kind
from nudge.base.errors import Place, Problem
from nudge.base.values import day_in_words
from nudge.documents.codes import TemplateCode
from nudge.documents.needs import needs_of
from nudge.documents.templates import TemplateFolder

_EXAMPLES: Final = {
    Kind.DATE: ("date", "{name}: 2027-03-31"),
    Kind.NUMBER: ("whole number", "{name}: 40"),
    Kind.MONEY: ("sum as text, without `| pounds`", '{name}: "£40"'),
}


def check_details(
    folder: TemplateFolder,
    templates: Iterable[str],
    details: Mapping[str, str | int | date],
    *,
    on: date | None = None,
    place: Callable[..., Place] | None = None,
) -> tuple[Problem, ...]:
    """What templates print as `details.NAME` and the experiment does not give as they print it, once a name.

    `on` is the date of the letters: a day before it could not be kept any more. `place` gives the place of a path of
    keys of the experiment; without it, places name the template. Refused where a template does not read.
    """
    seen: dict[str, Problem] = {}
    for template in dict.fromkeys(templates):
        for name, kind in needs_of(folder, template).details.items():
            for code, facts in _wrong(details, name, kind, on):
                keys = ("details", name) if name in details else ("details",)
                where = place(*keys) if place is not None else Place(template)
                seen.setdefault(name, code.at(where, name=name, template=f"templates/{template}", **facts))
    return tuple(seen.values())


def _wrong(
    details: Mapping[str, str | int | date], name: str, kind: Kind, on: date | None
) -> Iterator[tuple[TemplateCode, dict[str, str]]]:
    if name not in details:
        yield TemplateCode.DETAIL_MISSING, {}
        return
    value = details[name]
    fits = {Kind.DATE: date, Kind.NUMBER: int}.get(kind)
    if kind is Kind.MONEY or (fits is not None and not isinstance(value, fits)):
        wanted, example = _EXAMPLES[kind]
        yield TemplateCode.DETAIL_MISFITS, {"kind": wanted, "example": example.format(name=name)}
    elif isinstance(value, date) and on is not None and value < on:
        yield TemplateCode.DETAIL_PAST, {"when": day_in_words(value)}
