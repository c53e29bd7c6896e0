"""The next time a feed is asked, and the reason given."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import schedule
from aggregator.errors import FETCH_ERROR_KINDS, FetchError, ParseError
from aggregator.model import Feed, FeedState, RefreshHints, Response, Settings, Validators
from aggregator.store.feeds import FARTHEST

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
URL = "https://paper.example/feed"
SETTINGS = Settings()
NO_HINTS = RefreshHints()
HOUR, DAY = 3600, 86400


def state(**more):
    more.setdefault("feed", Feed(URL, interval=more.pop("interval", None)))
    return FeedState(more.pop("id", 1), fetch_url=more.pop("fetch_url", URL), **more)


def answer(status=200, permanent_url=None, **headers):
    names = {"etag": '"1"', **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Response(URL, URL, status, {k: v for k, v in names.items() if v}, b"", NOW, 1, permanent_url)


def plan(given=None, hints=NO_HINTS, settings=SETTINGS, **more):
    given = given or answer()
    error = given if isinstance(given, FetchError | ParseError) else None
    return schedule.plan(state(**more), NOW, settings=settings, answer=given, hints=hints, error=error)


def hours(planned):
    return (planned.at - NOW).total_seconds() / HOUR


def about(value):
    """Up to SPREAD more, never less."""
    return pytest.approx(value * (1 + schedule.SPREAD / 2), rel=schedule.SPREAD / 2 + 1e-6)


# ---------------------------------------------------------------------------------- our own interval


@pytest.mark.parametrize(
    ("entries", "days", "expected"),
    [
        (14 * 40, 14, 1),
        (14 * 9, 14, 1),
        (14 * 4, 14, 1.5),
        (14, 14, 3),
        (1, 14, 4),
        (0, 14, 8),
        (0, 0, 3),
        (20, 0, 1),
    ],
)
def test_a_feed_is_asked_by_the_square_root_of_its_rate(entries, days, expected):
    planned = plan(new_entries_14d=entries, age_days=days)
    assert hours(planned) == about(expected)
    assert planned.why.startswith("adaptive" if entries or not days else "no news for 14 days")


def test_the_reason_is_told_in_words():
    assert plan(new_entries_14d=12, age_days=14).why == "adaptive 3.2 h"


def test_the_users_interval_replaces_ours():
    planned = plan(interval=20 * 60)
    assert hours(planned) == about(1 / 3)
    assert planned.why == "interval 20 min, as set in feeds.yaml"


def test_the_settings_bound_our_own_interval():
    settings = Settings(min_interval=2 * HOUR, max_interval=3 * HOUR)
    assert hours(plan(settings=settings, new_entries_14d=1000, age_days=14)) == about(2)
    assert hours(plan(settings=settings, age_days=14)) == about(3)


def test_a_short_longest_interval_bounds_the_rule_for_feeds_with_news():
    planned = plan(settings=Settings(max_interval=2 * HOUR), new_entries_14d=1, age_days=14)
    assert hours(planned) == about(2)


def test_a_silent_feed_is_not_asked_before_the_floor():
    assert hours(plan(settings=Settings(min_interval=12 * HOUR), age_days=14)) == about(12)


def test_an_interval_of_more_than_the_seven_days_is_kept():
    assert hours(plan(interval=30 * DAY)) == pytest.approx(30 * 24)


def test_a_feed_without_validators_is_asked_half_as_often():
    planned = plan(answer(etag=None), new_entries_14d=1000, age_days=14)
    assert hours(planned) == about(2)
    assert "no validators" in planned.why


def test_the_users_interval_holds_for_a_feed_without_validators_too():
    assert hours(plan(answer(etag=None), interval=20 * 60)) == about(1 / 3)


# ------------------------------------------------------------------------------------------- hints


@pytest.mark.parametrize(
    ("headers", "hints", "expected", "why"),
    [
        ({"cache_control": "public, max-age=18000"}, {}, 5, "max-age 5 h"),
        ({"cache_control": 'MAX-AGE="18000"'}, {}, 5, "max-age 5 h"),
        ({"cache_control": "max-age=18000", "age": "3600"}, {}, 4, "max-age 4 h"),
        (
            {"cache_control": "max-age=18000", "expires": "Tue, 24 Nov 2026 22:00:00 GMT"},
            {},
            5,
            "max-age 5 h",
        ),
        ({"expires": "Tue, 24 Nov 2026 17:00:00 GMT"}, {}, 5, "Expires 5 h"),
        ({"expires": "Tue, 24 Nov 2026 17:00:00 -0000"}, {}, 5, "Expires 5 h"),
        (
            {"expires": "Tue, 24 Nov 2026 17:00:00 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"},
            {},
            7,
            "Expires 7 h",
        ),
        ({}, {"ttl": 2 * HOUR}, 2, "ttl 2 h"),
        ({}, {"update_period": 12 * HOUR}, 12, "sy:updatePeriod 12 h"),
        ({"cache_control": "max-age=7200"}, {"ttl": 4 * HOUR, "update_period": 3 * HOUR}, 4, "ttl 4 h"),
        ({"cache_control": "max-age=31536000"}, {}, 7 * 24, "max-age 365 days, cut to 7 days"),
        ({"cache_control": "max-age=0, must-revalidate"}, {}, 1, "adaptive 1 h"),
        ({"cache_control": "no-store"}, {}, 1, "adaptive 1 h"),
        ({"expires": "0"}, {}, 1, "adaptive 1 h"),
        ({"expires": "Mon, 01 Jan 99999999999 00:00:00 GMT"}, {}, 1, "adaptive 1 h"),
        ({"expires": "Tue, 24 Nov 2020 17:00:00 GMT"}, {}, 1, "adaptive 1 h"),
        ({"cache_control": "s-maxage=90000"}, {}, 1, "adaptive 1 h"),
    ],
)
def test_the_latest_of_all_that_was_said_wins(headers, hints, expected, why):
    planned = plan(answer(**headers), RefreshHints(**hints), new_entries_14d=1000, age_days=14)
    assert (hours(planned), planned.why) == (about(expected), why)


def test_a_max_age_of_a_thousand_digits_is_cut_too():
    assert hours(plan(answer(cache_control="max-age=" + "9" * 1000))) == about(7 * 24)


def test_hints_hold_against_the_users_interval_too():
    assert plan(answer(cache_control="max-age=7200"), interval=HOUR).why == "max-age 2 h"


def test_a_304_is_planned_like_a_200():
    assert plan(answer(304, cache_control="max-age=18000")).why == "max-age 5 h"


@pytest.mark.parametrize(
    ("hints", "start", "why"),
    [
        ({"skip_hours": frozenset({13, 14, 15})}, "2026-11-24 16:00", "skipHours until 16:"),
        ({"skip_hours": frozenset(range(1, 24))}, "2026-11-25 00:00", "skipHours until 2026-11-25 00:"),
        ({"skip_days": frozenset({1, 2})}, "2026-11-26 00:00", "skipDays until 2026-11-26 00:"),
        ({"skip_days": frozenset({1}), "skip_hours": frozenset({0, 1})}, "2026-11-25 02:00", "skip"),
    ],
)
def test_skipped_hours_and_days_are_skipped(hints, start, why):
    planned = plan(hints=RefreshHints(**hints), new_entries_14d=1000, age_days=14)
    late = planned.at - datetime.fromisoformat(start + "+00:00")
    assert timedelta(0) <= late <= timedelta(minutes=20)
    assert planned.why.startswith(why)


def test_hours_that_are_open_are_not_touched():
    hints = RefreshHints(skip_hours=frozenset({3}), skip_days=frozenset({6}))
    assert plan(hints=hints).at == plan().at


@pytest.mark.parametrize("hints", [{"skip_hours": frozenset(range(24))}, {"skip_days": frozenset(range(7))}])
def test_a_feed_that_closes_all_hours_has_said_nothing(hints):
    assert plan(hints=RefreshHints(**hints)).at == plan().at


# ------------------------------------------------------------------------------------------ errors


def failed(kind, failures=0, retry_after=None, **more):
    return plan(FetchError(URL, kind, retry_after=retry_after), failures=failures, **more)


def test_each_failure_doubles_the_wait():
    for failures, expected in enumerate((1, 2, 4, 8, 16, 24, 24)):
        assert hours(failed("timeout", failures)) == pytest.approx(
            expected, rel=schedule.BACKOFF_JITTER + 0.01
        )
    assert failed("timeout", 2).why.startswith("error x3 (timeout): retry in ")


def test_what_does_not_pass_by_itself_is_asked_for_every_other_day():
    for kind in ("not_found", "unauthorized", "not_public", "too_big"):
        assert 36 <= hours(failed(kind, 50)) <= 60


def test_a_document_that_is_no_feed_is_backed_off_like_an_error():
    assert 6 <= hours(plan(ParseError(URL, "not_a_feed", "HTML"), failures=3)) <= 10


def test_no_error_is_retried_before_the_floor():
    waits = [hours(plan(FetchError(URL, "dns"), id=n)) for n in range(100)]
    assert min(waits) >= 1


@given(st.integers(0, 10_000), st.integers(0, 20), st.sampled_from([20 * HOUR, DAY, 3 * DAY]))
def test_a_floor_near_the_longest_wait_is_kept_by_every_retry(feed, failures, floor):
    planned = failed(
        "timeout", failures, id=feed, settings=Settings(min_interval=floor, max_interval=30 * DAY)
    )
    assert planned.at - NOW >= timedelta(seconds=floor)


def test_a_retry_after_of_years_is_cut_to_seven_days():
    assert hours(failed("server_error", retry_after=1e8)) <= 7 * 24 * 1.03


@given(st.integers(0, 10_000))
def test_chance_adds_nothing_to_the_seven_days(feed):
    assert hours(plan(answer(cache_control="max-age=31536000"), id=feed)) == 7 * 24


def test_410_ends_it():
    assert failed("gone") == schedule.Plan(None, "410 Gone: not asked again")


@given(st.sampled_from(sorted(set(FETCH_ERROR_KINDS) - {"gone"})), st.integers(0, 10_000))
def test_no_other_failure_is_for_ever(kind, failures):
    assert NOW <= failed(kind, failures).at <= NOW + timedelta(seconds=schedule.FARTHEST)


@pytest.mark.parametrize("kind", ["rate_limited", "server_error", "held"])
def test_retry_after_is_kept(kind):
    planned = failed(kind, retry_after=7500)
    assert timedelta(seconds=7500) <= planned.at - NOW <= timedelta(seconds=7500 * 1.03)
    assert planned.why.startswith("Retry-After until 14:0")


def test_a_retry_after_shorter_than_our_own_wait_does_not_shorten_it():
    assert hours(failed("server_error", 5, retry_after=60)) > 16


def test_a_429_without_retry_after_waits_at_least_the_usual_interval():
    assert hours(failed("rate_limited", new_entries_14d=0, age_days=14)) >= 6
    assert failed("rate_limited", new_entries_14d=0, age_days=14).why.startswith("error (rate_limited)")
    assert hours(failed("rate_limited", interval=7 * DAY)) >= 5 * 24


def test_a_feed_whose_host_was_busy_comes_soon():
    assert hours(failed("held")) < 0.3


def test_an_interrupted_fetch_is_due_at_once():
    assert failed("stopped").at == NOW


# ----------------------------------------------------------------------------------- chance, spread


def test_the_same_feed_and_time_give_the_same_plan():
    assert plan() == plan()
    assert failed("dns", 3) == failed("dns", 3)


def test_feeds_asked_together_do_not_come_back_together():
    times = sorted(plan(id=n).at for n in range(1000))
    assert times[-1] - times[0] > timedelta(minutes=8)
    minutes = {}
    for at in times:
        minutes[at.replace(second=0, microsecond=0)] = minutes.get(at.replace(second=0, microsecond=0), 0) + 1
    assert max(minutes.values()) < 200


def test_feeds_that_failed_together_do_not_come_back_together():
    times = sorted(plan(FetchError(URL, "dns"), id=n, failures=3).at for n in range(1000))
    assert times[-1] - times[0] > timedelta(hours=3)


@given(
    st.integers(0, 5000),
    st.floats(0, 14),
    st.none() | st.floats(0, 1e12),
    st.none() | st.floats(0, 1e12),
    st.frozensets(st.integers(0, 23)),
    st.frozensets(st.integers(0, 6)),
    st.text(max_size=30),
)
def test_a_plan_keeps_floor_and_cap_whatever_is_said(entries, age, ttl, period, skip_hours, skip_days, text):
    hints = RefreshHints(ttl, period, skip_hours, skip_days)
    given = answer(cache_control=text, expires=text, date=text)
    planned = plan(given, hints, new_entries_14d=entries, age_days=age)
    most = schedule.FARTHEST * (1 + schedule.SPREAD) + 7 * DAY + HOUR
    assert SETTINGS.min_interval <= (planned.at - NOW).total_seconds() <= most


SLOWEST = Settings(min_interval=30 * DAY, max_interval=30 * DAY)  # what feeds.yaml allows at most


@given(st.integers(0, 10_000), st.frozensets(st.integers(0, 6)))
def test_the_database_believes_the_latest_plan_of_a_feed_without_validators(feed, skip_days):
    planned = plan(answer(etag=None), RefreshHints(skip_days=skip_days), SLOWEST, id=feed)
    assert planned.at - NOW < FARTHEST


@given(st.integers(0, 10_000), st.integers(0, 20))
def test_the_database_believes_the_latest_plan_of_a_failing_feed(feed, failures):
    assert failed("timeout", failures, id=feed, settings=SLOWEST).at - NOW < FARTHEST


# ---------------------------------------------------------------------------------------- redirects


NEW = "https://new.example/feed"


def vote(given, is_feed=True, **more):
    return schedule.redirect_vote(state(**more), given, is_feed=is_feed)


def test_a_permanent_redirect_is_believed_the_third_time():
    moved = answer(permanent_url=NEW)
    assert vote(moved) == schedule.Vote(NEW, 1)
    assert vote(moved, redirect_url=NEW, redirect_count=1) == schedule.Vote(NEW, 2)
    assert vote(moved, redirect_url=NEW, redirect_count=2) == schedule.Vote(None, 0, NEW)


def test_a_304_from_the_new_place_counts():
    assert vote(answer(304, permanent_url=NEW), redirect_url=NEW, redirect_count=2).fetch_url == NEW


def test_answers_that_do_not_agree_start_again():
    assert vote(answer(permanent_url=NEW), redirect_url="https://old.example/", redirect_count=2).count == 1
    assert vote(answer(), redirect_url=NEW, redirect_count=2) == schedule.Vote(None, 0)


def test_failures_at_its_own_url_do_not_undo_the_votes():
    given = FetchError(URL, "timeout")
    assert vote(given, redirect_url=NEW, redirect_count=2, failures=2) == schedule.Vote(NEW, 2)


def test_a_moved_feed_whose_new_place_is_gone_is_tried_at_its_own_url_at_once():
    assert vote(FetchError(NEW, "gone", status=410), fetch_url=NEW).fetch_url == URL


def test_a_redirect_to_a_page_or_a_dead_end_does_not_count():
    assert (
        vote(answer(permanent_url=NEW), is_feed=False, redirect_url=NEW, redirect_count=2).fetch_url is None
    )
    assert vote(FetchError(URL, "not_found"), redirect_url=NEW, redirect_count=2) == schedule.Vote(NEW, 2)


def test_a_moved_feed_that_keeps_failing_is_tried_at_its_own_url_again():
    assert vote(FetchError(NEW, "dns"), fetch_url=NEW, failures=1).fetch_url is None
    assert vote(FetchError(NEW, "dns"), fetch_url=NEW, failures=2).fetch_url == URL


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(30, "30 s"), (2700, "45 min"), (3600, "1 h"), (11640, "3.2 h"), (172800, "2 days")],
)
def test_lengths_of_time_are_written_for_people(seconds, words):
    assert schedule.span(seconds) == words


def test_validators_are_no_business_of_the_schedule():
    assert answer(etag='"x"').validators == Validators('"x"')
