"""Nodes -> `Config`: which settings exist, their limits, and every fault in the file at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Environment
from dataclasses import dataclass

from aggregator.config import tree, values
from aggregator.config.tree import Mapping, Node, Scalar, Sequence
from aggregator.errors import ConfigError, ConfigProblem
from aggregator.model import Config, Feed, Settings

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_LIST_HINT = "begin each feed with `- `"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one setting is read: the dataclass's field it fills, its reader, and its limits (inclusive, in the
    field's unit, with the words a message uses for them)."""

    field: str
    read: Callable[[Node], object]
    low: float | None = None
    high: float | None = None
    limits: str = ""


#: Settings for all feeds: name in feeds.yaml -> rule. What each means stands in feeds.schema.json.
SETTINGS: dict[str, Rule] = {
    "contact": Rule("contact", values.contact),
    "min_interval": Rule("min_interval", values.whole_seconds, _MINUTE, 30 * _DAY, "1m to 30d"),
    "max_interval": Rule("max_interval", values.whole_seconds, _MINUTE, 30 * _DAY, "1m to 30d"),
    "host_delay": Rule("host_delay", values.duration, 0, _HOUR, "0s to 1h"),
    "workers": Rule("workers", values.integer, 1, 256, "1 to 256"),
    "processes": Rule("processes", values.integer, 0, 256, "0 (one per core) to 256"),
    "timeout": Rule("timeout", values.duration, 1, 600, "1s to 10m"),
    "max_feed_size": Rule("max_feed_bytes", values.size, 10_000, 500_000_000, "10kB to 500MB"),
    "max_page_size": Rule("max_page_bytes", values.size, 10_000, 500_000_000, "10kB to 500MB"),
    "window": Rule("window", values.whole_seconds, _HOUR, 30 * _DAY, "1h to 30d"),
    "allow": Rule("allow", values.host_ports),
    "keep_fetches": Rule("keep_fetches", values.whole_days, 1, 3_650, "1d to 3650d"),
}

#: Settings of one feed, in the order of `model.Feed`. `headers` is read apart: it needs the environment.
FEED_SETTINGS: dict[str, Rule] = {
    "url": Rule("url", values.url),
    "title": Rule("title", values.text),
    "interval": Rule("interval", values.whole_seconds, _MINUTE, 30 * _DAY, "1m to 30d"),
    "tags": Rule("tags", values.tags),
    "priority": Rule("priority", values.integer, 0, 1_000, "0 (best) to 1000"),
    "full_text": Rule("full_text", values.boolean),
    "keep": Rule("keep", values.selectors),
    "drop": Rule("drop", values.selectors),
    "headers": Rule("headers", lambda node: values.headers(node, None)),
}


def config(text: str, path: str, environ: Environment[str, str] | None) -> Config:
    """The `Config` in a feeds.yaml's text. `environ` None: `${NAME}` stays as written.

    Raises ConfigError with every problem of the file, in its order; of broken YAML only the first is known.
    """
    reading = _Reading(environ)
    try:
        root = tree.read(text)
    except tree.Broken as broken:
        raise ConfigError(path, [broken.problem]) from None
    feeds, settings = reading.file(root)
    if reading.problems:
        raise ConfigError(path, sorted(reading.problems, key=lambda p: (p.line, p.column)))
    return Config(feeds=feeds, settings=settings, path=path)


