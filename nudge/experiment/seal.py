"""What a seal is made of, byte by byte (TRIAL-RULES §3 and §4). Pure: the secret and the moment come from outside."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from nudge.base.canonical import digest
from nudge.base.errors import Place, Problem
from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.definition import Experiment, LiveExperiment, SignOff
from nudge.experiment.sites import SiteExperiment

SECRET_BYTES: Final = 32
NO_BEACON: Final = "none"
_SIGNED: Final = re.compile(r"[^\W\d_][^\d\n]{0,60}?[ ,]+(\d{4}-\d{2}-\d{2})")
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_WHO: Final = {
    "service": "the service",
    "legal": "legal",
    "communications": "communications",
    "data_protection": "data protection",
}
_GOVERNANCE: Final = {
    "keeper": "Name the person who will hold the secret.",
    "witness": "Name who is sent the line that the seal prints, outside the service.",
    "beacon": "Name a value that nobody can know yet, such as `national lottery 2026-12-05`, or write `none`.",
    "dpia": "Give the reference of the data protection impact assessment.",
}


def definition_hash(experiment: Experiment) -> str:
    """SHA-256 of the canonical JSON of what the file says, defaults left out, in 64 hexadecimal digits.

    Layout, comments, the order of keys and defaults written out do not change it.
    """
    return digest(experiment.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def seal_hash(
    definition_hash: str, templates: Mapping[str, str], claims: Mapping[str, object], sources: Mapping[str, str]
) -> str:
    """One hash over all that the seal freezes: definition, templates (name → hash), claims as frozen, source files."""
    return digest(
        {
            "schema": "nudge-seal/1",
            "definition": definition_hash,
            "templates": dict(templates),
            "claims": dict(claims),
            "sources": dict(sources),
        }
    )


def commitment(trial_id: str, seal_hash: str, secret: bytes) -> str:
    """SHA-256("nudge-commit/1\\n" + trial id + "\\n" + seal hash + "\\n" + secret hex), in hexadecimal."""
    text = "\n".join(("nudge-commit/1", trial_id, seal_hash, _whole(secret).hex()))
    return hashlib.sha256(text.encode()).hexdigest()


def seed(secret: bytes, beacon: str) -> bytes:
    """HMAC-SHA-256 under the 32 raw bytes of "nudge-seed/1\\n" + beacon; the word `none` where there is no beacon."""
    if not beacon or beacon != beacon.strip() or "\n" in beacon:
        msg = "the beacon is one line without spaces at its ends"
        raise ValueError(msg)
    return hmac.digest(_whole(secret), f"nudge-seed/1\n{beacon}".encode(), "sha256")


def cluster_code(secret: bytes, household_key: str) -> str:
    """The pseudonym under which a cluster is drawn: 16 hexadecimal digits."""
    return hmac.digest(_whole(secret), f"nudge-code/1\n{household_key}".encode(), "sha256").hex()[:16]


def _whole(secret: bytes) -> bytes:
    if len(secret) != SECRET_BYTES:
        msg = f"the secret is {SECRET_BYTES} bytes"
        raise ValueError(msg)
    return secret


def signed_on(entry: str) -> date | None:
    """The date in `JP 2026-11-20`; None where there are no initials or no date that exists."""
    match = _SIGNED.fullmatch(entry.strip())
    return _day(match[1]) if match else None


def beacon_day(beacon: str) -> date | None:
    """The date named in a beacon such as `national lottery 2026-12-05`; None where it names none."""
    match = _ISO.search(beacon)
    return _day(match[0]) if match else None


def unsealable(experiment: LiveExperiment, place: Callable[..., Place] | None = None) -> tuple[Problem, ...]:
    """What only the seal needs and the experiment does not say yet; empty where it can be sealed.

    `place` gives the place of a path of keys, as `Loaded.place` does; without it, places name the trial and the key.
    """

    def at(*path: str) -> Place:
        return place(*path) if place is not None else Place(experiment.id, heading=".".join(path))

    problems: list[Problem] = []
    governance = experiment.governance
    of_sites = isinstance(experiment, SiteExperiment)  # they are measured before, or set against themselves
    if experiment.baseline is None and not of_sites:
        problems.append(Code.SEAL_BASELINE.at(at("baseline")))
    if of_sites and all(arm.sign is None for arm in experiment.arms):
        problems.append(Code.SEAL_SIGN.at(at("arms")))
    if not of_sites and all(arm.letter is None for arm in experiment.arms):
        problems.append(Code.SEAL_LETTER.at(at("arms")))
    for name in SignOff.model_fields:
        if signed_on(getattr(governance.sign_off, name)) is None:
            problems.append(Code.SEAL_SIGN_OFF.at(at("governance", "sign_off", name), who=_WHO[name]))
    for key, fix in _GOVERNANCE.items():
        if not getattr(governance, key).strip():
            problems.append(Code.SEAL_GOVERNANCE.at(at("governance", key), key=key, fix=fix))
    return tuple(problems)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
