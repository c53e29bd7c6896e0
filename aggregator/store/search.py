"""The full-text index of articles: what is new or changed is put in together, as the last part of its transaction.

A trigger that puts a row in at once costs 50 us a row where this costs 20 (6,000 blurbs, 200 a transaction): SQLite
opens a savepoint for it, and at every savepoint FTS5 writes what it has gathered to the disk, as a piece of the index
that has to be merged again. So triggers (in `schema`) only note the numbers of such articles in `_unindexed`. Whoever
writes to the table, an older version of this program too: what was noted is put in with our next transaction.
"""

from __future__ import annotations

from aggregator.store.connection import Connection

#: Pages of the index that are merged for each article put in. An article fills .3 pages, which are merged with others
#: four or five times in the life of an archive. FTS5's own merging does much at once now and then: on 100,000 articles
#: the slowest hundredth of single ones took 13 ms and the slowest 160, with this 7 and 37. Twice as much was no better.
MERGED = 4


def keep_in_step(connection: Connection) -> None:
    """From now on every transaction ends with putting into `articles_fts` what it, or another program, noted."""

    def catch_up() -> None:
        if connection.value("select 1 from _unindexed limit 1"):
            connection.execute(
                "insert into articles_fts (rowid, title, summary, text) select id, title, summary, text"
                " from articles where id in (select id from _unindexed) order by id"
            )
            number = connection.execute("delete from _unindexed").rowcount
            connection.execute(
                "insert into articles_fts(articles_fts, rank) values ('merge', ?)", (MERGED * number,)
            )

    connection.before_commit = catch_up
