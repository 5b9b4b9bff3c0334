"""What is said of an arm's letter beside the control's. None of it refuses: a person signs, and should know."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class ComparisonCode(Code):
    """Ways in which more, less or something else than the declared levers sets an arm apart."""

    CHANGE_WITHOUT_LEVER = (
        "data-lever on each block that differs from `{control}`; {count} of `{arm}` have none, such as {such}",
        "Mark it with its lever, or write it as in `{control}`: else the trial tests it too, unnamed.",
    )
    LEVER_UNDECLARED = (
        "`levers:` of `{arm}` to name {lever}, which a block that differs bears",
        "Add {lever} to `levers:`, or write the block as in `{control}`.",
    )
    LEVER_UNBORNE = (
        'a block with data-lever="{lever}" in `{arm}`, which declares it',
        "Mark the block that uses it, or take {lever} out of `levers:`.",
    )
    LEVER_IN_BOTH = (
        "{lever} to set `{arm}` apart, and its blocks read the same in `{control}`",
        "Take {lever} out of `levers:`: what both letters have, this trial cannot test.",
    )
    LEVERS_MANY = (
        "at most {most} levers in one arm, and `{arm}` declares {count}: a bundle; the trial cannot say which worked",
        "Leave some out, or give each an arm of its own (a factorial design).",
    )
    NOTHING_DIFFERS = (
        "`{arm}` to differ from `{control}`",
        "Give the arm words of its own: two arms with the same words have nothing to compare.",
    )
    STYLES_DIFFER = (
        "the same style sheets in `{arm}` and `{control}`",
        "Link the same: a change of look is a change, and no lever names it.",
    )
    FAMILY_DIFFERS = (
        "one data-family and data-stage in every arm ({control_kind} in `{control}`, {kind} in `{arm}`)",
        "Correct the first line of the template.",
    )
    FAMILY_UNKNOWN = (
        "data-family to be one of {valid}",
        "Set it in the first line of the template, so that what its letters must hold can be looked for.",
    )
    REQUIRED_MISSING = (
        '{words} in the letter of `{arm}` (a block with data-required="{id}"{holding})',
        "Put it in: no arm may leave out what people are owed.",
    )
    SHEETS_DIFFER = (
        "as many sheets in every arm, and for {recipient} it is {sheets} in `{arm}` and {others} in `{control}`",
        "Shorten the longer letter: postage and thickness give the arm away.",
    )
    PAGES_DIFFER = (
        "as many pages in every arm, and for {recipient} it is {pages} in `{arm}` and {others} in `{control}`",
        "Shorten the longer letter: a printed back shows through, and length is a change of its own.",
    )
    FIGURE_ALONE = (
        "the same {kind} in every arm: `{arm}` has {text}, and `{other}` has not",
        "Give it in both or in neither, or make it a claim of the experiment with its source.",
    )
    FORM_ALONE = (
        "the letter in the same formats and languages in every arm: `{arm}` has no {form}, and `{other}` has",
        "Write it: who asks for it must get the same arm as everybody.",
    )
    LETTER_UNFIT = (
        "a letter that can be posted; for {recipient} expected {expected}",
        "{fix}",
    )
