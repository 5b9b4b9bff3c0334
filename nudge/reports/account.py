"""What a report says about the trial as a whole: who was in it, every estimate, what was excluded, what was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.intake.codes import RowCode
from nudge.reports.compliers import after_draw
from nudge.reports.consort import Branch, Stage
from nudge.reports.glossary import DRAWN, LEVELS, RESPONDERS_ONLY
from nudge.reports.lines import FLAG_WORDS, compared, measure_name, size
from nudge.reports.outcomes import point
from nudge.reports.parts import Flowing, Listing, Part, Section, Table, Text
from nudge.reports.wording import NONE, Wording, count_of, day, listed, number, p_words, plural, reason, whole
from nudge.uplift.estimate import Flag, Role

Summary = Mapping[str, Any]


def flow(summary: Summary, wording: Wording, unit: str) -> Section:
    """From the rows of the file to the units analysed: picture, then table."""
    counts = summary["flow"]
    trunk = _trunk(counts, unit)
    branches = tuple(_branch(arm, summary, wording, unit) for arm in summary["arms"])
    parts: list[Part] = [
        Flowing(
            trunk=trunk,
            branches=branches,
            alt=_flow_words(counts, unit, signs=wording.signs) + " The same numbers are in the table that follows.",
            caption="From the file to the analysis. Nobody leaves without being counted.",
        ),
        _flow_table(summary, wording, unit),
        *after_draw(summary, wording, unit),
    ]
    return Section(slug="flow", heading="Who was in the trial", parts=tuple(parts))


def _trunk(counts: Mapping[str, Any], unit: str) -> tuple[Stage, ...]:
    rejected, excluded = counts["rejected"], counts["excluded"]
    stages = []
    if counts["rows"] is not None:
        again = (f"{counts['repeated']:,} further rows of the same {plural(unit)}",) if counts["repeated"] else ()
        left = _leaving("rows could not be used", rejected) + again + _leaving("left out before the draw", excluded)
        stages.append(Stage(heading=f"{counts['rows']:,} rows in the files", left=left))
    elif excluded:
        stages.append(Stage(heading="Files", left=_leaving("left out before the draw", excluded)))
    drawn = f"{count_of(counts['allocated'], unit)} in the trial"
    lines = () if counts["eligible"] in (None, counts["allocated"]) else (f"of {counts['eligible']:,} that could be",)
    stages.append(Stage(heading=drawn, lines=lines))
    return tuple(stages)


def _of_rows(code: str) -> str:
    """Why rows were set aside, in the words of their reject list; else the code's own."""
    known = RowCode.__members__.get(code.upper().replace("-", "_"))
    return reason(code) if known is None or "{" in known.reason else known.reason


def _leaving(what: str, reasons: Mapping[str, int]) -> tuple[str, ...]:
    if not sum(reasons.values()):
        return ()
    return (f"{sum(reasons.values()):,} {what}:", *(f"– {n:,} {_of_rows(code)}" for code, n in reasons.items() if n))


def _branch(arm: Mapping[str, Any], summary: Summary, wording: Wording, unit: str) -> Branch:
    clusters = arm["clusters"]
    drawn = (f"in {clusters:,} clusters",) if clusters not in (None, arm["assigned"]) else ()
    stages = [Stage(heading=count_of(arm["assigned"], unit), lines=drawn)]
    outcome = main_outcome(summary)
    found = next((item for item in outcome["arms"] if item["arm"] == arm["arm"]), None) if outcome else None
    if outcome is not None and found is not None:
        missing = tuple(f"{n:,} not: {reason(code)}" for code, n in found["missing_by"].items() if n)
        counted = wording.counted(outcome, [found])
        named = f" {counted}" if counted != plural(outcome["unit"]) else ""
        stages.append(Stage(heading=f"{found['n']:,}{named} analysed", lines=missing))
    return Branch(heading=wording.arm(arm["arm"]), stages=tuple(stages))


def main_outcome(summary: Summary) -> Mapping[str, Any] | None:
    """The primary outcome, else the first."""
    outcomes: Sequence[Mapping[str, Any]] = summary["outcomes"]
    return next((outcome for outcome in outcomes if outcome["primary"]), outcomes[0] if outcomes else None)


