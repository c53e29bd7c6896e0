"""`read`: the text of a story, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.finding import find
from aggregator.cli.output import (
    bold,
    count,
    dim,
    local,
    one_line,
    put,
    running_text,
    short_time,
)
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, talk_options

if TYPE_CHECKING:
    from aggregator.store import Store


@click.command(short_help="The text of a story.")
@click.argument("what", metavar="ID...", nargs=-1, required=True)
@talk_options
@db_option
@feeds_option
@pass_places
def read(places: Places, what: Sequence[str]) -> None:
    """Print the text of a story, or of several, as it is in the database.

    ID is a story's number (12), a copy's (c45), or a URL.

    \b
    Examples:
      aggregator read 12
      aggregator read 12 15 c45 | less
    """
    with places.store() as store:
        stories = [_story(store, one) for one in what]
    for number, story in enumerate(stories):
        if number:
            put()
            put(dim("* * *"))
            put()
        _print(story, places)


def _story(store: Store, what: str) -> dict[str, Any]:
    """The row of an article or a copy."""
    from aggregator.errors import StoreError

    found = find(store, what)
    if found is None:
        raise StoreError(store.path, f"no story is stored from {what}", "`aggregator why URL` may know more")
    article_id, copy_id = found
    row = store.reading.duplicate(copy_id) if copy_id else store.reading.article(article_id)
    assert row is not None  # it was found in this database
    return row if isinstance(row, dict) else asdict(row)


def _print(story: dict[str, Any], places: Places) -> None:
    put(bold(one_line(story["title"])))
    facts = [story["byline"], story["site"], short_time(local(story["published_at"])), *story["flags"]]
    put(dim(" · ".join(one_line(fact) for fact in facts if fact)))
    put(dim(one_line(story["url"])))
    for paragraph in story["text"].split("\n\n"):
        put()
        put(running_text(paragraph))
    if not story["text"]:
        put()
        put(one_line(story["problem"]) or "There is no text beyond the headline.")
    if story.get("copies"):
        put()
        copies = count(story["copies"], "copy", "copies")
        why = places.typed(f"why {story['id']}")
        put(dim(f"{copies} of it folded away: `{why}` says whose, and why"))
