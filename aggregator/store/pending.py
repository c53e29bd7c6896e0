"""Entries whose story is still to be fetched and extracted: claimed, given back, put off, done with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from aggregator.model import Pending
from aggregator.store import leases
from aggregator.store.clock import from_text, stamp
from aggregator.store.connection import Connection
from aggregator.store.payload import dump_entry, load_entry


class PendingEntries:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def count(self, now: datetime) -> int:
        """How many entries could be worked on now."""
        return int(self._db.value("select count(*) from _pending where not_before <= ?", (stamp(now),)))

    def claim(self, now: datetime, limit: int) -> list[Pending]:
        """Take up to `limit` entries, in the order in which they are judged: published, priority, URL, id.

        The order is fixed by what the feeds said, not by what finished downloading first.
        """
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
                "select p.entry_id, p.payload, e.feed_id, e.guid, e.attempts, e.article_id, e.duplicate_id,"
                " e.first_seen_at, f.url as feed_url, f.site_url, f.priority from (select p.entry_id from _pending p"
                "  join entries e on e.id = p.entry_id join feeds f on f.id = e.feed_id where p.not_before <= ?"
                "  and coalesce(p.lease_owner, '') not in (select value from json_each(?))"
                "  order by coalesce(e.published_at, e.first_seen_at), f.priority, e.url, e.id limit ?) as first"
                " join _pending p on p.entry_id = first.entry_id join entries e on e.id = p.entry_id"
                " join feeds f on f.id = e.feed_id"
                " order by coalesce(e.published_at, e.first_seen_at), f.priority, e.url, e.id",
                (stamp(now), json.dumps(others), limit),
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
                row["article_id"],
                row["duplicate_id"],
                from_text(row["first_seen_at"]),
            )
            for row in rows
        ]

    def release(self, entry_ids: Iterable[int]) -> None:
        """Give back entries that were claimed but not finished."""
        with self._db.transaction():
            self._db.executemany(
                "update _pending set lease_owner = null, leased_at = null where entry_id = ?",
                ((entry_id,) for entry_id in entry_ids),
            )

    def again(self, entry: Pending, until: datetime) -> None:
        """Look at the entry's page again later: what is stored now came from the feed alone."""
        self._db.execute(
            "insert or replace into _pending (entry_id, payload, not_before) values (?, ?, ?)",
            (entry.entry_id, dump_entry(entry.entry), stamp(until)),
        )

    def put_aside(self, entry_id: int, until: datetime, problem: str) -> None:
        """The entry cannot be stored now: keep it, with the problem, and try again later."""
        with self._db.transaction():
            self._db.execute(
                "update entries set attempts = attempts + 1, problem = ? where id = ?", (problem, entry_id)
            )
            self._db.execute(
                "update _pending set not_before = ? where entry_id = ?", (stamp(until), entry_id)
            )

    def give_up(self, entry_id: int, problem: str) -> None:
        """There is no text to be had: the entry stays listed, with the reason."""
        with self._db.transaction():
            self._db.execute(
                "update entries set attempts = attempts + 1, problem = ? where id = ?", (problem, entry_id)
            )
            self._db.execute("delete from _pending where entry_id = ?", (entry_id,))
