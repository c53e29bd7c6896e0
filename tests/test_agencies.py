"""Whose text is it? Datelines, credit lines, bylines."""

import pytest

from aggregator.agencies import agency


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LISBON (Reuters) - Ferries stayed in port.", "Reuters"),
        ("PORT ELLEN, Scotland (Northern Wire) \u2014 Ferries stayed in port.", "Northern Wire"),
        ("Berlin (dpa) - Die Fähren blieben im Hafen.", "dpa"),
        ("PARIS, 3 mai (AFP) \u2013 Les ferries restent à quai.", "AFP"),
        ("(AFP) - Ferries stayed in port.", "AFP"),
        ("AP \u2014 Ferries stayed in port.", "AP"),
    ],
)
def test_a_dateline_names_the_agency(text, name):
    assert agency(text) == name


@pytest.mark.parametrize(
    "byline", ["Ana Prado and AFP", "Reuters", "Ana Prado, Associated Press", "dpa/Ana Prado"]
)
def test_a_byline_names_a_known_agency(byline):
    assert agency("Ferries stayed in port.", byline)


@pytest.mark.parametrize(
    "text",
    [
        "Ferries (and boats) stayed in port - for a day.",
        "The minister (62) - once a sailor - said nothing.",
        "Ana Prado (Lisbon University) said on Monday that ferries would sail.",
        "",
    ],
)
def test_other_brackets_are_no_dateline(text):
    assert agency(text) is None


def test_a_name_in_the_byline_is_no_agency():
    assert agency("Ferries stayed in port.", "Ana Prado") is None
