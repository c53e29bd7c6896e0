"""The article's own head: the lines around its title, where a reader finds who wrote it and when.

Only from there are visible dates and names taken: lines in the page's menus, sidebars, widgets, related stories and
comments are left out, whatever they say.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from . import dates, labels, people
from .features import Page, is_prose
from .tree import KINDS, Block, Node

FOOT = 3  # blocks after the body: some sites sign and date at the end
BEFORE, AFTER = 8, 25  # blocks before and after the title that can belong to the head
BODY_BLOCKS = 2  # blocks of the body after which the head is over: bylines stand below the standfirst, too
MAX_LINE = 160  # characters of a line that is looked at
MAX_BYLINE = 140  # characters of a line that may be a byline and nothing else
WORDS_BEFORE = 4  # words that may stand before a byline's names, beside a date: "Last updated on ... by"
DATED_WORDS = 6  # words with capitals that may stand beside a date in a line that says no "By"
BYLINE_NAMES = 0.6  # share of such a line, before its date, that is names

_ELSEWHERE = sum(
    KINDS[kind]
    for kind in ("menu", "sidebar", "footer", "related", "comments", "modal", "advertisement", "consent")
)
_AUTHOR_LINK = re.compile(
    r"/(?:author|authors|autor|autoren|auteur|auteurs|by|contributor|contributors|people|profile|profiles|staff|team|writer|reporter|journalist)s?/",
    re.I,
)
#: What a byline says beside names: "By", where to, what the author is, and since when.
_BESIDE_NAMES = re.compile(r"^\W*\w+\s+by\s|\s+(?:for|in)\s.*$|\s*(?:,\s*[\w\s-]+|[|•·–—].*)$", re.I)
DAY = timedelta(hours=24)
_OVER = frozenset(("comments", "navigation", "related"))
_NAMED = KINDS["byline"] | KINDS["author"]


def lines(page: Page, kept: Sequence[bool]) -> list[Block]:
    """The short lines of the head, in document order."""
    blocks = page.blocks
    first = next((i for i, is_kept in enumerate(kept) if is_kept), None)
    at = page.title_at if page.title_at >= 0 else first
    if at is None:
        return []
    # What is above the title, too, says nothing: "with-sidebar" on an element around the whole page.
    elsewhere = _ELSEWHERE & ~blocks[at].node.above
    found, body, begun = [], 0, False
    for block in blocks[max(0, at - BEFORE) : at + AFTER]:
        i = block.index
        begun = begun or (kept[i] and i > at and page.prose[i])
        if begun and page.labels[i] in _OVER:
            break  # what follows are other stories
        if kept[i] and i > at and len(block.text) > MAX_LINE:
            body += 1
            if body > BODY_BLOCKS:
                break
        elif len(block.text) <= MAX_LINE and not block.node.above & elsewhere:
            found.append(block)
    last = max((i for i, is_kept in enumerate(kept) if is_kept), default=0)
    if last > at:
        for block in blocks[last + 1 : last + 1 + FOOT]:
            if page.labels[block.index] in _OVER:
                break
            if len(block.text) <= MAX_LINE and not block.node.above & elsewhere and block not in found:
                found.append(block)
    return found


def _of_the_page(block: Block, page: Page, now: datetime, value: datetime) -> bool:
    """Whether a date before the title is the day's, at the top of the page, and not the article's: no box holds it and
    the title, or only one that holds the page's header too, or it is the day on which the page was fetched."""
    title = page.blocks[page.title_at].node if page.title_at >= 0 else None
    box: Node | None = block.node
    while box is not None and not box.first <= page.title_at <= box.last:
        if box.mask & KINDS["header"] and box.linked * 4 > box.chars:
            return True
        box = box.parent
    return (
        title is None
        or box is None
        or box.parent is None
        or page.title_at - box.first > BEFORE
        or abs(value - now) < DAY
    )


