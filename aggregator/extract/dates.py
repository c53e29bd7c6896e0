"""When was it published? Candidates from the page with their sources, and the rule that chooses.

Order: JSON-LD, then meta elements, then machine-readable marks in the article's own head, then a visible date
there, then the URL. A date is never taken from the page's header, navigation, sidebars, widgets or related
stories, where it is the day the page was rendered or another story's; on a page with a weather widget that
is what other extractors return. The feed's date decides between candidates that disagree.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from . import evidence as ev
from .evidence import Evidence

EARLIEST = 1990  # the web has no articles older than that; archives' scanned pages say so in other words
FUTURE = timedelta(days=1)  # clocks and time zones differ; anything later than that is wrong
QUARTER = timedelta(minutes=15)  # zones differ by multiples of it
LINE = (
    36  # characters of a line that, with a date in it, is nothing else: "miércoles, 24 de septiembre de 2025"
)
NEAR = timedelta(hours=36)  # a page's date and the feed's are the same event within this

_ISO = re.compile(
    r"(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})"
    r"(?:[T\s]+(?:at\s+)?(?P<H>\d{1,2}):?(?P<M>\d{2})(?::?(?P<S>\d{2}))?(?:[.,]\d+)?\s*(?P<z>Z|UTC|GMT|[A-Z]{3,4}|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_CLOCK = re.compile(
    r"(?<!\d)(\d{1,2})[:.h時시](\d{2})(?:[:.](\d{2}))?\s*([ap]\.?m\b)?(?:\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[A-Z]{3,4}))?",
    re.I,
)
# The same separator twice, or none and two digits each: with both optional, /2026/11/23/ reads as 1 January.
_URL = re.compile(
    r"/(?P<y>(?:19|20)\d{2})(?:(?P<s>[/-])(?P<m>1[0-2]|0?[1-9])(?P=s)(?P<d>3[01]|[12]\d|0?[1-9])"
    r"|(?P<m2>0[1-9]|1[0-2])(?P<d2>0[1-9]|[12]\d|3[01]))(?=[/\-_.]|$)"
)
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})([./-])\s?(\d{1,2})\2\s?((?:19|20)\d{2})(?!\d)")
_YEAR_FIRST = re.compile(
    r"(?<!\d)((?:19|20)\d{2})\s?(?:[./-]|年|년)\s?(\d{1,2})\s?(?:[./-]|月|월)\s?(\d{1,2})(?!\d)"
)
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|º|\.)?\s*(?:de\s+)?([^\W\d_]{3,})\.?,?\s*(?:de\s+)?((?:19|20)\d{2})(?!\d)"
)
_MONTH_DAY = re.compile(r"([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?\.?,?\s+((?:19|20)\d{2})(?!\d)")

#: Month names by language, in calendar order; the first three letters (or what is listed) are enough.
MONTHS = {
    "cs": "ledna února března dubna května června července srpna září října listopadu prosince",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "en": "january february march april may june july august september october november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fi": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta "
    "marraskuuta joulukuuta",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "id": "januari februari maret april mei juni juli agustus september oktober november desember",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "tr": "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "short": "jan feb mar apr may jun jul aug sep oct nov dec",
    "short2": "janv févr mrt avr mei juin juil août sept okt nov dez",
    "short3": "ene feb mär abr mai jun jul ago set out nov dic",
    "short4": "gen feb mar apr mag giu lug ago set ott nov dic",
}
_MONTH = {name: i for names in MONTHS.values() for i, name in enumerate(names.split(), 1)}

#: Zone names that occur in news pages, in minutes east of UTC. Ambiguous ones (CST, IST) mean what news
#: means by them.
ZONES = {
    "BST": 60, "CDT": -300, "CEST": 120, "CET": 60, "CST": -360, "EDT": -240, "EEST": 180, "EET": 120,
    "EST": -300, "ET": -300,
    "GMT": 0, "IST": 330, "JST": 540, "KST": 540, "MDT": -360, "MEST": 120, "MESZ": 120, "MEZ": 60,
    "MSK": 180, "MST": -420,
    "PDT": -420, "PST": -480, "SAST": 120, "UTC": 0, "WIB": 420, "Z": 0,
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


def parse(value: object, *, day_first: bool = True) -> datetime | None:
    """A date in any of the forms that pages write, aware (UTC where no offset is given), or None.

    ISO 8601 first, then numbers, then month names of many languages. `day_first` reads 03/04/2025 as 3 April.
    """
    if not isinstance(value, str) or not value.strip():
        return None
    value = " ".join(value.split())[:200]
    iso = _ISO.match(value)
    if iso:
        return _make(iso["y"], iso["m"], iso["d"], iso["H"], iso["M"], iso["S"], iso["z"])
    if value.isdigit() and len(value) in (10, 13):
        try:
            return datetime.fromtimestamp(int(value[:10]), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return visible(value, day_first=day_first)


def visible(text: str, *, day_first: bool = True) -> datetime | None:
    """The first date written out in a line of text, with the time beside it where there is one."""
    match = _YEAR_FIRST.search(text)
    if match:
        year, month, day = match.groups()
    elif match := _NUMERIC.search(text):
        first, separator, second, year = match.groups()
        month_first = int(second) > 12 or (not day_first and separator == "/" and int(first) <= 12)
        day, month = (second, first) if month_first else (first, second)
    else:
        for pattern in (_DAY_MONTH, _MONTH_DAY):
            for match in pattern.finditer(text):
                one, two, year = match.groups()
                name, day = (two, one) if pattern is _DAY_MONTH else (one, two)
                number = _month(name)
                if number:
                    return _with_clock(year, str(number), day, text, match)
        return None
    return _with_clock(year, month, day, text, match)


def alone(text: str) -> bool:
    """Whether a line is a date and nothing else."""
    return len(text) <= LINE and not text.endswith((".", ":", "?", "!")) and visible(text) is not None


def _month(name: str) -> int | None:
    name = name.casefold().strip(".")
    return _MONTH.get(name) or _MONTH.get(name[:3])


def _with_clock(year: str, month: str, day: str, text: str, match: re.Match[str]) -> datetime | None:
    clock = _CLOCK.search(text, match.end(), match.end() + 40) or _CLOCK.search(
        text, max(0, match.start() - 20), match.start()
    )
    if clock is None:
        return _make(year, month, day, None, None, None, None)
    hour, minute, second, half, zone = clock.groups()
    if half:
        hour = str(int(hour) % 12 + (12 if half[0] in "pP" else 0))
    return _make(year, month, day, hour, minute, second, zone) or _make(
        year, month, day, None, None, None, None
    )


def _make(
    year: str,
    month: str,
    day: str,
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
    if not zone:
        return UTC
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        if minutes > 14 * 60:
            return UTC
        return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes)) if minutes else UTC
    minutes = ZONES.get(zone.upper(), 0)
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
