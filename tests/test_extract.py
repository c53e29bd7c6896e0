"""What stays and what goes: one rule a test, on small made-up pages."""

from __future__ import annotations

import json
import pickle
import textwrap
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from aggregator.extract import check_selector, extract, extract_fragment, judge, tree
from aggregator.extract.features import Page
from aggregator.extract.markup import parse
from aggregator.model import Document, Entry, SiteMemory

NOW = datetime(2026, 3, 1, tzinfo=UTC)
URL = "https://www.harbour-herald.example/local/quay-opens-after-two-years"
TITLE = "New quay opens after two years of work"
TEXT = [
    "The town opened its new quay on Saturday after two years of work, and some four hundred people came to see it.",
    "Mayor Hanne Olsvik cut a rope instead of a ribbon, because, she said, ribbons are for shops.",
    "The quay cost nine million crowns, one million more than planned, after divers had found an old wreck in the mud.",
    "Fishing boats may tie up from Monday; the ferry to the islands will move there when the new ramp is ready in May.",
    "Divers will lift the wreck in summer, and the museum would like to show its anchor in the hall by the station.",
]


def page(body: str, head: str = "") -> str:
    return f"""<html lang="en"><head><title>{TITLE} | Harbour Herald</title>{head}</head><body>
    <nav><a href="/">Home</a><a href="/local">Local</a><a href="/sport">Sport</a></nav>{body}
    <footer><p>© Harbour Herald. All rights reserved.</p></footer></body></html>"""


def article(*parts: str) -> str:
    return f"<article><h1>{TITLE}</h1>{''.join(parts)}</article>"


