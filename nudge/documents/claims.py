"""A claim is printed only if it is true of named, mature data (TRIAL-RULES §7, I6).

`{share}` is a share in words, rounded down: "More than 6 in 10". It says that most did, so it must meet the rules of
"most": the lower limit of the two-sided 95 % Wilson interval on n/D above one half over the period, and the share
itself above one half in the period's last three months. A share of half or less is no norm and is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final, Protocol

from nudge.base.columns import Value
from nudge.base.errors import Place, Problem
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.base.values import day_in_words
from nudge.documents.codes import ClaimCode
from nudge.uplift.proportions import Share, wilson

CONFIDENCE: Final = 0.95  # two-sided, as the rule on "most" has it
ASSUMED_DESIGN_EFFECT: Final = 1.5  # where the history has no household column: stated with the figure
WEAK_NORM: Final = 0.6  # below it a norm line may put people off: noted, not refused
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
    def within(self) -> int: ...
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFigure:
    """A claim worked out: its counts, their limits, the words it may print, and why it may not.

    `share`, `lower`, `upper` are fractions, None where nobody is counted. Counts are of tenancies. `recent` are those
    of the period's last three months. `not_mature` were written to too near the cut to be counted.
    """

    claim: str
    numerator: int
    denominator: int
    recent: tuple[int, int]
    share: float | None
    lower: float | None
    upper: float | None
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
        """What the seal freezes: plain values, dates as ISO text."""
        return {
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
) -> ClaimFigure:
    """Work a claim out from last year's first letters, one row a tenancy.

    `eligible` is the trial's own condition; None (a value is missing) counts as not eligible, and is counted. An
    event on the day of the letter or before answers nothing (TRIAL-RULES §1).
    """
    place, period = Place(f"claims.{name}"), claim.period
    quarter = _three_months(period.last)
    counted: Counter[str] = Counter()
    clusters: dict[str, list[int]] = {}
    first: date | None = None
    for row in rows:
        first = row.letter_on if first is None else min(first, row.letter_on)
        if not period.first <= row.letter_on <= period.last:
            continue
        if (meets := eligible(row.values)) is not True:
            counted["unknown"] += meets is None
            continue
        if row.letter_on + timedelta(days=claim.within) > cut:
            counted["not mature"] += 1
            continue
        day = row.events.get(claim.numerator)
        did = day is not None and 0 < (day - row.letter_on).days <= claim.within
        counted["n"] += 1
        counted["did"] += did
        if row.letter_on >= quarter:
            counted["recent"] += 1
            counted["recent did"] += did
        clusters.setdefault(row.household or f"\0{row.reference}", []).append(did)
    n, did_n = counted["n"], counted["did"]
    recent = counted["recent did"], counted["recent"]
    effect = design_effect(list(clusters.values())) if has_household else ASSUMED_DESIGN_EFFECT
    limits = wilson(Share(did_n / effect, n / effect), CONFIDENCE) if n else (None, None)
    problems = _wording_problems(claim, place)
    worded = wordings(claim, did_n, n) if n and not problems else {}
    if claim.numerator not in set(event_kinds):
        problems.append(ClaimCode.CLAIM_EVENT_ABSENT.at(place, numerator=claim.numerator))
    elif not n or not recent[1]:
        problems.append(
            ClaimCode.CLAIM_NO_TENANCIES.at(
                place, within=claim.within, cut=day_in_words(cut), when="" if not n else "the last three months of "
            )
        )
    else:
        if limits[0] is None or limits[0] <= 0.5:
            facts = {"numerator": did_n, "denominator": n, "lower": limits[0] or 0.0}
            problems.append(ClaimCode.CLAIM_NOT_MOST.at(place, **facts))
        if 2 * recent[0] <= recent[1]:
            problems.append(ClaimCode.CLAIM_NOT_MOST_LATELY.at(place, numerator=recent[0], denominator=recent[1]))
    if first is not None and (first > period.first + timedelta(days=31) or cut < period.last):
        problems.append(ClaimCode.CLAIM_PERIOD_UNCOVERED.at(place, first=day_in_words(first), cut=day_in_words(cut)))
    return ClaimFigure(
        claim=name,
        numerator=did_n,
        denominator=n,
        recent=recent,
        share=did_n / n if n else None,
        lower=limits[0],
        upper=limits[1],
        design_effect=effect,
        design_effect_assumed=not has_household,
        households=len(clusters) if has_household else None,
        not_mature=counted["not mature"],
        unknown_eligibility=counted["unknown"],
        source=source,
        source_sha256=source_sha256,
        cut=cut,
        expires=period.last + timedelta(days=claim.expires_days),
        wording=worded.pop(ENGLISH, ""),
        wordings=worded,
        problems=tuple(problems),
        notes=_notes(counted, did_n, n, has_household),
    )


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
