"""Two texts for people to look at: both cut, from start to end, into what is shared and what differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aggregator import words
from aggregator.dedup.judge import decide
from aggregator.dedup.measure import positions
from aggregator.dedup.sketch import SHINGLE, shingles_of, sketch

#: Earlier blocks that a block may follow in the chain: keeps the search linear in very repetitive texts.
LOOK_BACK = 200


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of two texts: shared, or what stands on either side where they differ. Offsets in characters."""

    shared: bool
    a: tuple[int, int]
    b: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Similarity:
    """How two texts relate.

    `resemblance`: Jaccard of the sets of shingles; `containment`: the larger of the shares of one text's shingles
    that the other has (Broder 1997). `same`: whether one would be folded into the other, and with what `confidence`.
    """

    resemblance: float
    containment: float
    same: bool
    reason: str
    confidence: float
    passages: tuple[str, ...]  # the shared stretches as the first text has them, longest first
    spans: tuple[Span, ...]  # both texts from start to end


def compare(a: str, b: str, *, title_a: str = "", title_b: str = "") -> Similarity:
    """How `b` relates to `a`, as if `a` had been kept and `b` came next. Titles count where both are given."""
    kept, new = sketch(title_a, a), sketch(title_b, b)
    verdict = decide(new, [(0, kept, {})])
    one, two = set(kept.shingles.tolist()), set(new.shingles.tolist())
    shared = len(one & two)
    cut = spans(a, b)
    return Similarity(
        resemblance=round(shared / max(1, len(one | two)), 4),
        containment=round(shared / max(1, min(len(one), len(two))), 4),
        same=verdict.copy_of is not None,
        reason=verdict.reason,
        confidence=verdict.confidence,
        passages=tuple(sorted((a[s.a[0] : s.a[1]] for s in cut if s.shared), key=len, reverse=True)),
        spans=cut,
    )


def spans(a: str, b: str) -> tuple[Span, ...]:
    """Both texts from start to end as shared and different stretches, in one order: what was moved differs.

    A word counts as the same where deduplication counts it so: "percent" and "per cent", "1,650" and "1650".
    """
    words_a, where_a = words.locate(a)
    words_b, where_b = words.locate(b)
    out: list[Span] = []
    end_a = end_b = 0
    for i, j, n in _chain(_blocks(words_a, words_b)):
        start_a, start_b = where_a[i][0], where_b[j][0]
        if start_a > end_a or start_b > end_b:
            out.append(Span(False, (end_a, start_a), (end_b, start_b)))
        end_a, end_b = where_a[i + n - 1][1], where_b[j + n - 1][1]
        out.append(Span(True, (start_a, end_a), (start_b, end_b)))
    if end_a < len(a) or end_b < len(b):
        out.append(Span(False, (end_a, len(a)), (end_b, len(b))))
    return tuple(out)


def _blocks(a: words.Words, b: words.Words) -> list[tuple[int, int, int]]:
    """Runs of words that both texts have: (position in a, position in b, number of words), in a's order."""
    there = shingles_of(b.ids)
    order = np.argsort(there, kind="stable")
    at = positions(shingles_of(a.ids), there, order).tolist()
    ids_a, ids_b = a.ids.tolist(), b.ids.tolist()
    blocks: list[tuple[int, int, int]] = []
    i = 0
    while i < len(at):
        j, n = at[i], 0
        if j >= 0:
            while i + n < len(ids_a) and j + n < len(ids_b) and ids_a[i + n] == ids_b[j + n]:
                n += 1
            blocks.append((i, j, n))
        i += max(1, n - SHINGLE + 1)
    return [block for block in blocks if block[2]]


def _chain(blocks: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The heaviest chain of blocks that goes forward in both texts."""
    best: list[
        tuple[int, int]
    ] = []  # words in the best chain that ends with this block, and the block before it
    for k, (i, j, n) in enumerate(blocks):
        weight, before = n, -1
        for m in range(max(0, k - LOOK_BACK), k):
            if (
                blocks[m][0] + blocks[m][2] <= i
                and blocks[m][1] + blocks[m][2] <= j
                and best[m][0] + n > weight
            ):
                weight, before = best[m][0] + n, m
        best.append((weight, before))
    chain = []
    k = max(range(len(best)), key=lambda x: best[x][0], default=-1)
    while k >= 0:
        chain.append(blocks[k])
        k = best[k][1]
    return chain[::-1]