def p(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def read(body: str, **options: object) -> Document:
    return extract(page(body), URL, now=NOW, **options)  # type: ignore[arg-type]


def reason(document: Document, text: str) -> str:
    return next(item.reason for item in document.removed if item.text.startswith(text))


# ------------------------------------------------------------------------------------ what goes


def test_a_plain_article_is_its_paragraphs() -> None:
    assert list(read(article(p(*TEXT))).paragraphs) == TEXT


def test_code_keeps_its_lines() -> None:
    code = "<pre><code>  def pump(x):\n\n      return x + 1\n</code></pre>"
    found = read(article(p(*TEXT), code, p("It hums.")))
    assert found.paragraphs[len(TEXT)] == "def pump(x):\n    return x + 1"


def test_code_has_its_lines_where_each_is_an_element() -> None:
    code = "<pre><code><div>let a = 1;</div><div>let b = 2;</div></code></pre>"
    found = read(article(p(*TEXT), code, p("It hums.")))
    assert found.paragraphs[len(TEXT)] == "let a = 1;\nlet b = 2;"


def test_verses_keep_their_lines_and_prose_is_not_broken_where_the_page_breaks_it() -> None:
    poem = "<p>The ferry leaves at seven in the rain<br>\nand takes the baker's\ndaughter to the town.</p>"
    prose = TEXT[0][:60] + "<br>" + TEXT[0][60:]
    found = read(article(p(*TEXT[1:]), poem, p(prose)))
    assert (
        "The ferry leaves at seven in the rain\nand takes the baker's daughter to the town."
        in found.paragraphs
    )
    assert not any("\n" in text for text in found.paragraphs if "ferry leaves" not in text)


def test_preformatted_prose_is_parted_where_lines_are_empty() -> None:
    text = "\n\n".join("\n".join(textwrap.wrap(paragraph, 70)) for paragraph in TEXT)
    assert list(read(article(f"<pre>\n{text}\n</pre>")).paragraphs) == TEXT


def test_what_readers_say_under_a_text_goes() -> None:
    said = "".join(
        f"<div class=comment><p>user{i} 3 hours ago</p><p>{text}</p></div>" for i, text in enumerate(OTHER)
    )
    assert list(read(f"<h1>{TITLE}</h1>{p(*TEXT)}<div class=commentarea>{said}</div>").paragraphs) == TEXT


def test_posts_whose_headings_lead_to_themselves_are_no_teasers() -> None:
    posts = "".join(
        f"<div id=p{i}><h3><a href=#p{i}>Re: {TITLE}</a></h3><div>{text}</div></div>"
        for i, text in enumerate(TEXT)
    )
    assert read(f"<h2>{TITLE}</h2>{posts}").flags == ()


OTHER = [
    "Bakers in Oberstadt agreed on Tuesday to open an hour later in winter, which ends a quarrel of nine years.",
    "The union had asked for two hours and the guild for none, so that both sides called the result a defeat.",
    "Customers who were asked in the queue said that they would rather sleep for an hour longer than complain.",
]


def story(title: str, texts: list[str], date: str = "") -> str:
    return f"<div class=story><div class=head><h2>{title}</h2>{date}</div>{p(*texts)}</div>"


def test_another_story_under_the_article_goes() -> None:
    date = "<span>3 May 2025</span>"
    found = read(story(TITLE, TEXT, date) + story("Bakers open an hour later", OTHER, date))
    assert list(found.paragraphs) == TEXT
    assert reason(found, OTHER[0]) == "another story"


def test_a_section_of_an_article_is_no_other_story() -> None:
    found = read(story(TITLE, TEXT) + story("What the bakers say", OTHER))
    assert set(OTHER) <= set(found.paragraphs)


def teaser(text: str, number: int) -> str:
    return f"<div><h3><a href=/s/{number}>The headline of story {number}</a></h3><p>{text}</p></div>"


TEASERS = "".join(
    teaser(text, i)
    for i, text in enumerate(
        [*OTHER, "The owls of Skerry have come back to the school roof, a teacher said on Friday."]
    )
)


def test_teasers_in_a_box_beside_an_article_go() -> None:
    found = read(f"<main>{article(p(*TEXT))}<section>{TEASERS}</section></main>")
    assert list(found.paragraphs) == TEXT


def test_the_stories_that_an_article_lists_stay() -> None:
    items = "".join(
        f"<div class=item>{teaser(text * 2, i)}</div>" for i, text in enumerate([*OTHER, TEXT[0]])
    )
    found = read(article(f"<div class=intro>{p(*TEXT)}</div>", f"<div class=items>{items}</div>"))
    assert {text * 2 for text in OTHER} <= set(found.paragraphs)


def test_a_short_article_that_leads_readers_without_scripts_elsewhere_stays() -> None:
    head = "<noscript><meta http-equiv=refresh content='0; url=/nojs'></noscript>"
    assert list(extract(page(article(p(TEXT[0])), head), URL, now=NOW).paragraphs) == TEXT[:1]


def test_the_shadow_tree_of_an_element_is_read() -> None:
    shadow = f"<template shadowrootmode=open>{article(p(*TEXT))}</template>"
    assert list(read(f"<x-story>{shadow}</x-story>").paragraphs) == TEXT


@pytest.mark.parametrize(
    ("html", "starts", "why"),
    [
        (
            "<h3>Latest news</h3><ul><li><a href='/a'>Storm warning for the outer islands</a></li></ul>",
            "Latest",
            "related",
        ),
        ("<p>Lesen Sie auch: <a href='/a'>Sturm über den Inseln</a></p>", "Lesen Sie auch", "related"),
        ("<p><strong>관련기사</strong></p>", "관련기사", "related"),
        ("<p>Advertisement</p>", "Advertisement", "advertisement"),
        ("<div>Share this article</div>", "Share", "share"),
        (
            "<section class='comments'><p>What a waste of our money, I would say.</p></section>",
            "What a waste",
            "comments",
        ),
    ],
)
def test_furniture_after_the_text_goes_with_its_reason(html: str, starts: str, why: str) -> None:
    document = read(article(p(*TEXT), html))
    assert list(document.paragraphs) == TEXT
    assert reason(document, starts) == why


@pytest.mark.parametrize(
    "html",
    [
        "<p><em>Photo: Ann Lee / Coastal Press</em></p>",
        "<p>사진=연합뉴스</p>",
        "<p>（写真：共同通信）</p>",
        "<p>The quay on Sunday. © Coastal Press</p>",
        "<p>Фото: пресс-служба порта</p>",
        "<p>（图源：海港日报）</p>",
        "<p>撮影：山田太郎</p>",
        "<p>/사진=항구박물관</p>",
        "<p>Φωτο: Coastal Press</p>",
        "<p>(Photo Coastal Press)</p>",
        "<p>Photo by Ann Lee on Unsplash</p>",
        "<p>【责任编辑：王小明】</p>",
        "<div><span>Lea también</span><a href='/a'>Storm warning for the outer islands</a></div>",
        "<blockquote><p>Lire aussi</p><p><a href='/a'>Storm warning for the outer islands</a></p></blockquote>",
        "<p><a href='/n'>Abonnieren Sie unseren Newsletter</a></p>",
        "<p><strong>Subscribe to our newsletter to get the latest news in your inbox</strong></p>",
        f"<blockquote class='pullquote'><p>{TEXT[3].split('; ')[1]}</p></blockquote>",
    ],
)
def test_furniture_inside_the_text_goes(html: str) -> None:
    assert list(read(article(p(*TEXT[:3]), html, p(*TEXT[3:]))).paragraphs) == TEXT


@pytest.mark.parametrize(
    "label",
    [
        "اقرأ أيضا:", "Прочетете още:", "Přečtěte si také:", "Læs også:", "ΔΙΑΒΑΣΤΕ ΑΚΟΜΗ:", "بیشتر بخوانید:",
        "Katso myös:", "קראו גם:", "यह भी पढ़ें:", "Pročitajte i:", "Olvassa el ezt is:", "Simak juga:",
        "Zobacz też:", "Citește și:", "Читайте ещё:", "อ่านเพิ่มเติม:", "İlginizi çekebilir:", "Читайте також:",
        "Đọc thêm:", "更多阅读：",
    ],
)  # fmt: skip
def test_a_link_to_another_story_goes_in_many_languages(label: str) -> None:
    link = "<a href='/a'>Storm warning for the outer islands</a>"
    for html in (f"<p>{label} {link}</p>", f"<p><b>{label}</b></p><p>{link}</p>"):
        assert list(read(article(p(*TEXT[:3]), html, p(*TEXT[3:]))).paragraphs) == TEXT


@pytest.mark.parametrize(
    "line", ["Źródło: Coastal Press", "来源：海港日报", "김민수 기자 kim@herald.example", "Text: Max Muster"]
)
def test_a_last_line_that_says_whose_the_text_is_goes(line: str) -> None:
    assert list(read(article(p(*TEXT, line))).paragraphs) == TEXT


@pytest.mark.parametrize(
    "line",
    ["Sources:", "Photos can be shuffled", "Source: Harbour Museum", "Editing is the better half of it"],
)
def test_a_line_of_the_text_that_begins_like_a_credit_stays(line: str) -> None:
    assert line in read(article(p(*TEXT[:3], line, *TEXT[3:]))).paragraphs


@pytest.mark.parametrize(
    "line",
    [
        "Thanks for reading Harbour Notes! Subscribe for free to receive new posts and support my work.",
        "Type your email…",
        "Harbour Notes is a reader-supported publication. To receive new posts, consider becoming a paid subscriber.",
        "This post is public so feel free to share it.",
        "Sign up for more like this.",
        "Great! Check your inbox and click the link to confirm your subscription.",
        "* indicates required",
        "By signing up, you agree to our Terms of Use.",
        "Follow us on Google News and never miss a story.",
        "Подписывайтесь на наш Telegram-канал, чтобы быть в курсе событий.",
        "Urmăriți-ne pe Google News și pe canalul nostru de WhatsApp.",
        "تابعونا على قناة واتساب لمزيد من الأخبار.",
    ],
)
def test_a_call_to_subscribe_or_follow_goes(line: str) -> None:
    assert list(read(article(p(*TEXT[:3], line, *TEXT[3:]))).paragraphs) == TEXT


@pytest.mark.parametrize(
    "line",
    [
        "The party told its voters to sign up for our newsletter, and few of them did.",
        "Thanks for reading, and see you at the quay next week.",
        "A subscription to the ferry costs forty crowns a month.",
    ],
)
def test_a_sentence_about_subscribing_stays(line: str) -> None:
    assert line in read(article(p(*TEXT[:3], line, *TEXT[3:]))).paragraphs


def test_a_heading_whose_text_is_gone_goes_too() -> None:
    document = read(
        article(p(*TEXT), "<h2>Around the harbour</h2><ul><li><a href='/a'>Fish prices</a></li></ul>")
    )
    assert list(document.paragraphs) == TEXT


def test_a_heading_that_is_a_sentence_says_something_without_a_text_under_it() -> None:
    facts = [
        "1. The new quay is long enough for the two largest ferries of the islands",
        "2. Four hundred people came to see how the mayor cut a rope on Saturday",
    ]
    pictures = "".join(f"<h3>{fact}</h3><figure><figcaption>The quay</figcaption></figure>" for fact in facts)
    assert list(read(article(p(*TEXT), pictures)).paragraphs) == [*TEXT, *facts]


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([0.95, 0.95, 0.95, 0.95, 0.40], 4),  # sure of an article: what is unlike it is not of it
        ([0.40, 0.40, 0.40, 0.40, 0.40], 5),  # sure of nothing: rather this than no text
        ([0.40, 0.40, 0.40, 0.40, 0.05], 4),
        ([0.20, 0.20, 0.20, 0.20, 0.20], 0),  # no article on this page
    ],
)
def test_the_threshold_is_the_pages(scores: list[float], kept: int) -> None:
    root = parse(f"<body>{p(*TEXT)}</body>")
    made = judge.decide(Page(*tree.read(root)), scores)
    assert sum(made.kept) == kept


