"""Site memory: what repeats on the pages of a site is not news. Pure; the store keeps what is learned.

Requirements: a line that the extractor takes for text, and that stands on other pages of the site too, goes;
text that a newsroom uses again (a story under several URLs, background paragraphs of follow-ups) stays.

Theory of operation: a page knows the fingerprints of its blocks (`Document.blocks`). A short block goes when
two other pages of the site have it. A paragraph of prose goes only when a quarter of the site's pages have it,
or thirty: newsrooms copy background from story to story, but not into every story. Where most of the body
repeats, the page is a story published twice, and nothing is taken away.

Known exceptions: a formula heading ("Method") that stands before text of its own stays. Two other pages and
not one, because with one a story that was published twice costs .35 points of recall (80 pages, 16 publishers).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from .model import Block, Document, Removed, SiteMemory

REASON = "repeats on this site"
OTHER_PAGES = 2  # other pages that must have a block before it is furniture
LONG = 160  # characters from which a block is a paragraph of prose
LONG_SHARE = 0.25  # of the site's pages that must have a paragraph of prose ...
LONG_PAGES = 30  # ... or this many pages
REPUBLISHED = 0.5  # of the body's characters; from there on the page is a story published twice

_HEADING = re.compile(r"h[1-6](?:\.[^>]*)?$")


def learn(document: Document) -> SiteMemory:
    """What one page adds to its site's memory: every different block once, and its paths' counts.

    `site` is left empty: the caller knows the site.
    """
    blocks = dict.fromkeys((block.hash for block in document.blocks), 1)
    paths: dict[str, tuple[int, int]] = {}
    for block in document.blocks:
        kept, removed = paths.get(block.path, (0, 0))
        paths[block.path] = (kept + block.kept, removed + (not block.kept))
    return SiteMemory("", 1, blocks, paths)


def merge(memory: SiteMemory, documents: Iterable[Document]) -> SiteMemory:
    """The memory with these pages added. Pages must be different ones, and not in the memory yet."""
    pages = memory.pages
    blocks = Counter(memory.blocks)
    paths = dict(memory.paths)
    for document in documents:
        page = learn(document)
        pages += 1
        blocks.update(page.blocks)
        for path, (kept, removed) in page.paths.items():
            before = paths.get(path, (0, 0))
            paths[path] = (before[0] + kept, before[1] + removed)
    return SiteMemory(memory.site, pages, dict(blocks), paths)


def strip(document: Document, memory: SiteMemory) -> Document:
    """The document without what repeats on its site. `memory` has this page in it (see `merge`).

    The blocks that were kept are the paragraphs, one by one and in order; if they are not (a document made
    by other means), the document is returned as it is.
    """
    kept = [block for block in document.blocks if block.kept]
    if len(kept) != len(document.paragraphs):
        return document
    repeats = [
        _repeats(block, paragraph, memory) for block, paragraph in zip(kept, document.paragraphs, strict=True)
    ]
    for i in range(len(repeats) - 1):
        if repeats[i] and not repeats[i + 1] and _HEADING.search(kept[i].path):
            repeats[i] = False
    total = sum(map(len, document.paragraphs))
    gone = sum(len(text) for text, repeat in zip(document.paragraphs, repeats, strict=True) if repeat)
    if not gone or gone > REPUBLISHED * total:
        return document
    return _without(document, repeats)


def _repeats(block: Block, paragraph: str, memory: SiteMemory) -> bool:
    pages = memory.blocks.get(block.hash, 0)
    if pages <= OTHER_PAGES:
        return False
    return len(paragraph) < LONG or pages >= LONG_PAGES or pages >= LONG_SHARE * memory.pages


def _without(document: Document, gone: list[bool]) -> Document:
    """Move the marked paragraphs to `removed`, which stays in the page's order."""
    new_position = []
    left = 0
    for repeat in gone:
        new_position.append(left)
        left += not repeat
    new_position.append(left)
    removed = [
        (item.position, 0, replace(item, position=new_position[min(item.position, len(gone))]))
        for item in document.removed
    ]
    removed += [
        (i, 1, Removed(text, REASON, new_position[i]))
        for i, (text, repeat) in enumerate(zip(document.paragraphs, gone, strict=True))
        if repeat
    ]
    removed.sort(key=lambda item: item[:2])
    marks = iter(gone)
    blocks = tuple(replace(block, kept=not next(marks)) if block.kept else block for block in document.blocks)
    return replace(
        document,
        paragraphs=tuple(text for text, repeat in zip(document.paragraphs, gone, strict=True) if not repeat),
        removed=tuple(item for _, _, item in removed),
        blocks=blocks,
    )
