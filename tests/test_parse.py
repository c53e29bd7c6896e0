"""What a feed says, as our own nouns: formats, dates, links, plain text, hints, and cutting what was seen."""

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from made_feeds import URL, atom, item, numbered, rdf, rss

from aggregator.errors import ParseError
from aggregator.parse import parse
from aggregator.parse.text import storable

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def read(body, **more):
    return parse(body, URL, now=NOW, **more)


def entry(body):
    (found,) = read(body).entries
    return found


# ---------------------------------------------------------------------------------------- formats


def test_an_rss_item_becomes_an_entry():
    found = entry(
        rss(
            item(
                more="<pubDate>Mon, 23 Nov 2026 10:00:00 +0100</pubDate><dc:creator>Ada Holm</dc:creator>"
                "<category>Harbour</category><content:encoded>&lt;p&gt;It sails at noon, and again at six.&lt;/p&gt;"
                '</content:encoded><media:thumbnail url="/ferry.jpg"/>'
            )
        )
    )
    assert (found.guid, found.url, found.title) == ("ferry", "https://news.example/ferry", "Ferry runs again")
    assert found.summary == "It sails at noon."
    assert found.content_html == "<p>It sails at noon, and again at six.</p>"
    assert found.published.isoformat() == "2026-11-23T10:00:00+01:00"
    assert (found.authors, found.tags, found.image) == (
        ("Ada Holm",),
        ("Harbour",),
        "https://news.example/ferry.jpg",
    )


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("press@harbour.berlin (Ada Holm)", ("Ada Holm",)),
        ("Ada Holm &lt;ada@harbour.press&gt;", ("Ada Holm",)),
        ("Ada Holm (ada@harbour.agency)", ("Ada Holm",)),
        ("press@harbour.berlin", ()),
        ("press@harbour.de (Ada Holm)", ("Ada Holm",)),
        ("Ada Holm (AP) (ada@harbour.de)", ("Ada Holm (AP)",)),
    ],
)
def test_an_authors_address_is_no_name_whatever_its_top_level_domain(written, names):
    assert entry(rss(item(more=f"<author>{written}</author>"))).authors == names


@pytest.mark.parametrize(
    ("pictures", "image"),
    [
        ('<media:content url="/s.jpg" width="140"/><media:content url="/l.jpg" width="460"/>', "l.jpg"),
        ('<media:content url="/film.mp4" width="640"/><media:thumbnail url="/still.jpg"/>', "still.jpg"),
        ('<media:content url="/tide.jpg?s=a1" height="322"/>', "tide.jpg?s=a1"),
        ('<media:thumbnail url="/face.png" width="30" height="30"/>', None),
        ('<itunes:image href="/episode.jpg"/>', "episode.jpg"),
    ],
)
def test_an_entrys_picture_is_the_largest_one_and_no_icon(pictures, image):
    found = entry(rss(item(more=pictures))).image
    assert found == (image and f"https://news.example/{image}")


def test_an_atom_entry_becomes_an_entry():
    found = entry(
        atom(
            "<entry><title>Ferry runs again</title><link rel='alternate' href='/ferry'/><id>tag:ferry</id>"
            "<published>2026-11-23T10:00:00Z</published><updated>2026-11-23T11:00:00Z</updated>"
            "<author><name>Ada Holm</name></author><summary>It sails.</summary>"
            "<content type='html'>&lt;p&gt;It sails at noon.&lt;/p&gt;</content></entry>"
        )
    )
    assert (found.guid, found.url) == ("tag:ferry", "https://news.example/ferry")
    assert (found.published.hour, found.updated.hour, found.authors) == (10, 11, ("Ada Holm",))
    assert (found.summary, found.content_html) == ("It sails.", "<p>It sails at noon.</p>")


def test_an_rdf_item_is_known_by_its_address():
    found = entry(
        rdf(
            "<item rdf:about='https://news.example/ferry'><title>Ferry</title><link>https://news.example/ferry</link></item>"
        )
    )
    assert found.guid == found.url == "https://news.example/ferry"


JSON_ITEM = {
    "id": "ferry",
    "url": "/ferry",
    "content_html": "<p>It sails at noon.</p>",
    "title": "Ferry &amp; bridge",
}