def test_a_second_copy_of_the_text_on_the_page_is_read_once() -> None:
    document = read(article(p(*TEXT), "<div class='mobile'>", p(*TEXT[:3]), "</div>"))
    assert list(document.paragraphs) == TEXT


def test_sub_headings_and_lists_stay() -> None:
    items = [
        "Ramp A is for the island ferry and is open from May.",
        "Ramp B is for the fishing boats and open now.",
    ]
    listed = "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"
    document = read(
        article(p(*TEXT[:2]), "<h2>What changes for the boats</h2>", p(*TEXT[2:4]), listed, p(TEXT[4]))
    )
    assert list(document.paragraphs) == [*TEXT[:2], "What changes for the boats", *TEXT[2:4], *items, TEXT[4]]


INGREDIENTS = ["500 g cod fillet", "2 leeks", "1 kg potatoes", "200 ml cream"]
STEPS = ["Peel the potatoes.", "Slice the leeks.", "Fry the leeks.", "Add the fish.", "Serve hot."]


def items(tag: str, *texts: str) -> str:
    return f"<{tag}>{''.join(f'<li>{text}</li>' for text in texts)}</{tag}>"


@pytest.mark.parametrize(
    ("ingredients", "method"), [("Ingredients", "Method"), ("Zutaten", "Zubereitung"), ("材料", "作り方")]
)
def test_a_recipe_keeps_its_short_lines(ingredients: str, method: str) -> None:
    card = f"<h2>{ingredients}</h2>{items('ul', *INGREDIENTS)}<h2>{method}</h2>{items('ol', *STEPS)}"
    document = read(
        article(p(TEXT[0]), card) + "<section class='comments'><p>Lovely, thank you!</p></section>"
    )
    assert list(document.paragraphs) == [TEXT[0], ingredients, *INGREDIENTS, method, *STEPS]


