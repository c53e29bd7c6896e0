"""Is this text a copy of one of these stories? The decision, with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from aggregator import words
from aggregator.dedup.measure import Comparison, Mask, align, measure, positions, share
from aggregator.dedup.model import forest
from aggregator.dedup.sketch import A_FIGURE, A_NAME, SHINGLE, Sketch, Terms, remembered
from aggregator.model import Candidate, Verdict

#: Two texts further apart than this are not the same story: Friday's is still in Monday's paper. F1 and copies left
#: over on wire_dev20k: .9958 and .58 % with 48 hours, .9963 and .54 % with 60, .9966 and .48 % with 72, .9966 and
#: .51 % with 96 and with 120.
WINDOW = 72 * 3600.0
#: Above this probability a pair is one story. On wire_dev20k, copies left over and stories lost: .28 and .11 % at 0.5,
#: .43 and .06 % at 0.6, .50 and .03 % at 0.7, .72 and .01 % at 0.8. A story lost is worse than a copy left over.
SAME = 0.7
#: A pair that shares less than this of the shorter text's shingles is not measured: six of ten proposed pairs that are
#: two stories, and no copy. The least that a copy shared was 5.5 % in wire_dev20k and 9.7 % in wire_hand_dev.
LITTLE = 0.025
#: A text of fewer shingles is a copy only if half of its words are in shared runs: a few words in common and the same
#: names are what a short item in its own words has too. Of 24,000 copies in the training data none has less.
BRIEF = 40
#: Texts of fewer words say nothing by themselves ("Subscribe to read on"): this share of the shorter headline must be
#: in the other one. Set by judgement: the measuring data has no such texts.
THIN = 12
THIN_TITLE = 0.5
#: Two texts of fewer words, without a figure or name, under headlines that share nothing: what a paywall, a cookie
#: notice or a player says instead of the story. Set by judgement: with 0, 60, 120 and without end all sets score alike.
BARE = 60
#: Two texts of one feed and site that both have fewer words may be two records in the words of one form; no text of
#: more than so many characters is as brief. In wire_dev20k 48 of 9,939 copies are from an outlet that has the story.
RECORD = 120
LONG_RECORD = 15 * RECORD
#: What the reasons are called from: coverage from which a text counts as being in the other one, resemblance from
#: which the two are near.
WHOLE = 0.85
NEAR = 0.8
#: Below this coverage the words are other ones and the facts made the decision.
REWRITTEN = 0.5
#: Figures or names shown as evidence, per kind.
SHOWN = 12

NEW = Verdict(copy_of=None, reason="new")

Rows = Sequence[tuple[int, Sketch, Mapping[int, int]]]


def judge(
    new: Sketch,
    candidates: Iterable[Candidate],
    *,
    window: float = WINDOW,
    origin: tuple[int | None, str] | None = None,
) -> Verdict:
    """Compare a text with the stories an index proposes, most promising first, and join the best one, or none.

    Pure. Stories more than `window` seconds away are passed over, and so are other records of its own feed and site
    (`origin`). The verdict's `evidence` has the figures and names that both texts have, those that only one has
    ("here": the new text, "there": the kept one), how many words are in shared runs, and how many slots there are
    between them.
    """
    others = (c for c in candidates if origin is None or c.origin != origin or not _is_record(new, c))
    return decide(new, sketched(new, others, window), window=window, evidence=True)


def decide(new: Sketch, rows: Rows, *, window: float = WINDOW, evidence: bool = False) -> Verdict:
    """`judge` over sketches: (key, sketch of the kept story, posting -> number of stories that have it)."""
    best: tuple[float, int, Comparison] | None = None
    highest = 0.0
    for key, old, shared in rows:
        if len(shared) == 1 and not new.tiny and not old.tiny:
            continue
        if new.empty or old.empty or apart(new, old) > window or not _headlines_allow(new, old):
            continue
        if best is not None and best[1] == key:  # the wording that a better copy replaced: nothing to add
            continue
        size = min(len(new.shingles), len(old.shingles))
        at = positions(new.shingles, old.shingles, old.order)
        hits = np.count_nonzero(at >= 0)
        # The second condition: so few shingles cannot cover half of the words, which a brief text needs.
        if hits < LITTLE * size or (
            size < BRIEF and 2 * SHINGLE * hits < min(len(new.words), len(old.words))
        ):
            continue
        compared = align(new, old, at)
        if size < BRIEF and not compared.mostly_shared:
            continue
        chance = 1.0 if _equal(new, old) else forest().probability(measure(compared, shared))
        # Of two stories that are both likely, the one that shares more: a copy's cut looks as likely as the whole.
        likeness = compared.resemblance
        if chance >= SAME and chance + likeness > highest:
            best, highest = (chance, key, compared), chance + likeness
            if likeness == 1:
                break
    return NEW if best is None else _verdict(*best, evidence)


def sketched(new: Sketch, candidates: Iterable[Candidate], window: float) -> Rows:
    """Sketches of those candidates that are near enough in time; the index proposes others too."""
    return [
        (c.id, remembered(c.title, c.text, c.published), c.shared)
        for c in candidates
        if new.published is None
        or c.published is None
        or abs(new.published - c.published.timestamp()) <= window
    ]


def apart(new: Sketch, old: Sketch) -> float:
    """Seconds between two texts; 0 where a time is not known."""
    return 0.0 if new.published is None or old.published is None else abs(new.published - old.published)


def _headlines_allow(new: Sketch, old: Sketch) -> bool:
    """A thin text is only compared with one under a like headline, if both have one; two short ones that name nobody
    and no figure not with one under quite another."""
    if not new.headline or not old.headline:
        return True
    shared = len(new.headline & old.headline)
    if min(len(new.words), len(old.words)) < THIN:
        return shared >= THIN_TITLE * min(len(new.headline), len(old.headline))
    return bool(shared) or max(len(new.words), len(old.words)) >= BARE or bool(new.terms.kind.any())


def _is_record(new: Sketch, candidate: Candidate) -> bool:
    """Whether two brief texts that one feed lists side by side are two records in the words of one form: filings,
    vulnerabilities, earthquakes, road works, tenders. Then each has figures of its own, or a headline with words of its
    own; an update has what is new, and the kept text hardly anything that the update has not."""
    if len(new.words) >= RECORD or len(candidate.text) > LONG_RECORD:
        return False
    old = remembered(candidate.title, candidate.text, candidate.published)
    if len(old.words) >= RECORD:
        return False
    if _equal(new, old) and len(new.words) >= THIN:
        # The same item again; or, if the text is short, what a feed says of all its items.
        shorter = min(len(new.headline), len(old.headline))
        return len(new.words) < BRIEF and len(new.headline & old.headline) < THIN_TITLE * shorter
    here, there = (set(s.terms.ids[s.terms.kind == A_FIGURE].tolist()) for s in (new, old))
    each = (here - there and there - here), (new.headline - old.headline and old.headline - new.headline)
    return any(each)


def _equal(new: Sketch, old: Sketch) -> bool:
    return len(new.words) == len(old.words) and bool((new.words.ids == old.words.ids).all())


def _verdict(chance: float, key: int, c: Comparison, evidence: bool) -> Verdict:
    equal = _equal(c.a, c.b)
    resemblance, containment = (1.0, 1.0) if equal else (c.resemblance, c.containment)
    return Verdict(
        copy_of=key,
        reason=_reason(c, equal, resemblance),
        resemblance=round(resemblance, 4),
        containment=round(containment, 4),
        confidence=round(chance, 4),
        evidence=_evidence(c) if evidence else {},
    )


def _reason(c: Comparison, equal: bool, resemblance: float) -> str:
    """A key of model.VERDICT_REASONS."""
    if max(len(c.a.words), len(c.b.words)) < THIN and c.a.headline == c.b.headline != frozenset():
        return "same_headline"
    if equal:
        return "same_text"
    if resemblance >= NEAR:
        return "near_text"
    of_new, of_old = share(c.covered_a), share(c.covered_b)
    if of_new >= WHOLE and of_new >= of_old:
        return "contained"
    if of_old >= WHOLE:
        return "contains"
    return "updated" if max(of_new, of_old) >= REWRITTEN else "rewritten"


def _evidence(c: Comparison) -> dict[str, object]:
    here, there = _facts(c.a.terms, c.known_a), _facts(c.b.terms, c.known_b)
    return {
        "figures_matched": here[A_FIGURE, True],
        "figures_only_here": here[A_FIGURE, False],
        "figures_only_there": there[A_FIGURE, False],
        "names_matched": here[A_NAME, True],
        "names_only_here": here[A_NAME, False],
        "names_only_there": there[A_NAME, False],
        "containment_of_kept": round(c.containment_of_kept, 4),
        "slots": len(c.slots[0]),
        "words_shared": int(np.count_nonzero(c.covered_a)),
        "words": len(c.a.words),
    }


def _facts(terms: Terms, known: Mask) -> dict[tuple[int, bool], list[str]]:
    """The first few figures and names in reading order, as normalised words: (kind, the other text has it) -> words."""
    found: dict[tuple[int, bool], list[str]] = {
        (kind, both): [] for kind in (A_FIGURE, A_NAME) for both in (True, False)
    }
    facts = terms.kind.nonzero()[0]
    facts = facts[terms.at[facts].argsort()]
    kinds = zip(terms.kind[facts].tolist(), known[facts].tolist(), strict=True)
    for word_id, kind in zip(terms.ids[facts].tolist(), kinds, strict=True):
        some = found[kind]
        if len(some) < SHOWN and (word := words.spelling(word_id)):
            some.append(word)
    return found
