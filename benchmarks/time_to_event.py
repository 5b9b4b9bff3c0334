"""A million rows of time to contact: curves, restricted means and a stratified log-rank test, against the peers.

    python benchmarks/time_to_event.py [rows]

Everybody gets the same four arms, five strata and whole days up to 90, in one run, taking turns; the best of three
rounds counts. Restricted means are to day 60. What a peer does not offer, it is not asked for, and the table says so.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
from side_by_side import Contestant, Found, apart, has_r, in_r, peer, print_table, print_versions, take_turns, warm_up

from nudge.uplift.survival import curve_from_days, kaplan_meier, logrank, logrank_from_days, rmst_values
from nudge.uplift.units import Counts, UnitTable

ROWS, ARMS, STRATA, DAYS, TAU, ROUNDS = 1_000_000, 4, 5, 90, 60, 3
COUNTED = "nudge, rows counted once"


def data(rows: int) -> UnitTable:
    """Invented tenancies: later arms answer a little sooner, strata differ, follow-up ends between day 60 and 90."""
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
        follow_up=end,
    )


def nudge_rows(table: UnitTable) -> Found:
    """From unit rows: four curves with restricted means and errors, and the log-rank of each arm against the first."""
    curves = [kaplan_meier(table.time[table.arm == code], table.event[table.arm == code], TAU) for code in range(ARMS)]
    tests = []
    for code in range(1, ARMS):
        rows = (table.arm == 0) | (table.arm == code)
        arm = (table.arm[rows] == code).astype(np.int64)
        tests.append(logrank(table.time[rows], table.event[rows], arm, table.stratum[rows], DAYS).chi2)
    return {"rmst": [curve.rmst for curve in curves], "se": [curve.rmst_se for curve in curves], "chi2": tests}


def nudge_counted(table: UnitTable) -> Found:
    """The same by way of counts: one pass over the rows, then nothing that grows with them."""
    return nudge_counts(Counts.of(table, DAYS))


def nudge_counts(counts: Counts) -> Found:
    """The same from counts alone, as a database's GROUP BY gives them."""
    by_arm = counts.table.sum(axis=1)
    curves = [curve_from_days(by_arm[code], TAU) for code in range(ARMS)]
    tests = [logrank_from_days(counts.table[[0, code]], DAYS).chi2 for code in range(1, ARMS)]
    return {"rmst": [curve.rmst for curve in curves], "se": [curve.rmst_se for curve in curves], "chi2": tests}


def nudge_influence(table: UnitTable) -> Found:
    """The influence values that carry the restricted mean into clusters and strata: what no peer offers."""
    for code in range(ARMS):
        rows = table.arm == code
        rmst_values(table.time[rows], table.event[rows], TAU)
    return {}


def with_lifelines(table: UnitTable) -> Found:
    """Curves, restricted means (the variance it returns is not that of the estimate), log-rank without strata."""
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test
    from lifelines.utils import restricted_mean_survival_time

    found = []
    for code in range(ARMS):
        rows = table.arm == code
        curve = KaplanMeierFitter().fit(table.time[rows], table.event[rows])
        found.append(restricted_mean_survival_time(curve, t=TAU, return_variance=True))
    for code in range(1, ARMS):
        one, other = table.arm == code, table.arm == 0
        logrank_test(table.time[one], table.time[other], table.event[one], table.event[other])
    return {"rmst": [mean for mean, _ in found], "se": [float(np.sqrt(variance)) for _, variance in found]}


def with_statsmodels(table: UnitTable) -> Found:
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


def with_surpyval(table: UnitTable) -> Found:
    """Curves, restricted mean differences with the right error, stratified log-rank; no clusters, no design."""
    import surpyval

    censored = (~table.event).astype(np.int64)
    models = [surpyval.KaplanMeier.fit(table.time[table.arm == c], censored[table.arm == c]) for c in range(ARMS)]
    tests = []
    for code in range(1, ARMS):
        surpyval.rmst_diff(models[code], models[0], TAU)
        rows = (table.arm == 0) | (table.arm == code)
        test = surpyval.logrank(table.time[rows], table.arm[rows], c=censored[rows], strata=table.stratum[rows])
        tests.append(float(test.statistic))
    return {"chi2": tests}


def with_r(table: UnitTable) -> Found:
    """R's survival: everything here, and none of it by cluster."""
    columns = {name: getattr(table, name) for name in ("time", "event", "arm", "stratum")}
    return in_r("time_to_event.R", columns, str(len(table)), str(TAU))


def main(rows: int) -> None:
    """Print seconds, ratios to nudge from rows counted once, what each lacks, and how far the numbers agree."""
    table = data(rows)
    few = data(2_000)
    works: list[tuple[str, Any, str]] = [
        (COUNTED, nudge_counted, ""),
        ("nudge, arm by arm from rows", nudge_rows, ""),
        ("nudge, influence values alone", nudge_influence, ""),
        (peer("statsmodels"), with_statsmodels, "restricted mean"),
        (peer("surpyval"), with_surpyval, "clusters, designs"),
        (peer("lifelines"), with_lifelines, "strata in the log-rank; the restricted mean's own variance"),
    ]
    r = has_r("survival")
    if r:
        name = (
            "R survival "
            + in_r(
                "time_to_event.R",
                {"time": few.time, "event": few.event, "arm": few.arm, "stratum": few.stratum},
                "2000",
                str(TAU),
            )["version"][0]
        )
        works.append((name, with_r, "clusters in the restricted mean and the log-rank"))
    warm_up(*(partial(work, few) for _, work, _ in works[3:6]))
    counts = Counts.of(table, DAYS)
    contestants = [Contestant(name="nudge, counts given", work=partial(nudge_counts, counts))]
    contestants += [Contestant(name=name, work=partial(work, table), lacks=lacks) for name, work, lacks in works]
    scores = take_turns(contestants, ROUNDS)
    print_versions()
    title = f"{rows:,} rows of time to event: {ARMS} arms, {STRATA} strata, whole days to {DAYS}; best of {ROUNDS}"
    print_table(title, contestants, scores, COUNTED, () if r else ("R survival",))
    ours = scores[COUNTED].found
    print(f"stratified chi-squared: {', '.join(f'{value:.6f}' for value in ours['chi2'])}")
    for one in contestants:
        found = scores[one.name].found
        for what in ("rmst", "se", "chi2"):
            if what in found and one.name != COUNTED:
                print(f"  {what:5} apart from {one.name}: {apart(found[what], ours[what])} of it")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
