"""Bytes of a page to text: byte order mark, then the HTTP header, then `<meta charset>`, then a guess.

The order is that of the WHATWG encoding standard; labels are read the way browsers read them (ISO-8859-1
is windows-1252, GB2312 is GB 18030). A declared encoding that cannot be right loses: a page that says
Latin-1, or GBK, and is valid UTF-8 with multi-byte characters is UTF-8.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

from bs4.dammit import EncodingDetector

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

#: Labels that browsers read as a larger encoding than the label says.
_BROWSER = {
    "ascii": "cp1252", "big5": "big5hkscs", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030",
    "iso8859-1": "cp1252", "iso8859-11": "cp874", "iso8859-9": "cp1254", "johab": "cp949", "shift_jis": "cp932",
    "utf-16": "utf-8", "utf-16-be": "utf-8", "utf-16-le": "utf-8", "utf-7": "utf-8",
}  # fmt: skip
#: Codec -> the commonest letters beyond ASCII of what is written in it. In the right codec they are a fifth to nine
#: tenths of the text beyond ASCII, in a wrong one a few hundredths. Of two alike the first counts.
_COMMON = {
    "cp1252": "éèàüöäßñçêíóáúãõâîôëåæø‘’“”–…«»\u00a0",
    "cp932": "のにはをたがでとしていれなるさっりまもかあこ、。ンスルト",
    "euc_jp": "のにはをたがでとしていれなるさっりまもかあこ、。ンスルト",
    "cp949": "이다는을의에가한고지사기로도하대서인어자를리아정시은",
    "gb18030": "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年，。",
    "big5hkscs": "的一是不了在人有我他這中大來上國個到說們為子和你地出道也時年，。",
    "cp1251": "оеаинтсрвлкмдпуяыьгзбчйхж",
    "koi8_r": "оеаинтсрвлкмдпуяыьгзбчйхж",
    "cp1253": "αειοτνσςρκηυπλμόίάέύήώ",
}
#: The same for Latin alphabets, in which letters beyond ASCII stand alone.
_LATIN = {
    "cp1254": "çğıöşüİŞÇÖÜâîé‘’“”–…«»\u00a0",  # before cp1252, which has Icelandic letters in the places of its own
    "cp1252": _COMMON["cp1252"] + "¿¡ÉÀÜÖÄÇÓðþý",
    "cp1250": "ąćęłńóśźżŚŁŻáčďéěíňřšťúůýžŠČŽŘőűöüäăâîţşŢŞ‘’“”„–…«»\u00a0",
    "iso8859_2": "ąćęłńóśźżŚŁŻáčďéěíňřšťúůýžŠČŽŘőűöüäăâîţşŢŞ\u00a0",
}
_BEYOND = re.compile(
    rb"[\x80-\x84\x86-\x90\x98-\x9f\xa1-\xb6\xb8-\xff]+"
)  # without dots, quotes, hard spaces
LATIN_RUN = (
    1.5  # bytes beyond ASCII in a row, below which it is a Latin alphabet: Cyrillic has 5, Shift_JIS 3
)
#: Bytes that continue a character: with so many of them, what is valid UTF-8 is nothing else. Of the common Chinese
#: characters in GB 18030 one in seven is, of rows of eight of them one in ten million.
NO_CHANCE = 16
_SAMPLE = 50_000  # bytes of a page from which its encoding is guessed
_SINGLE_BYTE = re.compile(r"^(?:cp125\d|iso8859)")
_META_BYTES = 4096  # the standard asks for 1024; real pages put scripts before their <meta charset>


def decode(page: bytes, charset: str | None = None) -> str:
    """`page` as text; `charset` is the HTTP header's. Never raises: what cannot be decoded becomes U+FFFD."""
    for bom, name in _BOMS:
        if page.startswith(bom):
            return page[len(bom) :].decode(name, "replace")
    declared = _codec(charset) or _codec(
        EncodingDetector.find_declared_encoding(page[:_META_BYTES], is_html=True)
    )
    doubtful = declared is None or _SINGLE_BYTE.match(declared) is not None
    try:
        text = page.decode("utf-8")
        if doubtful or len(page) - len(text) >= NO_CHANCE:
            return text
    except UnicodeDecodeError as error:
        if doubtful and error.reason == "unexpected end of data":  # cut in the middle of the last character
            return page.decode("utf-8", "replace")
    if declared is None:
        declared = _guess(page[:_SAMPLE])
    text = page.decode(declared, "replace")
    # A page that says UTF-8 and is not: one lost character in a thousand is damage, more is another encoding.
    if declared == "utf-8" and text.count("\ufffd") * 1000 > len(text):
        return page.decode(_guess(page[:_SAMPLE]), "replace")
    return text


def _guess(page: bytes) -> str:
    """The codec in which most of what is not ASCII becomes common letters of one language, and least becomes signs."""
    runs = _BEYOND.findall(page)
    is_latin = sum(map(len, runs)) < LATIN_RUN * len(runs)
    best, most = "cp1252", 0.0
    for codec, common in (_LATIN if is_latin else _COMMON).items():
        beyond = [character for character in page.decode(codec, "replace") if character > "\x7f"]
        signs = sum(unicodedata.category(character)[0] in "CMNS" for character in beyond)
        score = (sum(map(common.__contains__, beyond)) - signs) / max(len(beyond), 1)
        if score > most:
            best, most = codec, score
    return best


def _codec(label: str | None) -> str | None:
    """The Python codec for a label as browsers understand it, None if there is none."""
    if not label:
        return None
    try:
        name = codecs.lookup(label.strip().strip("\"'").lower()).name
        "".encode(name)  # "rot13", "hex" and the like are codecs too, but not of text
        b"\x80".decode(name, "replace")  # "idna" and "punycode" raise whatever they are asked
    except (LookupError, ValueError, TypeError, UnicodeError):
        return None
    return _BROWSER.get(name, name)
