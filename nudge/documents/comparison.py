"""One arm's letter beside the control's: every difference, and what a person should know before signing for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from nudge.base.errors import Place, Problem
from nudge.documents.blocks import Contents
from nudge.documents.comparison_codes import ComparisonCode as Code
from nudge.documents.figures import figures_of
from nudge.documents.plain import Plainness
from nudge.documents.redline import How, Line, changes, redline
from nudge.documents.remark_codes import Remark
from nudge.documents.required import families, held

MOST_LEVERS: Final = 3
_SHOWN: Final = 8  # words of a block that a sentence quotes
_KINDS: Final = {"telephone": "telephone number", "address": "web or e-mail address"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How long the letter is for one invented recipient or in one form, and what would stop it being posted.

    `pages` is 0 where it cannot be drawn.
    """

    recipient: str
    pages: int
    sheets: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A letter or sign as an ordinary recipient would get it. `name` is the arm's or wave's, as people read it.

    `levers` are those that the arm declares; `forms` the endings of its templates in other formats and languages
    (`cy.html`). `pdf` and `remarks` are of the ordinary recipient's. `place` is where the
    arm stands in the experiment file.
    """

    id: str
    name: str
    template: str
    levers: tuple[str, ...]
    contents: Contents
    plainness: Plainness
    sizes: tuple[Size, ...]
    pdf: bytes
    place: Place
    remarks: tuple[Remark, ...] = ()
    forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An arm against the control, or against the first arm that gets anything: the redline, and what is to be said."""

    control: Shown
    arm: Shown
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]

    @property
    def changes(self) -> tuple[Line, ...]:
        """The lines that differ, a moved block once."""
        return changes(self.lines)


def compare(control: Shown, arm: Shown) -> Difference:
    """Set an arm's letter against the control's."""
    lines = redline(control.contents.blocks, arm.contents.blocks)
    problems = (
        *_levers(control, arm, lines),
        *_kinds(control, arm),
        *_sizes(control, arm),
        *_figures(control, arm),
        *_forms(control, arm),
    )
    return Difference(control=control, arm=arm, lines=lines, problems=problems)


def alone(shown: Shown) -> tuple[Problem, ...]:
    """What is to be said of one letter by itself: what its family must hold, and what would stop it."""
    place = Place(f"templates/{shown.template}")
    found: list[Problem] = []
    if shown.template.startswith("letters/"):
        found += _required(shown, place)
    for size in shown.sizes:
        found += [
            Code.LETTER_UNFIT.at(place, recipient=size.recipient.lower(), expected=problem.expected, fix=problem.fix)
            for problem in size.problems
        ]
    return tuple(dict.fromkeys(found))


def _required(shown: Shown, place: Place) -> Iterator[Problem]:
    needed = families().get(shown.contents.family)
    if needed is None:
        yield Code.FAMILY_UNKNOWN.at(place, valid=", ".join(families()))
        return
    there = held(shown.contents)
    for thing in needed:
        if not there[thing.words]:
            holding = f" that gives a {' and a '.join(thing.holds)}" if thing.holds else ""
            facts = {"words": thing.words, "id": thing.ids[0], "holding": holding}
            yield Code.REQUIRED_MISSING.at(place, arm=shown.id, **facts)


def _gave_way(lines: Sequence[Line]) -> Iterator[Line]:
    """Blocks of the control that went where the arm says something else with a lever, which tells why they went.

    So do those that stood beside what the arm took to another place with a lever.
    """
    carried = {line.pieces for line in lines if line.how is How.MOVED and line.levers}
    for same, run in groupby(lines, key=lambda line: line.how is How.SAME):
        held = list(run)
        here = any(line.after is not None and line.levers for line in held)
        if not same and (here or any(line.how is How.GONE and line.pieces in carried for line in held)):
            yield from (line for line in held if line.how is How.REMOVED)


