"""Who is asked next: one line of jobs per host, and a heap of the times at which hosts may be asked.

A thread takes whatever host is ready and makes ONE request (a hop); a redirect goes back in line. So every request,
whatever caused it, keeps its host's spacing, and no thread sleeps while any host is ready. Among hosts that are ready
the one that has waited longest is first, so a host with a long line does not delay the others.

Only one thread (the leader) waits by the clock, the others wait to be woken: 32 threads that all wake for each
of a hundred hosts took 3 % of a core to do nothing.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aggregator.errors import FetchError
from aggregator.fetch.hosts import Host
from aggregator.fetch.pace import Pace
from aggregator.model import Request

SHORT_HOLD = 5.0  # seconds of a Retry-After that are worth waiting for; beyond, the job is given up
#: Seconds that a job waits in line at most: a round should end, and 600 pages of one host can wait.
PATIENCE = 600.0
_ELSEWHERE = 0.1  # seconds until a host is looked at again that another `Lines` is busy with


@dataclass(slots=True, eq=False)
class Job:
    """A request on its way: where it is by now, and what it has cost so far."""

    request: Request
    url: str
    host: Host
    trusted: frozenset[str]  # endpoints (host:port) that may be private
    robots_of: Host | None = None  # this is no request of the caller's but the robots.txt of that host
    visited: list[str] = field(default_factory=list)  # what redirected us
    permanent: str | None = None  # where the unbroken prefix of 301/308 leads
    unbroken: bool = True
    seconds: float = 0.0  # of downloading; waiting in line is not counted
    wire_bytes: int = 0
    relieved: bool = False  # it is slow, and its thread has been replaced by another
    given_up: bool = False  # its host asks for patience, or its turn did not come: not to be asked now

    @property
    def kind(self) -> str:
        return "robots" if self.robots_of else self.request.kind


class Lines:
    """The jobs of one `fetch_all`. Every method needs the lock held that it was made with; `take` waits on it."""

    def __init__(self, lock: threading.Lock, delay: float, pace: Pace, seconds: float) -> None:
        """`pace`: what other processes ask; `seconds`: that a request takes at most."""
        self.closed = False  # nothing is taken any more
        self.paused = False  # nothing is taken for now
        self.unfinished = 0  # jobs added and not finished: waiting, or being worked at
        self._wake = threading.Condition(lock)
        self._delay = delay
        self._pace = pace
        self._seconds = seconds
        self._since: dict[Host, float] = {}  # when the first job of a host was taken
        self._lines: dict[Host, deque[Job]] = {}
        self._heap: list[tuple[float, int, Host]] = []
        self._tie = itertools.count()  # first come, first served among hosts that are ready at once
        self._leader_until: float | None = None

    def __len__(self) -> int:
        """The number of hosts met."""
        return len(self._lines)

    def add(self, job: Job) -> None:
        """A new job, at the end of its host's line."""
        self.unfinished += 1
        self.rejoin(job, first=False)

    def rejoin(self, job: Job, *, first: bool = True) -> None:
        """A job that was taken and goes on, perhaps at another host: ahead of the others there."""
        line = self._lines.setdefault(job.host, deque())
        if first:
            line.appendleft(job)
        else:
            line.append(job)
        if len(line) == 1:
            self._call(job.host)

    def release(self, host: Host) -> None:
        """The host that a job was taken for is free again."""
        now = time.monotonic()
        host.running -= 1
        host.last = now
        if host.turns:
            self._pace.give_back(host.name, host.turns.pop(0), now)
        if self._lines[host]:
            self._call(host)

    def withdraw(
        self, host: Host, refusal: Callable[[Job], FetchError | None]
    ) -> list[tuple[Job, FetchError]]:
        """Take what is refused out of a host's line, and say why: it takes no turn."""
        taken: list[tuple[Job, FetchError]] = []
        left: deque[Job] = deque()
        for job in self._lines[host]:
            if error := refusal(job):
                taken.append((job, error))
            else:
                left.append(job)
        self._lines[host] = left
        return taken

    def finish(self) -> None:
        """One job is done for good."""
        self.unfinished -= 1
        if not self.unfinished:
            self.wake()

    def wake(self) -> None:
        """Look again: `closed` or `paused` changed."""
        self._wake.notify_all()

    def take(self) -> Job | None:
        """The next job, waited for; its host counts as busy until `release` unless it is `given_up`.

        None when all is done or `closed`.
        """
        while self.unfinished and not self.closed:
            now = time.monotonic()
            if self.paused or not self._heap:
                self._wake.wait()
            elif self._heap[0][0] <= now:
                job = self._next_of(heapq.heappop(self._heap)[2], now)
                if job is not None:
                    if self._leader_until is None:
                        self._wake.notify()
                    return job
            elif self._leader_until is None:
                self._leader_until = self._heap[0][0]
                self._wake.wait(self._leader_until - now)
                self._leader_until = None
            else:
                self._wake.wait()
        return None

    def _next_of(self, host: Host, now: float) -> Job | None:
        """The first job of the host's line, if the host may be asked now; else it is called again in time."""
        line = self._lines[host]
        if not line:
            return None
        held = host.held_for(time.time())
        if held > SHORT_HOLD or now > self._since.setdefault(host, now) + PATIENCE:
            job = line.popleft()
            job.given_up = True
            self._call(host, now)
            return job
        if not held and host.may_start(now, self._delay):
            if (again_at := self._others(host, now)) is not None:
                self._call(host, again_at)
                return None
            host.running += 1
            host.last = now
            if len(line) > 1:
                self._call(host, host.second_at(self._delay))
            return line.popleft()
        self._call(
            host, max(now + held, host.ready_at(self._delay), now + _ELSEWHERE if host.running else 0.0)
        )
        return None

    def _others(self, host: Host, now: float) -> float | None:
        """When the host is to be looked at again because of what other processes ask it or were told; None: go."""
        if not (spacing := host.spacing(self._delay)):
            return None
        turn = self._pace.take(host.name, now, time.time(), spacing, self._seconds)
        if turn.until:
            host.turns.append(turn.until)
            return None
        if turn.hold_until > host.hold_until:  # looked at again at once, the host is then held for us too
            host.hold_until, host.hold_why = turn.hold_until, "Retry-After, told to another process"
        return turn.again_at

    def _call(self, host: Host, at: float | None = None) -> None:
        """Put the host on the heap, for the time when it may be asked next."""
        if at is None:
            at = host.ready_at(self._delay)
        heapq.heappush(self._heap, (at, next(self._tie), host))
        if self._leader_until is None:
            self._wake.notify()
        elif at < self._leader_until:
            self.wake()
