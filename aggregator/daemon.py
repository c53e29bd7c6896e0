"""A clock: every second, ask the database who is due, and run a round for them. Nothing is kept in memory.

One APScheduler job for all feeds, not one a feed: 10,000 feeds start in 0.03 s instead of 0.9 s, and the due times
survive a restart because the database has them. SIGTERM and SIGINT end the running round soon; SIGHUP, or a change
of feeds.yaml, reads the file again. An error of the database is waited out; a bug is logged and survived.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator import config as configuration
from aggregator.errors import AggregatorError, ConfigError, StoreError, UpgradedError, without_password
from aggregator.model import Config, Progress, Report
from aggregator.store import WRONG_CLOCK, Store

log = logging.getLogger("aggregator")

TICK = 1.0  # seconds
#: Seconds to wait after a round that the database, or a bug, broke off; doubled each time, up to the longest.
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0
#: Seconds after which a round leaves the rest of its pages to the next one, so that feeds are asked in between.
PAGE_SECONDS = 60.0
#: Seconds without a feed or page done after which systemd is no longer told that we live (its watchdog restarts us).
HUNG = 900.0


class Daemon:
    """Rounds for ever, until `stop`. Raises ConfigError or StoreError only from its start, and UpgradedError."""

    def __init__(
        self, feeds: Path, database: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ):
        self._feeds, self._database, self._clock = feeds, database, clock
        self._seen_clock = clock()
        self._config: Config = configuration.load(feeds)
        self._read_at = _modified(feeds)
        self._stop, self._reload = threading.Event(), threading.Event()
        self._wait, self._not_before, self._moved_at = FIRST_WAIT, 0.0, time.monotonic()
        self._synced = False
        self._upgraded: UpgradedError | None = None

    def run(self) -> None:
        """Work until a signal or `stop`. Call from the main thread to have signals handled."""
        with self._signals(), _only_one(self._database), Store(self._database) as store:
            self._sync(store)
            logging.getLogger("apscheduler").setLevel(logging.ERROR)  # "skipped: still running" is no news
            scheduler = BackgroundScheduler(timezone=UTC)
            scheduler.add_job(
                self.tick,
                "interval",
                args=[store],
                seconds=TICK,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
            scheduler.add_listener(lambda event: self._survive(event.exception), EVENT_JOB_ERROR)
            feeds = _count(len(self._config.feeds), "feed")
            log.info("watching %s of %s into %s", feeds, self._feeds, self._database)
            notify(f"READY=1\nSTATUS={feeds}")
            scheduler.start()
            while not self._stop.wait(TICK):
                if time.monotonic() - self._moved_at < HUNG:
                    notify("WATCHDOG=1")
            notify("STOPPING=1")
            log.info("stopping: the running round ends, nothing is lost")
            scheduler.shutdown(wait=True)
        if self._upgraded is not None:
            raise self._upgraded
        log.info("stopped")

    def stop(self) -> None:
        """End soon: what is being downloaded is dropped, what is claimed is given back."""
        self._stop.set()

    def tick(self, store: Store) -> Report | None:
        """One look at the clock: a round if anything is due. Returns its report."""
        self._moved_at = time.monotonic()
        if self._reload.is_set() or _modified(self._feeds) != self._read_at:
            self._read_again(store)
        if self._clock() < self._seen_clock - WRONG_CLOCK:
            log.warning("the clock went back by more than an hour: feeds asked 'in the future' are due")
            store.feeds.sync(self._config.feeds, self._clock())
        self._seen_clock = self._clock()
        if self._stop.is_set() or time.monotonic() < self._not_before:
            return None
        if not self._synced and not self._sync(store):
            return None
        now = self._clock()
        try:
            if not store.feeds.due_count(now) and not store.pending.count(now):
                return None
            from aggregator import pipeline  # 0.1 s and 6 MB, which waiting does not need

            report = pipeline.run(
                self._config,
                store,
                page_seconds=PAGE_SECONDS,
                progress=self._moved,
                stop=self._stop,
                clock=self._clock,
            )
        except StoreError as error:
            self._survive(error)
            return None
        self._wait = FIRST_WAIT
        if not (report.feeds_ok or report.failures or report.articles_new or report.duplicates):
            self._not_before = time.monotonic() + FIRST_WAIT  # another process has what is due
        self._tell(report)
        return report

    def _sync(self, store: Store) -> bool:
        """Make the database follow feeds.yaml; a disk that is full, or a lock, when we start is waited out too."""
        try:
            store.feeds.sync(self._config.feeds, self._clock())
            self._synced = True
        except StoreError as error:
            self._survive(error)
        return self._synced

    def _moved(self, _: Progress) -> None:
        self._moved_at = time.monotonic()

    def _tell(self, report: Report) -> None:
        for failure in report.failures:
            shown = without_password(failure.feed)
            named = {"feed": shown, "kind": failure.kind}
            log.warning("%s: %s (%s)", shown, failure.message, failure.kind, extra={"fields": named})
        line = (
            f"{_count(report.feeds_ok + report.feeds_failed, 'feed')}: {report.feeds_failed} failed,"
            f" {report.feeds_not_modified} not modified; {_count(report.entries_new, 'new entry', 'new entries')}:"
            f" {_count(report.articles_new, 'article')}, {_count(report.duplicates, 'copy', 'copies')} folded away,"
            f" {report.articles_revised} revised; {report.seconds:.1f} s"
        )
        figures = {n: v for n, v in dataclasses.asdict(report).items() if n != "failures"}
        level = logging.INFO if report.entries_new or report.failures else logging.DEBUG
        log.log(level, line, extra={"fields": figures})
        notify(f"STATUS={line}")

    def _read_again(self, store: Store) -> None:
        self._reload.clear()
        self._read_at = _modified(self._feeds)
        try:
            self._config = configuration.load(self._feeds)
            store.feeds.sync(self._config.feeds, self._clock())
            log.info("read %s again: %s", self._feeds, _count(len(self._config.feeds), "feed"))
        except ConfigError as error:
            for line in str(error).splitlines():
                log.error("%s", line)
            log.error("%s is left as it was read before", self._feeds)

    def _survive(self, error: BaseException) -> None:
        """Wait before the next round; a bug is logged with its trace."""
        if isinstance(error, UpgradedError):
            self._upgraded = error
            self.stop()
            return
        known = isinstance(error, AggregatorError)
        log.error("%s; trying again in %.0f s", error, self._wait, exc_info=None if known else error)
        self._not_before = time.monotonic() + self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(number: int, frame: FrameType | None) -> None:
            self._stop.set()

        def again(number: int, frame: FrameType | None) -> None:
            self._reload.set()

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, again)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _only_one(database: Path) -> Iterator[None]:
    """One daemon a database; the kernel frees the lock when the process ends, however it ends."""
    path = database.with_name(database.name + ".daemon")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise StoreError(
            str(path), f"cannot be written: {error.strerror}", "make the folder writable"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise StoreError(
                str(database),
                f"a daemon (process {file.read().strip() or '?'}) works on it already",
                "stop that one first; 'aggregator fetch' may run beside it",
            ) from None
        with contextlib.suppress(OSError):  # a full disk: the lock is what counts
            os.truncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield


def notify(message: str) -> None:
    """Tell systemd (sd_notify(3)); does nothing outside of it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify_socket:
        notify_socket.connect("\0" + address[1:] if address.startswith("@") else address)
        notify_socket.send(message.encode())


def _count(number: int, one: str, many: str | None = None) -> str:
    """`1 feed`, `2 feeds`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
