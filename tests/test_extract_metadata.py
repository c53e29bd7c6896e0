"""Title, authors and date: where they are taken from, and where never."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.extract import dates, extract, head, headline, labels, people
from aggregator.model import Document, Entry

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://www.harbour-herald.example/local/quay-opens"
TITLE = "New quay opens after two years of work"
BODY = "".join(
    f"<p>{text}</p>"
    for text in (
        "The town opened its new quay on Saturday after two years of work, and four hundred people came to see it.",
        "Mayor Hanne Olsvik cut a rope instead of a ribbon, because ribbons are for shops and ropes for harbours.",
        "The quay cost nine million crowns, one million more than planned, after divers had found a wreck in the mud.",
    )
)


def read(
    head: str = "", before: str = "", after: str = "", hint: Entry | None = None, url: str = URL
) -> Document:
    article = f"<article><h1>{TITLE}</h1>{before}{BODY}{after}</article>"
    html = f"""<html lang="en"><head>{head}</head><body>{article}</body></html>"""
    return extract(html, url, now=NOW, hint=hint)


def ld(**values: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **values})}</script>'


def entry(published: datetime | None) -> Entry:
    return Entry(guid="1", url=URL, title=TITLE, published=published)


# ---------------------------------------------------------------------------------------- dates


def test_the_offset_is_kept() -> None:
    published = read(ld(datePublished="2025-10-20T23:30:00+09:00")).published
    assert published is not None
    assert published.isoformat() == "2025-10-20T23:30:00+09:00"


@pytest.mark.parametrize("clock", ["9:05 p.m. ET", "6:05 PM PT", "9:05 p.m. EST"])
def test_american_zones_are_known_by_two_letters(clock: str) -> None:
    published = read(before=f"<p>Nov. 26, 2025 at {clock}</p>").published
    assert published == datetime(2025, 11, 27, 2, 5, tzinfo=UTC)


def test_the_day_of_publication_is_not_that_of_the_update() -> None:
    published = read(ld(dateModified="2025-12-01T08:00:00Z", datePublished="2025-10-20T08:00:00Z")).published
    assert published == datetime(2025, 10, 20, 8, tzinfo=UTC)


def test_nothing_later_than_a_day_from_now_is_believed() -> None:
    assert read(ld(datePublished=(NOW + timedelta(days=2)).isoformat())).published is None


def test_a_date_in_the_sidebar_is_not_the_articles() -> None:
    aside = "<aside class='sidebar'><p>Published on 3 January 2026</p></aside>"
    assert read(after=aside, before=aside).published is None


def test_a_date_between_title_and_text_is_taken() -> None:
    published = read(before="<p class='meta'>Published 20 October 2025, 14:03</p>").published
    assert published == datetime(2025, 10, 20, 14, 3, tzinfo=UTC)


def test_a_date_beside_a_temperature_is_the_weathers() -> None:
    assert read(before="<div>-1.6 C</div><div>Monday, January 26, 2026</div>").published is None


TODAY = '<time datetime="2026-03-01T08:00:00Z">1 March 2026</time>'


@pytest.mark.parametrize(
    "top",
    [
        f"<header>{TODAY}<a href='/'>Home</a></header>",
        f"<nav><ul><li>{TODAY}</li><li><a href='/'>Home</a></li></ul></nav>",
        f"<div class='date'>{TODAY}</div>",
        "<div class='date'>1 March 2026</div>",
        "<p>Mon 1 March 2026</p>",
        f"<div class='ticker'><a href='/a'>Pilots threaten to strike</a> {TODAY}</div>",
    ],
)
def test_the_day_at_the_top_of_the_page_is_not_the_articles(top: str) -> None:
    html = f"<body>{top}<article><h1>{TITLE}</h1>{BODY}</article></body>"
    assert extract(html, URL, now=NOW).published is None
    html = html.replace("</h1>", "</h1><p class='meta'>20 October 2025</p>")
    assert str(extract(html, URL, now=NOW).published)[:10] == "2025-10-20"


def test_the_dates_of_related_stories_are_not_the_articles() -> None:
    related = f"<h3>Related news</h3><ul><li><a href='/a'>Pilots threaten to strike</a> <span>{TODAY}</span></li></ul>"
    assert read(after=related).published is None


ENTRY = "<{tag}>{day} May 2019</{tag}><p>Divers found wreck no. {day} in the mud of the harbour, and work stopped.</p>"


@pytest.mark.parametrize("tag", ["h3", "p", "div"])
def test_the_days_of_a_timeline_are_text_and_no_date_of_the_page(tag: str) -> None:
    document = read(before="".join(ENTRY.format(tag=tag, day=day) for day in (3, 9, 12, 20)))
    assert document.published is None
    assert {"3 May 2019", "9 May 2019", "12 May 2019"} <= set(document.paragraphs)


@pytest.mark.parametrize(
    "line",
    [
        "<p>On 3 May 2019 he left.</p>",
        "<p>On 3 May 2019 he left the town, and he never published a line on it.</p>",
        "<ul><li>3 May 2019: wreck no. 3</li><li>9 May 2019: wreck no. 9</li></ul>",
        "<figure><figcaption>The old quay on 3 May 2019. Photo: Ann Lee</figcaption></figure>",
        "<p><b>Born:</b> 3 May 2019, Halyard</p>",
        "<h4>Republic Day: 3 May 2019</h4>",
        "<blockquote><p>A fine quay.</p><p>Hanne Olsvik, 3 May 2019</p></blockquote>",
    ],
)
def test_a_date_in_the_text_is_not_the_pages(line: str) -> None:
    assert read(before=line).published is None
    first, _, rest = BODY.partition("</p>")
    html = f"<body><article><h1>{TITLE}</h1>{first}</p>{line}{rest}</article></body>"
    assert extract(html, URL, now=NOW).published is None


@pytest.mark.parametrize(
    "line",
    [
        "Am 3. Mai 2019 begann der Bau.",
        "3 Mayıs 2019'da çalışmalar başladı.",
        "งานเริ่มเมื่อวันที่ 3 พฤษภาคม 2562",
        "2019年5月3日，工程开工。",
        "Автор проекта не ответил.",
        "كتب الغواص رسالة قصيرة.",
    ],
)
def test_a_short_sentence_is_neither_date_nor_byline(line: str) -> None:
    document = read(before=f"<p>{line}</p>")
    assert (document.published, document.authors) == (None, ())
    assert line in document.paragraphs


def test_the_date_of_a_comment_is_not_the_pages() -> None:
    said = "<p>I think that it is a fine quay indeed, and so do the ferry people here.</p>"
    comment = f"<div><b>Tom Ray</b> 3 May 2019 at 10:00{said}</div>"
    assert read(after=comment).published is None


def test_a_date_below_the_standfirst_is_taken() -> None:
    standfirst = "<p>The ferry to the islands will follow in May, when the new ramp is ready for it.</p>"
    assert read(before=f"{standfirst}<p>20 October 2025</p>").published == datetime(2025, 10, 20, tzinfo=UTC)


def test_a_label_before_the_date_says_which_it_is() -> None:
    lines = "<p>Updated at</p><p>3 Dec 2025</p><p>Posted on</p><p>20 Oct 2025</p>"
    assert read(before=lines).published == datetime(2025, 10, 20, tzinfo=UTC)


def test_a_date_is_the_articles_in_an_aside_under_the_title() -> None:
    published = read(before="<aside class='post-meta'>3 January 2026</aside>").published
    assert published == datetime(2026, 1, 3, tzinfo=UTC)


def test_a_date_alone_over_the_title_in_the_articles_box_needs_no_mark() -> None:
    html = f"<main><div>Local</div><section><div>3 January 2026</div><h1>{TITLE}</h1>{BODY}</section></main>"
    assert extract(f"<body>{html}</body>", URL, now=NOW).published == datetime(2026, 1, 3, tzinfo=UTC)


def test_a_dateline_dates_a_page_that_says_nothing_else() -> None:
    text = "<p>HALYARD, Oct. 20, 2025 (Coastal Press) - The harbour was closed while divers looked for wrecks.</p>"
    assert read(before=text).published == datetime(2025, 10, 20, tzinfo=UTC)


def test_published_wins_over_updated_in_one_line() -> None:
    document = read(before="<p>Updated: 21 Oct 2025, 10:00 · Published: 20 Oct 2025, 14:03</p>")
    assert document.published == datetime(2025, 10, 20, 14, 3, tzinfo=UTC)
    assert not any("Published" in text for text in document.paragraphs)


def test_the_feed_decides_where_the_page_says_nothing_for_machines() -> None:
    told = datetime(2025, 10, 20, 9, 30, tzinfo=UTC)
    assert read(before="<p>Updated 14 February 2026</p>", hint=entry(told)).published == told


def test_the_page_refines_the_feeds_date() -> None:
    published = read(
        ld(datePublished="2025-10-20T18:30:00+09:00"), hint=entry(datetime(2025, 10, 20, tzinfo=UTC))
    ).published
    assert published is not None
    assert published.utcoffset() == timedelta(hours=9)


def test_a_feeds_date_in_the_future_is_not_believed() -> None:
    assert read(hint=entry(NOW + timedelta(days=30))).published is None


def test_the_address_tells_the_day_where_nothing_else_does() -> None:
    published = read(url="https://www.harbour-herald.example/2025/10/20/quay-opens").published
    assert published is not None
    assert published.date().isoformat() == "2025-10-20"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Oct. 20, 2025 - 14:03", "2025-10-20 14:03"),
        ("20. Oktober 2025, 14.03 Uhr", "2025-10-20 14:03"),
        ("20 octobre 2025 à 14h03", "2025-10-20 14:03"),
        ("20 de octubre de 2025", "2025-10-20 00:00"),
        ("20 ottobre 2025", "2025-10-20 00:00"),
        ("2025년 10월 20일 14:03", "2025-10-20 14:03"),
        ("2025年10月20日 14:03", "2025-10-20 14:03"),
        ("2025.10.20 14:03", "2025-10-20 14:03"),
        ("20/10/2025 2:03 pm", "2025-10-20 14:03"),
        ("20251020T140300Z", "2025-10-20 14:03"),
        ("20 أكتوبر 2025", "2025-10-20 00:00"),
        ("٢٠ تشرين الأول ٢٠٢٥", "2025-10-20 00:00"),
        ("২০ অক্টোবর ২০২৫", "2025-10-20 00:00"),
        ("20 октомври 2025 г., 14:03", "2025-10-20 14:03"),
        ("1 d’octubre de 2025", "2025-10-01 00:00"),
        ("20. října 2025", "2025-10-20 00:00"),
        ("ΔΕΥΤΕΡΑ, 20 ΟΚΤΩΒΡΙΟΥ 2025", "2025-10-20 00:00"),
        ("20. lokakuuta 2025 klo 14.03", "2025-10-20 14:03"),
        ("20 באוקטובר 2025", "2025-10-20 00:00"),
        ("२० अक्टूबर २०२५", "2025-10-20 00:00"),
        ("2025. október 20., hétfő 14:03", "2025-10-20 14:03"),
        ("2025 m. spalio 20 d.", "2025-10-20 00:00"),
        ("2025. gada 20. oktobris", "2025-10-20 00:00"),
        ("20 paź 2025", "2025-10-20 00:00"),
        ("20/out/2025", "2025-10-20 00:00"),
        ("octubre 20 de 2025, 2:03 p. m.", "2025-10-20 14:03"),
        ("20 octombrie 2025", "2025-10-20 00:00"),
        ("20 окт. 2025", "2025-10-20 00:00"),
        ("20 жовтня 2025", "2025-10-20 00:00"),
        ("20 EKİM 2025", "2025-10-20 00:00"),
        ("ngày 20 tháng 10 năm 2025", "2025-10-20 00:00"),
        ("2025년 10월 20일 오후 2시 3분", "2025-10-20 14:03"),
        ("2025年10月20日 下午2:03", "2025-10-20 14:03"),
        ("令和7年10月20日", "2025-10-20 00:00"),
    ],
)
def test_dates_are_read_in_the_ways_they_are_written(text: str, day: str) -> None:
    value = dates.parse(text)
    assert value is not None
    assert value.strftime("%Y-%m-%d %H:%M") == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20 ตุลาคม 2568", "2025-10-20"),
        ("๒๐ ต.ค. ๒๕๖๘", "2025-10-20"),
        ("20/10/2568", "2025-10-20"),
        ("۲۸ مهر ۱۴۰۴", "2025-10-20"),
        ("۱۴۰۳/۱۲/۳۰", "2025-03-20"),
    ],
)
def test_the_years_of_other_calendars_are_ours(text: str, day: str) -> None:
    value = dates.parse(text)
    assert value is not None
    assert value.date().isoformat() == day


def test_the_language_decides_between_months_of_one_name() -> None:
    months = [dates.visible("20. listopada 2025", language=language) for language in ("pl", "hr")]
    assert [value.month for value in months if value] == [11, 10]


def test_an_offset_from_greenwich_in_a_line_is_kept() -> None:
    value = dates.visible("Thứ hai, 20/10/2025, 14:03 (GMT+7)")
    assert value is not None
    assert value.isoformat() == "2025-10-20T14:03:00+07:00"


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "99/99/2025", "2025-13-45", "1234567890123456", "May contain 12 nuts", "Mary 3, 2020"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates.parse(text) is None


# --------------------------------------------------------------------------------------- titles


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("“Quay opens”", "Quay opens"),
        ("„Kai eröffnet“", "Kai eröffnet"),
        ("「港が開く」", "港が開く"),
        ("“Open it”, she said, “now”", "“Open it”, she said, “now”"),
        ("Quay opens | Harbour Herald", "Quay opens"),
        ("Harbour Herald: Quay opens | Harbour Herald", "Quay opens"),
        ("Fish - and chips", "Fish - and chips"),
    ],
)
def test_titles_lose_quotes_around_them_and_the_sites_name(raw: str, clean: str) -> None:
    assert headline.clean(raw, ["Harbour Herald"]) == clean


def test_the_heading_wins_over_a_title_written_for_search_engines() -> None:
    head = f"<title>{TITLE}: all you need to know | Herald</title><meta property='og:title' content='{TITLE}, at last'>"
    assert read(head).title == TITLE


def test_the_feed_decides_between_titles_that_disagree() -> None:
    other = "New quay opens after two years: say divers"
    head = f"<title>{other} | Herald</title><meta property='og:title' content='{other}'>"
    assert read(head).title == TITLE
    assert read(head, hint=Entry(guid="1", url=URL, title=other)).title == other
    assert read(head, hint=Entry(guid="1", url=URL, title="Read this now!")).title == TITLE


def test_the_feeds_headline_is_the_title_where_it_is_an_h2_under_the_sites_name() -> None:
    html = f"<title>Herald - news from the coast</title><body><h1>Herald</h1><h2>{TITLE}</h2>{BODY}"
    assert extract(html, "https://x.example/1", hint=entry(None), now=NOW).title == TITLE


def test_the_feeds_headline_is_the_title_where_the_page_adds_a_section() -> None:
    html = f"<title>{TITLE} - Local news</title><body>{BODY}"
    assert extract(html, "https://x.example/1", hint=entry(None), now=NOW).title == TITLE


def test_the_feeds_headline_is_the_title_where_the_h1_has_a_kicker_too() -> None:
    html = f"<title>Quays - {TITLE} - Herald</title><body><h1><span>Quays</span> {TITLE}</h1>{BODY}"
    assert extract(html, "https://x.example/1", hint=entry(None), now=NOW).title == TITLE


# -------------------------------------------------------------------------------------- authors


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("By Ann Lee", ["Ann Lee"]),
        ("By Ann Lee, Bob Ray and Cy Fox", ["Ann Lee", "Bob Ray", "Cy Fox"]),
        ("Von Anna Lehmann und Bert Rau", ["Anna Lehmann", "Bert Rau"]),
        ("Ann Lee (Harbour Desk)", ["Ann Lee"]),
        ("ann@herald.example", []),
        ("https://herald.example/people/ann", []),
        ("admin", []),
    ],
)
def test_bylines_are_split_into_names(value: str, names: list[str]) -> None:
    assert people.split(value) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ann Lee Oct. 20, 2025 14:03", ["Ann Lee"]),
        ("By Ann Lee • Updated 3 hours ago", ["Ann Lee"]),
        ("By Ann Lee in Halyard", ["Ann Lee"]),
        ("By Ann Lee, Harbour Correspondent", ["Ann Lee"]),
        ("By Ann Lee, Bob Ray and Di Orr", ["Ann Lee", "Bob Ray", "Di Orr"]),
        ("By Reuters", ["Reuters"]),
        ("Posted by Ann Lee on May 3, 2026", ["Ann Lee"]),
        ("By Ann Lee | May 3, 2026 | 4:30 pm", ["Ann Lee"]),
        ("By Ann Lee Sunday, May 3, 2026", ["Ann Lee"]),
        ("May 3, 2026 by Ann Lee", ["Ann Lee"]),
        ("Published on May 3, 2026 by Ann Lee and Bob Ray", ["Ann Lee", "Bob Ray"]),
        ("Von Max Muster, 3. Mai 2026, 12:00 Uhr", ["Max Muster"]),
        ("von Max Muster am 3. Mai 2026", ["Max Muster"]),
        ("Par Jean Dupont Publié le 3 mai 2026 à 12h00", ["Jean Dupont"]),
        ("Publié le 3 mai 2026 à 12h00 par Jean Dupont", ["Jean Dupont"]),
        ("Publicado por Juan Pérez el 3 de mayo de 2026", ["Juan Pérez"]),
        ("Por João Silva - 3 de maio de 2026", ["João Silva"]),
        ("Pubblicato da Mario Rossi il 3 maggio 2026", ["Mario Rossi"]),
        ("Автор: Иван Петров, 3 мая 2026", ["Иван Петров"]),
        ("Scris de Ion Popescu la 3 mai 2026", ["Ion Popescu"]),
        ("Írta: Kovács János, 2026. május 3.", ["Kovács János"]),
        ("Yazan: Ali Yılmaz 3 Mayıs 2026", ["Ali Yılmaz"]),
        ("Γράφει ο Νίκος Παππάς, 3 Μαΐου 2026", ["Νίκος Παππάς"]),
        ("كتب: أحمد علي، 3 مايو 2026", ["أحمد علي"]),
        ("מאת: דוד כהן, 3 במאי 2026", ["דוד כהן"]),
        ("लेखक: राम कुमार, 3 मई 2026", ["राम कुमार"]),
        ("โดย สมชาย ใจดี 3 พ.ค. 2569", ["สมชาย ใจดี"]),
        ("Oleh: Budi Santoso - 3 Mei 2026", ["Budi Santoso"]),
        ("来源：海港日报 作者：王小明 2026-05-03 12:03", ["王小明"]),
    ],
)
def test_a_byline_may_say_more_than_names(line: str, names: list[str]) -> None:
    assert people.of_line(line) == names


@pytest.mark.parametrize(
    ("line", "name"), [("김민수 기자", "김민수"), ("記者 王小明", "王小明"), ("文・山田太郎", "山田太郎")]
)
def test_a_reporter_is_named_without_the_word_for_reporter(line: str, name: str) -> None:
    document = read(before=f"<p class='byline'>{line}</p>")
    assert document.authors == (name,)
    assert line not in document.paragraphs


def test_a_name_before_the_word_for_reporter_needs_no_mark() -> None:
    assert read(before="<p>김민수 기자 승인 2025.10.20 12:03</p>").authors == ("김민수",)


def test_a_desk_is_no_reporter() -> None:
    assert people.reporters("경제부 기자") == []


def test_several_authors_are_all_named() -> None:
    assert read(ld(author=[{"name": "Ann Lee"}, {"name": "Bob Ray"}])).authors == ("Ann Lee", "Bob Ray")


def test_an_organisation_can_be_the_author() -> None:
    author = {"@type": "Organization", "name": "Coastal Press, Vestholm Desk"}
    assert read(ld(author=author)).authors == ("Coastal Press, Vestholm Desk",)


def test_a_byline_under_the_title_is_found() -> None:
    assert read(before="<p class='byline'>By <a href='/author/ann-lee'>Ann Lee</a></p>").authors == (
        "Ann Lee",
    )


def test_by_may_touch_the_name() -> None:
    assert read(before="<p class='byline'><span>By</span><span>Ann Lee</span></p>").authors == ("Ann Lee",)


def test_a_name_that_begins_like_by_is_whole() -> None:
    assert people.of_line("Byron Lee, 3 May 2026") == ["Byron Lee"]


@pytest.mark.parametrize("name", ["Harbour Herald Staff", "The Harbour Herald Team", "the Compass Editors"])
@pytest.mark.parametrize("by", ["", "By "])
def test_the_staff_can_be_the_author(by: str, name: str) -> None:
    assert read(before=f"<p class='author-name'>{by}{name}</p>").authors == (name,)


def test_a_link_to_the_page_about_the_staff_names_no_author() -> None:
    assert read(before="<p class='author-name'>Meet our team</p>").authors == ()


def test_the_author_is_the_articles_in_an_aside_under_the_title() -> None:
    assert read(before="<aside class='post-author'>Ann Lee</aside>").authors == ("Ann Lee",)


def test_a_line_marked_as_the_authors_may_have_the_date_too() -> None:
    assert read(before="<div class='author-details'>Ann Lee January 3, 2026</div>").authors == ("Ann Lee",)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("<p>Ann Lee</p><p>3 January 2026</p>", ("Ann Lee",)),
        ("<p>Ann Lee</p>", ()),  # nothing says that it is a name
        ("<p>Halyard, Vestland</p><p>3 January 2026</p>", ()),
        ("<p>New harbour</p><p>3 January 2026</p>", ()),
        ("<p><a href='/local'>Local News</a></p><p>3 January 2026</p>", ()),
    ],
)
def test_a_name_alone_is_the_authors_beside_the_date(line: str, names: tuple[str, ...]) -> None:
    assert read(before=line).authors == names


def test_the_feeds_author_wins_over_a_name_that_nothing_marks() -> None:
    hint = Entry(guid="1", url=URL, title=TITLE, authors=("Bob Ray",))
    assert read(before="<p>Ann Lee</p><p>3 January 2026</p>", hint=hint).authors == ("Bob Ray",)


def test_a_name_in_the_comments_is_no_author() -> None:
    assert read(after="<div class='comments'><p>By Troll Jones</p></div>").authors == ()


def test_broken_json_ld_breaks_nothing() -> None:
    broken = '<script type="application/ld+json">{"@type": "Report", "author": [1, null, {"name": [{}]}],}</script>'
    assert read(broken).title == TITLE


@pytest.mark.parametrize(
    "line",
    [
        "By Ines Corrado, Halyard 24 November 2026, 03:08",
        "By Ines Corrado, Halyard24 November 2026, 03:08",
        "By Ines Corrado and Bram Ketteley",
        "Von Maike Tedsen | 23. November 2026",
        "Written by Ines Corrado",
        "By Ines Corrado, Harbour Correspondent",
        "By Ines Corrado • Updated 3 hours ago",
        "By Ines Corrado for the Harbour Herald",
        "By Reuters",
        "Last updated on 24 November 2026 by Ines Corrado",
        "Ines Corrado - Harbour Herald, Tuesday 24 November 2026, 03:08",
    ],
)
def test_a_byline_that_looks_like_a_paragraph_is_taken_away(line):
    assert head.is_byline(line)


@pytest.mark.parametrize(
    "line",
    [
        "By Monday the ferries had sailed again, and nobody knew why.",
        "By 23 November 2026 the whole fleet was in port",
        "By Ines Corrado the matter was closed; the others went on for years and would not hear of it",
        "Nobody knew why.",
        "The bridge that was opened in 1998 by Ines Corrado",
        "What happened on 24 November 2026 in Halyard",
    ],
)
def test_a_sentence_that_begins_with_by_stays(line):
    assert not head.is_byline(line)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ann Lee and Bob Ray in Skerry", ["Ann Lee", "Bob Ray"]),
        ("By Ann Lee, Bob Ray and Cy Fox in London", ["Ann Lee", "Bob Ray", "Cy Fox"]),
        ("By Ann Lee for Reuters", ["Ann Lee"]),
        ("By Bob Ray, Staff Writer", ["Bob Ray"]),
    ],
)
def test_the_place_behind_several_names_hides_none_of_them(line, names):
    assert people.of_line(line) == names


@pytest.mark.parametrize(
    "text", ["【関連記事】港の橋", "[관련기사] 항구 다리", "[Related] The harbour bridge"]
)
def test_a_label_in_brackets_is_a_label(text):
    assert labels.prefix(text) == "related"
