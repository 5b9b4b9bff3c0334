"""Every number of one file of outside oracles, case by case: what nudge's public functions give is what they gave.

`tests/data/oracles/statistics.json` has data sets (`sets`), numbers (`oracles`: case, source, software, version,
tolerance, kind, inputs, expected) and the names of numbers that lie in a file of their own (`elsewhere`). A kind is
one function here; all keys of `expected` must be found by it.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr, ndtri, stdtr, stdtrit
from uplift_cases import CONTACT, KEY, ORACLES, analysed, codes, floats, named

from nudge.allocation.assignment import Assignment
from nudge.uplift.clusters import arm_effect
from nudge.uplift.comparison import Comparison, two_sided
from nudge.uplift.estimate import Measure, Role
from nudge.uplift.means import adjusted_row
from nudge.uplift.monitoring import Spending, constant_bounds, looks, sequence_critical
from nudge.uplift.multiplicity import dunnett_critical, dunnett_p, holm
from nudge.uplift.proportions import (
    Share,
    Tables,
    cochran_mantel_haenszel,
    mantel_haenszel_odds_ratio,
    mantel_haenszel_risk_ratio,
    miettinen_nurminen,
    newcombe,
    score,
    wilson,
)
from nudge.uplift.rates import fit_rate
from nudge.uplift.rerandomisation import redraw_test
from nudge.uplift.series import segmented
from nudge.uplift.survival import kaplan_meier, logrank
from nudge.uplift.units import FloatArray, UnitTable

FILE = json.loads((ORACLES / "statistics.json").read_text("utf-8"))
Z = float(ndtri(0.975))
CHECKS: dict[str, Callable[[Any], dict[str, Any]]] = {}


def check(made: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Register a function as what answers the kind of its name."""
    CHECKS[made.__name__] = made
    return made


@cache
def columns(name: str) -> dict[str, FloatArray]:
    """The columns of a data set; NaN where it has a null."""
    held = FILE["sets"][name]
    if "file" not in held:
        return {key: floats(values) for key, values in held["columns"].items()}
    with (ORACLES.parent / held["file"]).open() as file:
        rows = list(csv.DictReader(file))
    return {key: floats([row[column] for row in rows]) for key, column in held["columns"].items()}


def times(inputs: Any) -> tuple[FloatArray, Any, Any]:
    data = columns(inputs["set"])
    return data["time"], data["event"] == 1, data["arm"].astype(np.int64)


def curve_of(inputs: Any, arm: int) -> Any:
    time, event, code = times(inputs)
    return kaplan_meier(time[code == arm], event[code == arm], inputs["horizon"])


def pair_of(inputs: Any) -> tuple[Share, Share]:
    return Share(*inputs["arm"]), Share(*inputs["reference"])


def log_limits(ratio: float, se: float) -> tuple[float, float]:
    return ratio * math.exp(-Z * se), ratio * math.exp(Z * se)


@check
def curve(inputs: Any) -> dict[str, Any]:
    found = curve_of(inputs, inputs["arm"])
    first = inputs["times"][0]
    low, high = found.contact_limits(first, 0.95)
    return {
        "survival": [1 - found.contact_by(day) for day in inputs["times"]],
        "first_se": found.contact_se(first),
        "first_limits": [1 - high, 1 - low],
    }


@check
def median(inputs: Any) -> dict[str, Any]:
    return {"median": curve_of(inputs, inputs["arm"]).median(0.95)}


@check
def share_left(inputs: Any) -> dict[str, Any]:
    left = [1 - curve_of(inputs, code).contact_by(inputs["horizon"]) for code in (0, 1)]
    return {"reference": left[0], "arm": left[1]}


@check
def rmst(inputs: Any) -> dict[str, Any]:
    one, other = curve_of(inputs, 1), curve_of(inputs, 0)
    difference, se = one.rmst - other.rmst, math.hypot(one.rmst_se, other.rmst_se)
    return {
        "difference": difference,
        "ci": [difference - Z * se, difference + Z * se],
        "p_value": 2 * ndtr(-abs(difference / se)),
        "arm": [one.rmst, one.rmst_se],
        "reference": [other.rmst, other.rmst_se],
    }


@check
def responders_mean(inputs: Any) -> dict[str, Any]:
    time, event, arm = times(inputs)
    outcome = CONTACT.model_copy(update={"horizon": inputs["horizon"]})
    result = analysed(outcome, UnitTable(arms=("a", "b"), arm=arm, time=time, event=event))
    [row] = [row for row in result.estimates if row.role is Role.DESCRIPTIVE]
    assert row.ci is None
    assert row.p_value is None
    return {"difference": row.estimate}


@check
def logrank_test(inputs: Any) -> dict[str, Any]:
    time, event, arm = times(inputs)
    layer = np.zeros(arm.size) if inputs["stratum"] is None else columns(inputs["set"])[inputs["stratum"]]
    known = np.isfinite(layer)
    found = logrank(time[known], event[known], arm[known], layer[known].astype(np.int64), float(time.max()))
    return {"chi2": found.chi2, "counted": [found.observed]}


