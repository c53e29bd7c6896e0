"""A page as a flat list of blocks: one walk over the lxml tree, everything later works on plain numbers.

A block is a run of inline content that a reader sees as one paragraph, heading, list item or cell. Two line
breaks in a row end a block, as do single ones between whole sentences: old pages write their paragraphs so.
lxml and not BeautifulSoup, because building the tree is what costs (2 ms against 24 for a page of 244 KB) and
both give the same blocks; BeautifulSoup gets the part that holds the article (see article.py).
"""

from __future__ import annotations

import functools
import re
from typing import Any

from .. import furniture
from . import dates, labels

#: Signs by which a heading can be linked to.
ANCHORS = frozenset("#¶§🔗")
#: Subtrees that never hold text for readers.
SKIP = frozenset(
    [
        "area",
        "audio",
        "button",
        "canvas",
        "datalist",
        "embed",
        "frame",
        "frameset",
        "head",
        "iframe",
        "input",
        "math",
        "meter",
        "noscript",
        "object",
        "option",
        "progress",
        "rp",
        "rt",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
        "video",
    ]
)
#: Of these, what may have swallowed the rest of the page, because nobody closed it (`<button/>` closes nothing).
_SWALLOWS = frozenset(["audio", "button", "canvas", "object", "select", "svg", "video"])
#: Elements that do not end a paragraph.
INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
        "label",
        "mark",
        "nobr",
        "output",
        "picture",
        "q",
        "ruby",
        "s",
        "samp",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
BOLD = frozenset(("b", "strong"))
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
LINK, STRONG = 1, 2  # states a piece of text can be in

MAX_DEPTH = 400  # deeper elements are read as plain text: Python's stack holds 1,000 frames
MAX_STEPS = 5  # of a path
MAX_BLOCKS = 6_000  # a page of 10 MB in 20-letter paragraphs is no article

#: Thai, Lao and Khmer sentences end without a mark.
SENTENCE_END = re.compile(
    r"""(?:[.!?。！？…:।॥؟۔][\"'”’»)\]]*|[\u0e00-\u0eff\u1780-\u17ff][\"'”’»)\]]*)\s*$"""
)
_SPLIT_LENGTH = 80  # characters on both sides of a single line break that make it a paragraph break
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


class Node:
    """A block-level element. Sums (`chars`, ...) include everything below it once `read` has returned."""

    __slots__ = (
        "above", "blocks", "chars", "depth", "element", "first", "hidden", "last", "linked", "mask", "name", "parent",
        "path", "prose", "proses", "tag",
    )  # fmt: skip

    def __init__(self, element: Any, tag: str, parent: Node | None) -> None:
        self.element = element
        self.tag = tag
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        name, hidden = "", False
        for key, value in element.items():
            if key in _NAMING:
                name = f"{name} {value}" if name else value
            elif key == "hidden" or (key == "style" and "none" in value and _HIDDEN.search(value)):
                hidden = True
        self.name = name
        # Classes of the body element ("with-sidebar") tell of the page, not of what is in it.
        self.mask = 0 if parent is None else class_kinds(name[:300]) | TAG_KINDS.get(tag, 0)
        self.above: int = self.mask if parent is None else self.mask | parent.above
        self.hidden: bool = hidden or (parent is not None and parent.hidden)
        self.path = ""
        self.chars = self.linked = self.blocks = 0
        self.prose = self.proses = 0  # characters and number of blocks that read like sentences
        self.first = self.last = -1  # indexes of the blocks it holds


def _part(element: Any, top: Any) -> Any | None:
    """The link or time that an element of a block stands in, if it does, not too deep."""
    for _ in range(MAX_STEPS):
        if element is None or element is top or element.tag in ("a", "time"):
            break
        element = element.getparent()
    return element if element is not None and element.tag in ("a", "time") else None


def _between(before: Any | None, part: Any | None, left: str, right: str) -> str:
    """What stands between two touching parts of a block where only the page's style keeps them apart."""
    if before is not None and part is not None and before.tag == part.tag == "a":
        return " · "
    if left in (":", "："):  # "Share:" and its links
        return " "
    timed = any(one is not None and one.tag == "time" for one in (before, part))
    return " " if timed and left.isalnum() and right.isalnum() else ""


