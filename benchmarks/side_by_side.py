"""What the benchmarks share: contestants take turns on the same work in one run, and one table says how they did."""

from __future__ import annotations

import gc
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nudge._version import __version__

Found = dict[str, Any]
"""The numbers that a contestant came to. `seconds`, where it is there, was taken by the contestant itself."""
HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way to do the work. `times`: it did one part in `times` of it, and its seconds are multiplied by that."""

    name: str
    work: Callable[[], Found]
    lacks: str = ""
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Score:
    """Best seconds on the clock and of the processor, over all threads, and the numbers found."""

    clock: float
    processor: float
    found: Found


def peer(package: str) -> str:
    """A package's name with its version."""
    return f"{package} {version(package)}"


def warm_up(*works: Callable[[], object]) -> None:
    """A first call on few rows: what packages load on it is not theirs to pay for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for work in works:
            work()


def take_turns(contestants: Sequence[Contestant], rounds: int) -> dict[str, Score]:
    """Each in turn, `rounds` times, so that other load on the machine falls on all; the best of each counts."""
    scores: dict[str, Score] = {}
    gc.collect()
    gc.freeze()  # what was there before is nobody's to search through
    for _ in range(rounds):
        for one in contestants:
            gc.collect()
            before = time.perf_counter(), time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = one.work()
            clock, processor = time.perf_counter() - before[0], time.process_time() - before[1]
            clock, processor = (one.times * part for part in found.get("seconds", (clock, processor)))
            best = scores.get(one.name)
            if best is not None:
                clock, processor = min(clock, best.clock), min(processor, best.processor)
            scores[one.name] = Score(clock=clock, processor=processor, found=found)
    return scores


def print_table(
    title: str, contestants: Sequence[Contestant], scores: Mapping[str, Score], base: str, absent: Sequence[str] = ()
) -> None:
    """Seconds, and how many times those of `base`; peers that are not installed by name."""
    print(f"\n## {title}\n")
    print(f"{'':46} {'seconds':>9} {'times':>8} {'processor':>10} {'times':>8}  what it lacks")
    own = scores[base]
    for one in contestants:
        score = scores[one.name]
        print(
            f"{one.name:46} {score.clock:9.4f} {score.clock / own.clock:8.2f} {score.processor:10.4f} "
            f"{score.processor / own.processor:8.2f}  {one.lacks or '-'}"
        )
    for name in absent:
        print(f"{name:46} not installed")
    print()


def print_versions() -> None:
    """What ran, and on what."""
    print(
        f"nudge {__version__}, numpy {version('numpy')}, scipy {version('scipy')}, Python {sys.version.split()[0]}, "
        f"{os.cpu_count()} cores of {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    )


def has_r(*packages: str) -> bool:
    """Whether R is here with all of these packages."""
    if shutil.which("Rscript") is None:
        return False
    wanted = " && ".join(f"requireNamespace('{package}', quietly=TRUE)" for package in packages)
    asked = subprocess.run(["Rscript", "-e", f"quit(status = if ({wanted}) 0 else 1)"], capture_output=True)
    return asked.returncode == 0


def in_r(script: str, columns: Mapping[str, np.ndarray], *arguments: str) -> Found:
    """The numbers that a script of R prints, one `name value value …` a line, from columns it reads as doubles.

    R's `seconds` (clock, processor) are taken inside the script: neither its start nor the passing of data counts.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, column in columns.items():
            np.ascontiguousarray(column, dtype=np.float64).tofile(Path(folder) / name)
        told = subprocess.run(
            ["Rscript", "--vanilla", str(HERE / script), folder, *arguments], capture_output=True, text=True, check=True
        )
    lines = (line.split() for line in told.stdout.splitlines() if line.strip())
    return {name: [value if name == "version" else float(value) for value in values] for name, *values in lines}


def apart(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The largest relative difference between two lists of numbers, in words."""
    one, other = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    return f"{float((np.abs(one - other) / np.maximum(np.abs(other), 1e-300)).max()):.1e}"
