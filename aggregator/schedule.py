"""When to ask a feed again, and why: pure decisions, no clock and no network of their own.

Requirements. Never more often than the floor; the LATEST of what the server, the document and our own interval
say wins; Retry-After is kept; a failing feed is asked less and less, but only a 410 ends it; feeds must not come
in herds; and a person can read the reason.

Theory of operation. Our own interval is c / sqrt(rate), the rate counted over 14 days: for a given number of
requests it minimises the sum of all entries' delays (a feed with four times the news is asked twice as often).
`benchmarks/polling.py` simulates it, and is where the constants come from.

Rejected: the hour of the day as a second factor (5-10 % fewer minutes, ten times the state); the interval doubled
after each poll without news (a quiet week-end makes Monday late); a fixed hour (twice the requests).
"""

from __future__ import annotations

import email.utils
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aggregator.errors import FetchError, ParseError
from aggregator.model import RATE_DAYS, FeedState, RefreshHints, Response, Settings

HOUR, DAY = 3600.0, 86400.0

#: The c of c / sqrt(entries a day): a feed with one entry a day is asked every 3 h. Swept 2.5-3.5 h: at 3 h, with
#: LONGEST and SILENT, 11.5 requests a day (a fixed hour: 23.4), median delay 33 min (31), of the median feed 75; with
#: SPREAD 11.6, 33 and 78.
RATE_CONSTANT = 3 * HOUR
LONGEST = 4 * HOUR  # for a feed with news within RATE_DAYS; without it the median feed waits 89 min
SILENT = 8 * HOUR  # for one without; 24 h saves 0.2 requests a day and costs the quietest feeds half a day
FARTHEST = 7 * DAY  # seconds; what a server or document may ask for at most. A year of max-age has been seen
UNCHANGED_FACTOR = 2  # the floor of a feed without validators: each request of it costs the whole document
SPREAD = 0.05  # of the interval, added by chance so that feeds drift apart; never subtracted
BACKOFF_JITTER = 0.25
VOTES = 3  # answers in a row that must agree on a permanent redirect before it is believed
RETURN_AFTER = 3  # failures in a row at a redirect's target after which the feed's own URL is tried again

#: Failures that pass by themselves: asked again within a day. The others need somebody to mend something.
_PASSING = frozenset(
    {"dns", "connect", "tls", "timeout", "incomplete", "bad_http", "server_error", "rate_limited", "blocked"}
)
_MAX_BACKOFF, _MAX_BACKOFF_LASTING = DAY, 2 * DAY
_WEARY = frozenset({"rate_limited", "blocked"})  # had enough of us: start with at least the usual interval

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """When a feed comes next, and the reason in words. `at` None: never again by itself."""

    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Vote:
    """What to store of a feed's redirects. `fetch_url` None: unchanged."""

    redirect_url: str | None
    count: int
    fetch_url: str | None = None


def plan(
    state: FeedState,
    now: datetime,
    *,
    settings: Settings,
    answer: Response | FetchError,
    hints: RefreshHints,
    error: FetchError | ParseError | None = None,
) -> Plan:
    """The next time for a feed whose `answer` came at `now`.

    `error`: the answer itself when it is one, or what reading it came to. `hints`: of the newest document known.
    The result depends on the arguments alone: chance comes from the feed's id and the time.
    """
    if error is not None:
        return _after_error(state, now, settings, error)
    assert isinstance(answer, Response)
    seconds, why = max(_wishes(state, settings, answer, hints), key=lambda wish: wish[0])
    at = now + timedelta(seconds=min(seconds * (1 + SPREAD * _chance(state.id, now)), max(seconds, FARTHEST)))
    return _outside_skipped(Plan(at, why), hints, now, _chance(state.id, now))


def _wishes(
    state: FeedState, settings: Settings, answer: Response, hints: RefreshHints
) -> list[tuple[float, str]]:
    """Everything that has a say in the interval, as (seconds, why); the largest wins."""
    own, why = own_interval(state, settings)
    wishes = [(own, why)]
    bare = answer.status == 200 and not (answer.validators.etag or answer.validators.last_modified)
    if bare and state.feed.interval is None:
        floor = float(settings.min_interval * UNCHANGED_FACTOR)
        wishes.append((floor, f"no validators, so not more than every {span(floor)}"))
    fresh = freshness(answer.headers, answer.fetched_at)
    for name, asked in (
        (fresh[1] if fresh else "", fresh[0] if fresh else None),
        ("ttl", hints.ttl),
        ("sy:updatePeriod", hints.update_period),
    ):
        if asked:
            cut = f", cut to {span(FARTHEST)}" if asked > FARTHEST else ""
            wishes.append((min(asked, FARTHEST), f"{name} {span(asked)}{cut}"))
    return wishes


def own_interval(state: FeedState, settings: Settings) -> tuple[float, str]:
    """Seconds between two requests as far as it is up to us, and the reason: what the user set, or the rule."""
    if state.feed.interval is not None:
        return float(state.feed.interval), f"interval {span(state.feed.interval)}, as set in feeds.yaml"
    low, high = float(settings.min_interval), float(settings.max_interval)
    if not state.new_entries_14d and state.age_days >= RATE_DAYS:
        seconds = min(max(SILENT, low), high)
        return seconds, f"no news for {RATE_DAYS} days, so every {span(seconds)}"
    # A feed's first day counts as a whole, and a feed too young to be judged as one with a single entry.
    rate = max(state.new_entries_14d, 1) / max(state.age_days, 1.0)
    seconds = min(max(min(RATE_CONSTANT / rate**0.5, LONGEST), low), high)
    return seconds, f"adaptive {span(seconds)}"


