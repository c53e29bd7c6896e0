"""The newsroom as a reader meets it: a real Datasette on a real database, while a writer is at work."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import yaml
from newsroom_data import HOSTILE, create, more_copies, seed
from newsroom_process import Newsroom, Writer

from aggregator.newsroom import install
from aggregator.schema import COLUMNS

pytest.importorskip("datasette", reason="the datasette extra is not installed")

ATOM = "{http://www.w3.org/2005/Atom}"
METADATA = yaml.safe_load((Path(install.__code__.co_filename).parent / "metadata.yaml").read_text())
QUERIES = METADATA["databases"]["news"]["queries"]
TABLES = [
    "articles",
    "duplicates",
    "feeds",
    "fetches",
    "entries",
    "revisions",
    "boilerplate",
    "removed_blocks",
    "hosts",
]
VIEWS = ["wire_stories", "events", "feed_health", "who_copies_whom", "removed_by_rule"]
ROWS = [
    "articles/1",
    "duplicates/1",
    "duplicates/3",
    "feeds/1",
    "feeds/8",
    "revisions/1",
    "boilerplate/1",
    "entries/1",
]
PAGES = [
    "/", "/news", "/-/dashboards", "/-/dashboards/newsroom", "/-/dashboards/newsroom/who",
    *(f"/news/{name}" for name in (*COLUMNS, *VIEWS, *QUERIES, *ROWS)),
    "/news/articles?_search=night+boats", "/news/articles?_view=grid", "/news/articles?_nocol=text",
    "/news/articles?_sort_desc=copies", "/news/articles?site=halyard.example", "/news/articles?_next=2026-11-20,7",
    "/news/search?words=night+%22boats%22", "/news/search?words=%22unbalanced", "/news/latest?tag=wire",
]  # fmt: skip


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newsroom") / "db"
    seed(folder / "news.db").close()
    install(folder)
    return folder


@pytest.fixture(scope="module")
def newsroom(directory):
    writer = Writer(directory / "news.db")
    with Newsroom(directory) as running:
        writer.start()
        yield running
        writer.stopped.set()
        writer.join()
    assert writer.error is None
    assert writer.commits > 0


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty") / "db"
    create(folder / "news.db").close()
    install(folder)
    with Newsroom(folder) as running:
        yield running


# ------------------------------------------------------------------------------------------- every page


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens(newsroom, path):
    status, body = newsroom.get(path)
    assert status == 200
    assert "</html>" in body


def test_nothing_is_locked_when_many_read_while_one_writes(newsroom):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(newsroom.get, PAGES * 3))
    assert {status for status, _ in answers} == {200}
    assert not any("database is locked" in body for _, body in answers)


@pytest.mark.parametrize(
    ("path", "section"),
    [("/", "Front page"), ("/news/articles?language=de", "Stories"), ("/news", "Questions"), ("/news/latest", "Follow"),
     ("/-/dashboards/newsroom", "Dashboard")],
)  # fmt: skip
def test_the_section_that_is_open_is_marked(newsroom, path, section):
    assert re.findall(r'aria-current="page">([^<]*)<', newsroom.page(path)) == [section]


@pytest.mark.parametrize("path", ["/news/articles/99999", "/news/nothing", "/nothing"])
def test_what_is_not_there_says_so_and_leads_back(newsroom, path):
    status, body = newsroom.get(path)
    assert status == 404
    assert "Back to the front page" in body


@pytest.mark.parametrize("path", PAGES)
def test_what_a_publisher_wrote_is_never_markup(newsroom, path):
    body = newsroom.page(path)
    assert "<script>alert" not in body
    assert "<b>bold" not in body
    assert not re.search(r"""href=["']?\s*javascript:""", body)


@pytest.mark.parametrize(
    "path", ["/news/articles/1", "/news/duplicates/1", "/news/feeds/1", "/news/articles?_view=grid"]
)
def test_links_out_do_not_tell_where_the_reader_came_from(newsroom, path):
    links = re.findall(r'<a [^>]*href="https?://(?!datasette\.io|127\.0)[^>]*>', newsroom.page(path))
    assert links
    assert all('rel="noreferrer noopener"' in link for link in links)


