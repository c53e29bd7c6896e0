"""Bytes to fewer bytes: out goes what makes feedparser raise, stall or swell, and what was seen already.

    body | repair its encoding | scrub | find the items | cut the seen ones | cap the others -> Prepared

Every step is linear in the size of the document, whatever a server sends: at worst 0.3 s per MB.
Known and not handled: EBCDIC documents pass as they are.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import re
from dataclasses import dataclass

# What feedparser is slow on, with what it takes for it here.
MAX_CATEGORIES = 200  # of one item; quadratic: 1.5 s for 8,000
MAX_ATTRIBUTES = 100  # of one tag; quadratic: 0.8 s for 8,000
MAX_TAG = 4_000  # bytes; only longer tags are looked at for their attributes
MAX_NAMES = 1_000  # bytes; quadratic in e-mail addresses (feedparser's issue 562: 0.3 s for 8 kB) and tags
MAX_TAGS = 5_000  # in an item, outside of CDATA: 1.6 s for 0.7 MB of nested ones
MAX_FIELD = 500_000  # bytes of a field that keeps its markup; a longer one is cut there and becomes words
MAX_PROLOG = 2_000  # bytes before the root element that are left as they are
MAX_ENTITIES = 300  # declared ones; HTML has 253

HEAD = 65_536  # bytes in which the root element must begin
#: Good characters outside of ASCII for each bad one, from which a document is UTF-8 with accidents.
WORTH_REPAIR = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a document is read at a time. What is over is left for the next fetch."""

    entries: int
    size: int  # bytes of items
    field: int  # bytes


#: feedparser takes 0.35 to 1 ms per entry: at most a second.
NORMAL = Limits(1_000, 4_000_000, MAX_FIELD)
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


_EBCDIC = b"\x4c\x6f\xa7\x94"  # "<?xm"
#: How UTF-16 and UTF-32 begin, with a byte order mark and without (XML 1.0, appendix F).
_WIDE = (
    (re.compile(rb"\x00\x00\xfe\xff|\xff\xfe\x00\x00"), "utf-32"),
    (re.compile(rb"\xfe\xff\x00[^\x00]|\xff\xfe[^\x00]\x00"), "utf-16"),
    (re.compile(rb"\x00\x00\x00<"), "utf-32-be"),
    (re.compile(rb"<\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00<\x00[^\x00]"), "utf-16-be"),
    (re.compile(rb"<\x00[^\x00]\x00"), "utf-16-le"),
)
_UTF_8 = "application/xml; charset=utf-8"
_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,100}\sencoding\s*=\s*[\"']([^\"'<>]*)")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_SPACES = bytes.maketrans(b"\v\f", b"  ")  # word processors break lines with them
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r"))
_CONTROLS_BUT_ESCAPE = bytes(set(_CONTROLS) - {27})
#: Character references that int(), chr() or expat fail on: control characters, surrogates, too large.
_CHARREF = re.compile(
    rb"&(?:amp;)?#(?:0*+(?:[1-8]|1[124-9]|2[0-9]|3[01]|5[5-7][0-9]{3}|[0-9]{7,}|)(?![0-9xX])"
    rb"|[xX]0*+(?:[1-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[0-9a-fA-F]{6,}|)(?![0-9a-fA-F]));?"
)
_ELEMENT = re.compile(rb"<\w")
_BLANKS = re.compile(rb"\s{2,}")
_ENTITY = re.compile(rb"<!ENTITY[^<>]*>")
#: An entity that stands for a few characters, as HTML's do: not for other entities, not for a file.
_SAFE_ENTITY = re.compile(
    rb"<!ENTITY\s+\w+\s+(?:\"(?:&#\w{1,8};|[^&\"]{0,200})\"|'(?:&#\w{1,8};|[^&']{0,200})')\s*>"
)
_ROOT = re.compile(rb"<((?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel))(?=[\s/>])[^<>]*>", re.I)
_TOKEN = re.compile(rb"<!--|<!\[CDATA\[|<(/?)((?:[\w.-]{1,40}:)?)(?:item|entry)(?=[\s/>])[^<>]*>", re.I)
_ITEM = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:item|entry)[\s/>]", re.I)
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
_LONG_TAG = re.compile(rb"<[^<>]{%d,}>?" % MAX_TAG)
_ATTRIBUTE = re.compile(rb"\s[^\s=<>\"']+\s*=")
_CATEGORY = re.compile(
    rb"<((?:\w+:)?(?:category|subject|keywords|tags))(?=[\s/>])[^<>]*"
    rb"(?:/>|>(?:[^<]*|\s*<!\[CDATA\[[^\]<]*\]\]>\s*)</\1\s*>)",
    re.I,
)
_NAMES = re.compile(
    rb"(<(?:\w+:)?(?:author|contributor|creator|email|managingEditor|name|publisher|tags|webMaster)(?:\s[^<>]*)?>)"
    rb"(\s*<!\[CDATA\[)?[^<]{%d,}" % MAX_NAMES,
    re.I,
)
_FIELD = re.compile(
    rb"<((?:\w+:)?(?:body|content|description|encoded|guid|id|link|summary|title))(?:\s[^<>]*)?>", re.I
)
_MARKUP = re.compile(rb"<!\[CDATA\[|\]\]>|<[^<>]*>|<+")
#: What a cut may leave at the end: half an entity, half a UTF-8 character.
_HALF = re.compile(rb"(?:&[#\w]{0,32}|[\xc0-\xff][\x80-\xbf]{0,3})$")


