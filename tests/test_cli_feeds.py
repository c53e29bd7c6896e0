"""`init`, `add`, `import`, `export`, `check`, and naming feeds on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from cli_runner import fine, run
from server import HTML, Server, refused_port

from aggregator import config, opml
from aggregator.cli.choosing import choose
from aggregator.model import Feed

ITEM = "<item><title>A</title><guid>1</guid></item>"
RSS = f"<rss version='2.0'><channel><title>Harbour Herald</title>{ITEM}</channel></rss>"

pytestmark = pytest.mark.usefixtures("empty_folder")


def followed() -> list[str]:
    return [feed.url for feed in config.load("feeds.yaml", None).feeds]


# ------------------------------------------------------------------------------------------ init


def test_init_writes_the_starter_feeds_the_database_and_the_newsroom():
    result = run("init", "news")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert len(config.load("news/feeds.yaml").feeds) == len(config.load(config.STARTER).feeds)
    assert Path("news/db/news.db").exists()
    assert Path("news/db/metadata.yaml").exists()
    assert "fetch --feeds news/feeds.yaml" in result.stderr


def test_the_first_line_names_the_installed_schema():
    fine("init")
    first = Path("feeds.yaml").read_text().split("\n", 1)[0]
    assert Path(first.partition("$schema=")[2]).samefile(config.SCHEMA)


def test_init_overwrites_nothing():
    Path("feeds.yaml").write_text("feeds:\n")
    result = run("init")
    assert result.exit_code == 0
    assert "was there already and is left as it is" in result.stderr
    assert Path("feeds.yaml").read_text() == "feeds:\n"


def test_init_empty_has_the_explanations_and_can_be_added_to():
    fine("init", "--empty")
    assert followed() == []
    fine("add", "--no-check", "https://a.example/feed")
    assert followed() == ["https://a.example/feed"]
    text = Path("feeds.yaml").read_text()
    assert "# --- or say more:" in text
    assert "Public news feeds" not in text


@pytest.mark.parametrize(("columns", "lines"), [("80", 2), ("200", 1)])
def test_what_to_type_next_is_never_broken_by_a_narrow_screen(columns, lines):
    said = run("init", "a folder with a name that is rather long for what it holds", COLUMNS=columns).stderr
    _, _, steps = said.partition("Next:\n")
    assert len(steps.splitlines()) == lines


# ------------------------------------------------------------------------------------------ add


def test_add_takes_a_feed(server):
    url = server.answer("/feed", body=RSS)
    result = run("add", url, "--tag", "local", "--priority", "10")
    assert result.exit_code == 0, result.stderr
    assert config.load("feeds.yaml").feeds == (Feed(url, tags=("local",), priority=10),)
    assert "Harbour Herald" in result.stderr


def test_add_finds_the_feed_that_a_page_names(server):
    link = '<link rel="alternate" type="application/rss+xml" href="/news.rss" title="News">'
    page = server.answer("/", body=f"<html><head>{link}</head><body>Hello</body></html>", type=HTML)
    feed = server.answer("/news.rss", body=RSS)
    fine("add", page)
    assert followed() == [feed]


def test_add_does_not_go_where_a_page_points_in_a_private_network(server):
    with Server() as inside:
        link = f'<link rel="alternate" type="application/rss+xml" href="{inside.answer("/feed", body=RSS)}">'
        page = server.answer("/", body=f"<html><head>{link}</head><body>Hello</body></html>", type=HTML)
        assert run("add", page).exit_code == 2
        assert inside.log == []


def test_add_tries_the_usual_places_when_the_page_names_none(server):
    Path("feeds.yaml").write_text("host_delay: 0s\nfeeds:\n")
    page = server.answer("/", body="<html><body>Hello</body></html>", type=HTML)
    feed = server.answer("/rss.xml", body=RSS)
    fine("add", page)
    assert followed() == [feed]


def test_add_says_what_is_there_when_it_is_no_feed(server):
    Path("feeds.yaml").write_text("host_delay: 0s\nfeeds:\n")
    page = server.answer("/", body="<html><title>Shoes</title><body>Hello</body></html>", type=HTML)
    result = run("add", page)
    assert result.exit_code == 2
    assert "an HTML page, “Shoes”, not a feed" in result.stderr
    assert followed() == []


def test_add_of_an_address_that_does_not_answer_adds_nothing():
    result = run("add", f"http://127.0.0.1:{refused_port()}/feed")
    assert result.exit_code == 2
    assert "error: " in result.stderr
    assert "--no-check" in result.stderr
    assert not Path("feeds.yaml").exists()


def test_add_twice_adds_once():
    fine("add", "--no-check", "https://a.example/feed")
    result = run("add", "--no-check", "http://a.example/feed")
    assert result.exit_code == 0
    assert "is in feeds.yaml already" in result.stderr
    assert followed() == ["https://a.example/feed"]


def test_add_completes_a_bare_host_name():
    fine("add", "--no-check", "a.example/feed")
    assert followed() == ["https://a.example/feed"]


def test_add_dry_run_prints_the_address_and_writes_nothing(server):
    url = server.answer("/feed", body=RSS)
    assert fine("add", url, "--dry-run") == f"{url}\n"
    assert not Path("feeds.yaml").exists()


def test_add_goes_to_the_file_that_is_named():
    fine("add", "--no-check", "https://a.example/feed", "--feeds", "other.yaml")
    assert [feed.url for feed in config.load("other.yaml").feeds] == ["https://a.example/feed"]


# ------------------------------------------------------------------------------------------ import, export


def test_what_is_exported_can_be_imported():
    feeds = [Feed("https://a.example", title="A & O", tags=("x", "y")), Feed("https://b.example")]
    config.append("feeds.yaml", feeds)
    Path("out.opml").write_bytes(run("export").stdout_bytes)
    fine("import", "out.opml", "--feeds", "other.yaml")
    assert sorted(map(str, config.load("other.yaml").feeds)) == sorted(map(str, feeds))


def test_export_leaves_secrets_at_home():
    Path("feeds.yaml").write_text("- {url: https://a.example, headers: {X-Key: hunter2, B: '${UNSET}'}}\n")
    assert "hunter2" not in fine("export")


def test_import_reads_stdin_and_tells_what_it_left_out():
    rows = '<outline text="News"><outline text="A" xmlUrl="https://a.example"/><outline xmlUrl="file:///x"/></outline>'
    result = run("import", "-", input=f"<opml><body>{rows}</body></opml>")
    assert result.exit_code == 1
    assert "'file:///x' is not http or https; left out" in result.stderr
    assert "1 feed added to feeds.yaml · 1 left out" in result.stderr
    assert config.load("feeds.yaml").feeds == (Feed("https://a.example", title="A", tags=("News",)),)


def test_import_of_something_else_is_exit_2_and_changes_nothing():
    Path("x.opml").write_text("<html/>")
    result = run("import", "x.opml")
    assert result.exit_code == 2
    assert "x.opml:1:1: not an OPML document" in result.stderr
    assert not Path("feeds.yaml").exists()


def test_import_twice_adds_nothing():
    Path("x.opml").write_bytes(opml.write([Feed("https://a.example")]))
    fine("import", "x.opml")
    result = run("import", "x.opml")
    assert "0 feeds added to feeds.yaml · 1 there already" in result.stderr


# ------------------------------------------------------------------------------------------ check


def test_check_of_a_good_file():
    Path("feeds.yaml").write_text("- https://a.example\n")
    result = run("check")
    assert result.exit_code == 0
    assert result.stderr == "✓ feeds.yaml: 1 feed, no mistakes\n"


def test_check_without_a_file_says_where_it_looked():
    result = run("check")
    assert result.exit_code == 2
    assert "feeds.yaml: no such file (the working directory); `aggregator init` writes one" in result.stderr


def test_check_online_asks_every_feed(server):
    good = server.answer("/good", body=RSS)
    bad = server.answer("/bad", body="<html><body>Hello</body></html>", type=HTML)
    Path("feeds.yaml").write_text(f"host_delay: 0s\nfeeds:\n- {bad}\n- {good}\n")
    result = run("check", "--online", "--json")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert [(row["feed"], row["title"], row["entries"], row["kind"]) for row in rows] == [
        (bad, None, 0, "not_a_feed"),
        (good, "Harbour Herald", 1, None),
    ]
    assert "2 feeds: 1 fine, 1 failed" in result.stderr


def test_check_online_in_words(server):
    Path("feeds.yaml").write_text(f"- {server.answer('/good', body=RSS)}\n")
    assert "✓ Harbour Herald  1 entry, teasers" in fine("check", "--online")


# ------------------------------------------------------------------------------------------ naming feeds

FEEDS = [
    Feed("https://a.example/world", title="The Herald", tags=("uk", "wire")),
    Feed("https://b.example/feed", title="Herald Tribune", tags=("us",)),
    Feed("https://c.example/feed", tags=("UK",)),
]
TITLES = {"https://c.example/feed": "Skerry Mail"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("https://b.example/feed", [1]),
        ("herald tribune", [1]),
        ("a.example", [0]),
        ("skerry", [2]),
        ("tag:uk", [0, 2]),
    ],
)
def test_a_feed_is_named_by_address_title_part_or_tag(name, expected):
    assert choose([name], FEEDS, TITLES) == [FEEDS[number].url for number in expected]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "herald",
            "'herald' is part of several feeds:\n  The Herald  https://a.example/world\n  Herald Tribune",
        ),
        ("skery mail", "no feed is called 'skery mail'; did you mean 'Skerry Mail'?"),
        ("zzz", "no feed is called 'zzz'; `aggregator status -v` lists them"),
        ("tag:x", "no feed has the tag 'x'; there are UK, uk, us, wire"),
    ],
)
def test_a_name_that_is_unclear_is_an_error_that_helps(name, message):
    with pytest.raises(click.BadParameter) as caught:
        choose([name], FEEDS, TITLES)
    assert message in caught.value.message
