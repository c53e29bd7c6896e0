"""What the made-up outlets print: stories and outlets read from data files, copies made by declared edits.

A story is `stories/KEY.toml`: its text as the agency sent it, and under `copies` who ran it and what the desk
did to it. So every such file is one declared cluster: all its copies are one story, and no two files are.
An outlet is `outlets/KEY.toml` beside the template of its pages, `outlets/KEY.html`.

The edits of a copy: `title`, `byline`, `dateline` ("" takes it away), `lede` and `tail` (paragraphs put
before and after), `keep` (only that many paragraphs, from the start), `drop` (paragraphs by number, from 1),
`replace` (pairs of old and new words), `credit` (a line under the text that is not part of it), `after`
(minutes after the story).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from importlib.resources import files
from string import Template
from typing import Any

_DATA = files(__package__)


@dataclass(frozen=True, slots=True)
class FeedFile:
    """The feed of an outlet, as it is served."""

    path: str
    format: str = "rss20"  # rss20, atom, rdf, json; html: the outlet's template instead of a feed
    status: int = 200
    full_text: bool = False
    dates: bool = True
    guids: str = "url"  # changing: new ones in every answer


@dataclass(frozen=True, slots=True)
class Box:
    """Markup that stands in the text after so many paragraphs and is not part of it."""

    after: int
    html: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """A made-up outlet: its feed and the markup of its pages. Templates are those of `string.Template`."""

    key: str
    name: str
    host: str
    language: str
    feed: FeedFile
    template: str = ""
    tagline: str = ""
    charset: str = "utf-8"
    utc_offset: float = 0  # hours
    priority: int = 50
    path: str = "/$slug"
    paragraph: str = "<p>$text</p>"
    between: str = "\n"
    link: str = '<a href="$url">$title</a>'
    inside: tuple[Box, ...] = ()
    date: str = "$day $month $year"
    weekdays: tuple[str, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    months: tuple[str, ...] = field(
        default=(
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        )
    )  # fmt: skip

    @property
    def feed_url(self) -> str:
        return f"http://{self.host}{self.feed.path}"

    @property
    def zone(self) -> tzinfo:
        return timezone(timedelta(hours=self.utc_offset))

    def day(self, moment: datetime) -> str:
        """The date as this outlet writes it, without the weekday."""
        local = moment.astimezone(self.zone)
        return Template(self.date).substitute(
            day=local.day, month=self.months[local.month - 1], year=local.year
        )

    def weekday(self, moment: datetime) -> str:
        return self.weekdays[moment.astimezone(UTC).weekday()]


@dataclass(frozen=True, slots=True)
class Edition:
    """One outlet's copy of a story, exactly as a reader of its page should get it."""

    story: str  # the key of the story: copies of the same one belong together
    outlet: Outlet
    number: int  # within the outlet
    title: str
    byline: str
    paragraphs: tuple[str, ...]
    published: datetime
    credit: str = ""

    @property
    def url(self) -> str:
        local = self.published.astimezone(self.outlet.zone)
        values = {"slug": _slug(self.title), "number": self.number, "date": f"{local:%Y/%m/%d}"}
        return f"http://{self.outlet.host}{Template(self.outlet.path).substitute(values)}"


def outlets() -> tuple[Outlet, ...]:
    """Every outlet, by key."""
    return tuple(_outlet(key, _toml("outlets", key)) for key in _keys("outlets"))


def editions(base: datetime) -> tuple[Edition, ...]:
    """Everything that the outlets have printed by the time `base` (aware), newest first.

    Raises ValueError where a copy replaces words that its story does not have exactly once.
    """
    by_key = {outlet.key: outlet for outlet in outlets()}
    printed = dict.fromkeys(by_key, 4100)
    made = []
    for key in _keys("stories"):
        story = _toml("stories", key)
        for copy in story["copies"]:
            printed[copy["outlet"]] += 1
            made.append(_edition(key, story, copy, by_key[copy["outlet"]], printed[copy["outlet"]], base))
    return tuple(sorted(made, key=lambda edition: edition.published, reverse=True))


def _edition(
    key: str, story: Mapping[str, Any], copy: Mapping[str, Any], outlet: Outlet, number: int, base: datetime
) -> Edition:
    first = base - timedelta(hours=story["hours_ago"])
    # A story tells of the day before, so that "on Monday evening" is past at whatever hour the demo runs.
    day = outlet.weekday(first - timedelta(days=1))
    text = _replaced(key, story["text"], copy.get("replace", ()))
    body = [p for n, p in enumerate(_paragraphs(text), 1) if n not in copy.get("drop", ())][
        : copy.get("keep")
    ]
    dateline = copy.get("dateline", story.get("dateline", ""))
    body[0] = f"{dateline} {body[0]}".lstrip()
    paragraphs = (*_paragraphs(copy.get("lede", "")), *body, *_paragraphs(copy.get("tail", "")))
    return Edition(
        story=key,
        outlet=outlet,
        number=number,
        title=copy.get("title", story["title"]),
        byline=copy.get("byline", story["byline"]),
        paragraphs=tuple(paragraph.replace("{day}", day) for paragraph in paragraphs),
        published=(first + timedelta(minutes=copy.get("after", 0))).astimezone(outlet.zone).replace(second=0),
        credit=copy.get("credit", ""),
    )


def _replaced(key: str, text: str, pairs: Iterable[tuple[str, str]]) -> str:
    for old, new in pairs:
        if text.count(old) != 1:
            raise ValueError(f"stories/{key}.toml: the text has {text.count(old)} times, not once: {old!r}")
        text = text.replace(old, new)
    return text


def _paragraphs(text: str) -> list[str]:
    return text.strip().split("\n\n") if text.strip() else []


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title.lower().replace("’", "").replace("ß", "ss"))
    words = re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))
    return "-".join(words[:8])


def _outlet(key: str, data: dict[str, Any]) -> Outlet:
    template = _DATA.joinpath("outlets", f"{key}.html")
    lists = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    return Outlet(
        **data
        | lists
        | {
            "key": key,
            "feed": FeedFile(**data["feed"]),
            "template": template.read_text(encoding="utf-8") if template.is_file() else "",
            "inside": tuple(Box(**box) for box in data.get("inside", ())),
        }
    )


def _keys(folder: str) -> list[str]:
    names = (entry.name for entry in _DATA.joinpath(folder).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _toml(folder: str, key: str) -> dict[str, Any]:
    return tomllib.loads(_DATA.joinpath(folder, f"{key}.toml").read_text(encoding="utf-8"))
