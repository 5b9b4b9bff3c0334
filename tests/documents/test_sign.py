"""Signs: drawn, checked, and put on disk for a print house."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from invented import COUNCIL, SECRET, shipped

from nudge.base.errors import Refused
from nudge.documents.sign import SignSpec, check_sign, draw_sign, make_signs, sign_reference
from nudge.documents.sign_codes import SignCode

FOLDER = shipped()
SPEC = SignSpec(
    reference=sign_reference(SECRET, "demo", "site-1"),
    template="signs/speed-eyes.html",
    site="site-1",
    council=COUNCIL,
)


@pytest.fixture(scope="module")
def sign():
    return draw_sign(SPEC, FOLDER)


def test_a_sign_that_comes_with_nudge_is_fit_to_print(sign):
    assert check_sign(sign, SPEC, FOLDER) == ()


def test_i13_a_sign_made_again_has_the_same_bytes(sign, tmp_path):
    made = make_signs((SPEC,), FOLDER, tmp_path)
    assert made[0].path == tmp_path / "signs" / f"{SPEC.reference}.pdf"
    assert made[0].path.read_bytes() == sign.pdf
    assert made[0].sha256 == sha256(sign.pdf).hexdigest()


def test_every_fault_of_every_sign_is_told_at_once_and_nothing_is_written(tmp_path):
    wrong = [
        replace(SPEC, size="A5", orientation="upright", preset="glossy"),
        replace(SPEC, reference="ABC"),
        SPEC,
    ]
    with pytest.raises(Refused) as refusal:
        make_signs(wrong, FOLDER, tmp_path)
    assert {problem.code for problem in refusal.value.problems} == {
        code.slug
        for code in (
            SignCode.SIZE_UNKNOWN,
            SignCode.ORIENTATION_UNKNOWN,
            SignCode.PRESET_UNKNOWN,
            SignCode.REFERENCE_UNREADABLE,
            SignCode.REFERENCE_TWICE,
        )
    }
    assert not list(tmp_path.iterdir())
