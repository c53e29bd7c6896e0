"""The daemon as its own process: signals, a second one, feeds.yaml changing under it, a locked database."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from server import HTML, Reply
from test_pipeline import OTHER, SENTENCES, item, page, rss

from aggregator import pipeline
from aggregator.model import Config, Feed, Settings
from aggregator.store import Store

CODE = """
import logging, sys
from pathlib import Path
from aggregator.daemon import Daemon
from aggregator.errors import AggregatorError
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
try:
    Daemon(Path(sys.argv[1]), Path(sys.argv[2])).run()
except AggregatorError as error:
    sys.exit(str(error))
"""


def wait_for(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


class House:
    def __init__(self, server, path):
        self.server, self.feeds, self.database = server, path / "feeds.yaml", path / "db" / "news.db"
        self.running = []
        server.answer("/robots.txt", body="", type="text/plain")
        now = datetime.now(UTC) - timedelta(hours=1)
        for number, text in ((1, SENTENCES), (2, OTHER)):
            server.answer(f"/{number}.html", body=page(f"Story {number}", text), type=HTML)
            server.answer(f"/feed{number}", body=rss(item(server, number, f"Story {number}", now)))
        self.write(1)

    def write(self, *numbers):
        lines = "".join(f"  - {self.server.url(f'/feed{number}')}\n" for number in numbers)
        self.feeds.write_text(f"host_delay: 0s\nfeeds:\n{lines}")

    def start(self, code=CODE, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(self.feeds), str(self.database)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.running.append(process)
        lock = self.database.with_name("news.db.daemon")
        wait_for(
            lambda: process.poll() is not None or (lock.exists() and lock.read_text() == str(process.pid))
        )
        return process

    def articles(self):
        if not self.database.exists():
            return 0
        database = sqlite3.connect(self.database, timeout=10)
        try:
            return database.execute("select count(*) from articles").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
        finally:
            database.close()


@pytest.fixture
def house(server, tmp_path):
    ready = House(server, tmp_path)
    yield ready
    for process in ready.running:
        process.kill()
        process.wait()


def end(process, seconds=10):
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, talk = process.communicate(timeout=20)
    assert process.returncode == 0, talk
    assert time.monotonic() - started < seconds
    return talk


def test_it_fetches_what_is_due_and_ends_on_sigterm(house):
    process = house.start()
    wait_for(lambda: house.articles() == 1)
    assert "1 feed: 0 failed, 0 not modified; 1 new entry: 1 article, 0 copies" in end(process)


def test_sigterm_in_the_middle_of_a_download_ends_soon_and_loses_nothing(house):
    house.server.answer("/1.html", Reply(wait=60), Reply(page("Story 1", SENTENCES), type=HTML))
    process = house.start()
    wait_for(lambda: house.server.seen("/1.html"))
    end(process)
    assert house.articles() == 0
    process = house.start()
    wait_for(lambda: house.articles() == 1)
    end(process)


def test_a_restart_asks_no_feed_earlier(house):
    for _ in range(2):
        process = house.start()
        wait_for(lambda: house.articles() == 1)
        time.sleep(1.5)
        end(process)
    assert len(house.server.seen("/feed1")) == 1


def test_a_second_daemon_is_refused(house):
    house.start()
    wait_for(lambda: house.articles() == 1)
    second = house.start()
    _, talk = second.communicate(timeout=20)
    assert second.returncode == 1
    assert f"a daemon (process {house.running[0].pid}) works on it already" in talk


def test_an_ad_hoc_fetch_beside_it_never_asks_a_feed_twice(house):
    house.server.answer("/feed1", Reply(house.server._script["/feed1"][0].body, wait=1.5))
    house.start()
    wait_for(lambda: house.server.seen("/feed1"))
    with Store(house.database) as store:
        config = Config((Feed(house.server.url("/feed1")),), Settings(host_delay=0.0))
        assert pipeline.run(config, store).feeds_ok == 0
    wait_for(lambda: house.articles() == 1)
    assert len(house.server.seen("/feed1")) == 1


def test_a_changed_feeds_yaml_is_read_again(house):
    process = house.start()
    wait_for(lambda: house.articles() == 1)
    house.write(1, 2)
    wait_for(lambda: house.articles() == 2)
    end(process)


def test_it_ends_when_a_newer_version_has_changed_the_database(house):
    process = house.start()
    wait_for(lambda: house.articles() == 1)
    with Store(house.database) as newer, newer.transaction():
        newer.connection.execute("create table _of_tomorrow (id integer)")
        newer.connection.insert(
            "_sqlite_migrations", migration_set="aggregator", name="m999_tomorrow", applied_at="2030-01-01"
        )
    house.write(1, 2)
    _, talk = process.communicate(timeout=20)
    assert "a newer version of this program has changed the database meanwhile; start it again" in talk
    assert house.articles() == 1


def test_a_broken_feeds_yaml_leaves_the_one_read_before_in_force(house):
    process = house.start()
    wait_for(lambda: house.articles() == 1)
    house.feeds.write_text("feeds:\n  - ftp://x.example/\n")
    process.send_signal(signal.SIGHUP)
    time.sleep(1.5)
    talk = end(process)
    assert "feeds.yaml:2:5" in talk
    assert "left as it was read before" in talk


def test_a_locked_database_is_waited_out(house):
    process = house.start()
    wait_for(lambda: house.articles() == 1)
    other = sqlite3.connect(house.database, isolation_level=None)
    other.execute("begin immediate")
    house.write(1, 2)
    time.sleep(2.5)
    assert process.poll() is None
    other.execute("rollback")
    other.close()
    wait_for(lambda: house.articles() == 2)
    end(process)


def test_a_database_that_is_locked_when_it_starts_is_waited_out(house):
    process = house.start()
    wait_for(lambda: house.articles() == 1)
    end(process)
    house.write(1, 2)
    other = sqlite3.connect(house.database, isolation_level=None)
    other.execute("begin immediate")
    patience = "from aggregator.store import Store\nStore.__init__.__kwdefaults__['timeout'] = 0.2\n"
    process = house.start(patience + CODE)
    time.sleep(1.5)
    assert process.poll() is None
    other.execute("rollback")
    other.close()
    wait_for(lambda: house.articles() == 2)
    assert "another program holds the database" in end(process)


def test_systemd_is_told_that_it_is_ready_lives_and_stops(house, tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(10)
        process = house.start(NOTIFY_SOCKET=address)
        wait_for(lambda: house.articles() == 1)
        end(process)
        systemd.settimeout(0.2)
        told = []
        try:
            while True:
                told.append(systemd.recv(1000).decode())
        except TimeoutError:
            pass
    assert told[0].startswith("READY=1")
    assert "WATCHDOG=1" in told
    assert "STOPPING=1" in told
