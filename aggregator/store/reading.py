"""What users ask of the database: the river, search, why, the state of the feeds. Reading only."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import Any

from aggregator.model import Article
from aggregator.store.clock import stamp
from aggregator.store.connection import Connection

#: A feed whose pages are closed to us: at least so many stories of a week, and this share of them told by the feed
#: alone because their pages could not be read. Set by judgement.
CLOSED_STORIES, CLOSED_SHARE = 5, 0.8


class Reading:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def latest(self, limit: int = 20, *, tag: str | None = None, site: str | None = None) -> list[Article]:
        """The newest stories, newest first."""
        where, params = ["1"], dict[str, Any](limit=limit)
        if tag is not None:
            where.append("exists (select 1 from json_each(tags) where value = :tag)")
            params["tag"] = tag
        if site is not None:
            where.append("site = :site")
            params["site"] = site
        sql = f"select * from articles where {' and '.join(where)} order by published_at desc, id desc limit :limit"
        return [_article(row) for row in self._db.rows(sql, params)]

    def search(self, words: str, limit: int = 20) -> list[Article]:
        """Stories that hold all the words (and "quoted phrases"), best match first. Any input is safe."""
        query = fts_query(words)
        if not query:
            return []
        return [
            _article(row)
            for row in self._db.rows(
                "select a.* from articles_fts f join articles a on a.id = f.rowid where articles_fts match ?"
                " order by bm25(articles_fts, 4.0, 2.0, 1.0) limit ?",
                (query, limit),
            )
        ]

    def article(self, article_id: int) -> Article | None:
        row = self._db.one("select * from articles where id = ?", (article_id,))
        return _article(row) if row else None

    def duplicate(self, duplicate_id: int) -> dict[str, Any] | None:
        row = self._db.one("select * from duplicates where id = ?", (duplicate_id,))
        return _plain(row) if row else None

    def last_ids(self) -> tuple[int, int]:
        """The largest article and copy numbers in use: what is stored later has larger ones."""
        row = self._db.one(
            "select (select coalesce(max(id), 0) from articles), (select coalesce(max(id), 0) from duplicates)"
        )
        assert row is not None
        return row[0], row[1]

    def texts(self, after: tuple[str, int, int], last: tuple[int, int], limit: int) -> list[dict[str, Any]]:
        """Kept and folded texts in time order, from behind `after` = (published_at, rank, id); `last`: numbers of the
        newest article and copy that count.

        `rank` is 0 for articles and 1 for copies, so that of two with one time the kept text comes first.
        """
        published, rank, row_id = after
        articles = self._db.rows(
            "select 0 as rank, id, title, text, published_at, site, url, language, feed_id, null as article_id"
            " from articles where (published_at, id) > (?, ?) and id <= ? order by published_at, id limit ?",
            (published, row_id if rank == 0 else sys.maxsize, last[0], limit),
        )
        copies = self._db.rows(
            "select 1 as rank, id, title, text, published_at, site, url, language, feed_id, article_id from duplicates"
            " where (published_at, id) > (?, ?) and id <= ? order by published_at, id limit ?",
            (published, row_id if rank == 1 else -1, last[1], limit),
        )
        merged = sorted([*articles, *copies], key=lambda row: (row["published_at"], row["rank"], row["id"]))
        return [dict(row) for row in merged[:limit]]

    def articles_until(self, after: tuple[str, int], until: str, limit: int) -> list[dict[str, Any]]:
        """Articles in time order from behind `after` = (published_at, id), published before `until`."""
        return [
            dict(row)
            for row in self._db.rows(
                "select id, title, text, published_at, site, url, language from articles"
                " where (published_at, id) > (?, ?) and published_at < ? order by published_at, id limit ?",
                (*after, until, limit),
            )
        ]

    def copies(self, article_id: int) -> list[dict[str, Any]]:
        """The copies folded into an article, most alike first."""
        return [
            _plain(row)
            for row in self._db.rows(
                "select * from duplicates where article_id = ? order by max(resemblance, containment) desc, id",
                (article_id,),
            )
        ]

    def reports(self, article_id: int) -> list[dict[str, Any]]:
        """The other articles that report the same event in words of their own, in order of time."""
        return [
            dict(row)
            for row in self._db.rows(
                "select a.id, a.title, a.site, a.published_at, a.copies from articles me join articles a"
                " on a.event_id = coalesce(me.event_id, me.id) or a.id = me.event_id"
                " where me.id = ? and a.id <> me.id order by a.published_at, a.id",
                (article_id,),
            )
        ]

    def revisions(
        self, *, article_id: int | None = None, duplicate_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Earlier wordings, latest first."""
        column, owner = (
            ("article_id", article_id) if article_id is not None else ("duplicate_id", duplicate_id)
        )
        return [
            dict(row)
            for row in self._db.rows(f"select * from revisions where {column} = ? order by id desc", (owner,))
        ]

    def seen_in(self, article_id: int) -> list[dict[str, Any]]:
        """The entries, and their feeds, that told of a story."""
        return [
            dict(row)
            for row in self._db.rows(
                "select e.id, e.title, e.url, e.published_at, e.first_seen_at, e.duplicate_id, e.problem,"
                " f.id as feed_id, f.title as feed from entries e join feeds f on f.id = e.feed_id"
                " where e.article_id = ? order by e.first_seen_at, e.id",
                (article_id,),
            )
        ]

    def entries_at(self, key: str) -> list[dict[str, Any]]:
        """The entries with this canonical URL, stored or still waiting, with their feed and problem."""
        return [
            dict(row)
            for row in self._db.rows(
                "select e.*, f.title as feed, p.not_before from entries e join feeds f on f.id = e.feed_id"
                " left join _pending p on p.entry_id = e.id where e.url = ? order by e.id",
                (key,),
            )
        ]

    def pages(self, site: str, limit: int, after: tuple[str, int] | None = None) -> list[dict[str, Any]]:
        """Stored articles and copies of a site whose text is of their page, or should have been; newest first.

        `after`: (published_at, number) of the last one of the rows before these, to read on from.
        """
        columns = "id, title, text, summary, published_at, site, url, language, byline, feed_id, first_seen_at, source"
        which = "where site = :site and (source = 'page' or problem is not null)"
        return [
            dict(row)
            for row in self._db.rows(
                "select p.*, f.url as feed_url from"
                f" (select 2 * id as number, id as article_id, null as duplicate_id, {columns} from articles {which}"
                "   union all"
                f"  select 2 * id + 1, article_id, id, {columns} from duplicates {which}) p"
                " left join feeds f on f.id = p.feed_id where (published_at, number) < (:when, :number)"
                " order by published_at desc, number desc limit :limit",
                {
                    "site": site,
                    "limit": limit,
                    "when": (after or ("~", 0))[0],
                    "number": (after or ("", 0))[1],
                },
            )
        ]

    # ------------------------------------------------------------------------------------ status

    def feeds(self, *, failing: bool = False) -> list[dict[str, Any]]:
        """Every feed with its health, those in trouble first."""
        where = "where f.status in ('failing', 'gone')" if failing else "where f.status <> 'off'"
        return [
            dict(row)
            for row in self._db.rows(
                "select f.id, f.title, f.url, f.status, f.error_kind, f.error, f.failures, f.last_fetch_at,"
                " f.last_new_at, f.next_fetch_at, f.next_fetch_why, f.priority, f.tags from feeds f"
                f" {where} order by f.status not in ('failing', 'gone'), f.failures desc, f.title, f.id"
            )
        ]

    def closed_feeds(self, now: datetime) -> list[dict[str, Any]]:
        """The feeds whose stories' pages could not be read, for the most part, within a week: `unread` of so many
        `stories`, and the latest problem."""
        since = "select feed_id, first_seen_at, source, problem from {} where first_seen_at > ?1"
        rows = self._db.rows(
            f"with told as ({since.format('articles')} union all {since.format('duplicates')})"
            " select f.id, f.title, f.url, count(*) as stories,"
            " sum(t.source = 'feed' and t.problem is not null) as unread,"
            " (select p.problem from told p where p.feed_id = f.id and p.problem is not null"
            "  order by p.first_seen_at desc limit 1) as problem"
            " from told t join feeds f on f.id = t.feed_id where f.status <> 'off'"
            " group by f.id having stories >= ?2 and unread >= ?3 * stories order by unread desc, f.id",
            (stamp(now - timedelta(days=7)), CLOSED_STORIES, CLOSED_SHARE),
        )
        return [dict(row) for row in rows]

    def is_closed(self, feed_id: int, stories: int) -> bool:
        """Whether the last so many stories of a feed, kept or folded, were all told by the feed alone, their pages
        being unreadable."""
        told = "select first_seen_at, source, problem from"
        last = f"select * from ({told} {{}} where feed_id = ?1 order by id desc limit ?2)"
        return bool(
            self._db.value(
                "select count(*) = ?2 and sum(source = 'feed' and problem is not null) = ?2 from (select * from"
                f" ({last.format('articles')} union all {last.format('duplicates')})"
                " order by first_seen_at desc limit ?2)",
                (feed_id, stories),
            )
        )

    def totals(self, now: datetime) -> dict[str, Any]:
        """Counts for a status line: articles, copies, feeds by status, pending entries, last fetch, today's news."""
        day = stamp(now - timedelta(days=1))
        row = self._db.one(
            "select (select count(*) from articles) as articles, (select count(*) from duplicates) as copies,"
            " (select count(*) from entries) as entries, (select count(*) from _pending) as pending,"
            " (select count(*) from feeds where status <> 'off') as feeds,"
            " (select count(*) from feeds where status in ('failing', 'gone')) as feeds_failing,"
            " (select count(*) from articles where first_seen_at > :day) as articles_today,"
            " (select count(*) from duplicates where removed_at > :day) as copies_today,"
            " (select max(started_at) from fetches) as last_fetch_at,"
            " (select min(next_fetch_at) from feeds where status not in ('off', 'gone')) as next_fetch_at",
            {"day": day},
        )
        assert row is not None
        return dict(row)


def fts_query(words: str) -> str:
    """What the user typed as an FTS5 query: every word and "quoted phrase" must occur; a final * stays a prefix.

    Each term is quoted, so FTS5's own operators in it are plain text.
    """
    terms = []
    words = words.encode("utf-8", "replace").decode("utf-8")  # a shell may hand over bytes that are no UTF-8
    for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', words.replace("\x00", "")):
        term = (phrase or word).strip()
        prefix = "*" if not phrase and term.endswith("*") else ""
        term = term.rstrip("*").replace('"', " ")
        if re.search(r"\w", term):
            terms.append(f'"{term}"{prefix}')
    return " ".join(terms)


def _article(row: Row) -> Article:
    values = {name: row[name] for name in Article.__slots__}
    return Article(
        **{**values, "tags": tuple(json.loads(row["tags"])), "flags": tuple(json.loads(row["flags"]))}
    )


def _plain(row: Row) -> dict[str, Any]:
    values = dict(row)
    return {**values, "flags": json.loads(values["flags"]), "evidence": json.loads(values["evidence"])}