def freshness(headers: Mapping[str, str], now: datetime) -> tuple[float, str] | None:
    """How long the answer stays fresh: (seconds, "max-age" or "Expires"), None if it does not say (RFC 9111 4.2).

    max-age less Age; Expires, where there is no max-age, less Date.
    """
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    if found:
        age = headers.get("age", "").strip()
        used = float(age[:12]) if age.isascii() and age.isdigit() else 0.0
        return max(0.0, float(found[1]) - used), "max-age"
    expires = _http_date(headers.get("expires"))
    if expires is None:
        return None
    return max(0.0, (expires - (_http_date(headers.get("date")) or now)).total_seconds()), "Expires"


def _after_error(state: FeedState, now: datetime, settings: Settings, error: FetchError | ParseError) -> Plan:
    """Twice the wait after each failure in a row, as long as its class allows; at least what Retry-After says."""
    kind = error.kind
    wait = error.retry_after if isinstance(error, FetchError) else None
    if kind == "gone":
        return Plan(None, "410 Gone: not asked again")
    if kind == "stopped":
        return Plan(now, "interrupted")
    if kind == "held":
        seconds = min(wait or 10 * 60.0, FARTHEST)
        at = now + timedelta(seconds=seconds + 60 * _chance(state.id, now))
        return Plan(at, f"Retry-After until {_moment(at, now)}" if wait else "its host was busy all the time")
    count = state.failures + 1
    first = (
        own_interval(state, settings)[0] if kind in _WEARY and wait is None else float(settings.min_interval)
    )
    most = _MAX_BACKOFF if kind in _PASSING else _MAX_BACKOFF_LASTING
    seconds = min(first * 2.0 ** min(count - 1, 20), max(most, first))
    seconds *= 1 + BACKOFF_JITTER * (2 * _chance(state.id, now) - 1)
    seconds = max(seconds, float(settings.min_interval))
    if wait is not None and min(wait, FARTHEST) >= seconds:
        at = now + timedelta(seconds=min(wait, FARTHEST) * (1 + 0.02 * _chance(state.id, now)) + 1)
        return Plan(at, f"Retry-After until {_moment(at, now)}")
    times = f" x{count}" if count > 1 else ""
    return Plan(now + timedelta(seconds=seconds), f"error{times} ({kind}): retry in {span(seconds)}")


def _outside_skipped(planned: Plan, hints: RefreshHints, now: datetime, chance: float) -> Plan:
    """The plan, moved to the first hour that skipHours and skipDays leave open (RSS 2.0; UTC).

    A feed that closes all hours, or all days, is taken not to have said anything.
    """
    hours = hints.skip_hours if len(hints.skip_hours) < 24 else frozenset[int]()
    days = hints.skip_days if len(hints.skip_days) < 7 else frozenset[int]()
    at = planned.at
    if at is None:
        return planned
    name = ""
    while at.hour in hours or at.weekday() in days:
        name = "skipDays" if at.weekday() in days else "skipHours"
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if not name:
        return planned
    return Plan(at + timedelta(minutes=20 * chance), f"{name} until {_moment(at, now)}")


def redirect_vote(state: FeedState, answer: Response | FetchError, *, is_feed: bool) -> Vote:
    """What to make of a permanent redirect (301, 308): believed after VOTES answers that agree and were feeds.

    A redirect that ends at a page, a 404 or nowhere does not count; so a moved feed is never lost to a parked
    domain. When the new place fails RETURN_AFTER times in a row, or is gone, the feed's own URL gets another chance.
    """
    if isinstance(answer, FetchError) or not is_feed:
        failures = state.failures + 1
        if state.fetch_url != state.feed.url and (answer.status == 410 or failures % RETURN_AFTER == 0):
            return Vote(None, 0, state.feed.url)
        return Vote(state.redirect_url, state.redirect_count)
    target = answer.permanent_url
    if target is None or target == state.fetch_url:
        return Vote(None, 0)
    count = state.redirect_count + 1 if target == state.redirect_url else 1
    return Vote(None, 0, target) if count >= VOTES else Vote(target, count)


def span(seconds: float) -> str:
    """A length of time in words: "45 min", "3.2 h", "2 days"."""
    for unit, size in (("days", DAY), ("h", HOUR), ("min", 60.0)):
        if seconds >= (2 * DAY if unit == "days" else size):
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"


def _moment(at: datetime, now: datetime) -> str:
    """A time of day in UTC, with the date when it is not the same day as `now`."""
    at = at.astimezone(UTC)
    return f"{at:%H:%M}" if at.date() == now.astimezone(UTC).date() else f"{at:%Y-%m-%d %H:%M}"


def _http_date(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):  # the last: of a year with eleven digits
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _chance(seed: int, now: datetime) -> float:
    """A number in [0, 1) that depends on the feed and the time alone."""
    digest = hashlib.blake2b(f"{seed} {now.timestamp():.3f}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
