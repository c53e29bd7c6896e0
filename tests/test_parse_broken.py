"""Broken and hostile documents: what is kept, what is said, and that it costs little."""

import json
import time

import pytest
from made_feeds import URL, atom, item, numbered, rss

from aggregator.parse import parse


def titles(body, **more):
    return [one.title for one in parse(body, URL, **more).entries]


GOOD = ["Story 0 of the day", "Story 1 of the day", "Story 2 of the day"]

# -------------------------------------------------------------------------------------- truncation


def test_a_document_that_ends_in_the_middle_keeps_its_whole_entries_and_says_so():
    body = rss(*numbered(20))
    found = parse(body[: body.index(b"part 16")], URL)
    assert len(found.entries) == 16
    assert not found.complete
    assert found.problem == "the document ends in the middle, after 16 whole entries"


def test_the_entries_of_a_truncated_document_can_be_cut_next_time():
    body = rss(*numbered(5))
    first = parse(body[:-80], URL)
    rest = parse(body, URL, seen=frozenset(first.seen_hashes))
    assert len(first.entries) + len(rest.entries) == 5


def test_an_atom_feed_that_ends_in_the_middle_is_not_complete():
    found = parse(atom("<entry><id>1</id></entry>", "<entry><id>2</id></entry>")[:-25], URL)
    assert [one.guid for one in found.entries] == ["1"]
    assert not found.complete


# -------------------------------------------------------------------------------------------- junk


@pytest.mark.parametrize(
    "before",
    [
        b"\n\n  <!-- cached -->\n",
        b"\xef\xbb\xbf\n",
        b"<br />\n<b>Warning</b>: mysql_connect() in <b>/x.php</b><br />\n",
        b"\x00\x01",
        b"junk ",
    ],
)
def test_what_stands_before_the_document_does_no_harm(before):
    assert titles(before + rss(*numbered(3))) == GOOD


@pytest.mark.parametrize(
    ("nonsense", "shown"),
    [
        (b"&#999999999999;", ""),
        (b"&#xD800;", ""),
        (b"&#0;", ""),
        (b"&#x0;", ""),
        (b"&#27;", ""),
        (b"&#" + b"9" * 6_000 + b";", ""),
        (b"&amp;#999999999999;", ""),
        (b"&#0008217;", "’"),
        (b"&#x02019;", "’"),
        (b"\x00\x1b", ""),
        (b"&nbsp;", ""),
        (b"&eacute;", "é"),
        (b" & ", " &"),
    ],
)
def test_characters_that_xml_forbids_cost_no_entry(nonsense, shown):
    body = rss(*numbered(3)).replace(b"of the day</title>", b"of" + nonsense + b"</title>", 1)
    assert titles(body) == ["Story 0 of" + shown, *GOOD[1:]]


def test_a_line_broken_with_a_vertical_tab_is_two_words():
    assert titles(rss(item(title="One\vtwo"))) == ["One two"]


# --------------------------------------------------------------------------------------- encodings

MIXED = "Café — “naïve”"


@pytest.mark.parametrize(
    ("codec", "declared", "content_type"),
    [
        ("cp1252", "utf-8", None),
        ("utf-8", "iso-8859-1", "text/xml; charset=utf-8"),
        ("utf-8", "utf-8", "text/xml; charset=iso-8859-1"),
        ("utf-8", "utf-8", "text/html; charset=windows-1252"),
        ("utf-16", "utf-16", "text/xml"),
        ("utf-16-le", "utf-8", None),
        ("utf-32", "utf-8", None),
        ("utf-8", "utf-9000", "text/xml; charset=klingon"),
        ("utf-8", "utf-16", "text/xml; charset=utf-16"),
        ("utf-8", "unicode", "text/xml; charset=utf-16"),
        ("cp1252", "UTF-16", None),
    ],
)
def test_a_title_is_read_whatever_the_encoding_is_called(codec, declared, content_type):
    body = (
        rss(item(title=MIXED), declaration=f'<?xml version="1.0" encoding="{declared}"?>')
        .decode()
        .encode(codec)
    )
    assert titles(body, content_type=content_type) == [MIXED]


def test_a_wide_document_may_begin_with_a_blank_line():
    body = rss(item(title=MIXED), declaration='\n<?xml version="1.0" encoding="utf-16"?>').decode()
    assert titles(body.encode("utf-16-le"), content_type="text/xml; charset=utf-16le") == [MIXED]


def test_one_bad_byte_does_not_spoil_the_other_entries():
    body = rss(item(title=MIXED), item(title="Bad BYTE here")).replace(b"BYTE", b"\xff")
    assert titles(body) == [MIXED, "Bad \ufffd here"]


