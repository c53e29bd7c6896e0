"""`status`, `latest`, `search`: the river in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.output import (
    Form,
    bold,
    bytes_size,
    coloured,
    count,
    day,
    dim,
    fitted,
    is_terminal,
    local,
    one_line,
    put,
    put_json,
    put_rows,
    row_options,
    say,
    short_time,
    span,
    width,
)
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, short, talk_options

if TYPE_CHECKING:
    from aggregator.model import Article

ROW = ("id", "published_at", "copies", "site", "title", "url")  # of an article, in CSV and tables
FEED_ROW = (
    "id",
    "title",
    "status",
    "error_kind",
    "error",
    "failures",
    "last_fetch_at",
    "next_fetch_at",
    "url",
)
SNIPPET = 72  # characters on either side of a word that was searched, where there is no screen to fill
#: Feeds that `status` lists without being asked to.
A_SCREEN = 20
INDENT = 9  # columns before them


@click.command(short_help="How the feeds and the archive are.")
@click.option("--failing", is_flag=True, help="Only feeds in trouble; exit code 1 if there are any.")
@row_options
@talk_options
@db_option
@feeds_option
@pass_places
def status(places: Places, failing: bool, form: Form) -> None:
    """How many articles there are, how many copies were folded away, and which feeds need you.

    A handful of feeds are listed, with when each is asked next and why; -v lists however many there are, and says
    which feeds.yaml and which database were used and why.

    \b
    Examples:
      aggregator status
      aggregator status --failing --json
    """
    now = datetime.now(UTC)
    with places.store() as store:
        totals = store.reading.totals(now)
        feeds = store.reading.feeds(failing=failing)
        closed = [] if failing else store.reading.closed_feeds(now)
    for row in feeds:
        row["tags"] = _json_list(row["tags"])
    if form.name == "json":
        put_json({"totals": totals, "feeds": feeds, "closed_feeds": closed})
    elif form.name:
        put_rows(feeds, form, FEED_ROW)
    else:
        _status(places, totals, feeds, closed, now, failing)
    if failing and feeds:
        sys.exit(1)


def _json_list(text: str) -> list[str]:
    import json

    found: list[str] = json.loads(text)
    return found


def _status(
    places: Places,
    totals: dict[str, Any],
    feeds: list[dict[str, Any]],
    closed: list[dict[str, Any]],
    now: datetime,
    failing: bool,
) -> None:
    troubled = [row for row in feeds if row["status"] in ("failing", "gone")]
    if not failing:
        bad = totals["feeds_failing"]
        health = (
            coloured(f"{bad:,} in trouble", "red")
            if bad
            else coloured("all well", "green")
            if totals["last_fetch_at"]
            else dim("`aggregator fetch` asks those in feeds.yaml")
        )
        put(bold("feeds       "), f"{totals['feeds']:,}, ", health)
        put(
            bold("articles    "), f"{totals['articles']:,}, ", f"{totals['articles_today']:,} of the last day"
        )
        put(
            bold("copies      "),
            f"{totals['copies']:,} folded away, {totals['copies_today']:,} of the last day",
        )
        if totals["pending"]:
            put(bold("waiting     "), count(totals["pending"], "entry", "entries"))
        last, following = local(totals["last_fetch_at"]), local(totals["next_fetch_at"])
        asked = f"asked {span(now - last)} ago" if last else "never asked"
        due = (
            ""
            if following is None
            else f", next in {span(following - now)}"
            if following > now
            else ", due now"
        )
        put(bold("fetches     "), asked + due)
        database = places.database()
        size = bytes_size(database.path.stat().st_size)
        why = f", {database.why}" if places.verbosity > 0 else ""
        put(bold("database    "), short(database.path), dim(f"  {size}{why}"))
        if places.verbosity > 0:
            found = places.wanted_feeds()
            missing = "" if found.path.exists() else ", not there"
            put(bold("feeds.yaml  "), short(found.path), dim(f"  {found.why}{missing}"))
    if troubled:
        if not failing:
            put()
            put(bold("Feeds that need you"))
        for row in troubled:
            _troubled(row, now)
    elif failing:
        say("No feed is in trouble.")
    if closed:
        put()
        put(bold("Feeds whose pages cannot be read"))
        for row in closed:
            _closed(row)
    if not failing and feeds and (places.verbosity > 0 or len(feeds) <= A_SCREEN):
        put()
        put(bold("All feeds"))
        column = max((len(one_line(row["title"])) for row in feeds), default=0)
        for row in feeds:
            _healthy(row, now, min(column, 40))
    elif not failing and feeds:
        put(dim("\n`aggregator status -v` says when each feed is asked next, and why"))


def _troubled(row: dict[str, Any], now: datetime) -> None:
    from aggregator.errors import without_password
    from aggregator.newsroom.wording import cure

    put(
        coloured("  ✗ ", "red"),
        bold(one_line(row["title"])),
        dim(f"  {one_line(without_password(row['url']))}"),
    )
    retry = local(row["next_fetch_at"])
    when = (
        "not asked any more"
        if row["status"] == "gone"
        else f"tried again in {span(retry - now)}"
        if retry
        else ""
    )
    times = [f"{row['failures']:,} times in a row"] if row["failures"] > 1 else []
    put(f"    {one_line(row['error'])} ", dim(f"({row['error_kind']}); {'; '.join([*times, when])}"))
    put(dim(f"    {cure(row['error_kind'])}"))


def _closed(row: dict[str, Any]) -> None:
    put(
        coloured("  ! ", "yellow"),
        bold(one_line(row["title"])),
        f"  {row['unread']:,} of {count(row['stories'], 'story', 'stories')} of the last week, told by the feed alone",
    )
    put(f"    {one_line(row['problem'])}")
    put(
        dim(
            "    full_text: false under the feed in feeds.yaml spares the visits; a subscription may go into headers"
        )
    )


def _healthy(row: dict[str, Any], now: datetime, column: int) -> None:
    from aggregator.newsroom.wording import planned

    following, last = local(row["next_fetch_at"]), local(row["last_new_at"])
    news = f"news {span(now - last)} ago" if last else "no news yet"
    due = (
        "" if following is None else f", asked in {span(following - now)}" if following > now else ", due now"
    )
    put(
        f"  {one_line(row['title']):<{column}}",
        dim(f"  {news}{due} ({one_line(planned(row['next_fetch_why']))})"),
    )


@click.command(short_help="The newest stories.")
@click.option("-n", "number", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--tag", help="Only of feeds with this tag.")
@click.option("--site", help="Only from this site, such as example.org.")
@row_options
@talk_options
@db_option
@feeds_option
@pass_places
def latest(places: Places, number: int, tag: str | None, site: str | None, form: Form) -> None:
    """List the newest stories, newest first. +6: six other outlets ran the same text.

    The number in front is the story's: `aggregator read NUMBER` prints it, `aggregator why NUMBER` tells how it came
    to be as it is. JSON holds the whole text.

    \b
    Examples:
      aggregator latest -n 50 --tag uk
      aggregator latest --csv > news.csv
    """
    with places.store() as store:
        articles = store.reading.latest(number, tag=tag, site=site)
    if form.name:
        put_rows(map(_row, articles), form, ROW)
        return
    if not articles:
        say("No articles" + (" like that." if tag or site else " yet; `aggregator fetch` gets them."))
    for date, group in groupby(articles, key=lambda article: day(_published(article))):
        put(bold(date))
        for article in group:
            _headline(article, f"{_published(article):%H:%M}")
        put()


def _row(article: Article) -> dict[str, Any]:
    return asdict(article)


def _published(article: Article) -> datetime:
    moment = local(article.published_at)
    assert moment is not None
    return moment


def _headline(article: Article, when: str) -> None:
    badge = f"+{article.copies}" if article.copies else ""
    room = width() - 5 - 2 - len(when) - 2 - 4 - 2 - 2 - len(article.site)
    title = fitted(one_line(article.title), max(room, 20))
    put(
        dim(f"{article.id:>5}  {when}  "),
        coloured(f"{badge:>4}", "yellow"),
        "  ",
        bold(title),
        coloured(f"  {one_line(article.site)}", "cyan"),
    )


@click.command(short_help="Stories that hold all of these words.")
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "number", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@row_options
@talk_options
@db_option
@feeds_option
@pass_places
def search(places: Places, words: Sequence[str], number: int, form: Form) -> None:
    """Search titles, summaries and texts; best match first. Endings do not matter: ferry finds ferries.

    Put a phrase in quotes twice over, so that the shell leaves them: '"harbour wall"'. A final * finds beginnings.

    \b
    Examples:
      aggregator search ferry strike
      aggregator search '"harbour wall"' -n 5 --json
    """
    query = " ".join(words)
    with places.store() as store:
        articles = store.reading.search(query, number)
    if form.name:
        put_rows(map(_row, articles), form, ROW)
        return
    for article in articles:
        _headline(article, short_time(_published(article)).rjust(17))
        _snippet(article.text, words)
    if not articles:
        say("No story holds all of that.")


def _snippet(text: str, words: Sequence[str]) -> None:
    """The first place in the text where one of the words stands."""
    from aggregator.passages import hits

    start, end = next(hits(text, " ".join(words)), (0, 0))
    room = (width() - INDENT - len("……") - (end - start)) // 2 - 1 if is_terminal() else SNIPPET
    before, after = one_line(text[max(0, start - room) : start]), one_line(text[end : end + room])
    gap = " " if start and text[start - 1].isspace() else ""
    tail = " " if text[end : end + 1].isspace() else ""
    put(
        " " * INDENT,
        dim(f"{'…' if start > room else ''}{before}{gap}"),
        coloured(one_line(text[start:end]), "yellow"),
        dim(f"{tail}{after}{'…' if end + room < len(text) else ''}"),
    )
