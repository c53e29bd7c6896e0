"""Plain text and dates out of what feeds call a title, a summary or a date."""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from time import struct_time

MAX_CONTENT = 1_000_000  # characters
MAX_TITLE = 1_000  # characters; the longest headline in 400 public feeds has 330
MAX_SUMMARY = 5_000  # characters; enough for a blurb, and for telling two stories apart
MAX_DATE = 100  # characters of a date
MAX_NAME = 200  # characters of an author's or a tag's name
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # older than the web: an unset clock or an epoch of 0
LATEST = timedelta(days=2)  # ahead of now: time zones told wrongly reach one day, embargoes a little more

#: Elements whose text is not for reading.
_UNREAD = re.compile(r"<(script|style|template|noscript|iframe)\b[^>]{0,300}>.*?(?:</\1\s*>|\Z)", re.I | re.S)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^>]{0,100}>", re.S)
#: Names that make "<name ...>" a tag; anything else between angle brackets ("List<String>") is text.
_TAG = re.compile(
    r"</?(?:a|abbr|acronym|address|area|article|aside|audio|b|base|bdi|bdo|big|blink|blockquote|body|br|button|canvas"
    r"|caption|center|cite|code|col|colgroup|data|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption"
    r"|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|link"
    r"|main|map|mark|marquee|math|menu|meta|meter|nav|nobr|noscript|object|ol|optgroup|option|output|p|param|picture"
    r"|pre|progress|q|rp|rt|ruby|s|samp|script|section|select|slot|small|source|span|strike|strong|style|sub|summary"
    r"|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|var|video|wbr"
    r"|foreignobject|maction|mfrac|mglyph|mi|mn|mo|mrow|msub|msup|mtext|semantics)"  # of SVG and MathML
    r"(?=[\s/>])[^<>]*>|</?\w[\w:-]*\s[^<>=]*=[^<>]*>"
    r"|<\w[\w:-]*\s+[\w:-]+=[^<>]*\Z",  # the last one, which never ends
    re.I,
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|big|cite|code|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|tt|u|var|wbr)\b",
    re.I,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
#: C0 and C1 controls, soft hyphen, bidi controls and other invisible format characters, lone surrogates.
#: The zero-width joiners U+200C and U+200D stay: Persian and Indic spelling needs them.
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
#: Letters with their marks behind them, and Korean syllables in parts, that Unicode has in one piece, too.
_IN_PARTS = re.compile(
    "[A-Za-z\u00c0-\u04ff\u1e00-\u1fff][\u0300-\u036f]+|[\u1100-\u11ff]+|[\u3046-\u30fd][\u3099\u309a]"
)
#: All of a content is within an element that was escaped once too often.
_ESCAPED_TWICE = re.compile(
    r"\s*&lt;(p|div|span|article|section|ul|ol|h[1-6]|table|blockquote)\b.*&lt;/\1&gt;", re.S
)
#: A text in BBCode, as games' and forums' feeds have it; its tags; and what is no text of it.
_BBCODE = re.compile(r"\[/(b|i|u|h[1-6]|p|list|olist|url|quote)\]", re.I)
_BBTAG = re.compile(
    r"\[(/?)(b|i|u|h[1-6]|p|list|olist|\*|url|quote|code|hr|table|tr|th|td)(?:=\"?([^\[\]\"]{0,2000})\"?)?\]",
    re.I,
)
_BBMEDIA = re.compile(
    r"\[(img|video|previewyoutube|dynamiclink)\b[^\[\]]{0,500}\][^\[\]]{0,500}\[/\1\]", re.I
)
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}\Z")
#: Dates that feedparser misreads: it takes 2026/11/27 for the first of the month, 27-11-2025 for 2027, 2:30 PM for the
#: morning, and CEST for UTC.
_LOCAL = re.compile(
    r"\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{2}|\s*\d{4}[/.]\d|.*\d\s*[ap]\.?m\b"
    r"|.*:\d\d\s+(?!(?:UTC?|GMT|MES?T|[ACEMP][DS]?T)\s*$)[A-Z]{3,5}\s*$",
    re.I,
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)\s*$")


