"""What stands beside an article on its page and is text, too: other whole stories, and what readers say."""

from __future__ import annotations

import re

from . import head, tree
from .features import Page
from .tree import KINDS

STORY_PROSES = 3  # sentences of a box that can be another whole story
COMMENTED = 200  # characters of prose over comments
_COMMENTS = KINDS["comments"]
_WORD = re.compile(r"\w+")


def other_stories(page: Page, kept: list[bool], reasons: list[str]) -> None:
    """Whole articles under or over this one, as on pages that go on for ever: each in a box like that of this title,
    which begins with a heading like it and a date or byline, or is an `article`. Sections of one have neither."""
    if page.title_at < 0:
        return
    title = page.blocks[page.title_at]
    seen = set()
    for head_at, block in enumerate(page.blocks):
        if (
            page.paths[head_at] != page.paths[page.title_at]
            or _WORD.findall(block.text.casefold()) == page.title
        ):
            continue
        if (boxes := tree.apart(title.node, block.node)) is None:
            continue
        own, other = boxes
        if id(other) in seen:
            continue
        seen.add(id(other))
        if own.proses < STORY_PROSES or other.proses < STORY_PROSES or tree.path(own) != tree.path(other):
            continue
        first = next((i for i in range(other.first, other.last + 1) if page.prose[i]), head_at)
        if head_at > first or not (other.tag == "article" or _is_signed(page, other.first, first)):
            continue
        for i in range(other.first, other.last + 1):
            if kept[i]:
                kept[i], reasons[i] = False, "another story"


def _is_signed(page: Page, first: int, end: int) -> bool:
    return any(
        block.time or head.is_byline(block.text) or head.is_dateline(block, page.labels[block.index])
        for block in page.blocks[first:end]
    )


def comments(page: Page, kept: list[bool], reasons: list[str]) -> None:
    """What readers say under a text of some length, in boxes named so."""
    before = 0
    for i, block in enumerate(page.blocks):
        if not kept[i]:
            continue
        if not block.node.above & _COMMENTS:
            before += len(block.text) * page.prose[i]
        elif before >= COMMENTED:
            kept[i], reasons[i] = False, "comments"
