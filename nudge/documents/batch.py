"""A batch of letters: proved before the draw, made after it, and made again only where something is missing (I11).

Each letter is a file of its own, written whole. `.made.jsonl` in the same folder says of each what it was made from
and what its bytes are; a letter whose line and file both hold is kept.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

from nudge._version import __version__
from nudge.base.canonical import digest
from nudge.base.errors import Problem, Refused
from nudge.base.files import sha256_file, write_whole
from nudge.documents.checks import check_batch, check_letter, check_values
from nudge.documents.codes import LetterCode
from nudge.documents.crew import CHUNK, LocalExecutor, Lost, carry_out, processors
from nudge.documents.form import Format
from nudge.documents.letter import REFERENCE_PATTERN, LetterSpec
from nudge.documents.page import FONTS, Drawn, characters, draw
from nudge.documents.plaintext import write_text
from nudge.documents.profiles import Profile, profile_named
from nudge.documents.readback import read_back
from nudge.documents.remarks import refusals, remarks_on_look, remarks_on_words
from nudge.documents.structure import check_structure
from nudge.documents.templates import TemplateFolder
from nudge.workspace import PLAIN_PRINTING, PrintSettings

FOLDER: Final = "letters"
EMAILS: Final = "email"
TASKS: Final = "tasks"
JOURNAL: Final = ".made.jsonl"
_FEW: Final = 2 * CHUNK  # up to here, starting processes takes longer than drawing in this one
Item = TypeVar("Item")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFile:
    """A letter on disk: its reference, its file, the SHA-256 of its bytes, its pages and sheets of paper."""

    reference: str
    path: Path
    sha256: str
    pages: int
    sheets: int
    format: Format = Format.STANDARD

    @property
    def on_paper(self) -> bool:
        """Whether it goes into the print pack."""
        return self.format.on_paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a run of `make_letters` left: letters in the order of the specs, refusals by reference, and how many
    of the letters stood already."""

    letters: tuple[LetterFile, ...]
    refused: Mapping[str, tuple[Problem, ...]]
    kept: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter; in the journal without its problems."""

    reference: str
    problems: tuple[Problem, ...]
    key: str = ""
    sha256: str = ""
    pages: int = 0
    format: Format = Format.STANDARD


def local_executor(workers: int | None = None) -> Executor:
    """Processes of this machine, as many as it has processors unless stated; survives a worker that is killed."""
    return LocalExecutor(workers or processors(), warm_up=warm_up)


def warm_up() -> None:
    """What a worker does once: import the page maker and read the fonts.

    The collector runs after each piece of work and not within it: a twelfth faster, and 35 MB at most.
    """
    characters()
    gc.freeze()
    gc.disable()


def prove_letters(
    specs: Sequence[LetterSpec],
    folder: TemplateFolder,
    profile: str,
    *,
    printing: PrintSettings = PLAIN_PRINTING,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Mapping[str, tuple[Problem, ...]]:
    """Draw and check every letter and write nothing. By reference, the problems of each letter that has any.

    One person's letters of several arms may be proved at once: they share a reference, and their problems are joined.
    The build of each template is checked for screen readers too. Without an executor a small batch is drawn in this
    process, a larger one in processes of its own.
    """
    profile_named(profile)
    found: dict[str, tuple[Problem, ...]] = {}
    proved = 0
    for outcomes in _shared_out(partial(_prove, folder, profile, printing), specs, executor):
        for outcome in outcomes:
            found[outcome.reference] = tuple(dict.fromkeys((*found.get(outcome.reference, ()), *outcome.problems)))
        proved += len(outcomes)
        if progress is not None:
            progress(proved, len(specs))
    return {spec.reference: found[spec.reference] for spec in specs if found.get(spec.reference)}


def make_letters(
    specs: Sequence[LetterSpec],
    folder: TemplateFolder,
    profile: str,
    out: Path,
    *,
    printing: PrintSettings = PLAIN_PRINTING,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Made:
    """Draw, check and write `out/letters/<reference>.pdf`, each mode 0600; keep what is there, whole and unchanged.

    A letter that is not printed is text: `out/email/<reference>.txt`, or `out/tasks/` for whoever transcribes it.

    A letter with a problem is not written, and one that stood there is taken away. EnvironmentFault where the disk
    is full: what is written so far stays, and the same call goes on from there.
    """
    profile_named(profile)
    Refused.when(check_batch(specs))
    hashes = folder.hashes()
    target = out / FOLDER
    keys = {spec.reference: letter_key(spec, hashes, profile) for spec in specs}
    known = {outcome.reference: outcome for outcome in _read_journal(target / JOURNAL)}
    made = {
        reference: outcome
        for reference, outcome in known.items()
        if keys.get(reference) == outcome.key and _stands(target, outcome)
    }
    others = [outcome for reference, outcome in known.items() if reference not in keys]  # of a run for other letters
    kept = len(made)
    tasks = [(spec, keys[spec.reference]) for spec in specs if spec.reference not in made]
    refused: dict[str, tuple[Problem, ...]] = {}
    _write_journal(target / JOURNAL, (*others, *made.values()))
    if progress is not None:
        progress(kept, len(specs))
    with (target / JOURNAL).open("a", encoding="utf-8") as journal:
        for outcomes in _shared_out(partial(_make, folder, profile, printing, target), tasks, executor):
            for outcome in outcomes:
                if outcome.problems:
                    refused[outcome.reference] = outcome.problems
                    for form in Format:
                        letter_path(target, outcome.reference, form).unlink(missing_ok=True)
                else:
                    made[outcome.reference] = outcome
                    journal.write(_line(outcome))
            journal.flush()
            if progress is not None:
                progress(len(made) + len(refused), len(specs))
    return Made(
        letters=tuple(_letter_file(target, made[spec.reference], printing) for spec in specs if spec.reference in made),
        refused={spec.reference: refused[spec.reference] for spec in specs if spec.reference in refused},
        kept=kept,
    )


def letter_path(folder: Path, reference: str, format_: Format = Format.STANDARD) -> Path:
    """Where a letter lies: in the folder of letters, or beside it. The reference is nudge's own: safe as a name."""
    if REFERENCE_PATTERN.fullmatch(reference) is None:
        msg = "not a letter reference"
        raise ValueError(msg)
    if format_.on_paper:
        return folder / f"{reference}.pdf"
    return folder.parent / (EMAILS if format_ is Format.EMAIL else TASKS) / f"{reference}.txt"


