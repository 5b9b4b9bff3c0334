"""Words that only a key foretells: the messages of every draw but `nudge-blocks/1`, each under its algorithm's name."""

from __future__ import annotations

import hmac
import unicodedata
from dataclasses import dataclass

FRACTION_BITS = 52


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

    def fraction(self, *parts: object) -> float:
        """The first 13 digits as a number in [0, 1): 52 bits, which a float holds exactly."""
        return int(self(*parts)[: FRACTION_BITS // 4], 16) / 2.0**FRACTION_BITS
