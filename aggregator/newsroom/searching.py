"""What a reader typed into a search box, made into a search that Datasette can run. Pure."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode


def runnable(query: str) -> str:
    """A page's query string without searches that hold no word: blanks and quotes ask for nothing.

    Datasette quotes what was typed for FTS5, but of nothing, and of `"`, nothing is left, and SQLite calls that a
    syntax error; its own "Apply" sends an empty search with every filter. NUL ends SQLite's text in the middle of the
    quotes.
    """
    typed = [(name, value.replace("\0", " ")) for name, value in parse_qsl(query, keep_blank_values=True)]
    return urlencode(
        [(name, value) for name, value in typed if not _is_search(name) or value.replace('"', "").strip()]
    )


def _is_search(name: str) -> bool:
    return name == "_search" or name.startswith("_search_")
