"""`fold` and `unfold`: what the machine decided about copies, corrected by hand and remembered."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click

from aggregator.cli.output import bold, coloured, dim, one_line, say
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, talk_options


def _copy_number(_: click.Context, __: click.Parameter, value: str) -> int:
    """The number of a copy, as `why` shows it: c45, or 45."""
    if found := re.fullmatch(r"c?(\d{1,18})", value.strip(), re.I):
        return int(found[1])
    raise click.BadParameter(
        f"{value!r} is not the number of a copy; `aggregator why ARTICLE` shows them: c45"
    )


@click.command(short_help="Bring a folded copy back as a story of its own.")
@click.argument("copy", metavar="ID", callback=_copy_number)
@talk_options
@db_option
@feeds_option
@pass_places
def unfold(places: Places, copy: int) -> None:
    """Make a copy an article again, and remember: these two are never folded together again.

    ID is the copy's number, as `aggregator why` shows it: c45.

    \b
    Example:
      aggregator unfold c45
    """
    from aggregator import pipeline

    with places.store() as store:
        row = store.reading.duplicate(copy)
        saved = pipeline.unfold(store, copy, datetime.now(UTC))
    if places.verbosity >= 0 and row:
        say(
            coloured("✓ ", "green"), bold(one_line(row["title"])), dim(f"  is article {saved.article_id} now")
        )


@click.command(short_help="Fold a story into another one.")
@click.argument("article", metavar="ID", type=int)
@click.argument("into", metavar="INTO", type=int)
@talk_options
@db_option
@feeds_option
@pass_places
def fold(places: Places, article: int, into: int) -> None:
    """Make article ID a copy of article INTO, and remember it. Copies that ID has move along.

    Nothing is deleted: `aggregator unfold` undoes it.

    \b
    Example:
      aggregator fold 48 12
    """
    from aggregator import pipeline

    with places.store() as store:
        kept, copy = store.reading.article(into), store.reading.article(article)
        saved = pipeline.fold(store, article, into, datetime.now(UTC))
    if places.verbosity >= 0 and kept and copy:
        say(
            coloured("✓ ", "green"),
            bold(one_line(copy.title)),
            dim(f"  is copy c{saved.duplicate_id} of article {into}"),
        )
        say(dim(f"  {one_line(kept.title)}"))
