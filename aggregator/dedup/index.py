"""The index in memory, for a stream without a database: the last stories, found by their postings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from aggregator.dedup.judge import WINDOW, decide
from aggregator.dedup.sketch import Sketch, sketch
from aggregator.errors import AggregatorError
from aggregator.model import Verdict

#: Stories compared with a new text, best first by rarity of the shared postings.
CANDIDATES = 4
#: A candidate that scores less than this share of the best one is not looked at.
WORTH = 0.1
#: Stories remembered per posting, newest first: copies arrive within hours of each other.
RING = 64
#: Stories kept for comparing when texts carry no time.
TIMELESS = 100_000


class Index:
    """Streaming index over the stories of the last `window` seconds. Not safe for several threads."""

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._stories: dict[int, Sketch] = {}
        # Two generations, so that the old is forgotten without looking at it.
        self._young: dict[int, list[int]] = {}
        self._old: dict[int, list[int]] = {}
        self._young_ids: list[int] = []
        self._old_ids: list[int] = []
        self._since: float | None = None

    def __len__(self) -> int:
        return len(self._stories)

    def judge(self, new: Sketch) -> Verdict:
        """Whether `new` is a copy of a story that was added. Does not change the index."""
        score: dict[int, float] = {}
        shared: dict[int, dict[int, int]] = {}
        for probe in new.probes:
            ids = self._old.get(probe, []) + self._young.get(probe, [])
            for key in ids:
                score[key] = score.get(key, 0.0) + 1 / len(ids)
                shared.setdefault(key, {})[probe] = len(ids)
        best = sorted(score, key=lambda k: (-score[k], k))[:CANDIDATES]
        best = [k for k in best if score[k] >= WORTH * score[best[0]]]
        return decide(new, [(k, self._stories[k], shared[k]) for k in best])

    def add(self, key: int, new: Sketch, copy_of: int | None = None) -> None:
        """Remember a story. A copy needs no place of its own: it is found, and judged, by the kept text."""
        if copy_of is not None or new.empty:
            return
        self._turn(new.published)
        self._stories[key] = new
        self._young_ids.append(key)
        for posting in new.postings:
            ring = self._young.setdefault(posting, [])
            ring.append(key)
            if len(ring) > RING:
                del ring[0]

    def _turn(self, published: float | None) -> None:
        if self._since is None:
            self._since = published
        late = published is not None and self._since is not None and published - self._since > self._window
        if not late and len(self._young_ids) < TIMELESS // 2:
            return
        for key in self._old_ids:
            del self._stories[key]
        self._old, self._old_ids = self._young, self._young_ids
        self._young, self._young_ids = {}, []
        self._since = published


def stream(docs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Judge documents in the order they come; each decision is final and uses only what came before.

    In: mappings with `id`, `text` and if known `title`, `published` (ISO 8601), `outlet`, `url`, `language`.
    Out, in that order: `id`, `cluster` (id of the kept document), `kept`, `reason`, `resemblance`,
    `containment`.
    Raises AggregatorError, naming the document's number, for one that cannot be used.
    """
    index = Index()
    names: list[str] = []
    seen: set[str] = set()
    for number, doc in enumerate(docs, start=1):
        name = _identity(doc, number, seen)
        new = sketch(
            _text(doc, "title", number),
            _text(doc, "text", number),
            published=_time(doc, number),
            outlet=_text(doc, "outlet", number),
            url=_text(doc, "url", number),
            language=_text(doc, "language", number),
        )
        verdict = index.judge(new)
        index.add(len(names), new, verdict.copy_of)
        names.append(name)
        yield {
            "id": name,
            "cluster": name if verdict.copy_of is None else names[verdict.copy_of],
            "kept": verdict.copy_of is None,
            "reason": verdict.reason,
            "resemblance": verdict.resemblance,
            "containment": verdict.containment,
        }


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