def _flow_words(counts: Mapping[str, Any], unit: str, *, signs: bool) -> str:
    words = []
    if counts["rows"] is not None:
        words.append(f"{counts['rows']:,} rows in the files")
    words += [f"{sum(counts[key].values()):,} {what}" for key, what in _LEFT.items() if sum(counts[key].values())]
    words.append(f"{count_of(counts['allocated'], unit)} in the trial")
    later = _LATER | ({"posted": "with a sign put up"} if signs else {})
    words += [f"{counts[key]:,} {what}" for key, what in later.items() if counts[key] is not None]
    return f"Flow of the trial: {', '.join(words)}."


_LEFT: Final = {"rejected": "rows that could not be used", "excluded": "left out before the draw"}
_LATER: Final = {"posted": "posted", "returned": "letters returned", "analysed": "analysed"}


def _flow_table(summary: Summary, wording: Wording, unit: str) -> Table:
    counts = summary["flow"]
    rows: list[tuple[str, str]] = []
    if counts["rows"] is not None:
        rows.append(("Rows in the files", whole(counts["rows"])))
    rows += [(f"Row not used: {_of_rows(code)}", whole(n)) for code, n in counts["rejected"].items()]
    if counts["repeated"]:
        rows.append(
            (f"Further rows of the same {plural(unit)} (joint tenants, later weeks)", whole(counts["repeated"]))
        )
    rows += [(f"Left out before the draw: {reason(code)}", whole(n)) for code, n in counts["excluded"].items()]
    if counts["eligible"] not in (None, counts["allocated"]):
        rows.append((f"{plural(unit).capitalize()} that could be in the trial", whole(counts["eligible"])))
    rows.append((f"{plural(unit).capitalize()} given an arm", whole(counts["allocated"])))
    rows += [(f"… of these in ‘{wording.arm(arm['arm'])}’", whole(arm["assigned"])) for arm in summary["arms"]]
    rows += [
        (
            f"{'Sign' if wording.signs else 'Letter'} withheld after the draw, counted all the same: {reason(code)}",
            whole(n),
        )
        for code, n in counts["withheld"].items()
    ]
    rows += [
        (words, whole(counts[key]))
        for key, words in (
            ("posted", f"{plural(unit).capitalize()} with a {'sign put up' if wording.signs else 'letter posted'}"),
            ("returned", "Letters returned by the post, counted all the same"),
            ("analysed", f"{plural(unit).capitalize()} analysed"),
        )
        if counts[key] is not None
    ]
    return Table(caption="From the file to the analysis", columns=("Step", "Number"), rows=tuple(rows))


def estimates(summary: Summary, wording: Wording) -> Section:
    """Every headline and secondary row, by outcome, with its denominators."""
    parts: list[Part] = [
        Text(words="Every estimate that was planned is here, whatever it shows. Each is the arm less the one it is"
             " compared with, or their ratio; the interval is in brackets.")
    ]  # fmt: skip
    seen: list[str] = []
    for outcome in summary["outcomes"]:
        lines = [line for line in outcome["estimates"] if line["role"] in (Role.HEADLINE, Role.SECONDARY)]
        if lines:
            parts.append(_rows_table(lines, outcome, summary, wording, caption=wording.outcome(outcome)))
            seen += [flag for line in lines for flag in line["flags"]]
    parts += _flag_notes(seen)
    return Section(slug="estimates", heading="Every estimate", parts=tuple(parts))


