"""The public notice: a page that says what is tested, on whom, what is kept and how to object, or is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pypdfium2
import pytest

from nudge.base.errors import Refused
from nudge.base.resources import resources
from nudge.trial.handle import Trial, open_trial
from nudge.trial.notice import make_notice
from nudge.workspace import make_workspace, open_workspace

TODAY = date(2026, 12, 1)


@pytest.fixture
def council(tmp_path: Path) -> Path:
    folder = tmp_path / "council"
    make_workspace(folder, council="Anytown Borough Council", resources=resources())
    return folder


def trial_of(folder: Path, edit: tuple[str, str] = ("", "")) -> Trial:
    path = folder / "experiments" / "street-champions.yaml"
    text = path.read_text("utf-8")
    assert edit[0] in text
    path.write_text(text.replace(*edit), "utf-8")
    return open_trial(open_workspace(folder), "street-champions")


def test_the_notice_is_one_page_that_says_all_that_people_may_ask(council: Path) -> None:
    made = make_notice(trial_of(council), today=TODAY)
    document = pypdfium2.PdfDocument(made.path)
    assert len(document) == 1
    text = " ".join(document[0].get_textpage().get_text_bounded().split())
    for words in (
        "Anytown Borough Council",
        "four letters that ask people to be a Street Champion",
        "as if we tossed a coin",
        "Households in 170 streets; 34 streets get no letter",
        "please tell us by 31 July 2027",
        "All names and addresses, by 31 December 2027",
        "Information Commissioner",
        "www.anytown.example/letters",
    ):
        assert words in text, words
    assert made.path.stat().st_mode & 0o077 == 0


def test_i13_the_same_notice_on_the_same_day_is_the_same_bytes(council: Path) -> None:
    first = make_notice(trial_of(council), today=TODAY).path.read_bytes()
    assert make_notice(trial_of(council), today=TODAY).path.read_bytes() == first


def test_a_notice_that_lacks_who_is_in_it_or_is_out_of_date_is_refused(council: Path) -> None:
    with pytest.raises(Refused, match=r"details\.notice_who") as refusal:
        make_notice(trial_of(council, ("  notice_who:", "  who:")), today=date(2027, 8, 1))
    assert [problem.code for problem in refusal.value.problems] == ["detail-past", "detail-missing"]
    assert not (council / "out" / "street-champions").exists()


def test_a_dry_run_checks_and_writes_nothing(council: Path) -> None:
    made = make_notice(trial_of(council), today=TODAY, dry_run=True)
    assert not made.made
    assert not made.path.exists()


def test_a_notice_that_does_not_fit_its_page_is_refused(council: Path) -> None:
    template = council / "templates" / "letters" / "public-notice.html"
    text = template.read_text("utf-8")
    template.write_text(
        text.replace("<h2>If you object</h2>", "<p>Of interest to all.</p>" * 20 + "<h2>Objecting</h2>")
    )
    with pytest.raises(Refused, match="at most 1 page"):
        make_notice(trial_of(council), today=TODAY)
