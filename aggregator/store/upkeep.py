"""Retention and backup."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from aggregator.errors import StoreError
from aggregator.store.clock import from_text, stamp
from aggregator.store.connection import Connection
from aggregator.store.postings import Postings
from aggregator.store.sites import Sites

#: How long the index of topics remembers a story: nothing older is asked for with a window of three days.
TOPICS_KEPT = timedelta(days=8)
#: How long the index remembers a story: feeds bring some items weeks late, and its rows are some 530 bytes a story.
INDEX_KEPT = timedelta(days=60)

#: How long a page's validators are kept: it is fetched again when its feed changes the entry, which is soon or never.
PAGES_KEPT = timedelta(days=30)

#: Bytes of write-ahead log from which it is emptied between two pieces of work. SQLite itself only goes on from its
#: beginning when no reader is in it, and where readers follow each other closely there always is one.
WAL_BOUND = 32 * 1024 * 1024
#: Milliseconds that readers are waited for then; new ones wait as long. Datasette stops a query after a second.
WAL_PATIENCE = 1500


class Upkeep:
    def __init__(self, connection: Connection, postings: Postings, topics: Postings, sites: Sites) -> None:
        self._db = connection
        self._postings = postings
        self._topics = topics
        self._sites = sites

    def note(self, name: str) -> str | None:
        """A note to ourselves (`remember`), None if there is none."""
        value: str | None = self._db.value("select value from _notes where name = ?", (name,))
        return value

    def remember(self, name: str, value: str | None) -> None:
        """Keep a note across runs; None forgets it."""
        if value is None:
            self._db.execute("delete from _notes where name = ?", (name,))
        else:
            self._db.execute("insert or replace into _notes (name, value) values (?, ?)", (name, value))

    def tidy_now_and_then(self, now: datetime, *, every: float, keep_fetches: int, window: float) -> None:
        """`tidy`, unless that was done less than `every` seconds ago."""
        last = from_text(self.note("tidied_at"))
        if last is None or abs((now - last).total_seconds()) >= every:
            self.tidy(now, keep_fetches=keep_fetches, window=window)

    def tidy(self, now: datetime, *, keep_fetches: int, window: float) -> None:
        """Forget what is only needed for a while: the fetch log, index rows outside the window, one-off blocks."""
        with self._db.transaction():
            self._db.execute(
                "delete from fetches where started_at < ?", (stamp(now - timedelta(days=keep_fetches)),)
            )
            self._postings.prune((now - max(INDEX_KEPT, timedelta(seconds=2 * window))).timestamp())
            self._topics.prune((now - max(TOPICS_KEPT, timedelta(seconds=2 * window))).timestamp())
            self._sites.prune(now)
            self._db.execute("delete from _pages where fetched_at < ?", (stamp(now - PAGES_KEPT),))
            self._db.execute(
                "delete from hosts where coalesce(robots_at, '') < :week and coalesce(not_before, '') < :now",
                {"week": stamp(now - timedelta(days=7)), "now": stamp(now)},
            )
            self.remember("tidied_at", stamp(now))

    def bound_wal(self) -> bool:
        """Empty the write-ahead log if it has grown large; False if a reader that does not end is in the way."""
        try:
            size = os.stat(self._db.path + "-wal").st_size
        except OSError:
            return True
        if size <= WAL_BOUND:
            return True
        with self._db.alone():
            before = self._db.value("pragma busy_timeout")
            self._db.execute(f"pragma busy_timeout = {WAL_PATIENCE}")
            try:
                return not self._db.value("pragma wal_checkpoint(truncate)")
            finally:
                self._db.execute(f"pragma busy_timeout = {before}")

    def old_articles(self, before: datetime) -> tuple[int, int]:
        """How many articles, with how many copies, were first seen before a moment."""
        row = self._db.one(
            "select count(*) as articles, coalesce(sum(copies), 0) as copies from articles where first_seen_at < ?",
            (stamp(before),),
        )
        assert row is not None
        return row["articles"], row["copies"]

    def prune(self, before: datetime) -> tuple[int, int]:
        """Delete articles first seen before a moment, with their copies and revisions: returns how many of each.

        The entries stay, so that a feed that lists an old item again does not bring the story back.
        """
        with self._db.large_statements(), self._db.transaction():
            counts = self.old_articles(before)
            self._db.execute("delete from articles where first_seen_at < ?", (stamp(before),))
            self._sites.count_pages()
        return counts

    def backup(self, target: Path) -> int:
        """Copy the database to a new file while others write; returns its size in bytes.

        The copy is of one instant (`vacuum into`: readers and writers go on), and appears under its name only
        when it is whole and passes SQLite's own check.
        """
        if target.exists():
            raise StoreError(str(target), "there is a file already", "choose a new name, or move it away")
        if not target.parent.is_dir():
            raise StoreError(str(target), "its folder does not exist", "make it, or choose another")
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        try:
            self._db.execute("vacuum into ?", (str(part),))
            with contextlib.closing(sqlite3.connect(part)) as copy:
                verdict = copy.execute("pragma quick_check").fetchone()[0]
            if verdict != "ok":
                raise OSError(f"the copy is damaged: {verdict}")
            os.replace(part, target)
        except (OSError, sqlite3.Error, StoreError) as error:
            raise StoreError(
                str(target), f"the backup failed: {error}", "check the folder and the free space"
            ) from error
        finally:
            part.unlink(missing_ok=True)
        return target.stat().st_size
