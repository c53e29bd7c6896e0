"""`extract --site SITE` without a SOURCE: selectors tried on a site's pages, visited again, and applied."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aggregator.cli.output import bold, coloured, count, dim, fitted, one_line, put, put_json, say, width
from aggregator.cli.places import Places

if TYPE_CHECKING:
    from aggregator.pipeline import Reread

#: Pages that selectors are tried on unless the user says how many.
TRIED = 10


def read_again(
    places: Places,
    site: str,
    keep: Sequence[str],
    drop: Sequence[str],
    limit: int | None,
    write: bool,
    as_json: bool,
) -> None:
    from aggregator import pipeline
    from aggregator.cli.progress import watching
    from aggregator.cli.rounds import until_interrupted
    from aggregator.model import Config

    config = places.config() if places.wanted_feeds().path.is_file() else Config(())
    found: list[Reread] = []
    with places.store() as store, until_interrupted() as stop, watching(places.verbosity) as progress:
        pages = pipeline.read_again(
            site,
            config,
            store,
            keep=keep,
            drop=drop,
            limit=limit or (None if write else TRIED),
            write=write,
            progress=progress,
            stop=stop,
        )
        found += pages
    if as_json:
        put_json([{**dataclasses.asdict(page), "changed": page.changed} for page in found])
    else:
        _print(found)
    if places.verbosity >= 0:
        _summary(site, found, write, selectors=bool(keep or drop))
    if stop.is_set():
        raise KeyboardInterrupt


def forget(places: Places, site: str) -> None:
    with places.store() as store:
        pages = store.sites.forget(site)
    if places.verbosity >= 0:
        say(f"what was learned from {count(pages, 'page')} of {site} is forgotten; stored texts stay")


def _print(pages: Iterable[Reread]) -> None:
    columns = width()
    for page in pages:
        if not page.changed:
            continue
        put(bold(one_line(page.title)))
        put(dim(one_line(page.url)))
        for mark, colour, texts in (("− ", "red", page.gone), ("+ ", "green", page.come)):
            for text in texts:
                put(coloured(mark, colour), fitted(one_line(text), columns - 2))
        put()


def _summary(site: str, pages: Sequence[Reread], write: bool, selectors: bool) -> None:
    if not pages:
        say(f"no article of {site} is stored; `aggregator latest` shows the names of sites")
        return
    changed = [page for page in pages if page.changed]
    for page in pages:
        if page.problem:
            say(coloured("! ", "yellow"), f"{one_line(page.title)}: {one_line(page.problem)}")
    what = "changed" if write else "would change"
    say(f"{count(len(pages), 'page')} of {site} visited again: {len(changed)} {what}")
    if changed and not write:
        say(dim("--apply stores it; the wording before is kept as a revision"))
    if changed and write and selectors:
        say(dim("feeds.yaml is as it was: write the selectors there for the pages to come"))
