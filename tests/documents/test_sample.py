"""Invented letters: every template that comes with nudge can be filled in, drawn and posted to nobody."""

from __future__ import annotations

from datetime import date

import pytest
from invented import CURRENT, NORM, folder_with, shipped

from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.documents.checks import check_letter, check_values
from nudge.documents.needs import needs_of
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.sample import RECIPIENTS, sample_spec


def test_a_template_says_itself_what_it_needs():
    needs = needs_of(shipped(), NORM)
    assert needs.fields == {"arrears": Kind.MONEY}
    assert needs.claims == ("contact_norm",)
    assert {"telephone", "pay_online", "debt_advice"} <= set(needs.council)
    assert "letter_date" not in needs.fields


def test_filters_and_conditions_tell_the_kind_of_a_name(tmp_path):
    text = (
        "{% if joint %}{{ visits | number }}{% endif %}{% if not late %}{{ due | later(7) | day }}{% endif %}"
        "{{ owed | pounds }}{{ ward }}{{ 'x' if keen else 'y' }}{{ details.meets_on | day }}{{ details.venue }}"
        "{% for line in recipient.address %}{{ line }}{% endfor %}"
    )
    needs = needs_of(folder_with(tmp_path, "letters/odd.html", text), "letters/odd.html")
    assert needs.fields == {
        "joint": Kind.FLAG,
        "visits": Kind.NUMBER,
        "late": Kind.FLAG,
        "due": Kind.DATE,
        "owed": Kind.MONEY,
        "ward": Kind.TEXT,
        "keen": Kind.FLAG,
    }
    assert needs.details == {"meets_on": Kind.DATE, "venue": Kind.TEXT}


def test_a_template_that_is_not_there_or_does_not_read_is_refused(tmp_path):
    with pytest.raises(Refused, match="a template named"):
        needs_of(shipped(), "letters/none.html")
    broken = folder_with(tmp_path, "letters/broken.html", "{% if %}")
    with pytest.raises(Refused, match="reads as Jinja"):
        needs_of(broken, "letters/broken.html")


@pytest.mark.parametrize("recipient", RECIPIENTS, ids=lambda one: one.id)
def test_i1_an_invented_letter_has_nothing_wrong_with_it(recipient):
    spec = sample_spec(shipped(), CURRENT, recipient=recipient)
    assert check_values(spec) == ()
    paper = profile_named("dl")
    drawn = draw(shipped().html(spec), shipped().path, profile=paper, template=CURRENT)
    assert check_letter(drawn, spec, paper, shipped()) == ()


def test_an_experiment_may_give_kinds_claims_and_council_of_its_own():
    spec = sample_spec(
        shipped(),
        NORM,
        kinds={"arrears": Kind.DATE},
        claims={"contact_norm": "Most did"},
        council={"name": "Another"},
    )
    assert spec.fields == {"arrears": date(2027, 1, 20)}
    assert spec.claims == {"contact_norm": "Most did"}
    assert spec.council["name"] == "Another"
    assert spec.council["telephone"] == "01632 960 102"
