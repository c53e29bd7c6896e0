"""`add`, `import`, `export`, `check`: which feeds are followed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import click

from aggregator.cli.output import (
    Form,
    bold,
    coloured,
    count,
    dim,
    one_line,
    put,
    put_rows,
    row_options,
    say,
    visible,
)
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, short, talk_options

if TYPE_CHECKING:
    from aggregator.fetch import Fetcher
    from aggregator.model import Feed, ParsedFeed, Settings

#: Where feeds are when a page does not say: the paths of WordPress, Drupal, Ghost, Hugo and Jekyll.
USUAL_PATHS = ("/feed", "/rss.xml", "/rss", "/feed.xml", "/index.xml", "/atom.xml")


@click.command(short_help="Follow a feed, or the feed of a site.")
@click.argument("url")
@click.option("--title", help="What to call it; by default what it calls itself.")
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="A tag for its articles; several are possible."
)
@click.option("--priority", type=click.IntRange(0, 1000), help="Lower is kept when two carry the same text.")
@click.option("--no-check", is_flag=True, help="Add the address as it is, without asking it.")
@click.option("--dry-run", is_flag=True, help="Only show what would be added.")
@talk_options
@feeds_option
@pass_places
def add(
    places: Places,
    url: str,
    title: str | None,
    tags: Sequence[str],
    priority: int | None,
    no_check: bool,
    dry_run: bool,
) -> None:
    """Add a feed to feeds.yaml. URL is the feed's own address, or any page of a site that has one.

    The rest of feeds.yaml stays as it is, comments too. A feed that is there already is not added again.

    \b
    Examples:
      aggregator add https://www.theguardian.com/world
      aggregator add https://example.org/feed.xml --tag local --priority 10
    """
    from aggregator import config
    from aggregator.errors import AggregatorError, FetchError, ParseError
    from aggregator.model import Feed

    url = url if "://" in url else f"https://{url}"
    target = places.wanted_feeds().path
    known = config.load(short(target), None) if target.exists() else None
    if no_check:
        address, found = url, None
    else:
        try:
            with _fetcher(places, known.settings if known else None) as fetcher:
                address, found = _find_feed(fetcher, url)
        except (FetchError, ParseError) as error:
            raise AggregatorError(f"{error}; nothing was added (--no-check adds it as it is)") from None
    extra: dict[str, Any] = {} if priority is None else {"priority": priority}
    feed = Feed(address, title=title, tags=tuple(tags), **extra)
    if found is not None:
        say(
            coloured("✓ ", "green"),
            bold(one_line(found.title) or address),
            f"  {count(len(found.entries), 'entry', 'entries')}",
        )
    if dry_run:
        put(address)
        return
    fresh = not target.exists()
    if config.append(target, [feed]):
        say(f"added {address} to {short(target)}{' (new)' if fresh else ''}")
    else:
        say(f"{address} is in {short(target)} already")


@contextlib.contextmanager
def _fetcher(places: Places, settings: Settings | None) -> Iterator[Fetcher]:
    """A fetcher that keeps its distance together with a daemon that may be running."""
    from aggregator.fetch import Fetcher, pace_file
    from aggregator.model import Settings

    with Fetcher(settings or Settings(), pace=pace_file(places.database().path)) as fetcher:
        yield fetcher


def _find_feed(fetcher: Fetcher, url: str) -> tuple[str, ParsedFeed]:
    """The feed at an address, or of the page there. Raises FetchError or ParseError."""
    from aggregator.errors import FetchError, ParseError
    from aggregator.model import Request
    from aggregator.parse import Parser, discover

    with Parser() as parser:

        def read(address: str) -> tuple[str, ParsedFeed]:
            # `origin`: only what the user typed may be on a private network, not what the page there names.
            answer = fetcher.fetch(Request(0, address, "feed", origin=url))
            where = answer.permanent_url or address
            return where, parser.parse(answer.body, answer.final_url, answer.headers.get("content-type"))

        page = fetcher.fetch(Request(0, url, "feed"))
        try:
            found = parser.parse(page.body, page.final_url, page.headers.get("content-type"))
            return page.permanent_url or url, found
        except ParseError as error:
            not_a_feed = error
        offered = discover(page.body, page.final_url)
        for address, title in offered[1:]:
            say(dim(f"also there: {one_line(title)}  {address}"))
        usual = [urljoin(page.final_url, path) for path in USUAL_PATHS] if not offered else []
        for address in [address for address, _ in offered] or usual:
            with contextlib.suppress(FetchError, ParseError):
                return read(address)
    raise not_a_feed


@click.command("import", short_help="Follow the feeds of an OPML file.")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only show what would be added.")
@talk_options
@feeds_option
@pass_places
def import_(places: Places, file: Any, dry_run: bool) -> None:
    """Add the feeds of an OPML file (- for stdin), as every feed reader exports one. Folders become tags.

    \b
    Example:
      aggregator import subscriptions.opml
    """
    from aggregator import config, opml

    name = getattr(file, "name", "<stdin>")
    feeds, problems = opml.read(file.read(opml.MAX_BYTES + 1), name)
    for problem in problems:
        say(problem.format(name))
    target = places.wanted_feeds().path
    if dry_run:
        for feed in feeds:
            put(feed.url)
        return
    added = config.append(target, feeds)
    words = [f"{count(len(added), 'feed')} added to {short(target)}"]
    if len(added) < len(feeds):
        words.append(f"{len(feeds) - len(added):,} there already")
    if problems:
        words.append(f"{len(problems):,} left out")
    if places.verbosity >= 0:
        say(bold(" · ".join(words)))
    if problems:
        sys.exit(1)


@click.command(short_help="Print the feeds as OPML, for another reader.")
@talk_options
@db_option
@feeds_option
@pass_places
def export(places: Places) -> None:
    """Print the feeds of feeds.yaml as OPML. Addresses, titles and tags go along; secrets in headers do not.

    A feed without a title in feeds.yaml goes by its own, where the database knows it.

    \b
    Example:
      aggregator export > feeds.opml
    """
    from aggregator import config, opml

    feeds = config.load(short(places.found_feeds().path), None).feeds
    titles: dict[str, str] = {}
    if places.database().path.exists():
        with places.store() as store:
            titles = {row["url"]: row["title"] for row in store.reading.feeds() if row["last_fetch_at"]}
    named = [replace(feed, title=feed.title or titles.get(feed.url)) for feed in feeds]
    sys.stdout.buffer.write(opml.write(named, "Feeds of aggregator"))


@click.command(short_help="Look for mistakes in feeds.yaml.")
@click.option("--online", is_flag=True, help="Ask every feed whether it is there, and what it carries.")
@row_options
@talk_options
@feeds_option
@pass_places
def check(places: Places, online: bool, form: Form) -> None:
    """Say what is wrong in feeds.yaml, everything at once, with line and column.

    With --online each feed is asked once; nothing is stored. Exit code 2: feeds.yaml is wrong, 1: a feed is.

    \b
    Examples:
      aggregator check
      aggregator check --online --csv > feeds.csv
    """
    config = places.config()
    if not online:
        if places.verbosity >= 0:
            say(coloured("✓ ", "green"), f"{config.path}: {count(len(config.feeds), 'feed')}, no mistakes")
        return
    rows = list(_asked(places, config.feeds, config.settings))
    if form.name:
        put_rows(rows, form)
    else:
        for row in rows:
            put(*_checked(row))
    failed = sum(row["problem"] is not None for row in rows)
    if places.verbosity >= 0:
        say(bold(f"{count(len(rows), 'feed')}: {len(rows) - failed:,} fine, {failed:,} failed"))
    if failed:
        sys.exit(1)


def _checked(row: dict[str, Any]) -> list[Any]:
    from aggregator.errors import without_password

    address = without_password(row["feed"])
    name = bold(one_line(row["title"] or address))
    if row["problem"]:
        return [coloured("✗ ", "red"), name, f"  {visible(row['problem'])}  ", dim(address)]
    carries = "full text" if row["full_text"] else "teasers"
    return [
        coloured("✓ ", "green"),
        name,
        f"  {count(row['entries'], 'entry', 'entries')}, {carries}  ",
        dim(address),
    ]


def _asked(places: Places, feeds: Sequence[Feed], settings: Settings) -> Iterator[dict[str, Any]]:
    """What each feed answers, in the order of feeds.yaml."""
    from aggregator.cli.progress import watching
    from aggregator.errors import FetchError, ParseError
    from aggregator.model import Progress, Request
    from aggregator.parse import Parser

    answers: dict[int, dict[str, Any]] = {}
    requests = [Request(number, feed.url, "feed", headers=feed.headers) for number, feed in enumerate(feeds)]
    with _fetcher(places, settings) as fetcher, Parser() as parser, watching(places.verbosity) as progress:
        for done, (request, answer) in enumerate(fetcher.fetch_all(requests), start=1):
            feed = feeds[request.key]
            row: dict[str, Any] = {
                "feed": feed.url,
                "title": feed.title,
                "entries": 0,
                "full_text": None,
                "kind": None,
                "problem": None,
            }
            try:
                if isinstance(answer, FetchError):
                    raise answer
                parsed = parser.parse(answer.body, answer.final_url, answer.headers.get("content-type"))
                row |= {"title": feed.title or parsed.title, "entries": len(parsed.entries)}
                row |= {"full_text": _carries_full_text(parsed), "problem": parsed.problem}
            except (FetchError, ParseError) as error:
                row |= {"kind": error.kind, "problem": error.message}
            answers[request.key] = row
            progress(Progress("feeds", done, len(feeds), row["title"] or feed.url, problem=row["problem"]))
    for number in sorted(answers):
        yield answers[number]


def _carries_full_text(feed: ParsedFeed) -> bool:
    """Whether most entries carry as much text as an article has."""
    from aggregator.pipeline.pages import FULL_TEXT_WORDS

    sizes = sorted(len(entry.content_html.split()) for entry in feed.entries)
    return bool(sizes) and sizes[len(sizes) // 2] >= FULL_TEXT_WORDS
