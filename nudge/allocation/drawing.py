"""One way in to every draw, and to what each could have drawn instead."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from nudge.allocation import schemes
from nudge.allocation.assignment import Assignment
from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design, Entry, usable
from nudge.allocation.distances import whitened
from nudge.allocation.keying import Keyed, composed
from nudge.allocation.minimised import Minimising, draw_minimised
from nudge.allocation.pairs import draw_pairs, pair_arms
from nudge.allocation.rerandomised import Balanced, Batch, draw_rerandomised, limit_of
from nudge.allocation.rules import Rule
from nudge.allocation.tries import draw_sequences
from nudge.base.errors import Place, Problem, Refused


def draw(
    design: Design,
    *,
    seed: bytes,
    batch: int,
    clusters: Mapping[str, str | Entry],
    drawn: Iterable[Allocated] = (),
) -> tuple[Allocated, ...]:
    """Allocate the clusters of a batch that hold no arm yet: see `Design.draw`."""
    entries = {composed(cluster): Entry.of(entry) for cluster, entry in clusters.items()}
    before = tuple(drawn)
    if design.method == "blocked":
        strata = {cluster: Entry.of(entry).stratum for cluster, entry in clusters.items()}
        return schemes.draw(design, seed=seed, batch=batch, clusters=strata, drawn=before)
    held = {composed(row.cluster) for row in before}
    new = {cluster: entry for cluster, entry in entries.items() if cluster not in held}
    Refused.when(_problems(design, batch, len(clusters) - len(entries), new, before))
    keyed = Keyed(seed, design.algorithm, design.trial)
    if design.method == "pairs":
        _check_pairs(design, keyed, before)
        return draw_pairs(design, keyed=keyed, batch=batch, new=new, before=before)
    if design.method == "rerandomised":
        return draw_rerandomised(design, keyed=keyed, batch=batch, new=new)
    if design.method == "minimised":
        return draw_minimised(design, keyed=keyed, batch=batch, new=new, before=before)
    return draw_sequences(design, keyed=keyed, batch=batch, new=new)


def _problems(
    design: Design, batch: int, doubled: int, new: Mapping[str, Entry], before: Sequence[Allocated]
) -> list[Problem]:
    place, last = Place(f"batch {batch}"), max((row.batch for row in before), default=0)
    problems = []
    if batch < 1:
        problems.append(AllocationCode.BATCH_NOT_COUNTED.at(place, batch=batch))
    if new and batch <= last:
        problems.append(AllocationCode.BATCH_OUT_OF_ORDER.at(place, batch=batch, last=last, count=len(new)))
    if not all(usable(cluster) for cluster in new):
        problems.append(AllocationCode.ID_UNUSABLE.at(place, what="a cluster"))
    if not all(entry.stratum and "\n" not in entry.stratum for entry in new.values()):
        problems.append(AllocationCode.ID_UNUSABLE.at(place, what="a stratum"))
    if doubled:
        problems.append(AllocationCode.CLUSTER_IN_TWO_STRATA.at(place, count=doubled))
    if later := sum(row.epoch > design.epoch for row in before):
        problems.append(AllocationCode.EPOCH_OUT_OF_ORDER.at(place, epoch=design.epoch, count=later))
    if twice := sum(count > 1 for count in Counter(composed(row.cluster) for row in before).values()):
        problems.append(AllocationCode.ALLOCATED_TWICE.at(place, count=twice))
    wanted = len(design.covariates)
    if odd := sum(len(entry.covariates) != wanted or not entry.finite for entry in new.values()):
        problems.append(AllocationCode.COVARIATES_MISFIT.at(place, expected=wanted, count=odd))
    factors = len(design.strata)
    if design.method == "minimised" and (
        odd := sum(entry.stratum.count("\t") + 1 != factors for entry in new.values())
    ):
        problems.append(AllocationCode.LEVELS_MISFIT.at(place, expected=factors, count=odd))
    return problems


def _check_pairs(design: Design, keyed: Keyed, before: Iterable[Allocated]) -> None:
    """Earlier rows of this epoch follow from the key."""
    rows = [row for row in before if row.epoch == design.epoch]
    wrong = sum(
        not 1 <= row.slot <= 2 or row.arm != pair_arms(design, keyed, row.stratum, row.block)[row.slot - 1]
        for row in rows
    )
    if wrong:
        place = Place("allocation")
        raise Refused(AllocationCode.SEED_DOES_NOT_FIT.at(place, epoch=design.epoch, count=wrong, total=len(rows)))


def assignment_of(
    allocated: Iterable[Allocated],
    designs: Design | Iterable[Design],
    lists: Mapping[int, Mapping[str, str | Entry]],
    *,
    arms: Sequence[str] | None = None,
) -> Assignment:
    """What was drawn, with everything that a redraw needs; clusters in the order given.

    `designs` has the design of every epoch, all of one method. `lists` are needed where the draw looked at
    covariates. But for blocks `allocated` must be all that was drawn, abandoned batches too: they had their part in
    it. Raises Refused where rows, lists and designs do not fit.
    """
    by_epoch = {one.epoch: one for one in ((designs,) if isinstance(designs, Design) else designs)}
    rows = tuple(allocated)
    methods = {design.method for design in by_epoch.values()}
    if len(methods) > 1:
        raise Refused(AllocationCode.METHOD_CHANGED.at(Place("design")))
    if methods == {"blocked"}:
        return Assignment.of_blocks(rows, by_epoch.values(), arms=arms)
    newest_first = (arm for epoch in sorted(by_epoch, reverse=True) for arm in by_epoch[epoch].arms)
    names = tuple(arms) if arms is not None else tuple(dict.fromkeys(newest_first))
    Refused.when(_misfits(rows, by_epoch, names))
    method = methods.pop()
    return _of_groups(rows, by_epoch, names, method, _rule(rows, by_epoch, names, method, lists))


def _misfits(rows: Sequence[Allocated], designs: Mapping[int, Design], names: Sequence[str]) -> list[Problem]:
    place = Place("allocation")
    missing = sorted({row.epoch for row in rows} - designs.keys())
    problems = [AllocationCode.DESIGN_MISSING.at(place, epoch=epoch) for epoch in missing]
    known = [row for row in rows if row.epoch in designs]
    if strange := sum(row.arm not in designs[row.epoch].arms or row.arm not in names for row in known):
        problems.append(AllocationCode.ARM_UNKNOWN.at(place, count=strange))
    return problems


def _of_groups(
    rows: Sequence[Allocated], designs: Mapping[int, Design], names: Sequence[str], method: str, rule: Rule | None
) -> Assignment:
    """Groups as the rows' blocks have them. Of a minimised draw they say only which clusters go together."""
    code = {arm: number for number, arm in enumerate(names)}
    keys = [_group_key(row, method) for row in rows]
    groups = {key: number for number, key in enumerate(sorted(set(keys)))}
    slots = np.zeros((len(groups), len(names)), dtype=np.int64)
    for key, row in zip(keys, rows, strict=True):
        design = designs[row.epoch]
        for arm, share in zip(design.arms, design.ratio, strict=True):
            slots[groups[key], code[arm]] = share * row.block_size // sum(design.ratio)
    several = len({row.epoch for row in rows}) > 1
    layers = sorted({_layer(row, method) for row in rows})
    place = {layer: number for number, layer in enumerate(layers)}
    return Assignment(
        arms=tuple(names),
        arm=np.array([code[row.arm] for row in rows], dtype=np.int8),
        stratum=np.array([place[_layer(row, method)] for row in rows], dtype=np.int32),
        strata=tuple(_layer_name(layer, method, several=several) for layer in layers),
        scheme="pairs" if method == "pairs" else "complete",
        group=np.array([groups[key] for key in keys], dtype=np.int32),
        slots=slots,
        positions=np.arange(len(rows), dtype=np.intp),
        clusters=tuple(row.cluster for row in rows),
        rule=rule,
    )


