"""A page in, the clean article out, with what was taken away and why. Pure: no network, no clock but `now`.

    bytes --decode--> text --markup--> elements --tree--> blocks --judge--> the article's --article--> paragraphs
                                          \\--evidence--> JSON-LD, meta --headline, people, dates, head--> title, ...

How it decides, and what was measured, is in docs/extraction.md.
"""

from __future__ import annotations

import gc
import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from .. import urls
from ..model import Block as Fingerprint
from ..model import Document, Entry, Removed, SiteMemory
from . import (
    article,
    corrections,
    dates,
    evidence,
    head,
    headline,
    judge,
    kinds,
    lexicon,
    people,
    scripts,
    selectors,
    tree,
    trees,
)
from .decode import decode
from .features import NO, Page
from .markup import parse
from .selectors import check_selector
from .several import join

__all__ = ["check_selector", "extract", "extract_fragment", "join"]

MAX_FINGERPRINTS = 400  # removed blocks that site memory is told of; the kept ones always are
MAX_FINGERPRINT_TEXT = 200  # characters
FIRST_LINES = 3  # kept lines among which a byline is looked for that was taken for text
MAX_REMOVED_TEXT = 5_000  # characters of one removed block that are reported


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
    """Read a page: the article's paragraphs, its title, authors and date, and every block taken away with the reason.

    html: the page, bytes as they came or text. url: where it is from, for links, the site's name, the date in it.
    hint: the feed entry that led here; its title and date decide between those that disagree, its summary and content
    help to find the text.
    site: what was learned of the site; paths that never held text on other pages count against a block.
    keep, drop: CSS selectors that hold the text, and that are taken away; they win over everything else.
    charset: the HTTP header's. now: when the page was fetched (default: this moment); later dates are not believed.

    Never raises on what a page may contain; raises ValueError for a selector that is no CSS.
    `Document.blocks` that were kept are the paragraphs, in order.
    """
    for css in (*keep, *drop):
        problem = check_selector(css)
        if problem:
            raise ValueError(f"{css}: {problem}")
    markup = decode(html, charset) if isinstance(html, bytes) else html
    collecting = gc.isenabled()
    if collecting:  # 7 % of a page's time for nothing: what a page makes has no cycles, and dies with it
        gc.disable()
    try:
        return _read(markup, url, hint, site, keep, drop, now or datetime.now(UTC))
    finally:
        if collecting:
            gc.enable()


def extract_fragment(
    html: str, url: str | None = None, *, hint: Entry | None = None, now: datetime | None = None
) -> Document:
    """Read a feed entry's own content, an HTML fragment: all of it is article but lines such as "Read more".

    Title, authors and date are the entry's (`hint`). Never raises.
    """
    root = parse(html)
    names = people.of_feed(hint)
    base = Document(
        url,
        hint.title if hint else "",
        (),
        byline=", ".join(names) or None,
        authors=names,
        published=_believable(hint.published if hint else None, now or datetime.now(UTC)),
        language=hint.language if hint else None,
        image=hint.image if hint else None,
        summary=(hint.summary or None) if hint else None,
    )
    if root is None:
        return base
    blocks, nodes = tree.read(root)
    page = Page(blocks, nodes, base.title)
    made = judge.decide_fragment(page)
    return _assemble(base, page, made)


def _feed_text(hint: Entry) -> str:
    root = parse(hint.content_html)
    return "".join(root.itertext()) if root is not None else ""


def _believable(value: datetime | None, now: datetime) -> datetime | None:
    return value if dates.plausible(value, now) else None


