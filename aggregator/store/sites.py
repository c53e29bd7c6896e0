"""Site memory in the database: which blocks and paths repeat on a site, and what was taken away from its pages."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from aggregator.model import Block, Removed, SiteMemory
from aggregator.store.clock import stamp
from aggregator.store.connection import Connection

#: How long a block seen on one page only is remembered. A site's furniture is on the next page; a paragraph never is,
#: and 20,000 pages a day of 60 blocks are 8 million rows a week.
SINGLES = timedelta(days=7)
#: Blocks and paths of one site that are given to extraction at most.
MAX_MEMORY = 5_000


class Sites:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def memory(self, site: str, hashes: Iterable[int] | None = None) -> SiteMemory:
        """What was learned of a site; empty for a site never seen.

        `hashes`: the blocks in question. Without it, the blocks seen on two pages or more, most frequent first.
        """
        pages = self._db.value("select pages from _sites where site = ?", (site,)) or 0
        if not pages:
            return SiteMemory(site)
        if hashes is None:
            blocks = self._db.rows(
                "select hash, pages from _site_blocks where site = ? and pages > 1 order by pages desc limit ?",
                (site, MAX_MEMORY),
            )
        else:
            blocks = self._db.rows(
                "select hash, pages from _site_blocks where site = ? and hash in (select value from json_each(?))",
                (site, json.dumps(sorted(set(hashes)))),
            )
        paths = self._db.rows(
            "select path, kept, removed from _site_paths where site = ? order by kept + removed desc limit ?",
            (site, MAX_MEMORY),
        )
        return SiteMemory(
            site,
            pages,
            {row["hash"]: row["pages"] for row in blocks},
            {row["path"]: (row["kept"], row["removed"]) for row in paths},
        )

    def learn(self, site: str, blocks: Sequence[Block], now: datetime) -> None:
        """Add one page's blocks to the site's memory. Call inside the story's transaction, once a page."""
        if not blocks or not site:
            return
        self._db.execute(
            "insert into _sites (site, pages) values (?, 1) on conflict (site) do update set pages = pages + 1",
            (site,),
        )
        self._db.executemany(
            "insert into _site_blocks (site, hash, pages, seen_at) values (?, ?, 1, ?)"
            " on conflict (site, hash) do update set pages = pages + 1, seen_at = excluded.seen_at",
            ((site, block_hash, stamp(now)) for block_hash in sorted({b.hash for b in blocks})),
        )
        kept = Counter(block.path for block in blocks if block.kept)
        removed = Counter(block.path for block in blocks if not block.kept)
        self._db.executemany(
            "insert into _site_paths (site, path, kept, removed) values (?, ?, ?, ?) on conflict (site, path)"
            " do update set kept = kept + excluded.kept, removed = removed + excluded.removed",
            ((site, path, kept[path], removed[path]) for path in sorted(kept.keys() | removed.keys())),
        )

    def forget(self, site: str) -> int:
        """Reset the memory of a site; returns how many pages it was learned from. Stored texts stay as they are."""
        with self._db.transaction():
            pages = self._db.value("select pages from _sites where site = ?", (site,)) or 0
            for table in ("_sites", "_site_blocks", "_site_paths"):
                self._db.execute(f"delete from {table} where site = ?", (site,))
        return int(pages)

    def prune(self, now: datetime) -> None:
        """Forget blocks seen on one page only and not lately: they were that page's own text."""
        with self._db.transaction():
            self._db.execute(
                "delete from _site_blocks where pages = 1 and seen_at < ?",
                (stamp(now - SINGLES),),
            )

    # --------------------------------------------------------------------------- removed blocks

    def store_removed(
        self,
        site: str,
        removed: Iterable[Removed],
        now: datetime,
        *,
        article_id: int | None,
        duplicate_id: int | None,
        new: bool,
    ) -> None:
        """Keep what was taken away from one page, replacing what was kept of it before, unless its owner is `new`."""
        column, owner = (
            ("article_id", article_id) if article_id is not None else ("duplicate_id", duplicate_id)
        )
        before = [] if new else self._drop_removed(column, owner)
        counted: set[int] = set()
        for block in removed:
            text_hash = hashlib.blake2b(" ".join(block.text.split()).encode(), digest_size=8).hexdigest()
            row = self._db.one(
                "select id from boilerplate where site = ? and text_hash = ?", (site, text_hash)
            )
            if row:
                boilerplate_id = int(row["id"])
            else:
                boilerplate_id = self._db.insert(
                    "boilerplate",
                    site=site,
                    reason=block.reason,
                    text=block.text,
                    text_hash=text_hash,
                    first_seen_at=stamp(now),
                    last_seen_at=stamp(now),
                )
            if boilerplate_id not in counted:
                counted.add(boilerplate_id)
                self._db.execute(
                    "update boilerplate set pages = pages + 1, reason = ?, last_seen_at = ? where id = ?",
                    (block.reason, stamp(now), boilerplate_id),
                )
            self._db.insert(
                "removed_blocks",
                article_id=article_id,
                duplicate_id=duplicate_id,
                boilerplate_id=boilerplate_id,
                reason=block.reason,
                position=block.position,
                confidence=round(block.confidence, 3),
            )
        if before:
            self.count_pages("id in (select value from json_each(?))", (json.dumps(before),))

    def put_back(self, block_id: int, column: str, owner: int, position: int, paragraphs: int) -> None:
        """A removed block stands in its text again, as so many paragraphs: it counts no more, and the blocks behind
        it move."""
        boilerplate_id = self._db.value("select boilerplate_id from removed_blocks where id = ?", (block_id,))
        self._db.execute(
            f"update removed_blocks set position = position + ? where {column} = ?"
            " and (position > ? or (position = ? and id > ?))",
            (paragraphs, owner, position, position, block_id),
        )
        self._db.execute("delete from removed_blocks where id = ?", (block_id,))
        self.count_pages("id = ?", (boilerplate_id,))

    def count_pages(self, where: str = "1", params: Sequence[object] = ()) -> None:
        """Count anew from how many pages blocks were removed, and forget those that no page has any more."""
        self._db.execute(
            "update boilerplate set pages = (select count(distinct coalesce('a' || article_id, 'd' || duplicate_id))"
            f" from removed_blocks r where r.boilerplate_id = boilerplate.id) where {where}",
            tuple(params),
        )
        self._db.execute(f"delete from boilerplate where pages = 0 and ({where})", tuple(params))

    def _drop_removed(self, column: str, owner: int | None) -> list[int]:
        ids = [
            row[0]
            for row in self._db.rows(
                f"select distinct boilerplate_id from removed_blocks where {column} = ?", (owner,)
            )
        ]
        if ids:
            self._db.execute(f"delete from removed_blocks where {column} = ?", (owner,))
        return ids

    def removed(
        self, *, article_id: int | None = None, duplicate_id: int | None = None
    ) -> list[dict[str, object]]:
        """What was taken away from a page: text, reason, position, confidence, and on how many pages it stood."""
        column, owner = (
            ("article_id", article_id) if article_id is not None else ("duplicate_id", duplicate_id)
        )
        rows = self._db.rows(
            "select r.id, b.text, r.reason, r.position, r.confidence, b.pages from removed_blocks r"
            f" join boilerplate b on b.id = r.boilerplate_id where r.{column} = ? order by r.position, r.id",
            (owner,),
        )
        return [dict(row) for row in rows]
