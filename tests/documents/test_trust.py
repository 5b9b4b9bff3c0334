"""Tenants with every awkward and hostile name, address, sum and text, over all templates: no letter holds anything of
another, and whatever cannot be printed is refused by the letter's reference (I1).

A fixed sample runs always. `make trust` is the long proof: NUDGE_TRUST=10000, and never fewer than 400 a template.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

import pytest
from invented import shipped

from nudge.documents.address import address_lines
from nudge.documents.batch import local_executor, make_letters
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.documents.profiles import profile_named, profiles
from nudge.documents.readback import bare, read_back
from nudge.documents.sample import sample_spec
from nudge.documents.templates import TemplateFolder

COUNT: Final = int(os.environ.get("NUDGE_TRUST", "300"))
LEAST: Final = 400  # of each template in the long proof
SECRET: Final = bytes(range(32))
TOKEN: Final = re.compile(r"Quill[a-z]{6}")
PAYMENT: Final = re.compile(r"98260\d{6}")
TITLES: Final = ("Mr", "Mrs", "Ms", "Mx", "Dr", "Rev", "Cllr", "Pan", "Bà", "Sir", "")
FIRST: Final = (
    "Siân", "Zbigniew", "Nguyễn Thị", "İbrahim", "Mary-Jane", "D’Arcy", "O'Neill", "Jose\u0301", "Łucja", "X Æ", "A",
    "Þóra", "Ștefan", "Κώστας", "Ольга",
)  # fmt: skip
AFTER: Final = ("", "-Jones", " ap Rhys", "'s", " y Castellanos de la Torre", " III", "-Featherstonehaugh")
STREETS: Final = (
    "Mill Lane", "St Mary's Close", "Ffordd y Ŵyn", "The Old Post-Office Yard", "Rua d'Água", "A Street",
    "High St, Rear of", "Court Road", "Straße des 17. Juni", "Nightingale & Sons Wharf",
)  # fmt: skip
# What must never reach a letter from a name or an address: markup, template syntax, other scripts, pictures.
HOSTILE: Final = {
    "markup": ("<b>Bob</b>", "<script>alert(1)</script>", '"><img src=x>', "<!--", "</div><h1>Owed</h1>"),
    "template": ("{{ 7 * 7 }}", "{% include 'letters/base.html' %}", "{{ council }}", "[[name]]", "{#"),
    "right to left": ("محمد علي", "שרה כהן", "\u202eenoJ", "علی‌رضا"),
    "picture": ("Bob 😀", "🏠", "👩‍👩‍👧"),
    "control": ("Bob\u200bJones", "Bob\x07", "Bob\ufeff"),
    "forty lines": ("\n".join(f"line {number} of a note" for number in range(40)),),
    "nothing": ("", "   ", "\u00a0"),
}


def letters(folder: TemplateFolder) -> tuple[str, ...]:
    """Every letter, and every other form of it: Welsh with English, Easy Read."""
    return tuple(name for name in folder.names() if re.fullmatch(r"letters/(?!base)[^/]+\.html", name))


@dataclass(frozen=True)
class Tenant:
    """A letter to be made, and the kind of hostility in it; None: it must be printed. `template` is its form's own."""

    template: str
    spec: LetterSpec
    hostile: str | None


def token(number: int) -> str:
    word = ""
    for _ in range(6):
        number, place = divmod(number, 26)
        word += chr(97 + place)
    return f"Quill{word}"


