"""What reading a feed costs: feedparser alone against ours, in one run, so that the ratios hold on any machine.

    python benchmarks/parsing.py [--feeds 40] [--entries 20]

For each kind of made-up feed: the first reading (all entries are new), a normal poll (one of them is) and a poll
of a server that never says 304 (none is). CPU milliseconds per document, the best of three passes.
"""

from __future__ import annotations

import argparse
import io
import random
import time
from collections.abc import Callable
from email.utils import formatdate
from html import escape

import feedparser

from aggregator.parse import parse

WORDS = """the council of and to in a bridge harbour minister said storm that would vote on budget school after when
new river port price farmers strike talks north court police week city people island ferry rain report by with"""
URL = "https://news.example/feed"
HEADERS = {"content-location": URL, "content-type": "application/rss+xml; charset=utf-8"}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--feeds", type=int, default=40)
    options.add_argument("--entries", type=int, default=20)
    args = options.parse_args()
    print(
        f"{'CPU ms per document':24}{'kB':>6}{'feedparser':>12}{'first':>8}{'1 new':>8}{'none new':>10}  ratios"
    )
    for name, make in {
        "RSS, summaries": rss,
        "RSS, full text": full_rss,
        "Atom, full text": atom,
        "RDF": rdf,
    }.items():
        documents = [make(random.Random(number), args.entries) for number in range(args.feeds)]
        size = sum(map(len, documents)) / len(documents) / 1000
        hashes = [[entry.raw_hash for entry in parse(document, URL).entries] for document in documents]
        but_one = [frozenset(known[1:]) for known in hashes]
        every = [frozenset(known) for known in hashes]
        alone = cost(
            lambda document, _: feedparser.parse(io.BytesIO(document), response_headers=HEADERS),
            documents,
            every,
        )
        ours = [
            cost(lambda document, seen: parse(document, URL, seen=seen), documents, seen)
            for seen in ([frozenset[str]()] * len(documents), but_one, every)
        ]
        ratios = "  ".join(f"{one / alone:.2f}" for one in ours)
        print(f"{name:24}{size:6.0f}{alone:12.2f}{ours[0]:8.2f}{ours[1]:8.2f}{ours[2]:10.2f}  {ratios}")


def cost(
    read: Callable[[bytes, frozenset[str]], object], documents: list[bytes], seen: list[frozenset[str]]
) -> float:
    passes = []
    for _ in range(3):
        began = time.process_time()
        for document, known in zip(documents, seen, strict=True):
            read(document, known)
        passes.append((time.process_time() - began) / len(documents) * 1000)
    return min(passes)


def text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS.split(), k=words)).capitalize() + "."


def item(rng: random.Random, number: int, content: str = "") -> str:
    return (
        f"<item><title>{text(rng, 9)}</title><link>https://news.example/{number}.html</link>"
        f"<guid isPermaLink='false'>{rng.random()}</guid><pubDate>{formatdate(1.79e9 - number * 3600)}</pubDate>"
        f"<dc:creator>Desk {number % 7}</dc:creator><category>News</category>"
        f"<description>{text(rng, 45)}</description>{content}</item>\n"
    )


def rss(rng: random.Random, entries: int, paragraphs: int = 0) -> bytes:
    items = []
    for number in range(entries):
        html = "".join(f"<p>{text(rng, 60)} <a href='/x'>{text(rng, 3)}</a></p>" for _ in range(paragraphs))
        items.append(item(rng, number, f"<content:encoded>{escape(html)}</content:encoded>" if html else ""))
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'"
        " xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>Harbour News</title>"
        f"<link>https://news.example/</link><description>News</description>{''.join(items)}</channel></rss>"
    ).encode()


def full_rss(rng: random.Random, entries: int) -> bytes:
    return rss(rng, entries, paragraphs=5)


def atom(rng: random.Random, entries: int) -> bytes:
    rows = "".join(
        f"<entry><title>{text(rng, 9)}</title><link href='https://news.example/{number}.html'/><id>tag:{rng.random()}</id>"
        f"<updated>2026-11-{number % 20 + 1:02}T10:00:00+01:00</updated><summary>{text(rng, 45)}</summary>"
        f"<content type='html'>{escape(''.join(f'<p>{text(rng, 60)}</p>' for _ in range(5)))}</content></entry>\n"
        for number in range(entries)
    )
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n<feed xmlns='http://www.w3.org/2005/Atom'><title>Harbour News</title>"
        f"<id>https://news.example/</id><link href='https://news.example/'/>{rows}</feed>"
    ).encode()


def rdf(rng: random.Random, entries: int) -> bytes:
    rows = "".join(
        f"<item rdf:about='https://news.example/{number}.html'><title>{text(rng, 9)}</title>"
        f"<link>https://news.example/{number}.html</link><description>{text(rng, 45)}</description></item>\n"
        for number in range(entries)
    )
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n<rdf:RDF xmlns='http://purl.org/rss/1.0/'"
        " xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><channel rdf:about='https://news.example/'>"
        f"<title>Harbour News</title><link>https://news.example/</link></channel>{rows}</rdf:RDF>"
    ).encode()


if __name__ == "__main__":
    main()
