"""The JSON Schema of an experiment file, by which an editor completes keys and underlines slips as they are typed.

It says what each key alone may hold. What needs two keys to tell, and every refusal with its fix, is `nudge check`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from nudge.experiment.definition import LiveExperiment, RecordedExperiment
from nudge.experiment.draft import LIVE_OUTCOME_KEYS, RECORDED_OUTCOME_KEYS, SITE_OUTCOME_KEYS
from nudge.experiment.live_checks import SITE_SOURCES
from nudge.experiment.reading import METHODS, SITE
from nudge.experiment.site_checks import NO_USE
from nudge.experiment.sites import SiteExperiment

_RECORDED: Final = {
    "required": ["design"],
    "properties": {"design": {"required": ["method"], "properties": {"method": {"const": "recorded"}}}},
}
_OF_SITES: Final = {"required": ["unit"], "properties": {"unit": {"const": SITE}}}
HINTS: Final[Mapping[str, str]] = {
    "acceptance": "The share of allocations that are balanced enough: 0.1 is one in ten.",
    "absent": "What a unit that is absent from the extract counts as; 0 where cleared tenancies vanish from the list.",
    "adjust": "`headline` makes the covariate-adjusted estimate the headline one; otherwise it is a sensitivity row.",
    "after": "Days from day 0 at which this letter falls due.",
    "analysis": "How the result is worked out, fixed before it is seen.",
    "arm": "The column that says which arm each row is in.",
    "arms": "The letters that are compared; one arm is the control.",
    "at": "The day from day 0 at which the value is read; needs `window`.",
    "bands": "Columns cut at edges, to serve as strata or subgroups.",
    "baseline": "What happened before: the trial's figures; on an outcome, the column measured before the draw.",
    "baseline_days": "How many days before the signs are counted, for each site to be set against.",
    "baseline_exposure": "The exposure of the earlier count.",
    "batch": "The column that says in which batch each row was enrolled.",
    "beacon": "A public value that nobody can know yet, such as `national lottery 2026-12-05`; or `none`.",
    "before": "The values of the `period` column that are before the trial.",
    "better": "Which way is better: lower or higher.",
    "blank": "`failure` counts a blank as no; otherwise a blank is missing.",
    "chosen_from": "Of how many claims looked at this one was chosen: its evidence has to be as much stronger.",
    "chance": "The chance of the arm that balances best, such as 0.8.",
    "claims": "Factual statements in letters, worked out from named data.",
    "cluster": "What is drawn whole: household, or a column such as street.",
    "column": "Where the value stands.",
    "columns": "What the extract must give besides reference, names and address, and of what kind.",
    "communications": "Initials and date, such as `JP 2026-11-20`.",
    "competing": "Events that can come instead; the unit stays in, without the event.",
    "confidence": "0.95 for intervals of 95 per cent.",
    "control": "true on the one arm that the others are compared with.",
    "cost": "Pounds for each letter of this arm, instead of `costs.letter`.",
    "costs": "Pounds each: letter, and officer_minute.",
    "counts": "The column of how many readings lie in the band from `column` to `upper`.",
    "covariates": "Columns measured before the draw: to adjust for; under `design`, to pair or balance by.",
    "data": "Which columns of the data say what.",
    "data_cut": "The last day that the data cover without a gap.",
    "data_protection": "Initials and date, such as `JP 2026-11-20`.",
    "compare": "What stands in for a draw that there was not; never a verdict.",
    "days": "How many days a period has, from the day after its signs are put up.",
    "design": "How the arms are drawn, or were drawn.",
    "languages": "The languages that every letter is in, in that order: `[cy, en]` is Welsh with English.",
    "says_cy": "The statement in Welsh, with the same {share} and {period_end}.",
    "says_pl": "The statement in Polish, with the same {share} and {period_end}.",
    "says_pt": "The statement in Portuguese, with the same {share} and {period_end}.",
    "says_ro": "The statement in Romanian, with the same {share} and {period_end}.",
    "details": "Constants for letters and signs, seen there as `details.NAME`: text, dates, whole numbers.",
    "dpia": "Reference of the data protection impact assessment.",
    "drawn": "How the arms were drawn.",
    "duration": "The column of times from start to event or end of follow-up.",
    "edges": "Ascending, in pounds for money; an edge belongs to the upper band.",
    "eligible": 'A condition such as: arrears >= 10 and stage == "first letter"; or the word all.',
    "enrol": "How often a new batch is drawn.",
    "event": "What is counted: event kinds of this file, the first to happen; in a recorded plan a column of dates.",
    "events": "Which rows of the files of responses count as an event; in `baseline`, how many there were.",
    "exclude_if": "Reason: column. True, or any date, excludes before the draw.",
    "expires_days": "Days after the end of `period` at which the statement lapses.",
    "exposure": "The column of time or size at risk; without it, 1 per unit.",
    "factorial": "`main_effects`: each factor decides, averaged over the others. `cells`: each arm does.",
    "factors": "The arm's level of each factor, such as {redraft: new, norm: none}; every combination needs an arm.",
    "follow_up": "How long every unit was followed from its start.",
    "from": "The file of responses: contacts or payments.",
    "governance": "Who answers for the trial; needed to seal it.",
    "happened": "The column that says whether the event happened.",
    "harms": "Events watched for harm.",
    "hold_out": "true on an arm outside the comparisons and the verdict; all others together are set against it.",
    "horizon": "The last day (or other unit) that counts.",
    "id": "A short name.",
    "imbalance": "How a factor's imbalance is measured: by the range of the arms' counts, or by their variance.",
    "keeper": "Who holds the secret.",
    "label": "What people read instead of the id.",
    "lag": "How many periods a deviation of a series may be remembered for; 12 unless stated.",
    "lag_days": "How many days late records may take to arrive.",
    "legal": "Initials and date, such as `JP 2026-11-20`.",
    "letter": "The template, such as letters/arrears-current.html.",
    "levers": "The techniques an arm uses: MINDSPACE, then EAST.",
    "limit": "The speed above which a vehicle counts, in miles per hour: 30.",
    "looks": "Looks before the end, and how the error is spent over them.",
    "mean": "The mean of the outcome, before.",
    "method": "How it is drawn here: blocked, pairs, rerandomised, minimised. recorded: somebody else's trial.",
    "minutes": "Officers' minutes that each event takes, such as contact: 12.",
    "missing": "Values that mean blank.",
    "multiplicity": "How several primary outcomes are tested together.",
    "numerator": "The event that the share counts; of people observed, the column that says yes or no.",
    "of": "The column that is cut.",
    "orientation": "How the signs stand; a site may have its own.",
    "outcome": "The outcome that the figure is of.",
    "outcomes": "What is measured; one is primary.",
    "overrides": "Wording that the seal holds, let through by name: who, when and why; the report prints it.",
    "over": "The column that the sum is divided by, such as the rent due.",
    "pair": "The column that says which units were paired.",
    "percentile": "Which percentile of a site's readings: 85 for the speed that 85 in 100 keep below.",
    "period": "Months, both ends inside: 2025-04..2026-03; under `data`, the column of periods.",
    "periods": "How many periods there are where sites change over: 2 of a crossover, steps and one more of a wedge.",
    "planned": "How many units the trial is planned to have in all.",
    "population": "Whom the share is of: eligible; an event, for those with it; observed, for people watched.",
    "preset": "`print-house` with bleed and marks, `no-marks` for a printer of your own.",
    "primary": "true on the outcome that decides.",
    "prior": (
        "What was believed of the arm before: redesign, norm, reminder, eyes, or [mean, sd] of the log of the ratio,"
        " positive where it does better."
    ),
    "question": "What the trial is to answer, in a sentence.",
    "radius": "Metres within which an incident with a position belongs to its nearest site.",
    "randomised": "yes, no or unknown.",
    "range": "The least and the most that the number can be: [0, 500].",
    "rate": "The rate of the outcome, before.",
    "ratio": "How many units to each arm, in the order of the arms.",
    "received": "The column that says whose letter reached the unit: yes or no (its own arm's), or an arm.",
    "repeats": "true where every event is on file, false where one per unit was kept.",
    "rmst": "The mean time to the horizon, counting those without the event as the horizon, before.",
    "says": "The statement; {share} is the figure, {period_end} the month it runs to.",
    "sd": "The standard deviation of the outcome, before.",
    "season": "How many periods of a series make a year, each with a term of its own: 12 for months.",
    "service": "Initials and date, such as `JP 2026-11-20`.",
    "share": "The share with the event, before: 0.3 for 30 per cent.",
    "sign": "The template of the sign, such as signs/speed-eyes.html; an arm may have none.",
    "sign_off": "Initials and date of each who agreed.",
    "sites": "The signs, and the days that count.",
    "size": "The size of the signs; a site may have its own.",
    "smallest_worthwhile": "The smallest effect worth having, by outcome: days, pounds, or a fraction.",
    "source": "The file that the figure comes from.",
    "spanning": "What to do with a cluster in more than one arm.",
    "spent": "The column of pounds spent on each unit.",
    "start": "The column of starting dates.",
    "strata": "Columns or bands within which the arms are balanced.",
    "subgroups": "Columns or bands, known before the draw, within which the comparison is repeated and tested.",
    "success": "The values that count as yes.",
    "suppress": "Reasons on the suppression list that stop a letter.",
    "time_unit": "The unit of the times.",
    "title": "A line for the report.",
    "trim": "`strata` trims within strata where outcomes are missing; otherwise over all of them together.",
    "type": "time_to_event, proportion, mean, rate, ratio or percentile.",
    "unit": "What is analysed: tenancy, street, site; under `data`, the column of its id.",
    "upper": "The column of the upper edge of a band of readings; `column` then holds its lower edge.",
    "units": "How many units the figure is from.",
    "unless": "Events that stop this letter.",
    "value": "Pounds that one more is worth: one more unit with the event, a day gained, one of the number.",
    "washout_days": "How many first days of a period do not count.",
    "waves": "Later letters, by the same rule in every arm.",
    "weigh": "`cluster` counts each cluster once; otherwise each unit counts once.",
    "when": 'A condition over that file, such as: direction == "in".',
    "window": "Days before and after that may stand in for `at`: [-3, 10].",
    "within": "The last day that counts.",
    "witness": "Who is sent the line that the seal prints.",
}


def json_schema() -> dict[str, Any]:
    """The schema of every kind of plan, chosen by `design.method` and `unit`."""
    _, raw = models_json_schema(
        [(model, "validation") for model in (LiveExperiment, RecordedExperiment, SiteExperiment)],
        ref_template="#/definitions/{model}",
    )
    definitions: dict[str, Any] = {name.strip("_"): _tidied(part) for name, part in raw["$defs"].items()}
    outcome = definitions.pop("Outcome")
    definitions["LiveOutcome"] = _only(outcome, LIVE_OUTCOME_KEYS)
    definitions["RecordedOutcome"] = _only(outcome, RECORDED_OUTCOME_KEYS)
    definitions["SiteOutcome"] = _only(outcome, SITE_OUTCOME_KEYS)
    for name, keep in (("LiveOutcome", False), ("SiteOutcome", True)):
        definitions[name]["properties"]["source"] = _sources(definitions[name]["properties"]["source"], of_sites=keep)
    for kind in ("Live", "Recorded", "Site"):
        items = definitions[f"{kind}Experiment"]["properties"]["outcomes"]["items"]
        items["$ref"] = f"#/definitions/{kind}Outcome"
    for key in NO_USE:
        del definitions["SiteExperiment"]["properties"][key]
    for key in ("letter", "sign"):
        del definitions["RecordedArm"]["properties"][key]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "An experiment of nudge",
        "properties": {"design": {"properties": {"method": {"enum": [*METHODS]}}}},  # so that an editor offers both
        "if": _RECORDED,
        "then": {"$ref": "#/definitions/RecordedExperiment"},
        "else": {
            "if": _OF_SITES,
            "then": {"$ref": "#/definitions/SiteExperiment"},
            "else": {"$ref": "#/definitions/LiveExperiment"},
        },
        "definitions": dict(sorted(definitions.items())),
    }


def as_text() -> str:
    """The schema as it is committed beside the examples."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _sources(part: Mapping[str, Any], *, of_sites: bool) -> dict[str, Any]:
    """The kinds of file that an outcome of letters, or of sites, may name."""
    [words, null] = part["anyOf"]
    kept = [word for word in words["enum"] if (word in SITE_SOURCES) == of_sites]
    return {**part, "anyOf": [{**words, "enum": kept}, null]}


