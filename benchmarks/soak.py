"""Everything at once, for long: a daemon that is restarted and killed, ad hoc fetches, readers, backups.

    python benchmarks/soak.py PATH/feedfarm.py [--minutes 60]

PATH/feedfarm.py serves feeds, articles, and every policy path it knows, on loopback, and publishes something new every
20 s. On one database work: the daemon, which is ended by SIGTERM or kill -9 and started again every now and then;
`aggregator fetch` of due feeds and of feeds by name; readers that ask what Datasette asks, one of which holds a
transaction for 20 s at a time; and `aggregator backup`. Feeds are asked every two minutes: an hour is like a day.

In the end the farm judges the log of requests, and the database and the last backup are looked at. Ends with 1 if
anything was locked, asked twice, impolite, damaged or without bound.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

from aggregator.store import Store

PORT = 8894
INTERVAL = "2m"
WAL_LIMIT = 64 * 1024 * 1024  # bytes
TROUBLE = ("is locked", "another program holds", "disk", "damaged", "Traceback", "bug of ours")
QUERIES = (
    "select count(*) from articles",
    "select site, count(*) from articles group by site order by 2 desc limit 30",
    "select a.id, a.title, a.copies from articles a order by a.published_at desc limit 50",
    "select rowid from articles_fts where articles_fts match 'government' limit 50",
    "select * from feed_health",
)


class Soak:
    """The folder, what runs in it, and what went wrong."""

    def __init__(self, folder: Path, over: float) -> None:
        self.database, self.feeds, self.over = folder / "news.db", folder / "feeds.yaml", over
        self.problems: list[str] = []
        self.done: Counter[str] = Counter()
        self.largest_wal = 0
        self.chance = random.Random(5)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "aggregator", *words, "--db", str(self.database)]

    def going_on(self, seconds: float = 0) -> bool:
        """Whether there is time left, after waiting for a while."""
        time.sleep(max(0, min(seconds, self.over - time.monotonic())))
        return time.monotonic() < self.over

    def said(self, who: str, text: str) -> None:
        for line in text.splitlines():
            if any(sign in line for sign in TROUBLE):
                self.problems.append(f"{who}: {line}")

    # ------------------------------------------------------------------------------ what works on it

    def daemon(self) -> None:
        while self.going_on():
            process = subprocess.Popen(
                self.command("daemon", "--feeds", str(self.feeds)), stderr=subprocess.PIPE, text=True
            )
            self.going_on(self.chance.uniform(20, 90))
            how = signal.SIGKILL if self.chance.random() < 0.3 and self.going_on() else signal.SIGTERM
            began = time.monotonic()
            process.send_signal(how)
            _, talk = process.communicate()
            if time.monotonic() - began > 10:
                self.problems.append(f"the daemon took {time.monotonic() - began:.0f} s to end")
            self.said("daemon", talk)
            self.done[f"daemons ended by {how.name}"] += 1

    def fetch(self) -> None:
        while self.going_on(self.chance.uniform(5, 20)):
            names = [] if self.chance.random() < 0.7 else [f"/feed/{self.chance.randrange(20)}.xml"]
            result = subprocess.run(
                self.command("fetch", "-q", *names, "--feeds", str(self.feeds)),
                capture_output=True,
                text=True,
            )
            self.said("fetch", result.stderr)
            self.done["fetches"] += 1

    def read(self, seconds: float) -> None:
        while self.going_on(0.2 if seconds else 0.05):
            if not self.database.exists():
                continue
            try:
                with contextlib.closing(
                    sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)
                ) as reader:
                    reader.execute("begin")
                    for query in QUERIES:
                        reader.execute(query).fetchall()
                    self.going_on(seconds)
                    reader.execute("commit")
                self.done["long reads" if seconds else "reads"] += 1
            except sqlite3.Error as error:
                if "no such table" not in str(error):  # the file is there before its tables are
                    self.problems.append(f"reader: {error}")

    def back_up(self) -> None:
        while self.going_on(30):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self.database}.backup", f"{self.database}.backup-before")
            result = subprocess.run(
                self.command("backup", f"{self.database}.backup"), capture_output=True, text=True
            )
            self.said("backup", result.stderr)
            self.done["backups"] += 1

    def publish(self) -> None:
        while self.going_on(20):
            control = f"http://127.77.0.1:{PORT}/_control/tick"
            urllib.request.urlopen(urllib.request.Request(control, method="POST")).read()
            self.done["ticks"] += 1

    def watch(self) -> None:
        while self.going_on(0.5):
            with contextlib.suppress(OSError):
                self.largest_wal = max(self.largest_wal, os.stat(f"{self.database}-wal").st_size)

    def run(self) -> None:
        work = [self.daemon, self.fetch, self.back_up, self.publish, self.watch]
        work += [lambda: self.read(0), lambda: self.read(0), lambda: self.read(20)]
        threads = [threading.Thread(target=one) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # -------------------------------------------------------------------------------- what came of it

    def look(self, judgement: dict, moved: dict[str, int]) -> None:
        for fault, count in judgement["faults"].items():
            if count:
                named = moved if "301/308" in fault else ""
                self.problems.append(f"the farm saw: {fault}: {count} {named}")
        if judgement["peak_concurrency_one_host"] > 2:
            self.problems.append(f"{judgement['peak_concurrency_one_host']} requests to one host at once")
        if self.largest_wal > WAL_LIMIT:
            self.problems.append(f"the write-ahead log grew to {self.largest_wal >> 20} MB")
        for path in (self.database, Path(f"{self.database}.backup")):
            with contextlib.closing(sqlite3.connect(path)) as database:
                (verdict,) = database.execute("pragma integrity_check").fetchone()
                broken = database.execute("pragma foreign_key_check").fetchall()
                if verdict != "ok" or broken:
                    self.problems.append(f"{path.name}: {verdict}, {len(broken)} broken references")
        with Store(self.database) as store:
            twice = store.connection.value(
                "select count(*) from (select url from (select url from articles union all select url from duplicates)"
                " group by url having count(*) > 1)"
            )
            lost = store.connection.value(
                "select count(*) from entries e where article_id is null and problem is null"
                " and not exists (select 1 from _pending p where p.entry_id = e.id)"
            )
            if twice or lost:
                self.problems.append(f"{twice} pages stored twice, {lost} entries lost")
            totals = [
                store.connection.value(f"select count(*) from {t}")
                for t in ("articles", "duplicates", "fetches")
            ]
        print(
            f"{totals[0]} articles, {totals[1]} copies, {totals[2]} fetches logged; {dict(sorted(self.done.items()))}"
        )
        print(f"{judgement['requests']} requests to {judgement['hosts']} hosts: {judgement['status']}")
        size = self.database.stat().st_size
        print(f"largest write-ahead log {self.largest_wal / 2**20:.1f} MB; database {size / 2**20:.1f} MB")


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("farm", type=Path)
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--feeds", type=int, default=60)
    asked = options.parse_args()
    with socket.socket() as free:
        if not free.connect_ex(("127.0.0.1", PORT)):
            sys.exit(f"port {PORT} is in use, perhaps by another soak: its requests would be taken for ours")
    common = [f"--port={PORT}", f"--feeds={asked.feeds}", f"--hosts={asked.feeds // 2}", "--entries=6"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "requests.jsonl"
        over = f"--max-seconds={asked.minutes * 60 + 600}"
        serve = [*common, f"--log={log}", "--latency-ms=50", "--max-hang=20", over]
        signal.signal(
            signal.SIGINT, signal.SIG_DFL
        )  # in the background it is ignored, and the farm would inherit that
        farm = subprocess.Popen([sys.executable, asked.farm, "serve", *serve], stderr=subprocess.DEVNULL)
        try:
            lists = [
                subprocess.run(
                    [sys.executable, asked.farm, "list", *common, "--format", form],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout.splitlines()
                for form in ("urls", "hostile")
            ]
            odd = [line.split("\t")[0].split("/", 3)[3] for line in lists[1]]
            odd = [
                path for path in odd if path.split("/")[1].startswith(("s4", "s5", "r3")) or "policy" in path
            ]
            odd.remove("hostile/r302-r301")  # never believed, so its 301 is asked each time, as it should be
            urls = lists[0] + [f"http://127.77.0.{n + 1}:{PORT}/{path}" for n, path in enumerate(odd)]
            feeds = "".join(f"  - {{url: '{url}', interval: {INTERVAL}}}\n" for url in urls)
            soak = Soak(folder, time.monotonic() + 60 * asked.minutes)
            soak.feeds.write_text(f"contact: soak@example.org\nfeeds:\n{feeds}")
            time.sleep(1)
            soak.run()
        finally:
            farm.send_signal(signal.SIGINT)  # it writes the rest of its log
            farm.wait()
        judged = subprocess.run(
            [sys.executable, asked.farm, "judge", log, "--json"], capture_output=True, text=True, check=True
        )
        moved = Counter(
            seen["host"] + seen["path"]
            for seen in map(json.loads, log.read_text().splitlines())
            if seen["status"] in (301, 308)
        )
        soak.look(json.loads(judged.stdout), {url: n for url, n in moved.items() if n > 3})
    for problem in soak.problems[:40]:
        print("!", problem)
    print("all is well" if not soak.problems else f"{len(soak.problems)} problems")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
