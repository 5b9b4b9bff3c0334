"""The tables. Rows are dumb: whoever writes one has checked it; the database only refuses the impossible.

Days are proleptic ordinals (`date.toordinal()`), money is integer pence, moments are UTC text as
`nudge.base.values.utc_text` writes them, and a column named `…_json` holds canonical JSON text.
Personal data stand in `recipient` and in `review.row_json`, and nowhere else (I12).

Links between tables are checked when the transaction ends, so rows may be written in any order.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
METADATA: Final = MetaData(naming_convention=_NAMES)
# SQLite numbers rows by itself only where the key is spelt INTEGER; both sorts hold 64 bits.
_SELF_NUMBERED: Final = BigInteger().with_variant(Integer, "sqlite")


class Record(SQLModel, registry=registry(metadata=METADATA)):
    """What the rows have in common: nudge's own catalogue of tables, apart from any other on the same server."""


def _text(*, key: bool = False, default: Any = ...) -> Any:
    return Field(default=default, sa_type=Text, primary_key=key)


def _whole(*, key: bool = False, default: Any = ...) -> Any:
    return Field(default=default, sa_type=BigInteger, primary_key=key)


def _numbered() -> Any:
    return Field(default=None, primary_key=True, sa_type=_SELF_NUMBERED)


def _one_of(column: str, *allowed: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(word) for word in allowed)})", name=column)


def _belongs_to(table: str, *columns: str, key: tuple[str, ...] | None = None) -> ForeignKeyConstraint:
    targets = [f"{table}.{name}" for name in key or columns]
    return ForeignKeyConstraint(columns, targets, deferrable=True, initially="DEFERRED")


class SealRow(Record, table=True):
    """One sealed form of a trial: what was fixed, and the commitment to a secret that stays out of the database."""

    __tablename__: ClassVar[Any] = "seal"
    __table_args__ = (CheckConstraint("number >= 1", name="number"),)

    trial: str = _text(key=True)
    number: int = _whole(key=True)
    sealed_at: str = _text()
    definition_hash: str = _text()
    seal_hash: str = _text()
    definition_text: str = _text()
    templates_json: str = _text()
    claims_json: str = _text()
    sources_json: str = _text()
    commitment: str = _text()
    beacon_name: str = _text()
    beacon_value: str | None = _text(default=None)
    witness: str = _text()
    keeper: str = _text()


class AmendmentRow(Record, table=True):
    """A numbered change after the seal (I7)."""

    __tablename__: ClassVar[Any] = "amendment"
    __table_args__ = (CheckConstraint("number >= 1", name="number"), _one_of("kind", "minor", "major"))

    trial: str = _text(key=True)
    number: int = _whole(key=True)
    at: str = _text()
    kind: str = _text()
    because: str = _text()
    by: str = _text()
    seal_number: int = _whole()
    new_epoch: bool
    changes_json: str = _text()


class BatchRow(Record, table=True):
    """One enrolment. `day0` is the first day on which any first letter of it was posted; None until then."""

    __tablename__: ClassVar[Any] = "batch"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("epoch >= 1", name="epoch"),
        CheckConstraint("status <> 'posted' OR day0 IS NOT NULL", name="day0"),
        _one_of("status", "drawn", "lettered", "posted", "abandoned"),
    )

    trial: str = _text(key=True)
    number: int = _whole(key=True)
    epoch: int = _whole()
    extract_name: str = _text()
    extract_sha256: str = _text()
    as_of: int = _whole()
    suppression_sha256: str = _text()
    suppression_dated: int = _whole()
    list_hash: str = _text()
    previous_hash: str = _text()
    frozen_at: str = _text()
    drawn_at: str = _text()
    status: str = _text()
    day0: int | None = _whole(default=None)
    flow_json: str = _text()


