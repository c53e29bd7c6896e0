"""What a page says about itself outside its text: JSON-LD, meta elements, the title element, the feed entry.

Everything here is a candidate with its source; `titles`, `people` and `dates` choose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..entities import unescaped

MAX_JSON = 1_000_000  # characters of one JSON-LD script
_CONTROL = re.compile(r"[\x00-\x1f]+")
_COMMENT = re.compile(
    r"^\s*(?:<!--|/\*\s*<!\[CDATA\[\s*\*/|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*;?\s*$"
)
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_TAG = re.compile(r"<[^<>]*>")
_ARTICLE = re.compile(
    r"(?:article|blogposting|report|review|opinion|analysis|background|liveblog|newsarticle|posting|recipe|howto|story)",
    re.I,
)
_NOT_ARTICLE = frozenset(
    (
        "organization",
        "person",
        "website",
        "breadcrumblist",
        "imageobject",
        "videoobject",
        "newsmediaorganization",
    )
)


@dataclass
class Evidence:
    """What the page says about itself. Lists are in document order; nothing is cleaned beyond white space."""

    meta: dict[str, list[str]] = field(default_factory=dict)  # name or property in lower case -> contents
    articles: list[dict[str, Any]] = field(default_factory=list)  # JSON-LD objects that are articles
    objects: list[dict[str, Any]] = field(default_factory=list)  # every other JSON-LD object
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    title: str = ""  # of the title element
    language: str | None = None
    canonical: str | None = None
    links: dict[str, str] = field(default_factory=dict)  # rel -> href, of link elements

    def first(self, *names: str) -> str:
        """The first meta content under any of these names, in the names' order."""
        for name in names:
            for value in self.meta.get(name, ()):
                if value:
                    return value
        return ""

    def article(self, *keys: str) -> Iterator[Any]:
        """Values of these keys in the JSON-LD articles."""
        for item in self.articles:
            for key in keys:
                if item.get(key):
                    yield item[key]

    @property
    def description(self) -> str:
        return self.first("description", "og:description", "twitter:description", "dcterms.description")

    @property
    def body(self) -> str:
        """The article's text as JSON-LD gives it: truncated and without paragraphs more often than not."""
        return max((text(value) for value in self.article("articleBody", "text")), key=len, default="")

    @property
    def day_first(self) -> bool:
        """Whether 03/04/2025 is 3 April here: everywhere but in the United States and the Philippines."""
        locale = (self.first("og:locale") or self.language or "").replace("_", "-").lower()
        return locale not in ("en-us", "en-ph", "es-us", "en")

    @property
    def is_article(self) -> bool:
        """Whether the page calls itself an article."""
        return bool(self.articles) or self.first("og:type").lower() == "article"

    @property
    def is_live(self) -> bool:
        return any("LiveBlogPosting" in types(item) for item in self.articles)


def read(root: Any) -> Evidence:
    """Collect the evidence of a parsed page. Never raises."""
    found = Evidence()
    found.language = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang")
    for element in root.iter("meta", "link", "title", "script"):
        tag = element.tag
        if tag == "meta":
            name = (
                element.get("property")
                or element.get("name")
                or element.get("itemprop")
                or element.get("http-equiv")
            )
            content = element.get("content")
            if name and content:
                found.meta.setdefault(name.strip().lower(), []).append(" ".join(content.split()))
        elif tag == "link":
            rel, href = element.get("rel"), element.get("href")
            if rel and href:
                for word in rel.lower().split():
                    found.links.setdefault(word, href)
        elif tag == "title":
            if not found.title and element.text:
                found.title = " ".join(element.text.split())
        elif "ld+json" in (element.get("type") or "") and element.text:
            for item in _objects(_load(element.text)):
                _sort(item, found)
    found.canonical = found.links.get("canonical") or found.first("og:url") or None
    return found


def _sort(item: dict[str, Any], found: Evidence) -> None:
    kinds = types(item)
    if isinstance(item.get("@id"), str) and len(item) > 2:
        found.by_id.setdefault(item["@id"], item)
    if any(_ARTICLE.search(kind) for kind in kinds) or ("articleBody" in item and not kinds):
        found.articles.append(item)
    elif not any(kind.lower() in _NOT_ARTICLE for kind in kinds) or item.get("name"):
        found.objects.append(item)


def types(item: dict[str, Any]) -> list[str]:
    kind = item.get("@type")
    return [str(k).rsplit("/", 1)[-1] for k in (kind if isinstance(kind, list) else [kind]) if k]


def _load(source: str) -> Any:
    source = source[:MAX_JSON]
    for attempt in range(3):
        try:
            return json.loads(source, strict=False)
        except (ValueError, RecursionError):
            if attempt == 0:
                source = _COMMENT.sub("", _COMMENT.sub("", source)).strip().rstrip(";")
            else:
                source = _TRAILING_COMMA.sub(r"\1", _CONTROL.sub(" ", source))
    return None


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > 4:
        return
    if isinstance(value, list):
        for item in value[:200]:
            yield from _objects(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            if isinstance(value.get(key), (list, dict)):
                yield from _objects(value[key], depth + 1)


def text(value: Any) -> str:
    """A JSON-LD or meta value as one line of plain text: entities decoded, tags cut."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or ""
    if not isinstance(value, str):
        return ""
    if "&" in value:
        value = unescaped(unescaped(value))
    if "<" in value:
        value = _TAG.sub(" ", value)
    return " ".join(value.split())
