"""Stories in the database: found by URL or by what they share, stored, revised, related to one event.

Every method that changes a story is one transaction, and takes
the entry off the pending list in the same one: killed at any instant, a story is either stored and linked, or its
entry is still pending.

Index rows of a text that was replaced or folded are left where they are: what the index proposes is read and judged
anew, ids are never reused, and old rows go with their stretch of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.candidates import Hit, Rare
from aggregator.errors import StoreError
from aggregator.model import Candidate, Kept, Saved, Story, Terms, Verdict, Wording
from aggregator.store.clock import from_text, stamp
from aggregator.store.connection import Connection
from aggregator.store.postings import Postings
from aggregator.store.rows import SHARED, Rows, as_json, columns_of, turned
from aggregator.store.sites import Sites

#: A story of this many words is no candidate by a single posting, but for a tiny text: half of what the index proposes,
#: and the judge would not look at it either. Some words count for nothing, so that this is on the safe side.
FEW_WORDS = 40
_CANDIDATE = (
    f"select title, text, published_at, feed_id, site from articles where id = ?1 and (?2 or words < {FEW_WORDS})"
    " union all select r.title, r.text, a.published_at, null, null from revisions r"
    " join articles a on a.id = r.article_id"
    f" where r.article_id = ?1 and r.reason = 'better_copy' and (?2 or a.words < {FEW_WORDS})"
)
#: How long after its first report another one still belongs to an event.
EVENT_SPAN = timedelta(days=7)


class Stories:
    def __init__(
        self, connection: Connection, postings: Postings, topics: Postings, sites: Sites, rows: Rows
    ) -> None:
        self._db = connection
        self._postings = postings
        self._topics = topics
        self._sites = sites
        self._rows = rows

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
        asked = (hit for hit in hits if not decided or decided.get(hit.story) is not False)
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
            rows = self._db.rows(_CANDIDATE, (hit.story, tiny or len(hit.shared) > 1))
            found += [
                Candidate(hit.story, title, text, from_text(published_at), hit.shared, (feed_id, site))
                for title, text, published_at, feed_id, site in rows
            ]
        return found

    def kept(self, article_id: int) -> Kept:
        """What a better copy is measured against: the kept text's size, outlet, copies and feed priority."""
        row = self._db.one(
            "select a.words, a.copies, a.site, a.agency, f.priority from articles a"
            " left join feeds f on f.id = a.feed_id where a.id = ?",
            (article_id,),
        )
        if row is None:
            raise StoreError(
                self._db.path, f"there is no article {article_id}", "see the ids with 'aggregator latest'"
            )
        priority = 50 if row["priority"] is None else row["priority"]
        return Kept(row["words"], priority, row["copies"], row["site"], row["agency"])

    # ----------------------------------------------------------------------------------- storing

    def add(self, story: Story, terms: Terms, entry_id: int | None, now: datetime) -> Saved:
        """Store a story of its own."""
        with self._db.transaction():
            article_id = self._rows.insert_article(columns_of(story), story.tags, now)
            self._rows.attach(story, now, article_id=article_id, new=True)
            self._postings.add(article_id, terms.postings, terms.published)
            self._sites.learn(story.site, story.blocks, now)
            self._rows.link(entry_id, article_id, None, story.problem)
        return Saved("article", article_id)

    def add_copy(self, story: Story, verdict: Verdict, entry_id: int | None, now: datetime) -> Saved:
        """Fold a copy into the article `verdict.copy_of`, with the evidence."""
        assert verdict.copy_of is not None
        with self._db.transaction():
            duplicate_id = self._rows.insert_duplicate(columns_of(story), verdict.copy_of, verdict, now)
            self._rows.attach(story, now, duplicate_id=duplicate_id, new=True)
            self._sites.learn(story.site, story.blocks, now)
            self._rows.link(entry_id, verdict.copy_of, duplicate_id, story.problem)
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
            old = self._rows.article(article_id)
            self._rows.revision("article_id", article_id, "better_copy", old, now)
            duplicate_id = self._rows.insert_duplicate(
                {c: old[c] for c in SHARED}, article_id, turned(verdict), now
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
            columns = {**columns_of(story), "published_at": min(story.published_at, old["published_at"])}
            columns["first_seen_at"] = old["first_seen_at"]
            self._rows.update(
                "articles", article_id, {**columns, "tags": as_json(story.tags), "changed_at": stamp(now)}
            )
            self._rows.attach(story, now, article_id=article_id)
            self._postings.add(article_id, terms.postings, terms.published)
            self._sites.learn(story.site, story.blocks, now)
            self._rows.link(entry_id, article_id, None, story.problem)
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
                self._rows.link(entry_id, saved.article_id, saved.duplicate_id, story.problem)
                return Saved("unchanged", saved.article_id, saved.duplicate_id)
            self._rows.revision(column, row_id, reason, old, now)
            columns = {
                **columns_of(story),
                "published_at": old["published_at"],
                "first_seen_at": old["first_seen_at"],
                "feed_id": old["feed_id"],
            }
            if table == "articles":
                columns["changed_at"] = stamp(now)
                self._postings.add(saved.article_id, terms.postings, terms.published)
            self._rows.update(table, row_id, columns)
            self._rows.attach(
                story,
                now,
                article_id=saved.article_id if table == "articles" else None,
                duplicate_id=saved.duplicate_id,
            )
            self._rows.link(entry_id, saved.article_id, saved.duplicate_id, story.problem)
        return Saved("revised", saved.article_id, saved.duplicate_id)

    def link(self, entry_id: int, saved: Saved) -> None:
        """The entry's story is stored already, under the same URL: say so, and be done with the entry."""
        with self._db.transaction():
            self._rows.link(entry_id, saved.article_id, saved.duplicate_id, None)

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
            self._rows.revision(column, owner, "restored", old, now)
            self._rows.update(table, owner, {"text": text, "words": words})
            if is_article:
                self._rows.update(table, owner, {"changed_at": stamp(now)})
                self._postings.add(owner, terms.postings, terms.published)
            paragraphs = len(block["text"].split("\n\n"))
            self._sites.put_back(block["id"], column, owner, block["position"], paragraphs)
        article_id = owner if is_article else old["article_id"]
        return Saved("revised", article_id, None if is_article else owner)

    def index(self, article_id: int, terms: Terms) -> None:
        """Put an article's text in the index (again)."""
        self._postings.add(article_id, terms.postings, terms.published)
