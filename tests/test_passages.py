"""Where the words of a search stand in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.passages import hits, passage

TEXT = "The harbour office opened at nine. " * 20 + "Two ferries left, one Ferry stayed.\n\nNobody minded."


def marked(text: str, search: str, limit: int = 220) -> list[str]:
    return [piece for piece, hit in passage(text, search, limit) if hit]


@pytest.mark.parametrize(
    ("search", "found"),
    [("ferry", ["ferries", "Ferry"]), ("ferries", ["ferries", "Ferry"]), ('"one ferry"', ["ferries", "one", "Ferry"]),
     ("zebra", []), ("", []), ("(", []), ("e", [])],
)  # fmt: skip
def test_words_are_found_whatever_their_endings(search, found):
    assert marked(TEXT, search) == found


def test_the_passage_is_around_the_first_hit_on_one_line_and_cut_between_words():
    told = "".join(piece for piece, _ in passage(TEXT, "ferry", 120))
    assert told.startswith("\u2026")
    assert told.endswith("Two ferries left, one Ferry stayed. Nobody minded.")


def test_what_is_cut_off_ends_with_one_mark():
    assert "".join(piece for piece, _ in passage("A ferry. And so on.", "ferry", 9)) == "A ferry\u2026"


@given(st.text(), st.text(), st.integers(1, 300))
def test_no_text_and_no_search_is_a_mistake(text, search, limit):
    assert all(text[start:end] for start, end in hits(text, search))
    assert bool(passage(text, search, limit)) == any(hits(text, search))
