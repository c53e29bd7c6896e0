"""What readers are told in words: times, counts, reasons and cures. Pure; the templates' filters."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from aggregator import passages
from aggregator.errors import FETCH_ERROR_KINDS, without_password
from aggregator.model import VERDICT_REASONS

#: What the user can do about a feed's error: kind (as in FETCH_ERROR_KINDS) -> advice. What is to be typed stands in
#: backticks.
CURES: dict[str, str] = {
    "dns": "Check the host name in feeds.yaml; if the site has moved, give its new address.",
    "connect": "It may pass; if it stays, see whether the site still opens in a browser.",
    "tls": "It may pass; if it stays, the publisher has to mend the certificate.",
    "timeout": "It may pass; if it stays, raise `timeout` in feeds.yaml.",
    "too_big": "Raise `max_feed_size` in feeds.yaml if you trust this feed.",
    "incomplete": "It may pass; it is asked again soon.",
    "bad_encoding": "The publisher's server is set up wrongly. Tell them, or take the feed out.",
    "bad_http": "The publisher's server is set up wrongly. Tell them, or take the feed out.",
    "redirect": "Open the address in a browser and put where it ends into feeds.yaml.",
    "not_public": "If this is your own network, name the host under `allow` in feeds.yaml.",
    "bad_url": "Correct the address in feeds.yaml.",
    "unauthorized": "If you have an account there, put its token under `headers` in feeds.yaml.",
    "blocked": "Ask the publisher to let feed readers in, or look for another feed of theirs.",
    "not_found": "The site may have a new feed: `aggregator add` with the site's address finds it.",
    "gone": "It is not asked again. Take it out of feeds.yaml, or give its new address.",
    "rate_limited": "It is asked again when the server allows. A longer `interval` in feeds.yaml helps.",
    "client_error": "Open the address in a browser; correct it in feeds.yaml if it has changed.",
    "server_error": "It may pass; it is asked again, more and more rarely, until the server is back.",
    "unexpected_status": "It may pass; if it stays, open the address in a browser.",
    "robots": "Set `full_text: false` for this feed to keep to what the feed itself carries.",
    "not_html": "Set `full_text: false` for this feed to keep to what the feed itself carries.",
    "not_a_feed": "The site may have a new feed: `aggregator add` with the site's address finds it.",
    "broken_feed": "The publisher has to mend it. It is asked again; tell them if it stays.",
    "held": "It is asked again when the host allows.",
    "stopped": "The next round asks it again.",
    "bug": "Please report it, with this feed's address; the other feeds go on.",
    "parse_limit": "The feed is too large or too deep to read safely. Look for a smaller one.",
}

OUTCOMES = {
    "new": "something new",
    "nothing_new": "nothing new",
    "not_modified": "not modified",
    "failed": "failed",
}

REVISION_REASONS = {
    "edited": "edited by its outlet",
    "better_copy": "a better copy took its place",
    "reextracted": "read anew from the page",
    "restored": "a removed block was put back",
}

FLAGS = {
    "paywall": "behind a paywall",
    "consent": "behind a consent wall",
    "index": "an index page",
    "live": "a live page",
    "unreadable": "could not be read",
}


SOURCES = {"page": "the page", "feed": "the feed"}

#: What facets are called, and the words for their values.
FACETS = {
    "agency": "Agency",
    "error_kind": "Trouble",
    "language": "Language",
    "outcome": "Outcome",
    "reason": "Why folded",
    "site": "Outlet",
    "source": "Text from",
    "status": "Status",
}

#: Language codes in their languages' own words; other codes stay as they are.
LANGUAGES = {
    "ar": "العربية", "bg": "Български", "ca": "Català", "cs": "Čeština", "da": "Dansk", "de": "Deutsch",
    "el": "Ελληνικά", "en": "English", "es": "Español", "et": "Eesti", "fa": "فارسی", "fi": "Suomi", "fr": "Français",
    "he": "עברית", "hi": "हिन्दी", "hr": "Hrvatski", "hu": "Magyar", "id": "Indonesia", "it": "Italiano",
    "ja": "日本語", "ko": "한국어", "lt": "Lietuvių", "lv": "Latviešu", "nb": "Norsk", "nl": "Nederlands",
    "no": "Norsk", "pl": "Polski", "pt": "Português", "ro": "Română", "ru": "Русский", "sk": "Slovenčina",
    "sl": "Slovenščina", "sr": "Српски", "sv": "Svenska", "th": "ไทย", "tr": "Türkçe", "uk": "Українська",
    "ur": "اردو", "vi": "Tiếng Việt", "zh": "中文",
}  # fmt: skip

#: How a list is sorted, as Datasette says it, in other words.
ORDERS = {
    "sorted by published_at descending": "newest first",
    "sorted by published_at": "oldest first",
    "sorted by copies descending": "most copied first",
    "sorted by status": "",
}


_FIGURE = re.compile(r"-?\d+(\.\d+)?")
_FIGURE_OR_NONE = re.compile(rf"(?:{_FIGURE.pattern}|&nbsp;)?")


def weblink(url: object) -> str | None:
    """The address when it is one to click on (http or https), without a password; None for javascript: and the like."""
    if isinstance(url, str) and re.fullmatch(r"https?://[^\s/]\S*", url, re.IGNORECASE):
        return without_password(url)
    return None


def moment(value: object) -> datetime | None:
    """A column's time, ISO 8601 in UTC, as the clock of this machine shows it."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone()
    except (ValueError, OverflowError):
        return None


