"""How well copies are folded and what it costs, beside MinHash libraries, in one run.

    python -m benchmarks.dedup DATA [--sets NAMES] [--events] [--store] [--archive STORIES] [--index STORIES]

DATA is the folder with wire_dev20k, wire_dev2k, wire_hand_dev and wire_reuters_dev. Prints, per set, pair precision,
recall and F1, B-cubed F1, the share of copies left over, of stories lost and of false merges by kind, and documents a
second of CPU. Where `datasketch` or `rensa` can be imported (run it with an interpreter that has them; the program
itself needs neither), they judge the same stream with the same window: 128 permutations over five-word shingles, the
best candidate joined if it resembles by half, the threshold that served them best on wire_dev20k.

--events tells how many independent reports of one event are linked: of the hand-written ones right and wrong, and of
wire_dev20k the share of each kind that is linked to another story.
--store judges and stores the texts of wire_dev20k through the program's own database, full-text search and all.
--archive does that for wire_dev2k on top of 10,000 and of that many stories, one transaction each: the slowest
hundredth, the bytes of the index on disk, the memory, and how long the database takes to open.
--index does the same over the index alone.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aggregator import dedup, words
from aggregator.candidates import COMMON
from aggregator.dedup.judge import WINDOW
from aggregator.pipeline.stories import TOGETHER

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

# ------------------------------------------------------------------------------------------ events

#: Which stories of the hand-written English set are about one event: the gold tells copies only.
SAME_EVENT = {
    "e01": "s01", "e02": "s04", "e03": "s05", "e04": "s12", "e05": "s08", "f01": "s09", "f02": "s13", "f03": "s12",
    "f04": "s04", "b01": "s04", "b02": "s03", "b03": "s05", "b04": "s02", "b05": "s06", "b06": "s15", "p02": "p01",
    "p04": "p03", "p06": "p05",
}  # fmt: skip


def event_of(cluster: str) -> str:
    """The event of a hand-written cluster: reports are named -ev after it in the other languages, translations tr-."""
    return SAME_EVENT.get(cluster, cluster.removesuffix("-ev").removeprefix("tr-"))


def events(data: Path) -> None:
    print("\nevents: links between stories that are no copies")
    for name in ("hand, English", "hand, other languages"):
        docs, truth = load(data, name)
        gold = {str(row["id"]): str(row["cluster"]) for row in truth}
        linked = [(row["id"], row["event"]) for row in dedup.stream(docs, events=True) if row["event"]]
        right = sum(event_of(gold[a]) == event_of(gold[b]) for a, b in linked)
        clusters = set(gold.values())
        possible = len(clusters) - len({event_of(cluster) for cluster in clusters})
        print(f"  {name}: {right} right, {len(linked) - right} wrong, {possible} possible")
    docs, truth = load(data, "wire_dev20k")
    kinds = {str(row["id"]): str(row["kind"]) for row in truth}
    kept, linked_kinds = Counter[str](), Counter[str]()
    for row in dedup.stream(docs, events=True):
        kept[kinds[row["id"]]] += row["kept"]
        linked_kinds[kinds[row["id"]]] += row["event"] is not None
    shares = ", ".join(f"{kind} {linked_kinds[kind] / kept[kind]:.3f}" for kind in sorted(kept))
    print(f"  wire_dev20k, linked of the kept documents: {shares}")


# ------------------------------------------------------------------------------------- the database

DAY = 86_400.0
#: Postings of a story of 300 words, and its topics: words, some of which every other story has.
POSTINGS = 35
TOPICS = 18


def _story(doc: dict[str, Any], published: datetime) -> Any:
    from aggregator.model import Story

    when = published.strftime("%Y-%m-%dT%H:%M:%SZ")
    url = f"https://{doc['outlet']}/{doc['id']}"
    return Story(
        title=doc["title"], published_at=when, site=doc["outlet"], feed_id=None, agency=None, byline=None,
        language="en", summary=None, text=doc["text"], words=words.count(doc["text"]), image=None, tags=(), url=url,
        source="page", problem=None, flags=(), first_seen_at=when, keys=(url,),
    )  # fmt: skip


def _pending(doc: dict[str, Any]) -> Any:
    from aggregator.model import Entry, Pending

    entry = Entry(None, doc["url"], doc["title"])
    return Pending(None, 1, "https://feed.example/", None, 50, entry, doc["id"])  # type: ignore[arg-type]


def _place(several: Sequence[tuple[Any, Any]], database: Any, now: datetime) -> None:
    """What a round does with several (pending entry, story) in one transaction."""
    from aggregator.pipeline import stories

    sketches = [stories.sketch_of(story) for _, story in several]
    terms = [stories.terms_of(sketch) for sketch in sketches]
    with database.transaction():
        new = []
        for (item, story), sketch, found_by in zip(several, sketches, terms, strict=True):
            saved = stories.place(item, story, sketch, found_by, database, WINDOW, now)
            if saved.kind == "article":
                new.append((saved.article_id, sketch))
        for article_id, sketch in new:
            stories.relate(article_id, sketch, database, WINDOW, new=True)


def store(data: Path) -> None:
    """Judge and store a whole set, `TOGETHER` texts in one transaction, as a round does."""
    from aggregator.store import Store

    docs, _ = load(data, "wire_dev20k")
    ready = [(_pending(doc), _story(doc, datetime.fromisoformat(doc["published"]))) for doc in docs]
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "news.db") as database:
        started = time.process_time()
        for start in range(0, len(ready), TOGETHER):
            _place(ready[start : start + TOGETHER], database, now)
        seconds = time.process_time() - started
        totals = database.reading.totals(now)
    speed = len(docs) / seconds
    print(
        f"\nthrough the store: {speed:.0f} docs/s, {totals['articles']:,} stories, {totals['copies']:,} copies"
    )


def archive(data: Path, sizes: list[int], per_day: int, *, index_alone: bool) -> None:
    """Judge and add the texts of wire_dev2k on top of an archive whose other stories share nothing with them."""
    from aggregator.store import Store

    docs, _ = load(data, "wire_dev2k")
    what = "index alone" if index_alone else "archive"
    print(
        f"\n{what}, {per_day:,} stories a day: CPU us a document, slowest hundredth ms, index bytes a story, MB, open s"
    )
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "news.db"
            now = datetime(2026, 5, 11, tzinfo=UTC).timestamp()
            # In a process of its own, whose memory does not count.
            filling = multiprocessing.Process(
                target=_fill, args=(path, size, now, per_day, None if index_alone else docs)
            )
            filling.start()
            filling.join()
            begun = time.perf_counter()
            database = Store(path)
            opened = time.perf_counter() - begun
            pages = database.connection.value(
                "select sum(pgsize) from dbstat where name in ('_postings', '_topics')"
            )
            took = []
            started = time.process_time()
            for number, doc in enumerate(docs):
                begun_one = time.process_time()
                story = _story(doc, datetime.fromtimestamp(now + number * DAY / per_day, UTC))
                _place([(_pending(doc), story)], database, datetime.now(UTC))
                took.append(time.process_time() - begun_one)
            cost = (time.process_time() - started) / len(docs)
            database.close()
        slow = sorted(took)[int(len(took) * 0.99)]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{size:>12,}  {cost * 1e6:8.0f}  {slow * 1e3:8.1f}  {pages / size:8.0f}  {memory:8.0f}  {opened:8.2f}",
            flush=True,
        )


def _fill(path: Path, size: int, now: float, per_day: int, texts: Docs | None) -> None:
    """An archive of `size` stories that end now: rows of the indexes with chance postings, and texts if wanted."""
    from aggregator.store import Store

    with Store(path) as database:
        _fill_with(database, size, now, per_day, texts)


def _fill_with(database: Any, size: int, now: float, per_day: int, texts: Docs | None) -> None:
    chance = random.Random(1)
    for start in range(0, size if texts is not None else 0, TOGETHER):
        with database.transaction():
            for number in range(start, min(size, start + TOGETHER)):
                doc = texts[number % len(texts)]  # type: ignore[index]
                stamp = datetime.fromtimestamp(now - (size - number) * DAY / per_day, UTC).strftime(
                    "%Y-%m-%dT%H:%M:%SZ"
                )
                shuffled = doc["text"].split()
                chance.shuffle(shuffled)
                database.connection.insert(
                    "articles", id=number + 1, title=doc["title"], published_at=stamp, site=doc["outlet"],
                    text=" ".join(shuffled), words=len(shuffled), url=f"https://old.example/{number}", source="page",
                    first_seen_at=stamp, changed_at=stamp,
                )  # fmt: skip
    bits = np.random.default_rng(1)
    _fill_index(
        database,
        "_postings",
        size,
        0,
        now,
        per_day,
        lambda n: bits.integers(0, 2**32, n * POSTINGS, np.uint64),
    )
    topics_since = max(0, size - 8 * per_day)  # older ones are forgotten
    _fill_index(
        database, "_topics", size, topics_since, now, per_day,
        lambda n: np.fmod(bits.random(n * TOPICS) ** (-1 / 0.15), 2.0**32).astype(np.uint64),
    )  # fmt: skip
    database.connection.execute("pragma wal_checkpoint(truncate)")


def _fill_index(
    database: Any,
    table: str,
    size: int,
    since: int,
    now: float,
    per_day: int,
    draw: Callable[[int], NDArray[np.uint64]],
) -> None:
    """The rows that adding the stories one by one would have made, stretch by stretch and sorted: that is ten times as
    fast. `draw`: the postings of so many stories, one after another."""
    from aggregator.store import postings

    numbers = np.arange(since, size)
    stretches = ((now - (size - numbers) * DAY / per_day) // postings.STRETCH).astype(np.uint64)
    for stretch in np.unique(stretches):
        stories = numbers[stretches == stretch] + 1
        drawn = draw(len(stories)) & np.uint64(postings.POSTING)
        keys = (stretch << np.uint64(postings.BITS)) | drawn
        holders = np.repeat(stories, len(drawn) // len(stories))
        order = np.argsort(keys, kind="stable")
        keys, holders = keys[order], holders[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        ends = np.append(starts[1:], len(keys))
        with database.transaction():
            database.connection.executemany(
                f"insert into {table} (posting, articles) values (?, ?)",
                (
                    (key, postings.packed(tuple(dict.fromkeys(holders[a:b].tolist()))[:COMMON]))
                    if b - a > 1
                    else (key, int(holders[a]))
                    for key, a, b in zip(keys[starts].tolist(), starts.tolist(), ends.tolist(), strict=True)
                ),
            )


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
    parser.add_argument("--index", type=int, help="the same over the index alone")
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--store", action="store_true")
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
    if given.events:
        events(given.data)
    if given.store:
        store(given.data)
    for size, index_alone in ((given.archive, False), (given.index, True)):
        if size:
            archive(given.data, [10_000, size], given.per_day, index_alone=index_alone)


if __name__ == "__main__":
    main()
