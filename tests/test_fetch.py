"""What one answer becomes: a whole body, nothing new, or a named error."""

import base64
import gzip
import threading
import time
import tracemalloc
import zlib

import pytest
from server import HTML, Reply, Server, refused_port

from aggregator import HOME, __version__
from aggregator.errors import FetchError
from aggregator.fetch import Fetcher, validators_after
from aggregator.fetch.body import TooBig, decode
from aggregator.model import Request, Response, Settings, Validators

QUICK = Settings(host_delay=0, timeout=1, max_feed_bytes=100_000, max_page_bytes=50_000)


@pytest.fixture
def get():
    """Fetch one URL as a feed (or as said): the response, or the FetchError as a value."""
    with Fetcher(QUICK) as fetcher:

        def ask(url, kind="feed", **more):
            try:
                return fetcher.fetch(Request(1, url, kind, **more))
            except FetchError as error:
                return error

        yield ask


# ------------------------------------------------------------------------------------------ answers


def test_a_200_brings_its_body_its_validators_and_its_size(server, get):
    url = server.answer("/feed", body="<rss/>", headers={"ETag": '"1"', "Last-Modified": "yesterday"})
    response = get(url)
    assert (response.status, response.body, response.wire_bytes) == (200, b"<rss/>", 6)
    assert response.validators == Validators('"1"', "yesterday")
    assert response.url == response.final_url == url


def test_a_304_that_was_asked_for_is_nothing_new(server, get):
    url = server.answer("/feed", body="<rss/>", headers={"ETag": '"1"'})
    response = get(url, validators=Validators('"1"'))
    assert (response.status, response.body) == (304, b"")


def test_what_a_304_announces_and_sends_late_is_no_answer_to_the_next_request(server, get):
    url = server.answer("/a", status=304, headers={"Content-Length": "40"})
    assert get(url, validators=Validators(etag='"1"')).status == 304
    get(server.answer("/b", body="<rss/>"))
    assert server.log[0].connection != server.log[1].connection


def test_a_304_that_was_not_asked_for_is_an_error(server, get):
    assert get(server.answer("/feed", status=304)).kind == "unexpected_status"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, "unexpected_status"),
        (300, "unexpected_status"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "not_found"),
        (410, "gone"),
        (418, "client_error"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "server_error"),
        (599, "server_error"),
    ],
)
def test_every_status_has_its_error_class(server, get, status, kind):
    error = get(server.answer("/feed", status=status, body="no"))
    assert (error.kind, error.status) == (kind, status)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"cf-mitigated": "challenge"}, "wait"),
        ({}, "<html><title>Just a moment...</title>"),
        ({}, "<script src=/cdn-cgi/challenge-platform/x.js></script>"),
    ],
)
def test_a_bot_wall_is_called_by_its_name(server, get, headers, body):
    assert get(server.answer("/feed", status=403, headers=headers, body=body)).kind == "blocked"


@pytest.mark.parametrize("status", [429, 503])
def test_a_bot_wall_may_say_that_it_is_busy(server, get, status):
    body = "<html><title>Just a moment...</title>"
    assert get(server.answer("/feed", status=status, body=body)).kind == "blocked"


# ----------------------------------------------------------------------------------------- requests


def test_validators_go_back_byte_for_byte(server, get):
    url = server.answer("/feed", body="<rss/>")
    odd = Validators('W/"a,b;c"', "2026-01-01 00:00:00 (ours)")
    get(url, validators=odd)
    assert server.log[0].headers["if-none-match"] == odd.etag
    assert server.log[0].headers["if-modified-since"] == odd.last_modified


def test_a_validator_that_vanishes_is_forgotten(server, get):
    before = Validators('"1"', "Tue, 24 Nov 2026 12:00:00 GMT")
    assert validators_after(before, get(server.answer("/feed", body="<rss/>"))) == Validators()


