"""Invented recipients for any template, so that a letter can be looked at and judged before there is a tenant.

Nobody here exists: the telephone numbers are of the ranges that Ofcom keeps for drama, the web addresses end in
`.example`, the postcodes in an area that Royal Mail does not use.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Problem
from nudge.documents.form import form_named, templates_in
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.documents.needs import joined, needs_of
from nudge.documents.sign_spec import SignSpec
from nudge.documents.templates import TemplateFolder

COUNCIL: Final[Mapping[str, str]] = {
    "name": "Wealdenvale District Council",
    "service": "Housing Income Team",
    "return_address": "Council Offices, High Street, Wealdenvale, ZZ99 1AA",
    "telephone": "01632 960 100",
    "hours": "Monday to Friday, 9am to 5pm",
    "email": "rents@wealdenvale.example",
    "website": "www.wealdenvale.example/rent",
    "pay_online": "www.wealdenvale.example/pay",
    "pay_telephone": "01632 960 101",
    "pay_account": "sort code 00-00-00, account 00000000",
    "benefit_help": "If your income has changed, we can check whether you can get help with your rent.",
    "debt_advice": "Free, confidential debt advice: StepChange 0800 138 1111, Citizens Advice 0800 144 8848.",
    "language_line": "For this letter in large print, Easy Read, braille or another language, call us.",
    "signed_by": "Priya Marsh, Income Officer",
    "name_cy": "Cyngor Dosbarth Wealdenvale",
    "service_cy": "Tîm Incwm Tai",
    "hours_cy": "Llun i Wener, 9am tan 5pm",
    "pay_account_cy": "cod didoli 00-00-00, cyfrif 00000000",
    "benefit_help_cy": "Os yw eich incwm wedi newid, gallwn wirio a allwch gael help gyda'ch rhent.",
    "debt_advice_cy": "Cyngor dyled am ddim: StepChange 0800 138 1111, Cyngor ar Bopeth 0800 144 8848.",
    "language_line_cy": "Am brint bras, Hawdd ei Ddeall, braille neu iaith arall, ffoniwch ni.",
    "signed_by_cy": "Priya Marsh, Swyddog Incwm",
}
NEIGHBOURS: Final[Mapping[str, str]] = {
    **COUNCIL,
    "service": "Communities Team",
    "email": "hello@wealdenvale.example",
    "website": "www.wealdenvale.example/join",
    "signed_by": "Priya Marsh, Communities Officer",
}
"""The same council in a letter that asks for no money."""
CLAIM: Final = (
    "More than 6 in 10 of the tenants we wrote to about arrears in the year to August 2026 agreed a way forward with us"
    " within eight weeks"
)
CLAIMS_IN: Final[Mapping[str, str]] = {
    "cy": "Cytunodd mwy na 6 o bob 10 o'r tenantiaid yr ysgrifennom atynt am ôl-ddyledion, yn y flwyddyn hyd at ddiwedd"
    " Awst 2026, ar ffordd ymlaen gyda ni o fewn wyth wythnos"
}
"""The same claim in other languages."""
INVENTED_SHARE: Final = (61, 100)
"""What stands in the place of a claim's figure, which only its history can give."""
LETTER_DATE: Final = date(2026, 11, 23)
_SECRET: Final = bytes(32)
_COMING: Final = date(2027, 1, 20)
_REPLY: Final = date(2026, 12, 14)
_SEEN: Final = date(2026, 11, 16)
_DELETED: Final = date(2027, 7, 20)
_VALUES: Final[Mapping[Kind, Value]] = {
    Kind.MONEY: 41_250,
    Kind.NUMBER: 7.0,
    Kind.FLAG: True,
}
_WORDS: Final[Mapping[str, str]] = {
    "street": "Mill Lane",
    "ward": "Upper Wealden",
    "patch": "North",
    "venue": "Town Hall, High Street, Wealdenvale",
    "place": "Town Hall, High Street, Wealdenvale",
    "time": "6.30pm",
    "page": "www.wealdenvale.example/join",
    "website": "www.wealdenvale.example/join",
    "email": "join@wealdenvale.example",
    "telephone": "01632 960 102",
    "vehicle": "AB12 CDE",
}


