"""A ratio of two sums, such as rent collected over rent due: units weigh by what was due, not one each.

The mean of each unit's own ratio would let a tenancy that owed £5 count as much as one that owed £500.
"""

from __future__ import annotations

import numpy as np

from nudge.uplift.units import FloatArray, IntArray


def ratio_values(y: FloatArray, over: FloatArray) -> FloatArray:
    """R + (y - R x)/x̄ for each unit of one sample, R = Σy/Σx: their mean is R, their spread that of R.

    Linearisation of a ratio (Cochran 1977, Sampling Techniques, 6.3). ValueError where nothing is due.
    """
    due = float(over.sum())
    if not due > 0:
        msg = "a ratio needs a denominator above 0"
        raise ValueError(msg)
    ratio = float(y.sum()) / due
    return np.asarray(ratio + (y - ratio * over) * (over.size / due))


def due_df(over: FloatArray, z: IntArray, cluster: IntArray) -> float:
    """Degrees of freedom for the error of a difference of ratios: (Σh²)²/Σh⁴, h a cluster's share of its arm's Σx.

    Where a few large denominators carry an arm, the spread of what they paid is known from those few, however many
    small ones stand beside them (Satterthwaite 1946, with y - R x as variable as x is large).
    """
    size = int(cluster.max(initial=-1)) + 1
    shares = []
    for code in (1, 0):
        rows = z == code
        by_cluster = np.bincount(cluster[rows], weights=over[rows], minlength=size)
        shares.append(by_cluster / max(float(by_cluster.sum()), 1e-300))
    squares = np.concatenate(shares) ** 2
    return float(squares.sum() ** 2 / max(float((squares**2).sum()), 1e-300))
