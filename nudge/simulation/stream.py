"""One stream of chance for each purpose, so that adding to one purpose changes no other.

The words are those of Philox4x64, keyed by a hash of the seed and the purpose; NumPy's own methods are not used,
because no promise is made for what they give.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
_AT_ONCE: Final = 64


class Stream:
    """Draws one after another; the same seed and purpose give the same draws."""

    def __init__(self, seed: int, *purpose: object) -> None:
        text = "\n".join(("nudge-simulation/1", *map(str, (seed, *purpose))))
        self._philox = np.random.Philox(key=int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
        self._words: list[int] = []

    def shares(self, count: int) -> NDArray[np.float64]:
        """`count` draws in (0, 1), never 0 or 1, as an array. They come from words of their own."""
        words: NDArray[np.uint64] = self._philox.random_raw(count)
        return ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53

    def below(self, most: int) -> int:
        """A whole number from 0 to `most` - 1."""
        if not self._words:
            self._words = self._philox.random_raw(_AT_ONCE).tolist()
        return self._words.pop() % most

    def share(self) -> float:
        """A draw in (0, 1)."""
        return (self.below(2**53) + 0.5) / 2**53

    def chance(self, share: float) -> bool:
        """True in this share of draws."""
        return self.share() < share

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[tuple[Item, float]]) -> Item:
        """One of the items, each with its weight."""
        left = self.share() * sum(weight for _, weight in items)
        for item, weight in items:
            left -= weight
            if left < 0:
                return item
        return items[-1][0]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in another order."""
        found = list(items)
        for place in range(len(found) - 1, 0, -1):
            other = self.below(place + 1)
            found[place], found[other] = found[other], found[place]
        return found

    def normal(self) -> float:
        """A standard normal draw (Box and Muller 1958)."""
        return math.sqrt(-2 * math.log(self.share())) * math.cos(2 * math.pi * self.share())