# ------------------------------------------------------------------------------------------- front page


def test_the_front_page_counts_and_says_what_share_was_folded_away(newsroom):
    text = newsroom.text("/")
    assert "41 stories" not in text  # figures come before their words
    assert "stories 41" in text
    assert re.search(r"copies folded away, \d\d % of all 5\d", text)
    assert "feeds that need you 2" in text


def test_the_front_page_leads_with_what_most_ran_and_badges_the_rest(newsroom):
    text = newsroom.text("/")
    assert re.search(r"\+5 5 other copies of this text", text)
    assert "What everyone is running 6 ran it" in text
    assert "Night boats sail again as Issel ferry dispute ends +3" in text


def test_the_front_page_names_the_feeds_in_trouble_with_reason_and_cure(newsroom):
    text = newsroom.text("/")
    assert (
        "Saltroadtimes What came is not a feed, 6 times in a row. The site may have a new feed: aggregator add"
        in text
    )
    assert "Oldmillcourier The feed was taken down for good (410). It is not asked again." in text


def test_a_text_that_is_its_headline_is_not_told_twice(tmp_path):
    create(tmp_path / "db/news.db").close()
    with sqlite3.connect(tmp_path / "db/news.db") as database:
        database.execute(
            "insert into articles (title, published_at, site, text, words, url, source, first_seen_at, changed_at)"
            " values ('A red bridge', '2026-11-20T00:00:00Z', 'a.example', 'A red bridge', 3, 'https://a.example/1',"
            " 'feed', '2026-11-20T00:00:00Z', '2026-11-20T00:00:00Z')"
        )
    install(tmp_path / "db")
    with Newsroom(tmp_path / "db") as running:
        assert [running.text(path).count("A red bridge") for path in ("/", "/news/articles")] == [1, 1]


def test_an_empty_database_says_what_to_do(tmp_path):
    create(tmp_path / "db" / "news.db").close()
    install(tmp_path / "db")
    with Newsroom(tmp_path / "db") as newsroom:
        text = newsroom.text("/")
        assert "No articles yet" in text
        assert "aggregator fetch" in text
        assert "aggregator demo" in text
        assert "No articles yet" in newsroom.text("/news/articles")
        entries = ElementTree.fromstring(newsroom.page("/news/latest.atom")).findall(ATOM + "entry")
        assert [entry.findtext(ATOM + "title") for entry in entries] == ["Nothing here yet"]


@pytest.mark.parametrize(
    ("path", "step"),
    [("/news/feeds", "aggregator add with a site's address; then aggregator fetch"),
     ("/news/duplicates", "The feeds say when each is asked"), ("/-/dashboards/newsroom", "Run aggregator fetch")],
)  # fmt: skip
def test_what_is_empty_names_the_next_step(empty, path, step):
    assert step in empty.text(path).replace(f" --db {empty.database}", "")


def test_without_a_database_the_front_page_still_says_what_to_do(tmp_path):
    install(tmp_path / "db")
    with Newsroom(tmp_path / "db") as newsroom:
        assert "No articles yet" in newsroom.text("/")


def test_a_private_database_is_not_shown_on_the_front_page(tmp_path):
    seed(tmp_path / "db" / "news.db", articles=3).close()
    install(tmp_path / "db")
    private = {**METADATA, "databases": {"news": {**METADATA["databases"]["news"], "allow": {"id": "root"}}}}
    (tmp_path / "db" / "metadata.yaml").write_text(yaml.safe_dump(private))
    with Newsroom(tmp_path / "db") as newsroom:
        assert "Night boats" not in newsroom.page("/")
        assert newsroom.get("/news/articles/1")[0] == 403


# ---------------------------------------------------------------------------------------- one story


