"""The full-text index is in step with the articles, whatever happens to them in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_store import NOW, TERMS, story

from aggregator.model import Saved, Verdict
from aggregator.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "news.db") as opened:
        yield opened
        opened.connection.execute(
            "insert into articles_fts(articles_fts, rank) values ('integrity-check', 1)"
        )


def found(store: Store, word: str) -> list[int]:
    rows = store.connection.rows(
        "select rowid from articles_fts where articles_fts match ? order by 1", (word,)
    )
    return [row[0] for row in rows]


def test_a_new_article_is_found_when_its_transaction_is_over(store: Store) -> None:
    with store.transaction():
        store.stories.add(story(1, text="zanzibar"), TERMS, None, NOW)
        store.stories.add(story(2, text="zanzibar"), TERMS, None, NOW)
    assert found(store, "zanzibar") == [1, 2]


def test_an_article_that_is_edited_in_the_transaction_it_came_in_is_found_by_its_new_text(
    store: Store,
) -> None:
    with store.transaction():
        saved = store.stories.add(story(1, text="zanzibar"), TERMS, None, NOW)
        store.stories.revise(saved, story(1, text="quagga"), TERMS, None, NOW)
    assert (found(store, "zanzibar"), found(store, "quagga")) == ([], [1])


def test_an_article_whose_place_a_better_copy_takes_is_found_by_the_better_text(store: Store) -> None:
    with store.transaction():
        store.stories.add(story(1, text="zanzibar"), TERMS, None, NOW)
        store.stories.add_better(story(2, text="quagga"), Verdict(1, "contains"), TERMS, None, NOW)
        store.stories.add(story(3, text="zanzibar"), TERMS, None, NOW)
    assert (found(store, "zanzibar"), found(store, "quagga")) == ([2], [1])


def test_an_article_that_is_folded_in_the_transaction_it_came_in_is_not_found(store: Store) -> None:
    with store.transaction():
        store.stories.add(story(1), TERMS, None, NOW)
        store.stories.add(story(2, text="zanzibar"), TERMS, None, NOW)
        store.folding.fold(2, 1, Verdict(1, "by_hand"), NOW, remember=False)
    assert found(store, "zanzibar") == []


def test_what_a_failed_transaction_took_back_is_not_found(store: Store) -> None:
    with contextlib.suppress(RuntimeError), store.transaction():
        store.stories.add(story(1, text="zanzibar"), TERMS, None, NOW)
        raise RuntimeError
    assert store.stories.add(story(2, text="quagga"), TERMS, None, NOW) == Saved("article", 1)
    assert (found(store, "zanzibar"), found(store, "quagga")) == ([], [1])


def test_what_another_program_writes_is_found_after_our_next_transaction(store: Store) -> None:
    store.stories.add(story(1), TERMS, None, NOW)
    store.connection.execute("update articles set text = 'zanzibar'")  # no transaction of ours
    store.stories.add(story(2), TERMS, None, NOW)
    assert found(store, "zanzibar") == [1]
