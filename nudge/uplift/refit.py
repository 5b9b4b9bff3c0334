"""The headline's own regression, to be run on other values of the same units: receipt, money spent, letters sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nudge.experiment.definition import OutcomeType
from nudge.uplift.clusters import Fit, arm_effect, compared, general_fit
from nudge.uplift.comparison import Comparison
from nudge.uplift.context import Context
from nudge.uplift.estimate import Estimate, Flag
from nudge.uplift.means import covariate_columns
from nudge.uplift.units import FloatArray


@dataclass(frozen=True, slots=True)
class Refit:
    """`carried` turns unit values into those of the rows (clusters once where they are so weighed); `fitted` is then
    the arm's coefficient, linear in them, HC2 or CR2."""

    carried: Callable[[FloatArray], FloatArray]
    fitted: Callable[[FloatArray], Fit]

    @classmethod
    def of(cls, context: Context, comparison: Comparison, headline: Estimate) -> Refit:
        """Strata or pairs, clusters, baseline and covariates as the headline has them."""
        carried: Callable[[FloatArray], FloatArray] = lambda values: values  # noqa: E731
        weighed = context.plan.weigh_clusters and comparison.clustered
        if weighed:
            comparison, carried = comparison.by_cluster()
        table = comparison.table
        stratum = table.stratum_codes
        if table.pair is not None:
            stratum = np.unique(table.pair, return_inverse=True)[1].astype(np.int64)
        elif Flag.STRATA_NOT_USED in headline.flags:
            stratum = np.zeros(len(table), dtype=np.int64)
        cluster, z = table.cluster_codes, comparison.z
        adjust: dict[str, FloatArray] = {}
        if table.pair is None and not weighed:
            if context.outcome.type in {OutcomeType.MEAN, OutcomeType.PERCENTILE} and table.baseline is not None:
                adjust["baseline"] = table.baseline
            elif context.plan.adjusted:
                adjust.update(table.covariates)
        rows, _ = compared(z, stratum)
        if not adjust or not rows.any():
            return cls(carried, lambda values: arm_effect(values, z, stratum, cluster))
        columns = covariate_columns(adjust, rows)
        arm = z.astype(np.float64)[:, None]
        design = np.concatenate([arm, columns, columns * arm], axis=1)[rows]
        size = int(cluster.max()) + 1
        return cls(carried, lambda values: general_fit(values[rows], design, stratum[rows], cluster[rows], size=size))