def test_no_validator_is_invented(server, get):
    get(server.answer("/feed", body="<rss/>"))
    assert not {"if-none-match", "if-modified-since"} & set(server.log[0].headers)


def test_neither_cookie_nor_referer_nor_password_file_is_sent(server, get, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    url = server.answer("/feed", body="<rss/>", headers={"Set-Cookie": "track=1"})
    get(url)
    get(url)
    assert not {"cookie", "referer", "authorization"} & set(server.log[1].headers)


def test_the_user_agent_names_us_and_the_contact(server):
    url = server.answer("/feed", body="<rss/>")
    with Fetcher(Settings(host_delay=0, contact="https://paper.example/bot")) as fetcher:
        fetcher.fetch(Request(1, url, "feed"))
    assert server.log[0].headers["user-agent"] == f"aggregator/{__version__} (+https://paper.example/bot)"


def test_without_a_contact_the_user_agent_names_the_projects_home(server, get):
    get(server.answer("/feed", body="<rss/>"))
    assert server.log[0].headers["user-agent"] == f"aggregator/{__version__} (+{HOME})"


def test_a_proxy_in_the_environment_is_not_used(server, get, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
    assert get(server.answer("/feed", body="<rss/>")).status == 200


def test_headers_of_feeds_yaml_are_sent(server, get):
    get(server.answer("/feed", body="<rss/>"), headers={"Authorization": "Bearer x"})
    assert server.log[0].headers["authorization"] == "Bearer x"


def test_a_password_in_the_url_is_sent_as_one(server, get):
    server.answer("/feed", body="<rss/>")
    url = server.url("/feed").replace("http://", "http://me:p%40ss@")
    assert get(url).status == 200
    assert server.log[0].headers["authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()


def test_a_password_in_the_url_is_not_told_in_errors(server, get):
    error = get(server.url("/missing").replace("http://", "http://me:secret@"))
    assert error.kind == "not_found"
    assert "secret" not in str(error)


def test_a_password_in_a_link_is_not_sent(server, get):
    url = server.answer("/page", body="<p>x", type=HTML).replace("http://", "http://me:secret@")
    assert get(url, "page", origin=server.url("/feed")).status == 200
    assert all("authorization" not in seen.headers for seen in server.log)


def test_what_the_server_says_wrong_is_not_quoted_with_control_characters(server, get, capfd, caplog):
    get(server.answer("/feed", raw=b"HTTP/1.1 200 OK\r\n\x1b[31mbroken header\r\nContent-Length: 0\r\n\r\n"))
    error = get(server.answer("/feed", raw=b"\x1b]0;owned\x07\xc2\x9b\r\n\r\n"))
    assert error.kind == "bad_http"
    said = str(error) + caplog.text + "".join(capfd.readouterr())
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in said)


def test_a_url_with_spaces_and_letters_of_other_alphabets_is_encoded(server, get):
    server.answer("/caf%C3%A9%20news", body="<rss/>")
    assert get(server.url("/café news")).status == 200


# --------------------------------------------------------------------------------------- the body


def test_gzip_is_asked_for_and_undone(server, get):
    response = get(server.answer("/feed", body="news " * 1000, gzip=True))
    assert response.body == b"news " * 1000
    assert response.wire_bytes < 200


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
        ("identity", bytes),
        ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
        ("gzip", lambda data: gzip.compress(data) + b"\0" * 40),
    ],
)
def test_codings_are_undone(server, get, coding, pack):
    body = b"<rss>" + b"x" * 70_000
    response = get(server.answer("/feed", body=pack(body), headers={"Content-Encoding": coding}))
    assert response.body == body


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("deflate", zlib.compress(b"news")),
        ("deflate", raw_deflate(b"news")),
        ("gzip", gzip.compress(b"ne") + gzip.compress(b"ws")),
    ],
)
def test_codings_are_undone_however_the_bytes_arrive(name, packed):
    assert decode([packed[at : at + 1] for at in range(len(packed))], [name], 100) == b"news"


