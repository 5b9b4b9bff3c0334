"""Charts as SVG text: the same values give the same bytes. Colour never speaks alone: each arm has a line of its own.

Glyphs are paths, so a chart looks alike in a browser, in a PDF and on paper, whatever fonts are installed.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from textwrap import fill
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nudge.reports.parts import Line, Mark, PowerPicture

PX: Final = 96  # CSS pixels in an inch, so that 9.5 pt of type is 12.7 px on the page
WIDE: Final = 760  # px: the column of the page
NARROW: Final = 340  # px: a telephone, so that the words are not shrunk with the picture
INK: Final = "#1f2933"
SOFT: Final = "#52606d"
GRID: Final = "#d9e0e6"
# Each at least 4.5:1 on white, and apart for the colour-blind; the reference arm comes first.
LINES: Final = (
    ("#4a4f57", (0, (5, 2)), "o"),
    ("#0b5394", "solid", "s"),
    ("#9c1f5f", (0, (7, 2, 1.5, 2)), "^"),
    ("#1b6e5a", (0, (1.5, 1.5)), "D"),
    ("#8a4b08", (0, (3, 1, 1, 1, 1, 1)), "v"),
    ("#5b3aa0", (0, (9, 3)), "P"),
)
_STYLE: Final[Any] = {
    "svg.hashsalt": "nudge",
    "svg.fonttype": "path",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
}
_PATCH: Final = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # keeps words clear of the lines behind them
_LOCK: Final = threading.Lock()  # matplotlib's settings belong to the process


def contact_curves(
    curves: Sequence[Line], *, horizon: float, ticks: Sequence[float], axis: str, unit: str, width: int = WIDE
) -> str:
    """Steps for each arm up to the horizon, with bands, labelled at their ends; the first curve is the reference."""
    narrow = width < 500
    with _figure(width, 300 if narrow else 380) as figure:
        axes = figure.add_axes((0.15 if narrow else 0.085, 0.145, 0.70 if narrow else 0.86, 0.69 if narrow else 0.73))
        ceiling = _ceiling(curves)
        for curve, (colour, dashes, _) in zip(curves, _lines(len(curves)), strict=True):
            time, share = (*curve.time, horizon), (*curve.share, curve.share[-1])
            limits = [
                (t, lo, hi) for t, lo, hi in zip(curve.time, curve.low, curve.high, strict=True) if lo is not None
            ]
            if limits:
                t, low, high = zip(*limits, strict=True)
                t, low, high = ((*column, end) for column, end in ((t, horizon), (low, low[-1]), (high, high[-1])))
                axes.fill_between(t, low, high, step="post", color=colour, alpha=0.13, linewidth=0)
            axes.step(time, share, where="post", color=colour, linestyle=dashes, linewidth=2.2, label=curve.label)
        for curve, height, (colour, _, _) in zip(
            curves, _apart([curve.share[-1] for curve in curves], ceiling * 0.055), _lines(len(curves)), strict=True
        ):
            axes.annotate(
                f"{curve.share[-1]:.1f}",
                (horizon, height),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                color=colour,
                fontweight="bold",
                annotation_clip=False,
            )
        axes.set_xlim(0, horizon)
        axes.set_ylim(0, ceiling)
        axes.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks])
        axes.yaxis.set_major_locator(MaxNLocator(5 if narrow else 6, integer=True))
        axes.set_xlabel(axis)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.tick_params(length=3)
        figure.text(0.02, 0.975, unit, va="top", fontsize=9.5 if not narrow else 9, color=SOFT)
        figure.legend(
            loc="upper left",
            bbox_to_anchor=(0.008, 0.945 if not narrow else 0.935),
            ncols=1 if narrow else min(3, len(curves)),
            frameon=False,
            handlelength=3.4,
            fontsize=9 if narrow else 10,
            borderaxespad=0.2,
            columnspacing=1.6,
        )
        if narrow and len(curves) > 2:
            axes.set_position((0.15, 0.145, 0.70, 0.69 - 0.06 * (len(curves) - 2)))
        return _svg(figure)


def interval_chart(
    spans: Sequence[Mark],
    *,
    axis: str,
    no_effect: float | None,
    ratio: bool = False,
    sides: tuple[str, str] | None = None,
    worthwhile: float | None = None,
    width: int = WIDE,
) -> str:
    """One line for each estimate: a point on its interval. `sides` say what lies left and right of no effect.

    `worthwhile` draws the smallest difference that would matter, dotted. `ratio` makes the axis logarithmic.
    """
    narrow = width < 500
    step, head, foot = (72, 28, 68) if narrow else (44, 30, 56)
    height = head + step * len(spans) + foot
    with _figure(width, height) as figure:
        left, right = (0.05, 0.95) if narrow else (0.28, 0.655)
        axes = figure.add_axes((left, foot / height, right - left, step * len(spans) / height))
        if ratio:
            axes.set_xscale("log")
        marks = [mark for mark in (no_effect, worthwhile) if mark is not None]
        ends = [end for span in spans for end in (span.estimate, span.low, span.high) if end is not None] + marks
        axes.set_xlim(*_room(ends, ratio=ratio))
        axes.set_ylim(len(spans) - 0.5, -0.5)
        if no_effect is not None:
            axes.axvline(no_effect, color=INK, linewidth=1.1, zorder=1)
        if worthwhile is not None:
            axes.axvline(worthwhile, color="#1b6e5a", linewidth=1.4, linestyle=(0, (2, 2)), zorder=1)
        for index, span in enumerate(spans):
            colour, _, marker = LINES[span.line % len(LINES)]
            y = index + (0.28 if narrow else 0)
            if span.low is not None and span.high is not None:
                axes.plot((span.low, span.high), (y, y), color=colour, linewidth=2.6, solid_capstyle="butt", zorder=2)
                for end in (span.low, span.high):
                    axes.plot((end, end), (y - 0.1, y + 0.1), color=colour, linewidth=1.6, zorder=2)
            axes.plot([span.estimate], [y], marker=marker, markersize=8.5, color=colour, zorder=3, linestyle="none")
            if narrow:
                for lift, words in ((-0.32, span.label), (-0.05, span.words)):
                    place = axes.get_yaxis_transform()
                    axes.text(0, index + lift, words, transform=place, va="center", fontsize=9, bbox=_PATCH, zorder=4)
            else:
                place = axes.get_yaxis_transform()
                axes.text(-0.04, y, fill(span.label, 26), transform=place, ha="right", va="center", fontsize=9.5)
                axes.text(1.03, y, span.words, transform=place, ha="left", va="center", fontsize=9.5)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 6)) if not ratio else None
        if ratio:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_xlabel(fill(axis, 42 if narrow else 84), fontsize=9)
        if sides is not None:
            for words, x, ha in ((f"← {sides[0]}", 0.0, "left"), (f"{sides[1]} →", 1.0, "right")):
                axes.annotate(
                    words,
                    (x, 1),
                    xycoords="axes fraction",
                    xytext=(0, 5),
                    textcoords="offset points",
                    ha=ha,
                    va="bottom",
                    fontsize=9,
                    color=SOFT,
                    annotation_clip=False,
                )
        return _svg(figure)


def power_chart(picture: PowerPicture, *, width: int = WIDE) -> str:
    """The power of a trial against its length: a curve by formula, dots with their error from invented trials.

    The planned length is marked on the axis, and the power that is usually asked for across the picture.
    """
    narrow = width < 500
    colour, _, marker = LINES[1]
    with _figure(width, 280 if narrow else 340) as figure:
        axes = figure.add_axes((0.13 if narrow else 0.075, 0.165, 0.83 if narrow else 0.895, 0.70))
        end = picture.at[-1]
        axes.axhline(picture.target, color=SOFT, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
        axes.axvline(picture.planned, color="#1b6e5a", linewidth=1.4, linestyle=(0, (2, 2)), zorder=1)
        axes.plot((0.0, *picture.at), (picture.share[0], *picture.share), color=colour, linewidth=2.2, zorder=2)
        for dot in picture.dots:
            low, high = max(0.0, dot.share - dot.error), min(100.0, dot.share + dot.error)
            axes.plot((dot.at, dot.at), (low, high), color=INK, linewidth=1.3, zorder=3)
            axes.plot([dot.at], [dot.share], marker=marker, markersize=6, color=INK, zorder=4, linestyle="none")
        late = picture.planned > 0.7 * end
        axes.annotate(
            "as planned",
            (picture.planned, 100),
            xytext=(-6 if late else 6, -3),
            textcoords="offset points",
            ha="right" if late else "left",
            va="top",
            color="#1b6e5a",
            fontsize=9,
            bbox=_PATCH,
            zorder=5,
        )
        early = picture.share[len(picture.share) // 3] < picture.target - 12  # the curve is low there: room for words
        axes.annotate(
            f"usually asked: {picture.target:g}",
            (0 if early else end, picture.target),
            xytext=(5 if early else 0, 4 if early else -5),
            textcoords="offset points",
            ha="left" if early else "right",
            va="bottom" if early else "top",
            color=SOFT,
            fontsize=9,
            bbox=_PATCH,
            zorder=1.5,
        )
        axes.set_xlim(0, end)
        axes.set_ylim(0, 100)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 8, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.set_xlabel(picture.axis)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.tick_params(length=3)
        words = fill(picture.unit, 48) if narrow else picture.unit
        figure.text(0.02, 0.975, words, va="top", fontsize=9 if narrow else 9.5, color=SOFT)
        return _svg(figure)


def _lines(n: int) -> list[tuple[str, Any, str]]:
    return [LINES[index % len(LINES)] for index in range(n)]


def _ceiling(curves: Sequence[Line]) -> float:
    top = max(max(curve.share + tuple(hi for hi in curve.high if hi is not None)) for curve in curves)
    for nice in (2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90):
        if top <= nice * 0.98:
            return float(nice)
    return 100.0


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """The heights moved upward where labels would touch, in their order."""
    placed = list(heights)
    order = sorted(range(len(placed)), key=placed.__getitem__)
    for below, above in pairwise(order):
        placed[above] = max(placed[above], placed[below] + gap)
    return placed


def _room(ends: Sequence[float], *, ratio: bool) -> tuple[float, float]:
    low, high = min(ends), max(ends)
    if ratio:
        spread = max((high / low) ** 0.08, 1.02)
        return low / spread, high * spread
    pad = max((high - low) * 0.08, 1e-9)
    return low - pad, high + pad


@contextmanager
def _figure(width: int, height: int) -> Iterator[Figure]:
    with _LOCK, mpl.rc_context(_STYLE):
        yield Figure(figsize=(width / PX, height / PX), facecolor="none")


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
