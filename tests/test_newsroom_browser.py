"""The newsroom in a real browser: it fits the screen, reads well, and asks no other host for anything."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from browser import chromium
from newsroom_data import HEADLINES, add_story, create, seed
from newsroom_process import Newsroom
from test_newsroom import METADATA

from aggregator.newsroom import install

pytestmark = pytest.mark.browser

PAGES = [
    "/", "/news", "/news/articles", "/news/articles/1", "/news/duplicates/3", "/news/revisions/1", "/news/feeds",
    "/news/feeds/8", "/news/fetches", "/news/fetch_log", "/news/boilerplate/1", "/news/articles?_search=boats",
    "/news/search?words=boats", "/news/latest",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def empty(tmp_path):
    create(tmp_path / "db" / "news.db").close()
    install(tmp_path / "db")
    with Newsroom(tmp_path / "db") as running:
        yield running


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newsroom") / "db"
    seed(folder / "news.db").close()
    install(folder)
    with Newsroom(folder) as running:
        yield running


@pytest.mark.parametrize("width", [390, 1240])
@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_their_screen_and_ask_no_other_host(newsroom, browser, path, width):
    browser.open(newsroom.url + path, width=width)
    assert browser.script("return document.documentElement.scrollWidth") <= width
    assert browser.hosts_asked() == {f"127.0.0.1:{newsroom.port}"}
    assert browser.errors() == []


def test_the_front_page_in_a_browser(newsroom, browser):
    browser.open(newsroom.url)
    assert browser.texts("h1") == ["Newsroom"]
    assert len(browser.texts(".running li")) == 8
    assert HEADLINES[1] in " ".join(browser.texts(".river h4"))
    badge = browser.driver.find_element("css selector", ".river a.badge")
    assert re.fullmatch(r"\+\d", badge.text)


def test_pressing_search_with_nothing_but_a_quote_shows_the_stories(newsroom, browser):
    browser.open(newsroom.url)
    box = browser.driver.find_element("css selector", "#q")
    box.send_keys('"\n')
    browser.wait_for(".river.wide li", 40)
    assert browser.texts("h1") == ["Stories"]


def test_a_story_in_a_browser(newsroom, browser):
    browser.open(f"{newsroom.url}/news/articles/1")
    assert browser.texts(".kicker .badge") == ["+3"]
    assert len(browser.texts(".text p")) == 6
    assert len(browser.texts("#copies .bar")) == 3


@pytest.mark.parametrize("width", [390, 520, 700, 860, 1000, 1240])
@pytest.mark.parametrize("path", ["/", "/news/articles"])
def test_a_badge_never_stands_alone_on_its_line(newsroom, browser, path, width):
    browser.open(newsroom.url + path, width=width)
    alone = (
        "return [...document.querySelectorAll('.river a.badge')].filter(badge => {"
        " const words = [...badge.parentElement.querySelector('a').getClientRects()].pop();"
        " return badge.getBoundingClientRect().top > words.bottom; }).map(badge => badge.parentElement.innerText)"
    )
    assert browser.script(alone) == []


def test_what_is_written_from_the_right_is_read_from_the_right(browser, tmp_path):
    db = seed(tmp_path / "db" / "news.db", articles=2)
    with db.conn:
        story = add_story(
            db, "اتفاق على جدول شتوي", "اتفق عمال الموانئ.\n\nوقال مكتب الميناء.", language="ar"
        )
    db.close()
    install(tmp_path / "db")
    looks = "return [...document.querySelectorAll(arguments[0])].map(e => getComputedStyle(e).direction)"
    with Newsroom(tmp_path / "db") as newsroom:
        browser.open(f"{newsroom.url}/news/articles/{story}")
        assert browser.driver.execute_script(looks, ".reading h1, .text p") == ["rtl"] * 3
        assert browser.driver.execute_script(looks, ".kicker, .byline, aside") == ["ltr"] * 4
        browser.open(newsroom.url)
        assert set(browser.driver.execute_script(looks, ".river h4")) == {"ltr", "rtl"}


def test_a_feed_with_a_long_address_fits_a_phone(browser, tmp_path):
    db = seed(tmp_path / "db" / "news.db", articles=2)
    with db.conn:
        db.execute(
            "update feeds set title = 'أخبار الميناء', url = ? where id = 1",
            ["https://a.example/?" + "y" * 300],
        )
    db.close()
    install(tmp_path / "db")
    with Newsroom(tmp_path / "db") as newsroom:
        browser.open(f"{newsroom.url}/news/feeds/1", width=390)
        assert browser.script("return document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("path", "column"), [("/news/first_with_it", "stories"), ("/news/who_copies_whom", "copies")]
)
def test_figures_stand_under_each_other(newsroom, browser, path, column):
    browser.open(newsroom.url + path)
    looks = "return [...document.querySelectorAll(arguments[0])].map(e => getComputedStyle(e).textAlign)"
    assert set(browser.driver.execute_script(looks, f".col-{column}")) == {"right"}
    browser.open(newsroom.url + path, width=390)
    assert "right" not in browser.driver.execute_script(looks, f"td.col-{column}")


CHARTS = METADATA["plugins"]["datasette-dashboards"]["newsroom"]["charts"]
PLOTS = [name for name, chart in CHARTS.items() if chart["library"] == "vega-lite"]


def dashboard(browser, newsroom, **how):
    """Open the dashboard and wait until every chart and figure is there."""
    browser.open(f"{newsroom.url}/-/dashboards/newsroom", **how)
    browser.wait_for(".vega-embed svg", len(PLOTS))
    browser.wait_for(".dashboard-card-chart > div > p", len(CHARTS) - len(PLOTS))
    assert browser.hosts_asked() == {f"127.0.0.1:{newsroom.port}"}
    assert browser.errors() == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_dashboard_draws_every_chart_without_the_network(newsroom, browser, dark):
    dashboard(browser, newsroom, dark=dark)
    plots = "[...document.querySelectorAll('.vega-embed svg')]"
    assert all(browser.script(f"return {plots}.map(plot => plot.querySelectorAll('.mark-rect path').length)"))


def test_the_dashboard_of_an_empty_database_is_empty_and_whole(empty, browser):
    dashboard(browser, empty)
    assert browser.texts("#chart-stories p") == ["0"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/news/articles/1",
        "/news/duplicates/3",
        "/news/feeds",
        "/news/articles?_search=boats",
        "/news/latest",
    ],
)
def test_every_text_stands_out_from_its_ground(newsroom, browser, path, dark):
    """WCAG 2.1 AA: contrast of at least 4.5 (3 for large text)."""
    browser.open(newsroom.url + path, dark=dark)
    assert browser.faint() == []


@pytest.mark.parametrize(
    "path",
    ["/", "/news/articles", "/news/articles/1", "/news/duplicates/3", "/news/feeds", "/news", "/news/latest"],
)
def test_headings_go_down_in_steps_and_fields_have_labels(newsroom, browser, path):
    browser.open(newsroom.url + path)
    levels = browser.script("return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = (
        "return [...document.querySelectorAll('input:not([type=hidden]):not([type=submit]),select,textarea')]"
        ".filter(f => !f.labels.length && !f.ariaLabel).map(f => f.outerHTML)"
    )
    assert browser.script(unnamed) == []
    assert browser.script("return document.documentElement.lang") == "en"
