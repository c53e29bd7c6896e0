"""Bytes -> feed and entries: RSS 0.9x-2.0, RDF, Atom and JSON Feed.

    body | prepare (scrub, cut what was seen, cap) | feedparser, or our own JSON Feed reader | ParsedFeed

Requirements: nothing raises but ParseError; never fewer entries than feedparser alone; a hostile document costs
at most 3 s of CPU and 64 MB; a poll that brings one new entry costs as much as one entry.

Theory of operation: an item whose bytes were seen before needs no reading, so its bytes are cut out of the
document (feedparser takes 350-1,000 us per entry, cutting 15). What feedparser is known to raise on or to be
quadratic in is scrubbed and capped. For what is not known yet, `Parser` reads all but small documents in a
process that can be killed.

Known exceptions: of a document that ends in the middle, the entry that is cut in half is left for the next fetch;
so is what is over 1,000 new entries, and both are said aloud and keep the validators from being stored.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

from aggregator.errors import ParseError
from aggregator.model import ParsedFeed

from . import jsonfeed
from .discovery import discover
from .prepare import LEAN, NORMAL, Limits, Prepared, prepare
from .worker import Task, Worker, WorkerDied

__all__ = ["Parser", "discover", "parse"]

#: Bytes left after cutting and capping up to which a document is read in the caller's process: the worst of 55
#: shapes of nonsense takes 0.11 s at this size. A feed of 20 summaries has 11 kB, a new entry with its text 3 kB.
SMALL = 32_000
LARGE = 2_000_000  # bytes of a document from which even preparing it is left to a worker
CPU_SECONDS = 1.8  # of a document in a worker
LEAN_CPU_SECONDS = 0.7  # of the second try, without long texts


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
    `seen` are raw hashes of items that need not be read again: they are missing from `entries` and present in
    `seen_hashes`. Dates more than two days after `now` are not believed.

    Raises ParseError, and nothing else: not_a_feed, broken_feed.
    """
    return _parse(body, url, content_type, seen, now or datetime.now(UTC), NORMAL)


def _parse(
    body: bytes, url: str, content_type: str | None, seen: frozenset[str], now: datetime, limits: Limits
) -> ParsedFeed:
    if jsonfeed.looks_like_json(body):
        return jsonfeed.read(body, url, seen, now, limits)
    return _read(prepare(body, content_type, seen, limits), url, now)


def _read(document: Prepared, url: str, now: datetime) -> ParsedFeed:
    from . import syndication  # feedparser takes 0.17 s to import, which a round of 304s need not wait for

    return syndication.read(document, url, now)


class Parser:
    """`parse`, with the reading of all but small documents in processes that can be killed.

    Safe to share among threads: as many documents are read at a time as there are `processes`. They start when
    they are first needed. Use it as a context manager, or call `close`.
    """

    def __init__(self, processes: int = 1) -> None:
        self._free = threading.Semaphore(processes)
        self._workers: list[Worker] = []

    def __enter__(self) -> Parser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes. The parser can still be used: they start again."""
        while self._workers:
            self._workers.pop().close()

    def parse(
        self,
        body: bytes,
        url: str,
        content_type: str | None = None,
        seen: frozenset[str] = frozenset(),
        *,
        now: datetime | None = None,
    ) -> ParsedFeed:
        """As `parse` the function; a document that takes too much time or memory raises ParseError parse_limit.

        Before that it is tried again without its long texts, and with its first entries only.
        """
        now = now or datetime.now(UTC)
        try:
            return self._read(body, url, content_type, seen, now, NORMAL, CPU_SECONDS)
        except WorkerDied as death:
            why = f"reading the feed took too much time or memory ({death})"
        try:
            feed = self._read(body, url, content_type, seen, now, LEAN, LEAN_CPU_SECONDS)
        except WorkerDied:
            raise ParseError(url, "parse_limit", why) from None
        return replace(
            feed, problem="; ".join(filter(None, (f"{why}: it was read without long texts", feed.problem)))
        )

    def _read(
        self,
        body: bytes,
        url: str,
        content_type: str | None,
        seen: frozenset[str],
        now: datetime,
        limits: Limits,
        seconds: float,
    ) -> ParsedFeed:
        if len(body) > LARGE or (len(body) > SMALL and jsonfeed.looks_like_json(body)):
            return self._in_worker(seconds, _parse, body, url, content_type, seen, now, limits)
        if jsonfeed.looks_like_json(body):
            return jsonfeed.read(body, url, seen, now, limits)
        document = prepare(body, content_type, seen, limits)
        if len(document.data) <= SMALL or document.is_html:
            return _read(document, url, now)
        return self._in_worker(seconds, _read, document, url, now)

    def _in_worker(self, seconds: float, task: Task, *args: object) -> ParsedFeed:
        with self._free:
            try:
                worker = self._workers.pop()
            except IndexError:
                worker = Worker()
            try:
                return worker.run(seconds, task, *args)
            finally:
                if worker.alive:
                    self._workers.append(worker)
