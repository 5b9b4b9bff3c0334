"""What is read at a site, period by period: counts over days, and vehicles in bands of which the top one is open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.base.errors import Place, Refused
from nudge.experiment.definition import Outcome
from nudge.records.tables import MeasurementRow
from nudge.trial.schedule import Span
from nudge.trial.site_counts import Reading, rate, straddling
from nudge.trial.site_speeds import Speeds
from nudge.trial.site_table import readings_of
from tests.trial.test_sites import codes

BEFORE = Span(first=-14, last=-1, until=0)
FIRST = Span(first=1, last=27, until=28)
SECOND = Span(first=29, last=56)
EVERY = (BEFORE, FIRST, SECOND)
PLACE = Place("site S01")


def outcome(**keys: object) -> Outcome:
    wanted = {"id": "seen", "type": "rate", "source": "surveys", "primary": True, "better": "lower"} | keys
    return Outcome.model_validate(wanted)


# ---- counts over days


@pytest.mark.parametrize(
    ("since", "on", "held"),
    [
        (-7, -1, BEFORE),
        (-7, 0, BEFORE),  # counted and cleared on the day the signs go up: before them
        (-30, -10, BEFORE),  # from before the baseline, in which nothing changed
        (-3, 4, None),
        (-1, 1, None),  # day 0 is of both
        (0, 7, FIRST),
        (0, 28, FIRST),
        (21, 28, FIRST),
        (24, 31, None),
        (27, 29, None),
        (28, 35, SECOND),
        (49, 56, SECOND),
        (50, 57, None),
        (None, -1, BEFORE),
        (None, 0, None),
        (None, 28, None),
        (None, 29, SECOND),
    ],
)
def test_a_survey_counts_in_the_period_that_its_days_lie_in(since: int | None, on: int, held: Span | None) -> None:
    assert [span for span in EVERY if span.holds(since, on)] == ([held] if held is not None else [])


@given(st.integers(-40, 70), st.integers(0, 40))
def test_no_survey_counts_in_two_periods_and_none_over_days_of_both(since: int, days: int) -> None:
    on = since + days
    held = [span for span in EVERY if span.holds(since, on)]
    assert len(held) <= 1
    for span in held:
        others = [other for other in EVERY if other is not span]
        assert not any(other.first <= day <= other.last for other in others for day in range(since + 1, on + 1))


def test_i9_a_survey_over_days_of_two_periods_is_left_out_with_its_exposure_and_told() -> None:
    read = [
        reading
        for since, on, number in ((-7, 0, 9), (-3, 4, 100), (4, 11, 3), (11, 18, 4))
        for reading in (
            Reading(on, "surveys/litter", number, since=since),
            Reading(on, "surveys/litter/exposure", 1_000 * (on - since), since=since),
        )
    ]
    litter = outcome()
    assert [rate(litter, read, span) for span in EVERY] == [(9, 7.0), (7, 14.0), (None, None)]
    assert straddling([litter, litter], read, EVERY) == {("surveys/litter", 4)}
    assert rate(outcome(column="Litter"), read, FIRST) == (7, 14.0)
    assert rate(outcome(column="fouling"), read, FIRST) == (None, None)
    assert straddling([outcome(column="fouling")], read, EVERY) == set()


def test_the_days_of_a_count_are_those_of_its_own_file() -> None:
    def row(name: str, number: int, file: str) -> MeasurementRow:
        return MeasurementRow(trial="t", unit="u", name=name, on_day=1_007, number=number, import_sha256=file, row=2)

    rows = []
    for file, since in (("a", 0), ("b", -1)):  # on day 7: one over the week, one from before the signs
        rows += [row("surveys/litter", 4, file), row("surveys/litter/exposure", 1_000 * (7 - since), file)]
        rows.append(row("surveys/litter/since", 1_000 + since, file))
    assert rate(outcome(), readings_of(rows, 1_000)["u"], FIRST) == (4, 7.0)


def test_a_log_of_incidents_is_over_the_days_of_the_period_and_without_any_has_none() -> None:
    read = [Reading(day, f"incidents/{what}", 1) for day, what in ((0, "tip"), (1, "tip"), (27, "fire"), (28, "tip"))]
    assert rate(outcome(source="incidents"), read, FIRST) == (2, 27.0)
    assert rate(outcome(source="incidents", column="tip"), read, FIRST) == (1, 27.0)
    assert rate(outcome(source="incidents"), [], FIRST) == (0, 27.0)


# ---- an open band


def speeds(*bands: tuple[int, int, int], top: tuple[int, int] | None = None) -> Speeds:
    """Vehicles by lower and upper edge; `top` has a lower edge only, and is kept as 5 mph wide."""
    named = [(f"speeds/{1000 * lower}/{1000 * upper}", number) for lower, upper, number in bands]
    if top is not None:
        named.append((f"speeds/{1000 * top[0]}/{1000 * top[0] + 5000}/open", top[1]))
    return Speeds.of([*named, ("surveys/litter", 8)])


@pytest.mark.parametrize(
    ("keys", "number", "refused"),
    [
        ({"type": "percentile", "percentile": 85}, 15, False),
        ({"type": "percentile", "percentile": 85}, 16, True),
        ({"type": "percentile", "percentile": 95}, 5, False),
        ({"type": "percentile", "percentile": 95}, 6, True),
        ({"type": "mean"}, 5, False),
        ({"type": "mean"}, 6, True),
        ({"type": "proportion", "limit": 35}, 50, False),
        ({"type": "proportion", "limit": 34.9}, 50, False),
        ({"type": "proportion", "limit": 30}, 50, False),
        ({"type": "proportion", "limit": 36}, 1, True),
    ],
)
def test_a_figure_that_the_open_band_may_hide_is_refused_at_its_site(
    keys: dict[str, object], number: int, refused: bool
) -> None:
    asked = outcome(source="speeds", **keys)
    read = speeds((25, 30, 50 - number // 2), (30, 35, 50 - (number + 1) // 2), top=(35, number))
    if not refused:
        known = read.figure(asked, PLACE)
        # the guess at the upper edge moves a mean within its limit, and nothing else
        wider = Speeds(read.lower, read.upper + 50 * read.open, read.count, read.open)
        assert known is not None
        assert keys["type"] == "mean" or wider.figure(asked, PLACE) == pytest.approx(known, abs=1e-9)
        return
    with pytest.raises(Refused) as refusal:
        read.figure(asked, PLACE)
    assert codes(refusal) == ["band-open"]
    assert "site S01" in str(refusal.value)


def test_an_open_band_without_vehicles_hides_nothing() -> None:
    asked = outcome(source="speeds", type="percentile", percentile=85)
    assert speeds((25, 30, 40), (30, 35, 60), top=(35, 0)).figure(asked, PLACE) == pytest.approx(33.75)
