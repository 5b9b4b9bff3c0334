"""Both databases, for every test of the records."""

from postgres import address, new_database, store

__all__ = ["address", "new_database", "store"]
