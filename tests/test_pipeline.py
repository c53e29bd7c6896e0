"""One round after another, against a real server and a real database file."""

from __future__ import annotations

import json
import threading
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from server import HTML, Reply, Server

from aggregator import pipeline
from aggregator.errors import StoreError
from aggregator.model import Config, Document, Entry, Feed, HostState, Settings
from aggregator.parse.prepare import Limits
from aggregator.pipeline import doubts, feeds, pages, stories, visits
from aggregator.store import Store
from aggregator.store.clock import stamp
from aggregator.store.feeds import Feeds

SENTENCES = (
    "The harbour master of Tolmare said on Monday that the ferry would sail again before the week was out.",
    "Two hundred and twelve passengers had waited since Friday, most of them with bicycles and one with a cello.",
    "The company blamed a gearbox, the crew blamed the company, and the weather took no side in the matter.",
    "Repairs cost 48,000 crowns, according to a document that the council made public late in the evening.",
    "Mayor Ilse Brandvold promised a new timetable, which she said would be printed on one side only.",
    "Nobody was hurt, and the cello was reported to be in tune when the doors were opened at last.",
)
OTHER = (
    "Bakers in Oberstadt agreed on Tuesday to open an hour later in winter, ending a quarrel of nine years.",
    "The union had asked for two hours, and the guild for none, so both sides called the result a defeat.",
    "Customers interviewed in the queue at Kettle Lane said that they would rather sleep than complain.",
    "A kilogram of rye bread costs 4.20 crowns, ten more hellers than in March, the statistics office said.",
    "The agreement runs until 2031 and must still be confirmed by the members in a ballot by post.",
)


def page(title: str, paragraphs: tuple[str, ...], extra: str = "") -> str:
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f"<html lang=en><head><title>{title}</title></head><body><header><nav><a href=/>Home</a><a href=/n>News</a>"
        f"</nav></header><main><article><h1>{title}</h1>{body}</article>{extra}</main>"
        "<footer>All rights reserved</footer></body></html>"
    )


def item(server, number: int, title: str, when: datetime, text: str = "", guid: str | None = None) -> str:
    return (
        f"<item><title>{title}</title><link>{server.url(f'/{number}.html')}</link><guid>{guid or number}</guid>"
        f"<pubDate>{format_datetime(when)}</pubDate><description>{text}</description></item>"
    )


def rss(*items: str) -> str:
    return f"<rss version='2.0'><channel><title>Harbour Herald</title>{''.join(items)}</channel></rss>"


class Rounds:
    """A server, a database and a clock that a test can turn."""

    def __init__(self, server, path):
        self.server, self.path = server, path
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.feeds = [Feed(server.url("/feed"))]
        self.settings = Settings(host_delay=0.0)
        server.answer("/robots.txt", body="", type="text/plain")

    def run(self, **options):
        with Store(self.path) as store:
            return pipeline.run(
                Config(tuple(self.feeds), self.settings), store, clock=lambda: self.now, **options
            )

    def later(self, **delta):
        self.now += timedelta(**delta)
        return self

    def ask(self, sql, *params):
        with Store(self.path) as store:
            return [tuple(row) for row in store.connection.rows(sql, params)]


