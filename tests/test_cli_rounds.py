"""`fetch` and `daemon`: rounds from the command line, against a real server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runner import fine, objects, run
from server import HTML, Server, refused_port

TEXTS = {
    "ferry": (
        "The harbour master of Tolmare said on Monday that the ferry would sail again before the week was out.",
        "Two hundred and twelve passengers had waited since Friday, most of them with bicycles and one with a cello.",
        "The company blamed a gearbox, the crew blamed the company, and the weather took no side in the matter.",
        "Repairs cost 48,000 crowns, according to a document that the council made public late in the evening.",
    ),
    "bread": (
        "Bakers in Oberstadt agreed on Tuesday to open an hour later in winter, ending a quarrel of nine years.",
        "The union had asked for two hours, and the guild for none, so both sides called the result a defeat.",
        "Customers interviewed in the queue at Kettle Lane said that they would rather sleep than complain.",
        "A kilogram of rye bread costs 4.20 crowns, ten more hellers than in March, the statistics office said.",
    ),
}


def publish(server: Server, name: str, *stories: str) -> str:
    """A feed with these stories, and their pages."""
    items = ""
    for story in stories:
        body = "".join(f"<p>{text}</p>" for text in TEXTS[story])
        article = f"<article><h1>News of {story}</h1>{body}</article>"
        page = f"<html><head><title>{story}</title></head><body>{article}</body></html>"
        link = server.answer(f"/{name}/{story}.html", body=page, type=HTML)
        items += f"<item><title>News of {story}</title><link>{link}</link><guid>{story}</guid></item>"
    return server.answer(
        f"/{name}", body=f"<rss version='2.0'><channel><title>{name.title()}</title>{items}</channel></rss>"
    )


def follow(*urls: str) -> None:
    Path("feeds.yaml").write_text("host_delay: 0s\nfeeds:\n" + "".join(f"- {url}\n" for url in urls))


pytestmark = pytest.mark.usefixtures("empty_folder")


def test_a_round_stores_the_news_beside_feeds_yaml(server):
    follow(publish(server, "herald", "ferry", "bread"))
    result = run("fetch")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert "Herald: 2 new\n" in result.stderr
    assert "✓ 1 feed · 2 new articles · 0 copies folded away" in result.stderr
    assert {row["title"] for row in objects("latest", "--json")} == {"News of ferry", "News of bread"}
    assert Path("db/metadata.yaml").exists()


def test_the_report_as_json_has_its_stable_form(server):
    bad = server.answer("/bad", status=500)
    follow(publish(server, "herald", "ferry"), publish(server, "mail", "ferry", "bread"), bad)
    result = run("fetch", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report.pop("seconds") > 0
    assert report == {
        "feeds": {"ok": 2, "failed": 1, "not_modified": 0},
        "entries": {"new": 3},
        "articles": {"new": 2, "revised": 0},
        "duplicates": 1,
        "failures": [{"feed": bad, "kind": "server_error", "message": "the server is broken (500)"}],
    }


def test_a_feed_that_fails_is_named_on_stderr_and_the_rest_is_stored(server):
    bad = server.answer("/bad", status=404)
    follow(bad, publish(server, "herald", "ferry"))
    result = run("fetch")
    assert result.exit_code == 1
    assert f"✗ {bad}  nothing is there (404) (not_found)" in result.stderr
    assert "2 feeds, 1 failed · 1 new article" in result.stderr
    assert len(objects("latest", "--json")) == 1


def test_when_no_feed_answered_the_mark_says_so(server):
    follow(server.answer("/bad", status=404))
    assert "✗ 1 feed, 1 failed · 0 new articles" in run("fetch").stderr


def test_when_no_server_can_be_reached_the_machine_may_be_offline():
    ports = [refused_port(), refused_port()]
    follow(*(f"http://127.0.0.1:{port}/" for port in ports))
    assert "No server could be reached: is this machine online?" in run("fetch").stderr


def test_quiet_says_only_what_went_wrong(server):
    bad = server.answer("/bad", status=404)
    follow(bad, publish(server, "herald", "ferry"))
    assert run("fetch", "-q").stderr == f"✗ {bad}  nothing is there (404) (not_found)\n"


def test_verbose_names_every_feed_and_page(server):
    follow(publish(server, "herald", "ferry"), publish(server, "mail"))
    stderr = run("fetch", "-v").stderr
    assert "Herald: 1 new\n" in stderr
    assert "Mail: nothing new\n" in stderr
    assert "News of ferry: read\n" in stderr


def test_when_no_feed_is_due_that_is_said_and_nothing_is_asked(server):
    follow(publish(server, "herald", "ferry"))
    fine("fetch")
    asked = len(server.seen("/herald"))
    result = run("fetch")
    assert result.exit_code == 0
    assert "No feed is due; the next is in " in result.stderr
    assert len(server.seen("/herald")) == asked


def test_all_and_names_ask_feeds_that_are_not_due(server):
    follow(publish(server, "herald", "ferry"), publish(server, "mail"))
    fine("fetch")
    fine("fetch", "--all")
    fine("fetch", "herald")
    assert (len(server.seen("/herald")), len(server.seen("/mail"))) == (3, 2)


def test_export_names_feeds_as_they_name_themselves(server):
    follow(publish(server, "herald", "ferry"))
    assert 'text="Herald"' not in fine("export")
    fine("fetch")
    assert 'text="Herald"' in fine("export")


def test_limit_asks_so_many_of_the_due(server):
    follow(publish(server, "herald"), publish(server, "mail"))
    assert json.loads(fine("fetch", "--limit", "1", "--json"))["feeds"]["ok"] == 1
    assert json.loads(fine("fetch", "--limit", "1", "--json"))["feeds"]["ok"] == 1
    assert (len(server.seen("/herald")), len(server.seen("/mail"))) == (1, 1)


def test_a_dry_run_tells_the_same_and_stores_nothing(server):
    follow(publish(server, "herald", "ferry"))
    result = run("fetch", "--dry-run", "--json")
    assert json.loads(result.stdout)["articles"]["new"] == 1
    assert "nothing was stored" in result.stderr
    assert not Path("db").exists()
    assert json.loads(fine("fetch", "--json"))["articles"]["new"] == 1
    assert json.loads(fine("fetch", "--all", "--dry-run", "--json"))["articles"]["new"] == 0


def test_a_part_of_several_feeds_without_titles_is_not_enough():
    follow("https://a.example/rss", "https://b.example/rss")
    result = run("fetch", "rss")
    assert result.exit_code == 2
    assert "'rss' is part of several feeds" in result.stderr


def test_a_name_that_no_feed_has_is_exit_2(server):
    follow(publish(server, "herald"))
    result = run("fetch", "guardian")
    assert result.exit_code == 2
    assert "no feed is called 'guardian'" in result.stderr
    assert server.log == []


def test_names_and_all_together_are_exit_2():
    follow("https://a.example")
    assert run("fetch", "--all", "a").exit_code == 2


def test_without_feeds_there_is_nothing_to_do():
    follow()
    result = run("fetch")
    assert result.exit_code == 0
    assert "feeds.yaml names no feeds; `aggregator add URL` adds one" in result.stderr


def test_the_database_of_another_program_is_not_touched():
    import sqlite3

    follow("https://a.example")
    with sqlite3.connect("other.db") as other:
        other.execute("create table t (x)")
    other.close()
    before = Path("other.db").read_bytes()
    result = run("fetch", "--db", "other.db")
    assert result.exit_code == 2
    assert "this is some other program's database" in result.stderr
    assert Path("other.db").read_bytes() == before


def test_the_daemon_fetches_and_stops_when_told(server):
    follow(publish(server, "herald", "ferry"))
    child = subprocess.Popen(
        [sys.executable, "-m", "aggregator", "daemon"], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and run("latest").stdout == "":
        time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    _, stderr = child.communicate(timeout=20)
    assert child.returncode == 0, stderr
    assert "1 article, " in stderr
    assert len(objects("latest", "--json")) == 1


def test_the_daemons_log_lines_are_objects_on_request(server):
    follow(publish(server, "herald", "ferry"), server.answer("/broken", status=500))
    command = [sys.executable, "-m", "aggregator", "daemon", "--log-format", "json"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and run("latest").stdout == "":
        time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    _, stderr = child.communicate(timeout=20)
    lines = [json.loads(line) for line in stderr.splitlines()]
    assert all({"at", "level", "message"} <= set(line) for line in lines)
    assert [line["kind"] for line in lines if "feed" in line] == ["server_error"]
    assert [line["articles_new"] for line in lines if "articles_new" in line] == [1]


def test_a_password_in_an_address_is_not_shown():
    port = refused_port()
    follow(f"http://user:s3cret@127.0.0.1:{port}/feed")
    for words in (["fetch", "-v"], ["status", "-v"], ["check", "--online"]):
        result = run(*words)
        assert "s3cret" not in result.stdout + result.stderr
        assert f"127.0.0.1:{port}/feed" in result.stdout + result.stderr
