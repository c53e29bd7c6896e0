"""Which story a person means: by its number, a copy's number, or a URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aggregator.store import Store

_HINT = "`aggregator latest` and `aggregator search` show the numbers"


def find(store: Store, what: str) -> tuple[int, int | None] | None:
    """(article id, copy id or None) of what is meant; None for a URL that is no story's.

    Raises StoreError when there is no story or copy of this number, UsageError for what is no number and no URL.
    """
    from aggregator import urls
    from aggregator.errors import StoreError

    number = re.fullmatch(r"(c?)(\d{1,18})", what.strip(), re.I)
    if number is None:
        if not urls.is_web(what):
            raise click.UsageError(f"{what!r} is neither a number nor a URL; {_HINT}")
        known = store.stories.known([urls.canonical(urls.unwrapped(what))])
        return None if known is None else (known.article_id, known.duplicate_id)
    if number[1]:
        copy = store.reading.duplicate(int(number[2]))
        if copy is None:
            raise StoreError(store.path, f"there is no copy {what}", "`aggregator why ARTICLE` shows them")
        return copy["article_id"], copy["id"]
    if store.reading.article(int(number[2])) is None:
        raise StoreError(store.path, f"there is no article {what}", _HINT)
    return int(number[2]), None
