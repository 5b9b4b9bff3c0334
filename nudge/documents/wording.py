"""The word lists of `wording.toml`, and what of them is found in a sentence."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final, TypeVar

STAGES: Final = ("information", "invitation", "reminder", "first", "second", "notice", "court")
"""How far a matter has gone, from the least to the most; a letter says its own with data-stage."""
UNSTATED: Final = "first"
Item = TypeVar("Item")
_GAP: Final = 5  # words that may stand between a denial and what it denies, or a figure and whom it is about
_CLAUSE: Final = re.compile(r"[,;:–—]| (?:and|but|or|so|then|unless|until) ")


@dataclass(frozen=True, slots=True)
class Found:
    """Wording of a list found in a sentence: its words, where they begin, and the first stage that allows them."""

    words: str
    start: int
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    legal: Mapping[str, re.Pattern[str]]
    consequence: re.Pattern[str]
    certain: re.Pattern[str]
    modal: re.Pattern[str]
    subject: re.Pattern[str]
    denial: re.Pattern[str]
    fear: re.Pattern[str]
    support: re.Pattern[str]
    people: re.Pattern[str]
    figure: re.Pattern[str]
    of_people: re.Pattern[str]
    percent: re.Pattern[str]
    not_people: re.Pattern[str]
    up_to: re.Pattern[str]
    not_up_to: re.Pattern[str]


def _remembered(find: Callable[[str], Iterable[Item]]) -> Callable[[str], tuple[Item, ...]]:
    """Most sentences of a batch are the same in every letter: each is looked through once."""

    @lru_cache(maxsize=4096)
    def found(sentence: str) -> tuple[Item, ...]:
        return tuple(find(sentence))

    found.__doc__ = find.__doc__
    return found


@cache
def _lists() -> _Lists:
    read: dict[str, Any] = tomllib.loads(files("nudge.documents").joinpath("wording.toml").read_text("utf-8"))
    legal: dict[str, list[str]] = {}
    for entry in read["legal"]:
        legal.setdefault(entry["first"], []).extend(entry["words"])
    modal, figure = read["modal"], read["figure"]
    return _Lists(
        legal={first: _any(words) for first, words in legal.items()},
        consequence=_any(read["consequence"]["words"]),
        certain=_any(modal["certain"]),
        modal=_any([*modal["open"], *modal["certain"]]),
        subject=_any(modal["subject"]),
        denial=_any(read["denial"]["words"]),
        fear=_any(read["fear"]["words"]),
        support=_any(read["support"]["words"]),
        people=_any(read["people"]["words"]),
        figure=_any(figure["words"]),
        of_people=_any(figure["of_people"]),
        percent=_any(figure["percent"]),
        not_people=_any(figure["not_people"]),
        up_to=_any(read["up_to"]["words"]),
        not_up_to=re.compile("|".join(read["up_to"]["not_up_to"]), re.I),
    )


def _any(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'’])(?:{'|'.join(words)})(?!\w)", re.I)


@_remembered
def legal_wording(sentence: str) -> Iterator[tuple[Found, bool]]:
    """Wording of law and enforcement in a sentence, each with the stage it belongs to, and whether it is denied."""
    for first, pattern in _lists().legal.items():
        for match in pattern.finditer(sentence):
            yield Found(match.group(), match.start(), first), _denied(sentence, match.start())


@_remembered
def consequences(sentence: str) -> Iterator[tuple[Found, bool]]:
    """What the sentence says may befall the reader, each with whether it is told as certain. Denied, it is none."""
    lists = _lists()
    spans: list[tuple[int, int]] = []
    for pattern in (*lists.legal.values(), lists.consequence):
        spans += [match.span() for match in pattern.finditer(sentence)]
    for start, end in sorted(spans):
        if _denied(sentence, start):
            continue
        yield Found(sentence[start:end], start), _certain(sentence, start)


@_remembered
def told_as_certain(sentence: str) -> Iterator[Found]:
    """What is told of the reader as bound to come: `you will be evicted`."""
    return _undenied(_lists().subject, sentence)


@_remembered
def fear_wording(sentence: str) -> Iterator[Found]:
    """Wording that works by fear, unless it is denied: `nothing to be afraid of`."""
    return _undenied(_lists().fear, sentence)


def support(text: str) -> bool:
    """Whether the text names where to get help with a debt."""
    return _lists().support.search(text) is not None


@_remembered
def figures_of_people(sentence: str) -> Iterator[Found]:
    """Figures, or words for figures, about what other people do."""
    lists = _lists()
    yield from _plain(lists.figure, sentence)
    for match in lists.of_people.finditer(sentence):
        clause = _CLAUSE.split(" ".join(sentence[match.end() :].split()[:_GAP]), maxsplit=1)[0]
        if (whom := lists.people.search(clause)) is not None:
            between = "" if not clause[: whom.start()].strip() else " …"
            yield Found(f"{match.group()}{between} {whom.group()}", match.start())
    for match in lists.percent.finditer(sentence):
        after = " ".join(sentence[match.end() :].split()[:_GAP])
        before = " ".join(sentence[: match.start()].split()[-4:])
        money = lists.not_people.search(after) or lists.not_people.search(before)
        whom = lists.people.search(after)
        if money is None or (whom is not None and whom.start() < money.start()):
            yield Found(match.group(), match.start())


@_remembered
def disguised(sentence: str) -> Iterator[str]:
    """Words that the lists cannot find as they are written: with another alphabet's letters, or spaced out."""
    for match in _WORD.finditer(sentence):
        names = [unicodedata.name(sign, "") for sign in match.group() if sign not in _UNITS]
        alphabets = {name.split(" ")[0] for name in names}
        if alphabets & _DRESSED or ("LATIN" in alphabets and alphabets & _LIKE_LATIN):
            yield match.group()
    joined = _SPACED.sub(lambda match: match.group()[::2], sentence)  # R S P C A is no fault, e v i c t e d is
    joined = " ".join(joined.split())
    if joined != " ".join(sentence.split()):
        lists = _lists()
        for pattern in (*lists.legal.values(), lists.consequence, lists.subject, lists.fear):
            if len(pattern.findall(joined)) > len(pattern.findall(sentence)):
                yield joined


