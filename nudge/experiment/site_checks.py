"""What only two keys of a trial of signs together can get wrong, and the keys of letters that it has no use for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from nudge.experiment.claim import OBSERVED
from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.definition import DesignSpec, OutcomeType
from nudge.experiment.draft import BOTH, SITE_KEYS, Check, Draft, Finding, Path, found, stated
from nudge.experiment.live_checks import (
    CHANGING,
    bands_well_cut,
    baseline_fits,
    claims_counted,
    claims_well_worded,
    columns_known,
    conditions_readable,
    design_fits,
    details_few,
    live_primary,
)
from nudge.experiment.sites import SitesSpec

NO_USE: Final[Mapping[str, str]] = {
    "cluster": "each site is drawn by itself",
    "suppress": "nobody is written to",
    "events": "nobody is followed to an event",
    "waves": "a sign has no second letter",
    "harms": "harms are events of tenants; watch displacement sites instead",
    "costs": "costs are worked out per letter",
    "minutes": "minutes are of events",
    "languages": "a sign has one page: write every language that it needs into its template",
}
_NO_USE_IN: Final[Mapping[tuple[str, str], str]] = {
    ("analysis", "looks"): "sites are drawn together and read at one end",
    ("analysis", "subgroups"): "there are too few sites for parts of them",
    ("analysis", "trim"): "no outcome of sites is trimmed",
    ("design", "factorial"): "signs are compared one against another",
}
_NO_USE_OF_ARM: Final[Mapping[str, str]] = {
    "letter": "a site gets a `sign`",
    "cost": "costs are worked out per letter",
    "factors": "signs are compared one against another",
    "hold_out": "a site without a sign is an arm like the others",
}
_SOURCES: Final[Mapping[OutcomeType, tuple[str, ...]]] = {
    OutcomeType.RATE: ("incidents", "surveys"),
    OutcomeType.PERCENTILE: ("speeds",),
    OutcomeType.MEAN: ("speeds",),
    OutcomeType.PROPORTION: ("speeds",),
}


def no_letters(draft: Draft) -> Iterator[Finding]:
    """Keys of letters are refused, with the reason, wherever the file states them."""
    given = draft.given
    for key, why in NO_USE.items():
        if given.get(key) is not None:
            yield found((key,), Code.SITE_KEY, on_key=True, key=key, why=why)
    for (outer, key), why in _NO_USE_IN.items():
        inner = given.get(outer)
        if isinstance(inner, Mapping) and inner.get(key) is not None:
            yield found((outer, key), Code.SITE_KEY, on_key=True, key=key, why=why)
    for index, _ in draft.items("arms"):
        for key, why in _NO_USE_OF_ARM.items():
            if given["arms"][index].get(key) is not None:
                yield found(("arms", index, key), Code.SITE_KEY, on_key=True, key=key, why=why)


def site_claims(draft: Draft) -> Iterator[Finding]:
    """A sign prints only what somebody counted where people pass."""
    for name, claim in draft.items("claims"):
        if claim.population != OBSERVED:
            path: Path = ("claims", name)
            stated_here = draft.given["claims"][name].get("population") is not None
            yield found((*path, "population") if stated_here else path, Code.CLAIM_OF_SITES)


def site_design(draft: Draft) -> Iterator[Finding]:
    """Sites are drawn once; those that change over have two arms and the periods that their design needs."""
    design: DesignSpec | None = draft.one("design")
    sites: SitesSpec | None = draft.one("sites")
    if design is None:
        return
    if design.enrol != "once":
        yield found(("design",), Code.SITE_ENROL, on_key=True)
    changing = design.method in CHANGING
    arms = len(draft.given["arms"]) if isinstance(draft.given.get("arms"), list) else 0
    if changing and arms and arms != 2:
        yield found(("arms",), Code.SITE_ARMS, on_key=True, method=design.method)
    if changing and len(set(design.ratio)) > 1:
        yield found(("design", "ratio"), Code.DESIGN_KEY_MISFITS, on_key=True, key="ratio", method=design.method)
    analysis = draft.one("analysis")
    if changing and analysis is not None and analysis.covariates:
        why = "each site is compared with itself"
        yield found(("analysis", "covariates"), Code.SITE_KEY, on_key=True, key="covariates", why=why)
    if sites is None:
        return
    for key in ("periods", "washout_days"):
        if not changing and getattr(sites, key) is not None:
            yield found(("sites", key), Code.SITE_PERIOD_KEY, on_key=True, key=key)
    if changing:
        yield from _periods(design.method, sites)


def _periods(method: str, sites: SitesSpec) -> Iterator[Finding]:
    if sites.baseline_days is not None:
        yield found(("sites", "baseline_days"), Code.SITE_BASELINE, on_key=True, method=method)
    path: Path = ("sites",) if sites.periods is None else ("sites", "periods")
    if method == "crossover" and sites.periods not in {None, 2}:
        fix = "Every site has one arm and then the other."
        yield found(path, Code.SITE_PERIODS, wanted="2", method=method, fix=fix)
    if method == "stepped_wedge" and (sites.periods or 0) < 3:
        fix = "Add `periods: 4`: one before any sign, and one for each step."
        yield found(path, Code.SITE_PERIODS, wanted="3 or more", method=method, fix=fix)
    if (sites.washout_days or 0) >= sites.days - 1:
        yield found(("sites", "washout_days"), Code.SITE_WASHOUT, on_key=True)


def site_outcomes(draft: Draft) -> Iterator[Finding]:
    """Each outcome is of a type that sites have, and says which files it is read from."""
    for index, outcome in draft.outcomes():
        path: Path = ("outcomes", index)
        sources = _SOURCES.get(outcome.type)
        if sources is None:
            yield found((*path, "type"), Code.SITE_TYPE)
            continue
        for key in sorted(stated(draft, index) - SITE_KEYS[outcome.type]):
            yield found((*path, key), Code.KEY_MISFITS_TYPE, on_key=True, type=f"{outcome.type} of sites", key=key)
        if outcome.source not in sources:
            at = path if outcome.source is None else (*path, "source")
            yield found(at, Code.SITE_SOURCE, valid=" or ".join(sources), type=f"{outcome.type}")
        if outcome.type is OutcomeType.PROPORTION and outcome.limit is None:
            yield found(path, Code.SITE_LIMIT)
        if outcome.type is OutcomeType.PERCENTILE and outcome.percentile is None:
            yield found(path, Code.PERCENTILE_MISSING)
        if outcome.percentile is not None and outcome.percentile >= 100:
            yield found((*path, "percentile"), Code.PERCENTILE_OUT_OF_RANGE)


SITES: Final[tuple[Check, ...]] = (
    *BOTH,
    no_letters,
    claims_counted,
    site_claims,
    columns_known,
    bands_well_cut,
    conditions_readable,
    design_fits,
    site_design,
    live_primary,
    site_outcomes,
    claims_well_worded,
    baseline_fits,
    details_few,
)
