"""A million rows of time to contact: curves, restricted means and a stratified log-rank test, against the peers.

    python benchmarks/time_to_event.py [rows]

Everybody gets the same four arms, five strata and whole days up to 90, in one run, taking turns; the best of three
rounds counts. Restricted means are to day 60. What a peer does not offer, it is not asked for, and the table says so.
"""

from __future__ import annotations

import gc
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from nudge._version import __version__
from nudge.uplift.survival import (
    curve_from_days,
    kaplan_meier,
    logrank,
    logrank_from_days,
    rmst_values,
)
from nudge.uplift.units import Counts, UnitTable

ROWS, ARMS, STRATA, DAYS, TAU, ROUNDS = 1_000_000, 4, 5, 90, 60, 3


def data(rows: int) -> UnitTable:
    """Invented tenancies: later arms answer a little sooner, strata differ, follow-up ends between day 30 and 90."""
    rng = np.random.default_rng(2026)
    arm, stratum = rng.integers(0, ARMS, rows), rng.integers(0, STRATA, rows)
    day = np.ceil(rng.exponential(1 / (0.01 * (1 + 0.1 * arm) * (1 + 0.1 * stratum))))
    end = rng.integers(TAU, DAYS + 1, rows).astype(np.float64)
    return UnitTable(
        arms=tuple("abcd"),
        arm=arm,
        stratum=stratum,
        strata=tuple("vwxyz"),
        time=np.minimum(day, end),
        event=day <= end,
    )


def nudge_rows(table: UnitTable) -> dict[str, Any]:
    """From unit rows: four curves with restricted means and errors, and the log-rank of each arm against the first."""
    curves = [kaplan_meier(table.time[table.arm == code], table.event[table.arm == code], TAU) for code in range(ARMS)]
    tests = []
    for code in range(1, ARMS):
        rows = (table.arm == 0) | (table.arm == code)
        arm = (table.arm[rows] == code).astype(np.int64)
        tests.append(logrank(table.time[rows], table.event[rows], arm, table.stratum[rows], DAYS).chi2)
    return {"rmst": [(curve.rmst, curve.rmst_se) for curve in curves], "chi2": tests}


def nudge_counted(table: UnitTable) -> dict[str, Any]:
    """The same by way of counts: one pass over the rows, then nothing that grows with them."""
    return nudge_counts(Counts.of(table, DAYS))


def nudge_counts(counts: Counts) -> dict[str, Any]:
    """The same from counts alone, as a database's GROUP BY gives them."""
    by_arm = counts.table.sum(axis=1)
    curves = [curve_from_days(by_arm[code], TAU) for code in range(ARMS)]
    tests = [logrank_from_days(counts.table[[0, code]], DAYS).chi2 for code in range(1, ARMS)]
    return {"rmst": [(curve.rmst, curve.rmst_se) for curve in curves], "chi2": tests}


def nudge_influence(table: UnitTable) -> dict[str, Any]:
    """The influence values that carry the restricted mean into clusters and strata: what no peer offers."""
    for code in range(ARMS):
        rows = table.arm == code
        rmst_values(table.time[rows], table.event[rows], TAU)
    return {}


def with_lifelines(table: UnitTable) -> dict[str, Any]:
    """Curves, restricted means (the variance it returns is not that of the estimate), log-rank without strata."""
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test
    from lifelines.utils import restricted_mean_survival_time

    found = []
    for code in range(ARMS):
        rows = table.arm == code
        curve = KaplanMeierFitter().fit(table.time[rows], table.event[rows])
        found.append(restricted_mean_survival_time(curve, t=TAU, return_variance=True))
    tests = []
    for code in range(1, ARMS):
        one, other = table.arm == code, table.arm == 0
        test = logrank_test(table.time[one], table.time[other], table.event[one], table.event[other])
        tests.append(test.test_statistic)
    return {"rmst": [(mean, np.sqrt(variance)) for mean, variance in found], "chi2": tests}


