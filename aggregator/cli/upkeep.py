"""`prune` and `backup`: keeping the database small, and safe."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from aggregator.cli.output import bold, bytes_size, coloured, count, say
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, talk_options


def _moment(_: click.Context, __: click.Parameter, value: str) -> datetime:
    """The moment that lies so far back: 180d, 26w, 36h."""
    from aggregator import config

    seconds = config.seconds(value)
    if seconds is None:
        raise click.BadParameter(f"{value!r} is not a duration; write 180d, 26w or 36h")
    try:
        return datetime.now(UTC) - timedelta(seconds=seconds)
    except OverflowError:
        raise click.BadParameter(f"{value!r} ago there were no newspapers") from None


@click.command(short_help="Delete old articles.")
@click.option(
    "--older-than",
    "before",
    required=True,
    callback=_moment,
    metavar="TIME",
    help="First seen so long ago: 180d, 26w.",
)
@click.option("--dry-run", is_flag=True, help="Only say how many there are.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@talk_options
@db_option
@feeds_option
@pass_places
def prune(places: Places, before: datetime, dry_run: bool, yes: bool) -> None:
    """Delete articles first seen longer ago than TIME, with their copies. It cannot be undone: see `backup`.

    A feed that lists a deleted item again does not bring it back.

    \b
    Example:
      aggregator prune --older-than 180d
    """
    with places.store() as store:
        articles, copies = store.upkeep.old_articles(before)
        found = f"{count(articles, 'article')} and {count(copies, 'copy', 'copies')} from before"
        found += f" {before:%Y-%m-%d %H:%M}"
        if dry_run or not articles:
            say(found)
            return
        if not yes:
            if not _somebody_is_there():
                raise click.UsageError(f"{found} would be deleted; say --yes where nobody can be asked")
            if not click.confirm(f"Delete {found} for good?", err=True):
                say("nothing was deleted")
                sys.exit(2)
        store.upkeep.prune(before)
    if places.verbosity >= 0:
        say(coloured("✓ ", "green"), bold(found), " deleted")


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


@click.command(short_help="Copy the database to a file, while it is in use.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@talk_options
@db_option
@feeds_option
@pass_places
def backup(places: Places, file: Path) -> None:
    """Write a whole and checked copy of the database to FILE, which must not exist yet. Others may go on writing.

    Copying news.db with cp while it is in use loses what is still in news.db-wal; this does not.

    \b
    Example:
      aggregator backup news-2026-11-24.db
    """
    with places.store() as store:
        size = store.upkeep.backup(file)
    if places.verbosity >= 0:
        say(coloured("✓ ", "green"), bold(str(file)), f"  {bytes_size(size)}")
