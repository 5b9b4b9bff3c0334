"""Signs: drawn, checked, and put on disk for a print house."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from itertools import cycle
from pathlib import Path

import pikepdf
import pytest
from invented import COUNCIL, SECRET, shipped

from nudge.base.errors import Place, Refused
from nudge.documents.artwork import read_artwork
from nudge.documents.codes import LetterCode, TemplateCode
from nudge.documents.qr import sign_modules
from nudge.documents.sheet import ORIENTATIONS, PRESETS, SAFE, SIZES, Sheet
from nudge.documents.sign import SignSpec, check_sign, draw_sign, make_signs, sign_reference
from nudge.documents.sign_checks import LEAST_CONTRAST, contrast
from nudge.documents.sign_codes import SignCode
from nudge.documents.templates import TemplateFolder

FOLDER = shipped()
TEMPLATES = tuple(
    f"signs/{name}.html"
    for name in (
        *("speed-eyes", "speed-plain", "recycling-eyes", "recycling-plain", "dog-norm"),
        *("dog-positive", "dog-eyes", "dog-plain", "litter-norm", "litter-plain"),
    )
)
CLAIMS = {"norm": "9 in 10 of the dog owners we watched on this path in May 2026 picked up after their dog"}
SPEC = SignSpec(
    reference=sign_reference(SECRET, "demo", "site-1"),
    template="signs/dog-norm.html",
    site="site-1",
    council=COUNCIL,
    claims=CLAIMS,
)
OTHER = sign_reference(SECRET, "demo", "site-2")
SHEETS = [(size, way) for size in SIZES for way in ORIENTATIONS]
PAIRS = list(zip(SHEETS, cycle(PRESETS), cycle(TEMPLATES), strict=False))
BYTES = """
import hashlib, sys
sys.path[:0] = {path!r}
from test_sign import FOLDER, SPEC, draw_sign
print(hashlib.sha256(draw_sign(SPEC, FOLDER).pdf).hexdigest())
"""


@pytest.fixture(scope="module")
def sign():
    return draw_sign(SPEC, FOLDER)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_sign_that_comes_with_nudge_is_fit_to_print_and_to_put_up(template):
    spec = replace(SPEC, template=template, size="A4")
    assert check_sign(draw_sign(spec, FOLDER), spec, FOLDER) == ()


@pytest.mark.parametrize(("sheet", "preset", "template"), PAIRS)
def test_one_design_fits_every_sheet(sheet, preset, template):
    spec = replace(SPEC, template=template, size=sheet[0], orientation=sheet[1], preset=preset)
    assert check_sign(draw_sign(spec, FOLDER), spec, FOLDER) == ()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    "name",
    [
        "Wealdenvale City, Banbrook and Craigmoor Borough Council",
        "The Wealdenvale and Craigmoor Community Housing Association Limited",
        "Cyngor Bwrdeistref Sirol Wealdenvale Banbrook / Wealdenvale Banbrook County Borough Council",
    ],
)
def test_the_longest_name_of_a_council_fits_on_the_smallest_sign(name, orientation):
    spec = replace(SPEC, size="A4", orientation=orientation, council=COUNCIL | {"name": name})
    assert check_sign(draw_sign(spec, FOLDER), spec, FOLDER) == ()


@pytest.mark.parametrize("control", ["speed-plain", "recycling-plain", "dog-plain"])
def test_a_control_says_the_same_in_the_same_places_as_the_sign_with_eyes(control):
    eyes = control.replace("plain", "eyes")
    plain, seen = (
        read_artwork(draw_sign(replace(SPEC, template=f"signs/{name}.html"), FOLDER).pdf) for name in (control, eyes)
    )
    assert [(word.text, word.zone, word.points) for word in plain.words] == [
        (word.text, word.zone, word.points) for word in seen.words
    ]


CAPITAL = 0.714  # of its size: the height of a capital in Noto Sans, as the font itself has it (714 of 1,000 units)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "signs.md"
HEIGHTS = re.findall(
    r"^\| (A\d|\d+x\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) m \| (\d+) m \|$", PAGE.read_text(), re.M
)


@pytest.mark.parametrize("row", HEIGHTS, ids=lambda row: row[0])
def test_capitals_are_as_high_as_the_page_says_and_so_are_the_distances(row):
    size, speed, upright, across, claim, ease, most = row[0], *map(int, row[1:])

    def heights(template, way="portrait"):
        spec = replace(SPEC, template=f"signs/{template}.html", size=size, orientation=way)
        return {
            word.text: word.points * 25.4 / 72 * CAPITAL for word in read_artwork(draw_sign(spec, FOLDER).pdf).words
        }

    words = heights("dog-norm")
    assert max(heights("speed-eyes").values()) == pytest.approx(speed, abs=0.6)
    assert max(words.values()) == pytest.approx(upright, abs=0.6)
    assert next(height for text, height in words.items() if text.startswith("9 in 10")) == pytest.approx(claim, abs=0.6)
    assert max(heights("dog-norm", "landscape").values()) == pytest.approx(across, abs=0.6)
    assert (round(0.12 * speed), round(0.36 * speed)) == (ease, most)


def test_the_page_lists_every_size_and_every_sign():
    assert [row[0] for row in HEIGHTS] == list(SIZES)
    assert all(f"`{Path(template).stem}`" in PAGE.read_text() for template in TEMPLATES)


def test_a_claim_is_all_that_a_norm_sign_adds_to_its_control():
    plain, norm = (
        read_artwork(draw_sign(replace(SPEC, template=f"signs/dog-{name}.html"), FOLDER).pdf)
        for name in ("plain", "norm")
    )
    kept = [word for word in norm.words if word.text not in CLAIMS["norm"]]
    assert [(word.text, word.zone) for word in kept] == [(word.text, word.zone) for word in plain.words]


@pytest.mark.parametrize(("preset", "media", "bleed"), [("print-house", 10, 3.53), ("no-marks", 3, 3)])
def test_the_boxes_say_where_to_cut_and_how_far_the_colour_goes(preset, media, bleed):
    sheet = Sheet(size="A3", orientation="landscape", preset=preset)
    drawn = draw_sign(replace(SPEC, orientation="landscape", preset=preset), FOLDER)
    with pikepdf.open(io.BytesIO(drawn.pdf)) as pdf:
        page = pdf.pages[0].obj
        trim, media_box, bleed_box = (
            [float(side) * 25.4 / 72 for side in page[name]] for name in ("/TrimBox", "/MediaBox", "/BleedBox")
        )
    assert [trim[2] - trim[0], trim[3] - trim[1]] == pytest.approx([sheet.width, sheet.height], abs=0.01)
    assert [sheet.width, sheet.height] == [420, 297]
    for box, beyond in ((media_box, media), (bleed_box, bleed)):
        assert [trim[0] - box[0], trim[1] - box[1], box[2] - trim[2], box[3] - trim[3]] == pytest.approx(
            [beyond] * 4, abs=0.01
        )


def test_the_words_and_the_code_are_inks_that_a_printer_holds_apart(sign):
    with pikepdf.open(io.BytesIO(sign.pdf)) as pdf:
        drawing = pdf.pages[0].Contents.read_bytes()
        marks = b"".join(item.read_bytes() for item in pdf.pages[0].resources.XObject.values())
    assert b"/DeviceCMYK cs" in drawing
    assert b"0 0 0 1 scn" in drawing  # black words: black alone, so that the plates need not meet
    assert b" rg" not in drawing.replace(b"0 0 0 rg", b"")
    assert b"/Subtype" not in marks


def test_no_ink_of_ours_is_more_than_a_press_can_dry_or_of_another_colour_space():
    sources = [path.read_text() for path in (FOLDER.path / "signs").rglob("*") if path.suffix in {".css", ".svg"}]
    inks = [tuple(map(float, ink.split())) for text in sources for ink in re.findall(r"device-cmyk\(([^)]*)\)", text)]
    assert max(map(sum, inks)) <= 3.0  # 300 %, the usual limit for coated paper
    assert not any(re.search(r"#[0-9a-fA-F]{3,6}\b|rgb|opacity|Gradient", text) for text in sources)


def test_the_code_holds_the_page_and_the_reference_of_this_sign(sign):
    spec = replace(SPEC, reference=OTHER)
    assert sign_modules(COUNCIL["website"], SPEC.reference) != sign_modules(COUNCIL["website"], OTHER)
    codes = [problem.code for problem in check_sign(sign, spec, FOLDER)]
    assert codes.count(SignCode.CODE_NOT_ONCE.slug) == 1
    assert SignCode.REFERENCE_NOT_ONCE.slug in codes
    assert SignCode.REFERENCE_OF_ANOTHER.slug in codes


def test_i13_a_sign_made_again_has_the_same_bytes_in_any_process(sign, tmp_path):
    made = make_signs((SPEC,), FOLDER, tmp_path)
    assert made[0].path == tmp_path / "signs" / f"{SPEC.reference}.pdf"
    assert made[0].path.read_bytes() == sign.pdf
    assert made[0].sha256 == sha256(sign.pdf).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", BYTES.format(path=[str(Path(__file__).parent), *sys.path])],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LANG": "C"},
    )
    assert done.stdout.strip() == made[0].sha256


def test_every_fault_of_every_sign_is_told_at_once_and_nothing_is_written(tmp_path):
    wrong = [
        replace(SPEC, size="A5", orientation="upright", preset="glossy"),
        replace(SPEC, reference="ABC"),
        SPEC,
    ]
    with pytest.raises(Refused) as refusal:
        make_signs(wrong, FOLDER, tmp_path)
    assert {problem.code for problem in refusal.value.problems} == {
        code.slug
        for code in (
            SignCode.SIZE_UNKNOWN,
            SignCode.ORIENTATION_UNKNOWN,
            SignCode.PRESET_UNKNOWN,
            SignCode.REFERENCE_UNREADABLE,
            SignCode.REFERENCE_TWICE,
        )
    }
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Draws and checks a sign of a council's own: what stands in its blocks, and its style."""
    target = tmp_path_factory.mktemp("own") / "templates"
    shutil.copytree(FOLDER.path / "signs", target / "signs")
    folder = TemplateFolder(target)
    numbers = iter(range(1000))

    def codes(words="", style="", art="", spec=SPEC, whole=None):
        name = f"signs/own-{next(numbers)}.html"
        blocks = {
            "title": "Own",
            "look": f'<link rel="stylesheet" href="plum.css"><style>{style}</style>',
            "art": art,
            "words": f"<h1>Please pick up</h1>{words}",
        }
        page = '{% extends "signs/base.html" %}' + "".join(
            f"{{% block {block} %}}{text}{{% endblock %}}" for block, text in blocks.items()
        )
        if whole is not None:
            page = whole(
                (target / "signs/base.html")
                .read_text()
                .replace("{% block look %}", blocks["look"] + "{% block look %}")
            )
            page = page.replace("{% block words %}", blocks["words"] + "{% block words %}")
        (target / name).write_text(page, encoding="utf-8")
        own_spec = replace(spec, template=name, size="A4")
        return [problem.code for problem in check_sign(draw_sign(own_spec, folder), own_spec, folder)]

    return codes


