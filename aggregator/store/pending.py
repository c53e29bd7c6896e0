"""Entries whose story is still to be fetched and extracted: claimed, given back, put off, done with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from aggregator.model import PageMemory, Pending, Validators
from aggregator.store import leases
from aggregator.store.clock import from_text, stamp
from aggregator.store.connection import Connection
from aggregator.store.feeds import FARTHEST
from aggregator.store.payload import dump_entry, load_entry

#: A row that may be worked on now. A time further away than FARTHEST was written by a clock that was wrong.
_DUE = "(p.not_before <= :now or p.not_before > :far)"
#: The order in which entries are judged: fixed by what the feeds said, not by what finished downloading first.
_ORDER = "coalesce(e.published_at, e.first_seen_at), f.priority, e.url, e.id"

#: Entries that are put in order at a time. To ask for every batch anew is to sort all that waits: at 20,000 entries
#: that was 40 us for each of them, and grew with their number.
AHEAD = 20_000


class PendingEntries:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def count(self, now: datetime) -> int:
        """How many entries could be worked on now."""
        return int(self._db.value(f"select count(*) from _pending p where {_DUE}", _times(now)))

    def due(self, now: datetime) -> list[int]:
        """The numbers of the entries that can be worked on and that no other process works on, at most `AHEAD`, in the
        order in which they are judged: published, priority, URL, id."""
        rows = self._db.rows(
            "select p.entry_id, p.lease_owner, p.leased_at from _pending p join entries e on e.id = p.entry_id"
            f" join feeds f on f.id = e.feed_id where {_DUE} order by {_ORDER} limit {AHEAD}",
            _times(now),
        )
        return [entry_id for entry_id, owner, leased_at in rows if not self._is_taken(owner, leased_at, now)]

    def claim(self, entry_ids: Sequence[int], now: datetime) -> list[Pending]:
        """Take those of these entries that can still be worked on, in this order."""
        with self._db.transaction():
            found = self._db.rows(
                "select p.entry_id, p.payload, p.version, e.feed_id, e.guid, e.url, e.attempts, e.article_id,"
                " e.duplicate_id, e.first_seen_at, g.url as page_url, g.etag, g.last_modified,"
                " f.url as feed_url, f.site_url, f.priority, p.lease_owner, p.leased_at, exists (select 1"
                "  from entries o where o.feed_id = e.feed_id and o.url = e.url and o.id <> e.id) as shared"
                " from json_each(:ids) i join _pending p on p.entry_id = i.value join entries e on e.id = p.entry_id"
                " join feeds f on f.id = e.feed_id left join _pages g on g.entry_id = e.id"
                f" where {_DUE} order by i.key",
                {**_times(now), "ids": json.dumps(list(entry_ids))},
            )
            rows = [row for row in found if not self._is_taken(row["lease_owner"], row["leased_at"], now)]
            owner, leased_at = leases.owner(), stamp(now)
            self._db.executemany(
                "update _pending set lease_owner = ?, leased_at = ? where entry_id = ?",
                ((owner, leased_at, row["entry_id"]) for row in rows),
            )
        return [
            Pending(
                row["entry_id"],
                row["feed_id"],
                row["feed_url"],
                row["site_url"],
                row["priority"],
                load_entry(row["payload"]),
                row["guid"],
                row["attempts"],
                row["version"],
                None if row["shared"] else row["url"],
                row["article_id"],
                row["duplicate_id"],
                from_text(row["first_seen_at"]),
                PageMemory(row["page_url"], Validators(row["etag"], row["last_modified"]))
                if row["page_url"]
                else None,
            )
            for row in rows
        ]

    @staticmethod
    def _is_taken(owner: str | None, leased_at: str | None, now: datetime) -> bool:
        return owner is not None and leases.is_live(owner, from_text(leased_at), now)

    def release(self, entry_ids: Iterable[int]) -> None:
        """Give back entries that were claimed but not finished."""
        with self._db.transaction():
            self._db.executemany(
                "update _pending set lease_owner = null, leased_at = null where entry_id = ? and lease_owner = ?",
                ((entry_id, leases.owner()) for entry_id in entry_ids),
            )

    def current(self, item: Pending) -> Pending | None:
        """The entry as it is by now: its story may have been folded, or become a copy, since it was claimed.

        None when nothing is left to do for this claim: another process stored the entry, or a newer wording of it
        was seen, which is claimed for itself. Call inside the transaction that stores the story.
        """
        row = self._db.one(
            "select p.version, e.article_id, e.duplicate_id from _pending p join entries e on e.id = p.entry_id"
            " where p.entry_id = ?",
            (item.entry_id,),
        )
        if row is None or row["version"] != item.version:
            return None
        owner = row["article_id"], row["duplicate_id"]
        if owner == (item.article_id, item.duplicate_id):
            return item
        return replace(item, article_id=owner[0], duplicate_id=owner[1])

    def again(self, item: Pending, until: datetime) -> None:
        """Look at the entry's page again later: what is stored now came from the feed alone."""
        self._db.execute(
            "insert or replace into _pending (entry_id, payload, not_before, version) values (?, ?, ?, ?)",
            (item.entry_id, dump_entry(item.entry), stamp(until), item.version),
        )

    def remember_page(self, item: Pending, page: PageMemory | None, now: datetime) -> None:
        """Keep what the entry's page is asked with when it is fetched again; None: the text is not from its page.

        Call inside the transaction that stores the text: a page is never told "I have that" about a text that is
        not in the database.
        """
        if page is None or page.validators == Validators():
            if item.page is not None:
                self._db.execute("delete from _pages where entry_id = ?", (item.entry_id,))
            return
        self._db.execute(
            "insert or replace into _pages (entry_id, url, etag, last_modified, fetched_at) values (?, ?, ?, ?, ?)",
            (item.entry_id, page.url, page.validators.etag, page.validators.last_modified, stamp(now)),
        )

    def put_aside(self, item: Pending, until: datetime, problem: str, *, tried: bool = True) -> None:
        """The entry cannot be stored now: keep it, with the problem, and try again later. `tried`: it counts."""
        with self._db.transaction():
            if self.current(item):
                if tried:
                    self._note(item, problem)
                self._db.execute(
                    "update _pending set not_before = ? where entry_id = ?", (stamp(until), item.entry_id)
                )

    def give_up(self, item: Pending, problem: str) -> None:
        """There is no text to be had: the entry stays listed, with the reason."""
        with self._db.transaction():
            if self.current(item):
                self._note(item, problem)
                self._db.execute("delete from _pending where entry_id = ?", (item.entry_id,))

    def _note(self, item: Pending, problem: str) -> None:
        self._db.execute(
            "update entries set attempts = attempts + 1, problem = ? where id = ?", (problem, item.entry_id)
        )


def _times(now: datetime) -> dict[str, str]:
    return {"now": stamp(now), "far": stamp(now + FARTHEST)}
