"""The demo: made-up outlets on loopback, and what the real pipeline makes of them."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from http.client import HTTPConnection
from itertools import combinations

import pytest

from aggregator import demo
from aggregator.demo.content import editions, outlets
from aggregator.demo.server import ADDRESS, Answer, serving, sites
from aggregator.errors import ConfigError
from aggregator.urls import canonical

BASE = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)


# ----------------------------------------------------------------------------------------- content


def test_there_are_forty_four_entries_of_twenty_stories_at_eight_outlets():
    printed = editions(BASE)
    assert len(printed) == len({edition.url for edition in printed}) == 44
    assert len({edition.story for edition in printed}) == 20
    assert len({edition.outlet.key for edition in printed}) == 8


def test_no_outlet_prints_a_story_twice():
    assert len({(edition.story, edition.outlet.key) for edition in editions(BASE)}) == 44


def test_everything_was_published_within_the_last_two_days():
    assert all(BASE - timedelta(days=2) < edition.published < BASE for edition in editions(BASE))


def test_copies_of_a_story_are_not_all_the_same_text():
    texts = {}
    for edition in editions(BASE):
        texts.setdefault(edition.story, []).append(edition.paragraphs)
    assert all(len(copies) == 1 or len(set(copies)) > 1 for copies in texts.values())


def test_false_friends_share_more_of_their_words_than_other_stories_do():
    threes = {}
    for edition in editions(BASE):
        words = " ".join(edition.paragraphs).split()
        threes.setdefault(edition.story, set(zip(words, words[1:], words[2:], strict=False)))
    friends = {("budget-ansel", "budget-brackwater"), ("fish-one", "fish-two"), ("match-issel", "match-tarn")}
    for one, other in combinations(sorted(threes), 2):
        shared = len(threes[one] & threes[other]) / min(len(threes[one]), len(threes[other]))
        assert shared > 0.2 if (one, other) in friends else shared < 0.02


def test_no_placeholder_is_left_in_print():
    for edition in editions(BASE):
        assert not {"{", "$"} & set("".join((edition.title, edition.byline, *edition.paragraphs)))


# ---------------------------------------------------------------------------------------- serving


@pytest.fixture(scope="module")
def port():
    with serving(sites(BASE, today=BASE)) as port:
        yield port


def get(port, host, path, **headers):
    connection = HTTPConnection(ADDRESS, port, timeout=5)
    connection.request("GET", path, headers={"Host": host, **headers})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_every_page_of_every_outlet_is_served_in_its_charset(port):
    for edition in editions(BASE):
        response, body = get(port, edition.outlet.host, edition.url.split(".example")[1])
        assert response.status == 200
        text = unescape(body.decode(edition.outlet.charset))
        assert all(
            words in text for words in (edition.title, edition.byline, edition.credit, *edition.paragraphs)
        )


def test_an_outlet_is_told_by_the_host_header_alone(port):
    assert get(port, "harbourherald.example", "/feed.xml")[0].status == 200
    assert get(port, "thelantern.example", "/feed.xml")[0].status == 404


@pytest.mark.parametrize("outlet", [one for one in outlets() if one.tagline and one.feed.guids == "url"])
def test_a_feed_that_has_not_changed_answers_304_without_a_body(port, outlet):
    first, _ = get(port, outlet.host, outlet.feed.path)
    for name, value in {
        "If-None-Match": first.getheader("ETag"),
        "If-Modified-Since": first.getheader("Last-Modified"),
    }.items():
        again, body = get(port, outlet.host, outlet.feed.path, **{name: value})
        assert (again.status, body) == (304, b"")


def test_an_etag_outweighs_a_date():
    with serving({("a.example", "/"): lambda: Answer(b"x", "text/plain", modified=BASE)}) as port:
        date = get(port, "a.example", "/")[0].getheader("Last-Modified")
        assert (
            get(port, "a.example", "/", **{"If-None-Match": '"other"', "If-Modified-Since": date})[0].status
            == 200
        )


def test_one_feed_has_new_guids_in_every_answer(port):
    assert (
        get(port, "uplandgazette.example", "/rss.xml")[1] != get(port, "uplandgazette.example", "/rss.xml")[1]
    )


def test_one_feed_is_a_web_page_and_one_is_down(port):
    assert get(port, "saltroadtimes.example", "/rss")[1].startswith(b"<!doctype html>")
    assert get(port, "oldmillcourier.example", "/feed")[0].status == 503


# ------------------------------------------------------------------------------------ the pipeline


class Ran:
    """A demo that ran twice in one folder, and what its database says of every page."""

    def __init__(self, directory):
        self.first = demo.run(directory)
        self.directory = directory
        self.first_rows = self._rows(directory)
        self.second = demo.run(directory)
        self.rows = self._rows(directory)
        printed_at = datetime.fromisoformat((directory / "printed-at.txt").read_text().strip())
        self.editions = {canonical(edition.url): edition for edition in editions(printed_at)}

    def differing(self, column, printed):
        """ "story at outlet" -> (stored, printed), of the pages where the two are not the same."""
        pairs = {
            f"{edition.story} at {edition.outlet.key}": (self.rows[key][column], printed(edition))
            for key, edition in self.editions.items()
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    @staticmethod
    def _rows(directory):
        """Canonical URL -> what is stored of that page, whether it was kept or folded away."""
        with closing(sqlite3.connect(directory / "db" / "news.db")) as db:
            db.row_factory = sqlite3.Row
            found = db.execute(
                "select url, id as article_id, title, byline, published_at, language, source, text, problem,"
                " 'kept' as reason, '{}' as evidence from articles union all"
                " select url, article_id, title, byline, published_at, language, source, text, problem,"
                " reason, evidence from duplicates"
            ).fetchall()
        return {canonical(row["url"]): dict(row) for row in found}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    return Ran(tmp_path_factory.mktemp("demo"))


def test_it_says_what_it_found(ran):
    assert ran.first.summary == "44 entries from 8 feeds: 20 articles, 24 copies folded away, 2 feeds failed"


def test_a_report_of_its_own_is_shown_with_the_event_and_not_folded(ran):
    with closing(sqlite3.connect(ran.directory / "db" / "news.db")) as db:
        found = db.execute(
            "select e.title, a.title from articles a join articles e on e.id = a.event_id"
        ).fetchall()
    assert [(first[:15], report[:4]) for first, report in found] == [("Verrin and Calv", "Eels")]


def test_every_entry_is_stored_once(ran):
    assert set(ran.rows) == set(ran.editions)
    assert ran.first.entries == 44


def test_each_article_is_one_declared_story_with_all_its_copies(ran):
    found, declared = {}, {}
    for key, edition in ran.editions.items():
        found.setdefault(ran.rows[key]["article_id"], set()).add(f"{edition.story} at {edition.outlet.key}")
        declared.setdefault(edition.story, set()).add(f"{edition.story} at {edition.outlet.key}")
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, declared.values()))


def test_the_paragraphs_of_every_page_are_exactly_those_printed(ran):
    assert ran.differing("text", lambda edition: "\n\n".join(edition.paragraphs)) == {}


def test_the_headline_of_every_page_is_the_one_printed(ran):
    assert ran.differing("title", lambda edition: edition.title) == {}


def test_published_is_when_it_was_printed_and_never_when_it_was_rendered(ran):
    assert ran.differing("published_at", lambda edition: f"{edition.published.astimezone(UTC):%FT%TZ}") == {}


def test_whoever_signed_a_page_is_named_without_by(ran):
    for key, edition in ran.editions.items():
        if signed := re.match(r"(?:By|Von) ([A-Z][^,]+)", edition.byline):
            byline = ran.rows[key]["byline"] or ""
            assert all(name in byline for name in signed[1].split(" and ")), (key, byline)
            assert not byline.startswith(("By ", "Von ")), (key, byline)


def test_the_language_of_every_page_is_its_outlets(ran):
    assert ran.differing("language", lambda edition: edition.outlet.language[:2]) == {}


def test_only_the_feed_with_the_full_text_spares_its_pages_a_visit(ran):
    assert {ran.editions[key].outlet.key for key, row in ran.rows.items() if row["source"] == "feed"} == {
        "halyard"
    }


def test_the_agencys_own_copy_is_the_one_kept(ran):
    for key, edition in ran.editions.items():
        if edition.outlet.key == "halyard":
            assert ran.rows[key]["reason"] == "kept"


def test_the_feeds_in_trouble_are_named_with_their_trouble(ran):
    assert {(failure.feed, failure.kind) for failure in ran.first.report.failures} == {
        ("http://oldmillcourier.example/feed", "server_error"),
        ("http://saltroadtimes.example/rss", "not_a_feed"),
    }


def test_a_second_run_adds_nothing(ran):
    report = ran.second.report
    assert (report.entries_new, report.articles_new, report.duplicates, report.articles_revised) == (
        0,
        0,
        0,
        0,
    )
    assert ran.rows == ran.first_rows
    assert ran.second.summary == ran.first.summary


def test_a_second_run_is_answered_304_by_all_feeds_but_the_one_with_changing_guids(ran):
    assert (ran.second.report.feeds_ok, ran.second.report.feeds_not_modified) == (8, 7)


def test_a_folder_with_a_feeds_yaml_of_the_users_own_is_left_alone(tmp_path):
    (tmp_path / "feeds.yaml").write_text("- https://example.org/feed\n")
    with pytest.raises(ConfigError, match="was not written by the demo; give the demo a folder of its own"):
        demo.run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.yaml"]
