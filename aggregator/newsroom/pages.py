"""What each page shows: one async function per page, from SQL to plain values for its template.

`db` is a Datasette database. Every query reads few rows through an index, so that the pages stay quick at
100,000 articles; texts are never read for a list beyond what a teaser shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, Protocol

from aggregator.newsroom import comparing, wording

#: Stories on the front page.
LATEST, RUNNING, TROUBLED = 30, 8, 8
#: "What everyone is running" looks back this far from the newest story: two days of news.
RUNNING_WINDOW = "-2 days"
#: What leads the page is the story that most outlets ran in the last day; without any, the newest.
LEAD_WINDOW = "-1 day"


class Reader(Protocol):
    """What we need of a Datasette database."""

    async def execute(self, sql: str, params: Any = None) -> Any: ...


async def _all(db: Reader, sql: str, params: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
    return [dict(row) for row in (await db.execute(sql, dict(params or {}))).rows]


async def _one(db: Reader, sql: str, params: Mapping[str, object] | None = None) -> dict[str, Any] | None:
    rows = await _all(db, sql, params)
    return rows[0] if rows else None


# ------------------------------------------------------------------------------------------- front page

_TOTALS = """
select (select count(*) from articles) as articles,
       (select count(*) from duplicates) as copies,
       (select count(*) from feeds where status <> 'off') as feeds,
       (select count(*) from feeds where status in ('failing', 'gone')) as failing,
       (select max(started_at) from fetches) as last_fetch_at
"""

_CARD = """id, title, published_at, site, agency, copies, language, flags, words, url,
  nullif(coalesce(nullif(summary, ''), substr(text, 1, 500)), title) as teaser"""

_LATEST = f"select {_CARD} from articles order by published_at desc, id desc limit :limit"

_RUNNING = f"""
select {_CARD} from articles
where copies > 0 and published_at >= strftime('%Y-%m-%dT%H:%M:%SZ',
  (select max(published_at) from articles), :window)
order by copies desc, published_at desc limit :limit
"""

_TROUBLED = """
select id, title, url, status, error_kind, error, failures, last_fetch_at, last_new_at, next_fetch_at
from feeds where status in ('failing', 'gone') order by status = 'gone', failures desc, title limit :limit
"""


async def front(db: Reader) -> dict[str, Any]:
    """Totals, the latest by day, what everyone is running, the feeds in trouble."""
    totals = await _one(db, _TOTALS) or {}
    everything = totals["articles"] + totals["copies"]
    totals["folded"] = totals["copies"] / everything if everything else 0.0
    latest = await _all(db, _LATEST, {"limit": LATEST})
    lead = await _one(db, _RUNNING, {"limit": 1, "window": LEAD_WINDOW}) or next(iter(latest), None)
    river = [story for story in latest if lead and story["id"] != lead["id"]]
    return {
        "totals": totals,
        "lead": lead,
        "days": [
            (stories[0]["published_at"], stories)
            for stories in (list(g) for _, g in groupby(river, key=lambda s: wording.day(s["published_at"])))
        ],
        "running": await _all(db, _RUNNING, {"limit": RUNNING, "window": RUNNING_WINDOW}),
        "troubled": await _all(db, _TROUBLED, {"limit": TROUBLED}),
    }


async def is_empty(db: Reader) -> bool:
    return await _one(db, "select 1 from articles limit 1") is None


# --------------------------------------------------------------------------------------------- articles

_REPORTS = """
select id, title, site, agency, language, published_at, copies from articles
where (event_id = :event or id = :event) and id <> :id order by published_at, id limit :limit
"""
#: Other reports of an event on an article's page.
REPORTS = 20

_COPIES = """
select d.id, d.title, d.site, d.url, d.published_at, d.reason, d.resemblance, d.containment, d.confidence, d.words,
       d.agency, f.title as feed
from duplicates d left join feeds f on f.id = d.feed_id
where d.article_id = :id order by max(d.resemblance, d.containment) desc, d.published_at, d.id
"""

_REMOVED = """
select r.id, r.reason, r.position, r.confidence, b.text, b.pages, b.site, b.id as boilerplate_id
from removed_blocks r join boilerplate b on b.id = r.boilerplate_id
where r.{owner} = :id order by r.reason, r.position, r.id
"""

_REVISIONS = "select id, title, reason, replaced_at, url from revisions where {owner} = :id order by id desc"

_COPY_RUN = "select article_id, id as copy_id, feed_id, site, url, first_seen_at from duplicates"
#: Who ran a story (the kept one and its copies), or a copy: owner -> SQL.
_RUNS = {
    "article_id": "select id as article_id, null as copy_id, feed_id, site, url, first_seen_at from articles"
    f" where id = :id union all {_COPY_RUN} where article_id = :id",
    "duplicate_id": f"{_COPY_RUN} where id = :id",
}
#: Every run with each feed that listed it; the address is the page's own (an entry's is only to compare by), and a run
#: whose feed is not followed any more is still one.
_SEEN = """
select runs.copy_id, runs.site, runs.url, e.problem, coalesce(e.first_seen_at, runs.first_seen_at) as first_seen_at,
       f.id as feed_id, f.title as feed
