"""The council's templates: read once, looked through for what may not stand in them, and filled in a sandbox (I14).

A template sees a frozen view of one letter and nothing else: no loader outside the folder, no globals, no filter that
fills a gap. What is missing or blank stops that letter.
"""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
    pass_context,
)
from jinja2.exceptions import SecurityError, TemplateNotFound
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from nudge.base.columns import Value
from nudge.base.errors import Place, Problem, Refused
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.base.values import pounds as pounds_in_words
from nudge.documents.address import address_lines
from nudge.documents.codes import TemplateCode
from nudge.documents.council import CouncilLines
from nudge.documents.form import language_of, template_in
from nudge.documents.halves import bound
from nudge.documents.letter import LetterSpec
from nudge.documents.qr import qr_image, sign_image
from nudge.documents.sign_spec import SignSpec

KINDS: Final = frozenset({".html", ".css", ".svg", ".png", ".jpg", ".jpeg"})
MOST_BYTES: Final = 200_000  # a letter's template is some 6 kB; the sandbox itself sets no limit on size
RESERVED: Final = frozenset(
    {
        "recipient",
        "claims",
        "council",
        "details",
        "letter",
        "sign",
        "as_of",
        "letter_date",
        "language",
        "tenancy_reference",
    }
    | {"payment_reference", "loop", "self", "super", "caller", "true", "false", "none", "not", "and", "or", "in", "is"}
)
_MARK: Final = re.compile(r"data-(claim|required)\s*=\s*[\"']?([A-Za-z0-9_-]+)")
_BETWEEN_FIGURES: Final = re.compile(r"(?<=\d) (?=\d)")
_UNDER: Final = {"claims": "`claims:`", "details": "`details:`", "council": "[council] in nudge.toml"}
_EXPRESSION: Final = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_BANNED_NODES: Final[Mapping[type[nodes.Node], str]] = {
    nodes.ScopedEvalContextModifier: "autoescape",
    nodes.EvalContextModifier: "autoescape",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.FilterBlock: "filter blocks",
}
_ALLOWED_TESTS: Final = frozenset({"none", "even", "odd", "eq", "ne", "lt", "gt", "le", "ge", "in", "sameas"})


class Pence(int):
    """Money on its way into a template: it prints only through `pounds`, so never as bare pence."""


class _Blank(TemplateError):
    """A value that is None or blank reached the page."""


class _Bare(TemplateError):
    """A value that needs a filter reached the page without one."""

    def __init__(self, kind: str, filter_name: str) -> None:
        super().__init__()
        self.kind, self.filter_name = kind, filter_name


def _pounds(amount: object) -> str:
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise _Blank
    return pounds_in_words(amount)


@pass_context
def _day(context: Context, day: object) -> str:
    if not isinstance(day, date):
        raise _Blank
    return LANGUAGES[context["language"]].day(day).replace(" ", "\u00a0")


def _later(day: object, days: int) -> date:
    if not isinstance(day, date):
        raise _Blank
    return day + timedelta(days=days)


@pass_context
def _month(context: Context, day: object) -> str:
    if not isinstance(day, date):
        raise _Blank
    return LANGUAGES[context["language"]].month(day)


def _number(number: object) -> str:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise _Blank
    return f"{number:,.10g}"


