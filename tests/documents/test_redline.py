"""The redline: both letters whole in it, and every difference told."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.documents.blocks import Block, read_contents
from nudge.documents.redline import How, changes, redline, word_by_word

_WORDS = ("pay", "call", "us", "by", "the", "rent", "plan", "help", "7", "May")
WORDS = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=9)
BLOCKS = st.lists(
    st.builds(
        lambda words, kind: Block(kind=kind, words=" ".join(words), setting=(kind,)),
        WORDS,
        st.sampled_from(["heading", "paragraph", "list item"]),
    ),
    max_size=9,
)


def blocks(*words: str) -> tuple[Block, ...]:
    return tuple(Block(kind="paragraph", words=one, setting=("p",)) for one in words)


def hows(before: tuple[Block, ...], after: tuple[Block, ...]) -> list[str]:
    return [line.how.value for line in redline(before, after)]


@settings(deadline=None)
@given(BLOCKS, BLOCKS)
def test_both_letters_stand_whole_and_in_order_in_their_redline(before: list[Block], after: list[Block]) -> None:
    lines = redline(before, after)
    assert [line.before for line in lines if line.before is not None] == before
    assert [line.after for line in lines if line.after is not None] == after


@settings(deadline=None)
@given(BLOCKS, BLOCKS)
def test_nothing_that_differs_is_called_the_same(before: list[Block], after: list[Block]) -> None:
    lines = redline(before, after)
    assert all(line.before == line.after for line in lines if line.how is How.SAME)
    assert (before == after) == (not changes(lines))


@settings(deadline=None)
@given(BLOCKS, BLOCKS)
def test_what_is_moved_goes_from_one_place_to_one_other(before: list[Block], after: list[Block]) -> None:
    lines = redline(before, after)
    went = [line.pieces for line in lines if line.how is How.GONE]
    came = [line.pieces for line in lines if line.how is How.MOVED]
    assert sorted(went, key=repr) == sorted(came, key=repr)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_the_pieces_of_a_block_give_back_both_its_readings(old: list[str], new: list[str]) -> None:
    pieces = word_by_word(" ".join(old), " ".join(new))
    assert " ".join(piece.words for piece in pieces if piece.how is not How.ADDED).split() == old
    assert " ".join(piece.words for piece in pieces if piece.how is not How.REMOVED).split() == new


def test_a_rewritten_block_is_changed_and_another_in_its_place_is_not():
    old = blocks("We will write to you again", "You owe rent")
    assert hows(old, blocks("We will write again", "You owe rent")) == ["changed", "same"]
    assert hows(old, blocks("Money can be tight", "You owe rent")) == ["removed", "added", "same"]


def test_a_block_in_another_place_is_moved_and_counted_once():
    help_, sum_, pay = "Free debt advice is there", "Rent you owed on 7 May", "Pay by 9 June or call us"
    lines = redline(blocks(help_, sum_, pay), blocks(sum_, pay, help_))
    assert [line.how.value for line in lines] == ["gone", "same", "same", "moved"]
    assert len(changes(lines)) == 1


def test_a_moved_block_tells_its_new_words_too():
    far = ("How to pay online", "We can agree a plan to pay a little")
    lines = redline(blocks("Please call us by 7 May today", *far), blocks(*far, "Please call us by 9 May today"))
    assert [line.how.value for line in lines] == ["gone", "same", "same", "moved"]
    assert [(piece.how.value, piece.words) for piece in lines[-1].pieces] == [
        ("same", "Please call us by"),
        ("removed", "7"),
        ("added", "9"),
        ("same", "May today"),
    ]


def test_the_only_block_of_a_mark_is_the_same_block_whatever_its_words():
    ask, far = '<p data-required="ask">{}</p>', "<p>How to pay online</p><p>We can agree a plan to pay a little</p>"
    one = read_contents(f"<body>{ask.format('Please pay the whole of it by 7 May')}{far}</body>").blocks
    other = read_contents(f"<body>{far}{ask.format('Call us, even if you cannot')}</body>").blocks
    assert [line.how.value for line in redline(one, other)] == ["gone", "same", "same", "moved"]
    twice = read_contents(f"<body>{far}{ask.format('Call us, even if you cannot')}{ask.format('Do')}</body>").blocks
    assert [line.how.value for line in redline(one, twice)] == ["removed", "same", "same", "added", "added"]


def test_the_same_words_in_another_dress_are_a_difference():
    one, other = (
        read_contents(f'<body><p class="{name}">Call us</p><h2>{name}</h2></body>').blocks for name in ("ask", "small")
    )
    assert [line.how for line in redline(one, other)] == [How.SET, How.REMOVED, How.ADDED]


def test_a_picture_and_a_drawing_differ_by_what_they_show():
    def shown(source: str, path: str) -> tuple[Block, ...]:
        drawing = f'<svg aria-label="steps"><path d="{path}"/></svg>'
        return read_contents(f'<body><p><img src="{source}" alt="Eyes"></p>{drawing}</body>').blocks

    plain = shown("eyes.svg", "M0 0")
    assert [(block.kind, block.words) for block in plain] == [("picture", "Eyes"), ("picture", "steps")]
    assert [line.how for line in redline(plain, shown("eyes.svg", "M0 0"))] == [How.SAME, How.SAME]
    assert [line.how for line in redline(plain, shown("other.svg", "M0 1"))] == [How.SET, How.SET]


def test_a_block_bears_the_marks_around_it_on_it_and_inside_it():
    html = (
        '<html data-family="arrears" data-stage="first"><head><title>No block</title><style>p {}</style>'
        '<link rel="stylesheet" href="a.css"></head><body><div data-lever="ego" data-required="sum_owed">'
        '<p data-lever="norms">Most <b data-lever="salience" data-claim="paid">9 in 10</b> pay</p>'
        "<ul><li>One<li>Two</li></ul></div>Bare words</body></html>"
    )
    contents = read_contents(html)
    first, *rest = contents.blocks
    assert (first.words, first.levers) == ("Most 9 in 10 pay", ("ego", "norms", "salience"))
    assert (first.required, first.claims) == (("sum_owed",), ("paid",))
    assert [(block.kind, block.words, block.levers) for block in rest] == [
        ("list item", "One", ("ego",)),
        ("list item", "Two", ("ego",)),
        ("paragraph", "Bare words", ()),
    ]
    assert (contents.family, contents.stage, contents.styles) == ("arrears", "first", ("p {}", "a.css"))
    assert contents.required() == {"sum_owed": "Most 9 in 10 pay One Two"}
