"""Deduplication: one story, once. Pure: no files, no network, no database.

    sketch(title, text, ...)      a text as it is compared
    remembered(title, text, ...)  the same, without reading a text again that was read lately
    judge(sketch, candidates)     a copy of one of these stories, or a new one; with the evidence
    topics(sketch), same_event(sketch, candidates)  which story reports the same event in other words, if any
    Index, stream(documents)      the same over an index in memory
    compare(a, b)                 two texts side by side, for people
    find_duplicates(texts)        the same for a handful of texts

How the decision is made, its known exceptions and what was rejected: docs/deduplication.md.
"""

from aggregator.dedup.events import RARE, same_event, topics
from aggregator.dedup.index import Index, find_duplicates, stream
from aggregator.dedup.judge import WINDOW, judge
from aggregator.dedup.side_by_side import Similarity, Span, compare, spans
from aggregator.dedup.sketch import Sketch, remembered, sketch

__all__ = [
    "RARE",
    "WINDOW",
    "Index",
    "Similarity",
    "Sketch",
    "Span",
    "compare",
    "find_duplicates",
    "judge",
    "remembered",
    "same_event",
    "sketch",
    "spans",
    "stream",
    "topics",
]
