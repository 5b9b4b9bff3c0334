"""A whole report's statistics: a million units alone, and a council's own trial of 20,000 tenancies in households.

    python benchmarks/whole_report.py [units]

Three outcomes (days to contact, share agreed, rent owed), four arms in the large trial and two in the council's, five
strata. nudge gives everything that the summary holds: arms, curves, every row with interval and test, several arms at
once, panels, verdict; for the council's trial with 9,999 redraws of its blocks. The peers give the three headline
differences alone, of the large trial.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import redraws
import time_to_event
from side_by_side import Contestant, Found, apart, peer, print_table, print_versions, take_turns, warm_up

from nudge.allocation.assignment import Assignment
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.units import UnitTable

UNITS, TENANCIES, ROUNDS, REDRAWS = 1_000_000, 20_000, 3, 9_999
DAYS = Outcome(id="days", type=OutcomeType.TIME_TO_EVENT, event=("contact",), horizon=56, primary=True, better="lower")
SHARE = Outcome(id="agreed", type=OutcomeType.PROPORTION, event=("agreed",), within=28)
MONEY = Outcome(id="arrears", type=OutcomeType.MEAN, column="arrears", better="lower")
OUTCOMES = (DAYS, SHARE, MONEY)


def large(units: int) -> UnitTable:
    """The rows of the benchmark of time to event, with a share and a sum of money beside the days."""
    table = time_to_event.data(units)
    owed = np.round(np.random.default_rng(7).lognormal(10, 1, units))  # pence
    return replace(table, y=(table.time <= 28).astype(np.float64), count=owed)


def council() -> tuple[UnitTable, Assignment]:
    """Household-blocked, whole days to 56."""
    one = redraws.trial(TENANCIES)
    owed = np.round(np.random.default_rng(7).lognormal(10, 1, one.y.size))
    table = UnitTable(
        arms=one.assignment.arms,
        arm=one.assignment.arm[one.cluster].astype(np.int64),
        stratum=one.stratum,
        strata=one.assignment.strata,
        cluster=one.cluster,
        time=one.y,
        event=one.y < 56,
        follow_up=np.full(one.y.size, 56.0),
        y=(one.y <= 28).astype(np.float64),
        count=owed,
    )
    return table, one.assignment


def report(table: UnitTable, assignment: Assignment | None) -> Found:
    """Every outcome's whole result; the money lies in `count`."""
    found = []
    for outcome in OUTCOMES:
        rows = table if outcome is not MONEY else replace(table, y=table.count)
        rows = replace(rows, count=None) if outcome is DAYS else replace(rows, count=None, time=None, event=None)
        result = analyse_outcome(
            outcome,
            rows,
            assignment=assignment,
            randomised="yes",
            confidence=0.95,
            smallest_worthwhile=3.0 if outcome is DAYS else None,
            multiplicity=None,
            redraw_key=redraws.KEY,
            redraws=REDRAWS,
            live=True,
        )
        found += [row.estimate for row in result.headlines]
    return {"found": found}


def headlines(table: UnitTable) -> Found:
    """lifelines for the restricted means (not their errors), statsmodels for shares and money, arm by arm."""
    import statsmodels.api as sm
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    strata = np.zeros((len(table), time_to_event.STRATA))
    strata[np.arange(len(table)), table.stratum] = 1.0
    means, shares, money = [], [], []
    for code in range(time_to_event.ARMS):
        rows = table.arm == code
        curve = KaplanMeierFitter().fit(table.time[rows], table.event[rows])
        means.append(restricted_mean_survival_time(curve, t=DAYS.horizon, return_variance=True)[0])
    for code in range(1, time_to_event.ARMS):
        rows = (table.arm == 0) | (table.arm == code)
        columns = np.column_stack([table.arm[rows] == code, strata[rows]])
        for y, into in ((table.y, shares), (table.count, money)):
            into.append(sm.OLS(y[rows], columns).fit(cov_type="HC2").params[0])
    return {"found": [*(mean - means[0] for mean in means[1:]), *shares, *money]}


def main(units: int) -> None:
    """Print seconds of a whole report, and what the peers take for its headlines."""
    table, (tenancies, assignment) = large(units), council()
    few = large(2_000)
    warm_up(partial(headlines, few), partial(report, few, None), partial(report, tenancies, assignment))
    base = f"nudge, {units:,} units, all three outcomes"
    peers = f"{peer('lifelines')} and {peer('statsmodels')}"
    contestants = [
        Contestant(name=base, work=partial(report, table, None)),
        Contestant(
            name=f"nudge, {TENANCIES:,} tenancies, {REDRAWS:,} redraws", work=partial(report, tenancies, assignment)
        ),
        Contestant(
            name=peers,
            work=partial(headlines, table),
            lacks="all but the three headline differences; strata and error of the restricted mean",
        ),
    ]
    scores = take_turns(contestants, ROUNDS)
    print_versions()
    print_table(f"The statistics of a whole report; best of {ROUNDS}", contestants, scores, base)
    ours, theirs = (scores[name].found["found"][-3:] for name in (base, peers))
    print(f"differences of money apart from statsmodels: {apart(theirs, ours)} of them")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else UNITS)
