"""The words a reader of a report may not know, explained where they occur."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nudge.reports.parts import Listing, Section
from nudge.reports.wording import plural
from nudge.uplift.estimate import Measure

RESPONDERS_ONLY: Final = (
    "Not a result. This is the average among those who responded, the figure that older reports give (“46 days before,"
    " 21 after”). It leaves out everybody who never responded, so it can fall when a letter does nothing, and rise when"
    " a letter brings in more people late. Two identical letters followed for 113 and 45 days give 46.7 and 21.3. It"
    " has no interval and no p-value: those who responded in one arm are not like those who responded in the other."
)
DRAWN: Final[Mapping[str, str]] = {
    "nudge-blocks/1": "permuted blocks within strata (nudge-blocks/1)",
    "nudge-pairs/1": "matched pairs, a coin for each (nudge-pairs/1)",
    "nudge-rerandomised/1": "each batch drawn until its arms were alike in the figures declared (nudge-rerandomised/1)",
    "nudge-minimised/1": "minimisation with a random element (nudge-minimised/1)",
    "simple": "each by itself, as by the toss of a coin",
    "complete": "fixed numbers for each arm",
    "blocked": "fixed numbers for each arm within strata",
    "clusters": "whole clusters, fixed numbers for each arm",
    "pairs": "one of each matched pair",
    "stepped_wedge": "when each site changed over",
    "crossover": "which arm each site had first",
}
LEVELS: Final[Mapping[str, str]] = {
    "full": "Full: a witness held the commitment before a public value settled every arm, so nobody could steer it.",
    "ordinary": "Ordinary: a public value or a witness stands behind the draw, not both.",
    "weak": "Weak: neither a public value nor a witness stands behind the draw; it rests on trust.",
}
_INTERVAL: Final = (
    "The range of true differences that fit the data. A wide one means a small trial. At 95%, nineteen such ranges out"
    " of twenty hold the truth."
)
_P: Final = (
    "How often chance alone would show a difference at least this large if there were none. Small is strong evidence of"
    " a difference; large is no proof that there is none."
)
_OF_100: Final = (
    "Always of all {units} given the arm whose outcome is known, whether a letter arrived or was read or not (intention"
    " to treat). Anything else would compare people who chose with people who did not."
)
_OF_SITES: Final = (
    "Always of all sites given the arm whose outcome is known, whether its sign went up in time or not (intention to"
    " treat). Anything else would compare places that were easy with places that were not."
)
_IN_TURN: Final = (
    "A site has one figure for each period, in the arm that it had then. Those of one site are alike, and the intervals"
    " allow for it."
)
_CLUSTERS: Final = (
    "What was drawn as a whole, such as a household. {units} in one cluster are alike, and the intervals allow for it."
)
_MEASURES: Final[Mapping[frozenset[Measure], tuple[str, str]]] = {
    frozenset({Measure.RMST_DIFFERENCE}): (
        "Average over the first days or weeks",
        "The time until it happens, where everybody still waiting at the end counts as the full period. Statisticians"
        " call it the restricted mean survival time.",
    ),
    frozenset({Measure.HAZARD_RATIO}): (
        "Hazard ratio",
        "On any one day, how many times as likely it is to happen to those still waiting. Above 1 is sooner. Sound only"
        " if that ratio stays much the same throughout.",
    ),
    frozenset({Measure.LOGRANK}): (
        "Log-rank test",
        "Asks whether the two curves differ at all, without saying by how much.",
    ),
    frozenset({Measure.RISK_RATIO, Measure.RATE_RATIO}): (
        "Risk or rate ratio",
        "The share (or rate) in the arm divided by that in the other: 1 is no difference.",
    ),
    frozenset({Measure.RATIO_DIFFERENCE}): (
        "Percentage points",
        "The sum in the arm of every 100 of the total it could be, less the same in the other. Units count by their"
        " share of the total, not one each.",
    ),
    frozenset({Measure.PERCENTILE_DIFFERENCE}): (
        "Percentile",
        "What so many in 100 readings of a site keep below, such as the speed of 85 in 100 cars. Each site has one,"
        " over all its readings.",
    ),
    frozenset({Measure.ODDS_RATIO}): (
        "Odds ratio",
        "As the risk ratio, but of odds; the two are alike only while the shares are small.",
    ),
}


def how_to_read(summary: Mapping[str, Any], unit: str, *, signs: bool = False) -> Section:
    """Every word that this summary's report uses, with its meaning."""
    lines = [line for outcome in summary["outcomes"] for line in outcome["estimates"]]
    used = {line["measure"] for line in lines}
    units = plural(unit)
    everybody = ("Sites counted", _OF_SITES) if signs else (f"Of every 100 {units}", _OF_100.format(units=units))
    items = [("Interval", _INTERVAL), ("p", _P), everybody]
    items += [words for measures, words in _MEASURES.items() if measures & used]
    clustered = any(line["clusters"] not in (None, line["n"]) for line in lines)
    if clustered and signs:
        items.append(("Periods of sites", _IN_TURN))
    elif clustered:
        items.append(("Clusters", _CLUSTERS.format(units=units.capitalize())))
    return Section(slug="reading", heading="How to read this report", parts=(Listing(items=tuple(items)),))