_SAID: Final[Mapping[str, str]] = {
    "allowance": "£200",
    "appointment_at": "10.40am",
    "appointment_place": "Room 3, the Health Centre, Mill Lane, Wealdenvale",
    "appointment_with": "Sam Okoro, practice nurse",
    "bring": "This letter, and a list of any medicine that you take",
    "budget": "£20,000",
    "caller": "the person who brings your post",
    "day_norm": (
        "More than 8 in 10 of the homes we wrote to about rubbish in the year to August 2026 had a clean street when we"
        " came back"
    ),
    "form": "Your single person discount form",
    "form_page": "www.wealdenvale.example/discount",
    "paid_norm": (
        "More than 7 in 10 of the homes we sent a reminder in the year to August 2026 paid what was overdue within four"
        " weeks"
    ),
    "period": "October 2026",
    "recycling_centre": "Maresfield Road, Wealdenvale, every day from 9am to 6pm",
    "challenge": "how can people tell us only once that they have moved?",
    "hours": "two hours",
    "meets_at": "6.30pm",
    "joined_norm": (
        "More than 6 in 10 of the dog owners we wrote to about Paws on Watch in the year to August 2026 joined within"
        " eight weeks"
    ),
    "missed_cost": "about £60",
    "most": "£1,500",
    "notice_letters": "two letters that ask people to join Paws on Watch",
    "notice_page": "www.wealdenvale.example/letters",
    "notice_who": "Dog owners who asked us about Paws on Watch since April",
    "own_reward": "a £20 shopping voucher",
    "pack": "A lead tag, and a card with the number to call",
    "place": "Wealdenvale Library",
    "price": "Nothing",
    "ready_cost": "about £900",
    "ready_idea": "a bench and two tubs of flowers by the bus stop",
    "role": "Help people to find books and to use the computers",
    "street_reward": "£200 for plants or tools",
    "thanks": "an evening to say thank you",
    "visits": "Once a week, on a day that you choose",
}
"""What a name stands for where the word in it does not tell."""
_SUMS: Final[Mapping[str, int]] = {"charge": 7_000}
"""In pence, what is much the same for everybody."""


