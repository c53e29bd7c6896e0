"""The index in SQLite: what it finds, in which order, and what it forgets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_store import story

from aggregator import dedup
from aggregator.candidates import COMMON, Hit
from aggregator.model import Candidate
from aggregator.pipeline.stories import sketch_of, terms_of
from aggregator.store import Store
from aggregator.store.connection import Connection
from aggregator.store.postings import STRETCH, Postings

NOW = 1_778_500_000.0
WINDOW = 72 * 3600.0


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Store(tmp_path / "news.db") as store:
        yield store.connection


@pytest.fixture
def postings(connection: Connection) -> Postings:
    return Postings(connection)


def found(postings: Postings, probes: list[int], when: float = NOW) -> list[int]:
    return [hit.story for hit in postings.candidates(probes, when, WINDOW)]


def test_an_empty_index_has_no_candidates(postings: Postings) -> None:
    assert found(postings, [1, 2, 3]) == []


def test_a_story_is_found_by_what_it_shares(postings: Postings) -> None:
    postings.add(1, [10, 11, 12], NOW)
    postings.add(2, [20, 21, 22], NOW)
    assert found(postings, [11, 12, 99]) == [1]


def test_the_story_that_shares_more_comes_first(postings: Postings) -> None:
    postings.add(1, [10, 11], NOW)
    postings.add(2, [20, 21, 22], NOW)
    assert found(postings, [10, 20, 21]) == [2, 1]


def test_a_rare_posting_counts_more_than_common_ones(postings: Postings) -> None:
    for article in range(1, 11):
        postings.add(article, [10, 11], NOW)
    postings.add(20, [50], NOW)
    assert found(postings, [10, 11, 50])[0] == 20


def test_a_hit_tells_how_many_stories_have_what_is_shared(postings: Postings) -> None:
    postings.add(1, [10, 11], NOW)
    postings.add(2, [10], NOW)
    best = postings.candidates([10, 11], NOW, WINDOW)[0]
    assert (best.story, dict(best.shared)) == (1, {10: 2, 11: 1})


def test_a_candidate_that_shares_next_to_nothing_is_left_out(postings: Postings) -> None:
    postings.add(1, list(range(100, 130)), NOW)
    postings.add(2, [1, 100], NOW)
    assert found(postings, list(range(100, 130))) == [1]


def test_no_more_than_a_few_are_proposed(postings: Postings) -> None:
    for article in range(1, 8):
        postings.add(article, [100, 101], NOW)
    assert found(postings, [100, 101]) == [1, 2, 3, 4]


def test_the_same_numbers_find_nothing_outside_of_the_window(postings: Postings) -> None:
    postings.add(1, [10, 11], NOW)
    assert found(postings, [10, 11], NOW + WINDOW - 1) == [1]
    assert found(postings, [10, 11], NOW + WINDOW + STRETCH + 1) == []
    assert found(postings, [10, 11], NOW - WINDOW - STRETCH - 1) == []


def test_a_story_from_before_1970_does_no_harm(postings: Postings) -> None:
    postings.add(1, [10], -1e9)
    assert found(postings, [10], -1e9) == [1]


def test_the_story_that_is_judged_again_is_passed_over(postings: Postings) -> None:
    postings.add(1, [10], NOW)
    postings.add(2, [10], NOW)
    assert postings.candidates([10], NOW, WINDOW, without=1) == [Hit(2, {10: 1})]
    assert postings.candidates([10], NOW, WINDOW, without=2) == [Hit(1, {10: 1})]


def test_adding_twice_is_adding_once(postings: Postings) -> None:
    postings.add(1, [10, 11], NOW)
    postings.add(1, [11, 12], NOW)
    assert dict(postings.candidates([10, 11, 12], NOW, WINDOW)[0].shared) == {10: 1, 11: 1, 12: 1}


def test_what_very_many_stories_have_is_not_stored_for_each(
    postings: Postings, connection: Connection
) -> None:
    for article in range(COMMON + 20):
        postings.add(article, [10], NOW)
    assert postings.candidates([10], NOW, WINDOW)[0].shared == {10: COMMON}
    assert connection.execute("select length(articles) from _postings").fetchone()[0] == 4 * COMMON


def test_a_story_that_is_alone_with_a_posting_and_one_that_is_not_are_found(postings: Postings) -> None:
    postings.add(70_000, [10], NOW)
    assert postings.candidates([10], NOW, WINDOW) == [Hit(70_000, {10: 1})]
    postings.add(80_000, [10], NOW)
    assert postings.candidates([10], NOW, WINDOW) == [Hit(70_000, {10: 2}), Hit(80_000, {10: 2})]


def test_pruning_forgets_old_stretches_and_keeps_the_rest(postings: Postings) -> None:
    postings.add(1, [10, 11], NOW - 10 * STRETCH)
    postings.add(2, [10, 11], NOW)
    assert postings.prune(NOW - 5 * STRETCH) == 2
    assert found(postings, [10, 11]) == [2]
    assert found(postings, [10, 11], NOW - 10 * STRETCH) == []


def test_more_probes_than_one_statement_takes_are_all_asked(postings: Postings) -> None:
    postings.add(1, [999], NOW)
    assert found(postings, [*range(300), 999]) == [1]


def test_an_index_that_was_closed_and_opened_answers_the_same(tmp_path: Path) -> None:
    with Store(tmp_path / "news.db") as store:
        Postings(store.connection).add(1, [10, 11], NOW)
    with Store(tmp_path / "news.db") as store:
        assert found(Postings(store.connection), [11]) == [1]


def test_it_finds_what_the_index_in_memory_finds(postings: Postings) -> None:
    text = "The harbour master of Varholm closed the inner basin on Monday after a crane fell across two moored boats."
    kept = dedup.sketch("", text)
    postings.add(1, kept.postings.tolist(), NOW)
    new = dedup.sketch("", "HARBOUR NEWS. " + text + " No one was hurt.")
    assert found(postings, new.probes.tolist()) == [1]
    index = dedup.Index()
    index.add(1, kept)
    assert index.judge(new).copy_of == 1


TEXTS = [
    "A crane fell across two boats in the harbour of Varholm on Monday and closed the inner basin, the harbour master "
    "said. Nobody was hurt, but 14 fishermen cannot leave before the steel has been cut up and taken away on Thursday.",
    "The council of Lindesholm voted 14 to 9 on Monday to build a new swimming pool for 11.8 million crowns. The old "
    "one dates from 1971 and loses twenty cubic metres of water a day, Mayor Gesa Brinkop told the meeting.",
]


def fold(path: Path, texts: list[str], *, restart: bool) -> list[int]:
    """Where each text went, with the index and the kept texts in one file that is closed after each one or not."""
    store, went = Store(path), []
    kept: dict[int, str] = {}
    for number, text in enumerate(texts):
        if restart:
            store.close()
            store = Store(path)
        postings = Postings(store.connection)
        when = datetime.fromtimestamp(NOW + number, UTC)
        sketch = dedup.sketch("", text, published=when)
        hits = postings.candidates(sketch.probes.tolist(), NOW + number, WINDOW)
        found = [Candidate(hit.story, "", kept[hit.story], when, shared=hit.shared) for hit in hits]
        verdict = dedup.judge(sketch, found)
        if verdict.copy_of is None:
            kept[number] = text
            postings.add(number, sketch.postings.tolist(), NOW + number)
        went.append(number if verdict.copy_of is None else verdict.copy_of)
    store.close()
    return went


def test_a_restart_after_any_text_changes_nothing(tmp_path: Path) -> None:
    texts = [*TEXTS, TEXTS[0] + " A second crane was closed.", TEXTS[1].replace("Mayor", "mayor"), TEXTS[0]]
    unbroken = fold(tmp_path / "a.db", texts, restart=False)
    assert unbroken == [0, 1, 0, 1, 0]
    assert fold(tmp_path / "b.db", texts, restart=True) == unbroken


def test_a_tiny_copy_that_shares_a_single_posting_is_compared(tmp_path: Path) -> None:
    """A longer text posts a sample of its shingles, so that a few of its lines may have one of these in common."""
    words = f"{TEXTS[0]} {TEXTS[1]}".split()
    kept = story(1, title="Varholm", text=" ".join(words), words=len(words))
    with Store(tmp_path / "news.db") as store:
        whole = sketch_of(kept)
        store.stories.add(kept, terms_of(whole), None, datetime.fromtimestamp(NOW, UTC))
        lines = [" ".join(words[at : at + 22]) for at in range(len(words) - 22)]
        alike = [sketch_of(story(2, title="Varholm", text=line)) for line in lines]
        single = [s for s in alike if len(set(whole.postings.tolist()) & set(s.probes.tolist())) == 1]
        assert single
        for one in single:
            assert [c.id for c in store.stories.candidates(terms_of(one), WINDOW)] == [1]
