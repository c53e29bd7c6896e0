"""What a polling policy costs publishers, and how late it learns the news: a simulation, in under a minute.

    python benchmarks/polling.py [--feeds 1000] [--days 30] [--seed 7]

Feeds publish from once a month to 40 times a day (log-uniform), in ten busy hours a day. Each is asked for 14 days
so that its rate is known, then measured. "quiet" are the feeds with at most one entry a day. The last row is what
`aggregator.schedule` does with its default settings; the others are what it was chosen from.
"""

from __future__ import annotations

import argparse
import bisect
import random
import statistics
from collections.abc import Callable, Sequence

from aggregator import schedule
from aggregator.model import Feed, FeedState, Settings

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WARM_UP = 14 * DAY
BUSY_HOURS = 10

#: Entries of the last 14 days -> seconds until the next poll.
Policy = Callable[[int], float]


def publish(rng: random.Random, per_day: float, days: int) -> list[float]:
    """The times of a feed's entries: a Poisson process in the busy hours."""
    times = []
    opens = rng.randrange(24)
    for day in range(days):
        expected, chance = per_day, rng.random()
        count, below = 0, 2.718281828459045**-expected
        running = below
        while chance > running and count < 1000:
            count += 1
            below *= expected / count
            running += below
        times += [day * DAY + (opens + rng.random() * BUSY_HOURS) * HOUR for _ in range(count)]
    return sorted(times)


def ask(rng: random.Random, times: Sequence[float], policy: Policy, end: float) -> tuple[int, list[float]]:
    """Polls and delays (seconds) after the warm-up."""
    now, seen, polls = rng.random() * HOUR, 0, 0
    delays: list[float] = []
    while now < end:
        until = bisect.bisect_right(times, now)
        if now >= WARM_UP:
            polls += 1
            delays += [now - at for at in times[seen:until]]
        seen = until
        fortnight = until - bisect.bisect_left(times, now - WARM_UP)
        now += policy(fortnight) * (1 + schedule.SPREAD * rng.random())
    return polls, delays


def rule(constant: float, most: float, silent: float) -> Policy:
    """c / sqrt(entries a day), one hour to `most`; `silent` after a fortnight without news. All in hours."""
    return lambda fortnight: (
        min(max(constant / (fortnight / 14) ** 0.5, 1.0), most) * HOUR if fortnight else silent * HOUR
    )


def weekly(fortnight: int) -> float:
    """miniflux: the week divided by its entries, 15 minutes to 24 hours."""
    return min(max(14 * DAY / fortnight, 15 * MINUTE), DAY) if fortnight else DAY


def ours(fortnight: int) -> float:
    state = FeedState(1, Feed("https://x.example/"), "", new_entries_14d=fortnight, age_days=14)
    return schedule.own_interval(state, Settings())[0]


POLICIES: dict[str, Policy] = {
    "fixed 1 h": lambda fortnight: HOUR,
    "fixed 2 h": lambda fortnight: 2 * HOUR,
    "entries of a week (miniflux)": weekly,
    **{
        f"c {c} h, to {most} h, silent {silent} h": rule(c, most, silent)
        for c in (2.5, 3, 3.5)
        for most, silent in ((3, 24), (3.5, 8), (3.5, 12), (4, 6), (4, 8), (4, 12), (24, 24))
    },
    "ours": ours,
}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--feeds", type=int, default=1000)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--seed", type=int, default=7)
    given = options.parse_args()
    rng = random.Random(given.seed)
    rates = [(1 / 30) * (40 * 30) ** rng.random() for _ in range(given.feeds)]
    days = given.days + int(WARM_UP / DAY)
    world = [publish(rng, rate, days) for rate in rates]
    print(
        f"{'':28} polls/feed/day  delay in minutes: median   p90  mean  of feeds  quiet feeds  quiet entries"
    )
    for name, policy in POLICIES.items():
        polls, everything, medians, quiet, quiet_entries = 0, [], [], [], []
        for rate, times in zip(rates, world, strict=True):
            count, delays = ask(rng, times, policy, days * DAY)
            polls += count
            everything += delays
            if delays:
                medians.append(statistics.median(delays))
                if rate <= 1:
                    quiet.append(medians[-1])
                    quiet_entries += delays
        everything.sort()
        print(
            f"{name:28} {polls / given.feeds / given.days:14.1f}"
            f" {everything[len(everything) // 2] / 60:25.0f} {everything[len(everything) * 9 // 10] / 60:5.0f}"
            f" {statistics.mean(everything) / 60:5.0f} {statistics.median(medians) / 60:9.0f}"
            f" {statistics.median(quiet) / 60:12.0f} {statistics.median(quiet_entries) / 60:14.0f}"
        )


if __name__ == "__main__":
    main()
