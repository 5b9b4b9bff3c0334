"""What allocation refuses, and how each refusal is worded."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class AllocationCode(Code):
    """Refusals of the design, the draw and the certificate. Facts are ids, counts and batch numbers only."""

    ARMS_TOO_FEW = ("at least two arms, found {count}", "Add an arm to `arms:`.")
    ARM_TWICE = ("each arm once, found {arm} again", "Give each arm an id of its own.")
    RATIO_LENGTH = ("one ratio for each of {arms} arms, found {count}", "Write `ratio:` with {arms} whole numbers.")
    RATIO_NOT_WHOLE = ("a ratio of whole numbers from 1", "Write the ratio as, for example, [1, 1] or [2, 1].")
    RATIO_TOO_LARGE = (
        "a ratio whose parts add up to {most} or less in lowest terms, found {total}",
        "Use a rounder ratio, such as [2, 1]: blocks of {total} or more would seldom be filled.",
    )
    EPOCH_NOT_COUNTED = ("an epoch from 1, found {epoch}", "Number epochs 1, 2, 3 as amendments open them.")
    ID_UNUSABLE = ("an id of {what} in one line and not blank", "Remove the line break, or give it an id.")
    CLUSTER_IN_TWO_STRATA = (
        "one stratum for each cluster; {count} code(s) differ only in how accents are stored",
        "Give each cluster once, with one stratum.",
    )
    BATCH_NOT_COUNTED = ("a batch number from 1, found {batch}", "Number batches 1, 2, 3 without gaps.")
    BATCH_OUT_OF_ORDER = (
        "a batch after batch {last}, the last one drawn, for {count} new cluster(s); found batch {batch}",
        "Draw them as the next batch: a drawn batch is closed.",
    )
    EPOCH_OUT_OF_ORDER = (
        "no allocation of a later epoch than {epoch}, found {count}",
        "Draw with the design of the newest amendment.",
    )
    ALLOCATED_TWICE = ("each cluster allocated once, found {count} twice", "Restore the allocation rows from a backup.")
    SLOTS_MISSING = (
        "slots without gaps in each stratum of epoch {epoch}; {count} block(s) have some missing or doubled",
        "Pass every allocation of the trial, abandoned batches too, or restore the rows from a backup.",
    )
    SEED_DOES_NOT_FIT = (
        "the arms already drawn in epoch {epoch} to follow from this seed; {count} of {total} do not",
        "Use the secret and the beacon of this trial's seal; if they are right, the allocation rows were changed.",
    )
    DESIGN_MISSING = ("a design for every epoch drawn; epoch {epoch} has none", "Pass the design of each seal.")
    ARM_UNKNOWN = ("arms of the design only; {count} allocation(s) have another", "Pass the design they were drawn by.")
    ROWS_DO_NOT_FIT_DESIGN = (
        "blocks that the design of epoch {epoch} can make; {count} cannot be",
        "Pass the design they were drawn by, or restore the rows from a backup.",
    )
    STRATA_LENGTH = ("one stratum for each of {arms} arms, found {count}", "Pass arms and strata of the same rows.")
    PAIR_WITHOUT_BOTH_ARMS = (
        "two clusters in each pair, one in each of two arms; {count} pair(s) are otherwise",
        "Check the pair column, or declare `drawn: complete` if the pairs were not drawn.",
    )
