"""The seal: what a trial is, fixed before anybody is drawn (I6, I7), and the secret its draw hangs on (rules §4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from nudge.allocation.certificate import names_beacon
from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Design
from nudge.base.canonical import canonical
from nudge.base.errors import Place, Problem, Refused
from nudge.base.files import sha256_file
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.base.values import utc_text
from nudge.documents.claims import ClaimFigure
from nudge.documents.details import check_details
from nudge.documents.form import Format, template_in
from nudge.documents.remark_codes import Remark
from nudge.documents.remarks import remarks_on_claims
from nudge.documents.siblings import check_siblings, lines_missing, siblings_of
from nudge.documents.templates import TemplateFolder, check_templates
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.loader import parse
from nudge.experiment.seal import NO_BEACON, beacon_day, commitment, definition_hash, seal_hash, seed, unsealable
from nudge.experiment.sites import SiteExperiment
from nudge.records.store import append, audit, change, rows_of
from nudge.records.tables import AmendmentRow, BatchRow, SealRow
from nudge.trial.claims import claim_figures
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial
from nudge.trial.sign_proofs import faults_of_signs
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.wording import Said, by_language, remarks_on_letters, sorted_out
from nudge.workspace import keep_secret


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal, whether this call made it, the line that goes to the witness, and what is to be said of its letters."""

    row: SealRow
    made: bool
    remarks: tuple[Remark, ...] = ()

    @property
    def witness_line(self) -> str:
        return (
            f"{self.row.trial} seal {self.row.number} {self.row.sealed_at} "
            f"seal-hash {self.row.seal_hash} commitment {self.row.commitment}"
        )


def seal_trial(trial: Trial, *, secret: bytes, now: datetime) -> Sealed:
    """Seal the definition, its templates, its claims and its plan, and commit to the secret.

    `secret` is 32 bytes from the operating system; it is kept in a file of its own the first time and ignored
    after, so that sealing again before the first draw cannot shop for a seed. Sealing what is sealed changes nothing.
    Refused with all that is missing or untrue, once anything is drawn, and where the secret is not the one sealed.
    """
    parts = sealable_parts(trial, now.date())
    found = seal_hash(parts.definition, parts.templates, parts.claims, parts.sources)
    path = trial.workspace.secret(trial.id)
    with trial.store.transaction() as connection:
        earlier = rows_of(connection, SealRow, trial=trial.id)
        if earlier and earlier[-1].seal_hash == found:
            return Sealed(earlier[-1], made=False, remarks=parts.remarks)
        if rows_of(connection, BatchRow, trial=trial.id):
            raise Refused(TrialCode.DRAWN_ALREADY.at(trial.place, trial=trial.id))
        if not path.exists():
            keep_secret(path, secret)
        row = _seal_row(trial.experiment, trial.loaded.text, parts, found, len(earlier) + 1, now, read_secret(trial))
        if earlier:  # the beacon is public and was fixed by the first seal's name for it
            row.beacon_value = (
                earlier[-1].beacon_value if earlier[-1].beacon_name == row.beacon_name else row.beacon_value
            )
        _keep_seal(connection, row, now)
        return Sealed(row, made=True, remarks=parts.remarks)


@dataclass(frozen=True, slots=True)
class SealableParts:
    """What a seal covers: hashes of definition, templates and source files, and the claims as they read today.

    `remarks` are what there is to say of the letters that stops no seal: warnings, and what was let through by name.
    """

    definition: str
    templates: Mapping[str, str]
    claims: Mapping[str, Any]
    sources: Mapping[str, str]
    remarks: tuple[Remark, ...] = ()


def sealable_parts(trial: Trial, today: date | None = None) -> SealableParts:
    """Everything the seal covers, or Refused with all that is missing or untrue."""
    problems = list(unsealable(trial.experiment, trial.loaded.place))
    folder = TemplateFolder(trial.workspace.templates)
    letters = tuple(dict.fromkeys(letters_of(trial.experiment)))
    known = folder.names()
    problems += [
        TrialCode.SOURCE_MISSING.at(
            trial.loaded.place("arms"), file=f"templates/{name}", part="experiment", key="`letter:` or `sign:`"
        )
        for name in letters
        if name not in known
    ]
    there = tuple(name for name in letters if name in known)
    arms = {template for arm in trial.experiment.arms for template in (arm.letter, arm.sign)}
    problems += check_templates(folder, tuple(name for name in there if name in arms))
    for name in there:
        problems += check_siblings(folder, name)
    if not problems:  # a template that does not read cannot say what it prints
        problems += _languages_missing(trial, folder, letters)
        printed = [form for name in there for form in (name, *siblings_of(folder, name))]
        problems += check_details(folder, printed, trial.experiment.details, on=today, place=trial.loaded.place)
    figures, untrue = claim_figures(trial.loaded, trial.workspace.folder, today)
    Refused.when(dict.fromkeys([*problems, *untrue]))
    said = _said(trial, folder, figures)
    Refused.when(said.stops)
    sources = {
        claim.source: sha256_file(trial.workspace.folder / claim.source) for claim in trial.experiment.claims.values()
    }
    return SealableParts(
        definition=definition_hash(trial.experiment),
        templates=_hashes(folder, there),
        claims={name: figure.ledger() for name, figure in figures.items()},
        sources=sources,
        remarks=said.told,
    )


