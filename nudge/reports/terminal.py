"""A report in a terminal: plain lines, aligned columns, no colour needed to read it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from nudge.reports.parts import Answer, Listing, Passage, Redlined, Section, Story, Table, Text, Verbatim

_GAP = 2  # spaces between columns
_LEAST = 9  # characters a column keeps when the page is narrow
_WORDS = 18  # and a column of words, before figures give way


def write(story: Story, *, width: int = 96) -> str:
    """The report in lines of at most `width` characters, ending in a newline."""
    return "\n".join(line.rstrip() for line in _lines(story, width)) + "\n"


def _lines(story: Story, width: int) -> Iterator[str]:
    yield from wrap(story.title, width)
    yield "=" * min(width, max(len(line) for line in wrap(story.title, width)))
    if story.question:
        yield from wrap(story.question, width)
    yield ""
    room = max(len(term) for term, _ in story.facts) + _GAP
    for term, value in story.facts:
        yield from wrap(value, width, initial_indent=term.ljust(room), subsequent_indent=" " * room)
    if story.banner:
        yield ""
        yield from (f"! {line}" for line in wrap(story.banner, width - 2))
    yield from _heading(story.answers_heading, width)
    for answer in story.answers:
        yield from _answer(answer, width)
    for section in story.sections:
        yield from _section(section, width)
    yield ""
    yield from wrap(story.colophon, width)


def _heading(words: str, width: int) -> Iterator[str]:
    yield ""
    yield from wrap(words.upper(), width)
    yield "-" * min(width, len(words))


def _answer(answer: Answer, width: int) -> Iterator[str]:
    if answer.head:
        yield from wrap(f"{answer.head.upper()}.", width)
    yield from wrap(answer.sentence, width)
    if answer.basis:
        yield from wrap(answer.basis, width)
    for point in answer.meaning:
        yield from wrap(point, width, initial_indent="- ", subsequent_indent="  ")
    yield ""


def _section(section: Section, width: int) -> Iterator[str]:
    if section.level == 2:
        yield from _heading(section.heading, width)
    else:
        yield ""
        yield from wrap(section.heading, width)
    for part in section.parts:
        if isinstance(part, Text):
            yield from wrap(part.words, width)
        elif isinstance(part, Listing):
            for term, words in part.items:
                head = f"{term}: " if term else ""
                yield from wrap(head + words, width, initial_indent="- ", subsequent_indent="  ")
        elif isinstance(part, Table):
            yield ""
            yield from table_lines(part, width)
        elif isinstance(part, Verbatim):
            yield ""
            yield from part.lines.splitlines()
        elif isinstance(part, Redlined):
            yield from _redline(part, width)


def _redline(part: Redlined, width: int) -> Iterator[str]:
    """The blocks that differ: `-` as one letter has them, `+` as the other, and what became of each."""
    for row in part.rows:
        if row.same:
            continue
        yield ""
        yield from wrap(f"{row.what}{': ' if row.levers else ''}{row.levers}", width)
        for sign, side in (("-", row.before), ("+", row.after)):
            if side:
                yield from wrap(_joined(side), width, initial_indent=f"{sign} ", subsequent_indent="  ")


def _joined(passages: tuple[Passage, ...]) -> str:
    return " ".join(passage.words for passage in passages)


def table_lines(table: Table, width: int) -> Iterator[str]:
    """The caption, the headings and the rows; words wrap inside their column, figures stand to the right."""
    yield from wrap(table.caption, width)
    widths = _widths(table, width)
    worded = {0, *table.words}
    for number, row in enumerate((table.columns, *table.rows)):
        cells = [wrap(cell, room) or [""] for cell, room in zip(row, widths, strict=True)]
        deep = max(map(len, cells))
        for line in range(deep):
            # headings stand on their last line, rows begin on their first
            at = [line - (deep - len(cell)) if number == 0 else line for cell in cells]
            yield (" " * _GAP).join(
                _set(cell[index] if 0 <= index < len(cell) else "", room, column in worded)
                for column, (cell, index, room) in enumerate(zip(cells, at, widths, strict=True))
            )
        if number == 0:
            yield (" " * _GAP).join("-" * room for room in widths)
    if table.note:
        yield from wrap(table.note, width)


def _set(text: str, room: int, words: bool) -> str:
    return text.ljust(room) if words else text.rjust(room)


def _widths(table: Table, width: int) -> list[int]:
    """The width of each column: what its longest cell needs, the widest giving way first where there is no room."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    natural = [max(map(len, column)) for column in columns]
    body = [max((len(cell) for cell in column[1:]), default=0) for column in columns]
    longest = [max(len(word) for cell in column for word in cell.split() or [""]) for column in columns]
    # Headings wrap before figures do.
    widths = [
        max(most, long) if column else full
        for column, (full, most, long) in enumerate(zip(natural, body, longest, strict=True))
    ]
    over = sum(widths) + _GAP * (len(widths) - 1) - width
    # Words give way before figures, which are read in one piece.
    for giving, least in (({0, *table.words}, _WORDS), (set(range(len(widths))), _LEAST)):
        while over > 0:
            widest = max(giving, key=widths.__getitem__)
            if widths[widest] <= least:
                break
            widths[widest] -= 1
            over -= 1
    return widths