def json_feed(*items, **head):
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": items, **head}
    ).encode()


def test_a_json_feed_is_a_feed():
    found = entry(
        json_feed(
            {**JSON_ITEM, "authors": [{"name": "Ada Holm"}], "date_published": "2026-11-23T10:00:00+01:00"}
        )
    )
    assert (found.guid, found.url, found.title) == ("ferry", "https://news.example/ferry", "Ferry & bridge")
    assert (found.summary, found.authors) == ("It sails at noon.", ("Ada Holm",))
    assert found.published.isoformat() == "2026-11-23T10:00:00+01:00"


def test_plain_text_of_a_json_feed_becomes_paragraphs():
    assert entry(json_feed({"id": 7, "content_text": "One < two.\n\nThree."})).content_html == (
        "<p>One &lt; two.</p><p>Three.</p>"
    )


@pytest.mark.parametrize(
    "body", [rss(item(), head="<language>de-at</language>"), json_feed(JSON_ITEM, language="de-AT")]
)
def test_an_entry_without_a_language_has_that_of_its_feed(body):
    assert entry(body).language == "de-at"


@pytest.mark.parametrize(
    "odd", [{"id": None}, {"tags": "x"}, {"authors": {"name": 1}}, {"title": ["x"]}, {"url": 5}]
)
def test_a_json_item_with_wrong_types_is_still_an_entry(odd):
    assert entry(json_feed({**JSON_ITEM, **odd}))


@pytest.mark.parametrize(
    ("body", "format_name"),
    [(rss(), "rss20"), (atom(), "atom10"), (rdf(), "rss10"), (json_feed(), "json11")],
)
def test_a_feed_without_entries_is_a_feed(body, format_name):
    found = read(body)
    assert (found.entries, found.format, found.complete) == ((), format_name, True)


# ------------------------------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    "written",
    [
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Fri, 01 Jan 2099 00:00:00 GMT",
        "9999-12-31T23:59:59Z",
        "Thu, 32 Foo 2026 99:99:99 GMT",
        "yesterday",
        "1767225600",
        "9" * 400,
        "",
    ],
)
def test_an_absurd_date_is_no_date(written):
    assert entry(rss(item(more=f"<pubDate>{written}</pubDate>"))).published is None


@pytest.mark.parametrize(
    "written",
    [
        "23/11/2026 14:30",
        "2026/11/23",
        "23-11-2026",
        "Mon, 23 Nov 2026 2:30 PM",
        "Mon, 23 Nov 2026 20:00:00 CEST",
        "lundi 23",
    ],
)
def test_a_date_as_people_write_it_is_kept_for_who_can_read_it(written):
    found = entry(rss(item(more=f"<pubDate>{written}</pubDate>")))
    assert (found.published, found.written) == (None, written)


def test_a_content_that_was_escaped_once_too_often_has_its_tags():
    found = entry(rss(item(text="&lt;p&gt;The dam &lt;b&gt;holds&lt;/b&gt;.&lt;/p&gt;")))
    assert (found.content_html, found.summary) == ("<p>The dam <b>holds</b>.</p>", "The dam holds.")


def test_a_content_in_a_forums_markup_has_its_tags():
    found = entry(
        rss(
            item(
                text="[h2]Fixes[/h2][list][*]Boats [b]float[/b][*]Locks [url=https://x.example/a]close[/url][/list][img]a.png[/img]"
            )
        )
    )
    assert found.summary == "Fixes Boats float Locks close"
    assert found.content_html.startswith("<h2>Fixes</h2><ul><li>Boats <b>float</b><li>Locks <a href=")


@pytest.mark.parametrize("text", ["He [sic] said: [/b] is no tag.", "See [1] and [2], [p] and [b]."])
def test_brackets_are_no_markup(text):
    assert entry(rss(item(text=text))).content_html == text


def test_a_text_about_tags_is_a_text():
    assert entry(rss(item(text="Close &lt;p&gt; with &lt;/p&gt;."))).summary == "Close <p> with </p>."


