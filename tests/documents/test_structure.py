"""What keeps a screen reader from a letter is found out, each fault by itself."""

from __future__ import annotations

import io
from collections.abc import Callable

import pikepdf
import pytest
from invented import shipped

from nudge.base.errors import Place
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.spoken import elements_of, marked_content
from nudge.documents.structure import check_structure

DOT = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E"
    "%3Crect width='9' height='9'/%3E%3C/svg%3E"
)
SOUND = (
    f'<h1>Your rent</h1><p>12 Mill Lane</p><p>Dear Mrs Jones</p><img alt="A dot" src="{DOT}">'
    '<ul><li>One</li><li>Two</li></ul><p><a href="https://www.wealdenvale.example/rent">Our page</a></p>'
    "<table><thead><tr><th>Online</th></tr></thead><tbody><tr><td>Our page</td></tr></tbody></table>"
)


def pdf(body: str, style: str = "") -> bytes:
    html = f'<html lang="en"><head><title>A letter</title><style>{style}</style></head><body>{body}</body></html>'
    return draw(html, shipped().path, profile=profile_named("dl"), template="letters/x.html").pdf


def faults(made: bytes, order: tuple[str, ...] = ()) -> set[str]:
    return {
        problem.expected.removeprefix("a tagged, accessible PDF: ")
        for problem in check_structure(made, Place("x"), order)
    }


def changed(made: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(made)) as document:
        change(document)
        stream = io.BytesIO()
        document.save(stream)
    return stream.getvalue()


def find(node: pikepdf.Object, kind: str) -> pikepdf.Object:
    """The first element of that kind below a node."""
    below = node.get("/K", [])
    for child in below if isinstance(below, pikepdf.Array) else [below]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            found = child if str(child.S) == kind else find(child, kind)
            if found is not None:
                return found
    return None


@pytest.fixture(scope="module")
def sound() -> bytes:
    return pdf(SOUND)


def test_a_sound_page_has_no_fault_and_is_read_in_the_order_it_is_written(sound: bytes) -> None:
    assert faults(sound, ("12 Mill Lane", "Mrs Jones", "Our page")) == set()
    with pikepdf.open(io.BytesIO(sound)) as document:
        root = elements_of(document, marked_content(sound).words)
    said = root.text
    assert said.startswith("Your rent 12 Mill Lane Dear Mrs Jones")
    assert said.index("Two") < said.index("Online")


def without(key: str, kind: str) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        element = find(document.Root.StructTreeRoot, kind)
        assert key in element
        del element[key]

    return change


def renamed(kind: str, to: str) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        find(document.Root.StructTreeRoot, kind).S = pikepdf.Name(to)

    return change


def untagged(document: pikepdf.Pdf) -> None:
    ink = b"BT /P <</MCID 999>> BDC EMC ET q 0 g 90 700 m 99 700 l S Q"
    operators = list(pikepdf.parse_content_stream(document.pages[0]))
    kept = [one for one in operators if str(one[1]) not in {"BDC", "BMC", "EMC"}]
    document.pages[0].Contents = document.make_stream(pikepdf.unparse_content_stream(kept) + b"\n" + ink)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (without("/Alt", "/Figure"), "an image has no words of its own"),
        (without("/K", "/Figure"), "an image is announced and not there"),
        (without("/A", "/TH"), "a header cell does not say what it heads"),
        (without("/K", "/P"), "a heading, paragraph, list item or link is empty"),
        (without("/K", "/P"), "some words are in no tag"),
        (without("/K", "/Link"), "a link leads nowhere"),
        (renamed("/L", "/Div"), "a list or table has a part out of its place"),
        (renamed("/LBody", "/Div"), "a list or table has a part out of its place"),
        (renamed("/TR", "/Div"), "a list or table has a part out of its place"),
        (renamed("/H1", "/H2"), "the headings do not start at the first level, or skip one"),
        (untagged, "some words are in no tag"),
    ],
)
def test_a_fault_of_the_tags_is_found(change: Callable[[pikepdf.Pdf], None], fault: str, sound: bytes) -> None:
    assert fault in faults(changed(sound, change))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<h1>x</h1><p></p>", "a heading, paragraph, list item or link is empty"),
        ("<h1>x</h1><h2> </h2><p>x</p>", "a heading, paragraph, list item or link is empty"),
        ("<h1>x</h1><ul><li>x</li><li></li></ul>", "a heading, paragraph, list item or link is empty"),
        ("<h1>x</h1><h3>x</h3>", "the headings do not start at the first level, or skip one"),
        ("<p>x</p>", "the headings do not start at the first level, or skip one"),
    ],
)
def test_a_fault_of_the_template_is_found(body: str, fault: str) -> None:
    assert faults(pdf(body)) == {fault}


def test_an_address_read_out_after_the_greeting_is_found(sound: bytes) -> None:
    assert faults(sound, ("Mrs Jones", "12 Mill Lane")) == {"the address is not read out before the greeting"}
    swapped = pdf(SOUND.replace("<p>12 Mill Lane</p><p>Dear Mrs Jones</p>", "<p>Dear Mrs Jones</p><p>12 Mill Lane</p>"))
    assert faults(swapped, ("12 Mill Lane", "Mrs Jones")) == {"the address is not read out before the greeting"}


def test_the_number_of_a_page_is_no_part_of_the_text() -> None:
    style = '@page { @bottom-left { content: "Page " counter(page) } }'
    made = pdf('<h1>Your rent</h1><p>One.</p><p style="break-before: page">Two.</p>', style)
    assert faults(made) == set()
    marked = marked_content(made)
    assert marked.loose == ()
    assert not any("Page" in words for words in marked.words.values())
    with pikepdf.open(io.BytesIO(made)) as document:
        assert elements_of(document, marked.words).text == "Your rent One. Two."


def test_words_inside_a_see_through_box_are_in_its_tag() -> None:
    made = pdf('<h1>Your rent</h1><p style="opacity: .9">One.</p>')
    assert faults(made) == set()
    with pikepdf.open(io.BytesIO(made)) as document:
        assert elements_of(document, marked_content(made).words).text == "Your rent One."
