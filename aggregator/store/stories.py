"""Stories in the database: articles, the copies folded into them, earlier wordings; folding and its undoing.

Copies point at kept articles: stars, never chains. Every method that changes a story is one transaction, and takes
the entry off the pending list in the same one: killed at any instant, a story is either stored and linked, or its
entry is still pending.

Index rows of a text that was replaced or folded are left where they are: what the index proposes is read and judged
anew, ids are never reused, and old rows go with their stretch of time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from sqlite3 import Row
from typing import Any

from aggregator.errors import StoreError
from aggregator.model import Candidate, Kept, Rare, Saved, Story, Terms, Verdict, Wording
from aggregator.store.clock import from_text, stamp
from aggregator.store.connection import Connection
from aggregator.store.postings import Hit, Postings
from aggregator.store.sites import Sites

#: Columns that an article and a folded copy share, so that one can become the other and back.
SHARED = (
    "title", "published_at", "site", "feed_id", "agency", "byline", "language", "summary", "text", "words",
    "image", "url", "source", "problem", "flags", "first_seen_at",
)  # fmt: skip
#: A story of this many words is no candidate by a single posting, but for a tiny text: half of what the index proposes,
#: and the judge would not look at it either. Some words count for nothing, so that this is on the safe side.
FEW_WORDS = 40
_CANDIDATE = (
    f"select title, text, published_at from articles where id = ?1 and (?2 or words < {FEW_WORDS})"
    " union all select r.title, r.text, a.published_at from revisions r join articles a on a.id = r.article_id"
    f" where r.article_id = ?1 and r.reason = 'better_copy' and (?2 or a.words < {FEW_WORDS})"
)
#: How long after its first report another one still belongs to an event.
EVENT_SPAN = timedelta(days=7)


class Stories:
    def __init__(self, connection: Connection, postings: Postings, topics: Postings, sites: Sites) -> None:
        self._db = connection
        self._postings = postings
        self._topics = topics
        self._sites = sites

    # ----------------------------------------------------------------------------------- finding

    def known(self, keys: Sequence[str]) -> Saved | None:
        """The story that one of these canonical URLs already belongs to."""
        for key in keys:
            row = self._db.one("select article_id, duplicate_id from _urls where key = ?", (key,))
            if row is not None:
                break
        else:
            return None
        if row["duplicate_id"] is None:
            return Saved("unchanged", row["article_id"])
        owner = self._db.value("select article_id from duplicates where id = ?", (row["duplicate_id"],))
        return Saved("unchanged", owner, row["duplicate_id"])

    def wording(self, saved: Saved) -> Wording:
        """Title, text and source of what is stored there."""
        table, row_id = (
            ("articles", saved.article_id)
            if saved.duplicate_id is None
            else ("duplicates", saved.duplicate_id)
        )
        row = self._db.one(f"select title, text, source from {table} where id = ?", (row_id,))
        if row is None:
            raise StoreError(self._db.path, f"row {row_id} of {table} is gone", "run again")
        return Wording(row["title"], row["text"], row["source"])

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

    def candidates(
        self,
        terms: Terms,
        window: float,
        without: int | None = None,
        decided: Mapping[int, bool] | None = None,
    ) -> list[Candidate]:
        """The kept stories that a text may be a copy of, most promising first; with the texts that better copies took
        the place of: a copy of those need not be as near to the better one.

        `without`: an article to pass over, the one that is judged again. What the user `decided` to be another
        story is passed over too.
        """
        hits = self._postings.candidates(terms.probes, terms.published, window, without=without)
        asked = (hit for hit in hits if not decided or decided.get(hit.article_id) is not False)
        return self._read(asked, tiny=terms.tiny)

    def related(
        self,
        article_id: int,
        topics: Sequence[int],
        published: float,
        window: float,
        rare: Rare,
    ) -> list[Candidate]:
        """The kept stories that may report the same event as an article; `published` in seconds since the epoch.
        Only those are read that share enough `rare` topics with it."""
        return self._read(self._topics.candidates(topics, published, window, without=article_id, rare=rare))

    def _read(self, hits: Iterable[Hit], *, tiny: bool = False) -> list[Candidate]:
        """The texts of what the index proposed, in its order; of two texts that share a single posting only if one of
        them is `tiny`."""
        found = []
        for hit in hits:
            rows = self._db.rows(_CANDIDATE, (hit.article_id, tiny or len(hit.shared) > 1))
            found += [
                Candidate(hit.article_id, title, text, from_text(published_at), hit.shared)
                for title, text, published_at in rows
            ]
        return found

    def kept(self, article_id: int) -> Kept:
        """What a better copy is measured against: the kept text's size, source, flags, outlet and feed priority."""
        row = self._db.one(
            "select a.words, a.source, a.flags, a.copies, a.site, a.agency, f.priority from articles a"
            " left join feeds f on f.id = a.feed_id where a.id = ?",
            (article_id,),
        )
        if row is None:
            raise StoreError(
                self._db.path, f"there is no article {article_id}", "see the ids with 'aggregator latest'"
            )
        priority = 50 if row["priority"] is None else row["priority"]
        flags = tuple(json.loads(row["flags"]))
        return Kept(row["words"], row["source"], flags, priority, row["copies"], row["site"], row["agency"])

    # ----------------------------------------------------------------------------------- storing

    def add(self, story: Story, terms: Terms, entry_id: int | None, now: datetime) -> Saved:
        """Store a story of its own."""
        with self._db.transaction():
            article_id = self._insert_article(_columns(story), story.tags, now)
            self._attach(story, now, article_id=article_id, new=True)
            self._postings.add(article_id, terms.postings, terms.published)
            self._sites.learn(story.site, story.blocks, now)
            self._link(entry_id, article_id, None, story.problem)
        return Saved("article", article_id)

    def add_copy(self, story: Story, verdict: Verdict, entry_id: int | None, now: datetime) -> Saved:
        """Fold a copy into the article `verdict.copy_of`, with the evidence."""
        assert verdict.copy_of is not None
        with self._db.transaction():
            duplicate_id = self._insert_duplicate(_columns(story), verdict.copy_of, verdict, now)
            self._attach(story, now, duplicate_id=duplicate_id, new=True)
            self._sites.learn(story.site, story.blocks, now)
            self._link(entry_id, verdict.copy_of, duplicate_id, story.problem)
        return Saved("duplicate", verdict.copy_of, duplicate_id)

    def add_better(
        self, story: Story, verdict: Verdict, terms: Terms, entry_id: int | None, now: datetime
    ) -> Saved:
        """Put a better copy in an article's place: same id, the text before becomes a copy and a revision.

        `verdict` is the new text's against the kept one; the evidence stays with the pair, its direction turned.
        """
        assert verdict.copy_of is not None
        article_id = verdict.copy_of
        with self._db.transaction():
            old = self._article(article_id)
            self._revision("article_id", article_id, "better_copy", old, now)
            duplicate_id = self._insert_duplicate(
                {c: old[c] for c in SHARED}, article_id, _turned(verdict), now
            )
            for table in ("_urls", "removed_blocks"):
                self._db.execute(
                    f"update {table} set article_id = null, duplicate_id = ? where article_id = ?",
                    (duplicate_id, article_id),
                )
            self._db.execute(
                "update entries set duplicate_id = ? where article_id = ? and duplicate_id is null",
                (duplicate_id, article_id),
            )
            columns = {**_columns(story), "published_at": min(story.published_at, old["published_at"])}
            columns["first_seen_at"] = old["first_seen_at"]
            self._update(
                "articles", article_id, {**columns, "tags": _json(story.tags), "changed_at": stamp(now)}
            )
            self._attach(story, now, article_id=article_id)
            self._postings.add(article_id, terms.postings, terms.published)
            self._sites.learn(story.site, story.blocks, now)
            self._link(entry_id, article_id, None, story.problem)
        return Saved("better_copy", article_id, duplicate_id)

    def revise(
        self,
        saved: Saved,
        story: Story,
        terms: Terms,
        entry_id: int | None,
        now: datetime,
        reason: str = "edited",
    ) -> Saved:
        """The same outlet changed its text (or it was extracted anew): keep the earlier wording as a revision.

        Nothing is written when title and text are as they were.
        """
        table, column, row_id = (
            ("articles", "article_id", saved.article_id)
            if saved.duplicate_id is None
            else ("duplicates", "duplicate_id", saved.duplicate_id)
        )
        with self._db.transaction():
            old = self._db.one(f"select * from {table} where id = ?", (row_id,))
            if old is None:
                raise StoreError(self._db.path, f"{column} {row_id} is gone", "run again")
            if old["title"] == story.title and old["text"] == story.text:
                self._db.execute(
                    f"update {table} set source = ?, problem = ? where id = ?"
                    " and (source is not ? or problem is not ?)",
                    (story.source, story.problem, row_id, story.source, story.problem),
                )
                self._link(entry_id, saved.article_id, saved.duplicate_id, story.problem)
                return Saved("unchanged", saved.article_id, saved.duplicate_id)
            self._revision(column, row_id, reason, old, now)
            columns = {
                **_columns(story),
                "published_at": old["published_at"],
                "first_seen_at": old["first_seen_at"],
                "feed_id": old["feed_id"],
            }
            if table == "articles":
                columns["changed_at"] = stamp(now)
                self._postings.add(saved.article_id, terms.postings, terms.published)
            self._update(table, row_id, columns)
            self._attach(
                story,
                now,
                article_id=saved.article_id if table == "articles" else None,
                duplicate_id=saved.duplicate_id,
            )
            self._link(entry_id, saved.article_id, saved.duplicate_id, story.problem)
        return Saved("revised", saved.article_id, saved.duplicate_id)

    def link(self, entry_id: int, saved: Saved) -> None:
        """The entry's story is stored already, under the same URL: say so, and be done with the entry."""
        with self._db.transaction():
            self._link(entry_id, saved.article_id, saved.duplicate_id, None)

    def relate(
        self,
        article_id: int,
        topics: Sequence[int],
        published: float,
        other: int | None,
        *,
        new: bool = False,
    ) -> None:
        """Remember what an article is about, and that it reports the same event as the article `other`, or none.

        Stars, as with copies: all reports of an event point at its first one. A report that comes later than
        `EVENT_SPAN` after that begins an event of its own. `new`: it was just stored, and belongs to no event yet.
        """
        with self._db.transaction():
            self._topics.add(article_id, topics, published)
            if new and other is None:
                return
            first = other and self._db.value(
                "select f.id from articles o join articles f on f.id = coalesce(o.event_id, o.id)"
                " where o.id = ? and f.id <> ? and f.published_at >= ?",
                (other, article_id, stamp(datetime.fromtimestamp(published, UTC) - EVENT_SPAN)),
            )
            self._db.execute(
                "update articles set event_id = ? where id = ? and event_id is not ?",
                (first, article_id, first),
            )

    # ------------------------------------------------------------------------- folding by hand

    def fold(self, article_id: int, into: int, verdict: Verdict, now: datetime, *, remember: bool) -> Saved:
        """Make an article a copy of another; its own copies move along. `remember`: it was the user's decision."""
        if article_id == into:
            raise StoreError(
                self._db.path, f"article {into} cannot be folded into itself", "give two articles"
            )
        with self._db.transaction():
            old, kept = self._article(article_id), self._article(into)
            moved = self._db.rows("select id from duplicates where article_id = ?", (article_id,))
            self._db.execute("update duplicates set article_id = ? where article_id = ?", (into, article_id))
            duplicate_id = self._insert_duplicate({c: old[c] for c in SHARED}, into, verdict, now)
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
            old = self._article(article_id)
            copy = self._db.one("select * from duplicates where id = ?", (duplicate_id,))
            if copy is None or duplicate_id is None:
                raise StoreError(self._db.path, f"there is no folded copy {duplicate_id}", "run again")
            self._revision("article_id", article_id, "better_copy", old, now)
            new = {name: copy[name] for name in SHARED}
            new |= {"published_at": min(old["published_at"], copy["published_at"]), "changed_at": stamp(now)}
            new |= {"first_seen_at": old["first_seen_at"], "tags": self._tags(copy["feed_id"])}
            self._update("articles", article_id, new)
            replaced = {name: old[name] for name in SHARED} | _evidence_of(_turned(verdict))
            self._update("duplicates", duplicate_id, replaced)
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
            tags = self._tags(row["feed_id"])
            if remember:
                self._remember(duplicate_id, row["article_id"], same=False, now=now)
            article_id = self._insert_article({c: row[c] for c in SHARED}, tuple(json.loads(tags)), now)
            for table in ("_urls", "removed_blocks", "revisions", "entries"):
                self._db.execute(
                    f"update {table} set article_id = ?, duplicate_id = null where duplicate_id = ?",
                    (article_id, duplicate_id),
                )
            self._db.execute("delete from duplicates where id = ?", (duplicate_id,))
            self._postings.add(article_id, terms.postings, terms.published)
        return Saved("article", article_id)

    # ----------------------------------------------------------------------------- bringing back

    def removed_block(self, block_id: int) -> dict[str, Any]:
        """A removed block with the text it was taken from: `text` (the block's), `page_text`, `position`, owner."""
        row = self._db.one(
            "select r.id, r.article_id, r.duplicate_id, r.position, b.text, coalesce(a.text, d.text) as page_text"
            " from removed_blocks r join boilerplate b on b.id = r.boilerplate_id"
            " left join articles a on a.id = r.article_id left join duplicates d on d.id = r.duplicate_id"
            " where r.id = ?",
            (block_id,),
        )
        if row is None:
            raise StoreError(
                self._db.path,
                f"there is no removed block {block_id}",
                "see the ids with 'aggregator why ARTICLE -v'",
            )
        return dict(row)

    def restore(self, block: Mapping[str, Any], text: str, words: int, terms: Terms, now: datetime) -> Saved:
        """Put a removed block's text back: `text` is the page's text with it. The text before becomes a revision."""
        is_article = block["article_id"] is not None
        table, column = ("articles", "article_id") if is_article else ("duplicates", "duplicate_id")
        owner = block[column]
        with self._db.transaction():
            old = self._db.one(f"select * from {table} where id = ?", (owner,))
            assert old is not None
            self._revision(column, owner, "restored", old, now)
            self._update(table, owner, {"text": text, "words": words})
            if is_article:
                self._update(table, owner, {"changed_at": stamp(now)})
                self._postings.add(owner, terms.postings, terms.published)
            paragraphs = len(block["text"].split("\n\n"))
            self._sites.put_back(block["id"], column, owner, block["position"], paragraphs)
        article_id = owner if is_article else old["article_id"]
        return Saved("revised", article_id, None if is_article else owner)

    # ------------------------------------------------------------------------------ judging again

    def owner(self, duplicate_id: int) -> int | None:
        """The article that a folded copy belongs to; None when there is no such copy (any more)."""
        value = self._db.value("select article_id from duplicates where id = ?", (duplicate_id,))
        return None if value is None else int(value)

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
            "select 0 as rank, id, title, text, published_at, site, url, language, null as article_id from articles"
            " where (published_at, id) > (?, ?) and id <= ? order by published_at, id limit ?",
            (published, row_id if rank == 0 else sys.maxsize, last[0], limit),
        )
        copies = self._db.rows(
            "select 1 as rank, id, title, text, published_at, site, url, language, article_id from duplicates"
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

    def index(self, article_id: int, terms: Terms) -> None:
        """Put an article's text in the index (again)."""
        self._postings.add(article_id, terms.postings, terms.published)

    def keys(self, *, article_id: int | None = None, duplicate_id: int | None = None) -> list[str]:
        """The canonical URLs of an article with its copies, or of a folded copy."""
        where, owner = "duplicate_id = ?", duplicate_id
        if article_id is not None:
            where, owner = (
                "article_id = ?1 or duplicate_id in (select id from duplicates where article_id = ?1)",
                article_id,
            )
        return [row["key"] for row in self._db.rows(f"select key from _urls where {where}", (owner,))]

    def judged_again(self, duplicate_id: int, verdict: Verdict) -> bool:
        """Store a new verdict on a folded copy; returns whether anything changed."""
        assert verdict.copy_of is not None
        with self._db.transaction():
            names, values = zip(
                *{"article_id": verdict.copy_of, **_evidence_of(verdict)}.items(), strict=True
            )
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

    # ----------------------------------------------------------------------------- the small print

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

    def _tags(self, feed_id: int | None) -> str:
        return self._db.value("select tags from feeds where id = ?", (feed_id,)) or "[]"

    def _article(self, article_id: int) -> Row:
        row = self._db.one("select * from articles where id = ?", (article_id,))
        if row is None:
            raise StoreError(
                self._db.path, f"there is no article {article_id}", "see the ids with 'aggregator latest'"
            )
        return row

    def _insert_article(self, columns: dict[str, Any], tags: Sequence[str], now: datetime) -> int:
        return self._db.insert("articles", **columns, tags=_json(tags), changed_at=stamp(now))

    def _insert_duplicate(
        self, columns: dict[str, Any], article_id: int, verdict: Verdict, now: datetime
    ) -> int:
        return self._db.insert(
            "duplicates",
            **columns,
            article_id=article_id,
            **_evidence_of(verdict),
            removed_at=stamp(now),
        )

    def _attach(
        self,
        story: Story,
        now: datetime,
        *,
        article_id: int | None = None,
        duplicate_id: int | None = None,
        new: bool = False,
    ) -> None:
        """The story's URLs and what was removed from its page."""
        self._db.executemany(
            "insert into _urls (key, article_id, duplicate_id) values (?, ?, ?) on conflict (key) do nothing",
            ((key, article_id, duplicate_id) for key in story.keys),
        )
        self._sites.store_removed(
            story.site, story.removed, now, article_id=article_id, duplicate_id=duplicate_id, new=new
        )

    def _link(
        self, entry_id: int | None, article_id: int, duplicate_id: int | None, problem: str | None
    ) -> None:
        if entry_id is None:
            return
        self._db.execute(
            "update entries set article_id = ?, duplicate_id = ?, problem = ?, attempts = attempts + 1 where id = ?",
            (article_id, duplicate_id, problem, entry_id),
        )
        self._db.execute("delete from _pending where entry_id = ?", (entry_id,))

    def _revision(self, column: str, row_id: int, reason: str, old: Row, now: datetime) -> None:
        """Keep an earlier wording, once: some outlets' servers give two versions in turn, for weeks."""
        if self._db.value(
            f"select 1 from revisions where {column} = ? and reason = ? and title = ? and text = ?",
            (row_id, reason, old["title"], old["text"]),
        ):
            return
        self._db.insert(
            "revisions",
            **{column: row_id},
            title=old["title"],
            reason=reason,
            replaced_at=stamp(now),
            text=old["text"],
            url=old["url"],
        )

    def _update(self, table: str, row_id: int, columns: dict[str, Any]) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"update {table} set {assignments} where id = ?", (*columns.values(), row_id))


