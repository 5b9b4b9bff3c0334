"""Pairs, rerandomisation, minimisation and sequences: drawn, redrawn and told apart by the same questions."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.distances import whitened
from nudge.allocation.listing import list_hash
from nudge.allocation.pairs import made_pairs
from nudge.allocation.rerandomised import Balanced
from nudge.allocation.sequences import crossover, schedule, stepped_wedge
from nudge.base.canonical import digest
from nudge.base.errors import Refused

SEED = bytes(range(32))
KEY = bytes(range(16))
ARMS = ("current", "new")
PAIRS = Design(trial="demo", arms=ARMS, ratio=(1, 1), method="pairs", covariates=("arrears", "weeks"))
NAMED = Design(trial="demo", arms=ARMS, ratio=(1, 1), method="pairs", pair="block")
RERANDOMISED = Design(
    trial="demo", arms=ARMS, ratio=(1, 1), strata=("patch",), method="rerandomised", covariates=("arrears", "weeks")
)
MINIMISED = Design(trial="demo", arms=ARMS, ratio=(1, 1), strata=("patch", "band"), method="minimised")
WEDGE = stepped_wedge("demo", control="plain", arm="sign", steps=3, strata=("town",))
DESIGNS = {"pairs": PAIRS, "named": NAMED, "rerandomised": RERANDOMISED, "minimised": MINIMISED, "sequences": WEDGE}


def entries(design: Design, count: int, first: int = 1) -> dict[str, Entry]:
    """Invented clusters; figures from their number alone."""
    found = {}
    for number in range(first, first + count):
        patch, band = ("north", "south")[number % 2], ("low", "mid", "high")[number * 7 % 3]
        levels = {0: "all", 1: patch, 2: f"{patch}\t{band}"}[len(design.strata)]
        found[f"H{number:03d}"] = Entry(
            stratum=levels,
            pair=f"P{(number + 1) // 2}" if design.pair else None,
            covariates=(number * 37 % 101, None if number % 9 == 0 else number * 53 % 17) if design.covariates else (),
        )
    return found


def two_batches(design: Design) -> tuple[tuple[Allocated, ...], dict[int, dict[str, Entry]]]:
    lists = {1: entries(design, 11), 2: entries(design, 12, first=12)}
    first = design.draw(seed=SEED, batch=1, clusters=lists[1])
    return (*first, *design.draw(seed=SEED, batch=2, clusters=lists[2], drawn=first)), lists


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_i2_the_order_of_the_list_and_of_earlier_rows_changes_no_arm(design: Design) -> None:
    rows, lists = two_batches(design)
    for turn in range(3):
        shuffled = [dict(random.Random(turn).sample([*part.items()], len(part))) for part in lists.values()]
        first = design.draw(seed=SEED, batch=1, clusters=shuffled[0])
        before = random.Random(turn).sample(first, len(first))
        assert (*first, *design.draw(seed=SEED, batch=2, clusters=shuffled[1], drawn=before)) == rows


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_i3_a_cluster_already_drawn_keeps_its_arm_and_takes_no_place(design: Design) -> None:
    rows, lists = two_batches(design)
    first = tuple(row for row in rows if row.batch == 1)
    again = design.draw(seed=SEED, batch=2, clusters={**lists[1], **lists[2]}, drawn=first)
    assert again == rows[len(first) :]
    assert design.draw(seed=SEED, batch=3, clusters={**lists[1], **lists[2]}, drawn=rows) == ()


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_chances_are_the_frequencies_of_redraws(design: Design) -> None:
    rows, lists = two_batches(design)
    assignment = design.assignment(rows, lists)
    redraws = np.concatenate([*assignment.redraw(4_000, KEY)])
    for code in range(len(assignment.arms)):
        chance = assignment.probabilities()[:, code]
        error = np.sqrt(chance * (1 - chance) / len(redraws)) + 1e-9
        assert (np.abs((redraws == code).mean(axis=0) - chance) <= 4 * error).all()


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_redraws_are_the_same_whatever_the_chunk(design: Design) -> None:
    rows, lists = two_batches(design)
    assignment = design.assignment(rows, lists)
    whole = np.concatenate([*assignment.redraw(50, KEY)])
    assert (np.concatenate([*assignment.redraw(50, KEY, chunk=7)]) == whole).all()


@pytest.mark.parametrize("design", [PAIRS, RERANDOMISED], ids=["pairs", "rerandomised"])
def test_what_is_listed_is_what_redraws_reach(design: Design) -> None:
    clusters = entries(design, 8)
    assignment = design.assignment(design.draw(seed=SEED, batch=1, clusters=clusters), {1: clusters})
    listed = {row.tobytes() for row in assignment.enumerate()}
    reached = {row.tobytes() for chunk in assignment.redraw(3_000, KEY) for row in chunk}
    assert listed == reached
    assert assignment.arm.tobytes() in listed
    assert len(assignment.enumerate()) == assignment.allocations()


def test_a_rerandomised_comparison_of_two_arms_holds_the_third_and_the_limit() -> None:
    design = Design(trial="demo", arms=("a", "b", "c"), ratio=(1, 1, 1), method="rerandomised", covariates=("x", "y"))
    clusters = entries(design, 15)
    whole = design.assignment(design.draw(seed=SEED, batch=1, clusters=clusters), {1: clusters})
    between = whole.between("b", "a")
    assert isinstance(whole.rule, Balanced)
    for labels in np.concatenate([*between.redraw(200, KEY)]):
        arms = whole.arm.copy()
        arms[between.positions] = np.where(labels == 1, 1, 0)
        assert whole.rule.holds(arms[None, :], 3)[0]


@pytest.mark.parametrize("arms", [2, 3])
def test_every_redraw_of_a_rerandomised_batch_meets_the_limit(arms: int) -> None:
    design = Design(
        trial="demo", arms=tuple("abc"[:arms]), ratio=(1,) * arms, method="rerandomised", covariates=("x", "y")
    )
    clusters = entries(design, 30)
    rows = design.draw(seed=SEED, batch=1, clusters=clusters)
    assignment = design.assignment(rows, {1: clusters})
    assert isinstance(assignment.rule, Balanced)
    assert assignment.rule.holds(assignment.arm[None, :], arms)[0]
    assert all(assignment.rule.holds(chunk, arms).all() for chunk in assignment.redraw(300, KEY))
    free = design.assignment(rows, {1: clusters}).only(np.arange(30))
    accepted = np.concatenate([assignment.rule.holds(chunk, arms) for chunk in free.redraw(4_000, KEY)])
    assert 0.02 < accepted.mean() < 0.3  # the tenth of 100 reference tries: one in ten, give or take


def test_with_two_arms_the_imbalance_is_the_distance_of_their_means() -> None:
    places = np.array([[1.0, 4.0], [2.0, 1.0], [4.0, 3.0], [7.0, 2.0], [5.0, 9.0]])
    z = whitened(places.tolist())
    arm = np.array([0, 1, 1, 0, 1])
    apart = places[arm == 1].mean(axis=0) - places[arm == 0].mean(axis=0)
    expected = 3 * 2 / 5 * apart @ np.linalg.inv(np.cov(places.T)) @ apart
    from nudge.allocation.rerandomised import imbalance

    assert imbalance(z, arm[None, :].astype(np.int8), 2)[0] == pytest.approx(expected, abs=1e-8)


def test_covariates_that_tell_nothing_new_have_no_column_and_gaps_have_one() -> None:
    rows = [(float(n), 2.0 * n + 1, 5.0, None if n == 3 else float(n * n % 7)) for n in range(8)]
    assert whitened(rows).shape == (8, 3)
    assert whitened([(1.0,)]).shape == (1, 0)


def test_the_closest_are_paired_first_and_equal_distances_go_by_code() -> None:
    values = {"A": 0.0, "B": 10.0, "C": 11.0, "D": 21.0, "E": 40.0}
    clusters = {code: Entry(stratum="all", covariates=(value,)) for code, value in values.items()}
    assert made_pairs(clusters, 1) == [("B", "C"), ("D", "E"), ("A",)]
    even = {code: Entry(stratum="all", covariates=(float(place),)) for place, code in enumerate("DCBA")}
    assert made_pairs(even, 1) == [("A", "B"), ("C", "D")]


def test_made_pairs_are_those_of_a_plain_search() -> None:
    clusters = entries(PAIRS, 41)
    codes = sorted(clusters)
    z = dict(zip(codes, whitened([clusters[code].covariates for code in codes]), strict=True))
    free, expected = set(codes), []
    ranked = sorted(
        combinations(codes, 2), key=lambda two: (round(float(((z[two[0]] - z[two[1]]) ** 2).sum()), 9), two)
    )
    for one, other in ranked:
        if {one, other} <= free:
            expected.append((one, other))
            free -= {one, other}
    assert made_pairs(clusters, 1) == [*expected, *((code,) for code in sorted(free))]


def plain_h(algorithm: str, *parts: object) -> str:
    """H written out once more, from the rules alone."""
    return hmac.new(SEED, "\n".join([algorithm, "demo", *map(str, parts)]).encode(), hashlib.sha256).hexdigest()


def test_the_coins_of_pairs_follow_from_the_rules_alone() -> None:
    rows = NAMED.draw(seed=SEED, batch=1, clusters=entries(NAMED, 7))
    pairs = sorted(
        [("H001", "H002"), ("H003", "H004"), ("H005", "H006"), ("H007",)],
        key=lambda pair: plain_h("nudge-pairs/1", "order", 1, pair[0]),
    )
    expected = {}
    for block, pair in enumerate(pairs, start=1):
        arms = sorted(ARMS, key=lambda arm: plain_h("nudge-pairs/1", "slot", 1, "all", block, arm, 1))
        expected |= dict(zip(pair, arms, strict=False))
    assert {row.cluster: row.arm for row in rows} == expected


def test_minimisation_follows_from_the_rules_alone() -> None:
    clusters = entries(MINIMISED, 25)
    counts: Counter[tuple[int, str, str]] = Counter()
    expected = {}
    for code in sorted(clusters, key=lambda code: plain_h("nudge-minimised/1", "order", 1, code)):
        levels = clusters[code].stratum.split("\t")
        worse = {
            arm: sum(
                abs((counts[f, level, ARMS[0]] + (arm == ARMS[0])) - (counts[f, level, ARMS[1]] + (arm == ARMS[1])))
                for f, level in enumerate(levels)
            )
            for arm in ARMS
        }
        first = 0.5 if worse[ARMS[0]] == worse[ARMS[1]] else 0.8 if worse[ARMS[0]] < worse[ARMS[1]] else 1 - 0.8
        coin = int(plain_h("nudge-minimised/1", "coin", 1, 1, code)[:13], 16) / 2**52
        expected[code] = ARMS[0] if coin < first else ARMS[1]
        for f, level in enumerate(levels):
            counts[f, level, expected[code]] += 1
    assert {row.cluster: row.arm for row in MINIMISED.draw(seed=SEED, batch=1, clusters=clusters)} == expected


def test_a_minimised_draw_balances_each_factor_better_than_coins_do() -> None:
    rows, _ = two_batches(MINIMISED)
    assignment = MINIMISED.assignment(rows)
    north = np.array([row.stratum.startswith("north") for row in rows])
    redraws = np.concatenate([*assignment.redraw(2_000, KEY)])
    apart = np.abs((2.0 * redraws[:, north] - 1).sum(axis=1)).mean()
    assert apart < 0.7 * np.sqrt(2 * north.sum() / np.pi)


def test_a_minimised_comparison_with_a_third_arm_is_refused() -> None:
    design = Design(trial="demo", arms=("a", "b", "c"), ratio=(1, 1, 1), strata=("patch",), method="minimised")
    assignment = design.assignment(design.draw(seed=SEED, batch=1, clusters=entries(design, 20)))
    with pytest.raises(Refused) as refusal:
        assignment.between("b", "a")
    assert refusal.value.problems[0].code == AllocationCode.MINIMISED_ARMS.slug


@pytest.mark.parametrize("measure", ["range", "variance"])
def test_a_minimised_draw_of_three_arms_gives_each_the_same_chance(measure: str) -> None:
    design = Design(
        trial="demo",
        arms=("a", "b", "c"),
        ratio=(1, 1, 1),
        strata=("patch",),
        method="minimised",
        imbalance=measure,
    )
    assignment = design.assignment(design.draw(seed=SEED, batch=1, clusters=entries(design, 20)))
    redraws = np.concatenate([*assignment.redraw(3_000, KEY)])
    for code in range(3):
        assert np.abs((redraws == code).mean(axis=0) - 1 / 3).max() < 4 * np.sqrt(2 / 9 / 3_000)


def test_earlier_rows_that_the_seed_does_not_give_are_refused() -> None:
    for design in (PAIRS, MINIMISED):
        rows, _ = two_batches(design)
        with pytest.raises(Refused) as refusal:
            design.draw(seed=bytes(32), batch=3, clusters=entries(design, 4, first=40), drawn=rows)
        assert refusal.value.problems[0].code == AllocationCode.SEED_DOES_NOT_FIT.slug


def test_a_wedge_permutes_steps_within_towns_and_tells_each_period() -> None:
    sites = {f"S{number}": "north" if number % 2 else "south" for number in range(12)}
    rows = WEDGE.draw(seed=SEED, batch=1, clusters=sites)
    for town in ("north", "south"):
        assert sorted(row.arm for row in rows if row.stratum == town) == sorted(WEDGE.arms * 2)
    plan = schedule(WEDGE, rows)
    assert {plan[row.cluster] for row in rows if row.arm == "step 1"} == {("plain", "sign", "sign", "sign")}
    assert all(conditions[0] == "plain" and conditions[-1] == "sign" for conditions in plan.values())


def test_a_crossover_gives_each_order_its_share_of_sites() -> None:
    design = crossover("demo", orders=[("a", "b"), ("b", "a")])
    rows = design.draw(seed=SEED, batch=1, clusters=dict.fromkeys([f"S{number}" for number in range(10)], "all"))
    assert Counter(row.arm for row in rows) == {"a then b": 5, "b then a": 5}
    with pytest.raises(Refused):
        crossover("demo", orders=[("a", "b"), ("b",)])


def test_the_hash_of_a_list_of_strata_alone_is_what_it_always_was() -> None:
    strata = {"H01": "north", "H02": "south"}
    always = digest([["H01", "north"], ["H02", "south"]])
    assert list_hash(strata) == always
    assert list_hash({code: Entry(stratum=stratum) for code, stratum in strata.items()}) == always


def test_a_changed_covariate_or_pair_changes_the_hash_and_the_type_of_a_number_does_not() -> None:
    base = {"H01": Entry(stratum="all", covariates=(3, None))}
    assert list_hash(base) == list_hash({"H01": Entry(stratum="all", covariates=(3.0, None))})
    changed = [
        Entry(stratum="all", covariates=(3.5, None)),
        Entry(stratum="all", covariates=(3, 0)),
        Entry(stratum="all"),
    ]
    assert len({list_hash({"H01": entry}) for entry in [base["H01"], *changed]}) == 4


BAD = {
    "three arms in pairs": (
        {"method": "pairs", "pair": "x", "arms": ("a", "b", "c"), "ratio": (1, 1, 1)},
        "PAIRS_OF_TWO_ARMS",
    ),
    "pair and covariates": ({"method": "pairs", "pair": "x", "covariates": ("y",)}, "PAIR_OR_COVARIATES"),
    "no covariates": ({"method": "rerandomised"}, "COVARIATES_NEEDED"),
    "acceptance of 0": ({"method": "rerandomised", "covariates": ("x",), "acceptance": 0.0}, "ACCEPTANCE_OUT_OF_RANGE"),
    "too many": ({"method": "rerandomised", "covariates": tuple("abcdefghijklm")}, "COVARIATES_TOO_MANY"),
    "no factors": ({"method": "minimised"}, "FACTORS_NEEDED"),
    "a ratio": ({"method": "minimised", "strata": ("x",), "ratio": (2, 1)}, "MINIMISED_RATIO"),
    "certain": ({"method": "minimised", "strata": ("x",), "chance": 1.0}, "CHANCE_OUT_OF_RANGE"),
    "chance in blocks": ({"chance": 0.8}, "TERM_OF_ANOTHER_METHOD"),
    "no periods": ({"method": "sequences"}, "SEQUENCES_UNEVEN"),
}


@pytest.mark.parametrize(("terms", "code"), BAD.values(), ids=BAD)
def test_a_design_that_cannot_be_drawn_is_refused_with_its_reason(terms: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        Design(**({"trial": "demo", "arms": ARMS, "ratio": (1, 1)} | terms))
    assert AllocationCode[code].slug in {problem.code for problem in refusal.value.problems}


def test_lists_that_do_not_fit_the_design_are_refused() -> None:
    wrong = {
        "COVARIATES_MISFIT": (PAIRS, {"H1": Entry(stratum="all", covariates=(1.0,))}),
        "LEVELS_MISFIT": (MINIMISED, {"H1": Entry(stratum="north")}),
        "PAIR_TOO_LARGE": (NAMED, {f"H{n}": Entry(stratum="all", pair="P") for n in range(3)}),
        "PAIRS_TOO_MANY": (PAIRS, {f"H{n}": Entry(stratum="all", covariates=(n, n)) for n in range(4_001)}),
    }
    for code, (design, clusters) in wrong.items():
        with pytest.raises(Refused) as refusal:
            design.draw(seed=SEED, batch=1, clusters=clusters)
        assert refusal.value.problems[0].code == AllocationCode[code].slug


def test_a_rerandomised_draw_is_not_redrawn_without_its_list() -> None:
    rows, lists = two_batches(RERANDOMISED)
    with pytest.raises(Refused) as refusal:
        RERANDOMISED.assignment(rows, {1: lists[1]})
    assert refusal.value.problems[0].code == AllocationCode.LIST_FOR_REDRAW_MISSING.slug


def test_the_smallest_p_of_a_ruled_design_says_what_a_test_could_reach() -> None:
    rows, lists = two_batches(MINIMISED)
    assert 0 < MINIMISED.assignment(rows).attainable_p() < 1e-4
    few = entries(RERANDOMISED, 6)
    small = RERANDOMISED.assignment(RERANDOMISED.draw(seed=SEED, batch=1, clusters=few), {1: few})
    assert small.attainable_p() >= 1 / small.allocations()
    many, lists = two_batches(RERANDOMISED)
    assert 0 < RERANDOMISED.assignment(many, lists).attainable_p() < 0.05
