"""First letters of the past, from which a trial's baseline and its claims are worked out."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Final

import numpy as np

from nudge.simulation.behaviour import NEVER, Behaviour, live
from nudge.simulation.names import PATCHES
from nudge.simulation.sheet import Sheet, plain_pounds, uk
from nudge.simulation.stream import Stream

WITHIN: Final = 56
HEADINGS: Final = (
    *("Tenancy Ref", "Household", "Letter Date", "Current Bal", "Wks In Arrs", "Stage", "Patch"),
    *("Agreement", "NOSP Served", "Court Date", "Vacated", "Agreed On", "Contact On", "Payment On"),
)
_AFTER_RESPONSE: Final = 0.9
"""The share of those who respond that agree a way forward; the others that agree were called or visited."""


def history_sheet(
    seed: int, *, covers: tuple[date, date], letters: int, agreed_share: float, behaviour: Behaviour
) -> Sheet:
    """One row for each first letter posted in the days covered, without any effect; later events are not known yet.

    The expected share that agreed within 56 days is `agreed_share` exactly. Raises ValueError where responses alone
    give more than that.
    """
    stream = Stream(seed, "history")
    first, cut = covers
    length = (cut - first).days
    household = np.arange(letters, dtype=np.int64)
    household[1::50] -= 1  # one in fifty shares its home with the one before
    days = live(Stream(seed, "history responses"), behaviour, effect=np.ones(letters), household=household)
    early = float(1 - behaviour.not_yet("", WITHIN - 6)[-1])
    called = (agreed_share - _AFTER_RESPONSE * early) / (1 - _AFTER_RESPONSE * early)
    if not 0 <= called <= 1:
        msg = f"a share of {agreed_share} cannot be had: responses alone give {_AFTER_RESPONSE * early:.2f}"
        raise ValueError(msg)
    rows = []
    reference = 500_000
    for number in sorted(range(letters), key=lambda one: household[one]):
        reference += 1 + stream.below(9)
        sent = first + timedelta(days=number * length // letters)
        response = int(days.response[number])
        agreed = _agreed(stream, response, called)
        weeks = stream.between(2, 8)
        rows.append(
            (
                f"{reference:08d}",
                f"H{household[number]:06d}",
                uk(sent),
                plain_pounds(max(450, round(100 * math.exp(5.5 + 0.75 * stream.normal())))),
                str(weeks),
                "first letter",
                stream.pick(PATCHES),
                "Y" if stream.chance(0.04) else "N",
                "N",
                "",
                "Y" if stream.chance(0.01) else "N",
                *(_by(cut, sent, day) for day in (agreed, int(days.contact[number]), int(days.payment[number]))),
            )
        )
    return Sheet(name="history.csv", headings=HEADINGS, rows=tuple(rows))


def _agreed(stream: Stream, response: int, called: float) -> int:
    """The day of an agreement: within six days of a response, else after an officer's call, else perhaps late."""
    if response <= WITHIN - 6 and stream.chance(_AFTER_RESPONSE):
        return response + stream.between(0, 6)
    if stream.chance(called):
        return stream.between(10, WITHIN)
    return stream.between(WITHIN + 1, 140) if stream.chance(0.2) else NEVER


def _by(cut: date, sent: date, day: int) -> str:
    return uk(sent + timedelta(days=day)) if day < NEVER and sent + timedelta(days=day) <= cut else ""
