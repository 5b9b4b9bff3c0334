"""The list of experiments that come with nudge names files that are there, twenty in all."""

from __future__ import annotations

import re
from typing import Final

from nudge.base.resources import resources
from nudge.experiment.loader import load
from nudge.experiment.schema import as_text
from tests.experiments.test_letters import of_letters

PAGE: Final = (resources() / "docs" / "experiments.md").read_text("utf-8")
NAMED: Final = re.findall(r"^\| (\d+) \|.*?\]\(\.\./experiments/([a-z-]+)\.yaml\)", PAGE, re.MULTILINE)


def test_each_of_the_twenty_practices_has_a_file_that_reads_as_an_experiment() -> None:
    assert [int(number) for number, _ in NAMED] == list(range(1, 21))
    for _, name in NAMED:
        assert load(resources() / "experiments" / f"{name}.yaml").experiment.id == name


def test_every_live_experiment_of_letters_is_on_the_list_or_is_told_in_its_file() -> None:
    named = {name for _, name in NAMED}
    assert {name for name in of_letters() if name not in named} <= {"appointment-reminder", "waste-notice"}


def test_the_schema_beside_them_is_the_one_of_this_version() -> None:
    assert (resources() / "experiments" / "schema.json").read_text("utf-8") == as_text()