def test_a_story_shows_who_reported_the_same_event_in_other_words(newsroom):
    assert "1 other report of this event" in newsroom.text("/news/articles/1")
    assert '<a href="/news/articles/1">' in newsroom.page("/news/articles/2")
    assert "of this event" not in newsroom.text("/news/articles/3")


def test_a_story_reads_as_paragraphs(newsroom):
    body = newsroom.page("/news/articles/1")
    text = re.search(r'<div class="text" lang="en">(.*?)</div>', body, re.DOTALL)
    assert text
    assert text[1].count("<p ") == 6


def test_a_story_says_who_else_ran_it_and_why(newsroom):
    text = newsroom.text("/news/articles/1")
    assert "3 other outlets ran this text" in text
    assert "valleypost.example 100 % the same text, word for word, 98 % sure · 22 min later" in text
    assert (
        "uplandgazette.example 99 % Ferry dispute ends a shorter cut of the same text, 98 % sure · 35 min later"
        in text
    )


def test_copies_of_the_storys_own_outlet_are_counted_as_copies(newsroom):
    assert "1 other copy of this text evil.example 90 %" in newsroom.text("/news/articles/41")


def test_of_many_copies_the_first_are_shown_and_the_rest_folded(tmp_path):
    db = seed(tmp_path / "db" / "news.db", articles=1)
    with db.conn:
        more_copies(db, 17)
    db.close()
    install(tmp_path / "db")
    with Newsroom(tmp_path / "db") as newsroom:
        shown, folded = newsroom.page("/news/articles/1").split('<details class="rule">')[:2]
    assert (shown.count('class="bar"'), folded.count('class="bar"')) == (8, 12)
    assert "12 more" in folded


def test_a_tag_leads_to_its_part_of_the_river(newsroom):
    assert 'href="/news/latest?tag=wire"' in newsroom.page("/news/articles/1")


def test_a_story_shows_what_was_removed_by_rule_and_from_how_many_pages(newsroom):
    text = newsroom.text("/news/articles/1")
    assert "What was removed from this page 5 blocks" in text
    assert "related 2 blocks" in text
    assert "removed from 97 pages of harbourherald.example" in text


def test_a_story_shows_its_earlier_wordings_and_where_it_was_seen(newsroom):
    text = newsroom.text("/news/articles/1")
    assert "Earlier wordings Night boats may sail again edited by its outlet" in text
    assert "Where it was seen Harbourherald" in text


def test_a_story_lists_every_feed_and_outlet_that_had_it_with_time_and_link(newsroom):
    body = newsroom.page("/news/articles/1").split('id="seen"')[1].split("</section>")[0]
    assert re.findall(r"<bdi>(\w+)</bdi>", body) == [
        "Harbourherald",
        "Valleypost",
        "Uplandgazette",
        "Skerrymail",
    ]
    assert re.findall(r'href="/news/duplicates/(\d)"', body) == ["1", "2", "3"]
    assert 'href="https://skerrymail.example/boats" rel="noreferrer noopener">skerrymail.example</a>' in body
    assert body.count("ago</time>, <time") == 4


def test_an_outlet_whose_feed_is_not_followed_any_more_is_still_where_a_story_was_seen(tmp_path):
    db = seed(tmp_path / "db" / "news.db", articles=1)
    with db.conn:
        db.execute("update duplicates set feed_id = null where id = 2")
        db.execute("delete from entries where duplicate_id = 2")
    db.close()
    install(tmp_path / "db")
    with Newsroom(tmp_path / "db") as newsroom:
        assert "uplandgazette.example copy c2" in newsroom.text("/news/articles/1")


def test_a_copy_shows_the_decision_and_how_to_undo_it(newsroom):
    text = newsroom.text("/news/duplicates/3")
    assert "skerrymail.example ran the same text with small edits, 95 min later." in text
    assert "Resemblance 55 %" in text
    assert "Containment 82 %" in text
    assert "aggregator unfold c3" in text


def test_commands_name_the_database_that_is_not_the_one_meant_anyway(newsroom, directory):
    for path, command in (
        ("duplicates/3", "unfold c3"),
        ("articles/1", "why 1"),
        ("articles/1", "restore b1"),
    ):
        assert f"aggregator {command} --db {directory / 'news.db'}" in newsroom.text(f"/news/{path}")


