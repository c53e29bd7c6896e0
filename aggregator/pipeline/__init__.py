"""One round: what is due -> what was stored. The only place that sees both the network and the database.

    feeds.yaml -> store.feeds.sync -> store.feeds.claim
      | fetch        threads, polite per host                       errors are values here
      | parse        items seen before are cut out of the bytes
      | identity     new, changed or the same                        pure
      | schedule     when to come again, and why                     pure
      -> store.feeds.record                                          a few feeds together, or nothing of them
      | history      older pages, on demand
    store.pending.due, .claim                 in a fixed order: published, priority, URL
      | fetch        pages; robots.txt; skipped when the feed has the full text
      | extract      in worker processes                             pure
      | doubts       walls, and pages about something else           pure, but for what is stored
      | sites        without what repeats on that site               pure
      | dedup        candidates (one SQL over shingles) -> verdict   pure
      -> store.stories                                               all of a story, or nothing of it
    -> Report

The second half begins when the first is over, or waits for slow servers, and then goes on beside it, in another thread;
with the database they take turns.

A round that is killed between two transactions has lost nothing: a feed that was not recorded is asked again, an
entry that was not stored is still pending. `feeds` is the first half, `pages` and `stories` the second.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from threading import Event
from typing import TYPE_CHECKING, Any

from aggregator.fetch import Fetcher, pace_file
from aggregator.model import Config, Failure, Progress, Report
from aggregator.parse import Parser
from aggregator.pipeline import feeds
from aggregator.pipeline import history as older
from aggregator.pipeline.memory import frugal
from aggregator.pipeline.workers import Workers
from aggregator.store import Store

if TYPE_CHECKING:
    from aggregator.pipeline.again import Reread, read_again
    from aggregator.pipeline.archive import Rejudged, fold, rejudge, restore, unfold

log = logging.getLogger("aggregator")

__all__ = ["Rejudged", "Reread", "fold", "read_again", "rejudge", "restore", "run", "unfold"]

#: Entries whose pages are fetched, extracted and judged together. Bounds the memory of a first round: a document
#: with its removed blocks is some 50 kB.
BATCH = 500
#: Fewer than so many feeds in so many seconds, and the second half of a round begins beside the first: a server that
#: hangs for 30 s held up the articles of all the others.
FEW, LULL = 3, 1.0
#: Seconds of a round that one host takes up at most: a round should end, and 600 pages of one host can wait.
PATIENCE = 600.0
#: Seconds between two tidyings of the database (fetch log, index rows outside the window).
TIDY_EVERY = 6 * 3600


@dataclass
class Tally:
    """What a round has done so far; becomes its `Report`."""

    feeds_asked: int = 0
    feeds_not_modified: int = 0
    entries_new: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # of Saved.kind
    pages_failed: int = 0
    older_pages: int = 0
    reading: int = 0  # long feeds that are being read just now
    failures: list[Failure] = field(default_factory=list)
    bugs: list[Exception] = field(default_factory=list)

    def report(self, seconds: float) -> Report:
        failed = len(
            {failure.feed for failure in self.failures}
        )  # once, though an older page of it failed too
        return Report(
            feeds_ok=self.feeds_asked - failed,
            feeds_failed=failed,
            feeds_not_modified=self.feeds_not_modified,
            entries_new=self.entries_new,
            articles_new=self.kinds["article"],
            articles_revised=self.kinds["revised"] + self.kinds["better_copy"],
            duplicates=self.kinds["duplicate"] + self.kinds["better_copy"],
            pages_failed=self.pages_failed,
            failures=tuple(self.failures),
            seconds=round(seconds, 3),
            older_pages=self.older_pages,
        )


def run(
    config: Config,
    store: Store,
    *,
    urls: Sequence[str] | None = None,
    limit: int | None = None,
    page_seconds: float | None = None,
    history: int = 0,
    progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """One round over the due feeds, or over the feeds `urls` (as written in feeds.yaml) whether due or not;
    at most `limit` of them. After `page_seconds` of visiting pages the rest is left to the next round. `history`: read
    so many older pages of each of the feeds `urls`, too (RFC 5005).

    `progress` is told of every feed and page that is done. When `stop` is set the round ends soon: what is being
    downloaded is dropped, what is claimed is given back. Feed errors are in the report. Raises `StoreError` when the
    database cannot be used, and an ExceptionGroup of the bugs that single feeds and stories ran into, when all the
    others are stored.
    """
    frugal()
    started, tally = time.monotonic(), Tally()
    stop, progress = stop or Event(), progress or (lambda _: None)

    def ask() -> None:
        feeds.fetch_round(config, by_url, store, fetcher, parser, tally, progress, stop, clock, urls, limit)
        if history and urls:
            older.read(history, by_url, urls, store, fetcher, parser, tally, progress, stop, clock)

    def is_over(until: float) -> bool:
        return stop.is_set() or time.monotonic() >= until

    def store_waiting(until: float) -> None:
        for waiting in _waiting(store, clock):
            if is_over(until):
                break
            # 0.3 s and 20 MB (numpy, BeautifulSoup), which a round without news does not need.
            from aggregator.pipeline import pages, stories

            batch = store.pending.claim(waiting, clock())
            try:
                ready = pages.read(batch, config, store, fetcher, workers, tally, progress, stop, clock)
                stories.store_all(ready, config, store, tally, clock)
            finally:
                store.pending.release(item.entry_id for item in batch)
            store.upkeep.bound_wal()

    store.feeds.sync(config.feeds, clock())
    by_url = {feed.url: feed for feed in config.feeds}
    with (
        Fetcher(config.settings, store.feeds.hosts(), pace_file(store.path), PATIENCE) as fetcher,
        contextlib.closing(Parser()) as parser,
        Workers(config.settings) as workers,
        _stopping(fetcher, stop),
        _in_thread(ask, fetcher.stop) as asked,
    ):
        try:
            _wait_while_many_come(asked, tally)
            until = time.monotonic() + page_seconds if page_seconds is not None else float("inf")
            over = False
            while not over:
                if over := asked.done():
                    asked.result()
                if not is_over(until):  # else what waits would be put in order every second
                    store_waiting(until)
                wait((asked,), LULL)
        finally:
            store.feeds.save_hosts(fetcher.host_states())
    store.upkeep.tidy_now_and_then(
        clock(), every=TIDY_EVERY, keep_fetches=config.settings.keep_fetches, window=config.settings.window
    )
    if not store.upkeep.bound_wal():
        log.warning(
            "another program has been reading the database for long: %s-wal cannot shrink", store.path
        )
    if tally.bugs:
        raise ExceptionGroup("bugs of ours; the round went on without what ran into them", tally.bugs)
    return tally.report(time.monotonic() - started)


def _waiting(store: Store, clock: Callable[[], datetime]) -> Iterator[list[int]]:
    """The numbers of the entries that wait, `BATCH` at a time, until none is left. What a batch leaves waiting comes
    again, behind the others."""
    while due := store.pending.due(clock()):
        for start in range(0, len(due), BATCH):
            yield due[start : start + BATCH]


@contextlib.contextmanager
def _in_thread(work: Callable[[], None], stop: Callable[[], None]) -> Iterator[Future[None]]:
    """`work` going on in a thread beside what is in here, and ended by `stop` when that fails."""
    with ThreadPoolExecutor(1, "feeds") as thread:
        try:
            yield thread.submit(work)
        except BaseException:
            stop()
            raise


def _wait_while_many_come(asked: Future[None], tally: Tally) -> None:
    """Wait until it is over, or feeds come one by one: while many come, two threads would hinder each other, and while
    long ones are read, both would take memory."""
    before = -FEW
    while not asked.done() and (tally.reading or tally.feeds_asked >= before + FEW):
        before = tally.feeds_asked
        wait((asked,), LULL)


@contextlib.contextmanager
def _stopping(fetcher: Fetcher, stop: Event) -> Iterator[None]:
    """While in here, setting `stop` cuts the fetcher's downloads short."""
    over = Event()

    def watch() -> None:
        while not over.wait(0.2):
            if stop.is_set():
                fetcher.stop()
                return

    watcher = threading.Thread(target=watch, name="stop watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def __getattr__(name: str) -> Any:
    """What is no part of a round is imported when it is asked for: with it come numpy and BeautifulSoup."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "again" if name in ("Reread", "read_again") else "archive"
    return getattr(import_module(f"{__name__}.{home}"), name)
