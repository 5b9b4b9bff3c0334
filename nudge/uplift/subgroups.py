"""Subgroups as declared: the comparison within each level, and one test of whether the levels differ.

Only the interaction test speaks: a level that is significant beside one that is not is no evidence of a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from scipy.special import fdtrc

from nudge.experiment.definition import OutcomeType
from nudge.uplift.cell_values import cell_values
from nudge.uplift.comparison import FEW_EVENTS, Comparison, Row, replace_table
from nudge.uplift.context import Context
from nudge.uplift.estimate import Flag, PMethod, Role
from nudge.uplift.finishing import finished, own_p, tested
from nudge.uplift.joint import Joint, joint_test
from nudge.uplift.outcome_rows import HEADLINE, Plan, headline_row
from nudge.uplift.rates import fit_rate
from nudge.uplift.units import FloatArray, IntArray, Subgroup, distinct

_KEYS: Final = (
    "measure", "scale", "estimate", "se", "ci", "ci_method", "confidence", "df", "statistic", "p_value", "p_method",
    "redraws", "n", "clusters", "events", "method", "flags",
)  # fmt: skip


def subgroups_panel(context: Context) -> Sequence[Mapping[str, Any]]:
    """Every arm within every level of each declared subgroup, each variable closed by its interaction test."""
    lines: list[Mapping[str, Any]] = []
    for comparison in context.comparisons:
        for name in comparison.table.subgroups:
            lines += _of_one(comparison, name, context)
    return lines


def _of_one(comparison: Comparison, name: str, context: Context) -> list[dict[str, Any]]:
    found = comparison.table.subgroups[name]
    sides = {"subgroup": name, "arm": comparison.arm, "reference": comparison.reference}
    lines = []
    for code, level in enumerate(found.levels):
        here = found.codes == code
        if not here.any():
            continue
        part = replace_table(comparison, comparison.table.take(here))
        row = tested(part, [_level_row(part, context.plan)], context.settings)[0]
        told = finished(part, row, Role.DESCRIPTIVE, context.settings).document()
        lines.append({"kind": "level", **sides, "level": level, **{key: told[key] for key in _KEYS}})
    usable = _usable(comparison, found)
    test, method = interaction_test(comparison, found.codes, usable, context.plan)
    row = own_p(
        Row(
            measure=context.headline[0].measure,
            method=method,
            p_value=test.p_value,
            p_method=None if test.p_value is None else PMethod.WALD_F,
        ),
        context.settings,
    )
    lines.append(
        {
            "kind": "interaction",
            **sides,
            "levels": [found.levels[code] for code in usable],
            "missing": int((found.codes < 0).sum()),
            "n": int(np.isin(found.codes, usable).sum()),
            "statistic": test.statistic,
            "df": [test.df, test.df_below],
            "p_value": test.p_value,
            "p_method": row.p_method,
            "method": method,
        }
    )
    return lines


def _level_row(part: Comparison, plan: Plan) -> Row:
    """The headline's own row, on these units; few events in an arm are flagged whatever the outcome."""
    if 0 not in part.sizes and plan.kind is OutcomeType.TIME_TO_EVENT and not _followed(part, plan.horizon):
        measure, what = HEADLINE[plan.kind]
        return Row(measure=measure, method=what, flags=(Flag.FOLLOW_UP_SHORT,))
    row = headline_row(part, plan)
    events = _events_by_arm(part, plan)
    return row.flagged(Flag.FEW_EVENTS) if events is not None and min(events) < FEW_EVENTS else row


def _followed(part: Comparison, horizon: float) -> bool:
    """Whether some unit of each arm was followed to the horizon, as the whole trial must be (rules §1)."""
    table = part.table
    if table.time is None:
        return False
    followed = table.time if table.follow_up is None else table.follow_up
    for code in (0, 1):
        at = part.z == code
        last = followed[at] == followed[at].max()
        over = table.follow_up is None and table.event is not None and bool(table.event[at][last].all())
        if followed[at].max() < horizon and not over:
            return False
    return True


