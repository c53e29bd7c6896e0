"""What is stored can be judged again, folded and unfolded; decisions of the user stay."""

from __future__ import annotations

import pytest
from server import HTML
from test_pipeline import OTHER, SENTENCES, Rounds, item, page, rss

from aggregator import pipeline
from aggregator.errors import StoreError
from aggregator.model import Config, Feed, Verdict
from aggregator.store import Store

NEWS = (
    "The museum of rope in Vellhaven opens on Saturday, nine years after its roof fell in, its director said.",
    "Ropes from forty countries are shown, the longest of 1,120 metres, which took a whole winter to lay.",
    "Tickets cost nine crowns; sailors and everybody who brings a knot that nobody knows enter free.",
)


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
        store.folding.unfold(copy, store_terms(store, copy), rounds.now, remember=False)
    assert rejudge(rounds).folded == 1
    assert rounds.ask("select count(*) from articles") == [(2,)]


def test_judging_again_brings_back_what_was_folded_wrongly(rounds):
    with Store(rounds.path) as store:
        ids = [row[0] for row in rounds.ask("select id from articles order by id")]
        store.folding.fold(ids[1], ids[0], Verdict(ids[0], "near_text"), rounds.now, remember=False)
    assert rejudge(rounds).unfolded == 1
    assert rounds.ask("select count(*) from articles") == [(2,)]


def test_a_story_that_judging_again_brings_back_is_put_to_its_event(rounds):
    with Store(rounds.path) as store:
        ids = [row[0] for row in rounds.ask("select id from articles order by id")]
        store.folding.fold(ids[1], ids[0], Verdict(ids[0], "near_text"), rounds.now, remember=False)
        store.connection.execute("delete from _topics")
    rejudge(rounds)
    ((back,),) = rounds.ask("select max(id) from articles")
    assert back in {row[0] for row in rounds.ask("select articles from _topics")}


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


def test_what_the_user_unfolded_stays_an_article_also_when_it_is_the_older_one(rounds):
    """It is then the article that is looked at with the unfolded copy among what came before."""
    with Store(rounds.path) as store:
        copy = pipeline.unfold(store, rounds.ask("select id from duplicates")[0][0], rounds.now)
        store.connection.execute(
            "update articles set published_at = '2000-01-01T00:00:00Z' where id = ?", (copy.article_id,)
        )
        store.connection.execute(
            "update articles set published_at = '2000-01-01T01:00:00Z' where id <> ?", (copy.article_id,)
        )
    assert rejudge(rounds).folded == 0
    assert rounds.ask("select count(*) from articles") == [(3,)]


def test_what_the_user_unfolded_stays_apart_also_under_a_better_text(rounds, server):
    with Store(rounds.path) as store:
        pipeline.unfold(store, rounds.ask("select id from duplicates")[0][0], rounds.now)
    better = Feed(server.url("/feed4"), priority=1)
    rounds.feeds.append(better)
    server.answer("/4.html", body=page("Story 2", SENTENCES[:5]), type=HTML)
    server.answer("/feed4", body=rss(item(server, 4, "Story 2", rounds.now)))
    rounds.later(minutes=5).run()
    before = rounds.ask("select id, copies from articles order by id")
    assert before[-1][1] == 1
    rejudge(rounds)
    assert rounds.ask("select id, copies from articles order by id") == before


def test_copies_that_moved_along_when_the_user_folded_their_story_stay(rounds, server):
    rounds.feeds.append(Feed(server.url("/feed4")))
    server.answer("/4.html", body=page("Story 3", OTHER), type=HTML)
    server.answer("/feed4", body=rss(item(server, 4, "Story 3", rounds.now)))
    rounds.later(minutes=5).run()
    one, two = [row[0] for row in rounds.ask("select id from articles order by id")]
    with Store(rounds.path) as store:
        pipeline.fold(store, two, one, rounds.now)
    assert rejudge(rounds).unfolded == 0
    assert rounds.ask("select id, copies from articles") == [(one, 3)]