def sensitivity(summary: Summary, wording: Wording) -> Section | None:
    """The same questions asked in other ways; nothing where there are none."""
    parts: list[Part] = []
    seen: list[str] = []
    for outcome in summary["outcomes"]:
        lines = [line for line in outcome["estimates"] if line["role"] == Role.SENSITIVITY]
        if not lines:
            continue
        several = len(summary["arms"]) > 2
        rows = tuple(
            (
                line["method"],
                *((_against(line, outcome, wording),) if several else ()),
                measure_name(line, outcome),
                size(line, outcome, wording),
                p_words(line["p_value"]),
                whole(line["n"]),
            )
            for line in lines
        )
        columns = (
            "How",
            *(("Arms",) if several else ()),
            "Measure",
            "Estimate",
            "p",
            plural(outcome["unit"]).capitalize(),
        )
        parts.append(
            Table(
                caption=wording.outcome(outcome),
                columns=columns,
                rows=rows,
                words=(1, 2) if several else (1,),
            )
        )
        seen += [flag for line in lines for flag in line["flags"]]
    if not parts:
        return None
    lead = Text(
        words="If the answer hung on one of these ways of counting, it would change here. None of these rows has a"
        " verdict."
    )
    return Section(
        slug="sensitivity", heading="The same question asked in other ways", parts=(lead, *parts, *_flag_notes(seen))
    )


def _rows_table(
    lines: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any], summary: Summary, wording: Wording, *, caption: str
) -> Table:
    several = len(summary["arms"]) > 2
    adjusted = any(line["p_adjusted"] is not None for line in lines)
    clustered = any(line["clusters"] not in (None, line["n"]) for line in lines)
    eventful = any(line["events"] is not None for line in lines)
    rows = tuple(
        (
            measure_name(line, outcome) + _marks(line["flags"]),
            *((_against(line, outcome, wording),) if several else ()),
            size(line, outcome, wording),
            p_words(line["p_value"]),
            *((p_words(line["p_adjusted"]),) if adjusted else ()),
            whole(line["n"]),
            *((whole(line["events"]),) if eventful else ()),
            *((whole(line["clusters"]),) if clustered else ()),
        )
        for line in lines
    )
    arms = "" if several or not lines else f": {_against(lines[0], outcome, wording)}"
    return Table(
        caption=caption + arms,
        columns=(
            "Measure",
            *(("Arms",) if several else ()),
            "Estimate",
            "p",
            *(("p, all arms considered",) if adjusted else ()),
            wording.counted(outcome, lines).capitalize(),
            *(("Events",) if eventful else ()),
            *(("Sites" if wording.signs else "Clusters",) if clustered else ()),
        ),
        rows=rows,
        words=(1,) if several else (),
    )


def _marks(flags: Sequence[str]) -> str:
    return f" [{', '.join(reason(flag) for flag in flags)}]" if flags else ""


def _flag_notes(seen: Sequence[str]) -> list[Part]:
    known = {flag.value for flag in Flag}
    items = tuple((reason(flag), FLAG_WORDS[Flag(flag)]) for flag in dict.fromkeys(seen) if flag in known)
    return [Listing(items=items)] if items else []


