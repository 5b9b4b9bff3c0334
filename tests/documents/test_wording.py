"""The word lists, both ways: what they must find, and what must not trip them."""

from __future__ import annotations

import pytest

from nudge.documents import wording
from nudge.documents.wording import STAGES

LEGAL = [  # the sentence, the first stage that allows what it holds (blank: it holds nothing), and whether it is denied
    ("We may ask the court for an order.", "second", False),
    ("COURT ACTION MAY FOLLOW", "second", False),
    ("We may start legal action.", "second", False),
    ("A Notice Seeking Possession is with this letter.", "notice", False),
    ("You could be evicted.", "notice", False),
    ("You may lose your home.", "notice", False),
    ("If you do not want to lose your home, call us.", "notice", False),
    ("Call us to avoid losing your home.", "notice", False),
    ("We may pass this to our solicitors.", "notice", False),
    ("You may get a summons.", "notice", False),
    ("A bailiff may call.", "court", False),
    ("Enforcement agents may take control of your goods.", "court", False),
    ("We may ask for a warrant of possession.", "court", False),
    ("You may be sent to prison.", "court", False),
    ("If you do not pay we will go to court.", "second", False),
    ("If you have not paid by Friday the bailiffs may come.", "court", False),
    ("Gallwch gael eich troi allan.", "notice", False),
    ("Byddwn yn mynd â chi i'r llys sirol.", "second", False),
    ("Gall beilïaid alw.", "court", False),
    ("We will not take you to court while you keep to the plan.", "second", True),
    ("This is not an eviction.", "notice", True),
    ("No bailiff will come.", "court", True),
    ("Meet us at the Court House, 3 Court Street, at 6pm.", "", False),
    ("12 Tudor Court, Courtfield Road", "", False),
    ("The tennis court is open again, and so are the squash courts.", "", False),
    ("Our staff are courteous, and wait in the courtyard.", "", False),
    ("Please show your warrant card at the door.", "", False),
    ("Take legal advice if you are not sure.", "", False),
    ("Please take your possessions with you.", "", False),
    ("We deliver the notice of the meeting to every home.", "", False),
    ("Your home is warm.", "", False),
    ("Do you need help to keep your home?", "", False),
    ("Bailey Close is closed.", "", False),
]


@pytest.mark.parametrize(("sentence", "first", "denied"), LEGAL)
def test_wording_of_law_is_found_with_its_stage_and_names_of_places_are_not(sentence, first, denied):
    found = list(wording.legal_wording(sentence))
    latest = max((one.first for one, _ in found), key=STAGES.index, default="")
    assert latest == first, found
    assert all(is_denied is denied for _, is_denied in found)


CONSEQUENCES = [  # the sentence, whether it tells of what may befall the reader, and whether as certain
    ("We may ask the court for an order.", True, False),
    ("We will take you to court.", True, True),
    ("If you do not pay we will take legal action.", True, True),
    ("If we cannot agree, we may send you a notice.", True, False),
    ("If we cannot agree, we would have to ask a court to decide.", True, False),
    ("We will have to go to court.", True, True),
    ("Not paying results in eviction.", True, True),
    ("It leads to extra costs.", True, True),
    ("You must call us, or we may go to court.", True, False),
    ("You must call us to avoid court costs.", True, False),
    ("We will write to you before any legal action.", True, False),
    ("Extra costs will be added to what you owe.", True, True),
    ("You will be evicted.", True, True),
    ("Bailiffs will come on Friday.", True, True),
    ("You may be fined.", True, False),
    ("We may stop your benefit.", True, False),
    ("We’ll serve you with a notice.", True, True),
    ("We will not take you to court while you keep to the plan.", False, False),
    ("No bailiff will come.", False, False),
    ("We will write to you again.", False, False),
    ("We will send you a form.", False, False),
    ("You will get a notice of the next meeting.", False, False),
    ("If it is not paid, we will call you.", False, False),
]


@pytest.mark.parametrize(("sentence", "threatens", "certain"), CONSEQUENCES)
def test_what_may_happen_is_told_from_what_is_bound_to(sentence, threatens, certain):
    found = list(wording.consequences(sentence))
    bound = list(wording.told_as_certain(sentence))
    assert bool(found or bound) is threatens
    assert (any(is_certain for _, is_certain in found) or bool(bound)) is certain


@pytest.mark.parametrize(
    ("sentence", "frightens"),
    [
        ("This is your final warning.", True),
        ("Do not ignore this letter.", True),
        ("Your home is at risk.", True),
        ("Call before it is too late.", True),
        ("Failure to pay may have serious consequences.", True),
        ("We know who you are.", True),
        ("There is nothing to be afraid of.", False),
        ("It is not too late to put this right.", False),
        ("The final meeting is on 3 May.", False),
        ("The last day to reply is 3 May.", False),
        ("We have no record of a call or a payment since then.", False),
    ],
)
def test_wording_that_works_by_fear_is_told_from_plain_words(sentence, frightens):
    assert bool(list(wording.fear_wording(sentence))) is frightens


