"""What a letter of its family must hold, from `required.toml`, and what a rendered letter holds of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from nudge.documents.blocks import Contents
from nudge.documents.figures import figures_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What letters must hold: its words, the data-required ids that carry it, and the figures in the block."""

    words: str
    ids: tuple[str, ...]
    holds: tuple[str, ...]


@cache
def families() -> Mapping[str, tuple[Thing, ...]]:
    """The things that each family needs, in the order to print them."""
    read = tomllib.loads(files("nudge.documents").joinpath("required.toml").read_text("utf-8"))
    things = {
        name: Thing(words=one["words"], ids=tuple(one["ids"]), holds=tuple(one["holds"]))
        for name, one in read["things"].items()
    }
    return {family: tuple(things[name] for name in names) for family, names in read["families"].items()}


def held(contents: Contents) -> dict[str, bool]:
    """Each thing that the letter's family needs, by its words, and whether the letter holds it. Empty: no such family.

    A block that should give a sum, a date or a telephone number and gives none does not count.
    """
    there = contents.required()
    found = {}
    for thing in families().get(contents.family, ()):
        carried = [there[name] for name in thing.ids if there.get(name)]
        found[thing.words] = any({figure.kind for figure in figures_in(words)} >= set(thing.holds) for words in carried)
    return found