@pytest.mark.parametrize(
    ("coding", "body", "kind"),
    [
        ("br", b"anything", "bad_encoding"),
        ("gzip", b"<rss>not gzip</rss>", "bad_encoding"),
        ("gzip", b"\x1f", "incomplete"),
        ("gzip, gzip, gzip", b"", "bad_encoding"),
        ("gzip", gzip.compress(b"news" * 100)[:-9], "incomplete"),
        ("gzip", gzip.compress(b" " * 5_000_000), "too_big"),
        ("gzip, gzip", gzip.compress(gzip.compress(b" " * 50_000_000)), "too_big"),
    ],
)
def test_a_body_that_cannot_be_undone_is_an_error(server, get, coding, body, kind):
    assert get(server.answer("/feed", body=body, headers={"Content-Encoding": coding})).kind == kind


def test_a_body_over_the_limit_is_refused_and_the_limit_named(server, get):
    error = get(server.answer("/feed", body=b"x" * 100_001))
    assert error.kind == "too_big"
    assert "100,000" in error.message


def test_a_body_without_length_may_be_as_long_as_the_limit_and_no_byte_longer():
    assert len(decode([b"x" * 60, b"x" * 40], [], 100)) == 100
    with pytest.raises(TooBig):
        decode([b"x" * 60, b"x" * 41], [], 100)


def test_a_bomb_costs_no_more_memory_than_its_limit():
    bomb = gzip.compress(b" " * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooBig):
            decode([bomb], ["gzip"], 100_000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_page_has_a_limit_of_its_own(server, get):
    page = server.answer("/page", body=b"<p>" + b"x" * 50_000, type=HTML)
    error = get(page, "page", origin=server.url("/feed"))
    assert error.kind == "too_big"
    assert "50,000" in error.message


def test_a_body_declared_over_the_limit_is_not_read(server, get):
    url = server.answer("/feed", body=b"x" * 50, headers={"Content-Length": "20000000000"}, drip=1)
    began = time.monotonic()
    assert get(url).kind == "too_big"
    assert time.monotonic() - began < 1


def test_an_endless_body_without_length_ends_at_the_limit(server, get):
    url = server.answer("/feed", raw=b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 300_000)
    assert get(url).kind == "too_big"


def test_bytes_after_the_declared_length_are_not_read(server, get):
    url = server.answer("/feed", raw=b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>garbage")
    assert get(url).body == b"<rss/>"


def test_a_body_that_ends_with_the_connection_is_whole(server, get):
    assert get(server.answer("/feed", raw=b"HTTP/1.0 200 OK\r\n\r\n<rss/>")).body == b"<rss/>"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss", "incomplete"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n", "incomplete"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<r", "incomplete"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<rss>\r\n", "bad_http"),
        (b"ICY 200 maybe\x00\xff\r\n\r\n", "bad_http"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "bad_http"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "bad_http"),
        (b"", "incomplete"),
    ],
)
def test_broken_http_is_an_error(server, get, raw, kind):
    assert get(server.answer("/feed", raw=raw)).kind == kind


def test_a_connection_whose_answer_is_still_to_come_is_not_used_again(server, get):
    """What follows a 103 would be taken for the answer to the next request."""
    get(server.answer("/early", status=103))
    get(server.answer("/feed", body="<rss/>"))
    early, feed = server.log
    assert early.connection != feed.connection


def test_a_page_that_is_no_page_is_not_read(server, get):
    error = get(server.answer("/film", body=b"x" * 50, type="video/mp4", drip=1), "page", origin=server.base)
    assert (error.kind, error.message) == ("not_html", "the page is video/mp4")


def test_a_file_sent_as_a_page_is_none(server, get):
    error = get(server.answer("/report", body=b"%PDF-1.4 words", type=HTML), "page", origin=server.base)
    assert error.kind == "not_html"


