"""The declared design: rules of the trial §3."""

from __future__ import annotations

import pytest

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Design
from nudge.base.errors import Refused


@pytest.mark.parametrize(
    ("ratio", "lowest", "multiples"),
    [
        ((1, 1), (1, 1), (2, 3, 4)),
        ((4, 4), (1, 1), (2, 3, 4)),
        ((4, 2), (2, 1), (1, 2, 3)),
        ((3, 3), (1, 1), (2, 3, 4)),
    ],
)
def test_a_ratio_is_brought_to_lowest_terms(ratio, lowest, multiples) -> None:
    design = Design(trial="t", arms=("a", "b"), ratio=ratio)
    assert (design.ratio, design.multiples) == (lowest, multiples)


def test_three_equal_arms_have_blocks_of_three_six_and_nine() -> None:
    assert Design(trial="t", arms=("a", "b", "c"), ratio=(1, 1, 1)).multiples == (1, 2, 3)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"arms": ("a",), "ratio": (1,)}, AllocationCode.ARMS_TOO_FEW),
        ({"arms": ("a", "a")}, AllocationCode.ARM_TWICE),
        ({"ratio": (1, 1, 1)}, AllocationCode.RATIO_LENGTH),
        ({"ratio": (1, 0)}, AllocationCode.RATIO_NOT_WHOLE),
        ({"ratio": (1, 1.5)}, AllocationCode.RATIO_NOT_WHOLE),
        ({"ratio": (1, True)}, AllocationCode.RATIO_NOT_WHOLE),
        ({"ratio": (1, 40)}, AllocationCode.RATIO_TOO_LARGE),
        ({"trial": "a\nb"}, AllocationCode.ID_UNUSABLE),
        ({"arms": ("a", " ")}, AllocationCode.ID_UNUSABLE),
        ({"epoch": 0}, AllocationCode.EPOCH_NOT_COUNTED),
    ],
)
def test_a_design_that_cannot_be_drawn_is_refused(change, code) -> None:
    with pytest.raises(Refused) as refusal:
        Design(**{"trial": "t", "arms": ("a", "b"), "ratio": (1, 1), **change})
    assert [problem.code for problem in refusal.value.problems] == [code.slug]


def test_everything_wrong_with_a_design_is_said_at_once() -> None:
    with pytest.raises(Refused) as refusal:
        Design(trial="", arms=("a", "a"), ratio=(1,), epoch=0)
    assert len(refusal.value.problems) == 4


def test_every_refusal_of_allocation_can_be_worded() -> None:
    for code in AllocationCode:
        assert code.expected
        assert code.fix.endswith(".")
