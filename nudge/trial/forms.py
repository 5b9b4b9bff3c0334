"""The forms that a trial's letters can take: each in every arm and wave, or for nobody. A form is never an arm."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.documents.form import Form, Format, language_of, read_format, read_language, template_in
from nudge.documents.siblings import lines_missing
from nudge.documents.templates import TemplateFolder
from nudge.intake.extract import Tenancy
from nudge.intake.tenancy import Wish
from nudge.records.tables import SealRow
from nudge.trial.handle import Trial
from nudge.trial.sealing import frozen_claims, letters_of

OTHER_LANGUAGE: Final = "needs_another_language"
OTHER_FORMAT: Final = "needs_another_format"


@dataclass(frozen=True, kw_only=True)
class Forms:
    """What was sealed that letters can be made of. `languages` are those of every letter; `large` the points of large
    print where a recipient names none. `claims` holds the frozen wording by language, `lines` the keys of nudge.toml
    that a language lacks.
    """

    letters: tuple[str, ...]
    sealed: frozenset[str]
    languages: tuple[str, ...]
    large: int
    claims: Mapping[str, Mapping[str, str]]
    lines: Mapping[str, tuple[str, ...]]

    def of(self, tenancy: Tenancy) -> tuple[Form, ...]:
        """The form of each of a tenancy's letters, in the order of its people."""
        found = [self._form(*wish) for wish in _wishes(tenancy)]
        return tuple(form for form in found if isinstance(form, Form))

    def lacking(self, tenancy: Tenancy) -> str | None:
        """Why a tenancy cannot be written to in a form it asked for; None where it can.

        Such a tenancy is left to an officer before the draw: another letter would reach somebody who cannot read it.
        """
        found = [self._form(*wish) for wish in _wishes(tenancy)]
        return next((reason for reason in found if isinstance(reason, str)), None)

    def missing_for(self, language: str) -> tuple[str, ...]:
        """The templates, claims and lines of nudge.toml that lack a language; empty where letters can be sent in it."""
        return tuple(self._lacks(language))

    def nearly_ready(self) -> dict[str, tuple[str, ...]]:
        """By language, what is still missing where some of it is there: who asks for it is left out meanwhile."""
        begun = {language_of(name) for name in self.sealed if name.endswith(".html")} - {ENGLISH, *self.languages}
        missing = {language: self.missing_for(language) for language in sorted(begun)}
        return {LANGUAGES[language].name: lacks for language, lacks in missing.items() if lacks}

    def _lacks(self, language: str) -> Iterator[str]:
        for letter in self.letters:
            if (name := template_in(letter, Format.STANDARD, language)) not in self.sealed:
                yield f"templates/{name}"
        told = self.claims.get(language, {})
        yield from (f"claims.{name}.says_{language}" for name in self.claims[ENGLISH] if name not in told)
        yield from (f"nudge.toml {key}" for key in self.lines.get(language, ()))

    def _form(self, spoken: str | None, wanted: str | None) -> Form | str:
        language, form = read_language(spoken), read_format(wanted)
        if language is None or (language not in self.languages and self.missing_for(language)):
            return OTHER_LANGUAGE
        if form is None:
            return OTHER_FORMAT
        # Another language comes with the trial's own: a household, or the council's officer, reads the same letter.
        form = replace(form, languages=tuple(dict.fromkeys((language, *self.languages))))
        if language in self.languages:
            form = replace(form, languages=self.languages)
        if form.format is Format.LARGE_PRINT:
            form = replace(form, points=form.points or self.large)
        named = (template_in(letter, form.format, one) for letter in self.letters for one in form.languages)
        return form if self.sealed.issuperset(named) else OTHER_FORMAT


def _wishes(tenancy: Tenancy) -> tuple[Wish, ...]:
    return tenancy.wishes or ((tenancy.language, tenancy.format),) * len(tenancy.people)


def forms_of(trial: Trial, seal: SealRow) -> Forms:
    """The forms of a sealed trial: its sealed templates and claims decide, and what the council says in nudge.toml."""
    sealed = frozenset(json.loads(seal.templates_json))
    folder = TemplateFolder(trial.workspace.templates)
    lines: dict[str, dict[str, None]] = {}
    for template in sorted(sealed):
        if template.endswith(".html") and (language := language_of(template)) != ENGLISH:
            lines.setdefault(language, {}).update(
                dict.fromkeys(lines_missing(folder, template, trial.workspace.council))
            )
    return Forms(
        letters=tuple(dict.fromkeys(letters_of(trial.experiment))),
        sealed=sealed,
        languages=trial.experiment.languages,
        large=trial.workspace.large_print,
        claims={language: frozen_claims(seal, language) for language in LANGUAGES},
        lines={language: tuple(keys) for language, keys in lines.items()},
    )
