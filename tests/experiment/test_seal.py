"""The seal, byte by byte: every format worked out a second time here from the sentence in the rules."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.experiment import seal
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.loader import parse

SECRET = bytes(range(32))
SIGNED = '{service: "JP 2026-11-20", legal: "A. Okafor 2026-11-20", communications: "RS, 2026-11-21", data_protection: "TB 2026-11-22"}'  # noqa: E501


def live(text: str) -> LiveExperiment:
    experiment = parse(text, "trial.yaml").experiment
    assert isinstance(experiment, LiveExperiment)
    return experiment


def test_the_commitment_is_the_hash_that_the_rules_spell() -> None:
    seal_hash = "ab" * 32
    text = b"nudge-commit/1\n" + b"demo" + b"\n" + seal_hash.encode() + b"\n" + SECRET.hex().encode()
    assert seal.commitment("demo", seal_hash, SECRET) == hashlib.sha256(text).hexdigest()
    # openssl dgst -sha256
    known = "48420a26dff40f43eaacb49202f19b863918a4599c64843a11b553bea55ad486"
    assert seal.commitment("demo", seal_hash, SECRET) == known


def test_i8_the_seed_is_the_beacon_under_the_secret() -> None:
    expected = hmac.new(SECRET, b"nudge-seed/1\n03 11 17 29 40 52", hashlib.sha256).digest()
    assert seal.seed(SECRET, "03 11 17 29 40 52") == expected
    # openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f
    assert expected.hex() == "9383d8b4968fab3cda351c838768f441f0ba3f165e7e33401cc51cba0957e893"
    assert seal.seed(SECRET, "none").hex() == "dd3b261b56f12f11ba2c48ea7e04a8d35fdd5147c4ec13b2153539466cff8878"


def test_i12_a_cluster_is_drawn_under_a_pseudonym_of_16_digits() -> None:
    expected = hmac.new(SECRET, b"nudge-code/1\nuprn:100012345678", hashlib.sha256).hexdigest()[:16]
    assert seal.cluster_code(SECRET, "uprn:100012345678") == expected == "7b640de8b721a744"


@given(st.text(min_size=1, max_size=30).filter(lambda text: text == text.strip() and "\n" not in text))
def test_any_beacon_that_can_be_typed_gives_a_seed(beacon: str) -> None:
    try:
        encoded = beacon.encode()
    except UnicodeEncodeError:
        return
    assert seal.seed(SECRET, beacon) == hmac.digest(SECRET, b"nudge-seed/1\n" + encoded, "sha256")


@pytest.mark.parametrize("beacon", ["", " 7", "7 ", "7\n8"])
def test_a_beacon_that_two_people_could_type_differently_is_refused(beacon: str) -> None:
    with pytest.raises(ValueError, match="one line without spaces at its ends"):
        seal.seed(SECRET, beacon)


@pytest.mark.parametrize("secret", [b"", SECRET[:31], SECRET + b"x"])
def test_a_secret_is_32_bytes(secret: bytes) -> None:
    for use in (
        lambda: seal.seed(secret, "none"),
        lambda: seal.commitment("demo", "00", secret),
        lambda: seal.cluster_code(secret, "k"),
    ):
        with pytest.raises(ValueError, match="32 bytes"):
            use()


def test_i7_the_definition_hash_is_of_canonical_json(tiny_live: str) -> None:
    said = {
        "id": "tiny", "title": "A letter", "question": "Does it help?", "unit": "tenancy",
        "columns": {"arrears": "money", "weeks": "number", "patch": "text", "agreed": "flag", "court": "date"},
        "eligible": "all", "suppress": ["deceased"],
        "events": {"contact": {"from": "contacts", "when": 'direction == "in"'}},
        "arms": [{"id": "old", "control": True}, {"id": "new"}],
        "design": {"method": "blocked", "ratio": [1, 1]},
        "outcomes": [{"id": "reply", "type": "time_to_event", "primary": True, "better": "lower", "event": ["contact"],
                      "horizon": 56, "repeats": True}],
        "smallest_worthwhile": {"reply": 3}, "harms": ["complaint"], "governance": {},
    }  # fmt: skip
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert seal.definition_hash(live(tiny_live)) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("horizon: 56", "horizon: 55"),
        ("Does it help?", "Does it help"),
        ("{reply: 3}", "{reply: 4}"),
        ("id: new}", "id: new, letter: letters/new.html}"),
        ('"in"', '"out"'),
        ("eligible: all", "eligible: arrears >= 10"),
    ],
)
def test_i7_whatever_changes_the_meaning_changes_the_hash(tiny_live: str, of: str, to: str) -> None:
    changed = live(tiny_live.replace(of, to))
    assert seal.definition_hash(changed) != seal.definition_hash(live(tiny_live))


def test_i7_comments_layout_and_defaults_written_out_do_not(tiny_live: str) -> None:
    same = "# a note\n" + tiny_live.replace("{method: blocked}", "{enrol: weekly, method: blocked,   ratio: [1, 1]}")
    same = (
        same.replace("reply: 3", "reply: 3.0").replace("primary: true", "primary: true, better: lower")
        + "analysis: {confidence: 0.95}\n"
    )
    assert seal.definition_hash(live(same)) == seal.definition_hash(live(tiny_live))


def test_i7_the_seal_hash_covers_definition_templates_claims_and_sources() -> None:
    parts = ("d" * 64, {"letters/a.html": "a" * 64}, {"norm": {"share": "61%"}}, {"data/history.csv": "b" * 64})
    whole = (
        '{"claims":{"norm":{"share":"61%"}},"definition":"' + "d" * 64 + '","schema":"nudge-seal/1",'
        '"sources":{"data/history.csv":"' + "b" * 64 + '"},"templates":{"letters/a.html":"' + "a" * 64 + '"}}'
    )
    assert seal.seal_hash(*parts) == hashlib.sha256(whole.encode()).hexdigest()
    others = ("e" * 64, {"letters/a.html": "c" * 64}, {"norm": {"share": "62%"}}, {})
    for index, other in enumerate(others):
        changed = [*parts[:index], other, *parts[index + 1 :]]
        assert seal.seal_hash(*changed) != seal.seal_hash(*parts)


def test_the_shipped_flagship_lacks_only_initials_and_a_keeper(flagship: str) -> None:
    loaded = parse(flagship, "wealden-arrears.yaml")
    assert isinstance(loaded.experiment, LiveExperiment)
    assert [str(problem) for problem in seal.unsealable(loaded.experiment, loaded.place)] == [
        'wealden-arrears.yaml:82:23: expected initials and date of the service. Write them as "JP 2026-11-20".',
        'wealden-arrears.yaml:82:34: expected initials and date of legal. Write them as "JP 2026-11-20".',
        'wealden-arrears.yaml:82:54: expected initials and date of communications. Write them as "JP 2026-11-20".',
        'wealden-arrears.yaml:82:75: expected initials and date of data protection. Write them as "JP 2026-11-20".',
        "wealden-arrears.yaml:83:11: expected `keeper` under `governance`. Name the person who will hold the secret.",
    ]
    blank = '{service: "", legal: "", communications: "", data_protection: ""}'
    assert seal.unsealable(live(flagship.replace(blank, SIGNED).replace('keeper: ""', "keeper: T. Bell"))) == ()


def test_what_a_bare_experiment_lacks_for_the_seal_is_all_listed(tiny_live: str) -> None:
    problems = seal.unsealable(live(tiny_live))
    assert [problem.code for problem in problems] == [
        "seal-baseline", "seal-letter", *["seal-sign-off"] * 4, *["seal-governance"] * 4
    ]  # fmt: skip
    assert str(problems[0].place) == "tiny:baseline"


@pytest.mark.parametrize("entry", ["", "JP", "2026-11-20", "JP 20/11/2026", "JP 2026-02-30", "JP 2026-11-20 and more"])
def test_a_sign_off_needs_initials_and_a_date_that_exists(entry: str) -> None:
    assert seal.signed_on(entry) is None


def test_a_beacon_may_name_its_day() -> None:
    assert seal.beacon_day("national lottery 2026-12-05") == date(2026, 12, 5)
    assert seal.beacon_day("drand round 4711000") is None
    assert seal.beacon_day("none") is None
