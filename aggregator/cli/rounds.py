"""`fetch` and `daemon`: one round of the due feeds, or rounds for ever."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli import choosing
from aggregator.cli.output import bold, coloured, count, dim, local, one_line, put_json, say, span
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, short, talk_options

if TYPE_CHECKING:
    from aggregator.model import Config, Report
    from aggregator.store import Store


#: Kinds of failure that every feed has when the machine itself is off the network.
UNREACHED = frozenset({"dns", "connect"})


@click.command(short_help="Get the news: one round of the feeds that are due.")
@click.argument("names", metavar="[FEED]...", nargs=-1, shell_complete=choosing.complete)
@click.option("--all", "everything", is_flag=True, help="Ask every feed, due or not.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Ask at most N feeds, longest due first.")
@click.option(
    "--history",
    type=click.IntRange(1, 1200),
    metavar="PAGES",
    help="Read so many older pages of each feed too (RFC 5005), where it has them.",
)
@click.option("--dry-run", is_flag=True, help="Fetch and judge, but store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@talk_options
@db_option
@feeds_option
@pass_places
def fetch(
    places: Places,
    names: Sequence[str],
    everything: bool,
    limit: int | None,
    history: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask the feeds that are due, visit the pages of what is new, fold copies together, store it all.

    FEED is a feed's address, its title or a part of them, or tag:NAME; what is named is asked whether due or not.
    Ctrl-C ends the round soon; nothing is lost. Exit code 1: some feeds failed, the others are stored.

    \b
    Examples:
      aggregator fetch                        what is due
      aggregator fetch guardian tag:uk        these, now
      aggregator fetch guardian --history 12  what it had before, too
      aggregator fetch --all --dry-run        what would be stored?
    """
    from aggregator import newsroom, pipeline
    from aggregator.cli import logs
    from aggregator.cli.progress import watching
    from aggregator.store import Store

    if names and everything:
        raise click.UsageError("name feeds or give --all, not both")
    if history and not (names or everything):
        raise click.UsageError("--history needs the feeds to be named, or --all")
    config = places.config()
    if not config.feeds:
        say(f"{config.path} names no feeds; `aggregator add URL` adds one")
        return
    if places.verbosity > 1:
        logs.write(logs.EVERYTHING)
    path = places.database().path
    with contextlib.ExitStack() as stack:
        if dry_run:
            path = stack.enter_context(_copy(path))
        else:
            newsroom.install(path.parent)
        store = stack.enter_context(Store(short(path)))
        urls = _chosen(config, store, names, everything)
        stop = stack.enter_context(until_interrupted())
        with watching(places.verbosity) as progress:
            report = pipeline.run(
                config, store, urls=urls, limit=limit, history=history or 0, progress=progress, stop=stop
            )
        if as_json:
            put_json(as_object(report))
        tell_failures(report)
        if places.verbosity >= 0:
            _summary(report, store, dry_run)
            if history and not report.older_pages and not report.failures:
                say("  No older pages: a feed has to name them (RFC 5005), and most do not.")
    if stop.is_set():
        raise KeyboardInterrupt
    if report.feeds_failed:
        sys.exit(1)


def _chosen(config: Config, store: Store, names: Sequence[str], everything: bool) -> list[str] | None:
    """The feeds to ask; None: those that are due."""
    if names:
        titles = {row["url"]: row["title"] for row in store.reading.feeds()}
        return choosing.choose(names, config.feeds, titles)
    return [feed.url for feed in config.feeds] if everything else None


@contextlib.contextmanager
def _copy(path: Path) -> Iterator[Path]:
    """A copy of the database that is thrown away, for a dry run."""
    import tempfile

    from aggregator.store import Store

    with tempfile.TemporaryDirectory(prefix="aggregator-") as folder:
        copy = Path(folder) / path.name
        if path.exists():
            with Store(path) as store:
                store.upkeep.backup(copy)
        yield copy


