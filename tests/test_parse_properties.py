"""Whatever the bytes are: a feed or a ParseError, and cutting changes nothing else."""

import contextlib
import io

import feedparser
from hypothesis import given, settings
from hypothesis import strategies as st
from made_feeds import URL, atom, numbered, rdf, rss

from aggregator.errors import ParseError
from aggregator.parse import discover, parse

FEEDS = (
    rss(*numbered(3)),
    atom(*(f"<entry><id>{n}</id><title type='html'>S &amp;amp; {n}</title></entry>" for n in range(3))),
    rdf("<item rdf:about='https://news.example/1'><title><![CDATA[A <b>bold</b> one]]></title></item>"),
    b'{"version":"https://jsonfeed.org/version/1","title":"J","items":[{"id":"1","content_text":"x"}]}',
)
PIECES = (
    b"<item>", b"</item>", b"<entry>", b"</entry>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&", b"&#xD800;", b"<",
    b"&#99999999999;", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"</rss>", b"</channel>", b"</feed>", b'"', b"'",
    b"<content type='xhtml'>", b"<image>", b"<item/>", b"\x1b$B", b"<!DOCTYPE x>", b"<?xml version='1.0'?>", b"null",
)  # fmt: skip


@st.composite
def mutated(draw, feeds=FEEDS):
    """A feed with a few bytes changed, cut out, doubled or put in."""
    body = draw(st.sampled_from(feeds))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(body)))
        to = min(len(body), at + draw(st.integers(0, 60)))
        new = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4), st.just(body[at:to] * 2)))
        body = body[:at] + new + body[to:]
    return body


@given(
    st.one_of(mutated(), st.binary(max_size=200)),
    st.sampled_from([None, "", "text/xml", "application/json", "x;y=z"]),
)
@settings(deadline=None, max_examples=300)
def test_nothing_but_a_parse_error_is_raised(body, content_type):
    with contextlib.suppress(ParseError):
        found = parse(body, URL, content_type)
        assert all(one.url is None or one.url.startswith("http") for one in found.entries)


@given(mutated(FEEDS[:3]))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_a_document_that_is_not_truncated_gives_as_many_entries_as_feedparser_alone(body):
    try:
        entries = feedparser.parse(io.BytesIO(body)).entries
        alone = sum("id" in one or "title" in one for one in entries)
    except Exception:  # that feedparser raises is why the bytes are scrubbed first
        return
    try:
        found = parse(body, URL)
    except ParseError:
        assert alone == 0
    else:
        assert len(found.entries) >= alone or not found.complete


@given(
    st.sets(st.integers(0, 9)),
    st.sampled_from([rss(*numbered(10)), rss(*numbered(10)).decode().encode("utf-16")]),
)
@settings(deadline=None, max_examples=40)
def test_what_is_left_of_a_cut_document_reads_as_it_did_in_the_whole(kept, body):
    whole = parse(body, URL).entries
    seen = frozenset(one.raw_hash for n, one in enumerate(whole) if n not in kept)
    assert parse(body, URL, seen=seen).entries == tuple(one for n, one in enumerate(whole) if n in kept)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_looking_for_feeds_never_fails(page):
    assert isinstance(
        discover(b"<link rel=alternate type=application/rss+xml href=" + page + b">", URL), list
    )
