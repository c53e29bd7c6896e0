"""`init` and `demo`: the first five minutes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aggregator.cli.output import bold, coloured, count, dim, say, width
from aggregator.cli.places import Places, pass_places, short, talk_options


@click.command(short_help="Write a feeds.yaml to start from, and the database.")
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--empty", is_flag=True, help="Without the starter feeds.")
@talk_options
@pass_places
def init(places: Places, directory: Path, empty: bool) -> None:
    """Write feeds.yaml, with commented news feeds from many countries, and the folder db/.

    db/ gets an empty database and the pages that `datasette db/` shows. What is there already is left as it is.

    \b
    Example:
      aggregator init news && cd news && aggregator fetch
    """
    from aggregator import config, newsroom
    from aggregator.store import Store

    feeds = directory / "feeds.yaml"
    database = directory / "db" / "news.db"
    directory.mkdir(parents=True, exist_ok=True)
    text = config.starter(empty=empty)
    try:
        with open(feeds, "x", encoding="utf-8") as file:
            file.write(text)
        made = f"with {count(len(config.load(feeds).feeds), 'feed')}"
    except FileExistsError:
        made = "was there already and is left as it is"
    with Store(database):
        pass
    newsroom.install(database.parent)
    if places.verbosity < 0:
        return
    say(bold(short(feeds.absolute())), f" {made}")
    say(bold(short(database.absolute())), " is ready")
    here = directory.resolve() == Path.cwd()
    program, option = _called("aggregator"), "" if here else f" --feeds {short(feeds.absolute())}"
    choose = [
        (f"{program} add URL{option}", "follow a feed, or the feed of a site"),
        (f"{program} import FILE.opml{option}", "or what you follow elsewhere"),
    ]
    _next(*(choose if empty else []), (f"{program} fetch{option}", "get the news"))


@click.command(short_help="Try everything with made-up news, without network.")
@click.argument(
    "directory", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path)
)
@talk_options
@pass_places
def demo(places: Places, directory: Path | None) -> None:
    """Serve made-up outlets on this machine, fetch them in one real round, and say what was found.

    Everything is put into DIR (aggregator-demo where none is given). A second run adds nothing: there is no news.

    \b
    Example:
      aggregator demo
    """
    from aggregator import demo as outlets
    from aggregator import newsroom
    from aggregator.cli.progress import watching
    from aggregator.cli.rounds import tell_failures
    from aggregator.store import Store

    directory = directory or outlets.DIRECTORY
    with watching(places.verbosity) as progress:
        result = outlets.run(directory, progress=progress)
    newsroom.install(directory / "db")
    if places.verbosity < 0:
        return
    tell_failures(result.report)
    if not result.report.entries_new:
        say(dim("Nothing new since the last run."))
    say(coloured("✓ ", "green"), bold(result.summary))
    folder = Path(short(directory.absolute())) / "db"
    program, datasette = _called("aggregator"), _called("datasette")
    with Store(folder / "news.db") as store:
        # The most copied of those whose page was visited: with something that was cut as well.
        most = max(store.reading.latest(100), key=lambda article: (article.source == "page", article.copies))
    _next(
        (f"{datasette} {folder} -o", "read it in the browser"),
        (f"{program} latest --db {folder / 'news.db'}", "or here"),
        (f"{program} why {most.id} --diff --db {folder / 'news.db'}", "what was cut and folded, and why"),
        (f"{program} init", "and now real news"),
    )


def _called(program: str) -> str:
    """How a program of ours is to be typed: by its path where the shell would not find it (no activated venv)."""
    import shutil

    beside = Path(sys.argv[0]).with_name(program)
    return str(beside) if shutil.which(program) is None and beside.exists() else program


def _next(*steps: tuple[str, str]) -> None:
    """What to type now: one line for each where the screen is wide enough, else the remark above its command."""
    column = max(len(command) for command, _ in steps)
    say()
    say("Next:")
    for command, remark in steps:
        if column + max(len(remark) for _, remark in steps) + 5 <= width():
            say("  ", bold(command.ljust(column)), dim(f"   {remark}"))
        else:
            say(dim(f"  {remark}"))
            say("    ", bold(command))
