"""Signs that a trial did not run as drawn: arm sizes against the design, missing outcomes by arm, balance before.

None of these is a test of the letters. A p-value under 0.001 of the first two is an alarm: find the reason before
any result is used (reference: statistics §2.8, sample-ratio mismatch).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import chdtrc, gammaln

from nudge.allocation.assignment import Assignment
from nudge.allocation.minimised import Minimising
from nudge.uplift.units import FloatArray, IntArray


def sample_ratio(assignment: Assignment) -> dict[str, Any] | None:
    """Clusters of each arm against what the design gives, with an exact two-sided p.

    Inside a group of N slots of which K are an arm's, the n that are filled hold a hypergeometric number of it;
    groups add up by convolution, and p is the probability of all numbers no likelier than the one seen. With three
    arms or more each is tried, and the smallest p times their number stands (Bonferroni). None for independent
    draws, whose sizes no design fixes, and for minimised ones, whose groups have no slots.
    """
    if isinstance(assignment.rule, Minimising) or assignment.scheme == "simple" or len(assignment.arm) == 0:
        return None
    filled = np.bincount(assignment.group, minlength=len(assignment.slots))
    slots = assignment.slots.sum(axis=1)
    expected = (assignment.slots / np.maximum(slots, 1)[:, None] * filled[:, None]).sum(axis=0)
    observed = np.bincount(assignment.arm, minlength=len(assignment.arms))
    tried = range(1 if len(assignment.arms) == 2 else len(assignment.arms))  # of two arms, one tells of the other
    smallest = min(_size_p(assignment.slots[:, code], slots, filled, int(observed[code])) for code in tried)
    return {
        "observed": {arm: int(observed[code]) for code, arm in enumerate(assignment.arms)},
        "expected": {arm: float(expected[code]) for code, arm in enumerate(assignment.arms)},
        "p_value": float(min(1.0, smallest * len(tried))),
        "method": "exact, against the design drawn",
    }


def _size_p(own: IntArray, slots: IntArray, filled: IntArray, seen: int) -> float:
    """The chance of a number of one arm's clusters no likelier than the one seen."""
    chances, least = np.ones(1), 0
    for all_slots, of_arm, here in zip(slots.tolist(), own.tolist(), filled.tolist(), strict=True):
        if here in (0, all_slots):  # an untouched or a full group holds what it holds
            least += of_arm if here else 0
            continue
        low, group = _hypergeometric(all_slots, of_arm, here)
        least += low
        chances = np.convolve(chances, group)
    place = seen - least
    likely = chances[place] if 0 <= place < len(chances) else 0.0
    return float(chances[chances <= likely * (1 + 1e-9)].sum())


def _hypergeometric(slots: int, own: int, filled: int) -> tuple[int, FloatArray]:
    """The least number of the arm's slots among those filled, and the chance of that number and each one above it."""
    low, high = max(0, filled - (slots - own)), min(own, filled)
    number = np.arange(low, high + 1)
    logs = _choose(own, number) + _choose(slots - own, filled - number) - _choose(slots, np.array([filled]))
    return low, np.exp(logs)


def _choose(whole: int, part: IntArray) -> FloatArray:
    logs: FloatArray = gammaln(whole + 1) - gammaln(part + 1) - gammaln(whole - part + 1)
    return logs


def missing_by_arm(assigned: Mapping[str, int], missing: Mapping[str, int]) -> dict[str, Any]:
    """Units without the outcome by arm, and whether the shares differ by more than chance (Pearson's chi-square)."""
    arms = [arm for arm, count in assigned.items() if count]
    counts = np.array([[missing.get(arm, 0), assigned[arm] - missing.get(arm, 0)] for arm in arms], dtype=np.float64)
    p_value = None
    if len(arms) > 1 and (counts.sum(axis=0) > 0).all():
        fitted = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
        p_value = float(chdtrc(len(arms) - 1, ((counts - fitted) ** 2 / fitted).sum()))
    return {"counts": {arm: missing.get(arm, 0) for arm in assigned}, "p_value": p_value}


def balance(column: str, values: FloatArray, arm: IntArray, arms: tuple[str, ...]) -> dict[str, Any]:
    """One covariate's mean by arm, and how far the arm furthest from the first stands, in pooled standard deviations.

    NaN is missing and left out. No p-value: the draw was random, whatever the means are.
    """
    known = ~np.isnan(values)
    groups = [values[known & (arm == code)] for code in range(len(arms))]
    means = [float(group.mean()) if group.size else None for group in groups]
    variances = [float(group.var(ddof=1)) for group in groups if group.size > 1]
    spread = float(np.sqrt(np.mean(variances))) if variances else 0.0
    first = means[0]
    apart = [mean - first for mean in means[1:] if mean is not None and first is not None]
    furthest = max(apart, key=abs, default=None)
    return {
        "column": column,
        "arms": dict(zip(arms, means, strict=True)),
        "standardised_difference": furthest / spread if furthest is not None and spread > 0 else None,
    }