@contextlib.contextmanager
def until_interrupted() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or SIGTERM) sets; the second one ends the program at once."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say("stopping soon; what was stored stays (again to stop at once)")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_object(report: Report) -> dict[str, Any]:
    """A report as `fetch --json` prints it; this form is stable."""
    return {
        "feeds": {
            "ok": report.feeds_ok,
            "failed": report.feeds_failed,
            "not_modified": report.feeds_not_modified,
        },
        "entries": {"new": report.entries_new},
        "articles": {"new": report.articles_new, "revised": report.articles_revised},
        "duplicates": report.duplicates,
        "failures": [{"feed": f.feed, "kind": f.kind, "message": f.message} for f in report.failures],
        "seconds": report.seconds,
    }


def tell_failures(report: Report) -> None:
    """Each feed that failed: which, how, and the kind that the database knows it by."""
    from aggregator.errors import without_password

    for failure in report.failures:
        say(
            coloured("✗ ", "red"),
            bold(one_line(without_password(failure.feed))),
            f"  {one_line(failure.message)} ",
            dim(f"({failure.kind})"),
        )


def _summary(report: Report, store: Store, dry_run: bool) -> None:
    asked = report.feeds_ok + report.feeds_failed
    totals = store.reading.totals(datetime.now(UTC))
    if not asked and not report.articles_new:
        next_at = local(totals["next_fetch_at"])
        wait = f"; the next is in {span(next_at - datetime.now(UTC))}" if next_at else ""
        say(f"No feed is due{wait}. --all asks them anyway.")
        return
    parts = [count(asked, "feed") + (f", {report.feeds_failed} failed" if report.feeds_failed else "")]
    parts.append(count(report.articles_new, "new article"))
    parts.append(f"{count(report.duplicates, 'copy', 'copies')} folded away")
    if report.articles_revised:
        parts.append(f"{report.articles_revised:,} revised")
    if report.older_pages:
        parts.append(count(report.older_pages, "older page"))
    if report.pages_failed:
        parts.append(f"{count(report.pages_failed, 'page')} could not be read, told by their feeds")
    nothing = report.feeds_failed > 0 and not report.feeds_ok
    mark = coloured("✗ ", "red") if nothing else coloured("✓ ", "yellow" if report.feeds_failed else "green")
    say(mark, bold(" · ".join(parts)), dim(f"  {report.seconds:.1f} s"))
    if nothing and asked > 1 and {failure.kind for failure in report.failures} <= UNREACHED:
        say("  No server could be reached: is this machine online?")
    if totals["pending"]:
        waiting = count(totals["pending"], "entry", "entries")
        say(dim(f"  {waiting} still to read, by a later fetch or the daemon"))
    if dry_run:
        say("  A dry run: nothing was stored.")


@click.command(short_help="Keep getting the news, each feed when it is due.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: each line is an object with its time, level, message and figures.",
)
@talk_options
@db_option
@feeds_option
@pass_places
def daemon(places: Places, log_format: str) -> None:
    """Run until it is told to stop: ask each feed when it is due, log one line a round with news or trouble.

    SIGTERM and Ctrl-C stop it soon, losing nothing; SIGHUP, or a change of feeds.yaml, reads feeds.yaml again.
    One daemon runs on a database; `aggregator fetch` may run beside it. Speaks systemd's notify protocol.

    \b
    Example:
      aggregator daemon --feeds /etc/aggregator/feeds.yaml --db /var/lib/aggregator/news.db
    """
    from aggregator import newsroom
    from aggregator.cli import logs, tell
    from aggregator.daemon import Daemon
    from aggregator.errors import UpgradedError

    found, database = places.found_feeds(), places.database()
    watcher = Daemon(Path(short(found.path)), database.path)
    newsroom.install(database.path.parent)
    logs.write({-1: logs.TROUBLE, 0: logs.ROUNDS}.get(places.verbosity, logs.EVERYTHING), log_format)
    try:
        watcher.run()
    except UpgradedError as error:
        tell(error)
        sys.exit(
            1
        )  # unlike 2: whoever looks after the service starts it again, and then it is the newer version