def item_hash(item: bytes) -> str:
    """What an item is remembered by: 128 bits of BLAKE2b (RFC 7693) of its bytes."""
    return hashlib.blake2b(item, digest_size=16).hexdigest()


def prepare(body: bytes, content_type: str | None, seen: frozenset[str], limits: Limits = NORMAL) -> Prepared:
    """Take out of a feed document all that must not, or need not, reach feedparser. Never raises."""
    data, content_type = _repaired(body, content_type)
    if not data.startswith(_EBCDIC):
        data = _scrub(data, content_type)
    root = _ROOT.search(data, 0, HEAD)
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
        pieces.append(_cap(data[at:start], limits))
        item, at = data[start:end], end
        known = item_hash(item)
        if known in seen:
            cut.append(known)
        elif len(hashes) >= limits.entries or size >= limits.size:
            left += 1
        else:
            item = _cap(item, limits)
            pieces.append(item)
            size += len(item)
            hashes.append(known)
    pieces.append(_cap(data[at:], limits))
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


def _repaired(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """UTF-16 and UTF-32 as UTF-8, since the steps after this one need ASCII to be ASCII; and UTF-8 with a few bad
    bytes without them: feedparser would read the whole document as Windows-1252."""
    for beginning, encoding in _WIDE:
        if beginning.match(body):
            text = _DECLARATION.sub("", body.decode(encoding, "replace"))
            return text.encode(errors="replace"), _UTF_8
    declared = _ENCODING.match(body[:200])
    if body.isascii() or (declared and declared[1].lower() not in (b"utf-8", b"utf8")):
        return body, content_type
    text = body.decode(errors="replace")
    bad = text.count("\ufffd")
    if not bad:
        return body, _UTF_8
    good = sum(map(len, _NOT_ASCII.findall(text))) - bad
    return (text.encode(), _UTF_8) if good > WORTH_REPAIR * bad else (body, content_type)


def _scrub(data: bytes, content_type: str | None) -> bytes:
    """Without control characters, references that expand or fail, and what stands before the document."""
    escapes = b"iso-2022" in data[:200].lower() or "iso-2022" in (content_type or "").lower()
    data = data.translate(_SPACES, _CONTROLS_BUT_ESCAPE if escapes else _CONTROLS)
    if b"&" in data:
        data = _CHARREF.sub(b" ", data)
    if b"<!ENTITY" in data:
        safe = itertools.count()
        data = _ENTITY.sub(
            lambda one: one[0] if _SAFE_ENTITY.match(one[0]) and next(safe) < MAX_ENTITIES else b"", data
        )
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if (
        first := _ELEMENT.search(data)
    ) and first.start() > MAX_PROLOG:  # feedparser is quadratic in blank lines
        data = _BLANKS.sub(b"\n", data[: first.start()]) + data[first.start() :]
    root = _ROOT.search(data, 0, HEAD)
    if root is None or _ITEM.search(data, 0, root.start()):
        return data
    declaration = data.find(b"<?xml ", 0, root.start())
    if declaration >= 0 and data.count(b"<!--", 0, declaration) == data.count(b"-->", 0, declaration):
        return data[declaration:]
    return data if data.startswith((b"<!", b"<?")) else data[root.start() :]


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


def _cap(piece: bytes, limits: Limits) -> bytes:
    """Shorten what feedparser is slow on. An ordinary item passes unchanged."""
    if len(piece) < MAX_NAMES:
        return piece
    piece = _LONG_TAG.sub(_few_attributes, piece)
    piece = _NAMES.sub(_short_names, piece)
    tags = piece.count(b"<")
    if tags > MAX_CATEGORIES:
        excess = iter(_CATEGORY.finditer(piece))
        kept = [match.end() for match, _ in zip(excess, range(MAX_CATEGORIES), strict=False)]
        if len(kept) == MAX_CATEGORIES:
            piece = piece[: kept[-1]] + _CATEGORY.sub(b"", piece[kept[-1] :])
    if tags > MAX_TAGS or len(piece) > limits.field:
        piece = _short_fields(piece, limits.field)
    return piece


def _few_attributes(tag: re.Match[bytes]) -> bytes:
    if len(_ATTRIBUTE.findall(tag[0])) <= MAX_ATTRIBUTES:
        return tag[0]
    name = re.match(rb"<[^\s/>]{1,100}", tag[0])
    return (name[0] if name else b"") + (b">" if tag[0].endswith(b">") else b"")


def _short_names(match: re.Match[bytes]) -> bytes:
    return match[0][: MAX_NAMES // 2] + (b"]]>" if match[2] else b"")


def _short_fields(piece: bytes, limit: int) -> bytes:
    """Fields that are longer than `limit`, or full of tags, as words alone, cut at `limit`."""
    pieces: list[bytes] = []
    missing: set[bytes] = set()
    at = 0
    while match := _FIELD.search(piece, at):
        pieces.append(piece[at : match.end()])
        at = match.end()
        if match[1] in missing:
            continue
        end = piece.find(b"</" + match[1], at)
        if end < 0:
            missing.add(match[1])
            continue
        field, at = piece[at:end], end
        literal = field.lstrip().startswith(b"<![CDATA[")
        if len(field) > limit or (field.count(b"<") > MAX_TAGS and not literal):
            field = _HALF.sub(b"", _MARKUP.sub(b" ", field[:limit]))
            field = html.escape(field.decode("latin-1"), quote=False).encode("latin-1") if literal else field
        pieces.append(field)
    pieces.append(piece[at:])
    return b"".join(pieces)
