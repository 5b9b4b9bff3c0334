"""Which column of a council's file holds what: found by its words, asked where unclear, learnt once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from nudge.base.columns import Kind
from nudge.base.errors import Place, Problem, Refused
from nudge.base.files import write_whole
from nudge.intake.codes import FileCode
from nudge.intake.reader import plain_heading


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something a file may hold: our name for it, its kind, and the headings by which it goes.

    `weaker` headings are tried only where none of `words` is there: `Ref` may be any reference.
    """

    name: str
    kind: Kind = Kind.TEXT
    words: tuple[str, ...] = ()
    compulsory: bool = False
    weaker: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """For one kind of file, the heading under which each wanted column stands. A blank heading: there is none."""

    file_kind: str
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def with_columns(self, said: Mapping[str, str]) -> ColumnMapping:
        """This mapping with some columns said anew."""
        return replace(self, columns={**self.columns, **said})


def suggest(
    headings: Sequence[str],
    wanted: Iterable[Wanted],
    *,
    file_kind: str = "",
    learnt: ColumnMapping | None = None,
    source: str = "",
) -> ColumnMapping:
    """The column of each wanted thing: as learnt, else the heading that is its own name, else the one that fits.

    Raises Refused with every column that is absent, gone or unclear; nothing is chosen between two that fit.
    """
    wanted = tuple(wanted)
    found, problems = fitting(headings, wanted, file_kind=file_kind, learnt=learnt, source=source)
    Refused.when(problems)
    return found


def fitting(
    headings: Sequence[str],
    wanted: Sequence[Wanted],
    *,
    file_kind: str = "",
    learnt: ColumnMapping | None = None,
    source: str = "",
) -> tuple[ColumnMapping, tuple[Problem, ...]]:
    """What `suggest` finds, and its problems, without raising."""
    said = dict(learnt.columns) if learnt else {}
    plain = {plain_heading(heading): heading for heading in headings if heading}
    place, problems = Place(source or file_kind), []
    # What was learnt for another experiment's columns stays learnt.
    columns = {name: heading for name, heading in said.items() if name not in {one.name for one in wanted}}
    for one in wanted:
        if one.name in said and not said[one.name]:  # said to be absent
            candidates: list[str] = []
        elif one.name in said:
            heading = said[one.name]
            if plain_heading(heading) not in plain:
                nearest = _nearest(heading, plain)
                absent = "" if one.compulsory else f", or that there is none any more: --column {one.name}="
                facts = {"wanted": one.name, "heading": heading, "nearest": nearest, "absent": absent}
                problems.append(FileCode.HEADING_GONE.at(place, **facts))
                continue
            candidates = [plain[plain_heading(heading)]]
        else:
            candidates = _candidates(one, plain)
        if len(candidates) > 1:
            listed = " or ".join(f'"{heading}"' for heading in candidates)
            facts = {"wanted": one.name, "candidates": listed, "first": candidates[0]}
            problems.append(FileCode.HEADING_UNCLEAR.at(place, **facts))
        elif candidates:
            columns[one.name] = candidates[0]
        elif one.compulsory:
            facts = {"wanted": one.name, "nearest": _nearest(one.name, plain, one.words)}
            problems.append(FileCode.HEADING_ABSENT.at(place, **facts))
        elif one.name in said and _candidates(one, plain):  # one not there today is looked for again tomorrow
            columns[one.name] = ""
    return ColumnMapping(file_kind, MappingProxyType(columns)), tuple(problems)


def _candidates(one: Wanted, plain: Mapping[str, str]) -> list[str]:
    if (own := plain_heading(one.name)) in plain:
        return [plain[own]]
    for words in (one.words, one.weaker):
        hits = dict.fromkeys(plain[word] for word in map(plain_heading, words) if word in plain)
        if hits:
            return list(hits)
    return []


def _nearest(name: str, plain: Mapping[str, str], words: Iterable[str] = ()) -> str:
    for word in (name, *words):
        if close := get_close_matches(plain_heading(word), plain, n=1, cutoff=0.75):
            return f' (the nearest heading is "{plain[close[0]]}")'
    return ""


def column_option(text: str) -> tuple[str, str]:
    """`reference="Tenancy Ref"` as a name and a heading; an empty heading says that there is none."""
    name, mark, heading = text.partition("=")
    if not mark or not name.strip():
        raise Refused(FileCode.COLUMN_OPTION_SHAPE.at(Place("--column")))
    return name.strip(), heading.strip().strip('"')


def load_mappings(path: Path) -> dict[str, ColumnMapping]:
    """The column names learnt so far, by kind of file; none where there is no file yet."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
        return {
            kind: ColumnMapping(kind, MappingProxyType({str(name): str(text) for name, text in columns.items()}))
            for kind, columns in content.items()
        }
    except (ValueError, AttributeError):
        raise Refused(FileCode.MAPPING_UNREADABLE.at(Place(path.name))) from None


def save_mappings(path: Path, mappings: Mapping[str, ColumnMapping]) -> Path:
    """Write columns.json: headings only, readable and easily mended by hand."""
    content = {kind: dict(mapping.columns) for kind, mapping in sorted(mappings.items())}
    return write_whole(path, json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
