"""Words that only a key foretells: the messages of every draw, under its algorithm's name. Rules of the trial §3."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

FRACTION_BITS: Final = 52
_HASH_BLOCK: Final = 64  # bytes: what SHA-256 takes at once, and HMAC fills its key up to


def composed(text: str) -> str:
    """Text in Unicode's composed form (NFC), so that one name has one spelling."""
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True)
class Keyed:
    """H of one draw: `H("order", 2, code)` is 64 lower-case hexadecimal digits, HMAC-SHA-256 under `key`."""

    key: bytes
    algorithm: str
    trial: str

    def __call__(self, *parts: object) -> str:
        """The digits of algorithm, trial and parts, joined by line feeds, in UTF-8 and composed form."""
        message = "\n".join((self.algorithm, self.trial, *map(str, parts)))
        return hmac.digest(self.key, composed(message).encode(), "sha256").hex()

    def after(self, *parts: object) -> Callable[[str], bytes]:
        """H of messages that begin with the same parts: a function of the last part, composed, as bytes.

        Bytes sort as their hex does. HMAC is a hash of a hash: both are begun once, with the key and with the parts
        that all messages share, and copied for each message, which takes a third of the time. A line break joins with
        nothing, so parts can be composed one by one.
        """
        key = (sha256(self.key).digest() if len(self.key) > _HASH_BLOCK else self.key).ljust(_HASH_BLOCK, b"\0")
        inner, outer = (sha256(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
        inner.update(composed("\n".join((self.algorithm, self.trial, *map(str, parts), ""))).encode())

        def last(part: str) -> bytes:
            own, whole = inner.copy(), outer.copy()
            own.update(part.encode())
            whole.update(own.digest())
            return whole.digest()

        return last

    def fraction(self, *parts: object) -> float:
        """The first 13 digits as a number in [0, 1): 52 bits, which a float holds exactly."""
        return int(self(*parts)[: FRACTION_BITS // 4], 16) / 2.0**FRACTION_BITS
