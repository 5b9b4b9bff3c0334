"""Invented data for the recorded plans that come with nudge: what is in them is known, and nobody in them exists."""

from __future__ import annotations

import math
import random

from tests.trial.conftest import as_csv

PENCE_MORE = 0.03
"""Of every pound due, what the new letter brings in besides, before chance."""
STEP, TURN = -90.0, -4.0
"""Thousands of pounds: what the change takes off gross arrears at once, and in each month from then on."""


def rents(households: int = 900) -> bytes:
    """Tenancies of a trial in blocks of four households within two patches; some households hold two tenancies."""
    chance = random.Random("rents")
    rows: list[dict[str, str]] = []
    block: dict[str, list[str]] = {"north": [], "south": []}
    for household in range(households):
        patch = "north" if household % 3 else "south"
        if not block[patch]:
            block[patch] = ["current", "personal-norm"] * 2
            chance.shuffle(block[patch])
        letter = block[patch].pop()
        usual = chance.betavariate(9, 1.4) + (PENCE_MORE if letter == "personal-norm" else 0)
        for _ in range(2 if household % 9 == 0 else 1):
            due = 13 * chance.choice((84.50, 96.20, 104.75, 121.00))
            paid = min(1.0, max(0.0, usual + chance.gauss(0, 0.05)))
            before = chance.lognormvariate(5.2, 0.6)
            rows.append(
                {
                    "tenancy": f"T{len(rows) + 1:05d}",
                    "household": f"H{household + 1:05d}",
                    "patch": patch,
                    "letter": letter,
                    "due": f"{due:.2f}",
                    "collected": f"{due * paid:.2f}",
                    "in_full": "yes" if paid == 1.0 else "no",
                    "arrears_before": f"{before:.2f}",
                    "arrears_after": f"{before + due * (1 - paid):.2f}",
                }
            )
    return as_csv(rows, tuple(rows[0]))


def arrears(before: int = 48, after: int = 30) -> bytes:
    """Months of gross arrears: they rise, they have a season, and the change turns them."""
    chance = random.Random("arrears")
    rows = []
    for month in range(before + after):
        since = max(0, month - before)
        level = 800 + 3.0 * month + 40 * math.cos(2 * math.pi * month / 12) + chance.gauss(0, 12)
        level += (STEP + TURN * since) if month >= before else 0
        year, number = divmod(month + 3, 12)
        rows.append(
            {
                "month": f"{2009 + year}-{number + 1:02d}",
                "gross_arrears": f"{level:.1f}",
                "letters": "before" if month < before else "after",
            }
        )
    return as_csv(rows, tuple(rows[0]))
