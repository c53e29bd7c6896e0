"""Many downloads at once, none of them rude.

Theory of operation. Each `fetch_all` has a line per host and a heap of the times at which hosts may be asked next.
Its threads take whatever host is ready, make ONE request (a hop) and put the job back in line if that was a
redirect or a robots.txt: so every request, whatever caused it, keeps its host's spacing, and no thread sleeps
while any host is ready. Only one thread (the leader) waits by the clock, the others wait to be woken.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aggregator import __version__
from aggregator.errors import FetchError
from aggregator.fetch import answers, robots
from aggregator.fetch.guard import endpoint
from aggregator.fetch.hosts import BARE_HOLD, Host, Hosts
from aggregator.fetch.transport import Answer, Transport
from aggregator.model import HostState, Request, Response, Settings
from aggregator.urls import host as host_of
from aggregator.urls import is_web

STOP_LOOK = 0.2  # seconds between two looks at the `stop` event
MAX_HOPS = 5  # redirects; browsers follow 20, honest chains have one or two
SHORT_HOLD = (
    5.0  # seconds of a Retry-After that are worth waiting for; beyond, the request comes back as "held"
)
UNREAD_BYTES = 32_000_000  # of bodies that wait for the caller: more, and the threads pause
PATIENCE = (
    600.0  # seconds that a request waits in line; then it comes back as "held", to be asked for another time
)

_ACCEPT = {
    "feed": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, */*;q=0.1",
    "page": "text/html, application/xhtml+xml, */*;q=0.1",
    "robots": "text/plain, */*;q=0.1",
}


def user_agent(contact: str | None) -> str:
    """Who we are, and whom to tell when we misbehave: the same in every request (RFC 9110 10.1.5)."""
    return f"{robots.AGENT}/{__version__} ({f'+{contact}' if contact else 'feed reader; no contact set'})"


@dataclass(slots=True, eq=False)
class _Job:
    """A request on its way: where it is by now, and what it has cost so far."""

    request: Request
    url: str
    host: Host
    trusted: frozenset[str]  # endpoints (host:port) that may be private
    hops: int = 0
    permanent: str | None = None  # where the unbroken prefix of 301/308 leads
    unbroken: bool = True
    spent: float = 0.0  # seconds of downloading, waiting in line not counted
    wire_bytes: int = 0
    robots_of: Host | None = None  # this is the robots.txt of that host

    @property
    def kind(self) -> str:
        return "robots" if self.robots_of else self.request.kind


_Result = tuple[Request, Response | FetchError]


@dataclass(slots=True, eq=False)
class _Batch:
    """One `fetch_all`: its lines, and the results the caller has not taken yet. Guarded by the fetcher's lock."""

    wake: threading.Condition
    deadline: float
    lines: dict[Host, deque[_Job]] = field(default_factory=dict)
    heap: list[tuple[float, int, Host]] = field(default_factory=list)
    parked: dict[Host, list[_Job]] = field(default_factory=dict)  # pages that wait for their robots.txt
    results: queue.SimpleQueue[_Result | BaseException | None] = field(default_factory=queue.SimpleQueue)
    open: int = 0  # requests without a result
    unread: int = 0  # bytes of results not taken
    leader_until: float | None = None
    stopped: bool = False