def test_the_card_of_a_recipe_plugin_stays() -> None:
    listed = "".join(f"<li class='ingredient'><span>{text}</span></li>" for text in INGREDIENTS)
    steps = "".join(f"<li class='instruction'><div><span>{text}</span></div></li>" for text in STEPS)
    card = f"""<div class='recipe-container'><a href='/print'>Print</a>
    <div class='recipe-ingredients-container'><h3>You need</h3><ul>{listed}</ul></div>
    <div class='recipe-instructions-container'><h3>You do</h3><ol>{steps}</ol></div></div>"""
    document = read(article(p(TEXT[0]), card))
    assert list(document.paragraphs) == [TEXT[0], "You need", *INGREDIENTS, "You do", *STEPS]


def test_the_last_item_of_a_list_stays_with_the_others() -> None:
    steps = items("ol", *(f"{step} and let it stand for a while" for step in STEPS), "C#")
    assert "C#" in read(article(p(*TEXT), "<h2>What to do</h2>", steps)).paragraphs


def test_removed_blocks_tell_where_they_stood() -> None:
    document = read(article(p(*TEXT[:2]), "<p>Advertisement</p>", p(*TEXT[2:])))
    assert next(item.position for item in document.removed if item.text == "Advertisement") == 2


@pytest.mark.parametrize(
    ("markup", "shown"),
    [("<a>Home</a><a>Sport</a>", "Home · Sport"), ("<a>Home</a> <a>Sport</a>", "Home Sport"),
     ("<a>Home</a>|<a>Sport</a>", "Home|Sport"), ("Share:<a>Email</a><a>Copy link</a>", "Share: Email · Copy link"),
     ("<a><b>Ho</b>me</a><a><i>Sp</i>ort</a>", "Home · Sport"), ("<span>Ho</span><span>me</span>", "Home"),
     ("<ul><li>Home</li><li>Sport</li></ul>", "Home"), ("<a>Anna</a><br><a>Berta</a>", "Anna Berta"),
     ("<span>By Ada Lund</span><time>26 November</time>", "By Ada Lund 26 November"),
     ("Seen <time>26 November</time>, at sea", "Seen 26 November, at sea")],
)  # fmt: skip
def test_links_that_only_the_style_parts_are_shown_apart(markup: str, shown: str) -> None:
    document = extract(f"<html><body><nav>{markup}</nav>{article(p(*TEXT))}</body></html>", URL, now=NOW)
    assert document.removed[0].text == shown


def test_a_block_whose_links_are_shown_apart_keeps_its_fingerprint() -> None:
    document = read(article(p(*TEXT), "<p><a>Fish prices</a><a>Tides</a></p>"))
    assert "Fish prices · Tides" in {block.text for block in document.removed}
    assert "Fish pricesTides" in {block.text for block in document.blocks}


def test_inline_elements_do_not_break_a_paragraph_or_a_word() -> None:
    text = (
        TEXT[0].replace("quay", "<b>qu</b>ay").replace("four hundred", "<a href='/x'>four <i>hundred</i></a>")
    )
    assert list(read(article(p(text, *TEXT[1:]))).paragraphs) == TEXT


def test_white_space_before_an_inline_element_is_no_text() -> None:
    html = "".join(f"<p>\n  <span>{text}</span>\n</p>\n" for text in TEXT)
    assert list(read(article(html)).paragraphs) == TEXT


def test_a_button_that_nobody_closed_does_not_swallow_the_page() -> None:
    assert list(read("<header><button class='burger'/></header>" + article(p(*TEXT))).paragraphs) == TEXT


# ---------------------------------------------------------------------------------- selectors


def test_a_drop_selector_takes_away_what_would_stay() -> None:
    document = read(article(p(*TEXT[:2]), f"<p class='notice'>{TEXT[2]}</p>", p(*TEXT[3:])), drop=[".notice"])
    assert TEXT[2] not in document.paragraphs
    assert reason(document, TEXT[2]) == "selector"


def test_a_keep_selector_wins_over_everything() -> None:
    document = read(
        article(p(*TEXT)) + "<aside class='extra'><p>Share this article</p></aside>", keep=[".extra"]
    )
    assert list(document.paragraphs) == ["Share this article"]


def test_drop_wins_inside_keep() -> None:
    document = read(article(p(*TEXT[:4]), f"<p class='x'>{TEXT[4]}</p>"), keep=["article p"], drop=[".x"])
    assert list(document.paragraphs) == TEXT[:4]


def test_a_keep_selector_that_matches_nothing_changes_nothing() -> None:
    assert list(read(article(p(*TEXT)), keep=[".gone-with-the-redesign"]).paragraphs) == TEXT


