"""Invented people and the rows that an exporter would write of them."""

from __future__ import annotations

from collections.abc import Sequence

HEADINGS = ("Tenancy Ref", "Title", "Forename", "Surname", "Addr1", "Addr2", "Postcode", "Current Bal")
FIELD = ("000101", "Mrs", "Ann", "Field", "1 Mill Lane", "Hailsham", "BN27 1AA", "150.00")
MARSH = ("000102", "Mr", "Bob", "Marsh", "2 Mill Lane", "Hailsham", "BN27 1AB", "20.00")
Rows = Sequence[Sequence[object]]


def as_csv(rows: Rows) -> str:
    """Every cell quoted where it must be, as a correct exporter writes it."""

    def quoted(cell: object) -> str:
        text = str(cell)
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n;\t|') else text

    return "".join(",".join(map(quoted, row)) + "\r\n" for row in rows)
