"""What kind of page is it? Index pages, consent walls, paywall stubs, live blogs, and articles with a next page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .. import furniture, urls
from . import article, labels
from . import evidence as ev
from .evidence import Evidence
from .features import Page
from .judge import Judgement
from .tree import HEADINGS, INLINE, KINDS, Block, Node

STUB_WORDS = 250  # a text with a paywall's words beside it that is shorter than that was cut
WALL_SHARE = 0.5  # of the kept text that talks of consent: then the wall is all there is ...
WALL_LINE = 8  # words of a line that may be a wall's
WALL_CHARS = 2_500  # ... if there is no more than that: articles talk of consent, too
TEASERS = 4  # kept blocks under linked headings that make a page an index ...
TEASER_SHARE = 0.8  # ... if they are this much of the text ...
TEASER_CHARS = 500  # ... and none is longer
TEASER_BLOCKS = 8  # of a teaser's box
HEADLINE = 15  # characters of a linked line that can be a headline
STUB = 6_000  # characters of a page's scripts, that does nothing but lead to another
STUB_LINES = 40  # words with which it may say so
#: Seconds after which a page that leads to another does so; news pages reload themselves after minutes.
AT_ONCE = 10

_NUMBER = re.compile(
    r"^(?:[/_-]|\.html?/|/?\?|&)?(?:page|seite|pagina|pag|p|pg|part)?[/=_-]?(\d{1,2})(?:\.html?|/)?$", re.I
)

_REFRESH = re.compile(r"\s*(\d{1,4})(?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']+)", re.I)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))", re.I)
_LOCATION = re.compile(r"\blocation(?:\.href)?\s*(?:=|\.(?:replace|assign)\()\s*([\"'])([^\"']+)\1")


def flags(page: Page, made: Judgement, facts: Evidence, url: str | None) -> tuple[str, ...]:
    """The page's flags. Walls and index pages lose their paragraphs: `made` is changed."""
    found = []
    if made.live:
        found.append("live")
    _without_teasers(page, made, url)
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
    """Whether what was kept, or where nothing was, what there is to read, asks for consent."""
    something = any(made.kept)
    total = wall = 0
    for block in page.blocks:
        length = len(block.text)
        if made.kept[block.index] if something else block.words >= WALL_LINE and block.linked * 2 < length:
            total += length
            said = labels.phrases(block.text[: labels.MAX_PHRASE])
            if block.node.above & KINDS["consent"] or "consent" in said:
                wall += length
    return 0 < total <= WALL_CHARS and wall >= WALL_SHARE * total


def _is_index(page: Page, made: Judgement, facts: Evidence, url: str | None) -> bool:
    """No article: nothing was kept, or what was kept are teasers, each with a headline that leads to its story."""
    if not any(made.kept):
        return True
    if facts.is_article:
        return False
    url = url if url and urls.is_web(url) else "http://unknown.invalid/"
    total = teased = 0
    teasers: set[str] = set()
    for block in page.blocks:
        if not made.kept[block.index]:
            continue
        if len(block.text) > TEASER_CHARS:
            return False
        total += len(block.text)
        story = _teased(block, page, url)
        if story:
            teased += len(block.text)
            teasers.add(story)
    return len(teasers) >= TEASERS and teased >= TEASER_SHARE * total


def _without_teasers(page: Page, made: Judgement, url: str | None) -> None:
    """Take away the teasers of other stories, each under a headline that leads there, in a box of their own outside the
    `article` element: an article that is a list of such has them inside."""
    if not url or not urls.is_web(url):
        return
    proses = [block for block in page.blocks if made.kept[block.index] and page.prose[block.index]]
    stories = {block.index: story for block in proses if (story := _teased(block, page, url))}
    if len(set(stories.values())) < TEASERS or len(proses) - len(stories) < TEASERS:
        return
    box = article.container([page.blocks[i] for i in stories])
    others = [block for block in proses if block.index not in stories]
    own = next((node for node in _above(others[0].node) if node.tag == "article"), None)
    if box is None or own is None or any(box.first <= block.index <= box.last for block in others):
        return
    if own.first <= box.first <= own.last:
        return
    for i in range(box.first, box.last + 1):
        if made.kept[i]:
            made.kept[i], made.reasons[i] = False, "teaser"


