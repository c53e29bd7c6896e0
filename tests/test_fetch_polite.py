"""What publishers see of us: spacing, patience, robots.txt."""

import contextlib
import itertools
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server import HTML, Reply, Server

from aggregator.errors import FetchError
from aggregator.fetch import Fetcher, answers, hosts, robots, transport
from aggregator.model import HostState, Request, Settings


def feeds(server, count, **reply):
    return [Request(n, server.answer(f"/feed/{n}", body="<rss/>", **reply), "feed") for n in range(count)]


def kinds(results):
    return {
        request.key: result.kind if isinstance(result, FetchError) else result.status
        for request, result in results
    }


def gaps(log):
    """Seconds between requests as the server saw them; on a busy machine a third less than as we sent them."""
    return [later.at - earlier.at for earlier, later in itertools.pairwise(log)]


# ----------------------------------------------------------------------------------------- spacing


def test_a_bug_at_one_answer_is_a_failure_of_that_one_and_says_its_cause(server, monkeypatch):
    monkeypatch.setattr(answers, "failure", lambda *_: 1 / 0)
    requests = [*feeds(server, 1), Request(9, server.url("/nowhere"), "feed")]
    with Fetcher(Settings(host_delay=0)) as fetcher:
        results = {request.key: result for request, result in fetcher.fetch_all(requests)}
    assert results[0].status == 200
    assert (results[9].kind, type(results[9].__cause__)) == ("bug", ZeroDivisionError)


def test_requests_to_one_host_keep_their_distance_and_go_one_at_a_time(server):
    with Fetcher(Settings(host_delay=0.15)) as fetcher:
        assert len(list(fetcher.fetch_all(feeds(server, 5)))) == 5
    assert min(gaps(server.log)) > 0.1
    assert server.most_at_once == 1


def test_the_distance_is_counted_from_the_end_of_an_answer(server):
    """A slow server gets more rest, and a first request that was long on its way is not caught up with."""
    with Fetcher(Settings(host_delay=0.1)) as fetcher:
        assert len(list(fetcher.fetch_all(feeds(server, 3, wait=0.3)))) == 3
    assert min(gaps(server.log)) > 0.35


def test_redirects_and_robots_txt_keep_the_distance_too(server):
    server.answer("/a", status=302, headers={"Location": "/b"})
    server.answer("/b", body="<p>x", type=HTML)
    with Fetcher(Settings(host_delay=0.15)) as fetcher:
        fetcher.fetch(Request(1, server.url("/a"), origin=server.url("/feed")))
    assert [seen.path for seen in server.log] == ["/robots.txt", "/a", "/b"]
    assert min(gaps(server.log)) > 0.1


def test_a_redirect_goes_on_ahead_of_the_others_in_its_hosts_line(server):
    moved = server.answer("/a", status=302, headers={"Location": "/b"})
    server.answer("/b", body="<rss/>")
    with Fetcher(Settings(host_delay=0.05)) as fetcher:
        list(fetcher.fetch_all([Request(9, moved, "feed"), *feeds(server, 3)]))
    assert [seen.path for seen in server.log][:2] == ["/a", "/b"]


def test_two_calls_share_the_distance(server):
    one, two = feeds(server, 2)
    with Fetcher(Settings(host_delay=0.3)) as fetcher:
        fetcher.fetch(one)
        fetcher.fetch(two)
    assert min(gaps(server.log)) > 0.2


def test_a_slow_host_does_not_delay_the_others(server):
    with Server("127.0.0.2") as slow:
        requests = feeds(slow, 6, wait=0.3) + feeds(server, 3)
        with Fetcher(Settings(host_delay=0.1, workers=2)) as fetcher:
            began = time.monotonic()
            order = []
            for request, _ in fetcher.fetch_all(requests):
                order.append(request.url.startswith(server.base))
                if order.count(True) == 3:
                    break
    assert time.monotonic() - began < 1


def test_a_host_with_too_long_a_line_hands_the_rest_back(server):
    with Server("127.0.0.2") as other, Fetcher(Settings(host_delay=0.1), patience=0.25) as fetcher:
        requests = [*feeds(server, 9), Request(100, other.answer("/", body="x"), "feed")]
        results = kinds(fetcher.fetch_all(requests))
    assert [results[key] for key in (0, 1, 2, 100)] == [200] * 4
    assert [results[key] for key in range(4, 9)] == ["held"] * 5


def test_a_host_that_has_taken_up_its_time_is_not_asked_again(server):
    with Fetcher(Settings(host_delay=0.1), patience=0.25) as fetcher:
        list(fetcher.fetch_all(feeds(server, 2)))
        time.sleep(0.3)
        assert kinds(fetcher.fetch_all(feeds(server, 1))) == {0: "held"}


