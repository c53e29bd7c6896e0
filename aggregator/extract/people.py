"""Who wrote it? Names from JSON-LD, meta elements, marked-up bylines and the feed; people and organisations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from .. import furniture
from ..model import Entry
from . import dates, labels
from . import evidence as ev
from .evidence import Evidence

MAX_NAME = 60  # characters; longer "names" are sentences
MAX_AUTHORS = 12
AGENCY_WORDS = 3  # of an agency's name behind "By"
DESK_WORDS = 4  # of "The Harbour Herald Staff"
_DESKS = frozenset(("desk", "editors", "redaktion", "staff", "team"))
#: "Meet our team" leads to a page about them.
_NO_DESK = frozenset(("about", "contact", "for", "join", "meet", "my", "our", "your"))

_WORDS = "|".join(
    sorted({re.escape(said) for line in furniture.BYLINES.values() for said in line}, key=len, reverse=True)
)
#: Before the names. "ByAnn Lee", too, which only the page's style parts; not "DeVito".
_BY = re.compile(rf"^\s*(?:{_WORDS})(?:\s*[:：]\s*|\s+|(?-i:(?<=[Bb]y)(?=[A-Z][a-z])))", re.I)
#: Behind a date or a time of day ("3 May 2026, 14:05 by Ann Lee"), or with a colon ("来源：新华社 作者：王小明").
_BY_LATER = re.compile(
    rf"(?:\d{{4}}|\d{{1,2}}[:.h]\d{{2}})(?:\s?(?:uhr|[ap]\.?m\.?))?[^\w'’]+(?:{_WORDS})(?:\s*[:：]\s*|\s+)"
    rf"|(?<!\S)(?:{_WORDS})\s*[:：]\s*",
    re.I,
)
_AND = re.compile(
    r"\s*(?:[,،;|/•·&]|\band\b|\bund\b|\bet\b|\by\b|\be\b|\ben\b|\boch\b|\bog\b|\bi\b(?=\s[A-Z])|\bwith\b|\bmit\b|、|，)\s*"
)
_NOISE = re.compile(
    r"\bupdated\b|\bpublished\b|\d{2}[:.]\d{2}|\b(?:19|20)\d{2}\b|://|www\.|@|<|>|^[\w-]+(?:\.[\w-]+){2,}$",
    re.I,
)
#: Where in a byline the names are over: at a date, at "Updated".
_REST = re.compile(
    rf"\s*[|•·–—]\s*(?=[^|•·–—]*(?:\d|{labels.UPDATED.pattern}|{labels.PUBLISHED.pattern}))|\s*(?=\d)"
    rf"|\s+(?=\w*(?:{labels.UPDATED.pattern}|{labels.PUBLISHED.pattern}))",
    re.I,
)
#: What leads from the names to the date: "by Ann Lee on 3 May".
_CONNECTIVES = frozenset(
    ["a", "am", "at", "d", "den", "e", "el", "em", "il", "la", "le", "on", "op", "pe", "w", "à", "στις"]
)
_PARENTHESIS = re.compile(r"\s{0,9}[(\[][^()\[\]]{0,200}[)\]]")
_ROLE = re.compile(
    r"\s*(?:,|\||–|—| - )\s*(?:[\w\s-]*\b(?:correspondent|reporter|editor|writer|journalist|columnist|contributor|"
    r"producer|analyst|redakteur(?:in)?|staff|news|bureau chief)\b).*$",
    re.I,
)
_DESK = re.compile(r"\s+(?:[Ii]n|for|at|from|für|aus|em|desde)(?:\s+.*)?$")
_TITLES = re.compile(
    r"^(?:文\s?[・=＝/／]\s?|記者\s?|记者\s?|責任編輯|责任编辑)|\s?(?:기자|특파원|記者|记者|特派員)$"
)
#: A Korean name before "reporter"; what ends in 부 is a desk ("economy desk").
_REPORTER = re.compile(r"(?<![가-힣])([가-힣]{2}(?!부)[가-힣])\s?(?:기자|특파원)(?![가-힣])")
#: Where who wrote it was: "Ann Lee in New York".
_HERE = re.compile(
    r"^([^\W\d_a-z]\S*(?: \S+){0,2} [^\W\d_a-z]\S*) in (?:[A-Z][\w'’.-]*)(?: [A-Z][\w'’.-]*){0,2}$"
)
_JOBS = frozenset(
    [
        "analyst",
        "columnist",
        "contributor",
        "correspondent",
        "editor",
        "journalist",
        "producer",
        "redakteur",
        "redakteurin",
        "reporter",
        "staff",
        "writer",
    ]
)
_EASTERN = re.compile(
    r"[\u3400-\u9fff\uac00-\ud7a3]{2,5}|[\u3400-\u9fff]{1,3}\s[\u3040-\u30ff\u3400-\u9fff]{1,3}"
)
_NAME_WORD = re.compile(
    rf"^[^\W\d_a-z](?:[^\W\d_]|[{dates.MARKS}])*\.?(?:['’-](?:[^\W\d_]|[{dates.MARKS}])+)*\.?,?$"
)
_PARTICLES = frozenset(
    [
        "al",
        "bin",
        "da",
        "de",
        "del",
        "della",
        "den",
        "der",
        "di",
        "do",
        "dos",
        "du",
        "el",
        "la",
        "le",
        "ten",
        "ter",
        "van",
        "von",
        "y",
        "zu",
    ]
)
_NOT_NAMES = frozenset(
    [
        "about",
        "article",
        "articles",
        "author",
        "blog",
        "by",
        "category",
        "comments",
        "contact",
        "editor",
        "email",
        "facebook",
        "follow",
        "home",
        "news",
        "newsletter",
        "posted",
        "published",
        "read",
        "share",
        "staff",
        "subscribe",
        "team",
        "twitter",
        "updated",
        "view",
        "written",
        "years",
        "ago",
        "min",
        "minutes",
        "the",
        "and",
        "of",
        "in",
        "on",
        "for",
    ]
)
_GENERIC = frozenset(
    [
        "admin",
        "administrator",
        "anonymous",
        "author",
        "editor",
        "guest",
        "null",
        "none",
        "unknown",
        "undefined",
        "user",
        "webmaster",
        "root",
    ]
)


def clean(name: str) -> str:
    """One name without "By", e-mail, role and brackets; '' if what is left is no name."""
    name = " ".join(name.split()).strip(" ,;:|-–—·•*")
    name = _BY.sub("", name)
    return _clean(name)


def _clean(name: str) -> str:
    name = _PARENTHESIS.sub("", name).strip(" ,;:|-–—·•*")
    name = _ROLE.sub("", name)
    if not 1 < len(name) <= MAX_NAME or _NOISE.search(name) or name.casefold() in _GENERIC or name.isdigit():
        return ""
    if name.isupper() and " " in name:
        name = name.title()
    return name


def says_by(text: str) -> bool:
    """Whether a line says "By": "By Ann Lee", "Von Ann Lee", "3 May 2026 by Ann Lee"."""
    return signed(text) is not None


def signed(text: str) -> tuple[str, str] | None:
    """What stands before and behind the "By" of a line, if it says so."""
    match = _BY.match(text) or _BY_LATER.search(text)
    return (text[: match.start()] + match[0].rstrip(), text[match.end() :]) if match else None


def is_name(name: str) -> bool:
    """Whether this looks like a person's name: two to five words with capitals ("Ludwig van Beethoven")."""
    words = name.split()
    return _EASTERN.fullmatch(name) is not None or (
        1 < len(words) <= 5
        and all((_NAME_WORD.match(word) and not word[0].islower()) or word in _PARTICLES for word in words)
        and not any(word.casefold() in _NOT_NAMES for word in words)
    )


