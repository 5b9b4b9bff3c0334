"""Refusals are codes before they are sentences.

Each room words its own refusals in one enumeration that extends `Code`; no check holds wording of its own,
so callers and tests compare codes, and a test can render every sentence there is.
"""

from __future__ import annotations

from enum import Enum

from nudge.base.errors import Place, Problem


class Code(Enum):
    """A kind of refusal: what was expected, and one fix, as templates for `str.format`.

    Facts filled into the templates are headings, identifiers, counts and names from an experiment file;
    never a tenant's cell (I12).
    """

    def __init__(self, expected: str, fix: str) -> None:
        self.expected = expected
        self.fix = fix

    @property
    def slug(self) -> str:
        """The code as printed and in JSON: `DATE_READS_TWO_WAYS` becomes `date-reads-two-ways`."""
        return self.name.lower().replace("_", "-")

    def at(self, place: Place, /, **facts: object) -> Problem:
        """This refusal at a place, its sentence filled in."""
        return Problem(self.slug, place, self.expected.format(**facts), self.fix.format(**facts))
