"""What an estimate means for the council, by the fixed list of TRIAL-RULES §8, in words anyone can read aloud."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scipy.special import ndtri

from nudge.uplift.estimate import Interval, Measure

_POWER: Final = 0.8416  # the normal quantile of 80 % power


class VerdictCode(StrEnum):
    """The closed list, in no order of merit."""

    TOO_SMALL_TO_TELL = "too_small_to_tell"
    DOES_HARM = "does_harm"
    DOES_HARM_BY_LESS = "does_harm_by_less_than_matters"
    WORTHWHILE = "works_and_worthwhile"
    WORKS_BY_LESS = "works_but_by_less_than_matters"
    WORKS = "works"
    NO_DIFFERENCE = "no_worthwhile_difference"
    NO_BENEFIT = "no_worthwhile_benefit"


HEADLINES: Final[dict[VerdictCode, str]] = {
    VerdictCode.TOO_SMALL_TO_TELL: "Too small to tell.",
    VerdictCode.DOES_HARM: "It does harm.",
    VerdictCode.DOES_HARM_BY_LESS: "It does harm, but by less than matters.",
    VerdictCode.WORTHWHILE: "It works, and the gain is worthwhile.",
    VerdictCode.WORKS_BY_LESS: "It works, but by less than matters.",
    VerdictCode.WORKS: "It works.",
    VerdictCode.NO_DIFFERENCE: "No worthwhile difference.",
    VerdictCode.NO_BENEFIT: "No worthwhile benefit.",
}


_BY_INNER: Final = frozenset(
    {
        VerdictCode.DOES_HARM_BY_LESS,
        VerdictCode.WORKS_BY_LESS,
        VerdictCode.NO_DIFFERENCE,
        VerdictCode.NO_BENEFIT,
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one arm: its code, and a sentence or two."""

    arm: str
    code: VerdictCode
    text: str


def judge(*, strict: Interval | None, plain: Interval | None, tested: bool, worthwhile: float | None) -> VerdictCode:
    """The first rule that holds. Intervals are oriented: positive is better, on the logarithm for a rate.

    `strict` [L, U] at the trial's confidence, simultaneous over arms; `plain` [l, u] at 1 - 2(1 - confidence).
    `tested`: there is a p-value and it does not contradict the interval.
    """
    if not tested or strict is None or plain is None:
        return VerdictCode.TOO_SMALL_TO_TELL
    (lower, upper), (inner_lower, inner_upper) = strict, plain
    if worthwhile is None:
        if upper < 0:
            return VerdictCode.DOES_HARM
        return VerdictCode.WORKS if lower > 0 else VerdictCode.TOO_SMALL_TO_TELL
    d = worthwhile
    ordered = (
        (upper < 0 and inner_lower > -d, VerdictCode.DOES_HARM_BY_LESS),
        (upper < 0, VerdictCode.DOES_HARM),
        (lower >= d, VerdictCode.WORTHWHILE),
        (lower > 0 and inner_upper < d, VerdictCode.WORKS_BY_LESS),
        (lower > 0, VerdictCode.WORKS),
        (inner_lower > -d and inner_upper < d, VerdictCode.NO_DIFFERENCE),
        (inner_upper < d, VerdictCode.NO_BENEFIT),
    )
    return next((code for holds, code in ordered if holds), VerdictCode.TOO_SMALL_TO_TELL)


def oriented(interval: Interval | None, *, better: str, measure: Measure) -> Interval | None:
    """The interval turned so that positive is better; a rate ratio on its logarithm."""
    if interval is None:
        return None
    low, high = interval
    if measure is Measure.RATE_RATIO:
        if low <= 0:
            return None
        low, high = math.log(low), math.log(high)
    return (low, high) if better == "higher" else (-high, -low)


def worthwhile_size(worthwhile: float | None, *, better: str, measure: Measure) -> float | None:
    """d on the scale of the intervals: for a rate, -log(1 - d) where lower is better, else log(1 + d)."""
    if worthwhile is None or measure is not Measure.RATE_RATIO:
        return worthwhile
    return math.log1p(worthwhile) if better == "higher" else -math.log1p(-worthwhile)


