"""Factorial trials: each factor's main effect, averaged over the others, and the interaction of each two factors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.experiment.definition import OutcomeType
from nudge.uplift.cell_values import cell_values
from nudge.uplift.clusters import general_fit
from nudge.uplift.comparison import Comparison, Row, fitted_row, two_sided, wald_limits
from nudge.uplift.context import Context
from nudge.uplift.contrasts import factor_comparison
from nudge.uplift.estimate import CiMethod, Estimate, Flag, PMethod, Role
from nudge.uplift.finishing import Settings, finished, own_p, tested
from nudge.uplift.outcome_rows import HEADLINE, Plan, headline_row
from nudge.uplift.rates import fit_rate
from nudge.uplift.units import FloatArray, UnitTable, distinct

Factors = Mapping[str, Mapping[str, str]]
"""The level of each factor, by arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A factor's level against the control's level, averaged over levels of the others."""

    factor: str
    level: str
    against: str
    others: tuple[str, ...]
    comparison: Comparison

    @property
    def told(self) -> tuple[str, str, str]:
        """The two sides, and how they were compared, as a reader meets them."""
        over = f"averaged over {' and '.join(self.others)}" if self.others else ""
        return f"{self.factor} {self.level}", f"{self.factor} {self.against}", over


def main_effects(table: UnitTable, assignment: Assignment | None, factors: Factors) -> list[Effect]:
    """Each level of each factor against the level that the control has; the control is the table's first arm.

    None where there are no factors.
    """
    if not factors:
        return []
    control = factors[table.arms[0]]
    levels = _levels(factors)
    cell = {tuple(sorted(own.items())): arm for arm, own in factors.items()}
    found = []
    for factor, several in levels.items():
        others = [name for name in levels if name != factor]
        # The control's own levels of the others come first, so that the effect bears the names of its simple one.
        combined = sorted(product(*(levels[name] for name in others)), key=lambda c: c != _at(control, others))
        for level in several:
            if level == control[factor]:
                continue
            sides, layers = [], []
            for values in combined:
                rest = dict(zip(others, values, strict=True))
                two = ({**rest, factor: one} for one in (level, control[factor]))
                arm, reference = (cell[tuple(sorted(own.items()))] for own in two)
                sides.append((arm, reference))
                layers.append(", ".join(f"{name} {value}" for name, value in rest.items()) or "all")
            comparison = factor_comparison(table, assignment, sides, layers)
            found.append(
                Effect(
                    factor=factor,
                    level=level,
                    against=control[factor],
                    others=tuple(others),
                    comparison=comparison,
                )
            )
    return found


def factorial_panel(context: Context) -> Sequence[Mapping[str, Any]]:
    """Every main effect and every interaction of two factors, with what is averaged over."""
    factors = context.facts.factors
    if not factors or context.outcome is None:
        return []
    lines: list[dict[str, Any]] = []
    names = [*_levels(factors)]
    for effect in main_effects(context.table, context.assignment, factors):
        rows = tested(effect.comparison, [headline_row(effect.comparison, context.plan)], context.settings)
        estimate = finished(effect.comparison, rows[0], Role.SECONDARY, context.settings)
        over = [name for name in names if name != effect.factor]
        lines.append(_line("main_effect", [effect.factor], [effect.level], [effect.against], over, estimate))
    for one, other in combinations(names, 2):
        for estimate, levels in interactions(context.table, factors, (one, other), context.plan, context.settings):
            over = [name for name in names if name not in (one, other)]
            against = [factors[context.table.arms[0]][name] for name in (one, other)]
            lines.append(_line("interaction", [one, other], list(levels), against, over, estimate))
    return lines


def interactions(
    table: UnitTable, factors: Factors, two: tuple[str, str], plan: Plan, settings: Settings
) -> list[tuple[Estimate, tuple[str, str]]]:
    """How much the effect of one factor differs between levels of the other; a ratio of ratios for rates.

    For each pair of levels beside the control's, from the arms of those four combinations.
    """
    one, other = two
    control = factors[table.arms[0]]
    found = []
    for levels in product(_levels(factors)[one], _levels(factors)[other]):
        if levels[0] == control[one] or levels[1] == control[other]:
            continue
        sides = {one: (control[one], levels[0]), other: (control[other], levels[1])}
        comparison, second = _four_cells(table, factors, sides)
        row = _interaction_row(comparison, second, plan)
        row = own_p(row, settings)
        found.append((finished(comparison, row, Role.SECONDARY, settings), levels))
    return found


def _four_cells(
    table: UnitTable, factors: Factors, sides: Mapping[str, tuple[str, str]]
) -> tuple[Comparison, FloatArray]:
    """The units of the four combinations, arm 1 where the first factor is changed, and where the second one is."""
    (one, first), (other, second) = sides.items()
    rest = {arm: tuple(v for k, v in sorted(own.items()) if k not in sides) for arm, own in factors.items()}
    layers = sorted(set(rest.values()))
    here = np.zeros((len(table.arms), 3), dtype=np.int64) - 1
    for arm, own in factors.items():
        if own[one] in first and own[other] in second:
            here[table.arms.index(arm)] = first.index(own[one]), second.index(own[other]), layers.index(rest[arm])
    rows = table.take(here[table.arm, 0] >= 0)
    cell = here[rows.arm]
    stratum = rows.stratum_codes * len(layers) + cell[:, 2]
    several = rows.stratum is not None or len(layers) > 1
    changed = replace(rows, arms=(first[0], first[1]), arm=cell[:, 0], stratum=stratum if several else None, strata=())
    comparison = Comparison(arm=f"{one} {first[1]}", reference=f"{one} {first[0]}", table=changed)
    return comparison, cell[:, 1].astype(np.float64)


def _interaction_row(comparison: Comparison, second: FloatArray, plan: Plan) -> Row:
    measure, what = HEADLINE[plan.kind]
    z, table = comparison.z.astype(np.float64), comparison.table
    cells = [(z == i) & (second == j) for i in (0, 1) for j in (0, 1)]
    if not all(cell.any() for cell in cells):
        return Row(measure=measure, method=f"{what}, how far apart", flags=(Flag.EMPTY_ARM,))
    few = min(distinct(table.cluster_codes[cell]) for cell in cells) < 2
    if plan.kind is OutcomeType.RATE:
        return _ratio_of_ratios(comparison, second)
    y = cell_values(table, (z * 2 + second).astype(np.int64), plan)
    if y is None:
        return Row(measure=measure, method=f"{what}, how far apart", flags=(Flag.NO_DENOMINATOR,))
    columns = np.stack([z * second, z, second], axis=1)
    fit = general_fit(y, columns, table.stratum_codes, table.cluster_codes)
    if few:
        fit = replace(fit, se=None, df=None, one_cluster=True)
    robust = "CR2 by cluster" if comparison.clustered else "HC2"
    beside = " beside strata" if table.stratum is not None else ""
    row = fitted_row(
        fit,
        comparison,
        measure=measure,
        method=f"{what} less the same at the other level, by least squares{beside}, {robust}, Satterthwaite's t",
    )
    return replace(row, events=_events(table, plan), strata=(), strata_dropped=0)


def _events(table: UnitTable, plan: Plan) -> int | None:
    if table.time is not None and table.event is not None:
        return int((table.event & (table.time <= plan.horizon)).sum())
    if plan.kind is OutcomeType.PROPORTION and table.y is not None:
        return int(table.y.sum())
    return None


def _ratio_of_ratios(comparison: Comparison, second: FloatArray) -> Row:
    """The ratio of rates at one level of the second factor over that at the other."""
    table, measure = comparison.table, HEADLINE[OutcomeType.RATE][0]
    count = table.count if table.count is not None else np.zeros(len(table))
    exposure = np.ones(len(table)) if table.exposure is None else table.exposure
    row = Row(
        measure=measure,
        method="Ratio of rates over the same at the other level, by Poisson regression in each, score sandwich by"
        " cluster, Satterthwaite's t",
        events=int(count.sum()),
    )
    fits = []
    for level in (0, 1):
        at = second == level
        fits.append(
            fit_rate(count[at], exposure[at], comparison.z[at], table.stratum_codes[at], table.cluster_codes[at])
        )
    if fits[0] is None or fits[1] is None:
        return row.flagged(Flag.NO_EVENTS)
    variances = [float((fit.influence**2).sum()) for fit in fits if fit is not None]
    log_ratio = fits[1].log_ratio - fits[0].log_ratio
    size = max(fits[0].influence.size, fits[1].influence.size)
    apart = np.pad(fits[1].influence, (0, size - fits[1].influence.size))
    apart[: fits[0].influence.size] -= fits[0].influence  # a cluster at both levels counts once, with its difference
    se = math.sqrt(float((apart**2).sum()))
    ratio = math.exp(log_ratio)
    freedom = [fit.df for fit in fits if fit is not None and fit.df is not None]
    if not se > 0 or len(freedom) < 2:
        return replace(row, estimate=ratio).flagged(Flag.NO_VARIANCE)
    df = sum(variances) ** 2 / sum(v**2 / own for v, own in zip(variances, freedom, strict=True))
    return replace(
        row,
        estimate=ratio,
        se=se,
        df=df,
        ci_method=CiMethod.SANDWICH_T,
        limits=wald_limits(ratio, se, measure),
        statistic=log_ratio / se,
        p_value=two_sided(log_ratio / se, df),
        p_method=PMethod.WALD_T,
    )


def _line(
    kind: str, factors: list[str], levels: list[str], against: list[str], over: list[str], estimate: Estimate
) -> dict[str, Any]:
    told = estimate.document()
    keys = (
        "measure", "scale", "estimate", "se", "ci", "ci_method", "confidence", "df", "statistic", "p_value", "p_method",
        "redraws", "n", "clusters", "events", "method", "flags",
    )  # fmt: skip
    named = {"kind": kind, "factors": factors, "levels": levels, "against": against, "averaged_over": over}
    return {**named, **{key: told[key] for key in keys}}


def _levels(factors: Factors) -> dict[str, tuple[str, ...]]:
    """Each factor's levels in the order of the arms."""
    names = [*next(iter(factors.values()))]
    return {name: tuple(dict.fromkeys(own[name] for own in factors.values())) for name in names}


def _at(own: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(own[name] for name in names)
