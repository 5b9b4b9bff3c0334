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
    TERM_OF_ANOTHER_METHOD = (
        "no `{term}`: the method {method} has no use for it",
        "Remove `{term}`, or choose the method that it belongs to.",
    )
    PAIRS_OF_TWO_ARMS = (
        "two arms at 1:1 for matched pairs: one cluster of each pair goes to each arm",
        "Compare two arms, or use `method: blocked`.",
    )
    PAIR_OR_COVARIATES = (
        "either `pair` (the column that names the pairs) or `covariates` (to make them by), one of the two",
        "Keep the one by which the clusters are paired.",
    )
    COVARIATES_NEEDED = ("covariates to balance", "Name them in `covariates:`, or use `method: blocked`.")
    COVARIATES_TOO_MANY = (
        "at most {most} covariates, found {count}",
        "Keep those that foretell the outcome best: the more there are, the less each is balanced.",
    )
    ACCEPTANCE_OUT_OF_RANGE = (
        "an acceptance from {least} to 1: the share of allocations that are balanced enough",
        "Write `acceptance: 0.1`: one allocation in ten is balanced enough.",
    )
    FACTORS_NEEDED = ("factors to balance", "Name the columns or bands in `strata:`, or use `method: blocked`.")
    MINIMISED_RATIO = (
        "equal arms for minimisation: with others its chances depend on the factors",
        "Write a ratio of ones, or use `method: blocked`.",
    )
    MINIMISED_ARMS = (
        "two arms for a comparison within a minimised draw: it cannot be redrawn with a third arm held as it fell",
        "Compare two arms, or use `method: blocked`.",
    )
    CHANCE_OUT_OF_RANGE = (
        "a chance above {least} and below 1, so that the next arm can never be foretold",
        "Write `chance: 0.8`.",
    )
    SEQUENCES_UNEVEN = (
        "for each arm the condition of every period, as many periods in each",
        "Make them by `stepped_wedge` or `crossover`.",
    )
    PAIR_TOO_LARGE = (
        "at most two new clusters of one pair in batch {batch}; {count} pair(s) have more",
        "Correct the column that names the pairs, or let nudge make the pairs by `covariates`.",
    )
    PAIRS_TOO_MANY = (
        "at most {most} clusters of one stratum to be paired by distance; batch {batch} has {count}",
        "Declare strata, name the pairs in a column, or enrol in smaller batches.",
    )
    COVARIATES_MISFIT = (
        "a number or a gap for each of {expected} covariates of every cluster; {count} cluster(s) have others",
        "List the covariates in the order declared.",
    )
    LEVELS_MISFIT = (
        "a level of each of {expected} factors for every cluster; {count} cluster(s) have others",
        "Join the levels by a tab in the order declared.",
    )
    LIST_FOR_REDRAW_MISSING = (
        "the list of batch {batch} as frozen, without which it cannot be redrawn",
        "Restore the batch's list from a backup.",
    )
    METHOD_CHANGED = (
        "one way of drawing throughout a trial",
        "Close this trial and seal another: draws of two kinds have no common randomisation test.",
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
    CERTIFICATE_NOT_JSON = ("a certificate as nudge writes it, in JSON", "Ask for the file certificate.json itself.")
    CERTIFICATE_OF_ANOTHER_KIND = ("the schema {schema}", "Check it with the version of nudge that wrote it.")
    CERTIFICATE_LACKS = ("every part of a certificate; one is missing or wrong: {key}", "Ask for the whole file again.")
    DESIGN_ALTERED = (
        "the design of epoch {epoch} as the algorithm allows it: lowest terms, multiples {multiples}",
        "Ask how the certificate was made: its design is not one that could be drawn.",
    )
    ALGORITHM_UNKNOWN = ("the algorithm {known}", "Check it with the version of nudge that wrote it.")
    SECRET_UNOPENED = ("the secret, which is opened after the close", "Run the check again after the close.")
    SECRET_UNREADABLE = ("a secret of 64 hexadecimal digits", "Ask the keeper for the secret file itself.")
    BEACON_UNKNOWN = (
        "the value of the beacon {beacon}",
        "Ask the keeper for the value typed in.",
    )
    COMMITMENT_BROKEN = (
        "the secret that seal {seal} committed to",
        "Compare this commitment with the witness's copy: this is not the secret, or not the seal, of that day.",
    )
    SEALS_OUT_OF_ORDER = ("seals numbered 1, 2, 3 and in the order of their times", "Ask for the missing seals.")
    BATCHES_OUT_OF_ORDER = (
        "batches numbered 1, 2, 3 without gaps, each frozen after the one before",
        "Ask for the missing batches: a batch left out may be one that was drawn and thrown away.",
    )
    DRAWN_BEFORE_FROZEN = (
        "batch {batch} drawn after its list was frozen and the first seal made",
        "Ask how the times came about: a list made after its draw can be steered.",
    )
    BEACON_TOO_EARLY = (
        "a beacon drawn between the first seal and the first draw; it is dated {beacon}",
        "A value known at the seal settles nothing: read the certificate as one without a beacon.",
    )
    LEDGER_BROKEN = ("batch {batch} to carry the hash of what came before", "Find which batch or seal was changed.")
    LIST_MISSING = ("the list of batch {batch}", "Ask the council for the re-drawing list of that batch.")
    LIST_CHANGED = (
        "the list of batch {batch} that was frozen",
        "Ask for the list as it was frozen.",
    )
    CLUSTERS_MISCOUNTED = (
        "{count} cluster(s) drawn in batch {batch}, as certified; the list gives {found}",
        "Ask for the list as frozen, and for every batch before it.",
    )
    DRAW_DIFFERS = (
        "the arms that the secret, the beacon and the list of batch {batch} give; {count} of {total} differ",
        "The arms recorded are not those drawn. Treat the trial as not randomised until it is explained.",
    )
    STRATA_MISCOUNTED = ("counts per stratum that agree with the arms drawn", "Ask for the certificate again.")
    RECORDS_DIFFER = (
        "the allocations on record to be those re-drawn; {count} of {total} are not",
        "Compare the database with its backups: rows were changed, added or lost after the draw.",
    )
