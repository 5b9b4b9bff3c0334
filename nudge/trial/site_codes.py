"""What the steps of a trial of signs refuse, and the way on from each."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class SignTrialCode(Code):
    """Refusals of `nudge signs`, and of the files of incidents, surveys and speeds."""

    OF_SIGNS = ("a trial of letters (this one is of signs)", "Use `nudge signs {trial}`.")
    CLAIM_OF_SIGNS = (
        "a trial of letters: past letters tell nothing of what people do at a place",
        "Claim what was watched there: under `claims:`, `population: observed` and the file of it as `source:`.",
    )
    OF_LETTERS = ("a trial of signs (this one is of letters)", "Use `nudge enrol {trial} EXTRACT …`.")
    ROWS_AT_FAULT = (
        "every site ready to be drawn ({count} of {rows} rows are not)",
        "Settle them first, or go on without those sites: --accept-good-rows.",
    )
    DRAWN_ONCE = (
        "the sites file that was drawn (batch {number}); sites are listed and drawn together, once",
        "Before anything is up, `nudge undo {trial}/{number}` takes the list back; its sites keep their arms.",
    )
    TERMS_OF_DRAWN_SITES = (
        "the arms, strata and method that the sites were drawn by: they are drawn once",
        "Put them back, or close this trial and seal another.",
    )
    PAIR_NOT_TWO = (
        "two sites in each pair that may be drawn",
        "Give it a partner that is alike, or leave both out.",
    )
    SITES_ODD = ("an even number of sites to pair ({sites} may be drawn)", "Add one, or leave one out.")
    NO_SITES = ("at least one site that may be drawn", "Add sites, or look at what `eligible` and `exclude_if` say.")
    CANNOT_REACH = (
        "a draw that could find something ({sites} sites drawn so may give no p-value below {p:.2g}; "
        "{alpha:.2g} is asked)",
        "List more sites{strata}.",
    )
    STARTS_NEEDED = (
        "the day the first signs go up: sites that change over keep to a schedule",
        "Add --starts DAY.",
    )
    STARTS_PAST = ("a first day of today or later", "Correct --starts.")
    PUT_UP_ALREADY = (
        "a batch of which no sign is up yet",
        "A sign that is spoilt may be printed again from its own file, in the batch's `signs` folder.",
    )
    NOT_DRAWN = ("sites that are drawn", "Give the sites file first: `nudge signs {trial} SITES`.")
    LOG_REFERENCE = ("the reference of a sign of this trial", "Copy it from the sign, or from install-log.csv.")
    LOG_TWICE = ("each sign once (it stands in row {first} already)", "Remove one of the two rows.")
    LOG_SITE = (
        "the site that this sign was drawn for ({site})",
        "Correct the row. If the sign does stand elsewhere, take it to its own site.",
    )
    LOG_HELD = (
        "no sign at a site on hold ({why})",
        "Leave the day blank. If the sign was put up before the hold, add --because TEXT.",
    )
    LOG_FUTURE = ("a day of today or before", "Record what was put up, on the day or after it.")
    LOG_BEFORE_SIGNS = ("a day not before the signs were made ({made})", "Correct the day.")
    LOG_BEFORE_DAY_0 = (
        "a day not before day 0 ({day}), which an earlier log has fixed",
        "Correct the day here; if the earlier one is wrong, add --because TEXT, and the report prints it.",
    )
    LOG_DIFFERS = (
        "the day that is on record for this sign ({day})",
        "Correct the day here; if the one on record is wrong, add --because TEXT, and the report prints it.",
    )
    LOG_DOWN_FIRST = ("a sign taken down on or after the day it was put up", "Correct one of the two days.")
    LOG_DOWN_ALONE = ("the day a sign was put up, where it was taken down", "Fill it in.")
    NOTHING_PUT_UP = ("at least one sign that was put up", "Fill in the day beside each sign that is up.")
    NOT_UP = ("at least one sign put up", "Record the installers' log first: `nudge signs {trial} --installed LOG`.")
    UNKNOWN_SITE = ("a site or a sign's reference of this trial", "Copy it from the sites file, or from the sign.")
    KIND_OF_SIGNS = ("one of the kinds of file {valid}", "Name it with --kind.")
    COVERS_TURNED = ("a first day covered that is not after the last", "Turn the two days after --covers round.")
    COVERS_OTHER_DAYS = (
        "every row inside the days covered ({count} are not; the first is row {row})",
        "Correct --covers, or export the days that were asked for.",
    )
    COUNTED_TWICE = (
        "each site and day counted in one file ({other} has {count} that stand here too, the first of {site} on {day})",
        "Leave those days out. If they were counted apart (another direction, another source), add --as-well.",
    )
    SPEEDS_MIXED = (
        "the speeds of a site one by one, or in bands",
        "Withdraw one of the two files and export it in the form of the other.",
    )
    BAND_OPEN = (
        "an upper edge on the band that {outcome} may lie in ({share} of vehicles are in the one from {edge} mph up)",
        "Ask the supplier for bands that go further up, and hand that file in instead.",
    )
    BANDS_OVERLAP = (
        "the same bands on every day of a site",
        "Withdraw the file whose bands are other ones, and export it again in the bands of the rest.",
    )
    WINDOW_UNCOVERED = (
        "{kind} on file for every day from {first} to {last} (now {now})",
        "Export {kind} for those days and run `nudge responses {trial} FILE --kind {kind}`.",
    )
