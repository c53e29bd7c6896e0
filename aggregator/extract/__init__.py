"""A page in, the clean article out, with what was taken away and why. Pure: no network, no clock but `now`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import soupsieve

from .. import urls
from ..model import Block as Fingerprint
from ..model import Document, Entry, Removed, SiteMemory
from . import article, dates, evidence, headline, judge, people, tree
from .decode import decode

__all__ = ["check_selector", "extract", "extract_fragment"]


def check_selector(css: str) -> str | None:
    """What is wrong with a CSS selector of `keep` or `drop`, or None."""
    try:
        soupsieve.compile(css)
    except soupsieve.SelectorSyntaxError as error:
        return str(error).partition("\n")[0]
    return None


def extract(
    html: str | bytes,
    url: str | None = None,
    *,
    hint: Entry | None = None,
    site: SiteMemory | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    charset: str | None = None,
    now: datetime | None = None,
) -> Document:
    """Read a page: the article's paragraphs, title, authors, date, and every block taken away with its reason."""
    for css in (*keep, *drop):
        problem = check_selector(css)
        if problem:
            raise ValueError(f"{css}: {problem}")
    now = now or datetime.now(UTC)
    markup = decode(html, charset) if isinstance(html, bytes) else html
    root = tree.parse(markup)
    if root is None:
        return Document(url, hint.title if hint else "", ())
    facts = evidence.read(root)
    blocks, _ = tree.read(root)
    scores, reasons = judge.judge(blocks)
    kept = [score >= 0.55 for score in scores]
    chosen = [block for block in blocks if kept[block.index]]
    top = article.container(chosen)
    paragraphs = article.build(top, blocks, kept) if top else []
    host = urls.host(url) if url else ""
    heads = [b.text for b in blocks if b.node.tag == "h1"]
    title = headline.choose(facts, heads, host, hint.title if hint else None)
    sites = headline.site_names(facts, host)
    authors = people.choose(facts, [], sites, hint.authors if hint else ())
    published = dates.choose(dates.declared(facts, now), [], dates.from_url(url, now), hint.published if hint else None)
    removed, position = [], 0
    for block in blocks:
        if kept[block.index]:
            position += 1
        else:
            removed.append(Removed(block.text, reasons[block.index], position, 1 - scores[block.index]))
    return Document(
        url=url,
        title=title,
        paragraphs=tuple(paragraphs),
        byline=", ".join(authors) or None,
        authors=authors,
        published=published,
        language=(facts.language or (hint.language if hint else None) or "").split("-")[0].lower() or None,
        image=urls.absolute(facts.first("og:image", "twitter:image"), url),
        summary=facts.description or (hint.summary if hint else "") or None,
        canonical_url=urls.absolute(facts.canonical, url),
        next_url=urls.absolute(facts.links.get("next"), url),
        removed=tuple(removed),
        blocks=tuple(Fingerprint(_hash(b.text), tree.path(b.node), kept[b.index], b.text[:200]) for b in blocks),
    )


def _hash(text: str) -> int:
    digest = hashlib.blake2b(" ".join(text.casefold().split()).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def extract_fragment(
    html: str, url: str | None = None, *, hint: Entry | None = None, now: datetime | None = None
) -> Document:
    """Read a feed entry's own content: a fragment without page furniture."""
    return extract(html, url, hint=hint, now=now)
