"""What nudge.toml says of the council, in the language of the half of a letter that prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nudge.base.errors import Place, Refused
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.documents.codes import TemplateCode

# What a council has one of in every language, unless nudge.toml gives that line in the language as well.
SAME_IN_EVERY_LANGUAGE: Final = frozenset(
    {"return_address", "telephone", "email", "website", "pay_online", "pay_telephone"}
)


def council_in(council: Mapping[str, str], language: str) -> Mapping[str, str]:
    """The council's lines in a language: never English where a line of words is not given in it (`hours_cy`)."""
    own = {name: line for name, line in council.items() if name.rpartition("_")[2] not in LANGUAGES}
    if language == ENGLISH:
        return own
    same = {name: line for name, line in own.items() if name in SAME_IN_EVERY_LANGUAGE}
    ending = f"_{language}"
    return same | {name.removesuffix(ending): line for name, line in council.items() if name.endswith(ending)}


@dataclass(frozen=True, slots=True)
class CouncilLines:
    """The council's lines as a template reads them; one that is not there is refused by the name of its key."""

    _council: Mapping[str, str]
    _language: str
    _place: Place

    def __getitem__(self, name: str) -> object:
        lines = council_in(self._council, self._language)
        if name in self._council and name not in lines:
            raise Refused(TemplateCode.COUNCIL_LINE_MISSING.at(self._place, key=f"{name}_{self._language}"))
        return lines[name]
