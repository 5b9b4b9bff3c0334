"""The nearest valid name to one that is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name most like this one, capitals, hyphens and underscores apart; None where none is near."""
    folded = {_folded(word): word for word in valid}
    near = get_close_matches(_folded(name), folded, n=1, cutoff=0.65)
    return folded[near[0]] if near else None


def meant(name: str, valid: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?` where a valid name is near; else the other fix."""
    near = nearest(name, valid)
    return f"Did you mean `{near}`?" if near is not None else otherwise


def listed(valid: Iterable[str]) -> str:
    """Names in a sentence: `a, b, c`."""
    return ", ".join(valid)


def _folded(name: str) -> str:
    return name[:64].casefold().replace("-", "_")