# ----------------------------------------------------------------------------------------- deadline


@pytest.mark.parametrize(
    "reply",
    [
        Reply(wait=30),
        Reply(drip_head=0.2),
        Reply(body=b"x" * 1000, drip=0.2),
        Reply(body=b"x" * 1000, drip=0.2, headers={"Content-Length": "", "Connection": "close"}),
    ],
    ids=["silence", "dripped headers", "dripped body", "dripped body without length"],
)
def test_the_deadline_holds_however_slowly_the_bytes_come(server, get, reply):
    url = server.answer("/feed", reply)
    began = time.monotonic()
    assert get(url).kind == "timeout"
    assert 0.9 < time.monotonic() - began < 2


def test_the_deadline_counts_redirects_in(server, get):
    for step in range(4):
        server.answer(f"/{step}", status=302, headers={"Location": f"/{step + 1}"}, wait=0.4)
    began = time.monotonic()
    assert get(server.url("/0")).kind == "timeout"
    assert time.monotonic() - began < 2


def test_a_host_that_does_not_answer_the_door_is_an_error(get):
    error = get(f"http://127.0.0.1:{refused_port()}/feed")
    assert error.kind == "connect"
    assert "refused" in error.message


def test_a_name_that_does_not_resolve_is_an_error(get):
    assert get("http://nowhere.invalid/feed").kind == "dns"


@pytest.mark.parametrize("url", ["ftp://x.example/f", "file:///etc/hostname", "javascript:1", "http://", "x"])
def test_only_http_is_spoken(get, url):
    assert get(url).kind == "bad_url"


# ------------------------------------------------------------------------------------ connections


def test_a_connection_is_used_again(server, get):
    url = server.answer("/feed", body="<rss/>")
    get(url)
    get(url)
    assert len({seen.connection for seen in server.log}) == 1


def test_a_kept_connection_that_died_is_made_anew(server, get):
    url = server.answer("/feed", Reply(b"<rss/>"), Reply(raw=b""), Reply(b"<rss/>"))
    assert get(url).status == 200
    assert get(url).status == 200
    assert len(server.log) == 3


def test_a_fresh_connection_that_breaks_is_not_tried_again(server, get):
    assert get(server.answer("/feed", raw=b"")).kind == "incomplete"
    assert len(server.log) == 1


# -------------------------------------------------------------------------------------- many, stop


def test_every_request_comes_back_once_whatever_becomes_of_it(server):
    good = [server.answer(f"/{n}", body=f"{n}") for n in range(40)]
    bad = ["nonsense", server.url("/missing"), f"http://127.0.0.1:{refused_port()}/"]
    requests = [Request(key, url, "feed") for key, url in enumerate(good + bad)]
    with Fetcher(QUICK) as fetcher:
        results = {request.key: result for request, result in fetcher.fetch_all(requests)}
    assert sorted(results) == list(range(43))
    assert {results[n].body for n in range(40)} == {str(n).encode() for n in range(40)}
    assert [results[n].kind for n in (40, 41, 42)] == ["bad_url", "not_found", "connect"]


def test_no_requests_no_results():
    with Fetcher(QUICK) as fetcher:
        assert list(fetcher.fetch_all([])) == []


def test_what_comes_together_is_handed_over_together(server):
    requests = [Request(n, server.answer(f"/{n}", body="x"), "feed") for n in range(7)]
    with Fetcher(QUICK) as fetcher:
        assert [len(group) for group in fetcher.fetch_groups(requests, 3, 5.0)] == [3, 3, 1]


def test_a_group_does_not_wait_for_a_slow_one(server):
    requests = [Request(0, server.answer("/0", body="x"), "feed")]
    requests.append(Request(1, server.answer("/1", body="x", wait=0.7), "feed"))
    with Fetcher(QUICK) as fetcher:
        groups = [[request.key for request, _ in group] for group in fetcher.fetch_groups(requests, 9, 0.1)]
    assert groups == [[0], [1]]


