"""Stories that are stored already: folded and unfolded by hand, or all judged again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any

from aggregator import dedup, words
from aggregator.errors import StoreError
from aggregator.model import Article, Candidate, Config, Progress, Saved, Verdict
from aggregator.pipeline.stories import sketch_of, terms_of
from aggregator.store import Store

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
    found = dedup.judge(sketch, [_candidate(kept)])
    verdict = Verdict(into, "by_hand", found.resemblance, found.containment, 1.0, found.evidence)
    return store.stories.fold(article_id, into, verdict, now, remember=True)


def unfold(store: Store, duplicate_id: int, now: datetime) -> Saved:
    """Bring a folded copy back as an article, because the user says so; remembered. Raises StoreError."""
    copy = store.reading.duplicate(duplicate_id)
    if copy is None:
        raise StoreError(
            store.path, f"there is no folded copy {duplicate_id}", "see the ids with 'aggregator why ARTICLE'"
        )
    return store.stories.unfold(duplicate_id, terms_of(sketch_of(copy)), now)


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
    """
    note = json.loads(store.upkeep.note(NOTE) or "null") or {"after": ["", -1, -1], "done": [0, 0, 0, 0]}
    after: tuple[str, int, int] = tuple(note["after"])
    counts: list[int] = note["done"]
    total = store.reading.totals(clock())
    everything = total["articles"] + total["copies"]
    window = config.settings.window
    while rows := store.stories.texts(after, BATCH):
        for row in rows:
            if stop is not None and stop.is_set():
                return _report(counts, finished=False)
            with store.transaction():
                what = _again(row, store, window, clock())
                counts[0] += 1
                if what:
                    counts[what] += 1
                after = (row["published_at"], row["rank"], row["id"])
                store.upkeep.remember(NOTE, json.dumps({"after": after, "done": counts}))
            progress(Progress("texts", counts[0], everything, row["title"]))
    with store.transaction():
        store.upkeep.remember(NOTE, None)
    return _report(counts, finished=True)


def _report(counts: list[int], *, finished: bool) -> Rejudged:
    texts, folded, unfolded, moved = counts
    return Rejudged(texts, folded, unfolded, moved, finished)


def _again(row: dict[str, Any], store: Store, window: float, now: datetime) -> int:
    """Judge one stored text: 0 nothing changed, 1 folded, 2 unfolded, 3 moved (the places in `Rejudged`)."""
    sketch = sketch_of(row)
    terms = terms_of(sketch)
    is_article = row["rank"] == 0
    if is_article:
        store.stories.index(row["id"], terms)
    own = row["id"] if is_article else None
    keys = store.stories.keys(article_id=own, duplicate_id=None if is_article else row["id"])
    decided = store.stories.decisions(keys)
    if not is_article and decided.get(row["article_id"]):
        return 0
    candidates = store.stories.candidates(terms, window, own, decided)
    if is_article:  # a story is a copy of what came before it, never of what comes after
        here = (row["published_at"], row["id"])
        candidates = [c for c in candidates if c.published and (_stamp(c.published), c.id) < here]
    verdict = dedup.judge(sketch, candidates)
    if is_article:
        if verdict.copy_of is None:
            return 0
        store.stories.fold(row["id"], verdict.copy_of, verdict, now, remember=False)
        return 1
    if verdict.copy_of is None:
        store.stories.unfold(row["id"], terms, now, remember=False)
        return 2
    return 3 if store.stories.judged_again(row["id"], verdict) else 0


def _candidate(article: Article) -> Candidate:
    published = datetime.fromisoformat(article.published_at)
    return Candidate(
        article.id, article.title, article.text, published, article.site, article.url, article.language
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