def test_a_copy_stands_beside_the_kept_text_with_the_differences_marked(newsroom):
    body = newsroom.page("/news/duplicates/3")
    assert '<mark class="left">In our own town the bakery sent forty loaves to the quay.</mark>' in body
    assert re.search(r'<mark class="right">Under the deal, crews will work', body)


def test_a_revision_shows_what_changed(newsroom):
    body = newsroom.page("/news/revisions/1")
    assert '<mark class="left">180 </mark>' in body
    assert '<mark class="right">212 </mark>' in body


def test_which_feeds_need_me_says_what_is_wrong_in_words_and_what_can_be_done(newsroom):
    text = newsroom.text("/news/feeds_that_need_you")
    assert (
        "What came is not a feed. The site may have a new feed: aggregator add with the site's address"
        in text
    )
    assert "not_a_feed" not in text
    assert "not_a_feed" in newsroom.page("/news/feeds_that_need_you.json")


def test_a_feed_says_how_long_ago_and_when_it_was_asked(newsroom):
    assert re.search(r"Last asked \d+ min ago, \d+ \w+ \d{4}, \d\d:\d\d ", newsroom.text("/news/feeds/1"))


def test_a_feed_says_how_it_is_and_when_it_is_asked_next(newsroom):
    text = newsroom.text("/news/feeds/8")
    assert "What came is not a feed, 6 times in a row." in text
    assert "Why then adaptive: about one story in 50 min" in text


# ------------------------------------------------------------------------------------ tables and questions


def test_the_river_keeps_search_facets_and_exports(newsroom):
    body = newsroom.page("/news/articles")
    assert re.findall(r'data-column="(\w+)"', body) == ["site", "agency", "language", "source"]
    assert "facets-timed-out" not in body
    assert "/news/articles.json" in body
    assert "/news/articles.csv" in body
    assert 'name="_search"' in body


def test_the_newest_story_comes_first(newsroom):
    published = [row["published_at"] for row in newsroom.json("/news/articles.json?_shape=objects")["rows"]]
    assert published == sorted(published, reverse=True)


def test_search_finds_a_word_in_the_text(newsroom):
    assert "1 story" in newsroom.text("/news/articles?_search=potatoes")
    assert [
        row["article_id"] for row in newsroom.json("/news/search.json?words=potatoes&_shape=objects")["rows"]
    ] == [1]


@pytest.mark.parametrize("words", ["", "   ", '"', "a AND", "* OR (", "title:", "日本", "\0"])
def test_any_words_are_safe_to_search(newsroom, words):
    status, _ = newsroom.get(f"/news/search.json?words={quote(words)}")
    assert status == 200


TYPED = ["", "   ", '"', '"' * 999, '" "', "a AND", "* OR (", "title:", "-ferry", "NEAR(", "日本", "\U0001f642", "%",
         "\0", "ferry\0", "ferry " * 1500, "x" * 10_000]  # fmt: skip


@pytest.mark.parametrize("words", TYPED, ids=lambda words: repr(words[:9]))
def test_whatever_is_typed_into_the_search_box_opens_a_list_of_stories(newsroom, words):
    assert "<h1>Stories" in newsroom.page(f"/news/articles?_search={quote(words)}")


@pytest.mark.parametrize("words", ["", "%20", "%22"])
def test_a_search_for_nothing_shows_what_the_filters_leave(newsroom, words):
    asked = newsroom.json(f"/news/articles.json?language=de&_search={words}&_shape=objects")
    assert {row["language"] for row in asked["rows"]} == {"de"}


def test_a_search_shows_where_the_words_stand_and_marks_them(newsroom):
    body = newsroom.page("/news/articles?_search=dockers")
    assert "<h1>Stories with &ldquo;dockers&rdquo;</h1>" in body
    assert "BRACKWATER (Northern Press) - <mark>Dockers</mark> and ferry companies" in body


