"""Many downloads at once, none of them rude: redirects, robots.txt, Retry-After, and who may see what."""

from __future__ import annotations

import base64
import functools
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from aggregator import HOME, __version__
from aggregator.errors import FetchError
from aggregator.fetch import answers, robots
from aggregator.fetch.guard import endpoint
from aggregator.fetch.hosts import BARE_HOLD, MOST_AT_ONCE, Host, Hosts
from aggregator.fetch.lines import Job, Lines
from aggregator.fetch.pace import Pace
from aggregator.fetch.transport import WHOLE, Answer, Transport
from aggregator.model import HostState, Request, Response, Settings
from aggregator.urls import host as host_of
from aggregator.urls import is_web

MAX_HOPS = 5  # redirects; honest chains have one or two (http -> https -> www), browsers stop at 20
UNREAD_BYTES = 8_000_000  # of bodies that wait for the caller: beyond, downloading pauses
GROUP_BYTES = UNREAD_BYTES // 10  # of bodies that are handed over together

MOST_SLOW = 3  # times `workers`: downloads that are waited for without taking up a worker

_ACCEPT = {
    "feed": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, */*;q=0.1",
    "page": "text/html, application/xhtml+xml, */*;q=0.1",
    "robots": "text/plain, */*;q=0.1",
}

Result = tuple[Request, Response | FetchError]


def user_agent(contact: str | None) -> str:
    """Who we are, and whom to tell when we misbehave: the same in every request (RFC 9110 10.1.5)."""
    return f"{robots.AGENT}/{__version__} (+{contact or HOME})"


