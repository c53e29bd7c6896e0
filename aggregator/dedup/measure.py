"""What is measured of two texts before deciding whether one is a copy of the other: aligned evidence, not one ratio.

A copy's words run on as the kept text's do, and where they stop, its figures and names are still the same ones. A
template (tomorrow's market report, the other town's road works) runs on as long, but has other figures in the same
slots. A rewriting shares few runs and nearly all facts. A follow-up, a speech told twice, a company's "About"
paragraph share one long run and few facts outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aggregator.dedup.sketch import A_FIGURE, A_NAME, SHINGLE, Sketch, Terms
from aggregator.words import Words

#: What the decision looks at, and what it means; "short" and "long" are the shorter and the longer text. NaN: unknown.
FEATURES: dict[str, str] = {
    "cov_short": "share of the shorter text's words that are in a shared shingle",
    "cov_long": "the same of the longer text",
    "matched": "number of the new text's words in a shared shingle, at most 300",
    "longest": "words in the longest shared run, at most 80",
    "head_max": "share of the first 24 words in a shared shingle, of the text where it is larger",
    "head_min": "the same of the other text",
    "start_short": "where the first shared shingle stands in the shorter text, as share of its length",
    "start_long": "the same in the longer text",
    "slots": "number of short gaps that stand between the same shared runs in both texts",
    "sub_fig_rate": "share of the slots and matches of figures that are substitutions by another figure",
    "sub_name_rate": "the same of names",
    "fig_max": "share of one text's figures that the other has, of the text where it is larger",
    "fig_min": "the same of the other text",
    "name_max": "share of one text's names that the other has, of the text where it is larger",
    "name_min": "the same of the other text",
    "spec_short": "share of the shorter text's figures and names that the longer has",
    "spec_long": "share of the longer text's figures and names that the shorter has",
    "out_short": "as spec_short, counting only what is outside of the shared runs",
    "out_long": "as spec_long, counting only what is outside of the shared runs",
    "spec_matched": "number of figures and names inside the shared runs, at most 40",
    "word_short": "share of the shorter text's distinct words that the longer has",
    "word_long": "share of the longer text's distinct words that the shorter has",
    "rest_short": "as word_short, counting only what is outside of the shared runs",
    "rest_long": "as word_long, counting only what is outside of the shared runs",
    "foreign": "number of figures and names of the longer text that the shorter has not, at most 40",
    "bare": "share of the longer text's paragraphs that have no word in a shared run",
    "whole_long": "share of the words in shared runs, in the longer text's other paragraphs",
    "whole_short": "the same in the shorter text",
    "order": "share of the jumps between shared runs that go forward in both texts",
    "common": "mean number of stories that have the postings which both texts share",
    "rare": "share of these postings that only the kept story has",
    "title": "share of the shorter headline's words that the other has",
    "title_jaccard": "words of both headlines that are shared",
    "gap": "hours between the two",
    "dateline": "whether both datelines name the same date",
    "length": "words of the shorter text, at most 400",
    "ratio": "length of the shorter text by that of the longer",
}
#: Words of the head: about a first sentence.
HEAD = 24
#: Longest gap, in words, that is read as a slot: a figure or name with what belongs to it.
SLOT = 10
NAN = float("nan")
#: Figures and names are counted in one sum: what a term adds to it, by its kind.
_ONE_NAME = 2**32
_COUNTED = np.zeros(3, np.int64)
_COUNTED[[A_FIGURE, A_NAME]] = 1, _ONE_NAME

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two sketches side by side: `a` is the new text, `b` the kept one."""

    a: Sketch
    b: Sketch
    at: NDArray[np.intp]  # for each shingle of a: its position in b, or -1
    shared: int  # shingles of b that a has
    covered_a: Mask  # for each word: in a shared shingle
    covered_b: Mask
    known_a: Mask  # for each term of a: b has it
    known_b: Mask
    slots: tuple[NDArray[np.intp], ...]  # start and end of each slot in a, start and end in b

    @property
    def containment(self) -> float:
        """Share of the new text's shingles that the kept text has."""
        return float(np.count_nonzero(self.at >= 0)) / max(1, len(self.at))

    @property
    def containment_of_kept(self) -> float:
        """Share of the kept text's shingles that the new text has."""
        return self.shared / max(1, len(self.b.shingles))

    @property
    def mostly_shared(self) -> bool:
        """Whether at least half of the shorter text's words are in shared runs."""
        shorter = self.covered_a if len(self.covered_a) <= len(self.covered_b) else self.covered_b
        return 2 * int(np.count_nonzero(shorter)) >= len(shorter)

    @property
    def resemblance(self) -> float:
        """Jaccard coefficient of the two sets of shingles."""
        return self.shared / max(1, len(self.at) + len(self.b.shingles) - self.shared)


