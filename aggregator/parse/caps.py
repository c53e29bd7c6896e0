"""Items without what feedparser is slow on. An ordinary item passes unchanged."""

from __future__ import annotations

import html
import re

# With what feedparser takes for it here.
MAX_CATEGORIES = 200  # of one item; quadratic: 1.5 s for 8,000
MAX_ATTRIBUTES = 100  # of one tag; quadratic: 0.8 s for 8,000
MAX_TAG = 4_000  # bytes; only longer tags are looked at for their attributes
MAX_NAMES = 1_000  # bytes; quadratic in e-mail addresses (feedparser's issue 562: 0.3 s for 8 kB) and tags
MAX_TAGS = 5_000  # in an item, outside of CDATA: 1.6 s for 0.7 MB of nested ones

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


def cap(piece: bytes, longest: int) -> bytes:
    """An item, or what stands between two: its fields up to `longest` bytes, few tags, categories, attributes."""
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
    if tags > MAX_TAGS or len(piece) > longest:
        piece = _short_fields(piece, longest)
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