class _Batch:
    """One `fetch_all`: its lines, and the results that the caller has not taken yet."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.parked: dict[Host, list[Job]] = {}  # pages that wait for the robots.txt of their host
        self.unread = 0  # bytes
        self.threads = 0
        self.slow = 0  # downloads whose thread has been relieved
        self.results: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()

    def close(self) -> None:
        self.lines.closed = True
        self.lines.wake()


class Fetcher:
    """Downloads feeds and pages. A context manager; every method may be called from any thread.

    `hosts`: what earlier runs learned, by `HostState.host`; `host_states()` says what to store for the next.
    `pace`: the file through which processes that run at the same time keep their distance together. `patience`:
    seconds that one host may take up; what is in line there by then comes back as "held".
    """

    def __init__(
        self,
        settings: Settings,
        hosts: Mapping[str, HostState] | None = None,
        pace: Path | None = None,
        patience: float = float("inf"),
    ) -> None:
        self._settings = settings
        self._agent = user_agent(settings.contact)
        self._allow = frozenset(entry.lower().replace("[", "").replace("]", "") for entry in settings.allow)
        self._at_once = MOST_AT_ONCE if settings.host_delay else settings.workers  # connections to one host
        self._transport = Transport(settings.workers, self._at_once, settings.resolve)
        self._lock = threading.Lock()  # of everything below, and of the lines of each batch
        self._hosts = Hosts(hosts or {})
        self._pace = Pace(pace)
        self._patience = patience
        self._batches: list[_Batch] = []
        self._stopped = False

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._transport.close()
        with self._lock:
            self._pace.close()

    # ------------------------------------------------------------------------------------- the door

    def fetch(self, request: Request) -> Response:
        """One request, waiting its turn. Raises `FetchError`; its kind is "stopped" after `stop()`."""
        for _, result in self.fetch_all([request]):
            if isinstance(result, FetchError):
                raise result
            return result
        raise FetchError(request.url, "stopped")

    def fetch_all(self, requests: Iterable[Request], begin_within: float = float("inf")) -> Iterator[Result]:
        """Each request with its answer or error, as they complete.

        Hosts take turns, so no host's line delays another's. A host that asked for patience is not asked: its
        requests come back as "held", with `retry_after`. After `stop()` the iterator ends early; what it has
        not yielded was not fetched, or was cut off, and is to be asked for again. What has not begun within
        `begin_within` seconds, because its host's line is long, is neither begun nor yielded.
        """
        for group in self.fetch_groups(requests, 1, 0.0, begin_within=begin_within):
            yield from group

    def fetch_groups(
        self,
        requests: Iterable[Request],
        most: int,
        seconds: float,
        idle: float | None = None,
        begin_within: float = float("inf"),
    ) -> Iterator[list[Result]]:
        """`fetch_all` for a caller who does several at once: `most` results, or what came within `seconds` of the
        first of them. A group is smaller when its bodies are large, and empty when nothing came for `idle` seconds."""
        until = time.monotonic() + begin_within
        settings = self._settings
        lines = Lines(self._lock, settings.host_delay, self._pace, settings.timeout, self._patience, until)
        batch, wanted = _Batch(lines), list(requests)
        with self._lock:
            if self._stopped:
                return
            self._batches.append(batch)
            for request in wanted:
                self._admit(batch, request)
            for _ in range(
                min(self._settings.workers, batch.lines.unfinished, self._at_once * len(batch.lines))
            ):
                self._start(batch)
        try:
            yield from self._results(batch, len(wanted), most, seconds, idle)
        finally:
            with self._lock:
                self._batches.remove(batch)
                batch.close()

    def host_states(self) -> list[HostState]:
        """What is worth remembering of the hosts and changed since this was last asked."""
        with self._lock:
            return self._hosts.changed()

    def stop(self) -> None:
        """Abandon what waits, cut what runs; every `fetch_all` ends soon, and no new one begins."""
        with self._lock:
            self._stopped = True
            for batch in self._batches:
                batch.close()
                batch.results.put(None)
        self._transport.watchdog.stop()

    # ----------------------------------------------------------------------------- the caller's side

    def _admit(self, batch: _Batch, request: Request) -> None:
        if not is_web(request.url):
            batch.results.put((request, FetchError(request.url, "bad_url")))
            return
        own = _own(request)
        trusted = self._allow | {endpoint(own).lower()} if is_web(own) else self._allow
        job = Job(request, request.url, self._hosts.get(host_of(request.url)), trusted)
        if refusal := _refused_unasked(job):
            batch.results.put((request, refusal))
        else:
            batch.lines.add(job)

    def _results(
        self, batch: _Batch, count: int, most: int, seconds: float, idle: float | None
    ) -> Iterator[list[Result]]:
        """The batch's results: one for each request, or fewer when the threads end before. Raises what was a bug in
        one of them."""
        taken, stopped = 0, False
        while count and not stopped:
            group: list[Result] = []
            until: float | None = None  # the first of a group is waited for longer
            while len(group) < min(most, count) and taken <= GROUP_BYTES:
                try:
                    result = batch.results.get(timeout=max(until - time.monotonic(), 0.0) if until else idle)
                except queue.Empty:
                    break
                if result is None:
                    stopped = True
                    break
                if isinstance(result, BaseException):
                    raise result
                if isinstance(result[1], Response):
                    taken += len(result[1].body)
                until = until or time.monotonic() + seconds
                group.append(result)
            if batch.lines.paused or taken > GROUP_BYTES:
                with self._lock:
                    batch.unread -= taken
                    batch.lines.paused = batch.unread >= UNREAD_BYTES
                    batch.lines.wake()
                taken = 0
            count -= len(group)
            if group or idle is not None:
                yield group

    # ------------------------------------------------------------------------------------- a thread

    def _start(self, batch: _Batch) -> None:
        """One more thread for a batch. Call with the lock."""
        batch.threads += 1
        threading.Thread(target=self._work, args=(batch,), name="fetch", daemon=True).start()

    def _relieve(self, batch: _Batch, job: Job) -> None:
        """A download is slow: another thread takes the place of its own, which ends when it is over.

        Without this, as many hanging servers as there are `workers` bring all downloads to a stop.
        """
        with self._lock:
            if batch.slow >= MOST_SLOW * self._settings.workers:
                return
            batch.slow += 1
            job.relieved = True
            self._start(batch)

    def _work(self, batch: _Batch) -> None:
        try:
            while (job := self._take(batch)) is not None:
                host = job.host
                outcome: Answer | FetchError
                try:
                    outcome = self._hop(batch, job)
                except Exception as bug:
                    outcome = _stumbled(job, bug)
                with self._lock:
                    try:
                        self._settle(batch, job, outcome)
                    except Exception as bug:
                        self._finish(batch, job, _stumbled(job, bug))
                    batch.lines.release(host)
                    if job.relieved:
                        batch.slow -= 1
                        job.relieved = False
                        return
        except BaseException as bug:  # to be heard of where the results are read
            batch.results.put(bug)
        finally:
            with self._lock:
                batch.threads -= 1
                if not batch.threads:
                    batch.results.put(None)

    def _take(self, batch: _Batch) -> Job | None:
        """The next job that may be asked; those that may not are finished, or wait for their robots.txt."""
        with self._lock:
            while (job := batch.lines.take()) is not None:
                if job.given_up:
                    self._finish(batch, job, _held(job))
                elif job.kind == "page" and not job.host.knows_robots(time.time(), time.monotonic()):
                    waiting = batch.parked.setdefault(job.host, [])
                    waiting.append(job)
                    if len(waiting) == 1:
                        batch.lines.unfinished += 1
                        return _robots_job(job)
                    batch.lines.release(job.host)
                else:
                    return job
        return None

    def _hop(self, batch: _Batch, job: Job) -> Answer | FetchError:
        """One request of a job."""
        if refusal := _refusal(job):
            return refusal
        began = time.monotonic()
        try:
            answer = self._transport.get(
                job.url,
                self._headers(job),
                private=endpoint(job.url).lower() in job.trusted,
                limit=self._limit(job),
                html=job.kind == "page",
                seconds=self._settings.timeout - job.seconds,
                on_slow=functools.partial(self._relieve, batch, job),
            )
        except FetchError as error:
            return error
        finally:
            job.seconds += time.monotonic() - began
        job.wire_bytes += answer.wire_bytes
        return answer

    def _limit(self, job: Job) -> int:
        if job.robots_of:
            return robots.MAX_DOWNLOAD
        return self._settings.max_feed_bytes if job.kind == "feed" else self._settings.max_page_bytes

    def _headers(self, job: Job) -> dict[str, str]:
        headers = {"User-Agent": self._agent, "Accept": _ACCEPT[job.kind], "Accept-Encoding": "gzip, deflate"}
        request = job.request
        if request.validators.etag is not None:
            headers["If-None-Match"] = request.validators.etag
        if request.validators.last_modified is not None:
            headers["If-Modified-Since"] = request.validators.last_modified
        own = _own(request)
        if _same_server(own, job.url):
            headers.update(_password(own))
            headers.update(request.headers)
        return headers

    # ------------------------------------------------------------------------------ results (locked)

    def _settle(self, batch: _Batch, job: Job, outcome: Answer | FetchError) -> None:
        """After a hop: the next one, or a result."""
        if isinstance(outcome, FetchError):
            if outcome.kind != "stopped":
                self._finish(batch, job, outcome)
        elif outcome.status in answers.REDIRECTS:
            refusal = _redirected(job, outcome)
            if refusal:
                self._finish(batch, job, refusal)
            else:
                job.host = self._hosts.get(host_of(job.url))
                batch.lines.rejoin(job)
        else:
            self._finish(batch, job, self._judged(job, outcome))

    def _judged(self, job: Job, answer: Answer) -> Response | FetchError:
        """What an answer that is no redirect comes to."""
        request = job.request
        asked = request.validators.etag is not None or request.validators.last_modified is not None
        if answer.status in WHOLE or (answer.status == 304 and asked):
            return Response(
                url=request.url,
                final_url=job.url,
                status=answer.status,
                headers=answer.headers,
                body=answer.body,
                fetched_at=datetime.now(UTC),
                duration_ms=round(job.seconds * 1000),
                permanent_url=job.permanent,
                wire_bytes=job.wire_bytes,
            )
        clock = time.time()
        error = answers.failure(request.url, answer, clock)
        if error.kind == "gone" and job.visited and not job.unbroken:
            # The place is gone, and what led there for now is not.
            message = "redirected, for now, to what was taken down for good (410)"
            error = FetchError(request.url, "not_found", message, status=410)
        if error.status in (429, 503) and (error.retry_after or error.status == 429):
            why = f"Retry-After ({error.status})"
            for host in self._hosts.hold(job.host.name, error.retry_after or BARE_HOLD, why, clock):
                self._pace.hold(host.name, host.hold_until)
        return error

    def _finish(self, batch: _Batch, job: Job, result: Response | FetchError) -> None:
        if job.robots_of:
            _learn_robots(job.robots_of, result)
            for waiting in batch.parked.pop(job.robots_of, []):
                batch.lines.rejoin(waiting)
            for refused, why in batch.lines.withdraw(job.robots_of, _refused_unasked):
                self._finish(batch, refused, why)
        else:
            if isinstance(result, Response):
                batch.unread += len(result.body)
                batch.lines.paused = batch.unread >= UNREAD_BYTES
            elif job.seconds:
                result.duration_ms, result.wire_bytes = round(job.seconds * 1000), job.wire_bytes or None
            batch.results.put((job.request, result))
        batch.lines.finish()


def _stumbled(job: Job, bug: Exception) -> FetchError:
    """What becomes of a request that ran into a bug of ours, which is its cause: the others go on."""
    error = FetchError(job.request.url, "bug", f"a bug of ours: {bug!a}")
    error.__cause__ = bug
    return error


def _held(job: Job) -> FetchError:
    host = job.host
    held = host.held_for(time.time())
    if not held:
        return FetchError(job.request.url, "held", f"{host.name} has more in line than one round can ask for")
    until = datetime.fromtimestamp(host.hold_until, UTC)
    message = f"{host.name} asks to be left alone until {until:%Y-%m-%d %H:%M} UTC"
    return FetchError(job.request.url, "held", message, retry_after=held)


def _redirected(job: Job, answer: Answer) -> FetchError | None:
    """Send the job on its way to where the answer points; or why not."""
    try:
        target = answers.next_url(job.url, answer)
    except FetchError as error:
        return error
    job.visited.append(job.url)
    if target in job.visited:
        return FetchError(job.request.url, "redirect", "the redirects go in a circle", status=answer.status)
    if len(job.visited) > MAX_HOPS:
        message = f"more than {MAX_HOPS} redirects"
        return FetchError(job.request.url, "redirect", message, status=answer.status)
    job.url = target
    job.unbroken = job.unbroken and answer.status in answers.PERMANENT
    if job.unbroken:
        job.permanent = target
    return None


def _robots_job(job: Job) -> Job:
    """The request for the robots.txt that a page's job has to wait for. It takes the page's turn at the host."""
    parts = urlsplit(job.url)
    url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"
    return Job(Request(job.request.key, url), url, job.host, job.trusted, robots_of=job.host)


def _refusal(job: Job) -> FetchError | None:
    """Why robots.txt does not let us fetch a page, None if it does: feeds are there to be fetched."""
    host = job.host
    if job.kind != "page":
        return None
    if host.robots is not None:
        return None if robots.allows(host.robots, job.url) else FetchError(job.url, "robots")
    error = host.robots_error
    return FetchError(job.url, error.kind, error.message) if error else None


def _refused_unasked(job: Job) -> FetchError | None:
    """Why a page need not wait for its turn: 50 pages of a host that wants no visits took 50 s to be told so."""
    host, clock = job.host, time.time()
    if host.held_for(clock) or not host.knows_robots(clock, time.monotonic()):
        return None
    return _refusal(job)


def _learn_robots(host: Host, result: Response | FetchError) -> None:
    """RFC 9309 2.3.1: none there (4xx), nothing disallowed; none to be had (5xx, network), everything disallowed."""
    if isinstance(result, Response):
        host.learn_robots(robots.decoded(result.body), time.time())
    elif result.status == 204 or (
        result.status is not None and 400 <= result.status < 500 and result.status != 429
    ):
        host.learn_robots("", time.time())
    else:
        message = f"the page is left alone, because robots.txt cannot be read: {result.message}"
        host.lack_robots(FetchError(result.url, result.kind, message), time.monotonic())


def _own(request: Request) -> str:
    """The URL behind a request that the user wrote down: what is trusted, and gets passwords. '' if there is none."""
    return request.origin or (request.url if request.kind == "feed" else "")


def _password(url: str) -> dict[str, str]:
    """The header for a name and password written into a URL (RFC 7617)."""
    if "@" not in url:
        return {}
    userinfo, at, _ = urlsplit(url).netloc.rpartition("@")
    if not at:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(unquote_to_bytes(userinfo)).decode()}


def _same_server(first: str, now: str) -> bool:
    """Whether a header meant for the first URL (a password, perhaps) may go to the second one."""
    if first == now:
        return True
    return host_of(first) == host_of(now) and (first[:6].lower() != "https:" or now[:6].lower() == "https:")
