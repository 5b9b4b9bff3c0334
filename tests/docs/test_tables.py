"""What the pages say of keys and licences is what the schema, the lock file and the packages say."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from types import ModuleType
from typing import Final

import pytest
from packaging.requirements import Requirement
from pages import ROOT

from nudge.experiment.schema import json_schema

BUILDS: Final = {"hatchling", "editables", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
ELSEWHERE: Final = {"brotlicffi", "colorama", "greenlet"}  # other Pythons and systems


@pytest.fixture(scope="module")
def renewal() -> ModuleType:
    spec = importlib.util.spec_from_file_location("renew_docs", ROOT / "scripts" / "renew_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["renew_docs"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["experiment-file.md", "licences.md"])
def test_tables_are_as_the_code_and_the_packages_say(renewal: ModuleType, name: str) -> None:
    page = (ROOT / "docs" / name).read_text("utf-8")
    assert page == renewal.renewed(page), "run `make docs`"


def test_every_key_of_an_experiment_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "experiment-file.md").read_text("utf-8")
    tables = dict(re.findall(r"<!-- table: (\w+) -->\n(.*?)<!-- end of table -->", page, flags=re.DOTALL))
    for name, part in json_schema()["definitions"].items():
        keys = list(part.get("properties", {}))
        assert [key for key in keys if f"| `{key}` |" not in tables.get(name, "")] == [], name


def test_every_link_inside_the_reference_leads_to_a_heading() -> None:
    page = (ROOT / "docs" / "experiment-file.md").read_text("utf-8")
    anchors: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE):
        slug = re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-")
        anchors.append(slug if slug not in anchors else f"{slug}-{anchors.count(slug)}")
    assert set(re.findall(r"\(#([^)]+)\)", page)) <= set(anchors)


def test_every_package_that_nudge_needs_has_its_licence_on_the_page(renewal: ModuleType) -> None:
    page = (ROOT / "docs" / "licences.md").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for group in project["optional-dependencies"].values() for line in group]
    named = {renewal.normal(Requirement(line).name) for line in (*project["dependencies"], *extras)}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "run.lock").read_text("utf-8"), re.MULTILINE))
    wanted = named | (locked - BUILDS - ELSEWHERE)
    listed = {renewal.normal(name) for name in re.findall(r"^\| ([\w.-]+) \|", page, re.MULTILINE)}
    assert {name for name in wanted - listed if f"`{name}`" not in page} == set()


def test_no_package_that_nudge_needs_forbids_what_its_own_licence_allows(renewal: ModuleType) -> None:
    free = re.compile(r"MIT|BSD|Apache|PSF|MPL|LGPL|HPND|Zlib|CC0")
    assert {name for name, package in renewal.installed().items() if not free.search(renewal.licence(package))} == set()
