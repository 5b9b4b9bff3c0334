"""A ratio of two sums, such as rent collected over rent due: units weigh by what was due, not one each.

The mean of each unit's own ratio would let a tenancy that owed £5 count as much as one that owed £500.
"""

from __future__ import annotations

import numpy as np

from nudge.uplift.units import FloatArray


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
