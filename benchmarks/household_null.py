"""How often a trial of two identical letters finds a difference: household-blocked draws, the whole analysis.

    python benchmarks/household_null.py [trials [setting ...]]

Settings are numbered from 1; without a number, all of them.

Each trial draws households to arms by nudge-blocks/1 within strata, lets every household answer alike whatever its
arm (members share a frailty, later weeks answer more slowly), and analyses it as a live trial would be, with 199
redraws. A sound 5 % test rejects in 4 to 6 of 100 such trials, and its 95 % interval holds 0 in 94 to 96.
"""

from __future__ import annotations

import hashlib
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context

import numpy as np

from nudge._version import __version__
from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Design
from nudge.allocation.schemes import draw
from nudge.allocation.streams import redraw_key
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.units import UnitTable

REDRAWS = 199
TRIALS = 2_000
DAYS = Outcome(id="days", type=OutcomeType.TIME_TO_EVENT, event=("contact",), horizon=56, primary=True, better="lower")
SHARE = Outcome(id="share", type=OutcomeType.PROPORTION, event=("contact",), within=28, primary=True, better="higher")


@dataclass(frozen=True)
class Setting:
    """One kind of trial without effect. `staggered`: the last batches are not followed to day 56."""

    name: str
    outcome: Outcome
    households: int
    strata: int
    ratio: tuple[int, int]
    hazard: float
    largest: int
    staggered: bool = False


SETTINGS = (
    Setting("days, 200 households, 6 strata", DAYS, 200, 6, (1, 1), 0.02, 3),
    Setting("days, 200 households, 6 strata, 2:1, staggered", DAYS, 200, 6, (2, 1), 0.02, 3, staggered=True),
    Setting("days, 40 households, 1 stratum", DAYS, 40, 1, (1, 1), 0.02, 3),
    Setting("days, 120 tenancies, 6 strata", DAYS, 120, 6, (1, 1), 0.02, 1, staggered=True),
    Setting("days, 200 tenancies, 1 stratum", DAYS, 200, 1, (1, 1), 0.02, 1, staggered=True),
    Setting("share by day 28, 200 households, 6 strata", SHARE, 200, 6, (1, 1), 0.02, 3),
    Setting("share by day 28, 60 households, 1 stratum, rare", SHARE, 60, 1, (1, 1), 0.004, 3),
    Setting("share by day 28, 200 tenancies, 6 strata", SHARE, 200, 6, (1, 1), 0.02, 1),
)


def trial(setting: Setting, number: int) -> tuple[UnitTable, Assignment]:
    """One trial in which the arm changes nothing."""
    rng = np.random.default_rng([number, SETTINGS.index(setting)])
    seed = hashlib.sha256(f"{setting.name} {number}".encode()).digest()
    layer = rng.integers(0, setting.strata, setting.households)
    names = [f"{code:016x}" for code in range(setting.households)]
    design = Design(trial="null", arms=("current", "same"), ratio=setting.ratio, strata=("patch",))
    clusters = {name: f"patch {code}" for name, code in zip(names, layer, strict=True)}
    arm_of = {row.cluster: row for row in draw(design, seed=seed, batch=1, clusters=clusters, drawn=())}
    assignment = Assignment.of_blocks([arm_of[name] for name in names], design)
    size = rng.integers(1, setting.largest + 1, setting.households)
    week = rng.integers(0, 8, setting.households)
    frailty = rng.gamma(1.0, 1.0, setting.households) * (1 + 0.5 * layer / setting.strata) * (1 - 0.04 * week)
    cluster = np.repeat(np.arange(setting.households), size)
    day = np.ceil(rng.exponential(1.0, cluster.size) / (setting.hazard * frailty[cluster]))
    followed = np.where(week[cluster] >= 6, 35.0, 90.0) if setting.staggered else np.full(cluster.size, 90.0)
    table = UnitTable(
        arms=assignment.arms,
        arm=assignment.arm[cluster].astype(np.int64),
        stratum=assignment.stratum[cluster].astype(np.int64) if setting.strata > 1 else None,
        strata=assignment.strata if setting.strata > 1 else (),
        cluster=cluster,
        time=np.minimum(day, followed),
        event=day <= followed,
        follow_up=followed,
        y=(day <= 28).astype(np.float64),
    )
    return table, assignment


def found(task: tuple[int, int]) -> tuple[bool, bool, bool, bool]:
    """Whether the headline test rejects, whether its interval holds 0, whether the two differ, whether there is one."""
    setting = SETTINGS[task[0]]
    table, assignment = trial(setting, task[1])
    result = analyse_outcome(
        setting.outcome,
        table,
        assignment=assignment,
        randomised="yes",
        confidence=0.95,
        smallest_worthwhile=None,
        multiplicity=None,
        redraw_key=redraw_key(f"{setting.name} {task[1]}"),
        redraws=REDRAWS,
        live=True,
    )
    row = result.headlines[0]
    rejected = row.p_value is not None and row.p_value <= 0.05
    holds = row.ci is not None and row.ci[0] <= 0 <= row.ci[1]
    return rejected, holds, rejected == holds, row.ci is not None


def main(trials: int, chosen: list[int]) -> None:
    """Print one line a setting."""
    print(f"nudge {__version__}, numpy {version('numpy')}, scipy {version('scipy')}: {trials:,} trials without effect,")
    error = 196 * (0.05 * 0.95 / trials) ** 0.5
    print(f"{REDRAWS} redraws where the default table asks for them. Binomial error ±{error:.1f}.")
    print(f"{'trial':50} {'rejects %':>10} {'interval holds 0 %':>19} {'at odds %':>10} {'seconds':>8}")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for place in chosen:
            setting = SETTINGS[place]
            start = time.perf_counter()
            rows = np.array(list(pool.map(found, ((place, number) for number in range(trials)), chunksize=50)))
            rejected, holds, odds, exists = 100 * rows.mean(axis=0)
            taken = time.perf_counter() - start
            print(
                f"{setting.name:50} {rejected:10.2f} {100 * holds / exists:19.2f} {odds:10.2f} {taken:8.0f}", flush=True
            )


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(numbers[0] if numbers else TRIALS, [number - 1 for number in numbers[1:]] or list(range(len(SETTINGS))))
