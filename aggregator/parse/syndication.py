"""RSS 0.9x, 1.0, 2.0 and Atom, read by feedparser. The only module that imports it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import feedparser

from aggregator import urls
from aggregator.errors import ParseError
from aggregator.model import Entry, ParsedFeed, RefreshHints

from .discovery import what_came
from .prepare import Prepared
from .scrub import HEAD
from .text import (
    MAX_CONTENT,
    MAX_DATE,
    MAX_NAME,
    MAX_SUMMARY,
    MAX_TITLE,
    is_local,
    language_tag,
    moment,
    paragraphs,
    plain,
    without_controls,
)

MAX_GUID = 100_000  # characters; identity stores a hash of long ones
#: What links to earlier entries are called (RFC 5005 sections 4 and 3), the better one first.
OLDER = ("prev-archive", "next")
MAX_LIST = 50  # authors or tags kept of an entry
ICON = 50  # pixels across below which a picture is an icon

# Always expat: libxml2 would read DTDs, and looking for its driver in vain costs 0.5 ms at every feed.
feedparser.api.PREFERRED_XML_PARSERS.clear()

_PERIODS = {
    "hourly": 3600.0,
    "daily": 86400.0,
    "weekly": 604800.0,
    "monthly": 2_592_000.0,
    "yearly": 31_536_000.0,
}
_DAYS = {"monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6}
_SKIP = re.compile(rb"<skip(Hours|Days)\b[^<>]*>(.{0,2000}?)</skip\1\s*>", re.I | re.S)
_SKIPPED = re.compile(rb"<(?:hour|day)\b[^<>]*>\s*(\w{1,9})\s*<", re.I)
_ITEM = re.compile(rb"<item[\s/>]", re.I)
_PICTURE = re.compile(r"\.(?:avif|gif|jpe?g|png|webp)(?:[?#]|\Z)", re.I)
_ADDRESS = re.compile(
    r"[(<]?\s*(?:mailto:)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?:\?\S*)?\s*[)>]?"
)


def read(document: Prepared, url: str, now: datetime) -> ParsedFeed:
    """What feedparser makes of a prepared document, as our own nouns. Raises ParseError."""
    if document.is_html:
        raise ParseError(url, "not_a_feed", what_came(document.data, url))
    # Without the document's address, which feedparser would join to every tag (a third of its time), and to guids,
    # which then change when the feed moves. Links are made absolute below.
    headers = {"content-type": document.content_type} if document.content_type else None
    try:
        result = feedparser.parse(
            io.BytesIO(document.data),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except MemoryError:  # the worker's limit, which has an answer of its own
        raise
    except Exception as error:  # feedparser promises nothing; what it raised so far is scrubbed before it
        raise ParseError(
            url, "broken_feed", f"the feed cannot be read ({type(error).__name__}: {error})"
        ) from error
    if not result.get("version") and not result.entries:
        raise ParseError(url, "not_a_feed", what_came(document.data, url))
    # The n-th item is the n-th entry unless the markup is broken; then nothing can be cut next time.
    aligned = len(result.entries) == len(document.hashes)
    found = result.entries[: document.limits.entries]
    hashes = document.hashes if aligned else ("",) * len(found)
    problem = document.problem
    if len(found) < len(result.entries):
        problem = f"only {len(found)} of {len(result.entries)} entries could be read: the markup is broken"
    feed = dict(result.feed)
    language = language_tag(feed.get("language"))
    entries = tuple(
        _entry(dict(raw), known, url, language, now) for raw, known in zip(found, hashes, strict=True)
    )
    return ParsedFeed(
        title=plain(_text(feed, "title"), MAX_TITLE),
        site_url=urls.absolute(_text(feed, "link"), url),
        language=language,
        entries=entries,
        hints=_hints(feed, _outside_items(document.data)),
        seen_hashes=(*document.seen, *(document.hashes if aligned else ())),
        problem=problem,
        complete=document.complete,
        older_url=_first(
            (_text(one, "href") for rel in OLDER for one in _all(feed, "links") if one.get("rel") == rel), url
        ),
        format=result.get("version") or "",
    )


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _all(raw: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The elements that feedparser lists under `key`, as ordinary dicts: its own are ten times slower."""
    return [dict(one) for one in raw.get(key) or ()]


def _entry(raw: dict[str, Any], raw_hash: str, url: str, language: str | None, now: datetime) -> Entry:
    links = _all(raw, "links")
    summary = _text(raw, "summary")
    content = max([summary, *(_text(part, "value") for part in _all(raw, "content"))], key=len)
    published = _date(raw, "published", now) or _date(raw, "created", now)
    updated = _date(raw, "updated", now)
    return Entry(
        guid=without_controls(_text(raw, "id")[:MAX_GUID]).strip() or None,
        url=_link(raw, links, url),
        title=_title(raw),
        summary=plain(paragraphs(summary or content), MAX_SUMMARY),
        content_html=paragraphs(content[:MAX_CONTENT]),
        authors=_authors(raw),
        published=published or updated,
        updated=updated,
        language=language_tag(dict(raw.get("title_detail") or ()).get("language")) or language,
        image=_image(raw, links, url),
        tags=_distinct([_text(tag, "label") or _text(tag, "term") for tag in _all(raw, "tags")]),
        raw_hash=raw_hash,
        written="" if published or updated else _written(raw),
    )


