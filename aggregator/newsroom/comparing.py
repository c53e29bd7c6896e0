"""Two texts side by side: rows of paragraphs that belong together, each cut into what is shared and what is not.

The shared stretches are those that deduplication counts (`dedup.spans`), so what a reader sees here is what the
decision was made on. Paragraphs share a row when a good part of the smaller one stands in the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aggregator import words
from aggregator.dedup import spans

#: Two paragraphs belong together when they share this part of the shorter one's words. Below it, a common
#: phrase ("said on Monday") would tie strangers together.
TIED = 0.3
#: Characters of each text that are compared: 60,000 of each take 0.3 s, and the longest reports are 30,000.
LIMIT = 60_000

_PARAGRAPH = re.compile(r"\S(?:[^\n]|\n(?!\s*\n))*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph, and whether the other text has it too."""

    text: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Paragraphs of the one text and those of the other that they correspond to; one side may be empty."""

    a: tuple[tuple[Piece, ...], ...]
    b: tuple[tuple[Piece, ...], ...]

    @property
    def same(self) -> bool:
        return all(piece.shared for paragraph in self.a + self.b for piece in paragraph)


def side_by_side(a: str, b: str) -> list[Row]:
    """Both texts from start to end as rows. What lies beyond LIMIT characters is left out."""
    a, b = a[:LIMIT], b[:LIMIT]
    where_a, where_b = _words(a), _words(b)
    starts_a, starts_b = ({start: i for i, (start, _) in enumerate(where)} for where in (where_a, where_b))
    pairs = []  # (word of a, word of b)
    for span in spans(a, b):
        if span.shared:
            i, j = starts_a[span.a[0]], starts_b[span.b[0]]
            while i < len(where_a) and where_a[i][1] <= span.a[1]:
                pairs.append((i, j))
                i, j = i + 1, j + 1
    paragraphs_a, paragraphs_b = _paragraphs(a), _paragraphs(b)
    of_a, of_b = _owners(where_a, paragraphs_a), _owners(where_b, paragraphs_b)
    cut_a = _pieces(a, paragraphs_a, where_a, of_a, {i for i, _ in pairs})
    cut_b = _pieces(b, paragraphs_b, where_b, of_b, {j for _, j in pairs})
    return _rows(cut_a, cut_b, _ties(pairs, of_a, of_b))


def _words(text: str) -> list[tuple[int, int]]:
    return words.locate(text)[1]


def _paragraphs(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _PARAGRAPH.finditer(text)]


def _owners(where: list[tuple[int, int]], paragraphs: list[tuple[int, int]]) -> list[int]:
    """For each word: its paragraph."""
    owners, paragraph = [], 0
    for start, _ in where:
        while paragraph + 1 < len(paragraphs) and start >= paragraphs[paragraph + 1][0]:
            paragraph += 1
        owners.append(paragraph)
    return owners


def _pieces(
    text: str,
    paragraphs: list[tuple[int, int]],
    where: list[tuple[int, int]],
    owners: list[int],
    shared: set[int],
) -> list[tuple[Piece, ...]]:
    """Each paragraph cut where shared words end or begin. What is no word (marks, articles) goes with what
    precedes it."""
    cuts: list[list[tuple[int, bool]]] = [[] for _ in paragraphs]
    for i, (start, _) in enumerate(where):
        mine = cuts[owners[i]]
        if not mine or mine[-1][1] != (i in shared):
            mine.append((start, i in shared))
    out: list[tuple[Piece, ...]] = []
    for (start, end), mine in zip(paragraphs, cuts, strict=True):
        if not mine:
            out.append((Piece(text[start:end], True),))
            continue
        begins = [start, *(at for at, _ in mine[1:]), end]
        out.append(tuple(Piece(text[begins[k] : begins[k + 1]], mine[k][1]) for k in range(len(mine))))
    return out


def _ties(pairs: list[tuple[int, int]], of_a: list[int], of_b: list[int]) -> list[tuple[int, int]]:
    """Pairs of paragraphs that belong together, in order."""
    shared: dict[tuple[int, int], int] = {}
    for i, j in pairs:
        key = of_a[i], of_b[j]
        shared[key] = shared.get(key, 0) + 1
    sizes_a = {p: of_a.count(p) for p, _ in shared}
    sizes_b = {q: of_b.count(q) for _, q in shared}
    return sorted(key for key, n in shared.items() if n >= TIED * min(sizes_a[key[0]], sizes_b[key[1]]))


def _rows(a: list[tuple[Piece, ...]], b: list[tuple[Piece, ...]], ties: list[tuple[int, int]]) -> list[Row]:
    """Tied paragraphs in one row; what stands between two ties, in rows of its own."""
    rows: list[Row] = []
    done_a = done_b = 0
    k = 0
    while k < len(ties):
        first_a, first_b = ties[k]
        last_a, last_b = first_a, first_b
        while k < len(ties) and (ties[k][0] <= last_a or ties[k][1] <= last_b):
            last_a, last_b = max(last_a, ties[k][0]), max(last_b, ties[k][1])
            k += 1
        if first_a > done_a or first_b > done_b:
            rows.append(Row(tuple(a[done_a:first_a]), tuple(b[done_b:first_b])))
        rows.append(Row(tuple(a[first_a : last_a + 1]), tuple(b[first_b : last_b + 1])))
        done_a, done_b = last_a + 1, last_b + 1
    if done_a < len(a) or done_b < len(b):
        rows.append(Row(tuple(a[done_a:]), tuple(b[done_b:])))
    return rows
