"""What is stored can be judged again, folded and unfolded; decisions of the user stay."""

from __future__ import annotations

import pytest
from server import HTML
from test_pipeline import OTHER, SENTENCES, Rounds, item, page, rss

from aggregator import pipeline
from aggregator.errors import StoreError
from aggregator.model import Config, Feed, Verdict
from aggregator.store import Store


@pytest.fixture
def rounds(server, tmp_path):
    ready = Rounds(server, tmp_path / "news.db")
    ready.feeds = [Feed(server.url(f"/feed{n}")) for n in (1, 2, 3)]
    for number, text in ((1, SENTENCES), (2, SENTENCES[:5]), (3, OTHER)):
        server.answer(f"/{number}.html", body=page(f"Story {number}", text), type=HTML)
        server.answer(f"/feed{number}", body=rss(item(server, number, f"Story {number}", ready.now)))
    ready.run()
    assert ready.ask("select count(*) from articles") == [(2,)]
    return ready


def rejudge(rounds, **options):
    with Store(rounds.path) as store:
        return pipeline.rejudge(Config(()), store, clock=lambda: rounds.now, **options)


def test_judging_again_changes_nothing_when_nothing_changed(rounds):
    before = rounds.ask("select * from duplicates")
    report = rejudge(rounds)
    assert (report.texts, report.folded, report.unfolded, report.moved) == (3, 0, 0, 0)
    assert rounds.ask("select * from duplicates") == before


def test_judging_again_folds_what_was_missed(rounds):
    with Store(rounds.path) as store:
        ((copy,),) = rounds.ask("select id from duplicates")
        store.stories.unfold(copy, store_terms(store, copy), rounds.now, remember=False)
    assert rejudge(rounds).folded == 1
    assert rounds.ask("select count(*) from articles") == [(2,)]


def test_judging_again_brings_back_what_was_folded_wrongly(rounds):
    with Store(rounds.path) as store:
        ids = [row[0] for row in rounds.ask("select id from articles order by id")]
        store.stories.fold(ids[1], ids[0], Verdict(ids[0], "near_text"), rounds.now, remember=False)
    assert rejudge(rounds).unfolded == 1
    assert rounds.ask("select count(*) from articles") == [(2,)]


def test_what_the_user_folded_stays_folded(rounds):
    with Store(rounds.path) as store:
        ids = [row[0] for row in rounds.ask("select id from articles order by id")]
        pipeline.fold(store, ids[1], ids[0], rounds.now)
    assert rejudge(rounds).unfolded == 0
    assert rounds.ask("select count(*) from articles") == [(1,)]


def test_what_the_user_unfolded_stays_an_article(rounds):
    with Store(rounds.path) as store:
        pipeline.unfold(store, rounds.ask("select id from duplicates")[0][0], rounds.now)
    assert rejudge(rounds).folded == 0
    assert rounds.ask("select count(*) from articles") == [(3,)]


def test_a_broken_run_goes_on_where_it_stopped(rounds):
    seen = []

    def once(step):
        seen.append(step.done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rejudge(rounds, progress=once)
    assert rejudge(rounds, progress=lambda step: seen.append(step.done)).texts == 3
    assert seen == [1, 2, 3]


def test_folding_an_unknown_article_is_a_clear_error(rounds):
    with Store(rounds.path) as store, pytest.raises(StoreError, match="there is no article 99"):
        pipeline.fold(store, 99, 1, rounds.now)


def test_unfolding_an_unknown_copy_is_a_clear_error(rounds):
    with Store(rounds.path) as store, pytest.raises(StoreError, match="there is no folded copy 99"):
        pipeline.unfold(store, 99, rounds.now)


def store_terms(store, copy):
    from aggregator.pipeline.stories import sketch_of, terms_of

    return terms_of(sketch_of(store.reading.duplicate(copy)))


def test_a_removed_block_goes_back_where_it_stood(server, tmp_path):
    rounds = Rounds(server, tmp_path / "news.db")
    rounds.feeds = [Feed(server.url("/feed"))]
    note = "<div class=newsletter><p>Sign up for our newsletter and never miss a story.</p></div>"
    body = page("Ferry", SENTENCES).replace(f"<p>{SENTENCES[2]}", f"{note}<p>{SENTENCES[2]}")
    server.answer("/1.html", body=body, type=HTML)
    server.answer("/feed", body=rss(item(server, 1, "Ferry", rounds.now)))
    rounds.run()
    with Store(rounds.path) as store:
        (block,) = [row for row in store.sites.removed(article_id=1) if "Sign up" in row["text"]]
        pipeline.restore(store, block["id"], rounds.now)
        paragraphs = store.reading.article(1).text.split("\n\n")
        assert paragraphs[2].startswith("Sign up for our newsletter")
        assert paragraphs[:2] + paragraphs[3:] == list(SENTENCES)
        assert [row["reason"] for row in store.reading.revisions(article_id=1)] == ["restored"]
        assert block["id"] not in [row["id"] for row in store.sites.removed(article_id=1)]
        assert len(store.reading.search("newsletter")) == 1


def test_restoring_an_unknown_block_is_a_clear_error(rounds):
    with Store(rounds.path) as store, pytest.raises(StoreError, match="there is no removed block 999"):
        pipeline.restore(store, 999, rounds.now)
