"""The sets of outside data reproduced, printed table by printed table; skipped, saying so, where it is absent."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest
from uplift_cases import SHARE, analysed, codes, floats

from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.cox import RiskSets, fit_cox, km_times, proportional
from nudge.uplift.cox_model import fit_cox_model
from nudge.uplift.estimate import Measure
from nudge.uplift.survival import kaplan_meier, logrank
from nudge.uplift.units import UnitTable

PRINTED = {  # Karlan & List (2007), American Economic Review 97, 1774-1793, table 2A: response, dollars, with errors
    "control": (0.018, 0.001, 0.813, 0.063),
    "treatment": (0.022, 0.001, 0.967, 0.049),
    "match_1to1": (0.021, 0.001, 0.937, 0.089),
    "match_2to1": (0.023, 0.001, 1.026, 0.089),
    "match_3to1": (0.023, 0.001, 0.938, 0.077),
}
DOLLARS = Outcome(id="dollars", type=OutcomeType.MEAN, column="amount")


@pytest.fixture(scope="module")
def letters(shared_data):
    folder = shared_data / "karlan_list2007_match_letters"
    with gzip.open(folder / "karlan_list.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    columns = {key: floats([row[key] for row in rows]) for key in ("treatment", "ratio", "gave", "amount")}
    return columns, json.loads((folder / "reference.json").read_text("utf-8"))


def by_ratio(columns, y):
    names = ("control", "match_1to1", "match_2to1", "match_3to1")
    return UnitTable(arms=names, arm=codes(columns["ratio"]), y=columns[y])


def any_match(columns, y):
    return UnitTable(arms=("control", "treatment"), arm=codes(columns["treatment"]), y=columns[y])


def test_i10_karlan_and_lists_table_2a_is_reproduced_to_its_last_printed_digit(letters):
    columns, known = letters
    cells = known["table2A"]["cells"]
    for table in (by_ratio, any_match):
        shares = analysed(SHARE, table(columns, "gave")).arms
        money = analysed(DOLLARS, table(columns, "amount")).arms
        for share, dollars in zip(shares, money, strict=True):
            response, response_se, mean, mean_se = PRINTED[share.arm]
            cell = cells[share.arm]
            assert share.n == cell["response_rate"]["n"]
            assert round(share.values["proportion"]["estimate"], 3) == response
            assert round(cell["response_rate"]["se"], 3) == response_se
            assert share.values["proportion"]["estimate"] == pytest.approx(cell["response_rate"]["mean"], abs=1e-12)
            assert (round(dollars.values["mean"]["estimate"], 3), round(dollars.values["mean"]["se"], 3)) == (
                mean,
                mean_se,
            )
            assert dollars.values["mean"]["se"] == pytest.approx(cell["dollars_unconditional"]["se"], abs=1e-12)


def test_i10_any_match_raises_response_by_23_in_100_and_dollars_by_19_as_in_r(letters):
    columns, known = letters
    expected = known["response_treatment_vs_control"]["estimate"]
    rows = {row.measure: row for row in analysed(SHARE, any_match(columns, "gave")).estimates}
    headline, risk, odds = (rows[key] for key in (Measure.RISK_DIFFERENCE, Measure.RISK_RATIO, Measure.ODDS_RATIO))
    assert (headline.estimate, headline.se) == pytest.approx(
        (expected["diff"], expected["se_wald_unpooled"]), abs=1e-12
    )
    n = headline.n
    assert headline.statistic**2 * n / (n - 1) == pytest.approx(expected["chi2_pearson"], rel=1e-10)
    assert (risk.estimate, *risk.ci) == pytest.approx(
        (expected["risk_ratio"], *expected["ci95_risk_ratio_log_wald"]), rel=1e-10
    )
    assert (odds.estimate, *odds.ci) == pytest.approx(
        (expected["odds_ratio"], *expected["ci95_odds_ratio_woolf"]), rel=1e-10
    )
    assert round(100 * (risk.estimate - 1), 1) == 23.4
    money = known["dollars_treatment_vs_control"]["estimate"]
    [row] = analysed(DOLLARS, any_match(columns, "amount")).headlines
    assert row.estimate == pytest.approx(money["diff"], abs=1e-12)
    assert round(row.statistic, 4) == 1.9183


@pytest.fixture(scope="module")
def survival(shared_data):
    folder = shared_data / "survival_reference_sets"
    sets = {}
    for name, columns in (("rossi", ("week", "arrest", "fin")), ("pbc312", ("years", "dead", "arm"))):
        with (folder / f"{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        sets[name] = {key: floats([row[key] for row in rows]) for key in rows[0] if name == "rossi" or key in columns}
    known = json.loads((folder / "reference.json").read_text("utf-8"))
    return {
        "rossi": (sets["rossi"]["week"], sets["rossi"]["arrest"] == 1, codes(sets["rossi"]["fin"]), known["rossi_fin"]),
        "pbc": (
            sets["pbc312"]["years"],
            sets["pbc312"]["dead"] == 1,
            codes(sets["pbc312"]["arm"]),
            known["pbc312_dpenicillamine_vs_placebo"]["tau10"],
        ),
    }, (sets["rossi"], known["rossi_fin"])


@pytest.mark.parametrize("name", ["rossi", "pbc"])
def test_i10_log_rank_median_and_coxs_ratio_with_its_drift_are_those_of_r(survival, name):
    time, event, arm, known = survival[0][name]
    layer, horizon = np.zeros_like(arm), float(time.max())
    found = logrank(time, event, arm, layer, horizon)
    assert found.chi2 == pytest.approx(known["logrank"]["chi2"], abs=1e-9)
    assert found.observed == known["logrank"]["observed"][1]
    assert found.expected == pytest.approx(known["logrank"]["expected"][1], abs=1e-9)
    fit = fit_cox(RiskSets.of(time, event, arm, layer, horizon))
    assert (fit.log_ratio, fit.se) == pytest.approx((known["cox_efron"]["coef"], known["cox_efron"]["se"]), abs=1e-9)
    drift = proportional(fit, km_times(fit.sets))
    assert (drift.chi2, drift.p_value) == pytest.approx(
        (known["cox_zph_km"]["chi2"], known["cox_zph_km"]["p"]), abs=1e-8
    )
    for code in (0, 1):
        middle = kaplan_meier(time[arm == code], event[arm == code], horizon).median(0.95)
        wanted = known["km_median"][f"g{code}"]
        assert middle == (None if wanted is None else (wanted, *known["km_median"][f"ci95_loglog_g{code}"]))


def test_i10_rossis_seven_columns_have_the_published_coefficients(survival):
    columns, known = survival[1]
    names = ("fin", "age", "race", "wexp", "mar", "paro", "prio")
    design = np.stack([columns[name] for name in names], axis=1)
    fit = fit_cox_model(design, columns["week"], columns["arrest"] == 1, np.zeros(432, dtype=np.int64), 52)
    wanted = known["cox_full_efron"]
    for name, value, variance in zip(names, fit.coefficients, np.diag(fit.covariance), strict=True):
        assert value == pytest.approx(wanted[name]["coef"], abs=1e-8)
        assert np.sqrt(variance) == pytest.approx(wanted[name]["se(coef)"], abs=1e-9)
    assert (round(fit.coefficients[0], 3), round(fit.coefficients[6], 4)) == (-0.379, 0.0915)  # Fox & Weisberg
