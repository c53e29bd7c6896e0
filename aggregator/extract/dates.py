"""When was it published? Candidates from the page with their sources, and the rule that chooses.

Order: JSON-LD, then meta elements, then machine-readable marks in the article's own head, then a visible date
there, then the URL. A date is never taken from the page's header, navigation, sidebars, widgets or related
stories, where it is the day the page was rendered or another story's; on a page with a weather widget that
is what other extractors return. The feed's date decides between candidates that disagree.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from . import calendars, labels
from . import evidence as ev
from .evidence import Evidence

EARLIEST = 1990  # the web has no articles older than that; archives' scanned pages say so in other words
FUTURE = timedelta(days=1)  # clocks and time zones differ; anything later than that is wrong
QUARTER = timedelta(minutes=15)  # zones differ by multiples of it
LINE = (
    36  # characters of a line that, with a date in it, is nothing else: "miércoles, 24 de septiembre de 2025"
)
SHORTEST = 3  # letters of a month's name that are enough
BUDDHIST = 2500  # years from here on are counted from Buddha's death
SOLAR_YEARS = range(1300, 1500)
SOLAR_START = 356_033  # days between the two ways of counting them
LINE_UNMARKED = 15  # letters beside the date in languages whose sentences have no end: more is one
SENTENCE_ENDS = (".", "!", "?", "…", ":", "。", "！", "？", "।", "؟", "۔")
NEAR = timedelta(hours=36)  # a page's date and the feed's are the same event within this

_ISO = re.compile(
    r"(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})"
    r"(?:[T\s]+(?:at\s+)?(?P<H>\d{1,2}):?(?P<M>\d{2})(?::?(?P<S>\d{2}))?(?:[.,]\d+)?\s*(?P<z>Z|UTC|GMT|[A-Z]{3,4}|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_HALVES = "|".join(sorted(map(re.escape, calendars.MORNING + calendars.AFTERNOON), key=len, reverse=True))
_CLOCK = re.compile(
    rf"(?:({_HALVES})\s*)?(?<!\d)(\d{{1,2}})(?:[:.h]|\s?[時时시]\s?)(\d{{2}}|\d(?=[分분]))[分분]?(?:[:.](\d{{2}}))?"
    rf"\s*([ap]\.?\s?m\b\.?|[πμ]\.?\s?μ\b|(?:{_HALVES})(?!\w))?"
    r"(?:[\s(]*((?:GMT|UTC)\s?[+-]\s?\d{1,2}(?::?\d{2})?|Z|UTC|GMT|[+-]\d{2}:?\d{2}|[A-Z]{3,4}|(?-i:[CEMP]T)(?!\w)))?",
    re.I,
)
# The same separator twice, or none and two digits each: with both optional, /2026/11/23/ reads as 1 January.
_URL = re.compile(
    r"/(?P<y>(?:19|20)\d{2})(?:(?P<s>[/-])(?P<m>1[0-2]|0?[1-9])(?P=s)(?P<d>3[01]|[12]\d|0?[1-9])"
    r"|(?P<m2>0[1-9]|1[0-2])(?P<d2>0[1-9]|[12]\d|3[01]))(?=[/\-_.]|$)"
)
#: What is written over, under and beside letters, as the vowels of Hindi and Thai, is no letter to Python's \w.
MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0900-\u0903\u093a-\u094d\u0981-\u0983\u09bc-\u09cd"
    "\u0b82\u0bbe-\u0bcd\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u200c"
)
_LETTERS = rf"[^\W\d_](?:[^\W\d_]|[{MARKS}])*"
_NAME = rf"(?<![^\W\d_])({_LETTERS}(?:\.{_LETTERS}|\sال[^\W\d_]+)*)"
_YEAR = r"((?:1[349]|20|25)\d{2})(?!\d)"  # 2569 is 2026 in Thailand, 1405 in Iran
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})([./-])\s?(\d{1,2})\2\s?((?:19|20|25)\d{2})(?!\d)")
_YEAR_FIRST = re.compile(
    r"(?<!\d)((?:1[349]|20)\d{2})\s?(?:[./-]|年|년)\s?(\d{1,2})\s?(?:[./-]|月|월)\s?(\d{1,2})(?!\d)"
)
_ERA = re.compile(rf"({'|'.join(calendars.ERAS)})\s?(\d{{1,3}})\s?年\s?(\d{{1,2}})\s?月\s?(\d{{1,2}})")
_VIETNAMESE = re.compile(rf"(?<!\d)(\d{{1,2}})\s+tháng\s+(\d{{1,2}}),?\s+(?:năm\s+)?{_YEAR}", re.I)
_DOTTED = re.compile(r"(?<!\d)(?:19|20)\d{2}\.\s?\S*\s?\d{1,2}\.$")  # "2026. május 3.", "2026. 5. 3."
_UNMARKED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff]")  # Thai, Lao, Khmer
_A_YEAR = re.compile(r"(?<!\d)(?:1[349]|20|25)\d{2}(?!\d)")
_OFFSET = re.compile(r"([+-])\s?(\d{1,2}):?(\d{2})?$")
#: Forms with the month's name, each with the places of year, name and day in it.
_NAMED = (
    (
        re.compile(
            rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|°|\.)?[\s./-]*(?:de\s+|of\s+|d['’])?{_NAME}(?:/{_NAME})?"
            rf"[\s,،./-]*(?:del?\s+|พ\.ศ\.\s*)?{_YEAR}"
        ),
        (4, 2, 1),
    ),
    (re.compile(rf"{_NAME}\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\.?[,،]?\s+(?:del?\s+)?{_YEAR}"), (3, 1, 2)),
    (re.compile(rf"(?<!\d){_YEAR}[.,]?\s*(?:m\.\s*)?{_NAME}\.?\s*(\d{{1,2}})(?!\d)"), (1, 2, 3)),
    (re.compile(rf"(?<!\d){_YEAR}\.\s+gada\s+(\d{{1,2}})\.\s+{_NAME}"), (1, 3, 2)),
)
_DIGITS = {
    zero + digit: str(digit)  # Arabic, Persian, Hindi, Bengali, Tamil, Thai, full-width
    for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xBE6, 0xE50, 0xFF10)
    for digit in range(10)
}
_PLAIN = {
    **_DIGITS,
    **dict.fromkeys((0x200C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x2066, 0x2067, 0x2069)),
}

#: Zone names that occur in news pages, in minutes east of UTC. Ambiguous ones (CST, IST) mean what news
#: means by them.
ZONES = {
    "BST": 60, "CDT": -300, "CEST": 120, "CET": 60, "CST": -360, "EDT": -240, "EEST": 180, "EET": 120,
    "CT": -360, "EST": -300, "ET": -300, "MT": -420, "PT": -480,
    "GMT": 0, "IST": 330, "JST": 540, "KST": 540, "MDT": -360, "MEST": 120, "MESZ": 120, "MEZ": 60,
    "MSK": 180, "MST": -420,
    "PDT": -420, "PST": -480, "SAST": 120, "UTC": 0, "WIB": 420, "WIT": 540, "WITA": 480, "Z": 0,
}  # fmt: skip

#: Meta names that hold the day of first publication, best first.
PUBLISHED_META = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published",
    "datepublished", "published_time",
    "publish_date", "publishdate", "publish-date", "published_at", "published-date", "pubdate",
    "publication_date", "publicationdate",
    "rnews:datepublished", "cxenseparse:recs:publishtime", "cxenseparse:publishtime",
    "cxenseparse:recs:articlepublished", "sailthru.date", "parsely-pub-date",
    "dc.date.issued", "dcterms.created", "dcterms.issued", "dc.date.created", "dcterms.date", "dc.date",
    "article.published",
    "article.created", "citation_publication_date", "citation_date", "originalpublicationdate",
    "date.created", "article_date_original",
    "bt:pubdate", "dcsext.articlefirstpublished", "og:pubdate", "datecreated", "date",
    "article:create_at", "weibo:article:create_at", "rnews:datecreated", "last-modified-original",
)  # fmt: skip


def _plain(name: str) -> str:
    """A name as it is looked up: "KASIM" and "kasım", "Μαΐου" and "ΜΑΙΟΥ" are one."""
    return labels.fold(name).replace("-", " ").strip(". ")


def _months() -> dict[str, int]:
    """Every name, and every beginning of one that is long enough and that no other month shares."""
    names = [
        (_plain(name), month)
        for lines in calendars.MONTHS.values()
        for line in lines
        for month, name in enumerate(line.split(), 1)
    ]
    votes: dict[str, Counter[int]] = {}
    for name, month in names:
        for end in range(SHORTEST, len(name)):
            votes.setdefault(name[:end], Counter())[month] += 1
    found = {start: months.most_common(1)[0][0] for start, months in votes.items()}
    for name, month in reversed(names):  # the first language to use a name has it
        found[name] = month
    return found | calendars.SHORT


def _of_language(language: str) -> dict[str, int]:
    return {
        _plain(name): month
        for line in calendars.MONTHS.get(language, ())
        for month, name in enumerate(line.split(), 1)
    }


_MONTH = _months()
_OF_LANGUAGE = {language: _of_language(language) for language in calendars.MONTHS}
_WEEKDAYS = {_plain(name) for names in calendars.WEEKDAYS.values() for name in names.split()}
_SOLAR = {_plain(name): month for line in calendars.SOLAR for month, name in enumerate(line.split(), 1)}


def parse(value: object, *, day_first: bool = True, language: str = "") -> datetime | None:
    """A date in any of the forms that pages write, aware (UTC where no offset is given), or None.

    ISO 8601 first, then numbers, then month names of many languages. `day_first` reads 03/04/2025 as 3 April.
    `language` decides between languages that call different months the same ("listopada").
    """
    if not isinstance(value, str) or not value.strip():
        return None
    value = " ".join(value.split())[:200]
    if value.isdigit() and len(value) in (10, 13):
        try:
            return datetime.fromtimestamp(int(value[:10]), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    iso = _ISO.match(value)
    if iso and (iso["H"] or not _CLOCK.search(value, iso.end())):
        return _make(iso["y"], iso["m"], iso["d"], iso["H"], iso["M"], iso["S"], iso["z"])
    return visible(value, day_first=day_first, language=language)


def visible(text: str, *, day_first: bool = True, language: str = "") -> datetime | None:
    """The first date written out in a line of text, with the time beside it where there is one."""
    text = _legible(text)
    found = _find(text, day_first, language)
    return _with_clock(*found, text) if found else None


def around(text: str) -> tuple[str, str] | None:
    """What stands before and behind the first date of a line, without times of day; None if it has no date."""
    text = _legible(text)
    found = _find(text)
    if found is None:
        return None
    match = found[3]
    return _CLOCK.sub(" ", text[: match.start()]), _CLOCK.sub(" ", text[match.end() :])


def _legible(text: str) -> str:
    return text if text.isascii() else text.translate(_PLAIN)


def _find(
    text: str, day_first: bool = True, language: str = ""
) -> tuple[int, int, int, re.Match[str]] | None:
    """Year, month and day of the first date in a line, as they are written, and where."""
    match = _YEAR_FIRST.search(text)
    if match:
        year, month, day = match.groups()
    elif match := _NUMERIC.search(text):
        first, separator, second, year = match.groups()
        month_first = int(second) > 12 or (not day_first and separator == "/" and int(first) <= 12)
        day, month = (second, first) if month_first else (first, second)
    elif match := _VIETNAMESE.search(text):
        day, month, year = match.groups()
    elif match := _ERA.search(text):
        era, year, month, day = match.groups()
        year = str(int(year) + calendars.ERAS[era])
    else:
        return _find_name(text, language)
    return int(year), int(month), int(day), match


def _find_name(text: str, language: str) -> tuple[int, int, int, re.Match[str]] | None:
    """The first date with the name of a month in it."""
    if not _A_YEAR.search(text):  # most lines
        return None
    for pattern, places in _NAMED:
        for match in pattern.finditer(text):
            year, name, day = match.group(*places)
            month = _month(name, int(year), language)
            if month:
                return int(year), month, int(day), match
    return None


def is_of_date(word: str) -> bool:
    """Whether a word is the name of a month or weekday."""
    name = _plain(word.strip(",;:|()"))
    return name in _MONTH or name in _WEEKDAYS


def alone(text: str) -> bool:
    """Whether a line is a date and nothing else."""
    parts = around(text) if len(text) <= LINE and not is_sentence(text) else None
    if parts is None or parts[1].lstrip().startswith(":"):
        return False
    before = parts[0]
    says = labels.PUBLISHED.search(before) or labels.UPDATED.search(before) or labels.prefix(text) == "byline"
    said = _UNMARKED.findall(before + parts[1])
    return bool(says) or (":" not in before and len(said) <= LINE_UNMARKED)


def is_sentence(text: str) -> bool:
    """Whether a line ends the way sentences do, and not with a date as Hungarians and Koreans write it."""
    return text.endswith(SENTENCE_ENDS) and not _DOTTED.search(text)


def _month(name: str, year: int, language: str) -> int | None:
    name = _plain(name)
    if year in SOLAR_YEARS:
        return _SOLAR.get(name)
    for part in (name, name.partition(" ")[0]):
        month = _OF_LANGUAGE.get(language, {}).get(part) or _MONTH.get(part)
        if month:
            return month
    return None


def _gregorian(year: int, month: int, day: int) -> tuple[int, int, int]:
    """A day of another calendar in ours: years tell which, 2569 is Thailand's and 1405 Iran's 2026."""
    if year > BUDDHIST:
        return year - 543, month, day
    if year in SOLAR_YEARS and 1 <= month <= 12:
        years = year + 1595  # eight leap years in 33; right from 1925 to 2090
        days = (
            365 * years
            + years // 33 * 8
            + (years % 33 + 3) // 4
            + min(month - 1, 6) * 31
            + max(month - 7, 0) * 30
        )
        ours = date.fromordinal(days + day - SOLAR_START)
        return ours.year, ours.month, ours.day
    return year, month, day


def _with_clock(year: int, month: int, day: int, match: re.Match[str], text: str) -> datetime | None:
    year, month, day = _gregorian(year, month, day)
    clock = _CLOCK.search(text, match.end(), match.end() + 40) or _CLOCK.search(
        text, max(0, match.start() - 20), match.start()
    )
    if clock is None:
        return _make(year, month, day, None, None, None, None)
    before, hour, minute, second, behind, zone = clock.groups()
    half = re.sub(r"[\s.]", "", (before or behind or "").casefold())
    if half:
        hour = str(int(hour) % 12 + (12 if half in calendars.AFTERNOON else 0))
    return _make(year, month, day, hour, minute, second, zone) or _make(
        year, month, day, None, None, None, None
    )


def _make(
    year: str | int,
    month: str | int,
    day: str | int,
    hour: str | None,
    minute: str | None,
    second: str | None,
    zone: str | None,
) -> datetime | None:
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),
            tzinfo=_zone(zone),
        )
    except (ValueError, OverflowError):
        return None


def _zone(zone: str | None) -> timezone:
    offset = _OFFSET.search(zone or "")
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes > 14 * 60:
            return UTC
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes else UTC
    minutes = ZONES.get((zone or "").upper(), 0)
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def plausible(value: datetime | None, now: datetime) -> bool:
    return value is not None and value.year >= EARLIEST and value <= now + FUTURE


def declared(evidence: Evidence, now: datetime) -> list[datetime]:
    """Dates of publication that the page declares for machines, best first: JSON-LD, then meta."""
    values: list[Any] = [*evidence.article("datePublished"), *evidence.article("dateCreated", "uploadDate")]
    for name in PUBLISHED_META:
        values.extend(evidence.meta.get(name, ()))
    for item in evidence.objects:
        if any(kind in ("WebPage", "ItemPage", "NewsArticle") for kind in ev.types(item)):
            values.append(item.get("datePublished"))
    found = [parse(ev.text(value)) for value in values]
    return [value for value in found if value is not None and plausible(value, now)]


def from_url(url: str | None, now: datetime) -> datetime | None:
    match = _URL.search(url or "")
    if match is None:
        return None
    value = _make(match["y"], match["m"] or match["m2"], match["d"] or match["d2"], None, None, None, None)
    return value if plausible(value, now) else None


def choose(
    declared_dates: list[datetime], head: list[datetime], address: datetime | None, feed: datetime | None
) -> datetime | None:
    """The date of publication.

    declared_dates: what the page declares, best first; head: dates in the article's own head (a time element or
    visible text between title and first paragraph), best first; address: the URL's; feed: the feed entry's.
    The feed confirms (the page's value is kept, it has the better offset) or fills in; it is overruled only by
    what the page declares for machines.
    """
    ranked = [*declared_dates, *head, *([address] if address else [])]
    if feed is not None:
        for value in ranked:
            if abs(value - feed) <= NEAR:
                if value not in declared_dates and (value - feed) % QUARTER == timedelta(0):
                    return feed  # the same time of day, written without its zone
                return value if (value.hour, value.minute) != (0, 0) or value.date() != feed.date() else feed
        return declared_dates[0] if declared_dates else feed
    if not ranked:
        return None
    best = ranked[0]
    if not declared_dates and address and head and not _same_day(head[0], address):
        # Visible dates are often those of the update; the address is written once, at publication.
        best = next((value for value in head if _same_day(value, address)), address)
    return best


def _same_day(one: datetime, other: datetime) -> bool:
    first: date = one.date()
    return abs((first - other.date()).days) <= 1
