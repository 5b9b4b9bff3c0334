"""The page for whoever takes the calls: every letter of the trial, and the same help for whoever rings.

Made from the templates and an invented recipient: it holds no personal data, and says nobody's arm (I8, I12).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from nudge.base.files import write_whole
from nudge.documents.blocks import Contents, read_contents
from nudge.documents.page import Drawn, draw
from nudge.documents.previews import page_count, page_pictures
from nudge.documents.profiles import profile_named
from nudge.documents.sample import sample_spec
from nudge.documents.templates import TemplateFolder
from nudge.reports.crib import Crib, CribLetter, crib_html
from nudge.reports.render import report_pdf
from nudge.trial.handle import Trial
from nudge.trial.sealing import frozen_claims
from nudge.trial.sites import require_letters

CRIB: Final = "crib.pdf"
_PICTURE: Final = 130  # dots to the inch: a third of its size on the page, and readable when looked at closer
_LONGEST: Final = 240  # characters of a block that the page repeats
_WIDTHS: Final = (72, 64, 56, 48, 40)  # of a picture, in millimetres
# Blocks of the paper rather than of the help: where to write, which number, how it is signed, what comes when.
_PAPER: Final = frozenset(
    "contact letter_reference sum_owed signature ask time_limit ways_to_pay ways_to_reply next_step notice".split()
)


def make_crib(trial: Trial, *, dry_run: bool = False) -> Path:
    """Write `crib.pdf` into the trial's folder. Before the seal the claims are stand-ins, as the page says."""
    require_letters(trial)
    claims = frozen_claims(trial.seals[-1]) if trial.is_sealed else None
    drawn = _drawn_letters(trial, claims)
    council = trial.workspace.council
    crib = Crib(
        title=trial.experiment.title,
        council=council["name"],
        service=council["service"],
        telephone=council["telephone"],
        letters=tuple(
            CribLetter(
                name=f"Letter {chr(65 + number)}",
                heading=_heading(letter),
                picture=page_pictures(one.pdf, [0], dots=_PICTURE)[0],
                asks=_texts(one, "required", "ask"),
                says=_texts(one, "claim") or _own_words(letter, [other for other, _ in drawn if other is not letter]),
                claims=bool(_texts(one, "claim")),
            )
            for number, (letter, one) in enumerate(drawn)
        ),
        help=_same_help([letter for letter, _ in drawn]),
        sealed=claims is not None,
    )
    path = trial.workspace.out(trial.id) / CRIB
    if not dry_run:
        write_whole(path, _on_one_page(crib))
    return path


def _on_one_page(crib: Crib) -> bytes:
    """The page, its pictures as large as leaves it one page; on two where even the smallest are too many."""
    for widest in _WIDTHS:
        pdf = report_pdf(crib_html(crib, widest=widest))
        if page_count(pdf) == 1:
            break
    return pdf


def _drawn_letters(trial: Trial, claims: Mapping[str, str] | None) -> list[tuple[Contents, Drawn]]:
    """Each first letter once, in an order that is not that of the arms: control would always come first."""
    folder = TemplateFolder(trial.workspace.templates)
    profile = profile_named(trial.workspace.profile)
    experiment = trial.experiment
    found = []
    for template in sorted({arm.letter for arm in experiment.arms if arm.letter}):
        spec = sample_spec(
            folder,
            template,
            kinds=experiment.kinds,
            claims=claims,
            council=trial.workspace.council,
            details=experiment.details,
        )
        html = folder.html(spec)
        found.append((read_contents(html), draw(html, folder.path, profile=profile, template=template)))
    return found


def _texts(letter: Drawn, kind: str, name: str | None = None) -> tuple[str, ...]:
    return tuple(mark.text for mark in letter.marks if mark.kind == kind and name in {None, mark.id})


def _heading(letter: Contents) -> str:
    return next((block.words for block in letter.body if block.tag == "h1"), "")


def _own_words(letter: Contents, others: list[Contents]) -> tuple[str, ...]:
    """The first sentence that only this letter has, where no heading of its own tells it from another."""
    if _heading(letter) not in {_heading(other) for other in others}:
        return ()
    elsewhere = " ".join(block.words for other in others for block in other.written)
    paragraphs = (block for block in letter.body if block.tag == "p" and not block.required)
    sentences = (one for block in paragraphs for one in block.sentences)
    return tuple(islice((one for one in sentences if 20 <= len(one) <= _LONGEST and one not in elsewhere), 1))


def _offers(letter: Contents) -> list[tuple[tuple[str, ...], str]]:
    """Required paragraphs and points, what only the paper needs left out: cells of a table read as no sentence."""
    return [
        (block.required, block.words)
        for block in letter.body
        if block.tag in {"p", "li"} and block.required and _PAPER.isdisjoint(block.required)
    ]


def _same_help(letters: list[Contents]) -> tuple[str, ...]:
    """What every one of the letters offers, word for word: what an operator offers to every caller."""
    first, *others = letters
    there = [_offers(other) for other in others]
    return tuple(
        offer[1] for offer in _offers(first) if len(offer[1]) <= _LONGEST and all(offer in other for other in there)
    )
