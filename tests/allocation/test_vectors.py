"""Known answers: each draw beside blocks made a second time from the words of docs/auditor.md alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.listing import list_hash
from nudge.allocation.sequences import stepped_wedge

ORACLE = json.loads((Path(__file__).parents[1] / "data" / "oracles" / "draws.json").read_text("utf-8"))
SEED = bytes(range(32))
CASES = [pytest.param(case, id=f"{case['method']} {number}") for number, case in enumerate(ORACLE["draws"])]


def design_of(case: dict[str, Any]) -> Design:
    method = case["method"]
    if method == "sequences":
        return stepped_wedge("demo", control="plain", arm="sign", steps=len(case["arms"]), strata=("patch",))
    levels = next(iter(case["batches"][0].values()))["stratum"].split("\t")
    common: dict[str, Any] = {"trial": "demo", "arms": tuple(case["arms"]), "ratio": tuple(case["ratio"])}
    if levels != ["all"]:
        common["strata"] = ("patch", "band")[: len(levels)]
    if case.get("pairs") == "given":
        common["pair"] = "block"
    elif method in {"pairs", "rerandomised"}:
        common["covariates"] = ("arrears", "weeks")
    terms = {name: case[name] for name in ("acceptance", "chance", "imbalance") if name in case}
    return Design(method=method, **common, **terms)


def listed(batch: dict[str, Any]) -> dict[str, Entry]:
    return {
        code: Entry(stratum=line["stratum"], pair=line.get("pair"), covariates=tuple(line.get("covariates", ())))
        for code, line in batch.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_i2_the_draw_is_the_known_answer_that_the_specification_gave(case: dict[str, Any]) -> None:
    design = design_of(case)
    drawn: tuple[Allocated, ...] = ()
    for number, batch in enumerate(case["batches"], start=1):
        drawn += design.draw(seed=SEED, batch=number, clusters=listed(batch), drawn=drawn)
    assert [[row.batch, row.cluster, row.arm] for row in drawn] == case["drawn"]
    assert [list_hash(listed(batch)) for batch in case["batches"]] == case["list_hashes"]
    assert {row.arm for row in drawn} == set(case["arms"])