@pytest.mark.parametrize("zone", ["GMT", "EST", "+0100", "Z"])
def test_a_date_as_feeds_write_it_is_read_at_once(zone):
    found = entry(rss(item(more=f"<pubDate>Mon, 23 Nov 2026 10:00:00 {zone}</pubDate>")))
    assert (found.published is None, found.written) == (False, "")


def test_a_date_a_day_ahead_is_believed():
    tomorrow = NOW + timedelta(days=1)
    assert entry(rss(item(more=f"<pubDate>{tomorrow.isoformat()}</pubDate>"))).published == tomorrow


def test_an_entry_without_published_was_published_when_it_was_updated():
    found = entry(atom("<entry><id>a</id><updated>2026-11-23T10:00:00Z</updated></entry>"))
    assert found.published == found.updated == datetime(2026, 11, 23, 10, tzinfo=UTC)


# ------------------------------------------------------------------------------------------ links


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://"])
def test_only_web_links_are_links(link):
    assert entry(rss(item(link=link))).url is None


def test_a_relative_link_is_resolved_against_the_feed():
    assert entry(rss(item(link="../x/1.html"))).url == "https://news.example/x/1.html"


def test_an_opaque_guid_is_not_taken_for_a_link():
    assert entry(rss("<item><guid>abc-123</guid><title>T</title></item>")).url is None


def test_a_path_as_guid_is_the_link():
    assert entry(rss("<item><title>One</title><guid>/one</guid></item>")).url == "https://news.example/one"


def test_the_link_behind_feedburners_counter_is_the_link():
    behind = '<f:origLink xmlns:f="http://rssnamespace.org/feedburner/ext/1.0">https://paper.example/1</f:origLink>'
    assert entry(rss(item(more=behind))).url == "https://paper.example/1"


def test_an_enclosure_is_not_the_link():
    sound = '<link rel="enclosure" href="https://news.example/one.mp3"/>'
    assert entry(atom(f"<entry><id>1</id><title>One</title>{sound}</entry>")).url is None


def test_a_permanent_link_as_guid_is_the_link():
    assert entry(rss("<item><guid>https://news.example/p/1</guid></item>")).url == "https://news.example/p/1"


# ------------------------------------------------------------------------------------- plain text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("A &amp; B", "A & B"),
        ("A &amp;amp; B &amp;lt;i&amp;gt;", "A & B <i>"),
        ("&lt;b&gt;Ferry&lt;/b&gt; runs", "Ferry runs"),
        ("Uses List&lt;String&gt; now", "Uses List<String> now"),
        ("2 &lt; 3 and 5 &gt; 4", "2 < 3 and 5 > 4"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Ferry", "Ferry"),
        ("&lt;svg/onload=alert(1)&gt;Ferry", "Ferry"),
        ("&lt;!--&gt;&lt;img src=x onerror=alert(1)&gt;--&gt;Ferry", "Ferry"),
        ("Ferry \u202egnp.exe \u009b31m", "Ferry gnp.exe ›31m"),
        ("line 1&#10;line 2", "line 1 line 2"),
        ("<![CDATA[Ferry <em>runs</em>]]>", "Ferry runs"),
        ("R&amp;D &amp;nbsp; AT&amp;T", "R&D AT&T"),
    ],
)
def test_a_title_is_one_line_of_text(written, shown):
    assert entry(rss(f"<item><title>{written}</title></item>")).title == shown


def test_a_very_long_title_is_cut():
    assert len(entry(rss(item(title="T" * 1_000_000))).title) == 1_000


def test_a_persian_joiner_stays_in_a_title():
    assert "\u200c" in entry(rss(item(title="می\u200cرود"))).title


# ------------------------------------------------------------------------------------------ hints


def test_a_feed_says_how_often_to_come():
    hints = read(
        rss(
            head="<ttl>120</ttl><sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>"
            "<skipHours><hour>0</hour><hour>24</hour><hour>23</hour></skipHours>"
            "<skipDays><day>Saturday</day><day>Sunday</day><day>Someday</day></skipDays>"
        )
    ).hints
    assert (hints.ttl, hints.update_period) == (7200, 43200)
    assert (hints.skip_hours, hints.skip_days) == ({0, 23}, {5, 6})