class Block:
    """A paragraph of the page, with where it comes from. `slots` are (element, is_tail) pairs of its text."""

    __slots__ = ("index", "linked", "node", "size", "slots", "strong", "text", "time", "words")

    def __init__(
        self, node: Node, text: str, linked: int, strong: int, slots: list[tuple[Any, bool]]
    ) -> None:
        self.node = node
        self.text = text
        self.linked = linked  # characters inside links
        self.strong = strong
        self.slots = slots
        self.index = 0
        self.time: str | None = (
            None  # of a `time` element in it: machine-readable if it has that, else its text
        )
        self.size = len(text)  # as long as it would be in an alphabet
        if text.isascii():
            self.words = text.count(" ") + 1
        else:
            self.words = count_words(text)
            self.size += 2 * len(_HAN.findall(text)) + len(_SYLLABLES.findall(text))

    @property
    def first_piece(self) -> str:
        """The text up to where its markup first changes."""
        for element, is_tail in self.slots:
            text = (element.tail if is_tail else element.text) or ""
            if text.strip():
                return " ".join(text.split())
        return ""

    @property
    def parted(self) -> str:
        """The text to show, with links and times apart that only the page's style parts: Home · Sport, not HomeSport.

        `text` stays as it is: its hash is what site memory knows the block by.
        """
        if len(self.slots) < 2 or (2 * self.linked <= len(self.text) and not self.time):
            return self.text
        plain, shown, before = [], [""], None
        for element, is_tail in self.slots:
            piece = (element.tail if is_tail else element.text) or "\n" * (element.tag == "br")
            part = _part(element.getparent() if is_tail else element, self.node.element)
            if part is not before and not piece[:1].isspace():
                shown.append(_between(before, part, shown[-1][-1:], piece[:1]))
            plain.append(piece)
            shown.append(piece)
            before = None if piece[-1:].isspace() else part
        if " ".join("".join(plain).split()) != self.text:  # nested too deep to be walked: one slot has it all
            return self.text
        return " ".join("".join(shown).split())


