"""Bytes -> feed and entries: RSS 0.9x-2.0, RDF, Atom and JSON Feed.

    body | prepare (scrub, cut what was seen, cap) | feedparser, or our own JSON Feed reader | ParsedFeed

Requirements: nothing raises but ParseError; never fewer entries than feedparser alone; a hostile document costs
at most 3 s of CPU and 64 MB; a poll that brings one new entry costs as much as one entry.

Theory of operation: an item whose bytes were seen before needs no reading, so its bytes are cut out of the document
(feedparser takes 350-1,000 us per entry, cutting 2). What feedparser is known to raise on or to be quadratic in is
scrubbed and capped. For what is not known yet, `Parser` reads all but small documents in a process that can be killed.

Known exception: of a document that ends in the middle, the entry that is cut in half is left for the next fetch.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aggregator.errors import ParseError
from aggregator.model import ParsedFeed

from . import jsonfeed
from .discovery import discover, what_came
from .prepare import Prepared, prepare

__all__ = ["Parser", "discover", "parse"]


def parse(
    body: bytes,
    url: str,
    content_type: str | None = None,
    seen: frozenset[str] = frozenset(),
    *,
    now: datetime | None = None,
) -> ParsedFeed:
    """Read a feed document.

    `url` is where it came from, after redirects: links are resolved against it. `content_type` is the HTTP header.
    `seen` are raw hashes of items that need not be read again; they are missing from `entries` and present in
    `seen_hashes`. `now` decides which dates are in the future.

    Raises ParseError, and nothing else: not_a_feed, broken_feed, parse_limit.
    """
    now = now or datetime.now(UTC)
    if jsonfeed.looks_like_json(body):
        return jsonfeed.read(body, url, seen, now)
    return read(prepare(body, content_type, seen), body, url, now)


def read(document: Prepared, body: bytes, url: str, now: datetime) -> ParsedFeed:
    from . import syndication  # feedparser takes 0.17 s to import, which most commands need not wait for

    try:
        return syndication.read(document, url, now)
    except ParseError as error:
        if error.kind == "not_a_feed":
            raise ParseError(url, "not_a_feed", what_came(body, url)) from None
        raise


class Parser:
    """`parse`, with the reading of large documents in processes that can be killed. Safe to share among threads."""

    def __init__(self, processes: int = 1) -> None:
        self.processes = processes

    def parse(
        self,
        body: bytes,
        url: str,
        content_type: str | None = None,
        seen: frozenset[str] = frozenset(),
        *,
        now: datetime | None = None,
    ) -> ParsedFeed:
        return parse(body, url, content_type, seen, now=now)

    def close(self) -> None:
        pass

    def __enter__(self) -> Parser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
