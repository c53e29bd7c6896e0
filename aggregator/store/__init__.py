"""The database: all SQL, one writer at a time, one transaction per story.

    with Store("db/news.db") as store:
        store.feeds      what feeds.yaml wants, who is due, what came of it, the fetch log, the hosts
        store.pending    entries whose story is still to be extracted
        store.stories    articles, copies, revisions: found, stored, revised
        store.folding    what is a copy of what: folded, unfolded, judged again, decided by the user
        store.postings   the shingle index: which stories may be the same
        store.topics     the topic index: which stories may report one event
        store.sites      site memory, and what was removed from pages
        store.reading    the river, search, why, status
        store.upkeep     retention and backup

Tables and columns are explained in `aggregator.schema`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType

from aggregator.store.connection import BUSY_TIMEOUT, Connection
from aggregator.store.feeds import WRONG_CLOCK, Feeds
from aggregator.store.folding import Folding
from aggregator.store.pending import PendingEntries
from aggregator.store.postings import Postings
from aggregator.store.reading import Reading
from aggregator.store.rows import Rows
from aggregator.store.search import keep_in_step
from aggregator.store.sites import Sites
from aggregator.store.stories import Stories
from aggregator.store.upkeep import Upkeep

__all__ = ["WRONG_CLOCK", "Store"]


class Store:
    """An open database; makes and migrates the file where needed. Raises `StoreError`."""

    def __init__(self, path: Path | str, *, timeout: float = BUSY_TIMEOUT) -> None:
        self.path = str(path)
        self.connection = Connection(path, timeout=timeout)
        keep_in_step(self.connection)
        self.postings = Postings(self.connection)
        self.feeds = Feeds(self.connection)
        self.pending = PendingEntries(self.connection)
        self.sites = Sites(self.connection)
        self.topics = Postings(self.connection, "_topics")
        rows = Rows(self.connection, self.sites)
        self.stories = Stories(self.connection, self.postings, self.topics, self.sites, rows)
        self.folding = Folding(self.connection, self.postings, rows)
        self.reading = Reading(self.connection)
        self.upkeep = Upkeep(self.connection, self.postings, self.topics, self.sites)

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Several changes as one: all or nothing."""
        return self.connection.transaction()

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
