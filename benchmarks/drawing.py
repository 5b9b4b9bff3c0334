"""Drawing a million units: nudge's permuted blocks against the plain hash of most experiment platforms.

    python benchmarks/drawing.py [units]

The peer hashes each unit with the trial's name and gives it an arm by the hash alone. It keeps no record, so it needs
none; but its arms differ in size by chance, in every stratum, households are split unless their own number is hashed,
and whoever knows the name of the trial foresees every arm.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from hashlib import sha256

from side_by_side import Contestant, Found, print_table, print_versions, take_turns

from nudge.allocation.design import Allocated, Design
from nudge.allocation.keying import Keyed
from nudge.allocation.schemes import ALGORITHM, draw

UNITS, STRATA, ROUNDS = 1_000_000, 20, 2
SEED = bytes(range(32))
DESIGN = Design(trial="benchmark", arms=("current", "new"), ratio=(1, 1), strata=("patch",))


def units(count: int, start: int = 0) -> dict[str, str]:
    """Codes as the engine gives them, and their strata."""
    return {sha256(str(number).encode()).hexdigest()[:16]: f"patch {number % STRATA}" for number in range(start, count)}


def blocks(clusters: dict[str, str], before: tuple[Allocated, ...] = ()) -> Found:
    """Order, blocks and slots of all; where a batch came before, every row of it is drawn again and compared."""
    return {"rows": draw(DESIGN, seed=SEED, batch=2 if before else 1, clusters=clusters, drawn=before)}


def hashed(clusters: dict[str, str]) -> Found:
    """An arm by the hash of trial and unit, half and half."""
    arms = DESIGN.arms
    return {
        "arm": {
            name: arms[int.from_bytes(sha256(f"benchmark:{name}".encode()).digest()[:8], "big") % 2]
            for name in clusters
        }
    }


def plainly_keyed(clusters: dict[str, str]) -> Found:
    """Only the keys that nudge's draw needs, one for the order and one for the slot, each an HMAC from nothing."""
    keyed = Keyed(SEED, ALGORITHM, "benchmark")
    for name in clusters:
        keyed("order", 1, name)
        keyed("slot", 1, clusters[name], 1, "new", 1)
    return {}


def imbalance(arm_of: dict[str, str], clusters: dict[str, str]) -> int:
    """The most that two arms differ by in a stratum."""
    sizes = Counter((clusters[name], arm) for name, arm in arm_of.items())
    strata = set(clusters.values())
    return max(abs(sizes[stratum, "current"] - sizes[stratum, "new"]) for stratum in strata)


def main(count: int) -> None:
    """Print seconds, ratios to nudge, and how far apart the arms of a stratum are."""
    clusters, week = units(count), units(count + 500, count)
    drawn = draw(DESIGN, seed=SEED, batch=1, clusters=clusters, drawn=())
    base = "nudge, blocks within strata"
    contestants = [
        Contestant(name=base, work=partial(blocks, clusters)),
        Contestant(name="nudge, 500 more the week after, all re-drawn", work=partial(blocks, week, drawn)),
        Contestant(name="the keys alone, each an HMAC from nothing", work=partial(plainly_keyed, clusters)),
        Contestant(
            name="plain hash of the unit's number",
            work=partial(hashed, clusters),
            lacks="equal arms, strata, secrecy, a record, a proof",
        ),
    ]
    scores = take_turns(contestants, ROUNDS)
    print_versions()
    print_table(f"Drawing {count:,} units in {STRATA} strata; best of {ROUNDS}", contestants, scores, base)
    ours = imbalance({row.cluster: row.arm for row in scores[base].found["rows"]}, clusters)
    theirs = imbalance(scores[contestants[-1].name].found["arm"], clusters)
    print(f"most units that two arms of a stratum differ by: nudge {ours}, plain hash {theirs}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else UNITS)