def test_a_search_by_relevance_is_a_list_to_read(newsroom):
    body = newsroom.page("/news/search?words=dockers")
    assert "<mark>Dockers</mark>" in body
    assert '<a href="/news/articles/1">Night boats sail again' in body


def test_a_search_without_result_says_what_to_try(newsroom):
    for path in ("/news/articles?_search=zanzibar", "/news/search?words=zanzibar"):
        assert "No story holds all of these words. Try fewer of them." in newsroom.text(path)


def test_facets_are_told_in_words(newsroom):
    text = newsroom.text("/news/duplicates")
    assert "Why folded the same text, word for word" in text
    assert "Deutsch" in newsroom.text("/news/articles")


def test_a_chosen_facet_can_be_taken_away(newsroom):
    body = newsroom.page("/news/articles?language=de")
    assert re.search(r'<a href="[^"?]*/news/articles" aria-current="true">Deutsch', body)


def test_stories_and_feeds_in_views_lead_to_their_pages(newsroom):
    assert '<a href="/news/articles/1">Night boats' in newsroom.page("/news/wire_stories")
    assert '<a href="/news/feeds/8">Saltroadtimes</a>' in newsroom.page("/news/feed_health")


def test_csv_has_every_column_and_row(newsroom):
    rows = list(csv.DictReader(io.StringIO(newsroom.page("/news/articles.csv?_size=max"))))
    assert len(rows) == 41
    assert list(rows[0]) == list(COLUMNS["articles"])


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_is_also_json_and_csv(newsroom, name):
    assert newsroom.json(f"/news/{name}.json")["ok"]
    assert newsroom.page(f"/news/{name}.csv")


def test_an_answer_leads_to_its_stories(newsroom):
    assert re.search(
        r'<a href="/news/articles/1">Night boats sail again', newsroom.page("/news/wire_of_the_day")
    )


@pytest.mark.parametrize(("followed", "shown"), [("2026-11-01", "1 min"), ("2026-11-30", "–")])
def test_the_delay_counts_only_what_came_out_since_its_feed_is_followed(tmp_path, followed, shown):
    db = create(tmp_path / "news.db")
    feed = (
        db["feeds"]
        .insert({"title": "F", "url": "u", "fetch_url": "u", "added_at": f"{followed}T00:00:00Z"})
        .last_pk
    )
    at = "2026-11-24T10:00:00Z"
    db["articles"].insert(
        {"title": "T", "published_at": at, "first_seen_at": "2026-11-24T10:01:00Z", "changed_at": at, "site": "s",
         "feed_id": feed, "url": "u", "text": "", "words": 0, "source": "page"}
    )  # fmt: skip
    charts = METADATA["plugins"]["datasette-dashboards"]["newsroom"]["charts"]
    assert db.execute(charts["delay"]["query"]).fetchone()[0] == shown
    assert [row[2] for row in db.execute(charts["delays"]["query"])] == [int(shown == "1 min"), 0, 0, 0, 0]


def test_no_question_hides_a_table_or_view(directory):
    db = sqlite3.connect(directory / "news.db")
    names = {row[0] for row in db.execute("select name from sqlite_master")}
    assert not names & set(QUERIES)


def test_who_had_it_first_counts_places(newsroom):
    rows = newsroom.json("/news/first_with_it.json?_shape=objects")["rows"]
    assert sum(row["first"] for row in rows) >= len({s["article_id"] for s in _shared(newsroom)})
    assert all(row["first"] <= row["stories"] for row in rows)


def _shared(newsroom):
    sql = quote("select id as article_id from articles where copies > 0")
    return newsroom.json(f"/news.json?sql={sql}&_shape=objects")["rows"]


def test_the_machines_own_tables_are_hidden(newsroom, directory):
    shown = {table["name"] for table in newsroom.json("/news.json")["tables"] if not table["hidden"]}
    assert shown == set(COLUMNS)


def test_columns_are_explained(newsroom):
    text = newsroom.text("/news/duplicates")
    assert COLUMNS["duplicates"]["resemblance"] in text


