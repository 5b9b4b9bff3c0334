"""A claim is printed only if it is true of named, mature data (TRIAL-RULES §7, I6).

`{share}` is a share in words, rounded down: "More than 6 in 10". It says that most did, so it must meet the rules of
"most": the lower limit of the two-sided 95 % Wilson interval on n/D above one half over the period, and the share
itself above one half in the period's last three months. A share of half or less is no norm and is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Final, Protocol

from nudge.base.columns import Value
from nudge.base.errors import Place, Problem
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.base.values import day_in_words
from nudge.documents.codes import ClaimCode
from nudge.experiment.claim import ELIGIBLE
from nudge.uplift.proportions import Share, wilson

CONFIDENCE: Final = 0.95  # two-sided, as the rule on "most" has it
ASSUMED_DESIGN_EFFECT: Final = 1.5  # where the history has no household column: stated with the figure
MOST_UNREAD: Final = 0.02
"""Rows of the source that cannot be read, for each that the claim counts, that are borne."""
WEAK_NORM: Final = 0.6  # below it a norm line may put people off: noted, not refused
_MONTH: Final = timedelta(days=31)
_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")


class Period(Protocol):
    """Whole months: first and last day, both inside."""

    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...


class Claim(Protocol):
    """What an experiment says of a claim (`experiment.definition.Claim`)."""

    @property
    def says(self) -> str: ...
    @property
    def numerator(self) -> str: ...
    @property
    def within(self) -> int | None: ...
    @property
    def population(self) -> str: ...
    @property
    def chosen_from(self) -> int: ...
    @property
    def period(self) -> Period: ...
    @property
    def expires_days(self) -> int: ...


class Written(Protocol):
    """A tenancy that got a first letter (`intake.history.HistoryRow`)."""

    @property
    def household(self) -> str | None: ...
    @property
    def reference(self) -> str: ...
    @property
    def letter_on(self) -> date: ...
    @property
    def values(self) -> Mapping[str, Value]: ...
    @property
    def events(self) -> Mapping[str, date]: ...


class Observed(Protocol):
    """Somebody who was watched (`intake.observed.Observed`)."""

    @property
    def on(self) -> date: ...
    @property
    def place(self) -> str: ...
    @property
    def did(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFigure:
    """A claim worked out: its counts, their limits, the words it may print, and why it may not.

    `share`, `lower`, `upper` are fractions, None where nobody is counted. Counts are of tenancies. `recent` are those
    of the period's last three months. `not_mature` were written to too near the cut to be counted. `households` are
    the clusters that widen the interval: of people watched, the places and days. `confidence` is the interval's.
    """

    claim: str
    numerator: int
    denominator: int
    recent: tuple[int, int]
    share: float | None
    lower: float | None
    upper: float | None
    confidence: float
    design_effect: float
    design_effect_assumed: bool
    households: int | None
    not_mature: int
    unknown_eligibility: int
    source: str
    source_sha256: str
    cut: date
    expires: date
    wording: str
    wordings: Mapping[str, str]  # in other languages, by their code
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    def ledger(self) -> dict[str, object]:
        """What the seal freezes: plain values, dates as ISO text. The level is named where it is not the usual one."""
        level = {} if self.confidence == CONFIDENCE else {"confidence": self.confidence}
        return level | {
            "claim": self.claim,
            "wording": self.wording,
            **({"wordings": dict(self.wordings)} if self.wordings else {}),
            "numerator": self.numerator,
            "denominator": self.denominator,
            "recent": list(self.recent),
            "lower": self.lower,
            "design_effect": self.design_effect,
            "design_effect_assumed": self.design_effect_assumed,
            "not_mature": self.not_mature,
            "source": self.source,
            "source_sha256": self.source_sha256,
            "cut": self.cut.isoformat(),
            "expires": self.expires.isoformat(),
        }


def work_out_claim(
    name: str,
    claim: Claim,
    rows: Iterable[Written],
    *,
    eligible: Callable[[Mapping[str, Value]], bool | None],
    cut: date,
    event_kinds: Iterable[str],
    has_household: bool,
    source: str,
    source_sha256: str,
    unread: int = 0,
) -> ClaimFigure:
    """Work a claim out from last year's first letters, one row a tenancy.

    `unread` rows of the source could not be read: a claim whose words hang on them is not true. They might all be of
    people who did not; few of them (MOST_UNREAD) are borne, as an exact share would else hang on one typing error.

    `eligible` is the trial's own condition; None (a value is missing) counts as not eligible, and is counted. An
    event on the day of the letter or before answers nothing (TRIAL-RULES §1). Where the claim's population is an
    event, only tenancies in which it happened within the same days are counted, and the numerator not before it.
    """
    place, period, within = Place(f"claims.{name}"), claim.period, claim.within or 0
    condition = claim.population if claim.population != ELIGIBLE else None
    tally = _Tally(_three_months(period.last))
    for row in rows:
        tally.first = row.letter_on if tally.first is None else min(tally.first, row.letter_on)
        if not period.first <= row.letter_on <= period.last:
            continue
        if (meets := eligible(row.values)) is not True:
            tally.counted["unknown"] += meets is None
            continue
        if row.letter_on + timedelta(days=within) > cut:
            tally.counted["not mature"] += 1
            continue
        since = row.letter_on if condition is None else row.events.get(condition)
        if since is None or (condition is not None and not 0 < (since - row.letter_on).days <= within):
            continue
        day = row.events.get(claim.numerator)
        did = day is not None and day >= since and 0 < (day - row.letter_on).days <= within
        tally.take(row.letter_on, did, row.household or f"\0{row.reference}")
    needed = {claim.numerator, condition or claim.numerator}
    problems = _wording_problems(claim, place)
    absent = sorted(needed - set(event_kinds))
    if absent:
        problems += [ClaimCode.CLAIM_EVENT_ABSENT.at(place, numerator=event) for event in absent]
    elif not tally.n or not tally.recent[1]:
        when = "" if not tally.n else "the last three months of "
        problems.append(ClaimCode.CLAIM_NO_TENANCIES.at(place, within=within, cut=day_in_words(cut), when=when))
    first = tally.first
    if first is not None and (first > period.first + timedelta(days=31) or cut < period.last):
        problems.append(ClaimCode.CLAIM_PERIOD_UNCOVERED.at(place, first=day_in_words(first), cut=day_in_words(cut)))
    problems += _hanging_on(tally.did, tally.n, unread, place)
    figure = _Worked(name, claim, tally, cut, source, source_sha256)
    return figure.told(problems, clustered=has_household)


def _hanging_on(did: int, n: int, unread: int, place: Place) -> Iterator[Problem]:
    if not n or unread <= MOST_UNREAD * n:
        return
    said, least = share_in_words(did, n), share_in_words(did, n + unread)
    if said != least:
        yield ClaimCode.CLAIM_ROWS_UNREAD.at(place, unread=unread, said=said.lower(), least=least.lower())


def work_out_observed(
    name: str, claim: Claim, rows: Iterable[Observed], *, source: str, source_sha256: str
) -> ClaimFigure:
    """Work a claim out from people somebody watched: whoever came past on a day, and whether they did.

    Those watched at one place on one day are a cluster: they had the same weather, the same bin and the same watcher,
    and may have walked together. Where there are several places, each is a cluster too, and the wider limits count.
    The period is covered where its first and its last month were watched.
    """
    place, period = Place(f"claims.{name}"), claim.period
    tally = _Tally(_three_months(period.last))
    last: date | None = None
    places: dict[str, list[int]] = {}
    for row in rows:
        tally.first = row.on if tally.first is None else min(tally.first, row.on)
        last = row.on if last is None else max(last, row.on)
        if not period.first <= row.on <= period.last:
            continue
        tally.take(row.on, row.did, f"{row.on.isoformat()} {row.place}")
        places.setdefault(row.place, []).append(row.did)
    problems = _wording_problems(claim, place)
    first = tally.first
    if not tally.n or not tally.recent[1]:
        when = "" if not tally.n else "the last three months of "
        problems.append(ClaimCode.CLAIM_NOBODY_WATCHED.at(place, when=when))
    if first is None or last is None:
        cut = period.last
    else:
        cut = last
        if first > period.first + _MONTH or last < period.last - _MONTH:
            dates = {"first": day_in_words(first), "last": day_in_words(last)}
            problems.append(ClaimCode.CLAIM_PERIOD_UNWATCHED.at(place, **dates))
    figure = _Worked(name, claim, tally, cut, source, source_sha256)
    by_place = design_effect(list(places.values())) if len(places) > 1 else 1.0
    return figure.told(problems, clustered=True, at_least=by_place)


@dataclass(slots=True)
class _Tally:
    """Who is counted, as they are gone through."""

    quarter: date  # the first day of the period's last three months
    counted: Counter[str] = field(default_factory=Counter)
    clusters: dict[str, list[int]] = field(default_factory=dict)
    first: date | None = None

    def take(self, on: date, did: bool, cluster: str) -> None:
        self.counted["n"] += 1
        self.counted["did"] += did
        if on >= self.quarter:
            self.counted["recent"] += 1
            self.counted["recent did"] += did
        self.clusters.setdefault(cluster, []).append(did)

    @property
    def n(self) -> int:
        return self.counted["n"]

    @property
    def did(self) -> int:
        return self.counted["did"]

    @property
    def recent(self) -> tuple[int, int]:
        return self.counted["recent did"], self.counted["recent"]


@dataclass(frozen=True, slots=True)
class _Worked:
    """A tally on its way to a figure."""

    name: str
    claim: Claim
    tally: _Tally
    cut: date
    source: str
    source_sha256: str

    def told(self, found: Iterable[Problem], *, clustered: bool, at_least: float = 1.0) -> ClaimFigure:
        """The figure, with the problems found so far and those of the rules on "most"; `at_least` for its D."""
        claim, tally, place = self.claim, self.tally, Place(f"claims.{self.name}")
        n, did = tally.n, tally.did
        effect = max(at_least, design_effect(list(tally.clusters.values())) if clustered else ASSUMED_DESIGN_EFFECT)
        level = level_of(claim.chosen_from)
        limits = wilson(Share(did / effect, n / effect), level) if n else (None, None)
        problems = list(found)
        worded = wordings(claim, did, n) if n and not _wording_problems(claim, place) else {}
        counts = n and tally.recent[1]
        if counts and not any(problem.code == ClaimCode.CLAIM_EVENT_ABSENT.slug for problem in problems):
            if limits[0] is None or limits[0] <= 0.5:
                facts = {"numerator": did, "denominator": n, "lower": limits[0] or 0.0}
                problems.append(ClaimCode.CLAIM_NOT_MOST.at(place, **facts))
            if 2 * tally.recent[0] <= tally.recent[1]:
                facts = {"numerator": tally.recent[0], "denominator": tally.recent[1]}
                problems.append(ClaimCode.CLAIM_NOT_MOST_LATELY.at(place, **facts))
        return ClaimFigure(
            claim=self.name,
            numerator=did,
            denominator=n,
            recent=tally.recent,
            share=did / n if n else None,
            lower=limits[0],
            upper=limits[1],
            confidence=level,
            design_effect=effect,
            design_effect_assumed=not clustered,
            households=len(tally.clusters) if clustered else None,
            not_mature=tally.counted["not mature"],
            unknown_eligibility=tally.counted["unknown"],
            source=self.source,
            source_sha256=self.source_sha256,
            cut=self.cut,
            expires=claim.period.last + timedelta(days=claim.expires_days),
            wording=worded.pop(ENGLISH, ""),
            wordings=worded,
            problems=tuple(problems),
            notes=_notes(tally.counted, did, n, clustered),
        )


def level_of(chosen_from: int) -> float:
    """The confidence of the interval of a claim that was chosen from so many: 0.95, Bonferroni's for more than one.

    Whoever looks at twenty shares finds one above one half by chance alone; at this level the chance that any of
    those looked at is wrongly called most stays at one in forty.
    """
    return 1 - (1 - CONFIDENCE) / chosen_from


def claim_still_holds(figure: ClaimFigure, *, today: date, newest: ClaimFigure | None = None) -> tuple[Problem, ...]:
    """What a batch asks on its day: has the claim lapsed, and does a newer history still bear it out?

    Any problem stops enrolment in every arm until an amendment (I6).
    """
    place = Place(f"claims.{figure.claim}")
    found = []
    if today > figure.expires:
        found.append(ClaimCode.CLAIM_LAPSED.at(place, expires=day_in_words(figure.expires)))
    if newest is not None and (newest.problems or _tenths(newest) < _tenths(figure)):
        found.append(ClaimCode.CLAIM_NO_LONGER_TRUE.at(place))
    return tuple(found)


def _tenths(figure: ClaimFigure) -> int:
    return 10 * figure.numerator // figure.denominator if figure.denominator else 0


def wordings(claim: Claim, numerator: int, denominator: int) -> dict[str, str]:
    """The claim with its figures in every language that it is worded in, by language."""
    return {code: wording(claim, numerator, denominator, code) for code, _ in _says(claim)}


def wording(claim: Claim, numerator: int, denominator: int, language: str = ENGLISH) -> str:
    """`says` with {share} and {period_end} filled in; the share rounded down, never up."""
    says, known = dict(_says(claim))[language], LANGUAGES[language]
    match = _before_share(language).search(says)
    if match is None:
        share = share_in_words(numerator, denominator, language)
        if not says.lstrip().startswith("{share}"):
            share = share[0].lower() + share[1:]
    else:  # the sentence has its own "at least" or "more than"
        strictly = match[1].lower() not in known.at_least
        share = known.tenths.format(n=(10 * numerator - strictly) // denominator)
    return says.replace("{share}", share).replace("{period_end}", known.month(claim.period.last))


def share_in_words(numerator: int, denominator: int, language: str = ENGLISH) -> str:
    """A share as people say it, rounded down to tenths: `More than 6 in 10`, `6 in 10` where it is exactly that."""
    known = LANGUAGES[language]
    if numerator == denominator:
        return known.everybody
    tenths, rest = divmod(10 * numerator, denominator)
    if tenths == 5:
        return known.over_half if rest else known.half
    return (known.over_tenths if rest else known.tenths).format(n=tenths)


def _says(claim: Claim) -> Iterator[tuple[str, str]]:
    """The sentences of a claim by language: `says`, then `says_cy` and its like."""
    yield ENGLISH, claim.says
    for code in LANGUAGES:
        if code != ENGLISH and (says := getattr(claim, f"says_{code}", None)):
            yield code, says


@cache
def _before_share(language: str) -> re.Pattern[str]:
    known = LANGUAGES[language]
    words = sorted((*known.strictly, *known.at_least, *known.upward), key=len, reverse=True)
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, words))})\s+\{{share\}}", re.IGNORECASE)


def design_effect(clusters: Iterable[Iterable[int]]) -> float:
    """How much households widen the interval: the closed-form CR2 variance of the share over p(1 - p)/n, at least 1.

    Σ over households of (Σ(y - p))²/(1 - n_g/n), over n². Where all or none did, Σ n_g²/n (TRIAL-RULES §5);
    where every household is one tenancy, 1.
    """
    sizes = [(len(members := list(cluster)), sum(members)) for cluster in clusters]
    n, did = sum(size for size, _ in sizes), sum(total for _, total in sizes)
    if all(size == 1 for size, _ in sizes):
        return 1.0
    if did in (0, n) or len(sizes) == 1:
        return max(1.0, sum(size * size for size, _ in sizes) / n)
    share = did / n
    variance = sum((total - size * share) ** 2 / (1 - size / n) for size, total in sizes) / n**2
    return max(1.0, variance / (share * (1 - share) / n))


def _wording_problems(claim: Claim, place: Place) -> list[Problem]:
    found = []
    for language, says in _says(claim):
        names = _PLACEHOLDER.findall(says)
        if "share" not in names or set(names) - {"share", "period_end"}:
            found.append(ClaimCode.CLAIM_WORDS_UNKNOWN.at(place))
        match = _before_share(language).search(says)
        if match is not None and match[1].lower() in LANGUAGES[language].upward:
            found.append(ClaimCode.CLAIM_COUNTS_DOWN.at(place, words=match[1].lower()))
    return found


def _notes(counted: Mapping[str, int], did: int, n: int, has_household: bool) -> tuple[str, ...]:
    notes = []
    if n and did / n < WEAK_NORM:
        notes.append("a share below 60 % makes a weak norm, which may put people off")
    if not has_household:
        notes.append(f"the history has no household column: a design effect of {ASSUMED_DESIGN_EFFECT} is assumed")
    if counted["not mature"]:
        notes.append(f"{counted['not mature']:,} tenancies were written to too near the cut to be counted")
    if counted["unknown"]:
        notes.append(f"{counted['unknown']:,} tenancies lack a value that eligibility needs, and are not counted")
    return tuple(notes)


def _three_months(last: date) -> date:
    """The first day of the three calendar months that end with `last`'s."""
    year, month = divmod(last.year * 12 + last.month - 1 - 2, 12)
    return date(year, month + 1, 1)