def is_desk(name: str) -> bool:
    """Whether this names people together: "Harbour Herald Staff", "The Compass Team"."""
    words = name.split()
    return (
        1 < len(words) <= DESK_WORDS
        and words[-1].casefold() in _DESKS
        and all(word[0].isupper() for word in words[1:-1])
        and words[0].casefold() not in _NO_DESK
    )


def split(text: str) -> list[str]:
    """The names of a byline such as "By Ann Lee, Bob Ray and Cy Fox"."""
    text = _BY.sub("", _PARENTHESIS.sub(" ", " ".join(text.split())))
    if len(text) > 4 * MAX_NAME or _NOISE.search(text.split(" ")[0]):
        return []
    return [name for name in (_clean(part) for part in _AND.split(text)) if name]


def named(text: str) -> list[str]:
    """What looks like people's names in a line of names, without "기자" (reporter) and the like."""
    return [name for name in (_TITLES.sub("", name) for name in split(text)) if is_name(name)]


def reporters(text: str) -> list[str]:
    """Names that stand before "reporter": 김민수 기자."""
    return _REPORTER.findall(text)


def of_line(text: str) -> list[str]:
    """The people, or the agency, named in a line with "By", which may say more: "By Ann Lee in Halyard"."""
    said = before_date((signed(text) or ("", text))[1])
    names = max(named(said), named(_DESK.sub("", said)), key=len)
    if not names and len(said.split()) <= AGENCY_WORDS and all(map(_NAME_WORD.match, said.split())):
        names = split(said)
    if not names and is_desk(said):
        names = [said]
    return [name for name in names if name.rpartition(" ")[2].casefold() not in _JOBS] or names


