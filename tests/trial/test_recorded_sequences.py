"""Stepped wedges and crossovers: R's figures, whole sequences redrawn, patterns that cannot be refused."""

from __future__ import annotations

import json
import math
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nudge.base.errors import Refused
from nudge.experiment.loader import define
from nudge.reports.render import report_text
from nudge.reports.summary import validate
from nudge.reports.wording import Wording
from nudge.trial.recorded import analyse

ORACLES = json.loads(
    (Path(__file__).resolve().parents[1] / "data" / "oracles" / "contrasts.json").read_text(encoding="utf-8")
)
[WEDGE] = [entry for entry in ORACLES if entry["kind"] == "wedge"]
[CROSSOVER] = [entry for entry in ORACLES if entry["kind"] == "crossover"]
MEAN = {"id": "speed", "type": "mean", "column": "y", "primary": True, "better": "lower"}
RATE = {"id": "calls", "type": "rate", "column": "count"}


def frame(entry: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({key: entry[key] for key in ("site", "period", "arm", "y", "count") if key in entry})


def plan(drawn: str, *outcomes: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {
        "id": "signs",
        "design": {"method": "recorded", "randomised": "yes", "drawn": drawn},
        "data": {"arm": "arm", "cluster": "site", "period": "period", **data},
        "arms": [{"id": 0, "control": True, "label": "Plain"}, {"id": 1, "label": "Sign"}],
        "outcomes": list(outcomes) or [MEAN],
    }


def headline(summary: dict[str, Any], outcome: int = 0) -> dict[str, Any]:
    return next(row for row in summary["outcomes"][outcome]["estimates"] if row["role"] == "headline")


def test_i10_a_stepped_wedge_is_compared_within_periods_as_r_does():
    summary = analyse(plan("stepped_wedge", MEAN, RATE), frame(WEDGE), redraws=499)
    assert validate(json.loads(json.dumps(summary))) == ()
    row, rate = headline(summary), headline(summary, 1)
    for name in ("estimate", "se", "df"):
        assert row[name] == pytest.approx(WEDGE[name], abs=WEDGE["tolerance"])
    assert math.log(rate["estimate"]) == pytest.approx(WEDGE["log_ratio"], abs=1e-7)
    assert (row["ci_method"], row["p_method"]) == ("cr2_t", "randomisation_drawn")
    assert 0 < row["p_value"] <= 1
    assert "clusters_span_arms" not in row["flags"]
    found = summary["outcomes"][0]["panels"]["sequences"]
    assert [(line["sequence"], line["clusters"]) for line in found] == [
        ("1 from 2", 3), ("1 from 3", 3), ("1 from 4", 3), ("1 from 5", 3),
    ]  # fmt: skip


def test_i10_a_crossover_is_half_the_difference_of_the_sites_differences_as_r_does():
    wanted = plan("crossover")
    summary = analyse(wanted, frame(CROSSOVER))
    row = headline(summary)
    assert row["estimate"] == pytest.approx(CROSSOVER["estimate"], abs=CROSSOVER["tolerance"])
    assert row["ci"] == pytest.approx(CROSSOVER["ci"], abs=CROSSOVER["tolerance"])
    assert (row["df"], row["ci_method"], row["p_method"]) == (8, "crossover_t", "randomisation_exact")
    carry = summary["outcomes"][0]["panels"]["sequences"][-1]
    assert carry["estimate"] == pytest.approx(CROSSOVER["carry_over"], abs=CROSSOVER["tolerance"])
    assert carry["p_value"] == pytest.approx(CROSSOVER["carry_over_p"], abs=CROSSOVER["tolerance"])
    # Which five sites began with the sign, listed by hand: 252 ways; t grows with the difference of the means.
    data = frame(CROSSOVER).pivot(index="site", columns="period", values="y")
    difference = (data[1] - data[2]).to_numpy()
    began = frame(CROSSOVER).query("period == 1 and arm == 1")["site"].to_numpy() - 1

    def size(sites: Any) -> float:
        one = np.zeros(10, dtype=bool)
        one[list(sites)] = True
        return abs(difference[one].mean() - difference[~one].mean())

    every = [size(sites) for sites in combinations(range(10), 5)]
    assert row["redraws"] == len(every) == 252
    assert row["p_value"] == pytest.approx(np.mean([value >= size(began) - 1e-9 for value in every]))
    text = " ".join(report_text(summary, wording=Wording.of(define(wanted))).split())
    assert "carries over" in text


def test_a_small_wedge_is_redrawn_by_every_order_of_its_sequences():
    data = frame(WEDGE).query("site <= 4").groupby(["site", "period", "arm"], as_index=False)["y"].mean()
    row = headline(analyse(plan("stepped_wedge"), data))
    assert (row["redraws"], row["p_method"]) == (24, "randomisation_exact")
    y = data.pivot(index="site", columns="period", values="y").to_numpy()
    statistics = []
    for order in permutations(range(4)):
        z = (np.arange(5)[None, :] > np.array(order)[:, None]).astype(float)
        away, centred = z - z.mean(axis=0), y - y.mean(axis=0)
        effect = (away * centred).sum() / (away**2).sum()
        score = (away * (centred - effect * away)).sum(axis=1)
        statistics.append(abs((away * centred).sum() / math.sqrt((score**2).sum())))
    seen = statistics[0]  # sites 1 to 4 changed over in that order
    assert row["p_value"] == pytest.approx(np.mean([value >= seen - 1e-9 for value in statistics]))


def test_a_trend_over_time_is_no_effect():
    data = frame(WEDGE)
    summary = analyse(plan("stepped_wedge"), data.assign(y=data["y"] + 10.0 * data["period"]), redraws=199)
    assert headline(summary)["estimate"] == pytest.approx(WEDGE["estimate"], abs=1e-9)


def test_periods_stand_in_the_order_of_their_numbers():
    data = frame(WEDGE).replace({"period": {5: 10}})
    names = [
        line["sequence"]
        for line in analyse(plan("stepped_wedge"), data, redraws=99)["outcomes"][0]["panels"]["sequences"]
    ]
    assert names == ["1 from 2", "1 from 3", "1 from 4", "1 from 10"]


def test_strata_keep_their_sequences():
    data = frame(WEDGE).assign(area=lambda d: np.where(d["site"] <= 8, "east", "west"))
    row = headline(analyse(plan("stepped_wedge", strata=["area"]), data, redraws=199))
    assert row["p_value"] is not None
    crossed = frame(CROSSOVER).assign(area=lambda d: np.where(d["site"] % 2 == 0, "east", "west"))
    row = headline(analyse(plan("crossover", strata=["area"]), crossed))
    assert (row["df"], row["redraws"]) == (7, 100)


def test_counts_are_crossed_over_on_the_logarithm():
    data = frame(CROSSOVER).assign(count=lambda d: np.round(d["y"]))
    row = headline(analyse(plan("crossover", {**RATE, "primary": True, "better": "lower"}), data))
    logs = np.log(data["count"] + 0.5).to_numpy().reshape(10, 2)
    sign = data.query("period == 1")["arm"].to_numpy() == 1
    difference = logs[:, 0] - logs[:, 1]
    half = (difference[sign].mean() - difference[~sign].mean()) / 2
    assert math.log(row["estimate"]) == pytest.approx(half)
    assert row["ci"][0] < row["estimate"] < row["ci"][1]


def back_again(data: pd.DataFrame) -> pd.DataFrame:
    """Site 1 loses its sign in the last period."""
    return data.assign(arm=np.where((data["site"] == 1) & (data["period"] == 5), 0, data["arm"]))


@pytest.mark.parametrize(
    ("drawn", "change", "words"),
    [
        ("stepped_wedge", back_again, "1 of 12 do not"),
        ("stepped_wedge", lambda d: d.assign(arm=(d["period"] > 2).astype(int)), "all have one sequence"),
        ("stepped_wedge", lambda d: d.assign(arm=np.where(d.index == 1, 1, d["arm"])), "1 with both"),
        ("crossover", lambda d: d, "12 of 12 otherwise"),
    ],
)
def test_a_pattern_that_the_design_cannot_have_is_refused_with_its_count(drawn, change, words):
    with pytest.raises(Refused, match=words):
        analyse(plan(drawn), change(frame(WEDGE)))


def test_a_crossover_without_spread_has_no_error_and_one_without_a_sequence_no_estimate():
    data = frame(CROSSOVER).assign(y=1.0)
    row = headline(analyse(plan("crossover"), data))
    assert (row["estimate"], row["se"]) == (0.0, None)
    assert "no_variance" in row["flags"]
    one = frame(CROSSOVER).query("site <= 5")
    row = headline(analyse(plan("crossover"), one))
    assert (row["estimate"], row["flags"]) == (
        None,
        ["empty_arm", "few_clusters"] if "few_clusters" in row["flags"] else ["empty_arm"],
    )