from ({runs}) runs
left join entries e on e.article_id = runs.article_id and e.duplicate_id is runs.copy_id
left join feeds f on f.id = coalesce(e.feed_id, runs.feed_id)
order by 5, runs.copy_id, e.id
"""


async def article(db: Reader, article_id: str) -> dict[str, Any] | None:
    """One story: its text, who else ran it, what was removed, earlier wordings, where it was seen."""
    story = await _one(
        db,
        "select a.*, f.title as feed from articles a left join feeds f on f.id = a.feed_id where a.id = :id",
        {"id": article_id},
    )
    if story is None:
        return None
    copies = await _all(db, _COPIES, {"id": article_id})
    event = {"id": story["id"], "event": story["event_id"] or story["id"], "limit": REPORTS}
    return {
        "story": story,
        "copies": copies,
        "reports": await _all(db, _REPORTS, event),
        "outlets": len({copy["site"] for copy in copies} - {story["site"]}),
        **await _history(db, "article_id", article_id),
    }


async def copy(db: Reader, duplicate_id: str) -> dict[str, Any] | None:
    """One folded copy: the decision, its evidence, and both texts side by side."""
    story = await _one(
        db,
        "select d.*, f.title as feed from duplicates d left join feeds f on f.id = d.feed_id where d.id = :id",
        {"id": duplicate_id},
    )
    if story is None:
        return None
    kept = await _one(db, "select * from articles where id = :id", {"id": story["article_id"]})
    assert kept is not None  # a foreign key
    return {
        "story": story,
        "kept": kept,
        "evidence": wording.details(story["evidence"]),
        "rows": comparing.side_by_side(story["text"], kept["text"]),
        **await _history(db, "duplicate_id", duplicate_id),
    }


async def revision(db: Reader, revision_id: str) -> dict[str, Any] | None:
    """An earlier wording beside what stands there now."""
    story = await _one(db, "select * from revisions where id = :id", {"id": revision_id})
    if story is None:
        return None
    table, owner = ("articles", story["article_id"])
    if owner is None:
        table, owner = ("duplicates", story["duplicate_id"])
    now = await _one(db, f"select * from {table} where id = :id", {"id": owner})
    return {
        "story": story,
        "table": table,
        "now": now,
        "rows": comparing.side_by_side(story["text"], now["text"]) if now else [],
    }


async def _history(db: Reader, owner: str, owner_id: str) -> dict[str, Any]:
    removed = await _all(db, _REMOVED.format(owner=owner), {"id": owner_id})
    return {
        "removed": [
            (rule, list(blocks)) for rule, blocks in groupby(removed, key=lambda block: block["reason"])
        ],
        "removed_count": len(removed),
        "revisions": await _all(db, _REVISIONS.format(owner=owner), {"id": owner_id}),
        "seen": await _all(db, _SEEN.format(runs=_RUNS[owner]), {"id": owner_id}),
    }


# ------------------------------------------------------------------------------------------------ feeds

_FETCHES = """
select started_at, outcome, status, bytes, duration_ms, entries, error_kind, error from fetches
where feed_id = :id order by started_at desc limit 30
"""

_FROM_FEED = f"select {_CARD} from articles where feed_id = :id order by published_at desc limit 12"


async def feed(db: Reader, feed_id: str) -> dict[str, Any] | None:
    """One feed: its health, what it brought, its last fetches."""
    row = await _one(db, "select * from feeds where id = :id", {"id": feed_id})
    if row is None:
        return None
    counts = await _one(
        db,
        "select (select count(*) from entries where feed_id = :id) as entries,"
        " (select count(*) from articles where feed_id = :id) as articles,"
        " (select count(*) from duplicates where feed_id = :id) as copies",
        {"id": feed_id},
    )
    return {
        "feed": row,
        "counts": counts,
        "fetches": await _all(db, _FETCHES, {"id": feed_id}),
        "latest": await _all(db, _FROM_FEED, {"id": feed_id}),
    }
