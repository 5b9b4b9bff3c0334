"""Tenants with every awkward name, address and sum, over all templates: no letter holds anything of another (I1).

`NUDGE_TRUST=10000 python -m pytest tests/documents/test_trust.py` is the long proof; a small fixed sample runs always.
"""

from __future__ import annotations

import os
import random
import re

from invented import ALL, invented, shipped

from nudge.documents.address import address_lines
from nudge.documents.batch import local_executor, make_letters
from nudge.documents.checks import bare
from nudge.documents.profiles import profile_named, profiles
from nudge.documents.readback import read_back

COUNT = int(os.environ.get("NUDGE_TRUST", "60"))
FIRST = [
    "Siân",
    "Zbigniew",
    "Nguyễn Thị",
    "İbrahim",
    "Mary-Jane",
    "D’Arcy",
    "O'Neill",
    "Jose\u0301",
    "Łucja",
    "X Æ",
    "A",
]
TITLE = ["Mr", "Mrs", "Ms", "Mx", "Dr", "Rev", "Cllr", "Pan", "Bà", "Sir"]
STREET = [
    "Mill Lane",
    "St Mary's Close",
    "Ffordd y Ŵyn",
    "The Old Post-Office Yard",
    "Rua d'Água",
    "A",
    "High St, Rear of",
]
TOKEN = re.compile(r"Quill[a-z]{6}")


def token(number):
    letters = ""
    for _ in range(6):
        number, place = divmod(number, 26)
        letters += chr(97 + place)
    return f"Quill{letters}"


def tenant(number, chance):
    surname = token(7919 * number + 13) + chance.choice(["", "-Jones", " ap Rhys", "'s"])
    title, first = chance.choice(TITLE), chance.choice(FIRST)
    lines = [f"{chance.randint(1, 999)} {chance.choice(STREET)}"]
    lines = [f"Flat {chance.randint(1, 99)}{chance.choice('ABCD')}"] * chance.randint(0, 1) + lines
    lines += ["Upper Wealden", "Hartfield", "East Sussex"][: chance.randint(0, 3)]
    return invented(
        number,
        template=ALL[number % len(ALL)],
        name=f"{title} {first} {surname}",
        salutation=f"{title} {surname}",
        post_to=(
            *lines,
            f"TN{chance.randint(1, 40)} {chance.randint(0, 9)}{chance.choice('ABDEFGHJ')}X".replace("X", "Y"),
        ),
        fields={"arrears": chance.choice([1000, 99_999, 123_456, 9_999_999, chance.randint(1000, 500_000)])},
    )


def test_i1_no_letter_of_a_batch_holds_a_word_of_another_tenant(tmp_path):
    chance = random.Random(20261123)
    specs = [tenant(number, chance) for number in range(COUNT)]
    profile = list(profiles())[COUNT % 3]
    with local_executor(2) as executor:
        made = make_letters(specs, shipped(), profile, tmp_path, executor=executor)
    assert made.refused == {}
    references, payments = ({spec.reference for spec in specs}, {spec.payment_reference for spec in specs})
    assert len(references) == len(payments) == COUNT
    for spec, letter in zip(specs, made.letters, strict=True):
        page = read_back(letter.path.read_bytes(), profile_named(profile).window)
        text = bare(page.text)
        assert set(TOKEN.findall(text)) == {TOKEN.search(spec.name)[0]}
        assert bare(page.windowed) == "".join(bare(line) for line in address_lines(spec.name, spec.post_to))
        assert set(re.findall(r"98260\d{6}", text)) == {spec.payment_reference}
        assert text.count(bare(spec.reference)) == 1
        assert f"£{spec.fields['arrears'] / 100:,.2f}" in page.text
        assert not re.search(r"\{\{|None|undefined", text)
