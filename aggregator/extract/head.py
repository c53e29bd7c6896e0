"""The article's own head: the lines around its title, where a reader finds who wrote it and when.

Only from there are visible dates and names taken: lines in the page's menus, sidebars, widgets, related stories and
comments are left out, whatever they say.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from . import dates, labels, people
from .features import Page, is_prose
from .tree import HEADINGS, KINDS, Block, Node

FOOT = 3  # blocks after the body: some sites sign and date at the end
BEFORE, AFTER = 8, 25  # blocks before and after the title that can belong to the head
BODY_BLOCKS = 2  # blocks of the body after which the head is over: bylines stand below the standfirst, too
MAX_LINE = 160  # characters of a line that is looked at
MAX_DATELINE = 100  # characters of a dateline that begins a text
NEAR_START = 20  # characters before which "Posted" is about the line it stands in
MAX_DATED = 100  # characters of "Updated: 21 Oct 2025, 10:00 · Published: 20 Oct 2025, 14:03"
MAX_BYLINE = 140  # characters of a line that may be a byline and nothing else
WORDS_BEFORE = 4  # words that may stand before a byline's names, beside a date: "Last updated on ... by"
DATED_WORDS = 6  # words with capitals that may stand beside a date in a line that says no "By"
OVER = 2  # blocks between the title and a date over it that says nothing and is marked as nothing
BESIDE = 2  # blocks between a name and its date
BYLINE_NAMES = 0.6  # share of such a line, before its date, that is names

_ELSEWHERE = sum(
    KINDS[kind]
    for kind in ("menu", "sidebar", "footer", "related", "comments", "modal", "advertisement", "consent")
)
#: Where not even a line marked as the author's or as the date is the article's.
_NEVER = sum(KINDS[kind] for kind in ("menu", "related", "comments", "modal", "consent"))
_AUTHOR_LINK = re.compile(
    r"/(?:author|authors|autor|autoren|auteur|auteurs|by|contributor|contributors|people|profile|profiles|staff|team|writer|reporter|journalist)s?/",
    re.I,
)
#: What a byline says beside names: "By", where to, what the author is, and since when.
_BESIDE_NAMES = re.compile(r"^\W*\w+\s+by\s|\s+(?:for|in)\s.*$|\s*(?:,\s*[\w\s-]+|[|•·–—].*)$", re.I)
#: A place in capitals, and what ends a dateline.
_DATELINE = re.compile(r"[^\W\d_a-z][^\Wa-z]{2,}\b.*?(?:[-–—]\s|--|\)|/)")
_FIELD = re.compile(r"\w\s?:")  # "Born: 3 May 2019"
DAY = timedelta(hours=24)
_OVER = frozenset(("comments", "navigation", "related"))
_QUOTED = KINDS["caption"] | KINDS["quote"]
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
        elif len(block.text) <= MAX_LINE:
            under = at < i and not body and _is_signature(block)
            if not block.node.above & elsewhere & (_NEVER if under else -1):
                found.append(block)
    last = max((i for i, is_kept in enumerate(kept) if is_kept), default=0)
    if last > at:
        for block in blocks[last + 1 : last + 1 + FOOT]:
            if page.labels[block.index] in _OVER:
                break
            if len(block.text) <= MAX_LINE and not block.node.above & elsewhere and block not in found:
                found.append(block)
    return found


def is_of_author(block: Block) -> bool:
    """Whether the element of a block, or the one around it, is called the author's."""
    return bool((block.node.mask | (block.node.parent or block.node).mask) & KINDS["author"])


def _is_signature(block: Block) -> bool:
    """Whether a line is marked as the author's, or as the date: sites put them into an `aside` under the title."""
    return is_of_author(block) or (is_marked(block) and dates.alone(block.text))


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


def _is_of_text(block: Block, page: Page, kept: Sequence[bool], proses: Sequence[int]) -> bool:
    """Whether a line with a date is of the story and not about it: a sentence, a line of a list, a caption, the day
    over an entry of a timeline or over a comment. `proses`: where the sentences are that were kept.

    A date below the standfirst must be all there is in its line; further down it must say what it is.
    """
    i, text = block.index, block.text
    before = bisect.bisect_left(proses, i)
    after = len(proses) - bisect.bisect_right(proses, i)
    if kept[i] and (before or page.prose[i]):
        return True
    says = labels.PUBLISHED.search(text) or labels.UPDATED.search(text)
    if says or people.says_by(text) or (i and page.labels[i - 1] == "byline"):
        return page.prose[i] and not (says and says.start() < NEAR_START)
    if kept[i] or block.node.above & _QUOTED or dates.is_sentence(text) or _is_field(block):
        return True
    if before and after and (before > 1 or not (dates.alone(text) or is_byline(text))):
        return True
    if before and not after and any(page.prose[i + 1 : i + 3]):
        return True  # the day of a comment
    return is_one_of_several(block, page)


def _is_field(block: Block) -> bool:
    """Whether a line says of what its date is, or what was that day: "Born: 3 May 2019", "3 May 2019: wreck found"."""
    before, behind = dates.around(block.text) or ("", "")
    named = _FIELD.search(before) and labels.prefix(block.text) != "byline" and not is_marked(block)
    return bool(named) or behind.lstrip().startswith(":")


def is_one_of_several(block: Block, page: Page) -> bool:
    """Whether lines of the same template have dates, too, and text stands between them."""
    i = block.index
    for step in (-1, 1):
        text = False
        for other in page.blocks[max(0, i - AFTER) : i][::-1] if step < 0 else page.blocks[i + 1 : i + AFTER]:
            text = text or page.prose[other.index]
            if (
                text
                and page.paths[other.index] == page.paths[i]
                and len(other.text) <= MAX_LINE
                and not page.prose[other.index]
                and dates.visible(other.text)
            ):
                return True
    return False


