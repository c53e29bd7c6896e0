"""One story in twenty markups: the title, exactly its six paragraphs, nothing else, and never the widget's date.

The story is a made-up one of the shape that started this project: a weather widget with the day the page was rendered,
a title in quotes, six paragraphs, and empty headings of furniture. Where the original lies beside the repository it is
run as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aggregator.extract import extract

SEED = sorted((Path(__file__).parents[2] / "shared" / "seed").glob("*.txt"))
NOW = datetime(2026, 1, 26, 9, 30, tzinfo=UTC)  # the page is fetched on the day it is rendered
RENDERED = date(2026, 1, 26)
URL = "https://www.harbour-herald.example/world/ferry-tolls-stay-the-strongest-card"


@dataclass
class Story:
    title: str  # as the page shows it, in quotes
    paragraphs: list[str]

    @property
    def plain_title(self) -> str:
        return self.title.strip("“”")


MADE_UP = Story(
    "“Lower Estuary’s Ferry Tolls Stay the Strongest Card in Harbour Talks”",
    [
        "Norvania still has the upper hand over its neighbour through the tolls it takes on the lower "
        "estuary, even though the two governments have settled on a first draft of a harbour treaty ahead "
        "of a planned meeting between President Ilse Marren and Chancellor Tobin Achterberg. The two are "
        "to meet on Thursday at the yearly Coastal Forum in Vestholm, while a quarrel over fees, which "
        "has already closed two shipping lines, threatens trade along the coast.",
        "Despite the doubts about the treaty, there was hope on Sunday that new fees could be avoided. "
        "Officials of both sides spoke of a possible settlement after long meetings in several towns, "
        "among them Karlsby in May and Ostmark in September. Harbour Minister Petra Lindqvist and her "
        "counterpart Jonas Weil presented a framework for the meeting of the two leaders at the "
        "Association of Estuary Towns in Brennfeld.",
        "While the details of the draft are vague, Lindqvist said that it holds a final answer to who "
        "will run the old ferry terminal, a question that Marren has put off three times. Norvania may "
        "also buy timber from the upper valley again, which it stopped in spring. Above all, the tolls on "
        "the lower estuary would not be raised for a year, which answers the most pressing worry in the "
        "capital.",
        "The draft is taken as an admission of what a breakdown would cost. Anselm Roth, a fellow at the "
        "Institute for Coastal Studies, said the wish of both leaders to calm the most important relation "
        "of the region was a safety valve while the rivalry between the two harbours goes on as before.",
        "Mirela Castellan of the Bergmann Centre said the draft strikes a fine balance, because it lets "
        "both sides claim a part of the victory before the meeting and leaves them room for more. Many "
        "open questions, such as the dredging of the channel, the pilots’ licences and the fishing "
        "grounds off the islands, will hardly be settled on Thursday, given how little the two trust each "
        "other.",
        "As the meeting draws near, observers expect that settlements on smaller questions are more "
        "likely than one treaty for everything, given how tangled the relations of the two harbours are.",
    ],
)


def read_seed(path: Path) -> Story:
    lines = [line.strip() for line in path.read_text("utf-8").split("\n")]
    at = next(i for i, line in enumerate(lines) if line.startswith("“"))
    return Story(lines[at], [line for line in lines[at + 1 :] if len(line) > 60])


STORIES = [pytest.param(MADE_UP, id="made-up")] + [
    pytest.param(read_seed(path), id="original") for path in SEED
]


def head(story: Story, language: str = "en") -> str:
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{story.title} - Harbour Herald</title></head>"
    )


def paragraphs(story: Story) -> str:
    return "\n".join(f"<p>{text}</p>" for text in story.paragraphs)


def semantic(story: Story) -> str:
    return f"""{head(story)}<body><header><div class="weather">-1.6 C</div><div>Korea</div>
    <time>Monday, January 26, 2026</time><nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li>
    <li><a href="/sport">Sport</a></li></ul></nav></header>
    <main><article><h1>{story.title}</h1>{paragraphs(story)}</article>
    <section><h2>Latest news</h2></section><section><h2>Related news</h2></section></main>
    <footer><p>© 2026 Harbour Herald. All rights reserved.</p><a href="/imprint">Imprint</a></footer></body></html>"""


def div_soup(story: Story) -> str:
    text = "\n".join(f'<div class="x7">{text}</div>' for text in story.paragraphs)
    return f"""{head(story)}<body><div id="a1"><div class="b2"><div class="w">-1.6 C</div><div class="w">Korea</div>
    <div class="w">Monday, January 26, 2026</div></div><div class="b3"><a href="/">Home</a> <a href="/w">World</a></div>
    <div class="b4"><div class="t1">{story.title}</div><div class="c9">{text}</div>
    <div class="q"><div>Latest news</div></div><div class="q"><div>Related news</div></div></div>
    <div class="z">© 2026 Harbour Herald</div></div></body></html>"""


def table_with_breaks(story: Story) -> str:
    text = "<br><br>\n".join(story.paragraphs)
    return f"""{head(story)}<body bgcolor="#ffffff"><table width="100%"><tr>
    <td>-1.6 C<br>Korea<br>Monday, January 26, 2026</td>
    <td><a href="/">Home</a> | <a href="/world">World</a> | <a href="/sport">Sport</a></td></tr></table>
    <table width="780"><tr><td width="180">
    <a href="/1">Tide tables</a><br><a href="/2">Fish prices</a></td>
    <td><font size="5"><b>{story.title}</b></font><br><br>{text}<br><br>
    <b>Latest news</b><br><b>Related news</b></td></tr>
    <tr><td colspan="2">Copyright 2026 Harbour Herald</td></tr></table></body></html>"""


def single_breaks(story: Story) -> str:
    return f"""{head(story)}<body><div>-1.6 C</div><div>Korea</div><div>Monday, January 26, 2026</div>
    <h1>{story.title}</h1><div class="text">{"<br>".join(story.paragraphs)}</div>
    <h3>Latest news</h3><h3>Related news</h3></body></html>"""


def boxes_inside(story: Story) -> str:
    p = [f"<p>{text}</p>" for text in story.paragraphs]
    related = """<aside class="related-box"><h3>Related news</h3><ul>
    <li><a href="/a">Pilots threaten to strike over licences</a></li>
    <li><a href="/b">Timber prices climb for a third week</a></li></ul></aside>"""
    advert = '<div class="ad-slot"><span>Advertisement</span></div>'
    letter = """<div class="newsletter-signup">
    <p>Sign up for our daily newsletter and get the latest news in your inbox.</p>
    <form><input type="email"><button>Subscribe</button></form></div>"""
    return f"""{head(story)}<body><div class="topbar"><span class="temp">-1.6 C</span><span>Korea</span>
    <span class="date">Monday, January 26, 2026</span></div><article class="story"><h1>{story.title}</h1>
    {p[0]}{advert}{p[1]}{related}{p[2]}{letter}{p[3]}{p[4]}{advert}{p[5]}
    <div class="share"><a href="#">Share</a><a href="#">Tweet</a></div></article>
    <div class="latest"><h2>Latest news</h2><ul><li><a href="/c">Council votes on the new quay on Tuesday</a></li>
    <li><a href="/d">Storm warning for the outer islands</a></li></ul></div></body></html>"""


def widget_inside(story: Story) -> str:
    return f"""{head(story)}<body><article><div class="widget weather"><span>-1.6 C</span><span>Korea</span>
    <span>Monday, January 26, 2026</span></div><h1>{story.title}</h1>{paragraphs(story)}
    <h4>Latest news</h4><h4>Related news</h4></article></body></html>"""


def widget_below_title(story: Story) -> str:
    return f"""{head(story)}<body><article><h1>{story.title}</h1><div>-1.6 C</div><div>Korea</div>
    <div>Monday, January 26, 2026</div>{paragraphs(story)}<p><strong>Latest news</strong></p>
    <p><strong>Related news</strong></p></article></body></html>"""


def translated(story: Story, language: str, day: str, labels: list[str]) -> str:
    first, second, share, comments, advert = labels
    return f"""{head(story, language)}<body><div><div>-1.6 C</div><div>Korea</div><div>{day}</div></div>
    <div><h1>{story.title}</h1><div>{share}</div><div>{"".join(f"<p>{t}</p>" for t in story.paragraphs[:3])}
    <p>{advert}</p>{"".join(f"<p>{t}</p>" for t in story.paragraphs[3:])}</div>
    <div><h3>{first}</h3><ul><li><a href="/1">Hafen, puerto, port, 항구</a></li></ul><h3>{second}</h3></div>
    <p>{comments}</p></div>
    </body></html>"""


def in_cells(story: Story) -> str:
    rows = "".join(f"<tr><td>{text}</td></tr>" for text in story.paragraphs)
    return f"""{head(story)}<body><table><tr><td>-1.6 C</td><td>Korea</td><td>Monday, January 26, 2026</td></tr></table>
    <h2 class="headline">{story.title}</h2><table>{rows}</table>
    <div><span>Latest news</span> <span>Related news</span></div></body></html>"""


def of_own_elements(story: Story) -> str:
    text = "".join(f"<story-text>{text}</story-text>" for text in story.paragraphs)
    return f"""{head(story)}<body><page-top>-1.6 C Korea Monday, January 26, 2026</page-top>
    <story-title><h1>{story.title}</h1></story-title><story-body>{text}</story-body>
    <page-end><strong>Latest news</strong><br><strong>Related news</strong></page-end></body></html>"""


def widget_in_one_line(story: Story) -> str:
    return f"""{head(story)}<body><article><h1>{story.title}</h1><p>-1.6 C Korea Monday, January 26, 2026</p>
    {paragraphs(story)}<p>Latest news</p><p>Related news</p></article>
    <div>© 2026 Harbour Herald. All rights reserved.</div></body></html>"""


def widget_with_breaks_before_the_text(story: Story) -> str:
    widget = "-1.6 C<br>Korea<br>Monday, January 26, 2026<br>"
    return f"""{head(story)}<body><main><h3>{story.title}</h3><div>{widget}{"<br>".join(story.paragraphs)}</div>
    <p>Latest news<br>Related news</p></main></body></html>"""


def widget_as_paragraphs(story: Story) -> str:
    return f"""{head(story)}<body><main><h1>{story.title}</h1><p>-1.6 C</p><p>Korea</p><p>Monday, January 26, 2026</p>
    {paragraphs(story)}<p><a href="/a">Read more: Pilots threaten to strike over licences</a></p></main></body>"""


#: Language -> the day in the widget, and what its labels are called.
LANGUAGES = {
    "de": "Montag, 26. Januar 2026; Aktuelle Nachrichten; Ähnliche Artikel; Artikel teilen; Kommentare; Anzeige",
    "es": "lunes, 26 de enero de 2026; Últimas noticias; Noticias relacionadas; Compartir; Comentarios; Publicidad",
    "fr": "lundi 26 janvier 2026; Dernières actualités; À lire aussi; Partager; Commentaires; Publicité",
    "it": "lunedì 26 gennaio 2026; Ultime notizie; Articoli correlati; Condividi; Commenti; Pubblicità",
    "ja": "2026年1月26日; 最新ニュース; 関連記事; シェア; コメント; 広告",
    "ko": "2026년 1월 26일; 최신뉴스; 관련기사; 공유하기; 댓글; 광고",
    "nl": "maandag 26 januari 2026; Laatste nieuws; Gerelateerd nieuws; Delen; Reacties; Advertentie",
    "pt": "segunda-feira, 26 de janeiro de 2026; Últimas notícias; Leia também; Compartilhar; Comentários; Publicidade",
    "zh": "2026年1月26日; 最新新闻; 相关新闻; 分享; 评论; 广告",
}


def in_language(language: str) -> Callable[[Story], str]:
    day, *labels = LANGUAGES[language].split("; ")

    def markup(story: Story) -> str:
        return translated(story, language, day, labels)

    markup.__name__ = f"labels_in_{language}"
    return markup


MARKUPS = [
    semantic, div_soup, table_with_breaks, single_breaks, boxes_inside, widget_inside, widget_below_title,
    in_cells, of_own_elements, widget_in_one_line, widget_with_breaks_before_the_text, widget_as_paragraphs,
    *map(in_language, LANGUAGES),
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("markup", MARKUPS, ids=lambda markup: markup.__name__)
class TestTheStoryInAnyMarkup:
    def test_has_exactly_its_six_paragraphs(self, markup, story: Story) -> None:
        assert len(story.paragraphs) == 6
        assert list(extract(markup(story), URL, now=NOW).paragraphs) == story.paragraphs

    def test_has_its_title_without_quotes_and_site_name(self, markup, story: Story) -> None:
        assert extract(markup(story), URL, now=NOW).title == story.plain_title

    def test_never_has_the_date_of_the_weather_widget(self, markup, story: Story) -> None:
        published = extract(markup(story), URL, now=NOW).published
        assert published is None or published.date() != RENDERED


@pytest.mark.parametrize("markup", MARKUPS, ids=lambda markup: markup.__name__)
def test_a_page_without_a_title_element_still_has_its_title(markup) -> None:
    page = markup(MADE_UP).replace(f"<title>{MADE_UP.title} - Harbour Herald</title>", "")
    assert extract(page, URL, now=NOW).title == MADE_UP.plain_title


def test_a_printed_date_of_publication_wins_over_the_widget() -> None:
    page = semantic(MADE_UP).replace("</h1>", "</h1><p>Published : Oct. 20, 2025 - 14:03</p>")
    published = extract(page, URL, now=NOW).published
    assert published is not None
    assert published.strftime("%Y-%m-%d %H:%M") == "2025-10-20 14:03"
