"""Which copy of a story is kept: the preferred feed's, else the agency's own, else the clearly fuller one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aggregator.agencies import is_own
from aggregator.model import Kept, Story, Verdict
from aggregator.pipeline.stories import is_better

CUSTOMER = Story(
    title="Ferries stay in port", published_at="2026-03-04T12:00:00Z", site="valleypost.example", feed_id=1,
    agency="Halyard", byline=None, language="en", summary=None, text="…", words=300, image=None, tags=(),
    url="https://valleypost.example/1", source="page", problem=None, flags=(), first_seen_at="2026-03-04T12:00:00Z",
)  # fmt: skip
OWN = replace(CUSTOMER, site="halyard.example")
KEPT_CUSTOMER = Kept(300, 50, 0, "uplandgazette.example", "Halyard")
KEPT_OWN = replace(KEPT_CUSTOMER, site="halyard.example")
SAME, LONGER = Verdict(1, "near_text"), Verdict(1, "contains")


def test_the_agencys_own_text_takes_the_place_of_a_customers():
    assert is_better(OWN, 50, SAME, KEPT_CUSTOMER)


def test_a_teaser_of_the_agency_does_not():
    assert not is_better(replace(OWN, words=90), 50, LONGER, KEPT_CUSTOMER)


def test_a_longer_text_of_a_customer_does_not_take_the_agencys_place():
    assert not is_better(replace(CUSTOMER, words=600), 50, LONGER, KEPT_OWN)


def test_a_preferred_feed_does():
    assert is_better(CUSTOMER, 10, SAME, KEPT_OWN)


def test_of_two_customers_the_clearly_fuller_text_is_kept():
    assert is_better(replace(CUSTOMER, words=400), 50, LONGER, KEPT_CUSTOMER)
    assert not is_better(replace(CUSTOMER, words=320), 50, LONGER, KEPT_CUSTOMER)


def test_a_longer_text_that_does_not_hold_the_kept_one_does_not_take_its_place():
    assert not is_better(replace(CUSTOMER, words=600), 50, SAME, KEPT_CUSTOMER)


@pytest.mark.parametrize(
    ("site", "agency", "own"),
    [
        ("reuters.com", "Reuters", True),
        ("apnews.com", None, True),
        ("northern-press.example", "Northern Press", True),
        ("valleypost.example", "Northern Press", False),
        ("valleypost.example", None, False),
    ],
)
def test_an_agencys_own_site_is_told_by_its_domain(site, agency, own):
    assert is_own(site, agency) is own
