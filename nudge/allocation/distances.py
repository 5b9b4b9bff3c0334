"""Covariates on one scale: Mahalanobis distance, the same to the last bit on every machine and in any row order.

Sums are exactly rounded (`math.fsum`) and the Cholesky factor is worked out here, because a library's would differ
in the last digits from one processor to the next, and a draw may hang on them (I2). Distances are compared after
rounding to nine decimals, so that those which are equal on paper are equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]

DECIMALS: Final = 9
_SMALL_PIVOT: Final = 1e-9  # of the column's own variance: what is left is rounding


def whitened(values: Sequence[Sequence[float | None]]) -> FloatArray:
    """float64[n, rank]: covariates centred and turned so that they have unit variances and no correlation.

    `values` holds one row a cluster. A missing value takes the mean of the others, and whether it is missing enters
    as a covariate of its own. Covariates that do not vary, or that others tell, have no column. The squared
    distance of two rows is their Mahalanobis distance under the covariance (divisor n - 1) of all n rows.
    """
    columns = _filled(values)
    n = len(values)
    if n < 2:
        return np.zeros((n, 0))
    means = [math.fsum(column) / n for column in columns]
    centred = [[value - mean for value in column] for column, mean in zip(columns, means, strict=True)]
    covariance = [
        [math.fsum(a * b for a, b in zip(one, other, strict=True)) / (n - 1) for other in centred] for one in centred
    ]
    found: list[list[float]] = []
    factors: list[list[float]] = []  # the rows of the Cholesky factor that have a pivot
    for index, column in enumerate(centred):
        row: list[float] = []
        for before, factor in enumerate(factors):
            of = int(factor[-1])
            row.append((covariance[index][of] - math.fsum(row[k] * factor[k] for k in range(before))) / factor[before])
        pivot = covariance[index][index] - math.fsum(value * value for value in row)
        if pivot <= _SMALL_PIVOT * covariance[index][index] or pivot <= 0:
            continue
        scale = math.sqrt(pivot)
        found.append(
            [(column[unit] - math.fsum(row[k] * found[k][unit] for k in range(len(row)))) / scale for unit in range(n)]
        )
        factors.append([*row, scale, float(index)])
    return np.array(found, dtype=np.float64).reshape(len(found), n).T


def _filled(values: Sequence[Sequence[float | None]]) -> list[list[float]]:
    """Columns without gaps, then one column for each that had some."""
    columns, gaps = [], []
    for column in zip(*values, strict=True):
        known = [float(value) for value in column if value is not None]
        middle = math.fsum(known) / len(known) if known else 0.0
        columns.append([middle if value is None else float(value) for value in column])
        if 0 < len(known) < len(column):
            gaps.append([float(value is None) for value in column])
    return [*columns, *gaps]