def published(
    page: Page,
    head: Sequence[Block],
    kept: Sequence[bool],
    now: datetime,
    *,
    day_first: bool = True,
    language: str = "",
) -> list[datetime]:
    """Dates in the head, best first: what says "published", what says nothing, what says "updated", and the date in a
    dateline ("HALYARD, 3 May 2026 (Coastal Press) - ...").

    A date before the title counts only if it says what it is, or if it stands in the article's box and is not today's;
    else it is the day the page was made. So is one beside a temperature. A date in the text is the story's own.
    """
    proses = [i for i, is_kept in enumerate(kept) if is_kept and page.prose[i]]
    read = functools.partial(dates.visible, day_first=day_first, language=language)
    found: list[tuple[int, datetime]] = []
    for block in head:
        i, text = block.index, block.text
        said = f"{page.blocks[i - 1].text} {text}" if i and page.labels[i - 1] == "byline" else text
        updated, fresh = labels.UPDATED.search(said), labels.PUBLISHED.search(said)
        marked = block.time or block.node.mask & _NAMED
        before = block.index < page.title_at or page.title_at < 0
        over = 0 < page.title_at - i <= OVER and dates.alone(text)
        if not marked and ((before and not fresh and not over) or block.linked * 2 > len(text)):
            continue
        near = page.blocks[max(0, block.index - 2) : block.index + 3]
        if any(
            labels.TEMPERATURE.search(other.text) for other in near if other is block or len(other.text) < 40
        ):
            continue
        value = dates.parse(block.time, day_first=day_first) if block.time else None
        if updated and fresh:  # "Updated ... Published ..."
            value = read(said[fresh.end() :]) or value
        value = value or read(text)
        if value is None or not dates.plausible(value, now):
            continue
        if before and not fresh and _of_the_page(block, page, now, value):
            continue
        if _is_of_text(block, page, kept, proses):
            continue
        rank = 2 if updated and not fresh else 0 if fresh and not updated else 1
        found.append((rank, value))
    for at in proses[:1]:
        line = _DATELINE.match(page.blocks[at].text[:MAX_DATELINE])
        value = read(line[0]) if line else None
        if value is not None and dates.plausible(value, now):
            found.append((3, value))
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


def is_dateline(block: Block, label: str | None) -> bool:
    """Whether a line says when the article was published, and nothing else."""
    text = block.text
    if len(text) > MAX_DATED or dates.is_sentence(text):
        return False
    if dates.alone(text) or (block.time and len(text) <= dates.LINE):
        return True
    return labels.prefix(text) == "byline" and dates.visible(text) is not None


def is_byline(text: str, *, marked: bool = False) -> bool:
    """Whether a line of text is a byline alone, as "By Ann Lee, Northern Press 3 May 2026, 14:05": behind "By" come
    names, and then little but a date. `marked`: its element is called a byline, and needs no "By"."""
    if len(text) > MAX_BYLINE or dates.is_sentence(text.rstrip()):
        return False
    parts = people.signed(text)
    if parts is None:
        return (marked and bool(people.named(text))) or _is_dated_name(text)
    before, said = parts
    if _words(before) > WORDS_BEFORE and _words(" ".join(dates.around(before) or (before,))) > WORDS_BEFORE:
        return False  # "The bridge of 1998 by Ann Lee"
    said = people.before_date(said)
    names = people.of_line(text)
    return bool(names) and sum(map(len, names)) >= BYLINE_NAMES * len(_BESIDE_NAMES.sub("", said))


def _is_dated_name(text: str) -> bool:
    """Whether a line is a date and a few words with capitals: "Ann Lee - Harbour Herald, Sunday 3 May 2026"."""
    rest = " ".join(dates.around(text) or ())
    words = [word for word in rest.split() if word[0].isalpha() and not dates.is_of_date(word)]
    return (
        not _FIELD.search(rest) and 0 < len(words) <= DATED_WORDS and all(word[0].isupper() for word in words)
    )


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
        if dates.is_sentence(block.text) and dates.visible(block.text) is None:
            continue  # "Автор проекта не ответил."
        if people.says_by(block.text):
            said.append(people.of_line(block.text))
        elif reporters := people.reporters(block.text):
            said.append(reporters)
        elif is_marked(block):
            dated = is_of_author(block) and dates.visible(block.text) is not None
            name = people.before_date(block.text) if dated else block.text
            marked.append(people.named(name) or ([name] if people.is_desk(name) else []))
    together = [name for names in linked for name in names]
    return [names for names in ([together] if together else []) + said + marked if names]


def beside_date(head: Sequence[Block], page: Page) -> list[str]:
    """A name that is all there is in a line under the title, if the date stands in the lines around it.

    A guess: nothing says that it is a name, and "Real Estate" is none. With two words, in scripts that have capitals,
    5 of 1,028 pages gain their author and none gets a wrong one; with more words and in any script, none gain and 4 get
    a wrong one.
    """
    for block in head:
        i, text = block.index, block.text
        near = page.blocks[max(0, i - BESIDE) : i + BESIDE + 1]
        if (
            0 <= page.title_at < i
            and not block.linked
            and block.node.tag not in HEADINGS
            and text.count(" ") == 1
            and text[0].isupper()
            and "," not in text
            and people.is_name(text)
            and any(other.time or dates.alone(other.text) for other in near if len(other.text) <= dates.LINE)
        ):
            return [text]
    return []


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
