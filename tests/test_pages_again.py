"""A page that is fetched again is asked with the validators it came with, and left alone when it is what it was."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import test_pipeline
from server import HTML
from test_pipeline import OTHER, SENTENCES, item, page, rss
from test_several_pages import PARTS, PATH, TITLE
from test_several_pages import page as several

from aggregator import pipeline
from aggregator.model import Config
from aggregator.store import Store

rounds = test_pipeline.rounds  # the fixture: a feed with one entry and its page

ETAG, DATE = 'W/"a, odd"', "Mon, 02 Nov 2026 07:08:09 GMT"


def edit(rounds, text):
    """The feed changes its entry."""
    when = rounds.now - timedelta(hours=1)
    entry = item(rounds.server, 1, "Ferry sails again", when, text)
    rounds.server.answer("/feed", body=rss(entry), headers={"ETag": f'"{text}"'})
    return rounds.later(hours=12)


def article(rounds, paragraphs, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    rounds.server.answer("/1.html", body=page("Ferry sails again", paragraphs), type=HTML, headers=headers)


def asked_with(rounds):
    names = ("if-none-match", "if-modified-since")
    return [tuple(seen.headers.get(name) for name in names) for seen in rounds.server.seen("/1.html")]


def test_validators_are_sent_byte_for_byte(rounds):
    article(rounds, SENTENCES, ETag=ETAG, Last_Modified=DATE)
    rounds.run()
    edit(rounds, "once more").run()
    assert asked_with(rounds) == [(None, None), (ETAG, DATE)]


def test_a_page_that_is_what_it_was_leaves_the_story_alone(rounds):
    article(rounds, SENTENCES, ETag=ETAG)
    rounds.run()
    before = rounds.ask("select * from articles")
    assert edit(rounds, "once more").run().articles_revised == 0
    assert rounds.ask("select * from articles") == before
    assert rounds.ask("select count(*) from _pending") == [(0,)]
    assert len(asked_with(rounds)) == 2


def test_a_page_that_changed_is_a_revision_and_its_new_validator_is_kept(rounds):
    article(rounds, SENTENCES, ETag='"1"')
    rounds.run()
    article(rounds, OTHER, ETag='"2"')
    assert edit(rounds, "once more").run().articles_revised == 1
    edit(rounds, "and again").run()
    assert asked_with(rounds) == [(None, None), ('"1"', None), ('"2"', None)]


def test_a_304_may_bring_a_new_validator(rounds):
    article(rounds, SENTENCES, Last_Modified=DATE)
    rounds.run()
    rounds.server.answer("/1.html", status=304, headers={"ETag": '"new"'})
    edit(rounds, "once more").run()
    edit(rounds, "and again").run()
    assert asked_with(rounds)[-1] == ('"new"', DATE)


def test_nothing_is_invented_and_old_validators_are_forgotten(rounds):
    article(rounds, SENTENCES, ETag=ETAG)
    rounds.run()
    article(rounds, OTHER)
    edit(rounds, "once more").run()
    edit(rounds, "and again").run()
    assert asked_with(rounds) == [(None, None), (ETAG, None), (None, None)]


def test_a_page_whose_text_was_not_taken_is_asked_for_whole(rounds):
    article(rounds, (), ETag=ETAG)
    edit(rounds, "The feed says more than the page.").run()
    assert rounds.ask("select source from articles") == [("feed",)]
    article(rounds, SENTENCES, ETag=ETAG)
    edit(rounds, "The feed says more than the page, still.").run()
    assert asked_with(rounds) == [(None, None)] * 2
    assert rounds.ask("select source from articles") == [("page",)]


def test_validators_belong_to_the_address_they_came_from(rounds):
    article(rounds, SENTENCES, ETag=ETAG)
    rounds.run()
    when = rounds.now - timedelta(hours=1)
    moved = item(rounds.server, 2, "Ferry sails again", when, "moved", guid="1")
    rounds.server.answer("/2.html", body=page("Ferry sails again", OTHER), type=HTML)
    rounds.server.answer("/feed", body=rss(moved))
    rounds.later(hours=12).run()
    assert [seen.headers.get("if-none-match") for seen in rounds.server.seen("/2.html")] == [None]


def test_validators_are_forgotten_after_a_month(rounds):
    article(rounds, SENTENCES, ETag=ETAG)
    rounds.run()
    rounds.later(days=31).run()
    edit(rounds, "once more").run()
    assert asked_with(rounds) == [(None, None)] * 2


@pytest.mark.parametrize("pages", [3, 120])
def test_a_stop_keeps_the_pages_that_were_read_by_then(rounds, pages):
    when, paths = rounds.now - timedelta(hours=1), range(1, pages + 1)
    for n in paths:
        rounds.server.answer(f"/{n}.html", body=page(f"Story {n}", SENTENCES), type=HTML)
    rounds.server.answer(f"/{pages}.html", wait=60)
    items = [item(rounds.server, n, f"Story {n}", when) for n in paths]
    rounds.server.answer("/feed", body=rss(*items))
    stop = threading.Event()

    def when_all_but_one_are_read():
        while len(rounds.server.log) < pages + 2:
            time.sleep(0.02)
        time.sleep(0.5)
        stop.set()

    threading.Thread(target=when_all_but_one_are_read).start()
    rounds.run(stop=stop)
    stored = rounds.ask("select (select count(*) from articles) + (select count(*) from duplicates)")[0][0]
    assert 0 < stored < pages
    rounds.server.answer(f"/{pages}.html", body=page(f"Story {pages}", SENTENCES), type=HTML)
    rounds.run()
    assert rounds.ask("select count(*) from entries where article_id is null") == [(0,)]
    again = [n for n in paths if len(rounds.server.seen(f"/{n}.html")) > 1]
    assert len(again) == pages - stored


def test_that_the_first_of_several_pages_is_what_it_was_says_nothing_of_the_others(rounds):
    first, second = f"{PATH}.html", f"{PATH}.html/2"
    for path, part in ((first, PARTS[0]), (second, PARTS[1])):
        body = several(part, f"<a href='{first}'>1</a> <a href='{second}'>2</a>")
        rounds.server.answer(path, body=body, type=HTML, headers={"ETag": ETAG})
    for text in ("once", "once more"):
        entry = item(rounds.server, PATH[1:], TITLE, rounds.now - timedelta(hours=1), text, guid="1")
        rounds.server.answer("/feed", body=rss(entry), headers={"ETag": f'"{text}"'})
        rounds.later(hours=12).run()
    for path in (first, second):
        assert [seen.headers.get("if-none-match") for seen in rounds.server.seen(path)] == [None, None]


def read_again(rounds, **more):
    with Store(rounds.path) as store:
        site = urlsplit(rounds.server.base).netloc
        return list(pipeline.read_again(site, Config(tuple(rounds.feeds), rounds.settings), store, **more))


def test_a_wall_that_stands_there_by_now_does_not_take_the_text_s_place(rounds):
    rounds.run()
    rounds.server.answer(
        "/1.html", body=page("Log in", ("You have read your five pages of this month.",)), type=HTML
    )
    [one] = read_again(rounds, write=True)
    assert (one.problem, one.written) == ("the page is about something else: Log in", False)


def test_a_page_whose_feed_is_gone_is_no_private_address_to_be_trusted(rounds):
    rounds.run()
    with Store(rounds.path) as store:
        store.connection.execute("delete from feeds")
    seen = len(rounds.server.log)
    [one] = read_again(rounds)
    assert "not on the public internet" in one.problem
    assert len(rounds.server.log) == seen
