"""What the uplift tests share: the oracle files, invented tables, and a dense CR2 to hold the fast ones against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nudge.allocation.assignment import Assignment
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.results import OutcomeResult
from nudge.uplift.units import Counts, UnitTable

ORACLES = Path(__file__).parent.parent / "data" / "oracles"
KEY = bytes(range(16))
CONTACT = Outcome(
    id="days_to_contact", type=OutcomeType.TIME_TO_EVENT, event=("contact",), horizon=56, primary=True, better="lower"
)
SHARE = Outcome(id="agreed", type=OutcomeType.PROPORTION, event=("agreed",), within=28, primary=True, better="higher")
MONEY = Outcome(id="arrears", type=OutcomeType.MEAN, column="arrears", primary=True, better="lower")
CALLS = Outcome(id="calls", type=OutcomeType.RATE, column="calls", primary=True, better="lower")


def oracles(name: str, kind: str) -> list[Any]:
    """The entries of one kind in an oracle file."""
    return [entry for entry in json.loads((ORACLES / f"{name}.json").read_text()) if entry["kind"] == kind]


def named(entry: Any) -> str:
    """An oracle's case, as the test's id."""
    return str(entry["case"])


def floats(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def codes(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def analysed(outcome: Outcome, table: UnitTable | Counts, **changes: Any) -> OutcomeResult:
    """The analysis of a recorded, randomised trial with the usual settings."""
    settings: dict[str, Any] = {
        "assignment": None,
        "randomised": "yes",
        "confidence": 0.95,
        "smallest_worthwhile": None,
        "multiplicity": None,
        "redraw_key": KEY,
        "redraws": 199,
        "live": False,
    }
    return analyse_outcome(outcome, table, **{**settings, **changes})


def household_trial(
    seed: int,
    *,
    clusters: int = 60,
    arms: int = 2,
    strata: int = 3,
    most: int = 3,
    days: int = 56,
    hazard: float = 0.03,
) -> tuple[UnitTable, Assignment]:
    """An invented trial of households within strata; whole days, full follow-up, later arms a little quicker."""
    rng = np.random.default_rng(seed)
    names = tuple("abcdef"[:arms])
    size = rng.integers(1, most + 1, clusters)
    layer = np.arange(clusters) % strata
    drawn = np.empty(clusters, dtype=np.int64)
    for code in range(strata):
        here = np.flatnonzero(layer == code)
        drawn[here] = rng.permutation(np.arange(here.size) % arms)
    cluster = np.repeat(np.arange(clusters), size)
    arm = drawn[cluster]
    frailty = rng.gamma(1.0, 1.0, clusters)[cluster]
    day = np.ceil(rng.exponential(1 / (hazard * (1 + 0.2 * arm) * frailty)))
    table = UnitTable(
        arms=names,
        arm=arm,
        stratum=layer[cluster],
        strata=tuple(f"s{code}" for code in range(strata)),
        cluster=cluster,
        time=np.minimum(day, days).astype(np.float64),
        event=day <= days,
        follow_up=np.full(arm.size, float(days)),
        y=(day <= days / 2).astype(np.float64),
        assigned={name: int((arm == code).sum()) for code, name in enumerate(names)},
    )
    return table, Assignment.of_recorded(drawn, layer if strata > 1 else None, "clusters", names)


def shares(counts: Any, *, arms: tuple[str, ...] = ("a", "b"), **columns: Any) -> UnitTable:
    """A table of 0/1 outcomes from (events, n) by arm."""
    arm = np.concatenate([np.full(n, code) for code, (_, n) in enumerate(counts)])
    y = np.concatenate([np.arange(n) < x for x, n in counts]).astype(float)
    return UnitTable(arms=arms, arm=arm, y=y, **columns)


def dense_cr2(y: np.ndarray, design: np.ndarray, cluster: np.ndarray) -> tuple[float, float, float]:
    """Estimate, CR2 standard error and Satterthwaite df of column 0, by full matrices and symmetric roots."""
    bread = np.linalg.pinv(design.T @ design)
    hat = design @ bread @ design.T
    beta = bread @ design.T @ y
    residual = y - design @ beta
    shares, rows = [], []
    whole = np.eye(y.size) - hat
    for code in np.unique(cluster):
        here = np.flatnonzero(cluster == code)
        values, vectors = np.linalg.eigh(np.eye(here.size) - hat[np.ix_(here, here)])
        power = np.where(values > 1e-9, np.maximum(values, 1e-300) ** -0.5, 0.0)
        along = (vectors * power) @ vectors.T @ (design[here] @ bread[:, 0])
        shares.append(float(along @ residual[here]))
        rows.append(whole[:, here] @ along)
    product = np.array(rows) @ np.array(rows).T
    variance = float(np.sum(np.square(shares)))
    return float(beta[0]), float(np.sqrt(variance)), float(np.trace(product) ** 2 / np.sum(product**2))


@st.composite
def samples(draw: st.DrawFn, most: int = 40, whole: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Times above 0 and whether each ended in an event."""
    n = draw(st.integers(2, most))
    times = st.integers(1, 60).map(float) if whole else st.floats(0.01, 60, allow_nan=False)
    time = draw(st.lists(times, min_size=n, max_size=n))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.array(time), np.array(event)
