"""A style sheet in larger type: the same letter at 16 or 18 points, everything that is measured growing with it."""

from __future__ import annotations

import re
from typing import Final

STANDARD_POINTS: Final = 11.5  # where a sheet does not say what size its `body` is
_BODY: Final = re.compile(r"(?<![\w.#-])body\s*\{[^}]*?font-size:\s*([\d.]+)pt")
_INNERMOST: Final = re.compile(r"\{([^{}]*)\}")
_TYPE: Final = re.compile(r"(?<![\w-])font-size:\s*([\d.]+)pt")
_LEADING: Final = re.compile(r"((?<![\w-])line-height:\s*)([\d.]+)(pt|mm)")
_LENGTH: Final = re.compile(r"(?<![\w.#-])([\d.]+)(pt|mm)\b")
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


def enlarged(sheet: str, points: float, *, standard: float = STANDARD_POINTS) -> str:
    """The sheet with its text at `points`: headings, gaps and pictures in proportion, nothing smaller than the text.

    Only lengths in pt and mm are changed; those in em grow by themselves. `standard` is the size of the text now, where
    the sheet does not give its `body` one.
    """
    plain = _COMMENT.sub("", sheet)
    said = _BODY.search(plain)
    by = points / (float(said[1]) if said else standard)
    return _INNERMOST.sub(lambda rule: "{" + _rule(rule[1], by, points) + "}", plain)


def _rule(declarations: str, by: float, points: float) -> str:
    """One rule. Small print grows by more than the rest, and its line height with it."""
    said = _TYPE.search(declarations)
    own = max(by, points / float(said[1])) if said else by
    kept: list[str] = []

    def keep(text: str) -> str:
        kept.append(text)
        return f"\0{len(kept) - 1}\0"

    text = _TYPE.sub(lambda found: keep(f"font-size: {_short(float(found[1]) * own)}pt"), declarations)
    text = _LEADING.sub(lambda found: keep(f"{found[1]}{_short(float(found[2]) * own)}{found[3]}"), text)
    text = _LENGTH.sub(lambda found: f"{_short(float(found[1]) * by)}{found[2]}", text)
    return re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], text)


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