def plain(text: str | None, limit: int) -> str:
    """`text` (HTML or not) as one line of plain text of at most `limit` characters.

    Tags, comments and unread elements go, entities are decoded once, controls and bidi overrides are dropped.
    """
    if not text:
        return ""
    if len(text) > 8 * limit:  # markup is rarely more than half; this bounds the work
        text = text[: 8 * limit]
    if "<" in text:
        text = _UNREAD.sub(" ", text)
        text = _COMMENT.sub(" ", text)
        text = _TAG.sub(lambda tag: "" if _INLINE.match(tag[0]) else " ", text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    text = " ".join(without_controls(text).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def paragraphs(text: str) -> str:
    """A content without tags as HTML: its blank lines are all that parts the paragraphs of a plain text, and would be
    white space. One whose tags were escaped once too often has them; so has one in a forum's markup (BBCode)."""
    if "[/" in text and "</" not in text and _is_bbcode(text):
        return _BBTAG.sub(_bbtag, _BBMEDIA.sub(" ", text))
    if "<" in text:
        return text
    if _ESCAPED_TWICE.match(text):
        return html.unescape(text)
    if "\n" not in text.strip():
        return text
    parts = [part for part in _BLANK_LINE.split(text) if part.strip()]
    return text if len(parts) < 2 else "".join(f"<p>{part}</p>" for part in parts)


def _is_bbcode(text: str) -> bool:
    """Whether the first end of an element in BBCode has a beginning before it."""
    end = _BBCODE.search(text)
    return end is not None and re.search(rf"\[{end[1]}[\]=]", text[: end.start()], re.I) is not None


def _bbtag(tag: re.Match[str]) -> str:
    """A tag of BBCode as one of HTML."""
    end, name = tag[1], tag[2].lower()
    if name == "url":
        return "</a>" if end else f'<a href="{html.escape(tag[3] or "")}">'
    name = {"*": "li", "list": "ul", "olist": "ol", "quote": "blockquote", "code": "pre"}.get(name, name)
    return f"<{end}{name}>"


def without_controls(text: str) -> str:
    """`text` without control characters, escape sequences' beginnings, bidi overrides and halves of characters; line
    breaks and tabs stay. What is left can be stored, and shown in a terminal."""
    if (
        text.isprintable() or text.replace("\n", "").isprintable()
    ):  # most: neither is anything that _CONTROL finds
        return text
    return _CONTROL.sub("", text)


def storable(text: str) -> str:
    """`without_controls`, and letters in one piece with their marks, as nearly all write them (Unicode NFC): a search
    for 서울 did not find what an editor had stored in parts, nor was it recognised as the same text.

    Only they are composed: NFC also replaces characters by what they are variants of, with which names are spelt.
    """
    text = without_controls(text)
    if unicodedata.is_normalized("NFC", text):
        return text
    return _IN_PARTS.sub(lambda parts: unicodedata.normalize("NFC", parts[0]), text)


def language_tag(code: object) -> str | None:
    """A language tag (RFC 5646) in lower case; None if it cannot be one."""
    if not isinstance(code, str) or not _LANGUAGE.match(code.strip()):
        return None
    return code.strip().replace("_", "-").lower()


def moment(parsed: struct_time | None, written: str | None, now: datetime) -> datetime | None:
    """The date as an aware datetime with the offset it was written with; None if missing or absurd.

    `parsed`: what feedparser made of it (UTC); `written`: the text itself.
    """
    if parsed is None:
        return None
    try:
        date = datetime(*parsed[:5], min(parsed[5], 59), tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None
    return _with_offset(sane(date, now), written)


def is_local(written: str) -> bool:
    """Whether a date is in a form that people write, and feedparser takes for another date."""
    return _LOCAL.match(written[:MAX_DATE]) is not None


def iso_moment(written: object, now: datetime) -> datetime | None:
    """RFC 3339 (JSON Feed) to an aware datetime; None if missing, unreadable or absurd."""
    if not isinstance(written, str):
        return None
    try:
        date = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    return sane(date if date.tzinfo else date.replace(tzinfo=UTC), now)


def sane(date: datetime, now: datetime) -> datetime | None:
    """`date`, or None outside of 1990 .. two days from now: such a date says nothing about the story."""
    try:
        return date if EARLIEST <= date <= now + LATEST else None
    except OverflowError:
        return None


def _with_offset(date: datetime | None, written: str | None) -> datetime | None:
    match = _OFFSET.search(written[-12:]) if date and written and ":" in written else None
    if not date or not match:
        return date
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    return date.astimezone(timezone(offset)) if abs(offset) <= timedelta(hours=14) else date