@check
def logrank_recipe(inputs: Any) -> dict[str, Any]:
    i = np.arange(inputs["n"])
    arm, day = (i // 7) % 2, 1 + (i * 7919) % 90
    event = ((i * 31) % 101 < 30 + 4 * arm) & (day <= 60)
    found = [logrank(day.astype(float), event, arm, layer, 60).chi2 for layer in (np.zeros_like(i), (i // 14) % 3)]
    return {"chi2": found[0], "stratified": found[1]}


@check
def score_interval(inputs: Any) -> dict[str, Any]:
    return {"ci": miettinen_nurminen(*pair_of(inputs), Z)}


@check
def hybrid_interval(inputs: Any) -> dict[str, Any]:
    return {"ci": newcombe(*pair_of(inputs), 0.95)}


@check
def wilson_interval(inputs: Any) -> dict[str, Any]:
    return {"ci": wilson(Share(*inputs["share"]), 0.95)}


@check
def pearson(inputs: Any) -> dict[str, Any]:
    arm, reference = pair_of(inputs)
    n = arm.n + reference.n
    chi2 = score(arm, reference, 0.0) ** 2 * n / (n - 1)  # our statistic has the factor (n - 1)/n
    return {"chi2": chi2, "p_value": 2 * ndtr(-math.sqrt(chi2))}


@check
def risk_ratio(inputs: Any) -> dict[str, Any]:
    tables = Tables(*(floats([value]) for value in (*inputs["arm"], *inputs["reference"])))
    return {"ci": log_limits(*mantel_haenszel_risk_ratio(tables))}


@check
def odds_ratio(inputs: Any) -> dict[str, Any]:
    tables = Tables(*(floats([value]) for value in (*inputs["arm"], *inputs["reference"])))
    return {"ci": log_limits(*mantel_haenszel_odds_ratio(tables))}


@check
def mantel_haenszel(inputs: Any) -> dict[str, Any]:
    tables = Tables(*(columns(inputs["set"])[key] for key in ("x_1", "n_1", "x_0", "n_0")))
    ratio, se = mantel_haenszel_odds_ratio(tables)
    root = cochran_mantel_haenszel(tables)
    return {
        "odds_ratio": ratio,
        "ci": log_limits(ratio, se),
        "chi2": root**2,
        "p_value": 2 * ndtr(-abs(root)),
    }


def comparison_of(inputs: Any) -> Comparison:
    data = columns(inputs["set"])
    table = UnitTable(arms=("a", "b"), arm=data["arm"].astype(np.int64), y=data["y"])
    return Comparison.of(table.coded(), "b", None)


@check
def welch(inputs: Any) -> dict[str, Any]:
    data = columns(inputs["set"])
    arm = data["arm"].astype(np.int64)
    fit = arm_effect(data["y"], arm, np.zeros_like(arm), np.arange(arm.size))
    return {
        "statistic": fit.estimate / fit.se,
        "df": fit.df,
        "p_value": two_sided(fit.estimate / fit.se, fit.df),
        "ci": t_limits(fit.estimate, fit.se, fit.df),
    }


def t_limits(estimate: float, se: float, df: float) -> list[float]:
    half = float(stdtrit(df, 0.975)) * se
    return [estimate - half, estimate + half]


@check
def difference(inputs: Any) -> dict[str, Any]:
    data = columns(inputs["set"])
    arm = data["arm"].astype(np.int64)
    cluster = codes(data["cluster"]) if inputs.get("clustered") else np.arange(arm.size)
    fit = arm_effect(data["y"], arm, np.zeros_like(arm), cluster)
    return {
        "estimate": fit.estimate,
        "se": fit.se,
        "df": fit.df,
        "p_value": 2 * stdtr(fit.df, -abs(fit.estimate / fit.se)),
    }


@check
def adjusted(inputs: Any) -> dict[str, Any]:
    data = columns(inputs["set"])
    comparison = comparison_of(inputs)
    row = adjusted_row(
        comparison, data["y"], {"before": data["baseline"]}, measure=Measure.MEAN_DIFFERENCE, what="Difference"
    )
    return {"estimate": row.estimate, "se": row.se}


@check
def rate(inputs: Any) -> dict[str, Any]:
    data = columns(inputs["set"])
    arm = data["arm"].astype(np.int64)
    layer = codes(data[inputs["stratum"]]) if "stratum" in inputs else np.zeros_like(arm)
    fit = fit_rate(data["count"], np.ones(arm.size), arm, layer, np.arange(arm.size))
    return {"log_ratio": fit.log_ratio, "se": math.sqrt((fit.influence**2).sum()), "df": fit.df}


@check
def allocations(inputs: Any) -> dict[str, Any]:
    data = columns(inputs["set"])
    y, arm = data["y"], data["arm"].astype(np.int64)
    cluster = codes(data["cluster"]) if "cluster" in data else np.arange(arm.size)
    _, first = np.unique(cluster, return_index=True)
    block = codes(data["block"])[first] if "block" in data else None
    drawn = Assignment.of_recorded(arm[first], block, "complete" if block is None else "clusters", ("control", "arm"))
    share = drawn.probabilities()[:, 1][cluster]

    def weighted(labels: Any) -> FloatArray:
        """The difference of means weighted by inverse chance of the arm, as ri2 has it."""
        z = labels[:, cluster].astype(float)
        one, other = z / share, (1 - z) / (1 - share)
        return np.asarray(one @ y / one.sum(axis=1) - other @ y / other.sum(axis=1))

    [found] = redraw_test(drawn, [weighted], KEY, 99)
    listed = weighted(drawn.enumerate())
    assert found.exact
    return {
        "allocations": found.redraws,
        "effect": found.statistic,
        "two_tailed": found.p_value,
        "upper": float((listed >= found.statistic - 1e-9).mean()),
    }


@check
def dunnett(inputs: Any) -> dict[str, Any]:
    k = inputs["k"]
    return {"critical": dunnett_critical(0.95, np.full((k, k), 0.5) + 0.5 * np.eye(k), inputs["df"])}


@check
def dunnett_adjusted(inputs: Any) -> dict[str, Any]:
    reference, *arms = inputs["sizes"]
    share = floats([n / (n + reference) for n in arms])
    correlations = np.sqrt(np.outer(share, share))
    np.fill_diagonal(correlations, 1.0)
    df = inputs["df"]
    return {"p_values": [dunnett_p(t, two_sided(t, df), correlations, df) for t in inputs["statistics"]]}


@check
def holm_adjusted(inputs: Any) -> dict[str, Any]:
    return {"adjusted": list(holm(inputs["p_values"]))[: inputs["shown"]]}


@check
def spent_looks(inputs: Any) -> dict[str, Any]:
    made = looks(inputs["fractions"], spending=Spending(inputs["spending"]))
    return {"critical": [look.critical for look in made], "spent_one_sided": [look.spent / 2 for look in made]}


@check
def classical_looks(inputs: Any) -> dict[str, Any]:
    return {"critical": constant_bounds(inputs["looks"], spending=Spending(inputs["spending"]))}


@check
def sequence(inputs: Any) -> dict[str, Any]:
    return {"half_width": sequence_critical(inputs["n"]) / math.sqrt(inputs["n"])}


@check
def interrupted(inputs: Any) -> dict[str, Any]:
    y = np.log(columns(inputs["set"])["deaths"])
    after = np.arange(y.size) >= inputs["before"]
    made = segmented(y, after, season=12, lag=inputs["lag"], slope=inputs["slope"], confidence=0.95)
    level = {"level": made.level.estimate, "level_se": made.level.se}
    return level if made.slope is None else {**level, "slope": made.slope.estimate, "slope_se": made.slope.se}


@pytest.mark.parametrize("oracle", FILE["oracles"], ids=lambda entry: f"{entry['kind']}: {named(entry)}")
def test_i10_the_number_is_that_of_the_oracle(oracle):
    found = CHECKS[oracle["kind"]](oracle["inputs"])
    assert set(oracle["expected"]) <= set(found)
    for key, wanted in oracle["expected"].items():
        if wanted is None or (isinstance(wanted, list) and None in wanted):
            assert found[key] == (None if wanted is None else tuple(wanted))
        else:
            assert found[key] == pytest.approx(wanted, abs=oracle["tolerance"], rel=0), key


def test_every_kind_of_oracle_is_used_and_every_set_of_data_too():
    assert set(CHECKS) == {entry["kind"] for entry in FILE["oracles"]}
    assert set(FILE["sets"]) == {entry["inputs"]["set"] for entry in FILE["oracles"] if "set" in entry["inputs"]}
    assert len({(entry["kind"], entry["case"]) for entry in FILE["oracles"]}) == len(FILE["oracles"])


def entries_of(stem: str) -> list[Any]:
    """The entries of an oracle file: a list, one entry, or lists by kind."""
    found = json.loads((ORACLES / f"{stem}.json").read_text("utf-8"))
    found = found["oracles"] if stem == "statistics" else found
    if isinstance(found, list):
        return found
    return [found] if "case" in found else [entry for part in found.values() for entry in part]


@pytest.mark.parametrize("held", FILE["elsewhere"].items(), ids=lambda held: held[0])
def test_a_number_said_to_lie_elsewhere_lies_there(held):
    stem = held[1]["file"].removesuffix(".json")
    assert held[1]["case"] in {entry["case"] for entry in entries_of(stem)}


@pytest.mark.parametrize("stem", sorted(path.stem for path in ORACLES.glob("*.json")))
def test_every_oracle_names_its_case_source_software_version_and_tolerance_and_its_file_is_read(stem):
    for entry in entries_of(stem):
        assert {"case", "source", "software", "version", "tolerance"} <= set(entry)
    readers = [page.read_text("utf-8") for page in ORACLES.parent.parent.rglob("test_*.py")]
    assert any(f'"{stem}"' in page or f"{stem}.json" in page for page in readers)
