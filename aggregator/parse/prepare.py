"""Bytes to fewer bytes: out goes what makes feedparser raise, stall or swell, and what was seen already.

    body | scrub | find the items | cut the seen ones | cap the others -> Prepared

Every step is linear in the size of the document, whatever a server sends: at worst 0.3 s per MB.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from .caps import cap
from .scrub import HEAD, ROOT, scrub


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a document is read at a time. What is over is left for the next fetch."""

    entries: int
    size: int  # bytes of items
    field: int  # bytes of a text that keeps its markup; a longer one is cut there and becomes words


#: feedparser takes 0.35 to 1 ms per entry: at most a second.
NORMAL = Limits(1_000, 4_000_000, 500_000)
#: For a document that took too long: most texts are on the entries' pages too.
LEAN = Limits(100, 400_000, 2_000)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is safe to hand to feedparser, and what was learned on the way."""

    data: bytes  # without seen items
    content_type: str | None
    hashes: tuple[str, ...]  # of the items left in `data`, in order
    seen: tuple[str, ...]  # of the items that were cut
    problem: str | None
    complete: bool
    is_html: bool  # no feed at all
    limits: Limits


_TOKEN = re.compile(rb"<!--|<!\[CDATA\[|<(/?)((?:[\w.-]{1,40}:)?)(?:item|entry)(?=[\s/>])[^<>]*>", re.I)
_PREFIX = re.compile(rb"xmlns:([\w.-]{1,40})\s*=\s*[\"']([^\"'<>]{1,100})[\"']", re.I)
#: Namespaces whose "item" and "entry" feedparser reads as entries.
_CORE = (
    b"http://backend.userland.com/rss",
    b"http://blogs.law.harvard.edu/tech/rss",
    b"http://my.netscape.com/rdf/simple/0.9/",
    b"http://purl.org/atom/ns#",
    b"http://purl.org/rss/1.0/",
    b"http://www.w3.org/2005/atom",
)
_HTML = re.compile(rb"\s*(?:<!--[^>]*-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I)


def item_hash(item: bytes) -> str:
    """What an item is remembered by: 128 bits of BLAKE2b (RFC 7693) of its bytes."""
    return hashlib.blake2b(item, digest_size=16).hexdigest()


def prepare(body: bytes, content_type: str | None, seen: frozenset[str], limits: Limits = NORMAL) -> Prepared:
    """Take out of a feed document all that must not, or need not, reach feedparser. Never raises."""
    data, content_type = scrub(body, content_type)
    root = ROOT.search(data, 0, HEAD)
    items, unclosed, clean = _items(data, root)
    problems = []
    complete = _ends(data, root, items[-1][1] if items else 0)
    if not complete:
        if clean and items and unclosed is not None:
            data = data[:unclosed]  # half an entry: the next fetch brings it whole
        data += _closing(root, data)
        problems.append(f"the document ends in the middle, after {len(items)} whole entries")
    elif unclosed is not None:
        clean = False
    pieces: list[bytes] = []
    hashes: list[str] = []
    cut: list[str] = []
    at = size = left = 0
    for start, end in items if clean else ():
        pieces.append(cap(data[at:start], limits.field))
        item, at = data[start:end], end
        known = item_hash(item)
        if known in seen:
            cut.append(known)
        elif len(hashes) >= limits.entries or size >= limits.size:
            left += 1
        else:
            item = cap(item, limits.field)
            pieces.append(item)
            size += len(item)
            hashes.append(known)
    pieces.append(cap(data[at:], limits.field))
    if left:
        problems.append(f"{left} of {len(items)} entries are left for the next fetch")
    return Prepared(
        data=b"".join(pieces),
        content_type=content_type,
        hashes=tuple(hashes),
        seen=tuple(cut),
        problem="; ".join(problems) or None,
        complete=complete and not left,
        is_html=root is None and not items and _HTML.match(data) is not None,
        limits=limits,
    )


def _items(data: bytes, root: re.Match[bytes] | None) -> tuple[list[tuple[int, int]], int | None, bool]:
    """Spans of the items, the start of a last one without end, and whether they stand one after the other."""
    prefixes = {b""}
    if root:
        bound = _PREFIX.findall(data, 0, root.end())
        prefixes |= {name + b":" for name, namespace in bound if namespace.lower().startswith(_CORE)}
    spans: list[tuple[int, int]] = []
    unclosed: int | None = None
    clean = True
    at = root.end() if root else 0
    ends = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
    while token := _TOKEN.search(data, at):
        at = token.end()
        if token[0] in ends:
            end = data.find(ends[token[0]], at)
            if end < 0:
                ends[token[0]] = b"<"  # never closed, so not open: go on right behind it
            else:
                at = end
        elif token[2] not in prefixes:
            continue
        elif token[1]:
            if unclosed is None:
                clean = False
            else:
                spans.append((unclosed, at))
                unclosed = None
        else:
            clean = clean and unclosed is None
            if token[0].endswith(b"/>"):
                spans.append((token.start(), at))
            else:
                unclosed = token.start()
    return spans, unclosed, clean


def _ends(data: bytes, root: re.Match[bytes] | None, tail: int) -> bool:
    """Whether the root element is closed, so that nothing is missing."""
    if root is None or root[0].endswith(b"/>"):
        return True
    return re.search(rb"</" + re.escape(root[1]) + rb"\s*>", data[tail:], re.I) is not None


def _closing(root: re.Match[bytes] | None, data: bytes) -> bytes:
    """The end tags a truncated document misses, so that the strict parser takes it."""
    if root is None:
        return b""
    in_channel = root[1].lower() == b"rss" and b"<channel" in data and b"</channel" not in data
    return (b"</channel></" if in_channel else b"</") + root[1] + b">"
