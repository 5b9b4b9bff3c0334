"""A gain of a panel in words, in the outcome's own terms. A panel turns gains so that more is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nudge.reports.lines import directed
from nudge.reports.summary import headline
from nudge.reports.wording import Wording, plural
from nudge.uplift.estimate import Measure, Scale


def gain_words(gain: float, outcome: Mapping[str, Any], wording: Wording) -> str:
    """`4.1 days earlier`, `4.5 more of every 100 tenancies`, `12.0% lower`; the other way about below 0."""
    line = headline(outcome)[0]
    amount, direction = directed(_turned(gain, line, outcome), line, outcome, wording)
    return f"{amount} {direction}{_of(line, outcome)}"


def size_words(gain: float, outcome: Mapping[str, Any], wording: Wording) -> str:
    """The size alone: `4.1 days`, `4.5 of every 100 tenancies`, `12.0%`."""
    line = headline(outcome)[0]
    return f"{directed(_turned(abs(gain), line, outcome), line, outcome, wording)[0]}{_of(line, outcome)}"


def _turned(gain: float, line: Mapping[str, Any], outcome: Mapping[str, Any]) -> float:
    null = 1.0 if line["scale"] == Scale.RATIO else 0.0
    return null + (gain if outcome["better"] == "higher" else -gain)


def _of(line: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    return f" of every 100 {plural(outcome['unit'])}" if line["measure"] == Measure.RISK_DIFFERENCE else ""