class HouseholdRow(Record, table=True):
    """What is drawn whole, under its pseudonymous code. `merged_into` names the cluster it turned out to be."""

    __tablename__: ClassVar[Any] = "household"
    __table_args__ = (
        CheckConstraint("length(cluster) BETWEEN 1 AND 64", name="cluster"),
        _belongs_to("batch", "trial", "batch", key=("trial", "number")),
        Index(None, "trial", "batch"),
    )

    trial: str = _text(key=True)
    cluster: str = _text(key=True)
    stratum: str = _text()
    batch: int = _whole()
    merged_into: str | None = _text(default=None)


class UnitRow(Record, table=True):
    """What is analysed, under a pseudonymous code. `batch` gives its day 0; `first_batch` is where it was drawn.

    `late`: joined an allocated cluster after its draw, so it was not randomised.
    """

    __tablename__: ClassVar[Any] = "unit"
    __table_args__ = (
        CheckConstraint("length(unit) BETWEEN 1 AND 64", name="unit"),
        _belongs_to("household", "trial", "cluster"),
        Index(None, "trial", "cluster"),
        Index(None, "trial", "batch"),
    )

    trial: str = _text(key=True)
    unit: str = _text(key=True)
    cluster: str = _text()
    batch: int = _whole()
    first_batch: int = _whole()
    late: bool
    values_json: str = _text()


class AllocationRow(Record, table=True):
    """The arm a cluster drew, and its slot. The database itself refuses to change or remove one (I2, I3)."""

    __tablename__: ClassVar[Any] = "allocation"
    __table_args__ = (
        CheckConstraint("epoch >= 1 AND block >= 1", name="block"),
        CheckConstraint("slot BETWEEN 1 AND block_size", name="slot"),
        _belongs_to("household", "trial", "cluster"),
        Index(None, "trial", "batch"),
    )

    trial: str = _text(key=True)
    cluster: str = _text(key=True)
    batch: int = _whole()
    stratum: str = _text()
    epoch: int = _whole()
    block: int = _whole()
    slot: int = _whole()
    block_size: int = _whole()
    arm: str = _text()


class RecipientRow(Record, table=True):
    """A person who gets a letter; a unit may have several. Personal: under retention and `erase` (I12)."""

    __tablename__: ClassVar[Any] = "recipient"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        _belongs_to("unit", "trial", "unit"),
        Index(None, "trial", "tenancy_reference"),
        Index(None, "trial", "payment_reference"),
    )

    trial: str = _text(key=True)
    unit: str = _text(key=True)
    number: int = _whole(key=True)
    tenancy_reference: str = _text()
    payment_reference: str | None = _text(default=None)
    uprn: str | None = _text(default=None)
    title: str = _text(default="")
    forename: str = _text(default="")
    surname: str = _text(default="")
    telephones_json: str = _text(default="[]")
    address_json: str = _text(default="[]")
    post_to_json: str = _text(default="[]")
    language: str | None = _text(default=None)
    format: str | None = _text(default=None)


class PostingRow(Record, table=True):
    """One letter and what became of it: `wave` is the wave's id, `first` for the first letter.

    `languages` are codes in the order of the letter, with spaces. The arm is not here: it is the allocation's.
    """

    __tablename__: ClassVar[Any] = "posting"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("pages >= 0 AND sheets >= 0 AND reprints >= 0", name="counts"),
        CheckConstraint("status <> 'posted' OR posted_on IS NOT NULL", name="posted_on"),
        _one_of("status", "made", "posted", "withheld", "abandoned"),
        _belongs_to("unit", "trial", "unit"),
        Index(None, "trial", "unit"),
        Index(None, "trial", "batch", "wave"),
    )

    trial: str = _text(key=True)
    letter_reference: str = _text(key=True)
    unit: str = _text()
    number: int = _whole()
    batch: int = _whole()
    wave: str = _text()
    status: str = _text()
    reason: str | None = _text(default=None)
    made_at: str = _text()
    sha256: str = _text()
    pages: int = _whole()
    sheets: int = _whole()
    posted_on: int | None = _whole(default=None)
    reprints: int = _whole(default=0)
    format: str = _text(default="standard")
    languages: str = _text(default="en")


