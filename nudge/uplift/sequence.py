"""Clusters that had both arms, one after the other: which sequence each was drawn to, and the arm that it gave when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from nudge.allocation.assignment import Assignment


@dataclass(frozen=True, eq=False, kw_only=True)
class Sequences:
    """The draw of whole sequences: `assignment` has one as the arm of each cluster, in the order of drawn codes.

    `arms` int64[sequences, periods] holds the arm, 0 the reference, that a sequence gives in each period.
    """

    kind: Literal["stepped_wedge", "crossover"]
    assignment: Assignment
    arms: npt.NDArray[np.int64]
