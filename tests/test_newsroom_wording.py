"""What readers are told: times, shares, reasons and cures."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.config import SCHEMA
from aggregator.errors import FETCH_ERROR_KINDS
from aggregator.newsroom import wording
from aggregator.schema import FIRST

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_every_way_a_fetch_can_fail_has_a_cure():
    assert set(wording.CURES) == set(FETCH_ERROR_KINDS)


def test_cures_name_settings_and_commands_that_are_there():
    named = re.findall("`([^`]*)`", " ".join(wording.CURES.values()))
    rules = json.loads(SCHEMA.read_text())["definitions"]
    settings = {*rules["file"]["properties"], *rules["feed"]["properties"]}
    assert {name.partition(":")[0] for name in named} - settings == {"aggregator add"}


@pytest.mark.parametrize(
    ("column", "words"), [("reason", wording.REVISION_REASONS), ("outcome", wording.OUTCOMES)]
)
def test_every_value_that_the_schema_allows_has_its_words(column, words):
    allowed = re.search(rf"{column} +text +not null check \({column} in \(([^)]*)\)", FIRST)
    assert allowed
    assert set(re.findall(r"'(\w+)'", allowed[1])) == set(words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "just now"), (-5, "in a moment"), (240, "4 min ago"), (3_500, "1 h ago"), (7_300, "2 h ago"),
     (90_000, "1 d ago"), (-5_400, "in 2 h"), (40 * 86_400, "15 Oct 2026")],
)  # fmt: skip
def test_how_long_ago(seconds, words):
    assert wording.ago((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == words


def test_times_are_told_as_the_clock_of_this_machine_shows_them(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        assert wording.when("2026-11-24T20:30:00Z") == "25 Nov 2026, 05:30 KST"
        assert wording.clock("2026-11-24T20:30:00Z") == "05:30"
        assert wording.day("2026-11-24T20:30:00Z") == "Wednesday, 25 November 2026"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sorted by published_at descending", "newest first"), ("sorted by status", ""), ("", ""),
     ('where search matches "ferry" sorted by copies descending', 'with "ferry", most copied first'),
     ('where site = "a.example"', 'where site = "a.example"'), ("sorted by words", "sorted by words")],
)  # fmt: skip
def test_how_a_list_is_described(theirs, ours):
    assert wording.described(theirs) == ours


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("reason", "near_text", "the same text with small edits"), ("error_kind", "not_a_feed", "what came is not a feed"),
     ("language", "de", "Deutsch"), ("language", "xx", "xx"), ("source", "feed", "the feed"),
     ("site", "a.example", "a.example")],
)  # fmt: skip
def test_the_values_of_facets_in_words(column, value, words):
    assert wording.faceted(value, column) == words


@pytest.mark.parametrize(
    ("stored", "told"),
    [("error x3 (server_error): retry in 4 h", "after 3 errors: retry in 4 h"),
     ("error (dns): retry in 1.1 h", "after an error: retry in 1.1 h"), ("adaptive 2 h", "adaptive 2 h"), (None, "")],
)  # fmt: skip
def test_why_a_feed_is_asked_then_names_no_code(stored, told):
    assert wording.planned(stored) == told


def test_a_sentence_keeps_the_capitals_of_its_words():
    assert wording.sentence(wording.trouble("tls")) == "The server's certificate or TLS is broken"


def test_columns_of_figures_are_those_with_nothing_else():
    rows = [["a", "12", "0.5", "&nbsp;", "1 h", ""], ["7", "-3", "&nbsp;", "&nbsp;", "2", ""]]
    assert wording.figures(rows) == [False, True, True, False, False, False]


@pytest.mark.parametrize("value", [None, "", "soon", 7])
def test_a_time_that_is_none_is_never(value):
    assert wording.ago(value) == "never"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "at the same time"),
        (40, "40 min later"),
        (-40, "40 min earlier"),
        (150, "2 h later"),
        (4_000, "3 d later"),
    ],
)
def test_how_far_apart(minutes, words):
    assert wording.apart(NOW.isoformat(), (NOW + timedelta(minutes=minutes)).isoformat()) == words


@pytest.mark.parametrize(
    ("share", "words"), [(1, "100"), (0.9996, "99"), (0.0004, "1"), (0, "0"), (0.555, "56")]
)
def test_a_share_never_claims_to_be_everything_or_nothing(share, words):
    assert wording.percent(share) == words + "\u202f%"


@pytest.mark.parametrize(
    ("url", "link"),
    [("https://a.example/x", True), ("HTTP://a.example", True), ("javascript:alert(1)", False),
     (" https://a.example", False), ("data:text/html,x", False), ("https:evil", False),
     ("https://a.example is down", False), (None, False), (3, False)],
)  # fmt: skip
def test_only_http_and_https_are_links(url, link):
    assert (wording.weblink(url) is not None) == link


def test_a_teaser_is_cut_between_words():
    assert wording.teaser("one two three four", 12) == "one two\u2026"


def test_evidence_is_told_without_braces():
    assert wording.details('{"shared_figures": [212, 11], "head": 0.914, "live": true, "x": null}') == [
        ("shared figures", "212, 11"), ("head", "0.91"), ("live", "yes"), ("x", "none"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["", "{", "3", None, "[1"])
def test_what_is_no_json_is_no_evidence_and_no_list(value):
    assert wording.details(value) == []
    assert wording.items(value) == []
