"""Redirects: how far they are followed, what of them is permanent, and what they never carry along."""

import pytest
from server import HTML, Server

from aggregator.errors import FetchError
from aggregator.fetch import Fetcher
from aggregator.fetch.fetcher import _same_server
from aggregator.model import Request, Settings, Validators


@pytest.fixture
def get():
    with Fetcher(Settings(host_delay=0, timeout=2)) as fetcher:

        def ask(url, kind="feed", **more):
            try:
                return fetcher.fetch(Request(1, url, kind, **more))
            except FetchError as error:
                return error

        yield ask


def chain(server, *statuses):
    """/0 -> /1 -> ... with these statuses, to a feed; the URL of /0."""
    for step, status in enumerate(statuses):
        server.answer(f"/{step}", status=status, headers={"Location": f"/{step + 1}"})
    server.answer(f"/{len(statuses)}", body="<rss/>", headers={"ETag": '"1"'})
    return server.url("/0")


@pytest.mark.parametrize(
    ("statuses", "permanent"),
    [
        ((301,), "/1"),
        ((308,), "/1"),
        ((302,), None),
        ((303,), None),
        ((307,), None),
        ((301, 308, 301), "/3"),
        ((301, 302), "/1"),
        ((301, 302, 301), "/1"),
        ((302, 301), None),
    ],
)
def test_only_the_unbroken_prefix_of_permanent_answers_is_permanent(server, get, statuses, permanent):
    response = get(chain(server, *statuses))
    assert response.final_url == server.url(f"/{len(statuses)}")
    assert response.permanent_url == (permanent and server.url(permanent))


def test_five_redirects_are_followed_and_not_six(server, get):
    assert get(chain(server, *[302] * 5)).status == 200
    assert get(chain(server, *[302] * 6)).kind == "redirect"


def test_a_redirect_whose_body_hangs_is_followed(server, get):
    place = server.answer("/place", body="<rss/>")
    hanging = server.answer("/moved", status=301, headers={"Location": "/place"}, body=b"x" * 100, drip=1)
    assert get(hanging).final_url == place


def test_an_error_whose_body_hangs_is_that_error(server, get):
    assert get(server.answer("/gone", status=410, body=b"x" * 100, drip=1)).kind == "gone"


def test_a_circle_is_not_gone_round(server, get):
    server.answer("/a", status=302, headers={"Location": "/b"})
    server.answer("/b", status=302, headers={"Location": "/a"})
    assert get(server.url("/a")).message == "the redirects go in a circle"
    assert [seen.path for seen in server.log] == ["/a", "/b"]


def test_a_redirect_without_a_target_is_an_error(server, get):
    assert get(server.answer("/feed", status=302)).kind == "redirect"


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/hostname",
        "ftp://x.example/f",
        "gopher://x.example/_INFO",
        "data:text/xml,<rss/>",
        "javascript:alert(1)",
        "http://someone@x.example/",
        "http://[::1/",
        "http://x.example:99999/",
    ],
)
def test_a_redirect_out_of_the_web_is_refused(server, get, target):
    assert get(server.answer("/feed", status=302, headers={"Location": target})).kind == "bad_url"


def test_a_target_in_utf_8_is_understood(server, get):
    server.answer("/caf%C3%A9", body="<rss/>")
    raw = "HTTP/1.1 302 Found\r\nLocation: /café\r\nContent-Length: 0\r\n\r\n".encode()
    assert get(server.answer("/feed", raw=raw)).status == 200


def test_validators_travel_so_that_a_moved_feed_can_say_304(server, get):
    response = get(chain(server, 301), validators=Validators('"1"'))
    assert (response.status, response.permanent_url) == (304, server.url("/1"))


def test_a_password_stays_with_its_host(server, get):
    with (
        Server("127.0.0.2") as other,
        Fetcher(Settings(host_delay=0, allow=(f"127.0.0.2:{other.port}",))) as fetcher,
    ):
        server.answer("/moved", status=302, headers={"Location": "/away"})
        server.answer("/away", status=302, headers={"Location": other.answer("/feed", body="<rss/>")})
        fetcher.fetch(Request(1, server.url("/moved"), "feed", headers={"Authorization": "Bearer x"}))
        assert [seen.headers.get("authorization") for seen in server.log] == ["Bearer x"] * 2
        assert "authorization" not in other.log[0].headers


def test_a_password_does_not_go_to_where_a_feed_was_moved_to(server, get):
    """The URL that is asked may be what a redirect left behind; the one that the user wrote has the say."""
    with Server("127.0.0.2") as other:
        settings = Settings(host_delay=0, allow=(f"127.0.0.2:{other.port}",))
        with Fetcher(settings) as fetcher:
            moved = Request(
                1,
                other.answer("/feed", body="<rss/>"),
                "feed",
                headers={"Authorization": "Bearer x"},
                origin=server.url("/feed"),
            )
            fetcher.fetch(moved)
        assert "authorization" not in other.log[0].headers


@pytest.mark.parametrize(
    ("first", "now", "same"),
    [
        ("https://x.example/a", "https://x.example/b", True),
        ("http://x.example/a", "https://x.example/a", True),
        ("https://x.example/a", "http://x.example/a", False),
        ("https://x.example/a", "https://x.example:8443/a", False),
        ("https://x.example/a", "https://www.x.example/a", False),
        ("", "https://x.example/a", False),
    ],
)
def test_a_password_never_leaves_its_host_nor_https(first, now, same):
    assert _same_server(first, now) == same


def test_a_page_that_redirects_to_another_host_asks_that_hosts_robots_txt(server, get):
    with (
        Server("127.0.0.2") as other,
        Fetcher(
            Settings(host_delay=0, allow=(f"127.0.0.1:{server.port}", f"127.0.0.2:{other.port}"))
        ) as fetcher,
    ):
        other.answer("/robots.txt", body="User-agent: *\nDisallow: /", type="text/plain")
        server.answer("/a", status=302, headers={"Location": other.answer("/b", body="<p>x", type=HTML)})
        with pytest.raises(FetchError) as caught:
            fetcher.fetch(Request(1, server.url("/a")))
    assert caught.value.kind == "robots"
    assert [seen.path for seen in other.log] == ["/robots.txt"]


@pytest.mark.parametrize(("status", "kind"), [(301, "gone"), (302, "not_found")])
def test_what_is_gone_behind_a_redirect_is_gone_only_if_the_redirect_is_for_good(server, get, status, kind):
    moved = server.answer("/feed", status=status, headers={"Location": "/new"})
    server.answer("/new", status=410)
    error = get(moved)
    assert (error.kind, error.status) == (kind, 410)
