"""Every hostile and every policy path of the feed farm, through fetch and parse: each ends as the farm says it should.

The farm is not part of this repository; where it is missing these tests are skipped. The same behaviours are tested
one by one against our own server in test_fetch*.py and test_parse*.py.
"""

import json
import re
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from server import refused_port

from aggregator import pipeline, schema
from aggregator.errors import FetchError, ParseError
from aggregator.fetch import Fetcher
from aggregator.model import Config, Feed, Request, Settings
from aggregator.parse import Parser
from aggregator.store import Store

FARM = Path(__file__).parents[2] / "shared" / "tools" / "feedfarm.py"
TIMEOUT = 2.0  # seconds; as promised it is 30

pytestmark = pytest.mark.skipif(not FARM.exists(), reason="the feed farm is not here")

#: Path -> error class. Every other path has to give entries.
FAILS = {
    **dict.fromkeys(("hang", "drip-headers", "drip-body", "tls-mismatch"), "timeout"),
    **dict.fromkeys(("huge", "huge-declared", "gzip-bomb"), "too_big"),
    **dict.fromkeys(("gzip-bomb-nested", "gzip-chain", "gzip-lie", "unknown-coding"), "bad_encoding"),
    **dict.fromkeys(("gzip-truncated", "reset-early", "reset-mid", "short-body"), "incomplete"),
    **dict.fromkeys(("bad-status-line", "bad-chunk", "header-bomb", "long-header"), "bad_http"),
    **dict.fromkeys(("r-loop", "r-self", "r-endless", "r-none"), "redirect"),
    **dict.fromkeys(("r-metadata", "r-loopback", "r-localhost", "r-decimal-ip", "r-hex-ip"), "not_public"),
    **dict.fromkeys(("r-octal-ip", "r-zero-ip", "r-v6-mapped", "r-private-10"), "not_public"),
    **dict.fromkeys(("r-userinfo", "r-file", "r-ftp", "r-gopher", "r-data", "r-javascript"), "bad_url"),
    **dict.fromkeys(("s429", "s429-date", "s429-bare", "s429-silly", "s429-negative"), "rate_limited"),
    **dict.fromkeys(("s503", "s500", "flaky"), "server_error"),
    **dict.fromkeys(("s204", "s304-unasked"), "unexpected_status"),
    **dict.fromkeys(("r301-to-html", "s200-html-error", "s200-html-xml-type", "s200-empty"), "not_a_feed"),
    **dict.fromkeys(("s200-json-error", "xml-binary", "xml-plain-text", "html-with-feed-link"), "not_a_feed"),
    "r301-to-404": "not_found",
    "s404": "not_found",
    "s410": "gone",
    "s401": "unauthorized",
    "s403-challenge": "blocked",
    "s418": "client_error",
    "json-truncated": "broken_feed",
}
EMPTY = {"xml-no-channel", "xml-empty-feed"}
#: Path -> what the unbroken prefix of permanent redirects leads to.
PERMANENT = {"r301": "_moved", "r308": "_moved", "r301-r302": "r302", "r301-chain": "_hop-0"}


def names():
    if not FARM.exists():
        return []
    printed = subprocess.run(
        [sys.executable, FARM, "list", "--format", "hostile"], capture_output=True, text=True
    )
    return [line.split("\t")[0].split("/", 3)[3] for line in printed.stdout.splitlines()]


@pytest.fixture(scope="module")
def farm():
    """A farm in a process of its own, whose work is not counted as ours; checks in the end that no canary was hit."""
    port, canaries = refused_port(), refused_port()
    command = (
        f"serve --port {port} --feeds 5 --canary-port {canaries} --huge-mb 64 --bomb-mb 64 --max-hang 20"
    )
    with subprocess.Popen([sys.executable, FARM, *command.split()], stderr=subprocess.PIPE) as process:
        process.stderr.readline()
        yield f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_control/state") as state:
            assert json.load(state)["canary_hits"] == 0
        process.kill()


@pytest.fixture(scope="module")
def parser():
    with Parser() as running:
        yield running


@pytest.mark.parametrize("name", names())
def test_it_ends_as_it_should(farm, parser, name):
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    short = name.split("/")[1]
    ended, message, feed, permanent = "", "", None, None
    with Fetcher(Settings(host_delay=0, timeout=TIMEOUT)) as fetcher:
        try:
            response = fetcher.fetch(Request(1, f"{farm}/{name}", "feed"))
            permanent = response.permanent_url
            feed = parser.parse(response.body, response.final_url, response.headers.get("content-type"))
        except (FetchError, ParseError) as error:
            ended, message = error.kind, error.message
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert ended == FAILS.get(short, "")
    assert message.isprintable()
    assert bool(feed and feed.entries) == (short not in EMPTY and not ended)
    if not ended:
        assert permanent == (f"{farm}/hostile/{PERMANENT[short]}" if short in PERMANENT else None)
    assert time.monotonic() - began < TIMEOUT + 5
    assert after.ru_utime - before.ru_utime < 3
    assert after.ru_maxrss - before.ru_maxrss < 64_000


#: Paths whose entries try to be more than text.
ACTIVE = (
    "m-html",
    "m-title",
    "m-feed-title",
    "m-links",
    "m-sql",
    "m-fts",
    "m-formula",
    "m-terminal",
    "m-path",
)
#: Control characters but line ends and tabs, and what turns the direction of text.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def stored(farm, tmp_path_factory):
    """The database after a round over what tries to be more than text."""
    path = tmp_path_factory.mktemp("stored") / "news.db"
    feeds = tuple(Feed(f"{farm}/hostile/{name}", full_text=False) for name in ACTIVE)
    with Store(path) as store:
        for some in (
            feeds[:1],
            feeds,
        ):  # several have the links of m-html: the first to list a page is its feed
            assert pipeline.run(Config(some, Settings(host_delay=0)), store).feeds_failed == 0
        yield store.connection


def texts(database):
    """Every text in every table that a user sees, with the column it stands in."""
    for table in schema.COLUMNS:
        for row in database.rows(f"select * from {table}"):
            yield from ((f"{table}.{k}", v) for k, v in dict(row).items() if isinstance(v, str))


def test_every_link_that_is_stored_is_a_web_address(stored):
    links = [
        (column, text)
        for column, text in texts(stored)
        if column.split(".")[1] in ("url", "image", "site_url", "fetch_url")
    ]
    assert len(links) > 20
    assert [link for link in links if not link[1].startswith(("http://", "https://"))] == []


def test_no_markup_of_a_description_is_stored(stored):
    bodies = stored.rows(
        "select a.text from articles a join feeds f on f.id = a.feed_id where f.url like '%/m-html'"
    )
    assert len(bodies) > 10
    assert [
        row["text"] for row in bodies if re.search(r"<[a-z/!]|javascript:|on\w+=", row["text"], re.I)
    ] == []


def test_nothing_that_a_terminal_obeys_is_stored(stored):
    assert [(column, text) for column, text in texts(stored) if UNPRINTABLE.search(text)] == []
