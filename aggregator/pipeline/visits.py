"""Articles' pages, visited and read: fetched politely, extracted in worker processes; an article in several pages
becomes one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event

from aggregator import urls
from aggregator.errors import FetchError
from aggregator.extract import extract, join
from aggregator.fetch import Fetcher, validators_after
from aggregator.model import (
    Document,
    Entry,
    Feed,
    PageMemory,
    Progress,
    Request,
    SiteMemory,
    Validators,
)
from aggregator.pipeline.workers import Job, Workers
from aggregator.store import Store

#: Pages of one article that are visited after its first.
FURTHER_PAGES = 9
#: Pages that one leads to by its markup or script instead of the server, one after the other.
MOVES = 2
#: The flag of an article of which not every page could be had.
INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Visit:
    """A page to read. `feed`: whose selectors count, and where its address was found; `entry`: what the feed said."""

    url: str
    feed: Feed
    entry: Entry | None = None
    title: str = ""  # for the progress
    validators: Validators = field(default_factory=Validators)  # of the stored text, if it was read from here


@dataclass(frozen=True, slots=True)
class Found:
    """What the visits gave, by the visit's key: documents and errors, and the bugs among these; the pages that say
    that they are what they were; what to ask a page with next time; the visits that did not come to an end."""

    documents: dict[int, Document] = field(default_factory=dict)
    errors: dict[int, FetchError] = field(default_factory=dict)
    bugs: list[Exception] = field(default_factory=list)
    unchanged: set[int] = field(default_factory=set)
    memories: dict[int, PageMemory] = field(default_factory=dict)
    missed: set[int] = field(default_factory=set)


def read_all(
    visits: Mapping[int, Visit],
    store: Store,
    fetcher: Fetcher,
    workers: Workers,
    progress: Callable[[Progress], None],
    stop: Event,
    begin_within: float = float("inf"),
) -> Found:
    """Read the pages, and the further pages of articles that have several. When `stop` is set it ends soon: the pages
    that came by then are read. The others are `missed`, and so are those whose turn at their host did not come within
    `begin_within` seconds."""
    memories: dict[str, SiteMemory] = {}
    found = Found(missed=set(visits))

    def jobs(
        requests: Sequence[Request],
        failed: dict[int, FetchError],
        tell: Callable[[Progress], None],
        begin_within: float,
    ) -> Iterator[Job]:
        for done, (request, answer) in enumerate(fetcher.fetch_all(requests, begin_within), start=1):
            if stop.is_set():
                return
            visit = visits[request.key]
            found.missed.discard(request.key)
            error = answer if isinstance(answer, FetchError) else None
            tell(
                Progress("pages", done, len(requests), visit.title, problem=error.message if error else None)
            )
            if error is not None:
                failed[request.key] = error
                if error.kind == "bug" and isinstance(error.__cause__, Exception):
                    found.bugs.append(error.__cause__)
                continue
            assert not isinstance(answer, FetchError)
            if request.url == visit.url:
                found.memories[request.key] = PageMemory(
                    request.url, validators_after(visit.validators, answer)
                )
            if answer.status == 304:
                found.unchanged.add(request.key)
                continue
            site = urls.site(answer.final_url)
            if site not in memories:
                memories[site] = store.sites.memory(site)
            yield (
                request.key,
                answer.body,
                answer.final_url,
                answer.headers.get("content-type", ""),
                visit.entry,
                memories[site],
                visit.feed.keep,
                visit.feed.drop,
                answer.fetched_at,
            )

    def documents(
        addresses: Mapping[int, str],
        failed: dict[int, FetchError],
        tell: Callable[[Progress], None],
        begin_within: float = float("inf"),
    ) -> Iterator[tuple[int, Document]]:
        requests = [
            Request(
                key,
                url,
                "page",
                visits[key].validators if url == visits[key].url else Validators(),
                visits[key].feed.headers,
                origin=visits[key].feed.url,
            )
            for key, url in addresses.items()
        ]
        done = workers.map(
            extract_page, jobs(requests, failed, tell, begin_within), len(requests), died=_worker_died
        )
        for key, document in done:
            if isinstance(document, Document):
                yield key, document
            else:
                found.bugs.append(document)
                failed[key] = FetchError(addresses[key], "bug", f"a bug of ours: {document!a}")

    found.documents.update(
        documents({key: visit.url for key, visit in visits.items()}, found.errors, progress, begin_within)
    )
    for _ in range(MOVES):
        moved = {k: d.next_url for k, d in found.documents.items() if d.next_url and not d.paragraphs}
        found.missed.update(moved)
        if not moved or stop.is_set():
            break
        for key in moved:  # that the page which leads elsewhere is what it was says nothing of the other
            found.memories.pop(key, None)
            del found.documents[key]
        found.documents.update(documents(moved, found.errors, lambda _: None))
    for _ in range(FURTHER_PAGES):
        further = {k: d.next_url for k, d in found.documents.items() if d.next_url and d.paragraphs}
        if stop.is_set():
            found.missed.update(further)
        if not further or stop.is_set():
            break
        for key in further:  # that the first page is what it was says nothing of the others
            found.memories.pop(key, None)
        lost: dict[int, FetchError] = {}
        for key, document in documents(further, lost, lambda _: None):
            found.documents[key] = join(found.documents[key], document)
        for key in lost:
            document = found.documents[key]
            found.documents[key] = replace(document, next_url=None, flags=(*document.flags, INCOMPLETE))
    return found


def extract_page(
    key: int,
    body: bytes,
    url: str,
    content_type: str,
    entry: Entry | None,
    memory: SiteMemory,
    keep: Sequence[str],
    drop: Sequence[str],
    now: datetime,
) -> tuple[int, Document | Exception]:
    """One page's document, or the bug it ran into. Runs in a worker process."""
    charset = next(
        (p.split("=", 1)[1].strip("\"' ") for p in content_type.split(";")[1:] if "charset=" in p), None
    )
    try:
        return key, extract(
            body, url, hint=entry, site=memory, keep=keep, drop=drop, charset=charset, now=now
        )
    except Exception as bug:
        return key, bug


def _worker_died(job: Job) -> tuple[int, Document | Exception]:
    return job[0], MemoryError("extraction died on this page, twice")