class EventRow(Record, table=True):
    """Something a unit did or that befell it, on a day; `row` of the file that said so. `amount` is in pence."""

    __tablename__: ClassVar[Any] = "event"
    __table_args__ = (
        _belongs_to("unit", "trial", "unit"),
        UniqueConstraint("trial", "import_sha256", "row", "kind"),
        Index(None, "trial", "kind", "unit", "on_day"),
    )

    trial: str = _text()
    id: int | None = _numbered()
    unit: str = _text()
    kind: str = _text()
    on_day: int = _whole()
    import_sha256: str = _text()
    row: int = _whole()
    matched_by: str = _text()
    amount: int | None = _whole(default=None)
    values_json: str = _text(default="{}")


class MeasurementRow(Record, table=True):
    """A number read for a unit on a day: a balance in pence, a count of a survey, an incident.

    `incident` is the digest of an incident's id, by which one that stands in two files is known; it counts once.
    """

    __tablename__: ClassVar[Any] = "measurement"
    __table_args__ = (
        _belongs_to("unit", "trial", "unit"),
        UniqueConstraint("trial", "import_sha256", "row", "name"),
        Index(None, "trial", "name", "unit", "on_day"),
    )

    trial: str = _text()
    id: int | None = _numbered()
    unit: str = _text()
    name: str = _text()
    on_day: int = _whole()
    number: int = _whole()
    import_sha256: str = _text()
    row: int = _whole()
    incident: str | None = _text(default=None)


class ReviewRow(Record, table=True):
    """A row of a response file that fits more than one unit, for a person to decide. `row_json` is personal (I12)."""

    __tablename__: ClassVar[Any] = "review"
    __table_args__ = (
        UniqueConstraint("trial", "import_sha256", "row"),
        CheckConstraint("(status = 'accepted') = (unit IS NOT NULL)", name="unit"),
        _one_of("status", "open", "accepted", "rejected", "skipped"),
        _belongs_to("unit", "trial", "unit"),
        Index(None, "trial", "status"),
    )

    trial: str = _text()
    id: int | None = _numbered()
    import_sha256: str = _text()
    row: int = _whole()
    kind: str = _text()
    on_day: int = _whole()
    candidates_json: str = _text()
    row_json: str = _text()
    status: str = _text(default="open")
    decided_at: str | None = _text(default=None)
    unit: str | None = _text(default=None)


class ImportRow(Record, table=True):
    """A file that was read, by the hash of its bytes, with the days it covers, both ends included."""

    __tablename__: ClassVar[Any] = "import"
    __table_args__ = (
        CheckConstraint("covers_from <= covers_to", name="covers"),
        Index(None, "trial", "kind"),
    )

    trial: str = _text(key=True)
    sha256: str = _text(key=True)
    kind: str = _text()
    name: str = _text()
    at: str = _text()
    rows: int = _whole()
    covers_from: int = _whole()
    covers_to: int = _whole()
    matched: int = _whole(default=0)
    not_in_trial: int = _whole(default=0)
    conflicts: int = _whole(default=0)
    rejected: int = _whole(default=0)


class AuditRow(Record, table=True):
    """Who did what, when; each entry hashes the one before it. Written by `store.audit` only, never changed."""

    __tablename__: ClassVar[Any] = "audit"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("length(hash) = 64 AND length(previous_hash) = 64", name="hash"),
    )

    trial: str = _text(key=True)
    number: int = _whole(key=True)
    at: str = _text()
    what: str = _text()
    facts_json: str = _text()
    previous_hash: str = _text()
    hash: str = _text()


APPEND_ONLY: Final[tuple[type[Record], ...]] = (AllocationRow, AuditRow)
PERSONAL: Final[tuple[type[Record], ...]] = (RecipientRow, ReviewRow)
