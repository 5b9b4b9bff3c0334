"""What a redraw must obey besides the groups: the contract of a rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nudge.allocation.assignment import ArmArray, Assignment


class Rule(Protocol):
    """A rule of an assignment. `free` is that assignment without it: the groups alone."""

    def between(self, whole: Assignment, kept: NDArray[np.intp], pair: Sequence[int]) -> Rule:
        """The rule of the clusters `kept`, of the arms `pair`, every other arm held. Raises Refused."""
        ...

    def probabilities(self, free: Assignment) -> NDArray[np.float64]:
        """float64[G, arms]: each cluster's chance of each arm."""
        ...

    def listed(self, free: Assignment) -> ArmArray | None:
        """Every allocation, equally likely; None where there are too many, or their chances differ."""
        ...

    def redraw(self, free: Assignment, n: int, key: bytes, chunk: int | None) -> Iterator[ArmArray]:
        """`n` redraws, the same ones whatever the chunk."""
        ...

    def attainable_p(self, free: Assignment) -> float:
        """The smallest two-sided p that a randomisation test can give."""
        ...