def _lines(text: object) -> list[str]:
    """`12 High Street, Anytown` as lines: cut at line ends, or where there are none at commas."""
    if not isinstance(text, str):
        raise _Blank
    parts = text.splitlines() if "\n" in text else text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _finalize(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _Blank
    if isinstance(value, bool):
        raise _Bare("yes or no", "choice in words, not the flag")
    if isinstance(value, Pence):
        raise _Bare("money", "pounds")
    if isinstance(value, (int, float)):
        raise _Bare("a number", "number")
    if isinstance(value, date):
        raise _Bare("a date", "day")
    if isinstance(value, (list, tuple, dict, View, CouncilLines)):
        raise _Bare("a list", "join")
    if isinstance(value, str) and not isinstance(value, Markup):
        return _BETWEEN_FIGURES.sub("\u00a0", value)  # a telephone number is never broken over two lines
    return value


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, less the operators that make memory out of nothing."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator != "*" or not all(isinstance(side, (int, float)) for side in (left, right)):
            msg = f"the operator {operator}"
            raise SecurityError(msg)
        return super().call_binop(context, operator, left, right)


@dataclass(frozen=True, slots=True)
class View:
    """Named values a template may read and nothing more; a name that is not there is an undefined name."""

    _values: Mapping[str, object]

    def __getitem__(self, name: str) -> object:
        return self._values[name]


@dataclass(frozen=True, slots=True)
class TemplateFolder:
    """A folder of templates, with the style sheets and images that they use."""

    path: Path

    def names(self) -> tuple[str, ...]:
        """Every template, relative to the folder, in order."""
        return tuple(name for name in self._files() if name.endswith(".html"))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file that a letter can draw on: templates, style sheets, images."""
        return {name: sha256((self.path / name).read_bytes()).hexdigest() for name in self._files()}

    def used_by(self, template: str) -> tuple[str, ...]:
        """The template and every template it extends or includes, in order of name."""
        sources = _open(self.path, self._stamp()).sources
        return tuple(sorted(_closure(template, sources)))

    def marks(self, template: str, kind: str) -> tuple[str, ...]:
        """The ids that the template and all it uses carry as `data-claim` or `data-required`, in order of name."""
        sources = _open(self.path, self._stamp()).sources
        written = "".join(sources[name] for name in _closure(template, sources))
        return tuple(sorted({mark for what, mark in _MARK.findall(written) if what == kind}))

    def trees(self, template: str) -> tuple[nodes.Template, ...]:
        """The syntax trees of the template and all it uses; Refused where one does not read as Jinja."""
        opened = _open(self.path, self._stamp())
        if template not in opened.sources:
            raise Refused(TemplateCode.TEMPLATE_ABSENT.at(Place(template), template=template))
        Refused.when(opened.problems_of(template))
        return tuple(opened.sandbox.parse(opened.sources[name], name) for name in self.used_by(template))

    def html(self, spec: LetterSpec) -> str:
        """The letter as HTML, all its languages in one. Refused where a template, a name or a value is not good enough.

        A template named with its own language (`x.cy.html`) is filled in in that one.
        """
        parts = []
        for language in spec.languages:
            template = template_in(spec.template, spec.format, language)
            spoken = language if len(spec.languages) > 1 else language_of(template)
            context = partial(_context, spec, spoken)
            parts.append((spoken, self._filled(template, f"letter {spec.reference}", context)))
        return bound(parts, spec.form, spec.template)

    def sign_html(self, spec: SignSpec) -> str:
        """The sign as HTML, by the same rules."""
        return self._filled(spec.template, f"sign {spec.reference}", lambda: _sign_context(spec))

    def _filled(self, name: str, whose: str, context: Callable[[], dict[str, object]]) -> str:
        opened = _open(self.path, self._stamp())
        if name not in opened.sources:
            raise Refused(TemplateCode.TEMPLATE_ABSENT.at(Place(name), template=name))
        Refused.when(opened.problems_of(name))
        try:
            return opened.template(name).render(context())
        except Refused:
            raise
        except Exception as fault:  # whatever a template can bring about is that letter's refusal, not our crash
            raise Refused(_fault(fault, name, whose, opened.sources)) from None

    def _files(self) -> list[str]:
        return sorted(
            path.relative_to(self.path).as_posix()
            for path in self.path.rglob("*")
            if path.suffix in KINDS and path.is_file() and not path.is_symlink()
        )

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        def stamp(name: str) -> tuple[str, int, int]:
            seen = (self.path / name).stat()
            return name, seen.st_mtime_ns, seen.st_size

        return tuple(stamp(name) for name in self._files() if name.endswith(".html"))


def check_templates(folder: TemplateFolder, templates: tuple[str, ...]) -> tuple[Problem, ...]:
    """What is wrong with templates that are the same letter in different arms, all at once.

    Beside each template's own faults: a block marked `data-required` in one and missing in another.
    """
    opened = _open(folder.path, folder._stamp())
    found: list[Problem] = []
    required: dict[str, str] = {}
    for template in templates:
        if template not in opened.sources:
            found.append(TemplateCode.TEMPLATE_ABSENT.at(Place(template), template=template))
            continue
        found += opened.problems_of(template)
        for block in folder.marks(template, "required"):
            required.setdefault(block, template)
    for template in templates:
        if template in opened.sources:
            held = folder.marks(template, "required")
            found += [
                TemplateCode.BLOCK_REQUIRED.at(Place(template), block=block, because=f"{first} has")
                for block, first in required.items()
                if block not in held
            ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The sources of a folder as they stood, each looked through, with the sandbox they are filled in."""

    sources: Mapping[str, str]
    problems: Mapping[str, tuple[Problem, ...]]
    sandbox: _Sandbox

    def problems_of(self, template: str) -> tuple[Problem, ...]:
        names = sorted(_closure(template, self.sources))
        return tuple(problem for name in names for problem in self.problems.get(name, ()))

    def template(self, name: str) -> Template:
        return self.sandbox.get_template(name)


@lru_cache(maxsize=8)
def _open(path: Path, stamp: tuple[tuple[str, int, int], ...]) -> _Opened:
    sources: dict[str, str] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    for name, _, size in stamp:
        if size > MOST_BYTES:
            problems[name] = (TemplateCode.TEMPLATE_TOO_LARGE.at(Place(name), limit=MOST_BYTES // 1000),)
            sources[name] = ""
            continue
        try:
            sources[name] = (path / name).read_text("utf-8-sig")
        except UnicodeDecodeError:
            problems[name] = (TemplateCode.TEMPLATE_NOT_UTF8.at(Place(name)),)
            sources[name] = ""
    sandbox = _Sandbox(
        loader=FunctionLoader(lambda name: (sources[name], name, None) if name in sources else None),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    sandbox.globals.clear()
    kept = {name: sandbox.filters[name] for name in ("join", "first", "last", "length")}
    sandbox.filters = kept | {"pounds": _pounds, "day": _day, "month": _month, "number": _number, "lines": _lines}
    sandbox.filters["later"] = _later
    sandbox.tests = {name: test for name, test in sandbox.tests.items() if name in _ALLOWED_TESTS or not name.isalpha()}
    for name, source in sources.items():
        if name not in problems:
            problems[name] = tuple(_look_through(name, source, sources, sandbox))
    return _Opened(sources, problems, sandbox)


def _closure(template: str, sources: Mapping[str, str]) -> set[str]:
    seen: set[str] = set()
    waiting = [template]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in sources:
            continue
        seen.add(name)
        waiting += re.findall(r"\{%-?\s*(?:extends|include)\s+[\"']([^\"']+)[\"']", sources[name])
    return seen


def _look_through(name: str, source: str, sources: Mapping[str, str], sandbox: _Sandbox) -> Iterator[Problem]:
    try:
        tree = sandbox.parse(source, name)
    except TemplateSyntaxError as fault:
        yield TemplateCode.TEMPLATE_UNREADABLE.at(Place(name, line=fault.lineno), reason=fault.message or "syntax")
        return
    for node in tree.find_all(nodes.Node):
        place = Place(name, line=node.lineno)
        if isinstance(node, nodes.Filter) and node.name not in sandbox.filters:
            yield TemplateCode.FILTER_BANNED.at(place, name=node.name, valid=", ".join(sorted(sandbox.filters)))
        elif isinstance(node, nodes.Test) and node.name not in sandbox.tests:
            yield TemplateCode.CONSTRUCT_BANNED.at(place, name=f"`is {node.name}`")
        elif type(node) in _BANNED_NODES:
            yield TemplateCode.CONSTRUCT_BANNED.at(place, name=_BANNED_NODES[type(node)])
        elif isinstance(node, (nodes.Include, nodes.Extends)):
            if not isinstance(node.template, nodes.Const) or getattr(node, "ignore_missing", False):
                yield TemplateCode.CONSTRUCT_BANNED.at(place, name="a template chosen as it is filled in")
            elif node.template.value not in sources:
                yield TemplateCode.TEMPLATE_ABSENT.at(place, template=node.template.value)
    yield from _conditional_marks(name, tree, sources)
    marked = {mark for kind, mark in _MARK.findall(source) if kind == "claim"}
    for attribute in tree.find_all(nodes.Getattr):
        if isinstance(attribute.node, nodes.Name) and attribute.node.name == "claims" and attribute.attr not in marked:
            yield TemplateCode.CLAIM_UNMARKED.at(Place(name, line=attribute.lineno), claim=attribute.attr)


def _conditional_marks(name: str, tree: nodes.Template, sources: Mapping[str, str]) -> Iterator[Problem]:
    for branch in tree.find_all((nodes.If, nodes.For, nodes.CondExpr)):
        text = "".join(data.data for data in branch.find_all(nodes.TemplateData))
        for include in branch.find_all(nodes.Include):
            if isinstance(include.template, nodes.Const):
                text += "".join(sources[used] for used in _closure(include.template.value, sources))
        marks = [f"data-{kind}={mark}" for kind, mark in _MARK.findall(text)]
        if not marks and any(named.name == "claims" for named in branch.find_all(nodes.Name)):
            marks = ["claims"]
        for mark in marks:
            yield TemplateCode.MARK_UNDER_CONDITION.at(Place(name, line=branch.lineno), mark=mark)


def _context(spec: LetterSpec, language: str) -> dict[str, object]:
    taken = sorted(RESERVED.intersection(spec.fields))
    Refused.when(TemplateCode.FIELD_NAME_TAKEN.at(spec.place, name=name) for name in taken)
    return {
        **{name: _typed(value) for name, value in spec.fields.items()},
        "recipient": View(
            {
                "name": composed(spec.name),
                "salutation": composed(spec.salutation),
                "address": tuple(map(composed, address_lines(spec.name, spec.post_to))),
            }
        ),
        "claims": View(spec.claims if language == ENGLISH else spec.claims_in.get(language, {})),
        "council": CouncilLines(spec.council, language, spec.place),
        "details": View({name: _typed_detail(value) for name, value in spec.details.items()}),
        "letter": View(
            {
                "reference": spec.reference,
                "qr": qr_image(spec.council.get("website", ""), spec.reference),
            }
        ),
        "letter_date": spec.letter_date,
        "as_of": spec.as_of,
        "language": language,
        "tenancy_reference": spec.tenancy_reference,
        "payment_reference": spec.payment_reference,
    }


def _sign_context(spec: SignSpec) -> dict[str, object]:
    return {
        "claims": View(spec.claims),
        "council": View(spec.council),
        "details": View({name: _typed_detail(value) for name, value in spec.details.items()}),
        "sign": View(
            {
                "reference": spec.reference,
                "qr": sign_image(spec.council.get("website", ""), spec.reference),
                "size": spec.size,
                "orientation": spec.orientation,
            }
        ),
        "language": spec.language,
    }


def _typed(value: Value) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Pence(value)
    return composed(value) if isinstance(value, str) else value


def _typed_detail(value: str | int | date) -> object:
    """A whole number as a number: it is no money, so `pounds` refuses it."""
    return float(value) if isinstance(value, int) else _typed(value)


def composed(text: str) -> str:
    """Text with accents composed (NFC), so that one name is one string on the page and in the check."""
    return unicodedata.normalize("NFC", text)


def _fault(fault: Exception, template: str, whose: str, sources: Mapping[str, str]) -> Problem:
    """The refusal of what went wrong while filling in. Never quotes the exception where it could hold a cell."""
    source, line = template, None
    for frame in traceback.extract_tb(fault.__traceback__):
        if frame.filename in sources:
            source, line = frame.filename, frame.lineno
    place = Place(f"{source} for {whose}", line=line)
    text = sources.get(source, "").splitlines()
    written = text[line - 1] if line is not None and line <= len(text) else ""
    names = ", ".join(_EXPRESSION.findall(written)) or "a value"
    if isinstance(fault, _Blank):
        return TemplateCode.VALUE_BLANK.at(place, name=names)
    if isinstance(fault, _Bare):
        return TemplateCode.VALUE_BARE.at(place, kind=fault.kind, name=names, filter=fault.filter_name)
    if isinstance(fault, UndefinedError):
        return TemplateCode.NAME_UNDEFINED.at(place, reason=names, under=_UNDER.get(names.split(".")[0], "`columns:`"))
    if isinstance(fault, TemplateNotFound):
        return TemplateCode.TEMPLATE_ABSENT.at(place, template=names)
    if isinstance(fault, TemplateSyntaxError):
        return TemplateCode.TEMPLATE_UNREADABLE.at(place, reason="syntax")
    return TemplateCode.OPERATION_REFUSED.at(place, name=names)
