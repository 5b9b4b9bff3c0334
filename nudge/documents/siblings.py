"""A letter's templates in other formats and languages: which there are, and whether they are the same letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nudge.base.errors import Place, Problem
from nudge.base.languages import LANGUAGES
from nudge.documents.codes import TemplateCode
from nudge.documents.council import council_in
from nudge.documents.form import Format, language_of, template_in
from nudge.documents.needs import needs_of
from nudge.documents.templates import TemplateFolder, check_templates


def siblings_of(folder: TemplateFolder, letter: str) -> tuple[str, ...]:
    """The templates of a letter in other formats and languages that the folder has."""
    formats = (Format.STANDARD, Format.EASY_READ)
    wanted = (template_in(letter, one, language) for one in formats for language in LANGUAGES)
    known = set(folder.names())
    return tuple(name for name in wanted if name in known and name != letter)


def check_siblings(folder: TemplateFolder, letter: str) -> tuple[Problem, ...]:
    """What is wrong with a letter in all its forms: its own faults, and a block or claim that one form has alone."""
    siblings = siblings_of(folder, letter)
    problems = check_templates(folder, (letter, *siblings))
    return problems or tuple(_claims_alone(folder, letter, siblings))


def _claims_alone(folder: TemplateFolder, letter: str, siblings: tuple[str, ...]) -> Iterator[Problem]:
    said = set(folder.marks(letter, "claim"))
    for sibling in siblings:
        for claim in sorted(said ^ set(folder.marks(sibling, "claim"))):
            yield TemplateCode.CLAIM_IN_ONE_FORM.at(Place(sibling), claim=claim, letter=letter)


def lines_missing(folder: TemplateFolder, template: str, council: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of nudge.toml that a template in another language wants and the council has not given."""
    language = language_of(template)
    told = council_in(council, language)
    return tuple(f"{name}_{language}" for name in needs_of(folder, template).council if name not in told)
