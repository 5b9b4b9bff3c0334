"""The gallery shows every letter and sign that comes with nudge, and says of each what its template says."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType
from typing import Any

import pytest
from pages import ROOT

GALLERY = ROOT / "docs" / "gallery"


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "scripts" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def everything(gallery: ModuleType) -> list[Any]:
    return list(gallery.everything())


def test_every_page_of_the_gallery_is_as_its_template_is(gallery: ModuleType, everything: list[Any]) -> None:
    written = {path.name: path.read_text("utf-8") for path in GALLERY.glob("*.md")}
    assert written == gallery.pages(everything), "run `make gallery`, and look at what changed"


def test_every_template_has_its_page_and_every_page_its_pictures() -> None:
    pictured = {path.name for path in GALLERY.glob("*.png")}
    named: set[str] = set()
    shown: set[str] = set()
    for page in GALLERY.glob("*.md"):
        text = page.read_text("utf-8")
        named |= set(re.findall(r"\(([\w-]+\.png)\)", text))
        shown |= set(re.findall(r"`templates/((?:letters|signs)/[\w.-]+\.html)`", text))
    assert named == pictured
    there = {path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").glob("*/*.html")}
    assert shown == {name for name in there if "/base" not in name}
