"""From plain values to an experiment: every slip found at once, each by its path of keys.

Three passes over the same values: keys that do not belong (taken as the nearest that does, so that a slip in a key
hides nothing behind it), values that are not of their type, then what only two keys together can get wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from nudge.base.columns import Kind
from nudge.base.errors import Place, Problem
from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.definition import (
    Experiment,
    LiveExperiment,
    Outcome,
    RecordedExperiment,
    live_outcome,
    recorded_outcome,
)
from nudge.experiment.draft import (
    LIVE_OUTCOME_KEYS,
    RECORDED_OUTCOME_KEYS,
    SITE_OUTCOME_KEYS,
    Draft,
    Finding,
    Key,
    Path,
)
from nudge.experiment.live_checks import LIVE
from nudge.experiment.recorded_checks import RECORDED
from nudge.experiment.site_checks import SITES
from nudge.experiment.sites import SiteExperiment
from nudge.experiment.spelling import listed, meant, nearest

SITE: Final = "site"
METHODS: Final = ("blocked", "pairs", "rerandomised", "minimised", "stepped_wedge", "crossover", "recorded")
_SEEDS: Final = frozenset({"seed", "random_seed", "rng", "random_state"})
_LISTED: Final = frozenset({"arms", "outcomes", "waves"})
_KEYED: Final = frozenset(
    {"columns", "bands", "exclude_if", "details", "events", "claims", "smallest_worthwhile", "costs", "minutes"}
)

Locate: TypeAlias = Callable[[Path, bool, int | None], Place]
"""The place of a path: of its value, or of the key itself where the second argument is true; with an offset inside."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of it: the experiment where nothing is wrong, every problem, and notes that refuse nothing."""

    experiment: Experiment | None
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def read(values: Any, locate: Locate) -> Reading:
    """Read plain values (dict, list, str, int, float, bool, None) as an experiment."""
    if not isinstance(values, dict) or not values:
        return Reading(None, (Code.NOT_A_MAPPING.at(locate((), False, None)),), ())
    model = _model_of(values)
    reader = _Reader(model, locate)
    values = reader.mend(values, ())
    experiment: Experiment | None = None
    errors: list[ErrorDetails] = []
    try:
        experiment = model.model_validate(values)
    except ValidationError as fault:
        errors = [error for error in fault.errors(include_url=False) if not _only_short_of_unsound(error)]
    for error in errors:
        reader.explain(error)
    draft = _draft(model, values, errors)
    checks = {RecordedExperiment: RECORDED, SiteExperiment: SITES}.get(model, LIVE)
    notes = [reader.settle(finding) for check in checks for finding in check(draft)]
    problems = tuple(dict.fromkeys(reader.problems))
    return Reading(None if problems else experiment, problems, tuple(note for note in notes if note is not None))


def _model_of(values: Mapping[str, Any]) -> type[LiveExperiment] | type[RecordedExperiment]:
    design = values.get("design")
    method = design.get("method") if isinstance(design, dict) else None
    recorded = nearest(method, METHODS) == "recorded" if isinstance(method, str) else "data" in values
    if recorded:
        return RecordedExperiment
    return SiteExperiment if values.get("unit") == SITE or "sites" in values else LiveExperiment


