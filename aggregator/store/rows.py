"""The rows that make up a story: an article or folded copy, its URLs, removed blocks and earlier wordings.

What `stories` and `folding` have in common. Nothing here begins a transaction: the caller has.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from sqlite3 import Row
from typing import Any

from aggregator.errors import StoreError
from aggregator.model import Story, Verdict
from aggregator.store.clock import stamp
from aggregator.store.connection import Connection
from aggregator.store.sites import Sites

#: Columns that an article and a folded copy share, so that one can become the other and back.
SHARED = (
    "title", "published_at", "site", "feed_id", "agency", "byline", "language", "summary", "text", "words",
    "image", "url", "source", "problem", "flags", "first_seen_at",
)  # fmt: skip


class Rows:
    def __init__(self, connection: Connection, sites: Sites) -> None:
        self._db = connection
        self._sites = sites

    def tags(self, feed_id: int | None) -> str:
        return self._db.value("select tags from feeds where id = ?", (feed_id,)) or "[]"

    def article(self, article_id: int) -> Row:
        row = self._db.one("select * from articles where id = ?", (article_id,))
        if row is None:
            raise StoreError(
                self._db.path, f"there is no article {article_id}", "see the ids with 'aggregator latest'"
            )
        return row

    def insert_article(self, columns: dict[str, Any], tags: Sequence[str], now: datetime) -> int:
        return self._db.insert("articles", **columns, tags=as_json(tags), changed_at=stamp(now))

    def insert_duplicate(
        self, columns: dict[str, Any], article_id: int, verdict: Verdict, now: datetime
    ) -> int:
        return self._db.insert(
            "duplicates",
            **columns,
            article_id=article_id,
            **evidence_of(verdict),
            removed_at=stamp(now),
        )

    def attach(
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

    def link(
        self, entry_id: int | None, article_id: int, duplicate_id: int | None, problem: str | None
    ) -> None:
        if entry_id is None:
            return
        self._db.execute(
            "update entries set article_id = ?, duplicate_id = ?, problem = ?, attempts = attempts + 1 where id = ?",
            (article_id, duplicate_id, problem, entry_id),
        )
        self._db.execute("delete from _pending where entry_id = ?", (entry_id,))

    def revision(self, column: str, row_id: int, reason: str, old: Row, now: datetime) -> None:
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

    def update(self, table: str, row_id: int, columns: dict[str, Any]) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"update {table} set {assignments} where id = ?", (*columns.values(), row_id))


def as_json(values: Sequence[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False) if values else "[]"


def columns_of(story: Story) -> dict[str, Any]:
    return {name: getattr(story, name) for name in SHARED} | {"flags": as_json(story.flags)}


def evidence_of(verdict: Verdict) -> dict[str, Any]:
    """The columns of a copy that say why it is one."""
    return {
        "reason": verdict.reason,
        "resemblance": round(verdict.resemblance, 4),
        "containment": round(verdict.containment, 4),
        "confidence": round(verdict.confidence, 4),
        "evidence": json.dumps(dict(verdict.evidence), ensure_ascii=False),
    }


def turned(verdict: Verdict) -> Verdict:
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