def before_date(said: str) -> str:
    """The names that a byline begins with: "Ann Lee on Sunday, May 3, 2026" is about Ann Lee."""
    names = _REST.split(said, maxsplit=1)[0]
    words = names.strip(" ,،;:|-–—·•").split()
    while words and names != said and (words[-1] in _CONNECTIVES or dates.is_of_date(words[-1])):
        words.pop()
    return " ".join(words)


def _names(value: Any, evidence: Evidence) -> Iterable[str]:
    if isinstance(value, list):
        for item in value[:MAX_AUTHORS]:
            yield from _names(item, evidence)
    elif isinstance(value, dict):
        name = value.get("name")
        if name is None and value.get("@id") in evidence.by_id:
            name = evidence.by_id[value["@id"]].get("name")
        if isinstance(name, list):
            for item in name[:MAX_AUTHORS]:
                yield from _names(item, evidence)
        elif isinstance(name, str):
            one = clean(ev.text(name))
            yield from [one] if one and "Organization" in "".join(ev.types(value)) else split(ev.text(name))
    elif isinstance(value, str):
        yield from split(ev.text(value))


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Without repeats, and without a name that is a part of another ("Lee" beside "Ann Lee")."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return tuple(list(found.values())[:MAX_AUTHORS])


def of_feed(entry: Entry | None) -> tuple[str, ...]:
    """The names in a feed entry's author fields, without "By"."""
    return unique(_HERE.sub(r"\1", n) for author in (entry.authors if entry else ()) for n in split(author))


def declared(evidence: Evidence) -> list[tuple[str, ...]]:
    """Candidates that the page declares for machines, best first."""
    found = []
    for value in evidence.article("author", "creator"):
        found.append(unique(_names(value, evidence)))
    for name in (
        "author",
        "article:author",
        "byl",
        "dc.creator",
        "dcterms.creator",
        "parsely-author",
        "sailthru.author",
        "cxenseparse:author",
        "article:author_name",
        "citation_author",
        "twitter:data1",
    ):
        values = evidence.meta.get(name, [])
        if name == "twitter:data1" and "writ" not in evidence.first("twitter:label1").lower():
            continue
        found.append(unique(name for value in values for name in split(ev.text(value))))
    return [names for names in found if names]


def choose(
    evidence: Evidence, bylines: Sequence[Sequence[str]], sites: Sequence[str], feed: Sequence[str]
) -> tuple[str, ...]:
    """The authors. `bylines`: names of marked-up bylines in the article's head; `feed`: the feed entry's.

    Rather none than wrong ones: what is only the site's own name is an author if nothing else is known.
    """
    candidates = (
        declared(evidence) + [unique(names) for names in bylines if names] + ([unique(feed)] if feed else [])
    )
    own = {"".join(re.findall(r"\w+", site.casefold())) for site in sites}
    for names in candidates:
        if any("".join(re.findall(r"\w+", name.casefold())) not in own for name in names):
            return names
    return candidates[0] if candidates else ()
