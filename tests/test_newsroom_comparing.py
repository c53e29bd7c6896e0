"""Two texts side by side: what is shared, what is not, and which paragraphs stand in one row."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.newsroom.comparing import LIMIT, side_by_side

ONE = "The first boat left at dawn with seed potatoes.\n\nBoth sides called the agreement fair and went home to sleep."


def flat(side):
    return ["".join(piece.text for piece in paragraph) for paragraph in side]


def marked(side):
    return [piece.text.strip() for paragraph in side for piece in paragraph if not piece.shared]


def test_the_same_text_has_a_row_for_each_paragraph_and_nothing_marked():
    rows = side_by_side(ONE, ONE)
    assert len(rows) == 2
    assert all(row.same for row in rows)


def test_a_paragraph_that_only_one_has_stands_alone():
    rows = side_by_side(ONE + "\n\nIn our own town the bakery sent forty loaves to the quay.", ONE)
    assert [bool(row.b) for row in rows] == [True, True, False]
    assert marked(rows[2].a) == ["In our own town the bakery sent forty loaves to the quay."]


def test_a_changed_figure_is_marked_on_both_sides():
    rows = side_by_side(ONE + "\n\nThe port will pay for two more lamps in April, it said.",
                        ONE + "\n\nThe port will pay for seven more lamps in April, it said.")  # fmt: skip
    assert marked(rows[2].a) == ["two"]
    assert marked(rows[2].b) == ["seven"]


def test_two_paragraphs_merged_into_one_share_a_row():
    rows = side_by_side(ONE, ONE.replace("\n\n", " "))
    assert [(len(row.a), len(row.b)) for row in rows] == [(2, 1)]


def test_two_different_ledes_share_a_row():
    rows = side_by_side(
        "Quiet returned to the quays.\n\n" + ONE, "Ansel (Northern Press) hears boats.\n\n" + ONE
    )
    assert [(len(row.a), len(row.b)) for row in rows] == [(1, 1), (1, 1), (1, 1)]


def test_strangers_share_nothing():
    rows = side_by_side(ONE, "Goats clear embankments faster than machines do, says a council.")
    assert len(rows) == 1
    assert not any(
        piece.shared for side in (rows[0].a, rows[0].b) for paragraph in side for piece in paragraph
    )


def test_very_long_texts_are_cut():
    rows = side_by_side("word " * LIMIT, "word " * LIMIT)
    assert sum(len(text) for row in rows for text in flat(row.a)) <= LIMIT


SOME = ("boat", "dawn", "port", "lamp", "12", "storm", "\u201cquay\u201d", "fish.", "東京", "the", "of")
WORDS = st.lists(st.sampled_from(SOME), max_size=30)
TEXT = st.lists(WORDS.map(" ".join), max_size=6).map("\n\n".join)


@given(TEXT, TEXT)
def test_every_paragraph_of_both_texts_is_shown_once_and_in_order(a, b):
    rows = side_by_side(a, b)
    assert [text for row in rows for text in flat(row.a)] == [p.strip() for p in a.split("\n\n") if p.strip()]
    assert [text for row in rows for text in flat(row.b)] == [p.strip() for p in b.split("\n\n") if p.strip()]
