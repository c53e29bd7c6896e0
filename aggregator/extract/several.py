"""An article in several pages, made one again. Pure: who calls it fetches the pages (`Document.next_url`)."""

from __future__ import annotations

from dataclasses import replace

from ..model import Document, Removed
from . import headline

REASON = "repeats on an earlier page"
#: Share of the text so far that a page must repeat to be the whole article on one page.
WHOLE = 0.8
#: Likeness of the titles from which two pages are one article: "/story-1" leads to "/story-2" on some sites, which
#: is the next story.
ONE_TITLE = 0.5


def join(first: Document, further: Document) -> Document:
    """The article with the page its `next_url` led to: appended, or instead of it where it has the whole text.

    What the page repeats (a standfirst on every page) is removed with that reason. A page with another title, or
    without text, adds nothing and ends the article. `next_url` of the result is where it goes on.
    """
    alike = headline.same(first.title, further.title) >= ONE_TITLE or not (first.title and further.title)
    if not further.paragraphs or not alike:
        return replace(first, next_url=None)
    flags = tuple(dict.fromkeys((*first.flags, *further.flags)))
    known = set(first.paragraphs)
    again = sum(len(text) for text in set(further.paragraphs) & known)
    if again >= WHOLE * sum(map(len, known)):
        return replace(
            first,
            paragraphs=further.paragraphs,
            removed=further.removed,
            blocks=further.blocks,
            flags=flags,
            next_url=None,
        )
    removed, blocks, new = list(first.removed), list(first.blocks), []
    position = [
        len(first.paragraphs)
    ]  # in the joined text, of each paragraph of the further page, and its end
    for text in further.paragraphs:
        if text in known:
            removed.append(Removed(text, REASON, position[-1]))
        else:
            new.append(text)
        position.append(len(first.paragraphs) + len(new))
    removed += [
        replace(block, position=position[min(block.position, len(position) - 1)]) for block in further.removed
    ]
    kept = iter(further.paragraphs)
    blocks += [replace(b, kept=next(kept, "") not in known) if b.kept else b for b in further.blocks]
    return replace(
        first,
        paragraphs=(*first.paragraphs, *new),
        removed=tuple(sorted(removed, key=lambda block: block.position)),
        blocks=tuple(blocks),
        flags=flags,
        next_url=further.next_url if new else None,
    )
