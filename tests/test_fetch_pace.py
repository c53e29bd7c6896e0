"""Several processes, one host: they keep their distance together, and what one is told holds for all."""

import fcntl
import itertools
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from server import Reply, Server

from aggregator.errors import FetchError
from aggregator.fetch import Fetcher, hosts, pace
from aggregator.model import Request, Settings

#: A process that asks for the addresses it is given.
ASK = """
import sys
from pathlib import Path
from aggregator.fetch import Fetcher
from aggregator.model import Request, Settings
with Fetcher(Settings(host_delay=float(sys.argv[2])), pace=Path(sys.argv[1])) as fetcher:
    for _, answer in fetcher.fetch_all(Request(n, url, "feed") for n, url in enumerate(sys.argv[3:])):
        print(getattr(answer, "status", None), getattr(answer, "kind", ""))
"""


def ask(file, delay, *urls):
    command = [sys.executable, "-c", ASK, str(file), str(delay), *urls]
    return subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "news.db.pace"


def test_two_processes_never_ask_one_host_at_once_nor_too_close(server, file):
    urls = [server.answer(f"/feed/{n}", body="<rss/>", wait=0.1) for n in range(12)]
    running = [ask(file, 0.3, *urls[:6]), ask(file, 0.3, *urls[6:])]
    for process in running:
        process.communicate(timeout=30)
    assert len(server.log) == 12
    assert len({seen.connection for seen in server.log}) >= 2
    assert server.most_at_once == 1
    assert min(later.at - earlier.at for earlier, later in itertools.pairwise(server.log)) > 0.2


def test_what_a_host_asked_of_one_process_holds_for_another_that_runs(server, file):
    server.answer("/busy", status=429, headers={"Retry-After": "600"})
    urls = [server.answer(f"/feed/{n}", body="<rss/>") for n in range(8)]
    other = ask(file, 0.3, *urls)
    while not server.log:
        time.sleep(0.01)
    ask(file, 0.3, server.url("/busy")).communicate(timeout=30)
    said, _ = other.communicate(timeout=30)
    assert said.splitlines().count("None held") == 8 - (len(server.log) - 1)
    assert server.log[-1].path == "/busy"


def test_what_a_host_asked_of_a_process_that_was_killed_holds(server, file):
    server.answer("/busy", status=503, headers={"Retry-After": "600"})
    with Fetcher(Settings(), pace=file) as fetcher, pytest.raises(FetchError):
        fetcher.fetch(Request(1, server.url("/busy"), "feed"))  # and nothing else is remembered of it
    with Fetcher(Settings(), pace=file) as fetcher, pytest.raises(FetchError, match="left alone until"):
        fetcher.fetch(Request(2, server.answer("/feed", body="<rss/>"), "feed"))


def test_a_process_that_is_killed_in_a_request_holds_its_host_for_five_seconds_only(
    server, file, monkeypatch
):
    monkeypatch.setattr(pace, "SLOW", 0.5)
    killed = ask(file, 0.1, server.answer("/slow", wait=60))
    while not server.log:
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    with Fetcher(Settings(host_delay=0.1), pace=file) as fetcher:
        fetcher.fetch(Request(1, server.answer("/feed", body="<rss/>"), "feed"))
    assert 0.4 < server.log[-1].at - server.log[0].at < 3


def test_other_hosts_do_not_wait(server, file):
    with Server("127.0.0.2") as slow:
        asking = ask(file, 30, slow.answer("/slow", wait=1))
        while not slow.log:
            time.sleep(0.01)
        began = time.monotonic()
        with Fetcher(Settings(host_delay=30), pace=file) as fetcher:
            fetcher.fetch(Request(1, server.answer("/feed", body="<rss/>"), "feed"))
        assert time.monotonic() - began < 1
        asking.communicate()


# ------------------------------------------------------------------------------------ the file alone


def test_a_turn_is_given_again_when_the_distance_is_kept(file):
    one, two = pace.Pace(file), pace.Pace(file)
    turn = one.take("a.example", 100, 0, 1, 30)
    assert turn.until == 130
    assert two.take("a.example", 100.5, 0, 1, 30).again_at == 101
    one.give_back("a.example", turn.until, 100.7)
    assert two.take("a.example", 101, 0, 1, 30).again_at == 101.7, "counted from the end"
    assert two.take("a.example", 101.7, 0, 1, 30).until == 131.7


def test_a_request_that_takes_long_lets_one_more_in_and_not_two(file):
    one = pace.Pace(file)
    one.take("a.example", 100, 0, 1, 30)
    assert not one.take("a.example", 104.9, 0, 1, 30).until
    assert one.take("a.example", 100 + hosts.SLOW, 0, 1, 30).until
    assert not one.take("a.example", 120, 0, 1, 30).until
    assert one.take("a.example", 130, 0, 1, 30).until, "the first is over by its deadline"


def test_a_turn_waits_while_another_process_looks_at_the_file(file):
    one = pace.Pace(file)
    with file.open("r+") as other, ThreadPoolExecutor(1) as thread:
        fcntl.flock(other, fcntl.LOCK_EX)
        turn = thread.submit(one.take, "a.example", 100, 0, 1, 30)
        assert wait([turn], 0.2).not_done
        fcntl.flock(other, fcntl.LOCK_UN)
        assert turn.result(5).until == 130


def test_a_process_that_read_its_clock_before_another_was_quicker_waits(file):
    one, two = pace.Pace(file), pace.Pace(file)
    one.take("a.example", 100.001, 0, 1, 30)
    assert two.take("a.example", 100, 0, 1, 30).again_at >= 101


def test_what_was_written_before_the_machine_started_is_passed_over(file):
    one = pace.Pace(file)
    one.take("a.example", 1_000_000, 0, 1, 30)
    assert one.take("a.example", 50, 0, 1, 30).until


def test_what_ran_when_the_machine_went_down_is_over(file):
    one = pace.Pace(file)
    for n in range(hosts.MOST_AT_ONCE):
        assert one.take("a.example", 1_000_000 + n * hosts.SLOW, 0, 1, 30).until
    assert one.take("a.example", 50, 0, 1, 30).until


def test_a_hold_promised_by_a_clock_that_was_wrong_is_forgotten(file):
    one = pace.Pace(file)
    one.hold("a.example", 10 * hosts.MAX_HOLD)
    assert one.take("a.example", 50, 0, 1, 30).until
    assert not one.take("a.example", 90, 10 * hosts.MAX_HOLD - 60, 1, 30).until


def test_when_the_file_is_full_the_host_asked_longest_ago_makes_room(file, monkeypatch):
    monkeypatch.setattr(pace, "SLOTS", pace.PROBES)
    one = pace.Pace(file)
    for n in range(pace.PROBES + 1):
        one.take(f"{n}.example", 100 + n, 0, 60, 30)
    assert one.take("0.example", 110, 0, 60, 30).until
    assert not one.take("8.example", 110, 0, 60, 30).until


@pytest.mark.parametrize("place", [None, "no/such/folder/pace"])
def test_without_a_file_each_process_keeps_its_own_distance(place, tmp_path, server):
    path = place and tmp_path / place
    requests = [Request(n, server.answer(f"/{n}", Reply("<rss/>")), "feed") for n in range(3)]
    with Fetcher(Settings(host_delay=0.2), pace=path) as fetcher:
        assert len(list(fetcher.fetch_all(requests))) == 3
    assert min(later.at - earlier.at for earlier, later in itertools.pairwise(server.log)) > 0.1
