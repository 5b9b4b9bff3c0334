"""What a report says of looks before the end: each look, how sure it had to be, and what the last one has left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nudge.reports.parts import Section, Table, Text
from nudge.reports.wording import Wording, day, number, plural, whole


def looks(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The looks taken, in order; the last line is the one this report is of."""
    here = lines[-1]
    words = (
        f"This report is of look {here['number']}, before the end of the trial. A difference must lie"
        f" {number(here['critical'], 2)} standard errors from none to count, so that all looks together are wrong no"
        " more often than one look at the end. Nothing else was estimated."
        if not here["last"]
        else "The plan declared looks before the end. What they spent is taken off here: the difference must lie"
        f" {number(here['critical'], 2)} standard errors from none to count, and intervals are that wide."
    )
    rows = tuple(
        (
            "The end" if line["last"] else f"Look {line['number']}",
            day(line["on"]),
            whole(line["units"]),
            f"{number(100 * line['fraction'], 0)}%",
            number(line["critical"], 3),
            f"{line['nominal_p']:.2g}",
        )
        for line in lines
    )
    columns = ("Look", "On", plural(outcome["unit"]).capitalize(), "Of those planned", "Standard errors", "p below")
    table = Table(caption="Looks taken", columns=columns, rows=rows, words=(0, 1))
    return Section(slug=f"looks-{outcome['id']}", heading="Looks before the end", parts=(Text(words=words), table))
