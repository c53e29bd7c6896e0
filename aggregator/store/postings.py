"""The index of kept stories in SQLite: which stories share rare shingles with a text?

One row per posting and story, in a table without rowid whose key begins with the posting's stretch of time (BUCKET):
a text of today touches today's pages only, however large the archive is, and an old stretch is deleted as one range.
The rows are the whole state: a restart has nothing to rebuild. How many stories hold a posting is counted from the
rows as they are read, so a shingle that every market report has weighs little, and copies (which have no rows of
their own) do not make their story look common.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Seconds of publishing time that share a stretch of the table: the window (96 h), so that two or three are asked.
BUCKET = 96 * 3600
#: Newest stories read per posting and stretch. What more stories hold tells nothing about one of them.
RING = 32

DDL = """
create table _postings (
    posting integer not null,  -- number of the stretch of time << 32 | 32 bits of the shingle's hash
    article_id integer not null,
    primary key (posting, article_id)
) strict, without rowid;
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A story that shares postings with a text; `shared`: posting -> number of stories that hold it (at most RING per
    stretch)."""

    article_id: int
    shared: Mapping[int, int]


def _bucket(published: float) -> int:
    return max(0, min(int(published // BUCKET), 2**30))


class Postings:
    """The index over an open connection, inside whatever transaction the caller has begun. Times are seconds since
    the epoch, postings 32-bit integers as `dedup.sketch` makes them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def candidates(
        self,
        probes: Iterable[int],
        published: float,
        window: float,
        limit: int = 8,
        without: int | None = None,
    ) -> list[Hit]:
        """The stories that share the most, rare postings counting more, best first. `without`: an article to pass
        over (the one being judged again). Stretches that overlap the window are asked whole: the judge looks at the
        exact time."""
        low, high = _bucket(published - window), _bucket(published + window)
        newest = self._newest_bucket()
        buckets = range(low, min(high, newest) + 1)
        score: dict[int, float] = {}
        shared: dict[int, dict[int, int]] = {}
        ask = self._db.execute
        for probe in probes:
            ids: list[int] = []
            for bucket in buckets:
                rows = ask(
                    "select article_id from _postings where posting = ? order by article_id desc limit ?",
                    (bucket << 32 | probe, RING),
                )
                ids += [row[0] for row in rows]
            for article in ids:
                if article != without:
                    score[article] = score.get(article, 0.0) + 1 / len(ids)
                    shared.setdefault(article, {})[probe] = len(ids)
        best = sorted(score, key=lambda a: (-score[a], a))[:limit]
        return [Hit(a, shared[a]) for a in best]

    def _newest_bucket(self) -> int:
        row = self._db.execute("select max(posting) from _postings").fetchone()
        return -1 if row[0] is None else int(row[0]) >> 32

    def add(self, article_id: int, postings: Iterable[int], published: float) -> None:
        """Index a kept story."""
        base = _bucket(published) << 32
        self._db.executemany(
            "insert or ignore into _postings (posting, article_id) values (?, ?)",
            sorted((base | posting, article_id) for posting in postings),
        )

    def remove(self, article_id: int, postings: Iterable[int], published: float) -> None:
        """Take a story out, given what was put in (its text's postings and time): before a better copy replaces it."""
        base = _bucket(published) << 32
        self._db.executemany(
            "delete from _postings where posting = ? and article_id = ?",
            sorted((base | posting, article_id) for posting in postings),
        )

    def prune(self, before: float) -> int:
        """Forget the stretches that ended before this time; returns the rows deleted."""
        return self._db.execute("delete from _postings where posting < ?", (_bucket(before) << 32,)).rowcount
