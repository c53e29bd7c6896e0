"""Whatever the page: no exception, bounded time, and the text where there is any."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.extract import extract, extract_fragment
from aggregator.extract.decode import decode
from aggregator.identity import content_hash
from aggregator.model import Entry
from aggregator.parse.text import plain

SENTENCE = "The harbour master read the list of boats aloud, one by one, and nobody in the hall said a word. "
PARAGRAPH = SENTENCE * 3
SECONDS = 4.0  # of CPU; twice the promise, for a busy machine

IN_SCRIPT = "<meta property='og:type' content='article'><script>"

PAGES: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "white space": lambda: " \n " * 10,
    "NUL": lambda: "\0\0\0",
    "one angle bracket": lambda: "<",
    "10 MB of paragraphs": lambda: f"<p>{PARAGRAPH}</p>" * (10_000_000 // len(PARAGRAPH)),
    "10 MB of short paragraphs": lambda: "<p>hello <b>x</b> &amp;</p>" * 370_000,
    "10 MB of one word": lambda: "<p>" + "x" * 10_000_000,
    "10 MB of white space": lambda: "<p>" + " " * 10_000_000 + PARAGRAPH,
    "10 MB of line breaks": lambda: "<p>" + "<br>" * 2_500_000 + PARAGRAPH,
    "100,000 nested div": lambda: "<div>" * 100_000 + PARAGRAPH,
    "100,000 nested a": lambda: "<a href=x>" * 100_000 + PARAGRAPH,
    "a megabyte of class": lambda: f"<p class='{'a b ' * 250_000}'>{PARAGRAPH}</p>",
    "150,000 attributes": lambda: f"<p {' '.join(f'a{i}=1' for i in range(150_000))}>{PARAGRAPH}</p>",
    "nested JSON": lambda: f"<script type='application/ld+json'>{'[' * 200_000}</script><p>{PARAGRAPH}</p>",
    "an endless string": lambda: IN_SCRIPT + '"' + "\\x" * 3_000_000,
    "a megabyte of escaped strings": lambda: (
        IN_SCRIPT + "x='{" + r"\"id\":1,\"title\":\"a\"," * 50_000 + "}'"
    ),
    "a million quotes": lambda: IN_SCRIPT + '"<p>' * 1_000_000,
    "a title of 300,000 parts": lambda: f"<title>{' | '.join(['part'] * 300_000)}</title><p>{PARAGRAPH}</p>",
    "200,000 labels": lambda: "<p>Related news</p>" * 200_000,
    "200,000 authors": lambda: f"<meta name='author' content='{'By A and B, ' * 80_000}'><p>{PARAGRAPH}</p>",
    "lone surrogates": lambda: f"<p>\ud800{PARAGRAPH}</p>",
    "impossible references": lambda: f"<p>&#xD800; &#999999999999; &#0; {PARAGRAPH}</p>",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_page_is_read_in_bounded_time(name: str) -> None:
    page = PAGES[name]()
    start = time.process_time()
    extract(page, "https://x.example/2024/01/02/some-story")
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("name", ["a megabyte of class", "lone surrogates", "impossible references"])
def test_the_text_inside_is_still_found(name: str) -> None:
    assert "harbour master" in extract(PAGES[name]() + f"<p>{PARAGRAPH}</p>" * 3).text


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>/&;#pdivbra= \"'\n-!x[]{}é한"), max_size=400))
def test_no_markup_raises(markup: str) -> None:
    extract(markup, "https://x.example/")
    extract_fragment(markup)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.one_of(st.none(), st.text(max_size=20)))
def test_no_bytes_raise(data: bytes, charset: str | None) -> None:
    extract(data, charset=charset)


# ------------------------------------------------------------------------------------ encodings


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("über".encode(), None, "über"),
        ("über".encode("latin-1"), None, "über"),
        ("über".encode("latin-1"), "iso-8859-1", "über"),
        ("über".encode(), "iso-8859-1", "über"),
        ("“über”".encode("cp1252"), "iso-8859-1", "“über”"),
        (b"\xef\xbb\xbf" + "über".encode(), "iso-8859-1", "über"),
        ("über".encode("utf-16"), None, "über"),
        ("한국".encode("euc-kr"), "euc-kr", "한국"),
        (b'<meta charset="shift_jis">' + "日本".encode("shift_jis"), None, '<meta charset="shift_jis">日本'),
        ("中国".encode("gbk"), "gb2312", "中国"),
        ("模".encode("gbk"), "gb2312", "模"),  # valid UTF-8, too
        ("港务局长周一表示渡轮将在本周内".encode(), "gb2312", "港务局长周一表示渡轮将在本周内"),
        ("über".encode(), "no-such-charset", "über"),
        ("über".encode(), "rot13", "über"),
    ],
)
def test_bytes_are_decoded_as_browsers_do(data: bytes, charset: str | None, text: str) -> None:
    assert decode(data, charset) == text


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("フェリーは月曜日に再び運航すると港長が述べた。乗客は金曜日から待っていた。", "shift_jis"),
        ("フェリーは月曜日に再び運航すると港長が述べた。乗客は金曜日から待っていた。", "euc_jp"),
        (
            "항만 책임자는 월요일에 여객선이 다시 운항할 것이라고 말했다. 승객들은 금요일부터 기다렸다.",
            "euc_kr",
        ),
        ("港务局长周一表示，渡轮将在本周内恢复航行。乘客们从星期五开始就在这里等了。", "gbk"),
        ("港務局長週一表示，渡輪將在本週內恢復航行。乘客們從星期五開始就在這裡等了。", "big5"),
        ("Начальник порта сообщил в понедельник, что паром снова выйдет в море.", "cp1251"),
        ("Начальник порта сообщил в понедельник, что паром снова выйдет в море.", "koi8_r"),
        ("Le capitaine du port a déclaré que le ferry repartirait à la fin de la journée.", "cp1252"),
        ("Der Hafenmeister sagte, die Fähre müsse über Nacht in der Werft bleiben.", "cp1252"),
        ("Rada miasta poinformowała w piątek, że stara śluza została otwarta.", "cp1250"),
        ("Rada miasta poinformowała w piątek, że stara śluza została otwarta.", "iso8859_2"),
        ("Městská rada v pátek oznámila, že starý most byl znovu otevřen.", "cp1250"),
        ("İlçe meclisi cuma günü eski köprünün yeniden açıldığını duyurdu.", "cp1254"),
        ("Brúin var opnuð á ný eftir viðgerð, sagði þingið í gær.", "cp1252"),
    ],
)
def test_the_encoding_of_a_page_that_names_none_is_guessed(text: str, codec: str) -> None:
    assert decode(f"<p>{text}</p>".encode(codec)) == f"<p>{text}</p>"


def test_a_single_broken_byte_does_not_change_the_encoding() -> None:
    page = b"<meta charset=utf-8>" + ("über " * 500).encode() + b"\xff"
    assert decode(page).count("ü") == 500


@pytest.mark.parametrize("charset", ["idna", "punycode", "unicode_escape"])
def test_a_codec_that_is_no_character_set_is_passed_over(charset):
    page = f"<meta charset={charset}><h1>Ferry</h1>".encode() + b"\x80" * 10
    assert extract(page, "https://news.example/1", charset=charset) is not None


RUSSIAN = "Новый мол в гавани Скерри откроют в понедельник, сообщил начальник порта Илья Бранд. "


def test_a_page_that_says_utf_8_and_is_not_is_read_as_what_it_is():
    page = f"<html><head><title>Мол</title></head><body><article><h1>Мол</h1><p>{RUSSIAN * 4}</p></article></body>"
    found = extract(page.encode("cp1251"), "https://news.example/1", charset="utf-8")
    assert "Новый мол в гавани" in found.text


HINDI = (
    "स्केरी बंदरगाह का नया घाट सोमवार को खुलेगा, बंदरगाह के प्रमुख ने रविवार को यह जानकारी दी और कहा कि काम पूरा हो चुका है।",
    "इस पर बारह करोड़ रुपये खर्च हुए हैं, जो परिषद के अनुमान से दोगुना है, और भुगतान अगले साल तक चलेगा, दस्तावेज़ में लिखा है।",
    "मछुआरों ने कहा कि वे पुराने घाट पर ही रहेंगे, क्योंकि नया घाट उनके घरों से बहुत दूर है और किराया भी ज़्यादा है।",
    "महापौर ने वादा किया कि बस हर आधे घंटे पर चलेगी, जब तक कि सभी लोग नए घाट तक पहुँचने का रास्ता न जान लें।",
)
THAI = (
    "ท่าเรือใหม่ของเมืองสเคอร์รีจะเปิดในวันจันทร์ หัวหน้าท่าเรือกล่าวเมื่อวันอาทิตย์ว่างานทั้งหมดเสร็จเรียบร้อยแล้วและพร้อมรับเรือลำแรก",
    "โครงการนี้ใช้เงินไปสิบสองล้าน ซึ่งเป็นสองเท่าของที่สภาเมืองคาดไว้ และจะต้องจ่ายต่อไปจนถึงปีหน้าตามเอกสารที่เปิดเผย",
    "ชาวประมงกล่าวว่าพวกเขาจะอยู่ที่ท่าเรือเก่าต่อไป เพราะท่าเรือใหม่อยู่ไกลจากบ้านมากและค่าเช่าก็แพงกว่าเดิมด้วย",
    "นายกเทศมนตรีสัญญาว่าจะมีรถโดยสารทุกครึ่งชั่วโมง จนกว่าทุกคนจะรู้จักทางไปท่าเรือใหม่เป็นอย่างดี",
)


@pytest.mark.parametrize("paragraphs", [HINDI, THAI], ids=["hi", "th"])
def test_sentences_that_end_in_their_own_way_are_sentences(paragraphs):
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    page = f"<html><head><title>Pier</title></head><body><article><h1>Pier</h1>{body}</article></body></html>"
    assert extract(page.encode(), "https://news.example/1").paragraphs == paragraphs


def test_a_sentence_with_a_temperature_is_no_weather_widget():
    paragraphs = tuple(
        f"The ferry of day {n} was late again, and the harbour master blamed the wind for it."
        for n in range(5)
    )
    body = "".join(f"<p>{text}</p>" for text in ("It was 41°C in Skerry on Monday.", *paragraphs))
    page = f"<html><head><title>Heat</title></head><body><article><h1>Heat</h1>{body}</article></body></html>"
    assert (
        extract(page.encode(), "https://news.example/1").paragraphs[0] == "It was 41°C in Skerry on Monday."
    )


def test_a_number_of_thousands_of_digits_in_a_pages_data_is_no_character():
    data = '<script type="application/ld+json">{"@type": "NewsArticle", "author": {"name": "&#%s;"}}</script>'
    assert extract(data % ("9" * 5000) + "<p>The ferry sails again.</p>", "https://a.example/x").authors == ()


@pytest.mark.parametrize("unit", ["<", "</", "<!", "[", "(", "<a =", "=", "1", "<script "])
def test_what_never_ends_is_looked_at_once(unit):
    text = unit * (100_000 // len(unit))
    page = f'<title>{text}</title><meta name=author content="{text}"><p>{SENTENCE}</p>'
    began = time.process_time()
    extract(page, "https://a.example/x")
    plain(f"<a {text}", 100_000)
    content_hash(Entry("1", None, "Ferry", content_html=f"{text} views ago"))
    assert time.process_time() - began < SECONDS