def _languages_missing(trial: Trial, folder: TemplateFolder, letters: Sequence[str]) -> Iterator[Problem]:
    """What the languages of every letter want and is not there: templates, and the council's lines in nudge.toml."""
    known, place = set(folder.names()), trial.loaded.place("languages")
    for language in trial.experiment.languages:
        if language == ENGLISH:
            continue
        named, lines = LANGUAGES[language].name, set()
        for letter in letters:
            template = template_in(letter, Format.STANDARD, language)
            if template not in known:
                yield TrialCode.LETTER_NOT_IN_LANGUAGE.at(place, language=named, file=f"templates/{template}")
            else:
                lines |= set(lines_missing(folder, template, trial.workspace.council))
        for key in sorted(lines):
            yield TrialCode.COUNCIL_NOT_IN_LANGUAGE.at(place, language=named, key=key)


def _said(trial: Trial, folder: TemplateFolder, figures: Mapping[str, ClaimFigure]) -> Said:
    """What is said of the letters in every arm and wave, as the council would send them; Refused for signs at fault."""
    experiment, workspace = trial.experiment, trial.workspace
    claims = by_language({name: {**figure.wordings, ENGLISH: figure.wording} for name, figure in figures.items()})
    if isinstance(experiment, SiteExperiment):
        Refused.when(faults_of_signs(experiment, folder, claims=claims[ENGLISH], council=workspace.council))
    letters = [arm.letter for arm in experiment.arms if arm.letter] + [wave.letter for wave in experiment.waves]
    on_letters = remarks_on_letters(
        experiment,
        folder,
        letters,
        others=[form for letter in letters for form in siblings_of(folder, letter)],
        profile=workspace.profile,
        council=workspace.council,
        claims=claims,
        printing=workspace.printing,
    )
    places = {name: trial.loaded.place("claims", name) for name in figures}
    on_claims = remarks_on_claims(figures.values(), places)
    return sorted_out((*on_letters, *on_claims), experiment, trial.loaded.place)


def letters_of(experiment: LiveExperiment) -> tuple[str, ...]:
    """The templates of every letter that the trial may send, first letters first; of every sign, where it has those."""
    first = [template for arm in experiment.arms for template in (arm.letter, arm.sign) if template]
    return (*first, *(wave.letter for wave in experiment.waves))


def _hashes(folder: TemplateFolder, letters: tuple[str, ...]) -> dict[str, str]:
    """The files that make these letters, style sheets and images among them; another trial's letters may change."""
    forms = (form for letter in letters for form in (letter, *siblings_of(folder, letter)))
    used = {name for form in forms for name in folder.used_by(form)}
    return {name: sha256 for name, sha256 in folder.hashes().items() if name in used or not name.endswith(".html")}


def record_beacon(trial: Trial, value: str, *, now: datetime) -> Sealed:
    """Write down the beacon's public value, once, before the first draw.

    Refused for a trial that is not sealed or names no beacon, and for another value than the one on record.
    """
    row = trial.seal
    if row is None:
        raise Refused(TrialCode.NOT_SEALED.at(trial.place, trial=trial.id))
    if row.beacon_name == NO_BEACON:
        raise Refused(TrialCode.NO_BEACON_NAMED.at(trial.place))
    value = value.strip()
    if row.beacon_value == value:
        return Sealed(row, made=False)
    day = beacon_day(row.beacon_name)
    if row.beacon_value is None and day is not None and now.date() < day:
        raise Refused(TrialCode.BEACON_TOO_EARLY.at(trial.place, day=day.isoformat()))
    if row.beacon_value is not None or not value:
        raise Refused(TrialCode.BEACON_SET.at(trial.place))
    with trial.store.transaction() as connection:
        where = {"trial": trial.id, "number": row.number}
        change(connection, SealRow, where=where, to={"beacon_value": value})
        audit(connection, trial=trial.id, what="beacon", facts={"seal": row.number, "value": value}, at=now)
        [changed] = rows_of(connection, SealRow, trial=trial.id, number=row.number)
    return Sealed(changed, made=True)