def _read(
    markup: str,
    url: str | None,
    hint: Entry | None,
    site: SiteMemory | None,
    keep: Sequence[str],
    drop: Sequence[str],
    now: datetime,
) -> Document:
    root = parse(markup)
    if root is None:
        return Document(url, hint.title if hint else "", (), flags=("index",))
    facts = evidence.read(root)
    blocks, nodes = tree.read(root)
    host = urls.host(url) if url and urls.is_web(url) else ""
    summary = facts.description or (hint.summary if hint else "")
    heads, subheads = ([b.text for b in blocks if b.node.tag == tag] for tag in ("h1", "h2"))
    title = headline.choose(facts, heads, host, hint.title if hint else None, subheads)
    page = Page(blocks, nodes, title, summary, facts.body)
    scores = judge.score(page, lexicon.learned(), *trees.learned())
    scores = corrections.with_recipe(page, scores)
    if site is not None:
        scores = corrections.with_memory(page, scores, site)
    if hint and hint.content_html:
        scores = corrections.with_feed(page, scores, _feed_text(hint))
    made = judge.decide(page, scores, url, facts.is_live)
    moved = kinds.moved(root, page, made, url)
    if (
        not any(made.kept)
        and not moved
        and facts.is_article
        and (found := parse(scripts.article(root, facts) or "")) is not None
    ):
        root = found
        page = Page(*tree.read(root), title)
        made = judge.decide_fragment(page)
    flags = kinds.flags(page, made, facts, url)
    for first in [block for block in page.blocks if made.kept[block.index]][:FIRST_LINES]:
        if page.prose[first.index]:
            break
        if head.is_byline(first.text, marked=head.is_marked(first)):
            made.kept[first.index], made.reasons[first.index] = False, "byline"
    if keep or drop:
        selectors.apply(root, page, made, keep, drop)
    lines = head.lines(page, made.kept)
    if not title and (block := head.title_block(page, made.kept)):
        title = headline.clean(block.text)
        made.kept[block.index], made.reasons[block.index] = False, "title"
    language = facts.language or (hint.language if hint else None) or ""
    language = re.split(r"[-_]", language.strip())[0].lower()[:3]
    sites = headline.site_names(facts, host)
    names = people.of_feed(hint) or head.beside_date(lines, page)
    authors = people.choose(facts, head.bylines(lines), sites, names)
    published = dates.choose(
        dates.declared(facts, now),
        head.published(page, lines, made.kept, now, day_first=facts.day_first, language=language),
        dates.from_url(url, now),
        _believable(hint.published if hint else None, now),
    )
    base = Document(
        url=url,
        title=title,
        paragraphs=(),
        byline=", ".join(authors) or None,
        authors=authors,
        published=published,
        language=language or None,
        image=urls.absolute(facts.first("og:image", "twitter:image", "twitter:image:src"), url)
        or (hint.image if hint else None),
        summary=summary or None,
        canonical_url=urls.absolute(facts.canonical, url),
        next_url=moved or kinds.next_page(root, facts, url),
        flags=flags,
    )
    return _assemble(base, page, made)


def _assemble(base: Document, page: Page, made: judge.Judgement) -> Document:
    """Fill in the paragraphs, what was removed, and the fingerprints."""
    blocks, kept = page.blocks, made.kept
    top = article.container([block for block in blocks if kept[block.index]])
    paragraphs = article.build(top, blocks, kept) if top else []
    removed, fingerprints, position, others = [], [], 0, 0
    for block in blocks:
        i = block.index
        if kept[i]:
            position += 1
        else:
            text = block.parted[:MAX_REMOVED_TEXT]
            removed.append(Removed(text, made.reasons[i], position, round(1 - made.scores[i], 3)))
            others += made.scores[i] != NO
            if made.scores[i] == NO or others > MAX_FINGERPRINTS:
                continue  # a menu's links are never kept on any page
        fingerprints.append(
            Fingerprint(_fingerprint(block.text), page.paths[i], kept[i], block.text[:MAX_FINGERPRINT_TEXT])
        )
    return replace(base, paragraphs=tuple(paragraphs), removed=tuple(removed), blocks=tuple(fingerprints))


def _fingerprint(text: str) -> int:
    """A signed 64-bit hash of a block's words, so that it fits SQLite's integers."""
    words = text.casefold().encode("utf-8", "replace")  # white space is normalised in blocks
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big", signed=True)


class _Callable(ModuleType):
    """This package, called as the function. `from aggregator import extract` is the public name of the function, but
    once the package is loaded Python finds the package under that name; so both do the same."""

    def __call__(self, *args: Any, **kwargs: Any) -> Document:
        return extract(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
