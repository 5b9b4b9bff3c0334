"""What differs between the arms' letters, in words, for those who sign for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from nudge._version import __version__
from nudge.base.errors import Problem
from nudge.documents.comparison import Difference, Shown
from nudge.documents.plain import AIM
from nudge.documents.previews import page_pictures
from nudge.documents.redline import How, Line, Piece
from nudge.documents.remark_codes import Weight
from nudge.documents.required import held
from nudge.experiment.definition import LiveExperiment
from nudge.reports.parts import (
    Answer,
    Listing,
    Passage,
    Picture,
    Pictures,
    Redlined,
    RedlineRow,
    Section,
    Signing,
    Story,
    Table,
    Text,
    Tone,
)
from nudge.reports.wording import NONE, listed, number, whole

_WHAT: Final[Mapping[How, str]] = {
    How.SAME: "",
    How.CHANGED: "Words changed",
    How.SET: "Same words, set in another way",
    How.ADDED: "Added",
    How.REMOVED: "Left out",
    How.MOVED: "Moved here",
    How.GONE: "Moved elsewhere",
}
_DOTS: Final = 96  # to the inch: type of 10 pt can be read, and a page is some 100 kB
_FULL_DOTS: Final = 120
_DOES: Final[Mapping[Weight, str]] = {
    Weight.REFUSE: "refuses",
    Weight.HOLD: "holds it until somebody lets it through by name",
    Weight.WARN: "goes on",
}
_WHO: Final = (
    ("service", "The service"),
    ("legal", "Legal"),
    ("communications", "Communications"),
    ("data_protection", "Data protection"),
)


def tell_comparison(
    experiment: LiveExperiment,
    shown: Sequence[Shown],
    waves: Sequence[Shown],
    against: Sequence[Difference],
    *,
    without: Sequence[str],
    problems: Sequence[Problem],
    notes: Sequence[str],
    definition_hash: str,
    templates: str,
    pictures: bool = True,
) -> Story:
    """The page of a comparison: the warnings, each arm's redline beside pictures of both, and lines to sign on.

    Without `pictures` nothing is drawn, which is enough for a terminal.
    """
    every = (*shown, *waves)
    thing = "sign" if shown and shown[0].template.startswith("signs/") else "letter"
    sections: list[Section] = []
    if problems:
        points = tuple(("", said(problem)) for problem in problems)
        sections.append(Section(slug="warnings", heading="Before anybody signs", parts=(Listing(items=points),)))
    for difference in against:
        sections.append(_difference(difference, thing, pictures=pictures))
    if not against:
        parts = tuple(part for one in shown for part in (_pages((one,)) if pictures else ()))
        words = f"Only one arm gets a {thing}: everything in it sets the arms apart."
        sections.append(Section(slug="alone", heading="What the arms get", parts=(Text(words=words), *parts)))
    if waves:
        sections.append(_later(waves))
    sections.append(Section(slug="reads", heading="How each reads", parts=(_plain(every), _sizes(every))))
    if thing == "letter":
        sections += _required(every)
    sections += _remarks(experiment, every)
    sections.append(Section(slug="how", heading="How this was made", parts=tuple(Text(words=note) for note in notes)))
    if pictures:
        sections.append(_in_full(every, thing))
    sections.append(_signing(experiment))
    base = against[0].control if against else shown[0]
    return Story(
        kind=f"What differs between the arms: every {thing} against {base.name}",
        title=experiment.title,
        question=experiment.question,
        facts=(
            ("Arms", listed([arm.name for arm in experiment.arms], "and")),
            ("Definition", definition_hash[:16]),
            ("Templates", templates[:16]),
        ),
        banner=None,
        answers_heading="What differs",
        answers=(*_answers(against), *_without(experiment, without, thing)),
        sections=tuple(sections),
        colophon=f"nudge {__version__} · {experiment.id} · definition {definition_hash} · templates {templates}",
    )


def said(problem: Problem) -> str:
    """A warning as one line of a page."""
    return f"{problem.place}: expected {problem.expected}. {problem.fix}"


def _answers(against: Sequence[Difference]) -> Iterator[Answer]:
    for difference in against:
        arm, control = difference.arm, difference.control
        count, of = len(difference.changes), len(arm.contents.blocks)
        used = dict.fromkeys(lever for line in difference.changes for lever in line.levers)
        yield Answer(
            head=f"{arm.name} against {control.name}",
            tone=Tone.UNSURE if difference.problems else Tone.GOOD,
            sentence=f"{_blocks(count)} of {whole(of)} differ{'s' if count == 1 else ''} from {control.name}.",
            basis=f"Levers declared: {_levers(arm.levers)}. Levers of what differs: {_levers(used)}."
            f" {_warnings(len(difference.problems))}",
        )


def _levers(levers: Iterable[str]) -> str:
    return listed(list(levers), "and") or "none"


def _blocks(count: int) -> str:
    return f"{whole(count)} block{'s' if count != 1 else ''}"


def _warnings(count: int) -> str:
    return f"{whole(count)} warning{'s' if count != 1 else ''} below." if count else "Nothing to warn of."


def _without(experiment: LiveExperiment, without: Sequence[str], thing: str) -> Iterator[Answer]:
    for id_ in without:
        yield Answer(head=experiment.arm(id_).name, tone=Tone.PLAIN, sentence=f"This arm gets no {thing}.")


def _difference(difference: Difference, thing: str, *, pictures: bool) -> Section:
    control, arm = difference.control, difference.arm
    parts: list[Pictures | Redlined | Text] = []
    if pictures:
        parts += _pages((control, arm))
    parts.append(
        Redlined(
            caption=f"Every block of both {thing}s, from top to bottom. What one has and the other has not is struck"
            " through on the left and underlined on the right.",
            columns=(control.name, arm.name),
            rows=tuple(_rows(difference.lines)),
        )
    )
    return Section(slug=f"arm-{arm.id}", heading=f"{arm.name} against {control.name}", parts=tuple(parts))


def _rows(lines: Iterable[Line]) -> Iterator[RedlineRow]:
    """Blocks that are the same and follow one another stand in one row, to keep what differs in sight."""
    for same, run in groupby(lines, lambda line: line.how is How.SAME):
        if same:
            words = tuple(Passage(words=line.words, changed=False) for line in run)
            yield RedlineRow(before=(), after=words, what="The same", levers="", same=True)
        else:
            yield from _differing(tuple(run))


def _differing(lines: tuple[Line, ...]) -> Iterator[RedlineRow]:
    """Blocks left out stand beside those put in their place."""
    for how, run in groupby(lines, lambda line: line.how in {How.REMOVED, How.ADDED}):
        if not how:
            yield from map(_row, run)
            continue
        held = list(run)
        gone = [line for line in held if line.how is How.REMOVED]
        come = [line for line in held if line.how is How.ADDED]
        for old, new in zip(gone, come, strict=False):
            yield RedlineRow(
                before=_row(old).before,
                after=_row(new).after,
                what="Replaced",
                levers=_borne((*old.levers, *new.levers)),
                same=False,
            )
        least = min(len(gone), len(come))
        yield from map(_row, (*gone[least:], *come[least:]))


def _borne(levers: Iterable[str]) -> str:
    named = list(dict.fromkeys(levers))
    return f"Lever: {', '.join(named)}" if named else "No lever"


def _row(line: Line) -> RedlineRow:
    before = tuple(_passage(piece) for piece in line.pieces if piece.how is not How.ADDED)
    after = tuple(_passage(piece) for piece in line.pieces if piece.how is not How.REMOVED)
    return RedlineRow(
        before=before if line.before is not None else (),
        after=after if line.after is not None else (),
        what=_WHAT[line.how],
        levers=_borne(line.levers) if line.how is not How.GONE else "",
        same=False,
    )


def _passage(piece: Piece) -> Passage:
    return Passage(words=piece.words, changed=piece.how is not How.SAME)


def _pages(sides: Iterable[Shown]) -> list[Pictures]:
    """Page beside page: the first of each, then the second of each."""
    drawn = [(side, page_pictures(side.pdf, range(side.sizes[0].pages), dots=_DOTS)) for side in sides]
    most = max((len(pages) for _, pages in drawn), default=0)
    return [
        Pictures(
            items=tuple(
                Picture(
                    png=pages[number],
                    alt=f"Page {number + 1} of {side.name}, as an ordinary recipient gets it; its words are below.",
                    caption=f"{side.name}, page {number + 1} of {len(pages)}",
                )
                for side, pages in drawn
                if number < len(pages)
            )
        )
        for number in range(most)
    ]


def _later(waves: Sequence[Shown]) -> Section:
    words = (
        f"{listed([one.name for one in waves])}: the same in every arm, by the same rule, so nothing in it sets the"
        " arms apart. It stands in full below."
    )
    return Section(slug="later", heading="Later letters", parts=(Text(words=words),))


def _plain(every: Sequence[Shown]) -> Table:
    rows = [
        (
            one.name,
            number(one.plainness.reading_age, 1),
            whole(one.plainness.words),
            whole(one.plainness.longest_sentence),
        )
        for one in every
    ]
    return Table(
        caption="Readability",
        columns=("Letter", "Reading age, years", "Words", "Words in the longest sentence"),
        rows=tuple(rows),
        note=f"Of headings, paragraphs and list items, without letterhead and tables. Aim at a reading age of {AIM} or"
        " less, and at sentences of 25 words or fewer.",
    )


def _sizes(every: Sequence[Shown]) -> Table:
    kinds = list(dict.fromkeys(size.recipient for one in every for size in one.sizes))
    extents = [{size.recipient: _extent(size.pages, size.sheets) for size in one.sizes} for one in every]
    return Table(
        caption="Pages and sheets, for each kind of recipient and form",
        columns=("Recipient or form", *(one.name for one in every)),
        rows=tuple((kind, *(extent.get(kind, NONE) for extent in extents)) for kind in kinds),
        note="Sheets are printed on both sides. Arms that differ in sheets differ in postage and thickness.",
    )


def _extent(pages: int, sheets: int) -> str:
    if not pages:
        return "cannot be drawn"
    return f"{pages} page{'s' if pages != 1 else ''}, {sheets} sheet{'s' if sheets != 1 else ''}"


def _required(every: Sequence[Shown]) -> Iterator[Section]:
    holding = [(one, held(one.contents)) for one in every]
    things = list(dict.fromkeys(words for _, found in holding for words in found))
    if not things:
        return
    rows = tuple(
        (words, *("–" if words not in found else "yes" if found[words] else "MISSING" for _, found in holding))
        for words in things
    )
    table = Table(
        caption="What letters of this family must hold",
        columns=("Letters must hold", *(one.name for one, _ in holding)),
        rows=tuple((words[0].upper() + words[1:], *cells) for words, *cells in rows),
    )
    yield Section(slug="required", heading="What no arm may leave out", parts=(table,))


def _remarks(experiment: LiveExperiment, every: Sequence[Shown]) -> Iterator[Section]:
    """What the seal will refuse, hold or only say of the words and the look, each once with the letters it is of."""
    overrides = {str(key): given for key, given in experiment.governance.overrides.items()}
    rows: dict[tuple[str, str], list[str]] = {}
    for one in every:
        for remark in dict.fromkeys(one.remarks):
            done = _DOES[remark.weight]
            if remark.weight is Weight.HOLD and remark.key in overrides:
                done = f"let through: {overrides[remark.key]}"
            rows.setdefault((f"Expected {remark.expected}. {remark.fix}", done), []).append(one.name)
    if rows:
        table = Table(
            caption="Remarks on the words and the look",
            columns=("Letter", "Remark", "What the seal does"),
            rows=tuple((listed(list(dict.fromkeys(names))), words, done) for (words, done), names in rows.items()),
            words=(1, 2),
        )
        yield Section(slug="remarks", heading="What the words may do to a reader", parts=(table,))


def _in_full(every: Sequence[Shown], thing: str) -> Section:
    items = tuple(
        Picture(
            png=png,
            alt=f"Page {number} of {one.name}, as an ordinary recipient gets it; its words stand above.",
            caption=f"{one.name}, page {number} of {one.sizes[0].pages}",
        )
        for one in every
        for number, png in enumerate(page_pictures(one.pdf, range(one.sizes[0].pages), dots=_FULL_DOTS), start=1)
    )
    return Section(slug="full", heading=f"Each {thing} in full", parts=(Pictures(items=items, full=True),))


def _signing(experiment: LiveExperiment) -> Section:
    given = experiment.governance.sign_off
    lines = tuple((who, getattr(given, key).strip()) for key, who in _WHO)
    words = "I have read every letter above in full, and what differs between them."
    return Section(
        slug="sign-off",
        heading="Sign-off",
        parts=(
            Text(words=words),
            Signing(caption="Initials and date of each", lines=lines),
            Text(words="Then write them under `governance.sign_off` in the experiment file.", aside=True),
        ),
    )
