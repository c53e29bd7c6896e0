"""The disk, the database and the clock fail: each is said clearly, loses nothing, and passes without a hand."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import test_pipeline
from server import HTML
from test_pipeline import OTHER, SENTENCES, item, page, rss

from aggregator import daemon, pipeline
from aggregator.errors import StoreError
from aggregator.model import Config, Feed, Settings
from aggregator.store import Store, upkeep

rounds = test_pipeline.rounds  # the fixture: a feed with one entry and its page
MB = 1024 * 1024


class Ticking:
    """A daemon whose ticks the test makes; its clock and its patience are the test's too."""

    def __init__(self, rounds, monkeypatch):
        monkeypatch.setattr(daemon, "FIRST_WAIT", 0.0)
        rounds.feeds_yaml = rounds.path.with_name("feeds.yaml")
        rounds.feeds_yaml.write_text(f"host_delay: 0s\nfeeds:\n  - {rounds.feeds[0].url}\n")
        self.daemon = daemon.Daemon(rounds.feeds_yaml, rounds.path, clock=lambda: rounds.now)
        self.store = Store(rounds.path, timeout=0.3)
        self.store.feeds.sync([Feed(rounds.feeds[0].url)], rounds.now)

    def articles(self):
        return self.store.connection.value("select count(*) from articles")


@pytest.fixture
def ticking(rounds, monkeypatch):
    ready = Ticking(rounds, monkeypatch)
    with contextlib.closing(ready.store):
        yield ready


# --------------------------------------------------------------------------- the database is locked


