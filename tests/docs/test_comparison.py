"""Every claim of the comparison page about nudge points at a test that is there."""

from __future__ import annotations

import re
from typing import Final

import pytest
from pages import ROOT

PAGE: Final = (ROOT / "docs" / "comparison.md").read_text("utf-8")
ROWS: Final = [line for line in PAGE.splitlines() if re.match(r"\| (?!Feature|-)", line)]
PROOF: Final = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")


def test_the_page_has_a_row_for_each_feature_and_a_column_for_each_product() -> None:
    assert len(ROWS) >= 26
    assert {line.count("|") for line in ROWS} == {ROWS[0].count("|")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_row_names_a_test_that_proves_it(row: str) -> None:
    found = PROOF.findall(row)
    assert found, "no test is named"
    for name, path in found:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path}: {name}"
