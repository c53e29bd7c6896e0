"""Which feeds.yaml and which database a command works on, and how much it talks."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from aggregator.config import Found
    from aggregator.model import Config
    from aggregator.store import Store

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Places:
    """What the user named on the command line; the rest is found."""

    feeds: str | None = None
    db: str | None = None
    verbosity: int = 0  # -1: errors only; 1: every feed; 2: everything

    def wanted_feeds(self) -> Found:
        """The feeds.yaml that is meant; it may not exist."""
        from aggregator import config

        return config.wanted(self.feeds, os.environ, Path.cwd(), Path.home())

    def found_feeds(self) -> Found:
        """The feeds.yaml that is meant, and is there. Raises ConfigError."""
        from aggregator import config

        return config.find(self.feeds, os.environ, Path.cwd(), Path.home())

    def config(self) -> Config:
        """What feeds.yaml says. Raises ConfigError."""
        from aggregator import config

        return config.load(short(self.found_feeds().path))

    def database(self) -> Found:
        """The database that is meant; it may not exist."""
        from aggregator import config

        return config.find_database(self.db, os.environ, Path.cwd(), self.wanted_feeds())

    def typed(self, command: str) -> str:
        """What is to be typed next for a command to work on the same database."""
        from aggregator import config

        return config.typed(command, self.database().path, os.environ, Path.cwd(), Path.home())

    def store(self) -> Store:
        """The database, opened. Raises StoreError, also when there is none: reading commands make no files."""
        from aggregator.errors import StoreError
        from aggregator.store import Store

        path = self.database().path
        if not path.exists():
            hint = "`aggregator fetch` makes it, `aggregator demo` makes one to look at; --db names another"
            raise StoreError(short(path), "there is no database yet", hint)
        return Store(short(path))


def short(path: Path) -> str:
    """A path as short as it can be said: below the working directory, without that."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False, 0):
            setattr(context.ensure_object(Places), name, value)

    return keep


def _quiet(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Places).verbosity = -1


def feeds_option(command: Command) -> Command:
    return click.option(
        "--feeds",
        "feeds_file",
        metavar="FILE",
        expose_value=False,
        callback=_keep("feeds"),
        help="Which feeds.yaml. Otherwise $AGGREGATOR_FEEDS, ./feeds.yaml, ~/.config/aggregator/feeds.yaml.",
    )(command)


def db_option(command: Command) -> Command:
    return click.option(
        "--db",
        "db_file",
        metavar="FILE",
        expose_value=False,
        callback=_keep("db"),
        help="Which database. Otherwise $AGGREGATOR_DB, db/news.db beside feeds.yaml.",
    )(command)


def talk_options(command: Command) -> Command:
    command = click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_keep("verbosity"),
        help="Say more; -vv says everything.",
    )(command)
    return click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=_quiet, help="Say only what went wrong."
    )(command)


pass_places = click.make_pass_decorator(Places, ensure=True)
