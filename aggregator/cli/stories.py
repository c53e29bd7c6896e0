"""`fold`, `unfold`, `restore`: what the machine decided, corrected by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import click

from aggregator.cli.output import bold, coloured, dim, one_line, say
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, talk_options


def _numbered(letter: str, noun: str) -> Callable[[click.Context, click.Parameter, str], int]:
    """Reads the number of a copy or block, as `why` shows it: c45. A bare 45 is an article's number everywhere else."""

    def read(_: click.Context, __: click.Parameter, value: str) -> int:
        if found := re.fullmatch(rf"{letter}(\d{{1,18}})", value.strip(), re.I):
            return int(found[1])
        if value.strip().isdecimal():
            raise click.BadParameter(
                f"{value} may be {noun} {letter}{value} or article {value}; write {letter}{value} for the {noun}"
                f" (`aggregator why {value}` shows those of the article)"
            )
        raise click.BadParameter(
            f"{value!r} is not the number of a {noun}; `aggregator why ARTICLE` shows them: {letter}45"
        )

    return read


@click.command(short_help="Bring a folded copy back as a story of its own.")
@click.argument("copy", metavar="ID", callback=_numbered("c", "copy"))
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


@click.command(short_help="Put a removed block back into its text.")
@click.argument("block", metavar="BLOCK", callback=_numbered("b", "block"))
@talk_options
@db_option
@feeds_option
@pass_places
def restore(places: Places, block: int) -> None:
    """Put a block that was taken away from a page back where it stood. The text before is kept as a revision.

    BLOCK is its number, as `aggregator why` shows it: b7. To keep such blocks from now on, see `keep` in feeds.yaml.

    \b
    Example:
      aggregator restore b7
    """
    from aggregator import pipeline

    with places.store() as store:
        saved = pipeline.restore(store, block, datetime.now(UTC))
    if places.verbosity >= 0:
        where = f"copy c{saved.duplicate_id}" if saved.duplicate_id else f"article {saved.article_id}"
        say(coloured("✓ ", "green"), bold(f"b{block}"), f" is back in the text of {where}")
