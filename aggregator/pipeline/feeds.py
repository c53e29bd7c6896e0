"""Asking the due feeds: fetch, parse, recognise, plan the next time, record."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

from aggregator import identity, schedule
from aggregator.errors import AggregatorError, FetchError, ParseError
from aggregator.fetch import Fetcher, validators_after
from aggregator.model import (
    RATE_DAYS,
    Config,
    Failure,
    Feed,
    FeedOutcome,
    FeedState,
    KnownEntry,
    Match,
    ParsedFeed,
    Progress,
    Request,
    Response,
    Validators,
)
from aggregator.parse import Parser
from aggregator.store import Store

if TYPE_CHECKING:
    from aggregator.pipeline import Tally

#: Outcomes stored in one transaction, and seconds that the first of them waits for the others. Storing that a feed has
#: not changed takes 140 us with a transaction each, 100 with 5 in one, 70 with 10 or 20, 55 with 50.
TOGETHER, GATHER = 20, 0.25
#: Bytes of long documents that wait for their worker: beyond, the round waits for one of them. 165 hostile feeds had
#: less than 24 MB waiting; with room for 16 they held up the feeds beside them by .4 s.
ASIDE_BYTES = 32_000_000
A_DAY = timedelta(days=1)
#: Seconds between two looks whether a document has been read aside, and whether the round is to stop.
LOOK = 0.2


def fetch_round(
    config: Config,
    feeds: Mapping[str, Feed],
    store: Store,
    fetcher: Fetcher,
    parser: Parser,
    tally: Tally,
    progress: Callable[[Progress], None],
    stop: Event,
    clock: Callable[[], datetime],
    urls: Sequence[str] | None,
    limit: int | None,
) -> None:
    """Ask the due feeds (or `urls`), and store what came of them."""
    states = store.feeds.claim(feeds, clock(), urls=urls, limit=limit)
    ledger = _Ledger(states, config, store, parser, tally, progress, clock)
    for state in states:
        if state.fetch_url != state.feed.url and state.fetch_url in feeds:
            ledger.pass_over(
                state, f"it moved to {state.fetch_url}, which is in feeds.yaml too: remove one of them"
            )
    requests = [
        # `origin` is the address that the user wrote: a place it redirects to is not trusted like it.
        Request(
            state.id, state.fetch_url, "feed", state.validators, state.feed.headers, origin=state.feed.url
        )
        for state in states
        if state.id in ledger.waiting
    ]
    aside: dict[Future[ParsedFeed], tuple[FeedState, Response]] = {}  # long documents, being read in a worker

    def store_read(seconds: float) -> None:
        """Store what is settled and what was read aside, waiting so long for one of those documents."""
        for reading in wait(aside, seconds, FIRST_COMPLETED).done:
            ledger.settle(*aside.pop(reading), reading)
        ledger.store()

    try:
        for group in fetcher.fetch_groups(requests, TOGETHER, GATHER, LOOK):
            for request, answer in group:
                if stop.is_set():
                    break  # what was cut off by the stop is no failure of the feed
                if isinstance(answer, FetchError) and answer.kind == "stopped":
                    continue
                state = ledger.waiting[request.key]
                reading = begin(state, answer, parser)
                if reading is None or reading.done() or not isinstance(answer, Response):
                    ledger.settle(state, answer, reading)
                else:
                    aside[reading] = (state, answer)
            store_read(0)
            while sum(len(response.body) for _, response in aside.values()) > ASIDE_BYTES:
                store_read(LOOK)
            tally.reading = len(aside)
            if stop.is_set():
                return
        while aside and not stop.is_set():
            store_read(LOOK)
    finally:
        tally.reading = 0
        store.feeds.release(ledger.waiting.values())


class _Ledger:
    """What came of the feeds of a round: gathered for a moment, and stored together.

    Nobody is told of what is not stored. When the process ends before, those feeds are asked again.
    """

    def __init__(
        self,
        states: Sequence[FeedState],
        config: Config,
        store: Store,
        parser: Parser,
        tally: Tally,
        progress: Callable[[Progress], None],
        clock: Callable[[], datetime],
    ) -> None:
        self.waiting = {state.id: state for state in states}  # feeds of which nothing is stored yet
        self._config, self._store, self._parser, self._clock = config, store, parser, clock
        self._tally, self._progress = tally, progress
        self._total = len(states)
        self._gathered: list[FeedOutcome] = []

    def settle(
        self, state: FeedState, answer: Response | FetchError, reading: Future[ParsedFeed] | None
    ) -> None:
        """Find out what came of one feed; `store` keeps it."""
        if isinstance(answer, FetchError) and answer.kind == "held":  # not asked, so nothing came of it
            settings, now = self._config.settings, self._clock()
            plan = schedule.plan(
                state, now, settings=settings, answer=answer, hints=state.hints, error=answer
            )
            self._store.feeds.postpone(state, plan.at, plan.why)
            self._tell(state, state.feed.title or state.feed.url, 0, answer.message)
            return
        bug = answer.__cause__ if isinstance(answer, FetchError) and answer.kind == "bug" else None
        if isinstance(bug, Exception):
            self._tally.bugs.append(bug)
        try:
            outcome = digest(state, answer, self._config, self._store, self._parser, reading, self._clock())
        except AggregatorError:
            raise
        except Exception as bug:
            outcome = self._stumbled(state, bug)
        self._gathered.append(outcome)

    def pass_over(self, state: FeedState, why: str) -> None:
        """A feed that need not be asked: look at it again tomorrow."""
        self._store.feeds.postpone(state, self._clock() + A_DAY, why)
        self._tell(state, state.feed.title or state.feed.url, 0, why)

    def store(self) -> None:
        """Store what was gathered, in one transaction."""
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        try:
            with self._store.transaction():
                for outcome in gathered:
                    self._store.feeds.record(outcome, self._clock())
        except AggregatorError:
            raise
        except Exception:  # a bug of ours in one of them, which undid them all
            gathered = [self._alone(outcome) for outcome in gathered]
        for outcome in gathered:
            self._count(outcome)

    def _alone(self, outcome: FeedOutcome) -> FeedOutcome:
        try:
            self._store.feeds.record(outcome, self._clock())
        except AggregatorError:
            raise
        except Exception as bug:
            outcome = self._stumbled(outcome.state, bug)
            self._store.feeds.record(outcome, self._clock())
        return outcome

    def _stumbled(self, state: FeedState, bug: Exception) -> FeedOutcome:
        """The outcome of a feed that ran into a bug of ours: it waits, the others go on."""
        self._tally.bugs.append(bug)
        error = FetchError(state.feed.url, "bug", f"a bug of ours: {bug!a}")
        return digest(state, error, self._config, self._store, self._parser, None, self._clock())

    def _count(self, outcome: FeedOutcome) -> None:
        feed, tally = outcome.state.feed, self._tally
        new = sum(match.known_id is None for match in outcome.matches)
        tally.entries_new += new
        tally.feeds_asked += 1
        if outcome.outcome == "failed":
            tally.failures.append(Failure(feed.url, outcome.error_kind or "", outcome.error or ""))
        else:
            tally.feeds_not_modified += outcome.outcome == "not_modified"
        title = feed.title or (outcome.parsed.title if outcome.parsed else "") or feed.url
        self._tell(outcome.state, title, new, outcome.error)

    def _tell(self, state: FeedState, title: str, new: int, problem: str | None) -> None:
        del self.waiting[state.id]
        done = self._total - len(self.waiting)
        self._progress(Progress("feeds", done, self._total, title, new, problem))


def begin(state: FeedState, answer: Response | FetchError, parser: Parser) -> Future[ParsedFeed] | None:
    """Begin to read an answer; None when there is nothing to read in it."""
    if isinstance(answer, FetchError) or answer.status == 304 or hash_of(answer) == state.body_hash:
        return None
    return parser.begin(answer.body, answer.final_url, answer.headers.get("content-type"), state.seen_hashes)


def hash_of(answer: Response) -> str:
    return hashlib.blake2b(answer.body, digest_size=16).hexdigest()


def digest(
    state: FeedState,
    answer: Response | FetchError,
    config: Config,
    store: Store,
    parser: Parser,
    reading: Future[ParsedFeed] | None,
    now: datetime,
) -> FeedOutcome:
    """What one feed's answer comes to: its new entries, and when to come again and why. `reading`: its document,
    read; None for one that is the same as last time."""
    parsed, validators, body_hash = None, None, None
    matches: tuple[Match, ...] = ()
    error: FetchError | ParseError | None = None
    if isinstance(answer, FetchError):
        error = answer
        if answer.kind == "gone" and state.fetch_url != state.feed.url:
            message = (
                f"what it moved to, {state.fetch_url}, was taken down for good (410): its own address is next"
            )
            error = FetchError(state.feed.url, "not_found", message, status=answer.status)
    elif answer.status == 304:
        outcome = "not_modified"
        validators = validators_after(state.validators, answer)
    else:
        body_hash = hash_of(answer)
        validators = answer.validators
        outcome = "nothing_new"
        if reading is not None:
            try:
                parsed = reading.result()
            except ParseError as problem:
                error = problem
            else:
                matches = _recognised(state, answer, parsed, store, parser)
                outcome = "new" if matches else "nothing_new"
                if not parsed.complete:  # the rest may be there next time: ask for the whole again
                    validators, body_hash = Validators(), None
    plan = schedule.plan(
        _with_rate(state, matches, now),
        now,
        settings=config.settings,
        answer=answer,
        hints=parsed.hints if parsed else state.hints,
        error=error,
    )
    vote = schedule.redirect_vote(state, answer, is_feed=error is None)
    return FeedOutcome(
        state=state,
        started_at=now,
        outcome="failed" if error else outcome,
        next_fetch_at=plan.at,
        next_fetch_why=plan.why,
        matches=matches,
        parsed=parsed,
        validators=None if error else validators,
        body_hash=None if error else body_hash,
        fetch_url=vote.fetch_url,
        redirect_url=vote.redirect_url,
        redirect_count=vote.count,
        status=answer.status,
        wire_bytes=answer.wire_bytes,
        duration_ms=answer.duration_ms,
        error_kind=error.kind if error else None,
        error=error.message if error else (parsed.problem if parsed else None),
    )


def _recognised(
    state: FeedState, answer: Response, parsed: ParsedFeed, store: Store, parser: Parser
) -> tuple[Match, ...]:
    """What is new and what has changed of a document's entries."""
    listed = identity.listed(parsed.entries)
    known = _known(state, listed, store)
    matches = identity.match(listed, known)
    if len(parsed.seen_hashes) > len(parsed.entries) and identity.is_doubtful(matches, known):
        with contextlib.suppress(ParseError):  # then what is left of it decides
            whole = parser.parse(answer.body, answer.final_url, answer.headers.get("content-type"))
            listed = identity.listed(whole.entries)
            matches = identity.match(listed, _known(state, listed, store))
    return tuple(match for match in matches if match.status != "same")


def _known(state: FeedState, listed: Sequence[identity.Listed], store: Store) -> list[KnownEntry]:
    """What the database has of the entries of a document."""
    if not store.feeds.has_entries(state.id):  # to look for them took 8 us an entry of a first round
        return []
    keys = identity.lookup_keys(listed)
    return store.feeds.known_entries(state.id, keys.guids, keys.urls, keys.hashes)


def _with_rate(state: FeedState, matches: Sequence[Match], now: datetime) -> FeedState:
    """The state with these new entries counted in: what a feed's first document tells of its rate is told at once."""
    if not matches:
        return state
    dates = [min(m.entry.published or now, now) for m in matches if m.known_id is None]
    ages = [(now - date).total_seconds() / 86400 for date in dates]
    return replace(
        state,
        new_entries_14d=state.new_entries_14d + sum(age <= RATE_DAYS for age in ages),
        age_days=min(max([state.age_days, *ages]), RATE_DAYS),
    )
