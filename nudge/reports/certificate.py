"""The certificate of a draw as words and tables: how the arms were given, and how anybody can check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nudge.allocation.certificate import Certificate, EpochLine, Level, SealLine
from nudge.base.values import day_in_words, uk_date
from nudge.reports.overrides import overrides_table
from nudge.reports.parts import Table
from nudge.reports.wording import NONE, listed

_LEVELS: Final = {
    Level.FULL: (
        "Full: nobody could have steered this draw",
        "The trial was fixed and a commitment to a secret was handed to a witness before a public value existed that,"
        " together with the secret, settled every arm.",
    ),
    Level.ORDINARY: (
        "Ordinary: one safeguard is missing",
        "A public value settles the draw after the seal, or a witness outside the team holds the commitment; not both.",
    ),
    Level.WEAK: (
        "Weak: this draw rests on trust",
        "Neither a public value nor a witness stands behind it.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePage:
    """What the page shows, in its order."""

    trial: str
    level: str
    head: str
    basis: str
    limits: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    check: str


def tell_certificate(certificate: Certificate, overrides: Mapping[str, str] | None = None) -> CertificatePage:
    """The page of a certificate, before the close or after it. `overrides` is the wording let through at the seal."""
    head, basis = _LEVELS[certificate.level]
    value = certificate.beacon_value
    facts = [
        ("Way of drawing", certificate.algorithm),
        ("Public value", f"{certificate.beacon}{f': {value}' if value and certificate.has_beacon else ''}"),
        ("Witness", certificate.witness or "none named"),
        ("Versions", listed([f"{name} {version}" for name, version in certificate.versions.items()])),
    ]
    if certificate.opened is not None:
        facts.append(("Secret, opened at the close", certificate.opened.secret))
    tables = [_seals(certificate.seals), _designs(certificate), _batches(certificate)]
    if certificate.opened is not None:
        tables.append(_strata(certificate))
    if overrides:
        tables.append(overrides_table(overrides))
    check = (
        f"To repeat the draw: nudge verify {certificate.trial} with the lists of cluster codes, which the council gives"
        " to an auditor only."
    )
    return CertificatePage(
        trial=certificate.trial,
        level=certificate.level.value,
        head=head,
        basis=basis,
        limits=certificate.limits,
        facts=tuple(facts),
        tables=tuple(table for table in tables if table.rows),
        check=check,
    )


def _seals(seals: tuple[SealLine, ...]) -> Table:
    return Table(
        caption="Seals: what was fixed, and when",
        columns=("Seal", "Sealed", "Hash of the seal", "Commitment to the secret"),
        rows=tuple((f"{seal.number}", _moment(seal.sealed_at), seal.seal_hash, seal.commitment) for seal in seals),
        words=(1, 2, 3),
    )


def _designs(certificate: Certificate) -> Table:
    rows = tuple(
        (
            f"{line.epoch}",
            listed([f"{share} {arm}" for arm, share in zip(line.arms, line.ratio, strict=True)], "to"),
            listed(line.strata) or NONE,
            _sizes(line),
        )
        for line in certificate.epochs
    )
    columns = (
        "Epoch",
        "Arms and ratio",
        "Strata",
        "Block sizes" if all(line.multiples for line in certificate.epochs) else "Terms",
    )
    return Table(caption="Design", columns=columns, rows=rows, words=(1, 2, 3))


def _sizes(line: EpochLine) -> str:
    """What is permuted together: the sizes of blocks, or the terms of another way of drawing."""
    if line.multiples:
        return ", ".join(str(sum(line.ratio) * times) for times in line.multiples)
    terms = ((name, value) for name, value in line.terms.items() if name != "method")
    return "; ".join(f"{name} {_term(value)}" for name, value in terms) or NONE


def _term(value: object) -> str:
    """A value, several of them, or what follows on what in each of several sequences."""
    if not isinstance(value, (list, tuple)):
        return f"{value}"
    return listed([" then ".join(one) if isinstance(one, (list, tuple)) else f"{one}" for one in value])


def _batches(certificate: Certificate) -> Table:
    rows = tuple(
        (
            f"{line.number}",
            _moment(line.frozen_at),
            _moment(line.drawn_at),
            f"{line.clusters:,}",
            f"{line.units:,}",
            f"{line.late_members:,}",
            line.list_hash,
        )
        for line in certificate.batches
    )
    return Table(
        caption="Batches: each list was frozen and its hash kept before it was drawn",
        columns=("Batch", "Frozen", "Drawn", "Clusters", "Units", "Late members", "Hash of the list"),
        rows=rows,
        words=(1, 2, 6),
    )


def _strata(certificate: Certificate) -> Table:
    opened = certificate.opened
    arms = tuple(dict.fromkeys(arm for line in certificate.epochs for arm in line.arms))
    rows = tuple(
        (
            line.stratum.replace("\t", ", ") + (f" (epoch {line.epoch})" if len(certificate.epochs) > 1 else ""),
            *(f"{line.counts.get(arm, 0):,}" for arm in arms),
        )
        for line in (opened.strata if opened is not None else ())
    )
    return Table(caption="Clusters given each arm, by stratum", columns=("Stratum", *arms), rows=rows)


def _moment(text: str) -> str:
    """`7 December 2026, 09:30 UTC`."""
    found = uk_date(text[:10])
    return text if found is None else f"{day_in_words(found)}, {text[11:16]} UTC"
