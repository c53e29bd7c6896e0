"""What kind of page is it? Index pages, consent walls, paywall stubs, live blogs, and articles with a next page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from .. import furniture, urls
from . import evidence as ev
from . import labels
from .evidence import Evidence
from .features import Page
from .judge import Judgement
from .tree import HEADINGS, KINDS

STUB_WORDS = 250  # a text with a paywall's words beside it that is shorter than that was cut
WALL_SHARE = 0.5  # of the kept text that talks of consent: then the wall is all there is ...
WALL_CHARS = 2_500  # ... if there is no more than that: articles talk of consent, too
TEASERS = 4  # kept blocks under linked headings that make a page an index ...
TEASER_SHARE = 0.8  # ... if they are this much of the text ...
TEASER_CHARS = 500  # ... and none is longer

_NUMBER = re.compile(
    r"^(?:[/_-]|\.html?/|/?\?|&)?(?:page|seite|pagina|pag|p|pg|part)?[/=_-]?(\d{1,2})(?:\.html?|/)?$", re.I
)


def flags(page: Page, made: Judgement, facts: Evidence, url: str | None) -> tuple[str, ...]:
    """The page's flags. Walls and index pages lose their paragraphs: `made` is changed."""
    found = []
    if made.live:
        found.append("live")
    if _is_consent(page, made):
        found.append("consent")
        _clear(made, "consent")
    elif _is_index(page, made, facts, url):
        found.append("index")
        _clear(made, "index")
    if _is_paywalled(page, made, facts):
        found.append("paywall")
    return tuple(found)


def _clear(made: Judgement, reason: str) -> None:
    for i, kept in enumerate(made.kept):
        if kept:
            made.kept[i], made.reasons[i] = False, reason


def _is_consent(page: Page, made: Judgement) -> bool:
    total = wall = 0
    for block in page.blocks:
        if made.kept[block.index]:
            length = len(block.text)
            total += length
            if block.node.above & KINDS["consent"] or "consent" in labels.phrases(block.text):
                wall += length
    return 0 < total <= WALL_CHARS and wall >= WALL_SHARE * total


def _is_index(page: Page, made: Judgement, facts: Evidence, url: str | None) -> bool:
    """No article: nothing was kept, or what was kept are teasers, each under a heading that is a link."""
    if not any(made.kept):
        return True
    if facts.articles or facts.first("og:type").lower() == "article":
        return False
    total = teased = 0
    teasers = set()
    for block in page.blocks:
        if not made.kept[block.index]:
            continue
        if len(block.text) > TEASER_CHARS:
            return False
        total += len(block.text)
        node = block.node
        for box in (node, node.parent, node.parent.parent if node.parent else None):
            if box is None or box.first < 0 or box.blocks > 8:
                continue
            if any(
                other.node.tag in HEADINGS and other.linked > 0.8 * len(other.text)
                for other in page.blocks[box.first : box.last + 1]
            ):
                teased += len(block.text)
                teasers.add(id(box))
                break
    return len(teasers) >= TEASERS and teased >= TEASER_SHARE * total


def _is_paywalled(page: Page, made: Judgement, facts: Evidence) -> bool:
    words = sum(block.words for block in page.blocks if made.kept[block.index])
    if words >= STUB_WORDS:
        return False
    if any(str(ev.text(value) or value).lower() == "false" for value in facts.article("isAccessibleForFree")):
        return True
    free = [item.get("isAccessibleForFree") for item in facts.articles]
    if any(value is False for value in free):
        return True
    return any("paywall" in labels.phrases(block.text) for block in page.blocks)


def next_page(root: Any, facts: Evidence, url: str | None) -> str | None:
    """The next page of an article in several pages, or all of it on one page; None if there is neither.

    A link counts when it is this page's address with the next number at its end: `rel=next` alone does not, for many
    sites it is the next story. Only where there is one, a link to the whole article is looked for.
    """
    if not url or not urls.is_web(url):
        return None
    stem, number = _stem(url)
    tail = stem.rsplit("/", 1)[-1]
    if len(tail) < 8:
        return None
    links = [(facts.links.get("next"), "")]
    links += [
        (element.get("href"), "".join(element.itertext()))
        for element in root.iter("a")
        if tail in (element.get("href") or "")
    ]
    others = [(urls.absolute(link, url), said) for link, said in links if link]
    following = next((other for other, _ in others if other and _stem(other) == (stem, number + 1)), None)
    if following is None:
        return None
    return next((other for other, said in others if other and _is_whole(other, said, url)), following)


def _is_whole(link: str, said: str, url: str) -> bool:
    """Whether a link leads to the article on one page: this page's address with "all" or the like added, or one that
    begins like it and says so."""
    here, there = urlsplit(url), urlsplit(link)
    if there.hostname != here.hostname or there.path + there.query == here.path + here.query:
        return False
    path = _bare(here.path.removesuffix("/"))
    path = path.rpartition("/")[0] if _NUMBER.match(path[path.rfind("/") :]) else path
    if not there.path.startswith(path):
        return False
    added = re.split(r"[/?&=.]", f"{there.path[len(path) :]}?{there.query}".casefold().replace("-", ""))
    return not furniture.WHOLE_ARTICLE.isdisjoint(added) or labels.label(said) == "whole article"


def _stem(url: str) -> tuple[str, int]:
    """An address without its page number, and the number (1 if it has none)."""
    parts = urlsplit(url.split("#")[0])
    path = parts.path.removesuffix("/")
    host = (parts.hostname or "").removeprefix("www.")
    for cut in (*range(max(0, len(path) - 12), len(path)),):
        match = _NUMBER.match(path[cut:]) if path[cut] in "/_-." else None
        if match and int(match[1]) > 0 and cut > 8 and not parts.query:
            base = path[:cut]
            return f"{host}{_bare(base)}", int(match[1])
    query = re.search(r"(?:^|&)(?:page|seite|pagina|pag|p|pg|part)=(\d{1,2})$", parts.query, re.I)
    return f"{host}{_bare(path)}", int(query[1]) if query else 1


def _bare(path: str) -> str:
    return re.sub(r"\.html?$", "", path)
