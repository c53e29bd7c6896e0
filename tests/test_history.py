"""Older pages of a feed (RFC 5005): on demand, bounded, and never news."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from server import HTML, Reply, Server
from test_pipeline import OTHER, SENTENCES, Rounds, item, page, rss

from aggregator.model import Feed

JSON = "application/feed+json"


def linked(server, path, *items, rel="prev-archive"):
    link = f"<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='{rel}' href='{server.url(path)}'/>"
    return rss(link, *items)


@pytest.fixture
def rounds(server, tmp_path):
    """A feed with one item, and two archives of one item each: 1 is newest, 3 is oldest."""
    ready = Rounds(server, tmp_path / "news.db")
    titles = {1: "Ferry sails again", 2: "Bakers open later", 3: "Well runs dry"}
    ready.items = {
        n: item(server, n, title, ready.now - timedelta(days=10 * n)) for n, title in titles.items()
    }
    texts = {1: SENTENCES, 2: OTHER, 3: tuple(reversed(SENTENCES + OTHER))}
    for n, title in titles.items():
        server.answer(f"/{n}.html", body=page(title, texts[n]), type=HTML)
    server.answer("/feed", body=linked(server, "/old-1", ready.items[1]), headers={"ETag": '"1"'})
    server.answer("/old-1", body=linked(server, "/old-2", ready.items[2]))
    server.answer("/old-2", body=rss(ready.items[3]))
    ready.history = lambda pages, **more: ready.run(urls=[ready.feeds[0].url], history=pages, **more)
    return ready


def river(rounds):
    return [title for (title,) in rounds.ask("select title from articles order by published_at desc, id")]


def test_a_poll_does_not_ask_for_older_pages(rounds):
    rounds.run()
    assert not rounds.server.seen("/old-1")


def test_the_older_pages_become_articles_with_their_own_dates(rounds):
    report = rounds.history(5)
    assert (report.feeds_ok, report.feeds_failed, report.older_pages, report.entries_new) == (1, 0, 2, 3)
    assert river(rounds) == ["Ferry sails again", "Bakers open later", "Well runs dry"]


def test_no_more_pages_are_read_than_asked_for(rounds):
    assert rounds.history(1).older_pages == 1
    assert not rounds.server.seen("/old-2")


def test_a_feed_that_says_304_is_known_to_have_older_pages(rounds):
    rounds.run()
    assert rounds.later(hours=2).history(5).feeds_not_modified == 1
    assert len(river(rounds)) == 3


def test_an_older_page_without_dates_is_not_news(rounds):
    bare = "<item><title>{0}</title><guid>{0}</guid><description>{1}</description></item>"
    bare = [bare.format(f"Undated {n}", " ".join(text)) for n, text in ((1, OTHER), (2, OTHER[::-1]))]
    rounds.server.answer("/old-1", body=rss(*bare))
    rounds.history(5)
    assert river(rounds)[0] == "Ferry sails again"
    dates = rounds.ask("select title, published_at from entries order by published_at desc")
    assert [title for title, _ in dates] == ["Ferry sails again", "Undated 1", "Undated 2"]
    assert len({date for _, date in dates}) == 3


def test_an_older_page_does_not_bring_back_an_older_wording(rounds):
    older = rounds.items[1].replace("Ferry sails again", "Ferry to sail again")
    rounds.server.answer("/old-1", body=rss(older))
    rounds.history(5)
    assert rounds.ask("select count(*) from entries") == [(1,)]
    assert rounds.ask("select count(*) from revisions") == [(0,)]


def test_the_feeds_validators_and_next_time_are_not_those_of_an_older_page(rounds):
    rounds.server.answer("/old-1", body=rss(rounds.items[2]), headers={"ETag": '"old"'})
    rounds.run()
    before = rounds.ask("select etag, next_fetch_at, next_fetch_why, status from feeds")
    rounds.history(5)
    assert rounds.ask("select etag from feeds") == [(before[0][0],)] == [('"1"',)]


def test_older_pages_stand_in_the_fetch_log(rounds):
    rounds.history(5)
    assert rounds.ask("select outcome, status, entries from fetches order by id") == [("new", 200, 1)] * 3


def test_pages_that_go_in_a_circle_end(rounds):
    rounds.server.answer("/old-2", body=linked(rounds.server, "/old-1", rounds.items[3]))
    assert rounds.history(50).older_pages == 2


def test_an_older_page_that_fails_is_named_and_the_feed_is_not_failing(rounds):
    rounds.server.answer("/old-2", status=500)
    report = rounds.history(5)
    assert (report.feeds_ok, report.feeds_failed, report.older_pages) == (0, 1, 1)
    assert report.failures[0].kind == "server_error"
    assert "older page 2" in report.failures[0].message
    assert rounds.ask("select status, failures from feeds") == [("ok", 0)]


@pytest.mark.parametrize("kind", ["next", "prev-archive"])
def test_paged_feeds_are_followed_too(rounds, kind):
    rounds.server.answer("/feed", body=linked(rounds.server, "/old-2", rounds.items[1], rel=kind))
    assert rounds.history(5).older_pages == 1


def test_a_json_feed_names_its_next_page(rounds):
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "next_url": "/old-2", "items": []}
    rounds.server.answer("/feed", body=json.dumps(feed), type=JSON)
    assert rounds.history(5).older_pages == 1


def test_an_older_page_may_not_lead_into_the_private_network(rounds):
    with Server("127.0.0.2") as inside:
        inside.answer("/secret", body=rss())
        rounds.server.answer("/feed", body=linked(inside, "/secret", rounds.items[1]))
        assert rounds.history(5).failures[0].kind == "not_public"
        assert not inside.log


def test_a_stop_ends_it_soon_and_gives_the_feed_back(rounds):
    rounds.server.answer("/old-1", Reply(wait=20), Reply(rss(rounds.items[2])))
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    rounds.history(5, stop=stop)
    assert rounds.ask("select count(*) from _feed_memory where lease_owner is not null") == [(0,)]
    assert rounds.history(5).older_pages == 1


def test_several_feeds_are_walked_together(rounds):
    rounds.server.answer("/feed2", body=linked(rounds.server, "/old-2", rounds.items[2]))
    rounds.feeds.append(Feed(rounds.server.url("/feed2")))
    assert rounds.run(urls=[feed.url for feed in rounds.feeds], history=5).older_pages == 3
