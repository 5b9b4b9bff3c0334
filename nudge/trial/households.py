"""Which tenancies are one household: the same UPRN, else the same normalised home address, else the tenancy itself."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nudge.base.accents import unaccented


@dataclass(frozen=True, slots=True)
class Home:
    """What tells a tenancy's household: its reference, and where it is."""

    reference: str
    uprn: str | None
    address: tuple[str, ...]


def normalised(address: Sequence[str]) -> str:
    """An address for comparing: letters and digits only, upper case, without accents, lines joined."""
    return re.sub(r"[^A-Z0-9]+", " ", unaccented(" ".join(address)).upper()).strip()


def household_keys(homes: Iterable[Home]) -> dict[str, str]:
    """The household key of each reference; homes joined by UPRN or, where one has none, by address, share a key.

    Two tenancies at one address with different UPRNs stay apart: two flats whose extract gives only the street.
    The key is that of the household's smallest UPRN, else of its address, so it does not hang on row order.
    """
    by_address: dict[str, set[str]] = defaultdict(set)
    kept = list(homes)
    for home in kept:
        if home.uprn:
            by_address[normalised(home.address)].add(home.uprn)
    keys = {}
    for home in kept:
        address = normalised(home.address)
        if home.uprn:
            keys[home.reference] = f"uprn:{home.uprn}"
        elif len(by_address.get(address, ())) == 1:  # the address names one property, and another row says which
            keys[home.reference] = f"uprn:{next(iter(by_address[address]))}"
        elif address:
            keys[home.reference] = f"address:{address}"
        else:
            keys[home.reference] = f"tenancy:{home.reference}"
    return keys


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a reference belongs: the cluster already allocated that its household is, or a new one's key."""

    key: str
    cluster: str | None
    merged: tuple[str, ...] = ()  # its clusters in the trial, smallest code first, where it holds several


def place_households(homes: Iterable[Home], known: Mapping[str, str], known_homes: Iterable[Home]) -> dict[str, Placed]:
    """Each home's place, given the clusters of references already in the trial and where those live.

    A household that holds several clusters keeps them apart (both have their arms); they are reported as merged.
    The cluster a newcomer joins is the smallest code, so the answer does not hang on row order (I2, I3).
    """
    fresh = {home.reference: home for home in homes}
    everyone = {home.reference: home for home in known_homes} | fresh
    keys = household_keys(everyone.values())
    clusters: dict[str, set[str]] = defaultdict(set)
    for reference, cluster in known.items():
        if reference in keys:
            clusters[keys[reference]].add(cluster)
    placed = {}
    for reference in fresh:
        held = sorted(clusters.get(keys[reference], ()))
        own = known.get(reference)
        placed[reference] = Placed(keys[reference], own or (held[0] if held else None), tuple(held) if held[1:] else ())
    return placed
