"""What feeds said before: their older pages (RFC 5005), on demand only.

    the page that the feed's last document pointed to -> entries that are not known -> its own older page -> ...

One page of each feed at a time, each in its host's line. An archive is an outlet's past: its entries are stored with
their own dates, and what is known stays as it is, since an archive has the older wording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

from aggregator import identity
from aggregator.errors import FetchError, ParseError
from aggregator.fetch import Fetcher
from aggregator.model import Entry, Failure, Feed, FeedState, ParsedFeed, Progress, Request, Response
from aggregator.parse import Parser
from aggregator.store import Store

if TYPE_CHECKING:
    from aggregator.pipeline import Tally

#: Older pages read of one feed by one command at most: an archive by months of a hundred years has 1,200.
MOST_PAGES = 1200


def read(
    pages: int,
    feeds: Mapping[str, Feed],
    urls: Sequence[str],
    store: Store,
    fetcher: Fetcher,
    parser: Parser,
    tally: Tally,
    progress: Callable[[Progress], None],
    stop: Event,
    clock: Callable[[], datetime],
) -> None:
    """Store what the feeds `urls` list on up to `pages` older pages each. A page that fails ends its feed's walk."""
    states = {state.id: state for state in store.feeds.claim(feeds, clock(), urls=urls)}
    older = {state.id: state.older_url for state in states.values() if state.older_url}
    seen = {state.id: {state.fetch_url, state.feed.url} for state in states.values()}
    try:
        for number in range(1, min(pages, MOST_PAGES) + 1):
            requests = []
            for key, url in older.items():
                if url not in seen[key]:
                    seen[key].add(url)
                    feed = states[key].feed
                    requests.append(Request(key, url, "feed", headers=feed.headers, origin=feed.url))
            if not requests or stop.is_set():
                return
            older = {}
            for request, answer in fetcher.fetch_all(requests):
                if stop.is_set():
                    return
                state = states[request.key]
                parsed, new, problem = _store_page(state, answer, store, parser, clock())
                tally.older_pages += parsed is not None
                tally.entries_new += new
                if problem:
                    message = f"older page {number}, {request.url}: {problem.message}"
                    tally.failures.append(Failure(state.feed.url, problem.kind, message))
                elif parsed and parsed.older_url:
                    older[request.key] = parsed.older_url
                title = state.feed.title or (parsed.title if parsed else "") or state.feed.url
                progress(Progress("history", number, pages, title, new, problem.message if problem else None))
    finally:
        store.feeds.release(states.values())


def _store_page(
    state: FeedState,
    answer: Response | FetchError,
    store: Store,
    parser: Parser,
    now: datetime,
) -> tuple[ParsedFeed | None, int, FetchError | ParseError | None]:
    """Store one older page; returns it, the number of new entries, and what went wrong."""
    if isinstance(answer, FetchError):
        store.feeds.record_older(state.id, (), answer, answer, now)
        return None, 0, answer
    try:
        parsed = parser.parse(answer.body, answer.final_url, answer.headers.get("content-type"))
    except ParseError as error:
        store.feeds.record_older(state.id, (), answer, error, now)
        return None, 0, error
    entries = dated(parsed.entries, store.feeds.oldest(state.id) or now)
    listed = identity.listed(entries)
    keys = identity.lookup_keys(listed)
    known = store.feeds.known_entries(state.id, keys.guids, keys.urls, keys.hashes)
    matches = identity.match(listed, known)
    return parsed, store.feeds.record_older(state.id, matches, answer, None, now), None


def dated(entries: Sequence[Entry], before: datetime) -> list[Entry]:
    """The entries of an older page, those without a date just before the one that precedes them, which is newer.

    Without that they would count as published when we first saw them: now, at the top of the river.
    """
    found = []
    for entry in entries:
        when = entry.published or before - timedelta(seconds=1)
        before = min(before, when)
        found.append(replace(entry, published=when))
    return found