def test_a_selector_that_is_no_css_is_named() -> None:
    with pytest.raises(ValueError, match=r"p:::x"):
        read(article(p(*TEXT)), drop=["p:::x"])


def test_selectors_can_be_checked_beforehand() -> None:
    assert check_selector("div > p.text") is None
    assert check_selector("p:::x")
    assert check_selector(" ")


# -------------------------------------------------------------------------------- kinds of page


def test_of_a_live_blog_the_introduction_is_the_article() -> None:
    updates = "".join(
        f"<div class='update'><time>{hour}:15</time><p>Update: {TEXT[hour % 5]} It was {hour} o'clock.</p></div>"
        for hour in range(18, 10, -1)
    )
    live = (
        '<script type="application/ld+json">{"@type":"LiveBlogPosting","headline":"' + TITLE + '"}</script>'
    )
    document = extract(page(article(p(*TEXT[:2]), updates), live), URL, now=NOW)
    assert list(document.paragraphs) == TEXT[:2]
    assert "live" in document.flags
    assert "live" in {item.reason for item in document.removed}


@pytest.mark.parametrize(
    "stamp", ["%d:15", "%d min ago", "vor %d Minuten", "Il y a %d minutes", "%d시 15분", "%d.15 Uhr"]
)
def test_an_update_of_a_live_blog_is_told_by_its_time(stamp: str) -> None:
    updates = "".join(
        f"<p><b>{stamp % hour}</b></p><p>Update: {TEXT[hour % 5]} It was {hour} o'clock.</p>"
        for hour in range(18, 10, -1)
    )
    document = extract(page(article(p(*TEXT[:2]), updates)), "https://x.example/live/quay", now=NOW)
    assert list(document.paragraphs) == TEXT[:2]


@pytest.mark.parametrize(
    "teaser",
    [
        "<div class='teaser'><h2><a href='/{i}'>A headline on the harbour, no. {i}</a></h2><p>{text}</p></div>",
        "<li><a href='/{i}'>A headline on the harbour, no. {i}</a><p>{text}</p></li>",
        "<div><a href='/{i}'>A headline on the harbour, no. {i}</a><br>{text}</div>",
        "<p><a href='/{i}'><b>A headline on the harbour, no. {i}</b></a></p><p>{text} <a href='/{i}'>Read more</a></p>",
    ],
)
def test_an_index_page_gives_nothing(teaser: str) -> None:
    teasers = "".join(teaser.format(i=i, text=f"{TEXT[i % 5]} That makes {i} of them.") for i in range(12))
    document = extract(page(f"<main>{teasers}</main>"), "https://www.harbour-herald.example/", now=NOW)
    assert document.paragraphs == ()
    assert "index" in document.flags


def test_a_list_of_things_of_other_sites_is_an_article() -> None:
    things = "".join(
        f"<h2><a href='https://shop{i}.example/'>A thing to buy, no. {i}</a></h2><p>{TEXT[i % 5]} Number {i}.</p>"
        for i in range(12)
    )
    assert "index" not in extract(page(article(things)), URL, now=NOW).flags


@pytest.mark.parametrize(
    "text",
    [
        "We and our partners use cookies to store and read data on your device, and we need your consent to do so.",
        "Wir und unsere Partner verwenden Cookies, um Daten auf Ihrem Gerät zu speichern, mit Ihrer Zustimmung.",
        "Nous et nos partenaires utilisons des cookies pour stocker des informations sur votre appareil.",
        "Nosotros y nuestros socios utilizamos cookies para almacenar información en su dispositivo.",
        "Noi e i nostri partner utilizziamo i cookie per archiviare informazioni sul dispositivo.",
        "Nós e os nossos parceiros utilizamos cookies para armazenar informações no seu dispositivo.",
        "Wij en onze partners gebruiken cookies om informatie op uw apparaat op te slaan en te lezen.",
        "당사와 파트너는 쿠키를 사용하여 기기에 정보를 저장하고 개인정보를 처리합니다. 계속하려면 동의해 주세요.",
        "当社とパートナーはクッキーを使用してデバイスに情報を保存し、個人データを処理します。",
        "我们和合作伙伴使用cookie在您的设备上存储信息并处理个人数据。请同意以继续浏览。",
    ],
)
def test_a_consent_wall_is_flagged_and_gives_nothing(text: str) -> None:
    document = extract(f"<html><body><div><h1>Herald</h1><p>{text}</p></div></body></html>", URL, now=NOW)
    assert document.paragraphs == ()
    assert document.flags == ("consent",)


@pytest.mark.parametrize("depth", [1, 2])
def test_an_article_that_a_script_puts_there_is_read_from_the_script(depth: int) -> None:
    string = p(*TEXT, "Share this article")
    for _ in range(depth):
        string = json.dumps(string).replace("<", "\\u003c")
    html = (
        f"<html><head><title>{TITLE} | Herald</title><meta property='og:type' content='article'></head><body>"
        f"<div id='app'></div><script>window.state = {{'a': 1, 'html': {string}}}</script></body></html>"
    )
    document = extract(html, URL, now=NOW)
    assert list(document.paragraphs) == TEXT
    assert document.flags == ()