def _events_by_arm(part: Comparison, plan: Plan) -> tuple[float, float] | None:
    table = part.table
    happened: FloatArray | None = None
    if plan.kind is OutcomeType.TIME_TO_EVENT and table.time is not None and table.event is not None:
        happened = (table.event & (table.time <= plan.horizon)).astype(np.float64)
    elif plan.kind is OutcomeType.PROPORTION:
        happened = table.y
    elif plan.kind is OutcomeType.RATE:
        happened = table.count
    if happened is None:
        return None
    return float(happened[part.z == 1].sum()), float(happened[part.z == 0].sum())


def _usable(comparison: Comparison, found: Subgroup) -> list[int]:
    """Levels with at least two clusters in each arm: the others can tell of no difference."""
    codes = comparison.table.cluster_codes
    return [
        level
        for level in range(len(found.levels))
        if min(distinct(codes[(found.codes == level) & (comparison.z == arm)]) for arm in (0, 1)) > 1
    ]


def interaction_test(comparison: Comparison, codes: IntArray, usable: Sequence[int], plan: Plan) -> tuple[Joint, str]:
    """Whether the arm does the same in every usable level, and how that was asked."""
    robust = "CR2 by cluster" if comparison.clustered else "HC2"
    if plan.kind is OutcomeType.RATE:
        method = "Wald F of the logarithms of the ratios of rates, score sandwich by cluster"
        nothing = Joint(df=max(len(usable) - 1, 0), statistic=None, df_below=None, p_value=None)
        return (_of_rates(comparison, codes, usable) if len(usable) > 1 else nothing), method
    method = f"Wald F of arm by level, least squares beside level and stratum, {robust}, approximate Hotelling T²"
    if len(usable) < 2:
        return Joint(df=max(len(usable) - 1, 0), statistic=None, df_below=None, p_value=None), method
    rows = np.isin(codes, usable)
    table, z = comparison.table.take(rows), comparison.z[rows].astype(np.float64)
    level = np.stack([codes[rows] == code for code in usable[1:]], axis=1).astype(np.float64)
    y = cell_values(table, codes[rows] * 2 + comparison.z[rows], plan)
    if y is None:
        return Joint(df=len(usable) - 1, statistic=None, df_below=None, p_value=None), method
    columns = np.concatenate([level * z[:, None], z[:, None], level], axis=1)
    return joint_test(y, columns, len(usable) - 1, table.stratum_codes, table.cluster_codes), method


def _of_rates(comparison: Comparison, codes: IntArray, usable: Sequence[int]) -> Joint:
    """Whether the log ratios of the levels are one; a cluster in several levels joins them by its shares."""
    table, nothing = comparison.table, Joint(df=len(usable) - 1, statistic=None, df_below=None, p_value=None)
    count = table.count if table.count is not None else np.zeros(len(table))
    exposure = np.ones(len(table)) if table.exposure is None else table.exposure
    size = int(table.cluster_codes.max(initial=-1)) + 1
    logs, shares, terms = [], [], 0.0
    for code in usable:
        at = codes == code
        fit = fit_rate(count[at], exposure[at], comparison.z[at], table.stratum_codes[at], table.cluster_codes[at])
        if fit is None or fit.df is None:
            return nothing
        logs.append(fit.log_ratio)
        shares.append(np.pad(fit.influence, (0, size - fit.influence.size)))
        terms += distinct(table.cluster_codes[at]) - fit.df
    away = np.array(logs[1:]) - logs[0]
    apart = np.stack(shares[1:]) - shares[0]
    variance = apart @ apart.T
    q = len(away)
    below = distinct(table.cluster_codes[np.isin(codes, usable)]) - terms - q + 1
    if below <= 0 or float(np.linalg.eigvalsh(variance)[0]) <= 0:
        return nothing
    wald = float(away @ np.linalg.solve(variance, away))
    df = below + q - 1
    statistic = wald * below / (df * q)
    return Joint(df=q, statistic=statistic, df_below=float(below), p_value=float(fdtrc(q, below, statistic)))