def test_what_has_not_begun_in_time_is_left_out(server):
    with Fetcher(Settings(host_delay=0.3)) as fetcher:
        assert sorted(kinds(fetcher.fetch_all(feeds(server, 5), begin_within=0.7))) == [0, 1, 2]
    assert len(server.log) == 3


def test_what_has_begun_in_time_goes_on_to_where_it_is_redirected(server):
    moved = server.answer("/moved", status=302, headers={"Location": "/place"})
    server.answer("/place", body="x")
    with Fetcher(Settings(host_delay=0.5)) as fetcher:
        requests = [Request(100, moved, "feed"), *feeds(server, 3)]
        assert kinds(fetcher.fetch_all(requests, begin_within=0.2)) == {100: 200}


def test_pages_that_waited_for_robots_txt_too_long_are_left_out(server):
    server.answer("/robots.txt", body="", type="text/plain", wait=0.6)
    page = Request(100, server.answer("/page", body="<p>x", type=HTML), "page", origin=server.base)
    with Server("127.0.0.2") as other, Fetcher(Settings(host_delay=0.3)) as fetcher:
        assert sorted(kinds(fetcher.fetch_all([page, *feeds(other, 5)], begin_within=0.4))) == [0, 1]
    assert not server.seen("/page")


def test_hanging_hosts_do_not_use_up_the_workers(server, monkeypatch):
    monkeypatch.setattr(transport, "SLOW_AFTER", 0.1)
    hanging = [Server(f"127.0.0.{n}") for n in range(2, 6)]
    with contextlib.ExitStack() as stack:
        for one in hanging:
            stack.enter_context(one)
            one.answer("/", wait=3)
        requests = [Request(100 + n, one.url("/"), "feed") for n, one in enumerate(hanging)]
        with Fetcher(Settings(host_delay=0, workers=2)) as fetcher:
            began = time.monotonic()
            done = fetcher.fetch_all(requests + feeds(server, 5))
            assert {next(done)[0].key for _ in range(5)} == {0, 1, 2, 3, 4}
            assert time.monotonic() - began < 2


def test_of_hanging_downloads_three_times_the_workers_are_waited_for_and_no_more(server, monkeypatch):
    monkeypatch.setattr(transport, "SLOW_AFTER", 0.05)
    monkeypatch.setattr(transport, "_PATIENCE", 0.05)
    with Fetcher(Settings(host_delay=0, workers=1)) as fetcher:
        assert len(list(fetcher.fetch_all(feeds(server, 7, wait=0.8)))) == 7
    assert server.most_at_once == 1 + 3


def test_a_hanging_download_is_relieved_once(server, monkeypatch):
    monkeypatch.setattr(transport, "SLOW_AFTER", 0.1)
    monkeypatch.setattr(transport, "_PATIENCE", 0.05)
    hanging = Request(9, server.answer("/hang", wait=1), "feed")
    with Fetcher(Settings(host_delay=0, workers=1)) as fetcher:
        assert len(list(fetcher.fetch_all([hanging, *feeds(server, 40, wait=0.03)]))) == 41
    assert server.most_at_once == 2


def test_a_hanging_request_holds_its_host_for_five_seconds_only(server, monkeypatch):
    monkeypatch.setattr(hosts, "SLOW", 0.3)
    server.answer("/hang", wait=2)
    requests = [Request(9, server.url("/hang"), "feed"), *feeds(server, 4)]
    with Fetcher(Settings(host_delay=0.01)) as fetcher:
        order = [request.key for request, _ in fetcher.fetch_all(requests)]
    assert order == [0, 1, 2, 3, 9]
    assert server.most_at_once == 2


def test_a_host_that_hangs_is_never_asked_more_than_twice_at_once(server, monkeypatch):
    monkeypatch.setattr(hosts, "SLOW", 0.05)
    monkeypatch.setattr(transport, "SLOW_AFTER", 0.05)  # so that there are threads enough to ask more often
    with Fetcher(Settings(host_delay=0.01)) as fetcher:
        assert len(list(fetcher.fetch_all(feeds(server, 5, wait=0.6)))) == 5
    assert server.most_at_once == hosts.MOST_AT_ONCE


def test_a_delay_of_nothing_asks_many_at_once(server):
    """For servers of one's own, and for measuring."""
    with Fetcher(Settings(host_delay=0, workers=8)) as fetcher:
        began = time.monotonic()
        assert len(list(fetcher.fetch_all(feeds(server, 16, wait=0.3)))) == 16
    assert time.monotonic() - began < 2
    assert server.most_at_once == 8


