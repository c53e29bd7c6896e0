"""From clean stories to the database: new, or a copy of one; which copy is kept; edits of what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aggregator import agencies, dedup
from aggregator.errors import AggregatorError
from aggregator.model import Article, Candidate, Config, Kept, Pending, Saved, Story, Terms, Verdict
from aggregator.pipeline.pages import AFTER_BUG, Ready
from aggregator.store import Store
from aggregator.store.clock import stamp

if TYPE_CHECKING:
    from aggregator.pipeline import Tally

#: A preferred feed's copy takes the place of a longer one only if it has this share of its words: a teaser does not.
PREFERRED_SHARE = 0.6
#: Stories stored in one transaction. 1: 180 us a row in the full-text index; 50: 90 us; 200: another 9 % off all of the
#: storing; 500: another 4 to 6 %, and the write lock is held .3 to .6 s.
TOGETHER = 500
#: Without a preference, a copy that contains the kept text takes its place when it is this much longer.
FULLER = 1.25


def store_all(
    ready: Iterable[Ready],
    config: Config,
    store: Store,
    tally: Tally,
    clock: Callable[[], datetime],
) -> None:
    """Judge and store stories in the order given.

    A transaction holds `TOGETHER` of them: what is judged against cannot change before the verdict is stored, and
    the full-text index costs half of what it does with one commit a story. A story that runs into a bug of ours
    is put aside with the problem, and does not hold the others up; the bug is in `tally.bugs`.
    """
    ready = list(ready)
    for start in range(0, len(ready), TOGETHER):
        several = ready[start : start + TOGETHER]
        try:
            _store_together(several, config, store, tally, clock)
        except AggregatorError:
            raise
        except Exception:
            for one in several:
                try:
                    _store_together([one], config, store, tally, clock)
                except AggregatorError:
                    raise
                except Exception as bug:
                    tally.bugs.append(bug)
                    store.pending.put_aside(one.item, clock() + AFTER_BUG, f"a bug of ours: {bug!a}")


def _store_together(
    several: Sequence[Ready], config: Config, store: Store, tally: Tally, clock: Callable[[], datetime]
) -> None:
    kinds: Counter[str] = Counter()
    window = config.settings.window
    # What can be done for all together is, for the processor's cache: reading before the rest saves 6 % of the CPU, and
    # holds the lock shorter; relating after the rest, 4 %.
    sketches = [sketch_of(one.story) for one in several]
    terms = [terms_of(sketch) for sketch in sketches]
    with store.transaction():
        new = []
        for one, sketch, found_by in zip(several, sketches, terms, strict=True):
            item = store.pending.current(one.item)
            if item is None:  # another process was quicker, or saw a newer wording
                continue
            saved = place(item, one.story, sketch, found_by, store, window, clock())
            if saved.kind == "article":
                new.append((saved.article_id, sketch))
            # Else the stored text is an earlier one.
            if item.article_id is not None or saved.kind != "unchanged":
                store.pending.remember_page(item, one.page, clock())
            if one.retry_at is not None:
                store.pending.again(item, one.retry_at)
            kinds[saved.kind] += 1
        for article_id, sketch in new:
            relate(article_id, sketch, store, window, new=True)
    tally.kinds.update(kinds)


def sketch_of(story: Story | Article | Mapping[str, Any]) -> dedup.Sketch:
    """A story, an article, or a row of either table, as it is compared."""

    def value(name: str) -> Any:
        return story[name] if isinstance(story, Mapping) else getattr(story, name)

    return dedup.remembered(value("title"), value("text"), datetime.fromisoformat(value("published_at")))


def terms_of(sketch: dedup.Sketch) -> Terms:
    postings, probes = sketch.postings.tolist(), sketch.probes.tolist()
    return Terms(tuple(postings), tuple(probes), sketch.published or 0.0, sketch.tiny)


def place(
    item: Pending,
    story: Story,
    sketch: dedup.Sketch,
    terms: Terms,
    store: Store,
    window: float,
    now: datetime,
) -> Saved:
    """Put one story where it belongs. Call inside a transaction; an "article" is then to be related to others."""
    if item.article_id is not None:
        return _again(item, story, sketch, terms, store, window, now)
    if known := _known(story, store):
        store.stories.link(item.entry_id, known)
        return known
    verdict = judge(story, sketch, terms, store, window)
    if verdict.copy_of is None:
        return store.stories.add(story, terms, item.entry_id, now)
    if is_better(story, item.priority, verdict, store.stories.kept(verdict.copy_of)):
        return store.stories.add_better(story, verdict, terms, item.entry_id, now)
    return store.stories.add_copy(story, verdict, item.entry_id, now)


def _known(story: Story, store: Store) -> Saved | None:
    """The same page, stored already: by its own address, or by the one it redirects to if the title or text is the
    same. Sites send the readers of pages they took down to one and the same place."""
    if known := store.stories.known(story.keys[:1]):
        return known
    if known := store.stories.known(story.keys[1:]):
        wording = store.stories.wording(known)
        if story.text == wording.text or story.title == wording.title:
            return known
    return None


def judge(
    story: Story, sketch: dedup.Sketch, terms: Terms, store: Store, window: float, without: int | None = None
) -> Verdict:
    """The verdict on a story: what the user decided, else what the evidence says."""
    decided = store.folding.decisions(story.keys)
    candidates = store.stories.candidates(terms, window, without, decided)
    verdict = dedup.judge(sketch, candidates, window=window, origin=(story.feed_id, story.site))
    by_hand = next((article for article, same in decided.items() if same and article != without), None)
    if by_hand is not None and verdict.copy_of != by_hand:
        return Verdict(by_hand, "by_hand")
    return verdict


def relate(
    article_id: int,
    sketch: dedup.Sketch,
    store: Store,
    window: float,
    before: tuple[str, int] | None = None,
    *,
    new: bool = False,
) -> None:
    """Put an article to the event it reports, if another story reported it before (`before`: published_at and id).
    `new`: it was just stored."""
    topics, published = dedup.topics(sketch), sketch.published or 0.0
    candidates = store.stories.related(article_id, topics, published, window, dedup.RARE)
    if before is not None:
        candidates = [c for c in candidates if is_before(c, before)]
    event = dedup.same_event(sketch, candidates, window=window)
    store.stories.relate(article_id, topics, published, event, new=new)


def is_before(candidate: Candidate, here: tuple[str, int]) -> bool:
    """Whether a stored story comes before a place (published_at, id) in the order of time."""
    return candidate.published is not None and (stamp(candidate.published), candidate.id) < here


def is_better(story: Story | Kept, priority: int, verdict: Verdict, kept: Kept) -> bool:
    """Whether a copy should take the kept text's place: the preferred feed's, else the agency's own, else the clearly
    fuller text."""
    rank = (priority, not agencies.is_own(story.site, story.agency))
    kept_rank = (kept.priority, not agencies.is_own(kept.site, kept.agency))
    if rank != kept_rank:
        return rank < kept_rank and story.words >= PREFERRED_SHARE * kept.words
    return verdict.reason == "contains" and story.words >= FULLER * kept.words


def _again(
    item: Pending,
    story: Story,
    sketch: dedup.Sketch,
    terms: Terms,
    store: Store,
    window: float,
    now: datetime,
) -> Saved:
    """An entry that is stored already: its outlet edited it, or its page could be had at last."""
    assert item.article_id is not None
    stored = Saved("unchanged", item.article_id, item.duplicate_id)
    source = store.stories.wording(stored).source
    if story.source == "feed" and source == "page":
        store.stories.link(item.entry_id, stored)  # the page failed this time: what is stored is better
        return stored
    reason = "reextracted" if story.source == "page" and source == "feed" else "edited"
    saved = store.stories.revise(stored, story, terms, item.entry_id, now, reason)
    alone = item.duplicate_id is None and not store.stories.kept(item.article_id).copies
    if reason == "reextracted" and saved.kind == "revised" and alone:
        # Judged by its teaser, it stood alone; now its text is known.
        verdict = judge(story, sketch, terms, store, window, without=item.article_id)
        if verdict.copy_of is not None:
            better = is_better(story, item.priority, verdict, store.stories.kept(verdict.copy_of))
            folded = store.folding.fold(item.article_id, verdict.copy_of, verdict, now, remember=False)
            return store.folding.prefer(folded, verdict, terms, now) if better else folded
    if saved.kind == "revised" and item.duplicate_id is not None:
        # A copy has another text than the one it was folded for.
        row = store.reading.duplicate(item.duplicate_id)
        assert row is not None  # it was just revised
        article, _ = judge_copy(row, store, window, now)
        if article is not None:
            return replace(saved, article_id=article, duplicate_id=None)
        return replace(saved, article_id=store.folding.owner(item.duplicate_id) or saved.article_id)
    return saved


def judge_copy(row: Mapping[str, Any], store: Store, window: float, now: datetime) -> tuple[int | None, bool]:
    """Judge a folded copy again, by its row: the number of the article it becomes, if it is no copy any more, and
    whether its verdict changed. What the user folded stays. Call inside a transaction."""
    sketch = sketch_of(row)
    terms = terms_of(sketch)
    kept = store.folding.owner(row["id"])
    decided = store.folding.decisions(store.folding.keys(duplicate_id=row["id"]))
    if kept is None or decided.get(kept):
        return None, False
    candidates = store.stories.candidates(terms, window, None, decided)
    if (
        kept not in decided
        and kept not in {c.id for c in candidates}
        and (one := store.reading.article(kept))
    ):
        candidates.append(candidate_of(one))  # whatever the index proposes by now
    verdict = dedup.judge(sketch, candidates, window=window, origin=(row["feed_id"], row["site"]))
    if verdict.copy_of is not None:
        return None, store.folding.judged_again(row["id"], verdict)
    alone = store.folding.unfold(row["id"], terms, now, remember=False).article_id
    relate(alone, sketch, store, window, before=(row["published_at"], alone))
    return alone, True


def candidate_of(article: Article) -> Candidate:
    published = datetime.fromisoformat(article.published_at)
    return Candidate(
        article.id, article.title, article.text, published, origin=(article.feed_id, article.site)
    )
