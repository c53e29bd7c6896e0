"""Where feeds.yaml and the database are: what was asked for, and why."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aggregator.errors import ConfigError, ConfigProblem

FEEDS = "feeds.yaml"
DATABASE = Path("db") / "news.db"


@dataclass(frozen=True, slots=True)
class Found:
    """A path, and where it comes from in words."""

    path: Path
    why: str


def wanted(explicit: str | None, environ: Mapping[str, str], cwd: Path, home: Path) -> Found:
    """Which feeds.yaml is meant: --feeds, then $AGGREGATOR_FEEDS, then the working directory's, then the one
    in the user's config folder ($XDG_CONFIG_HOME or ~/.config). Where none is: the working directory's."""
    if explicit:
        return Found(cwd / explicit, "--feeds")
    if named := environ.get("AGGREGATOR_FEEDS"):
        return Found(cwd / named, "$AGGREGATOR_FEEDS")
    here = cwd / FEEDS
    folder = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "aggregator"
    if not here.exists() and (folder / FEEDS).exists():
        return Found(folder / FEEDS, "the user's config folder")
    return Found(here, "the working directory")


def find(explicit: str | None, environ: Mapping[str, str], cwd: Path, home: Path) -> Found:
    """`wanted`, and it exists. Raises ConfigError."""
    found = wanted(explicit, environ, cwd, home)
    if found.path.is_file():
        return found
    name = found.path.relative_to(cwd) if found.path.is_relative_to(cwd) else found.path
    problem = "is a directory" if found.path.is_dir() else f"no such file ({found.why})"
    hint = "`aggregator init` writes one to start from, --feeds names another"
    raise ConfigError(str(name), [ConfigProblem(0, 0, "", problem, hint)])


def find_database(explicit: str | None, environ: Mapping[str, str], cwd: Path, feeds: Found) -> Found:
    """Which database is meant: --db, then $AGGREGATOR_DB, then db/news.db beside feeds.yaml."""
    if explicit:
        return Found(cwd / explicit, "--db")
    if named := environ.get("AGGREGATOR_DB"):
        return Found(cwd / named, "$AGGREGATOR_DB")
    return Found(feeds.path.parent / DATABASE, f"beside {feeds.path.name}")


def typed(command: str, database: Path, environ: Mapping[str, str], cwd: Path, home: Path) -> str:
    """What is to be typed in `cwd` for a command to work on this database: `aggregator unfold c3 --db old/news.db`.

    Nothing is added where this database is meant anyway. To `add` and `fetch`, the feeds.yaml is named that the
    database lies beside: it holds their feeds, and leads to the database.
    """
    if (
        find_database(None, environ, cwd, wanted(None, environ, cwd, home)).path.resolve()
        == database.resolve()
    ):
        return f"aggregator {command}"
    verb, feeds = command.split()[0], database.parent.parent / FEEDS
    if verb in ("add", "fetch") and feeds.exists() and feeds.parent / DATABASE == database:
        return f"aggregator {command} --feeds {_quoted(feeds, cwd)}"
    return f"aggregator {command}" + ("" if verb == "add" else f" --db {_quoted(database, cwd)}")


def _quoted(path: Path, cwd: Path) -> str:
    return shlex.quote(str(path.relative_to(cwd) if path.is_relative_to(cwd) else path))
