"""A document as feedparser can read it: its encoding repaired, and without what makes it raise or expand."""

from __future__ import annotations

import itertools
import re

HEAD = 65_536  # bytes in which the root element must begin
MAX_PROLOG = 2_000  # bytes before the root element that are left as they are
MAX_ENTITIES = 300  # declared ones; HTML has 253
#: Good characters outside of ASCII for each bad one, from which a document is UTF-8 with accidents.
WORTH_REPAIR = 4

_EBCDIC = b"\x4c\x6f\xa7\x94"  # "<?xm"
#: How UTF-16 and UTF-32 begin, with a byte order mark and without (XML 1.0, appendix F).
_WIDE = (
    (re.compile(rb"\x00\x00\xfe\xff|\xff\xfe\x00\x00"), "utf-32"),
    (re.compile(rb"\xfe\xff\x00[^\x00]|\xff\xfe[^\x00]\x00"), "utf-16"),
    (re.compile(rb"\x00\x00\x00<"), "utf-32-be"),
    (re.compile(rb"<\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"(?:\x00[\t\n\r ]){0,99}\x00<\x00[^\x00]"), "utf-16-be"),
    (re.compile(rb"(?:[\t\n\r ]\x00){0,99}<\x00[^\x00]\x00"), "utf-16-le"),
)
_UTF_8 = "application/xml; charset=utf-8"
_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,100}\sencoding\s*=\s*[\"']([^\"'<>]*)")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
#: Encodings that a document whose first "<" is one byte cannot be in: ".NET" writes "utf-16" over UTF-8.
_NOT_NARROW = re.compile(
    rb"([\s;](?:encoding|charset)\s*=\s*[\"']?)(?:utf-?(?:16|32)|ucs-?[24]|unicode)[\w-]*", re.I
)
_SPACES = bytes.maketrans(b"\v\f", b"  ")  # word processors break lines with them
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r"))
_CONTROLS_BUT_ESCAPE = bytes(set(_CONTROLS) - {27})
#: Character references that int(), chr() or expat fail on: control characters, surrogates, too large.
_CHARREF = re.compile(
    rb"&(?:amp;)?#(?:0*+(?:[1-8]|1[124-9]|2[0-9]|3[01]|5[5-7][0-9]{3}|[0-9]{7,}|)(?![0-9xX])"
    rb"|[xX]0*+(?:[1-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[0-9a-fA-F]{6,}|)(?![0-9a-fA-F]));?"
)
#: A namespace's name with a blank in it, or what may be one in some encoding: expat's driver splits names at blanks,
#: and feedparser then raises.
_BLANK_NAME = re.compile(
    rb"(xmlns(?::[\w.-]{1,40})?\s*=\s*[\"']\s*[!#-&(-;=?-~]{1,300})[^!-~<>\"'][^<>\"']{0,300}"
)
_ELEMENT = re.compile(rb"<\w")
_BLANKS = re.compile(rb"\s{2,}")
_ENTITY = re.compile(rb"<!ENTITY[^<>]*>")
#: An entity that stands for a few characters, as HTML's do: not for other entities, not for a file.
_SAFE_ENTITY = re.compile(
    rb"<!ENTITY\s+\w+\s+(?:\"(?:&#\w{1,8};|[^&\"]{0,200})\"|'(?:&#\w{1,8};|[^&']{0,200})')\s*>"
)
#: A search form, which nobody shows, and over which feedparser stumbles within an item.
_FORM = re.compile(rb"<((?:[\w.-]{1,40}:)?textinput)\b[^<>]*(?:/>|(?<!/)>.{0,5000}?</\1\s*>)", re.I | re.S)
_FORM_TAG = re.compile(rb"</?(?:[\w.-]{1,40}:)?textinput\b[^<>]*>", re.I)
ROOT = re.compile(rb"<((?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel))(?=[\s/>])[^<>]*>", re.I)
_ITEM = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:item|entry)[\s/>]", re.I)


def scrub(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """The document in an encoding in which ASCII is ASCII, scrubbed, and what to call its content type now.

    Known and not handled: EBCDIC passes as it is.
    """
    if body.startswith(_EBCDIC):
        return body, content_type
    data, content_type = _repaired(body, content_type)
    escapes = b"iso-2022" in data[:200].lower() or "iso-2022" in (content_type or "").lower()
    data = data.translate(_SPACES, _CONTROLS_BUT_ESCAPE if escapes else _CONTROLS)
    if b"&" in data:
        data = _CHARREF.sub(b" ", data)
    data = _BLANK_NAME.sub(rb"\1", data)
    if b"<!ENTITY" in data:
        data = _without_entities(data)
    if b"textinput" in data.lower():  # a channel has one; of thousands, to look for each one's end takes long
        for tag in itertools.islice(_FORM_TAG.finditer(data), 10):
            if form := _FORM.match(data, tag.start()):
                data = data.replace(form[0], b" " * len(form[0]))
        data = _FORM_TAG.sub(b"", data)
    return _from_the_start(data), content_type


def _repaired(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """UTF-16 and UTF-32 as UTF-8, since the steps after this one need ASCII to be ASCII; and UTF-8 with a few bad
    bytes without them: feedparser would read the whole document as Windows-1252."""
    for beginning, encoding in _WIDE:
        if beginning.match(body):
            text = _DECLARATION.sub("", body.decode(encoding, "replace"))
            return text.encode(errors="replace"), _UTF_8
    if b"<" in body[:1_000]:
        body = _NOT_NARROW.sub(rb"\1utf-8", body[:200]) + body[200:]
        content_type = content_type and _NOT_NARROW.sub(
            b"", content_type.encode("latin-1", "replace")
        ).decode("latin-1")
    declared = _ENCODING.match(body[:200])
    if body.isascii() or (declared and declared[1].lower() not in (b"utf-8", b"utf8")):
        return body, content_type
    text = body.decode(errors="replace")
    bad = text.count("\ufffd")
    if not bad:
        return body, _UTF_8
    good = sum(map(len, _NOT_ASCII.findall(text))) - bad
    return (text.encode(), _UTF_8) if good > WORTH_REPAIR * bad else (body, content_type)


def _without_entities(data: bytes) -> bytes:
    """Without declarations of entities that stand for others, for a file, or for much."""
    safe = itertools.count()
    return _ENTITY.sub(
        lambda one: one[0] if _SAFE_ENTITY.match(one[0]) and next(safe) < MAX_ENTITIES else b"", data
    )


def _from_the_start(data: bytes) -> bytes:
    """Without what stands before the document."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    first = _ELEMENT.search(data)
    if first and first.start() > MAX_PROLOG:  # feedparser is quadratic in blank lines there
        data = _BLANKS.sub(b"\n", data[: first.start()]) + data[first.start() :]
    root = ROOT.search(data, 0, HEAD)
    if root is None or _ITEM.search(data, 0, root.start()):
        return data
    declaration = data.find(b"<?xml ", 0, root.start())
    if declaration >= 0 and data.count(b"<!--", 0, declaration) == data.count(b"-->", 0, declaration):
        return data[declaration:]
    return data if data.startswith((b"<!", b"<?")) else data[root.start() :]
