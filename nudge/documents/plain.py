"""How plainly a letter reads: measured on the words a tenant gets, not on the template."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nudge.documents.blocks import RUNNING, Block, read_contents

AIM: Final = 11  # years of reading age that a letter to tenants keeps to; one adult in seven reads at this level
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
    return plainness_of(read_contents(html).body)


def plainness_of(blocks: Iterable[Block]) -> Plainness:
    """The same of blocks that are at hand; only what is read as sentences counts."""
    parts = (part for block in blocks if block.tag in RUNNING for part in block.sentences)
    sentences = [words for part in parts if (words := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return Plainness(0.0, 0, 0, 0)
    syllables = sum(map(_syllables, words))
    grade = 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59
    return Plainness(grade + 5, max(map(len, sentences)), max(map(most_capitals, sentences)), len(words))


def _syllables(word: str) -> int:
    word = word.lower()
    count = len(_VOWELS.findall(word))
    silent = (word.endswith("e") and not word.endswith(("le", "ee"))) or word.endswith(("ed", "es"))
    return max(1, count - (silent and count > 1 and not word.endswith(("ted", "ded", "ses", "ces"))))


def most_capitals(words: Iterable[str]) -> int:
    """The longest run of words in capitals; a single letter is none."""
    longest = run = 0
    for word in words:
        run = run + 1 if len(word) > 1 and word.isupper() else 0
        longest = max(longest, run)
    return longest
