"""The pages of a site's articles, visited and read again: with other selectors, or by a newer extractor.

Texts are stored, pages are not. What is stored changes only where `write` says so, and the wording
before becomes a revision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

from aggregator import sites, urls
from aggregator.fetch import Fetcher, pace_file
from aggregator.model import Config, Entry, Feed, Pending, Progress, Saved, Story
from aggregator.pipeline import visits
from aggregator.pipeline.doubts import is_about
from aggregator.pipeline.pages import make_story
from aggregator.pipeline.stories import sketch_of, terms_of
from aggregator.pipeline.visits import Visit
from aggregator.pipeline.workers import Workers
from aggregator.store import Store

#: Pages visited before the next ones are read from the database.
BATCH = 100


@dataclass(frozen=True, slots=True)
class Reread:
    """An article's or copy's page, and what it gives now. `gone` and `come`: paragraphs only before, and only now."""

    article_id: int
    duplicate_id: int | None
    title: str
    url: str
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()
    problem: str | None = None
    written: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.gone or self.come)


def read_again(
    site: str,
    config: Config,
    store: Store,
    *,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    limit: int | None = None,
    write: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
    stop: Event | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Reread]:
    """Visit the pages of a site's articles and copies again, newest first, at most `limit`.

    keep, drop: selectors instead of those that feeds.yaml has for the feed. A page that cannot be had, or gives no
    text now, stays as it is stored, with the problem.
    """
    stop = stop or Event()
    feeds = {feed.url: feed for feed in config.feeds}
    after, left = None, limit
    with (
        Fetcher(config.settings, store.feeds.hosts(), pace_file(store.path)) as fetcher,
        Workers(config.settings) as workers,
    ):
        try:
            while left != 0 and not stop.is_set():
                rows = store.reading.pages(site, min(BATCH, left or BATCH), after)
                if not rows:
                    return
                left = left - len(rows) if left is not None else None
                after = rows[-1]["published_at"], rows[-1]["number"]
                wanted = {}
                for i, row in enumerate(rows):
                    feed = feeds.get(row["feed_url"] or "") or Feed(row["feed_url"] or "")
                    if keep or drop:
                        feed = replace(feed, keep=tuple(keep), drop=tuple(drop))
                    wanted[i] = Visit(row["url"], feed, _entry(row), row["title"])
                found = visits.read_all(wanted, store, fetcher, workers, progress, stop)
                memory = store.sites.memory(
                    site, {block.hash for document in found.documents.values() for block in document.blocks}
                )
                for i, row in enumerate(rows):
                    document = found.documents.get(i)
                    if document is not None and not is_about(_entry(row), document):
                        problem = f"the page is about something else: {document.title}"
                        yield replace(_unchanged(row), problem=problem)
                    elif document is not None:  # the memory has this page in it, from when it was stored
                        document = sites.strip(document, memory)
                        story = make_story(_pending(row), wanted[i].feed, document, "page", None, clock())
                        yield _compare(row, story, store, write, clock())
                    elif i in found.errors:
                        yield replace(_unchanged(row), problem=str(found.errors[i]))
        finally:
            store.feeds.save_hosts(fetcher.host_states())


def _compare(row: dict[str, Any], story: Story, store: Store, write: bool, now: datetime) -> Reread:
    if not story.text:
        what = ", ".join(story.flags) or "nothing was found"
        return replace(_unchanged(row), problem=f"the page gives no article now ({what})")
    before, after = row["text"].split("\n\n"), story.text.split("\n\n")
    result = replace(
        _unchanged(row),
        gone=tuple(text for text in before if text not in set(after)),
        come=tuple(text for text in after if text not in set(before)),
    )
    if write and result.changed:
        saved = Saved("unchanged", row["article_id"], row["duplicate_id"])
        with store.transaction():
            if store.stories.wording(saved).text != row["text"]:
                return replace(result, problem="it was changed meanwhile; run again")
            store.stories.revise(saved, story, terms_of(sketch_of(story)), None, now, "reextracted")
        result = replace(result, written=True)
    return result


def _unchanged(row: dict[str, Any]) -> Reread:
    return Reread(row["article_id"], row["duplicate_id"], row["title"], row["url"])


def _entry(row: dict[str, Any]) -> Entry:
    """What is stored, as the hint that a feed's entry was: the date and title were chosen with the entry in view."""
    return Entry(
        guid=None,
        url=row["url"],
        title=row["title"],
        summary=row["summary"] or "",
        authors=(row["byline"],) if row["byline"] else (),
        published=datetime.fromisoformat(row["published_at"]),
        language=row["language"],
    )


def _pending(row: dict[str, Any]) -> Pending:
    return Pending(
        entry_id=0,
        feed_id=row["feed_id"] or 0,
        feed_url=row["feed_url"] or "",
        site_url=None,
        priority=0,
        entry=_entry(row),
        guid="",
        key=urls.canonical(row["url"]),
        article_id=row["article_id"],
        duplicate_id=row["duplicate_id"],
        first_seen_at=datetime.fromisoformat(row["first_seen_at"]),
    )
