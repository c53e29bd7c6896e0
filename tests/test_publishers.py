"""What publishers ask of feed readers, from feeds.yaml to the wire: whole rounds, one promise a test.

The numbers are those of the checklist that the promises of docs/fetching.md were made from. The parts are tested one
by one in test_fetch*.py, test_schedule.py and test_pages_again.py.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from server import HTML, Reply
from test_pipeline import SENTENCES, Rounds, item, page, rss

from aggregator.model import Feed, Settings
from aggregator.store import Store

ETAG, DATE = '"1"', "Mon, 02 Nov 2026 07:08:09 GMT"
DAY = timedelta(days=1)


class Publisher(Rounds):
    """A server with one feed of one entry, and the days that pass."""

    def __init__(self, server, path):
        super().__init__(server, path)
        self.feeds = [Feed(server.url("/feed"), full_text=False)]
        self.serve(ETag=ETAG)

    def body(self, number=1):
        return rss(item(self.server, number, f"Story {number}", self.now - timedelta(hours=1), "It sails."))

    def serve(self, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.server.answer("/feed", body=body or self.body(), headers=headers)

    def poll(self, times=1):
        """Ask what is due, each time a good week later than the time before."""
        for _ in range(times):
            self.later(days=8).run()
        return self

    def state(self, *columns):
        ((row),) = self.ask(f"select {', '.join(columns)} from feeds where id = 1")
        return row if len(columns) > 1 else row[0]

    def wait(self):
        """How long until the feed is asked again."""
        return datetime.fromisoformat(self.state("next_fetch_at")) - self.now

    def sent(self, name, path="/feed"):
        return [seen.headers.get(name) for seen in self.server.seen(path)]


@pytest.fixture
def publisher(server, tmp_path):
    return Publisher(server, tmp_path / "news.db")


def test_01_validators_come_back_byte_for_byte(publisher):
    publisher.serve(ETag='W/"a  b"', Last_Modified="Monday")
    publisher.poll(2)
    assert publisher.sent("if-none-match") == [None, 'W/"a  b"']
    assert publisher.sent("if-modified-since") == [None, "Monday"]


def test_02_nothing_is_invented_and_what_vanished_is_forgotten(publisher):
    publisher.serve()
    publisher.poll()
    publisher.serve(publisher.body(2), ETag=ETAG)
    publisher.poll()
    publisher.serve(publisher.body(3))
    publisher.poll(2)
    assert publisher.sent("if-none-match") == [None, None, ETAG, None]
    assert publisher.sent("if-modified-since") == [None] * 4


@pytest.mark.parametrize("etag", ['W/"weak-1"', "unquoted-1", '"a,b;c"', '"x-gzip"', '"x"-gzip', "\t'"])
def test_03_validators_are_opaque(publisher, etag):
    publisher.serve(ETag=etag)
    publisher.poll(2)
    assert publisher.sent("if-none-match")[1] == etag.strip()


def test_04_a_new_etag_is_kept_though_the_body_is_the_same(publisher):
    body = publisher.body()
    for etag in ('"1"', '"2"', '"3"'):
        publisher.serve(body, ETag=etag)
        publisher.poll()
    assert publisher.sent("if-none-match") == [None, '"1"', '"2"']


def test_05_a_server_that_never_says_304_costs_no_row(publisher):
    publisher.server.answer("/feed", Reply(publisher.body(), headers={"ETag": ETAG}, obey_validators=False))
    publisher.poll()
    before = [publisher.ask(f"select * from {table}") for table in ("entries", "articles", "_pending")]
    publisher.poll()
    assert [
        publisher.ask(f"select * from {table}") for table in ("entries", "articles", "_pending")
    ] == before
    assert publisher.ask("select outcome, status from fetches order by id") == [
        ("new", 200),
        ("nothing_new", 200),
    ]


def test_06_no_cookie_no_referer_no_cache_buster(publisher):
    publisher.serve(ETag=ETAG, Set_Cookie="id=1; Path=/")
    publisher.poll(2)
    assert publisher.sent("cookie") == publisher.sent("referer") == [None, None]
    assert {seen.path for seen in publisher.server.log} == {"/feed"}


def test_07_the_user_agent_is_ours_with_a_contact(publisher):
    publisher.settings = Settings(host_delay=0, contact="https://paper.example/bot")
    publisher.poll()
    assert re.fullmatch(
        r"aggregator/[\d.]+ \(\+https://paper\.example/bot\)", publisher.sent("user-agent")[0]
    )


def test_08_compression_is_asked_for(publisher):
    publisher.poll()
    assert "gzip" in publisher.sent("accept-encoding")[0]


def test_09_the_first_contact_is_one_request(publisher):
    publisher.run()
    assert [seen.path for seen in publisher.server.log] == ["/feed"]


@pytest.mark.parametrize("said", ["max-age=0, must-revalidate", "no-store", "no-cache"])
def test_10_the_floor_holds_whatever_the_server_allows(publisher, said):
    publisher.serve("".join(publisher.body()), ETag=ETAG, Cache_Control=said)
    publisher.poll()
    assert publisher.wait() >= timedelta(hours=1)


def test_11_without_validators_we_come_half_as_often(publisher):
    publisher.run()
    usual = publisher.wait()
    publisher.serve()
    publisher.later(days=8).run()
    assert publisher.wait() >= 2 * min(usual, timedelta(hours=1))


@pytest.mark.parametrize(
    ("headers", "hours"),
    [
        ({"Cache_Control": "max-age=36000"}, 10),
        ({"Cache_Control": "max-age=36000", "Age": "7200"}, 8),
        ({"Expires": "in 9 h"}, 9),
        ({"Expires": "in 9 h", "Cache_Control": "max-age=36000"}, 10),
    ],
)
def test_12_not_before_max_age_less_age_or_expires(publisher, headers, hours):
    if "Expires" in headers:
        headers = headers | {"Expires": format_datetime(publisher.now + timedelta(hours=9))}
    publisher.serve(ETag=ETAG, Date=format_datetime(publisher.now), **headers)
    publisher.run()
    assert timedelta(hours=hours) <= publisher.wait() < timedelta(hours=hours * 1.3)
    publisher.later(hours=hours - 0.1).run()
    assert len(publisher.server.seen("/feed")) == 1


def test_13_a_silly_max_age_is_cut_and_that_is_said(publisher):
    publisher.serve(ETag=ETAG, Cache_Control="max-age=31536000")
    publisher.run()
    assert publisher.wait() <= 7.4 * DAY  # a week, and what spreads feeds
    assert "max-age" in publisher.state("next_fetch_why")


@pytest.mark.parametrize(
    ("said", "at_least", "why"),
    [
        ("<ttl>600</ttl>", timedelta(hours=10), "ttl"),
        (
            "<sy:updatePeriod xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>daily</sy:updatePeriod>",
            DAY,
            "sy:",
        ),
        (
            "<skipHours>" + "".join(f"<hour>{h}</hour>" for h in range(24) if h != 7) + "</skipHours>",
            None,
            "skipHours",
        ),
        ("<skipDays><day>Saturday</day><day>Sunday</day></skipDays>", None, "skipDays"),
    ],
)
def test_14_the_latest_of_all_hints_wins(publisher, said, at_least, why):
    publisher.now = datetime.fromisoformat("2026-11-27T21:30:00+00:00")  # a Friday
    publisher.serve(
        publisher.body().replace("<item>", f"{said}<item>", 1), ETag=ETAG, Cache_Control="max-age=7200"
    )
    publisher.run()
    when = datetime.fromisoformat(publisher.state("next_fetch_at"))
    assert why in publisher.state("next_fetch_why")
    if at_least:
        assert publisher.wait() >= at_least
    elif why == "skipHours":
        assert when.hour == 7
    else:
        assert when.weekday() not in (5, 6)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_15_retry_after_is_kept_in_both_forms(publisher, status, form):
    publisher.now = datetime.now(publisher.now.tzinfo).replace(
        microsecond=0
    )  # a host's patience is in true time
    date = format_datetime(publisher.now + timedelta(hours=20), usegmt=True)
    value = "72000" if form == "seconds" else date
    publisher.server.answer("/feed", status=status, headers={"Retry-After": value})
    publisher.run()
    assert publisher.wait() > timedelta(hours=19.9)
    assert "Retry-After" in publisher.state("next_fetch_why")
    publisher.later(hours=19).run()
    assert len(publisher.server.seen("/feed")) == 1


@pytest.mark.parametrize(("value", "longest"), [(None, 4), ("-5", 4), ("soon", 4), ("99999999", 4.2 * 24)])
def test_16_a_bad_retry_after_leaves_our_own_patience(publisher, value, longest):
    publisher.server.answer("/feed", status=429, headers={"Retry-After": value} if value else {})
    publisher.run()
    assert timedelta(minutes=45) <= publisher.wait() <= timedelta(hours=longest)


def test_17_retry_after_counts_for_the_whole_host(publisher):
    publisher.settings = Settings(host_delay=0.05)
    publisher.server.answer("/feed", status=429, headers={"Retry-After": "3600"})
    publisher.feeds.append(Feed(publisher.server.answer("/other", body=publisher.body()), full_text=False))
    publisher.run()
    assert len(publisher.server.log) == 1
    assert publisher.ask("select failures, next_fetch_why like '%left alone%' or next_fetch_why like '%Retry%'"
                         " from feeds where url like '%/other'") == [(0, 1)]  # fmt: skip


@pytest.mark.parametrize("status", [301, 308])
def test_18_a_permanent_redirect_is_believed_after_three_answers(publisher, status):
    publisher.server.answer("/feed", status=status, headers={"Location": "/new"})
    publisher.server.answer("/new", body=publisher.body(), headers={"ETag": ETAG})
    publisher.poll(3)
    assert publisher.state("fetch_url").endswith("/new")
    publisher.poll(2)
    assert len(publisher.server.seen("/feed")) == 3
    assert len(publisher.server.seen("/new")) == 5


def test_19_of_a_mixed_chain_only_the_permanent_beginning_is_believed(publisher):
    publisher.server.answer("/feed", status=301, headers={"Location": "/a"})
    publisher.server.answer("/a", status=302, headers={"Location": "/b"})
    publisher.server.answer("/b", status=301, headers={"Location": "/c"})
    publisher.server.answer("/c", body=publisher.body(), headers={"ETag": ETAG})
    publisher.poll(4)
    assert publisher.state("fetch_url").endswith("/a")


@pytest.mark.parametrize("end", [Reply("<html><title>Parked</title></html>", type=HTML), Reply(status=404)])
def test_20_a_redirect_to_a_dead_end_is_not_believed(publisher, end):
    publisher.server.answer("/feed", status=301, headers={"Location": "/end"})
    publisher.server.answer("/end", end)
    publisher.poll(5)
    assert publisher.state("fetch_url").endswith("/feed")


@pytest.mark.parametrize("status", [302, 303, 307])
def test_21_a_temporary_redirect_is_never_believed(publisher, status):
    publisher.server.answer("/feed", status=status, headers={"Location": "/new"})
    publisher.server.answer("/new", body=publisher.body(), headers={"ETag": ETAG})
    publisher.poll(5)
    assert publisher.state("fetch_url").endswith("/feed")


def test_22_after_a_410_only_a_person_asks_again(publisher):
    publisher.server.answer("/feed", status=410)
    publisher.poll(4)
    assert len(publisher.server.seen("/feed")) == 1
    assert publisher.state("status", "next_fetch_at", "error_kind") == ("gone", None, "gone")
    publisher.run(urls=[publisher.feeds[0].url])
    assert len(publisher.server.seen("/feed")) == 2


def test_22_a_410_at_the_end_of_a_temporary_redirect_is_not_the_feeds(publisher):
    publisher.server.answer("/feed", status=302, headers={"Location": "/away"})
    publisher.server.answer("/away", status=410)
    publisher.poll(2)
    assert publisher.state("status", "error_kind") == ("failing", "not_found")


def test_22_when_what_a_feed_moved_to_is_gone_its_own_address_is_asked(publisher):
    publisher.server.answer("/feed", status=301, headers={"Location": "/new"})
    publisher.server.answer("/new", body=publisher.body(), headers={"ETag": ETAG})
    publisher.poll(4)
    assert publisher.state("fetch_url").endswith("/new")
    publisher.server.answer("/new", status=410)
    publisher.serve(ETag=ETAG)
    publisher.poll(2)
    assert publisher.state("status") == "ok"
    assert publisher.state("fetch_url").endswith("/feed")


def test_23_each_failure_doubles_the_wait_and_one_success_ends_it(publisher):
    publisher.server.answer("/feed", status=500)
    waits = []
    for _ in range(8):
        publisher.run()
        waits.append(publisher.wait() / timedelta(hours=1))
        publisher.now += publisher.wait()
    for n, wait in enumerate(waits):
        assert 0.75 * min(2**n, 24) <= wait <= 1.25 * min(2**n, 24)
    publisher.serve(ETag=ETAG)
    publisher.run()
    assert publisher.state("failures", "status") == (0, "ok")


def test_24_a_bot_wall_is_named_backed_off_from_and_not_fooled(publisher):
    wall = "<html><title>Just a moment...</title>"
    publisher.server.answer("/feed", status=403, body=wall, type=HTML, headers={"cf-mitigated": "challenge"})
    publisher.poll(2)
    assert publisher.state("error_kind", "failures") == ("blocked", 2)
    assert all(agent.startswith("aggregator/") for agent in publisher.sent("user-agent"))


def test_25_requests_to_one_host_are_a_second_apart(publisher):
    publisher.settings = Settings()
    paths = [publisher.server.answer(f"/feed/{n}", body=publisher.body(), wait=0.2) for n in range(4)]
    publisher.feeds = [Feed(path, full_text=False) for path in paths]
    publisher.run()
    times = [seen.at for seen in publisher.server.log]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.9
    assert publisher.server.most_at_once == 1


def test_26_feeds_asked_together_come_back_spread(publisher):
    urls = [publisher.server.answer(f"/feed/{n}", body=rss(), headers={"ETag": ETAG}) for n in range(60)]
    publisher.feeds = [Feed(url, full_text=False) for url in urls]
    publisher.run()
    minutes = [row[0] for row in publisher.ask("select substr(next_fetch_at, 1, 16) from feeds")]
    assert max(minutes.count(one) for one in set(minutes)) < 15  # of 60


def test_27_a_restart_asks_no_feed_earlier(publisher):
    publisher.run()
    due = publisher.state("next_fetch_at")
    for _ in range(3):
        publisher.later(minutes=5).run()  # each time the database is opened anew
    assert publisher.state("next_fetch_at") == due
    assert len(publisher.server.seen("/feed")) == 1


def test_28_pages_ask_robots_txt_first_and_keep_to_it(publisher):
    publisher.feeds = [Feed(publisher.server.url("/feed"))]
    entries = [
        item(publisher.server, n, f"Story {n}", publisher.now, guid=f"g{n}") for n in ("a", "private/b", "c")
    ]
    publisher.serve(rss(*entries), ETag=ETAG)
    publisher.server.answer(
        "/robots.txt", body="User-agent: *\nDisallow: /private/\nCrawl-delay: 0.4\n", type="text/plain"
    )
    for name in ("a", "c"):
        publisher.server.answer(f"/{name}.html", body=page(name, SENTENCES), type=HTML)
    publisher.run()
    paths = [seen.path for seen in publisher.server.log]
    assert paths[:2] == ["/feed", "/robots.txt"]
    assert sorted(paths[2:]) == ["/a.html", "/c.html"]
    times = [seen.at for seen in publisher.server.log[1:]]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.3
    publisher.later(hours=12)
    publisher.serve(rss(item(publisher.server, "d", "Story d", publisher.now)), ETag='"2"')
    publisher.server.answer("/d.html", body=page("d", SENTENCES), type=HTML)
    publisher.run()
    assert len(publisher.server.seen("/robots.txt")) == 1


FETCH = """
import sys
from aggregator import pipeline
from aggregator.model import Config, Feed, Settings
from aggregator.store import Store
with Store(sys.argv[1]) as store:
    pipeline.run(Config((Feed(sys.argv[2], full_text=False),), Settings(host_delay=0)), store)
"""


def test_29_two_processes_never_ask_a_feed_twice(publisher):
    publisher.server.answer("/feed", Reply(publisher.body(), wait=1.0))
    command = [sys.executable, "-c", FETCH, str(publisher.path), publisher.feeds[0].url]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(publisher.server.seen("/feed")) == 1
    with Store(publisher.path) as store:
        assert store.connection.value("select count(*) from articles") == 1


def test_30_older_pages_are_for_those_who_ask(publisher):
    old = publisher.server.url("/old")
    link = f"<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='prev-archive' href='{old}'/>"
    publisher.serve(rss(link, item(publisher.server, 1, "Story 1", publisher.now)), ETag=ETAG)
    publisher.server.answer("/old", body=publisher.body(2))
    publisher.poll(3)
    assert not publisher.server.seen("/old")
    publisher.run(urls=[publisher.feeds[0].url], history=3)
    assert len(publisher.server.seen("/old")) == 1
