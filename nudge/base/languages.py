"""The languages that a letter can be in: their months, how they write a date, number a page and word a share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from nudge.base.values import MONTHS

ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. `in_dates` are the months after a day, `months` the same standing alone.

    `dated` holds {day}, {month} and {year}; `page` holds {page} and {pages}; `tenths` and `over_tenths` hold {n}.
    `strictly` and `at_least` are the words that may stand before {share}, `upward` those that turn a claim round.
    """

    code: str
    name: str
    own_name: str
    words: tuple[str, ...]
    in_dates: tuple[str, ...]
    months: tuple[str, ...]
    dated: str
    page: str
    everybody: str
    half: str
    over_half: str
    tenths: str
    over_tenths: str
    strictly: tuple[str, ...]
    at_least: tuple[str, ...]
    upward: tuple[str, ...]
    mutated: Mapping[str, int] = field(default_factory=dict)  # other forms of the months, to be read and not written

    def day(self, day: date) -> str:
        """`3 December 2026`, `3 Rhagfyr 2026`: no leading zero, no abbreviation."""
        return self.dated.format(day=day.day, month=self.in_dates[day.month - 1], year=day.year)

    def month(self, day: date) -> str:
        """`December 2026`."""
        return f"{self.months[day.month - 1]} {day.year}"


def _twelve(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_WELSH: Final = _twelve(
    "Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr",
)
_ROMANIAN: Final = _twelve(
    "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
)
_PORTUGUESE: Final = _twelve(
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
)

LANGUAGES: Final[Mapping[str, Language]] = {
    language.code: language
    for language in (
        Language(
            code=ENGLISH,
            name="English",
            own_name="English",
            words=("en", "eng", "english", "saesneg", "en gb", "en uk", "english uk", "english only"),
            in_dates=tuple(MONTHS),
            months=tuple(MONTHS),
            dated="{day} {month} {year}",
            page="Page {page} of {pages}",
            everybody="All",
            half="Half",
            over_half="More than half",
            tenths="{n} in 10",
            over_tenths="More than {n} in 10",
            strictly=("more than", "over"),
            at_least=("at least",),
            upward=("fewer than", "less than", "under", "at most", "up to"),
        ),
        Language(
            code="cy",
            name="Welsh",
            own_name="Cymraeg",
            words=("cy", "cym", "wel", "welsh", "cymraeg", "cy gb", "cymraeg welsh", "welsh cymraeg", "bilingual"),
            in_dates=_WELSH,
            months=_WELSH,
            dated="{day} {month} {year}",
            page="Tudalen {page} o {pages}",
            everybody="Pob un",
            half="Hanner",
            over_half="Mwy na hanner",
            tenths="{n} o bob 10",
            over_tenths="Mwy na {n} o bob 10",
            strictly=("mwy na", "dros"),
            at_least=("o leiaf",),
            upward=("llai na", "dan", "hyd at", "dim mwy na"),
            mutated={"Fawrth": 3, "Fai": 5, "Fehefin": 6, "Orffennaf": 7, "Fedi": 9, "Dachwedd": 11, "Ragfyr": 12},
        ),
        Language(
            code="pl",
            name="Polish",
            own_name="Polski",
            words=("pl", "pol", "polish", "polski"),
            in_dates=_twelve(
                "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"
            ),
            months=_twelve(
                "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień"
            ),
            dated="{day} {month} {year}",
            page="Strona {page} z {pages}",
            everybody="10 na 10",
            half="Połowa",
            over_half="Ponad połowa",
            tenths="{n} na 10",
            over_tenths="Ponad {n} na 10",
            strictly=("ponad", "więcej niż"),
            at_least=("co najmniej",),
            upward=("mniej niż", "poniżej", "najwyżej", "do"),
        ),
        Language(
            code="ro",
            name="Romanian",
            own_name="Română",
            words=("ro", "ron", "rum", "romanian", "română", "romana"),
            in_dates=_ROMANIAN,
            months=_ROMANIAN,
            dated="{day} {month} {year}",
            page="Pagina {page} din {pages}",
            everybody="10 din 10",
            half="Jumătate",
            over_half="Peste jumătate",
            tenths="{n} din 10",
            over_tenths="Peste {n} din 10",
            strictly=("peste", "mai mult de"),
            at_least=("cel puțin",),
            upward=("mai puțin de", "sub", "cel mult", "până la"),
        ),
        Language(
            code="pt",
            name="Portuguese",
            own_name="Português",
            words=("pt", "por", "portuguese", "português", "portugues"),
            in_dates=_PORTUGUESE,
            months=_PORTUGUESE,
            dated="{day} de {month} de {year}",
            page="Página {page} de {pages}",
            everybody="10 em cada 10",
            half="Metade",
            over_half="Mais de metade",
            tenths="{n} em cada 10",
            over_tenths="Mais de {n} em cada 10",
            strictly=("mais de",),
            at_least=("pelo menos",),
            upward=("menos de", "no máximo", "até"),
        ),
    )
}
