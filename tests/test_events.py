"""Independent reports of one event: found by headline and lede, shown together, never folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from server import HTML
from test_pipeline import Rounds, item, page, rss

from aggregator import dedup, pipeline
from aggregator.model import Candidate, Config, Feed, Verdict
from aggregator.store import Store

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)

WIRE = (
    "Ferry catches fire off Skerry, 212 passengers taken to Tolmare",
    [
        "A ferry caught fire off Outer Skerry on Tuesday; its 212 passengers were taken to Tolmare by fishing boats.",
        "The Issel Star had left Lindhafen at dawn when smoke was seen above the car deck, the coastguard said.",
        "Nobody was badly hurt. The company, Issel Lines, said the fire began in a refrigerated lorry.",
        "The ship is to be towed to Tolmare in the evening, once the wind has dropped.",
    ],
)
OWN = (
    "“We smelt it before we saw it”: the night the Issel Star burned",
    [
        "Hanne Brack had just bought a coffee when the steward of the Issel Star began to count heads.",
        "By breakfast she stood on the quay at Tolmare in a blanket that smelt of mackerel, with two hundred others.",
        "The fishermen of Outer Skerry, who reached the ferry first, would take no money for it.",
        "“They asked if I wanted sugar,” she says. “That was the only question anybody asked me all day.”",
    ],
)
OTHER = (
    "Library opens a reading room for people who cannot sleep",
    [
        "The town library of Brackwater keeps one room open all night from this week, with tea and no clocks.",
        "Readers may stay until six in the morning, the librarian Tobias Wren said, and nobody will ask why.",
        "The room has eleven armchairs, four of them bought by the bakers' guild.",
    ],
)
MARKET = (
    "Fish auction: cod firm at Port Ansel, 31 tonnes landed",
    [
        "Cod fetched 41.20 crowns a kilo at the Port Ansel auction on Monday, 1.10 more than the day before.",
        "Mackerel fell to 12.40 crowns. Eleven boats landed 31 tonnes, the harbour office said.",
    ],
)
NEXT_DAY = (
    "Fish auction: cod eases at Port Ansel, 27 tonnes landed",
    [
        "Cod fetched 39.80 crowns a kilo at the Port Ansel auction on Tuesday, 1.40 less than the day before.",
        "Mackerel rose to 13.10 crowns. Nine boats landed 27 tonnes, the harbour office said.",
    ],
)


def candidate(story: tuple[str, list[str]], number: int = 7, holders: int = 1) -> Candidate:
    title, text = story[0], "\n\n".join(story[1])
    topics = dedup.topics(dedup.sketch(title, text))
    return Candidate(number, title, text, NOON, shared=dict.fromkeys(topics, holders))


def event_of(story: tuple[str, list[str]], *others: Candidate, hours: float = 5) -> int | None:
    """With `Candidate.shared` reduced to the topics that the story has too, as an index gives it."""
    new = dedup.sketch(story[0], "\n\n".join(story[1]), published=NOON + timedelta(hours=hours))
    mine = set(dedup.topics(new))
    found = [
        Candidate(c.id, c.title, c.text, c.published, shared={t: n for t, n in c.shared.items() if t in mine})
        for c in others
    ]
    return dedup.same_event(new, found)


def test_a_report_in_other_words_belongs_to_the_event() -> None:
    assert event_of(OWN, candidate(WIRE)) == 7


def test_such_a_report_is_not_taken_for_a_copy() -> None:
    kept = Candidate(7, WIRE[0], "\n\n".join(WIRE[1]), NOON)
    assert dedup.judge(dedup.sketch(OWN[0], "\n\n".join(OWN[1]), published=NOON), [kept]).copy_of is None


def test_a_story_about_something_else_does_not() -> None:
    assert event_of(OTHER, candidate(WIRE)) is None


def test_the_next_instance_of_a_form_is_another_event() -> None:
    assert event_of(NEXT_DAY, candidate(MARKET), hours=24) is None


def test_topics_that_everybody_has_are_no_evidence() -> None:
    assert event_of(OWN, candidate(WIRE, holders=20)) is None


def test_beyond_the_window_it_is_another_event() -> None:
    assert event_of(OWN, candidate(WIRE), hours=24 * 6) is None


def test_the_story_that_shares_most_is_joined() -> None:
    brief = (
        "Ferry fire off Skerry",
        ["The ferry Issel Star caught fire off Outer Skerry; all are safe in Tolmare."],
    )
    assert event_of(OWN, candidate(brief, 1), candidate(WIRE, 2)) == 2


# --------------------------------------------------------------------------------------- in the archive


@pytest.fixture
def rounds(server, tmp_path):
    ready = Rounds(server, tmp_path / "news.db")
    ready.feeds = [Feed(server.url(f"/feed{n}")) for n in (1, 2, 3)]
    for number, (title, text) in enumerate((WIRE, OWN, OTHER), 1):
        server.answer(f"/{number}.html", body=page(title, text), type=HTML)
        entry = item(server, number, title, ready.now - timedelta(hours=4 - number))
        server.answer(f"/feed{number}", body=rss(entry))
    ready.run()
    return ready


def ids(rounds: Rounds) -> dict[str, int]:
    return {title: number for number, title in rounds.ask("select id, title from articles")}


def test_a_round_stores_both_and_points_the_later_report_at_the_first(rounds):
    found = ids(rounds)
    assert rounds.ask("select count(*) from duplicates") == [(0,)]
    events = rounds.ask("select id, event_id from articles where event_id is not null")
    assert events == [(found[OWN[0]], found[WIRE[0]])]


def test_the_view_of_events_names_the_first_report_and_counts_all(rounds):
    assert rounds.ask("select id, reports from events") == [(ids(rounds)[WIRE[0]], 2)]


def test_each_report_lists_the_others(rounds):
    found = ids(rounds)
    with Store(rounds.path) as store:
        assert [row["id"] for row in store.reading.reports(found[WIRE[0]])] == [found[OWN[0]]]
        assert [row["id"] for row in store.reading.reports(found[OWN[0]])] == [found[WIRE[0]]]
        assert store.reading.reports(found[OTHER[0]]) == []


def test_when_the_first_report_is_folded_the_event_goes_to_the_story_it_joins(rounds):
    found = ids(rounds)
    with Store(rounds.path) as store:
        verdict = Verdict(found[OTHER[0]], "by_hand")
        store.folding.fold(found[WIRE[0]], found[OTHER[0]], verdict, rounds.now, remember=True)
    assert rounds.ask("select id, event_id from articles where event_id is not null") == [
        (found[OWN[0]], found[OTHER[0]])
    ]


def test_when_the_first_report_is_folded_into_the_second_nothing_points_at_itself(rounds):
    found = ids(rounds)
    with Store(rounds.path) as store:
        verdict = Verdict(found[OWN[0]], "by_hand")
        store.folding.fold(found[WIRE[0]], found[OWN[0]], verdict, rounds.now, remember=True)
    assert rounds.ask("select count(*) from articles where event_id is not null") == [(0,)]


def test_judging_the_archive_again_finds_the_same_events(rounds):
    before = rounds.ask("select id, event_id from articles order by id")
    with Store(rounds.path) as store:
        store.connection.execute("update articles set event_id = null")
        pipeline.rejudge(Config(()), store, clock=lambda: rounds.now)
    assert rounds.ask("select id, event_id from articles order by id") == before