def _title(raw: dict[str, Any]) -> str:
    """The headline, without the outlet's name that a search engine's feed puts behind it: `source` has it too."""
    title = plain(_text(raw, "title"), MAX_TITLE)
    outlet = plain(_text(dict(raw.get("source") or ()), "title"), MAX_NAME)
    return title.removesuffix(f" - {outlet}").strip() or title if outlet else title


def _date(raw: dict[str, Any], key: str, now: datetime) -> datetime | None:
    written = _text(raw, key)
    return None if is_local(written) else moment(raw.get(f"{key}_parsed"), written, now)


def _written(raw: dict[str, Any]) -> str:
    """The date in the feed's own words, for who can read more of them."""
    return plain(_text(raw, "published") or _text(raw, "created") or _text(raw, "updated"), MAX_DATE)


def _link(raw: dict[str, Any], links: list[dict[str, Any]], url: str) -> str | None:
    link = _text(raw, "link")
    if link == raw.get("id") and not urls.is_web(link) and not link.startswith("/"):
        link = ""  # feedparser takes any guid for a link unless it says isPermaLink="false"
    stories = (_text(one, "href") for one in links if one.get("rel") in (None, "alternate"))
    found = _first((_text(raw, "feedburner_origlink"), link, *stories), url)
    return found and urls.unwrapped(found)


def _first(candidates: Iterable[str], url: str) -> str | None:
    return next((found for one in candidates if (found := urls.absolute(one, url))), None)


def _authors(raw: dict[str, Any]) -> tuple[str, ...]:
    names = [name for author in _all(raw, "authors") if (name := _text(author, "name"))]
    written = _text(raw, "author")
    if len(names) == 1 and "@" in written:
        # feedparser takes "press@paper.berlin (Ann Lee)" for "press@paper.berl" and "in (Ann Lee": to it, no top-level
        # domain has more than four letters.
        names = [re.sub(r"^\((.*)\)$", r"\1", _ADDRESS.sub(" ", written).strip())]
    return _distinct(names or [written])


def _distinct(names: list[str]) -> tuple[str, ...]:
    found = dict.fromkeys(plain(name, MAX_NAME) for name in names[:MAX_LIST])
    return tuple(name for name in found if name)


def _image(raw: dict[str, Any], links: list[dict[str, Any]], url: str) -> str | None:
    """The story's picture: of several sizes the largest, and none that is but an icon (the face of who wrote it)."""
    pictures = [media for media in _all(raw, "media_content") if _is_picture(media)]
    # Those that do not say stay in their order.
    pictures.sort(key=lambda media: -(_number(media.get("width")) or 0))
    pictures += _all(raw, "media_thumbnail")
    shown = [_text(one, "url") for one in pictures if (_number(one.get("width")) or ICON) >= ICON]
    shown += [_text(link, "href") for link in links if _text(link, "type").startswith("image/")]
    shown.append(_text(dict(raw.get("image") or ()), "href"))  # a podcast's
    return _first(shown, url)


def _is_picture(media: dict[str, Any]) -> bool:
    """Whether a media:content is one: it says so, or says nothing and has the name of one."""
    medium, kind = _text(media, "medium"), _text(media, "type")
    if medium or kind:
        return medium == "image" or kind.startswith("image/")
    return _PICTURE.search(_text(media, "url")) is not None


def _outside_items(data: bytes) -> bytes:
    """What a channel says of itself, before its items and after them: an item may quote such tags, as a comment may."""
    first = _ITEM.search(data)
    before = data[: first.start() if first else len(data)][:HEAD]
    end = data[-HEAD:].lower()
    after = end[end.rfind(b"</item") :] if first and b"</item" in end else b""
    pieces = (before + after).split(b"<!--")
    said = b"".join([pieces[0], *(piece.partition(b"-->")[2] for piece in pieces[1:])])
    return said.replace(b"<![CDATA[", b"").replace(b"]]>", b"")


def _hints(feed: dict[str, Any], data: bytes) -> RefreshHints:
    ttl = _number(feed.get("ttl"))
    period = _PERIODS.get(_text(feed, "sy_updateperiod").strip().lower())
    frequency = _number(feed.get("sy_updatefrequency")) or 1.0
    hours: set[int] = set()
    days: set[int] = set()
    for kind, inside in _SKIP.findall(data):
        for word in _SKIPPED.findall(inside):
            name = word.decode("ascii", "replace").lower()
            if kind.lower() == b"hours" and name.isascii() and name.isdigit() and int(name) <= 24:
                hours.add(int(name) % 24)  # RSS 0.91 counts 1 to 24
            elif name in _DAYS:
                days.add(_DAYS[name])
    return RefreshHints(
        ttl=ttl * 60 if ttl else None,
        update_period=period / frequency if period else None,
        skip_hours=frozenset(hours),
        skip_days=frozenset(days),
    )


def _number(text: object) -> float | None:
    """A positive number below a billion."""
    try:
        number = float(str(text).strip()[:20])
    except ValueError:
        return None
    return number if 0 < number < 1e9 else None