class Fetcher:
    """Downloads feeds and pages. A context manager; every method may be called from any thread.

    `hosts`: what earlier runs learned, by `HostState.host`; `host_states()` says what to store for the next.
    `stop`: setting it is as good as calling `stop()`.
    """

    def __init__(
        self,
        settings: Settings,
        hosts: Mapping[str, HostState] | None = None,
        *,
        stop: threading.Event | None = None,
    ) -> None:
        self._settings = settings
        self._stop_event = stop or threading.Event()
        self._agent = user_agent(settings.contact)
        self._allow = frozenset(entry.lower().replace("[", "").replace("]", "") for entry in settings.allow)
        self._transport = Transport(settings.workers, settings.resolve)
        self._hosts = Hosts(hosts or {})
        self._lock = threading.Lock()
        self._batches: list[_Batch] = []
        self._order = itertools.count()
        self._stopped = False

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._transport.close()

    # ------------------------------------------------------------------------------------- the door

    def fetch(self, request: Request) -> Response:
        """One request, waiting its turn. Raises `FetchError`; its kind is "stopped" after `stop()`."""
        for _, result in self.fetch_all([request]):
            if isinstance(result, FetchError):
                raise result
            return result
        raise FetchError(request.url, "stopped")

    def fetch_all(self, requests: Iterable[Request]) -> Iterator[_Result]:
        """Each request with its answer or error, as they complete.

        Hosts take turns, so no host's queue delays another's. A host that asked for patience is not asked: its
        requests come back as "held" with `retry_after`. After `stop()` the iterator ends early; what it has not
        yielded was not fetched, or was cut off, and is to be asked for again.
        """
        batch = _Batch(threading.Condition(self._lock), time.monotonic() + PATIENCE)
        with self._lock:
            if self._stopped:
                return
            self._batches.append(batch)
            for request in requests:
                self._admit(batch, request)
            threads = min(self._settings.workers, batch.open, 2 * len(batch.lines))
        for number in range(threads):
            threading.Thread(target=self._work, args=(batch,), name=f"fetch-{number}", daemon=True).start()
        try:
            while True:
                with self._lock:
                    if not batch.open and batch.results.empty():
                        return
                result = self._next(batch)
                if result is None:
                    return
                if isinstance(result, BaseException):
                    raise result
                if isinstance(result[1], Response):
                    with self._lock:
                        full = batch.unread >= UNREAD_BYTES
                        batch.unread -= len(result[1].body)
                        if full:
                            batch.wake.notify_all()
                yield result
        finally:
            with self._lock:
                batch.stopped = True
                self._batches.remove(batch)
                batch.wake.notify_all()

    def _next(self, batch: _Batch) -> _Result | BaseException | None:
        """The next result; None when there will be none because of a stop."""
        while True:
            if self._stop_event.is_set():
                self.stop()
            try:
                return batch.results.get(timeout=STOP_LOOK)
            except queue.Empty:
                continue

    def host_states(self) -> list[HostState]:
        """What is worth remembering of the hosts and changed since this was last asked."""
        with self._lock:
            return self._hosts.changed()

    def stop(self) -> None:
        """Abandon what waits, cut what runs; every `fetch_all` ends at once, and no new one begins."""
        with self._lock:
            self._stopped = True
            for batch in self._batches:
                batch.stopped = True
                batch.results.put(None)
                batch.wake.notify_all()
        self._transport.watchdog.stop()

    # ------------------------------------------------------------------------------- lines (locked)

    def _admit(self, batch: _Batch, request: Request) -> None:
        batch.open += 1
        if not is_web(request.url):
            self._finish(batch, request, FetchError(request.url, "bad_url"))
            return
        own = request.origin or (request.url if request.kind == "feed" else None)
        trusted = self._allow | {endpoint(own).lower()} if own and is_web(own) else self._allow
        job = _Job(request, request.url, self._hosts.get(host_of(request.url)), trusted)
        self._line_up(batch, job)

    def _line_up(self, batch: _Batch, job: _Job, first: bool = False) -> None:
        line = batch.lines.setdefault(job.host, deque())
        if first:
            line.appendleft(job)
        else:
            line.append(job)
        if len(line) == 1 or first:
            self._call(batch, job.host)

    def _call(self, batch: _Batch, host: Host) -> None:
        """Put the host on the heap at the time when it may be asked next."""
        at = host.ready_at(self._settings.host_delay)
        if host.running:
            at = max(at, time.monotonic() + 5.0)
        heapq.heappush(batch.heap, (at, next(self._order), host))
        if batch.leader_until is None or at < batch.leader_until:
            batch.wake.notify_all()

    def _finish(self, batch: _Batch, request: Request, result: Response | FetchError) -> None:
        batch.open -= 1
        if isinstance(result, Response):
            batch.unread += len(result.body)
        batch.results.put((request, result))
        if not batch.open:
            batch.wake.notify_all()

    def _take(self, batch: _Batch) -> _Job | None:
        """The next job whose host is ready; waits for one. None when there is nothing left to do."""
        while not batch.stopped and batch.open:
            now = time.monotonic()
            if batch.unread < UNREAD_BYTES and batch.heap and batch.heap[0][0] <= now:
                host = heapq.heappop(batch.heap)[2]
                job = self._from_line(batch, host, now)
                if job:
                    if batch.leader_until is None and batch.heap:
                        batch.wake.notify()
                    return job
            elif batch.leader_until is None and batch.heap and batch.unread < UNREAD_BYTES:
                batch.leader_until = batch.heap[0][0]
                batch.wake.wait(batch.leader_until - now)
                batch.leader_until = None
            else:
                batch.wake.wait()
        return None

    def _from_line(self, batch: _Batch, host: Host, now: float) -> _Job | None:
        line = batch.lines.get(host)
        if not line:
            return None
        clock = time.time()
        held = host.held_for(clock)
        if held > SHORT_HOLD or now > batch.deadline:
            for job in line:
                self._give_up(batch, job, held)
            line.clear()
            return None
        if held or not host.may_start(now, self._settings.host_delay):
            if held or now < host.ready_at(self._settings.host_delay):
                at = max(now + held, host.ready_at(self._settings.host_delay))
                heapq.heappush(batch.heap, (at, next(self._order), host))
            elif host.running:
                heapq.heappush(batch.heap, (now + 0.1, next(self._order), host))
            return None
        job = line.popleft()
        if job.kind == "page" and not host.knows_robots(clock, now):
            batch.parked.setdefault(host, []).append(job)
            if len(batch.parked[host]) > 1:
                return self._from_line(batch, host, now)
            parts = urlsplit(job.url)
            url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"
            batch.open += 1
            job = _Job(Request(0, url, "page"), url, host, job.trusted, robots_of=host)
        host.running += 1
        host.started = now
        if line:
            self._call(batch, host)
        return job

    def _give_up(self, batch: _Batch, job: _Job, held: float) -> None:
        if job.robots_of:
            self._robots_done(batch, job, FetchError(job.url, "held", retry_after=held or None))
            return
        until = datetime.fromtimestamp(job.host.hold_until, UTC)
        message = f"{job.host.name} asks to be left alone until {until:%Y-%m-%d %H:%M} UTC" if held else ""
        self._finish(
            batch, job.request, FetchError(job.request.url, "held", message, retry_after=held or None)
        )

    # -------------------------------------------------------------------------------- work (threads)

    def _work(self, batch: _Batch) -> None:
        with self._lock:
            job = self._take(batch)
        while job:
            try:
                outcome = self._hop(job)
            except FetchError as error:
                outcome = error
            except BaseException as error:  # a bug: to be heard of where the results are read
                batch.results.put(error)
                return
            with self._lock:
                self._settle(batch, job, outcome)
                job = self._take(batch)

    def _hop(self, job: _Job) -> Answer:
        """One request of a job. Raises `FetchError`."""
        if job.kind == "page":
            self._ask_robots(job)
        began = time.monotonic()
        try:
            answer = self._transport.get(
                job.url,
                self._headers(job),
                private=endpoint(job.url).lower() in job.trusted,
                limit=self._limit(job),
                html=job.kind == "page",
                seconds=self._settings.timeout - job.spent,
            )
        finally:
            job.spent += time.monotonic() - began
        job.wire_bytes += answer.wire_bytes
        return answer

    @staticmethod
    def _ask_robots(job: _Job) -> None:
        host = job.host
        if host.robots is None:
            raise FetchError(
                job.url,
                "robots",
                f"robots.txt cannot be read ({host.robots_error}), so the page is left alone",
            )
        if not robots.allows(host.robots, job.url):
            raise FetchError(job.url, "robots")

    def _limit(self, job: _Job) -> int:
        if job.robots_of:
            return robots.MAX_BYTES
        return self._settings.max_feed_bytes if job.kind == "feed" else self._settings.max_page_bytes

    def _headers(self, job: _Job) -> dict[str, str]:
        headers = {"User-Agent": self._agent, "Accept": _ACCEPT[job.kind], "Accept-Encoding": "gzip, deflate"}
        request = job.request
        validators = request.validators
        if validators.etag is not None:
            headers["If-None-Match"] = validators.etag
        if validators.last_modified is not None:
            headers["If-Modified-Since"] = validators.last_modified
        if request.headers and _same_server(request.origin or request.url, job.url):
            headers.update(request.headers)
        return headers

    # ------------------------------------------------------------------------------ results (locked)

    def _settle(self, batch: _Batch, job: _Job, outcome: Answer | FetchError) -> None:
        """After a hop: a result, the next hop, or a robots.txt learned. Frees the host."""
        host = job.host
        host.running -= 1
        clock = time.time()
        if isinstance(outcome, Answer):
            outcome = self._judge(job, outcome, clock)
        if outcome is None:
            job.host = self._hosts.get(host_of(job.url))
            self._line_up(batch, job, first=True)
        elif job.robots_of:
            self._robots_done(batch, job, outcome)
        elif not (isinstance(outcome, FetchError) and outcome.kind == "stopped"):
            self._finish(batch, job.request, outcome)
        if batch.lines.get(host):
            self._call(batch, host)

    def _judge(self, job: _Job, answer: Answer, clock: float) -> Response | FetchError | None:
        """What an answer comes to; None: the job has another hop to make."""
        request = job.request
        asked = request.validators.etag is not None or request.validators.last_modified is not None
        if answer.status == 200 or (answer.status == 304 and asked):
            return Response(
                request.url,
                job.url,
                answer.status,
                answer.headers,
                answer.body,
                datetime.now(UTC),
                round(job.spent * 1000),
                job.permanent,
                job.wire_bytes,
            )
        if answer.status in answers.REDIRECTS:
            try:
                return self._redirect(job, answer)
            except FetchError as error:
                return error
        if answer.status == 304:
            return FetchError(
                request.url, "unexpected_status", "the server says 304 though it was not asked", status=304
            )
        error = answers.failure(request.url, answer, clock)
        error.final_url = job.url
        if error.status in (429, 503) and (error.retry_after or error.status == 429):
            self._hosts.hold(
                job.host.name, error.retry_after or BARE_HOLD, f"Retry-After ({error.status})", clock
            )
        return error

    @staticmethod
    def _redirect(job: _Job, answer: Answer) -> None:
        target = answers.next_url(job.url, answer)
        job.hops += 1
        if job.hops > MAX_HOPS:
            raise FetchError(
                job.request.url, "redirect", f"more than {MAX_HOPS} redirects", status=answer.status
            )
        job.unbroken = job.unbroken and answer.status in answers.PERMANENT
        job.url = target
        if job.unbroken:
            job.permanent = target

    def _robots_done(self, batch: _Batch, job: _Job, outcome: Response | FetchError) -> None:
        host = job.robots_of
        assert host is not None
        if isinstance(outcome, Response):
            host.learn_robots(outcome.body.decode("utf-8", "replace"), time.time())
        elif outcome.status is not None and 400 <= outcome.status < 500 and outcome.status != 429:
            host.learn_robots("", time.time())  # RFC 9309 2.3.1.3: none there, nothing disallowed
        else:
            host.lack_robots(outcome.message, time.monotonic())
        batch.open -= 1
        for parked in batch.parked.pop(host, []):
            self._line_up(batch, parked)


def _same_server(first: str, now: str) -> bool:
    """Whether a header meant for the first URL (a password, perhaps) may go to the second one."""
    return host_of(first) == host_of(now) and (first[:6].lower() != "https:" or now[:6].lower() == "https:")