_TEAMS: Final[Mapping[str, Mapping[str, str]]] = {
    f"letters/{start}": {
        "service": service,
        "email": f"{post}@wealdenvale.example",
        "website": f"www.wealdenvale.example/{post}",
        "signed_by": signed,
    }
    for start, service, post, signed in (
        ("council-tax", "Council Tax", "tax", "Jo Ridley, Council Tax Officer"),
        ("overpayment", "Housing Benefit", "hb", "Sam Okoro, Benefits Officer"),
        ("care-invoice", "Adult Social Care", "care", "Lee Hartley, Care Finance Officer"),
        ("channel-shift", "Council Tax", "tax", "Jo Ridley, Council Tax Officer"),
        ("parking", "Parking Services", "parking", "Alex Dunn, Parking Officer"),
        ("waste", "Clean Streets", "waste", "Kim Adair, Street Care Officer"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """An invented person and where their letter goes; `money` in pence stands for every sum of the letter."""

    id: str
    label: str
    name: str
    salutation: str
    post_to: tuple[str, ...]
    money: int = 41_250


RECIPIENTS: Final = (
    Recipient(
        id="plain",
        label="An ordinary name, address and sum",
        name="Mrs Alys Jones",
        salutation="Mrs Jones",
        post_to=("Flat 4", "12 Mill Lane", "Upper Wealden", "Hartfield", "ZZ99 4AB"),
    ),
    Recipient(
        id="long",
        label="The longest name and address, and a large sum",
        name="Mr Bartholomew Featherstonehaugh-Cholmondeley",
        salutation="Mr Featherstonehaugh-Cholmondeley",
        post_to=(
            "Flat 12B, Northumberland House",
            "The Old Post-Office Yard",
            "114 Upper Saint Leonards Terrace",
            "Burlesdon-under-Ashdown",
            "ZZ99 9ZZ",
        ),
        money=1_234_567,
    ),
    Recipient(
        id="accents",
        label="Accents, an apostrophe and a small sum",
        name="Siân Nguyễn-O’Neill",
        salutation="Siân Nguyễn-O’Neill",
        post_to=("3 St Mary's Close", "Ffordd y Ŵyn", "ZZ99 1AA"),
        money=1_000,
    ),
)
"""The first is whom a sample shows; the rest are whom a layout must survive."""
MORE_RECIPIENTS: Final = (
    Recipient(
        id="joint",
        label="Joint tenants on one line",
        name="Mr Oluwaseun and Mrs Catherine Adebayo-Williams",
        salutation="Mr and Mrs Adebayo-Williams",
        post_to=("27 Station Approach", "Upper Wealden", "Hartfield", "ZZ99 4AB"),
    ),
    Recipient(
        id="large",
        label="Large amounts",
        name="Ms Priya Shah",
        salutation="Ms Shah",
        post_to=("1 Mill Lane", "Hartfield", "ZZ99 4AB"),
        money=9_876_543,
    ),
)
"""Who else a comparison of letters is drawn for."""


def sample_spec(
    folder: TemplateFolder,
    template: str,
    *,
    recipient: Recipient = RECIPIENTS[0],
    kinds: Mapping[str, Kind] | None = None,
    claims: Mapping[str, str] | None = None,
    council: Mapping[str, str] | None = None,
    details: Mapping[str, str | int | date] | None = None,
) -> LetterSpec:
    """A letter of this template to an invented person, every name that it asks for filled in; a template that is
    another form of a letter (`x.cy.html`, `x.easy-read.html`) gives that letter in that form.

    `kinds` are the declared columns and bands where there is an experiment: any other name stays undefined, as it is
    in a tenant's letter. `claims`, `council` and `details` take the place of what is invented for them.
    """
    letter, form = form_named(template)
    needs = joined(needs_of(folder, name) for name in dict.fromkeys((template, *templates_in(letter, form))))
    fields = needs.fields if kinds is None else {name: kinds[name] for name in needs.fields if name in kinds}
    sender = _sender(template, needs.council)
    number = str(next(place for place, one in enumerate((*RECIPIENTS, *MORE_RECIPIENTS), 1) if one.id == recipient.id))
    return LetterSpec(
        reference=letter_reference(_SECRET, "sample", template, int(number), recipient.id),
        template=letter,
        name=recipient.name,
        salutation=recipient.salutation,
        post_to=recipient.post_to,
        fields={
            name: _SUMS.get(name, recipient.money) if kind is Kind.MONEY else _value(name, kind)
            for name, kind in fields.items()
        },
        claims={name: _SAID.get(name, CLAIM) for name in needs.claims} | dict(claims or {}),
        council={name: _word(name) for name in needs.council} | dict(sender if council is None else council),
        details={name: _detail(name, kind) for name, kind in needs.details.items()} | dict(details or {}),
        letter_date=LETTER_DATE,
        as_of=date(2026, 11, 20),
        tenancy_reference="T-000-100",
        payment_reference="98260000100",
        form=form,
        claims_in={language: dict.fromkeys(needs.claims, words) for language, words in CLAIMS_IN.items()},
    )


def of_nobody(problem: Problem, spec: LetterSpec | SignSpec) -> Problem:
    """A problem of an invented letter or sign, told of its template alone: nobody has it."""
    reference = spec.place.source.removeprefix(spec.template)
    return replace(problem, place=replace(problem.place, source=problem.place.source.removesuffix(reference)))


def _sender(template: str, asked: Collection[str]) -> Mapping[str, str]:
    """Who writes a letter of this kind: the invented council's team for it."""
    if "pay_online" not in asked and not template.startswith(tuple(_TEAMS)):
        return NEIGHBOURS
    team = next((team for start, team in _TEAMS.items() if template.startswith(start)), {})
    return {**COUNCIL, **team}


def _value(name: str, kind: Kind) -> Value:
    if kind is Kind.DATE:
        return _day(name)
    return _word(name) if kind is Kind.TEXT else _VALUES[kind]


def _day(name: str) -> date:
    parts = set(name.split("_"))
    if "seen" in parts:
        return _SEEN
    if "deleted" in parts:
        return _DELETED
    return _REPLY if parts & {"reply", "pay"} else _COMING


def _detail(name: str, kind: Kind) -> str | int | date:
    if kind is Kind.NUMBER:
        return 5
    if kind is Kind.DATE:
        return _day(name)
    return _word(name)


def _word(name: str) -> str:
    if name in _SAID:
        return _SAID[name]
    found = (word for part, word in _WORDS.items() if part in name.split("_"))
    return next(found, f"the {name.replace('_', ' ')}")