def _json(values: Sequence[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False) if values else "[]"


def _columns(story: Story) -> dict[str, Any]:
    return {name: getattr(story, name) for name in SHARED} | {"flags": _json(story.flags)}


def _evidence_of(verdict: Verdict) -> dict[str, Any]:
    """The columns of a copy that say why it is one."""
    return {
        "reason": verdict.reason,
        "resemblance": round(verdict.resemblance, 4),
        "containment": round(verdict.containment, 4),
        "confidence": round(verdict.confidence, 4),
        "evidence": json.dumps(dict(verdict.evidence), ensure_ascii=False),
    }


def _turned(verdict: Verdict) -> Verdict:
    """The verdict seen from the other text: what contained the old one is now its longer version, and so on."""
    reason = {"contained": "contains", "contains": "contained"}.get(verdict.reason, verdict.reason)
    sides = {"only_here": "only_there", "only_there": "only_here"}
    evidence = dict(verdict.evidence)
    for name, value in verdict.evidence.items():
        kind, _, side = name.partition("_")
        if side in sides:
            evidence[f"{kind}_{sides[side]}"] = value
    containment = float(str(evidence.get("containment_of_kept", verdict.containment)))
    if "containment_of_kept" in evidence:
        evidence["containment_of_kept"] = verdict.containment
    return replace(verdict, reason=reason, containment=containment, evidence=evidence)
