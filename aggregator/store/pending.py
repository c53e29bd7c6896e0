"""Entries whose story is still to be fetched and extracted: claimed, given back, put off, done with."""

from __future__ import annotations

import json
from collections.abc import Iterable
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


class PendingEntries:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def count(self, now: datetime) -> int:
        """How many entries could be worked on now."""
        return int(self._db.value(f"select count(*) from _pending p where {_DUE}", _times(now)))

    def claim(self, now: datetime, limit: int) -> list[Pending]:
        """Take up to `limit` entries, in the order in which they are judged: published, priority, URL, id."""
        with self._db.transaction():
            owners = self._db.rows(
                "select lease_owner, max(leased_at) as leased_at from _pending"
                " where lease_owner is not null group by lease_owner"
            )
            others = [
                row["lease_owner"]
                for row in owners
                if leases.is_live(row["lease_owner"], from_text(row["leased_at"]), now)
            ]
            rows = self._db.rows(
                "select p.entry_id, p.payload, p.version, e.feed_id, e.guid, e.url, e.attempts, e.article_id,"
                " e.duplicate_id, e.first_seen_at, g.url as page_url, g.etag, g.last_modified,"
                " f.url as feed_url, f.site_url, f.priority, exists (select 1"
                "  from entries o where o.feed_id = e.feed_id and o.url = e.url and o.id <> e.id) as shared"
                f" from (select p.entry_id from _pending p join entries e on e.id = p.entry_id"
                f"  join feeds f on f.id = e.feed_id where {_DUE}"
                "  and coalesce(p.lease_owner, '') not in (select value from json_each(:others))"
                f"  order by {_ORDER} limit :limit) as first"
                " join _pending p on p.entry_id = first.entry_id join entries e on e.id = p.entry_id"
                " join feeds f on f.id = e.feed_id left join _pages g on g.entry_id = e.id"
                f" order by {_ORDER}",
                {**_times(now), "others": json.dumps(others), "limit": limit},
            )
            self._db.executemany(
                "update _pending set lease_owner = ?, leased_at = ? where entry_id = ?",
                ((leases.owner(), stamp(now), row["entry_id"]) for row in rows),
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
        return replace(item, article_id=row["article_id"], duplicate_id=row["duplicate_id"])

    def again(self, item: Pending, until: datetime) -> None:
        """Look at the entry's page again later: what is stored now came from the feed alone."""
        self._db.execute(
            "insert or replace into _pending (entry_id, payload, not_before, version) values (?, ?, ?, ?)",
            (item.entry_id, dump_entry(item.entry), stamp(until), item.version),
        )

    def remember_page(self, entry_id: int, page: PageMemory | None, now: datetime) -> None:
        """Keep what the entry's page is asked with when it is fetched again; None: the text is not from its page.

        Call inside the transaction that stores the text: a page is never told "I have that" about a text that is
        not in the database.
        """
        if page is None or page.validators == Validators():
            self._db.execute("delete from _pages where entry_id = ?", (entry_id,))
            return
        self._db.execute(
            "insert or replace into _pages (entry_id, url, etag, last_modified, fetched_at) values (?, ?, ?, ?, ?)",
            (entry_id, page.url, page.validators.etag, page.validators.last_modified, stamp(now)),
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
