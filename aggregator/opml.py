"""OPML <-> feeds: how lists of feeds travel between feed readers (OPML 2.0, http://opml.org/spec2.opml).

Folders and `category` become tags. What OPML has no word for (interval, priority, selectors, headers) stays
behind; headers must, they hold secrets. Read with expat itself: it tells lines and columns, never fetches
anything, and a document type with entities is refused before it can expand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from aggregator import urls
from aggregator.errors import ConfigError, ConfigProblem
from aggregator.model import Feed

MAX_BYTES = 20_000_000  # a list of 10,000 feeds is 2 MB
MAX_DEPTH = 32  # folders within folders; readers use one or two
MAX_TEXT = 3_000  # characters of an attribute that are read; longer addresses are refused anyway
MAX_TAGS = 50  # of one feed

_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def read(data: bytes, path: str = "OPML") -> tuple[list[Feed], list[ConfigProblem]]:
    """The feeds in an OPML document, each URL once with the tags of all its places, and the outlines that
    cannot be used (`file://` addresses and the like), with line and column.

    Raises ConfigError when the document as a whole cannot be read; `path` is for its message.
    """
    if len(data) > MAX_BYTES:
        raise _unreadable(path, 1, 1, f"larger than {MAX_BYTES // 1_000_000} MB", "is this the right file?")
    reading = _Reading(path)
    try:
        reading.parser.Parse(data, True)
    except expat.ExpatError as error:
        words = expat.ErrorString(error.code)
        raise _unreadable(path, error.lineno, error.offset + 1, f"not well-formed XML: {words}") from None
    except (LookupError, ValueError) as error:
        raise _unreadable(path, 1, 1, f"its encoding cannot be read: {error}", "save it as UTF-8") from None
    if not reading.is_opml:
        raise _unreadable(path, 1, 1, "not an OPML document", "it should begin with <opml>")
    return list(reading.feeds.values()), reading.problems


def write(feeds: Iterable[Feed], title: str = "Feeds") -> bytes:
    """An OPML 2.0 document in UTF-8: each feed in a folder like its first tag, the rest in `category`."""
    folders: dict[str, list[Feed]] = {}
    for feed in feeds:
        folders.setdefault(feed.tags[0] if feed.tags else "", []).append(feed)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<opml version="2.0">', "  <head>"]
    lines += [f"    <title>{_escape(title)}</title>", "  </head>", "  <body>"]
    for folder, members in folders.items():
        indent = "      " if folder else "    "
        if folder:
            lines.append(f"    <outline text={_attribute(folder)}>")
        lines += [indent + _outline(feed) for feed in members]
        if folder:
            lines.append("    </outline>")
    lines += ["  </body>", "</opml>", ""]
    return "\n".join(lines).encode()


def _outline(feed: Feed) -> str:
    name = _attribute(feed.title or feed.url)
    title = f" title={name}" if feed.title else ""
    category = f" category={_attribute(','.join(feed.tags[1:]))}" if feed.tags[1:] else ""
    return f'<outline type="rss" text={name}{title}{category} xmlUrl={_attribute(feed.url)}/>'


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("", text))


def _escape(text: str) -> str:
    return _attribute(text)[1:-1].replace('"', "&quot;")


@dataclass
class _Reading:
    """One pass over a document."""

    path: str
    feeds: dict[str, Feed] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    folders: list[str] = field(
        default_factory=list
    )  # of the outlines that are open; "" for one that is a feed
    is_opml: bool = False

    def __post_init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.EntityDeclHandler = self.refuse_entities

    def refuse_entities(self, *_: object) -> None:
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        raise _unreadable(self.path, line, column, "it declares XML entities", "remove its <!DOCTYPE ...>")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.lower()
        self.is_opml = self.is_opml or name == "opml"
        if name != "outline":
            return
        given = {key.lower(): _SPACE.sub(" ", value[:MAX_TEXT]).strip() for key, value in attributes.items()}
        title = given.get("title") or given.get("text", "")
        url = given.get("xmlurl", "")
        if len(self.folders) == MAX_DEPTH:
            line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
            raise _unreadable(self.path, line, column, f"more than {MAX_DEPTH} folders within folders")
        if url:
            self.feed(url, title, given.get("category", ""))
        self.folders.append("" if url else title)

    def end(self, name: str) -> None:
        if name.lower() == "outline":
            self.folders.pop()

    def feed(self, url: str, title: str, category: str) -> None:
        if url.lower().startswith(
            "feed:"
        ):  # what some readers write for http(s), see draft-obasanjo-feed-uri
            url = url[len("feed:") :].lstrip("/")
            url = url if "://" in url else f"https://{url}"
        if not urls.is_web(url) or " " in url:
            line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
            short = url if len(url) <= 60 else url[:59] + "…"
            self.problems.append(
                ConfigProblem(line, column, "xmlUrl", f"{short!r} is not http or https", "left out")
            )
            return
        words = map(_tag, [*self.folders, *_categories(category)])
        tags = tuple(dict.fromkeys(word for word in words if word))[:MAX_TAGS]
        if known := self.feeds.get(url):
            self.feeds[url] = replace(known, tags=tuple(dict.fromkeys(known.tags + tags))[:MAX_TAGS])
        else:
            self.feeds[url] = Feed(url, title=None if title in ("", url) else title, tags=tags)


def _categories(category: str) -> list[str]:
    """`news,/Boston/Weather` holds the tag news and the path Boston > Weather (OPML 2.0)."""
    return [
        part
        for item in category.split(",")
        for part in (item.split("/") if item.lstrip().startswith("/") else [item])
    ]


def _tag(text: str) -> str:
    """A folder's name as a tag: feeds.yaml allows no commas in one and no leading slash."""
    return " ".join(text.replace(",", " ").split()).lstrip("/ ")


def _unreadable(path: str, line: int, column: int, problem: str, hint: str = "") -> ConfigError:
    return ConfigError(path, [ConfigProblem(line, column, "", problem, hint)])
