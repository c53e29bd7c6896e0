"""Editions -> the bytes that an outlet serves: its pages and its feed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from string import Template
from uuid import uuid4

from aggregator.demo.content import Edition, Outlet

MEDIA_TYPES = {
    "rss20": "application/rss+xml",
    "atom": "application/atom+xml",
    "rdf": "application/rdf+xml",
    "json": "application/feed+json",
    "html": "text/html",
}
_BOX_LINKS = 4  # links in a "Latest news" box


def page(edition: Edition, others: Sequence[Edition], today: datetime) -> bytes:
    """The page of `edition`, with boxes that link to `others` (newest first) and `today` in its header."""
    outlet = edition.outlet
    boxes = {
        "latest": _links(outlet, others[:_BOX_LINKS]),
        "related": _links(outlet, others[-2:]),
    }
    published = edition.published.astimezone(outlet.zone)
    values = {
        "name": escape(outlet.name),
        "tagline": escape(outlet.tagline),
        "language": outlet.language,
        "url": edition.url,
        "number": edition.number,
        "title": escape(edition.title),
        "byline": escape(edition.byline),
        "summary": escape(edition.paragraphs[0]),
        "credit": f'<p class="credit">{escape(edition.credit)}</p>' if edition.credit else "",
        "published": f"{outlet.day(published)}, {published:%H:%M}",
        "published_iso": published.isoformat(),
        "today": f"{outlet.weekday(today)}, {outlet.day(today)}",
        "text": _text(edition, boxes),
    } | boxes
    return Template(outlet.template).substitute(values).encode(outlet.charset)


def _text(edition: Edition, boxes: dict[str, str]) -> str:
    outlet = edition.outlet
    inside = {box.after: Template(box.html.strip()).substitute(boxes) for box in outlet.inside}
    parts = []
    for number, paragraph in enumerate(edition.paragraphs, 1):
        parts.append(Template(outlet.paragraph).substitute(text=escape(paragraph, quote=False)))
        if number in inside and number < len(edition.paragraphs):
            parts.append(inside[number])
    return outlet.between.join(parts)


def _links(outlet: Outlet, editions: Sequence[Edition]) -> str:
    link = Template(outlet.link)
    return "\n".join(link.substitute(url=edition.url, title=escape(edition.title)) for edition in editions)


def feed(outlet: Outlet, editions: Sequence[Edition]) -> bytes:
    """The feed of `outlet` with `editions`, newest first, in the outlet's format and encoding."""
    if outlet.feed.format == "html":
        return Template(outlet.template).substitute(name=escape(outlet.name)).encode(outlet.charset)
    if outlet.feed.format == "json":
        return _json_feed(outlet, editions)
    make = {"rss20": _rss, "atom": _atom, "rdf": _rdf}[outlet.feed.format]
    return f'<?xml version="1.0" encoding="{outlet.charset}"?>\n{make(outlet, editions)}'.encode(
        outlet.charset
    )


def _guid(edition: Edition) -> str:
    return str(uuid4()) if edition.outlet.feed.guids == "changing" else edition.url


def _html(edition: Edition) -> str:
    return "\n".join(f"<p>{escape(paragraph, quote=False)}</p>" for paragraph in edition.paragraphs)


def _rss(outlet: Outlet, editions: Sequence[Edition]) -> str:
    items = "".join(
        f"<item><title>{escape(e.title)}</title><link>{escape(e.url)}</link>"
        f'<guid isPermaLink="false">{escape(_guid(e))}</guid><dc:creator>{escape(e.byline)}</dc:creator>'
        f"<pubDate>{format_datetime(e.published)}</pubDate><description>{escape(e.paragraphs[0])}</description>"
        + (f"<content:encoded>{escape(_html(e))}</content:encoded>" if outlet.feed.full_text else "")
        + "</item>\n"
        for e in editions
    )
    return (
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>{escape(outlet.name)}</title><link>http://{outlet.host}/</link>"
        f"<description>{escape(outlet.tagline)}</description><language>{outlet.language}</language>\n"
        f"{items}</channel></rss>"
    )


def _atom(outlet: Outlet, editions: Sequence[Edition]) -> str:
    entries = "".join(
        f"<entry><title>{escape(e.title)}</title><id>{escape(_guid(e))}</id>"
        f'<link rel="alternate" href="{escape(e.url)}"/><author><name>{escape(e.byline)}</name></author>'
        f"<published>{e.published.isoformat()}</published><updated>{e.published.isoformat()}</updated>"
        f"<summary>{escape(e.paragraphs[0])}</summary></entry>\n"
        for e in editions
    )
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.language}">'
        f"<title>{escape(outlet.name)}</title>"
        f'<id>http://{outlet.host}/</id><link href="http://{outlet.host}/"/>'
        f"<updated>{editions[0].published.isoformat()}</updated>\n{entries}</feed>"
    )


def _rdf(outlet: Outlet, editions: Sequence[Edition]) -> str:
    resources = "".join(f'<rdf:li rdf:resource="{escape(e.url)}"/>' for e in editions)
    items = "".join(
        f'<item rdf:about="{escape(e.url)}"><title>{escape(e.title)}</title><link>{escape(e.url)}</link>'
        f"<description>{escape(e.paragraphs[0])}</description><dc:creator>{escape(e.byline)}</dc:creator>"
        f"<dc:date>{e.published.isoformat()}</dc:date></item>\n"
        for e in editions
    )
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="{outlet.feed_url}"><title>{escape(outlet.name)}</title>'
        f"<link>http://{outlet.host}/</link><description>{escape(outlet.tagline)}</description>"
        f"<dc:language>{outlet.language}</dc:language>"
        f"<items><rdf:Seq>{resources}</rdf:Seq></items></channel>\n{items}</rdf:RDF>"
    )


def _json_feed(outlet: Outlet, editions: Sequence[Edition]) -> bytes:
    items = [
        {"id": _guid(e), "url": e.url, "title": e.title, "authors": [{"name": e.byline}]}
        | {"content_html": f"<p>{escape(e.paragraphs[0], quote=False)}</p>"}
        | ({"date_published": e.published.isoformat()} if outlet.feed.dates else {})
        for e in editions
    ]
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "home_page_url": f"http://{outlet.host}/",
        "feed_url": outlet.feed_url,
        "language": outlet.language,
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode(outlet.charset)
