"""What a template asks for, read from its own syntax tree: columns of the extract, claims, lines of the council."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from jinja2 import meta, nodes

from nudge.base.columns import Kind
from nudge.documents.templates import RESERVED, TemplateFolder

_KIND_OF_FILTER: Final = {
    "pounds": Kind.MONEY,
    "number": Kind.NUMBER,
    "day": Kind.DATE,
    "later": Kind.DATE,
    "month": Kind.DATE,
}
_PARTS: Final = ("claims", "council", "details")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The names that a template and all it uses ask for. Kinds follow the filters: what none tells is text.

    `fields` are columns of the extract, `details` constants of the experiment.
    """

    fields: Mapping[str, Kind]
    details: Mapping[str, Kind]
    claims: tuple[str, ...]
    council: tuple[str, ...]


def needs_of(folder: TemplateFolder, template: str) -> Needs:
    """What has to be given to fill in this template. Names under a condition count too."""
    trees = folder.trees(template)
    fields = dict.fromkeys(sorted({name for tree in trees for name in meta.find_undeclared_variables(tree)} - RESERVED))
    parts: dict[str, dict[str, Kind]] = {part: {} for part in _PARTS}
    kinds: dict[str, Kind] = {}
    for tree in trees:
        for attribute in tree.find_all(nodes.Getattr):
            if isinstance(attribute.node, nodes.Name) and attribute.node.name in parts:
                parts[attribute.node.name].setdefault(attribute.attr, Kind.TEXT)
        for where, name, kind in _told(tree):
            (kinds if where is None else parts[where])[name] = kind
    return Needs(
        fields={name: kinds.get(name, Kind.TEXT) for name in fields},
        details=dict(sorted(parts["details"].items())),
        claims=tuple(sorted(parts["claims"])),
        council=tuple(sorted(parts["council"])),
    )


def joined(several: Iterable[Needs]) -> Needs:
    """What several templates ask for together, as the languages of one letter do."""
    found = tuple(several)
    return Needs(
        fields={name: kind for one in reversed(found) for name, kind in one.fields.items()},
        details={name: kind for one in reversed(found) for name, kind in one.details.items()},
        claims=tuple(sorted({name for one in found for name in one.claims})),
        council=tuple(sorted({name for one in found for name in one.council})),
    )


def _told(tree: nodes.Template) -> Iterator[tuple[str | None, str, Kind]]:
    """Kinds that filters and conditions tell: (part or None for a column, name, kind)."""
    tests = [branch.test for branch in tree.find_all(nodes.If)]
    tests += [branch.test for branch in tree.find_all(nodes.CondExpr)]
    for test in tests:
        tested = test.node if isinstance(test, nodes.Not) else test
        if (named := _named(tested)) is not None:
            yield (*named, Kind.FLAG)
    for piped in tree.find_all(nodes.Filter):
        if piped.name in _KIND_OF_FILTER and (named := _named(piped.node)) is not None:
            yield (*named, _KIND_OF_FILTER[piped.name])


def _named(node: nodes.Node | None) -> tuple[str | None, str] | None:
    if isinstance(node, nodes.Name):
        return None, node.name
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name in _PARTS:
        return node.node.name, node.attr
    return None