def test_a_group_of_large_bodies_is_small(server, monkeypatch):
    monkeypatch.setattr("aggregator.fetch.fetcher.GROUP_BYTES", 50_000)
    requests = [Request(n, server.answer(f"/{n}", body=b"x" * 30_000), "feed") for n in range(4)]
    with Fetcher(QUICK) as fetcher:
        assert [len(group) for group in fetcher.fetch_groups(requests, 9, 5.0)] == [2, 2]


def test_a_stop_hands_over_what_was_gathered(server):
    requests = [Request(0, server.answer("/0", body="x"), "feed")]
    requests.append(Request(1, server.answer("/1", wait=20), "feed"))
    with Fetcher(Settings(host_delay=0)) as fetcher:
        threading.Timer(0.3, fetcher.stop).start()
        groups = list(fetcher.fetch_groups(requests, 9, 5.0))
    assert [request.key for group in groups for request, _ in group] == [0]


def test_pages_can_be_fetched_while_feeds_are_read(server):
    requests = [Request(n, server.answer(f"/{n}", body="x"), "feed") for n in range(3)]
    page = server.answer("/page", body="<p>x", type=HTML)
    with Fetcher(QUICK) as fetcher:
        for request, _ in fetcher.fetch_all(requests):
            assert fetcher.fetch(Request(9, page, origin=request.url)).status == 200


def test_a_stop_ends_at_once_and_yields_only_what_was_whole(server):
    requests = [Request(0, server.answer("/0", body="x"), "feed")]
    requests += [Request(n, server.answer(f"/{n}", wait=20), "feed") for n in range(1, 9)]
    with Fetcher(Settings(host_delay=0)) as fetcher:
        done = []
        began = time.monotonic()
        for request, result in fetcher.fetch_all(requests):
            done.append((request.key, type(result)))
            threading.Timer(0.1, fetcher.stop).start()
        assert time.monotonic() - began < 2
        assert done == [(0, Response)]
        with pytest.raises(FetchError) as caught:
            fetcher.fetch(requests[0])
        assert caught.value.kind == "stopped"


def test_bodies_that_nobody_reads_do_not_pile_up(monkeypatch):
    monkeypatch.setattr("aggregator.fetch.fetcher.UNREAD_BYTES", 100_000)
    servers = [Server(f"127.0.0.{n}") for n in range(1, 41)]
    requests = []
    for n, server in enumerate(servers):
        server.__enter__()
        requests.append(Request(n, server.answer("/", body=b"x" * 50_000), "feed"))
    with Fetcher(Settings(host_delay=0, workers=4)) as fetcher:
        results = fetcher.fetch_all(requests)
        next(results)
        time.sleep(0.5)
        assert sum(len(server.log) for server in servers) <= 8
        assert len(list(results)) == 39
    for server in servers:
        server.__exit__()


def test_a_header_that_comes_twice_is_a_list(get, server):
    head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=86400\r\nCache-Control: public\r\nContent-Length: 1\r\n\r\nx"
    assert get(server.answer("/feed", raw=head)).headers["cache-control"] == "max-age=86400, public"


def test_of_a_header_that_is_no_list_the_last_one_counts(get, server):
    head = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nETag: "2"\r\nContent-Length: 1\r\n\r\nx'
    assert get(server.answer("/feed", raw=head)).validators.etag == '"2"'


@pytest.mark.parametrize("coding", ["none", "identity", "UTF-8"])
def test_what_is_no_content_coding_is_passed_over(get, server, coding):
    assert get(server.answer("/feed", body="<rss/>", headers={"Content-Encoding": coding})).body == b"<rss/>"


def test_an_answer_that_a_proxy_changed_is_an_answer(get, server):
    assert get(server.answer("/feed", body="<rss/>", status=203)).body == b"<rss/>"
