"""The feeds that an HTML page offers."""

import pytest

from aggregator.errors import ParseError
from aggregator.parse import discover, parse

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


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        ("", "utf-8"),
        ("", "cp1252"),
        ("<meta charset=iso-8859-2>", "iso-8859-2"),
        ("<meta charset=x>", "cp1252"),
    ],
)
def test_the_title_of_a_page_that_is_no_feed_is_readable(head, charset):
    page = f"<!doctype html><html><head>{head}<title>Äpfel</title></head>".encode(charset)
    with pytest.raises(ParseError, match="an HTML page, “Äpfel”, not a feed"):
        parse(page, URL)
