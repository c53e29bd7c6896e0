"""What politeness needs to know of a host: when it was asked last, until when not to, its robots.txt.

Pure bookkeeping: the caller locks, and gives the time. `now` is monotonic seconds, `clock` Unix time: spacing
must not suffer from a clock that is set, a Retry-After must outlive the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from aggregator.errors import FetchError
from aggregator.fetch import robots
from aggregator.model import HostState
from aggregator.urls import site_of_host

MOST_AT_ONCE = 2  # connections to one host; the second only when the first takes SLOW seconds
SLOW = 5.0
MAX_HOLD = 4 * 86_400.0  # seconds; 88 h has been seen in earnest (Media Cloud), 100 years is a mistake
BARE_HOLD = 900.0  # seconds, after a 429 that does not say how long
MANY_SUBDOMAINS = 5  # hosts of one domain asked so far: a 429 from one then speaks for all (Tumblr, Blogspot)


class Host:
    """One host (with its port where that is not the default one)."""

    __slots__ = (
        "changed", "crawl_delay", "hold_until", "hold_why", "last", "name", "robots", "robots_at", "robots_error",
        "robots_error_until", "running", "since", "turns",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = 0
        self.since: float | None = None  # monotonic: when the first request of this round was about to begin
        self.last = float("-inf")  # monotonic: when a request began or ended last
        self.turns: list[float] = []  # what `Pace` gave for the requests that run
        self.hold_until = 0.0  # Unix time
        self.hold_why: str | None = None
        self.robots: str | None = None
        self.robots_at = 0.0  # Unix time
        self.robots_error: FetchError | None = None
        self.robots_error_until = 0.0  # monotonic
        self.crawl_delay = 0.0
        self.changed = False

    def spacing(self, delay: float) -> float:
        """Seconds from the end of a request to the next one: `delay`, or what robots.txt asks for. 0: a server of the
        user's own.

        From the end, since only then is it sure that the server has it: with a new connection the first of two is
        some 100 ms on its way, the second is not. And who is slow gets more rest.
        """
        return max(delay, self.crawl_delay)

    def ready_at(self, delay: float) -> float:
        """Monotonic time from which the next request may begin, if none is running by then."""
        return self.last + self.spacing(delay)

    def second_at(self, delay: float) -> float:
        """Monotonic time from which the next request may begin though one is running."""
        spacing = self.spacing(delay)
        return self.last + (max(SLOW, spacing) if spacing else 0.0)

    def may_start(self, now: float, delay: float) -> bool:
        if not self.running:
            return now >= self.ready_at(delay)
        return now >= self.second_at(delay) and (self.running < MOST_AT_ONCE or not self.spacing(delay))

    def held_for(self, clock: float) -> float:
        """Seconds that the host still asks to be left alone, 0 if it does not.

        More than MAX_HOLD was never promised: then the clock was wrong when it was, and is right now.
        """
        left = self.hold_until - clock
        return left if 0 < left <= MAX_HOLD else 0.0

    def hold(self, seconds: float, why: str, clock: float) -> None:
        """Ask nothing for so long; a shorter hold never ends a longer one."""
        until = clock + min(seconds, MAX_HOLD)
        if until > self.hold_until:
            self.hold_until, self.hold_why, self.changed = until, why, True

    def knows_robots(self, clock: float, now: float) -> bool:
        """Whether robots.txt need not be asked for now."""
        fresh = self.robots is not None and 0 <= clock - self.robots_at < robots.MAX_AGE
        return fresh or now < self.robots_error_until

    def learn_robots(self, text: str, clock: float) -> None:
        self.robots, self.robots_at, self.robots_error, self.changed = text, clock, None, True
        self.robots_error_until = 0.0
        self.crawl_delay = robots.crawl_delay(text)

    def lack_robots(self, error: FetchError, now: float) -> None:
        """robots.txt is unreachable: the last known one holds on, without one every page is disallowed."""
        self.robots_error = error
        self.robots_error_until = now + robots.UNREACHABLE_AGE

    def state(self) -> HostState:
        return HostState(
            self.name,
            datetime.fromtimestamp(self.hold_until, UTC) if self.hold_until else None,
            self.hold_why,
            self.robots,
            datetime.fromtimestamp(self.robots_at, UTC) if self.robots_at else None,
        )


class Hosts:
    """All hosts met so far, made on first sight from what was remembered."""

    def __init__(self, remembered: Mapping[str, HostState]) -> None:
        self._remembered = remembered
        self._hosts: dict[str, Host] = {}
        self._sites: dict[str, list[Host]] = {}
        self._unsorted: list[Host] = []  # hosts that are not in `_sites` yet

    def get(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(name)
            self._recall(host)
            self._unsorted.append(host)
        return host

    def _recall(self, host: Host) -> None:
        state = self._remembered.get(host.name)
        if state is None:
            return
        if state.not_before:
            host.hold_until, host.hold_why = state.not_before.timestamp(), state.why
        if state.robots is not None and state.robots_at:
            host.robots, host.robots_at = state.robots, state.robots_at.timestamp()
            host.crawl_delay = robots.crawl_delay(state.robots)

    def hold(self, name: str, seconds: float, why: str, clock: float) -> list[Host]:
        """Leave a host alone, and its sisters too when one server stands behind many subdomains. Returns them."""
        host = self.get(name)
        sisters = self._sisters(name)
        held = sisters if len(sisters) >= MANY_SUBDOMAINS else [host]
        for one in held:
            one.hold(seconds, why, clock)
        return held

    def _sisters(self, name: str) -> list[Host]:
        """The hosts met of this one's domain. They are sorted when one of them is to be left alone, which is rare: the
        list of public suffixes takes 40 ms and 2 MB to load."""
        for host in self._unsorted:
            self._sites.setdefault(_domain(host.name), []).append(host)
        self._unsorted.clear()
        return self._sites[_domain(name)]

    def changed(self) -> list[HostState]:
        """The states that changed since this was last asked."""
        found = [host for host in self._hosts.values() if host.changed]
        for host in found:
            host.changed = False
        return [host.state() for host in found]


def _domain(host: str) -> str:
    """What sister hosts have in common; an address has no sisters, its ports are servers of their own."""
    name = host.partition(":")[0]
    if name.startswith("[") or "." not in name or name.replace(".", "").isdigit():
        return host
    return site_of_host(name)
