"""feeds.yaml: what the user wants. Read with every fault named by line and column; only ever appended to.

The file is a list of addresses, or a mapping of settings (`reading.SETTINGS`) with the list under `feeds`;
each feed is an address or a mapping (`reading.FEED_SETTINGS`). feeds.schema.json says the same to editors.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from aggregator.config import reading, tree
from aggregator.config.appending import append
from aggregator.config.finding import Found, find, find_database, typed, wanted
from aggregator.config.values import seconds
from aggregator.errors import ConfigError, ConfigProblem
from aggregator.model import Config

__all__ = [
    "SCHEMA",
    "STARTER",
    "Found",
    "append",
    "find",
    "find_database",
    "load",
    "parse",
    "seconds",
    "starter",
    "typed",
    "wanted",
]

MAX_FILE = 50_000_000  # bytes; 10,000 feeds with every setting are about 3 MB
SCHEMA = Path(__file__).parent.parent / "feeds.schema.json"
STARTER = Path(__file__).parent.parent / "starter.yaml"  # what `aggregator init` writes


def load(path: str | os.PathLike[str], environ: Mapping[str, str] | None = os.environ) -> Config:
    """The `Config` in a feeds.yaml. `${NAME}` in header values comes from `environ` (None: stays as written).

    Raises ConfigError with every problem, also when the file cannot be read.
    """
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        hint = "`aggregator init` writes one to start from" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(name, [ConfigProblem(0, 0, "", problem, hint)]) from None
    if len(data) > MAX_FILE:
        problem = f"larger than {MAX_FILE // 1_000_000} MB"
        raise ConfigError(name, [ConfigProblem(0, 0, "", problem, "is this the right file?")])
    return parse(data, name, environ)


def parse(data: bytes, path: str = "feeds.yaml", environ: Mapping[str, str] | None = None) -> Config:
    """The `Config` in the bytes of a feeds.yaml; `path` is only for messages. Raises ConfigError."""
    try:
        text = tree.decode(data)
    except tree.Broken as broken:
        raise ConfigError(path, [broken.problem]) from None
    return reading.config(text, path, environ)


def starter(*, empty: bool = False) -> str:
    """The text of a feeds.yaml to start from. `empty`: with its explanations, without its feeds."""
    first, _, rest = STARTER.read_text(encoding="utf-8").partition("\n")
    if empty:
        rest = rest[: rest.index("\n  # -------")] + "\n"
    return f"{first.partition('$schema=')[0]}$schema={SCHEMA}\n{rest}"