def published(
    page: Page, head: Sequence[Block], now: datetime, *, day_first: bool = True, language: str = ""
) -> list[datetime]:
    """Dates in the head, best first: what says "published", what says nothing, what says "updated".

    A date before the title counts only if it says what it is, or if it stands in the article's box and is not today's;
    else it is the day the page was made. So is one beside a temperature.
    """
    read = functools.partial(dates.visible, day_first=day_first, language=language)
    found: list[tuple[int, datetime]] = []
    for block in head:
        text = block.text
        updated, fresh = labels.UPDATED.search(text), labels.PUBLISHED.search(text)
        marked = block.time or block.node.mask & _NAMED
        before = block.index < page.title_at or page.title_at < 0
        if not marked and ((before and not fresh) or block.linked * 2 > len(text)):
            continue
        near = page.blocks[max(0, block.index - 2) : block.index + 3]
        if any(
            labels.TEMPERATURE.search(other.text) for other in near if other is block or len(other.text) < 40
        ):
            continue
        value = dates.parse(block.time, day_first=day_first) if block.time else None
        if updated and fresh:  # "Updated ... Published ..."
            value = read(text[fresh.end() :]) or value
        value = value or read(text)
        if value is None or not dates.plausible(value, now):
            continue
        if before and not fresh and _of_the_page(block, page, now, value):
            continue
        rank = 2 if updated and not fresh else 0 if fresh and not updated else 1
        found.append((rank, value))
    return [value for _, value in sorted(found, key=lambda item: item[0])]


def title_block(page: Page, kept: Sequence[bool]) -> Block | None:
    """On a page that names its title nowhere: the last short line before the first sentence that is no sentence."""
    first = next((i for i, is_kept in enumerate(kept) if is_kept and page.prose[i]), -1)
    for block in reversed(page.blocks[: first + 1]):
        if (
            15 <= len(block.text) <= MAX_LINE
            and block.linked * 2 < len(block.text)
            and not is_prose(block)
            and not page.labels[block.index]
            and not labels.TEMPERATURE.search(block.text)
            and not is_byline(block.text)
            and dates.visible(block.text) is None
        ):
            return block
    return None


def is_byline(text: str, *, marked: bool = False) -> bool:
    """Whether a line of text is a byline alone, as "By Ann Lee, Northern Press 3 May 2026, 14:05": behind "By" come
    names, and then little but a date. `marked`: its element is called a byline, and needs no "By"."""
    if len(text) > MAX_BYLINE or dates.is_sentence(text.rstrip()):
        return False
    parts = people.signed(text)
    if parts is None:
        return (marked and bool(people.named(text))) or _is_dated_name(text)
    before, said = parts
    if _words(before) > WORDS_BEFORE and _words(dates.without(before)) > WORDS_BEFORE:
        return False  # "The bridge of 1998 by Ann Lee"
    said = people.before_date(said)
    names = people.of_line(text)
    return bool(names) and sum(map(len, names)) >= BYLINE_NAMES * len(_BESIDE_NAMES.sub("", said))


def _is_dated_name(text: str) -> bool:
    """Whether a line is a date and a few words with capitals: "Ann Lee - Harbour Herald, Sunday 3 May 2026"."""
    rest = dates.without(text)
    words = [word for word in rest.split() if word[0].isalpha() and not dates.is_of_date(word)]
    return "|" in rest and 0 < len(words) <= DATED_WORDS and all(word[0].isupper() for word in words)


def _words(text: str) -> int:
    return sum(word.isalpha() for word in text.split())


def is_marked(block: Block) -> bool:
    """Whether the element of a block, or the one around it, is called a byline."""
    return bool((block.node.mask | (block.node.parent or block.node).mask) & _NAMED)


def bylines(head: Sequence[Block]) -> list[list[str]]:
    """Names in the head, best first: links to an author's page, lines with "By", lines marked up as byline."""
    linked: list[list[str]] = []
    said: list[list[str]] = []
    marked: list[list[str]] = []
    for block in head:
        names = [name for name in map(people.clean, _author_links(block)) if people.is_name(name)]
        if names:
            linked.append(names)
        if people.says_by(block.text):
            said.append(people.of_line(block.text))
        elif reporters := people.reporters(block.text):
            said.append(reporters)
        elif is_marked(block):
            marked.append(people.named(block.text))
    together = [name for names in linked for name in names]
    return [names for names in ([together] if together else []) + said + marked if names]


def _author_links(block: Block) -> list[str]:
    found = []
    for element, is_tail in block.slots:
        link = element
        if is_tail:
            continue
        while link is not None and link.tag in ("span", "b", "strong", "em", "i"):
            link = link.getparent()
        if link is None or link.tag != "a":
            continue
        rel, href = link.get("rel") or "", link.get("href") or ""
        if "author" in rel or "author" in (link.get("class") or "") or _AUTHOR_LINK.search(href):
            text = " ".join("".join(link.itertext()).split())
            if text not in found:
                found.append(text)
    return found
