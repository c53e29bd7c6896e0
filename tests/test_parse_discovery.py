"""The feeds that an HTML page offers."""

from aggregator.parse import discover

URL = "https://news.example/section/"


def test_feeds_are_found_with_their_titles():
    page = b"""<html><head>
      <link rel="stylesheet" href="/x.css"><link rel='alternate' hreflang='de' href='/de/'>
      <link rel="alternate" type="application/rss+xml" title="News &amp; more" href="../rss.xml">
      <LINK TYPE=application/atom+xml REL=alternate HREF=https://other.example/atom>
      <link rel="alternate" type="application/feed+json" href="/feed.json"></head></html>"""
    assert discover(page, URL) == [
        ("https://news.example/rss.xml", "News & more"),
        ("https://other.example/atom", ""),
        ("https://news.example/feed.json", ""),
    ]


def test_the_base_of_the_page_is_used():
    page = b'<base href="https://cdn.example/"><link rel="alternate" type="application/rss+xml" href="rss">'
    assert discover(page, URL) == [("https://cdn.example/rss", "")]


def test_feeds_of_comments_come_last():
    page = b"".join(
        b'<link rel="alternate" type="application/rss+xml" href="%s">' % path
        for path in (b"/comments/feed/", b"/feed/")
    )
    assert [feed for feed, _ in discover(page, URL)] == [
        "https://news.example/feed/",
        "https://news.example/comments/feed/",
    ]


def test_a_feed_is_named_once_and_only_on_the_web():
    page = b'<link rel="alternate" type="application/rss+xml" href="/rss">' * 2
    page += b'<link rel="alternate" type="application/rss+xml" href="javascript:x">'
    assert discover(page, URL) == [("https://news.example/rss", "")]
