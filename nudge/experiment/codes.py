"""Every sentence in which an experiment file is refused; no check words one of its own."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class ExperimentCode(Code):
    """Refusals of an experiment file: what was expected there, and one fix."""

    # The file
    FILE_MISSING = ("an experiment file", "Check the path: there is no such file.")
    FILE_NOT_A_FILE = ("an experiment file, not a folder", "Give the path of the YAML file itself.")
    FILE_TOO_LARGE = ("a file of at most 256 KiB", "Leave tables and letters in their own files and name them here.")
    FILE_EMPTY = ("an experiment", "Begin with `id:`, or copy one from experiments/ and change it.")
    FILE_NOT_UTF8 = ("text in UTF-8", "Save the file again with encoding UTF-8.")
    CHARACTER_NOT_ALLOWED = ("text that prints (character {character} does not)", "Delete that character.")
    ESCAPE_UNKNOWN = ("text whose \\ escapes are characters", "Write the character itself, or use single quotes.")
    TAB_IN_INDENT = ("spaces (YAML reads no tab here)", "Replace the tab with spaces.")
    QUOTE_OPEN = ("the quote that opens here to close on its line (it closes at line {line})", "Close the quote.")
    BRACKET_OPEN = ("the bracket that opens here to close (`{mark}`)", "Close it, with commas between its parts.")
    YAML_UNREADABLE = ("YAML ({detail})", "{fix}")
    SECOND_DOCUMENT = ("one experiment in a file", "Move what follows `---` to a file of its own.")
    NOT_A_MAPPING = ("keys and values", "Write the file as `key: value` lines; begin with `id:`.")
    TOO_DEEP = ("at most 32 levels", "Remove some of the brackets or indentation.")
    ALIAS_USED = ("values written out (`&` and `*` are not read)", "Write the value out here.")
    TAG_USED = ("a plain value (`!` tags are not read)", "Remove the tag; put text in quotes.")
    MERGE_USED = ("keys written out (`<<` is not read)", "Write the keys out here.")
    KEY_NOT_A_WORD = ("a word as the key", "Write `key: value`.")
    KEY_TWICE = ("`{key}` once (it is already at line {line})", "Remove one of the two.")
    YES_NO_UNQUOTED = (
        "true, false or text in quotes",
        'Write {boolean} if you mean a yes or no, "{word}" for the word.',
    )

    # Keys
    KEY_UNKNOWN = ("one of the keys {valid}", "{fix}")
    KEY_OF_RECORDED = ("a key of a live experiment", "`{key}` belongs to a recorded plan: remove it, or set {switch}.")
    KEY_OF_LIVE = ("a key of a recorded plan", "`{key}` belongs to a live experiment: remove it, or set {switch}.")
    KEY_MISSING = ("`{key}`{where}", "Add `{key}: …`.")
    KEY_BLANK = ("a value for `{key}`", "Fill it in, or remove it.")
    VALUE_MISFITS = ("another kind of value", "See the examples in experiments/.")
    SEED_GIVEN = (
        "no `{key}`: the seed is made when the trial is sealed, so that nobody can choose it",
        "Remove the line.",
    )

    # The design
    DESIGN_OF_SITES = (
        "a design of letters: stepped wedges and crossovers are for sites",
        "For signs write `unit: site` and a `sites:` block; for letters use `method: blocked`.",
    )
    DESIGN_KEY_MISFITS = ("no `{key}` where the method is {method}", "Remove `{key}`, or set the method it is for.")
    DESIGN_KEY_NEEDED = ("`{key}` beside the method {method}", "Add `{example}`.")
    DESIGN_PAIR_TWICE = ("`pair` or `covariates`, not both", "Keep the one by which the clusters are paired.")
    DESIGN_TWO_ARMS = (
        "two arms at 1:1 for the method {method}",
        "Compare two arms at [1, 1], or set `method: blocked`.",
    )
    DESIGN_SHARE = ("a share from {least} to {most}", "Write `{example}`.")

    # Signs
    SITE_KEY = ("a trial of signs", "Remove `{key}`: {why}.")
    SIGN_OF_SITES = ("a trial of letters", "Remove `sign`, or write `unit: site` and a `sites:` block.")
    SITE_ENROL = ("`enrol: once`: sites are listed and drawn together", "Add `enrol: once` to `design`.")
    SITE_ARMS = ("two arms where the method is {method}", "Compare two arms at a time.")
    SITE_PERIODS = ("`periods: {wanted}` where the method is {method}", "{fix}")
    SITE_PERIOD_KEY = ("a design whose sites change over", "Remove `{key}`, or set `method: crossover`.")
    SITE_BASELINE = (
        "no `baseline_days` where the method is {method}",
        "Remove it: each site is compared with itself, and its first period is counted like the others.",
    )
    SITE_WASHOUT = ("a washout shorter than a period", "Lengthen `days`, or shorten `washout_days`.")
    SITE_TYPE = (
        "a rate, a percentile, a mean or a proportion",
        "Signs are judged by counts (rate) and speeds; nobody is followed to an event.",
    )
    SITE_SOURCE = ("`source: {valid}` for a {type}", "Name the kind of file that the figures are read from.")
    SITE_LIMIT = ("`limit`: the speed above which a vehicle counts", "Add `limit: 30`.")

    # Single values
    TEXT_WANTED = ("text", "Put the value in quotes.")
    QUOTES_WANTED = ("text", 'Put it in quotes: "{word}".')
    TRUE_OR_FALSE_WANTED = ("true or false", "Write true or false, without quotes.")
    WHOLE_WANTED = ("a whole number", "Write digits only, such as 56.")
    WHOLE_ABOVE_ZERO_WANTED = ("a whole number above 0", "Write digits only, such as 56.")
    NUMBER_WANTED = ("a number", "Write it as 56 or 2.5: no quotes, £, commas or leading 0.")
    ABOVE_ZERO_WANTED = ("a number above 0", "Write digits only, such as 3 or 2.5.")
    NOT_NEGATIVE_WANTED = ("0 or a number above it", "Write digits only, such as 0.92.")
    NUMBER_TOO_LARGE = ("a smaller number", "Check the digits.")
    CONFIDENCE_OUT_OF_RANGE = ("a confidence above 0.5 and below 1", "Write 0.95 for 95 per cent.")
    LOOKS_NOT_RISING = (
        "at most {most} shares of the planned units, rising, between 0 and 1",
        "Write `at: [0.5, 0.75]`; the end is a look of its own.",
    )
    LOOKS_WITHOUT_AT = ("`at`: at which shares of the planned units", "Add `at: [0.5]`.")
    LIST_WANTED = ("a list", "Write it in square brackets: [a, b].")
    KEYS_WANTED = ("`key: value` pairs", "Write them indented below, or in braces: {{key: value}}.")
    PAIR_WANTED = ("two numbers", "Write them as [-3, 10].")
    TOO_FEW = ("at least {least} in `{key}`", "Add what is missing.")
    NAME_UNKNOWN = ("one of {valid}", "{fix}")
    DATE_WANTED = ("a date as 2026-03-31", "Write year, month and day with hyphens.")
    DATE_NOT_ISO = ("a date as 2026-03-31", "Write {iso}.")
    DATE_NOT_IN_CALENDAR = ("a date that exists", "Check the day and the month; write year-month-day.")
    DATE_READS_TWO_WAYS = (
        "a date that reads one way, as 2026-03-31",
        "Write {day_first} for {day_first_words} ({month_first} would be {month_first_words}).",
    )
    DETAIL_WANTED = (
        "text, a date as 2026-03-31, or a whole number",
        'Put money and other figures in quotes, as they are to be printed: "£12.50".',
    )
    OVERRIDE_ILL_FORMED = (
        "initials, a date and a reason for what is let through",
        'Write it as "AB 2026-11-20: because …".',
    )
    PERIOD_UNREADABLE = ("months as 2025-04..2026-03", "Write first and last month, two dots between; both count.")
    PERIOD_BACKWARDS = ("the earlier month first", "Write {turned}.")
    ID_ILL_FORMED = ("1 to 64 of a–z, 0–9 and hyphen", "{fix}")
    NAME_ILL_FORMED = ("a name of letters, digits, _ and -", "{fix}")
    COLUMN_ILL_FORMED = ("a name of letters, digits and _, a letter first", "{fix}")
    NAME_RESERVED = ("a name that is not a word of the conditions", "Call `{name}` something else.")
    RANGE_ILL_FORMED = ("the least and the most that it can be, as [0, 500]", "Write the smaller number first.")
    PRIOR_ILL_FORMED = (
        "redesign, norm, reminder, eyes, or a mean and a spread above 0 as [0.10, 0.20]",
        "Write `prior: redesign` for a redrawn letter, `prior: norm` for a line with a norm.",
    )
    LETTER_ILL_FORMED = ("a template such as letters/arrears-current.html", "Give its path inside templates/.")

    # What needs two keys to tell
    CONTROL_NONE = ("one arm with `control: true`", "Add it to the arm that gets today's letter.")
    CONTROL_TWICE = ("one arm with `control: true` (`{first}` already has it)", "Remove it here.")
    PRIOR_OF_CONTROL = ("`prior` on an arm that is compared with the control", "Move it to that arm.")
    COST_OF_SOME_ARMS = ("`cost` on every arm (`{arm}` has none)", "Add `cost: 0` where the arm cost nothing.")
    COST_TWICE = ("`cost` on the arms, or `spent` under `data`, not both", "Keep `spent`, and remove `cost`.")
    FACTORS_WITHOUT_FACTORIAL = (
        "`factorial` under `design` beside `factors`",
        "Add `factorial: main_effects` where the factors decide, `factorial: cells` where each letter does.",
    )
    FACTORIAL_WITHOUT_FACTORS = (
        "`factors` on every arm that is no hold-out, the same names in each",
        "Add them, such as `factors: {{redraft: new, norm: none}}`.",
    )
    FACTOR_OF_ONE_LEVEL = ("at least two levels of `{factor}`", "Give it another level in some arm, or remove it.")
    FACTOR_CELL_MISSING = ("every combination of the levels in an arm (none has {cell})", "Add an arm with {cell}.")
    FACTOR_CELL_TWICE = ("one arm for each combination (`{first}` already has {cell})", "Change the levels here.")
    FACTORIAL_PAIRS = ("a factorial trial that is not paired", "Remove `pair` or `factorial`: a pair holds two arms.")
    CONTRAST_METHOD = (
        "`method: blocked` beside `{key}`: what is redrawn of another method does not keep to it",
        "Set `method: blocked`, or remove `{key}`.",
    )
    HOLD_OUT_OF_CONTROL = ("`hold_out` on an arm that is not the control", "Move it to an arm of its own.")
    HOLD_OUT_TWICE = ("one arm with `hold_out: true` (`{first}` already has it)", "Remove it here.")
    HOLD_OUT_ALONE = ("two arms to compare beside the hold-out", "Add an arm, or make the hold-out the control.")
    SEQUENCE_KEY = (
        "a plan of sites that had one arm after the other (`drawn: {drawn}`)",
        "Remove `{key}`: {why}.",
    )
    SEQUENCE_OUTCOME = (
        "a proportion, mean, percentile or rate in each period",
        "Give what happened in each period: time from a start runs on into the next arm.",
    )
    SEQUENCE_ARMS = ("two arms with `drawn: {drawn}`", "Analyse two arms at a time.")
    COMPARE_RANDOMISED = (
        "`compare` only where nobody drew the arms by chance",
        "Remove `compare`, or set `randomised: no`.",
    )
    COMPARE_KEY = ("no `{key}` beside `compare: {compare}`", "Remove `{key}`: {why}.")
    COMPARE_ARMS = ("two arms beside `compare: interrupted_series`", "Keep the letter before and the letter after.")
    COMPARE_NOT_A_MEAN = (
        "an outcome of `type: mean` beside `compare: {compare}`",
        "Set `type: mean`: a share of each period, or a 0 and 1 of each unit, is a mean too. Counts of a series may be"
        " `type: rate`.",
    )
    COMPARE_NO_BASELINE = (
        "`baseline`: the value before, whose difference is taken",
        "Add `baseline:` with the column of the value before.",
    )
    SUBGROUP_FINE = (
        "a subgroup with few values (`{column}` is {kind})",
        "Cut it into bands under `bands`, and use the band.",
    )
    SUBGROUP_PAIRS = (
        "no `subgroups` where units are paired: a pair is one comparison, and may lie in two of them",
        "Remove them, or name the pairs under `strata`.",
    )
    DETAILS_TOO_MANY = (
        "at most {most} details",
        "Remove some: what differs from person to person is a column of the extract.",
    )
    LANGUAGES_TWICE = ("each language once", "Remove the second `{language}`.")
    LANGUAGES_WITHOUT_ENGLISH = (
        "`en` among the languages: the claims and the council's lines are worded in it first",
        "Add it: `languages: [cy, en]` is Welsh with English.",
    )
    CLAIM_WITHOUT_LANGUAGE = (
        "the claim in {language} too, since every letter of this trial is in that language",
        "Add `says_{code}:` with the same {{share}} and {{period_end}}.",
    )
    ID_TWICE = ("an id of its own (`{id}` is already at line {line})", "Change one of the two.")
    PRIMARY_NONE = ("one outcome with `primary: true`", "Add it to the outcome that decides.")
    PRIMARY_TWICE = ("one primary outcome (`{first}` is already)", "{fix}")
    HORIZON_MISSING = ("`horizon`: the last day that counts", "Add `horizon: 56`.")
    WITHIN_MISSING = ("`within`: by which day it counts", "Add `within: 14`.")
    WHOLE_DAYS_WANTED = ("whole days", "Round `{key}` to a whole number.")
    EVENT_MISSING = ("`event`: what is counted", "Add `event: contact`, or another event of this file.")
    COLUMN_MISSING = ("`column`: where the value stands", "Add `column:` with one of {valid}.")
    COLUMN_OF_DATA_MISSING = ("`column`: where the value stands", "Add `column:` with a heading of the data.")
    SIZE_OF_PRIMARY_MISSING = (
        "a size for the primary outcome `{outcome}`",
        "Add `{outcome}: 3`, or the size you need.",
    )
    SIZE_NOT_A_FRACTION = ("a fraction below 1", "Write 0.03 for 3 in 100.")
    SIZE_BEYOND_HORIZON = ("less than the horizon ({horizon} {unit}s)", "Write the smallest gain worth the change.")
    BETTER_MISSING = ("`better: lower` or `better: higher` on the primary outcome", "Add the one you hope for.")
    TYPE_OF_RECORDED = (
        "time_to_event, proportion, mean or rate",
        "`type: {type}` is for recorded plans: analyse the council's file with `nudge analyse`.",
    )
    OVER_MISSING = ("`over`: the column that the sum is divided by", "Add `over:`, such as the rent due.")
    PERCENTILE_MISSING = ("`percentile`: which one", "Add `percentile: 85`.")
    PERCENTILE_OUT_OF_RANGE = ("a percentile above 0 and below 100", "Write `percentile: 85`.")
    KEY_MISFITS_TYPE = ("a key that fits `type: {type}`", "Remove `{key}`.")
    KEY_ALONE = ("`{other}` beside `{key}`", "{fix}")
    AT_NEEDS_WINDOW = ("`window` beside `at`: which days may stand in for it", "Add `window: [-3, 10]`.")
    WINDOW_ILL_FORMED = ("days before and after, as [-3, 10]", "Write 0 or less first, 0 or more second.")
    WINDOW_BEFORE_DAY_0 = ("a window that opens after day 0", "Raise the first number to {first} or more.")
    ABSENT_UNDECLARED = (
        "what absence from the extract means",
        "Add `source: rent_accounts` (absent = missing), or `absent: 0` (cleared tenancies vanish from it).",
    )
    SOURCE_AND_ABSENT = ("`source` or `absent`, not both", "Remove `absent`: not in the rent accounts is missing.")
    COLUMN_UNKNOWN = ("a column declared under `columns` (one of {valid})", "{fix}")
    COLUMN_OR_BAND_UNKNOWN = ("a column or band of this file (one of {valid})", "{fix}")
    EVENT_UNKNOWN = ("an event of this file (one of {valid})", "{fix}")
    OUTCOME_UNKNOWN = ("an outcome of this file (one of {valid})", "{fix}")
    KIND_MISFITS = ("a column of {wanted} (`{column}` is {kind})", "Name another column, or change its kind.")
    BAND_NAME_TAKEN = ("a name that no column has", "Call the band something else, such as {name}_band.")
    EDGES_NOT_ASCENDING = ("edges in ascending order, each once", "Write {sorted}.")
    EDGE_BELOW_A_PENNY = ("pounds with at most two decimals", "Round it to the penny.")
    RATIO_LENGTH = ("one number for each of the {arms} arms", "Write {example}.")
    STRATUM_TWICE = ("each stratum once", "Remove the second `{name}`.")
    CLAIM_NO_SHARE = ("{{share}} in `says`, where the figure is printed", "Put {{share}} where the figure belongs.")
    CLAIM_PLACEHOLDER = ("only {{share}} and {{period_end}} in braces", "Remove the other braces.")
    CLAIM_OTHER_GROUP = (
        "words that say whom the figure counts, not `{words}`",
        "Write `of the tenants we wrote to about arrears in the year to {{period_end}}`.",
    )
    CLAIM_WITHIN_MISSING = (
        "`within`: the days from the letter in which the event counts",
        "Add `within: 56`; or, for people who were watched, `population: observed`.",
    )
    CLAIM_WITHIN_OBSERVED = (
        "no `within` where people were watched: there is no letter to count days from",
        "Remove `within`.",
    )
    CLAIM_POPULATION = ("whom the share is of (one of {valid})", "{fix}")
    CLAIM_OF_ITSELF = (
        "another event under `population` than under `numerator`: all with `{event}` have `{event}`",
        "Use `population: eligible`, or the event that comes before it.",
    )
    CLAIM_CONDITION_UNSAID = (
        "words that say whom it counts: those with `{event}`, not everybody written to",
        "Write `{{share}} of the tenants who got in touch with us about arrears …`.",
    )
    CLAIM_OF_SITES = (
        "`population: observed` on a claim for signs: nobody who passes was written to",
        "Count people where they pass, give the file under `source`, and set `population: observed`.",
    )
    BASELINE_FIGURE = ("`{wanted}`: the figure before the trial, for this outcome", "Add `{wanted}: …`.")
    BASELINE_COMPANION = ("`{wanted}` beside `{key}` in `baseline`", "Add `{wanted}: …`.")
    BASELINE_FIGURE_OTHER = ("`{wanted}`, which suits `type: {type}`", "Replace `{key}` by `{wanted}`.")
    BASELINE_TOO_LARGE = ("at most {most}", "Check `{key}` against {against}.")
    MULTIPLICITY_MISSING = ("`multiplicity` (there are {count} primary outcomes)", "Add `multiplicity: holm`.")
    RECORDED_FORM = ("how the value is read", "Add {forms}.")
    RECORDED_FORM_TWICE = ("one way of reading the value", "Keep {first}, or {second}; not both.")
    RECORDED_ONE_EVENT = ("one column of dates", "Name one column.")
    DATA_KEY_MISSING = ("`{key}` under `data` (another key needs it)", "Add `{key}:` with a heading of the data.")
    BASELINE_EXPOSURE_MISSING = (
        "`baseline_exposure` beside `baseline` and `exposure`",
        "Add `baseline_exposure:` with the column of the earlier exposure.",
    )

    # Conditions
    CONDITION_CHARACTER = ("a condition (character {character} has no meaning here)", "{fix}")
    CONDITION_QUOTE_OPEN = ("a closing quote", "Close the text with the quote that opened it.")
    CONDITION_WORD_WANTED = ("{wanted}", "{fix}")
    CONDITION_SINGLE_EQUALS = ("`==` to compare", "Write == for equal, != for not equal.")
    CONDITION_TOO_DEEP = ("at most 32 brackets in one another", "Remove some of the brackets.")
    CONDITION_TOO_LONG = ("at most 2,000 characters", "Shorten the condition, or ask the extract for a flag.")
    CONDITION_NAME_UNKNOWN = ("a column of this file (one of {valid})", "{fix}")
    CONDITION_NOT_TRUE_OR_FALSE = ("something true or false (`{name}` is {kind})", "Compare it: {example}.")
    CONDITION_NO_COLUMN = ("a column on one side of the comparison", "Compare a column with a value.")
    CONDITION_KINDS_DIFFER = ("{wanted} beside `{name}`", "Write it as {example}.")
    CONDITION_BLANK_TEXT = ("text that is not blank (a blank cell is missing, and equals nothing)", "Leave it out.")
    CONDITION_NO_ORDER = ("== or != ({kind} has no order)", "Use == , != , in or not in.")
    CONDITION_LIST_WANTED = ("a list after `in`", 'Write it in square brackets: ["rent", "arrears"].')
    CONDITION_LIST_UNWANTED = ("one value (a list goes with `in`)", "Write `in` instead of {operator}.")

    # What only the seal needs
    SEAL_SIGN_OFF = ("initials and date of {who}", 'Write them as "JP 2026-11-20".')
    SEAL_GOVERNANCE = ("`{key}` under `governance`", "{fix}")
    SEAL_BASELINE = (
        "`baseline`: what happened before the trial",
        "Run `nudge power` on your history and copy the block.",
    )
    SEAL_SIGN = ("`sign` in at least one arm", "Name the templates of the signs, such as `signs/speed-eyes.html`.")
    SEAL_LETTER = ("`letter` in at least one arm", "Name the templates that the arms are sent.")

    # Notes: said, never refused
    NOTE_WITHIN_SPANS_WAVE = (
        "`within` no later than letter `{wave}` (day {after})",
        "The outcome then answers for both letters; it is flagged in the report.",
    )
    NOTE_STRATUM_FINE = (
        "a stratum with few values (`{column}` is {kind})",
        "Cut it into bands under `bands`, and use the band.",
    )
    NOTE_BASELINE_HORIZON = (
        "the same horizon in `baseline` as in `{outcome}` ({horizon})",
        "Work the baseline out again to that day, or power will be off.",
    )
