"""What differs between two rendered letters: block against block, and word against word inside a block.

Every block of both letters is in exactly one line of the redline, in the order of its own letter, so the two columns
read from top to bottom are the two letters whole: nothing that differs can be left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from nudge.documents.blocks import Block

_ALIKE: Final = 0.5  # of the words of two blocks, so many in common make one the other rewritten
_MOVED: Final = 0.8  # and so many make it the same one in another place
_FEWEST: Final = 3  # words below which a block is not looked for elsewhere: "or" may stand anywhere


class How(StrEnum):
    """What became of a block. `SET` has the same words, set in another way; `GONE` is where a moved one stood."""

    SAME = "same"
    CHANGED = "changed"
    SET = "set"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Piece:
    """Words in both letters (`SAME`), only in the one before (`REMOVED`) or only in the one after (`ADDED`)."""

    how: How
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a redline. `before` is None where a block was added or comes to its new place, `after` where it goes.

    A moved block has two lines: `GONE` with `before`, and `MOVED` with `after`; the pieces of both tell its new words.
    """

    how: How
    before: Block | None
    after: Block | None
    pieces: tuple[Piece, ...]

    @property
    def levers(self) -> tuple[str, ...]:
        """The levers of the change: on or around the block in either letter."""
        sides = (self.before, self.after)
        return tuple(dict.fromkeys(lever for side in sides if side is not None for lever in side.levers))

    @property
    def words(self) -> str:
        """The block as it reads now, or read before it went."""
        block = self.after or self.before
        return block.words if block is not None else ""


def redline(before: Sequence[Block], after: Sequence[Block]) -> tuple[Line, ...]:
    """Compare two letters block by block, in reading order."""
    pairs = _aligned(before, after)
    moved = _moved(before, after, pairs)
    back = {new: old for old, new in moved.items()}
    lines: list[Line] = []
    i = j = 0
    for stop_i, stop_j in (*pairs, (len(before), len(after))):
        for index in range(i, stop_i):
            there = moved.get(index)
            pieces = (
                (Piece(How.REMOVED, before[index].words),)
                if there is None
                else word_by_word(before[index].words, after[there].words)
            )
            how = How.REMOVED if there is None else How.GONE
            lines.append(Line(how=how, before=before[index], after=None, pieces=pieces))
        for index in range(j, stop_j):
            there = back.get(index)
            pieces = (
                (Piece(How.ADDED, after[index].words),)
                if there is None
                else word_by_word(before[there].words, after[index].words)
            )
            how = How.ADDED if there is None else How.MOVED
            lines.append(Line(how=how, before=None, after=after[index], pieces=pieces))
        if stop_i < len(before):
            lines.append(_line(before[stop_i], after[stop_j]))
        i, j = stop_i + 1, stop_j + 1
    return tuple(lines)


def changes(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines that differ, a moved block once."""
    return tuple(line for line in lines if line.how not in {How.SAME, How.GONE})


def word_by_word(before: str, after: str) -> tuple[Piece, ...]:
    """What words were taken out and put in. A lone word left between two changes counts as changed with them."""
    old, new = before.split(), after.split()
    runs: list[tuple[list[str], list[str], bool]] = []
    for tag, low, high, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        runs.append((old[low:high], new[start:stop], tag == "equal"))
    joined: list[tuple[list[str], list[str], bool]] = []
    for place, (out, put, same) in enumerate(runs):
        lone = same and len(out) == 1 and 0 < place < len(runs) - 1
        same = same and not lone
        if joined and not same and not joined[-1][2]:
            joined[-1] = (joined[-1][0] + out, joined[-1][1] + put, False)
        else:
            joined.append((out, put, same))
    return tuple(_pieces(joined))


def _pieces(runs: Iterable[tuple[list[str], list[str], bool]]) -> Iterator[Piece]:
    for out, put, same in runs:
        if same:
            yield Piece(How.SAME, " ".join(out))
            continue
        if out:
            yield Piece(How.REMOVED, " ".join(out))
        if put:
            yield Piece(How.ADDED, " ".join(put))


def _line(before: Block, after: Block) -> Line:
    if before.words != after.words:
        how, pieces = How.CHANGED, word_by_word(before.words, after.words)
    else:
        how = How.SAME if before.alike == after.alike else How.SET
        pieces = (Piece(How.SAME, after.words),)
    return Line(how=how, before=before, after=after, pieces=pieces)


def _likeness(before: Block, after: Block) -> float:
    """0 to 1: the share of words in common (Dice's coefficient, words counted as often as they occur)."""
    if before.words == after.words:
        return 1.0 if before.kind == after.kind else 0.99
    old, new = Counter(before.words.split()), Counter(after.words.split())
    found = 2 * (old & new).total() / max(1, old.total() + new.total())
    first = before.kind == after.kind == "heading" and before.setting == after.setting == ("h1",)
    return max(found, _ALIKE) if first else found


def _aligned(before: Sequence[Block], after: Sequence[Block]) -> list[tuple[int, int]]:
    """The pairs, both ascending, whose likenesses add up to the most; of several such the earliest."""
    n, m = len(before), len(after)
    like = [[_likeness(old, new) for new in after] for old in before]
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in reversed(range(n)):
        for j in reversed(range(m)):
            paired = like[i][j] + best[i + 1][j + 1] if like[i][j] >= _ALIKE else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < n and j < m:
        if like[i][j] >= _ALIKE and best[i][j] == like[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _moved(before: Sequence[Block], after: Sequence[Block], pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Blocks without a partner in their place that have one elsewhere, by index before and after; the likest first.

    The only block of each letter with a mark of `data-required`, as the ask has, is one block, whatever its words.
    """
    here = list(pairs)
    left = [i for i in range(len(before)) if i not in {i for i, _ in here} and len(before[i].words.split()) >= _FEWEST]
    right = [j for j in range(len(after)) if j not in {j for _, j in here}]
    marks = [Counter(block.required for block in side) for side in (before, after)]
    only = {mark for mark, count in marks[0].items() if mark and count == marks[1][mark] == 1}
    found = {i: j for i in left for j in right if before[i].required == after[j].required in only}
    like = sorted((-_likeness(before[i], after[j]), i, j) for i in left for j in right)
    for score, i, j in like:
        if -score >= _MOVED and i not in found and j not in found.values():
            found[i] = j
    return found
