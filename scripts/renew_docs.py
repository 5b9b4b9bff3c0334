"""Renew what the documentation says of the code: tables between `<!-- table: … -->` and `<!-- end of table -->`.

The keys of an experiment come from its JSON Schema, the licences from what the installed packages say of themselves.
Run by `make docs`; tests hold the pages equal to it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from nudge.experiment.draft import LIVE_KEYS, RECORDED_KEYS, SITE_KEYS
from nudge.experiment.fields import COLUMN_PATTERN, ID_PATTERN, LETTER_PATTERN, NAME_PATTERN
from nudge.experiment.schema import json_schema

ROOT: Final = Path(__file__).resolve().parents[1]
_MARKED: Final = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)

# What a key means where the schema's one sentence serves two places.
_HERE: Final[Mapping[tuple[str, str], str]] = {
    ("LiveExperiment", "unit"): "What is analysed: tenancy, street, site.",
    ("LiveExperiment", "baseline"): "What happened before the trial; the seal asks for it.",
    ("LiveExperiment", "events"): "Which rows of the contact and payment files count as an event.",
    ("Baseline", "events"): "How many of those units had the event.",
    ("Baseline", "period"): "The months the figure is from, both ends inside: 2025-04..2026-03.",
    ("Claim", "period"): "The months the share is of, both ends inside: 2025-09..2026-08.",
    ("LiveOutcome", "baseline"): "The column of the extract that holds the value before the draw.",
    ("LiveOutcome", "event"): (
        "Event kinds of this file, the first to happen counting; for a time to event [contact, payment] if left out."
    ),
    ("LiveOutcome", "source"): "Where the value is read: `rent_accounts` (absent means missing) or `readings`.",
    (
        "LiveOutcome",
        "repeats",
    ): "true (so unless stated) where every event is on file, false where one per unit is kept.",
    ("SiteOutcome", "source"): "The kind of file: incidents (one row each), surveys (counts) or speeds.",
    ("SiteOutcome", "column"): "What is counted, as the files name it, such as dog_fouling; without it, every row.",
    ("LiveArm", "letter"): "The template, such as letters/arrears-current.html; not in a trial of signs.",
    ("LiveArm", "sign"): "The template of the sign, in a trial of signs only; an arm may have none.",
    ("SiteExperiment", "columns"): "What the sites file must give besides what every one does, and of what kind.",
    ("SiteExperiment", "unit"): "A trial of signs.",
    ("SiteExperiment", "arms"): "The signs that are compared, or none; one arm is the control.",
    ("SiteExperiment", "baseline"): "What happened before the trial, where it is known.",
    ("RecordedData", "unit"): "The column of the unit's id; without it each row is a unit.",
    ("RecordedData", "cluster"): "The column of what was drawn whole.",
    ("RecordedData", "strata"): "The columns within which the draw was balanced.",
    ("RecordedData", "period"): "The column that says to which period a row belongs.",
    ("RecordedData", "spanning"): "A cluster in more than one arm: keep it as drawn, or drop it. Refused if not said.",
    ("RecordedOutcome", "baseline"): "The column of the value, or count, before the trial.",
    ("RecordedOutcome", "event"): "The column of dates on which it happened; blank means not by the cut.",
    ("RecordedOutcome", "missing"): "Values that mean blank in this outcome; without it, those under `data`.",
    ("RecordedOutcome", "success"): "The values that count as yes; without it: yes, y, true, t, 1.",
    ("RecordedOutcome", "repeats"): "false (so unless stated) where one event per unit was kept.",
    ("RecordedArm", "id"): "The value in the arm column.",
    (
        "RecordedExperiment",
        "costs",
    ): "Kept with the plan; what was spent stands in `cost` of the arms or `data.spent`.",
    ("RecordedArm", "cost"): "Pounds spent on each unit of this arm; every arm has one, or none.",
}
_PATTERNS: Final = {
    ID_PATTERN: "name: a–z, 0–9, -",
    NAME_PATTERN: "name",
    COLUMN_PATTERN: "column name",
    LETTER_PATTERN: "template",
}
_KINDS: Final = {
    "Kind": "money, number, text, flag or date",
    "OutcomeType": "time_to_event, proportion, mean, rate, ratio or percentile",
}
_PLAIN: Final = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}
_SITE_TYPES: Final = {
    "rate": "rate",
    "percentile": "percentile",
    "mean": "mean",
    "proportion": "proportion",
}
_TYPES: Final = {"time_to_event": "time", "proportion": "proportion", "mean": "mean", "rate": "rate"}


def experiment_table(definition: str) -> str:
    """Every key of one part of an experiment: type, default, meaning; for outcomes, with which types it goes."""
    part = json_schema()["definitions"][definition]
    fitting = {"LiveOutcome": LIVE_KEYS, "RecordedOutcome": RECORDED_KEYS, "SiteOutcome": SITE_KEYS}.get(definition)
    types = _SITE_TYPES if definition == "SiteOutcome" else _TYPES
    heads = ["Key", "Type", "Default", *(["For"] if fitting else []), "Means"]
    rows = []
    for key, given in part["properties"].items():
        default = "**compulsory**" if key in part.get("required", ()) else _default(given)
        row = [f"`{key}`", _type(given), default]
        if fitting:
            goes = [words for type_, words in types.items() if key in fitting[type_] or key in {"id", "type"}]
            row.append("all" if len(goes) == len(types) else ", ".join(goes))
        rows.append([*row, _HERE.get((definition, key), given["description"])])
    return _table(heads, rows)


def _default(given: Mapping[str, Any]) -> str:
    default = given.get("default")
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return '`[""]`' if default == [""] else f"{default}"


def _type(given: Mapping[str, Any]) -> str:
    if "allOf" in given:
        return _type(given["allOf"][0])
    if "$ref" in given:
        name = given["$ref"].rpartition("/")[2]
        return _KINDS.get(name, f"keys: [{_anchor(name).removesuffix('-1')}](#{_anchor(name)})")
    if "const" in given:
        return f"`{given['const']}`"
    if "enum" in given:
        return _either([str(one) for one in given["enum"]])
    if "anyOf" in given:
        choices = list(dict.fromkeys(_type(one) for one in given["anyOf"] if one != {"type": "null"}))
        choices = [one for one in choices if one not in {"number", "whole number"} or "text" not in choices]
        return _either(choices)
    kind = given.get("type", "string")
    kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
    if kind == "array":
        return f"two {_type(given['items'])}s" if given.get("maxItems") == 2 else f"list of {_type(given['items'])}"
    if kind == "object":
        if "propertyNames" in given:
            return f"{_type(given['propertyNames'])}: {_type(given['additionalProperties'])}"
        [held] = given["patternProperties"].values()
        return f"name: {_type(held)}"
    if "pattern" in given:
        return _PATTERNS.get(given["pattern"], "months")
    if given.get("format") == "date":
        return "date"
    above = " above 0" if given.get("exclusiveMinimum") == 0 else ""
    return f"{_PLAIN[kind]}{above}"


def _either(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _anchor(name: str) -> str:
    return {
        "LiveArm": "arms",
        "RecordedArm": "arms-1",
        "LiveOutcome": "outcomes",
        "SiteOutcome": "outcomes-of-sites",
        "SitesSpec": "sites",
        "RecordedOutcome": "outcomes-1",
        "DesignSpec": "design",
        "RecordedDesign": "design-1",
        "RecordedData": "data",
        "Band": "bands",
        "Claim": "claims",
        "EventRule": "events",
        "SignOff": "sign_off",
        "Wave": "waves",
    }.get(name, name.lower())


# The licence of a package whose metadata state none, or a whole text: read from the file that it installs.
_READ: Final = {
    "contourpy": "BSD-3-Clause",
    "cssselect2": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "fonttools": "MIT",
    "jinja2": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "matplotlib": "Matplotlib licence (PSF style)",
    "mdurl": "MIT",
    "annotated-types": "MIT",
    "pydyf": "BSD-3-Clause",
    "pypdfium2": "Apache-2.0 OR BSD-3-Clause (PDFium inside: Apache-2.0)",
    "pyphen": "MPL-1.1 OR LGPL-2.1-or-later OR GPL-2.0-or-later",
    "scipy": "BSD-3-Clause",
    "segno": "BSD-3-Clause",
    "tinycss2": "BSD-3-Clause",
    "tinyhtml5": "MIT",
    "weasyprint": "BSD-3-Clause",
    "webencodings": "BSD-3-Clause",
}


def installed(groups: Iterable[str] = ("postgres",)) -> dict[str, Distribution]:
    """Every package that an installed nudge needs, however remotely, by normal name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(line for group in groups for line in project["optional-dependencies"][group])]
    found: dict[str, Distribution] = {}
    queue = [Requirement(line) for line in wanted]
    seen = set()
    while queue:
        one = queue.pop()
        name, extras = normal(one.name), frozenset(one.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # for another system
            continue
        for needed in map(Requirement, found[name].requires or ()):
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                queue.append(needed)
    return dict(sorted(found.items()))


def normal(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: Distribution) -> str:
    """The licence a package states, as an SPDX expression where it gives one."""
    name = normal(package.metadata["Name"])
    stated = package.metadata.get("License-Expression") or _READ.get(name) or package.metadata.get("License", "")
    return str(stated)


def licence_table(*, direct: bool) -> str:
    """Packages by name, with their licences: those that nudge asks for, or those that come with them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {
        normal(Requirement(line).name)
        for line in (*project["dependencies"], *project["optional-dependencies"]["postgres"])
    }
    rows = [
        [package.metadata["Name"], licence(package)]
        for name, package in installed().items()
        if (name in asked) == direct
    ]
    return _table(["Package", "Licence"], rows)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(heads), "|" + "---|" * len(heads), *map(line, rows)])


def renewed(page: str) -> str:
    """The page with every table as it should be."""

    def table(found: re.Match[str]) -> str:
        name = found[2]
        made = licence_table(direct=name == "direct") if name in {"direct", "indirect"} else experiment_table(name)
        return f"{found[1]}{made}\n{found[3]}"

    return _MARKED.sub(table, page)


def pages() -> Iterator[Path]:
    """The pages that hold tables."""
    yield from (ROOT / "docs" / name for name in ("experiment-file.md", "licences.md"))


def main() -> None:
    """Write the pages again."""
    for path in pages():
        path.write_text(renewed(path.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