def read_secret(trial: Trial) -> bytes:
    """The sealed secret from its own file. Refused where it is missing or is not the one committed to."""
    path = trial.workspace.secret(trial.id)
    keeper = trial.experiment.governance.keeper or "the keeper"
    place = Place(str(path))
    if not path.is_file():
        raise Refused(TrialCode.SECRET_MISSING.at(place, path=path, keeper=keeper))
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        secret = b""
    row = trial.seal
    if len(secret) != 32 or (row is not None and commitment(trial.id, row.seal_hash, secret) != row.commitment):
        raise Refused(TrialCode.SECRET_WRONG.at(place, keeper=keeper))
    return secret


def draw_seed(trial: Trial, row: SealRow) -> bytes:
    """The seed of the draw: the secret keyed to the beacon's value. Refused while that is not recorded."""
    if row.beacon_value is None:
        raise Refused(TrialCode.NO_BEACON.at(trial.place, beacon=row.beacon_name, trial=trial.id))
    return seed(read_secret(trial), row.beacon_value)


def amend_trial(trial: Trial, *, because: str, by: str, now: datetime, dry_run: bool = False) -> AmendmentRow:
    """Record a change of the sealed definition, templates or claims as the next numbered amendment (I7).

    A change of arms, ratio or strata opens a new epoch: open blocks close. The secret and beacon stay. Refused where
    nothing changed, no reason or initials are given, the trial is not sealed or is closed, and for what could not be
    sealed.
    """
    row = trial.seal
    if row is None:
        raise Refused(TrialCode.NOT_SEALED.at(trial.place, trial=trial.id))
    if not because.strip() or not by.strip():
        raise Refused(TrialCode.BECAUSE_MISSING.at(trial.place))
    parts = sealable_parts(trial, now.date())
    found = seal_hash(parts.definition, parts.templates, parts.claims, parts.sources)
    if found == row.seal_hash:
        raise Refused(TrialCode.NOTHING_CHANGED.at(trial.place))
    before = _sealed_experiment(row)
    if before.design.method != trial.experiment.design.method:
        raise Refused(AllocationCode.METHOD_CHANGED.at(trial.loaded.place("design", "method")))
    changes = _changes(before, trial.experiment, json.loads(row.templates_json), parts.templates)
    new_epoch = _draw_terms(before) != _draw_terms(trial.experiment)
    if new_epoch and isinstance(trial.experiment, SiteExperiment) and trial.batches:
        raise Refused(SignTrialCode.TERMS_OF_DRAWN_SITES.at(trial.loaded.place("design")))
    major = new_epoch or any(name in MAJOR for name in changes)
    secret = read_secret(trial)
    with trial.store.transaction() as connection:
        if trial.is_closed(connection):
            raise Refused(TrialCode.CLOSED.at(trial.place))
        number = len(rows_of(connection, AmendmentRow, trial=trial.id)) + 1
        seals = rows_of(connection, SealRow, trial=trial.id)
        new_seal = _seal_row(trial.experiment, trial.loaded.text, parts, found, len(seals) + 1, now, secret)
        new_seal.beacon_name, new_seal.beacon_value = row.beacon_name, row.beacon_value
        amendment = AmendmentRow(
            trial=trial.id,
            number=number,
            at=utc_text(now),
            kind="major" if major else "minor",
            because=because.strip(),
            by=by.strip(),
            seal_number=new_seal.number,
            new_epoch=new_epoch,
            changes_json=canonical(changes).decode(),
        )
        if dry_run:
            return amendment
        _keep_seal(connection, new_seal, now)
        append(connection, [amendment])
        facts = {"number": number, "kind": amendment.kind, "because": amendment.because, "by": amendment.by}
        audit(connection, trial=trial.id, what="amended", facts=facts | {"changes": changes}, at=now)
    return amendment


MAJOR = frozenset(
    {
        "analysis", "arms", "bands", "cluster", "columns", "design", "eligible", "events", "exclude_if", "harms",
        "outcomes", "sites", "smallest_worthwhile", "suppress", "unit", "waves",
    }
)  # fmt: skip


def epoch_now(connection: Connection, trial: str) -> int:
    """1, and one more for each amendment that changed arms, ratio or strata."""
    return 1 + sum(amendment.new_epoch for amendment in rows_of(connection, AmendmentRow, trial=trial))


