"""Constants of an experiment: what is written is what is kept, whatever the words; a date stays a date."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from nudge.base.values import uk_date
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.fields import RESERVED
from nudge.experiment.loader import parse
from nudge.experiment.seal import definition_hash

PRINTABLE = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40)
WORDS = PRINTABLE.map(str.strip).filter(lambda text: text and uk_date(text) is None and text[:2] != "20")
NAMES = st.from_regex(r"[a-z][a-z0-9_]{2,12}", fullmatch=True).filter(lambda name: name not in RESERVED)
VALUES = st.one_of(WORDS, st.integers(-(10**9), 10**9), st.dates(date(2000, 1, 1), date(2099, 12, 31)))


def written(value: str | int | date) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value.isoformat() if isinstance(value, date) else str(value)


def read(tiny_live: str, details: dict[str, str | int | date]) -> LiveExperiment:
    lines = "".join(f"  {name}: {written(value)}\n" for name, value in details.items())
    experiment = parse(f"{tiny_live}details:\n{lines}", "tiny.yaml").experiment
    assert isinstance(experiment, LiveExperiment)
    return experiment


@given(details=st.dictionaries(NAMES, VALUES, min_size=1, max_size=30))
def test_a_detail_is_kept_as_it_is_written_and_survives_the_seal(
    tiny_live: str, details: dict[str, str | int | date]
) -> None:
    experiment = read(tiny_live, details)
    assert dict(experiment.details) == details
    assert {name: type(value) for name, value in experiment.details.items()} == {n: type(v) for n, v in details.items()}
    again = LiveExperiment.model_validate(experiment.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    assert again.details == experiment.details
    assert definition_hash(again) == definition_hash(experiment)


def test_i7_another_detail_is_another_definition(tiny_live: str) -> None:
    hashes = {definition_hash(read(tiny_live, {"places": value})) for value in (40, 41, "40", "£40", date(2027, 1, 20))}
    assert len(hashes) == 5
