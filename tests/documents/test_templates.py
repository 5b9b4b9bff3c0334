"""What may stand in a template, and what a letter is refused for (I14). One file for each defect."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from string import Formatter

import pytest
from invented import ALL, FIRST, NORM, folder_with, invented, shipped

from nudge.base.errors import Refused
from nudge.documents.codes import ClaimCode, LetterCode, TemplateCode
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.structure import check_structure
from nudge.documents.templates import RESERVED, check_templates

DEFECTS = Path(__file__).parent.parent / "data" / "defects" / "documents"
CODES = {
    "autoescape_switched_off": TemplateCode.CONSTRUCT_BANNED,
    "bare_date": TemplateCode.VALUE_BARE,
    "bare_flag": TemplateCode.VALUE_BARE,
    "bare_pence": TemplateCode.VALUE_BARE,
    "blank_text": TemplateCode.VALUE_BLANK,
    "blank_value": TemplateCode.VALUE_BLANK,
    "calls_a_global": TemplateCode.NAME_UNDEFINED,
    "changes_what_it_is_given": TemplateCode.NAME_UNDEFINED,
    "claim_in_a_choice": TemplateCode.MARK_UNDER_CONDITION,
    "claim_under_a_condition": TemplateCode.MARK_UNDER_CONDITION,
    "claim_without_its_mark": TemplateCode.CLAIM_UNMARKED,
    "default_fills_a_gap": TemplateCode.FILTER_BANNED,
    "imports_macros": TemplateCode.CONSTRUCT_BANNED,
    "includes_by_value": TemplateCode.CONSTRUCT_BANNED,
    "includes_what_is_not_there": TemplateCode.TEMPLATE_ABSENT,
    "makes_memory_of_nothing": TemplateCode.OPERATION_REFUSED,
    "money_missing": TemplateCode.VALUE_BLANK,
    "never_ends": TemplateCode.TEMPLATE_UNREADABLE,
    "reaches_into_python": TemplateCode.OPERATION_REFUSED,
    "required_block_under_a_condition": TemplateCode.MARK_UNDER_CONDITION,
    "safe_lets_markup_through": TemplateCode.FILTER_BANNED,
    "undefined_name": TemplateCode.NAME_UNDEFINED,
    "undefined_test_hides_a_gap": TemplateCode.CONSTRUCT_BANNED,
}
FIELDS = {"arrears": 41250, "agreement": True, "nothing": None, "spaces": "  "}


def test_every_defect_has_its_file_and_every_file_its_defect():
    assert sorted(path.stem for path in DEFECTS.glob("*.html")) == sorted(CODES)


@pytest.mark.parametrize(("defect", "code"), CODES.items())
def test_i14_a_template_with_this_defect_is_refused_at_its_line(defect, code, tmp_path):
    name = f"letters/{defect}.html"
    folder = folder_with(tmp_path, name, (DEFECTS / f"{defect}.html").read_text("utf-8"))
    with pytest.raises(Refused) as refusal:
        folder.html(invented(template=name, fields=FIELDS))
    [problem] = refusal.value.problems
    assert problem.code == code.slug
    assert problem.place.source.startswith(name)
    assert problem.place.line == 1


def test_i12_no_refusal_of_a_template_quotes_the_tenant(tmp_path):
    spec = invented(name="Mrs Canary Quillfeather", fields=FIELDS | {"note": "Quillfeather"})
    for defect in CODES:
        name = f"letters/{defect}.html"
        folder = folder_with(tmp_path, name, (DEFECTS / f"{defect}.html").read_text("utf-8"))
        with pytest.raises(Refused) as refusal:
            folder.html(invented(template=name, name=spec.name, fields=spec.fields))
        assert "Quillfeather" not in str(refusal.value)


def test_i14_what_a_tenant_is_called_is_words_and_never_markup_or_a_template():
    html = shipped().html(invented(salutation="<b>Bold</b> {{ 7*7 }} & Sons"))
    assert "&lt;b&gt;Bold&lt;/b&gt; {{ 7*7 }} &amp; Sons" in html
    assert "49" not in html.replace("49C", "")


def test_every_blank_field_of_a_council_or_a_tenant_stops_the_letter():
    for key in invented().council:
        for gap in ("", "  "):
            with pytest.raises(Refused) as refusal:
                shipped().html(invented(council=invented().council | {key: gap}))
            assert refusal.value.problems[0].code == TemplateCode.VALUE_BLANK.slug


def test_money_prints_as_pounds_and_days_in_words():
    html = shipped().html(invented(fields={"arrears": 123456}))
    assert "£1,234.56" in html
    assert "20\u00a0November\u00a02026" in html
    assert "7\u00a0December\u00a02026" in html  # fourteen days after the letter


def test_the_first_letters_of_both_arms_tell_a_tenant_the_same_required_things():
    folder = shipped()
    assert check_templates(folder, FIRST) == ()
    blocks = {template: folder.marks(template, "required") for template in ALL}
    assert len(set(blocks.values())) == 1
    assert set(blocks[NORM]) == {
        "affordable_plan",
        "ask",
        "benefit_help",
        "contact",
        "formats_and_languages",
        "free_debt_advice",
        "letter_reference",
        "next_step",
        "signature",
        "statement",
        "sum_owed",
        "time_limit",
        "ways_to_pay",
    }


def test_a_required_block_that_one_arm_lacks_is_named(tmp_path):
    base = (shipped().path / "letters/base-rent.html").read_text("utf-8")
    folder = folder_with(tmp_path, "letters/bare.html", base.replace('{% include "letters/parts/help.html" %}', ""))
    problems = check_templates(folder, (*FIRST, "letters/bare.html"))
    assert {problem.code for problem in problems} == {TemplateCode.BLOCK_REQUIRED.slug}
    assert "free_debt_advice" in " ".join(problem.expected for problem in problems)


def test_the_arms_differ_in_nothing_but_heading_opening_and_claim():
    current, norm = (shipped().html(invented(template=template)).splitlines() for template in FIRST)
    only_current = [line for line in current if line not in norm]
    only_norm = [line for line in norm if line not in current]
    assert len(only_current) == 2  # its heading, its opening
    assert len(only_norm) == 3  # heading, opening, claim


def test_a_changed_file_has_another_hash_and_is_read_again(tmp_path):
    folder = folder_with(tmp_path, "letters/own.html", "<html lang=en><p>{{ recipient.name }}</p></html>")
    before = folder.hashes()
    assert "letters/letter.css" in before
    assert "Alys" in folder.html(invented(template="letters/own.html"))
    (folder.path / "letters/own.html").write_text("<html lang=en><p>{{ recipient.salutation }}, hello</p></html>")
    assert folder.hashes()["letters/own.html"] != before["letters/own.html"]
    assert "Mrs Jones, hello" in folder.html(invented(template="letters/own.html"))


def test_what_a_template_draws_on_is_known():
    assert shipped().used_by(NORM) == (
        "letters/arrears-personal-norm.html",
        "letters/base-rent.html",
        "letters/base.html",
        "letters/parts/close.html",
        "letters/parts/head.html",
        "letters/parts/help-lines.html",
        "letters/parts/help.html",
        "letters/parts/next-first.html",
        "letters/parts/sum-owed.html",
        "letters/parts/ways-to-pay-rows.html",
        "letters/parts/ways-to-pay.html",
        "letters/parts/window.html",
    )


@pytest.mark.parametrize("name", ["claims", "council", "details", "recipient"])
def test_a_column_may_not_take_a_name_that_templates_use(name):
    assert name in RESERVED
    with pytest.raises(Refused) as refusal:
        shipped().html(invented(fields={"arrears": 1, name: "x"}))
    assert refusal.value.problems[0].code == TemplateCode.FIELD_NAME_TAKEN.slug


def test_a_template_of_another_encoding_is_refused(tmp_path):
    folder = folder_with(tmp_path, "letters/own.html", "")
    (folder.path / "letters/own.html").write_bytes("<p>£5</p>".encode("cp1252"))
    with pytest.raises(Refused) as refusal:
        folder.html(invented(template="letters/own.html"))
    assert refusal.value.problems[0].code == TemplateCode.TEMPLATE_NOT_UTF8.slug


def test_every_refusal_reads_as_a_sentence():
    for code in (*TemplateCode, *LetterCode, *ClaimCode):
        expected, fix = code.value
        asked = [(name, form) for part in (expected, fix) for _, name, form, _ in Formatter().parse(part) if name]
        problem = code.at(invented().place, **{name: 1.0 if form else "x" for name, form in asked})
        assert problem.expected
        assert problem.fix.endswith((".", "`."))
        assert date(2026, 1, 1).isoformat() not in str(problem)


CHOOSING = (
    '<html lang="en"><head><title>A letter</title></head><body><h1>Your rent</h1>'
    "{% if agreement %}<p>You have a plan with us.</p>{% elif weeks_in_arrears > 4 %}<p>It is some weeks now.</p>"
    "{% else %}<p>You have no plan yet.</p>{% endif %}"
    '<table><thead><tr><th scope="col">Week</th><th scope="col">Sum</th></tr></thead><tbody>'
    "{% for line in statement | lines %}<tr><td>{{ line }}</td><td>{{ arrears | pounds }}</td></tr>{% endfor %}"
    "</tbody></table></body></html>"
)


@pytest.mark.parametrize(
    ("agreement", "weeks", "said"),
    [(True, 9.0, "You have a plan with us."), (False, 9.0, "some weeks now"), (False, 2.0, "You have no plan yet.")],
)
def test_a_condition_chooses_the_words_of_each_tenant(tmp_path, agreement, weeks, said):
    folder = folder_with(tmp_path, "letters/choosing.html", CHOOSING)
    fields = {"agreement": agreement, "weeks_in_arrears": weeks, "arrears": 1250, "statement": "3 May, 10 May"}
    html = folder.html(invented(template="letters/choosing.html", fields=fields))
    assert said in html
    assert html.count("<p>") == 1


def test_a_table_has_a_row_for_each_line_and_its_heads_are_tagged(tmp_path):
    folder = folder_with(tmp_path, "letters/choosing.html", CHOOSING)
    fields = {"agreement": True, "weeks_in_arrears": 1.0, "arrears": 1250, "statement": "3 May\n10 May\n17 May"}
    spec = invented(template="letters/choosing.html", fields=fields)
    html = folder.html(spec)
    assert html.count("£12.50") == 3
    drawn = draw(html, folder.path, profile=profile_named("dl"), template=spec.template)
    assert check_structure(drawn.pdf, spec.place) == ()
