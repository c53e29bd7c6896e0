"""The full-text index of articles: new ones are put in together, at the end of the transaction that stores them.

A trigger for new rows costs 50 us a row where this costs 20 (6,000 blurbs, 200 a transaction): SQLite opens a savepoint
for it, and at every savepoint FTS5 writes what it has gathered to the disk, as a piece of the index that has to be
merged again. Edits and deletions are rare, and are left to triggers. These need the old row to be in the index, so
`before_change` comes before them.
"""

from __future__ import annotations

import json

from aggregator.store.connection import Connection


class Search:
    """Keeps `articles_fts` in step with new rows of `articles`."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._begun = 0  # the transaction that `_new` belongs to: one that failed has taken its rows back
        self._new: dict[int, None] = {}
        connection.before_commit = self._catch_up

    def add(self, article_id: int) -> None:
        """An article was inserted in this transaction: it is searchable when that ends."""
        if self._begun != self._db.begun:
            self._begun, self._new = self._db.begun, {}
        self._new[article_id] = None

    def before_change(self, article_id: int) -> None:
        """Call before an article is changed or deleted: it may be new."""
        if article_id in self._new:
            self._catch_up()

    def _catch_up(self) -> None:
        if self._new and self._begun == self._db.begun:
            self._db.execute(
                "insert into articles_fts (rowid, title, summary, text) select id, title, summary, text from articles"
                " where id in (select value from json_each(?)) order by id",
                (json.dumps(list(self._new)),),
            )
        self._new = {}
