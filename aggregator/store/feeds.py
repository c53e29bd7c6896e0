"""Feeds in the database: what feeds.yaml wants, who is due, what came of asking, the fetch log, the hosts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from sqlite3 import Row
from urllib.parse import urlsplit

from aggregator.errors import FetchError, ParseError
from aggregator.model import (
    RATE_DAYS,
    Entry,
    Feed,
    FeedOutcome,
    FeedState,
    HostState,
    KnownEntry,
    Match,
    Response,
    Validators,
)
from aggregator.store import leases
from aggregator.store.clock import from_text, stamp, to_text
from aggregator.store.connection import Connection
from aggregator.store.payload import dump_entry, dump_hints, load_hints

#: A next time further away than this was written by a clock that was wrong: the feed is due. No plan reaches as far:
#: the longest, of a feed without validators, is twice the longest `min_interval` and a week of skipped days (67 days).
FARTHEST = timedelta(days=70)
#: A last fetch this far in the future was written by a clock that was wrong.
WRONG_CLOCK = timedelta(hours=1)
#: Entries without a date that are looked at to learn how many a feed has a day, by when they were first seen: with as
#: many in two weeks it is asked as often as can be. Those with a date are counted by an index alone.
MOST_UNDATED = 600
#: Item hashes remembered of one feed, to cut seen items before parsing.
MAX_SEEN = 20_000


class Feeds:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # ------------------------------------------------------------------------------ feeds.yaml

    def sync(self, feeds: Sequence[Feed], now: datetime) -> None:
        """Make the table follow feeds.yaml: new feeds are due now, vanished ones are kept but 'off'."""
        known = {
            row["url"]: row
            for row in self._db.rows("select id, url, title, priority, tags, status from feeds")
        }
        wanted = {feed.url for feed in feeds}
        early = self._db.value(
            "select count(*) from feeds where last_fetch_at > ?", (stamp(now + WRONG_CLOCK),)
        )
        if early:  # written by a clock that was ahead: it would be silent until the true time has caught up
            self._db.execute(
                "update feeds set next_fetch_at = :now, next_fetch_why = 'the clock was wrong', last_fetch_at = :now"
                " where last_fetch_at > :soon and status <> 'gone'",
                {"now": stamp(now), "soon": stamp(now + WRONG_CLOCK)},
            )
        changes = [f for f in feeds if f.url not in known or _differs(f, known[f.url])]
        vanished = [row["id"] for url, row in known.items() if url not in wanted and row["status"] != "off"]
        if not changes and not vanished:
            return
        with self._db.transaction():
            for feed in changes:
                self._db.execute(
                    "insert into feeds (title, url, fetch_url, priority, tags, next_fetch_at, next_fetch_why, added_at)"
                    " values (?, ?, ?, ?, ?, ?, 'new', ?) on conflict (url) do update set"
                    " title = iif(?, excluded.title, title), priority = excluded.priority, tags = excluded.tags,"
                    " next_fetch_at = iif(status = 'off', excluded.next_fetch_at, next_fetch_at),"
                    " next_fetch_why = iif(status = 'off', 'back in feeds.yaml', next_fetch_why),"
                    " status = iif(status = 'off', 'new', status)",
                    (
                        feed.title or urlsplit(feed.url).hostname or feed.url,
                        feed.url,
                        feed.url,
                        feed.priority,
                        json.dumps(list(feed.tags), ensure_ascii=False),
                        stamp(now),
                        stamp(now),
                        feed.title is not None,
                    ),
                )
            self._db.executemany("update feeds set status = 'off' where id = ?", ((i,) for i in vanished))

    # ------------------------------------------------------------------------------ who is due

    def due_count(self, now: datetime) -> int:
        """How many feeds are due; the daemon's tick asks this every second."""
        return int(
            self._db.value(
                "select count(*) from feeds where status <> 'off' and status <> 'gone'"
                " and (next_fetch_at <= ? or next_fetch_at > ?)",
                (stamp(now), stamp(now + FARTHEST)),
            )
        )

    def claim(
        self,
        feeds: Mapping[str, Feed],
        now: datetime,
        *,
        urls: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[FeedState]:
        """Take feeds to ask, at most `limit`, so that no other process asks them too.

        `urls` None: those that are due. Otherwise those feeds, due or not, 'gone' ones included.
        Returns them with all that was learned, most overdue first.
        """
        if urls is None:
            where, params = (
                "f.status <> 'off' and f.status <> 'gone' and (f.next_fetch_at <= :now or f.next_fetch_at > :far)",
                {"now": stamp(now), "far": stamp(now + FARTHEST)},
            )
        else:
            where, params = (
                "f.url in (select value from json_each(:urls)) and f.status <> 'off'",
                {"urls": json.dumps(list(urls))},
            )
        claimed: list[Row] = []
        with self._db.transaction():
            rows = self._db.rows(
                "select f.*, m.seen_hashes, m.hints, m.body_hash, m.redirect_url, m.redirect_count, m.older_url,"
                " m.lease_owner, m.leased_at"
                " from feeds f left join _feed_memory m on m.feed_id = f.id"
                f" where {where} order by f.next_fetch_at, f.id",
                params,
            )
            for row in rows:
                if len(claimed) == limit:
                    break
                if row["url"] not in feeds:
                    continue
                if leases.is_live(row["lease_owner"], from_text(row["leased_at"]), now):
                    continue
                claimed.append(row)
            self._db.executemany(
                "insert into _feed_memory (feed_id, lease_owner, leased_at) values (?, ?, ?)"
                " on conflict (feed_id) do update set lease_owner = excluded.lease_owner,"
                " leased_at = excluded.leased_at",
                ((row["id"], leases.owner(), stamp(now)) for row in claimed),
            )
        since = stamp(now - timedelta(days=RATE_DAYS))
        return [self._state(row, feeds[row["url"]], since, now) for row in claimed]

    def _state(self, row: Row, feed: Feed, since: str, now: datetime) -> FeedState:
        rate = self._db.one(
            "select count(*) as n, min(at) as oldest,"
            " exists (select 1 from entries where feed_id = :id and published_at <= :since) or (select first_seen_at"
            "  from entries where feed_id = :id and published_at is null order by id limit 1) <= :since as older"
            " from (select published_at as at from entries where feed_id = :id and published_at > :since"
            "  union all select first_seen_at from (select first_seen_at from entries"
            f"   where feed_id = :id and published_at is null order by id desc limit {MOST_UNDATED})"
            "  where first_seen_at > :since)",
            {"id": row["id"], "since": since},
        )
        assert rate
        oldest = from_text(rate["oldest"])
        age = RATE_DAYS if rate["older"] else (now - oldest).total_seconds() / 86400 if oldest else 0.0
        return FeedState(
            id=row["id"],
            feed=feed,
            fetch_url=row["fetch_url"],
            validators=Validators(row["etag"], row["last_modified"]),
            failures=row["failures"],
            redirect_url=row["redirect_url"],
            redirect_count=row["redirect_count"] or 0,
            body_hash=row["body_hash"],
            seen_hashes=frozenset((row["seen_hashes"] or "").split()),
            hints=load_hints(row["hints"]),
            older_url=row["older_url"],
            new_entries_14d=rate["n"],
            age_days=max(age, 0.0),
        )

    def postpone(self, state: FeedState, until: datetime | None, why: str) -> None:
        """The feed was not asked after all, because its host wants to be left alone for a while."""
        with self._db.transaction():
            self._db.execute(
                "update feeds set next_fetch_at = ?, next_fetch_why = ? where id = ?",
                (to_text(until), why, state.id),
            )
            self.release([state])

    def release(self, states: Iterable[FeedState]) -> None:
        """Give back feeds that were claimed but never asked."""
        with self._db.transaction():
            self._db.executemany(
                "update _feed_memory set lease_owner = null, leased_at = null where feed_id = ? and lease_owner = ?",
                ((state.id, leases.owner()) for state in states),
            )

    # ------------------------------------------------------------------------------ what came of it

    def has_entries(self, feed_id: int) -> bool:
        return self._db.value("select 1 from entries where feed_id = ? limit 1", (feed_id,)) is not None

    def known_entries(
        self, feed_id: int, guids: Iterable[str], urls: Iterable[str], hashes: Iterable[str]
    ) -> list[KnownEntry]:
        """The feed's entries that have one of these guids, canonical URLs or content hashes."""
        rows = self._db.rows(
            "select id, guid, url, title, content_hash, published_at, problem from entries where id in ("
            " select id from entries where feed_id = :feed and guid in (select value from json_each(:guids))"
            " union all select id from entries where feed_id = :feed and url in (select value from json_each(:urls))"
            " union all select id from entries where feed_id = :feed"
            "  and content_hash in (select value from json_each(:hashes))) order by id",
            {
                "feed": feed_id,
                "guids": json.dumps(list(guids)),
                "urls": json.dumps(list(urls)),
                "hashes": json.dumps(list(hashes)),
            },
        )
        return [
            KnownEntry(
                r["id"],
                r["guid"],
                r["url"],
                r["title"] or "",
                r["content_hash"],
                r["published_at"],
                r["problem"],
            )
            for r in rows
        ]

    def record(self, outcome: FeedOutcome, now: datetime) -> None:
        """Store what asking a feed came to, with its new and changed entries: all of it or nothing.

        Validators are stored only here, together with the entries they stand for: whatever happens, a feed is
        never told "I have that" about entries that are not in the database.
        """
        state, parsed = outcome.state, outcome.parsed
        failed = outcome.outcome == "failed"
        stored_at, started_at = stamp(now), stamp(outcome.started_at)
        with self._db.transaction():
            new = sum(self._store_entry(state.id, match, stored_at) for match in outcome.matches)
            validators = outcome.validators or state.validators
            status = "gone" if outcome.error_kind == "gone" else "failing" if failed else "ok"
            if state.feed.title is None and parsed and parsed.title:
                self._db.execute(
                    "update feeds set title = ? where id = ? and title is not ?",
                    (parsed.title, state.id, parsed.title),
                )
            if parsed and parsed.site_url:
                self._db.execute(
                    "update feeds set site_url = ? where id = ? and site_url is not ?",
                    (parsed.site_url, state.id, parsed.site_url),
                )
            self._db.execute(
                "update feeds set status = iif(status = 'off', 'off', ?), error_kind = ?, error = ?, failures = ?,"
                " next_fetch_at = ?, next_fetch_why = ?, last_fetch_at = ?, last_new_at = coalesce(?, last_new_at),"
                " fetch_url = ?, etag = ?, last_modified = ? where id = ?",
                (
                    status,
                    outcome.error_kind,
                    outcome.error,
                    state.failures + 1 if failed else 0,
                    to_text(outcome.next_fetch_at),
                    outcome.next_fetch_why,
                    started_at,
                    stored_at if new else None,
                    outcome.fetch_url or state.fetch_url,
                    validators.etag,
                    validators.last_modified,
                    state.id,
                ),
            )
            seen = parsed.seen_hashes[:MAX_SEEN] if parsed else None
            self._db.execute(
                "update _feed_memory set lease_owner = null, leased_at = null,"
                " seen_hashes = coalesce(?, seen_hashes), hints = iif(?, ?, hints), body_hash = coalesce(?, body_hash),"
                " older_url = iif(?, ?, older_url), redirect_url = ?, redirect_count = ? where feed_id = ?",
                (
                    " ".join(seen) if seen is not None and frozenset(seen) != state.seen_hashes else None,
                    parsed is not None,
                    dump_hints(parsed.hints) if parsed else None,
                    outcome.body_hash,
                    parsed is not None,
                    parsed.older_url if parsed else None,
                    outcome.redirect_url,
                    outcome.redirect_count,
                    state.id,
                ),
            )
            self._db.insert(
                "fetches",
                feed_id=state.id,
                started_at=started_at,
                outcome=outcome.outcome,
                status=outcome.status,
                bytes=outcome.wire_bytes,
                duration_ms=outcome.duration_ms,
                entries=new,
                error_kind=outcome.error_kind,
                error=outcome.error,
            )

    def record_older(
        self,
        feed_id: int,
        matches: Sequence[Match],
        answer: Response | FetchError,
        error: FetchError | ParseError | None,
        now: datetime,
    ) -> int:
        """Store what is new of a page of a feed's history; returns how many entries that is.

        Nothing else of the feed changes: its validators and its next time are those of its newest page. An entry that
        is known stays as it is: an archive has the older wording.
        """
        fresh = [match for match in matches if match.known_id is None]
        with self._db.transaction():
            for match in fresh:
                self._store_entry(feed_id, match, stamp(now))
            self._db.insert(
                "fetches",
                feed_id=feed_id,
                started_at=stamp(now),
                outcome="failed" if error else "new" if fresh else "nothing_new",
                status=answer.status,
                bytes=answer.wire_bytes,
                duration_ms=answer.duration_ms,
                entries=len(fresh),
                error_kind=error.kind if error else None,
                error=error.message if error else None,
            )
        return len(fresh)

    def oldest(self, feed_id: int) -> datetime | None:
        """The earliest that the feed's entries are known to be from."""
        return from_text(
            self._db.value(
                "select min(coalesce(published_at, first_seen_at)) from entries where feed_id = ?", (feed_id,)
            )
        )

    def _store_entry(self, feed_id: int, match: Match, now: str) -> bool:
        entry: Entry = match.entry
        if match.known_id is None:
            entry_id = self._db.insert(
                "entries",
                title=entry.title,
                feed_id=feed_id,
                guid=match.guid,
                url=match.url_key,
                published_at=to_text(entry.published),
                content_hash=match.content_hash,
                first_seen_at=now,
                changed_at=now,
            )
        else:
            entry_id = match.known_id
            self._db.execute(
                "update entries set title = ?, url = coalesce(?, url), content_hash = ?, changed_at = ?, attempts = 0"
                " where id = ?",
                (entry.title, match.url_key, match.content_hash, now, entry_id),
            )
        self._db.execute(
            "insert into _pending (entry_id, payload, not_before) values (?, ?, ?) on conflict (entry_id) do update"
            " set payload = excluded.payload, not_before = excluded.not_before, version = version + 1",
            (entry_id, dump_entry(entry), now),
        )
        return match.known_id is None

    # ------------------------------------------------------------------------------ hosts

    def hosts(self) -> dict[str, HostState]:
        """What is remembered of hosts, for politeness across restarts."""
        return {
            row["host"]: HostState(
                row["host"],
                from_text(row["not_before"]),
                row["why"],
                row["robots"],
                from_text(row["robots_at"]),
            )
            for row in self._db.rows("select * from hosts")
        }

    def save_hosts(self, hosts: Iterable[HostState]) -> None:
        with self._db.transaction():
            self._db.executemany(
                "insert into hosts (host, not_before, why, robots, robots_at) values (?, ?, ?, ?, ?)"
                " on conflict (host) do update set not_before = excluded.not_before, why = excluded.why,"
                " robots = excluded.robots, robots_at = excluded.robots_at",
                (
                    (
                        h.host,
                        to_text(h.not_before),
                        h.why,
                        h.robots,
                        to_text(h.robots_at),
                    )
                    for h in hosts
                ),
            )


def _differs(feed: Feed, row: Row) -> bool:
    return bool(
        row["status"] == "off"
        or (feed.title is not None and row["title"] != feed.title)
        or row["priority"] != feed.priority
        or row["tags"] != json.dumps(list(feed.tags), ensure_ascii=False)
    )
