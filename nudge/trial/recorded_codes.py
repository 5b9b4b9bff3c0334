"""What the analysis of somebody else's data refuses, in words. Facts are headings, counts and row numbers, no cells."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class RecordedCode(Code):
    """Why a recorded data set cannot be analysed as its plan says."""

    NOT_RECORDED = (
        "a plan with `design: {{method: recorded}}`",
        "`nudge analyse` is for trials that somebody else ran; for one of your own use `nudge uplift`.",
    )
    FRAME_UNKNOWN = (
        "a file, or a pandas, polars or Arrow table; this is a {kind}",
        "Give the path of a CSV or XLSX file, or one of those tables.",
    )
    NO_ROWS = ("at least one row of data", "Export it again, and check its filter.")
    COLUMN_ABSENT = ("a column {column}, as `{key}` says", "Did you mean {nearest}? The data has: {known}.")
    ROW_TOO_WIDE = (
        "no more cells than headings; {count} wider, the first is row {row}",
        "A comma inside a cell needs quotation marks round it: export the file again.",
    )
    CELL_BLANK = (
        "something in every row of `{key}`; blank in {count}, first in row {row}",
        "Fill them in, or take those rows out and say so.",
    )
    ARM_BLANK = (
        "an arm in every row; blank in {count}, first in row {row}",
        "Find out their arm. Leaving them out could bias every figure.",
    )
    ARM_UNLISTED = (
        "one of the arms of the plan ({arms}) in every row; another in {count}, first in row {row}",
        "List every arm of the data under `arms:`, spelt as in the data.",
    )
    ARM_EMPTY = ("rows in every arm of the plan; arm {arm} has none", "Check how {arm} is spelt in the data.")
    UNIT_DISAGREES = (
        "the same `{key}` in all rows of a unit; {count} with several, the first in rows {rows}",
        "Correct the data, or name the column that tells units apart as `unit:`.",
    )
    CLUSTER_SPANS = (
        "clusters in one arm each; {count} of {total} in several, such as rows {rows}",
        "Check which column was drawn as a whole. If the data are right: `spanning: as_drawn` or `spanning: drop`.",
    )
    PAIR_BROKEN = (
        "pairs of two, one in each of two arms; {count} of {total} otherwise, such as that of row {row}",
        "Correct the pairs, or drop `pair:` and name them under `strata:`.",
    )
    SECOND_ROW = (
        "one row for each unit; {count} with several, such as rows {rows}",
        "Name the column that tells their rows apart as `period:`, or give one row for each unit.",
    )
    PERIOD_TWICE = (
        "one row for each unit and period; {count} with a period twice, such as rows {rows}",
        "Give one row for each, or add up the rows before.",
    )
    BEFORE_ABSENT = ("{word} in the column of periods, as `before:` says", "Check how the period is spelt in the data.")
    START_BLANK_IN_SOME_ARMS = (
        "a start for every arm; blank in {blank}, and nowhere else",
        "An arm that got nothing has a day 0 all the same: give it the date of its batch, or name the `batch:` column.",
    )
    DATE_UNREADABLE = (
        "dates as 2026-03-31 or 31/03/2026; something else in {count}, first in row {row}",
        "Correct them, or list what stands for a blank under `missing:`.",
    )
    NUMBER_UNREADABLE = (
        "numbers; something else in {count}, first in row {row}",
        "Correct them, or list what stands for a blank under `missing:`.",
    )
    NUMBER_NEGATIVE = ("numbers of 0 or more; less in {count}, first in row {row}", "Correct them.")
    EXPOSURE_NOT_POSITIVE = (
        "exposures above 0; 0 or less in {count}, first in row {row}",
        "Correct them, or leave the cell blank where nothing was observed.",
    )
    BAND_BACKWARDS = (
        "bands whose upper edge is above the lower one; not so in {count}, first in row {row}",
        "Correct the edges: a band from 30 to 35 holds readings of 30 up to, not including, 35.",
    )
    BANDS_OVERLAP = (
        "bands of a site that do not overlap; {count} inside another, first in row {row}",
        "Give every reading one band: the upper edge of one is the lower edge of the next.",
    )
    WORD_UNREADABLE = (
        "yes or no (or true, false, 1, 0); something else in {count}, first in row {row}",
        "List the words that mean yes under `success:`.",
    )
    COVARIATE_TOO_WIDE = (
        "a number, or at most {limit} different words, in a covariate; this has {count}",
        "Give it as a number, or join words that mean the same.",
    )
    SEQUENCE_MIXED = (
        "one arm for each site and period; {count} with both, the first in rows {rows}",
        "Correct them: a site has one arm at a time.",
    )
    WEDGE_BACKWARDS = (
        "sites that go from {arm} to the other arm and stay; {count} of {total} do not, such as in row {row}",
        "Correct them. Where sites change back, `drawn: crossover` may be what was done.",
    )
    WEDGE_ONE_STEP = (
        "sites that change over at different times; all have one sequence",
        "Without sites of both arms in a period, time and arm cannot be told apart: this is before and after.",
    )
    CROSSOVER_PATTERN = (
        "two periods, each arm in one of them at every site; {count} of {total} otherwise, such as in row {row}",
        "Correct them, or take out the sites that were not crossed over, and say so.",
    )
    SERIES_PERIODS = (
        "periods of a series as numbers, months (2026-03) or days (2026-03-31)",
        "Write all of them in one of these ways, so that their order and spacing are known.",
    )
    SERIES_GAP = (
        "evenly spaced periods; not so after that of row {row}",
        "Add the periods that are missing, or take one unbroken part of the series.",
    )
    SUBGROUP_TOO_WIDE = (
        "at most {limit} different words in a subgroup; this has {count}",
        "Cut it into a few bands in the data, and name that column.",
    )


def counted(n: int, noun: str = "row") -> str:
    """`1 row`, `2,040 rows`."""
    return f"{n:,} {noun if n == 1 else noun + 's'}"
