"""`nudge compare`: every letter of an experiment against the control's, as a page and a PDF to sign."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from nudge.base.errors import Place, Refused
from nudge.base.resources import resources
from nudge.cli.main import run
from nudge.documents.remark_codes import RemarkCode
from nudge.documents.structure import check_structure
from nudge.reports.comparing import tell_comparison
from nudge.reports.render import story_html, story_text
from nudge.trial.comparing import Comparison, compare_file

EXPERIMENTS = resources() / "experiments"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder without a workspace: the flagship in which one arm gets no letter, with templates beside it."""
    folder = tmp_path_factory.mktemp("beside")
    shutil.copytree(resources() / "templates" / "letters", folder / "templates" / "letters")
    text = (EXPERIMENTS / "wealden-arrears.yaml").read_text("utf-8")
    text = text.replace("claims:\n", "  - {id: nothing, label: No letter}\n\nclaims:\n", 1)
    text = text.replace("ratio: [1, 1]", "ratio: [1, 1, 1]").replace('service: ""', 'service: "AB 2026-11-20"')
    (folder / "trial.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def written(place: Path) -> tuple[Path, dict[str, object]]:
    """The files that the command writes, and its figures."""
    told = place / "told.json"
    assert run(["compare", str(place / "trial.yaml"), "--json", str(told)]) == 0
    return place / "out" / "wealden-arrears", json.loads(told.read_text("utf-8"))


def test_the_figures_tell_every_change_with_its_levers(written: tuple[Path, dict[str, object]]) -> None:
    _, told = written
    assert [one["id"] for one in told["letters"]] == ["current", "personal-norm", "second"]
    [against] = told["against"]
    assert (against["arm"], against["control"]) == ("personal-norm", "current")
    norm = [change for change in against["changes"] if change["levers"] == ["norms"]]
    assert [change["how"] for change in norm] == ["added"]
    assert norm[0]["after"].startswith("More than 6 in 10 of the tenants we wrote to")
    assert told["without"] == ["nothing"]
    assert {one["recipient"] for one in told["letters"][0]["sizes"]} >= {"Joint tenants on one line", "Large amounts"}
    assert {one["recipient"] for one in told["letters"][0]["sizes"]} >= {"Large print 18 pt", "Easy Read"}
    assert all(size["pages"] >= size["sheets"] >= 1 for one in told["letters"] for size in one["sizes"])
    assert all(all(one["holds"].values()) and one["holds"] for one in told["letters"])
    assert not {one["code"] for one in told["warnings"]} & {"required-missing", "letter-unfit", "sheets-differ"}


def test_the_page_needs_nothing_from_elsewhere_and_holds_both_letters(written: tuple[Path, dict[str, object]]) -> None:
    page = (written[0] / "compare.html").read_text("utf-8")
    assert not re.search(r"<script|@import|<link", page)
    assert set(re.findall(r'src="([a-z]+):', page)) == {"data"}
    assert all(re.search(r'alt="[^"]{20,}"', picture) for picture in re.findall(r"<img[^>]*>", page))
    assert "<ins>Your rent account has fallen behind." in page
    assert "<del>Our records show that your rent account is in arrears." in page
    assert "This arm gets no letter." in page
    assert page.count('<div class="full">') == 1
    assert "With an invented figure, because its source is not there or does not bear it out: contact_norm." in page


def test_the_pdf_is_accessible_and_has_a_line_for_each_who_signs(written: tuple[Path, dict[str, object]]) -> None:
    pdf = (written[0] / "compare.pdf").read_bytes()
    assert check_structure(pdf, Place("compare.pdf")) == ()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) <= 9
    page = (written[0] / "compare.html").read_text("utf-8")
    signing = page[page.index('<table class="signing">') :]
    rows = re.findall(
        r'<th scope="row">([^<]+)</th><td class="word">([^<]*)</td><td class="word">([^<]*)</td>', signing
    )
    assert rows == [
        ("The service", "AB", "2026-11-20"),
        ("Legal", "", ""),
        ("Communications", "", ""),
        ("Data protection", "", ""),
    ]


@pytest.fixture(scope="module")
def found(place: Path) -> Comparison:
    """The comparison as a value."""
    return compare_file(place / "trial.yaml")


def test_a_terminal_gets_the_blocks_that_differ(found: Comparison) -> None:
    text = story_text(_story(found))
    assert "- Our records show that your rent account is in arrears." in text
    assert "+ Your rent account has fallen behind." in text
    assert "Mrs Alys Jones" not in text
    assert story_html(_story(found)).count('<table class="redline">') == 1


def _story(found: Comparison):
    return tell_comparison(
        found.experiment,
        found.shown,
        found.waves,
        found.against,
        without=found.without,
        problems=found.problems,
        notes=found.notes,
        definition_hash=found.definition_hash,
        templates=found.templates,
        pictures=False,
    )


def test_a_dry_run_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (place / "trial.yaml").read_text("utf-8").replace("letters/arrears-personal-norm", "letters/arrears-absent")
    (place / "absent.yaml").write_text(text, "utf-8")
    assert run(["compare", str(place / "absent.yaml"), "--out", str(tmp_path / "o"), "--dry-run"]) == 3
    assert "templates/letters/arrears-absent.html" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_recorded_trial_and_a_file_without_templates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="an experiment to be run"):
        compare_file(EXPERIMENTS / "rossi.yaml")
    (tmp_path / "far").mkdir()
    shutil.copy(EXPERIMENTS / "wealden-arrears.yaml", tmp_path / "far" / "alone.yaml")
    with pytest.raises(Refused, match=r"templates/letters/arrears-current\.html"):
        compare_file(tmp_path / "far" / "alone.yaml")


def test_what_the_seal_will_refuse_or_hold_is_told_with_the_letters_it_is_said_of(found: Comparison) -> None:
    hold = RemarkCode.FEAR_WORDING.at(Place("letters/a.html"), words="final warning")
    warn = RemarkCode.UP_TO.at(Place("letters/a.html"), words="up to")
    told = replace(found, shown=tuple(replace(one, remarks=(hold, warn)) for one in found.shown))
    text = story_html(_story(told))
    assert "What the words may do to a reader" in text
    assert "until somebody lets it through by name" in text
    governance = found.experiment.governance.model_copy(update={"overrides": {"fear_wording": "AB 2026-11-20: agreed"}})
    through = replace(told, experiment=found.experiment.model_copy(update={"governance": governance}))
    assert "let through: AB 2026-11-20: agreed" in story_html(_story(through))


@pytest.mark.parametrize("name", ["arrears-funnel", "arrears-factorial", "dog-norm-sign"])
def test_in_a_shipped_experiment_every_change_has_its_lever_and_every_arm_its_forms(name: str) -> None:
    compared = compare_file(EXPERIMENTS / f"{name}.yaml")
    assert compared.against
    assert compared.problems == ()