def align(a: Sketch, b: Sketch, at: NDArray[np.intp] | None = None) -> Comparison:
    """Find the shared runs, terms and slots of two texts, both with at least one word.

    `at`: where a's shingles stand in b, if `positions` was asked before.
    """
    at = positions(a.shingles, b.shingles, b.order) if at is None else at
    hit_a = at >= 0
    hits = hit_a.nonzero()[0]
    hit_b = np.zeros(len(b.shingles), np.bool_)
    hit_b[at[hits]] = True
    known_a, known_b = _shared(a.terms.ids, b.terms.ids)
    return Comparison(
        a,
        b,
        at,
        int(np.count_nonzero(hit_b)),
        cover(hit_a, len(a.words)),
        cover(hit_b, len(b.words)),
        known_a,
        known_b,
        _slots(at, hits),
    )


def positions(
    shingles: NDArray[np.uint64], there: NDArray[np.uint64], order: NDArray[np.integer[Any]]
) -> NDArray[np.intp]:
    """Where each shingle first stands in another text (`there`), given the stable order that sorts that text's
    shingles; -1 where it does not."""
    if not len(there):
        return np.full(len(shingles), -1, np.intp)
    ordered = there[order]
    found = ordered.searchsorted(shingles)
    found[found == len(ordered)] = 0
    return np.where(ordered[found] == shingles, order[found], -1)


def cover(hit: Mask, size: int) -> Mask:
    """Words that are part of a hit shingle."""
    covered = np.zeros(size, np.bool_)
    if size < SHINGLE:
        covered[:] = hit.any()
        return covered
    for k in range(SHINGLE):
        covered[k : k + len(hit)] |= hit
    return covered


