"""Who may reach a private network: the address connected to is judged, on every hop, before a byte is sent."""

import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server import HTML, Server

from aggregator.errors import FetchError
from aggregator.fetch import Fetcher, guard, transport
from aggregator.model import Request, Settings


def kind_of(fetcher, request):
    try:
        return fetcher.fetch(request).status
    except FetchError as error:
        return error.kind


@pytest.fixture
def fetcher():
    with Fetcher(Settings(host_delay=0, timeout=2)) as running:
        yield running


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.7",
        "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
        "192.0.0.192", "::ffff:0:127.0.0.1", "2002:7f00:1::", "2001:0:7f00:1::",
        "2001:0:808:808::80ff:fffe", "2001:0:808:808::f7f7:f7f7", "not an address", "",
    ],
)  # fmt: skip
def test_these_addresses_are_not_public(address):
    assert not guard.is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:8.8.8.8", "2002:808:808::"]
)
def test_these_addresses_are_public(address):
    assert guard.is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_however_it_is_wrapped(address):
    public = guard.is_public(str(address))
    low = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"
    for wrapped in (f"::ffff:{address}", f"64:ff9b::{low}", f"2002:{low}::"):
        assert guard.is_public(wrapped) == public


def test_a_feed_that_the_user_wrote_may_be_private(server, fetcher):
    assert kind_of(fetcher, Request(1, server.answer("/feed", body="<rss/>"), "feed")) == 200


def test_a_page_on_a_private_host_is_refused(server, fetcher):
    url = server.answer("/page", body="<p>x", type=HTML)
    assert kind_of(fetcher, Request(1, url)) == "not_public"
    assert server.log == []


def test_a_page_on_the_private_host_of_its_own_feed_is_fine(server, fetcher):
    url = server.answer("/page", body="<p>x", type=HTML)
    assert kind_of(fetcher, Request(1, url, origin=server.url("/feed"))) == 200


def test_a_page_on_another_port_of_its_feeds_host_is_refused(server, fetcher):
    with Server() as other:
        url = other.answer("/page", body="<p>x", type=HTML)
        assert kind_of(fetcher, Request(1, url, origin=server.url("/feed"))) == "not_public"
        assert other.log == []


def test_the_allow_list_is_host_and_port(server):
    url = server.answer("/page", body="<p>x", type=HTML)
    for allowed, expected in ((f"127.0.0.1:{server.port}", 200), ("127.0.0.1:1", "not_public")):
        with Fetcher(Settings(host_delay=0, allow=(allowed,))) as fetcher:
            assert kind_of(fetcher, Request(1, url)) == expected


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "127.0.0.1",
    ],
)
def test_a_redirect_to_another_private_place_is_refused_however_it_is_written(server, fetcher, host):
    with Server() as canary:
        canary.answer("/", body="secret")
        url = server.answer("/feed", status=302, headers={"Location": f"http://{host}:{canary.port}/"})
        assert kind_of(fetcher, Request(1, url, "feed")) in ("not_public", "dns")
        assert canary.log == []


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/"])
def test_nothing_is_sent_to_addresses_of_other_networks(server, fetcher, target, monkeypatch):
    dialled = []
    monkeypatch.setattr(socket.socket, "connect", spy(socket.socket.connect, dialled))
    url = server.answer("/feed", status=302, headers={"Location": target})
    assert kind_of(fetcher, Request(1, url, "feed")) == "not_public"
    assert {address[0] for address in dialled} == {"127.0.0.1"}


def spy(connect, seen):
    def dial(sock, address):
        seen.append(address)
        return connect(sock, address)

    return dial


