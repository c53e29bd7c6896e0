"""Bytes to fewer bytes: what makes feedparser raise, stall or swell is taken out before it, and what was seen
already is cut.

    body | decode (UTF-16, UTF-32) | scrub | find the items | cut the seen ones | cap the others -> Prepared

All steps are linear in the size of the document: they run in the caller's process, whatever a server sends.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

MAX_ENTRIES = 2_000  # read at a time; the rest follows at the next fetch, since validators are then not kept
MAX_BYTES = 8_000_000  # of items read at a time, likewise
MAX_ITEM = 1_000_000  # bytes of one item; its longest fields are shortened
MAX_FIELD = 500_000  # bytes of a field of an item that is too long
MAX_CATEGORIES = 200  # of one item; feedparser is quadratic in them (8,000: 1.5 s)
MAX_ATTRIBUTES = 100  # of one tag; quadratic too (8,000: 0.8 s)
MAX_TAG = 4_000  # bytes; only longer tags are looked at for their attributes
MAX_AUTHOR = 1_000  # bytes; feedparser's e-mail pattern is quadratic (issue 562; 8 kB: 0.3 s)
MAX_RUN = 100  # "<" in a row; feedparser is slow on them (2 MB: 11 s)
HEAD = 65_536  # bytes in which the root element must begin

_BOMS = (
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xfe\xff", "utf-16"),
    (b"\xff\xfe", "utf-16"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_CONTROLS = bytes(set(range(32)) - {9, 10, 13})
_CONTROLS_WITHOUT_ESCAPE = bytes(set(_CONTROLS) - {27})
#: Character references that make int(), chr() or expat fail: too large, surrogates, control characters.
_CHARREF = re.compile(
    rb"&(?:amp;)?#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|5[5-7][0-9]{3}|[0-9]{7,})(?![0-9])"
    rb"|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[0-9a-fA-F]{6,})(?![0-9a-fA-F])"
    rb"|[xX]?0+(?![0-9a-fA-FxX]));?"
)
_ROOT = re.compile(rb"<((?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel))(?=[\s/>])[^<>]{0,20000}>", re.I)
_TOKEN = re.compile(rb"<!--|<!\[CDATA\[|<(/?)((?:[\w.-]{1,40}:)?)(?:item|entry)(?=[\s/>])[^<>]*>", re.I)
_PREFIX = re.compile(rb"xmlns:([\w.-]{1,40})\s*=\s*[\"']([^\"'<>]{1,100})[\"']", re.I)
#: Namespaces whose "item" and "entry" feedparser reads as entries.
_CORE = (b"purl.org/rss/1.0/", b"my.netscape.com/rdf/simple/0.9/", b"purl.org/atom/ns#", b"www.w3.org/2005/atom",
         b"backend.userland.com/rss", b"blogs.law.harvard.edu/tech/rss")  # fmt: skip
_LONG_TAG = re.compile(rb"<[^<>]{%d,}>?" % MAX_TAG)
_ATTRIBUTE = re.compile(rb"\s[^\s=<>\"']+\s*=")
_CATEGORY = re.compile(
    rb"<((?:\w+:)?(?:category|subject|keywords|tags))(?=[\s/>])[^<>]*(?:/>|>[^<]*(?:</\1\s*>)?)", re.I
)
_AUTHOR = re.compile(
    rb"<((?:\w+:)?(?:author|creator|contributor|managingEditor|webMaster|publisher|name|email))(?:\s[^<>]*)?>"
    rb"(?:<!\[CDATA\[)?[^<]{%d,}" % MAX_AUTHOR,
    re.I,
)
_RUN = re.compile(rb"<{%d,}" % MAX_RUN)
_FIELDS = re.compile(
    rb"<((?:\w+:)?(?:description|encoded|content|summary|body|title|guid|id|link))(?:\s[^<>]*)?>", re.I
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is safe to hand to feedparser, and what was learned on the way."""

    data: bytes  # ASCII-compatible, without seen items
    content_type: str | None
    hashes: tuple[str, ...]  # of the items left in `data`, in order
    seen: tuple[str, ...]  # of the items that were cut
    problem: str | None
    complete: bool


def item_hash(item: bytes) -> str:
    """What an item is remembered by: 128 bits of BLAKE2b (RFC 7693) over its bytes, less surrounding space."""
    return hashlib.blake2b(item, digest_size=16).hexdigest()


def prepare(body: bytes, content_type: str | None, seen: frozenset[str]) -> Prepared:
    """Take out of a feed document all that must not, or need not, reach feedparser. Never raises."""
    data, content_type = _ascii_compatible(body, content_type)
    data = _scrub(data, content_type)
    root = _ROOT.search(data, 0, HEAD)
    items, opened, clean = _items(data, root)
    problems = []
    complete = _ends(data, root, items[-1][1] if items else 0)
    if not complete:
        if items and opened is not None:
            data = data[:opened]  # half an entry: the next fetch brings it whole
        data += _closing(root, data)
        problems.append(f"the document ends in the middle, after {len(items)} whole entries")
    elif opened is not None:
        clean = False
    hashes = [item_hash(data[start:end]) for start, end in items]
    kept: list[str] = []
    cut: list[str] = []
    pieces: list[bytes] = []
    at = size = skipped = 0
    for (start, end), item in zip(items, hashes, strict=True) if clean else ():
        pieces.append(data[at:start])
        at = end
        if item in seen:
            cut.append(item)
        elif len(kept) >= MAX_ENTRIES or size >= MAX_BYTES:
            skipped += 1
        else:
            capped = _cap(data[start:end])
            pieces.append(capped)
            size += len(capped)
            kept.append(item)
    pieces.append(data[at:] if clean else _cap(data[at:]))
    if skipped:
        complete = False
        problems.append(f"{skipped} of {len(items)} entries are left for the next fetch")
    return Prepared(
        b"".join(pieces), content_type, tuple(kept), tuple(cut), "; ".join(problems) or None, complete
    )


