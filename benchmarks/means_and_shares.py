"""100,000 rows of a share and of a mean, each unit its own and in households, against tea-tasting and statsmodels.

    python benchmarks/means_and_shares.py [rows]

Two arms, no strata. Of nudge both are timed: the estimate alone (difference, error, interval, p), which is what the
peers give, and the whole result (arms, every row beside the headline, panels, verdict). What a peer does not offer,
it is not asked for.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pandas as pd
from side_by_side import Contestant, Found, apart, peer, print_table, print_versions, take_turns, warm_up

from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.comparison import Comparison
from nudge.uplift.estimate import Role
from nudge.uplift.finishing import Settings, finished
from nudge.uplift.outcome_rows import Plan, headline_row
from nudge.uplift.units import UnitTable

ROWS, ROUNDS = 100_000, 5
SHARE = Outcome(id="agreed", type=OutcomeType.PROPORTION, event=("agreed",), within=28, primary=True, better="higher")
MONEY = Outcome(id="arrears", type=OutcomeType.MEAN, column="arrears", better="lower")


def data(rows: int) -> tuple[UnitTable, UnitTable]:
    """Invented households of one to four, drawn whole: 0/1 outcomes that members share, and sums of money."""
    rng = np.random.default_rng(2026)
    cluster = np.repeat(np.arange(rows), rng.integers(1, 5, rows))[:rows]
    arm = rng.integers(0, 2, rows)[cluster]
    house = rng.normal(size=rows)[cluster]
    agreed = (house + rng.normal(size=rows) + 0.1 * arm > 0.7).astype(np.float64)
    money = np.round(np.exp(5 + 0.5 * house + 0.5 * rng.normal(size=rows)) - 5 * arm, 2)
    both = {"arms": ("current", "new"), "arm": arm, "cluster": cluster}
    return UnitTable(**both, y=agreed), UnitTable(**both, y=money)


def alone(table: UnitTable) -> UnitTable:
    """The same rows, each unit its own."""
    return UnitTable(arms=table.arms, arm=table.arm, y=table.y)


def estimates(share: UnitTable, money: UnitTable) -> Found:
    """The headline of each outcome alone: difference, error, interval and p."""
    settings = Settings(confidence=0.95, randomised="yes", redraw_key=bytes(16), redraws=0, needs_units=False)
    found = []
    for kind, table in ((OutcomeType.PROPORTION, share), (OutcomeType.MEAN, money)):
        plan = Plan(kind=kind, horizon=0.0, weigh_clusters=False, adjusted=False, key=bytes(16), redraws=0)
        comparison = Comparison.of(table, "new", None)
        one = finished(comparison, headline_row(comparison, plan), Role.HEADLINE, settings)
        found += [one.estimate, one.se]
    return {"found": found}


def whole_result(share: UnitTable, money: UnitTable) -> Found:
    """The analysis as it runs: with more than 20,000 households the p is the interval's own."""
    found = []
    for outcome, table in ((SHARE, share), (MONEY, money)):
        result = analyse_outcome(
            outcome,
            table,
            assignment=None,
            randomised="yes",
            confidence=0.95,
            smallest_worthwhile=None,
            multiplicity=None,
            redraw_key=bytes(16),
            live=True,
        )
        found += [result.headlines[0].estimate, result.headlines[0].se]
    return {"found": found}


def framed(share: UnitTable, money: UnitTable) -> pd.DataFrame:
    """The rows as tea-tasting takes them."""
    return pd.DataFrame({"variant": share.arm, "agreed": share.y, "arrears": money.y})


def with_tea_tasting(frame: pd.DataFrame) -> Found:
    """Welch's test of both; it has no interval for a share of its own, so the share is taken as a mean too."""
    import tea_tasting as tt

    result = tt.Experiment(agreed=tt.Mean("agreed"), arrears=tt.Mean("arrears")).analyze(frame)
    return {"found": [result[name].treatment - result[name].control for name in ("agreed", "arrears")]}


def with_statsmodels(share: UnitTable, money: UnitTable) -> Found:
    """The score interval of a share and Welch's of a mean. Its score interval is wrong in places (its issue 10269)."""
    from statsmodels.stats.proportion import confint_proportions_2indep
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    one, other = (share.y[share.arm == code] for code in (1, 0))
    confint_proportions_2indep(one.sum(), one.size, other.sum(), other.size, method="score")
    arms = [DescrStatsW(money.y[money.arm == code]) for code in (1, 0)]
    both = CompareMeans(*arms)
    both.tconfint_diff(usevar="unequal")
    both.ttest_ind(usevar="unequal")
    return {"found": [one.mean() - other.mean(), arms[0].mean - arms[1].mean, both.std_meandiff_separatevar]}


def with_statsmodels_clusters(share: UnitTable, money: UnitTable) -> Found:
    """Least squares with the sandwich by cluster: CR1, without small-sample degrees of freedom."""
    import statsmodels.api as sm

    found = []
    for table in (share, money):
        columns = np.column_stack([np.ones(len(table)), table.arm])
        fit = sm.OLS(table.y, columns).fit(cov_type="cluster", cov_kwds={"groups": table.cluster})
        fit.conf_int()
        found += [fit.params[1], fit.bse[1]]
    return {"found": found}


def main(rows: int) -> None:
    """Print two tables: units alone, and households."""
    share, money = data(rows)
    few = data(500)
    warm_up(
        *(partial(work, *few) for work in (estimates, whole_result, with_statsmodels, with_statsmodels_clusters)),
        partial(with_tea_tasting, framed(*few)),
    )
    print_versions()
    single = alone(share), alone(money)
    base, whole = "nudge, both estimates", "nudge, both whole results"
    tea, models = peer("tea-tasting"), peer("statsmodels")
    contestants = [
        Contestant(name=base, work=partial(estimates, *single)),
        Contestant(name=whole, work=partial(whole_result, *single)),
        Contestant(
            name=tea,
            work=partial(with_tea_tasting, framed(share, money)),
            lacks="strata, clusters, designs, time to event, score limits of a share",
        ),
        Contestant(name=models, work=partial(with_statsmodels, *single), lacks="right score limits, designs"),
    ]
    scores = take_turns(contestants, ROUNDS)
    print_table(f"{rows:,} units, a share and a mean, each unit its own; best of {ROUNDS}", contestants, scores, base)
    ours = scores[base].found["found"]
    print(f"differences apart from {tea}: {apart(scores[tea].found['found'], ours[::2])} of them")
    theirs = scores[models].found["found"]
    print(f"differences and Welch's error apart from {models}: {apart(theirs, [ours[0], ours[2], ours[3]])} of them")
    contestants = [
        Contestant(name=base, work=partial(estimates, share, money)),
        Contestant(name=whole, work=partial(whole_result, share, money)),
        Contestant(
            name=models,
            work=partial(with_statsmodels_clusters, share, money),
            lacks="CR2, its degrees of freedom, designs",
        ),
    ]
    scores = take_turns(contestants, ROUNDS)
    print_table(
        f"{rows:,} units in {int(share.cluster.max()) + 1:,} households; best of {ROUNDS}", contestants, scores, base
    )
    gap = apart(scores[models].found["found"], scores[base].found["found"])
    print(f"differences and errors apart from {models}, CR2 here and CR1 there: {gap} of them; {tea} has no clusters")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
