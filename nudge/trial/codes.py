"""What the steps of a trial refuse, and the way on from each."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class TrialCode(Code):
    """Refusals of the steps, from the seal to the close."""

    NO_SUCH_EXPERIMENT = ("an experiment file, or the id of one in experiments/", "Known here: {known}.")
    IS_RECORDED = (
        "an experiment to be run (this one is a recorded trial)",
        "Use `nudge analyse {path} DATA` for a trial that somebody else ran.",
    )
    NOT_SEALED = ("a sealed trial", "Run `nudge seal {trial}` first: nothing is drawn from an open definition.")
    ALREADY_SEALED = (
        "a trial that is not sealed yet, or whose definition changed before its first draw",
        "The seal stands: go on with `nudge enrol {trial} EXTRACT --suppress LIST --dated DAY`.",
    )
    CHANGED_SINCE_SEAL = (
        "{what} as it was sealed",
        'Put it back, or record the change with `nudge amend {trial} --because "…" --by INITIALS`.',
    )
    DRAWN_ALREADY = (
        "a trial of which nothing is drawn yet",
        'After the first draw a change is an amendment: `nudge amend {trial} --because "…" --by INITIALS`.',
    )
    NOTHING_CHANGED = ("a changed definition, template or claim", "There is nothing to amend.")
    LETTER_NOT_IN_LANGUAGE = (
        "the template {file}, since every letter of this trial is in {language}",
        "Have it translated and put it there, or take the language out of `languages:`.",
    )
    COUNCIL_NOT_IN_LANGUAGE = (
        "the council's line {key} in nudge.toml, which the {language} letters print",
        'Add {key} = "…" under [council].',
    )
    SOURCE_MISSING = (
        "the file {file} that the {part} names",
        "Put it at {file} in the workspace, or correct {key}.",
    )
    SECRET_MISSING = (
        "the sealed secret at {path}",
        "Ask {keeper}, who keeps it, to put it back. Without it no arm can be drawn or checked.",
    )
    SECRET_WRONG = ("the secret that was sealed", "Ask {keeper} for the file of this trial: this one is another's.")
    NO_BEACON = (
        "the public value of the beacon ({beacon})",
        'Type it in once it is published: `nudge seal {trial} --beacon "VALUE"`.',
    )
    BEACON_TOO_EARLY = (
        "a value published on or after {day}, as the seal names it",
        "Wait for it: a value known before the beacon's day proves nothing.",
    )
    BEACON_SET = ("no beacon value yet, or the same one", "It was recorded before and cannot change.")
    NO_BEACON_NAMED = ("no value, since this trial names no beacon", "Leave --beacon out: `beacon: none` is sealed.")
    CLOSED = ("a trial still open", "This trial is closed: start a new one, with an id of its own.")
    CLAIM_LAPSED = (
        "every claim to hold on the day of the draw ({claim}: {reason})",
        "Enrolment stops in all arms. Bring newer history and run `nudge amend`, or end the trial with `nudge close`.",
    )
    CLAIM_UNTRUE = (
        "a claim that its own data bear out ({claim}: {reason})",
        "Correct the wording or the source, or take the claim out of the letter.",
    )
    SUPPRESSION_OLD = (
        "a suppression list dated at most 7 days before the extract ({dated} is {days} days before)",
        "Export today's list and say its date with --dated.",
    )
    SUPPRESSION_FUTURE = ("a suppression list dated today or before", "Correct --dated.")
    SUPPRESSION_STALE = (
        "a suppression list not more than 7 days old",
        "Give today's: `--suppress LIST --dated DAY`.",
    )
    SUPPRESSION_NEEDED = (
        "the suppression list the batch was drawn with, unchanged, where it was",
        "Give today's: `--suppress LIST --dated DAY`.",
    )
    EXTRACT_FUTURE = ("an extract dated today or before", "Correct --as-of.")
    EXTRACT_OLD = (
        "an extract at most 7 days old, so that the letters speak of today's balances",
        "Export it again, or say its date with --as-of if that is what is wrong.",
    )
    EXTRACT_BACKWARDS = (
        "an extract not older than the one of batch {number} ({day})",
        "Give this week's file; an earlier one would enrol tenants on stale facts.",
    )
    ROWS_REJECTED = (
        "every row readable ({count} of {rows} are not; each is listed in {file})",
        "Correct them in the source and export again, or go on without them: --accept-good-rows.",
    )
    LETTERS_UNWRITABLE = (
        "a letter that can be written for every tenancy, in every arm ({count} cannot; listed in {file})",
        "Correct them in the source and export again, or go on without them: --accept-good-rows.",
    )
    NOBODY_NEW = (
        "at least one tenancy to enrol",
        "Nothing to do this week: every row is excluded, suppressed or enrolled already (see the counts).",
    )
    NO_SUCH_BATCH = ("a batch of {trial} (it has {known})", "Name one of those, as `{trial}/1`.")
    BATCH_NOT_LETTERED = ("a batch whose letters are made", "Run `nudge letters {trial}` first.")
    BATCH_POSTED = (
        "a batch that is not posted yet",
        'What was posted stays. If the date is wrong: `nudge dispatch {batch} --correct DAY --because "…"`.',
    )
    BATCH_CHANGED = (
        "a batch that nobody undid or posted while its letters were made",
        "Somebody did just now. `nudge status` says how the batch stands.",
    )
    BATCH_ABANDONED = (
        "a batch that still stands",
        "It was undone: its tenancies come back with the next `nudge enrol`.",
    )
    DATE_FUTURE = ("a posting date of today or before", "Confirm posting on the day it happens, or after.")
    DATE_BEFORE_LETTERS = ("a posting date not before the letters were made ({made})", "Correct --on.")
    DATE_DIFFERS = (
        "the posting date already recorded ({day})",
        'If that is wrong: `nudge dispatch {batch} --correct DAY --because "…"`.',
    )
    NOT_POSTED_YET = ("a batch that was posted", "Confirm it first: `nudge dispatch {batch} --on DAY …`.")
    BECAUSE_MISSING = ("a reason", 'Say why: --because "…".')
    UNKNOWN_LETTERS = (
        "letter or tenancy references of this batch ({count} of those given are not)",
        "Take them from manifest.csv of the batch.",
    )
    REPRINT_LATE = (
        "a reprint at most 3 days after posting",
        "The day is past: leave the letter unposted and record it with `nudge hold`.",
    )
    REPRINT_CHANGED = (
        "the letter's file as it was made",
        "The file in {file} was changed or removed. Run `nudge letters` again before posting, or hold the letter.",
    )
    REPRINT_WITHHELD = (
        "letters that may go ({count} of those named are withheld, held or on the suppression list)",
        "Leave them out: whoever is withheld gets no letter, and stays in the analysis.",
    )
    BECAUSE_NOT_A_CODE = (
        "a short reason without names, of at most four words (letters only)",
        "Such as --because crisis, safeguarding or promise: it is kept in the ledger, which is never erased.",
    )
    UNKNOWN_REFERENCE = ("a tenancy or letter reference of this trial", "Check it against the extract or the letter.")
    WAVE_UNKNOWN = ("one of the waves of this trial: {known}", "Correct --wave.")
    WAVE_NEEDS_EXTRACT = (
        "this week's extract for a later letter (its balances are printed)",
        "Add --extract FILE --suppress LIST --dated DAY.",
    )
    NOTHING_DUE = (
        "a later letter that is due (the next on {day})",
        "Run the same command on that day or after it; `nudge status` reminds you.",
    )
    RESULTS_CLOSED = (
        "results that may be opened: not before {day}",
        "Until then `nudge status` shows letters and contacts in all, never by arm.",
    )
    LOOK_NOT_DECLARED = (
        "a look that the sealed plan declares; it declares none",
        "Results open on {day}. A next trial may declare `looks:` under `analysis:`.",
    )
    LOOK_TOO_EARLY = (
        "{wanted} of {planned} planned units followed to the end for look {number}; {units} are",
        "Wait for more batches: `nudge status` says when a look is due.",
    )
    LOOK_PAST_PLANNED = (
        "fewer than the {planned} planned units at a look; {units} are followed to the end",
        "What was planned is in: the next look is the end. Enrol no more, and wait for the results to open.",
    )
    LOOKS_USED_UP = ("a declared look that is left; {count} were taken", "The next look is the end.")
    LOOK_AFTER_THE_END = ("results that are still closed", "They are open: `nudge uplift {trial}` without `--look`.")
    NOTHING_POSTED = ("at least one posted batch", "Confirm posting first: `nudge dispatch`.")
    COVERAGE_SHORT = (
        "{kind} on file for every day up to {day} (now to {now})",
        "Export {kind} up to that day and run `nudge responses {trial} FILE`.",
    )
    NOT_CLOSABLE = (
        "a trial whose results are open (from {day})",
        'To end it before: `nudge close {trial} --abandon --because "…"`.',
    )
    DATABASE_AHEAD = ("records that this version of nudge can read", "Install the newer version that wrote them.")
    LEDGER_BROKEN = (
        "an unbroken ledger (entry {number} does not follow from the one before it)",
        "Restore the records from a backup: somebody or something changed them.",
    )
    ERASE_OPEN = (
        "a closed trial",
        "Close it first (`nudge close {trial}`), or erase one tenancy: `nudge erase {trial} REFERENCE`.",
    )
    DRAWN_MEANWHILE = (
        "no other enrolment at the same moment",
        "Somebody else enrolled just now: run the same command again.",
    )
    NOT_A_DEMO = (
        "an empty folder, or one that an earlier demonstration made",
        "Name another folder: this one holds files.",
    )

    # The plan
    PLAN_HISTORY_MISSING = ("a file of last year's first letters", "Check the path after --history.")
    PLAN_NONE_ELIGIBLE = (
        "past letters that the trial would have taken (none of {count} is)",
        "Check `eligible` and `exclude_if`, or give a file of the letters that this trial is about.",
    )
    PLAN_NO_FIGURES = (
        "figures of {outcome} from before the trial",
        "Give last year's first letters with `--history FILE`, or add `baseline:` with its figure.",
    )
    PLAN_CHANGES_OVER = (
        "a design in which each unit keeps its arm: how much sites differ from themselves is not known before",
        "Run a few sites first, or take the spread of their own differences to a statistician; `nudge signs` refuses "
        "too few to find anything.",
    )
    PLAN_CANNOT_REACH = (
        "a draw that could find something ({clusters} to draw give no p-value below {p:.2g}; {alpha:.2g} is asked)",
        "Take in more of them: 8 in two equal arms are the fewest at 0.05.",
    )