def _shared(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> tuple[Mask, Mask]:
    """Which of the elements of two sorted sets the other has."""
    in_b = np.zeros(len(a), np.bool_)
    in_a = np.zeros(len(b), np.bool_)
    if len(a) and len(b):
        found = b.searchsorted(a)
        found[found == len(b)] = 0
        in_b = b[found] == a
        in_a[found[in_b]] = True
    return in_b, in_a


def _slots(at: NDArray[np.intp], hits: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
    """The short gaps between neighbouring shared shingles that are gaps in both texts."""
    i, j = hits[:-1] + SHINGLE, at[hits[:-1]] + SHINGLE
    wide_a, wide_b = hits[1:] - i, at[hits[1:]] - j
    slot = ((wide_a > 0) & (wide_b > 0) & (wide_a <= SLOT) & (wide_b <= SLOT)).nonzero()[0]
    i, j = i[slot], j[slot]
    return i, i + wide_a[slot], j, j + wide_b[slot]


def _substituted(c: Comparison) -> tuple[int, int]:
    """Slots where each text has a figure that the other has nowhere; the same of names."""
    start_a, end_a, start_b, end_b = c.slots
    if not len(start_a):
        return 0, 0
    in_a = _strange(c.a, c.known_a, start_a, end_a)
    in_b = _strange(c.b, c.known_b, start_b, end_b)
    figures = (in_a % _ONE_NAME > 0) & (in_b % _ONE_NAME > 0)
    names = (in_a >= _ONE_NAME) & (in_b >= _ONE_NAME)
    return int(np.count_nonzero(figures)), int(np.count_nonzero(names))


def _strange(text: Sketch, known: Mask, start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.int64]:
    """How many figures, and `_ONE_NAME` times how many names, that the other text has not are in each stretch."""
    marks = np.zeros(len(text.words) + 1, np.int64)
    marks[text.terms.at + 1] = np.where(known, 0, _COUNTED[text.terms.kind])
    before = marks.cumsum()
    counted: NDArray[np.int64] = before[end] - before[start]
    return counted


class _Tally:
    """The terms of one text, counted by kind, by whether they are in a shared run, and whether the other has them.

    Shares of known ones: of all, of the figures, the names and both (facts); `rest`, `rest_facts`: outside of the runs.
    """

    def __init__(self, terms: Terms, covered: Mask, known: Mask) -> None:
        group = terms.kind + 3 * covered[terms.at].view(np.int8) + 6 * known.view(np.int8)
        counts = np.bincount(group, minlength=12).tolist()
        o, f, n, _, f_in, n_in, known_o, known_f, known_n, known_o_in, known_f_in, known_n_in = counts
        figures, names = known_f + known_f_in, known_n + known_n_in
        all_figures, all_names = figures + f + f_in, names + n + n_in
        known_rest = known_o + known_f + known_n
        self.figures = _ratio(figures, all_figures)
        self.names = _ratio(names, all_names)
        self.facts = _ratio(figures + names, all_figures + all_names)
        self.all = _ratio(figures + names + known_o + known_o_in, len(known))
        self.rest = _ratio(known_rest, known_rest + o + f + n)
        self.rest_facts = _ratio(known_f + known_n, known_f + known_n + f + n)
        self.figures_matched = f_in + known_f_in
        self.names_matched = n_in + known_n_in
        self.foreign = f + n + f_in + n_in


class _Paragraphs:
    """How the shared runs lie in a text's paragraphs: `bare`, the share of those without one, and `whole`, the share
    of the others' words that is in one. A cut takes whole paragraphs, an update and a template bits of all."""

    def __init__(self, words: Words, covered: Mask) -> None:
        sizes = np.bincount(words.paragraph)
        hits = np.bincount(words.paragraph[covered], minlength=len(sizes))
        hit = hits > 0
        self.bare = 1 - int(np.count_nonzero(hit)) / int(np.count_nonzero(sizes))
        self.whole = _ratio(int(np.count_nonzero(covered)), int(sizes[hit].sum()))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else NAN


def share(mask: Mask) -> float:
    """Share of the elements that are True."""
    return float(np.count_nonzero(mask)) / len(mask)


def _larger(x: float, y: float) -> tuple[float, float]:
    """The larger and the smaller of two shares; one that is unknown is left out."""
    if x != x:
        return y, y
    if y != y:
        return x, x
    return (x, y) if x >= y else (y, x)


def _first(mask: Mask) -> float:
    """Where the first True stands, as share of the whole."""
    first = int(mask.argmax())
    return first / len(mask) if mask[first] else 1.0


def measure(c: Comparison, shared: Mapping[int, int]) -> list[float]:
    """The FEATURES of a comparison, in their order. `shared`: posting -> number of stories that have it."""
    a, b = c.a, c.b
    size_a, size_b = len(a.words), len(b.words)
    of_a, of_b = _Tally(a.terms, c.covered_a, c.known_a), _Tally(b.terms, c.covered_b, c.known_b)
    cov_a, cov_b = share(c.covered_a), share(c.covered_b)
    starts = _first(c.covered_a), _first(c.covered_b)
    if size_a <= size_b:
        short, long, cov_short, cov_long = of_a, of_b, cov_a, cov_b
        in_short, in_long = _Paragraphs(a.words, c.covered_a), _Paragraphs(b.words, c.covered_b)
    else:
        short, long, cov_short, cov_long = of_b, of_a, cov_b, cov_a
        in_short, in_long = _Paragraphs(b.words, c.covered_b), _Paragraphs(a.words, c.covered_a)
        starts = starts[::-1]
    matched_fig, matched_name = of_a.figures_matched, of_a.names_matched
    sub_fig, sub_name = _substituted(c)
    at = c.at[c.at >= 0]
    steps = at[1:] - at[:-1]
    jumps = steps[steps != 1]
    counts = [number for posting, number in shared.items() if not posting & 1] or [1]  # odd: names
    title, title_jaccard = _headlines(a.headline, b.headline)
    return [
        cov_short,
        cov_long,
        min(round(cov_a * size_a), 300),
        min(_longest(c.covered_a), 80),
        *_larger(share(c.covered_a[:HEAD]), share(c.covered_b[:HEAD])),
        *starts,
        len(c.slots[0]),
        sub_fig / (sub_fig + matched_fig + 1),
        sub_name / (sub_name + matched_name + 1),
        *_larger(of_a.figures, of_b.figures),
        *_larger(of_a.names, of_b.names),
        short.facts,
        long.facts,
        short.rest_facts,
        long.rest_facts,
        min(matched_fig + matched_name, 40),
        short.all,
        long.all,
        short.rest,
        long.rest,
        min(long.foreign, 40),
        in_long.bare,
        in_long.whole,
        in_short.whole,
        float(np.count_nonzero(jumps > 0)) / len(jumps) if len(jumps) else 1.0,
        sum(counts) / len(counts),
        counts.count(1) / len(counts),
        title,
        title_jaccard,
        NAN if a.published is None or b.published is None else abs(a.published - b.published) / 3600,
        NAN if a.dateline is None or b.dateline is None else float(a.dateline == b.dateline),
        min(size_a, size_b, 400),
        min(size_a, size_b) / max(size_a, size_b),
    ]


def _longest(mask: Mask) -> int:
    """Length of the longest run of True."""
    ends = np.concatenate(([-1], (~mask).nonzero()[0], [len(mask)]))
    return int((ends[1:] - ends[:-1]).max()) - 1


def _headlines(a: frozenset[int], b: frozenset[int]) -> tuple[float, float]:
    if not a or not b:
        return NAN, NAN
    shared = len(a & b)
    return shared / min(len(a), len(b)), shared / len(a | b)
