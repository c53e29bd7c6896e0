"""RSS 0.9x, 1.0, 2.0 and Atom, read by feedparser. The only module that imports it."""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any

import feedparser

from aggregator import urls
from aggregator.errors import ParseError
from aggregator.model import Entry, ParsedFeed, RefreshHints

from .discovery import what_came
from .prepare import HEAD, Prepared
from .text import MAX_NAME, MAX_SUMMARY, MAX_TITLE, moment, plain

MAX_CONTENT = 1_000_000  # characters
MAX_GUID = 100_000  # characters; identity stores a hash of long ones
MAX_LIST = 50  # authors or tags kept of an entry

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
_WORDS = re.compile(r"[-_a-zA-Z]{2,35}$")


def read(document: Prepared, url: str, now: datetime) -> ParsedFeed:
    """What feedparser makes of a prepared document, as our own nouns. Raises ParseError."""
    if document.is_html:
        raise ParseError(url, "not_a_feed", what_came(document.data, url))
    headers = {"content-location": url}
    if document.content_type:
        headers["content-type"] = document.content_type
    try:
        result = feedparser.parse(
            io.BytesIO(document.data),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:  # feedparser promises nothing; what it raised so far is scrubbed before it
        raise ParseError(
            url, "broken_feed", f"the feed cannot be read ({type(error).__name__}: {error})"
        ) from error
    if not result.get("version") and not result.entries:
        raise ParseError(url, "not_a_feed", what_came(document.data, url))
    # The n-th item is the n-th entry unless the markup is broken; then nothing can be cut next time.
    aligned = len(result.entries) == len(document.hashes)
    hashes = document.hashes if aligned else ("",) * len(result.entries)
    language = _language(result.feed.get("language"))
    entries = tuple(
        _entry(raw, known, url, language, now) for raw, known in zip(result.entries, hashes, strict=True)
    )
    return ParsedFeed(
        title=plain(_text(result.feed, "title"), MAX_TITLE),
        site_url=urls.absolute(_text(result.feed, "link"), url),
        language=language,
        entries=entries,
        hints=_hints(result.feed, document.data[:HEAD]),
        seen_hashes=(*document.seen, *(document.hashes if aligned else ())),
        problem=document.problem,
        complete=document.complete,
        prev_archive=_prev_archive(result.feed, url),
        format=result.get("version") or "",
    )


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _entry(raw: dict[str, Any], raw_hash: str, url: str, language: str | None, now: datetime) -> Entry:
    contents = [str(part.get("value") or "") for part in raw.get("content") or ()]
    summary = _text(raw, "summary")
    content = max([summary, *contents], key=len)
    title = plain(_text(raw, "title"), MAX_TITLE)
    return Entry(
        guid=_text(raw, "id")[:MAX_GUID].strip() or None,
        url=_link(raw, url),
        title=title,
        summary=plain(summary or content, MAX_SUMMARY),
        content_html=content[:MAX_CONTENT],
        authors=_authors(raw),
        published=_date(raw, ("published", "created"), now) or _date(raw, ("updated",), now),
        updated=_date(raw, ("updated",), now),
        language=_entry_language(raw) or language,
        image=_image(raw, url),
        tags=_tags(raw),
        raw_hash=raw_hash,
    )


def _date(raw: dict[str, Any], keys: tuple[str, ...], now: datetime) -> datetime | None:
    for key in keys:
        if parsed := dict.get(
            raw, f"{key}_parsed"
        ):  # raw.get() would take published for updated, with a warning
            return moment(parsed, dict.get(raw, key), now)
    return None


def _link(raw: dict[str, Any], url: str) -> str | None:
    candidates = [raw.get("feedburner_origlink"), raw.get("link")]
    candidates += [
        link.get("href") for link in raw.get("links") or () if link.get("rel") in (None, "alternate")
    ]
    return next(
        (found for one in candidates if isinstance(one, str) and (found := urls.absolute(one, url))), None
    )


def _authors(raw: dict[str, Any]) -> tuple[str, ...]:
    names = [_text(author, "name") for author in raw.get("authors") or ()]
    names = [name for name in names if name] or [_text(raw, "author")]
    return _distinct(names)


def _tags(raw: dict[str, Any]) -> tuple[str, ...]:
    return _distinct([_text(tag, "label") or _text(tag, "term") for tag in raw.get("tags") or ()])


def _distinct(names: list[str]) -> tuple[str, ...]:
    return tuple(
        name for name in dict.fromkeys(plain(name, MAX_NAME) for name in names[: 4 * MAX_LIST]) if name
    )[:MAX_LIST]


def _entry_language(raw: dict[str, Any]) -> str | None:
    detail = raw.get("title_detail") or raw.get("summary_detail") or {}
    return _language(detail.get("language"))


def _language(code: object) -> str | None:
    return (
        code.strip().replace("_", "-").lower()
        if isinstance(code, str) and _WORDS.match(code.strip())
        else None
    )


def _image(raw: dict[str, Any], url: str) -> str | None:
    found: list[object] = []
    for media in raw.get("media_content") or ():
        if media.get("medium") == "image" or str(media.get("type", "")).startswith("image/"):
            found.append(media.get("url"))
    found += [media.get("url") for media in raw.get("media_thumbnail") or ()]
    found += [
        link.get("href") for link in raw.get("links") or () if str(link.get("type", "")).startswith("image/")
    ]
    return next((image for one in found if isinstance(one, str) and (image := urls.absolute(one, url))), None)


def _prev_archive(feed: dict[str, Any], url: str) -> str | None:
    links = (link for link in feed.get("links") or () if link.get("rel") == "prev-archive")
    return next((found for link in links if (found := urls.absolute(link.get("href"), url))), None)


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
