"""A text as the deduplicator sees it: its words, its shingles, and the few shingles by which it can be found.

A shingle is three neighbouring words (Broder 1997). Candidates are found by a sample of them, chosen by hash value,
densely where the story begins: briefs and cuts keep the head, so a posting spent there finds more.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from aggregator.words import (
    DATE,
    FIGURE,
    FUNCTION,
    NAME,
    Words,
    ids_of,
    read,
    without_sign_offs,
)

#: Words in a shingle. 2 to 4 scored alike on wire_dev20k, 5 lost half a point of recall.
SHINGLE = 3
#: Share of the shingles that become postings: of the first LEDE of them, and of the rest.
LEDE = 48
LEDE_SHARE = 1 / 3
REST_SHARE = 1 / 14
#: A new text asks for as dense a sample of its first PROBED shingles: asking is cheaper than storing, and a local
#: lede or left-over furniture moves the story's head away from the text's head.
PROBED = 160
#: Pairs of names among the postings and probes. A rewriting that shares a quotation or two with the kept text is found
#: by the people and places in it: the least that a copy in wire_hand_dev shared rose from one posting to three.
NAMES_POSTED = 4
NAMES_PROBED = 8
#: Texts with up to so many shingles post and ask for all of them. Two longer ones that share a single posting are not
#: compared: that spares half of all comparisons. Of 9,948 copies in wire_dev20k one shares so little with the kept
#: text; comparing texts of up to 48 gave the same scores on every set.
FEW = 24
#: No more postings or probes than this for one text, however long.
MOST_POSTINGS = 96
MOST_PROBES = 256
#: Sketches kept by `remembered`: about 20 kB each, with their texts.
REMEMBERED = 2_048
#: A dateline stands among the first words.
DATELINE = 12

#: Kinds of terms.
OTHER, A_FIGURE, A_NAME = 0, 1, 2

_HALF, _EVEN, _ODD = np.uint64(32), np.uint32(0xFFFFFFFE), np.uint32(1)
#: Kind of a term by its flags.
_KINDS = np.zeros((FIGURE | NAME) + 1, np.int8)
_KINDS[[FIGURE, FIGURE | NAME]] = A_FIGURE
_KINDS[NAME] = A_NAME

_MIX = [np.uint64(m) for m in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The distinct words of a text that can tell it from another one, in the order of their ids."""

    ids: NDArray[np.uint64]
    at: NDArray[np.int32]  # first position in the text
    kind: NDArray[np.int8]  # OTHER, A_FIGURE or A_NAME


@dataclass(eq=False)
class Sketch:
    """What is compared, and what it is found by.

    All but the words and shingles is worked out when it is first needed: most texts are never compared with another
    one. An index in memory holds tens of thousands of these, so they are kept narrow.
    """

    words: Words
    shingles: NDArray[np.uint64]
    title: str
    published: float | None  # seconds since the epoch

    @property
    def empty(self) -> bool:
        return len(self.words) == 0

    @property
    def postings(self) -> NDArray[np.uint32]:
        """What a kept story is put into an index under; one may be there twice."""
        return self._sample[0]

    @property
    def probes(self) -> NDArray[np.uint32]:
        """What an index is asked for with a new text; one may be there twice."""
        return self._sample[1]

    @property
    def tiny(self) -> bool:
        """Whether all of its shingles are postings, so that a single one in common may be all there is."""
        return len(self.shingles) <= FEW

    @functools.cached_property
    def _sample(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        return _sample(self.shingles, self.words)

    @functools.cached_property
    def order(self) -> NDArray[np.int32]:
        """The stable order that sorts the shingles."""
        return self.shingles.argsort(kind="stable").astype(np.int32)

    @functools.cached_property
    def terms(self) -> Terms:
        at = ((self.words.flags & FUNCTION) == 0).nonzero()[0]
        ids = self.words.ids[at]
        order = ids.argsort(kind="stable")
        ids = ids[order]
        first = np.ones(len(ids), np.bool_)
        np.not_equal(ids[1:], ids[:-1], out=first[1:])
        at = at[order[first]]
        return Terms(ids[first], at.astype(np.int32), _KINDS[self.words.flags[at] & (FIGURE | NAME)])

    @functools.cached_property
    def headline(self) -> frozenset[int]:
        """The words of the title that can tell it from another one."""
        return frozenset(ids_of(self.title, FUNCTION))

    @functools.cached_property
    def dateline(self) -> tuple[int, int] | None:
        """Month and day, or day and month, among the first words."""
        flags, ids = self.words.flags[: DATELINE + 1], self.words.ids
        for i in np.flatnonzero(flags & DATE).tolist():
            if i + 1 < len(flags) and flags[i + 1] & FIGURE:
                return int(ids[i]), int(ids[i + 1])
        return None


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


def sketch(title: str, text: str, *, published: datetime | None = None) -> Sketch:
    """Read one text. Pure; 0.2 ms for 300 words. A `published` without a time zone is taken as UTC."""
    body = read(without_sign_offs(text))
    return Sketch(body, shingles_of(body.ids), title, _seconds(published))


@functools.lru_cache(maxsize=REMEMBERED)
def remembered(title: str, text: str, published: datetime | None) -> Sketch:
    """`sketch`, without reading a text again that was read lately: a story that was just stored is what the next ones
    are compared with."""
    return sketch(title, text, published=published)


def _seconds(when: datetime | None) -> float | None:
    if when is None:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _sample(shingles: NDArray[np.uint64], body: Words) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Postings and probes. Those of shingles are even, those of names odd."""
    high = (shingles >> _HALF).astype(np.uint32) & _EVEN
    if len(high) <= FEW:
        return high, high
    posting = high < np.uint32(REST_SHARE * 2**32)
    probe = posting.copy()
    probe[:PROBED] = high[:PROBED] < np.uint32(LEDE_SHARE * 2**32)
    posting[:LEDE] = probe[:LEDE]
    names = _names(body)
    return (
        np.concatenate((high[posting][:MOST_POSTINGS], names[:NAMES_POSTED])),
        np.concatenate((high[probe][:MOST_PROBES], names)),
    )


def _names(body: Words) -> NDArray[np.uint32]:
    """The pairs of neighbouring names with the smallest hashes: of two texts with the same names, the same ones."""
    name = (body.flags & (NAME | DATE)) == NAME
    at = (name[:-1] & name[1:]).nonzero()[0]
    mixed = body.ids[at] * _MIX[1] + (body.ids[at + 1] ^ _MIX[2]) * _MIX[0]
    return np.array(sorted(set((mixed >> _HALF).tolist()))[:NAMES_PROBED], np.uint32) | _ODD
