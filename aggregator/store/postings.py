"""The indexes of kept stories in SQLite: which stories share rare shingles, or topics, with a text?

One row per posting and stretch of time, with the numbers of the stories that hold it (`_postings` and `_topics` in
schema). The key begins with the stretch: a text of today touches today's pages only, however large the archive is, and
an old stretch is forgotten as one range. The rows are the whole state: a restart has nothing to rebuild. How many
stories hold a posting is told by its row, so a shingle that every market report has weighs little; copies have no rows
of their own and do not make their story look common.

Rows are hints. A candidate is judged by its text as it is in the database now, so the number of a story that was
changed or deleted costs a comparison and nothing else. That is why there is no `remove`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct
from typing import NamedTuple

from aggregator.candidates import COMMON, Hit, Rare, ranked
from aggregator.store.connection import Connection

#: Seconds of publishing time that share a stretch of the table: with a window of 72 hours one or two are asked for
#: what is new. Part of the database's format.
STRETCH = 96 * 3600
#: Bits of a posting that are stored. A key of 42 bits, with the stretch in front until the year 2059, takes a byte less
#: on disk than a longer one; two postings of a day that agree by chance cost a comparison.
BITS = 29
POSTING = (1 << BITS) - 1
#: The numbers of several stories as they are stored, four bytes each; that of a single one is stored as it is.
_PACKED = [Struct(f"<{n}I") for n in range(COMMON + 1)]


class _Read(NamedTuple):
    """What `candidates` asked last, and found."""

    begun: int  # Connection.begun
    stretches: range
    asked: frozenset[int]
    rows: Mapping[int, tuple[int, ...]]


class Postings:
    """An index over an open connection, inside whatever transaction the caller has begun. Times are seconds since
    the epoch, postings and probes 32-bit integers as `dedup.sketch` and `dedup.topics` make them."""

    def __init__(self, connection: Connection, table: str = "_postings") -> None:
        self._connection = connection
        self._read: _Read | None = None
        self._last: tuple[int, int] = (0, 0)  # Connection.begun, number of the newest stretch then
        self._db = connection.raw.cursor()
        self._db.row_factory = None  # plain tuples: there are some dozens of rows a text
        self._newest = f"select max(posting) from {table}"
        # One statement for all keys: 0.1 ms for 150 of them, one by one 0.7 ms.
        self._ask = f"select posting, articles from json_each(?) cross join {table} on posting = value"
        self._put = f"insert or replace into {table} (posting, articles) values (?, ?)"
        self._forget = f"delete from {table} where posting < ?"

    def candidates(
        self,
        probes: Iterable[int],
        published: float,
        window: float,
        without: int | None = None,
        rare: Rare | None = None,
    ) -> list[Hit]:
        """The stories that share most with a text, rare postings counting more, best first.

        `without`: an article to pass over, the one that is judged again. `rare`: what a story must share to be worth
        a look. Stretches that overlap the window (seconds) are asked whole: the judge looks at the exact time.
        """
        asked = frozenset(probe & POSTING for probe in probes)
        stretches = range(_stretch(published - window), _stretch(published + window) + 1)
        newest = self._newest_stretch()
        rows = self._held([n << BITS | posting for n in stretches if n <= newest for posting in asked])
        self._read = _Read(self._connection.begun, stretches, asked, rows)
        holders: dict[int, tuple[int, ...]] = {}
        for key, held in rows.items():
            if without in held:
                held = tuple(article for article in held if article != without)
            if held:
                posting = key & POSTING
                holders[posting] = holders[posting] + held if posting in holders else held
        return ranked(holders, rare)

    def _held(self, keys: list[int]) -> dict[int, tuple[int, ...]]:
        """The rows of these keys: key -> numbers of the stories that hold it."""
        rows = self._db.execute(self._ask, (str(sorted(keys)),)).fetchall()
        return {key: _unpacked(stored) for key, stored in rows}

    def add(self, article_id: int, postings: Iterable[int], published: float) -> None:
        """Index a kept story, or its new text beside the old one. Call inside a transaction: rows are read, and written
        with one story more."""
        new, stretch = {posting & POSTING for posting in postings}, _stretch(published)
        keys = [stretch << BITS | posting for posting in sorted(new)]
        known = self._still_known(stretch, new)
        held = self._held(keys) if known is None else known
        self._read = None
        if stretch > self._last[1]:
            self._last = self._last[0], stretch
        self._db.executemany(
            self._put,
            [
                (key, packed((*stories, article_id)))
                for key in keys
                if len(stories := held.get(key, ())) < COMMON and article_id not in stories
            ],
        )

    def _newest_stretch(self) -> int:
        """The stretch of the newest rows: later ones need not be asked. Looked up once a transaction."""
        if not (self._connection.in_transaction and self._last[0] == self._connection.begun):
            newest = self._db.execute(self._newest).fetchone()[0] or 0
            self._last = self._connection.begun, newest >> BITS
        return self._last[1]

    def _still_known(self, stretch: int, postings: set[int]) -> Mapping[int, tuple[int, ...]] | None:
        """What `candidates` read in this transaction, if it asked for all of these: a new story's own postings are
        among those it was looked for with. Nobody else can have written since."""
        read = self._read
        if (
            read is not None
            and self._connection.in_transaction
            and read.begun == self._connection.begun
            and stretch in read.stretches
            and postings <= read.asked
        ):
            return read.rows
        return None

    def prune(self, before: float) -> int:
        """Forget the stretches that ended before a time; returns the number of rows deleted."""
        self._read = None
        return self._db.execute(self._forget, (_stretch(before) << BITS,)).rowcount


def _stretch(seconds: float) -> int:
    """Number of the stretch; times before 1970 share the first."""
    return max(0, int(seconds // STRETCH))


def packed(held: tuple[int, ...]) -> int | bytes:
    return held[0] if len(held) == 1 else _PACKED[len(held)].pack(*held)


def _unpacked(stored: int | bytes) -> tuple[int, ...]:
    return (stored,) if isinstance(stored, int) else _PACKED[len(stored) >> 2].unpack(stored)
