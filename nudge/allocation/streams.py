"""The one random stream of a randomisation test: raw 64-bit words of Philox4x64, which NumPy promises not to change.

No promise is made for NumPy's own methods (shuffles, normals), so none is used. Rules of the trial §3.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

WordArray: TypeAlias = NDArray[np.uint64]


def redraw_key(hash_text: str) -> bytes:
    """The 16 bytes that key a trial's redraws, from its seal hash, or its definition hash where it is recorded."""
    return hashlib.sha256(f"nudge-redraw/1\n{hash_text}".encode()).digest()[:16]


class Words:
    """The words of one key, taken in order. Taking 10 and then 5 gives what taking 15 gives."""

    __slots__ = ("_stream",)

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            msg = f"a key of 16 bytes is needed, not {len(key)}"
            raise ValueError(msg)
        self._stream = np.random.Philox(key=int.from_bytes(key, "big"))

    def take(self, count: int) -> WordArray:
        """The next `count` words, uniform on 0 to 2**64 - 1."""
        return self._stream.random_raw(count)
