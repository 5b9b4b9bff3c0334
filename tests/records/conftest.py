"""Both databases, for every test of the records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nudge.records.store import Store, open_store
from tests.postgres import address, new_database, store

__all__ = ["address", "new_database", "one_store", "store"]


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An empty SQLite store for many examples, each of which undoes what it did."""
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('records')}/nudge.db")
    yield opened
    opened.close()