@pytest.mark.parametrize(
    ("sentence", "tells"),
    [
        ("9 in 10 tenants pay on time.", True),
        ("Nine out of ten people in your street recycle.", True),
        ("1 in 20 homes is empty.", True),
        ("87% of residents pay on time.", True),
        ("87 per cent agreed.", True),
        ("Most tenants call us.", True),
        ("Most of your neighbours have paid.", True),
        ("Nearly everyone pays.", True),
        ("Nearly all our tenants pay on time.", True),
        ("Almost every household recycles.", True),
        ("The majority of households recycle.", True),
        ("Over 2,000 residents have joined.", True),
        ("Only 3 tenants came.", True),
        ("Hundreds of volunteers have joined.", True),
        ("People like you pay on time.", True),
        ("Everyone else on your street has paid.", True),
        ("Half of us forget a bill now and then.", True),
        ("A 25% discount of the bill for residents who live alone.", False),
        ("Get 25% off if you live alone.", False),
        ("You pay 5% of the bill.", False),
        ("Your rent rises by 4.1% in April.", False),
        ("You could save 40%.", False),
        ("The paper is 100% recycled.", False),
        ("Call us at most once a week.", False),
        ("Most of the work is done on Mondays.", False),
        ("The most important thing is to call.", False),
        ("Almost all the bins are empty.", False),
        ("Half the rent is paid by Universal Credit.", False),
        ("We are writing to every home nearby.", False),
        ("There are 40 places.", False),
        ("One in ten days it rains.", False),
        ("Step 1 in 3 minutes", False),
        ("On 12 May 2026 residents can meet us.", False),
        ("Call 0800 144 8848, residents only.", False),
        ("Free debt advice: StepChange 0800 138 1111, Citizens Advice 0800 144 8848.", False),
        ("Many things can make it hard to pay.", False),
        ("All our staff can help you.", False),
        ("People in your home may be entitled to help.", False),
        ("Your account number is 98260000100.", False),
    ],
)
def test_i6_what_other_people_do_is_told_from_other_figures(sentence, tells):
    assert bool(list(wording.figures_of_people(sentence))) is tells


@pytest.mark.parametrize(
    ("sentence", "promises"),
    [
        ("You could save up to 40%.", True),
        ("You may get up to £300 a year.", True),
        ("Attendance fell by up to 15 per cent.", True),
        ("As much as £50 a month", True),
        ("Reply up to 3 May.", False),
        ("The office is open up to 5 pm.", False),
        ("You can stay up to 3 weeks.", False),
        ("It is up to you.", False),
        ("We keep it up to date.", False),
    ],
)
def test_the_most_anyone_can_have_is_told_from_a_time_limit(sentence, promises):
    assert bool(list(wording.up_to(sentence))) is promises


@pytest.mark.parametrize(
    ("text", "helps"),
    [
        ("Free, confidential debt advice: StepChange 0800 138 1111.", True),
        ("You can ask National Debtline.", True),
        ("Cyngor ar Bopeth: 0800 702 2020", True),
        ("We can help you.", False),
        ("Take our advice.", False),
    ],
)
def test_help_with_a_debt_is_known_by_who_gives_it(text, helps):
    assert wording.support(text) is helps


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("We may ask the c\u043eurt for an order.", True),  # a Cyrillic o
        ("You will be \u0435victed.", True),
        ("A b\u03b1iliff may call.", True),  # a Greek alpha
        ("\uff43ourt", True),  # a letter of full width
        ("\U0001d41c\U0001d428\U0001d42e\U0001d42b\U0001d42d", True),  # mathematical bold
        ("We may go to c o u r t.", True),
        ("We may go to c\u00a0o\u00a0u\u00a0r\u00a0t.", True),
        ("e-v-i-c-t-e-d", True),
        ("c.o.u.r.t", True),
        ("T H I S  I S  Y O U R  F I N A L  W A R N I N G", True),
        ("You could lose y o u r home.", True),
        ("Mrs O\u2019Neill of Ty\u0302 Gwyn paid \u00a341.20 by 3 p.m.", False),
        ("The R.N.L.I. and the N.S.P.C.C. helped.", False),
        ("Permit zones A B C D E begin in May.", False),
        ("\u0422\u0435\u043b\u0435\u0444\u043e\u043d: 01632 960 100", False),  # a whole word of another alphabet
        ("Take 5 \u00b5g a day, e.g. at 9 a.m.", False),
        ("Up to 40 \u03bcg of dust, and 5 \u03a9m.", False),  # Greek letters that units are written with
        ("Open M T W T F, as the R S P C A and P A Y E are.", False),
        ("Spell it as S-M-I-T-H, c/o J P R Williams.", False),
        ("I, a tenant, pay X or Y.", False),
    ],
)
def test_words_that_no_list_can_find_are_told_from_plain_ones(sentence, found):
    assert bool(wording.disguised(sentence)) is found