def test_every_facet_has_an_index(directory):
    db = sqlite3.connect(directory / "news.db")
    for table, settings in METADATA["databases"]["news"]["tables"].items():
        indexes = [row[1] for row in db.execute(f"pragma index_list({table})")]
        first = {db.execute(f"pragma index_info({index})").fetchone()[2] for index in indexes}
        assert {
            column for column in settings.get("facets", []) if column != "error_kind" or table == "fetches"
        } <= first


# ------------------------------------------------------------------------------------------------- Atom


def _entries(newsroom, query=""):
    return ElementTree.fromstring(newsroom.page(f"/news/latest.atom{query}")).findall(ATOM + "entry")


def test_the_river_is_atom_with_each_story_once(newsroom):
    entries = _entries(newsroom)
    assert len(entries) == 41
    assert len({entry.findtext(ATOM + "id") for entry in entries}) == 41
    first = next(
        e
        for e in entries
        if e.findtext(ATOM + "title") == "Night boats sail again as Issel ferry dispute ends"
    )
    assert first.find(ATOM + "link").get("href") == "https://harbourherald.example/2026/night-boats"
    content = first.findtext(ATOM + "content")
    assert content.count("<p>") == 7
    assert "Also at skerrymail.example, uplandgazette.example, valleypost.example" in content


def test_a_story_is_as_old_as_its_publication_or_its_last_rewriting(newsroom, directory):
    with sqlite3.connect(directory / "news.db", timeout=10) as db:
        published, changed = dict(db.execute("select id, published_at from articles")), "2026-11-24T01:02:03Z"
        db.execute("update articles set changed_at = ?", [changed])
    updated = {
        int(entry.findtext(ATOM + "id").rpartition("/")[2]): entry.findtext(ATOM + "updated")
        for entry in _entries(newsroom)
    }
    assert updated[1] == changed.replace("Z", "+00:00")  # it has a revision
    assert updated[2] == published[2].replace("Z", "+00:00")


def test_the_page_of_the_river_tells_the_address_for_a_feed_reader(newsroom):
    text = newsroom.text("/news/latest?tag=wire")
    assert f"{newsroom.url}/news/latest.atom?tag=wire" in text
    assert "1 story" in text
    assert "Night boats sail again as Issel ferry dispute ends" in text
    assert "0 stories" in newsroom.text("/news/latest?tag=none")


def test_atom_ids_stay_when_a_better_copy_takes_a_storys_place(newsroom, directory):
    before = {entry.findtext(ATOM + "id") for entry in _entries(newsroom)}
    with sqlite3.connect(directory / "news.db", timeout=10) as db:
        db.execute(
            "update articles set title = 'Better', url = 'https://lantern.example/b', site = 'lantern.example',"
            " published_at = '2026-11-01T00:00:00Z', changed_at = '2026-11-24T00:00:00Z' where id = 12"
        )
    after = _entries(newsroom)
    assert {entry.findtext(ATOM + "id") for entry in after} == before
    assert "Better" in {entry.findtext(ATOM + "title") for entry in after}


def test_atom_shows_markup_as_text(newsroom):
    hostile = next(entry for entry in _entries(newsroom) if "script" in entry.findtext(ATOM + "title"))
    assert hostile.findtext(ATOM + "title") == HOSTILE
    assert "&lt;script&gt;alert" in hostile.findtext(ATOM + "content")
    assert "<b>" not in hostile.findtext(ATOM + "content")
    assert hostile.find(ATOM + "link").get("href") == "about:blank"


def test_a_part_of_the_river_can_be_followed(newsroom):
    assert [e.findtext(ATOM + "title") for e in _entries(newsroom, "?tag=wire")] == [
        "Night boats sail again as Issel ferry dispute ends"
    ]
    assert len(_entries(newsroom, "?agency=Halyard")) == 8
    assert [e.findtext(ATOM + "title") for e in _entries(newsroom, "?tag=none")] == ["Nothing here yet"]