def state(data: object, kind: str = "application/json") -> str:
    head = f"<title>{TITLE}</title><meta property=og:type content=article>"
    return (
        f"<head>{head}</head><body><div id=app></div><script type={kind}>{json.dumps(data)}</script></body>"
    )


@pytest.mark.parametrize(
    "body",
    [
        TEXT,
        [{"type": "text", "content": text} for text in TEXT],
        {f"Paragraph:{n}": {"text": text} for n, text in enumerate(TEXT)},
        [{"content": [{"value": text[:20]}, {"value": text[20:], "bold": True}]} for text in TEXT],
    ],
)
def test_an_article_that_a_script_has_in_paragraphs_is_read_from_the_script(body: object) -> None:
    others = [{"title": "Another story", "summary": text} for text in OTHER * 3]
    found = extract(state({"page": {"title": TITLE, "body": body, "related": others}}), URL, now=NOW)
    assert list(found.paragraphs) == TEXT


def declared(**more: object) -> str:
    return state({"@type": "NewsArticle", "articleBody": "\n\n".join(TEXT), **more}, "application/ld+json")


def test_an_article_that_only_json_ld_has_is_read_from_there() -> None:
    assert list(extract(declared(), URL, now=NOW).paragraphs) == TEXT


def test_what_json_ld_has_for_subscribers_is_not_the_text() -> None:
    assert extract(declared(isAccessibleForFree="False"), URL, now=NOW).paragraphs == ()


def test_lorem_ipsum_in_place_of_a_text_goes() -> None:
    lorem = "Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod tempor invidunt."
    found = read(
        article(p(*TEXT, lorem, "At vero eos et accusam et justo duo dolores et ea rebum, stet clita."))
    )
    assert list(found.paragraphs) == TEXT
    assert found.flags == ("paywall",)


def test_a_page_is_not_too_long_for_its_style_sheets_and_scripts() -> None:
    bulk = f"<style>{'.a{b:c}' * 300_000}</style><script>x='{'a' * 1_500_000}'</script>"
    assert list(extract(page(article(p(*TEXT)), bulk), URL, now=NOW).paragraphs) == TEXT


def test_what_comes_after_the_end_of_the_body_is_read() -> None:
    html = f"<html><body><nav><a href='/'>Home</a></nav></body></html>{article(p(*TEXT))}"
    assert list(extract(html, URL, now=NOW).paragraphs) == TEXT


def test_a_last_line_that_is_no_text_goes() -> None:
    for line in ("© 2026 Harbour Herald. All rights reserved.", "This content is for subscribers only."):
        assert list(read(article(p(*TEXT, line))).paragraphs) == TEXT


def test_a_paywall_stub_is_flagged() -> None:
    document = read(
        article(p(*TEXT[:2]), "<div class='paywall'><p>Subscribe to continue reading this story.</p></div>")
    )
    assert "paywall" in document.flags
    assert list(document.paragraphs) == TEXT[:2]


@pytest.mark.parametrize(
    ("url", "link", "found"),
    [
        ("https://x.example/a/quay-opens-again", "/a/quay-opens-again/2", True),
        ("https://x.example/a/quay-opens-again", "/a/quay-opens-again?page=2", True),
        ("https://x.example/a/quay-opens-again?page=2", "/a/quay-opens-again?page=3", True),
        ("https://x.example/a/quay-opens-again", "/a/ferry-moves-in-may", False),
        ("https://x.example/a/quay-opens-again", "/a/quay-opens-again/9", False),
    ],
)
def test_the_next_page_of_an_article_is_told_from_the_next_story(url: str, link: str, found: bool) -> None:
    html = page(article(p(*TEXT)), f'<link rel="next" href="{link}">')
    assert (extract(html, url, now=NOW).next_url == f"https://x.example{link}") is found


# ------------------------------------------------------------------------------------ evidence


def test_what_is_kept_in_the_fingerprints_is_the_paragraphs() -> None:
    document = read(article(p(*TEXT), "<h3>Latest news</h3>"))
    assert [block.text for block in document.blocks if block.kept] == [
        text[:200] for text in document.paragraphs
    ]


def test_a_path_that_never_held_text_on_the_site_counts_against_a_block() -> None:
    document = read(article(p(*TEXT)))
    paths = {block.path: (0, 500) for block in document.blocks}
    against = read(article(p(*TEXT)), site=SiteMemory("harbour-herald.example", 50, {}, paths))
    assert all(
        one.confidence >= other.confidence
        for one, other in zip(against.removed, document.removed, strict=False)
    )


def test_a_sentence_that_the_feed_carries_is_article_wherever_it_stands() -> None:
    body = (
        article(p(*TEXT[:4])) + f"<aside class='sidebar'><div class='teaser'><p>{TEXT[4]}</p></div></aside>"
    )
    assert list(read(body).paragraphs) == TEXT[:4]
    assert (
        list(read(body, hint=Entry(guid="1", url=URL, title=TITLE, content_html=p(*TEXT))).paragraphs) == TEXT
    )


