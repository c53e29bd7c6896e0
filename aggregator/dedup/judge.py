"""Is this text a copy of one of these stories? The decision, with its evidence."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from aggregator.dedup.align import Similarity, align, resemblance, spans
from aggregator.dedup.sketch import Sketch, sketch
from aggregator.model import Candidate, Verdict

#: Sketches of stored stories kept in memory between calls: 4,096 of 300 words are about 50 MB.
CACHED = 4_096
#: Two texts further apart than this are not the same story.
WINDOW = 96 * 3600.0

NEW = Verdict(copy_of=None, reason="new")


@functools.lru_cache(maxsize=CACHED)
def _stored(
    title: str,
    text: str,
    published: datetime | None,
    outlet: str | None,
    url: str | None,
    language: str | None,
) -> Sketch:
    return sketch(title, text, published=published, outlet=outlet, url=url, language=language)


def judge(new: Sketch, candidates: Iterable[Candidate]) -> Verdict:
    """Compare a new text with the stories an index proposes and join the best one, or none. Pure."""
    rows = [
        (c.id, _stored(c.title, c.text, c.published, c.outlet, c.url, c.language), c.shared)
        for c in candidates
    ]
    return decide(new, rows)


def decide(new: Sketch, rows: Sequence[tuple[int, Sketch, object]]) -> Verdict:
    best = NEW
    for key, old, _shared in rows:
        verdict = _pair(new, old, key)
        if verdict.copy_of is not None and verdict.confidence > best.confidence * (best.copy_of is not None):
            best = verdict
    return best


def _pair(new: Sketch, old: Sketch, key: int) -> Verdict:
    if new.empty or old.empty:
        return NEW
    if (
        new.published is not None
        and old.published is not None
        and abs(new.published - old.published) > WINDOW
    ):
        return NEW
    aligned = align(new, old)
    jaccard, in_old, in_new = resemblance(new, old)
    head = max(float(aligned.a[:30].mean()), float(aligned.b[:30].mean()))
    score = max(in_old, in_new) * 0.7 + head * 0.3
    confidence = 1 / (1 + np.exp(-12 * (score - 0.55)))
    if confidence < 0.5:
        return NEW
    return Verdict(
        copy_of=key,
        reason=_reason(new, old, jaccard, in_old, in_new),
        resemblance=round(jaccard, 4),
        containment=round(in_old, 4),
        confidence=round(float(confidence), 4),
        evidence={"head": round(head, 3), "contained_in_new": round(in_new, 4)},
    )


def _reason(new: Sketch, old: Sketch, jaccard: float, in_old: float, in_new: float) -> str:
    if len(new.words) == len(old.words) and bool((new.words.ids == old.words.ids).all()):
        return "same_text"
    if jaccard >= 0.8:
        return "near_text"
    if in_old >= 0.8:
        return "contained"
    if in_new >= 0.8:
        return "contains"
    return "updated" if max(in_old, in_new) >= 0.4 else "rewritten"


def compare(a: str, b: str, *, title_a: str = "", title_b: str = "") -> Similarity:
    """How two texts relate, for people: figures, shared passages, both texts cut into spans."""
    one, two = sketch(title_a, a), sketch(title_b, b)
    verdict = decide(two, [(0, one, None)])
    jaccard, in_b, in_a = resemblance(one, two)
    cut = spans(a, b)
    passages = sorted((a[s.a[0] : s.a[1]] for s in cut if s.shared), key=len, reverse=True)
    return Similarity(
        resemblance=round(jaccard, 4),
        containment=round(max(in_a, in_b), 4),
        same=verdict.copy_of is not None,
        reason=verdict.reason,
        confidence=verdict.confidence,
        passages=tuple(passages),
        spans=cut,
    )
