"""What came instead of a feed, and the feeds that an HTML page offers."""

from __future__ import annotations

import contextlib
import re

from aggregator import urls
from aggregator.entities import unescaped

from .text import plain

MAX_HEAD = 4096  # bytes in which an encoding is looked for: the standard asks for 1024, real pages have scripts before
MAX_HTML = 1_000_000  # bytes looked at: feeds are offered in the head
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json",
              "application/xml", "text/xml", "application/json")  # fmt: skip

_LINK = re.compile(rb"<link\b([^<>]{1,4000})>", re.I)
_BASE = re.compile(rb"<base\b([^<>]{1,4000})>", re.I)
_TITLE = re.compile(rb"<title\b[^<>]*>([^<]{0,2000})", re.I)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,40})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")


def discover(page: bytes, url: str) -> list[tuple[str, str]]:
    """The feeds an HTML page offers with <link rel="alternate">: (absolute URL, title), in the page's order.

    Feeds of comments come last: they are rarely what is wanted.
    """
    page = page[:MAX_HTML]
    base = next((found for found in map(_attributes, _BASE.findall(page)) if found.get("href")), {})
    root = urls.absolute(base.get("href"), url) or url
    found: dict[str, str] = {}
    for link in map(_attributes, _LINK.findall(page)):
        kind = link.get("type", "").partition(";")[0].strip().lower()
        relations = link.get("rel", "").lower().split()
        if not ("feed" in relations or ("alternate" in relations and kind in FEED_TYPES)):
            continue
        if (feed := urls.absolute(link.get("href"), root)) and "wp-json" not in feed:
            found.setdefault(feed, plain(link.get("title"), 200))
    return sorted(found.items(), key=lambda feed: "comment" in (feed[0] + feed[1]).lower())


def _attributes(tag: bytes) -> dict[str, str]:
    found = _ATTRIBUTE.findall(tag.decode("utf-8", "replace"))
    return {name.lower(): unescaped(double or single or bare) for name, double, single, bare in found}


def _decoded(words: bytes, page: bytes) -> str:
    """Words of a page as text: they are UTF-8, or what the page says that they are, or what most old pages are."""
    declared = _CHARSET.search(page[:MAX_HEAD])
    for charset in ("utf-8", declared[1].decode() if declared else "", "cp1252"):
        with contextlib.suppress(LookupError, ValueError):
            return words.decode(charset)
    return words.decode("utf-8", "replace")


def what_came(body: bytes, url: str) -> str:
    """A sentence for the user: what the body is, when it is no feed, and what to do."""
    start = body[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "the answer is empty"
    if b"<opml" in start:
        return "an OPML list of feeds, not a feed; read it with `aggregator import`"
    if b"<urlset" in start or b"<sitemapindex" in start:
        return "a sitemap, not a feed"
    if (
        b"<html" in start
        or start.startswith(b"<!doctype html")
        or re.search(rb"<(?:head|body|title|div)\b", start)
    ):
        match = _TITLE.search(body[:MAX_HTML])
        title = plain(_decoded(match[1], body), 100) if match else ""
        named = f"an HTML page, “{title}”" if title else "an HTML page"
        feeds = discover(body, url)
        if feeds:
            return f"{named}, not a feed; it links to {' and '.join(feed for feed, _ in feeds[:3])}: try that"
        return f"{named}, not a feed"
    if start.startswith((b"\x89png", b"gif8", b"\xff\xd8\xff", b"riff")):
        return "an image, not a feed"
    if start.startswith(b"%pdf"):
        return "a PDF, not a feed"
    if start.startswith((b"pk\x03\x04", b"\x1f\x8b")):
        return "a compressed file, not a feed"
    if start.startswith(b"<"):
        return "XML, but not a feed"
    return "neither RSS nor Atom nor JSON Feed"
