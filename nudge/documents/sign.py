"""Signs as files for a print house: drawn, checked, and written whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from nudge.base.errors import Problem, Refused
from nudge.base.files import write_whole
from nudge.documents.letter import read_reference
from nudge.documents.page import Drawn, draw
from nudge.documents.sheet import check_sheet
from nudge.documents.sign_checks import check_sign
from nudge.documents.sign_codes import SignCode
from nudge.documents.sign_spec import SignSpec, sign_reference
from nudge.documents.templates import TemplateFolder

__all__ = ["FOLDER", "SignFile", "SignSpec", "check_sign", "draw_sign", "make_signs", "sign_reference"]

FOLDER: Final = "signs"
_EXAMPLE: Final = sign_reference(bytes(32), "sample", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignFile:
    """A sign on disk: its reference and site, its file, and the SHA-256 of its bytes."""

    reference: str
    site: str
    path: Path
    sha256: str


def draw_sign(spec: SignSpec, folder: TemplateFolder) -> Drawn:
    """The sign as a PDF of one page. Refused where the size, the reference, the template or a value is not there.

    The bytes hang on the spec, the templates folder, the fonts and the installed versions only (I13).
    """
    Refused.when(_check_spec(spec))
    return draw(folder.sign_html(spec), folder.path, profile=spec.sheet, template=spec.template)


def make_signs(specs: Sequence[SignSpec], folder: TemplateFolder, out: Path) -> tuple[SignFile, ...]:
    """Draw and check every sign, then write `out/signs/<reference>.pdf`, in the order of the specs.

    Refused with every problem of every sign, and nothing written, where there is any. The same call again writes the
    same bytes. EnvironmentFault where the disk is full: the same call goes on from there.
    """
    seen = Counter(spec.reference for spec in specs)
    problems = [SignCode.REFERENCE_TWICE.at(spec.place) for spec in specs if seen[spec.reference] > 1]
    drawn: list[bytes] = []
    for spec in specs:
        try:
            sign = draw_sign(spec, folder)
        except Refused as refusal:
            problems += refusal.problems
            continue
        problems += check_sign(sign, spec, folder)
        drawn.append(sign.pdf)
    Refused.when(dict.fromkeys(problems))
    return tuple(
        SignFile(
            reference=spec.reference,
            site=spec.site,
            path=write_whole(out / FOLDER / f"{spec.reference}.pdf", pdf),
            sha256=sha256(pdf).hexdigest(),
        )
        for spec, pdf in zip(specs, drawn, strict=True)
    )


def _check_spec(spec: SignSpec) -> tuple[Problem, ...]:
    readable = read_reference(spec.reference) == spec.reference
    unreadable = () if readable else (SignCode.REFERENCE_UNREADABLE.at(spec.place, example=_EXAMPLE),)
    return (*unreadable, *check_sheet(spec.sheet, spec.place))
