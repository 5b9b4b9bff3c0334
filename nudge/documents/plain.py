"""How plainly a letter reads: measured on the words a tenant gets, not on the template."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

AIM: Final = 11  # years of reading age that a letter to tenants keeps to; one adult in seven reads at this level
_BLOCKS: Final = frozenset({"p", "li", "h1", "h2", "h3"})
_SENTENCE: Final = re.compile(r"(?<=[.:?!])\s+")
_WORD: Final = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ'’]*")
_VOWELS: Final = re.compile(r"[aeiouyà-ÿ]+")


@dataclass(frozen=True, slots=True)
class Plainness:
    """`reading_age` in years (Flesch-Kincaid grade + 5); the longest sentence, run of capitals and whole, in words."""

    reading_age: float
    longest_sentence: int
    capitals: int
    words: int


def plainness(html: str) -> Plainness:
    """Of the letter's own sentences: headings, paragraphs and list items, without letterhead and tables.

    Source of the formula: Kincaid et al. (1975), Research Branch Report 8-75. Syllables are counted by vowels, so a
    result is good to about half a year. Words with figures in them are not counted.
    """
    reader = _Sentences()
    reader.feed(html)
    return plainness_of(reader.texts)


def plainness_of(texts: Iterable[str]) -> Plainness:
    """The same of texts that are at hand: headings, paragraphs, list items."""
    sentences = [words for text in texts for part in _SENTENCE.split(text) if (words := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return Plainness(0.0, 0, 0, 0)
    syllables = sum(map(_syllables, words))
    grade = 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59
    return Plainness(grade + 5, max(map(len, sentences)), max(map(_capitals, sentences)), len(words))


class _Sentences(HTMLParser):
    """The text of each block outside the letterhead."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div" and (self._skipped or ("data-zone", "page") in attrs):
            self._skipped += 1
        elif tag in _BLOCKS and not self._skipped:
            self._open.append(tag)
            self.texts.append("")
        elif tag == "br" and self._open:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._skipped:
            self._skipped -= 1
        elif self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and not self._skipped:
            self.texts[-1] += data


def _syllables(word: str) -> int:
    word = word.lower()
    count = len(_VOWELS.findall(word))
    silent = (word.endswith("e") and not word.endswith(("le", "ee"))) or word.endswith(("ed", "es"))
    return max(1, count - (silent and count > 1 and not word.endswith(("ted", "ded", "ses", "ces"))))


def _capitals(sentence: list[str]) -> int:
    longest = run = 0
    for word in sentence:
        run = run + 1 if len(word) > 1 and word.isupper() else 0
        longest = max(longest, run)
    return longest