# --------------------------------------------------------------------------------------- Retry-After


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_whole_host(server, status):
    asked = Request(9, server.answer("/busy", status=status, headers={"Retry-After": "600"}), "feed")
    with Fetcher(Settings(host_delay=0.05)) as fetcher:
        with pytest.raises(FetchError) as caught:
            fetcher.fetch(asked)
        assert caught.value.retry_after == 600
        results = list(fetcher.fetch_all(feeds(server, 3)))
    assert kinds(results) == {0: "held", 1: "held", 2: "held"}
    assert all(590 < result.retry_after <= 600 for _, result in results)
    assert len(server.log) == 1


def test_the_rest_of_the_line_is_not_asked_after_a_429(server):
    requests = [Request(9, server.answer("/busy", status=429), "feed"), *feeds(server, 5)]
    with Fetcher(Settings(host_delay=0.02)) as fetcher:
        assert set(kinds(fetcher.fetch_all(requests)).values()) == {"rate_limited", "held"}
    assert len(server.log) == 1


def test_patience_outlives_the_process(server):
    asked = Request(9, server.answer("/busy", status=429, headers={"Retry-After": "600"}), "feed")
    settings = Settings(host_delay=0)
    with Fetcher(settings) as fetcher:
        list(fetcher.fetch_all([asked]))
        states = fetcher.host_states()
        assert fetcher.host_states() == []
    with Fetcher(settings, {state.host: state for state in states}) as fetcher:
        assert kinds(fetcher.fetch_all(feeds(server, 1))) == {0: "held"}


def test_patience_ends(server):
    past = datetime.now(UTC) - timedelta(seconds=1)
    state = HostState(f"127.0.0.1:{server.port}", past, "Retry-After")
    with Fetcher(Settings(host_delay=0), {state.host: state}) as fetcher:
        assert kinds(fetcher.fetch_all(feeds(server, 1))) == {0: 200}


def test_patience_promised_by_a_clock_that_was_wrong_is_forgotten(server):
    state = HostState(f"127.0.0.1:{server.port}", datetime.now(UTC) + timedelta(days=400), "Retry-After")
    with Fetcher(Settings(host_delay=0), {state.host: state}) as fetcher:
        assert kinds(fetcher.fetch_all(feeds(server, 1))) == {0: 200}


def test_a_short_retry_after_is_waited_for(server):
    url = server.answer("/busy", status=503, headers={"Retry-After": "1"})
    with Fetcher(Settings(host_delay=0)) as fetcher:
        assert kinds(fetcher.fetch_all([Request(9, url, "feed")])) == {9: "server_error"}
        assert kinds(fetcher.fetch_all(feeds(server, 1))) == {0: 200}
    assert gaps(server.log)[0] > 0.8


def test_another_host_is_not_held(server):
    with Server("127.0.0.2") as busy, Fetcher(Settings(host_delay=0)) as fetcher:
        url = busy.answer("/", status=429, headers={"Retry-After": "600"})
        list(fetcher.fetch_all([Request(9, url, "feed")]))
        assert kinds(fetcher.fetch_all(feeds(server, 1))) == {0: 200}


def test_one_of_many_subdomains_speaks_for_all():
    many = hosts.Hosts({})
    blogs = [many.get(f"blog{n}.example.com") for n in range(hosts.MANY_SUBDOMAINS)]
    alone = many.get("www.example.org")
    many.hold("blog1.example.com", 600, "Retry-After", 1000)
    assert [host.held_for(1000) for host in blogs] == [600] * len(blogs)
    assert alone.held_for(1000) == 0


@pytest.mark.parametrize("address", ["192.0.2.7", "[2001:db8::7]", "localhost"])
def test_the_ports_of_an_address_are_no_sisters(address):
    many = hosts.Hosts({})
    others = [many.get(f"{address}:{port}") for port in range(8001, 8001 + hosts.MANY_SUBDOMAINS)]
    many.hold(f"{address}:8000", 600, "Retry-After", 1000)
    assert {host.held_for(1000) for host in others} == {0}


