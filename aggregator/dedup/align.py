"""Two texts side by side: what they share, where, and what stands in its place where they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aggregator import words
from aggregator.dedup.sketch import SHINGLE, Sketch, shingles_of, sketch


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of two texts: shared, or what stands on either side where they differ. Character offsets."""

    shared: bool
    a: tuple[int, int]
    b: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Similarity:
    """How two texts relate.

    `resemblance`: Jaccard of the shingles; `containment`: the larger of the shares of one text's shingles
    found in the other (Broder 1997). `same`: whether one would be folded into the other.
    """

    resemblance: float
    containment: float
    same: bool
    reason: str
    confidence: float
    passages: tuple[str, ...]  # the shared stretches of the first text, longest first
    spans: tuple[Span, ...]  # both texts from start to end, in the order of the first


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Which words of two sketches are in a shared shingle, and where each shingle of `a` stands in `b`."""

    at: NDArray[np.intp]  # for each shingle of a: its position in b, or -1
    a: NDArray[np.bool_]  # for each word of a: covered
    b: NDArray[np.bool_]


def align(a: Sketch, b: Sketch) -> Alignment:
    at = positions(a.shingles, b)
    hit_a = at >= 0
    hit_b = np.zeros(len(b.shingles), np.bool_)
    back = np.searchsorted(a.ordered, b.shingles)
    back[back == len(a.ordered)] = 0
    if len(a.ordered):
        hit_b = a.ordered[back] == b.shingles
    return Alignment(at, cover(hit_a, len(a.words)), cover(hit_b, len(b.words)))


def positions(shingles: NDArray[np.uint64], b: Sketch) -> NDArray[np.intp]:
    """Where each shingle first stands in `b`; -1 where it does not."""
    if not len(b.ordered):
        return np.full(len(shingles), -1, np.intp)
    found = np.searchsorted(b.ordered, shingles)
    found[found == len(b.ordered)] = 0
    return np.where(b.ordered[found] == shingles, b.order[found], -1)


def cover(hit: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Words that are part of a hit shingle."""
    covered = np.zeros(size, np.bool_)
    if size < SHINGLE:
        covered[:] = hit.all() if len(hit) else False
        return covered
    for k in range(SHINGLE):
        covered[k : k + len(hit)] |= hit
    return covered


def runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Start and end (exclusive) of every run of True."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return edges[::2], edges[1::2]


def resemblance(a: Sketch, b: Sketch) -> tuple[float, float, float]:
    """Jaccard of the two sets of shingles, and the share of each set that is in the other."""
    one, two = np.unique(a.shingles), np.unique(b.shingles)
    shared = len(np.intersect1d(one, two, assume_unique=True))
    union = len(one) + len(two) - shared
    if not union:
        return 0.0, 0.0, 0.0
    return shared / union, shared / max(1, len(one)), shared / max(1, len(two))


def spans(a: str, b: str) -> tuple[Span, ...]:
    """Both texts from start to end as shared and different stretches: the heaviest chain of shared runs."""
    words_a, where_a = words.locate(a)
    words_b, where_b = words.locate(b)
    sketch_b = sketch("", b)
    at = positions(shingles_of(words_a.ids), sketch_b)
    blocks = _chain(_blocks(at, words_a, words_b))
    out: list[Span] = []
    end_a = end_b = 0
    for i, j, n in blocks:
        start_a, start_b = where_a[i][0], where_b[j][0]
        if start_a > end_a or start_b > end_b:
            out.append(Span(False, (end_a, start_a), (end_b, start_b)))
        end_a, end_b = where_a[i + n - 1][1], where_b[j + n - 1][1]
        out.append(Span(True, (start_a, end_a), (start_b, end_b)))
    if end_a < len(a) or end_b < len(b):
        out.append(Span(False, (end_a, len(a)), (end_b, len(b))))
    return tuple(out)


def _blocks(at: NDArray[np.intp], a: words.Words, b: words.Words) -> list[tuple[int, int, int]]:
    """Maximal runs (position in a, position in b, words) where both texts go on alike."""
    blocks: list[tuple[int, int, int]] = []
    i = 0
    positions_b = at.tolist()
    ids_a, ids_b = a.ids.tolist(), b.ids.tolist()
    while i < len(positions_b):
        j = positions_b[i]
        if j < 0:
            i += 1
            continue
        n = 0
        while i + n < len(ids_a) and j + n < len(ids_b) and ids_a[i + n] == ids_b[j + n]:
            n += 1
        if n:
            blocks.append((i, j, n))
        i += max(1, n - SHINGLE + 1) if n >= SHINGLE else 1
    return blocks


def _chain(blocks: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The heaviest chain of blocks that runs forward in both texts, overlaps trimmed."""
    best: list[tuple[int, int]] = []  # (words so far, previous block)
    for k, (i, j, n) in enumerate(blocks):
        score, before = n, -1
        for m in range(max(0, k - 200), k):
            pi, pj, pn = blocks[m]
            if pi + pn <= i and pj + pn <= j and best[m][0] + n > score:
                score, before = best[m][0] + n, m
        best.append((score, before))
    if not best:
        return []
    k = max(range(len(best)), key=lambda x: best[x][0])
    out = []
    while k >= 0:
        out.append(blocks[k])
        k = best[k][1]
    return out[::-1]