def test_japanese_in_its_own_encoding_keeps_its_escapes():
    body = rss(item(title="日本語"), declaration='<?xml version="1.0" encoding="iso-2022-jp"?>')
    assert titles(body.decode().encode("iso-2022-jp")) == ["日本語"]


# --------------------------------------------------------------------------------- time and memory

ATTRIBUTES = " ".join(f"a{n}='1'" for n in range(50_000))
HOSTILE = {
    "attributes": rss(f"<item {ATTRIBUTES}/>", *numbered(3)),
    "attributes of the channel": rss(*numbered(3), head=f"<x {ATTRIBUTES}/>"),
    "categories": rss(item(more="".join(f"<category>c{n}</category>" for n in range(40_000))), *numbered(3)),
    "categories in CDATA": rss(item(more="<category><![CDATA[x]]></category>" * 40_000), *numbered(3)),
    "dots in an author": rss(item(more=f"<author>a@{'a.' * 20_000}!</author>"), *numbered(3)),
    "commas in tags": rss(item(more=f"<tags>{','.join(map(str, range(40_000)))}</tags>"), *numbered(3)),
    "less-than signs": rss(item(text=None, more=f"<description>{'<' * 500_000}</description>"), *numbered(3)),
    "nested tags": rss(
        item(text=None, more=f"<description>{'<x>' * 100_000}{'</x>' * 100_000}</description>"), *numbered(3)
    ),
    "nested html": rss(item(text="<div>" * 50_000), *numbered(3)),
    "open cdata": rss(item(text=None, more=f"<description>{'<![CDATA[<!--' * 100_000}</description>"), *numbered(3)),
    "entities": rss(*numbered(3)).replace(
        b"?>", b'?><!DOCTYPE rss [<!ENTITY a "' + b"a" * 60_000 + b'">]>', 1
    ).replace(b"part 1", b"&a;" * 20_000),
    "laughs": rss(*numbered(3)).replace(
        b"?>",
        b'?><!DOCTYPE rss [<!ENTITY l0 "lol">'
        + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
        + b"]>",
        1,
    ).replace(b"part 1", b"&l9;"),
    "a long text": rss(item(text="word " * 1_000_000), *numbered(3)),
    "a long guid": rss(item(guid="g" * 100_000), *numbered(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markup_is_read_in_a_second_and_costs_no_other_entry(name):
    began = time.process_time()
    assert titles(HOSTILE[name])[-3:] == GOOD
    assert time.process_time() - began < 1


def test_an_external_entity_is_not_read():
    body = rss(*numbered(3)).replace(
        b"?>", b'?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>', 1
    )
    found = parse(body.replace(b"part 1", b"[&x;]"), URL)
    assert "[]" in found.entries[1].summary or "[&x;]" in found.entries[1].summary


def test_of_too_many_entries_the_first_are_read_and_the_rest_next_time():
    body = rss(*numbered(1_500))
    first = parse(body, URL)
    assert len(first.entries) == 1_000
    assert not first.complete
    assert first.problem == "500 of 1500 entries are left for the next fetch"
    rest = parse(body, URL, seen=frozenset(first.seen_hashes))
    assert len(rest.entries) == 500
    assert rest.complete


def test_of_too_many_items_of_a_json_feed_the_first_are_read_and_the_rest_next_time():
    items = [{"id": str(n), "title": f"Story {n}"} for n in range(1_500)]
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": items}).encode()
    first = parse(body, URL)
    assert (len(first.entries), first.complete) == (1_000, False)
    rest = parse(body, URL, seen=frozenset(first.seen_hashes))
    assert (len(rest.entries), rest.complete) == (500, True)


def test_of_too_many_bytes_the_first_items_are_read_and_the_rest_next_time():
    body = rss(*(item(guid=str(n), text="x" * 300_000) for n in range(20)))
    first = parse(body, URL)
    assert first.problem == "6 of 20 entries are left for the next fetch"
    assert not first.complete
    assert len(parse(body, URL, seen=frozenset(first.seen_hashes)).entries) == 6


def test_a_long_text_is_cut_where_a_character_ends():
    body = rss(item(text="ф" * 400_000), item(title="Café"))
    first, second = parse(body, URL).entries
    assert 400_000 > len(first.content_html) > 200_000
    assert set(first.content_html) == {"ф"}
    assert second.title == "Café"


@pytest.mark.parametrize("blank", ["\u00a0", "\u2028", "\u3000", " "])
def test_a_blank_in_the_name_of_a_namespace_does_no_harm(blank):
    body = (
        f"<rss xmlns:content='http://purl.org/rss/1.0/modules/content/{blank}x'><channel>"
        "<item><content:encoded>Ferry</content:encoded></item></channel></rss>"
    )
    assert [entry.content_html for entry in parse(body.encode(), URL).entries] == ["Ferry"]