def tenant(number: int, template: str, chance: random.Random) -> Tenant:
    own = token(7919 * number + 13)
    title, first = chance.choice(TITLES), chance.choice(FIRST)
    surname = own + chance.choice(AFTER)
    name = " ".join(part for part in (title, first, surname) if part)
    lines = [f"{chance.randint(1, 999)} {chance.choice(STREETS)}"]
    lines = [f"Flat {chance.randint(1, 99)}{chance.choice('ABCD')}"] * chance.randint(0, 1) + lines
    lines += ["Upper Wealden", "Hartfield", "East Sussex"][: chance.randint(1, 3)]
    code = f"TN{chance.randint(1, 40)} {chance.randint(0, 9)}{chance.choice('ABDEFGHJ')}Y"
    sum_ = chance.choice([1000, 99_999, 123_456, 9_999_999, chance.randint(1000, 500_000)])
    base = sample_spec(shipped(), template)
    fields = {
        key: sum_ if isinstance(value, int) and not isinstance(value, bool) else
        f"{value} {own}" if isinstance(value, str) else value
        for key, value in base.fields.items()
    }  # fmt: skip
    kind = chance.choice(sorted(HOSTILE)) if chance.random() < 0.15 else None
    if kind is not None:
        evil = chance.choice(HOSTILE[kind])
        where = chance.choice(("name", "line"))
        if where == "name":
            name = evil if kind == "nothing" else f"{name} {evil}"
        elif kind == "nothing":
            lines, code = [], evil
        else:
            lines[0] = f"{lines[0]} {evil}"
    return Tenant(
        template,
        replace(
            base,
            reference=letter_reference(SECRET, "trust", f"u{number}", 1, "first"),
            name=name,
            salutation=name if not title else f"{title} {surname}",
            post_to=(*lines, code),
            fields=fields,
            tenancy_reference=f"T-{number:07d}",
            payment_reference=str(98_260_000_000 + number),
        ),
        kind,
    )


def tenants() -> list[Tenant]:
    chance = random.Random(20261123)
    names = letters(shipped())
    count = COUNT if COUNT < 10_000 else max(COUNT, LEAST * len(names))
    return [tenant(number, names[number % len(names)], chance) for number in range(count)]


@pytest.fixture(scope="module", params=[list(profiles())[COUNT % len(profiles())]])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Tenant], object, str]:
    found = tenants()
    with local_executor(2) as executor:
        out = tmp_path_factory.mktemp("trust")
        return (
            found,
            make_letters([one.spec for one in found], shipped(), request.param, out, executor=executor),
            request.param,
        )


def test_i1_no_letter_of_a_batch_holds_a_word_of_another_tenant(made):
    found, batch, profile = made
    by_reference = {one.spec.reference: one for one in found}
    assert len(by_reference) == len({one.spec.payment_reference for one in found}) == len(found)
    printed = Counter()
    for letter in batch.letters:
        spec = by_reference[letter.reference].spec
        page = read_back(letter.path.read_bytes(), profile_named(profile).window)
        text = bare(page.text)
        assert set(TOKEN.findall(text)) == {TOKEN.search(spec.name)[0]}
        assert bare(page.windowed) == "".join(bare(line) for line in address_lines(spec.name, spec.post_to))
        assert set(PAYMENT.findall(text)) <= {spec.payment_reference}
        assert text.count(bare(spec.reference)) == 1
        for amount in (value for value in spec.fields.values() if type(value) is int):
            assert f"£{amount / 100:,.2f}" in page.text
        assert not re.search(r"\{\{|\{%|<b>|<script|None|undefined", text)
        printed[by_reference[letter.reference].template] += 1
    assert set(printed) == set(letters(shipped()))


def test_i1_whatever_a_letter_cannot_print_is_refused_by_its_reference(made):
    found, batch, _ = made
    hostile = {one.spec.reference: one.hostile for one in found if one.hostile is not None}
    printed = {letter.reference for letter in batch.letters}
    assert {kind: sum(hostile.get(one) == kind for one in printed) for kind in HOSTILE} == dict.fromkeys(HOSTILE, 0)
    for reference, problems in batch.refused.items():
        assert problems
        assert all(reference in str(problem.place) for problem in problems)


def test_i1_nobody_is_refused_for_a_foreign_name_nor_for_a_long_one_unless_the_window_is_full(made):
    found, batch, _ = made
    plain = {one.spec.reference for one in found if one.hostile is None}
    refused = {reference: problems for reference, problems in batch.refused.items() if reference in plain}
    assert {problem.code for problems in refused.values() for problem in problems} <= {"address-outside-window"}
    assert len(refused) <= 0.03 * len(plain)