def test_a_document_can_be_pickled() -> None:
    document = read(article(p(*TEXT)))
    assert pickle.loads(pickle.dumps(document)) == document


def test_the_same_page_gives_the_same_document() -> None:
    assert read(article(p(*TEXT))) == read(article(p(*TEXT)))


# ----------------------------------------------------------------------------------- fragments

ENTRY = Entry(
    guid="1", url=URL, title=TITLE, authors=("Ann Lee",), published=datetime(2025, 10, 20, 14, 3, tzinfo=UTC)
)


def test_a_fragment_is_all_text_but_its_calls_to_act() -> None:
    html = p(*TEXT) + (
        f"<p>The post <a href='{URL}'>{TITLE}</a> appeared first on <a href='/'>Harbour Herald</a>.</p>"
        "<p><a href='#'>Read more</a></p><p>Share this article</p>"
    )
    assert list(extract_fragment(html, URL, hint=ENTRY, now=NOW).paragraphs) == TEXT


@pytest.mark.parametrize(
    "line",
    [
        "<p>Learn more about your ad choices. Visit podcasts.example/adchoices</p>",
        "See podcasts.example/listener for privacy information.",
        "submitted by <a href='/user/a'> /u/painter </a> <br/> <a href='/1'>[link]</a> <a href='/2'>[comments]</a>",
        "<p><small>5 posts - 3 participants</small></p><p><a href='/t/812'>Read full topic</a></p>",
        "<p>Statistics: Posted by <a href='/u/2'>wick</a> — Fri Nov 20, 2025 7:24 pm — Replies 3 — Views 70</p>",
        "submitted by <a href='/u/a'>gale</a> to <a href='/c/b'>kites</a><br>12 points | <a href='/1'>3 comments</a>",
        "<span>Submitted by editor on Mon, 20/10/2025 - 08:12</span>",
        "<ul><li><a href='/user/login'>Log in</a> to post comments</li><li>12 reads</li></ul>",
        "<p><a href='/people/port'>Port archive</a> posted a photo:</p>",
        "<p>[contains quote post or other embedded content]</p>",
        f"<p><a href='/1'>{TITLE}</a> was originally published in <a href='/2'>Quay</a> on Medium, where people are "
        "continuing the conversation by highlighting and responding to this story.</p>",
        "<p>Send in a voice message: https://podcasts.example/message</p>",
        "<p>Support this podcast: <a href='/s'>https://podcasts.example/support</a></p>",
        "<p>Posted 2 hours ago</p><p>3 min read</p><p>Shares: 12</p><p>Updated: 27 November 2025, 10:00</p>",
        "<p>12 commentaires</p><p>3 Kommentare</p><p>Vor 2 Stunden</p><p>Просмотров: 1 200</p>",
        "<p>Tags: <a href='/t/sea'>sea</a>, <a href='/t/fog'>fog</a></p>",
        "<div>Attachments:</div><div><a href='/tolls.pdf'>tolls.pdf</a></div>",
    ],
)
def test_a_fragment_loses_what_a_host_of_feeds_puts_under_every_entry(line) -> None:
    assert list(extract_fragment(p(*TEXT) + line, URL, hint=ENTRY, now=NOW).paragraphs) == TEXT


@pytest.mark.parametrize(
    "line",
    [
        "The plans were submitted by the harbour board on Monday, and 12 posts were filled.",
        "Support this podcast: it is the only one that reports from the quay.",
        "Twelve people posted a photo: a ferry in fog.",
        "Date: 27 November 2025, 10:00",
        "12 views of the harbour",
    ],
)
def test_a_fragment_keeps_a_sentence_that_only_resembles_what_hosts_add(line) -> None:
    assert list(extract_fragment(p(*TEXT, line), URL, hint=ENTRY, now=NOW).paragraphs) == [*TEXT, line]


def test_a_fragment_that_is_headlines_of_outlets_has_no_text() -> None:
    others = "".join(
        f"<li><a href='/{n}'>Ferry stopped again</a>&nbsp;<font>Outlet {n}</font></li>" for n in (2, 3)
    )
    html = f"<ol><li><a href='/1'>{TITLE}</a>&nbsp;<font>Harbour Herald</font></li>{others}</ol>"
    document = extract_fragment(html, URL, hint=ENTRY, now=NOW)
    assert (document.paragraphs, [removed.reason for removed in document.removed]) == (
        (),
        ["title", "related", "related"],
    )


def test_a_fragment_whose_text_begins_with_its_linked_headline_keeps_the_text() -> None:
    html = f"<p><a href='/1'>{TITLE}</a> {TEXT[0]}</p>" + p(*TEXT[1:])
    assert extract_fragment(html, URL, hint=ENTRY, now=NOW).paragraphs == (f"{TITLE} {TEXT[0]}", *TEXT[1:])


