"""Stories that are stored already: folded and unfolded by hand, or all judged again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from aggregator import dedup, words
from aggregator.errors import StoreError
from aggregator.model import Config, Progress, Saved, Verdict
from aggregator.pipeline.stories import (
    candidate_of,
    is_before,
    is_better,
    judge_copy,
    relate,
    sketch_of,
    terms_of,
)
from aggregator.store import Store
from aggregator.store.clock import stamp

#: Texts read from the archive at once while judging it again.
BATCH = 200
#: The note that says how far `rejudge` has come.
NOTE = "rejudge"


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What judging an archive again changed."""

    texts: int = 0
    folded: int = 0  # articles that turned out to be copies
    unfolded: int = 0  # copies that turned out to be stories of their own
    moved: int = 0  # copies whose story, reason or figures changed
    finished: bool = True


def fold(store: Store, article_id: int, into: int, now: datetime) -> Saved:
    """Make an article a copy of another, because the user says so; remembered. Raises StoreError for unknown ids."""
    article, kept = store.reading.article(article_id), store.reading.article(into)
    if article is None or kept is None:
        missing = article_id if article is None else into
        raise StoreError(store.path, f"there is no article {missing}", "see the ids with 'aggregator latest'")
    sketch = sketch_of(article)
    found = dedup.judge(sketch, [candidate_of(kept)], window=float("inf"))
    verdict = Verdict(into, "by_hand", found.resemblance, found.containment, 1.0, found.evidence)
    return store.folding.fold(article_id, into, verdict, now, remember=True)


def unfold(store: Store, duplicate_id: int, now: datetime) -> Saved:
    """Bring a folded copy back as an article, because the user says so; remembered. Raises StoreError."""
    copy = store.reading.duplicate(duplicate_id)
    if copy is None:
        raise StoreError(
            store.path, f"there is no folded copy {duplicate_id}", "see the ids with 'aggregator why ARTICLE'"
        )
    sketch = sketch_of(copy)
    with store.transaction():
        saved = store.folding.unfold(duplicate_id, terms_of(sketch), now)
        relate(saved.article_id, sketch, store, dedup.WINDOW)
    return saved


def restore(store: Store, block_id: int, now: datetime) -> Saved:
    """Put a block that was removed from a page back into its text, where it stood. Raises StoreError."""
    block = store.stories.removed_block(block_id)
    paragraphs = block["page_text"].split("\n\n") if block["page_text"] else []
    paragraphs.insert(block["position"], block["text"])
    text = "\n\n".join(paragraphs)
    if block["article_id"] is not None:
        owner: Any = store.reading.article(block["article_id"])
        row = {name: getattr(owner, name) for name in ("title", "published_at", "site", "url", "language")}
    else:
        row = store.reading.duplicate(block["duplicate_id"]) or {}
    terms = terms_of(sketch_of({**row, "text": text}))
    return store.stories.restore(block, text, words.count(text), terms, now)


def rejudge(
    config: Config,
    store: Store,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    stop: Event | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Rejudged:
    """Judge every stored text again, in the order they were published; what the user decided stays.

    One pass, a transaction a text; how far it came is in the database, so a broken run goes on where it stopped.
    The index is filled anew on the way, a window ahead: its rows of old stories are forgotten as they age.
    """
    total = store.reading.totals(clock())
    window = config.settings.window
    note = json.loads(store.upkeep.note(NOTE) or "null") or {
        "after": ["", -1, -1],
        "last": store.reading.last_ids(),
        "indexed": ["", -1],
        "done": [0, 0, 0, 0],
        "total": total["articles"] + total["copies"],
    }
    while rows := store.reading.texts(tuple(note["after"]), tuple(note["last"]), BATCH):
        for row in rows:
            if stop is not None and stop.is_set():
                return _report(note["done"], finished=False)
            with store.transaction():
                _index_ahead(note, row["published_at"], window, store)
                what = _again(row, store, window, clock())
                note["done"][0] += 1
                if what:
                    note["done"][what] += 1
                note["after"] = [row["published_at"], row["rank"], row["id"]]
                store.upkeep.remember(NOTE, json.dumps(note))
            progress(Progress("texts", note["done"][0], note["total"], row["title"]))
    with store.transaction():
        store.upkeep.remember(NOTE, None)
    return _report(note["done"], finished=True)


def _index_ahead(note: dict[str, Any], published_at: str, window: float, store: Store) -> None:
    """Put the articles up to a window after this moment into the index, from where that stopped."""
    until = stamp(datetime.fromisoformat(published_at) + timedelta(seconds=window))
    if note["indexed"][0] >= until:
        return
    while rows := store.reading.articles_until(tuple(note["indexed"]), until, BATCH):
        for row in rows:
            store.stories.index(row["id"], terms_of(sketch_of(row)))
        note["indexed"] = [rows[-1]["published_at"], rows[-1]["id"]]
    note["indexed"] = [until, -1]


def _report(counts: list[int], *, finished: bool) -> Rejudged:
    texts, folded, unfolded, moved = counts
    return Rejudged(texts, folded, unfolded, moved, finished)


def _again(row: dict[str, Any], store: Store, window: float, now: datetime) -> int:
    """Judge one stored text: 0 nothing changed, 1 folded, 2 unfolded, 3 moved (the places in `Rejudged`)."""
    if row["rank"] == 0:
        return _article_again(row, store, window, now)
    if store.folding.owner(row["id"]) is None:
        return 0  # it was unfolded or pruned while we were on the way
    alone, changed = judge_copy(row, store, window, now)
    return 2 if alone else 3 if changed else 0


def _article_again(row: dict[str, Any], store: Store, window: float, now: datetime) -> int:
    sketch, here = sketch_of(row), (row["published_at"], row["id"])
    terms = terms_of(sketch)
    decided = store.folding.decisions(store.folding.keys(article_id=row["id"]))
    # A story is a copy of what came before it, never of what comes after.
    candidates = store.stories.candidates(terms, window, row["id"], decided)
    earlier = [c for c in candidates if is_before(c, here)]
    verdict = dedup.judge(sketch, earlier, window=window, origin=(row["feed_id"], row["site"]))
    if verdict.copy_of is None:
        relate(row["id"], sketch, store, window, before=here)
        return 0
    new, kept = store.stories.kept(row["id"]), store.stories.kept(verdict.copy_of)
    better = is_better(new, new.priority, verdict, kept)
    folded = store.folding.fold(row["id"], verdict.copy_of, verdict, now, remember=False)
    if better:
        store.folding.prefer(folded, verdict, terms, now)
    return 1