def test_the_hour_24_is_midnight():
    assert read(rss(head="<skipHours><hour>24</hour></skipHours>")).hints.skip_hours == {0}


SATURDAY = "<skipDays><day>Saturday</day></skipDays>"


@pytest.mark.parametrize(
    ("body", "days"),
    [
        (rss(item(text="x" * 70_000), SATURDAY), {5}),
        (rss(head="<skipDays><day><![CDATA[Saturday]]></day></skipDays>"), {5}),
        (rss(head=f"<!-- {SATURDAY} -->"), set()),
        (rss(item(text=f"<![CDATA[How to write {SATURDAY}]]>")), set()),
    ],
    ids=["after the items", "as CDATA", "in a comment", "quoted by an item"],
)
def test_skipped_days_are_what_the_channel_says(body, days):
    assert read(body).hints.skip_days == days


@pytest.mark.parametrize("ttl", ["", "-5", "nan", "inf", "soon", "9" * 300])
def test_a_senseless_ttl_is_no_hint(ttl):
    assert read(rss(head=f"<ttl>{ttl}</ttl>")).hints.ttl is None


def test_the_archive_of_a_feed_is_found():
    assert read(rss(head='<atom:link rel="prev-archive" href="/2025.xml"/>')).older_url == (
        "https://news.example/2025.xml"
    )


# ---------------------------------------------------------------------------------------- cutting


@pytest.mark.parametrize(
    "body",
    [
        rss(*numbered(5)),
        rss(*numbered(5)).decode().encode("utf-16"),
        atom(*(f"<entry><id>{n}</id><title>Story {n}</title></entry>" for n in range(5))),
        rdf(*(f"<item rdf:about='https://news.example/{n}'><title>S {n}</title></item>" for n in range(5))),
        json_feed(*({**JSON_ITEM, "id": str(n)} for n in range(5))),
        rss(*numbered(5)).replace(b"<item>", b"<x:item>").replace(b"</item>", b"</x:item>").replace(
            b"<rss ", b"<rss xmlns:x='http://purl.org/rss/1.0/' "
        ),
    ],
    ids=["rss", "utf-16", "atom", "rdf", "json", "prefixed"],
)  # fmt: skip
def test_a_seen_item_is_cut_and_the_others_read_as_before(body):
    whole = read(body)
    hashes = [one.raw_hash for one in whole.entries]
    assert len(set(hashes)) == 5
    rest = read(body, seen=frozenset(hashes[:2] + hashes[3:]))
    assert rest.entries == whole.entries[2:3]
    assert set(rest.seen_hashes) == set(hashes)
    assert rest.title == whole.title


def test_an_item_is_the_same_wherever_it_stands():
    one, two, three = numbered(3)
    assert {e.raw_hash for e in read(rss(one, two, three)).entries} == {
        e.raw_hash for e in read(rss(three, one, two)).entries
    }


def test_a_tag_in_a_comment_or_cdata_is_not_an_item():
    body = rss(
        "<!-- <item> -->",
        item(text=None, more="<description><![CDATA[</item><item>]]></description>"),
        item(),
    )
    assert [bool(one.raw_hash) for one in read(body).entries] == [True, True]


def test_an_item_of_another_vocabulary_within_one_is_part_of_it():
    body = rss(*(item(f"Story {n}", guid=f"id-{n}", more="<media:item>x</media:item>") for n in range(3)))
    seen = read(body).seen_hashes
    assert len(seen) == 3
    assert read(body, seen=frozenset(seen)).entries == ()


def test_items_that_are_not_closed_are_read_but_never_cut():
    body = rss("<item><title>One</title>", item(title="Two"))
    found = read(body)
    assert [one.title for one in found.entries] == ["One", "Two"]
    assert found.seen_hashes == ()


def test_where_items_and_entries_do_not_agree_in_number_none_is_cut_next_time():
    found = read(rss("<?note <item>no item</item> ?>", item(title="Two")))
    assert [one.title for one in found.entries] == ["Two"]
    assert found.seen_hashes == ()


def test_of_too_many_items_that_are_not_closed_it_is_said_how_many_were_read():
    found = read(rss(*("<item><title>One</title>" for _ in range(1_200))))
    assert len(found.entries) == 1_000
    assert found.problem == "only 1000 of 1200 entries could be read: the markup is broken"