_NAMING = frozenset(("class", "id", "itemprop", "role", "data-testid", "data-component", "data-type"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")
#: A sentence of 60 letters is one of some 20 Chinese characters, or 30 Japanese or Korean syllables.
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_SYLLABLES = re.compile(r"[\u3040-\u30ff\uac00-\ud7a3]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

KINDS: dict[str, int] = {kind: 1 << i for i, kind in enumerate(sorted(furniture.CLASS_WORDS))}
TAG_KINDS = {tag: sum(KINDS[kind] for kind in kinds) for tag, kinds in furniture.TAG_KINDS.items()}
_WORD_KINDS: dict[str, int] = {}
for _kind, _words in furniture.CLASS_WORDS.items():
    for _word in _words.split():
        _WORD_KINDS[_word] = _WORD_KINDS.get(_word, 0) | KINDS[_kind]


@functools.lru_cache(maxsize=20_000)
def class_kinds(name: str) -> int:
    """The kinds (bits of `KINDS`) that the words of a class, id or role stand for."""
    kinds = 0
    for word in _CAMEL.findall(name):
        kinds |= _WORD_KINDS.get(word.lower(), 0)
    return kinds


def count_words(text: str) -> int:
    """Words as a reader counts them; two Chinese or Japanese characters are taken for one."""
    return text.count(" ") + 1 + len(_CJK.findall(text)) // 2


def swallows(element: Any) -> bool:
    """Whether this control holds paragraphs: then it was left open, and what it holds is the page. A template may be
    the shadow tree of an element, which is what readers see of it."""
    is_shadow = element.tag == "template" and element.get("shadowrootmode") is not None
    return (element.tag in _SWALLOWS or is_shadow) and element.find(".//p") is not None


def is_anchor(link: Any) -> bool:
    """Whether a link is the sign by which a heading can be linked to: "Why#", "Why ¶"."""
    text = link.text
    return bool(text) and text.strip() in ANCHORS and not len(link) and "#" in (link.get("href") or "")


class _Reader:
    """State of one walk: the text collected since the last block ended."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.nodes: list[Node] = []
        self.pieces: list[
            tuple[str, int, Any, bool]
        ] = []  # text, state, element, is_tail; "\n": a line break
        self.text_seen = False
        self.broke = False  # the last thing seen was a line break
        self.time: str | None = None

    def walk(self, element: Any, node: Node, state: int, depth: int) -> None:
        text = element.text
        if text:
            self.add(text, state, element, False)
        for child in element:
            tag = child.tag
            if tag == "a" and is_anchor(child):
                pass
            elif tag in INLINE:
                if depth < MAX_DEPTH:
                    inner = state
                    if tag == "a":
                        inner |= LINK
                    elif tag in BOLD:
                        inner |= STRONG
                    elif tag == "time":
                        self.time = child.get("datetime") or child.get("content") or "".join(child.itertext())
                    self.walk(child, node, inner, depth + 1)
                else:
                    self.add("".join(child.itertext()), state, child, False)
            elif tag in SKIP:
                if swallows(child):
                    self.flush(node)
                    below = Node(child, tag, None)
                    below.parent, below.depth = node, node.depth + 1
                    self.nodes.append(below)
                    self.walk(child, below, 0, depth + 1)
                    self.flush(below)
            elif tag == "br":
                if self.broke:
                    self.flush(node)
                elif self.text_seen:
                    self.pieces.append(("\n", 0, child, False))
                    self.broke = True
            elif len(self.blocks) >= MAX_BLOCKS:
                return
            else:
                self.flush(node)
                below = Node(child, tag if isinstance(tag, str) else "div", node)
                self.nodes.append(below)
                if depth < MAX_DEPTH:
                    self.walk(child, below, state, depth + 1)
                else:
                    self.add("".join(child.itertext()), state, child, False)
                self.flush(below)
            text = child.tail
            if text:
                self.add(text, state, child, True)

    def add(self, text: str, state: int, element: Any, is_tail: bool) -> None:
        self.pieces.append((text, state, element, is_tail))
        if not text.isspace():
            self.text_seen, self.broke = True, False

    def flush(self, node: Node) -> None:
        pieces = self.pieces
        if not pieces:
            return
        if self.text_seen and len(self.blocks) < MAX_BLOCKS:
            if any(piece[0] == "\n" and not piece[3] for piece in pieces):
                for run in _split(pieces):
                    self.append(node, run)
            else:
                self.append(node, pieces)
        self.pieces = []
        self.text_seen = self.broke = False
        self.time = None

    def append(self, node: Node, pieces: list[tuple[str, int, Any, bool]]) -> None:
        text = pieces[0][0] if len(pieces) == 1 else "".join([piece[0] for piece in pieces])
        text = " ".join(text.split())
        if not text:
            return
        linked = strong = 0
        slots = []
        for piece, state, element, is_tail in pieces:
            if state:
                length = len(piece.strip())
                if state & LINK:
                    linked += length
                if state & STRONG:
                    strong += length
            slots.append((element, is_tail))
        block = Block(node, text, min(linked, len(text)), min(strong, len(text)), slots)
        block.time = self.time
        block.index = len(self.blocks)
        self.blocks.append(block)


def _split(pieces: list[tuple[str, int, Any, bool]]) -> list[list[tuple[str, int, Any, bool]]]:
    """Cut at single line breaks that stand between whole sentences, and around labels, dates and temperatures."""
    lines: list[list[tuple[str, int, Any, bool]]] = [[]]
    for piece in pieces:
        if piece[0] == "\n" and not piece[3]:
            lines.append([])
        lines[-1].append(piece)
    runs = [lines[0]]
    texts = ["".join(piece[0] for piece in line).strip() for line in lines]
    for before, after, line in zip(texts, texts[1:], lines[1:], strict=False):
        prose = len(before) >= _SPLIT_LENGTH and len(after) >= _SPLIT_LENGTH and SENTENCE_END.search(before)
        if prose or _stands_alone(before) or _stands_alone(after):
            runs.append(line)
        else:
            runs[-1].extend(line)
    return runs


def _stands_alone(line: str) -> bool:
    if len(line) > _SPLIT_LENGTH:
        return False
    return labels.label(line) is not None or bool(labels.TEMPERATURE.search(line)) or dates.alone(line)


def read(root: Any) -> tuple[list[Block], list[Node]]:
    """The blocks of a page in document order, and its block-level elements, outermost first."""
    body = (
        root
        if root.tag != "html"
        else next((child for child in root if child.tag in ("body", "frameset")), root)
    )
    reader = _Reader()
    top = Node(body, "body", None)
    reader.nodes.append(top)
    reader.walk(body, top, 0, 0)
    reader.flush(top)
    for block in reader.blocks:
        node = block.node
        length = block.size
        node.chars += length
        node.linked += block.linked * length // len(block.text)
        node.blocks += 1
        if length >= 60 and block.linked * 2 < length and SENTENCE_END.search(block.text):
            node.prose += length
            node.proses += 1
        if node.first < 0:
            node.first = block.index
        node.last = block.index
    for node in reversed(reader.nodes):
        parent = node.parent
        if parent is not None and node.blocks:
            parent.chars += node.chars
            parent.linked += node.linked
            parent.blocks += node.blocks
            parent.prose += node.prose
            parent.proses += node.proses
            if parent.first < 0 or node.first < parent.first:
                parent.first = node.first
            parent.last = max(parent.last, node.last)
    return reader.blocks, reader.nodes


def apart(one: Node, other: Node) -> tuple[Node, Node] | None:
    """The largest boxes of which one holds one element and the other the other; None if an element is its own box."""
    above = set()
    node: Node | None = one
    while node is not None:
        above.add(id(node))
        node = node.parent
    right = other
    while right.parent is not None and id(right.parent) not in above:
        right = right.parent
    left = one
    while left.parent is not None and left.parent is not right.parent:
        left = left.parent
    return None if left is one or right is other or left.parent is None else (left, right)


def path(node: Node) -> str:
    """The element's DOM path without numbers, so that it is the same on every page made from one template.

    At most the last five steps: a changed wrapper far above must not make it another path.
    """
    if not node.path:
        own = node.tag + _step(node.name)
        if node.parent is None:
            node.path = own
        else:
            above = path(node.parent)
            if above.count(">") >= MAX_STEPS - 1:
                above = above[above.index(">") + 1 :]
            node.path = f"{above}>{own}"
    return node.path


@functools.lru_cache(maxsize=20_000)
def _step(name: str) -> str:
    """The first two words of a class name, for a path."""
    return "".join("." + word.lower() for word in _CAMEL.findall(name[:100])[:2] if len(word) > 2)[:40]