_WORD: Final = re.compile(r"[^\W\d_]+")
_SPACED: Final = re.compile(r"(?<![\w.])[^\W\d_](?:([\s.·•*–-])[^\W\d_](?:\1[^\W\d_]){2,})(?![\w])")
_LIKE_LATIN: Final = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "GEORGIAN"})
_UNITS: Final = frozenset("\u03bc\u03a9")  # of micrograms and ohms
_DRESSED: Final = frozenset({"FULLWIDTH", "MATHEMATICAL", "SCRIPT", "BLACK-LETTER", "DOUBLE-STRUCK", "CIRCLED"})


@_remembered
def up_to(sentence: str) -> Iterator[Found]:
    """The most that anyone can have, told as what the reader gets."""
    lists = _lists()
    for found in _plain(lists.up_to, sentence):
        if lists.not_up_to.match(sentence, found.start + len(found.words)) is None:
            yield found


def _plain(pattern: re.Pattern[str], sentence: str) -> Iterator[Found]:
    for match in pattern.finditer(sentence):
        yield Found(match.group(), match.start())


def _undenied(pattern: re.Pattern[str], sentence: str) -> Iterator[Found]:
    return (found for found in _plain(pattern, sentence) if not _denied(sentence, found.start))


def _denied(sentence: str, start: int) -> bool:
    """Whether a denial stands before this place in its clause, with nothing between that ends what it denies."""
    clause = _CLAUSE.split(sentence[:start])[-1]
    denial = _last(_lists().denial, clause)
    if denial is None or _IF.search(clause) is not None:  # "if you do not want to lose your home" threatens
        return False
    between = clause[denial.end() :]
    # "if you do not pay we will go to court" denies the paying
    return len(between.split()) <= _GAP and _lists().modal.search(between) is None and not _pays(between)


_IF: Final = re.compile(r"\b(?:if|unless)\b", re.I)
_PAYS: Final = re.compile(r"\b(?:pay|paid|call|contact|hear|reply|respond|get in touch|agree|able)\b", re.I)


def _pays(words: str) -> bool:
    return _PAYS.search(words) is not None


def _certain(sentence: str, start: int) -> bool:
    """Whether the last word before this place that says how sure a thing is says that it is certain."""
    modal = _last(_lists().modal, sentence[:start])
    return modal is not None and _lists().certain.fullmatch(modal.group()) is not None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter([*pattern.finditer(text)][::-1]), None)
