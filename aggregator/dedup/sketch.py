"""A text as the deduplicator sees it: its words, its shingles, and the few shingles by which it can be found.

A shingle is three neighbouring words (Broder 1997). Candidates are found by a sample of them, chosen by hash
value, densely where the story begins: briefs and cuts keep the head, so a posting spent there finds more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from aggregator.words import Words, read

#: Words in a shingle. 2 to 4 scored alike on wire_dev20k, 5 lost half a point of recall.
SHINGLE = 3
#: Share of the shingles that become postings: of the first LEDE of them, and of the rest.
LEDE = 64
LEDE_SHARE = 1 / 3
REST_SHARE = 1 / 16
#: Share of all its shingles that a new text asks the index for. Asking is cheaper than storing, and a local
#: lede or left-over furniture moves the story's head away from the text's head.
PROBE_SHARE = 1 / 3
#: Texts with fewer shingles than this post and ask for all of them.
FEW = 24
#: No more postings or probes than this for one text, however long.
MOST_POSTINGS = 96
MOST_PROBES = 256

_MIX = [np.uint64(m) for m in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)]


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What is compared. `postings` and `probes` are plain 32-bit integers for whatever index is used."""

    words: Words
    shingles: NDArray[np.uint64]
    title: Words
    published: float | None = None  # seconds since the epoch
    outlet: str = ""
    url: str = ""
    language: str = ""
    postings: tuple[int, ...] = ()
    probes: tuple[int, ...] = ()
    order: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))  # argsort of the shingles
    ordered: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    @property
    def empty(self) -> bool:
        return len(self.words) == 0


def shingles_of(ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash of every run of SHINGLE words; of the whole text if it is shorter than that."""
    if len(ids) < SHINGLE:
        return np.bitwise_xor.reduce(ids * _MIX[0], keepdims=True) if len(ids) else ids
    n = len(ids) - SHINGLE + 1
    mixed: NDArray[np.uint64] = (
        ids[:n] * _MIX[0] + (ids[1 : n + 1] ^ _MIX[2]) * _MIX[1] + ids[2 : n + 2] * _MIX[2]
    )
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX[1]
    return mixed


def sketch(
    title: str,
    text: str,
    *,
    published: datetime | None = None,
    outlet: str | None = None,
    url: str | None = None,
    language: str | None = None,
) -> Sketch:
    """Read one text. Pure; about 0.2 ms for 300 words. `published` must be aware or is taken as UTC."""
    body = read(text)
    shingles = shingles_of(body.ids)
    order = np.argsort(shingles, kind="stable")
    postings, probes = _sample(shingles)
    return Sketch(
        words=body,
        shingles=shingles,
        title=read(title),
        published=_seconds(published),
        outlet=outlet or "",
        url=url or "",
        language=language or "",
        postings=postings,
        probes=probes,
        order=order,
        ordered=shingles[order],
    )


def _seconds(when: datetime | None) -> float | None:
    if when is None:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.timestamp()


def _sample(shingles: NDArray[np.uint64]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    high = (shingles >> np.uint64(32)).astype(np.uint32)
    if len(high) <= FEW:
        every = tuple(dict.fromkeys(high.tolist()))
        return every, every
    probe = high < np.uint32(PROBE_SHARE * 2**32)
    posting = high < np.uint32(REST_SHARE * 2**32)
    posting[:LEDE] = high[:LEDE] < np.uint32(LEDE_SHARE * 2**32)
    return _distinct(high[posting], MOST_POSTINGS), _distinct(high[probe], MOST_PROBES)


def _distinct(values: NDArray[np.uint32], most: int) -> tuple[int, ...]:
    return tuple(dict.fromkeys(values.tolist()[:most]))
