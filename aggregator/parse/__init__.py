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

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

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
LARGE = 500_000  # bytes of a document from which even preparing it, at worst 0.3 s a MB, is left to a worker
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
        self._processes = processes
        self._threads: ThreadPoolExecutor | None = None  # one for each process: it waits for the answer
        self._workers: list[Worker] = []  # those that have nothing to do
        self._busy: set[Worker] = set()
        self._closing = False

    def __enter__(self) -> Parser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; what they are reading is given up. The parser can still be used: they start again."""
        self._closing = True
        for worker in tuple(self._busy):
            worker.kill()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
        while self._workers:
            self._workers.pop().close()
        self._closing = False

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
        return self.begin(body, url, content_type, seen, now=now).result()

    def begin(
        self,
        body: bytes,
        url: str,
        content_type: str | None = None,
        seen: frozenset[str] = frozenset(),
        *,
        now: datetime | None = None,
    ) -> Future[ParsedFeed]:
        """`parse` that does not wait for a long document: what is short is done when this returns."""
        given = _Given(body, url, content_type, seen, now or datetime.now(UTC))
        done: Future[ParsedFeed] = Future()
        try:
            first = _here_or_aside(given, NORMAL)
        except Exception as error:
            done.set_exception(error)
            return done
        if isinstance(first, ParsedFeed):
            done.set_result(first)
            return done
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._processes, "parse")
        return self._threads.submit(self._aside, first, given)

    def _aside(self, first: _Aside, given: _Given) -> ParsedFeed:
        try:
            return self._in_worker(CPU_SECONDS, *first)
        except WorkerDied as death:
            why = f"reading the feed took too much time or memory ({death})"
        try:
            second = _here_or_aside(given, LEAN)
            feed = second if isinstance(second, ParsedFeed) else self._in_worker(LEAN_CPU_SECONDS, *second)
        except WorkerDied:
            raise ParseError(given.url, "parse_limit", why) from None
        return replace(
            feed, problem="; ".join(filter(None, (f"{why}: it was read without long texts", feed.problem)))
        )

    def _in_worker(self, seconds: float, task: Task, args: tuple[object, ...]) -> ParsedFeed:
        if self._closing:
            raise WorkerDied("the round was stopped")
        try:
            worker = self._workers.pop()
        except IndexError:
            worker = Worker()
        self._busy.add(worker)
        try:
            return worker.run(seconds, task, *args)
        finally:
            self._busy.discard(worker)
            if worker.alive:
                self._workers.append(worker)


class _Given(NamedTuple):
    """A document to read, as the caller gave it."""

    body: bytes
    url: str
    content_type: str | None
    seen: frozenset[str]
    now: datetime


_Aside = tuple[Task, tuple[object, ...]]  # what a worker is to do


def _here_or_aside(given: _Given, limits: Limits) -> ParsedFeed | _Aside:
    """A small document, read; what is left to do for a larger one."""
    body, url, _, seen, now = given
    is_json = jsonfeed.looks_like_json(body)
    if len(body) > LARGE or (len(body) > SMALL and is_json):
        return _parse, (*given, limits)
    if is_json:
        return jsonfeed.read(body, url, seen, now, limits)
    document = prepare(body, given.content_type, seen, limits)
    if len(document.data) <= SMALL or document.is_html:
        return _read(document, url, now)
    return _read, (document, url, now)
