"""What the daemon costs while it has nothing to do, and what it takes to start it.

    python benchmarks/daemon.py [--feeds 10000] [--seconds 30]

A feeds.yaml of so many feeds and their database, in which none is due. Printed are: the seconds from the start of the
program to its first look at the clock (the second start: the first one makes the database); its memory, and the share
of a core that it takes while idle; and what a tick takes for each feed that is due, before anything is downloaded.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.model import Feed
from aggregator.store import Store

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def start(folder: Path) -> tuple[subprocess.Popen[bytes], float]:
    """The daemon, and the seconds until it says that it is ready."""
    address = str(folder / "notify")
    Path(address).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(60)
        began = time.perf_counter()
        command = [sys.executable, "-m", "aggregator", "daemon", "-q", "--feeds", str(folder / "feeds.yaml")]
        process = subprocess.Popen(
            [*command, "--db", str(folder / "news.db")], env={**os.environ, "NOTIFY_SOCKET": address}
        )
        assert systemd.recv(1000).startswith(b"READY=1")
        return process, time.perf_counter() - began


def end(process: subprocess.Popen[bytes]) -> float:
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    return time.perf_counter() - began


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--feeds", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=30)
    asked = options.parse_args()
    urls = [f"http://127.0.0.1:9/feed/{number}" for number in range(asked.feeds)]
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "feeds.yaml").write_text("feeds:\n" + "".join(f"  - {url}\n" for url in urls))
        feeds = [Feed(url) for url in urls]
        with Store(folder / "news.db") as store:
            began = time.perf_counter()
            store.feeds.sync(feeds, now)
            first = time.perf_counter() - began
            store.connection.execute(
                "update feeds set status = 'ok', next_fetch_at = ?",
                ((now + timedelta(days=1)).isoformat(timespec="seconds").replace("+00:00", "Z"),),
            )
        process, ready = start(folder)
        end(process)
        process, ready = start(folder)
        spent = cpu_seconds(process.pid)
        time.sleep(3)  # the imports of the first tick
        before, began = cpu_seconds(process.pid), time.perf_counter()
        time.sleep(asked.seconds)
        share = (cpu_seconds(process.pid) - before) / (time.perf_counter() - began)
        memory = megabytes(process.pid)
        stopped = end(process)
        with Store(folder / "news.db") as store:
            later, by_url = now + timedelta(days=2), {feed.url: feed for feed in feeds}
            began = time.perf_counter()
            due = store.feeds.due_count(later)
            count = time.perf_counter() - began
            claimed = store.feeds.claim(by_url, later)
            claim = time.perf_counter() - began - count
    assert due == len(claimed) == asked.feeds
    print(
        f"{asked.feeds} feeds: put into a new database in {first:.2f} s;"
        f" the daemon is ready in {ready:.2f} s, {spent:.2f} of them CPU"
    )
    print(f"idle: {memory:.0f} MB, {share:.2%} of a core; SIGTERM to its end {stopped:.2f} s")
    print(
        f"a tick when all are due: counted in {count * 1000:.1f} ms, claimed in {claim / due * 1000:.3f} ms a feed"
    )


if __name__ == "__main__":
    main()
