"""The index in memory, for a stream without a database: the last stories, found by their postings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from aggregator.candidates import COMMON, Hit, ranked
from aggregator.dedup.events import RARE, decide_event, topics
from aggregator.dedup.judge import WINDOW, Rows, decide
from aggregator.dedup.sketch import Sketch, sketch
from aggregator.errors import AggregatorError
from aggregator.model import Verdict

#: Stories per generation when texts carry no time: the last 15,000 to 30,000 are compared, in at most 350 MB.
TIMELESS = 15_000


Holders = dict[int, list[int]]  # posting or topic -> stories that have it


def _hold(key: int, postings: Iterable[int], holders: Holders) -> None:
    for posting in set(postings):
        held = holders.get(posting)
        if held is None:
            holders[posting] = [key]
        elif len(held) < COMMON:
            held.append(key)


def _shared(probes: Iterable[int], old: Holders, young: Holders) -> Holders:
    """Of each posting or topic of a text that any story has, the stories that have it."""
    found: Holders = {}
    for probe in set(probes):
        held = old.get(probe, []) + young[probe] if probe in young else old.get(probe)
        if held:
            found[probe] = held
    return found


class _Generation:
    """The stories of one stretch of time, forgotten together."""

    def __init__(self, since: float | None) -> None:
        self.since = since
        self.stories: dict[int, Sketch] = {}
        self.postings: Holders = {}
        self.topics: Holders = {}


class Index:
    """A streaming index over the stories of the last `window` seconds: the store's index, in memory.

    Two generations, so that the old one is forgotten without looking at it. Not safe for several threads.
    """

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._young = _Generation(None)
        self._old = _Generation(None)
        #: Whether the last time was after the young generation's (1), before it (-1), or neither.
        self._stray = 0

    def __len__(self) -> int:
        return len(self._young.stories) + len(self._old.stories)

    def judge(self, new: Sketch) -> Verdict:
        """Whether `new` is a copy of a story that was added. Does not change the index."""
        shared = _shared(new.probes.tolist(), self._old.postings, self._young.postings)
        return decide(new, self._sketched(ranked(shared)), window=self._window)

    def event(self, new: Sketch) -> int | None:
        """A story that was added with `events` and reports the same event as `new`. Does not change the index."""
        shared = _shared(topics(new), self._old.topics, self._young.topics)
        return decide_event(new, self._sketched(ranked(shared, RARE)), window=self._window)

    def _sketched(self, hits: Iterable[Hit]) -> Rows:
        return [
            (hit.story, self._young.stories.get(hit.story) or self._old.stories[hit.story], hit.shared)
            for hit in hits
        ]

    def add(self, key: int, new: Sketch, copy_of: int | None = None, *, events: bool = False) -> None:
        """Remember a story under a number of its own; with `events`, also what it is about.

        A copy needs no place: it is found, and judged, by the kept text.
        """
        if copy_of is not None or new.empty:
            return
        self._turn(new.published)
        self._young.stories[key] = new
        _hold(key, new.postings.tolist(), self._young.postings)
        if events:
            _hold(key, topics(new), self._young.topics)

    def _turn(self, published: float | None) -> None:
        """Begin a new generation when the young one spans a window, or is full where there is no time to go by."""
        young = self._young
        if young.since is None:
            young.since = published
        age = 0.0 if published is None or young.since is None else published - young.since
        stray = (age > self._window) - (age < -self._window)
        # One time out of line is an absurd one; two are the times by now.
        twice, self._stray = stray != 0 and stray == self._stray, stray
        if (young.since is None and len(young.stories) >= TIMELESS) or (twice and stray > 0):
            self._old, self._young, self._stray = young, _Generation(published), 0
        elif twice:  # the first time of this generation was the absurd one
            young.since, self._stray = published, 0


def stream(docs: Iterable[Mapping[str, Any]], *, events: bool = False) -> Iterator[dict[str, Any]]:
    """Judge documents in the order they come; each decision is final and uses only what came before.

    In: mappings with `id`, `text` and, if known, `title` and `published` (ISO 8601); what else they have is ignored.
    Out, in that order: `id`, `cluster` (id of the kept document), `kept`, `reason`, `resemblance`, `containment`; with
    `events` also `event`: the first document kept that reports the same event in other words, or None.
    Raises AggregatorError, naming the document's number, for one that cannot be used.
    """
    index = Index()
    names: list[str] = []
    first_of: dict[int, int] = {}
    seen: set[str] = set()
    for number, doc in enumerate(docs, start=1):
        name = _identity(doc, number, seen)
        new = sketch(_text(doc, "title", number), _text(doc, "text", number), published=_time(doc, number))
        verdict = index.judge(new)
        key = len(names)
        names.append(name)
        row = {
            "id": name,
            "cluster": name if verdict.copy_of is None else names[verdict.copy_of],
            "kept": verdict.copy_of is None,
            "reason": verdict.reason,
            "resemblance": verdict.resemblance,
            "containment": verdict.containment,
        }
        if events:
            other = index.event(new) if verdict.copy_of is None else None
            if other is not None:
                first_of[key] = first_of.get(other, other)
            row["event"] = names[first_of[key]] if key in first_of else None
        index.add(key, new, verdict.copy_of, events=events)
        yield row


def _identity(doc: Mapping[str, Any], number: int, seen: set[str]) -> str:
    if not isinstance(doc, Mapping):
        raise AggregatorError(
            f'document {number}: not an object; each line must be {{"id": ..., "text": ...}}'
        )
    value = doc.get("id")
    if not isinstance(value, str | int) or value == "":
        raise AggregatorError(
            f'document {number}: "id" is missing; give every document a string or number of its own'
        )
    name = str(value)
    if name in seen:
        raise AggregatorError(f"document {number}: the id {name!r} was used before; ids must be unique")
    seen.add(name)
    return name


def _text(doc: Mapping[str, Any], key: str, number: int) -> str:
    value = doc.get(key)
    if value is None:
        if key == "text":
            raise AggregatorError(
                f'document {number}: "text" is missing; give the text, or "" if there is none'
            )
        return ""
    if not isinstance(value, str):
        raise AggregatorError(f'document {number}: "{key}" is not a string')
    return value


def _time(doc: Mapping[str, Any], number: int) -> datetime | None:
    value = doc.get("published")
    if value is None or value == "":
        return None
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise AggregatorError(
            f'document {number}: "published" is {value!r}; write 2026-05-11T08:30:00Z, or leave it out'
        ) from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def find_duplicates(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Which texts are copies of which: id of the kept text -> ids of its copies, in the order given."""
    found: dict[str, list[str]] = {}
    for row in stream({"id": key, "text": text} for key, text in texts.items()):
        if not row["kept"]:
            found.setdefault(row["cluster"], []).append(row["id"])
    return found
