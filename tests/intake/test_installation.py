"""The installers' log: read whole or not at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.intake.installation import read_log


def test_an_installation_log_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    heads = "Sign Reference,Put Up On,Taken Down On,By,Photo\n"
    path.write_text(f"{heads}7J6-DGY-MGPX,15/03/2027,,AB,a.jpg\nT37-C97-JPWX,,,,\n", "utf-8")
    up, waiting = read_log(path).rows
    assert (up.put_up_on, up.taken_down_on, up.by, up.photo) == (date(2027, 3, 15), None, "AB", "a.jpg")
    assert waiting.put_up_on is None
    path.write_text(f"{heads}7J6-DGY-MGPX,soon,,AB,a.jpg\n,15/03/2027,,,\n", "utf-8")
    with pytest.raises(Refused) as refusal:
        read_log(path)
    assert [problem.place.row for problem in refusal.value.problems] == [2, 3]
