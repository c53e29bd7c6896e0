"""Adding feeds to a feeds.yaml as text: nothing that is there changes, comments stay.

Requirements: a URL is never added twice; the file is whole at every moment; afterwards it says what it said
before plus the new feeds, which is checked by reading it again before it takes the old one's place; two
`aggregator add` at once both succeed. Where the text cannot be extended safely, it is left alone and the
error holds the lines to add by hand.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from aggregator.config import reading, tree, values
from aggregator.config.tree import Mapping, Scalar, Sequence
from aggregator.errors import ConfigError, ConfigProblem
from aggregator.model import Config, Feed

NEW_FILE = "feeds:\n"


def append(path: str | os.PathLike[str], feeds: Iterable[Feed]) -> list[Feed]:
    """Add to the feeds.yaml at `path` those of `feeds` whose URL it does not have; a missing file is made.

    Returns what was added, in order. Raises ConfigError when the file is wrong as it is, when a new feed is,
    or when the list cannot be extended; the file is untouched then. OSError when it cannot be written.
    """
    target = Path(os.path.realpath(path))  # a link into a folder of dotfiles stays a link
    with _alone(target.parent):
        data = target.read_bytes() if target.exists() else NEW_FILE.encode()
        try:
            text = tree.decode(data)
        except tree.Broken as broken:
            raise ConfigError(os.fspath(path), [broken.problem]) from None
        before = reading.config(text, os.fspath(path), None)
        known = {values.same_feed(feed.url) for feed in before.feeds}
        added: list[Feed] = []
        for feed in feeds:
            if (key := values.same_feed(feed.url)) not in known:
                known.add(key)
                added.append(feed)
        if added:
            text = _extended(text, added, before)
            _replace(target, (b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b"") + text.encode())
        return added


def _extended(text: str, feeds: list[Feed], before: Config) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    root = tree.read(text)
    assert root is not None
    new = _insert(text, root, feeds, newline)
    lines = "".join(_block(feed, "  ", newline) for feed in feeds)
    hint = f"add by hand:\n{lines}"
    problem = ConfigProblem(root.line, root.column, "feeds", "this list cannot be extended safely", hint)
    by_hand = ConfigError(before.path, [problem])
    try:
        after = reading.config(new, before.path, None)
    except ConfigError as error:
        if any(not _reads_back(feed) for feed in feeds):
            raise
        raise by_hand from error
    if after != replace(before, feeds=(*before.feeds, *feeds)):
        raise by_hand
    return new


def _reads_back(feed: Feed) -> bool:
    try:
        return reading.config(_block(feed, "", "\n"), "", None).feeds == (feed,)
    except ConfigError:
        return False


def _insert(text: str, root: tree.Node, feeds: list[Feed], newline: str) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline
    where = root
    if isinstance(root, Mapping):
        key, where = next(pair for pair in root.pairs if pair[0].text == "feeds")
        if isinstance(where, Scalar) or not where.items:  # type: ignore[union-attr]
            return _into_empty(lines, key, where, feeds, newline)
    assert isinstance(where, Sequence)
    if where.flow:
        row, column = where.end[0] - 1, where.end[1] - 2
        inside = "".join(f", {_yaml(_fields(feed))}" for feed in feeds)
        if not where.items:
            inside = inside[2:]
        lines[row] = lines[row][:column] + inside + lines[row][column:]
        return "".join(lines)
    indent = " " * (where.column - 1)
    row = _last_line(lines, where)
    return "".join(lines[:row] + [_block(feed, indent, newline) for feed in feeds] + lines[row:])


def _into_empty(lines: list[str], key: Scalar, value: tree.Node, feeds: list[Feed], newline: str) -> str:
    """`feeds:` with nothing, `~` or `[]` behind it."""
    row = key.line - 1
    if value.line == key.line and value.column > key.column + len("feeds:"):
        end = value.end[1] if isinstance(value, Sequence) else value.column + len("~")
        lines[row] = lines[row][: value.column - 1].rstrip() + lines[row][end - 1 :]
    return "".join(lines[: row + 1] + [_block(feed, "  ", newline) for feed in feeds] + lines[row + 1 :])


def _last_line(lines: list[str], items: Sequence) -> int:
    """How many lines belong up to the end of a block list. The parser ends it where the next thing begins;
    blank lines and less indented comments before that belong to the next thing."""
    row = min(items.end[0] - 1 if items.end[1] == 1 else items.end[0], len(lines))
    while row > items.line:
        line = lines[row - 1]
        bare = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if bare and not (bare.startswith("#") and indent < max(items.column - 1, 1)):
            break
        row -= 1
    return row


def _block(feed: Feed, indent: str, newline: str) -> str:
    fields = _fields(feed)
    if list(fields) == ["url"]:
        return f"{indent}- {_yaml(feed.url)}{newline}"
    rows = [f"{name}: {_yaml(value)}" for name, value in fields.items()]
    return f"{indent}- " + f"{newline}{indent}  ".join(rows) + newline


def _fields(feed: Feed) -> dict[str, object]:
    """Settings that differ from their default, by their names in feeds.yaml."""
    default = Feed(url="")
    fields = {name: getattr(feed, rule.field) for name, rule in reading.FEED_SETTINGS.items()}
    fields = {name: value for name, value in fields.items() if value != getattr(default, name)}
    if feed.interval is not None:
        fields["interval"] = f"{feed.interval}s" if feed.interval % 60 else f"{feed.interval // 60}m"
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _yaml(value: object) -> str:
    written = yaml.safe_dump(value, allow_unicode=True, width=10**9, default_flow_style=True, sort_keys=False)
    return written.removesuffix("\n").removesuffix("\n...")


def _replace(target: Path, data: bytes) -> None:
    """Put `data` at `target` in one step: readers see the old file or the new one, even after a power cut."""
    mode = target.stat().st_mode if target.exists() else 0o644
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & 0o7777)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for other writers of this folder's feeds.yaml; the kernel lets go when a process dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
