"""Killed at any instant: nothing is lost, nothing is doubled, and the clusters are those of an unbroken run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from server import HTML
from test_pipeline import OTHER, SENTENCES, item, page, rss

from aggregator import pipeline
from aggregator.model import Config, Feed, Settings
from aggregator.store import Store

FEEDS, ENTRIES = 5, 6

#: Imports once, then forks a round for every kill: a round that starts in milliseconds is hit at any of its points.
FORKER = """
import os, random, signal, sys, time
from aggregator.pipeline import stories
from test_kill import one_round
base, database, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
for _ in range(kills):
    pid = os.fork()
    if pid == 0:
        one_round(base, database)
        os._exit(0)
    time.sleep(chance.uniform(0, 0.35))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""


def config(base: str) -> Config:
    feeds = tuple(Feed(f"{base}/feed{n}") for n in range(FEEDS))
    return Config(feeds, Settings(host_delay=0.0, workers=4))


def one_round(base: str, database: str) -> None:
    with Store(database) as store:
        pipeline.run(config(base), store)


def stories(feed: int, number: int) -> tuple[str, ...]:
    """Entries with an even number are one story in all feeds, each cut differently; the others stand alone."""
    names = random.Random(number if number % 2 == 0 else 1000 * feed + number)
    town = "".join(names.choices("abdeilmnorstu", k=7)).capitalize()
    figures = [str(names.randint(11, 9999)) for _ in range(12)]
    source = SENTENCES if number % 4 < 2 else OTHER
    text = tuple(
        f"{line} In {town}, {figures[i]} of {figures[-1 - i]} agreed." for i, line in enumerate(source)
    )
    return text[: len(text) - feed % 2] if number % 2 == 0 else text


@pytest.fixture
def town(server):
    now = datetime.now(UTC)
    server.answer("/robots.txt", body="", type="text/plain")
    for feed in range(FEEDS):
        items = []
        for number in range(ENTRIES):
            path, title = feed * 100 + number, f"Story {number} as told by {feed}"
            server.answer(f"/{path}.html", body=page(title, stories(feed, number)), type=HTML)
            items.append(item(server, path, title, now - timedelta(minutes=10 * number + feed)))
        server.answer(f"/feed{feed}", body=rss(*items), headers={"ETag": f'"{feed}"'})
    return server


def river(database: str) -> list[tuple[str, ...]]:
    """Every story with its copies, by text: what a reader would find."""
    with Store(database) as store:
        assert store.connection.value("pragma integrity_check") == "ok"
        assert store.connection.rows("pragma foreign_key_check") == []
        assert store.connection.value("select count(*) from _pending") == 0
        kept = {row["id"]: row["url"] for row in store.connection.rows("select id, url from articles")}
        copies = store.connection.rows("select article_id, url from duplicates")
        seen = list(kept.values()) + [row["url"] for row in copies]
        assert len(seen) == len(set(seen)), "a page was stored twice"
        return sorted(
            (url, *sorted(row["url"] for row in copies if row["article_id"] == article))
            for article, url in kept.items()
        )


def kill(town, database: str, kills: int, seed: int) -> None:
    here = os.path.dirname(__file__)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((here, os.path.dirname(here)))}
    arguments = [sys.executable, "-c", FORKER, town.base, database, str(kills), str(seed)]
    subprocess.run(arguments, env=environment, cwd=here, check=True)


def check(town, tmp_path, kills: int, seed: int) -> None:
    one_round(town.base, str(tmp_path / "unbroken.db"))
    broken = str(tmp_path / "broken.db")
    kill(town, broken, kills, seed)
    one_round(town.base, broken)
    expected = river(str(tmp_path / "unbroken.db"))
    assert sum(map(len, expected)) == FEEDS * ENTRIES
    assert len(expected) < FEEDS * ENTRIES, "some are copies"
    assert river(broken) == expected


def test_killed_a_few_times_the_river_is_that_of_an_unbroken_run(town, tmp_path):
    check(town, tmp_path, kills=12, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_killed_two_hundred_times_in_all(town, tmp_path, seed):
    check(town, tmp_path, kills=20, seed=seed)


def test_a_stopped_process_leaves_its_feeds_to_the_next_at_once(town, tmp_path):
    database = str(tmp_path / "news.db")
    code = f"from test_kill import one_round; one_round({town.base!r}, {database!r})"
    here = os.path.dirname(__file__)
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(here)}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=here, env=environment)
    while not os.path.exists(database):
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    one_round(town.base, database)
    assert sum(map(len, river(database))) == FEEDS * ENTRIES