def _against(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    arm, reference = compared(line, outcome, wording)
    return f"‘{arm}’ against ‘{reference}’"


def methods(summary: Summary, wording: Wording) -> Section:
    """How each number was made, one sentence each."""
    made: dict[tuple[str, str], dict[str, None]] = {}
    for outcome in summary["outcomes"]:
        for line in outcome["estimates"]:
            if line["role"] in (Role.HEADLINE, Role.SECONDARY) and line["method"]:
                of = made.setdefault((measure_name(line, outcome), line["method"]), {})
                of[wording.outcome(outcome)] = None
    items = tuple((f"{measure}: {listed(list(of))}", method) for (measure, method), of in made.items())
    parts: list[Part] = [Listing(items=items)]
    if summary["multiplicity"]:
        parts.append(Text(words=f"Several comparisons: {reason(summary['multiplicity'])}."))
    return Section(slug="methods", heading="How each number was made", parts=tuple(parts))


def missing(summary: Summary, wording: Wording) -> Section:
    """Whose outcome is not known, why, and in which arm."""
    parts: list[Part] = []
    complete = []
    for outcome in summary["outcomes"]:
        reasons = list(dict.fromkeys(code for arm in outcome["arms"] for code in arm["missing_by"]))
        if not any(arm["missing"] for arm in outcome["arms"]):
            complete.append(wording.outcome(outcome))
            continue
        rows = tuple(
            (
                wording.arm(arm["arm"]),
                whole(arm["n_assigned"]),
                *(whole(arm["missing_by"].get(code, 0)) for code in reasons),
                whole(arm["n"]),
            )
            for arm in outcome["arms"]
        )
        counted = wording.counted(outcome, outcome["arms"])
        given = "Given this arm" if counted == plural(outcome["unit"]) else f"{counted.capitalize()} with this arm"
        columns = ("Arm", given, *(_capital(reason(code)) for code in reasons), "Counted")
        parts.append(Table(caption=f"{wording.outcome(outcome)}: who is counted", columns=columns, rows=rows))
    if complete:
        parts.append(Text(words=f"Complete, with nobody left out: {'; '.join(complete)}."))
    lead = Text(words="A missing answer is never read as a no, unless the plan declared what it means. It is left out"
                " of that outcome, and counted here.")  # fmt: skip
    return Section(slug="missing", heading="What is missing, why, and in which arm", parts=(lead, *parts))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def harms(summary: Summary, wording: Wording) -> Section | None:
    """What the trial watched for harm; nothing where no harm was declared."""
    if not wording.harms:
        return None
    rows = []
    absent = []
    for harm in wording.harms:
        outcome = next((item for item in summary["outcomes"] if item["id"] == harm), None)
        if outcome is None:
            absent.append(reason(harm))
            continue
        for arm in outcome["arms"]:
            share = point(arm["values"], "proportion")["estimate"]
            of_100 = NONE if share is None else number(100 * share)
            rows.append(
                (wording.outcome(outcome), wording.arm(arm["arm"]), whole(arm["events"]), whole(arm["n"]), of_100)
            )
    parts: list[Part] = [Text(words="Watched from the first letter, in every arm alike. Small numbers seldom"
                              " prove or rule out a difference; they are here to be seen.")]  # fmt: skip
    if rows:
        parts.append(
            Table(
                caption="Harms by arm",
                columns=("What", "Arm", "Number", "Of", "Of every 100"),
                rows=tuple(rows),
                words=(1,),
            )
        )
    if absent:
        parts.append(Text(words=f"Declared, but not on file: {', '.join(absent)}."))
    return Section(slug="harms", heading="Harms", parts=tuple(parts))


def checks(summary: Summary, wording: Wording) -> Section | None:
    """Whether draw, posting and follow-up went as they should."""
    found = summary["checks"]
    parts: list[Part] = []
    ratio, missing_test = (_tested(found[key]) for key in ("sample_ratio", "missing_by_arm"))
    if ratio is not None:
        words = "No alarm from the sizes of the arms, held against the design" if ratio >= ALARM else _SIZES_WRONG
        parts.append(Text(words=f"{words} ({p_words(ratio)}; an alarm is below {ALARM})."))
    if missing_test is not None:
        words = "No alarm from what is missing, arm by arm" if missing_test >= ALARM else _MISSING_WRONG
        parts.append(Text(words=f"{words} ({p_words(missing_test)}; an alarm is below {ALARM})."))
    parts += _posting(found["dispatch_by_arm"], summary, wording)
    rows = tuple(
        (
            reason(str(line.get("column"))),
            *(number((line.get("arms") or {}).get(arm["arm"]), 2) for arm in summary["arms"]),
            number(line.get("standardised_difference"), 2),
        )
        for line in found["balance"]
    )
    if rows:
        arms = (wording.arm(arm["arm"]) for arm in summary["arms"])
        parts.append(
            Table(
                caption="How alike the arms were before: averages",
                columns=("Measured before", *arms, "Apart, in standard deviations"),
                rows=rows,
            )
        )
    return Section(slug="checks", heading="Did the trial run as it should", parts=tuple(parts)) if parts else None


ALARM: Final = 0.001  # below this a check is an alarm, and comes before any result
_SIZES_WRONG: Final = (
    "The arms are not of the sizes that the design gives: find out why before using any result of this trial"
)
_MISSING_WRONG: Final = (
    "Outcomes are missing more often in one arm than in another: what is missing may explain what was found"
)


def _tested(check: Any) -> float | None:
    p = check.get("p_value") if isinstance(check, Mapping) else None
    return None if p is None else float(p)


def _posting(found: Any, summary: Summary, wording: Wording) -> list[Part]:
    if not isinstance(found, Mapping):
        return []
    rows = tuple(
        (
            wording.arm(arm["arm"]),
            whole(told.get("posted")),
            whole(told.get("withheld")),
            number(told.get("median_day"), 0),
        )
        for arm in summary["arms"]
        if isinstance(told := found.get(arm["arm"]), Mapping)
    )
    if wording.signs:
        columns, caption = ("Arm", "Put up", "Not put up", "Middle day, after day 0"), "Signs put up by arm"
    else:
        columns, caption = ("Arm", "Posted", "Not posted", "Middle day of posting, after day 0"), "Posting by arm"
    return [Table(caption=caption, columns=columns, rows=rows)] if rows else []


def notes(summary: Summary) -> Section | None:
    """Sentences that the analysis wants read; nothing where there are none."""
    if not summary["notes"]:
        return None
    parts = (Listing(items=tuple(("", note) for note in summary["notes"])),)
    return Section(slug="notes", heading="What else a reader should know", parts=parts)


def amendments(summary: Summary) -> Section | None:
    """Every change since the seal; nothing for a trial without a seal."""
    if summary["seal"] is None and not summary["amendments"]:
        return None
    if not summary["amendments"]:
        words = "Nothing was changed after the seal."
        return Section(slug="amendments", heading="Changes since the seal", parts=(Text(words=words),))
    rows = tuple(
        (
            str(change.get("number", "")),
            day(str(change.get("at", ""))[:10] or None),
            str(change.get("kind") or ""),
            str(change.get("because") or ""),
            str(change.get("by") or ""),
        )
        for change in summary["amendments"]
    )
    table = Table(
        caption="Amendments, in order",
        columns=("Number", "Date", "Kind", "Why", "By"),
        rows=rows,
        words=(1, 2, 3, 4),
    )
    return Section(slug="amendments", heading="Changes since the seal", parts=(table,))


def trust(summary: Summary) -> Section:
    """What stands behind the draw."""
    items = [
        ("How arms were given", _DRAWN.get(summary["randomised"], "")),
        ("Way of drawing", DRAWN.get(summary["drawn"], summary["drawn"])),
    ]
    if summary["certificate_level"]:
        level = summary["certificate_level"]
        items.append(("Certificate of the draw", LEVELS.get(level, _capital(reason(level)))))
    if summary["seal"]:
        items.append(("Seal", summary["seal"]))
    items.append(("Definition", summary["definition_hash"]))
    if summary["epochs"] > 1:
        items.append(
            ("Epochs", f"{summary['epochs']}: arms or ratio changed during the trial; estimates keep them apart")
        )
    parts: list[Part] = [Listing(items=tuple(items))]
    return Section(slug="trust", heading="What stands behind the draw", parts=tuple(parts))


_DRAWN: Final = {
    "yes": "by chance",
    "no": "not by chance",
    "unknown": "not known to have been by chance",
}


def responders(summary: Summary, wording: Wording) -> Section | None:
    """The mean among those who responded, last, for comparison with older reports; never an effect."""
    rows = []
    for outcome in summary["outcomes"]:
        if outcome["type"] != "time_to_event":
            continue
        for arm in outcome["arms"]:
            mean, n = point(arm["values"], "responders_mean"), point(arm["values"], "responders_n")
            if mean["estimate"] is not None:
                label = f"{wording.outcome(outcome)}: {wording.arm(arm['arm'])}"
                rows.append((label, number(n["estimate"], 0), whole(arm["n"]), number(mean["estimate"])))
    if not rows:
        return None
    warning = Text(words=RESPONDERS_ONLY)
    table = Table(
        caption="Average among those who responded",
        columns=("Outcome and arm", "Responded", "Of", "Average among them"),
        rows=tuple(rows),
    )
    return Section(
        slug="responders",
        heading="For older comparisons only: the average of those who responded",
        parts=(warning, table),
    )
