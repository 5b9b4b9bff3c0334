"""Fixtures that every room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data that may not ship with nudge, kept beside the repository; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the outside data sets kept beside the repository (not shipped: some state no licence)")
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that look at what their module made once go to one worker, or each worker would make it again."""
    for item in items:
        known = getattr(item, "_fixtureinfo", None)
        if known is None:
            continue
        shared = sorted(name for name, found in known.name2fixturedefs.items() if found[-1].scope == "module")
        if shared:
            chosen = getattr(getattr(item, "callspec", None), "params", {})
            which = " ".join(str(chosen[name]) for name in shared if name in chosen)
            item.add_marker(pytest.mark.xdist_group(f"{item.nodeid.split('::')[0]} {which}".strip()))