# ------------------------------------------------------------------------------------- not a feed


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"<!doctype html><html><head><title>Down</title></head><body>x</body></html>", "HTML page, “Down”"),
        (b"hello world\n" * 50, "neither RSS nor Atom nor JSON Feed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "image"),
        (b'{"error": "rate limited"}', "not a JSON Feed"),
        (b"<opml version='2.0'><body/></opml>", "OPML"),
        (b"<?xml version='1.0'?><urlset></urlset>", "sitemap"),
    ],
)
def test_what_is_no_feed_is_named(body, words):
    with pytest.raises(ParseError, match=words) as caught:
        read(body)
    assert caught.value.kind == "not_a_feed"


def test_an_html_page_that_offers_a_feed_says_which():
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head></html>'
    with pytest.raises(ParseError, match=re.escape("https://news.example/rss")):
        read(page)


def test_a_json_feed_cut_short_is_broken():
    with pytest.raises(ParseError) as caught:
        read(json_feed(JSON_ITEM)[:-20])
    assert caught.value.kind == "broken_feed"


def test_a_search_form_in_an_item_costs_no_entry():
    form = "<textInput><title>Search</title><name>q</name></textInput>"
    feed = parse(rss(item(title="One", more=form), item(title="Two"), head=form), URL)
    assert [entry.title for entry in feed.entries] == ["One", "Two"]


@pytest.mark.parametrize(
    ("title", "plain"),
    [("Ferry <img src=x onerror=alert(1)", "Ferry"), ("If a <b and c = d", "If a <b and c = d")],
)
def test_a_tag_that_never_ends_is_no_text(title, plain):
    assert parse(rss(item(title=title)), URL).entries[0].title == plain


def test_a_guid_has_no_character_that_changes_how_a_line_is_shown():
    (entry,) = parse(rss(item(guid="tag:a\u202eexample")), URL).entries
    assert entry.guid == "tag:aexample"


@pytest.mark.parametrize("text", ["Zürich, Đà Nẵng", "서울", "ガラス", "й, ё", "ώ"])
def test_letters_are_stored_in_one_piece_with_their_marks(text):
    assert storable(unicodedata.normalize("NFD", text)) == text


@pytest.mark.parametrize("text", ["\ufa19谷さん", "5 \u212b", "\u0958"])
def test_characters_that_are_variants_of_others_are_stored_as_they_are(text):
    assert storable(text) == text


def test_the_link_of_an_alert_is_the_article_s():
    link = "https://www.google.com/url?rct=j&amp;url=https://herald.example/bridge&amp;ct=ga"
    assert entry(rss(f"<item><link>{link}</link></item>")).url == "https://herald.example/bridge"


def test_the_link_of_an_alert_is_the_article_s_in_json_too():
    item = {"id": "1", "url": "https://www.google.com/url?url=https://herald.example/bridge"}
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]}).encode()
    assert entry(body).url == "https://herald.example/bridge"


@pytest.mark.parametrize(
    ("title", "headline"),
    [
        ("Bridge closes - Harbour Herald", "Bridge closes"),
        ("Bridge closes - again", "Bridge closes - again"),
        (" - Harbour Herald", "- Harbour Herald"),
    ],
)
def test_the_outlet_behind_a_headline_is_no_part_of_it(title, headline):
    source = '<source url="https://herald.example">Harbour Herald</source>'
    assert entry(rss(f"<item><title>{title}</title>{source}</item>")).title == headline


def test_blank_lines_part_the_paragraphs_of_a_text_without_tags():
    found = entry(
        rss("<item><description>The bridge &amp;amp; the crew.\n \n00:00 Intro</description></item>")
    )
    assert found.content_html == "<p>The bridge &amp; the crew.</p><p>00:00 Intro</p>"
    assert found.summary == "The bridge & the crew. 00:00 Intro"


def test_blank_lines_in_html_part_nothing():
    assert (
        entry(rss("<item><description>a &lt;b&gt;b\n\nc&lt;/b&gt;</description></item>")).content_html
        == "a <b>b\n\nc</b>"
    )
