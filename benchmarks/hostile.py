"""What all that is hostile costs the feeds that are not, in one round.

    python benchmarks/hostile.py PATH/feedfarm.py [--healthy 200] [--latency-ms 50] [--rounds 3]

PATH/feedfarm.py serves healthy feeds, and every hostile and policy path it knows, on loopback. Three rounds on new
databases, in turn: the healthy feeds alone; mixed with as many more healthy ones as there are hostile ones; mixed with
the hostile ones. Printed are the seconds, and the seconds of the round's own CPU, until the last of the first was
stored, and the seconds until all of their articles were; the slowest hostile feed; the memory of the round's process
and of its largest child; what the hostile feeds ended as; and what reached the canaries, which nobody may ask for.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

PORT, CANARIES = 8896, 8898  # and PORT + 1

#: feeds.yaml's addresses on stdin, healthy ones marked; prints one JSON object.
ROUND = """
import json, resource, sys, time
from aggregator import pipeline
from aggregator.model import Config, Feed, Settings
from aggregator.pipeline import stories
from aggregator.store import Store
lines = [line.split() for line in sys.stdin]
feeds = tuple(Feed(url, title=url, full_text=False) for _, url in lines)
healthy = {url for kind, url in lines if kind == "healthy"}
began, done, stored = time.perf_counter(), {}, [0.0]
store_all = stories.store_all
def counting(ready, config, store, *rest):
    store_all(ready, config, store, *rest)
    healthy_left = {row["url"] for row in store.connection.rows(
        "select distinct url from feeds where id in (select feed_id from entries where article_id is null)")} & healthy
    if not stored[0] and not healthy_left and healthy <= set(done):
        stored[0] = time.perf_counter() - began
stories.store_all = counting
with Store(sys.argv[1]) as store:
    def tell(step):
        done.setdefault(step.title, (time.perf_counter() - began, time.process_time()))
    pipeline.run(Config(feeds, Settings(host_delay=0.0)), store, progress=tell)
    rows = store.connection.rows(
        "select url, status, error_kind, (select count(*) from entries where feed_id = feeds.id) as n from feeds")
usage = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "healthy_s": max(at[0] for url, at in done.items() if url in healthy),
    "healthy_cpu_s": max(at[1] for url, at in done.items() if url in healthy),
    "articles_s": stored[0],
    "healthy_failed": sum(row["status"] != "ok" for row in rows if row["url"] in healthy),
    "hostile_s": max((at[0] for url, at in done.items() if url not in healthy), default=0),
    "cpu_s": sum(one.ru_utime + one.ru_stime for one in usage),
    "mb": usage[0].ru_maxrss >> 10, "child_mb": usage[1].ru_maxrss >> 10,
    "ended": {row["url"]: row["error_kind"] or f"{row['n']} entries" for row in rows if row["url"] not in healthy},
}))
"""


def one_round(feeds: list[tuple[str, str]]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        lines = "".join(f"{kind} {url}\n" for kind, url in feeds)
        command = [sys.executable, "-c", ROUND, f"{folder}/news.db"]
        result = subprocess.run(command, input=lines, capture_output=True, text=True)
    if result.returncode:
        sys.exit(result.stderr)
    return json.loads(result.stdout)


@contextlib.contextmanager
def farm(path: Path, port: int, *options: str) -> Iterator[None]:
    """A farm in a process of its own: what one is busy with delays the answers of no other."""
    command = [sys.executable, path, "serve", f"--port={port}", *options, "--max-seconds=3600"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def addresses(path: Path, count: int) -> tuple[list[str], list[str]]:
    """The healthy feeds and the others, each on a host of its own: one that says 429 is left alone, whatever else
    it has."""
    lists = [
        subprocess.run(
            [
                sys.executable,
                path,
                "list",
                f"--port={PORT}",
                f"--feeds={count}",
                f"--hosts={count}",
                "--format",
                form,
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for form in ("urls", "hostile")
    ]
    paths = [line.split("\t")[0].split("/", 3)[3] for line in lists[1]]
    hostile = [f"http://127.77.{n // 250}.{n % 250 + 1}:{PORT + 1}/{name}" for n, name in enumerate(paths)]
    return lists[0], hostile


def mixed(healthy: Sequence[str], others: Sequence[str]) -> list[tuple[str, str]]:
    """Both, evenly mixed."""
    share = len(healthy) / max(len(others), 1)
    placed = [(float(n), "healthy", url) for n, url in enumerate(healthy)]
    placed += [(n * share, "other", url) for n, url in enumerate(others)]
    return [(kind, url) for _, kind, url in sorted(placed)]


def warm(urls: list[str]) -> None:
    """Ask for what a farm makes when it is first asked for: that is not to be measured."""
    for url in urls:
        for _ in range(100):
            try:
                urllib.request.urlopen(url).read(1000)
                break
            except http.client.HTTPException:
                break
            except OSError:
                time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("farm", type=Path)
    parser.add_argument("--healthy", type=int, default=200)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--show", action="store_true", help="what each hostile feed ended as")
    asked = parser.parse_args()
    healthy, hostile = addresses(asked.farm, asked.healthy + 200)
    healthy, more = healthy[: asked.healthy], healthy[asked.healthy :][: len(hostile)]
    first = [
        f"--feeds={asked.healthy + 200}",
        f"--hosts={asked.healthy + 200}",
        f"--latency-ms={asked.latency_ms}",
    ]
    second = [f"--feeds={asked.healthy}", f"--hosts={len(hostile)}", f"--canary-port={CANARIES}"]
    with farm(asked.farm, PORT, *first), farm(asked.farm, PORT + 1, *second):
        warm([*healthy, *more, *(url for url in hostile if "bomb" in url or "gzip" in url or "/e-" in url)])
        runs = [
            [one_round(mixed(healthy, others)) for others in ((), more, hostile)] for _ in range(asked.rounds)
        ]
        control = f"http://127.77.0.1:{PORT + 1}/_control/state"
        with urllib.request.urlopen(control) as state:
            canaries = json.load(state)["canary_hits"]
    names = (
        f"{len(healthy)} healthy feeds alone",
        f"beside {len(more)} healthy",
        f"beside {len(hostile)} hostile",
    )
    for n, name in enumerate(names):
        keys = "healthy_s", "healthy_cpu_s", "articles_s"
        wall, cpu, stored = (statistics.median(run[n][key] for run in runs) for key in keys)
        print(f"{name:>26}: {wall:6.2f} s, {cpu:6.2f} s of CPU; their articles {stored:6.2f} s")
    alone, _, last = runs[-1]
    print(f"the last hostile one: {last['hostile_s']:.1f} s; {last['cpu_s']:.1f} s of CPU for all of the round"
          f" (the healthy ones alone: {alone['cpu_s']:.1f} s)")  # fmt: skip
    print(f"memory: {last['mb']} MB (alone: {alone['mb']} MB), largest child {last['child_mb']} MB")
    print(f"healthy feeds that failed: {last['healthy_failed']}; canary hits: {canaries}")
    print("ended as:", dict(collections.Counter(last["ended"].values()).most_common()))
    if asked.show:
        for url, ended in last["ended"].items():
            print(f"  {url:60} {ended}")


if __name__ == "__main__":
    main()