def test_a_sign_of_ones_own_may_be_fit_to_print(own):
    assert own() == []
    assert own(words='<p data-claim="norm">{{ claims.norm }}</p>') == []


NEAR = ".edge .whose {{ left: {}mm }}"
COVER = (
    '<div style="position: fixed; z-index: 9; right: {}mm; bottom: 8mm; width: 16mm;'
    ' height: 9mm; background: #000"></div>'
)
WITHOUT = {
    "the reference": ('<p class="reference">Sign {{ sign.reference }}</p>', SignCode.REFERENCE_NOT_ONCE),
    "the code": ("{{ sign.qr }}", SignCode.CODE_NOT_ONCE),
    "the council": ("{{ council.name }}", SignCode.COUNCIL_NOT_NAMED),
}
DEFECTS = {
    "words nearer to the cut than 5 mm": (
        {"style": NEAR.format(SAFE - 1.5)},
        {"style": NEAR.format(SAFE + 1)},
        SignCode.TOO_NEAR_EDGE,
    ),
    "a code nearer to the cut than 5 mm": (
        {"style": ".edge .qr { right: 3mm }"},
        {"style": ".edge .qr { right: 6mm }"},
        SignCode.TOO_NEAR_EDGE,
    ),
    "colour that ends at the cut": (
        {"style": "body { background: none } [data-zone=ground] { left: 0; width: 210mm }"},
        {"style": "[data-zone=ground] { outline: 1mm solid white }"},
        SignCode.BLEED_NOT_COVERED,
    ),
    "a panel that ends at the cut": (
        {
            "style": "[data-zone=ground] { background: device-cmyk(0 0 0 0) } .words { display: none }",
            "art": '<div style="position:absolute;left:3.6mm;right:3.6mm;top:3.6mm;bottom:0;'
            'background:device-cmyk(1 0 0 .5)"></div>',
        },
        {
            "style": "[data-zone=ground] { background: device-cmyk(0 0 0 0) } .words { display: none }",
            "art": '<div style="background:device-cmyk(1 0 0 .5)"></div>',
        },
        SignCode.BLEED_NOT_COVERED,
    ),
    "a second page": (
        {"words": '<p style="break-before: page; position: static">More</p>', "style": ".words { position: static }"},
        {"words": "<p>More</p>"},
        SignCode.PAGES_NOT_ONE,
    ),
    "a page of another size": (
        {"style": "@page { size: A5 }"},
        {"style": "@page { orphans: 2 }"},
        SignCode.SHEET_DIFFERS,
    ),
    "too narrow a bleed": (
        {"style": "@page { bleed: 2mm }"},
        {"style": "@page { bleed: 10mm }"},
        SignCode.BLEED_TOO_NARROW,
    ),
    "small type": (
        {"words": '<p style="font-size: 13pt">Any bin</p>'},
        {"words": '<p style="font-size: 14.5pt">Any bin</p>'},
        SignCode.TYPE_TOO_SMALL,
    ),
    "words over words": (
        {"words": '<p style="position: absolute; top: 2mm">Any public bin</p>'},
        {"words": '<p style="position: absolute; top: 55mm">Any public bin</p>'},
        SignCode.PRINTED_OVER,
    ),
    "pale words on white": (
        {"style": ".edge .council { color: device-cmyk(0 0 0 .5) }"},
        {"style": ".edge .council { color: device-cmyk(0 0 0 .9) }"},
        SignCode.CONTRAST_TOO_LOW,
    ),
    "words over a bright picture": (
        {"style": ".words { top: 10mm }", "art": '<img src="art/dog-face.svg" alt="A dog.">'},
        {"art": '<img src="art/dog-face.svg" alt="A dog.">'},
        SignCode.CONTRAST_TOO_LOW,
    ),
    "words in capitals": (
        {"words": "<p>ANY PUBLIC BIN</p>"},
        {"words": "<p>Any NHS bin will do</p>"},
        SignCode.WORDS_IN_CAPITALS,
    ),
    "a picture without words": (
        {"art": '<img src="art/bin.svg">'},
        {"art": '<img src="art/bin.svg" alt="A bin.">'},
        TemplateCode.IMAGE_WITHOUT_WORDS,
    ),
    "a hidden claim": (
        {"words": '<p style="display: none" data-claim="norm">{{ claims.norm }}</p>'},
        {"words": '<p data-claim="norm">{{ claims.norm }}.</p>'},
        LetterCode.CLAIM_DIFFERS,
    ),
    "a claim with words of its own": (
        {"words": '<p data-claim="norm">Nearly all: {{ claims.norm }}</p>'},
        {"words": '<p data-claim="norm">{{ claims.norm }}</p>'},
        LetterCode.CLAIM_DIFFERS,
    ),
    "a code drawn out of its square": (
        {"style": ".edge .qr { transform: scaleX(1.2) }"},
        {"style": ".edge .qr { width: 12rem; height: 12rem }"},
        SignCode.CODE_NOT_ONCE,
    ),
    "a code that something covers": (
        {"words": COVER.format(9)},
        {"words": COVER.format(45)},
        SignCode.CODE_NOT_ONCE,
    ),
    "a code printed twice": (
        {"words": "<p>{{ sign.qr }}</p>", "style": "p .qr { width: 30mm; height: 30mm }"},
        {},
        SignCode.CODE_NOT_ONCE,
    ),
    "the reference printed twice": (
        {"words": "<p>{{ sign.reference }}</p>"},
        {"words": "<p>Any bin</p>"},
        SignCode.REFERENCE_NOT_ONCE,
    ),
    "another sign's reference": (
        {"words": f"<p>{OTHER}</p>"},
        {"words": "<p>ABC-DEF-GHJK</p>"},
        SignCode.REFERENCE_OF_ANOTHER,
    ),
    "a likeness to a traffic sign": (
        {"words": "<p>Slow down</p>"},
        {"words": "<p>Thank you</p>"},
        SignCode.IMITATES_ROAD_WORDS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_and_what_is_sound_beside_it_is_not(own, name):
    wrong, right, code = DEFECTS[name]
    assert code.slug in own(**wrong)
    assert code.slug not in own(**right)


@pytest.mark.parametrize("name", WITHOUT)
def test_a_sign_without_its_own_particulars_is_refused(own, name):
    part, code = WITHOUT[name]
    assert code.slug in own(whole=lambda page: page.replace(part, ""))
    assert own(whole=lambda page: page) == []


def test_a_claim_that_nobody_sealed_is_refused(own):
    with pytest.raises(Refused):
        own(words='<p data-claim="norm">{{ claims.norm }}</p>', spec=replace(SPEC, claims={}))


def test_a_font_that_is_not_in_the_file_is_found_out(sign):
    with pikepdf.open(io.BytesIO(sign.pdf)) as pdf:
        for font in dict(pdf.pages[0].resources.Font).values():
            del font.DescendantFonts[0].FontDescriptor.FontFile2
        stream = io.BytesIO()
        pdf.save(stream)
    problems = check_sign(replace(sign, pdf=stream.getvalue()), SPEC, FOLDER)
    assert [problem.code for problem in problems if "font" in problem.expected] == [LetterCode.NOT_ACCESSIBLE.slug]


def test_black_on_white_stands_out_21_to_1_and_the_least_that_passes_is_level_aaa():
    # WCAG 2 states both: 21:1 as the most there is, 7:1 for level AAA; #595959 on white is its well-known example
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((0x59, 0x59, 0x59), (255, 255, 255)) >= LEAST_CONTRAST > contrast((0x5A, 0x5A, 0x5A), (255,) * 3)


def test_every_refusal_of_a_sign_reads_as_a_sentence():
    facts = dict.fromkeys(("valid", "example", "found", "edge"), "x")
    numbers = dict.fromkeys(("count", "pages", "width", "height", "least", "safe", "size", "ratio"), 1.0)
    for code in SignCode:
        found = facts | numbers | ({"found": 1.0} if code is not SignCode.SHEET_DIFFERS else {})
        problem = code.at(Place("signs/own.html"), **found)
        assert problem.expected
        assert problem.fix.endswith(".")
        assert "{" not in str(problem)