def _group_key(row: Allocated, method: str) -> tuple[object, ...]:
    return (row.epoch, "", 0) if method == "minimised" else (row.epoch, row.stratum, row.block)


def _layer(row: Allocated, method: str) -> tuple[int, int, str]:
    """The analysis stratum: a rerandomised batch is drawn by itself; a minimised draw has none but the epoch."""
    if method == "minimised":
        return row.epoch, 0, ""
    return row.epoch, row.batch if method == "rerandomised" else 0, row.stratum


def _layer_name(layer: tuple[int, int, str], method: str, *, several: bool) -> str:
    epoch, batch, stratum = layer
    parts = ["all"] if method == "minimised" else [stratum]
    if method == "rerandomised":
        parts.append(f"batch {batch}")
    if several:
        parts.append(f"epoch {epoch}")
    return "\t".join(parts)


def _rule(
    rows: Sequence[Allocated],
    designs: Mapping[int, Design],
    names: Sequence[str],
    method: str,
    lists: Mapping[int, Mapping[str, str | Entry]],
) -> Rule | None:
    if method == "minimised":
        return Minimising.of(rows, designs, names)
    if method != "rerandomised":
        return None
    batches: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        batches[row.epoch, row.batch].append(place)
    found, problems = [], []
    for (epoch, number), places in sorted(batches.items()):
        listed = {composed(code): Entry.of(entry) for code, entry in lists.get(number, {}).items()}
        places.sort(key=lambda place: composed(rows[place].cluster))
        new = {composed(rows[place].cluster): listed.get(composed(rows[place].cluster)) for place in places}
        whole = {code: entry for code, entry in new.items() if entry is not None}
        if len(whole) != len(new):
            problems.append(AllocationCode.LIST_FOR_REDRAW_MISSING.at(Place("assignment"), batch=number))
            continue
        found.append(
            Batch(
                members=np.array(places, dtype=np.intp),
                places=whitened([whole[code].covariates for code in sorted(whole)]),
                limit=limit_of(designs[epoch], number, whole),
            )
        )
    Refused.when(problems)
    return Balanced(batches=tuple(found), even=all(len(set(design.ratio)) == 1 for design in designs.values()))
