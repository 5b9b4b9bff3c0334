"""Letters without their accents, for comparing what two people have written of one name or place."""

from __future__ import annotations

import unicodedata


def unaccented(text: str) -> str:
    """Compatible forms taken apart (NFKD), and marks that join a letter left out: `Ŵyn` is `Wyn`, `Ⓐ` is `A`."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
