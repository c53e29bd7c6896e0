"""What a round costs, beside `reader` (its best settings), over one farm of feeds, in one run.

    python benchmarks/rounds.py PATH/feedfarm.py --reader PYTHON [--feeds 1000] [--entries 20] [--latency-ms 50]

PATH/feedfarm.py serves the feeds on loopback. PYTHON is an interpreter that has `reader` installed (an environment
of its own: its dependencies are not ours). Four rounds each: everything new; nothing new (304); 30 % of the feeds
changed; nothing new, from servers that never say 304. Both store full texts as the feeds give them; ours also folds
copies and keeps the full-text index, reader's search is off. CPU is the process's with its children.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

OURS = """
import sys
from datetime import UTC, datetime, timedelta
from aggregator import pipeline
from aggregator.model import Config, Feed, Settings
from aggregator.store import Store
feeds = tuple(Feed(line.strip(), full_text=False) for line in open(sys.argv[1]))
with Store(sys.argv[2]) as store:
    report = pipeline.run(Config(feeds, Settings(host_delay=0.0, workers=40)), store, urls=[f.url for f in feeds])
    print(store.reading.totals(datetime.now(UTC))["entries"], report.feeds_failed)
"""

READER = """
import sys
from reader import make_reader
reader = make_reader(sys.argv[2])
for line in open(sys.argv[1]):
    reader.add_feed(line.strip(), exist_ok=True)
failed = sum(isinstance(result.value, Exception) for result in reader.update_feeds_iter(workers=40, scheduled=False))
print(reader.get_entry_counts().total, failed)
"""


def measure(python: str, code: str, urls: Path, database: Path) -> tuple[float, float, int, str]:
    """Wall seconds, CPU seconds, peak memory in MB, and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [python, "-c", code, str(urls), str(database)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout
    said = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if status:
        sys.exit(f"{python} failed")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, usage.ru_maxrss // 1024, said


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("farm", type=Path)
    parser.add_argument("--reader", help="an interpreter that has reader")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=20)
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--port", type=int, default=8890)
    asked = parser.parse_args()
    contenders = {"ours": (sys.executable, OURS)}
    if asked.reader:
        contenders["reader"] = (asked.reader, READER)
    print(f"{asked.feeds} feeds x {asked.entries} entries, {asked.latency_ms} ms latency")
    print(f"{'':>16} {'':>7} {'wall s':>7} {'CPU s':>7} {'MB':>5}   entries, failed")
    for validators, rounds in (("both", ("first", "304", "30 % changed")), ("none", ("first", "never 304"))):
        with tempfile.TemporaryDirectory() as folder, farm(asked, validators) as urls:
            for number, name in enumerate(rounds):
                if name == "30 % changed":
                    tick(asked.port)
                results = {}
                for who, (python, code) in contenders.items():
                    results[who] = measure(python, code, urls, Path(folder) / f"{who}.db")
                if validators == "none" and number == 0:
                    continue
                for who, (wall, cpu, memory, said) in results.items():
                    print(f"{name:>16} {who:>7} {wall:7.2f} {cpu:7.2f} {memory:5}   {said}")
                if "reader" in results:
                    (wall, cpu, *_), (other_wall, other_cpu, *_) = results["ours"], results["reader"]
                    print(f"{'':>16} {'ratio':>7} {wall / other_wall:7.2f} {cpu / other_cpu:7.2f}")


class farm:
    """The farm as a process, with a file of its feeds' addresses."""

    def __init__(self, asked: argparse.Namespace, validators: str) -> None:
        self.asked, self.validators = asked, validators

    def __enter__(self) -> Path:
        common = [
            f"--port={self.asked.port}",
            f"--feeds={self.asked.feeds}",
            f"--entries={self.asked.entries}",
        ]
        command = [sys.executable, str(self.asked.farm)]
        serve = ["serve", *common, f"--latency-ms={self.asked.latency_ms}", f"--validators={self.validators}"]
        self.process = subprocess.Popen([*command, *serve, "--max-seconds=3600"], stdout=subprocess.DEVNULL)
        listed = subprocess.run([*command, "list", *common], capture_output=True, text=True, check=True)
        self.file = Path(tempfile.mkstemp(suffix=".txt")[1])
        self.file.write_text(listed.stdout)
        for url in listed.stdout.split()[:20]:
            for _ in range(100):
                try:
                    urllib.request.urlopen(url).read()
                    break
                except OSError:
                    time.sleep(0.1)
        return self.file

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.file.unlink()


def tick(port: int) -> None:
    urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}/_control/tick", method="POST")
    ).read()


if __name__ == "__main__":
    main()
