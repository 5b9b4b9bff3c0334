"""The kinds of trial that are simulated: every row of the default table, over sizes, shares, households and ratios."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from nudge.experiment.definition import OutcomeType

SIZES: Final = (50, 200, 2_000)
SHARES: Final = (0.05, 0.1, 0.3, 0.5)
HORIZON: Final = 56
WITHIN: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One kind of trial.

    `n` units in all arms together. `level`: the share with an event (by the horizon, for a time to event), the mean
    count of a rate. `icc`: correlation within a household of 1 to 3; 0 has no households. `staggered`: the last two of
    eight weekly batches are followed for 35 days only. `effect` is added to the last arm's share or mean, or to the
    logarithm of its rate or hazard; the arms before it have none. `method`: the draw; a rerandomised one balances two
    figures and a minimised one two factors, on which the outcome depends, in two batches of single units.
    """

    kind: OutcomeType
    n: int
    level: float = 0.3
    icc: float = 0.0
    strata: int = 1
    ratio: tuple[int, ...] = (1, 1)
    staggered: bool = False
    baseline: bool = False
    pairs: bool = False
    effect: float = 0.0
    method: Literal["blocked", "rerandomised", "minimised"] = "blocked"

    @property
    def name(self) -> str:
        """One line that says what is simulated, and the key under which results are kept."""
        level = {OutcomeType.MEAN: "", OutcomeType.RATIO: "", OutcomeType.RATE: f"mean count {self.level:g}"}
        parts = [
            self.kind.value.replace("_", " "),
            level.get(self.kind, f"share {self.level:g}"),
            f"{self.n:,} units" + (f" in {self.n // 2} pairs" if self.pairs else ""),
            f"households, ICC {self.icc:g}" if self.icc else "",
            f"{self.strata} strata" if self.strata > 1 else "",
            "" if self.method == "blocked" else self.method,
            "staggered" if self.staggered else "",
            "baseline" if self.baseline else "",
            ":".join(map(str, self.ratio)),
            f"effect {self.effect:g}" if self.effect else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def row(self) -> str:
        """The row of the default table that analyses it."""
        if self.pairs:
            return f"pairs: {self.kind.value.replace('_', ' ')}"
        if self.method != "blocked":
            return f"{self.method}: {self.kind.value.replace('_', ' ')}"
        beside = [part for part, on in (("clusters", self.icc), ("strata", self.strata > 1)) if on]
        return self.kind.value.replace("_", " ") + (": " + " and ".join(beside) if beside else "")


def every_cell() -> Iterator[Cell]:
    """All cells, in the order in which they are shown; each once."""
    return iter(dict.fromkeys(_cells()))


def _cells() -> Iterator[Cell]:
    share, time, mean, rate, ratio = (
        OutcomeType.PROPORTION,
        OutcomeType.TIME_TO_EVENT,
        OutcomeType.MEAN,
        OutcomeType.RATE,
        OutcomeType.RATIO,
    )
    for kind in (share, time):
        for icc in (0.0, 0.5):
            for strata in (1, 6):
                base = Cell(kind=kind, n=200, icc=icc, strata=strata)
                for n in SIZES:
                    yield from (replace(base, n=n, level=level) for level in SHARES)
                    yield replace(base, n=n, ratio=(2, 1))
                    if kind is time:
                        yield replace(base, n=n, staggered=True)
                        yield replace(base, n=n, staggered=True, ratio=(2, 1), level=0.1)
                yield replace(base, ratio=(2, 1), level=0.05)
                yield replace(base, n=400, effect=0.15 if kind is share else 0.4)
    for icc in (0.0, 0.5):
        for strata in (1, 6):
            base = Cell(kind=mean, n=200, icc=icc, strata=strata)
            for n in SIZES:
                yield replace(base, n=n)
                yield replace(base, n=n, ratio=(2, 1))
                yield replace(base, n=n, baseline=True)
            yield replace(base, n=400, effect=0.5)
            yield replace(base, n=400, effect=0.5, baseline=True)
            base = Cell(kind=rate, n=200, icc=icc, strata=strata)
            for n in SIZES:
                yield from (replace(base, n=n, level=level) for level in (0.1, 0.5, 3.0))
                yield replace(base, n=n, ratio=(2, 1), level=0.5)
            yield replace(base, n=400, level=0.5, effect=0.4)
            base = Cell(kind=ratio, n=200, icc=icc, strata=strata)
            for n in SIZES:
                yield replace(base, n=n)
                yield replace(base, n=n, ratio=(2, 1))
            yield replace(base, n=400, effect=0.1)
    for kind in (share, time, mean, rate):
        level = 3.0 if kind is rate else 0.3
        base = Cell(kind=kind, n=20, pairs=True, level=level)
        yield from (replace(base, n=n) for n in (12, 20, 40, 100, 400))
        if kind is rate:
            yield from (replace(base, n=n, baseline=True) for n in (20, 100))
    for kind in (share, time, mean, rate):
        base = Cell(kind=kind, n=40, level=1.0 if kind is rate else 0.3)
        yield from (replace(base, n=n, method="rerandomised") for n in (40, 120))
        yield from (replace(base, n=n, method="minimised") for n in (40, 120))
    for kind, effect in ((share, 0.3), (time, 1.0), (mean, 1.5), (rate, 1.0)):
        for icc in (0.0, 0.5):
            base = Cell(kind=kind, n=300, icc=icc, level=0.5 if kind is rate else 0.3, ratio=(1, 1, 1))
            yield base
            yield replace(base, effect=effect)
