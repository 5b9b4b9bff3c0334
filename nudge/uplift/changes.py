"""Units before and after: their mean change, and how far the changes of two arms differ.

CR2 with Satterthwaite's degrees of freedom throughout (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018); units that
are clusters of their own have the t of paired differences.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nudge.uplift.clusters import Fit, general_fit
from nudge.uplift.units import FloatArray, IntArray

_NOISE: Final = 1e-12  # of the largest |change|: an error below this is what rounding left of none


def mean_change(change: FloatArray, cluster: IntArray) -> Fit:
    """The mean of each unit's value after less before, with the clusters of the units whole.

    With the mean alone a cluster of m of the n units has leverage m/n, so its share of the estimate is
    E (1 - m/n)^-½ / n, E its sum of residuals; the Gram matrix for Satterthwaite is a diagonal less one product.
    """
    _, place = np.unique(cluster, return_inverse=True)
    n, groups = change.size, int(place.max(initial=-1)) + 1
    if not n:
        return Fit(estimate=None, se=None, df=None, influence=np.zeros(0))
    mean = float(change.mean())
    if groups < 2:
        return Fit(estimate=mean, se=None, df=None, influence=np.zeros(groups), one_cluster=True)
    size = np.bincount(place).astype(np.float64)
    left = 1 - size / n
    influence = np.bincount(place, weights=change - mean) / (n * np.sqrt(left))
    se = float(np.sqrt((influence**2).sum()))
    if not se > _NOISE * float(np.abs(change).max()):
        return Fit(estimate=mean, se=None, df=None, influence=influence)
    own = size / (n**2 * left)
    common = size / (n**1.5 * np.sqrt(left))
    square = float((own**2 - 2 * own * common**2).sum() + (common**2).sum() ** 2)
    return Fit(estimate=mean, se=se, df=1 / n**2 / square, influence=influence)


def difference_in_differences(
    y: FloatArray, arm: IntArray, period: IntArray, before: FloatArray, site: IntArray, cluster: IntArray
) -> Fit:
    """How much more arm 1 changed than arm 0: y on site and period effects, and arm 1 in a period not before.

    All by row; `before` is 1 in a period before the change. Sites must lie within clusters. No estimate where the
    effects leave nothing of the change to tell.
    """
    if not y.size:
        return Fit(estimate=None, se=None, df=None, influence=np.zeros(0))
    _, when = np.unique(period, return_inverse=True)
    _, whole = np.unique(cluster, return_inverse=True)
    dummies = [(when == code).astype(np.float64) for code in range(1, int(when.max()) + 1)]
    changed = (arm == 1) * (1.0 - before)
    columns = np.stack([changed, *dummies], axis=1)
    if not _told(columns, site):  # general_fit would keep it, and drop the period instead
        return Fit(estimate=None, se=None, df=None, influence=np.zeros(int(whole.max()) + 1))
    fit = general_fit(y, columns, site, whole)
    counts = [np.unique(whole[arm == code]).size for code in (0, 1)]
    if min(counts) < 2 and np.unique(whole).size < 4:
        return Fit(estimate=fit.estimate, se=None, df=None, influence=fit.influence, one_cluster=True)
    return fit


def _told(columns: FloatArray, site: IntArray) -> bool:
    """Whether the first column varies beyond the others and the sites."""
    _, place = np.unique(site, return_inverse=True)
    n = np.bincount(place).astype(np.float64)
    swept = columns - np.stack([np.bincount(place, weights=column) / n for column in columns.T], axis=1)[place]
    first, others = swept[:, 0], swept[:, 1:]
    rest = first - others @ np.linalg.lstsq(others, first, rcond=None)[0] if others.shape[1] else first
    return bool(np.linalg.norm(rest) > 1e-9 * max(float(np.linalg.norm(columns[:, 0])), 1.0))