def test_a_fragment_loses_links_to_other_stories_and_calls_to_subscribe() -> None:
    html = p(
        *TEXT[:3],
        "اقرأ أيضا: <a href='/a'>Storm warning for the outer islands</a>",
        *TEXT[3:],
        "Thanks for reading Harbour Notes! Subscribe for free to receive new posts.",
    )
    assert list(extract_fragment(html, URL, hint=ENTRY, now=NOW).paragraphs) == TEXT


@pytest.mark.parametrize(
    "sign", ["<a class='anchor' href='#why'>#</a>", " <a href='https://harbour.example/1#why'>¶</a>"]
)
def test_the_sign_by_which_a_heading_is_linked_to_is_no_part_of_it(sign) -> None:
    html = f"{p(TEXT[0])}<h2 id='why'>Why{sign}</h2>{p(*TEXT[1:])}"
    assert list(extract_fragment(html, URL, hint=ENTRY, now=NOW).paragraphs) == [TEXT[0], "Why", *TEXT[1:]]


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("Ann Lee in New York", ("Ann Lee",)),
        ("Ann Lee in Dor and Bob Ray in Brill", ("Ann Lee", "Bob Ray")),
        ("Sophia in 't Veld", ("Sophia in 't Veld",)),
        ("Women in Harbours", ("Women in Harbours",)),
    ],
)
def test_a_feeds_author_is_named_without_where_they_were(author, names) -> None:
    assert extract_fragment(p(*TEXT), URL, hint=replace(ENTRY, authors=(author,)), now=NOW).authors == names


def test_a_fragment_has_title_authors_and_date_of_its_entry() -> None:
    document = extract_fragment(p(*TEXT), URL, hint=ENTRY, now=NOW)
    assert (document.title, document.authors, document.published) == (TITLE, ("Ann Lee",), ENTRY.published)


def test_a_fragment_may_be_plain_text() -> None:
    assert extract_fragment(TEXT[0], URL).paragraphs == (TEXT[0],)


def test_an_empty_fragment_is_empty() -> None:
    assert extract_fragment("", URL).paragraphs == ()


SHORT = {
    "Japanese": (
        "百二十年の灯台、再び点灯",
        "港の灯台が百二十年ぶりに修理され、月曜日に再び点灯した。市によると、費用は四千二百万円だった。",
        "灯台守を務めた山田一郎さん（八十一）は「子どものころから見ていた光が戻った」と話した。",
        "点灯式には約三百人の住民が集まり、漁船が汽笛を鳴らして祝った。",
    ),
    "Korean": (
        "120년 된 등대, 다시 불 밝히다",
        "항구의 등대가 120년 만에 수리되어 월요일 다시 불을 밝혔다. 시는 비용이 4천2백만 원이었다고 밝혔다.",
        "등대지기였던 김모 씨는 어릴 때부터 보던 빛이 돌아왔다고 말했다.",
        "점등식에는 주민 약 300명이 모였고 어선들이 경적을 울리며 축하했다.",
    ),
    "Chinese": (
        "百年灯塔重新点亮",
        "港口的灯塔一百二十年来首次修复，周一重新点亮。市政府说，费用为四百二十万元。",
        "曾任灯塔看守的王先生说，他从小看到的灯光又回来了。",
        "约三百名居民参加了点灯仪式，渔船鸣笛庆祝。",
    ),
}


@pytest.mark.parametrize("language", SHORT)
def test_a_short_article_in_a_script_of_few_characters_is_whole(language: str) -> None:
    title, *paragraphs = SHORT[language]
    page = "".join(f"<p>{text}</p>" for text in paragraphs)
    page = (
        f"<title>{title}</title><nav><a href='/'>Home</a> <a href='/a'>A</a></nav>"
        f"<div class='content'><h1>{title}</h1>{page}</div><footer>© 2026</footer>"
    )
    assert list(extract(page, "https://news.example/a/1").paragraphs) == paragraphs


def test_a_figure_s_caption_is_no_paragraph():
    figure = (
        "<figure><img src=a.jpg><figcaption>The harbour wall in March, from the pier.</figcaption></figure>"
    )
    paragraphs = tuple(
        f"The ferry of day {n} was late again, and the harbour master blamed the wind." for n in range(5)
    )
    body = (
        "".join(f"<p>{text}</p>" for text in paragraphs[:2])
        + figure
        + "".join(f"<p>{t}</p>" for t in paragraphs[2:])
    )
    page = (
        f"<html><head><title>Ferry</title></head><body><article><h1>Ferry</h1>{body}</article></body></html>"
    )
    found = extract(page.encode(), "https://news.example/1")
    assert found.paragraphs == paragraphs
    assert [block.reason for block in found.removed if "harbour wall" in block.text] == ["caption"]


def test_an_article_of_fewer_blocks_in_json_ld_than_there_are_in_the_menu_is_read() -> None:
    data = json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": "\n\n".join(TEXT)})
    menu = "".join(f"<div><a href='/{n}'>Section {n}</a></div>" for n in range(40))
    html = f"<html><head><script type='application/ld+json'>{data}</script></head><body>{menu}</body></html>"
    assert list(extract(html, URL, now=NOW).paragraphs) == TEXT