def _levers(control: Shown, arm: Shown, lines: Sequence[Line]) -> Iterator[Problem]:
    names, changed = {"arm": arm.id, "control": control.id}, changes(lines)
    if not changed and arm.contents.styles == control.contents.styles:
        yield Code.NOTHING_DIFFERS.at(arm.place, **names)
        return
    gave_way = set(_gave_way(lines))
    bare = [line for line in changed if not line.levers and line not in gave_way]
    if bare:
        such = "; ".join(f"“{shortened(line.words)}”" for line in bare[:2])
        place = Place(f"templates/{arm.template}")
        yield Code.CHANGE_WITHOUT_LEVER.at(place, count=len(bare), such=such, **names)
    used = dict.fromkeys(lever for line in changed for lever in line.levers)
    for lever in used:
        if lever not in arm.levers:
            yield Code.LEVER_UNDECLARED.at(arm.place, lever=lever, **names)
    for lever in arm.levers:
        if lever not in arm.contents.levers and lever not in used:
            yield Code.LEVER_UNBORNE.at(arm.place, lever=lever, **names)
        elif lever not in used:
            yield Code.LEVER_IN_BOTH.at(arm.place, lever=lever, **names)
    if len(arm.levers) > MOST_LEVERS:
        yield Code.LEVERS_MANY.at(arm.place, most=MOST_LEVERS, count=len(arm.levers), arm=arm.id)


def _kinds(control: Shown, arm: Shown) -> Iterator[Problem]:
    place = Place(f"templates/{arm.template}")
    names = {"arm": arm.id, "control": control.id}
    if control.contents.styles != arm.contents.styles:
        yield Code.STYLES_DIFFER.at(place, **names)
    kinds = [" ".join(filter(None, (side.contents.family, side.contents.stage))) or "none" for side in (control, arm)]
    if kinds[0] != kinds[1]:
        yield Code.FAMILY_DIFFERS.at(place, control_kind=kinds[0], kind=kinds[1], **names)


def _sizes(control: Shown, arm: Shown) -> Iterator[Problem]:
    place = Place(f"templates/{arm.template}")
    others = {size.recipient: size for size in control.sizes}
    for here in arm.sizes:
        there = others.get(here.recipient)
        if there is None or not here.pages or not there.pages:  # a form that one lacks, or that cannot be drawn
            continue
        facts = {"recipient": here.recipient[0].lower() + here.recipient[1:], "arm": arm.id, "control": control.id}
        if here.sheets != there.sheets:
            yield Code.SHEETS_DIFFER.at(place, sheets=here.sheets, others=there.sheets, **facts)
        elif here.pages != there.pages:
            yield Code.PAGES_DIFFER.at(place, pages=here.pages, others=there.pages, **facts)


def _figures(control: Shown, arm: Shown) -> Iterator[Problem]:
    sides = (control, arm)
    own = [figures_of(side.contents.blocks) for side in sides]
    for here, there in ((1, 0), (0, 1)):
        place = Place(f"templates/{sides[here].template}")
        for figure in sorted(own[here][0] - own[there][0] - own[there][1]):
            kind = _KINDS.get(figure.kind, figure.kind)
            facts = {"arm": sides[here].id, "other": sides[there].id}
            yield Code.FIGURE_ALONE.at(place, kind=kind, text=figure.text, **facts)


def _forms(control: Shown, arm: Shown) -> Iterator[Problem]:
    for here, there in ((arm, control), (control, arm)):
        place = Place(f"templates/{here.template}")
        for form in there.forms:
            if form not in here.forms:
                named = f"{here.template.removesuffix('html')}{form}"
                yield Code.FORM_ALONE.at(place, arm=here.id, other=there.id, form=f"`{named}`")


def shortened(words: str, most: int = _SHOWN) -> str:
    """The first words of a block, with dots where there are more."""
    found = words.split()
    return " ".join(found[:most]) + (" …" if len(found) > most else "")


def differences(shown: Iterable[Shown], control: str) -> tuple[Difference, ...]:
    """Each letter or sign against the control's, in the order given; where the control gets none, against the first."""
    every = tuple(shown)
    base = next((one for one in every if one.id == control), every[0] if every else None)
    return tuple(compare(base, one) for one in every if base is not None and one is not base)