def test_of_a_names_addresses_only_the_public_ones_are_dialled(server, fetcher, monkeypatch):
    dialled = []

    def lookup(host, port, **_):
        both = ("198.51.99.1", 1), ("127.0.0.1", server.port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in both]

    def refuse(sock, address):
        dialled.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(transport.socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    url = f"http://two-faced.example:{server.port}/robots.txt"
    assert kind_of(fetcher, Request(1, url)) == "connect"
    assert set(dialled) == {"198.51.99.1"}


def test_a_name_that_changes_its_mind_is_judged_where_it_is_dialled(server, fetcher, monkeypatch):
    """DNS rebinding: whatever a name said before, only the addresses of this lookup count, and each is judged."""
    asked = []

    def lookup(host, port, **_):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]

    monkeypatch.setattr(transport.socket, "getaddrinfo", lookup)
    server.answer("/page", body="<p>x", type=HTML)
    assert kind_of(fetcher, Request(1, f"http://rebind.example:{server.port}/page")) == "not_public"
    assert asked == ["rebind.example"]
    assert server.log == []


def test_a_connection_made_for_a_feed_does_not_serve_a_strangers_link(server, fetcher):
    feed = server.answer("/feed", body="<rss/>")
    assert kind_of(fetcher, Request(1, feed, "feed")) == 200
    assert kind_of(fetcher, Request(2, server.url("/feed"))) == "not_public"
    assert [seen.path for seen in server.log] == ["/feed"]


def test_a_place_that_a_redirect_moved_a_feed_to_is_judged_like_a_link(server, fetcher):
    with Server() as elsewhere:
        moved = Request(1, elsewhere.answer("/feed", body="x"), "feed", origin=server.url("/feed"))
        assert kind_of(fetcher, moved) == "not_public"


# ------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 and its key, as file names."""
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    names = folder / "cert.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ours"
    )
    command += f" -addext subjectAltName=IP:127.0.0.1 -out {names[0]} -keyout {names[1]}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return names


@pytest.fixture
def secure(certificate):
    """The scripted server behind TLS."""
    with Server(tls=certificate) as server:
        yield server


def test_https_asked_of_a_plain_port_is_an_error(server, fetcher):
    server.answer("/feed", body="<rss/>")
    assert kind_of(fetcher, Request(1, f"https://127.0.0.1:{server.port}/feed", "feed")) in ("tls", "timeout")


def test_a_certificate_that_nobody_vouches_for_is_refused(secure, fetcher):
    assert kind_of(fetcher, Request(1, secure.answer("/feed", body="<rss/>"), "feed")) == "tls"
    assert secure.log == []


def test_a_certificate_that_the_users_bundle_vouches_for_is_accepted(secure, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with Fetcher(Settings(host_delay=0)) as fetcher:
        assert kind_of(fetcher, Request(1, secure.answer("/feed", body="<rss/>"), "feed")) == 200
        assert (
            kind_of(fetcher, Request(2, secure.url("/feed").replace("127.0.0.1", "localhost"), "feed"))
            == "tls"
        )


def test_the_deadline_holds_over_tls(secure, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with Fetcher(Settings(host_delay=0, timeout=1)) as fetcher:
        began = time.monotonic()
        assert (
            kind_of(fetcher, Request(1, secure.answer("/feed", body=b"x" * 1000, drip=0.2), "feed"))
            == "timeout"
        )
        assert time.monotonic() - began < 2


def test_one_tls_context_serves_all_hosts(monkeypatch):
    transport._context.cache_clear()
    made = []
    real = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **more: made.append(1) or real(**more))
    with Fetcher(Settings(host_delay=0, timeout=1)) as fetcher:
        requests = [Request(n, f"https://127.0.0.{n}:1/", "feed") for n in range(1, 20)]
        assert len(list(fetcher.fetch_all(requests))) == 19
    assert len(made) == 1


def test_a_stuck_name_server_does_not_outlive_the_deadline(monkeypatch):
    stuck = threading.Event()
    monkeypatch.setattr(transport.socket, "getaddrinfo", lambda *_, **__: stuck.wait(20))
    with Fetcher(Settings(host_delay=0, timeout=0.5)) as fetcher:
        assert kind_of(fetcher, Request(1, "http://slow.example/", "feed")) == "timeout"
    stuck.set()
