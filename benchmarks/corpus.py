"""Never fewer entries than feedparser alone: compared over a folder of feed documents.

    pip download --no-binary :all: --no-deps feedparser && tar xzf feedparser-*.tar.gz
    python benchmarks/corpus.py feedparser-*/tests

Every file in the folder, whatever it is called, is read by feedparser and by ours, without HTTP headers. Printed are
the documents and entries of both, which documents gave fewer entries here, which raised anything but ParseError,
and the slowest. Ends with 1 if there is one of the first two kinds.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import warnings
from pathlib import Path

import feedparser

from aggregator.errors import ParseError
from aggregator.parse import Parser

URL = "https://news.example/feed"
LARGEST = 15_000_000  # bytes; `max_feed_bytes` of the settings


def entries_of_feedparser(body: bytes) -> int | None:
    """None: it raises."""
    try:
        return len(feedparser.parse(io.BytesIO(body)).entries)
    except Exception:
        return None


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path)
    options.add_argument("--show", type=int, default=20, help="how many documents of each kind to name")
    asked = options.parse_args()
    warnings.simplefilter("ignore")
    files = [path for path in sorted(asked.folder.rglob("*")) if path.is_file()]
    theirs = ours = raised = 0
    fewer, more, bugs, slowest = [], 0, [], (0.0, "")
    with Parser() as parser:
        for path in files:
            body = path.read_bytes()[:LARGEST]
            expected = entries_of_feedparser(body)
            began = time.process_time()
            try:
                found = len(parser.parse(body, URL).entries)
            except ParseError:
                found = 0
            except Exception as bug:
                bugs.append(f"{path}: {bug!r}")
                continue
            slowest = max(slowest, (time.process_time() - began, str(path)))
            raised += expected is None
            theirs, ours = theirs + (expected or 0), ours + found
            more += found > (expected or 0)
            if found < (expected or 0):
                fewer.append(f"{path}: {found} of {expected}")
    print(f"{len(files)} documents; feedparser raises on {raised}, ours on {len(bugs)}")
    print(f"entries: feedparser {theirs}, ours {ours}; more in {more} documents, fewer in {len(fewer)}")
    print(f"slowest here: {slowest[0]:.2f} s, {slowest[1]}")
    for line in [*fewer[: asked.show], *bugs[: asked.show]]:
        print(" ", line)
    return 1 if fewer or bugs else 0


if __name__ == "__main__":
    sys.exit(main())