CLOCK = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (format_datetime(CLOCK + timedelta(minutes=30), usegmt=True), 1800),
        (format_datetime(CLOCK - timedelta(minutes=30), usegmt=True), None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2027 00:00:00 +99999999999999", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value, seconds):
    assert answers.retry_after({"retry-after": value}, CLOCK.timestamp()) == seconds


def test_a_silly_retry_after_is_cut_and_the_cut_is_said(server):
    url = server.answer("/busy", status=429, headers={"Retry-After": "3153600000"})
    with Fetcher(Settings(host_delay=0)) as fetcher, pytest.raises(FetchError) as caught:
        fetcher.fetch(Request(1, url, "feed"))
    assert caught.value.retry_after == hosts.MAX_HOLD
    assert "3153600000" in caught.value.message


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6))))
def test_a_shorter_hold_never_ends_a_longer_one(holds):
    host = hosts.Host("x.example")
    for seconds, clock in holds:
        host.hold(seconds, "Retry-After", clock)
    assert host.hold_until == max((min(s, hosts.MAX_HOLD) + c for s, c in holds), default=0)


# ---------------------------------------------------------------------------------------- robots.txt


def page(server, path, **reply):
    server.answer(path, body="<p>x", type=HTML, **reply)
    return Request(hash(path) % 1000, server.url(path), origin=server.url("/feed"))


def ask(server, *requests, remembered=()):
    with Fetcher(Settings(host_delay=0), {state.host: state for state in remembered}) as fetcher:
        found = {request.url: result for request, result in fetcher.fetch_all(requests)}
        return [getattr(found[r.url], "kind", 200) for r in requests], fetcher.host_states()


def test_robots_txt_is_asked_for_first_and_once(server):
    server.answer("/robots.txt", body="User-agent: *\nDisallow: /private/", type="text/plain")
    results, _ = ask(server, page(server, "/a"), page(server, "/private/b"), page(server, "/c"))
    assert results == [200, "robots", 200]
    assert server.log[0].path == "/robots.txt"
    assert sorted(seen.path for seen in server.log) == ["/a", "/c", "/robots.txt"]


def test_pages_that_may_not_be_visited_take_no_turn_of_their_host(server):
    server.answer("/robots.txt", body="User-agent: *\nDisallow: /private/", type="text/plain")
    with Fetcher(Settings(host_delay=0.2)) as fetcher:
        for _ in range(2):  # with robots.txt still to be asked for, and known
            began = time.monotonic()
            pages = [page(server, f"/private/{n}") for n in range(20)]
            assert {
                r.kind
                for _, r in fetcher.fetch_all([*pages, page(server, "/a")])
                if isinstance(r, FetchError)
            } == {"robots"}
            assert time.monotonic() - began < 1.5
    assert [seen.path for seen in server.log] == ["/robots.txt", "/a", "/a"]


def test_a_redirect_to_a_page_that_may_not_be_visited_ends_there(server):
    server.answer("/robots.txt", body="User-agent: *\nDisallow: /private/", type="text/plain")
    url = server.answer("/a", status=302, headers={"Location": "/private/b"})
    assert ask(server, Request(1, url, origin=server.url("/feed")))[0] == ["robots"]
    assert [seen.path for seen in server.log] == ["/robots.txt", "/a"]


def test_feeds_do_not_need_robots_txt(server):
    server.answer("/robots.txt", body="User-agent: *\nDisallow: /", type="text/plain")
    with Fetcher(Settings(host_delay=0)) as fetcher:
        assert kinds(fetcher.fetch_all(feeds(server, 1))) == {0: 200}
    assert len(server.log) == 1


def test_robots_txt_is_remembered_for_a_day(server):
    server.answer("/robots.txt", body="User-agent: *\nDisallow: /b", type="text/plain")
    _, states = ask(server, page(server, "/a"))
    results, _ = ask(server, page(server, "/b"), remembered=states)
    assert results == ["robots"]
    assert len(server.seen("/robots.txt")) == 1
    old = HostState(states[0].host, robots="", robots_at=datetime.now(UTC) - timedelta(hours=25))
    results, _ = ask(server, page(server, "/b"), remembered=[old])
    assert results == ["robots"]
    assert len(server.seen("/robots.txt")) == 2


def test_a_robots_txt_remembered_by_a_clock_that_was_ahead_is_asked_for_again(server):
    server.answer("/robots.txt", body="User-agent: *\nDisallow: /b", type="text/plain")
    ahead = HostState(
        f"127.0.0.1:{server.port}", robots="", robots_at=datetime.now(UTC) + timedelta(days=400)
    )
    assert ask(server, page(server, "/b"), remembered=[ahead])[0] == ["robots"]


def test_without_a_robots_txt_everything_is_allowed(server):
    assert ask(server, page(server, "/a"))[0] == [200]


def test_a_robots_txt_without_content_forbids_nothing(server):
    server.answer("/robots.txt", status=204)
    assert ask(server, page(server, "/a"))[0] == [200]


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(raw=b""), Reply(status=429)])
def test_while_robots_txt_is_unreachable_nothing_is_fetched(server, reply):
    server.answer("/robots.txt", reply)
    (first, second), states = ask(server, page(server, "/a"), page(server, "/b"))
    assert {first, second} <= {"server_error", "incomplete", "held"}
    assert [state.robots for state in states if state.robots is not None] == []
    assert [seen.path for seen in server.log] == ["/robots.txt"]


