"""Read an experiment file, or refuse it with everything that is wrong, each at its file:line:column."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nudge.base.errors import Place, Problem, Refused
from nudge.experiment import reading, source
from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.definition import Experiment
from nudge.experiment.draft import Path as KeyPath
from nudge.experiment.source import Listing, Node, Pairs, Scalar, Text

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An experiment and the text it was read from. `notes` refuse nothing: say them, and go on."""

    experiment: Experiment
    name: str
    text: str
    sha256: str  # of the file's bytes
    notes: tuple[Problem, ...] = ()
    root: Node = field(repr=False, compare=False)

    def place(self, *path: str | int) -> Place:
        """Line and column of a value by its path of keys; of the nearest key around it where the file has none."""
        return _place(Text(self.name, self.text), self.root, path, on_key=False)


def load(path: Path) -> Loaded:
    """Read a file. Raises Refused with all problems at once, each at file:line:column."""
    place = Place(path.name)
    if path.is_dir():
        raise Refused(Code.FILE_NOT_A_FILE.at(place))
    try:
        with path.open("rb") as stream:
            content = stream.read(source.LARGEST + 1)
    except FileNotFoundError:
        raise Refused(Code.FILE_MISSING.at(place)) from None
    if len(content) > source.LARGEST:
        raise Refused(Code.FILE_TOO_LARGE.at(place))
    return _read(content, path.name)


def parse(text: str, name: str) -> Loaded:
    """Read an experiment from text, as `load` would from a file of that name."""
    try:
        content = text.encode()
    except UnicodeEncodeError as fault:  # half a surrogate pair is no text
        raise Refused(Code.FILE_NOT_UTF8.at(Text(name, text).place(fault.start))) from None
    if len(content) > source.LARGEST:
        raise Refused(Code.FILE_TOO_LARGE.at(Place(name)))
    return _read(content, name)


def define(values: Mapping[str, Any], name: str = "experiment") -> Experiment:
    """Read an experiment from plain values, such as a dict written in Python. Raises Refused with all problems."""

    def locate(path: KeyPath, on_key: bool, offset: int | None) -> Place:
        return Place(name, heading=".".join(map(str, path)) or None)

    found = reading.read(values, locate)
    if found.experiment is None:
        raise Refused(*found.problems)
    return found.experiment


def _read(content: bytes, name: str) -> Loaded:
    sha256 = hashlib.sha256(content).hexdigest()
    content = content.removeprefix(_BOM)
    try:
        decoded = content.decode()
    except UnicodeDecodeError as fault:
        before = Text(name, content[: fault.start].decode())
        raise Refused(Code.FILE_NOT_UTF8.at(before.place(len(before.text)))) from None
    text = Text(name, decoded)
    tree = source.tree(text)
    root = tree.root
    if root is None:
        raise Refused(*(tree.problems or [Code.FILE_EMPTY.at(Place(name))]))

    def locate(path: KeyPath, on_key: bool, offset: int | None) -> Place:
        return _place(text, root, path, on_key=on_key, offset=offset)

    found = reading.read(source.value_of(root), locate)
    problems = [*tree.problems, *(problem for problem in found.problems if problem.place not in tree.told)]
    if problems or found.experiment is None:
        raise Refused(*sorted(problems, key=_order))
    notes = tuple(sorted(found.notes, key=_order))
    return Loaded(experiment=found.experiment, name=name, text=decoded, sha256=sha256, notes=notes, root=root)


def _place(text: Text, root: Node, path: KeyPath, *, on_key: bool, offset: int | None = None) -> Place:
    """Walk down the tree; where a step is not there, stay at the last key or item that is."""
    node, key_at = root, root.start
    for step in path:
        if isinstance(node, Pairs) and step in node.values:
            key_at, node = node.keys[str(step)].start, node.values[str(step)]
        elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            key_at = node.start
        else:
            return text.place(key_at)
    if on_key:
        return text.place(key_at)
    if offset is not None and isinstance(node, Scalar):
        return text.inside(node, offset)
    return text.place(node.start)


def _order(problem: Problem) -> tuple[int, int]:
    return problem.place.line or 0, problem.place.column or 0
