"""The article, made with BeautifulSoup from the part of the page that holds it.

Building a BeautifulSoup tree is what costs (24 of 30 ms for a mean page), so only the smallest element that
holds every kept block is built; it is filled from the lxml tree without writing and reading HTML again.
Inside it the furniture is decomposed and the paragraphs are read from what remains.
"""

from __future__ import annotations

import textwrap
from collections.abc import Container, Sequence
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.builder import HTMLTreeBuilder
from bs4.element import NavigableString

from .markup import is_wrapped
from .tree import INLINE, MAX_DEPTH, SKIP, Block, Node, swallows

_BREAK = "\u2028"  # stands for a `br`
#: Characters of the longest and of the mean line that are broken on purpose: verses, addresses. Old pages break prose
#: at 70 and more.
VERSE_LONGEST, VERSE_LINE = 65, 50


class _Transplant(HTMLTreeBuilder):
    """Feeds a BeautifulSoup from an lxml element.

    wanted: ids of the elements to take along, None for all of them; what holds no text is not worth a Tag.
    tags, strings: the Tag of an element and the NavigableString of a text slot, by the lxml element's id.
    """

    NAME = "transplant"
    features = (NAME,)

    def __init__(self, wanted: Container[int] | None = None) -> None:
        super().__init__(multi_valued_attributes={})
        self.wanted = wanted
        self.tags: dict[int, Tag] = {}
        self.strings: dict[tuple[int, bool], NavigableString] = {}
        self.elements: list[Any] = []  # lxml makes elements anew when nobody holds them, and ids with them

    def feed(self, markup: Any) -> None:
        self._element(markup, 0)

    def _element(self, element: Any, depth: int) -> None:
        soup = self.soup
        assert soup is not None
        tag = soup.handle_starttag(element.tag, None, None, dict(element.items()))
        if tag is None:
            return
        self.elements.append(element)
        self.tags[id(element)] = tag
        if element.text and not (element.tag not in INLINE and element.text.isspace()):
            self._text(element.text, element, False)
        if depth < MAX_DEPTH:
            for child in element:
                if (child.tag not in SKIP or swallows(child)) and (
                    self.wanted is None or id(child) in self.wanted
                ):
                    self._element(child, depth + 1)
                if child.tail and not (child.tag not in INLINE and child.tail.isspace()):
                    self._text(child.tail, child, True)
        soup.handle_endtag(element.tag)

    def _text(self, text: str, element: Any, is_tail: bool) -> None:
        soup = self.soup
        assert soup is not None
        string = NavigableString(text)
        soup.object_was_parsed(string)
        self.elements.append(element)
        self.strings[id(element), is_tail] = string


def transplant(root: Any) -> tuple[BeautifulSoup, dict[Any, int]]:
    """An lxml element as a BeautifulSoup, and for each lxml element the id of its Tag."""
    builder = _Transplant()
    soup = BeautifulSoup(root, builder=builder)
    return soup, {
        element: id(builder.tags[id(element)]) for element in builder.elements if id(element) in builder.tags
    }


def container(blocks: Sequence[Block]) -> Node | None:
    """The smallest element that holds all these blocks."""
    if not blocks:
        return None
    node = blocks[0].node
    first, last = blocks[0].index, blocks[-1].index
    while node.parent is not None and not (node.first <= first and last <= node.last):
        node = node.parent
    return node


def build(top: Node, blocks: Sequence[Block], kept: Sequence[bool]) -> list[str]:
    """The paragraphs of the kept blocks, in order, read from a BeautifulSoup that holds them and nothing else."""
    article = [block for block in blocks[top.first : top.last + 1] if kept[block.index]]
    if len(article) == 1 and len(article[0].slots) == 1:  # a feed's plain blurb: no tree is needed to read it
        ((element, is_tail),) = article[0].slots
        text = element.tail if is_tail else element.text
        if text and not text.isspace():
            return [_laid_out(text, article[0])]
    builder = _Transplant(_with_text(article))
    soup = BeautifulSoup(top.element, builder=builder)
    paragraphs = []
    for block in article:
        parts = [_slot_text(builder, element, is_tail) for element, is_tail in block.slots]
        paragraphs.append(_laid_out("".join(parts), block))
    soup.decompose()
    return paragraphs


def _laid_out(text: str, block: Block) -> str:
    """A paragraph's text on one line; code and verse on their own, which mean something there."""
    if block.node.tag == "pre" and not is_wrapped(text):
        lines = [line.rstrip() for line in text.replace(_BREAK, "\n").split("\n") if not line.isspace()]
        return textwrap.dedent("\n".join(filter(None, lines)))
    lines = [line for part in text.split(_BREAK) if (line := " ".join(part.split()))]
    longest, total = max(map(len, lines), default=0), sum(map(len, lines))
    is_verse = longest <= VERSE_LONGEST and total <= VERSE_LINE * len(lines)
    return ("\n" if is_verse else " ").join(lines)


def _with_text(blocks: Sequence[Block]) -> dict[int, Any]:
    """The elements that hold these blocks' text, by id, up to the root."""
    found: dict[int, Any] = {}
    for block in blocks:
        for element, is_tail in block.slots:
            up = element.getparent() if is_tail else element
            while up is not None and id(up) not in found:
                found[id(up)] = up
                up = up.getparent()
    return found


def _slot_text(builder: _Transplant, element: Any, is_tail: bool) -> str:
    string = builder.strings.get((id(element), is_tail))
    if string is not None:
        return string
    if element.tag == "br" and not is_tail:
        return _BREAK
    if is_tail or (element.text or "").isspace():
        return "\n"
    return "".join(element.itertext())  # nested deeper than MAX_DEPTH
