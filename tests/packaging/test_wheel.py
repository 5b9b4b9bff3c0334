"""The built wheel, installed by itself and used from another folder: all that nudge needs is inside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
ARRIVED: Final = {
    "letter": """
from datetime import date
import json
import nudge
from nudge.base.resources import resources
from nudge.documents.checks import check_letter
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.templates import TemplateFolder
from nudge.workspace import open_workspace
from pathlib import Path

template = "letters/arrears-current.html"
spec = LetterSpec(
    reference=letter_reference(bytes(32), "demo", "u1", 1, "first"), template=template, name="Mrs Alys Jones",
    salutation="Mrs Jones", post_to=("12 Mill Lane", "Hartfield", "TN7 4AB"),
    fields={"arrears": 41250, "weeks_in_arrears": 7.0, "agreement": False, "court_date": None}, claims={},
    council=open_workspace(Path.cwd()).council, letter_date=date(2026, 11, 23), as_of=date(2026, 11, 20),
    tenancy_reference="T-000-100", payment_reference="98260000100",
)
folder = TemplateFolder(resources() / "templates")
profile = profile_named("dl")
drawn = draw(folder.html(spec), folder.path, profile=profile, template=template)
problems = [str(one) for one in check_letter(drawn, spec, profile, folder)]
print(json.dumps({"nudge": nudge.__file__, "pages": drawn.pages, "pdf": drawn.pdf[:5].decode(), "problems": problems}))
""",
    "records": """
from nudge.records.store import open_store
open_store("sqlite:///records.db").close()
open_store("sqlite:///records.db").close()
print("{}")
""",
    "report": """
import json, sys
from nudge.reports.render import report_html, report_pdf
page = report_html(json.loads(sys.stdin.read()))
print(json.dumps({"page": page[:9], "styled": "<style" in page, "pdf": report_pdf(page)[:5].decode()}))
""",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    _run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", out, ROOT]
    )
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel, and sees the dependencies installed beside the tests.

    A folder named in a .pth file is searched, but its own .pth files are not followed: the checkout stays unseen.
    """
    home = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    offline = ["install", "--quiet", "--no-index", "--no-deps", wheel]
    _run([sys.executable, "-m", "pip", "--python", python, *offline])
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


@pytest.fixture(scope="module")
def workspace(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    _run([python.parent / "nudge", "init", "rents", "--council", "Anytown Borough Council"], cwd=elsewhere)
    return elsewhere / "rents"


def _run(command: list[str | Path], *, cwd: Path | None = None, given: str = "") -> str:
    hidden = {"PYTHONPATH", "PYTHONHOME", "NUDGE_DATABASE_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _asked(python: Path, folder: Path, what: str, *, given: str = "") -> dict[str, object]:
    found: dict[str, object] = json.loads(_run([python, "-I", "-c", ARRIVED[what]], cwd=folder, given=given))
    return found


def test_an_installed_nudge_says_its_version(python: Path, tmp_path: Path) -> None:
    from nudge._version import __version__

    assert __version__ in _run([python.parent / "nudge", "--version"], cwd=tmp_path)


def test_an_installed_nudge_makes_a_workspace_with_letters_and_experiments(workspace: Path) -> None:
    for name in ("templates", "experiments"):
        shipped = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*") if path.is_file()}
        made = {path.relative_to(workspace / name) for path in (workspace / name).rglob("*") if path.is_file()}
        assert made == shipped


def test_an_installed_nudge_checks_the_flagship(python: Path, workspace: Path) -> None:
    told = _run([python.parent / "nudge", "check", "experiments/wealden-arrears.yaml"], cwd=workspace)
    assert "live, 2 arms, 3 outcomes" in told


def test_an_installed_nudge_draws_a_letter_that_its_own_checks_pass(python: Path, workspace: Path) -> None:
    letter = _asked(python, workspace, "letter")
    assert not Path(str(letter.pop("nudge"))).is_relative_to(ROOT)
    assert letter == {"pages": 1, "pdf": "%PDF-", "problems": []}


def test_an_installed_nudge_makes_its_tables(python: Path, workspace: Path) -> None:
    _asked(python, workspace, "records")
    assert (workspace / "records.db").stat().st_size > 0


def test_an_installed_nudge_writes_a_report_and_its_pdf(python: Path, workspace: Path) -> None:
    summary = (ROOT / "tests" / "data" / "summary-arrears.json").read_text("utf-8")
    written = _asked(python, workspace, "report", given=summary)
    assert written == {"page": "<!doctype", "styled": True, "pdf": "%PDF-"}


def test_the_wheel_carries_licences_and_types_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    assert "nudge/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("LICENSE-NotoSans.txt") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/"))]
    assert not [name for name in names if name.endswith((".db", ".secret", ".pyc"))]
