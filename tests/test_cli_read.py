"""`status`, `latest`, `search`, `why`, `fold`, `unfold`, `prune`, `backup`: over the demo's archive."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest
from cli_runner import fine, objects, run

from aggregator.cli import read
from aggregator.store import reading

pytestmark = pytest.mark.usefixtures("archive")


def rows(sql: str, *params: object) -> list[tuple]:
    database = sqlite3.connect("db/news.db")
    with database:
        found = database.execute(sql, params).fetchall()
    database.close()
    return found


def most_copied() -> dict:
    return max(objects("latest", "-n", 100, "--json"), key=lambda article: article["copies"])


# ------------------------------------------------------------------------------------------ latest, search


def test_latest_lists_headlines_by_day_with_badges():
    text = fine("latest", "-n", 100)
    best = most_copied()
    [line] = [line for line in text.splitlines() if line.split()[:1] == [str(best["id"])]]
    assert f"+{best['copies']}  {best['title']}  {best['site']}" in line


def test_latest_shows_as_many_as_asked_newest_first():
    found = objects("latest", "-n", 3, "--json")
    assert len(found) == 3
    assert found == sorted(found, key=lambda article: article["published_at"], reverse=True)


def test_json_holds_the_whole_text_and_csv_the_short_facts():
    article = objects("latest", "-n", 1, "--json")[0]
    assert article["text"] == rows("select text from articles where id = ?", article["id"])[0][0]
    header, row = csv.reader(io.StringIO(fine("latest", "-n", 1, "--csv")))
    assert header == ["id", "published_at", "copies", "site", "title", "url"]
    assert row[4] == article["title"]


def test_latest_of_a_site_or_tag():
    site = most_copied()["site"]
    assert {article["site"] for article in objects("latest", "--site", site, "--json")} == {site}
    assert objects("latest", "--tag", "no such tag", "--json") == []
    assert "No articles like that." in run("latest", "--tag", "no such tag").stderr


def test_search_finds_words_and_phrases():
    article = most_copied()
    words = article["text"].split()[4:8]
    assert article["id"] in [found["id"] for found in objects("search", *words, "--json")]
    assert article["id"] in [found["id"] for found in objects("search", f'"{" ".join(words)}"', "--json")]
    backwards = " ".join(reversed(words))
    assert objects("search", f'"{backwards}"', "--json") == []


@pytest.mark.parametrize(
    "words", ["", "  ", '"', "'", "a AND", "NEAR(x y)", "title:", "(", "*", "-x", "a:b^2", "☃"]
)
def test_no_search_is_a_mistake(words):
    assert run("search", "--", words).exit_code == 0


def test_search_shows_where_the_word_stands():
    article = most_copied()
    word = next(word for word in article["text"].split()[20:] if word.isalpha() and len(word) > 6)
    text = fine("search", word)
    assert article["title"] in text
    assert word in text


# ------------------------------------------------------------------------------------------ read


def test_read_prints_the_text_of_a_story_and_how_many_copies_it_has():
    article = most_copied()
    text = fine("read", article["id"])
    assert text.startswith(f"{article['title']}\n")
    assert f"\n\n{article['text']}\n\n" in text
    assert f"{article['copies']} copies of it folded away: `aggregator why {article['id']}`" in text


def test_read_prints_several_and_takes_copies_and_addresses():
    [(copy_id, copy, url, story)] = rows(
        "select d.id, d.text, a.url, a.text from duplicates d join articles a on a.id = d.article_id limit 1"
    )
    text = fine("read", f"c{copy_id}", url)
    assert text.index(copy) < text.index("* * *") < text.index(story)


def test_read_of_a_headline_alone_says_why():
    rows("update articles set text = '', problem = 'a consent wall' where id = 1")
    assert fine("read", 1).endswith("\n\na consent wall\n")


@pytest.mark.parametrize(
    ("what", "message"),
    [("999", "there is no article 999"), ("c999", "there is no copy c999"), ("ferry", "neither a number nor a URL"),
     ("http://nowhere.example/", "no story is stored from http://nowhere.example/")],
)  # fmt: skip
def test_what_is_not_stored_cannot_be_read(what, message):
    result = run("read", what)
    assert result.exit_code == 2
    assert message in result.stderr


# ------------------------------------------------------------------------------------------ status


def test_status_tells_the_totals_and_the_feeds_that_need_you():
    text = fine("status")
    assert "feeds       10, 2 in trouble" in text
    assert "Feeds that need you" in text
    assert "the server is broken (503) (server_error); tried again in" in text
    assert "The site may have a new feed: `aggregator add` with the site's address finds it." in text


def test_status_counts_failures_in_a_row():
    rows("update feeds set failures = 3 where status = 'failing'")
    assert "(server_error); 3 times in a row; tried again in" in fine("status")


def test_status_tells_of_feeds_whose_pages_cannot_be_read(monkeypatch):
    monkeypatch.setattr(reading, "CLOSED_STORIES", 4)
    assert "cannot be read" not in fine("status")
    (feed,) = rows("select feed_id from articles group by feed_id order by count(*) desc limit 1")[0]
    title, stories = rows(
        "select f.title, count(*) from articles a join feeds f on f.id = a.feed_id where f.id = ?", feed
    )[0]
    rows(
        "update articles set source = 'feed', problem = 'the page is about something else: Log in' where feed_id = ?",
        feed,
    )
    text = fine("status")
    assert f"{title}  {stories} of {stories} stories of the last week, told by the feed alone" in text
    assert "the page is about something else: Log in" in text
    assert [found["id"] for found in objects("status", "--json")["closed_feeds"]] == [feed]


def test_status_failing_is_exit_1_when_there_are_any():
    result = run("status", "--failing", "--json")
    assert result.exit_code == 1
    assert {feed["status"] for feed in json.loads(result.stdout)["feeds"]} == {"failing"}
    rows("update feeds set status = 'ok'")
    assert run("status", "--failing").exit_code == 0


def test_status_as_json_has_totals_and_feeds():
    found = objects("status", "--json")
    assert found["totals"]["articles"] == rows("select count(*) from articles")[0][0]
    assert len(found["feeds"]) == 10


def test_status_verbose_says_which_files_and_why():
    text = fine("status", "-v")
    assert "db/news.db" in text
    assert "beside feeds.yaml" in text
    assert "feeds.yaml  the working directory" in text
    assert "(adaptive" in text


# ------------------------------------------------------------------------------------------ why


def test_why_tells_where_a_story_was_seen_and_which_copies_it_has_and_why():
    article = most_copied()
    text = fine("why", article["id"])
    copies = rows("select id, site, reason, title from duplicates where article_id = ?", article["id"])
    for copy_id, site, reason, title in copies:
        assert f"c{copy_id}  {title}" in text
        assert site in text
        assert f"({reason})" in text
    assert f"Seen in  {len(copies) + 1} places" in text
    assert "alike █" in text


def test_why_names_the_other_reports_of_the_event():
    [(first, report)] = rows("select event_id, id from articles where event_id is not null")
    assert f"article {report}" in fine("why", first).split("The same event in other words")[1]
    assert [other["id"] for other in objects("why", report, "--json")["reports"]] == [first]


def test_why_shows_what_was_taken_away_and_by_which_rule():
    [(article_id, text, reason)] = rows(
        "select r.article_id, b.text, r.reason from removed_blocks r join boilerplate b on b.id = r.boilerplate_id"
        " where r.article_id is not null order by length(b.text) limit 1"
    )
    told = fine("why", article_id, "-v")
    assert any(reason in line and text in line for line in told.splitlines())


def test_why_takes_a_story_by_url_and_a_copy_by_its_url_or_number():
    copy_id, url, article_id = rows("select id, url, article_id from duplicates limit 1")[0]
    [article_url] = rows("select url from articles where id = ?", article_id)[0]
    assert fine("why", article_url) == fine("why", article_id)
    assert fine("why", url) == fine("why", f"c{copy_id}")
    assert f"c{copy_id}  " in fine("why", url)


def test_why_takes_the_link_of_an_alert():
    [(article_id, url)] = rows("select id, url from articles limit 1")
    assert fine("why", f"https://www.google.com/url?rct=j&url={quote(url)}&ct=ga") == fine("why", article_id)


def test_why_diff_shows_both_texts_and_leaves_out_the_middle_of_what_they_share():
    text = fine("why", most_copied()["id"], "--diff", COLUMNS="120")
    assert "the kept text" in text
    assert "      =  " in text
    assert " words … " in text
    assert max(len(line) for line in text.splitlines() if line[6:9] in ("=  ", "~  ", "-  ", "+  ")) <= 120


def test_why_as_json_is_everything():
    story = objects("why", most_copied()["id"], "--diff", "--json")
    assert set(story) == {"article", "seen_in", "removed", "copies", "reports", "revisions"}
    assert len(story["copies"]) == story["article"]["copies"]
    assert all(
        passage in story["article"]["text"] for copy in story["copies"] for passage in copy["passages"]
    )


@pytest.mark.parametrize("what", ["99999", "c99999", "https://nowhere.example/x", "nonsense"])
def test_why_of_what_is_not_there_is_exit_2(what):
    result = run("why", what)
    assert result.exit_code == 2
    assert "error: " in result.stderr
    assert result.stdout == ""


def test_why_of_an_entry_that_waits_says_so():
    rows(
        "update entries set article_id = null, duplicate_id = null, problem = 'the page is down' where id = 1"
    )
    rows("delete from _urls where key = (select url from entries where id = 1)")
    [(url,)] = rows("select url from entries where id = 1")
    assert "it is not stored: the page is down" in fine("why", url)


def test_what_search_shows_has_dots_only_where_the_text_goes_on():
    article = most_copied()
    first = re.findall(r"\w{4,}", article["text"])[0]
    shown = [line.strip() for line in fine("search", first, "-n", 100).splitlines()]
    assert [line for line in shown if line.startswith(article["text"][:30]) and line.endswith("…")]


def test_what_is_to_be_typed_next_names_the_database_that_is_not_meant_anyway(archive, monkeypatch):
    monkeypatch.chdir(archive.parent)
    best = max(objects("latest", "--db", "demo/db/news.db", "--json"), key=lambda article: article["copies"])
    assert re.search(
        r"`aggregator unfold c\d+ --db demo/db/news.db`", fine("why", best["id"], "--db", "demo/db/news.db")
    )
    assert "--db" not in fine("why", best["id"], AGGREGATOR_DB="demo/db/news.db")


# ------------------------------------------------------------------------------------------ fold, unfold


def test_unfold_makes_a_copy_a_story_and_fold_undoes_it():
    copy_id, title, article_id = rows("select id, title, article_id from duplicates limit 1")[0]
    result = run("unfold", f"c{copy_id}")
    assert result.exit_code == 0, result.stderr
    [(new_id,)] = rows("select max(id) from articles where title = ?", title)
    assert f"✓ {title}  is article {new_id} now" in result.stderr
    assert rows("select count(*) from duplicates where id = ?", copy_id) == [(0,)]
    fine("fold", new_id, article_id)
    assert rows(
        "select reason, title from duplicates where article_id = ? and reason = 'by_hand'", article_id
    ) == [("by_hand", title)]


@pytest.mark.parametrize("words", ["unfold c999", "unfold x", "fold 1 999", "fold 999 1", "fold 1 1"])
def test_folding_what_is_not_there_is_exit_2_and_changes_nothing(words):
    before = rows("select count(*) from articles")
    result = run(*words.split())
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert rows("select count(*) from articles") == before


def test_restore_puts_a_removed_block_back_and_keeps_the_text_before():
    [(block_id, article_id, words)] = rows(
        "select r.id, r.article_id, b.text from removed_blocks r join boilerplate b on b.id = r.boilerplate_id"
        " where r.article_id is not null order by length(b.text) desc limit 1"
    )
    assert f"  b{block_id}  " in fine("why", article_id, "-v")
    result = run("restore", f"b{block_id}")
    assert result.exit_code == 0, result.stderr
    assert f"✓ b{block_id} is back in the text of article {article_id}" in result.stderr
    assert words in rows("select text from articles where id = ?", article_id)[0][0]
    assert "Earlier wordings  1 revision" in fine("why", article_id)


@pytest.mark.parametrize(
    ("command", "both"), [("unfold", "copy c1 or article 1"), ("restore", "block b1 or article 1")]
)
def test_a_number_without_its_letter_is_ambiguous_and_changes_nothing(command, both):
    before = rows("select * from articles"), rows("select * from duplicates")
    result = run(command, 1)
    assert result.exit_code == 2
    assert f"1 may be {both}" in result.stderr
    assert (rows("select * from articles"), rows("select * from duplicates")) == before


@pytest.mark.parametrize("block", ["b99999", "x"])
def test_restore_of_what_is_not_there_is_exit_2(block):
    result = run("restore", block)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


# ------------------------------------------------------------------------------------------ prune, backup


def age(days: int) -> None:
    rows(
        f"update articles set first_seen_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-{days} days') where id <= 5"
    )


def test_prune_deletes_what_is_older_and_says_how_many():
    age(200)
    before = rows("select count(*) from articles")[0][0]
    result = run("prune", "--older-than", "180d", "--yes")
    assert result.exit_code == 0
    assert "✓ 5 articles and " in result.stderr
    assert rows("select count(*) from articles")[0][0] == before - 5


def test_prune_dry_run_deletes_nothing():
    age(200)
    result = run("prune", "--older-than", "180d", "--dry-run")
    assert "5 articles and" in result.stderr
    assert rows("select count(*) from articles where id <= 5") == [(5,)]


def test_prune_without_anybody_to_ask_deletes_nothing():
    age(200)
    result = run("prune", "--older-than", "26w")
    assert result.exit_code == 2
    assert "say --yes where nobody can be asked" in result.stderr
    assert rows("select count(*) from articles where id <= 5") == [(5,)]


@pytest.mark.parametrize(("answer", "left", "code"), [("y", 0, 0), ("n", 5, 2), ("", 5, 2)])
def test_prune_asks_who_is_there(monkeypatch, answer, left, code):
    age(200)
    monkeypatch.setattr("aggregator.cli.upkeep._somebody_is_there", lambda: True)
    result = run("prune", "--older-than", "180d", input=f"{answer}\n")
    assert result.exit_code == code
    assert "for good? [y/N]" in result.stderr
    assert rows("select count(*) from articles where id <= 5") == [(left,)]


@pytest.mark.parametrize("time", ["180", "soon", "-3d", "999999999999d"])
def test_prune_needs_a_length_of_time(time):
    assert run("prune", f"--older-than={time}", "--yes").exit_code == 2


def test_backup_is_a_whole_database_under_a_new_name():
    result = run("backup", "copy.db")
    assert result.exit_code == 0
    assert result.stderr.startswith("✓ copy.db  ")
    assert objects("latest", "--json", "--db", "copy.db") == objects("latest", "--json")
    again = run("backup", "copy.db")
    assert again.exit_code == 2
    assert "there is a file already" in again.stderr


def test_backup_into_a_folder_that_is_not_there_is_exit_2():
    result = run("backup", "nowhere/copy.db")
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert not Path("nowhere").exists()


# ------------------------------------------------------------------------------------------ demo


def test_the_demo_tells_what_it_found_and_what_to_type_next(tmp_path):
    result = run("demo", tmp_path / "again")
    assert result.exit_code == 0
    assert result.stdout == ""
    totals = objects("status", "--json", "--db", tmp_path / "again/db/news.db")["totals"]
    found = (
        f"{totals['entries']} entries from 8 feeds: {totals['articles']} articles, {totals['copies']} copies"
    )
    assert f"✓ {found} folded away, 2 feeds failed" in result.stderr
    assert "datasette" in result.stderr
    second = run("demo", tmp_path / "again")
    assert "Nothing new since the last run." in second.stderr
    assert (
        objects("status", "--json", "--db", tmp_path / "again/db/news.db")["totals"]["articles"]
        == totals["articles"]
    )


def test_status_says_of_each_of_a_few_feeds_when_it_is_asked_next_and_why(monkeypatch):
    told = fine("status")
    assert "All feeds" in told
    assert "asked in" in told
    monkeypatch.setattr(read, "A_SCREEN", 0)
    assert "`aggregator status -v` says when each feed is asked next, and why" in fine("status")
