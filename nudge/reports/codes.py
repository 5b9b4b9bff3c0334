"""What is wrong with a summary document, in words. No other module of this room words a refusal."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class SummaryCode(Code):
    """A way in which a document is not a `nudge-summary/1`."""

    NOT_A_SUMMARY = (
        "a document whose schema is {schema}",
        "Give the summary.json that nudge wrote, or update nudge to read a newer one.",
    )
    KEY_ABSENT = (
        "the key {key}, null where there is nothing to say",
        "Write the file again with this version of nudge.",
    )
    WRONG_KIND = ("{wanted}", "Write the file again with this version of nudge.")
    NOT_FINITE = ("a finite number or null", "Write null and a flag that says why there is no number.")
    UNKNOWN_WORD = ("one of {valid}", "Use a word from the closed list in docs/summary.md.")
    NULL_WITHOUT_FLAG = ("a flag that says why the estimate is null", "Add the flag; docs/summary.md lists them.")
    HEADLINE_NOT_FIRST = (
        "headline rows before all others, in the order of the arms",
        "Put the estimates into the order of docs/summary.md.",
    )
    ARM_UNKNOWN = ("one of the arms {arms}", "Name only arms that the document lists under arms.")
