"""The flow of a trial from the rows of the file to the units analysed, as a picture of boxes and arrows.

The picture is for the eye only: the report gives the same numbers in words and as a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Final

WIDE: Final = 760
NARROW: Final = 340
_LINE, _PAD, _GAP = 19, 11, 30  # px: a line of text, the room inside a box, the room between boxes
_CHARACTER: Final = 7.7  # px a character may take in the widest fallback font, at 14 px
_FONT: Final = "'Noto Sans','Segoe UI',Roboto,'Helvetica Neue',Arial,'Liberation Sans','DejaVu Sans',sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One box on the way down, with what left the trial after it."""

    heading: str
    lines: tuple[str, ...] = ()
    left: tuple[str, ...] = ()  # "12 excluded: active agreement"; drawn to the side, between this stage and the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What became of one arm: its boxes from the draw to the analysis."""

    heading: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle of wrapped text, placed."""

    x: float
    y: float
    width: float
    lines: tuple[str, ...]  # the first is bold
    tone: str  # main, left or arm

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + 2 * _PAD - 4

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def flow_chart(trunk: Sequence[Stage], branches: Sequence[Branch], *, title: str, width: int = WIDE) -> str:
    """The SVG: the trunk from the top, then a column for each arm; on a narrow page the arms follow each other."""
    boxes: list[Box] = []
    arrows: list[tuple[tuple[float, float], ...]] = []
    narrow = width < 500
    trunk_width = width * (0.62 if narrow else 0.44)
    trunk_x = 1 if narrow else width * (0.06 if any(stage.left for stage in trunk) else 0.28)
    y = 1.0
    for index, stage in enumerate(trunk):
        box = _box(trunk_x, y, trunk_width, (stage.heading, *stage.lines), "main")
        boxes.append(box)
        y = box.bottom + _GAP
        if stage.left:
            side_x = trunk_x + trunk_width * (0.5 if narrow else 1) + (22 if narrow else 40)
            side = _box(side_x, box.bottom + (_GAP / 2 if narrow else 12), width - side_x - 1, stage.left, "left")
            boxes.append(side)
            at = side.y + side.height / 2
            arrows.append(((box.middle, at), (side.x, at)))
            y = max(y, side.bottom + _GAP / 2)
        if index + 1 < len(trunk):
            arrows.append(((box.middle, box.bottom), (box.middle, y)))
    stem = boxes[[box.tone for box in boxes].index("main")].middle
    fork = max(box.bottom for box in boxes if box.tone == "main")
    columns = 1 if narrow or len(branches) > 4 else len(branches)
    column_width = (width - 18 * (columns - 1) - 2) / columns - (24 if columns == 1 else 0)
    rail = y - _GAP + _GAP / 2
    bottom = y
    for index, branch in enumerate(branches):
        x = 1 + (index * (column_width + 18) if columns > 1 else 24)
        top = y if columns > 1 else bottom
        for number, stage in enumerate(branch.stages):
            lines = (branch.heading, stage.heading, *stage.lines) if number == 0 else (stage.heading, *stage.lines)
            box = _box(x, top, column_width, lines, "arm")
            if number:
                arrows.append(((box.middle, top - _GAP), (box.middle, top)))
            elif columns > 1:
                arrows.append(((stem, fork), (stem, rail), (box.middle, rail), (box.middle, top)))
            else:
                at = box.y + box.height / 2
                arrows.append(((10, fork), (10, at), (x, at)))
            boxes.append(box)
            top = box.bottom + _GAP
            bottom = max(bottom, top) if columns > 1 else top
    return _draw(boxes, arrows, title=title, width=width, height=max(box.bottom for box in boxes) + 2)


def _box(x: float, y: float, width: float, lines: Sequence[str], tone: str) -> Box:
    room = max(int((width - 2 * _PAD) / _CHARACTER), 8)
    wrapped = tuple(part for line in lines for part in wrap(line, room) or [""])
    return Box(x=x, y=y, width=width, lines=wrapped, tone=tone)


_TONES: Final = {"main": ("#eef3f8", "#0b5394"), "left": ("#ffffff", "#7b8794"), "arm": ("#ffffff", "#0b5394")}


def _draw(
    boxes: Sequence[Box], arrows: Sequence[tuple[tuple[float, float], ...]], *, title: str, width: int, height: float
) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}"'
        f' viewBox="0 0 {width} {height:.0f}" role="img" font-family="{_FONT}" font-size="14">',
        f"<title>{escape(title)}</title>",
        '<g fill="none" stroke="#52606d" stroke-width="1.4">',
        *(f'<path d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in path)}"/>' for path in arrows),
        "</g>",
        '<g fill="#52606d">',
        *(_head(path) for path in arrows),
        "</g>",
    ]
    for box in boxes:
        fill, edge = _TONES[box.tone]
        parts.append(
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="3"'
            f' fill="{fill}" stroke="{edge}" stroke-width="1.2"/>'
        )
        for index, line in enumerate(box.lines):
            weight = ' font-weight="700"' if index == 0 and box.tone != "left" else ""
            parts.append(
                f'<text x="{box.x + _PAD:.1f}" y="{box.y + _PAD + 11 + index * _LINE:.1f}" fill="#1f2933"{weight}>'
                f"{escape(line)}</text>"
            )
    return "".join(parts) + "</svg>"


def _head(path: tuple[tuple[float, float], ...]) -> str:
    (x0, y0), (x1, y1) = path[-2:]
    if abs(x1 - x0) > abs(y1 - y0):
        return f'<path d="M{x1:.1f} {y1:.1f} l-8 -4.5 v9 z"/>'
    return f'<path d="M{x1:.1f} {y1:.1f} l-4.5 -8 h9 z"/>'
