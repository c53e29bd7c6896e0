"""Articles in several pages: told from the next story, fetched, and made one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from server import HTML

from aggregator import pipeline
from aggregator.extract import extract, join
from aggregator.model import Block, Config, Document, Feed, Removed, Settings
from aggregator.store import Store

PARTS = (
    (
        "The harbour master of Tolmare said on Monday that the ferry would sail again before the week was out.",
        "Two hundred and twelve passengers had waited since Friday, most of them with bicycles and one with a cello.",
    ),
    (
        "The company blamed a gearbox, the crew blamed the company, and the weather took no side in the matter.",
        "Repairs cost 48,000 crowns, according to a document that the council made public late in the evening.",
    ),
    (
        "Mayor Ilse Brandvold promised a new timetable, which she said would be printed on one side only.",
        "Nobody was hurt, and the cello was reported to be in tune when the doors were opened at last.",
    ),
)
WHOLE = tuple(text for part in PARTS for text in part)
TITLE = "The ferry of Tolmare sails again"
PATH = "/2026/ferry-sails-again"


def page(paragraphs: tuple[str, ...], links: str = "", title: str = TITLE) -> str:
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return f"""<html lang=en><head><title>{title}</title></head><body><nav><a href=/>Home</a><a href=/n>News</a></nav>
    <article><h1>{title}</h1>{body}<div class=pager>{links}</div></article><footer>All rights reserved</footer>
    </body></html>"""


def document(*paragraphs: str, title: str = TITLE, next_url: str | None = None) -> Document:
    blocks = tuple(Block(hash(text), "p", True, text) for text in paragraphs)
    return Document("https://x.example/a", title, paragraphs, next_url=next_url, blocks=blocks)


# ------------------------------------------------------------------------------------ the links


@pytest.mark.parametrize(
    "whole",
    [
        f"<a href='{PATH}?page=all'>1 - 3</a>",
        f"<a href='{PATH}/komplettansicht'>Alles</a>",
        f"<a href='{PATH}/x9'>Auf einer Seite lesen</a>",
    ],
)
def test_the_whole_article_on_one_page_is_preferred_to_the_next_page(whole: str) -> None:
    links = f"<a href='{PATH}/2'>2</a> {whole}"
    found = extract(page(PARTS[0], links), f"https://x.example{PATH}")
    assert found.next_url == "https://x.example" + whole.split("'")[1]


def test_without_a_next_page_no_link_to_the_whole_article_is_believed() -> None:
    links = f"<a href='{PATH}?page=all'>All comments</a>"
    assert extract(page(PARTS[0], links), f"https://x.example{PATH}").next_url is None


# -------------------------------------------------------------------------------------- joining


def test_the_next_page_is_appended() -> None:
    joined = join(document(*PARTS[0], next_url="u2"), document(*PARTS[1], next_url="u3"))
    assert (joined.paragraphs, joined.next_url) == ((*PARTS[0], *PARTS[1]), "u3")


def test_what_every_page_has_is_there_once() -> None:
    joined = join(document(*PARTS[0]), document(PARTS[0][1], *PARTS[1]))
    assert joined.paragraphs == (*PARTS[0], *PARTS[1])
    assert [(block.text, block.position) for block in joined.removed] == [(PARTS[0][1], 2)]
    assert [block.text for block in joined.blocks if block.kept] == list(joined.paragraphs)


def test_a_page_with_everything_takes_the_place_of_the_first() -> None:
    joined = join(document(*PARTS[0], next_url="all"), document(*WHOLE, next_url="x"))
    assert (joined.paragraphs, joined.next_url) == (WHOLE, None)


def test_another_story_is_not_joined() -> None:
    joined = join(document(*PARTS[0], next_url="u2"), document(*PARTS[1], title="Bakers open an hour later"))
    assert (joined.paragraphs, joined.next_url) == (PARTS[0], None)


def test_what_was_removed_keeps_its_place() -> None:
    further = Document("u", TITLE, PARTS[1], removed=(Removed("Advertisement", "advertisement", 1),))
    assert join(document(*PARTS[0]), further).removed == (Removed("Advertisement", "advertisement", 3),)


# ------------------------------------------------------------------------------------ the rounds


def fetch(server, tmp_path) -> list[tuple]:
    now = datetime.now(UTC)
    server.answer("/robots.txt", body="", type="text/plain")
    link, date = server.url(PATH), format_datetime(now - timedelta(hours=1))
    item = f"<item><title>{TITLE}</title><link>{link}</link><pubDate>{date}</pubDate></item>"
    server.answer("/feed", body=f"<rss version='2.0'><channel><title>Herald</title>{item}</channel></rss>")
    config = Config((Feed(server.url("/feed")),), Settings(host_delay=0.0))
    with Store(tmp_path / "news.db") as store:
        pipeline.run(config, store)
        return [tuple(row) for row in store.connection.rows("select text, flags from articles")]


def test_a_round_reads_all_pages_of_an_article(server, tmp_path) -> None:
    for i, part in enumerate(PARTS, start=1):
        links = "".join(f"<a href='{PATH}/{n}'>{n}</a> " for n in range(1, len(PARTS) + 1))
        server.answer(f"{PATH}/{i}" if i > 1 else PATH, body=page(part, links), type=HTML)
    assert fetch(server, tmp_path) == [("\n\n".join(WHOLE), "[]")]


def test_an_article_whose_next_page_fails_is_kept_and_flagged(server, tmp_path) -> None:
    server.answer(PATH, body=page(PARTS[0], f"<a href='{PATH}/2'>2</a>"), type=HTML)
    server.answer(f"{PATH}/2", status=404, type=HTML)
    assert fetch(server, tmp_path) == [("\n\n".join(PARTS[0]), '["incomplete"]')]