class _Reader:
    """One reading of one plan, gathering problems."""

    def __init__(self, model: type[LiveExperiment] | type[RecordedExperiment], locate: Locate) -> None:
        self.model = model
        self.recorded = model is RecordedExperiment
        self.other: type[BaseModel] = LiveExperiment if self.recorded else RecordedExperiment
        self.locate = locate
        self.renamed: dict[Path, Path] = {}
        self.problems: list[Problem] = []

    def place(self, path: Path, *, on_key: bool = False, offset: int | None = None) -> Place:
        written: list[Key] = []
        for depth, key in enumerate(path):
            spelt = self.renamed.get(path[: depth + 1])
            written.append(spelt[-1] if spelt else key)
        return self.locate(tuple(written), on_key, offset)

    def refuse(self, code: Code, path: Path, *, on_key: bool = False, **facts: object) -> None:
        self.problems.append(code.at(self.place(path, on_key=on_key), **facts))

    def mend(self, value: Any, path: Path) -> Any:
        """The values without the keys that do not belong, or with the nearest key that does in their stead."""
        if isinstance(value, list):
            return [self.mend(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        model = _model_at(self.model, path)
        mended: dict[str, Any] = {}
        for key, item in value.items():
            known = self.known(str(key), path, model, value)
            if known is not None:
                mended[known] = self.mend(item, (*path, known))
        return mended

    def known(self, key: str, path: Path, model: type[BaseModel] | None, beside: Mapping[str, Any]) -> str | None:
        """The key, the key that was meant, or None where neither is known; refused unless it is the key itself."""
        if model is None or key in _keys(model):
            return key
        if key.lower() in _SEEDS:
            self.refuse(Code.SEED_GIVEN, (*path, key), on_key=True, key=key)
            return None
        other = _model_at(self.other, path)
        if other is not None and key in _keys(other):
            switch = "`design.method: blocked`" if self.recorded else "`design.method: recorded`"
            code = Code.KEY_OF_LIVE if self.recorded else Code.KEY_OF_RECORDED
            self.refuse(code, (*path, key), on_key=True, key=key, switch=switch)
            return None
        valid = self.offered(model)
        near = nearest(key, [word for word in valid if word not in beside])
        fix = f"Did you mean `{near}`?" if near else meant(key, valid, f"Remove `{key}`.")
        self.refuse(Code.KEY_UNKNOWN, (*path, key), on_key=True, valid=listed(valid), fix=fix)
        if near is not None and (*path, near) not in self.renamed:
            self.renamed[(*path, near)] = (*path, key)
            return near
        return None

    def offered(self, model: type[BaseModel]) -> list[str]:
        """The keys to suggest: of an outcome, those that this kind of plan can use."""
        if model is not Outcome:
            return _keys(model)
        fitting = RECORDED_OUTCOME_KEYS if self.recorded else LIVE_OUTCOME_KEYS
        if self.model is SiteExperiment:
            fitting = SITE_OUTCOME_KEYS
        return [key for key in _keys(model) if key in fitting]

    def explain(self, error: ErrorDetails) -> None:
        """Add the problem that an error of pydantic's stands for."""
        path = tuple(key for key in error["loc"] if key != "[key]")
        on_key = "[key]" in error["loc"]
        kind, context = error["type"], error.get("ctx", {})
        last = next((str(key) for key in reversed(path) if isinstance(key, str)), "")
        if kind == "missing":
            outer = ".".join(key for key in path[:-1] if isinstance(key, str))
            self.refuse(Code.KEY_MISSING, path[:-1], key=last, where=f" in `{outer}`" if outer else "")
        elif error["input"] is None or kind == "KEY_BLANK":
            self.refuse(Code.KEY_BLANK, path, on_key=isinstance(path[-1], str), key=last)
        elif kind in Code.__members__:
            self.refuse(Code[kind], path, on_key=on_key, **context)
        elif kind in {"literal_error", "enum"}:
            words = METHODS if path == ("design", "method") else re.findall(r"'([^']*)'", context["expected"])
            fix = meant(str(error["input"]), words, "Choose one of them.")
            self.refuse(Code.NAME_UNKNOWN, path, valid=listed(words), fix=fix)
        elif kind == "too_short":
            self.refuse(Code.TOO_FEW, path, on_key=True, least=context["min_length"], key=last)
        else:
            self.refuse(_PYDANTIC.get(kind, Code.VALUE_MISFITS), path)

    def settle(self, finding: Finding) -> Problem | None:
        """Add what a check found to the problems; or hand it back where it is only a note."""
        facts = dict(finding.facts)
        if "path" in facts:
            facts["line"] = self.place(facts.pop("path")).line or "another place"  # type: ignore[arg-type]
        problem = finding.code.at(self.place(finding.path, on_key=finding.on_key, offset=finding.offset), **facts)
        if finding.note:
            return problem
        self.problems.append(problem)
        return None


_PYDANTIC: Final = {
    "string_type": Code.TEXT_WANTED,
    "bool_type": Code.TRUE_OR_FALSE_WANTED,
    "int_type": Code.WHOLE_WANTED,
    "float_type": Code.NUMBER_WANTED,
    "less_than_equal": Code.NUMBER_TOO_LARGE,
    "greater_than_equal": Code.NOT_NEGATIVE_WANTED,
    "tuple_type": Code.LIST_WANTED,
    "list_type": Code.LIST_WANTED,
    "too_long": Code.LIST_WANTED,
    "mapping_type": Code.KEYS_WANTED,
    "dict_type": Code.KEYS_WANTED,
    "model_type": Code.KEYS_WANTED,
    "model_attributes_type": Code.KEYS_WANTED,
}


def _only_short_of_unsound(error: ErrorDetails) -> bool:
    """pydantic counts only the sound items of a list, so one slip in an arm would also be an arm too few."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _draft(model: type[BaseModel], values: Mapping[str, Any], errors: list[ErrorDetails]) -> Draft:
    """What of the plan is sound, part by part."""
    unsound = {error["loc"][:2] for error in errors}
    broken = {str(loc[0]) for loc in unsound}
    fill = recorded_outcome if model is RecordedExperiment else live_outcome
    parts: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        given = values.get(name)
        if (name,) in unsound:
            continue
        if name in _LISTED or name in _KEYED:
            items = _items(given)
            item = _item_type(field)
            sound = [(key, item.validate_python(value)) for key, value in items if (name, key) not in unsound]
            if name == "columns":  # a slip in a kind need not hide what is said about the column
                guessed = [(key, nearest(str(value), Kind)) for key, value in items if (name, key) in unsound]
                sound += [(key, Kind(kind)) for key, kind in guessed if kind is not None]
                broken -= {name} if len(sound) == len(items) else set()
            parts[name] = [(key, fill(value)) for key, value in sound] if name == "outcomes" else sound
        elif name not in broken:
            parts[name] = (
                field.get_default(call_default_factory=True) if given is None else _type(field).validate_python(given)
            )
    return Draft(parts, frozenset(broken), values)


def _items(given: Any) -> list[tuple[Key, Any]]:
    if isinstance(given, dict):
        return list(given.items())
    return list(enumerate(given)) if isinstance(given, list) else []


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _type(field: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = field.annotation
    return _adapter(annotation)


def _item_type(field: FieldInfo) -> TypeAdapter[Any]:
    """The type of the items of a tuple[item, ...] or Mapping[key, item]."""
    inner = [part for part in get_args(field.annotation) if part is not Ellipsis]
    return _adapter(inner[-1])


def _keys(model: type[BaseModel]) -> list[str]:
    """The keys of a model as they are written in a file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model whose keys stand at a path; None where a plan has free keys there, or none."""
    found: Any = model
    for key in path:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = next((field for name, field in found.model_fields.items() if (field.alias or name) == key), None)
            found = None if field is None else _bare(field.annotation)
        else:
            inner = [part for part in get_args(found) if part is not Ellipsis]
            found = _bare(inner[-1]) if inner and not _is_leaf(found) else None
        if found is None:
            return None
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _is_leaf(annotation: Any) -> bool:
    return get_origin(annotation) is Literal


def _bare(annotation: Any) -> Any:
    """An annotation without its `| None` and its validators."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return _bare(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation
