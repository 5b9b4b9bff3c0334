"""The certificate of a draw: rules of the trial §4."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nudge.allocation.certificate import (
    BatchLine,
    Certificate,
    EpochLine,
    Level,
    SealLine,
    from_json,
    ledger_hash,
    list_hash,
    opened,
    verify,
)
from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design
from nudge.allocation.schemes import draw
from nudge.base.errors import Refused
from nudge.experiment.seal import commitment, seed

SECRET = bytes(range(100, 132))
BEACON = "4 8 15 16 23 42"
DESIGNS = {
    1: Design(trial="demo", arms=("current", "new"), ratio=(1, 1), strata=("patch",)),
    2: Design(trial="demo", arms=("current", "new"), ratio=(2, 1), strata=("patch",), epoch=2),
}
EPOCHS = {1: 1, 2: 1, 3: 2}
LISTS = {
    1: {f"a{number:02d}": "north" if number % 3 else "south" for number in range(17)},
    2: {"a01": "north", **{f"b{number:02d}": "north" for number in range(6)}},  # a01 has its arm already
    3: {f"c{number:02d}": "south" for number in range(8)},
}


def run(beacon: str = BEACON) -> tuple[Certificate, tuple[Allocated, ...]]:
    """A trial of three batches and two epochs, before its close."""
    seals = tuple(
        SealLine(
            number=number,
            sealed_at=f"2026-1{number}-20T09:00:00Z",
            definition_hash=f"{number}" * 64,
            seal_hash=f"{number + 4}" * 64,
            commitment=commitment("demo", f"{number + 4}" * 64, SECRET),
        )
        for number in (1, 2)
    )
    rows: tuple[Allocated, ...] = ()
    batches: list[BatchLine] = []
    for number, clusters in LISTS.items():
        new = draw(DESIGNS[EPOCHS[number]], seed=seed(SECRET, beacon), batch=number, clusters=clusters, drawn=rows)
        batches.append(
            BatchLine(
                number=number,
                epoch=EPOCHS[number],
                frozen_at=f"2026-12-{number + 5:02d}T10:00:00Z",
                drawn_at=f"2026-12-{number + 5:02d}T10:00:01Z",
                list_hash=list_hash(clusters),
                clusters=len(new),
                units=len(new) + 2,
                late_members=1,
                previous_hash=ledger_hash("demo", batches[-1]) if batches else seals[0].commitment,
            )
        )
        rows += new
    certificate = Certificate(
        trial="demo",
        seals=seals,
        beacon="none" if beacon == "none" else "national lottery 2026-12-05",
        beacon_value=beacon,
        witness="internal audit",
        versions={"nudge": "0.1.0"},
        epochs=tuple(map(EpochLine.of, DESIGNS.values())),
        batches=tuple(batches),
    )
    return certificate, rows


RUNNING, ROWS = run()
CLOSED = opened(RUNNING, secret=SECRET, allocated=reversed(ROWS))


def codes(problems: object) -> list[str]:
    return [problem.code for problem in problems]


def test_i8_an_auditor_draws_again_and_finds_every_arm() -> None:
    assert verify(CLOSED, LISTS, recorded=reversed(ROWS)) == ()
    assert [(line.batch, line.arm) for line in CLOSED.opened.drawn] == [(row.batch, row.arm) for row in ROWS]


def test_i8_nothing_that_foretells_an_arm_is_told_before_the_close() -> None:
    text = RUNNING.to_json()
    assert json.loads(text)["opened"] is None
    assert SECRET.hex() not in text
    assert codes(verify(RUNNING, LISTS)) == [AllocationCode.SECRET_UNOPENED.slug]


def test_i12_no_code_of_a_cluster_is_in_a_certificate() -> None:
    assert not any(f'"{row.cluster}"' in CLOSED.to_json() for row in ROWS)


@pytest.mark.parametrize("certificate", [RUNNING, CLOSED], ids=["running", "closed"])
def test_a_certificate_reads_back_as_it_was_written(certificate) -> None:
    text = certificate.to_json()
    assert from_json(text) == certificate
    assert from_json(text).to_json() == text
    document = json.loads(text)
    document["later_key"] = document["batches"][0]["later_key"] = 1
    assert from_json(json.dumps(document)) == certificate


def test_the_level_says_what_stays_on_trust() -> None:
    assert CLOSED.level is Level.FULL
    assert CLOSED.limits == ("Sealed 2 times: every seal is listed.",)
    alone = replace(CLOSED, witness=None)
    assert alone.level is Level.ORDINARY
    without, rows = run("none")
    assert without.level is Level.ORDINARY
    assert "whoever sealed this could have tried several seeds" in without.limits[0]
    assert replace(without, witness=None).level is Level.WEAK
    assert verify(opened(without, secret=SECRET, allocated=rows), LISTS) == ()


def changed_batch(number: int, **change: object) -> Certificate:
    batches = tuple(replace(line, **change) if line.number == number else line for line in CLOSED.batches)
    return replace(CLOSED, batches=batches)


def changed_line(place: int, **change: object) -> Certificate:
    lines = list(CLOSED.opened.drawn)
    lines[place] = replace(lines[place], **change)
    return replace(CLOSED, opened=replace(CLOSED.opened, drawn=tuple(lines)))


SWAPPED = "new" if CLOSED.opened.drawn[0].arm == "current" else "current"


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (replace(CLOSED, algorithm="nudge-blocks/9"), AllocationCode.ALGORITHM_UNKNOWN),
        (replace(CLOSED, seals=CLOSED.seals[1:]), AllocationCode.SEALS_OUT_OF_ORDER),
        (replace(CLOSED, batches=CLOSED.batches[::2]), AllocationCode.BATCHES_OUT_OF_ORDER),
        (replace(CLOSED, beacon_value="1 2 3 4 5 6"), AllocationCode.DRAW_DIFFERS),
        (replace(CLOSED, beacon_value=None), AllocationCode.BEACON_UNKNOWN),
        (replace(CLOSED, beacon="national lottery 2026-11-19"), AllocationCode.BEACON_TOO_EARLY),
        (replace(CLOSED, beacon="national lottery 2026-12-12"), AllocationCode.BEACON_TOO_EARLY),
        (replace(CLOSED, opened=replace(CLOSED.opened, secret="ab" * 32)), AllocationCode.COMMITMENT_BROKEN),
        (replace(CLOSED, opened=replace(CLOSED.opened, secret="ab")), AllocationCode.SECRET_UNREADABLE),
        (replace(CLOSED, opened=replace(CLOSED.opened, strata=())), AllocationCode.STRATA_MISCOUNTED),
        (replace(CLOSED, epochs=CLOSED.epochs[:1]), AllocationCode.DESIGN_MISSING),
        (
            replace(CLOSED, epochs=(replace(CLOSED.epochs[0], multiples=(1,)), CLOSED.epochs[1])),
            AllocationCode.DESIGN_ALTERED,
        ),
        (changed_batch(2, list_hash="0" * 64), AllocationCode.LIST_CHANGED),
        (changed_batch(2, frozen_at="2026-12-07T11:00:00Z"), AllocationCode.DRAWN_BEFORE_FROZEN),
        (changed_batch(2, frozen_at="2026-12-07T09:00:00Z"), AllocationCode.LEDGER_BROKEN),
        (changed_batch(1, previous_hash="0" * 64), AllocationCode.LEDGER_BROKEN),
        (changed_batch(2, clusters=7), AllocationCode.CLUSTERS_MISCOUNTED),
        (changed_line(0, arm=SWAPPED), AllocationCode.DRAW_DIFFERS),
        (changed_line(3, slot=9), AllocationCode.DRAW_DIFFERS),
    ],
    ids=lambda value: getattr(value, "slug", ""),
)
def test_i8_whatever_was_changed_is_found(certificate, code) -> None:
    assert code.slug in codes(verify(certificate, LISTS))


def test_i8_a_list_that_is_not_the_frozen_one_is_found() -> None:
    assert codes(verify(CLOSED, {1: LISTS[1], 2: LISTS[2]})) == [AllocationCode.LIST_MISSING.slug]
    moved = {**LISTS[1], "a03": "north"}
    assert AllocationCode.LIST_CHANGED.slug in codes(verify(CLOSED, {**LISTS, 1: moved}))


def test_i8_records_that_are_not_the_draw_are_found() -> None:
    swapped = replace(ROWS[0], arm=SWAPPED)
    for recorded in (ROWS[1:], (swapped, *ROWS[1:]), (*ROWS, replace(ROWS[0], cluster="zz"))):
        assert codes(verify(CLOSED, LISTS, recorded=recorded)) == [AllocationCode.RECORDS_DIFFER.slug]


def test_i2_a_list_has_one_hash_in_any_order() -> None:
    assert list_hash(LISTS[1]) == list_hash(dict(reversed(LISTS[1].items())))
    assert list_hash({"é": "all"}) == list_hash({"e\u0301": "all"})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", AllocationCode.CERTIFICATE_NOT_JSON),
        ("[]", AllocationCode.CERTIFICATE_OF_ANOTHER_KIND),
        ('{"schema": "nudge-certificate/2"}', AllocationCode.CERTIFICATE_OF_ANOTHER_KIND),
        ('{"schema": "nudge-certificate/1"}', AllocationCode.CERTIFICATE_LACKS),
        ('{"schema": "nudge-certificate/1", "opened": 3}', AllocationCode.CERTIFICATE_LACKS),
    ],
)
def test_a_file_that_is_no_certificate_is_refused(text, code) -> None:
    with pytest.raises(Refused) as refusal:
        from_json(text)
    assert codes(refusal.value.problems) == [code.slug]