def test_a_database_that_is_locked_for_longer_than_we_wait_is_said_and_got_over(ticking, rounds, caplog):
    with contextlib.closing(sqlite3.connect(rounds.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        assert ticking.daemon.tick(ticking.store) is None
        assert "another program holds the database" in caplog.text
        other.execute("rollback")
    assert ticking.daemon.tick(ticking.store).articles_new == 1


def test_a_lock_in_the_middle_of_a_round_loses_nothing(ticking, rounds):
    other = sqlite3.connect(rounds.path, isolation_level=None, check_same_thread=False)

    def lock(_):
        other.execute("begin immediate")
        return rounds.server._script["/1.html"][-1]

    script = rounds.server._script["/1.html"]
    rounds.server.answer("/1.html", lock, script[0])
    assert ticking.daemon.tick(ticking.store) is None
    other.execute("rollback")
    other.close()
    assert ticking.daemon.tick(ticking.store) is not None
    assert ticking.articles() == 1
    assert len(rounds.server.seen("/feed")) == 1


# -------------------------------------------------------------------------------- the disk is full


def test_a_full_disk_is_said_and_got_over(ticking, rounds, caplog):
    full = ticking.store.connection.value("pragma page_count")
    ticking.store.connection.execute(f"pragma max_page_count = {full}")
    rounds.server.answer("/1.html", body=page("Ferry", SENTENCES * 200), type=HTML)
    assert ticking.daemon.tick(ticking.store) is None
    assert "the disk is full" in caplog.text
    assert "nothing that was stored is lost" in caplog.text
    ticking.store.connection.execute("pragma max_page_count = 1000000")
    assert ticking.daemon.tick(ticking.store) is not None
    assert ticking.articles() == 1
    assert ticking.store.connection.value("pragma integrity_check") == "ok"


# --------------------------------------------------------------------------- the folder is read-only


OPEN = """
import os, sys
import sqlite_utils
from aggregator.errors import StoreError
from aggregator.store import Store
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)  # root may write anywhere
try:
    Store(sys.argv[1]).feeds.release([])
except StoreError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_may_not_be_written_is_a_clear_error(there):
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "news.db")
        if there:
            Store(database).close()
            os.chmod(database, 0o444)
        os.chmod(folder, 0o555)
        result = subprocess.run([sys.executable, "-c", OPEN, database], capture_output=True, text=True)
        os.chmod(folder, 0o755)
    assert result.returncode == 1
    assert "writable" in result.stderr


# ------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)])
def test_after_a_clock_that_jumps_a_day_a_feed_is_asked_within_its_interval(ticking, rounds, jump):
    ticking.daemon.tick(ticking.store)
    rounds.now += jump
    for _ in range(5):
        rounds.later(hours=1)
        ticking.daemon.tick(ticking.store)
    asked = len(rounds.server.seen("/feed"))
    assert 2 <= asked <= 4
    assert ticking.articles() == 1


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)])
def test_a_clock_that_jumps_a_day_loses_no_entry_that_waits(ticking, rounds, jump):
    rounds.server.answer("/1.html", status=500, type=HTML)
    ticking.daemon.tick(ticking.store)
    rounds.server.answer("/1.html", body=page("Ferry sails again", SENTENCES), type=HTML)
    rounds.now += jump
    for _ in range(26):
        rounds.later(hours=1)
        ticking.daemon.tick(ticking.store)
    assert ticking.store.connection.value("select source from articles") == "page"


@pytest.mark.parametrize("moment", ["2026-10-25T00:30:00+00:00", "2026-03-29T00:30:00+00:00"])
def test_summer_time_changes_nothing(rounds, monkeypatch, moment):
    def waits():
        rounds.now = datetime.fromisoformat(moment)
        rounds.ask("delete from feeds")
        rounds.run()
        ((at, why),) = rounds.ask("select next_fetch_at, next_fetch_why from feeds")
        return datetime.fromisoformat(at) - rounds.now, why

    here = waits()
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert waits() == here
        assert here[0] >= timedelta(hours=1)
    finally:
        monkeypatch.undo()
        time.tzset()


# ------------------------------------------------------------------------- readers that do not end


def grow(store, size):
    """Write until the write-ahead log is larger than `size`."""
    while os.stat(store.path + "-wal").st_size <= size:
        store.upkeep.remember("big", "x" * MB)


def test_the_write_ahead_log_is_emptied_when_it_is_large(tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "WAL_BOUND", 8 * MB)
    with Store(tmp_path / "news.db") as store:
        store.connection.execute("pragma wal_autocheckpoint = 0")
        grow(store, 9 * MB)
        assert store.upkeep.bound_wal()
        assert os.stat(store.path + "-wal").st_size == 0


def test_a_reader_that_does_not_end_is_not_waited_for_and_named(rounds, monkeypatch, caplog):
    monkeypatch.setattr(upkeep, "WAL_BOUND", 2 * MB)
    monkeypatch.setattr(upkeep, "WAL_PATIENCE", 100)
    rounds.run()
    with contextlib.closing(sqlite3.connect(rounds.path, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from articles").fetchone()
        with Store(rounds.path) as store:
            grow(store, 3 * MB)
            with caplog.at_level(logging.WARNING):
                pipeline.run(
                    Config(tuple(rounds.feeds), Settings(host_delay=0)), store, clock=lambda: rounds.now
                )
            assert "another program has been reading the database for long" in caplog.text
            reader.execute("rollback")
            assert store.upkeep.bound_wal()


def test_readers_that_follow_each_other_closely_do_not_let_the_log_grow(rounds, monkeypatch):
    monkeypatch.setattr(upkeep, "WAL_BOUND", 2 * MB)
    rounds.run()
    over = threading.Event()

    def read():
        with contextlib.closing(sqlite3.connect(rounds.path, isolation_level=None)) as reader:
            while not over.is_set():
                reader.execute("begin")
                reader.execute("select count(*) from articles").fetchone()
                over.wait(0.05)
                reader.execute("rollback")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        with Store(rounds.path) as store:
            largest = 0
            for _ in range(10):
                grow(store, 2 * MB)
                largest = max(largest, os.stat(store.path + "-wal").st_size)
                assert store.upkeep.bound_wal()
            assert largest < 8 * MB
    finally:
        over.set()
        for reader in readers:
            reader.join()


FETCH = """
import sys
from aggregator import pipeline
from aggregator.model import Config, Feed, Settings
from aggregator.store import Store
with Store(sys.argv[1]) as store:
    pipeline.run(Config(tuple(map(Feed, sys.argv[2:])), Settings(host_delay=0.01)), store)
"""


def test_two_fetches_a_backup_and_a_reader_at_once_never_hear_that_it_is_locked(rounds, tmp_path):
    when = rounds.now - timedelta(hours=1)
    for n in range(1, 61):
        text = tuple(f"{line} This is story {n}." for line in (SENTENCES if n % 2 else OTHER))
        rounds.server.answer(f"/{n}.html", body=page(f"Story {n}", text), type=HTML)
    items = [item(rounds.server, n, f"Story {n}", when) for n in range(1, 61)]
    for f in range(3):
        rounds.server.answer(f"/feed/{f}", body=rss(*items[20 * f : 20 * f + 20]))
    feeds = [Feed(rounds.server.url(f"/feed/{f}")) for f in range(3)]
    with Store(rounds.path) as store:
        store.feeds.sync(feeds, rounds.now)
    problems, over = [], threading.Event()

    def work(task):
        try:
            with Store(rounds.path) as store:
                task(store)
        except Exception as error:
            problems.append(error)

    def read(store):
        while not over.is_set():
            store.reading.totals(rounds.now)

    def back_up(store):
        for n in range(5):
            store.upkeep.backup(tmp_path / f"{n}.db")

    reading = threading.Thread(target=work, args=(read,))
    backing_up = threading.Thread(target=work, args=(back_up,))
    command = [sys.executable, "-c", FETCH, str(rounds.path), *(feed.url for feed in feeds)]
    fetching = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    reading.start()
    backing_up.start()
    problems += [error for process in fetching if (error := process.communicate()[1])]
    backing_up.join()
    over.set()
    reading.join()
    assert problems == []
    assert rounds.ask("select (select count(*) from articles) + (select count(*) from duplicates)") == [(60,)]
    assert all(len(rounds.server.seen(f"/feed/{f}")) == 1 for f in range(3))


def test_a_locked_database_is_named_by_the_command(rounds):
    with (
        contextlib.closing(sqlite3.connect(rounds.path, isolation_level=None)) as other,
        Store(rounds.path, timeout=0.1) as store,
    ):
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="another program holds the database"):
            pipeline.run(Config(tuple(rounds.feeds)), store, clock=lambda: datetime.now(UTC))
