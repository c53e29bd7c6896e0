"""Which stories share most with a text? What the index in memory and the one in SQLite have in common.

Both keep, for each posting (a shingle's or a topic's hash), the stories that hold it: its holders. A posting that few
stories hold tells more, so that each counts by one over their number.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: Stories kept per posting (in SQLite per stretch of time, too). What more stories hold tells nothing about one of
#: them, and would be read with every text that has it. 48 and 24 gave the same scores on wire_dev20k and Reuters, 12
#: lost a story more.
COMMON = 24
#: A story that scores less than this share of the best one is not worth a comparison.
WORTH = 0.25
#: Stories compared with a new text. The true one was the first of them for 976 of 979 copies in wire_dev2k and never
#: later than the second.
MOST = 4


@dataclass(frozen=True, slots=True)
class Rare:
    """What two stories must share to be worth a comparison: `least` postings that at most `holders` stories have."""

    least: int
    holders: int

    def among(self, holders: Iterable[Sequence[int]]) -> set[int]:
        """The stories that share enough. `holders`: of each shared posting, the stories that have it."""
        few = itertools.chain.from_iterable(held for held in holders if len(held) <= self.holders)
        return {story for story, number in Counter(few).items() if number >= self.least}


@dataclass(frozen=True, slots=True)
class Hit:
    """A story that shares postings with a text; `shared`: posting -> number of stories that hold it."""

    story: int
    shared: Mapping[int, int]


def ranked(holders: Mapping[int, Sequence[int]], rare: Rare | None = None) -> list[Hit]:
    """The stories that share most with a text, best first, at most `MOST` of them.

    `holders`: of each posting that the text shares with any story, the stories that hold it. `rare`: what a story
    must share to be worth a look.
    """
    telling = None if rare is None else rare.among(holders.values())
    score: dict[int, float] = {}
    for held in holders.values() if telling is None or telling else ():
        for story in held:
            if telling is None or story in telling:
                score[story] = score.get(story, 0.0) + 1 / len(held)
    least = WORTH * max(score.values(), default=0.0)
    worth = [story for story, points in score.items() if points >= least]
    return [
        Hit(story, {posting: len(held) for posting, held in holders.items() if story in held})
        for story in sorted(worth, key=lambda story: (-score[story], story))[:MOST]
    ]
