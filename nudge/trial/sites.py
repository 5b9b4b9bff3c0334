"""Sites as units of a trial: their codes, what is recorded of each, and the two sorts of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from nudge.base.canonical import canonical
from nudge.base.columns import Value
from nudge.base.errors import Refused
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.seal import cluster_code
from nudge.experiment.sites import SiteExperiment
from nudge.intake.cells import reference_key
from nudge.intake.sites import Site
from nudge.records.tables import UnitRow
from nudge.trial.handle import Trial
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.units import text_values

_FACTS: Final = "site:facts"  # beside the declared columns, none of which can have a colon in its name


def of_signs(experiment: LiveExperiment) -> bool:
    """Whether the trial is one of signs."""
    return isinstance(experiment, SiteExperiment)


def signs_of(trial: Trial) -> SiteExperiment:
    """The experiment of a trial of signs. Refused for one of letters."""
    if not isinstance(trial.experiment, SiteExperiment):
        raise Refused(SignTrialCode.OF_LETTERS.at(trial.place, trial=trial.id))
    return trial.experiment


def require_letters(trial: Trial) -> None:
    """Refused where the trial is one of signs: it has no letters to make or post."""
    if of_signs(trial.experiment):
        raise Refused(SignTrialCode.OF_SIGNS.at(trial.place, trial=trial.id))


def site_code(secret: bytes, site: str) -> str:
    """The pseudonymous code under which a site is drawn and kept."""
    return cluster_code(secret, f"site:{reference_key(site)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What is kept of a site: no name of a person. A displacement site names the one that it is watched for.

    Owner and installer stand in its recipient row, and go with it.
    """

    site: str
    name: str = ""
    street: str = ""
    latitude: float | None = None
    longitude: float | None = None
    highway: bool | None = None
    authorisation: str = ""
    size: str = ""
    orientation: str = ""
    displacement_of: str = ""

    @classmethod
    def of(cls, site: Site) -> SiteFacts:
        """The facts of a row of a sites file."""
        return cls(**{name: getattr(site, name) for name in cls.__dataclass_fields__})

    @classmethod
    def read(cls, unit: UnitRow) -> SiteFacts:
        """The facts of a recorded site."""
        return cls(**json.loads(unit.values_json)[_FACTS])

    @property
    def where(self) -> str:
        """The place in words, as an installer reads it."""
        return ", ".join(part for part in (self.name, self.street) if part) or self.site

    def beside(self, values: Mapping[str, Value]) -> str:
        """Facts and declared columns as they are recorded."""
        held: dict[str, Any] = json.loads(text_values(values))
        return canonical(held | {_FACTS: asdict(self)}).decode()


def drawn_sites(units: Iterable[UnitRow]) -> list[UnitRow]:
    """The sites that were drawn, by id; those only watched are left out."""
    return sorted((unit for unit in units if not unit.late), key=lambda unit: SiteFacts.read(unit).site)


def watched_sites(units: Iterable[UnitRow]) -> list[UnitRow]:
    """The displacement sites, by id."""
    return sorted((unit for unit in units if unit.late), key=lambda unit: SiteFacts.read(unit).site)