def test_what_the_user_decided_last_counts(rounds):
    with Store(rounds.path) as store:
        copy = pipeline.unfold(store, rounds.ask("select id from duplicates")[0][0], rounds.now)
        ((kept,),) = rounds.ask("select article_id from duplicates union select 1")
        pipeline.fold(store, kept, copy.article_id, rounds.now)
    assert rejudge(rounds).unfolded == 0
    assert rounds.ask("select count(*) from articles") == [(2,)]


def test_judging_again_keeps_the_preferred_text(rounds):
    with Store(rounds.path) as store:
        ((copy, kept),) = rounds.ask("select id, article_id from duplicates")
        alone = store.folding.unfold(copy, store_terms(store, copy), rounds.now, remember=False).article_id
        store.connection.execute(
            "update feeds set priority = 1 where id = (select feed_id from articles where id = ?)", (alone,)
        )
    text = rounds.ask("select text from articles where id = ?", alone)
    assert rejudge(rounds).folded == 1
    assert rounds.ask("select text from articles where id = ?", kept) == text
    assert rounds.ask("select reason from revisions") == [("better_copy",)]
    assert rounds.ask("select count(*) from entries where article_id = ? and duplicate_id is null", kept) == [
        (1,)
    ]
    rounds.ask("insert into articles_fts(articles_fts, rank) values ('integrity-check', 1)")


def test_a_copy_that_is_edited_into_another_story_is_one(rounds, server):
    ((site,),) = rounds.ask("select url from duplicates")
    number = site.rpartition("/")[2].removesuffix(".html")
    server.answer(f"/{number}.html", body=page("Museum opens at last", NEWS), type=HTML)
    server.answer(f"/feed{number}", body=rss(item(server, int(number), "Museum opens at last", rounds.now)))
    rounds.later(days=1).run()
    assert rounds.ask("select count(*) from duplicates where url = ?", site) == [(0,)]
    assert rounds.ask("select count(*) from articles where url = ?", site) == [(1,)]


def test_a_copy_that_is_edited_a_little_stays_one(rounds, server):
    ((site,),) = rounds.ask("select url from duplicates")
    number = site.rpartition("/")[2].removesuffix(".html")
    server.answer(f"/{number}.html", body=page("Ferry again", SENTENCES[:4]), type=HTML)
    server.answer(
        f"/feed{number}", body=rss(item(server, int(number), "Ferry, again", rounds.now, "Corrected"))
    )
    rounds.later(days=1).run()
    assert rounds.ask("select title, reason from duplicates") == [("Ferry again", "contained")]


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


def test_a_copy_that_the_user_folded_stays_one_whatever_it_says_later(rounds, server):
    ((number, site),) = rounds.ask("select id, url from articles where text like 'Bakers%'")
    with Store(rounds.path) as store:
        pipeline.fold(store, number, 1, rounds.now)
    server.answer("/3.html", body=page("Museum opens at last", NEWS), type=HTML)
    server.answer("/feed3", body=rss(item(server, 3, "Museum opens at last", rounds.now)))
    rounds.later(days=1).run()
    assert rounds.ask("select article_id, title from duplicates where url = ?", site) == [
        (1, "Museum opens at last")
    ]


def test_a_copy_that_is_edited_days_later_under_a_new_date_stays_one(rounds, server):
    ((site,),) = rounds.ask("select url from duplicates")
    number = site.rpartition("/")[2].removesuffix(".html")
    rounds.later(days=9)
    server.answer(f"/{number}.html", body=page("Ferry again", SENTENCES[:4]), type=HTML)
    server.answer(
        f"/feed{number}", body=rss(item(server, int(number), "Ferry, again", rounds.now, "Corrected"))
    )
    rounds.later(hours=1).run()
    assert rounds.ask("select title, reason from duplicates") == [("Ferry again", "contained")]