class _Reading:
    """One pass over a file, gathering problems."""

    def __init__(self, environ: Environment[str, str] | None) -> None:
        self.problems: list[ConfigProblem] = []
        self.environ = environ
        self.lines: dict[str, int] = {}  # feed's key -> line that first gave it

    def wrong(self, node: Node | None, setting: str, problem: str, hint: str = "") -> None:
        line, column = (node.line, node.column) if node else (1, 1)
        self.problems.append(ConfigProblem(line, column, setting, problem, hint))

    def file(self, root: Node | None) -> tuple[tuple[Feed, ...], Settings]:
        if root is None or (isinstance(root, Scalar) and not root.text):
            self.wrong(root, "", "the file is empty", "write `feeds:` and a list of addresses below it")
            return (), Settings()
        if isinstance(root, Sequence):
            return tuple(self.feeds(root)), Settings()
        if isinstance(root, Scalar):
            self.wrong(root, "", f"expected a list of feeds, got {values.kind(root)}", _LIST_HINT)
            return (), Settings()
        given = self.settings(root, {"feeds": None, **SETTINGS})
        feeds = given.pop("feeds", None)
        return tuple(feeds) if isinstance(feeds, list) else (), Settings(**given)  # type: ignore[arg-type]

    def settings(self, node: Mapping, rules: Environment[str, Rule | None]) -> dict[str, object]:
        """Fields and values of one mapping: the whole file, or one feed."""
        given: dict[str, object] = {}
        seen: dict[str, int] = {}
        for key, value in node.pairs:
            name = key.text
            if name in seen:
                self.wrong(key, name, f"already given on line {seen[name]}", "keep one")
                continue
            seen[name] = key.line
            if name not in rules:
                self.wrong(key, values.quoted(name)[1:-1], "unknown setting", _did_you_mean(name, rules))
                continue
            rule = rules[name]
            if rule is None:
                given["feeds"] = list(self.feed_list(value))
            elif not (isinstance(value, Scalar) and value.is_null):
                self.value(name, rule, value, given)
        if "feeds" in rules:
            self.whole_file(node, seen, given)
        return given

    def value(self, name: str, rule: Rule, node: Node, given: dict[str, object]) -> None:
        try:
            value = values.headers(node, self.environ) if name == "headers" else rule.read(node)
        except* values.Wrong as group:
            for wrong in values.each_wrong(group):
                self.wrong(wrong.node, name, wrong.problem, wrong.hint)
        else:
            self.within(name, rule, node, value, given)

    def within(self, name: str, rule: Rule, node: Node, value: object, given: dict[str, object]) -> None:
        if rule.low is not None and isinstance(value, int | float):
            assert rule.high is not None
            if not rule.low <= value <= rule.high:
                self.wrong(node, name, f"{values.kind(node)} is out of range", f"{rule.limits} is allowed")
                return
        given[rule.field] = value

    def whole_file(self, node: Mapping, seen: dict[str, int], given: dict[str, object]) -> None:
        """What is wrong between settings."""
        if "feeds" not in seen:
            self.wrong(node, "feeds", "missing", "write `feeds:` and a list of addresses below it")
        low = given.get("min_interval", Settings().min_interval)
        high = given.get("max_interval", Settings().max_interval)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            name = "min_interval" if "min_interval" in seen else "max_interval"
            key = next(key for key, _ in node.pairs if key.text == name)
            self.wrong(key, name, "min_interval is longer than max_interval", "swap them, or give both")

    def feed_list(self, node: Node) -> Iterator[Feed]:
        if isinstance(node, Sequence):
            yield from self.feeds(node)
        elif not (isinstance(node, Scalar) and node.is_null):
            self.wrong(node, "feeds", f"expected a list, got {values.kind(node)}", _LIST_HINT)

    def feeds(self, node: Sequence) -> Iterator[Feed]:
        for item in node.items:
            given: dict[str, object] = {}
            if isinstance(item, Mapping):
                before = len(self.problems)
                given = self.settings(item, FEED_SETTINGS)
                if "url" not in given and not any(p.setting == "url" for p in self.problems[before:]):
                    self.wrong(item, "url", "missing", "every feed needs one")
            else:
                self.value("url", FEED_SETTINGS["url"], item, given)
            if isinstance(url := given.get("url"), str) and self.is_first(item, url):
                yield Feed(**given)  # type: ignore[arg-type]

    def is_first(self, item: Node, url: str) -> bool:
        key = values.same_feed(url)
        node: Node = item
        if isinstance(item, Mapping):
            node = next(value for name, value in item.pairs if name.text == "url")
        if key in self.lines:
            self.wrong(node, "url", f"already given on line {self.lines[key]}", "keep one")
            return False
        self.lines[key] = node.line
        return True


def _did_you_mean(name: str, rules: Environment[str, Rule | None]) -> str:
    if name == "<<":
        return "merge keys are not supported"
    if "://" in name:
        return "write `url: " + values.quoted(name)[1:-1] + "`"
    if name in FEED_SETTINGS:
        return f"{name} belongs to a feed, indented below its url"
    if name in SETTINGS:
        return f"{name} belongs at the top of the file, not to one feed"
    close = difflib.get_close_matches(name.lower().replace("-", "_"), rules, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return "known are " + ", ".join(rules)
