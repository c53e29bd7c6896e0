"""The softer question: do two texts report one event, each in words of its own? Such stories are shown together and
never folded, so a wrong answer hides nothing; it should still be rare.

Requirements. Only kept stories are asked about: what is a copy was decided before, and is not touched by this. An
outlet's own report, the next day's follow-up and the brief in other words belong to an event. Tomorrow's market report,
the other town's road works, a digest and two releases with one "About" paragraph do not.

Theory of operation. What an event is called stands in the headline and the first sentences: names, and the words that
are no everyday words. These are a story's topics, and by them candidates are found, as copies are by their shingles.
Two stories that share enough topics, of which some are rare these days, report one event, unless they are instances of
one form (other figures or names in the same slots) or share one long run and nothing else.

Known exceptions. Reportage that never names the place in its lede is not found; in languages without capitals and
blanks (a headline is cut into pairs of characters) few are. A company's two news of one week can be taken for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aggregator.candidates import Rare
from aggregator.dedup.judge import WINDOW, Rows, apart, sketched
from aggregator.dedup.measure import FEATURES, align, measure
from aggregator.dedup.sketch import Sketch
from aggregator.model import Candidate
from aggregator.words import DATE, FUNCTION, NAME, ids_of

#: Words of the lede: two or three sentences.
LEDE = 60
#: Topics by which a story is found, those of the headline first.
TOPICS = 24
#: Topics that two reports of one event share, of which some are rare. On wire_dev20k this
#: links 52 % of the reports of one event (about half of them are its first, and have none to be linked to), 1.8 % of
#: texts about nothing and 1 % of templates; 3 topics would link 57, 4.6 and 1.9 %.
SHARED = 4
RARE = Rare(least=2, holders=6)
#: Words of the headlines and ledes that are enough by themselves, where few topics are shared.
WORDS = 8
#: The lede of an instance of a form is mostly the other's, or figures and names are substituted in it.
FORM_LEDE = 0.5
FORM_SHARED = 0.35
FORM_SUBSTITUTED = 0.2
#: A run of this many shared words with less than this share of the other words is a quotation, an item of a digest or
#: an "About" paragraph.
RUN = 20
RUN_REST = 0.13


def topics(story: Sketch) -> tuple[int, ...]:
    """What a story is found by: 32-bit hashes of the headline's words and the names in its lede."""
    text = story.words
    named = (text.flags[:LEDE] & (NAME | DATE)) == NAME
    found = dict.fromkeys([*ids_of(story.title, FUNCTION | DATE), *text.ids[:LEDE][named].tolist()])
    return tuple(word & 0xFFFFFFFF for word in list(found)[:TOPICS])


def same_event(new: Sketch, candidates: Iterable[Candidate], *, window: float = WINDOW) -> int | None:
    """The candidate that reports the same event as a story, or None. `Candidate.shared`: shared topic -> number of
    stories that have it. Pure."""
    return decide_event(new, sketched(new, candidates, window), window=window)


def decide_event(new: Sketch, rows: Rows, *, window: float = WINDOW) -> int | None:
    """`same_event` over sketches: (key, sketch of the kept story, topic -> number of stories that have it)."""
    rows = [row for row in rows if _promising(row[2])]
    if not rows:
        return None
    mine = _lede(new)
    best, most = None, 0
    for key, old, shared in rows:
        theirs = _lede(old)
        common = mine & theirs
        if apart(new, old) > window or len(common) <= most or not _enough(shared, len(common)):
            continue
        if not _is_form(new, old, len(common) / max(len(mine), len(theirs))):
            best, most = key, len(common)
    return best


def _lede(story: Sketch) -> frozenset[int]:
    """The words of the headline and the lede that can tell a text from another one."""
    telling = (story.words.flags[:LEDE] & (FUNCTION | DATE)) == 0
    return frozenset(ids_of(story.title, FUNCTION | DATE)).union(story.words.ids[:LEDE][telling].tolist())


def _promising(shared: Mapping[int, int]) -> bool:
    """Whether two stories that share these topics (topic -> number of stories that have it) are worth a comparison."""
    return sum(number <= RARE.holders for number in shared.values()) >= RARE.least


def _enough(shared: Mapping[int, int], words: int) -> bool:
    return words >= WORDS or (len(shared) >= SHARED and words >= SHARED)


def _is_form(new: Sketch, old: Sketch, of_lede: float) -> bool:
    """Whether what two texts share is a form, or a passage, and not an event."""
    if new.empty or old.empty:
        return True
    found = dict(zip(FEATURES, measure(align(new, old), {}), strict=True))
    substituted = max(found["sub_fig_rate"], found["sub_name_rate"])
    return (
        of_lede > FORM_LEDE
        or (found["cov_short"] > FORM_SHARED and substituted > FORM_SUBSTITUTED)
        or (found["longest"] >= RUN and found["rest_short"] < RUN_REST)
    )