def more_units(n: int, se: float | None, worthwhile: float | None, confidence: float) -> int | None:
    """n((z + 0.8416) SE/d)² - n: units still wanted to tell d from nothing, from SE and d alone; None if none."""
    if se is None or worthwhile is None:
        return None
    z = float(ndtri((1 + confidence) / 2))
    wanted = n * ((z + _POWER) * se / worthwhile) ** 2 - n
    return math.ceil(wanted) if wanted > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What the sentences need to know of the outcome. `money`: the numbers are pence."""

    measure: Measure
    horizon: float | None = None
    time_unit: str = "day"
    unit: str = "unit"
    money: bool = False

    def size(self, value: float) -> str:
        """`2.1 days earlier`: a difference of the arm from its reference, in the direction of its sign."""
        if value == (1 if self.measure is Measure.RATE_RATIO else 0):
            return "no difference"
        up = value > 0
        if self.measure is Measure.RMST_DIFFERENCE:
            return f"{_short(abs(value))} {_plural(abs(value), self.time_unit)} {'later' if up else 'earlier'}"
        if self.measure is Measure.RISK_DIFFERENCE:
            return f"{_short(100 * abs(value))} {'more' if up else 'fewer'}"
        if self.measure is Measure.RATIO_DIFFERENCE:
            return f"{_short(100 * abs(value))} percentage points {'higher' if up else 'lower'}"
        if self.measure is Measure.RATE_RATIO:
            return f"{_short(100 * abs(value - 1))}% {'higher' if value > 1 else 'lower'}"
        amount = f"£{abs(value) / 100:,.2f}" if self.money else _short(abs(value))
        return f"{amount} {'higher' if up else 'lower'}"

    @property
    def basis(self) -> str:
        """The clause that says what the figure counts."""
        if self.measure is Measure.RISK_DIFFERENCE:
            return f" in every 100 {plural_of(self.unit)}"
        if self.measure is not Measure.RMST_DIFFERENCE or self.horizon is None:
            return ""
        h = _short(self.horizon)
        unit = _plural(self.horizon, self.time_unit)
        return f", on average over the first {h} {unit}, counting those with no response by then as {h}"


def worded(
    code: VerdictCode,
    *,
    wording: Wording,
    estimate: float | None,
    interval: Interval | None,
    confidence: float,
    worthwhile: float | None,
    more: int | None,
    inner: Interval | None = None,
) -> str:
    """The verdict in plain English: the finding, the figure with its interval, and what would settle it.

    `inner` is the plain interval at 1 - 2(1 - confidence), named where the verdict that a size is too small to
    matter rests on it: the other interval may reach further.
    """
    parts = [HEADLINES[code]]
    if estimate is not None and interval is not None:
        say: Callable[[float], str] = wording.size
        low, high = interval
        parts.append(
            f"Best estimate: {say(estimate)}{wording.basis} "
            f"({confidence:.0%} interval: from {say(low)} to {say(high)})."
        )
    if code in _BY_INNER and inner is not None:
        low, high = inner
        at = 1 - 2 * (1 - confidence)
        parts.append(f"This rests on the {at:.0%} interval: from {wording.size(low)} to {wording.size(high)}.")
    if code is VerdictCode.TOO_SMALL_TO_TELL and more is not None and worthwhile is not None:
        unit = plural_of(wording.unit) if more != 1 else wording.unit
        parts.append(f"About {more:,} more {unit} would be needed to tell a worthwhile difference from none.")
    return " ".join(parts)


def plural_of(unit: str) -> str:
    """`tenancies` of `tenancy`, `people` of `person`."""
    if unit == "person":
        return "people"
    if unit.endswith("y") and unit[-2:-1] not in "aeiou":
        return unit[:-1] + "ies"
    return unit if unit.endswith("s") else unit + "s"


def _plural(value: float, unit: str) -> str:
    return unit if _short(value) == "1" else unit + "s"


def _short(value: float) -> str:
    text = f"{value:,.1f}" if value >= 0.05 else f"{value:.2g}"
    return text.removesuffix(".0")
