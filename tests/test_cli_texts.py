"""`extract` and `dedupe`: the two machines alone, with stable forms in and out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from cli_runner import fine, objects, run
from server import HTML

PARAGRAPHS = (
    "The harbour master of Tolmare said on Monday that the ferry would sail again before the week was out.",
    "Two hundred and twelve passengers had waited since Friday, most of them with bicycles and one with a cello.",
    "The company blamed a gearbox, the crew blamed the company, and the weather took no side in the matter.",
    "Repairs cost 48,000 crowns, according to a document that the council made public late in the evening.",
)
BODY = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
PAGE = f"""<html lang="en"><head><title>The ferry sails - Harbour Herald</title></head><body>
<nav><a href="/">Home</a> <a href="/n">News</a></nav>
<article><h1>The ferry sails</h1><p class="by">By Ilse Brandvold</p>{BODY}
<div class="promo">Buy one ticket and get a second one for the price of two, only this week.</div></article>
<footer>All rights reserved</footer></body></html>"""

KEYS = ["url", "title", "byline", "published", "language", "text", "paragraphs", "removed"]

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.fixture
def page() -> str:
    Path("page.html").write_text(PAGE)
    return "page.html"


# ------------------------------------------------------------------------------------------ extract


def test_extract_as_json_has_its_stable_keys_first(page):
    found = objects("extract", page, "--url", "https://herald.example/ferry", "--json")
    assert list(found)[: len(KEYS)] == KEYS
    assert found["url"] == "https://herald.example/ferry"
    assert found["title"] == "The ferry sails"
    assert found["published"] is None
    assert found["language"] == "en"
    assert found["text"] == "\n\n".join(found["paragraphs"])
    assert [text for text in PARAGRAPHS if text in found["paragraphs"]] == list(PARAGRAPHS)
    assert all(set(block) == {"text", "reason"} for block in found["removed"])
    assert "All rights reserved" in [block["text"] for block in found["removed"]]


def test_extract_reads_a_file_stdin_and_a_url_alike(page, server):
    url = server.answer("/ferry", body=PAGE, type=HTML)
    texts = [fine("extract", page), fine("extract", "-", input=PAGE), fine("extract", url)]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0].startswith("The ferry sails\n")


def test_extract_believes_the_charset_that_came_with_the_page(server):
    url = server.answer(
        "/x", body=PAGE.replace("cello", "café").encode("cp1252"), type="text/html; charset=cp1252"
    )
    assert "café" in fine("extract", url)


def test_extract_takes_the_selectors_of_feeds_yaml(page):
    dropped = objects("extract", page, "--drop", ".promo, .by", "--json")
    assert dropped["paragraphs"] == list(PARAGRAPHS)
    assert any(block["text"].startswith("Buy one ticket") for block in dropped["removed"])
    kept = objects("extract", page, "--keep", ".promo", "--json")
    assert any(text.startswith("Buy one ticket") for text in kept["paragraphs"])


def test_extract_shows_what_was_taken_away_where_it_stood(page):
    text = fine("extract", page, "--show-removed")
    assert "✂ " in text
    assert text.index("Home") < text.index(PARAGRAPHS[0]) < text.index("All rights reserved")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere.html"], "nowhere.html: No such file or directory"),
        (["page.html", "--drop", "a["], "'a[' is not a CSS selector"),
        (["page.html", "--apply"], "are for --site without a SOURCE"),
        ([], "say what to read: a SOURCE, or --site SITE"),
        (["ftp://a.example/x"], "the address is not http or https"),
    ],
)
def test_extract_of_what_cannot_be_read_is_exit_2(page, args, message):
    result = run("extract", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("html", ["", "\x00\x01", "<html></html>", "<<<<", "just words"])
def test_extract_of_a_page_without_an_article_still_prints_its_object(html):
    result = run("extract", "-", "--json", input=html)
    assert result.exit_code == 0
    assert list(json.loads(result.stdout))[: len(KEYS)] == KEYS


def test_extract_uses_what_the_database_knows_of_the_site(archive):
    site = objects("latest", "-n", 1, "--json")[0]["url"]
    found = objects("extract", "-", "--site", site, "--json", input=PAGE)
    assert found["title"] == "The ferry sails"


def test_extract_of_an_address_reads_all_pages_of_the_article(server):
    link = "<a href='/2026/ferry-sails/2'>2</a>"
    url = server.answer("/2026/ferry-sails", body=PAGE.replace("</article>", f"{link}</article>"), type=HTML)
    more = "Nobody was hurt, and the cello was reported to be in tune when the doors were opened at last."
    server.answer("/2026/ferry-sails/2", body=PAGE.replace(BODY, f"<p>{more}</p>"), type=HTML)
    paragraphs = objects("extract", url, "--json", "--drop", ".promo, .by")["paragraphs"]
    assert paragraphs == [*PARAGRAPHS, more]


# ------------------------------------------------------------------------------------ extract --site

FEED = """<rss version="2.0"><channel><title>Herald</title><item><title>The ferry sails</title>
<link>{}</link><pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>"""
PROMO = (
    "Buy one ticket and get a second one for the price of two, only this week, at every quay of the island."
)


@pytest.fixture
def stored(server) -> str:
    """A stored article with a line that does not belong to it, and what its site is called."""
    page = PAGE.replace('<p class="by">By Ilse Brandvold</p>', "").replace("<p>", "<p class=text>")
    page = page[: page.index("<div class")] + f"<p class=text id=extra>{PROMO}</p></article></body></html>"
    server.answer("/robots.txt", body="", type="text/plain")
    server.answer("/feed", body=FEED.format(server.answer("/ferry", body=page, type=HTML)))
    Path("feeds.yaml").write_text(f"- {server.url('/feed')}\n")
    fine("fetch")
    return server.base


def stored_text() -> str:
    return " ".join(fine("read", 1).split())


def test_selectors_are_tried_on_what_is_stored_and_change_nothing(stored):
    (page,) = objects("extract", "--site", stored, "--drop", "#extra", "--json")
    assert (page["gone"], page["come"], page["changed"], page["written"]) == ([PROMO], [], True, False)
    assert PROMO in stored_text()


def test_selectors_are_applied_to_what_is_stored_and_the_wording_before_is_kept(stored):
    result = run("extract", "--site", stored, "--drop", "#extra", "--apply")
    assert "1 page of" in result.stderr
    assert f"− {PROMO}"[:70] in result.stdout
    assert PROMO not in stored_text()
    why = objects("why", 1, "--json")
    assert [block["reason"] for block in why["removed"] if block["text"] == PROMO] == ["selector"]
    assert PROMO in str(why["revisions"])


def test_a_sites_pages_are_visited_again_as_the_help_says(stored, server):
    before = len(server.seen("/ferry"))
    fine("extract", "--site", stored)
    assert len(server.seen("/ferry")) == before + 1
    assert "visited again" in " ".join(fine("extract", "--help").split())


def test_a_site_of_which_nothing_is_stored_is_named(archive):
    assert "no article of nowhere.example is stored" in run("extract", "--site", "nowhere.example").stderr


def test_a_stored_page_that_is_gone_stays_as_it_was(stored, server):
    server.answer("/ferry", status=404, type=HTML)
    (page,) = objects("extract", "--site", stored, "--drop", "#extra", "--apply", "--json")
    assert not page["changed"]
    assert "404" in page["problem"]
    assert PROMO in stored_text()


def test_what_was_learned_of_a_site_can_be_forgotten(stored):
    assert "learned from 1 page of" in run("extract", "--site", stored, "--forget").stderr
    assert "learned from 0 pages of" in run("extract", "--site", stored, "--forget").stderr


# ------------------------------------------------------------------------------------------ dedupe

DOCUMENTS = [
    {"id": "a", "title": "Ferry sails", "text": "\n\n".join(PARAGRAPHS), "published": "2026-11-23T10:00:00Z"},
    {
        "id": "b",
        "title": "Bread",
        "text": "Bakers open an hour later in winter, and nobody in the queue minded much.",
    },
    {
        "id": 3,
        "title": "Ferry",
        "text": "\n\n".join(PARAGRAPHS[:3]),
        "published": "2026-11-23T11:00:00Z",
        "outlet": "x",
    },
]
LINES = "".join(json.dumps(document) + "\n" for document in DOCUMENTS)


def judged(text: str) -> list[tuple]:
    found = [json.loads(line) for line in text.splitlines()]
    assert all(
        list(row) == ["id", "cluster", "kept", "reason", "resemblance", "containment"] for row in found
    )
    return [(str(row["id"]), str(row["cluster"]), row["kept"]) for row in found]


EXPECTED = [("a", "a", True), ("b", "b", True), ("3", "a", False)]


def test_dedupe_judges_each_document_in_order():
    Path("in.jsonl").write_text(LINES)
    result = run("dedupe", "in.jsonl")
    assert result.exit_code == 0
    assert judged(result.stdout) == EXPECTED
    assert "✓ 3 documents: 2 stories, 1 copy (1 " in result.stderr


def test_dedupe_reads_stdin_and_gzip_by_its_first_bytes():
    assert judged(fine("dedupe", "-", input=LINES)) == EXPECTED
    assert judged(fine("dedupe", "-", input=gzip.compress(LINES.encode()))) == EXPECTED
    Path("in.data").write_bytes(gzip.compress(LINES.encode()))
    assert judged(fine("dedupe", "in.data")) == EXPECTED


def test_dedupe_writes_a_file_packed_if_so_named():
    assert fine("dedupe", "-", "-o", "out.jsonl", input=LINES) == ""
    assert judged(Path("out.jsonl").read_text()) == EXPECTED
    fine("dedupe", "-", "-o", "out.jsonl.gz", input=LINES)
    assert judged(gzip.decompress(Path("out.jsonl.gz").read_bytes()).decode()) == EXPECTED


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"id": "a", "text": "x"}\n{"id": \n', "stdin:2: not JSON"),
        ('{"id": "a"}\n', '"text" is missing'),
        ('{"id": "a", "text": "x"}\n' * 2, "was used before"),
        ("[]\n", "not an object"),
        ('{"id": "a", "text": "x", "published": "soon"}\n', "\"published\" is 'soon'"),
        (b'{"id": "\xff"}\n', "stdin:1: not JSON"),
    ],
)
def test_dedupe_of_a_broken_line_says_which_and_leaves_the_output_as_it_was(lines, message):
    Path("out.jsonl").write_text("before")
    result = run("dedupe", "-", "-o", "out.jsonl", input=lines)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert Path("out.jsonl").read_text() == "before"
    assert [path.name for path in Path().iterdir()] == ["out.jsonl"]


def test_dedupe_passes_over_blank_lines_and_takes_an_empty_input():
    assert judged(fine("dedupe", "-", input="\n" + LINES.replace("\n", "\n\n"))) == EXPECTED
    assert fine("dedupe", "-", input="") == ""


# ------------------------------------------------------------------------------------------ dedupe --archive


def test_the_archive_judged_again_comes_to_the_same(archive):
    before = objects("status", "--json")["totals"]
    result = run("dedupe", "--archive")
    assert result.exit_code == 0
    assert (
        f"✓ {before['articles'] + before['copies']} texts judged again: 0 folded, 0 unfolded" in result.stderr
    )
    assert run("dedupe", "--db", "db/news.db").stderr == result.stderr
    assert objects("status", "--json")["totals"]["articles"] == before["articles"]


def test_dedupe_needs_an_input_or_the_archive_not_both(archive):
    for args in ([], ["-", "--archive"], ["--archive", "-o", "x"]):
        result = run("dedupe", *args)
        assert result.exit_code == 2
        assert "INPUT" in result.stderr
