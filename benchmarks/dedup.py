"""How well copies are folded and what it costs, beside MinHash libraries, in one run.

    python -m benchmarks.dedup DATA [--sets NAMES] [--archive STORIES]

DATA is the folder with wire_dev20k, wire_dev2k, wire_hand_dev and wire_reuters_dev. Prints, per set, pair precision,
recall and F1, B-cubed F1, the share of copies left over, of stories lost and of false merges by kind, and documents a
second of CPU. Where `datasketch` or `rensa` can be imported (run it with an interpreter that has them; the program
itself needs neither), they judge the same stream with the same window: 128 permutations over five-word shingles, the
best candidate joined if it resembles by half, the threshold that served them best on wire_dev20k.

--archive measures the index in SQLite at 10,000 and at that many stories: judging and adding real texts, one
transaction each, with the bytes on disk, the slowest hundredth, and the memory.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import random
import resource
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aggregator import dedup, words
from aggregator.dedup.judge import WINDOW
from aggregator.model import Candidate

SETS: dict[str, tuple[str, str, bool]] = {  # name -> documents, truth, whether only the texts are given
    "wire_dev2k": ("wire_dev2k/docs.jsonl.gz", "wire_dev2k/gold.jsonl.gz", False),
    "wire_dev20k": ("wire_dev20k/docs.jsonl.gz", "wire_dev20k/gold.jsonl.gz", False),
    "wire_dev20k, text only": ("wire_dev20k/docs.jsonl.gz", "wire_dev20k/gold.jsonl.gz", True),
    "hand, English": ("wire_hand_dev/english_docs.jsonl", "wire_hand_dev/english_gold.jsonl", False),
    "hand, other languages": (
        "wire_hand_dev/multilingual_docs.jsonl",
        "wire_hand_dev/multilingual_gold.jsonl",
        False,
    ),
    "reuters": ("wire_reuters_dev/docs.jsonl.gz", "wire_reuters_dev/pairs.jsonl.gz", False),
}
Docs = list[dict[str, Any]]
Clusters = dict[str, str]


def read(path: Path) -> Docs:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def load(data: Path, name: str) -> tuple[Docs, Docs]:
    """The documents and the truth of a set."""
    docs_at, truth_at, text_only = SETS[name]
    docs = read(data / docs_at)
    if text_only:
        docs = [{"id": doc["id"], "text": doc["text"]} for doc in docs]
    return docs, read(data / truth_at)


# ----------------------------------------------------------------------------------------- scores


def score(truth: Docs, found: Clusters) -> dict[str, float]:
    """Of clusters: all pairs, B-cubed (Bagga and Baldwin 1998), and what a reader sees of the kept documents."""
    gold = {str(row["id"]): str(row["cluster"]) for row in truth}
    cells = Counter((gold[name], found[name]) for name in gold)
    gold_sizes, found_sizes = Counter(gold.values()), Counter(found[name] for name in gold)
    both, gold_pairs, found_pairs = (
        sum(n * (n - 1) // 2 for n in sizes.values()) for sizes in (cells, gold_sizes, found_sizes)
    )
    precision, recall = both / max(1, found_pairs), both / max(1, gold_pairs)
    b_precision = sum(n * n / found_sizes[cluster] for (_, cluster), n in cells.items()) / len(gold)
    b_recall = sum(n * n / gold_sizes[story] for (story, _), n in cells.items()) / len(gold)
    told: set[str] = set()
    left = 0
    for name, story in gold.items():
        if found[name] == name:
            left += story in told
            told.add(story)
    mixed = {
        cluster for cluster in found_sizes if len({story for story, other in cells if other == cluster}) > 1
    }
    kinds = Counter(str(row.get("kind")) for row in truth)
    merged = Counter(str(row.get("kind")) for row in truth if found[str(row["id"])] in mixed)
    return {
        "P": precision,
        "R": recall,
        "F1": _f1(precision, recall),
        "B3": _f1(b_precision, b_recall),
        "left": left / max(1, len(gold) - len(gold_sizes)),
        "lost": (len(gold_sizes) - len(told)) / len(gold_sizes),
        "lost stories": len(gold_sizes) - len(told),
        **{f"merged {kind}": n / kinds[kind] for kind, n in sorted(merged.items())},
    }


def score_pairs(truth: Docs, found: Clusters) -> dict[str, float]:
    """Of labelled pairs: 1 one story, 0 two stories."""
    count = Counter(
        (row["label"], found[row["a"]] == found[row["b"]]) for row in truth if row.get("label") in (0, 1)
    )
    precision = count[1, True] / max(1, count[1, True] + count[0, True])
    recall = count[1, True] / max(1, count[1, True] + count[1, False])
    false = count[0, True] / max(1, count[0, True] + count[0, False])
    return {"P": precision, "R": recall, "F1": _f1(precision, recall), "false merges": false}


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def judge_set(data: Path, name: str, method: Callable[[Docs], Clusters]) -> tuple[dict[str, float], float]:
    """The scores of a method on a set, and its documents a second of CPU."""
    docs, truth = load(data, name)
    started = time.process_time()
    found = method(docs)
    seconds = time.process_time() - started
    scores = score_pairs(truth, found) if "label" in truth[0] else score(truth, found)
    return scores, len(docs) / seconds


# ---------------------------------------------------------------------------------------- methods


def ours(docs: Iterable[dict[str, Any]]) -> Clusters:
    return {row["id"]: row["cluster"] for row in dedup.stream(docs)}


def _five_words(docs: Docs) -> Iterator[tuple[str, float, list[str]]]:
    for doc in docs:
        found = words.words(doc["text"])
        when = datetime.fromisoformat(doc["published"]).timestamp() if doc.get("published") else 0.0
        yield str(doc["id"]), when, [" ".join(found[i : i + 5]) for i in range(max(1, len(found) - 4))]


def with_datasketch(docs: Docs) -> Clusters:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.5, num_perm=128)
    kept: dict[str, tuple[float, Any]] = {}
    clusters: Clusters = {}
    for name, when, shingles in _five_words(docs):
        one = MinHash(num_perm=128)
        one.update_batch([shingle.encode() for shingle in shingles])
        near = [
            (one.jaccard(kept[other][1]), other)
            for other in index.query(one)
            if abs(when - kept[other][0]) <= WINDOW
        ]
        likeness, best = max(near, default=(0.0, name))
        clusters[name] = best if likeness >= 0.5 else name
        if clusters[name] == name:
            kept[name] = when, one
            index.insert(name, one)
    return clusters


def with_rensa(docs: Docs) -> Clusters:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=0.5, num_perm=128, num_bands=32)
    kept: dict[int, tuple[str, float, Any]] = {}
    clusters: Clusters = {}
    for number, (name, when, shingles) in enumerate(_five_words(docs)):
        one = RMinHash(num_perm=128, seed=42)
        one.update(shingles)
        near = [
            (one.jaccard(kept[n][2]), kept[n][0])
            for n in index.query(one)
            if abs(when - kept[n][1]) <= WINDOW
        ]
        likeness, best = max(near, default=(0.0, name))
        clusters[name] = best if likeness >= 0.5 else name
        if clusters[name] == name:
            kept[number] = name, when, one
            index.insert(number, one)
    return clusters


METHODS: dict[str, Callable[[Docs], Clusters]] = {
    "aggregator": ours,
    **{
        name: method
        for name, method in (("datasketch", with_datasketch), ("rensa", with_rensa))
        if importlib.util.find_spec(name)
    },
}

# ------------------------------------------------------------------------------- the index on disk

DAY = 86_400.0


def archive(data: Path, sizes: list[int], per_day: int) -> None:
    """Judge and add the texts of wire_dev2k on top of an archive whose other stories share nothing with them."""
    from aggregator.store.postings import Postings  # here, so that the scores above need numpy alone

    docs, _ = load(data, "wire_dev2k")
    print(
        f"\nindex in SQLite, {per_day:,} stories a day: CPU us a document, slowest hundredth ms, bytes a story, MB"
    )
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index.db"
            connection = sqlite3.connect(path, isolation_level=None)
            connection.executescript(
                "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -16000;"
                "create table _postings (posting integer not null, article_id integer not null,"
                " primary key (posting, article_id)) strict, without rowid;"
                "create table articles (id integer primary key, title text, text text, published real, outlet text)"
            )
            now = datetime(2026, 5, 11, tzinfo=UTC).timestamp()
            postings = Postings(connection)
            chance = random.Random(1)
            for start in range(0, size, 2_000):
                connection.execute("begin")
                for number in range(start, min(size, start + 2_000)):
                    when = now - (size - number) / per_day * DAY
                    postings.add(number, [chance.getrandbits(32) for _ in range(POSTINGS)], when)
                connection.execute("commit")
            connection.execute("pragma wal_checkpoint(truncate)")
            on_disk = path.stat().st_size / size
            took = []
            started = time.process_time()
            for number, doc in enumerate(docs, start=size):
                begun = time.process_time()
                _place(connection, postings, number, doc, now + number / per_day)
                took.append(time.process_time() - begun)
            cost = (time.process_time() - started) / len(docs)
            connection.close()
        slow = sorted(took)[int(len(took) * 0.99)]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{size:>12,}  {cost * 1e6:8.0f}  {slow * 1e3:8.1f}  {on_disk:8.0f}  {memory:8.0f}", flush=True)


#: Postings of a story of 300 words.
POSTINGS = 35


def _place(
    connection: sqlite3.Connection, postings: Any, number: int, doc: dict[str, Any], when: float
) -> None:
    published = datetime.fromtimestamp(when, UTC)
    sketch = dedup.sketch(doc["title"], doc["text"], published=published)
    connection.execute("begin immediate")
    candidates = []
    for hit in postings.candidates(sketch.probes.tolist(), when, WINDOW):
        row = connection.execute(
            "select title, text, published, outlet from articles where id = ?", (hit.article_id,)
        ).fetchone()
        if row is not None:
            kept = datetime.fromtimestamp(row[2], UTC)
            candidates.append(Candidate(hit.article_id, row[0], row[1], kept, row[3], shared=hit.shared))
    if dedup.judge(sketch, candidates).copy_of is None:
        values = (number, doc["title"], doc["text"], when, doc["outlet"])
        connection.execute("insert into articles values (?, ?, ?, ?, ?)", values)
        postings.add(number, sketch.postings.tolist(), when)
    connection.execute("commit")


# -------------------------------------------------------------------------------------------- main


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--sets", default=";".join(SETS), help=f"separated by semicolons, of: {'; '.join(SETS)}"
    )
    parser.add_argument(
        "--archive", type=int, help="measure the index in SQLite at 10,000 and at so many stories"
    )
    parser.add_argument("--per-day", type=int, default=20_000, help="stories a day in that archive")
    given = parser.parse_args()
    for name in [part.strip() for part in given.sets.split(";") if part.strip()]:
        print(f"\n{name}")
        own = 0.0
        for label, method in METHODS.items():
            scores, speed = judge_set(given.data, name, method)
            own = own or speed
            figures = "  ".join(
                f"{key} {value:.0f}" if key == "lost stories" else f"{key} {value:.4f}"
                for key, value in scores.items()
            )
            print(f"  {label:11s} {speed:6.0f} docs/s ({speed / own:4.2f} x)  {figures}", flush=True)
    if given.archive:
        archive(given.data, [10_000, given.archive], given.per_day)


if __name__ == "__main__":
    main()