def _above(node: Node | None) -> Iterator[Node]:
    while node is not None:
        yield node
        node = node.parent


def _teased(block: Block, page: Page, url: str) -> str | None:
    """The story that a block is the teaser of: where the headline in it, just before it or over its box leads to,
    if that is a page of this site."""
    node = block.node
    near = [block, *page.blocks[max(0, block.index - 2) : block.index][::-1]]
    for box in (node, node.parent, node.parent.parent if node.parent else None):
        if box is not None and box.first >= 0 and box.blocks <= TEASER_BLOCKS:
            near += [other for other in page.blocks[box.first : box.last + 1] if other.node.tag in HEADINGS]
    for other in near:
        is_headline = other.linked > 0.8 * len(other.text) and len(other.text) >= HEADLINE
        link = _first_link(other) if is_headline or other is block else None
        # "#p2" leads to a part of this page.
        story = urls.absolute(link.partition("#")[0], url) if link else None
        if story and urls.host(story) == urls.host(url) and story != url.partition("#")[0]:
            return story
    return None


def _first_link(block: Block) -> str | None:
    """Where the words lead to that a block begins with."""
    element, is_tail = next(filter(_said, block.slots), (None, False))
    up: Any = element.getparent() if element is not None and is_tail else element
    while up is not None and up.tag in INLINE:
        if up.tag == "a":
            href: str | None = up.get("href")
            return href
        up = up.getparent()
    return None


def _said(slot: tuple[Any, bool]) -> str:
    element, is_tail = slot
    return ((element.tail if is_tail else element.text) or "").strip()


def _is_paywalled(page: Page, made: Judgement, facts: Evidence) -> bool:
    words = sum(block.words for block in page.blocks if made.kept[block.index])
    if words >= STUB_WORDS:
        return False
    if any(str(ev.text(value) or value).lower() == "false" for value in facts.article("isAccessibleForFree")):
        return True
    free = [item.get("isAccessibleForFree") for item in facts.articles]
    if any(value is False for value in free):
        return True
    return any(
        "paywall" in labels.phrases(block.text) or labels.is_placeholder(block.text) for block in page.blocks
    )


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


def _unescaped(match: re.Match[str]) -> str:
    return match[3] or chr(int(match[1] or match[2], 16))


def moved(root: Any, page: Page, made: Judgement, url: str | None) -> str | None:
    """Where a page sends its readers that has nothing else for them: by `<meta http-equiv=refresh>`, or by a script
    that does only that, as link shorteners do. "You are being redirected" is no text: `made` is changed."""
    words = sum(block.words for block in page.blocks if made.kept[block.index])
    if not url or not urls.is_web(url) or words > STUB_LINES:
        return None
    told = [
        match
        for element in root.iter("meta")
        if (element.get("http-equiv") or "").lower() == "refresh"
        and (match := _REFRESH.match(element.get("content") or ""))
        and not (words and any(up.tag == "noscript" for up in element.iterancestors()))
    ]
    links = [match[2] for match in told if int(match[1]) <= AT_ONCE]
    scripts = [script.text for script in root.iter("script") if script.text]
    if not words and sum(map(len, scripts)) <= STUB:
        links += [
            _ESCAPE.sub(_unescaped, match[2]) for script in scripts for match in _LOCATION.finditer(script)
        ]
    there = (urls.absolute(link.strip(), url) for link in links)
    to = next((link for link in there if link and urls.is_web(link) and link != url), None)
    if to:
        _clear(made, "redirect")
    return to


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
