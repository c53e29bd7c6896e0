"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aggregator import urls
from aggregator.errors import ParseError
from aggregator.model import Entry, ParsedFeed

from .prepare import NORMAL, Limits, item_hash
from .text import (
    MAX_CONTENT,
    MAX_DATE,
    MAX_NAME,
    MAX_SUMMARY,
    MAX_TITLE,
    iso_moment,
    language_tag,
    paragraphs,
    plain,
    without_controls,
)

_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*[\"}]")


def looks_like_json(body: bytes) -> bool:
    return _JSON.match(body[:1_000]) is not None


def read(body: bytes, url: str, seen: frozenset[str], now: datetime, limits: Limits = NORMAL) -> ParsedFeed:
    """A JSON Feed document, without the items that were seen. Raises ParseError."""
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        kind = "broken_feed" if b"jsonfeed.org" in body[:2_000] else "not_a_feed"
        raise ParseError(url, kind, f"the JSON cannot be read ({error})"[:300]) from error
    if not isinstance(feed, dict) or "jsonfeed.org/version/" not in str(feed.get("version"))[:200]:
        raise ParseError(url, "not_a_feed", "what came is JSON, but not a JSON Feed")
    items = feed.get("items")
    items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    language = language_tag(feed.get("language"))
    entries: list[Entry] = []
    known: list[str] = []
    skipped = 0
    for item in items:
        raw_hash = item_hash(json.dumps(item, sort_keys=True, ensure_ascii=True).encode())
        if raw_hash in seen:
            known.append(raw_hash)
        elif len(entries) >= limits.entries:
            skipped += 1
        else:
            known.append(raw_hash)
            entries.append(_entry(item, raw_hash, url, language, now))
    return ParsedFeed(
        title=plain(_text(feed, "title"), MAX_TITLE),
        site_url=urls.absolute(_text(feed, "home_page_url"), url),
        language=language,
        entries=tuple(entries),
        seen_hashes=tuple(known),
        problem=f"{skipped} of {len(items)} entries are left for the next fetch" if skipped else None,
        complete=not skipped,
        older_url=urls.absolute(_text(feed, "next_url"), url),
        format="json11" if str(feed["version"]).rstrip("/").endswith("1.1") else "json1",
    )


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if isinstance(value, bool | int | float):  # ids are often numbers although they must be strings
        return str(value)
    return value if isinstance(value, str) else ""


def _entry(item: Mapping[str, Any], raw_hash: str, url: str, language: str | None, now: datetime) -> Entry:
    text = _text(item, "content_text")
    content = _text(item, "content_html") or paragraphs(html.escape(text[:MAX_CONTENT]))
    people = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    authors = [plain(_text(one, "name"), MAX_NAME) for one in people or () if isinstance(one, dict)]
    tags = item.get("tags")
    link = urls.absolute(_text(item, "url") or _text(item, "external_url"), url)
    updated = iso_moment(item.get("date_modified"), now)
    published = iso_moment(item.get("date_published"), now) or updated
    return Entry(
        guid=without_controls(_text(item, "id")).strip() or None,
        url=link and urls.unwrapped(link),
        title=plain(_text(item, "title"), MAX_TITLE),
        summary=plain(_text(item, "summary") or content, MAX_SUMMARY),
        content_html=content[:MAX_CONTENT],
        authors=tuple(name for name in authors if name)[:50],
        published=published,
        updated=updated,
        language=language_tag(item.get("language")) or language,
        image=urls.absolute(_text(item, "image") or _text(item, "banner_image"), url),
        tags=tuple(plain(tag, MAX_NAME) for tag in tags if isinstance(tag, str))[:50]
        if isinstance(tags, list)
        else (),
        raw_hash=raw_hash,
        written="" if published else plain(_text(item, "date_published"), MAX_DATE),
    )