def letter_key(spec: LetterSpec, hashes: Mapping[str, str], profile: str) -> str:
    """The hash of all that a letter's bytes hang on: values, templates folder, stationery, fonts and versions."""
    return digest([spec.document(), dict(hashes), profile, _makers()])


@cache
def _makers() -> tuple[str, ...]:
    libraries = ("weasyprint", "pydyf", "fonttools", "jinja2", "segno", "Pillow")
    data = files("nudge.documents")
    ours = [data.joinpath("profiles.toml"), *(data.joinpath("fonts", name) for name in FONTS)]
    return (
        __version__,
        *(f"{name} {version(name)}" for name in libraries),
        *(sha256(item.read_bytes()).hexdigest() for item in ours),
    )


def _drawn(
    spec: LetterSpec, folder: TemplateFolder, profile: Profile, printing: PrintSettings
) -> tuple[Drawn | None, tuple[Problem, ...]]:
    """One letter drawn and checked; no page where it cannot even be filled in."""
    problems = check_values(spec)
    try:
        html = folder.html(spec)
        if problems:  # of the values: a page of them would only repeat it
            return None, problems
        drawn = draw(html, folder.path, profile=profile, template=spec.template)
    except Refused as refusal:
        return None, (*problems, *refusal.problems)
    page = read_back(drawn.pdf, profile.window)
    return drawn, (
        *check_letter(drawn, spec, profile, folder, printing, page=page),
        *refusals(remarks_on_words(html, drawn, spec, page), spec.place),
    )