@pytest.fixture
def rounds(server, tmp_path):
    ready = Rounds(server, tmp_path / "news.db")
    when = ready.now - timedelta(hours=1)
    server.answer("/feed", body=rss(item(server, 1, "Ferry sails again", when)), headers={"ETag": '"1"'})
    server.answer("/1.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    return ready


def test_a_page_becomes_an_article(rounds):
    report = rounds.run()
    assert (report.feeds_ok, report.entries_new, report.articles_new) == (1, 1, 1)
    assert rounds.ask("select title, text, source, problem from articles") == [
        ("Ferry sails again", "\n\n".join(SENTENCES), "page", None)
    ]


@pytest.mark.parametrize(
    "stub",
    [
        "<head><meta http-equiv=refresh content='0; url=/2.html'></head><p>This page has moved. Please wait.</p>",
        r"<head><noscript><META http-equiv=refresh content='0;URL=/2.html'></noscript></head><script>opener = null; "
        r'location.replace("\/2.html")</script>',
        "<script>window.location.href = '/2.html';</script>",
    ],
)
def test_a_page_that_only_leads_to_another_is_followed(rounds, stub):
    rounds.server.answer("/1.html", body=f"<html>{stub}</html>", type=HTML)
    rounds.server.answer("/2.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.run()
    assert rounds.ask("select text, url, problem from articles") == [
        ("\n\n".join(SENTENCES), rounds.server.url("/2.html"), None)
    ]


def test_what_a_page_without_text_says_it_is_about_is_the_summary(rounds):
    about = "The ferry sails again, and we were on board."
    head = f"<title>Ferry sails again</title><meta name=description content='{about}'>"
    rounds.server.answer("/1.html", body=f"<html><head>{head}</head><div id=app></div></html>", type=HTML)
    rounds.run()
    assert rounds.ask("select text, summary, source from articles") == [("", about, "feed")]


def test_what_another_page_says_it_is_about_is_no_summary(rounds):
    head = "<title>Log in</title><meta name=description content='All the news of the coast since 1894.'>"
    rounds.server.answer("/1.html", body=f"<html><head>{head}</head><div id=app></div></html>", type=HTML)
    rounds.run()
    assert rounds.ask("select text, summary from articles") == [("", None)]


def test_a_page_that_leads_to_another_waits_for_the_next_round_after_a_stop(rounds):
    stop = threading.Event()
    rounds.server.answer("/1.html", body="<meta http-equiv=refresh content='0; url=/2.html'>", type=HTML)
    rounds.server.answer("/2.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.run(stop=stop, progress=lambda step: step.stage == "pages" and stop.set())
    assert rounds.ask("select source from articles") == []
    rounds.later(minutes=1).run()
    assert rounds.ask("select source from articles") == [("page",)]


def test_pages_that_lead_to_one_another_give_the_feeds_text(rounds):
    for here, there in (("/1.html", "/2.html"), ("/2.html", "/1.html")):
        rounds.server.answer(here, body=f"<meta http-equiv=refresh content='0; url={there}'>", type=HTML)
    rounds.run()
    assert rounds.ask("select source, problem from articles") == [
        ("feed", "the page gave no article (index)")
    ]


def test_a_page_that_cannot_be_reached_by_the_one_that_leads_to_it_is_tried_again(rounds):
    rounds.server.answer("/1.html", body="<meta http-equiv=refresh content='0; url=/2.html'>", type=HTML)
    rounds.server.answer("/2.html", status=503)
    rounds.run()
    rounds.server.answer("/2.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.later(hours=1).run()
    assert rounds.ask("select source from articles") == [("page",)]


def test_a_feeds_headers_are_sent_to_its_pages_and_to_nobody_else(rounds):
    with Server("127.0.0.2") as other:
        rounds.settings = Settings(host_delay=0.0, allow=(f"127.0.0.2:{other.port}",))
        rounds.feeds = [Feed(rounds.feeds[0].url, headers={"Authorization": "Bearer x"})]
        both = item(rounds.server, 1, "Ferry sails", rounds.now), item(other, 2, "Bakers sleep", rounds.now)
        rounds.server.answer("/feed", body=rss(*both))
        other.answer("/2.html", body=page("Bakers sleep", OTHER), type=HTML)
        rounds.run()
        assert rounds.server.seen("/1.html")[0].headers["authorization"] == "Bearer x"
        assert [seen.headers.get("authorization") for seen in other.seen("/2.html")] == [None]


def test_a_server_that_hangs_holds_up_no_other_feeds_articles(rounds, monkeypatch):
    monkeypatch.setattr(pipeline, "LULL", 0.2)
    late = rss(item(rounds.server, 2, "Bakers agree", rounds.now - timedelta(hours=2), "<p>".join(OTHER)))
    rounds.feeds.append(Feed(rounds.server.answer("/slow", body=late, wait=3)))
    order = []
    report = rounds.run(progress=lambda step: order.append((step.stage, step.title)))
    assert [stage for stage, _ in order] == ["feeds", "pages", "feeds", "pages"]
    assert (report.feeds_ok, report.articles_new) == (2, 2), "what came late is in the same round"


def test_the_database_failing_under_the_feeds_ends_the_round(rounds, monkeypatch):
    def fail(*_):
        raise StoreError("news.db", "the disk is full")

    monkeypatch.setattr(Feeds, "record", fail)
    with pytest.raises(StoreError, match="the disk is full"):
        rounds.run()


def test_texts_with_more_tags_than_are_worth_reading_keep_their_words(rounds, monkeypatch):
    monkeypatch.setattr(pages, "MOST_TAGS", 10)
    rounds.feeds = [Feed(rounds.feeds[0].url, full_text=False)]
    text = "&lt;p&gt;".join(["", *SENTENCES])
    items = [
        item(rounds.server, n, f"Ferry {n}", rounds.now, text.replace("Monday", f"day {n}")) for n in (1, 2)
    ]
    rounds.server.answer("/feed", body=rss(*items))
    rounds.run()
    texts = [row[0] for row in rounds.ask("select text from articles union all select text from duplicates")]
    assert {text.count("\n\n") for text in texts} == {0, len(SENTENCES) - 1}
    assert len({len(text.split()) for text in texts}) == 1


def test_what_is_not_due_is_not_asked(rounds):
    rounds.run()
    assert rounds.later(minutes=5).run().feeds_ok == 0
    assert len(rounds.server.seen("/feed")) == 1


def test_nothing_new_is_asked_with_the_validator_and_adds_nothing(rounds):
    rounds.run()
    report = rounds.later(days=1).run()
    assert (report.feeds_not_modified, report.entries_new, report.articles_new) == (1, 0, 0)
    assert rounds.server.seen("/feed")[1].headers["if-none-match"] == '"1"'
    assert len(rounds.server.seen("/1.html")) == 1


def test_what_a_feed_said_of_its_interval_holds_when_nothing_is_new(rounds):
    rounds.server.answer("/feed", body=rss("<ttl>1200</ttl>"), headers={"ETag": '"1"'})
    rounds.run()
    for _ in range(2):
        assert rounds.later(days=1).run().feeds_not_modified == 1
        assert rounds.ask("select next_fetch_why from feeds") == [("ttl 20 h",)]


def test_a_304_that_does_not_repeat_the_validator_leaves_it_as_it_was(rounds):
    rounds.run()
    for _ in range(2):
        rounds.server.answer("/feed", status=304)
        rounds.later(days=1).run()
    assert [seen.headers.get("if-none-match") for seen in rounds.server.seen("/feed")] == [None, '"1"', '"1"']


def test_an_item_whose_bytes_change_and_whose_words_do_not_is_not_read_again(rounds):
    rounds.run()
    ticked = item(rounds.server, 1, "Ferry sails again", rounds.now).replace("</item>", "<thr>7</thr></item>")
    rounds.server.answer("/feed", body=rss(ticked))
    rounds.later(days=1).run()
    assert len(rounds.server.seen("/1.html")) == 1


def test_the_validator_of_what_is_no_feed_is_not_kept(rounds):
    rounds.server.answer(
        "/feed", body=page("We have a new look", SENTENCES), type=HTML, headers={"ETag": '"2"'}
    )
    rounds.run()
    assert rounds.ask("select status, etag from feeds") == [("failing", None)]


def test_the_log_says_how_long_a_failure_took_and_what_came(rounds):
    rounds.server.answer("/feed", status=404, body="x" * 100, wait=0.05)
    rounds.run()
    assert rounds.ask("select status, bytes, duration_ms >= 50 from fetches") == [(404, 100, 1)]


def test_a_page_that_fails_leaves_the_feeds_own_text_with_the_problem(rounds):
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails", rounds.now, SENTENCES[0])))
    rounds.server.answer("/1.html", status=404, type=HTML)
    rounds.run()
    ((text, source, problem),) = rounds.ask("select text, source, problem from articles")
    assert (text, source) == (SENTENCES[0], "feed")
    assert "not_found" in problem


def test_a_page_that_fails_for_a_while_is_tried_again_and_becomes_a_revision(rounds):
    rounds.server.answer(
        "/feed", body=rss(item(rounds.server, 1, "Ferry sails again", rounds.now, SENTENCES[0]))
    )
    rounds.server.answer(
        "/1.html", Reply(status=500, type=HTML), Reply(page("Ferry sails again", SENTENCES), type=HTML)
    )
    rounds.run()
    rounds.later(minutes=30).run()
    assert rounds.ask("select text, source, problem from articles") == [
        ("\n\n".join(SENTENCES), "page", None)
    ]
    assert rounds.ask("select reason from revisions") == [("reextracted",)]
    assert rounds.ask("select count(*) from _pending") == [(0,)]


def test_a_teaser_that_turns_out_to_be_a_copy_is_folded(rounds):
    rounds.server.answer(
        "/feed",
        body=rss(
            item(rounds.server, 1, "Ferry sails again", rounds.now - timedelta(hours=1)),
            item(rounds.server, 2, "Cello waits for boat", rounds.now, "Read all about it."),
        ),
    )
    rounds.server.answer(
        "/2.html", Reply(status=503, type=HTML), Reply(page("Cello waits", SENTENCES), type=HTML)
    )
    rounds.run()
    assert rounds.ask("select count(*) from articles") == [(2,)]
    rounds.later(hours=1).run()
    assert rounds.ask("select count(*) from articles") == [(1,)]
    assert rounds.ask("select article_id, title from duplicates") == [
        (1, "Cello waits for boat")
    ] or rounds.ask("select article_id, title from duplicates") == [(1, "Cello waits")]


def test_a_feed_with_the_full_text_spares_the_page(rounds):
    lines = [f"{one} {two}" for one, two in zip(SENTENCES, reversed(SENTENCES), strict=True)] + list(OTHER)
    text = " ".join(f"&lt;p&gt;{line}&lt;/p&gt;" for line in lines)
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails again", rounds.now, text)))
    rounds.run()
    assert rounds.server.seen("/1.html") == []
    assert rounds.ask("select source, problem from articles") == [("feed", None)]


def test_full_text_false_never_visits_pages(rounds):
    rounds.feeds = [Feed(rounds.feeds[0].url, full_text=False)]
    rounds.run()
    assert rounds.server.seen("/1.html") == []
    assert rounds.ask("select title, source from articles") == [("Ferry sails again", "feed")]


def test_robots_txt_is_obeyed_for_pages(rounds):
    rounds.server.answer("/robots.txt", body="User-agent: *\nDisallow: /1.html", type="text/plain")
    rounds.run()
    assert rounds.server.seen("/1.html") == []
    ((problem,),) = rounds.ask("select problem from articles")
    assert "robots" in problem


def test_keep_and_drop_selectors_of_the_feed_win(rounds):
    rounds.feeds = [Feed(rounds.feeds[0].url, drop=("p:nth-of-type(2)",))]
    rounds.run()
    ((text,),) = rounds.ask("select text from articles")
    assert SENTENCES[1] not in text
    assert SENTENCES[2] in text
    assert ("selector",) in rounds.ask("select reason from removed_blocks")


def test_the_same_text_elsewhere_is_folded_with_its_evidence(rounds):
    rounds.server.answer("/2.html", body=page("Cello saved", SENTENCES[:5]), type=HTML)
    rounds.server.answer("/second", body=rss(item(rounds.server, 2, "Cello saved", rounds.now)))
    rounds.feeds.append(Feed(rounds.server.url("/second")))
    report = rounds.run()
    assert (report.articles_new, report.duplicates) == (1, 1)
    ((article, containment, title),) = rounds.ask("select article_id, containment, title from duplicates")
    assert (article, title) == (1, "Cello saved")
    assert containment > 0.9


def test_another_story_is_an_article_of_its_own(rounds):
    rounds.server.answer("/2.html", body=page("Bakers sleep", OTHER), type=HTML)
    rounds.server.answer("/second", body=rss(item(rounds.server, 2, "Bakers sleep", rounds.now)))
    rounds.feeds.append(Feed(rounds.server.url("/second")))
    assert rounds.run().articles_new == 2


def test_the_preferred_feeds_text_is_shown_whoever_came_first(rounds):
    rounds.server.answer("/2.html", body=page("Cello saved", SENTENCES), type=HTML)
    rounds.server.answer("/wire", body=rss(item(rounds.server, 2, "Cello saved", rounds.now)))
    rounds.feeds.append(Feed(rounds.server.url("/wire"), priority=1))
    rounds.run()
    assert rounds.ask("select id, title, copies from articles") == [(1, "Cello saved", 1)]
    assert rounds.ask("select title from revisions where reason = 'better_copy'") == [("Ferry sails again",)]


def test_one_page_in_two_feeds_is_fetched_once_and_stored_once(rounds):
    rounds.server.answer(
        "/second", body=rss(item(rounds.server, 1, "Ferry sails again", rounds.now, guid="x"))
    )
    rounds.feeds.append(Feed(rounds.server.url("/second")))
    rounds.run()
    assert len(rounds.server.seen("/1.html")) == 1
    assert rounds.ask("select count(*) from articles") == [(1,)]
    assert rounds.ask("select count(*) from entries where article_id = 1") == [(2,)]
    assert rounds.ask("select count(*) from duplicates") == [(0,)]


def test_an_edited_entry_becomes_a_revision(rounds):
    rounds.run()
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails at last", rounds.now)))
    rounds.server.answer("/1.html", body=page("Ferry sails at last", (*SENTENCES[:5], OTHER[0])), type=HTML)
    report = rounds.later(days=1).run()
    assert (report.articles_new, report.articles_revised) == (0, 1)
    assert rounds.ask("select title from articles") == [("Ferry sails at last",)]
    assert rounds.ask("select title, reason from revisions") == [("Ferry sails again", "edited")]


def test_a_feed_that_fails_never_stops_another(rounds):
    rounds.feeds.insert(0, Feed(rounds.server.url("/dead")))
    report = rounds.run()
    assert (report.feeds_ok, report.feeds_failed, report.articles_new) == (1, 1, 1)
    assert report.failures[0].kind == "not_found"


def test_an_html_page_instead_of_a_feed_is_named_as_such(rounds):
    rounds.server.answer("/feed", body=page("We have moved", SENTENCES), type=HTML)
    report = rounds.run()
    assert report.failures[0].kind == "not_a_feed"
    assert rounds.ask("select status, error_kind from feeds") == [("failing", "not_a_feed")]


def test_what_was_left_of_a_long_feed_is_read_next_time_although_it_is_byte_for_byte_the_same(
    rounds, monkeypatch
):
    monkeypatch.setattr("aggregator.parse.NORMAL", Limits(entries=1, size=4_000_000, field=500_000))
    two = (item(rounds.server, n, f"Ferry {n}", rounds.now, "It sails.") for n in (1, 2))
    rounds.server.answer("/feed", body=rss(*two))
    assert rounds.run().entries_new == 1
    assert rounds.later(days=1).run().entries_new == 1


def test_the_entries_of_a_truncated_feed_are_kept_and_its_validators_are_not(rounds):
    whole = rss(
        item(rounds.server, 1, "Ferry sails again", rounds.now), item(rounds.server, 2, "Bakers", rounds.now)
    )
    rounds.server.answer("/feed", body=whole[: whole.index("<title>Bakers")], headers={"ETag": '"t"'})
    report = rounds.run()
    assert (report.feeds_ok, report.entries_new) == (1, 1)
    assert rounds.ask("select etag from feeds") == [(None,)]


def with_link(rounds, path):
    entry = item(rounds.server, 1, "Ferry sails", rounds.now, "It sails.")
    rounds.server.answer("/feed", body=rss(entry.replace("/1.html</link>", f"{path}</link>")))


@pytest.mark.parametrize("path", ["/", "/log#v2"])
def test_what_has_no_page_of_its_own_is_what_the_feed_says(rounds, path):
    with_link(rounds, path)
    rounds.server.answer(path.partition("#")[0], body=page("The Harbour Herald", SENTENCES), type=HTML)
    rounds.run()
    assert rounds.ask("select text, source from articles") == [("It sails.", "feed")]
    assert [seen.path for seen in rounds.server.log] == ["/feed"]


def test_a_page_that_redirects_to_the_front_page_is_not_read(rounds):
    with_link(rounds, "/old.html")
    rounds.server.answer("/old.html", status=301, headers={"Location": "/"})
    rounds.server.answer("/", body=page("The Harbour Herald", SENTENCES), type=HTML)
    rounds.run()
    ((text, problem),) = rounds.ask("select text, problem from articles")
    assert text == "It sails."
    assert "which is not about this story" in problem


def test_a_page_that_is_worse_than_the_feed_is_not_asked_with_its_validator_later(rounds):
    text = " ".join(SENTENCES)
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails", rounds.now, text)))
    consent = page("Before you read on", ("We value your privacy.",))
    rounds.server.answer("/1.html", body=consent, type=HTML, headers={"ETag": '"c"'})
    rounds.run()
    assert rounds.ask("select source from articles") == [("feed",)]
    assert rounds.ask("select etag from _pages") == []


def test_the_page_of_a_pruned_article_is_asked_without_its_validator(rounds):
    rounds.server.answer(
        "/1.html", body=page("Ferry sails again", SENTENCES), type=HTML, headers={"ETag": '"p"'}
    )
    rounds.run()
    with Store(rounds.path) as store:
        assert store.upkeep.prune(rounds.now + timedelta(days=1)) == (1, 0)
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails again at last", rounds.now)))
    assert rounds.later(days=1).run().articles_new == 1
    assert [seen.headers.get("if-none-match") for seen in rounds.server.seen("/1.html")] == [None, None]


@pytest.mark.parametrize(("of_page", "of_feed", "taken"), [
    (100, 160, "page"), (100, 180, "feed"), (19, 30, "feed"), (20, 30, "page"), (5, 5, "feed"), (6, 5, "page"),
])  # fmt: skip
def test_of_page_and_feed_the_text_that_says_enough_is_taken(of_page, of_feed, taken):
    page, feed = (Document("https://a.example/1", "Ferry", ("ferry " * n,)) for n in (of_page, of_feed))
    assert pages.choose(page, feed, None)[1] == taken


def test_an_article_is_not_newer_than_when_it_was_seen(rounds):
    ahead = item(rounds.server, 1, "Ferry sails", rounds.now + timedelta(hours=20))
    rounds.server.answer("/feed", body=rss(ahead))
    rounds.run()
    assert rounds.ask("select published_at from articles") == [(stamp(rounds.now),)]


def test_a_validator_is_not_sent_to_the_page_of_another_address(rounds):
    text = page("Ferry sails again", SENTENCES)
    rounds.server.answer("/1.html", body=text, type=HTML, headers={"ETag": '"p"'})
    rounds.run()
    rounds.server.answer("/2.html", body=text, type=HTML)
    moved = item(rounds.server, 2, "Ferry sails again at last", rounds.now, guid="1")
    rounds.server.answer("/feed", body=rss(moved))
    rounds.later(days=1).run()
    assert [seen.headers.get("if-none-match") for seen in rounds.server.seen("/2.html")] == [None]


def test_an_entry_without_title_and_text_is_given_up(rounds):
    rounds.server.answer("/feed", body=rss("<item><guid>1</guid></item>"))
    rounds.run(page_seconds=5)
    assert rounds.ask("select article_id, problem from entries") == [(None, "neither a title nor a text")]
    assert rounds.ask("select count(*) from _pending") == [(0,)]


@pytest.fixture
def held(rounds):
    """The rounds, with a page on another host, which wants to be left alone for two hours."""
    with Server("127.0.0.2") as other:
        patient = HostState(f"127.0.0.2:{other.port}", datetime.now(UTC) + timedelta(hours=2), "Retry-After")
        with Store(rounds.path) as store:
            store.feeds.save_hosts([patient])
        rounds.settings = Settings(host_delay=0.0, allow=(patient.host,))
        rounds.server.answer("/feed", body=rss(item(other, 1, "Ferry sails", rounds.now, "It sails.")))
        yield rounds


def test_an_entry_whose_pages_host_is_held_waits_untried(held):
    assert held.run().articles_new == 0
    assert held.ask("select attempts, problem from entries") == [(0, None)]
    ((until,),) = held.ask("select not_before from _pending")
    assert timedelta(hours=1.9) < datetime.fromisoformat(until) - held.now < timedelta(hours=2.1)


def test_an_entry_whose_pages_host_is_held_for_long_is_what_the_feed_says(held):
    held.run()
    assert held.later(hours=7).run().articles_new == 1
    assert held.ask("select text, source from articles") == [("It sails.", "feed")]


def test_an_entry_without_link_date_or_guid_is_an_article(rounds):
    body = "<item><description>The bakery on Kettle Lane is closed today.</description></item>"
    rounds.server.answer("/feed", body=rss(body))
    assert rounds.run().articles_new == 1
    assert rounds.later(days=1).run().articles_new == 0


def test_a_date_in_the_future_does_not_stick_to_the_top(rounds):
    future = rounds.now + timedelta(days=300)
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails again", future)))
    rounds.run()
    ((published,),) = rounds.ask("select published_at from articles")
    assert published <= rounds.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_blocks_that_repeat_on_the_sites_pages_are_taken_away_and_counted(rounds):
    box = "Our readers made this possible with a small gift of their own, every single month of the year."
    items = []
    for number, (title, text) in enumerate(
        [
            ("Ferry sails again", SENTENCES),
            ("Bakers sleep", OTHER),
            ("Both of them", SENTENCES[:3] + OTHER[:2]),
        ],
        1,
    ):
        marked = (*text[:2], box, *text[2:])
        rounds.server.answer(f"/{number}.html", body=page(title, marked), type=HTML)
        items.append(item(rounds.server, number, title, rounds.now - timedelta(hours=number)))
    rounds.server.answer("/feed", body=rss(*items))
    rounds.run()
    assert rounds.ask("select count(*) from articles where instr(text, ?)", box) == [(0,)]
    assert rounds.ask("select pages from boilerplate where text = ?", box) == [(3,)]


def test_a_stopped_round_ends_soon_and_loses_nothing(rounds):
    rounds.server.answer("/1.html", Reply(wait=20), Reply(page("Ferry sails again", SENTENCES), type=HTML))
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = datetime.now(UTC)
    rounds.run(stop=stop)
    assert (datetime.now(UTC) - started).total_seconds() < 8
    assert rounds.ask("select count(*) from articles") == [(0,)]
    rounds.run()
    assert rounds.ask("select count(*) from articles") == [(1,)]


def test_progress_tells_every_feed_and_page(rounds):
    told = []
    rounds.run(progress=told.append)
    assert [(step.stage, step.done, step.total) for step in told] == [("feeds", 1, 1), ("pages", 1, 1)]


def test_moved_for_good_three_times_is_believed(rounds):
    rounds.server.answer("/old", status=301, headers={"Location": rounds.feeds[0].url})
    rounds.feeds = [Feed(rounds.server.url("/old"))]
    for _ in range(4):
        rounds.later(days=2).run()
    assert len(rounds.server.seen("/old")) == 3
    assert rounds.ask("select fetch_url from feeds") == [(rounds.server.url("/feed"),)]


def test_a_host_that_asked_for_patience_is_left_alone_and_its_feed_does_not_fail(rounds):
    rounds.server.answer("/busy", status=429, headers={"Retry-After": "3600"})
    rounds.feeds = [Feed(rounds.server.url("/busy"))]
    rounds.run()
    rounds.feeds.append(Feed(rounds.server.url("/feed")))
    report = rounds.run()
    assert report.failures == ()
    assert rounds.server.seen("/feed") == []
    ((status, why),) = rounds.ask("select status, next_fetch_why from feeds where url like '%/feed'")
    assert status == "new"
    assert why.startswith("Retry-After")


def two_stories(rounds):
    rounds.server.answer("/2.html", body=page("Bakers sleep", OTHER), type=HTML)
    both = (
        item(rounds.server, 1, "Ferry sails again", rounds.now),
        item(rounds.server, 2, "Bakers", rounds.now),
    )
    rounds.server.answer("/feed", body=rss(*both))


def test_a_bug_in_one_story_is_loud_and_does_not_hold_up_the_others(rounds, monkeypatch):
    two_stories(rounds)
    place = stories.place

    def broken(entry, story, *rest):
        if "Ferry" in story.title:
            raise ZeroDivisionError("a bug")
        return place(entry, story, *rest)

    monkeypatch.setattr(stories, "place", broken)
    with pytest.raises(ExceptionGroup, match="bugs of ours"):
        rounds.run()
    assert rounds.ask("select title from articles") == [("Bakers sleep",)]
    assert "ZeroDivisionError" in rounds.ask("select problem from entries where article_id is null")[0][0]
    monkeypatch.undo()
    rounds.later(days=1, hours=1).run()
    assert rounds.ask("select count(*) from articles") == [(2,)]


def test_a_bug_in_one_page_leaves_the_feeds_text(rounds, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(visits, "extract", broken)
    with pytest.raises(ExceptionGroup, match="bugs of ours"):
        rounds.run()
    assert rounds.ask("select title, source from articles") == [("Ferry sails again", "feed")]


def test_a_bug_in_one_feed_is_recorded_on_it_and_the_others_go_on(rounds, monkeypatch):
    rounds.server.answer("/second", body="<rss version='2.0'><channel><title>Odd</title></channel></rss>")
    rounds.feeds.insert(0, Feed(rounds.server.url("/second")))
    match = feeds.identity.match

    def broken(entries, known):
        if not entries:
            raise ZeroDivisionError("a bug")
        return match(entries, known)

    monkeypatch.setattr(feeds.identity, "match", broken)
    with pytest.raises(ExceptionGroup, match="bugs of ours"):
        rounds.run()
    assert rounds.ask("select error_kind from feeds where url like '%second'") == [("bug",)]
    assert rounds.ask("select count(*) from articles") == [(1,)]


@pytest.fixture
def three_feeds(rounds, monkeypatch):
    """Answers that are stored together, however slow this machine is."""
    monkeypatch.setattr(feeds, "GATHER", 30.0)
    rounds.feeds = []
    for number in range(3):
        path, entry = f"/feed{number}", item(rounds.server, number, f"Story {number}", rounds.now)
        rounds.server.answer(path, body=rss(entry), headers={"ETag": '"1"'})
        rounds.feeds.append(Feed(rounds.server.url(path), full_text=False))
    return rounds


def fails_for(path, error, monkeypatch):
    """Storing the feed at `path` raises `error` when all of it is written."""
    record = Feeds.record

    def broken(self, outcome, now):
        with self._db.transaction():
            record(self, outcome, now)
            if outcome.state.feed.url.endswith(path) and outcome.error_kind != "bug":
                raise error

    monkeypatch.setattr(Feeds, "record", broken)


def test_a_bug_in_storing_one_feed_does_not_undo_those_that_are_stored_with_it(three_feeds, monkeypatch):
    fails_for("/feed1", ZeroDivisionError("a bug"), monkeypatch)
    with pytest.raises(ExceptionGroup, match="bugs of ours") as caught:
        three_feeds.run()
    assert len(caught.value.exceptions) == 1
    assert three_feeds.ask("select url like '%/feed1', error_kind, etag from feeds order by id") == [
        (0, None, '"1"'),
        (1, "bug", None),
        (0, None, '"1"'),
    ]
    assert three_feeds.ask("select title from entries order by title") == [("Story 0",), ("Story 2",)]
    assert three_feeds.ask("select count(*) from fetches") == [(3,)]


def test_answers_that_were_not_stored_when_the_round_broke_off_are_asked_for_again(three_feeds, monkeypatch):
    fails_for("/feed1", KeyboardInterrupt(), monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        three_feeds.run()
    assert three_feeds.ask("select count(*), count(etag), count(last_fetch_at) from feeds") == [(3, 0, 0)]
    assert three_feeds.ask("select count(*) from entries") == [(0,)]
    monkeypatch.undo()
    assert three_feeds.run().entries_new == 3


def test_a_stop_is_heard_between_two_texts_of_feeds(three_feeds, monkeypatch):
    stop, feed_text, begun = threading.Event(), pages.feed_text, []

    def stops(item, **given):
        stop.set()
        begun.append(item)
        return feed_text(item, **given)

    monkeypatch.setattr(pages, "feed_text", stops)
    three_feeds.run(stop=stop)
    assert len(begun) == 1
    assert three_feeds.ask("select count(*) from _pending where lease_owner is null") == [(2,)]


def test_a_stop_keeps_what_was_gathered_and_gives_back_the_rest(three_feeds, monkeypatch):
    stop, digest = threading.Event(), feeds.digest

    def stops(*given):
        stop.set()
        return digest(*given)

    monkeypatch.setattr(feeds, "digest", stops)
    three_feeds.run(stop=stop)
    assert three_feeds.ask("select count(etag), count(last_fetch_at) from feeds") == [(1, 1)]
    assert three_feeds.ask("select count(*) from entries") == [(1,)]
    assert three_feeds.ask("select count(*) from _feed_memory where lease_owner is not null") == [(0,)]


def test_a_feed_is_told_of_when_it_is_stored(three_feeds):
    stored = []

    def told(step):
        if step.stage == "feeds":
            stored.append(three_feeds.ask("select count(*) >= ? from fetches", step.done))

    three_feeds.run(progress=told)
    assert stored == [[(1,)]] * 3


def test_two_links_that_redirect_to_one_page_are_one_article(rounds):
    for link in ("/a", "/b"):
        rounds.server.answer(link, status=302, headers={"Location": rounds.server.url("/1.html")})
    both = [
        item(rounds.server, number, "Ferry sails again", rounds.now, guid=str(number)).replace(
            f"/{number}.html", link
        )
        for number, link in ((1, "/a"), (2, "/b"))
    ]
    rounds.server.answer("/feed", body=rss(*both))
    rounds.run()
    assert rounds.ask("select count(*) from articles") == [(1,)]
    assert rounds.ask("select count(*) from duplicates") == [(0,)]


def test_two_stories_that_redirect_to_one_place_are_both_kept(rounds):
    both = []
    for number, title, text in ((1, "Ferry sails again", SENTENCES[0]), (2, "Bakers sleep", OTHER[0])):
        rounds.server.answer(
            f"/{number}.html", status=302, headers={"Location": rounds.server.url("/taken-down.html")}
        )
        both.append(item(rounds.server, number, title, rounds.now, text))
    rounds.server.answer("/taken-down.html", body=page("This page is gone", ("Sorry.",)), type=HTML)
    rounds.server.answer("/feed", body=rss(*both))
    rounds.run()
    assert rounds.ask("select title, text from articles order by title") == [
        ("Bakers sleep", OTHER[0]), ("Ferry sails again", SENTENCES[0]),
    ]  # fmt: skip


def test_a_copys_page_that_fails_later_does_not_lose_its_text(rounds):
    rounds.server.answer(
        "/2.html", Reply(page("Cello saved", SENTENCES[:5]), type=HTML), Reply(status=404, type=HTML)
    )
    rounds.server.answer("/second", body=rss(item(rounds.server, 2, "Cello saved", rounds.now)))
    rounds.feeds.append(Feed(rounds.server.url("/second")))
    rounds.run()
    rounds.server.answer(
        "/second", body=rss(item(rounds.server, 2, "Cello saved at last", rounds.now, "Teaser."))
    )
    rounds.later(days=2).run()
    assert rounds.ask("select text from duplicates") == [("\n\n".join(SENTENCES[:5]),)]


def test_a_document_that_takes_long_to_read_does_not_hold_up_the_others(rounds):
    stuck = f"<item>{'<x>' * 150_000}{'</x>' * 150_000}</item>"  # no cap is known for this
    rounds.server.answer("/long", body=rss(stuck))
    rounds.server.answer("/short", Reply(rss(), wait=0.3))
    rounds.feeds = [Feed(rounds.server.url(path)) for path in ("/long", "/feed", "/short")]
    told = []
    rounds.run(progress=told.append)
    assert [step.problem is None for step in told if step.stage == "feeds"] == [True, True, False]
    assert rounds.ask("select error_kind from feeds where url like '%/long'") == [("parse_limit",)]


def test_a_stop_while_a_long_document_is_read_ends_soon_and_gives_the_feed_back(rounds):
    stuck = f"<item>{'<x>' * 150_000}{'</x>' * 150_000}</item>"
    rounds.server.answer("/feed", body=rss(stuck))
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = datetime.now(UTC)
    rounds.run(stop=stop)
    assert (datetime.now(UTC) - began).total_seconds() < 2.5
    assert rounds.ask("select last_fetch_at from feeds") == [(None,)]
    assert rounds.ask("select count(*) from _feed_memory where lease_owner is not null") == [(0,)]


def test_a_page_numbered_in_the_query_is_visited(rounds):
    link = rounds.server.url("/?p=7")
    rounds.server.answer(
        "/feed", body=rss(item(rounds.server, 7, "Bakers", rounds.now)).replace("/7.html", "/?p=7")
    )
    rounds.server.answer("/?p=7", body=page("Bakers sleep longer", OTHER), type=HTML)
    rounds.run()
    assert rounds.ask("select source, url from articles") == [("page", link)]


def moved(rounds, target):
    """Three entries whose pages redirect to one place, which says that the archive has moved."""
    titles = "Ferry sails again", "Bakers sleep longer", "Harbour museum burns"
    items = [item(rounds.server, n, title, rounds.now, OTHER[n]) for n, title in enumerate(titles, 1)]
    rounds.server.answer("/feed", body=rss(*items))
    for n in (1, 2, 3):
        rounds.server.answer(f"/{n}.html", status=302, headers={"Location": target})
    rounds.server.answer(target, body=page("Our archive has moved", SENTENCES), type=HTML)
    return [(title, OTHER[n], "feed") for n, title in enumerate(titles, 1)]


@pytest.mark.parametrize("target", ["/sorry.html", "/"])
def test_stories_whose_pages_all_lead_to_one_place_keep_what_their_feed_says(rounds, target):
    told = moved(rounds, target)
    rounds.run()
    assert sorted(rounds.ask("select title, text, source from articles")) == sorted(told)
    assert "redirects to" in rounds.ask("select problem from articles")[0][0]


def test_two_addresses_that_lead_to_one_page_are_one_story(rounds):
    two = [item(rounds.server, n, "Ferry sails again", rounds.now) for n in (1, 2)]
    rounds.server.answer("/feed", body=rss(*two))
    for n in (1, 2):
        rounds.server.answer(f"/{n}.html", status=302, headers={"Location": "/ferry.html"})
    rounds.server.answer("/ferry.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.run()
    assert rounds.ask("select source, copies from articles") == [("page", 0)]
    assert rounds.ask("select count(*) from entries where article_id = 1") == [(2,)]


def test_a_page_that_is_not_there_yet_is_looked_for_once_more(rounds):
    rounds.server.answer("/1.html", status=404)
    rounds.run()
    rounds.server.answer("/1.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.later(minutes=30).run()
    assert rounds.ask("select source from articles") == [("page",)]


def test_a_page_is_visited_when_a_broken_robots_txt_is_mended(rounds):
    rounds.server.answer("/robots.txt", status=503)
    rounds.run()
    rounds.server.answer("/robots.txt", body="", type="text/plain")
    rounds.later(minutes=30).run()
    rounds.later(hours=4).run()
    assert rounds.ask("select source from articles") == [("page",)]


def test_an_entry_that_has_nothing_but_furniture_has_no_text(rounds):
    rounds.feeds = [Feed(rounds.server.url("/feed"), full_text=False)]
    link = "&lt;a href='https://talk.example/1'&gt;Comments&lt;/a&gt;"
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "A boat", rounds.now, link)))
    rounds.run()
    assert rounds.ask("select title, text, summary from articles") == [("A boat", "", None)]
    assert rounds.ask("select text, reason from boilerplate") == [("Comments", "comments")]


WALLS = {
    "Are you a robot?": (
        "To continue, please click the box below to let us know that you are not a robot.",
        "Please make sure that your browser supports scripts and that you are not blocking them from loading.",
    ),
    "Before you continue": (
        "We use data to deliver and maintain our services, and to protect them against spam and fraud.",
        "If you choose so, we will also use it to measure how well the advertisements do that we show.",
    ),
}


@pytest.mark.parametrize("title", WALLS)
def test_a_wall_in_front_of_a_page_is_not_its_story(rounds, title):
    texts = "The ferry sailed again on Monday.", "Bakers agreed to open an hour later."
    titles = "Ferry sails again after repair", "Bakers open later in winter"
    items = [item(rounds.server, n, titles[n], rounds.now, texts[n]) for n in (0, 1)]
    rounds.server.answer("/feed", body=rss(*items))
    for n in (0, 1):
        rounds.server.answer(f"/{n}.html", body=page(title, WALLS[title]), type=HTML)
    rounds.run()
    assert rounds.ask("select title, text, source from articles order by title desc") == [
        (titles[0], texts[0], "feed"),
        (titles[1], texts[1], "feed"),
    ]
    assert rounds.ask("select distinct problem from articles") == [
        (f"the page is about something else: {title}",)
    ]


def test_pages_that_say_the_same_under_the_headlines_of_their_stories_are_walls(rounds):
    rounds.server.answer(
        "/feed",
        body=rss(
            item(rounds.server, 1, "Ferry sails again", rounds.now, "It sailed on Monday."),
            item(rounds.server, 2, "Bakers open later", rounds.now, "They agreed on Tuesday."),
        ),
    )
    for n, title in ((1, "Ferry sails again"), (2, "Bakers open later")):
        rounds.server.answer(f"/{n}.html", body=page(title, WALLS["Are you a robot?"]), type=HTML)
    rounds.run()
    assert (
        rounds.ask("select source, problem from articles")
        == [("feed", "the page says the same as that of another story")] * 2
    )


def test_a_title_that_says_little_does_not_tell_that_a_page_is_a_wall(rounds):
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Episode 77", rounds.now)))
    rounds.server.answer("/1.html", body=page("What the crew said", SENTENCES), type=HTML)
    rounds.run()
    assert rounds.ask("select title, source from articles") == [("What the crew said", "page")]


def test_a_brief_is_the_story_whatever_stands_under_every_entry_of_its_feed(rounds):
    pitch = "What moves the coast, told by those who live there, in words and pictures from near and far."
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails again", rounds.now, pitch)))
    rounds.server.answer("/1.html", body=page("Ferry sails again", SENTENCES[:2]), type=HTML)
    rounds.run()
    assert rounds.ask("select source from articles") == [("page",)]


class Walled:
    """A feed whose pages are walls: two stories of it are stored."""

    TITLES = (
        "Ferry sails again",
        "Bakers open later",
        "Cello found dry",
        "Library opens late",
        "Goats counted twice",
    )

    def __init__(self, rounds):
        self.rounds = rounds
        self.list(2)
        for n in range(len(self.TITLES)):
            self.answer(n, "Log in", ("You have read your five pages of this month.",))
        rounds.run()

    def list(self, count):
        server, now = self.rounds.server, self.rounds.now
        server.answer("/feed", body=rss(*(item(server, n, self.TITLES[n], now) for n in range(count))))

    def answer(self, number, title, text):
        self.rounds.server.answer(f"/{number}.html", body=page(title, text), type=HTML)

    def visited(self):
        return sorted(n for n in range(len(self.TITLES)) for _ in self.rounds.server.seen(f"/{n}.html"))


@pytest.fixture
def walled(rounds, monkeypatch):
    monkeypatch.setattr(doubts, "CLOSED_AFTER", 2)
    return Walled(rounds)


def test_of_a_feed_whose_pages_are_all_walls_one_is_tried(walled):
    walled.list(5)
    walled.rounds.later(hours=12).run()
    assert walled.visited() == [0, 1, 2]
    assert walled.rounds.ask("select count(*) from articles") == [(5,)]
    assert walled.rounds.ask("select problem from articles where id = 5") == [
        ("not visited: none of the last 2 pages of this feed could be read",)
    ]


def test_pages_that_were_not_visited_are_looked_at_once_more(walled):
    walled.list(5)
    walled.rounds.later(hours=12).run()
    for _ in range(3):
        walled.rounds.later(hours=4).run()
    assert walled.visited() == [0, 1, 2, 3]


def test_when_the_one_that_is_tried_can_be_read_the_others_are_visited_again(walled):
    walled.list(3)
    walled.answer(2, walled.TITLES[2], SENTENCES)
    walled.rounds.later(hours=12).run()
    walled.list(5)
    walled.rounds.later(hours=12).run()
    assert walled.visited() == [0, 1, 2, 3, 4]


def test_a_feed_whose_pages_are_read_and_folded_is_not_closed(walled):
    rounds, server = walled.rounds, walled.rounds.server
    server.answer("/wire", body=rss(item(server, 8, "Ferry at sea", rounds.now)))
    server.answer("/8.html", body=page("Ferry at sea", SENTENCES), type=HTML)
    rounds.feeds.append(Feed(server.url("/wire"), priority=1))
    walled.list(3)
    walled.answer(2, walled.TITLES[2], SENTENCES)
    rounds.later(hours=12).run()
    assert rounds.ask("select source from duplicates") == [("page",)]
    walled.list(5)
    rounds.later(hours=12).run()
    assert walled.visited() == [0, 1, 2, 3, 4]


def test_a_wall_under_the_headline_of_its_story_is_not_its_text(rounds):
    told = "It sailed on Monday with two hundred and twelve passengers, most of them with bicycles."
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails again", rounds.now, told)))
    rounds.server.answer("/1.html", body=page("Ferry sails again", WALLS["Are you a robot?"]), type=HTML)
    rounds.run()
    assert rounds.ask("select text, source from articles") == [(told, "feed")]


def test_a_page_under_another_headline_is_the_story_if_it_says_what_the_feed_does(rounds):
    rounds.server.answer(
        "/feed", body=rss(item(rounds.server, 1, "Nobody was hurt", rounds.now, SENTENCES[0]))
    )
    rounds.server.answer("/1.html", body=page("At last", SENTENCES), type=HTML)
    rounds.run()
    assert rounds.ask("select title, source from articles") == [("At last", "page")]


def test_letters_whose_marks_stand_apart_are_found_by_a_search(rounds):
    apart = tuple(unicodedata.normalize("NFD", text.replace("ferry", "서울")) for text in SENTENCES)
    rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "A boat", rounds.now)))
    rounds.server.answer("/1.html", body=page("A boat", apart), type=HTML)
    rounds.run()
    assert rounds.ask("select rowid from articles_fts where articles_fts match '서울'") == [(1,)]


def test_control_characters_of_a_page_are_not_stored(rounds):
    bad = tuple(text.replace("ferry", "fer\x1b[31mry\u202e") for text in SENTENCES)
    rounds.server.answer("/1.html", body=page("Ferry sa\x07ils again", bad), type=HTML)
    rounds.run()
    [(title, text)] = rounds.ask("select title, text from articles")
    assert not set(title + text) & {"\x1b", "\x07", "\u202e"}
    assert "fer[31mry" in text


@pytest.mark.parametrize("language", ["\ud800", "<script>alert(1)</script>", "\x1b[31m"])
def test_what_is_no_language_is_not_stored_as_one(rounds, language):
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "items": [{"id": "1", "title": "Bakers", "content_text": " ".join(OTHER), "language": language}],
    }
    rounds.server.answer("/feed", body=json.dumps(feed), type="application/feed+json")
    rounds.run()
    assert rounds.ask("select title, language from articles") == [("Bakers", None)]


def test_two_versions_in_turn_are_two_wordings_however_often_they_come(rounds):
    rounds.feeds = [Feed(rounds.server.url("/feed"), full_text=False)]
    for n in range(8):
        text = " ".join(SENTENCES[: 4 + n % 2])
        rounds.server.answer("/feed", body=rss(item(rounds.server, 1, "Ferry sails again", rounds.now, text)))
        rounds.later(days=1).run()
    assert rounds.ask("select text from articles") == [(" ".join(SENTENCES[:5]),)]
    assert rounds.ask("select count(*), count(distinct text) from revisions") == [(2, 2)]


def test_a_feed_that_moved_to_another_one_of_feeds_yaml_is_not_asked_twice(rounds):
    server = rounds.server
    rounds.feeds = [Feed(server.url("/old")), Feed(server.url("/feed"))]
    server.answer("/old", status=301, headers={"Location": "/feed"})
    for _ in range(4):
        rounds.later(days=2).run()
    server.log.clear()
    rounds.later(days=2).run()
    assert [seen.path for seen in server.log if seen.path in ("/old", "/feed")] == ["/feed"]
    ((why,),) = rounds.ask("select next_fetch_why from feeds where url like '%/old'")
    assert why == f"it moved to {server.url('/feed')}, which is in feeds.yaml too: remove one of them"


def test_an_edit_behind_a_redirect_is_seen_also_under_a_headline_of_its_own(rounds):
    server = rounds.server
    server.answer("/1.html", status=302, headers={"Location": "/ferry.html"})
    server.answer("/ferry.html", body=page("Boats are back at sea", SENTENCES), type=HTML)
    rounds.run()
    server.answer("/ferry.html", body=page("Boats are back at sea", SENTENCES[:4]), type=HTML)
    server.answer("/feed", body=rss(item(server, 1, "Ferry sails again", rounds.now, "Corrected on Tuesday")))
    rounds.later(days=1).run()
    assert rounds.ask("select text, source from articles") == [("\n\n".join(SENTENCES[:4]), "page")]


@pytest.mark.parametrize(
    ("written", "language", "day"),
    [
        ("05/11/2026", "es", "2026-11-05T00:00:00+00:00"),
        ("05/11/2026", "en", "2026-11-05T00:00:00+00:00"),
        ("11/12/2026", "en", "2026-11-12T00:00:00+00:00"),
        ("11/5/2026 2:30:00 PM", "es", "2026-11-05T14:30:00+00:00"),
        ("2026/11/23 10:11", "ja", "2026-11-23T10:11:00+00:00"),
        ("Mi, 25 Nov 2026 09:15:00 +0100", "de", "2026-11-25T09:15:00+01:00"),
        ("الجمعة, 27 نوفمبر 2026 19:00:00 +0300", "ar", "2026-11-27T19:00:00+03:00"),
        ("1795795200", "en", "2026-11-27T16:00:00+00:00"),
        ("31/12/2027", "en", None),
        ("soon", "en", None),
    ],
)
def test_a_date_as_people_write_it_is_read(written, language, day):
    seen = datetime(2026, 11, 28, 9, tzinfo=UTC)
    found = pages.dated(Entry("1", None, "Ferry", language=language, written=written), seen).published
    assert (found and found.isoformat()) == day


def test_an_article_has_the_date_that_its_feed_wrote_in_its_own_way(rounds):
    entry = (
        "<item><title>Ferry</title><description>It sails.</description><pubDate>3. März 2025</pubDate></item>"
    )
    rounds.server.answer("/feed", body=rss(entry))
    rounds.run()
    assert rounds.ask("select published_at from articles") == [("2025-03-03T00:00:00Z",)]