def test_an_old_robots_txt_holds_while_the_new_one_is_unreachable(server):
    server.answer("/robots.txt", status=503)
    week_ago = datetime.now(UTC) - timedelta(days=7)
    old = HostState(f"127.0.0.1:{server.port}", robots="User-agent: *\nDisallow: /b", robots_at=week_ago)
    assert ask(server, page(server, "/a"), page(server, "/b"), remembered=[old])[0] == [200, "robots"]


def test_a_robots_txt_behind_a_redirect_counts(server):
    server.answer("/robots.txt", status=301, headers={"Location": "/robots2.txt"})
    server.answer("/robots2.txt", body="User-agent: aggregator\nDisallow: /", type="text/plain")
    assert ask(server, page(server, "/a"))[0] == ["robots"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_not_hide_the_first_rule(server, encoding):
    server.answer("/robots.txt", body="User-agent: *\nDisallow: /".encode(encoding), type="text/plain")
    assert ask(server, page(server, "/a"))[0] == ["robots"]


def test_of_a_long_robots_txt_the_beginning_counts(server):
    rules = "User-agent: *\nDisallow: /b\n" + "# a long comment\n" * 40_000
    server.answer("/robots.txt", body=rules, type="text/plain")
    assert ask(server, page(server, "/a"), page(server, "/b"))[0] == [200, "robots"]


def test_crawl_delay_is_kept(server):
    server.answer("/robots.txt", body="User-agent: *\nCrawl-delay: 0.3", type="text/plain")
    ask(server, page(server, "/a"), page(server, "/b"))
    assert min(gaps(server.log)) > 0.2


def test_a_remembered_crawl_delay_is_kept(server):
    text, now = "User-agent: *\nCrawl-delay: 0.3", datetime.now(UTC)
    known = HostState(f"127.0.0.1:{server.port}", robots=text, robots_at=now)
    ask(server, page(server, "/a"), page(server, "/b"), remembered=[known])
    assert [seen.path for seen in server.log if seen.path == "/robots.txt"] == []
    assert min(gaps(server.log)) > 0.2


@pytest.mark.parametrize(
    ("rules", "delay"),
    [("5", 5), ("86400", robots.MAX_CRAWL_DELAY), ("-3", 0), ("nan", 0), ("soon", 0), ("", 0)],
)
def test_a_crawl_delay_is_a_number_within_reason(rules, delay):
    assert robots.crawl_delay(f"User-agent: *\nCrawl-delay: {rules}") == delay


@pytest.mark.parametrize(
    ("rule", "path", "allowed"),
    [
        ("Disallow: /*.pdf$", "/a.pdf", False),
        ("Disallow: /*.pdf$", "/a.pdf?x", True),
        ("Disallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("Disallow:", "/a", True),
        ("\x00\xff nonsense", "/a", True),
    ],
)
def test_robots_txt_follows_rfc_9309(rule, path, allowed):
    assert robots.allows(f"User-agent: *\n{rule}", f"https://x.example{path}") == allowed


def test_a_rule_for_us_by_name_wins_over_the_one_for_all():
    text = "User-agent: *\nDisallow: /\n\nUser-agent: Aggregator\nAllow: /"
    assert robots.allows(text, "https://x.example/a")


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("aggregator/0.1", True),
        ("Aggregator (a feed reader)", True),
        ("aggregator # us", True),
        ("agg", False),
        ("aggregator-image", False),
        ("feed-aggregator", False),
    ],
)
def test_rules_are_for_whom_their_product_token_names(name, ours):
    assert robots.allows(f"User-agent: {name}\nDisallow: /", "https://x.example/a") != ours


def test_a_robots_txt_that_is_too_long_is_read_up_to_its_last_whole_line():
    start = b"User-agent: *\n#"
    start += b"x" * (robots.MAX_BYTES - len(start) - len(b"\nDisallow: /")) + b"\nDisallow: /"
    assert robots.allows(robots.decoded(start + b"private/\n"), "https://x.example/a")


def test_a_page_can_be_asked_for_conditionally(server):
    request = page(server, "/a", headers={"ETag": '"1"'})
    with Fetcher(Settings(host_delay=0)) as fetcher:
        first = fetcher.fetch(request)
        again = Request(1, request.url, validators=first.validators, origin=request.origin)
        assert fetcher.fetch(again).status == 304