def with_statsmodels(table: UnitTable) -> dict[str, Any]:
    """Curves and the stratified log-rank; it has no restricted mean."""
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    for code in range(ARMS):
        rows = table.arm == code
        SurvfuncRight(table.time[rows], table.event[rows])
    tests = []
    for code in range(1, ARMS):
        rows = (table.arm == 0) | (table.arm == code)
        group = table.arm[rows] == code
        tests.append(survdiff(table.time[rows], table.event[rows], group, strata=table.stratum[rows])[0])
    return {"chi2": tests}


def with_surpyval(table: UnitTable) -> dict[str, Any]:
    """Curves, restricted mean differences with the right error, stratified log-rank; no clusters, no design."""
    import surpyval

    censored = (~table.event).astype(np.int64)
    models = [surpyval.KaplanMeier.fit(table.time[table.arm == c], censored[table.arm == c]) for c in range(ARMS)]
    found, tests = [], []
    for code in range(1, ARMS):
        found.append(surpyval.rmst_diff(models[code], models[0], TAU))
        rows = (table.arm == 0) | (table.arm == code)
        test = surpyval.logrank(table.time[rows], table.arm[rows], c=censored[rows], strata=table.stratum[rows])
        tests.append(float(test.statistic))
    return {"difference": found, "chi2": tests}


PEERS: tuple[tuple[str, str, Callable[[UnitTable], dict[str, Any]], str], ...] = (
    ("nudge, arm by arm", "", nudge_rows, "-"),
    ("nudge, rows counted once", "", nudge_counted, "-"),
    ("nudge, influence values alone", "", nudge_influence, "-"),
    ("lifelines", "lifelines", with_lifelines, "strata in the log-rank; the restricted mean's own variance"),
    ("statsmodels", "statsmodels", with_statsmodels, "restricted mean"),
    ("SurPyval", "surpyval", with_surpyval, "clusters, designs"),
)


def main(rows: int) -> None:
    """Print seconds, ratios to nudge from rows counted once, what each lacks, and how far the numbers agree."""
    table = data(rows)
    best: dict[str, float] = {}
    results: dict[str, dict[str, Any]] = {}
    warnings.simplefilter("ignore")
    for peer in (*PEERS, *PEERS[3:]):  # the peers' imports are not theirs to pay for: a first call on few rows
        if peer[1]:
            peer[2](data(2_000))
    counts = Counts.of(table, DAYS)
    for _ in range(ROUNDS):
        for name, _, work, _ in PEERS:
            gc.collect()
            start = time.perf_counter()
            results[name] = work(table)
            best[name] = min(best.get(name, np.inf), time.perf_counter() - start)
        start = time.perf_counter()
        nudge_counts(counts)
        best["nudge, counts given"] = min(best.get("nudge, counts given", np.inf), time.perf_counter() - start)
    print(f"{rows:,} rows, {ARMS} arms, {STRATA} strata, whole days to {DAYS}; best of {ROUNDS}, one thread")
    print(f"nudge {__version__}, numpy {version('numpy')}, Python {sys.version.split()[0]}")
    base, given = best["nudge, rows counted once"], best["nudge, counts given"]
    print(f"{'':34} {'seconds':>9} {'x nudge from rows':>18}  what it lacks")
    print(f"{'nudge, counts given':34} {given:9.5f} {given / base:18.4f}  -")
    for name, package, _, lacks in PEERS:
        label = f"{name} {version(package)}" if package else name
        print(f"{label:34} {best[name]:9.4f} {best[name] / base:18.2f}  {lacks}")
    ours = results["nudge, arm by arm"]
    print("restricted means to day 60, ours and lifelines':")
    for mine, theirs in zip(ours["rmst"], results["lifelines"]["rmst"], strict=True):
        print(f"  {mine[0]:.8f} ({mine[1]:.6f})   {theirs[0]:.8f} ({theirs[1]:.6f})")
    print("stratified chi-squared, ours, statsmodels, SurPyval:")
    for values in zip(ours["chi2"], results["statsmodels"]["chi2"], results["SurPyval"]["chi2"], strict=True):
        print("  " + "   ".join(f"{value:.6f}" for value in values))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
