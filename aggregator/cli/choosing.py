"""Which feeds a person means: by address, title, a part of either, or tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from aggregator.model import Feed

MOST_SHOWN = 8


def choose(names: Sequence[str], feeds: Sequence[Feed], titles: Mapping[str, str]) -> list[str]:
    """The URLs of the feeds that are meant, in the order of feeds.yaml. `titles`: as the database knows them.

    A name is an address or title as a whole, else a part of one (feeds with one title are one: the sections of a
    paper); `tag:NAME` is every feed with that tag.
    Raises click.BadParameter, with what else it might be.
    """
    chosen: set[str] = set()
    called = {feed.url: (feed.url, feed.title or "", titles.get(feed.url, "")) for feed in feeds}
    for name in names:
        wanted = name.casefold()
        if wanted.startswith("tag:"):
            tag = wanted.removeprefix("tag:")
            hits = [feed.url for feed in feeds if tag in map(str.casefold, feed.tags)]
            if not hits:
                known = sorted({tag for feed in feeds for tag in feed.tags})
                raise click.BadParameter(
                    f"no feed has the tag {tag!r}; there are {', '.join(known) or 'none'}"
                )
        else:
            hits = [url for url, names_of in called.items() if wanted in map(str.casefold, names_of)]
            hits = hits or [
                url for url, names_of in called.items() if wanted in "\n".join(names_of).casefold()
            ]
            if len({(called[url][1] or called[url][2] or url).casefold() for url in hits}) > 1:
                raise click.BadParameter(f"{name!r} is part of several feeds:\n" + _shown(hits, called))
            if not hits:
                raise click.BadParameter(f"no feed is called {name!r}{_meant(name, called)}")
        chosen.update(hits)
    return [feed.url for feed in feeds if feed.url in chosen]


def _shown(hits: Sequence[str], called: Mapping[str, tuple[str, str, str]]) -> str:
    rows = [f"  {called[url][1] or called[url][2] or '-'}  {url}" for url in hits[:MOST_SHOWN]]
    return "\n".join(rows + [f"  and {len(hits) - MOST_SHOWN} more"] * (len(hits) > MOST_SHOWN))


def _meant(name: str, called: Mapping[str, tuple[str, str, str]]) -> str:
    import difflib

    titles = {title.casefold(): title for names in called.values() for title in names[1:] if title}
    close = difflib.get_close_matches(name.casefold(), titles, n=1)
    return f"; did you mean {titles[close[0]]!r}?" if close else "; `aggregator status -v` lists them"


def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Titles of feeds.yaml and its tags, for shells."""
    from click.shell_completion import CompletionItem

    from aggregator.cli.places import Places
    from aggregator.errors import AggregatorError

    try:
        feeds = context.ensure_object(Places).config().feeds
    except AggregatorError:
        return []
    words = [feed.title or feed.url for feed in feeds] + [f"tag:{tag}" for feed in feeds for tag in feed.tags]
    return [
        CompletionItem(word)
        for word in dict.fromkeys(words)
        if word.casefold().startswith(incomplete.casefold())
    ]
