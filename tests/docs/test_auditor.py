"""The auditor's script, as the page prints it, gives nudge's own arms."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pages import ROOT

from nudge.allocation.certificate import BatchLine, Certificate, EpochLine, opened
from nudge.allocation.design import Allocated, Design
from nudge.experiment.seal import seed

SECRET, BEACON = bytes(range(100, 132)), "4 8 15 16 23 42"
DESIGNS = {
    1: Design(trial="demo", arms=("current", "new"), ratio=(1, 1), strata=("patch",)),
    2: Design(trial="demo", arms=("current", "new", "third"), ratio=(2, 1, 1), strata=("patch",), epoch=2),
}
LISTS = {
    1: {f"a{number:02d}": "north" if number % 3 else "south\tlow" for number in range(31)},
    2: {"a01": "north"} | {f"b{number:02d}": "north" for number in range(12)},
    3: {f"c{number:02d}": "Llŷn" for number in range(19)},
}


def script() -> str:
    [found] = re.findall(r"```r\n(.*?)```", (ROOT / "docs" / "auditor.md").read_text("utf-8"), flags=re.DOTALL)
    return found


def test_the_script_has_at_most_thirty_lines() -> None:
    assert len(script().splitlines()) <= 30


def test_i8_an_auditor_draws_again_in_r(tmp_path: Path) -> None:
    r = shutil.which("Rscript")
    if r is None:
        pytest.skip("Rscript is not installed")
    wanted = 'quit(status = !all(sapply(c("digest", "jsonlite"), requireNamespace, quietly = TRUE)))'
    if subprocess.run([r, "-e", wanted], capture_output=True, check=False).returncode:
        pytest.skip("the R packages digest and jsonlite are not installed")
    rows: tuple[Allocated, ...] = ()
    batches = []
    for number, clusters in LISTS.items():
        epoch = 2 if number == 3 else 1
        new = DESIGNS[epoch].draw(seed=seed(SECRET, BEACON), batch=number, clusters=clusters, drawn=rows)
        rows += new
        facts = dict.fromkeys(("frozen_at", "drawn_at", "list_hash", "previous_hash"), "")
        batches.append(
            BatchLine(number=number, epoch=epoch, clusters=len(new), units=len(new), late_members=0, **facts)
        )
    certificate = Certificate(
        trial="demo",
        seals=(),
        beacon="national lottery",
        beacon_value=BEACON,
        witness=None,
        versions={},
        epochs=tuple(map(EpochLine.of, DESIGNS.values())),
        batches=tuple(batches),
    )
    (tmp_path / "certificate.json").write_text(opened(certificate, secret=SECRET, allocated=rows).to_json(), "utf-8")
    (tmp_path / "lists.json").write_text(json.dumps(LISTS), "utf-8")
    (tmp_path / "redraw.R").write_text(script(), "utf-8")
    found = subprocess.run(
        [r, "redraw.R", "certificate.json", "lists.json"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    *lines, last = found.stdout.splitlines()
    assert [line.split("\t") for line in lines] == [[str(row.batch), row.cluster, row.arm] for row in rows]
    assert last == "0 arms differ"
