"""Compare our extraction with trafilatura, readability-lxml and newspaper4k (those that are installed), in one run.

    python benchmarks/extraction.py DATA... [--limit N] [--only ours,trafilatura]

DATA is a folder with `index.jsonl`, one page a line: id, url, html (path of a .html.gz), text, and if known paragraphs,
with, without, title, authors, date. Metadata is part of the work where the extractor can do it. Printed per folder:

  shingle  F1 of the mean precision and recall of 4-word shingles (scrapinghub/article-extraction-benchmark)
  word     mean F1 of the bags of words (WCXB)
  par      mean F1 of whole paragraphs, equal after white space is normalised (dobbersc/fundus-evaluation)
  with     share of the snippets that must be there which are; without: of those that must not be
  title, author, date   share right, of the pages whose gold has them
  ms       mean CPU time of a page in milliseconds, and as a ratio to trafilatura's

`score(html, url)` is the adapter that other harnesses call: a dict with text, paragraphs, title, authors and date.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import re
import statistics
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aggregator.extract import extract

WORD = re.compile(r"\w+")
Result = dict[str, Any]


def score(html: str, url: str) -> Result:
    document = extract(html, url or None)
    return {
        "text": document.text,
        "paragraphs": list(document.paragraphs),
        "title": document.title,
        "authors": list(document.authors),
        "date": document.published.isoformat() if document.published else None,
    }


def trafilatura(html: str, url: str) -> Result:
    from trafilatura import bare_extraction

    found = bare_extraction(html, url=url or None, include_comments=False, with_metadata=True)
    data = found.as_dict() if found else {}
    return {
        "text": data.get("text"),
        "title": data.get("title"),
        "authors": data.get("author"),
        "date": data.get("date"),
    }


def readability(html: str, url: str) -> Result:
    from lxml.html import fromstring
    from readability import Document

    page = Document(html)
    tree = fromstring(page.summary())
    lines = [
        " ".join(part.text_content().split())
        for part in tree.iter("p", "h2", "h3", "li", "blockquote", "pre")
    ]
    return {"text": "\n\n".join(line for line in lines if line), "title": page.short_title()}


def newspaper4k(html: str, url: str) -> Result:
    from newspaper import Article

    page = Article(url or "https://example.org/")
    page.download(input_html=html)
    page.parse()
    date = page.publish_date.isoformat() if page.publish_date else None
    return {"text": page.text, "title": page.title, "authors": page.authors, "date": date}


EXTRACTORS: dict[str, tuple[str, Callable[[str, str], Result]]] = {
    "ours": ("aggregator", score),
    "trafilatura": ("trafilatura", trafilatura),
    "readability": ("readability", readability),
    "newspaper4k": ("newspaper", newspaper4k),
}


# ------------------------------------------------------------------------------------- measures


def overlap(gold: Counter[Any], found: Counter[Any]) -> tuple[float, float]:
    """Precision and recall of one bag against another."""
    hit = sum((gold & found).values())
    return hit / max(sum(found.values()), 1), hit / max(sum(gold.values()), 1)


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def shingles(text: str) -> Counter[Any]:
    words = WORD.findall(text)
    return Counter(tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3)) if words[i : i + 4])


def fold(text: str | None) -> str:
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text or "").casefold()))


def lines_of(text: str) -> list[str]:
    return [line for line in (" ".join(part.split()) for part in text.split("\n")) if line]


def title_right(gold: str, found: str | None) -> bool:
    one, other = fold(gold), fold(found)
    alike = min(len(one), len(other)) >= 0.6 * max(len(one), len(other)) and (one in other or other in one)
    return bool(other) and alike


def authors_right(gold: Iterable[str], found: Any) -> bool:
    names = " ".join(found) if isinstance(found, list) else (found or "")
    wanted, have = Counter(fold(" ".join(gold)).split()), Counter(fold(names).split())
    return bool(have) and not wanted - have and sum((have - wanted).values()) <= 2


def measure(page: dict[str, Any], result: Result) -> dict[str, Any]:
    text = result.get("text") or ""
    values: dict[str, Any] = {}
    if page.get("text"):
        gold = shingles(page["text"])
        found = shingles(text)
        precision, recall = overlap(gold, found)
        values["shingle"] = (precision if found else None, recall)
        words = overlap(Counter(WORD.findall(page["text"].lower())), Counter(WORD.findall(text.lower())))
        values["word"] = f1(*words)
    if page.get("paragraphs"):
        own = [" ".join(line.split()) for line in result.get("paragraphs") or lines_of(text)]
        values["par"] = f1(
            *overlap(Counter(" ".join(line.split()) for line in page["paragraphs"]), Counter(own))
        )
    for key in ("with", "without"):
        if page.get(key):
            values[key] = statistics.fmean(snippet.lower() in text.lower() for snippet in page[key])
    if page.get("title"):
        values["title"] = title_right(page["title"], result.get("title"))
    if page.get("authors"):
        values["author"] = authors_right(page["authors"], result.get("authors"))
    if page.get("date"):
        values["date"] = str(page["date"])[:10] == str(result.get("date"))[:10]
    return values


def summarise(rows: list[dict[str, Any]]) -> dict[str, float]:
    summary: dict[str, float] = {}
    pairs = [row["shingle"] for row in rows if "shingle" in row]
    if pairs:
        precise = [precision for precision, _ in pairs if precision is not None]
        summary["shingle"] = f1(
            statistics.fmean(precise) if precise else 0.0, statistics.fmean(r for _, r in pairs)
        )
    for key in ("word", "par", "with", "without", "title", "author", "date"):
        values = [float(row[key]) for row in rows if key in row]
        if values:
            summary[key] = statistics.fmean(values)
    return summary


# ------------------------------------------------------------------------------------------- run


def pages(folder: Path, limit: int | None = None, step: int = 1) -> list[tuple[dict[str, Any], str]]:
    """The labelled pages of a folder with their markup; every `step`-th, at most `limit`."""
    records = [json.loads(line) for line in (folder / "index.jsonl").open(encoding="utf-8")][::step][:limit]
    return [
        (record, gzip.decompress((folder / record["html"]).read_bytes()).decode("utf-8", "replace"))
        for record in records
    ]


def run(name: str, data: list[tuple[dict[str, Any], str]]) -> dict[str, float]:
    """Quality and mean CPU milliseconds of one extractor; a page it fails on counts as no text."""
    extractor = EXTRACTORS[name][1]
    for record, markup in data[:3]:
        attempt(extractor, markup, record.get("url") or "")
    rows, spent = [], 0.0
    for record, markup in data:
        start = time.process_time()
        result = attempt(extractor, markup, record.get("url") or "")
        spent += time.process_time() - start
        rows.append(measure(record, result))
    return {**summarise(rows), "ms": spent / len(data) * 1000}


def attempt(extractor: Callable[[str, str], Result], markup: str, url: str) -> Result:
    try:
        return extractor(markup, url)
    except Exception:  # what a peer raises on a page is its result
        return {}


def importable(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError as error:
        print(f"left out: {error}")
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--only", help="comma-separated names of extractors")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(EXTRACTORS)
    names = [name for name in names if importable(EXTRACTORS[name][0])]
    for folder in options.data:
        data = pages(folder, options.limit)
        results = {name: run(name, data) for name in names}
        columns = list(results[names[0]])
        base = results.get("trafilatura", {}).get("ms")
        print(f"\n{folder.name}, {len(data)} pages")
        print(f"{'':<13}" + "".join(f"{column:>9}" for column in columns) + ("    ratio" if base else ""))
        for name, values in results.items():
            cells = [values[c] if c == "ms" else values[c] * 100 for c in columns if c in values]
            line = f"{name:<13}" + "".join(f"{cell:>9.1f}" for cell in cells)
            print(line + (f"{values['ms'] / base:>9.2f}" if base else ""))


if __name__ == "__main__":
    main()
