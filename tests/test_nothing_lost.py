"""Promise 1, case by case: feeds that point two entries at one place, hostile text, processes and edits that meet."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from server import HTML, Server
from test_archive import rejudge
from test_pipeline import OTHER, SENTENCES, item, page, rounds, rss
from test_store import FEEDS, NOW, TERMS, match, outcome, story

from aggregator import pipeline
from aggregator.errors import StoreError
from aggregator.model import Feed, Removed, Settings
from aggregator.pipeline import pages
from aggregator.pipeline.pages import Ready
from aggregator.pipeline.stories import sketch_of, store_all, terms_of
from aggregator.store import Store

__all__ = ["rounds"]


def entry(link: str, guid: str, title: str, text: str = "") -> str:
    return (
        f"<item><title>{title}</title><link>{link}</link><guid isPermaLink='false'>{guid}</guid>"
        f"<description>{text}</description></item>"
    )


def texts(rounds) -> list[tuple[str]]:
    return rounds.ask("select text from articles union all select text from duplicates")


@pytest.mark.parametrize("full_text", [True, False])
@pytest.mark.parametrize(
    "links",
    [("/log#v1-alpha", "/log#v2-beta"), ("/", "/"), ("/s?q=%E9", "/s?q=%E8"), ("/a?ref=1", "/a?ref=2")],
)
def test_two_entries_whose_links_look_alike_are_both_kept(rounds, links, full_text):
    both = [
        entry(rounds.server.url(link), link, title, " ".join(text))
        for link, title, text in zip(links, ("Ferry sails", "Bakers sleep"), (SENTENCES, OTHER), strict=True)
    ]
    both[1] = both[1].replace(links[1] + "</guid>", "other</guid>")
    rounds.server.answer("/feed", body=rss(*both))
    rounds.feeds = [dataclasses.replace(rounds.feeds[0], full_text=full_text)]
    assert rounds.run().entries_new == 2
    assert len(texts(rounds)) == 2


def test_a_second_story_under_the_guid_and_link_of_the_first_is_a_story_of_its_own(rounds):
    """The first still stands beside it, unchanged, and is cut out of the document for that."""
    link = rounds.server.url("/log")
    first = entry(link, "log", "Ferry sails", " ".join(SENTENCES))
    rounds.server.answer("/feed", body=rss(first))
    rounds.feeds = [dataclasses.replace(rounds.feeds[0], full_text=False)]
    rounds.run()
    rounds.server.answer("/feed", body=rss(entry(link, "log", "Bakers sleep", " ".join(OTHER)), first))
    assert rounds.later(days=1).run().articles_new == 1


def test_an_entry_that_is_only_a_link_waits_for_its_page(rounds):
    link = rounds.server.url("/1.html")
    rounds.server.answer("/feed", body=rss(f"<item><link>{link}</link></item>"))
    rounds.server.answer("/1.html", status=503)
    rounds.run()
    assert texts(rounds) == []
    rounds.server.answer("/1.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.later(days=2).run()
    assert len(texts(rounds)) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"id": "a\ud800", "url": "https://a.example/x", "title": "x"},
        {"id": "a", "url": "https://a.example/?q=\ud800", "title": "x"},
        {"id": "a", "title": "x \ud800", "content_html": "<p>hi \ud800 \u0000</p>"},
        {"id": "a\u0000b", "title": "x", "content_html": "<p>hi</p>"},
        {"id": "a", "title": "x", "content_html": "<div>" * 20_000},
    ],
    ids=["id", "link", "content", "NUL", "deep"],
)
def test_text_that_no_database_takes_stops_nothing(rounds, bad):
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": [bad]}
    rounds.server.answer("/bad", body=json.dumps(document), type="application/json")
    rounds.feeds.insert(0, Feed(rounds.server.url("/bad"), full_text=False))
    assert rounds.run().failures == ()
    assert rounds.ask("select count(*) from articles") == [(2,)]


def test_an_edit_seen_while_another_process_works_on_the_entry_is_not_lost(tmp_path):
    with Store(tmp_path / "news.db") as store:
        store.feeds.sync(list(FEEDS.values()), NOW)
        state = store.feeds.claim(FEEDS, NOW)[0]
        store.feeds.record(outcome(state, matches=(match("g"),)), NOW)
        (mine,) = store.pending.claim(store.pending.due(NOW)[:10], NOW)
        state = store.feeds.claim(FEEDS, NOW, urls=[state.feed.url])[0]
        edit = match("g", title="Ferries sail", known_id=mine.entry_id, status="changed")
        store.feeds.record(outcome(state, matches=(edit,)), NOW)
        tally = pipeline.Tally()
        store_all([Ready(mine, story())], pipeline.Config(()), store, tally, lambda: NOW)
        assert tally.bugs == []
        assert store.connection.value("select count(*) from _pending") == 1
        assert store.pending.claim(store.pending.due(NOW)[:10], NOW)[0].entry.title == "Ferries sail"


def test_an_edit_in_the_batch_that_brings_a_better_copy_edits_its_own_text(rounds):
    server = rounds.server
    rounds.feeds = [Feed(server.url("/feed"), priority=50), Feed(server.url("/wire"), priority=1)]
    server.answer("/wire", body=rss())
    rounds.run()
    server.answer("/wire", body=rss(item(server, 2, "Ferry sails again", rounds.now - timedelta(hours=3))))
    server.answer("/2.html", body=page("The agency's headline", (*SENTENCES[:5], OTHER[0])), type=HTML)
    server.answer("/feed", body=rss(item(server, 1, "The owner speaks", rounds.now, "changed")))
    server.answer("/1.html", body=page("The owner speaks", (*SENTENCES[:5], OTHER[1])), type=HTML)
    rounds.later(days=1).run()
    assert rounds.ask("select title, url from articles") == [("The agency's headline", server.url("/2.html"))]
    assert rounds.ask("select title, url from duplicates") == [("The owner speaks", server.url("/1.html"))]
    assert rounds.ask("select count(distinct coalesce(duplicate_id, 0)) from entries") == [(2,)]


def test_what_the_user_folded_stays_folded_after_a_better_copy(rounds):
    server = rounds.server
    rounds.feeds = [
        Feed(server.url("/feed")),
        Feed(server.url("/other")),
        Feed(server.url("/wire"), priority=1),
    ]
    server.answer("/wire", body=rss())
    server.answer("/other", body=rss(item(server, 3, "Bakers", rounds.now)))
    server.answer("/3.html", body=page("Bakers open later", OTHER), type=HTML)
    rounds.run()
    ids = dict(rounds.ask("select url, id from articles"))
    with Store(rounds.path) as store:
        pipeline.fold(store, ids[server.url("/3.html")], ids[server.url("/1.html")], rounds.now)
    server.answer("/wire", body=rss(item(server, 2, "Ferry sails again", rounds.now)))
    server.answer("/2.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.later(days=2).run()
    assert rounds.ask("select title, copies from articles") == [("Ferry sails again", 2)]
    rejudge(rounds)
    assert rounds.ask("select count(*) from articles") == [(1,)]


def test_judging_an_old_archive_again_changes_nothing(rounds):
    """The index has forgotten both; the copy was published before the text that was kept."""
    server = rounds.server
    rounds.feeds = [Feed(server.url("/feed")), Feed(server.url("/late"))]
    server.answer("/late", body=rss())
    rounds.run()
    server.answer("/late", body=rss(item(server, 2, "Ferry sails", rounds.now - timedelta(hours=5))))
    server.answer("/2.html", body=page("Ferry sails", SENTENCES[:5]), type=HTML)
    rounds.later(days=2).run()
    before = rounds.ask("select id, url from articles"), rounds.ask("select article_id, url from duplicates")
    assert len(before[1]) == 1
    rounds.later(days=30)
    with Store(rounds.path) as store:
        store.upkeep.tidy(rounds.now, keep_fetches=30, window=72 * 3600)
    rejudge(rounds)
    assert (
        rounds.ask("select id, url from articles"),
        rounds.ask("select article_id, url from duplicates"),
    ) == before


def test_judging_again_counts_each_text_once(rounds):
    server = rounds.server
    both = item(server, 1, "Ferry sails again", rounds.now), item(server, 2, "Ferry sails", rounds.now)
    server.answer("/feed", body=rss(*both))
    server.answer("/2.html", body=page("Ferry sails", SENTENCES[:5]), type=HTML)
    rounds.run()
    with Store(rounds.path) as store:
        ((copy,),) = rounds.ask("select id from duplicates")
        terms = terms_of(sketch_of(store.reading.duplicate(copy)))
        store.folding.unfold(copy, terms, rounds.now, remember=False)
    report = rejudge(rounds)
    assert (report.folded, report.texts) == (1, 2)


def test_a_clock_that_was_a_year_ahead_does_not_silence_the_daemon(rounds):
    with Store(rounds.path) as store:
        store.feeds.sync(rounds.feeds, rounds.now)
        store.connection.execute("update feeds set next_fetch_at = '2031-01-01T00:00:00Z'")
        assert store.feeds.due_count(rounds.now) == 1


def test_a_clock_that_was_a_day_ahead_does_not_silence_a_feed(rounds):
    rounds.later(days=1).run()
    rounds.later(days=-1, minutes=5)
    assert rounds.run().feeds_not_modified == 1


def test_a_story_does_not_wait_for_another_one_s_host(rounds, monkeypatch):
    monkeypatch.setattr(pages, "BEGIN_WITHIN", 0.5)
    with Server("127.0.0.2") as slow:
        slow.answer("/robots.txt", body="User-agent: *\nCrawl-delay: 20", type="text/plain")
        slow.answer("/2.html", body=page("Bakers open later", OTHER), type=HTML)
        rounds.server.answer(
            "/feed",
            body=rss(
                item(rounds.server, 1, "Ferry sails again", rounds.now),
                item(slow, 2, "Bakers open later", rounds.now),
            ),
        )
        rounds.settings = dataclasses.replace(rounds.settings, allow=(urlsplit(slow.base).netloc,))
        rounds.run(page_seconds=0.5)
    assert rounds.ask("select title from articles") == [("Ferry sails again",)]
    assert rounds.ask(
        "select e.title, e.attempts, e.problem, p.lease_owner from entries e join _pending p on p.entry_id = e.id"
    ) == [("Bakers open later", 0, None, None)]


def test_a_page_whose_host_wants_patience_waits_and_is_not_given_up(rounds):
    rounds.settings = Settings(host_delay=0.1)  # one page after the other
    rounds.server.answer("/1.html", status=429, headers={"Retry-After": "1800"}, type=HTML)
    rounds.server.answer("/2.html", body=page("Bakers sleep", OTHER), type=HTML)
    both = (
        item(rounds.server, 1, "Ferry sails", rounds.now, SENTENCES[0]),
        item(rounds.server, 2, "Bakers", rounds.now),
    )
    rounds.server.answer("/feed", body=rss(*both))
    report = rounds.run()
    assert rounds.ask("select count(*) from articles") == [(1,)]
    assert report.pages_failed == 1  # the one that waits was not tried
    assert rounds.ask("select attempts from entries where url like '%/2.html'") == [(0,)]
    assert rounds.ask("select count(*) from _pending where not_before > '2000'") == [(2,)]


def test_a_long_removed_block_is_kept_whole(tmp_path):
    long = "word " * 10_000 + "END"
    with Store(tmp_path / "news.db") as store:
        store.stories.add(story(removed=(Removed(long, "live", 0),)), TERMS, None, NOW)
        assert store.sites.removed(article_id=1)[0]["text"] == long


def test_pages_of_a_block_are_counted_right_after_restoring_and_pruning(tmp_path):
    twice = Removed("Share", "share", 0), Removed("Share", "share", 2)
    more = (Removed("More", "share", 0),)
    with Store(tmp_path / "news.db") as store:
        store.stories.add(story(removed=twice), TERMS, None, NOW)
        store.stories.add(story(2, removed=more, first_seen_at="2020-01-01T00:00:00Z"), TERMS, None, NOW)
        store.stories.add(story(3, removed=more), TERMS, None, NOW)
        for block in (1, 2):
            pipeline.restore(store, block, NOW)
        store.upkeep.prune(NOW - timedelta(days=365))
        rows = store.connection.rows("select text, pages from boilerplate")
        assert [tuple(row) for row in rows] == [("More", 1)]


def test_search_takes_bytes_that_are_no_utf_8(tmp_path):
    with Store(tmp_path / "news.db") as store:
        assert store.reading.search("caf\udce9") == []


def test_a_backup_that_fails_names_its_own_place(tmp_path):
    with Store(tmp_path / "news.db") as store, pytest.raises(StoreError, match="nowhere"):
        store.upkeep.backup(tmp_path / "nowhere" / "copy.db")
