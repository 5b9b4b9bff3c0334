"""What the documents room refuses, in words. Facts are template names and counts; never a tenant's cell (I12)."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class TemplateCode(Code):
    """What is wrong with a template, whoever the letter is for."""

    TEMPLATE_ABSENT = ("a template named {template}", "Put the file there, or correct `letter:` in the experiment.")
    TEMPLATE_UNREADABLE = ("a template that reads as Jinja: {reason}", "Correct that line.")
    TEMPLATE_NOT_UTF8 = ("text in UTF-8", "Save the file as UTF-8.")
    TEMPLATE_TOO_LARGE = ("a template under {limit} kB", "Take out what the letter does not need.")
    NAME_UNDEFINED = ("only names the letter has ({reason})", "Correct the name, or give it under {under}.")
    DETAIL_MISSING = (
        "`details.{name}`, which {template} prints",
        "Add `{name}:` under `details:` in the experiment, or correct the name in the template.",
    )
    DETAIL_MISFITS = (
        "a {kind} in `details.{name}`, as {template} prints it",
        "Write `{example}`, or change the filter in the template.",
    )
    DETAIL_PAST = (
        "a day to come in `details.{name}`, which {template} prints, and it was {when}",
        "Amend the experiment with the new day; a day gone by is written in words: `since: since April 2024`.",
    )
    VALUE_BLANK = (
        "a value for {name}, and it is missing or blank",
        "Fill it in the extract or nudge.toml; a letter is never sent with a gap.",
    )
    VALUE_BARE = (
        "{kind} written with a filter",
        "Write `{{{{ {name} | {filter} }}}}`.",
    )
    FILTER_BANNED = (
        "only the filters {valid}",
        "Take out `{name}`: a letter with a gap is refused, never patched.",
    )
    CONSTRUCT_BANNED = ("a template without {name}", "Take it out of the template.")
    OPERATION_REFUSED = (
        "an expression that the sandbox allows, and loops that it can bear",
        "Write that line more simply, without {name}.",
    )
    MARK_UNDER_CONDITION = (
        "{mark} outside any `if` or `for`",
        "Take the condition away: an arm whose wording comes and goes is not one arm.",
    )
    CLAIM_UNKNOWN = ("data-claim to name a claim of the experiment", "Correct {claim}, or add it under `claims:`.")
    CLAIM_UNMARKED = (
        "claims.{claim} inside an element with data-claim",
        'Write `<p data-claim="{claim}">{{{{ claims.{claim} }}}}.</p>`.',
    )
    BLOCK_REQUIRED = (
        "the block data-required={block}, which {because}",
        "Put the block into this template: what a tenant must be told is told in every arm.",
    )
    FIELD_NAME_TAKEN = ("a column name other than {name}", "Rename the column: templates use that name already.")
    OUTSIDE_FOLDER = (
        "only files inside the templates folder",
        "Copy what the letter needs into templates/ and name it from there; letters never read the network.",
    )
    FILE_ABSENT = (
        "every style sheet and image that the template names",
        "Put the file beside the template, or correct its name there.",
    )
    WORDS_IN_STYLE = (
        "no words that a style sheet prints (`{words}` in {sheet})",
        "Write them in the template, where every check reads them.",
    )
    STYLE_NOT_UNDERSTOOD = ("a style sheet that the page maker understands", "Correct {sheet}: {reason}.")
    CLAIM_IN_ONE_FORM = (
        "the claim {claim} in every format and language of {letter}, or in none",
        "Print it in this template too, or take it out: another form is the same letter.",
    )
    HALF_NOT_WHOLE = (
        "a template of its own for each language, from <html> to </body>",
        "Write the template as a whole letter: each half can be read alone.",
    )
    COUNCIL_LINE_MISSING = (
        "the council's line {key} in nudge.toml",
        'Add {key} = "…" under [council]: a letter never falls back to English.',
    )
    IMAGE_WITHOUT_WORDS = ("an `alt` on every image", "Say in `alt` what the image tells the reader.")


@unique
class LetterCode(Code):
    """What is wrong with one letter, or with the paper it goes on."""

    PROFILE_UNKNOWN = ("a stationery profile: {valid}", "Correct `profile` in nudge.toml.")
    REFERENCE_UNREADABLE = ("a letter reference such as {example}", "Read it again from the letter.")
    REFERENCE_TWICE = ("every letter reference once in a batch", "Two letters have the same reference: report this.")
    CHARACTER_MISSING = (
        "only characters that the letter's font has, and {count} differ ({block})",
        "Write the name or address in Latin letters in the housing system.",
    )
    CHARACTER_HIDDEN = (
        "no control or invisible characters",
        "Type the name and address again in the housing system.",
    )
    PLACEHOLDER_LEFT = (
        "no placeholder left in the finished letter",
        "Look for {{{{, ((, « or << in the template, the name and the address.",
    )
    ADDRESS_TOO_SHORT = ("an address of 3 lines or more, the name counted", "Complete the address.")
    ADDRESS_TOO_LONG = ("an address of at most {most} lines, the name counted", "Shorten the address.")
    ADDRESS_NO_POSTCODE = ("a UK postcode as the last line of the address", "Complete the address.")
    ADDRESS_LINE_STARTS_BADLY = (
        "every line of the address to start with a letter or a figure",
        "Take the sign away in the housing system.",
    )
    ADDRESS_HOLDS_CODE = (
        "a name and address without the signs < > {{ }} [ ] |",
        "Clean the name and address in the housing system: they look like parts of a template.",
    )
    ADDRESS_NOT_FIXED = ("a postal address, not `no fixed abode`", "Reach this tenant another way.")
    ADDRESS_OUTSIDE_WINDOW = (
        "the whole address inside the envelope window (zone {zone})",
        "Shorten the longest line, or use a stationery profile with a wider window.",
    )
    ADDRESS_NOT_ALONE = (
        "nothing but the name and address in the envelope window",
        "Move what stands between {top:.0f} and {foot:.0f} mm from the top of page 1.",
    )
    ADDRESS_DIFFERS = (
        "the name and address in the window exactly as in the extract",
        'Print every line of `recipient.address` inside `data-zone="address"`, unchanged.',
    )
    MARGIN_BREACHED = ("all print inside the printable border, and page {page} goes beyond", "Make the text narrower.")
    PANEL_TOO_LONG = (
        "the council's name and contact details in their places above the text of page 1 ({zone})",
        "Shorten the lines of [council] in nudge.toml.",
    )
    PRINTED_OVER = (
        "nothing printed over anything else, and on page {page} it is, {down:.0f} mm down",
        "Shorten the address or the sender's panel, or give them more room in the profile.",
    )
    KEEP_OUT_BREACHED = (
        "nothing where the printer's own marks go on page 1",
        "Move what stands at {x:.0f}, {y:.0f} mm.",
    )
    TOO_MANY_PAGES = ("at most {most} page(s), and there are {pages}", "Shorten the letter.")
    TOO_MANY_SHEETS = (
        "at most {most} sheet(s) in an envelope, and the letter takes {sheets}",
        "Shorten the letter; or print on both sides, or raise most_sheets, in [print] of nudge.toml.",
    )
    MARKS_TOUCHED = (
        "nothing where the pack prints its marks, and on page {page} there is",
        "Keep the text inside the stationery's zone for it; the foot of the sheet below it is the pack's.",
    )
    FIRST_PAGE_WORDS = (
        "the words “{words}” in no letter: the print house splits the file by them",
        "Word the letter otherwise.",
    )
    PACK_NOT_SPLIT = (
        "the words for the print house on the first page of each letter and on no other; page {page} is not so",
        "This is a mistake in nudge: tell us, and send no file that cannot be split.",
    )
    TYPE_TOO_SMALL = (
        "type of {least} pt or more, and page {page} has {found:.1f} pt",
        "Make the type larger in the style sheet.",
    )
    TEXT_TOO_SMALL = (
        "text of {least:g} pt or more, and most of it is {found:.1f} pt",
        "Make the body of the letter larger in the style sheet.",
    )
    NAME_ABSENT = ("the recipient's name in the letter's window and greeting", "Greet with `recipient.salutation`.")
    REFERENCE_NOT_ONCE = (
        "this letter's own reference once in the text, and it stands {count} times",
        "Print `letter.reference` exactly once.",
    )
    REFERENCE_OF_ANOTHER = ("no other letter's reference", "Report this, and send nothing of this batch.")
    CLAIM_DIFFERS = (
        "the claim {claim} word for word as it was sealed",
        "Print `claims.{claim}` whole, unchanged and visible.",
    )
    ASK_GONE_BY = (
        "an ask by a day after the letter's own, and the block {block} names one that is past",
        "Leave the row out of the extract, send the letter sooner, or correct the day in the template.",
    )
    BLOCK_NOT_PRINTED = ("the block {block} printed, with words in it", "Do not hide or empty a required block.")
    HALVES_DIFFER_IN_AMOUNTS = (
        "the same sums of money in every language of a letter, and the {language} has others",
        "Compare the {language} template and its claims with the English.",
    )
    HALVES_DIFFER_IN_DATES = (
        "the same dates in every language of a letter, and the {language} has others",
        "Compare the {language} template and its claims with the English.",
    )
    HALVES_DIFFER_IN_TELEPHONES = (
        "the same telephone numbers in every language of a letter, and the {language} has others",
        "Compare the {language} template, and its lines in nudge.toml, with the English.",
    )
    HALVES_DIFFER_IN_NUMBERS = (
        "the same references and numbers in every language of a letter, and the {language} has others",
        "Compare the {language} template, and its lines in nudge.toml, with the English.",
    )
    BLOCK_NOT_IN_LANGUAGE = (
        "the block {block} printed in {language} too",
        "Put the block into that language's template: both halves tell a tenant the same.",
    )
    PAGE_NOT_DRAWN = ("a page that can be drawn", "Look at {reason}.")
    WORKER_LOST = (
        "a letter that can be drawn, and drawing it ended its process twice",
        "Look at this letter's row and template by hand.",
    )
    NOT_ACCESSIBLE = ("a tagged, accessible PDF: {reason}", "Correct the template.")


@unique
class ClaimCode(Code):
    """Why a claim may not be printed (TRIAL-RULES §7)."""

    CLAIM_ROWS_UNREAD = (
        "a claim that holds whatever the {unread} rows say that cannot be read (it is {said}, and {least} if"
        " none of them did)",
        "Correct those rows of the source: `nudge power` and `nudge claims --history` count them.",
    )
    CLAIM_NO_TENANCIES = (
        "eligible tenancies in {when}the period whose letter was {within} days old at the cut of {cut}",
        "Give a history that reaches further, or an earlier period.",
    )
    CLAIM_EVENT_ABSENT = ("the event {numerator} in the history", "Export the history with its date column.")
    CLAIM_WORDS_UNKNOWN = ("only {{share}} and {{period_end}} in `says`", "Take the other placeholder out.")
    CLAIM_COUNTS_DOWN = (
        "a claim of how many did, and `says` has {words} {{share}}",
        "Word the claim as what most did; a line about the few tells people that it is normal not to.",
    )
    CLAIM_NOT_MOST = (
        "more than half, beyond chance: {numerator} of {denominator}, lower limit {lower:.1%}",
        "The line is not true of this council. Take it out, or test a line that is true.",
    )
    CLAIM_NOT_MOST_LATELY = (
        "more than half in the period's last quarter: {numerator} of {denominator}",
        "The line was true once and is not now. Take it out, or test a line that is true.",
    )
    CLAIM_PERIOD_UNCOVERED = (
        "a period that the history covers; its first letter is of {first} and it was cut on {cut}",
        "Name the period the history covers, or export a longer history.",
    )
    CLAIM_NOBODY_WATCHED = (
        "people watched in {when}the period",
        "Name the months in which somebody counted, or count again.",
    )
    CLAIM_PERIOD_UNWATCHED = (
        "somebody to have counted in the first and the last month of the period; they did from {first} to {last}",
        "Name the months in which they counted.",
    )
    CLAIM_LAPSED = (
        "a claim that has not lapsed; this one ran to {expires}",
        "Work the claim out again on newer data and amend the experiment.",
    )
    CLAIM_NO_LONGER_TRUE = (
        "the newest history to bear the claim out, and it does not",
        "Enrol nobody in any arm until the experiment is amended.",
    )