def ago(value: object, now: datetime | None = None) -> str:
    """How long ago, or how soon, in the largest unit that fits: "4 min ago", "in 2 h", "21 Nov 2026"."""
    then = moment(value)
    if then is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return "just now" if seconds >= 0 else "in a moment"
    if distance >= 30 * 86400:
        return day(value, short=True)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        count = round(distance / size)
        if distance >= size * 0.95 or unit == "min":
            break
    return f"{max(count, 1)} {unit} ago" if seconds >= 0 else f"in {max(count, 1)} {unit}"


def apart(first: object, second: object) -> str:
    """How much later the second came: "2 h later", "at the same time", "40 min earlier"."""
    one, two = moment(first), moment(second)
    if one is None or two is None:
        return ""
    minutes = round((two - one).total_seconds() / 60)
    if minutes == 0:
        return "at the same time"
    word, size = "later" if minutes > 0 else "earlier", abs(minutes)
    for unit, length in (("d", 1440), ("h", 60)):
        if size >= 2 * length:
            return f"{round(size / length)} {unit} {word}"
    return f"{size} min {word}"


def when(value: object) -> str:
    """The full time: "24 Nov 2026, 04:25 CET"."""
    then = moment(value)
    return f"{then.day} {then:%b %Y, %H:%M %Z}" if then else "unknown"


def clock(value: object) -> str:
    then = moment(value)
    return f"{then:%H:%M}" if then else ""


def day(value: object, *, short: bool = False) -> str:
    """The day: "Tuesday, 24 November 2026", or "24 Nov 2026"."""
    then = moment(value)
    if then is None:
        return "unknown"
    return f"{then.day} {then:%b %Y}" if short else f"{then:%A}, {then.day} {then:%B %Y}"


def number(value: object) -> str:
    """A figure with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else str(value)


def count(value: int, one: str, many: str | None = None) -> str:
    """ "1 copy", "2 copies"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def percent(value: object) -> str:
    """A share between 0 and 1 as a percentage that never claims a false 100 % or 0 %."""
    share = float(value) if isinstance(value, int | float) else 0.0
    if share <= 0 or share >= 1:
        return f"{round(min(max(share, 0), 1) * 100)}\u202f%"
    return f"{min(max(round(share * 100), 1), 99)}\u202f%"


def teaser(text: object, limit: int = 220) -> str:
    """The beginning of a text, cut between words."""
    line = " ".join(str(text or "")[: limit * 4].split())
    if len(line) <= limit:
        return line
    cut = line[:limit].rsplit(" ", 1)[0].rstrip(",;:.–- ")
    return f"{cut or line[:limit]}\u2026"


