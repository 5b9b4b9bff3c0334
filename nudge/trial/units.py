"""Tenancies as units of a trial: their pseudonymous codes, typed values, bands, and their way in and out of records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from nudge.base.canonical import canonical
from nudge.base.columns import Kind, Value
from nudge.base.languages import ENGLISH
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.experiment.bands import label_of
from nudge.experiment.conditions import Condition
from nudge.experiment.definition import HOUSEHOLD, LiveExperiment
from nudge.experiment.seal import cluster_code
from nudge.intake.extract import Person, Tenancy
from nudge.intake.suppression import SuppressionList
from nudge.records.tables import RecipientRow, UnitRow
from nudge.trial.handle import Trial
from nudge.trial.households import Home

if TYPE_CHECKING:
    from nudge.trial.forms import Forms


def unit_code(secret: bytes, reference: str) -> str:
    """The pseudonymous code of a tenancy, under which everything but its recipients is kept."""
    return cluster_code(secret, f"unit:{reference}")


def home_of(tenancy: Tenancy) -> Home:
    """Where a tenancy of an extract is."""
    return Home(tenancy.reference, tenancy.uprn, tenancy.address)


def home_of_recipient(row: RecipientRow) -> Home:
    """Where a tenancy already in the trial is."""
    return Home(row.tenancy_reference, row.uprn or None, tuple(json.loads(row.address_json)))


def with_bands(experiment: LiveExperiment, values: Mapping[str, Value]) -> dict[str, Value]:
    """The declared columns and the bands made of them."""
    return dict(values) | {
        name: label_of(_amount(values.get(band.of)), band, experiment.columns[band.of])
        for name, band in experiment.bands.items()
    }


def _amount(value: Value) -> int | float | None:
    return value if isinstance(value, (int, float)) else None


def exclusion(experiment: LiveExperiment, values: Mapping[str, Value]) -> str | None:
    """The first declared reason not to write to a tenancy: its column is true or holds a date."""
    for reason, column in experiment.exclude_if.items():
        value = values.get(column)
        if value is True or isinstance(value, date):
            return reason
    return None


def missing_cluster(experiment: LiveExperiment, values: Mapping[str, Value]) -> str | None:
    """Why a unit cannot be drawn with its cluster: the cell that names it is blank. None where it can."""
    name = experiment.cluster
    if name in (None, HOUSEHOLD) or values.get(name) is not None:
        return None
    return f"missing_{name}"


def reason_out(
    experiment: LiveExperiment,
    eligible: Condition,
    forms: Forms,
    tenancy: Tenancy,
    listed: SuppressionList,
    today: date,
) -> str | None:
    """Why a tenancy of an extract is not to be drawn; None where it is."""
    if reasons := listed.reasons(tenancy.reference, today):
        return reasons[0]
    if tenancy.deceased:
        return "deceased"
    if other := forms.lacking(tenancy):
        return other
    values = with_bands(experiment, tenancy.values)
    if reason := exclusion(experiment, values):
        return reason
    if unplaced := missing_cluster(experiment, values):
        return unplaced
    holds = eligible.holds(values)
    if holds is None:
        return "missing_" + min(name for name in eligible.names if values.get(name) is None)
    return None if holds else "not_eligible"


def text_values(values: Mapping[str, Value]) -> str:
    """Typed cells as canonical JSON; dates in ISO."""
    return canonical({k: v.isoformat() if isinstance(v, date) else v for k, v in values.items()}).decode()


def typed_values(text: str, kinds: Mapping[str, Kind]) -> dict[str, Value]:
    """The inverse of `text_values`."""
    found = json.loads(text)
    return {
        name: date.fromisoformat(value) if kinds.get(name) is Kind.DATE and value is not None else value
        for name, value in found.items()
    }


def tenancy_of(unit: UnitRow, recipients: Sequence[RecipientRow], kinds: Mapping[str, Kind]) -> Tenancy:
    """A tenancy as it stood at enrolment, from the records."""
    first = recipients[0]
    return Tenancy(
        reference=first.tenancy_reference,
        rows=(),
        people=tuple(Person(row.title, row.forename, row.surname) for row in recipients),
        address=tuple(json.loads(first.address_json)),
        post_to=tuple(json.loads(first.post_to_json)),
        uprn=first.uprn,
        payment_reference=first.payment_reference,
        telephones=tuple(json.loads(first.telephones_json)),
        language=first.language,
        format=first.format,
        values=typed_values(unit.values_json, kinds),
        wishes=tuple((row.language, row.format) for row in recipients),
    )


def recipient_rows(trial: str, unit: str, tenancy: Tenancy) -> Iterator[RecipientRow]:
    """A row for each named tenant: the only rows with personal data."""
    wishes = tenancy.wishes or ((tenancy.language, tenancy.format),) * len(tenancy.people)
    for number, (person, (language, form)) in enumerate(zip(tenancy.people, wishes, strict=True), start=1):
        yield RecipientRow(
            trial=trial,
            unit=unit,
            number=number,
            tenancy_reference=tenancy.reference,
            payment_reference=tenancy.payment_reference,
            uprn=tenancy.uprn,
            title=person.title,
            forename=person.forename,
            surname=person.surname,
            telephones_json=canonical(tenancy.telephones).decode(),
            address_json=canonical(tenancy.address).decode(),
            post_to_json=canonical(tenancy.post_to).decode(),
            language=language,
            format=form,
        )


def specs_of(
    trial: Trial,
    tenancy: Tenancy,
    template: str,
    *,
    secret: bytes,
    forms: Forms,
    as_of: date,
    letter_date: date,
    wave: str,
) -> Iterable[LetterSpec]:
    """One letter for each tenant named on the tenancy, in the form they asked for; joint tenants are written to
    separately. A tenancy with a form that the trial cannot send has none: `Forms.lacking` says so first."""
    unit = unit_code(secret, tenancy.reference)
    for number, (person, form) in enumerate(zip(tenancy.people, forms.of(tenancy), strict=True), start=1):
        yield LetterSpec(
            reference=letter_reference(secret, trial.id, unit, number, wave),
            template=template,
            name=person.name,
            salutation=person.salutation,
            post_to=tenancy.post_to,
            fields=with_bands(trial.experiment, tenancy.values),
            claims=forms.claims[ENGLISH],
            claims_in={language: forms.claims[language] for language in form.languages if language != ENGLISH},
            council=trial.workspace.council,
            details=trial.experiment.details,
            letter_date=letter_date,
            as_of=as_of,
            form=form,
            tenancy_reference=tenancy.reference,
            payment_reference=tenancy.payment_reference or tenancy.reference,
        )