def _ascii_compatible(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            try:
                text = body.decode(encoding)
            except UnicodeDecodeError:
                text = body.decode(encoding, "replace")
            return _DECLARATION.sub("", text).encode(errors="replace"), "application/xml; charset=utf-8"
    return body, content_type


def _scrub(data: bytes, content_type: str | None) -> bytes:
    escapes = b"iso-2022" in data[:200].lower() or "iso-2022" in (content_type or "").lower()
    data = data.translate(None, _CONTROLS_WITHOUT_ESCAPE if escapes else _CONTROLS)
    if b"&" in data:
        data = _CHARREF.sub(b"", data)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    data = data.lstrip()
    declaration = data.find(b"<?xml ", 0, HEAD)
    root = _ROOT.search(data, 0, HEAD)
    if root and 0 < declaration < root.start():
        return data[declaration:]
    if root and not data.startswith((b"<!", b"<?", b"<" + root[1])):
        return data[root.start() :]
    return data


def _items(data: bytes, root: re.Match[bytes] | None) -> tuple[list[tuple[int, int]], int | None, bool]:
    """Spans of the items, the start of one without end, and whether they stand cleanly one after the other."""
    prefixes = {b""}
    if root:
        bound = _PREFIX.findall(data, 0, root.end() + 2_000)
        prefixes |= {name + b":" for name, uri in bound if uri.lower().partition(b"://")[2].startswith(_CORE)}
    spans: list[tuple[int, int]] = []
    clean = True
    opened: int | None = None
    at = root.end() if root else 0
    no_comment = no_cdata = False
    while token := _TOKEN.search(data, at):
        at = token.end()
        if token[0] == b"<!--":
            end = -1 if no_comment else data.find(b"-->", at)
            no_comment = end < 0
            at = at if no_comment else end + 3
        elif token[0][:2] == b"<!":
            end = -1 if no_cdata else data.find(b"]]>", at)
            no_cdata = end < 0
            at = at if no_cdata else end + 3
        elif token[2] not in prefixes:
            continue
        elif token[1]:
            if opened is None:
                clean = False
            else:
                spans.append((opened, at))
                opened = None
        elif token[0].endswith(b"/>"):
            clean = clean and opened is None
            spans.append((token.start(), at))
        else:
            clean = clean and opened is None
            opened = token.start()
    return spans, opened, clean


def _ends(data: bytes, root: re.Match[bytes] | None, tail: int) -> bool:
    if root is None or root[0].endswith(b"/>"):
        return True
    return re.search(rb"</" + re.escape(root[1]) + rb"\s*>", data[tail:], re.I) is not None


def _closing(root: re.Match[bytes] | None, data: bytes) -> bytes:
    if root is None:
        return b""
    channel = root[1].lower() == b"rss" and b"<channel" in data and b"</channel" not in data
    return (b"</channel></" if channel else b"</") + root[1] + b">"


def _cap(piece: bytes) -> bytes:
    """Shorten what feedparser is slow on. Ordinary items pass unchanged."""
    if len(piece) < MAX_AUTHOR:
        return piece
    piece = _LONG_TAG.sub(_without_attributes, piece)
    piece = _AUTHOR.sub(lambda match: match[0][: MAX_AUTHOR // 2], piece)
    piece = _RUN.sub(b"", piece)
    if piece.count(b"<") > MAX_CATEGORIES:
        found = 0

        def few(match: re.Match[bytes]) -> bytes:
            nonlocal found
            found += 1
            return match[0] if found <= MAX_CATEGORIES else b""

        piece = _CATEGORY.sub(few, piece)
    return _short(piece) if len(piece) > MAX_ITEM else piece


def _without_attributes(tag: re.Match[bytes]) -> bytes:
    if len(_ATTRIBUTE.findall(tag[0])) <= MAX_ATTRIBUTES:
        return tag[0]
    name = re.match(rb"<[^\s/>]{0,100}", tag[0])
    return (name[0] if name else b"<x") + b">"


def _short(item: bytes) -> bytes:
    """An item without the end of its longest fields."""
    pieces: list[bytes] = []
    at = 0
    while match := _FIELDS.search(item, at):
        close = b"</" + match[1]
        end = item.find(close, match.end())
        pieces.append(item[at : match.end()])
        at = match.end()
        if end - at > MAX_FIELD:
            field = item[at : at + MAX_FIELD]
            pieces.append(field[: max(field.rfind(b">") + 1, field.rfind(b" "), field.rfind(b";") + 1)])
            if field.lstrip().startswith(b"<![CDATA["):
                pieces.append(b"]]>")
            at = end
    pieces.append(item[at:])
    return b"".join(pieces)