def paragraphs(text: object) -> list[str]:
    """A stored text's paragraphs."""
    return [p.strip() for p in re.split(r"\n\s*\n", str(text or "")) if p.strip()]


def items(value: object) -> list[str]:
    """A JSON list of a column, as strings; anything else is no list."""
    try:
        found = json.loads(value) if isinstance(value, str) else []
    except ValueError:
        return []
    return [str(item) for item in found] if isinstance(found, list) else []


def details(value: object) -> list[tuple[str, str]]:
    """A JSON object of a column as (name, value) pairs for people: no braces, no quotes."""
    try:
        found = json.loads(value) if isinstance(value, str) else {}
    except ValueError:
        return []
    return (
        [(str(k).replace("_", " "), _plain(v)) for k, v in found.items()] if isinstance(found, dict) else []
    )


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list):
        return ", ".join(_plain(v) for v in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items()) or "none"
    return "none" if value is None else str(value)


def verdict(reason: object) -> str:
    return VERDICT_REASONS.get(str(reason), str(reason).replace("_", " "))


def trouble(kind: object) -> str:
    return FETCH_ERROR_KINDS.get(str(kind), str(kind or "").replace("_", " "))


def sentence(text: object) -> str:
    """With a capital to begin with, and the others as they are: "The server's certificate or TLS is broken"."""
    return str(text)[:1].upper() + str(text)[1:]


def planned(why: object) -> str:
    """Why a feed is asked then. An error is told beside it, with its cure: here it is only counted."""
    return re.sub(
        r"^error(?: x(\d+))? \(\w+\)",
        lambda match: f"after {match[1]} errors" if match[1] else "after an error",
        str(why or ""),
    )


def figures(rows: Sequence[Sequence[object]]) -> list[bool]:
    """Which columns of a table hold nothing but figures: they stand under each other to the right."""
    return [
        any(map(_FIGURE.fullmatch, column)) and all(map(_FIGURE_OR_NONE.fullmatch, column))
        for column in zip(*(map(str, row) for row in rows), strict=True)
    ]


def cure(kind: object) -> str:
    return CURES.get(str(kind), "")


def outcome(value: object) -> str:
    return OUTCOMES.get(str(value), str(value))


def revision(reason: object) -> str:
    return REVISION_REASONS.get(str(reason), str(reason))


def flag(value: object) -> str:
    return FLAGS.get(str(value), str(value).replace("_", " "))


def language(code: object) -> str:
    return LANGUAGES.get(str(code), str(code))


def facet(column: object) -> str:
    """What a facet is called."""
    return FACETS.get(str(column), str(column))


def faceted(value: object, column: object) -> str:
    """A facet's value in words."""
    if column == "source":
        return SOURCES.get(str(value), str(value))
    words = {"error_kind": trouble, "language": language, "outcome": outcome, "reason": verdict}
    return words[str(column)](value) if column in words else str(value)


def described(text: object) -> str:
    """What Datasette says of a list: "where search matches "ferry" sorted by published_at descending"."""
    told = re.sub(r"^where search matches ", "with ", str(text or ""))
    for theirs, ours in ORDERS.items():
        if told.endswith(theirs):
            before = told.removesuffix(theirs).rstrip()
            return ", ".join(filter(None, (before, ours)))
    return told


def passage(text: object, search: object, limit: int = 220) -> list[tuple[str, bool]]:
    """Where in the text the searched words stand."""
    return passages.passage(str(text or ""), str(search or ""), limit)


#: The templates' filters, by name.
FILTERS = {
    f.__name__: f
    for f in (
        ago, apart, clock, count, cure, day, described, details, facet, faceted, figures, flag, items, language, moment,
        number, outcome, paragraphs, passage, percent, planned, revision, sentence, teaser, trouble, verdict, weblink,
        when,
    )
}  # fmt: skip
