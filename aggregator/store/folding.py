"""Copies and the articles they are folded into: folded, unfolded, exchanged, judged again; what the user decided.

Copies point at kept articles: stars, never chains.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from aggregator.errors import StoreError
from aggregator.model import Saved, Terms, Verdict
from aggregator.store.clock import stamp
from aggregator.store.connection import Connection
from aggregator.store.postings import Postings
from aggregator.store.rows import SHARED, Rows, evidence_of, turned


class Folding:
    def __init__(self, connection: Connection, postings: Postings, rows: Rows) -> None:
        self._db = connection
        self._postings = postings
        self._rows = rows

    def decisions(self, keys: Sequence[str]) -> dict[int, bool]:
        """What the user decided about these canonical URLs: article id -> the same story, or not."""
        if self._db.value("select 1 from _decisions limit 1") is None:
            return {}
        rows = self._db.rows(
            "with mine (key) as (select value from json_each(?)), decided (key, same, at) as ("
            " select other_url, same, decided_at from _decisions where url in mine"
            " union all select url, same, decided_at from _decisions where other_url in mine)"
            " select coalesce(u.article_id, c.article_id) as article_id, d.same from decided d"
            " join _urls u on u.key = d.key left join duplicates c on c.id = u.duplicate_id order by d.at",
            (json.dumps(list(keys)),),
        )
        return {row["article_id"]: bool(row["same"]) for row in rows}

    def owner(self, duplicate_id: int) -> int | None:
        """The article that a folded copy belongs to; None when there is no such copy (any more)."""
        value = self._db.value("select article_id from duplicates where id = ?", (duplicate_id,))
        return None if value is None else int(value)

    def keys(self, *, article_id: int | None = None, duplicate_id: int | None = None) -> list[str]:
        """The canonical URLs of an article with its copies, or of a folded copy."""
        where, owner = "duplicate_id = ?", duplicate_id
        if article_id is not None:
            where, owner = (
                "article_id = ?1 or duplicate_id in (select id from duplicates where article_id = ?1)",
                article_id,
            )
        return [row["key"] for row in self._db.rows(f"select key from _urls where {where}", (owner,))]

    def fold(self, article_id: int, into: int, verdict: Verdict, now: datetime, *, remember: bool) -> Saved:
        """Make an article a copy of another; its own copies move along. `remember`: it was the user's decision."""
        if article_id == into:
            raise StoreError(
                self._db.path, f"article {into} cannot be folded into itself", "give two articles"
            )
        with self._db.transaction():
            old, kept = self._rows.article(article_id), self._rows.article(into)
            moved = self._db.rows("select id from duplicates where article_id = ?", (article_id,))
            self._db.execute("update duplicates set article_id = ? where article_id = ?", (into, article_id))
            duplicate_id = self._rows.insert_duplicate({c: old[c] for c in SHARED}, into, verdict, now)
            self._db.execute(
                "update entries set duplicate_id = coalesce(duplicate_id, ?), article_id = ? where article_id = ?",
                (duplicate_id, into, article_id),
            )
            for table in ("_urls", "removed_blocks", "revisions"):
                self._db.execute(
                    f"update {table} set article_id = null, duplicate_id = ? where article_id = ?",
                    (duplicate_id, article_id),
                )
            if remember:
                for copy in (duplicate_id, *(row["id"] for row in moved)):
                    self._remember(copy, kept["id"], same=True, now=now)
            self._db.execute(
                "update articles set event_id = null where id = ? and event_id = ?", (into, article_id)
            )
            self._db.execute(
                "update articles set event_id = (select coalesce(event_id, id) from articles where id = ?)"
                " where event_id = ?",
                (into, article_id),
            )
            self._db.execute("delete from articles where id = ?", (article_id,))
        return Saved("duplicate", into, duplicate_id)

    def prefer(self, saved: Saved, verdict: Verdict, terms: Terms, now: datetime) -> Saved:
        """Let a folded copy, which is the better text, and its article change places: same id, the copy's text, which
        `terms` index. `verdict` is the copy's against the article."""
        article_id, duplicate_id = saved.article_id, saved.duplicate_id
        with self._db.transaction():
            old = self._rows.article(article_id)
            copy = self._db.one("select * from duplicates where id = ?", (duplicate_id,))
            if copy is None or duplicate_id is None:
                raise StoreError(self._db.path, f"there is no folded copy {duplicate_id}", "run again")
            self._rows.revision("article_id", article_id, "better_copy", old, now)
            new = {name: copy[name] for name in SHARED}
            new |= {"published_at": min(old["published_at"], copy["published_at"]), "changed_at": stamp(now)}
            new |= {"first_seen_at": old["first_seen_at"], "tags": self._rows.tags(copy["feed_id"])}
            self._rows.update("articles", article_id, new)
            replaced = {name: old[name] for name in SHARED} | evidence_of(turned(verdict))
            self._rows.update("duplicates", duplicate_id, replaced)
            self._db.execute(
                "update revisions set article_id = ?, duplicate_id = null where duplicate_id = ?",
                (article_id, duplicate_id),
            )
            for table in ("_urls", "removed_blocks"):
                self._db.execute(
                    f"update {table} set article_id = iif(article_id is null, ?1, null),"
                    " duplicate_id = iif(article_id is null, null, ?2) where article_id = ?1 or duplicate_id = ?2",
                    (article_id, duplicate_id),
                )
            self._db.execute(
                "update entries set duplicate_id = iif(duplicate_id is null, ?2, null)"
                " where article_id = ?1 and (duplicate_id is null or duplicate_id = ?2)",
                (article_id, duplicate_id),
            )
            self._postings.add(article_id, terms.postings, terms.published)
        return Saved("better_copy", article_id, duplicate_id)

    def unfold(self, duplicate_id: int, terms: Terms, now: datetime, *, remember: bool = True) -> Saved:
        """Bring a folded copy back as an article of its own. `remember`: it was the user's decision, and later
        copies of it are not folded into the other either."""
        with self._db.transaction():
            row = self._db.one("select * from duplicates where id = ?", (duplicate_id,))
            if row is None:
                raise StoreError(
                    self._db.path,
                    f"there is no folded copy {duplicate_id}",
                    "see the ids with 'aggregator why ARTICLE'",
                )
            tags = self._rows.tags(row["feed_id"])
            if remember:
                self._remember(duplicate_id, row["article_id"], same=False, now=now)
            article_id = self._rows.insert_article({c: row[c] for c in SHARED}, tuple(json.loads(tags)), now)
            for table in ("_urls", "removed_blocks", "revisions", "entries"):
                self._db.execute(
                    f"update {table} set article_id = ?, duplicate_id = null where duplicate_id = ?",
                    (article_id, duplicate_id),
                )
            self._db.execute("delete from duplicates where id = ?", (duplicate_id,))
            self._postings.add(article_id, terms.postings, terms.published)
        return Saved("article", article_id)

    def judged_again(self, duplicate_id: int, verdict: Verdict) -> bool:
        """Store a new verdict on a folded copy; returns whether anything changed."""
        assert verdict.copy_of is not None
        with self._db.transaction():
            names, values = zip(*{"article_id": verdict.copy_of, **evidence_of(verdict)}.items(), strict=True)
            changed = self._db.execute(
                f"update duplicates set {', '.join(f'{name} = ?' for name in names)} where id = ?"
                f" and ({' or '.join(f'{name} is not ?' for name in names)})",
                (*values, duplicate_id, *values),
            ).rowcount
            self._db.execute(
                "update entries set article_id = ? where duplicate_id = ? and article_id is not ?",
                (verdict.copy_of, duplicate_id, verdict.copy_of),
            )
        return bool(changed)

    def _remember(self, duplicate_id: int, article_id: int, *, same: bool, now: datetime) -> None:
        self._db.execute(  # what was decided before, seen from the other one
            "delete from _decisions where (other_url, url) in"
            " (select d.key, a.key from _urls d, _urls a where d.duplicate_id = ? and a.article_id = ?)",
            (duplicate_id, article_id),
        )
        self._db.execute(
            "insert into _decisions (url, other_url, same, decided_at) select d.key, a.key, ?, ? from _urls d, _urls a"
            " where d.duplicate_id = ? and a.article_id = ? on conflict (url, other_url) do update set"
            " same = excluded.same, decided_at = excluded.decided_at",
            (same, stamp(now), duplicate_id, article_id),
        )
