"""Settings.resolve: a host name is connected to where we were told, and everything else stays as it was."""

import pytest
from server import HTML

from aggregator.errors import FetchError
from aggregator.fetch import Fetcher
from aggregator.model import Request, Settings


def fetch(server, url, kind="page"):
    settings = Settings(host_delay=0, timeout=5, resolve={"paper.example": ("127.0.0.1", server.port)})
    with Fetcher(settings) as fetcher:
        return fetcher.fetch(Request(1, url, kind))


def test_a_page_is_asked_for_where_we_were_told(server):
    server.answer("/story", body="<p>News", type=HTML)
    response = fetch(server, "http://paper.example/story")
    assert (response.body, response.final_url) == (b"<p>News", "http://paper.example/story")


def test_the_server_is_asked_by_its_name_without_the_port(server):
    server.answer("/story", body="<p>News", type=HTML)
    fetch(server, "http://paper.example/story")
    assert {seen.headers["host"] for seen in server.log} == {"paper.example"}


def test_a_redirect_from_there_into_a_private_network_is_not_followed(server):
    server.answer("/story", status=302, headers={"Location": server.url("/secret")})
    server.answer("/secret", body="<p>Secret", type=HTML)
    with pytest.raises(FetchError) as caught:
        fetch(server, "http://paper.example/story", "feed")
    assert caught.value.kind == "not_public"
    assert "/secret" not in {seen.path for seen in server.log}


def test_other_names_are_still_asked_of_dns(server):
    with pytest.raises(FetchError) as caught:
        fetch(server, "http://other.invalid/story", "feed")
    assert caught.value.kind == "dns"