def _only(outcome: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    properties = {key: part for key, part in outcome["properties"].items() if key in keys}
    return {**outcome, "properties": properties}


def _tidied(part: Any, *, names: bool = False) -> Any:
    """Without pydantic's titles and null defaults, with our hints; `names`: the keys here are names of properties."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    if names:
        return {key: _hinted(key, _tidied(item)) for key, item in part.items()}
    tidied = {
        key: _tidied(item, names=key == "properties")
        for key, item in part.items()
        if key not in {"title", "description"} and not (key == "default" and item in (None, "", [], {}))
    }
    if "$ref" in tidied:
        tidied = {"$ref": tidied["$ref"].replace("/_", "/")}
    return _nullable(tidied)


def _nullable(part: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` of one plain type and null as a list of two types, which editors show better."""
    choices = part.get("anyOf", [])
    if len(choices) == 2 and choices[1] == {"type": "null"} and isinstance(choices[0].get("type"), str):
        plain = {key: value for key, value in part.items() if key != "anyOf"}
        if "enum" in choices[0] or "const" in choices[0]:
            return part
        return {**plain, **choices[0], "type": [choices[0]["type"], "null"]}
    return part


def _hinted(name: str, part: dict[str, Any]) -> dict[str, Any]:
    hint = HINTS[name]
    if "$ref" in part:  # draft 7 ignores whatever stands beside a reference
        return {"allOf": [part], "description": hint}
    return {**part, "description": hint}