def _draw_terms(experiment: LiveExperiment) -> tuple[object, ...]:
    design = experiment.design
    return tuple(arm.id for arm in experiment.arms), design.ratio, design.strata, Design.of(experiment).terms


def _sealed_experiment(row: SealRow) -> LiveExperiment:
    experiment = parse(row.definition_text, f"seal {row.number}").experiment
    if not isinstance(experiment, LiveExperiment):  # only live experiments are ever sealed
        raise TypeError(row.number)
    return experiment


def _changes(
    before: LiveExperiment, after: LiveExperiment, old: Mapping[str, str], new: Mapping[str, str]
) -> dict[str, list[object]]:
    first, second = (json.loads(model.model_dump_json(by_alias=True)) for model in (before, after))
    changed = {
        key: [first.get(key), second.get(key)] for key in sorted(first | second) if first.get(key) != second.get(key)
    }
    templates = {
        f"templates/{name}": [old.get(name), new.get(name)]
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    }
    return changed | templates


def _seal_row(
    experiment: LiveExperiment, text: str, parts: SealableParts, found: str, number: int, now: datetime, secret: bytes
) -> SealRow:
    governance = experiment.governance
    beacon = governance.beacon.strip() if names_beacon(governance.beacon) else NO_BEACON
    return SealRow(
        trial=experiment.id,
        number=number,
        sealed_at=utc_text(now),
        definition_hash=parts.definition,
        seal_hash=found,
        definition_text=text,
        templates_json=canonical(parts.templates).decode(),
        claims_json=canonical(parts.claims).decode(),
        sources_json=canonical(parts.sources).decode(),
        commitment=commitment(experiment.id, found, secret),
        beacon_name=beacon,
        beacon_value=NO_BEACON if beacon == NO_BEACON else None,
        witness=governance.witness,
        keeper=governance.keeper,
    )


def _keep_seal(connection: Connection, row: SealRow, now: datetime) -> None:
    append(connection, [row])
    facts = {"number": row.number, "seal_hash": row.seal_hash, "commitment": row.commitment, "beacon": row.beacon_name}
    audit(connection, trial=row.trial, what="sealed", facts=facts | {"witness": row.witness}, at=now)


def frozen_claims(row: SealRow, language: str = ENGLISH) -> Mapping[str, str]:
    """The wording of each claim as sealed, in a language: what the letters print. Claims that lack it are left out."""
    claims = json.loads(row.claims_json).items()
    if language == ENGLISH:
        return {name: figure["wording"] for name, figure in claims}
    return {name: words for name, figure in claims if (words := figure.get("wordings", {}).get(language)) is not None}


def lapsed_claims(trial: Trial, row: SealRow, today: date) -> list[Problem]:
    """Claims that may not be printed any more on this day: expired, or contradicted by a newer source file (I6)."""
    problems = []
    for name, figure in json.loads(row.claims_json).items():
        place = trial.loaded.place("claims", name)
        if figure["expires"] < today.isoformat():
            reason = f"it expired on {figure['expires']}"
            problems.append(TrialCode.CLAIM_LAPSED.at(place, claim=name, reason=reason))
    if not problems and row.claims_json != "{}":
        problems += _contradicted(trial, row)
    return problems


def _contradicted(trial: Trial, row: SealRow) -> list[Problem]:
    sources: Mapping[str, str] = json.loads(row.sources_json)
    paths = {name: trial.workspace.folder / name for name in sources}
    if all(path.is_file() and sha256_file(path) == sources[name] for name, path in paths.items()):
        return []
    if not any(path.is_file() for path in paths.values()):
        return []  # the frozen figures stand until they expire; the source may have gone under retention
    figures, untrue = claim_figures(trial.loaded, trial.workspace.folder)
    frozen = json.loads(row.claims_json)
    reasons = {
        name: "newer history no longer bears it out" for problem in untrue for name in frozen if name in str(problem)
    }
    reasons |= {
        name: f"newer history reads: {figure.wording}"
        for name, figure in figures.items()
        if name in frozen
        and figure.denominator
        and _tenths(figure.numerator, figure.denominator)
        < _tenths(frozen[name]["numerator"], frozen[name]["denominator"])
    }
    if untrue and not reasons:
        reasons = dict.fromkeys(frozen, "newer history no longer bears it out")
    return [
        TrialCode.CLAIM_LAPSED.at(trial.loaded.place("claims", name), claim=name, reason=reason)
        for name, reason in reasons.items()
    ]


def _tenths(numerator: int, denominator: int) -> int:
    """The share as letters print it: rounded down to tenths."""
    return 10 * numerator // denominator