def _prove(folder: TemplateFolder, profile: str, printing: PrintSettings, specs: Sequence[LetterSpec]) -> list[Outcome]:
    paper, outcomes, seen = profile_named(profile), [], set()
    for spec in specs:
        if not spec.format.on_paper:
            outcomes.append(Outcome(spec.reference, write_text(spec, folder)[1]))
            continue
        drawn, problems = _drawn(spec, folder, paper, printing)
        kind = spec.template, spec.form
        if drawn is not None and kind not in seen:  # tags and colours hang on these: once a piece of work will do
            seen.add(kind)
            look = remarks_on_look(drawn, spec.place, read_back(drawn.pdf, paper.window))
            problems = (*problems, *check_structure(drawn.pdf, spec.place), *refusals(look, spec.place))
        outcomes.append(Outcome(spec.reference, problems))
    _sweep()
    return outcomes


def _make(
    folder: TemplateFolder,
    profile: str,
    printing: PrintSettings,
    target: Path,
    tasks: Sequence[tuple[LetterSpec, str]],
) -> list[Outcome]:
    paper = profile_named(profile)
    outcomes = []
    for spec, key in tasks:
        content, pages = b"", 0
        if spec.format.on_paper:
            drawn, problems = _drawn(spec, folder, paper, printing)
            if drawn is not None:
                content, pages = drawn.pdf, drawn.pages
        else:
            letter, problems = write_text(spec, folder)
            if letter is not None:
                content = letter.written(spec.format).encode()
        if problems or not content:
            outcomes.append(Outcome(spec.reference, problems))
            continue
        write_whole(letter_path(target, spec.reference, spec.format), content)
        outcomes.append(Outcome(spec.reference, (), key, sha256(content).hexdigest(), pages, spec.format))
    _sweep()
    return outcomes


def _sweep() -> None:
    if not gc.isenabled():  # in a worker, where warm_up has switched it off
        gc.collect()


def _shared_out(
    work: Callable[[tuple[Item, ...]], list[Outcome]], items: Sequence[Item], executor: Executor | None
) -> Iterator[list[Outcome]]:
    if executor is None and len(items) <= _FEW:
        for start in range(0, len(items), CHUNK):
            yield work(tuple(items[start : start + CHUNK]))
        return
    crew = executor or local_executor()
    try:
        for found in carry_out(work, items, crew):
            yield [_lost(found.item)] if isinstance(found, Lost) else found
    finally:
        if executor is None:
            crew.shutdown(wait=True, cancel_futures=True)


def _lost(item: object) -> Outcome:
    spec = item if isinstance(item, LetterSpec) else item[0]  # type: ignore[index]
    return Outcome(spec.reference, (LetterCode.WORKER_LOST.at(spec.place),))


def _line(outcome: Outcome) -> str:
    return json.dumps([outcome.reference, outcome.key, outcome.sha256, outcome.pages, outcome.format]) + "\n"


def _read_journal(path: Path) -> Iterator[Outcome]:
    """Every whole line; the last one may have been cut short by a crash."""
    if not path.exists():
        return
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            reference, key, digest_, pages, form = json.loads(line)
            yield Outcome(str(reference), (), str(key), str(digest_), int(pages), Format(form))
        except ValueError:
            continue


def _write_journal(path: Path, outcomes: Iterable[Outcome]) -> None:
    write_whole(path, "".join(map(_line, outcomes)))


def _stands(folder: Path, outcome: Outcome) -> bool:
    path = letter_path(folder, outcome.reference, outcome.format)
    return path.is_file() and sha256_file(path) == outcome.sha256


def _letter_file(folder: Path, outcome: Outcome, printing: PrintSettings) -> LetterFile:
    return LetterFile(
        reference=outcome.reference,
        path=letter_path(folder, outcome.reference, outcome.format),
        sha256=outcome.sha256,
        pages=outcome.pages,
        sheets=printing.sheets(outcome.pages) if outcome.pages else 0,
        format=outcome.format,
    )
