"""What the README shows is made by running it: `cog -r README.md` writes, `cog --check README.md` compares."""

from __future__ import annotations

import functools
import os
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

QUESTIONS = (
    (
        "What is everyone running?",
        "select title, copies + 1 as outlets, agency from articles\n"
        "where copies > 0 order by copies desc, title limit 5",
    ),
    (
        "Who copies whom?",
        "select kept_from, copied_by, copies, mean_containment from who_copies_whom\n"
        "order by copies desc, kept_from, copied_by limit 5",
    ),
    (
        "Why was this folded away, and how sure are we?",
        "select d.title, d.site, d.reason, d.resemblance, d.containment, d.confidence\n"
        "from duplicates d join articles a on a.id = d.article_id\n"
        "where a.title like '%water treaty%' order by d.resemblance desc",
    ),
    (
        "What was taken from the pages, by which rule?",
        "select reason, blocks, texts from removed_by_rule order by blocks desc limit 5",
    ),
    (
        "Which feeds need me?",
        "select title, error_kind, error from feeds where status = 'failing' order by title",
    ),
)

#: The story with the most to show: copies, and what was removed from its page.
PICTURED = "select id from articles where source = 'page' order by copies desc, id limit 1"

BROKEN = """\
feeds:
  - url: https://example.org/rss
    interval: 10 minuets
  - url: https://agency.example/rss
    fulltxt: false
  - ftp://old.example/rss
"""


def help_text() -> str:
    """`aggregator --help`, as a code block."""
    command = [sys.executable, "-m", "aggregator", "--help"]
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    return _block(
        "text", subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    )


def broken_config() -> str:
    """A feeds.yaml with three mistakes, and what `aggregator check` says of it."""
    from aggregator import config
    from aggregator.errors import ConfigError

    try:
        config.parse(BROKEN.encode(), "feeds.yaml")
    except ConfigError as error:
        return _block("text", str(error))
    raise AssertionError("the broken example is not broken")


def questions() -> str:
    """Five questions to the demo's database, with their real answers."""
    database = sqlite3.connect(_demo())
    parts = []
    for question, sql in QUESTIONS:
        cursor = database.execute(sql)
        names = [column[0] for column in cursor.description]
        answer = _table(names, cursor.fetchall())
        parts.append(f"**{question}**\n\n" + _block("sql", sql) + "\n" + _block("text", answer))
    return "\n\n".join(parts)


def the_same_in_the_terminal() -> str:
    """The story of the picture in the README, by its number: the most copied one whose page was visited."""
    (story,) = sqlite3.connect(_demo()).execute(PICTURED).fetchone()
    return f"The same in the terminal is `aggregator why {story}` (`--diff` puts the texts side by side)."


@functools.cache
def _demo() -> Path:
    from aggregator import demo

    folder = Path(tempfile.mkdtemp())
    demo.run(folder)
    return folder / "db" / "news.db"


def _table(names: list[str], rows: list[tuple[object, ...]]) -> str:
    cells = [names, *[["" if value is None else _short(str(value)) for value in row] for row in rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(names))]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def _short(text: str, most: int = 56) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"
