"""Sums over the arm's clusters in many redraws, from one table a group instead of an arm a cluster.

A group whose arrangements are listed spends one word a redraw, and that word names its whole arrangement. What each
arrangement puts into the arm is therefore added up once, beforehand; a redraw then adds one entry of each group's
table. The words are those of `Assignment.redraw`, so the redraws are the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nudge.allocation.assignment import Assignment, Part, arrangements, remainders
from nudge.allocation.streams import Words

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

MOST_ENTRIES: Final = 8_000_000
"""Numbers in all tables together; with more, writing out the arms is as quick."""
MOST_FIELDS: Final = 48
"""Numbers in one entry of a table; as above."""
PICKS: Final = 150_000
"""Picks held at once: what a processor keeps close by."""
_BITS: Final = 64
_WHOLE: Final = 2.0**50  # whole numbers up to here add up exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What is to be added up: V values of each of G clusters, by cell.

    `cell` int64[G], codes 0..C-1, or -1 for a cluster that adds nothing; `stratum` int64[C], the stratum of each
    cell; `values` float64[G, V].
    """

    cell: IntArray
    stratum: IntArray
    values: FloatArray


def picks(assignment: Assignment, n: int, key: bytes) -> Iterator[IntArray]:
    """int64[groups, redraws], a chunk at a time: the arrangement that each group takes, by its place in the list.

    Groups stand in the order of their numbers, those without clusters left out. Every group must be listed.
    """
    groups = sum(len(part.members) for part in assignment.parts)
    size = max(1, PICKS // max(1, groups))
    words = Words(key)
    for start in range(0, n, size):
        rows = min(size, n - start)
        taken = words.take(rows * groups).reshape(rows, groups).T
        found = np.empty((groups, rows), dtype=np.int64)
        for part in assignment.parts:  # a listed group takes one word, so its word is its number
            found[part.words] = remainders(taken[part.words], arrangements(part.counts))
        yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSums:
    """The tables of all groups laid end to end, and how their entries add up to sums by cell.

    Whole numbers share machine words, `packed` int64[words, entries]: `fields` names, for each word, its fields from
    the lowest bit up and how many bits each has, enough for any sum of it. Other numbers stand in `loose`
    float64[entries, fields], named by `loose_fields`. `order` sorts the groups by stratum, None where they are.
    """

    starts: IntArray
    order: IntArray | None
    bounds: IntArray
    packed: IntArray
    fields: tuple[tuple[tuple[int, int], ...], ...]
    loose: FloatArray
    loose_fields: tuple[int, ...]
    width: int
    cell_stratum: IntArray
    cell_place: IntArray

    @classmethod
    def of(cls, assignment: Assignment, cells: Cells) -> ArmSums | None:
        """The tables of a two-arm assignment; None where writing out the arms is as quick, or the only way.

        The only way: a group too large to be listed, or one whose clusters lie in several strata.
        """
        place = _places(cells.stratum)
        width, values = int(place.max(initial=0)) + 1, cells.values.shape[1]
        fields, strata = width * values, int(cells.stratum.max(initial=0)) + 1
        if not assignment.listed or len(assignment.arms) != 2 or fields > MOST_FIELDS:
            return None
        sizes = [arrangements(part.counts) for part in assignment.parts]
        entries = sum(size * len(part.members) for size, part in zip(sizes, assignment.parts, strict=True))
        if entries * fields > MOST_ENTRIES:
            return None
        groups = sum(len(part.members) for part in assignment.parts)
        starts, of_group = np.empty(groups, dtype=np.int64), np.empty(groups, dtype=np.int64)
        table = np.empty((entries, fields))
        before = 0
        for size, part in zip(sizes, assignment.parts, strict=True):
            cell = cells.cell[part.members]
            stratum = np.where(cell >= 0, cells.stratum[cell], -1)
            of_group[part.words] = stratum.max(axis=1)
            if ((cell >= 0) & (stratum != stratum.max(axis=1, keepdims=True))).any():
                return None
            apart = np.zeros((*part.members.shape, width, values))
            group, member = np.nonzero(cell >= 0)
            apart[group, member, place[cell[group, member]]] = cells.values[part.members[group, member]]
            after = before + size * len(part.members)
            table[before:after] = (_arms(part) @ apart.reshape(*part.members.shape, fields)).reshape(-1, fields)
            starts[part.words] = np.arange(before, after, size)
            before = after
        of_group = np.maximum(of_group, 0)  # a group that adds nothing adds it to the first
        order = np.argsort(of_group, kind="stable")
        packed, shared, apart_fields = _packed(table, _most(cells, place, strata, width))
        return cls(
            starts=starts[order],
            order=None if (order == np.arange(groups)).all() else order,
            bounds=np.searchsorted(of_group[order], np.arange(strata + 1)),
            packed=packed,
            fields=shared,
            loose=table[:, apart_fields],
            loose_fields=apart_fields,
            width=width,
            cell_stratum=cells.stratum,
            cell_place=place,
        )

    def __call__(self, picked: IntArray) -> FloatArray:
        """float64[redraws, cells, values]: the sums over the clusters that these picks put into the arm."""
        index = (picked if self.order is None else picked[self.order]) + self.starts[:, None]
        strata, rows = self.bounds.size - 1, picked.shape[1]
        shared = np.zeros((len(self.fields), strata, rows), dtype=np.int64)
        count = sum(map(len, self.fields)) + len(self.loose_fields)
        found = np.zeros((strata, count, rows))
        for stratum in range(strata):
            here = index[self.bounds[stratum] : self.bounds[stratum + 1]]
            for number, table in enumerate(self.packed):
                shared[number, stratum] = table.take(here).sum(axis=0)
            if self.loose_fields:
                found[stratum, list(self.loose_fields)] = self.loose.take(here, axis=0).sum(axis=0).T
        for word, fields in zip(shared, self.fields, strict=True):
            for field, bits in fields:
                lowest = (word << (_BITS - bits)) >> (_BITS - bits)  # the sign comes down with it
                found[:, field] = lowest
                word -= lowest
                word >>= bits
        by_cell = found.reshape(strata, self.width, -1, rows)[self.cell_stratum, self.cell_place]
        return np.ascontiguousarray(by_cell.transpose(2, 0, 1))


def _arms(part: Part) -> FloatArray:
    """float64[arrangements, clusters]: 1 where a cluster of the group is in the arm."""
    listed = part.listed
    if listed is None:
        msg = "a group that is not listed has no tables"
        raise ValueError(msg)
    return listed.view(np.int8)[:, : part.members.shape[1]].astype(np.float64)


def _places(stratum: IntArray) -> IntArray:
    """Each cell's place among the cells of its stratum."""
    order = np.argsort(stratum, kind="stable")
    first = np.searchsorted(stratum[order], stratum[order])
    found = np.empty(stratum.size, dtype=np.int64)
    found[order] = np.arange(stratum.size) - first
    return found


def _most(cells: Cells, place: IntArray, strata: int, width: int) -> FloatArray:
    """By field, the most that its sum can be away from 0 in any stratum; infinite where its values are not whole."""
    used = np.flatnonzero(cells.cell >= 0)
    values, cell = cells.values[used], cells.cell[used]
    size = np.zeros((strata, width, values.shape[1]))
    np.add.at(size, (cells.stratum[cell], place[cell]), np.abs(values))
    broken = np.zeros((width, values.shape[1]), dtype=np.bool_)
    np.logical_or.at(broken, place[cell], values != np.round(values))
    return np.where(broken, np.inf, size.max(axis=0)).reshape(-1)


def _packed(
    table: FloatArray, most: FloatArray
) -> tuple[IntArray, tuple[tuple[tuple[int, int], ...], ...], tuple[int, ...]]:
    """Fields of whole numbers side by side in machine words, the fields of each word, and the fields left out."""
    words: list[list[tuple[int, int]]] = []
    loose: list[int] = []
    room = 0
    for field, size in enumerate(most.tolist()):
        if not size < _WHOLE:
            loose.append(field)
            continue
        bits = int(size).bit_length() + 1
        if not words or bits > room:
            words.append([])
            room = _BITS
        words[-1].append((field, bits))
        room -= bits
    packed = np.zeros((len(words), len(table)), dtype=np.int64)
    for word, fields in zip(packed, words, strict=True):
        low = 0
        for field, bits in fields:
            word += table[:, field].astype(np.int64) << low  # a number below 0 borrows from the field above
            low += bits
    return packed, tuple(map(tuple, words)), tuple(loose)
