"""The kinds of values feeds.yaml holds: each reader turns one node into a value, or raises `Wrong`.

A duration is a number with its unit (`45s 10m 2h 1d 1w`, also `1h30m`), a size likewise (`800kB 15MB`).
A bare number is refused for both: nobody remembers whether 30 meant seconds or minutes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Environment
from typing import TypeVar
from urllib.parse import urlsplit

from aggregator import urls
from aggregator.config.tree import Mapping, Node, Scalar, Sequence

Value = TypeVar("Value")

MAX_TEXT = 4_000  # characters of one value; a token may have two thousand
MAX_ITEMS = 100  # of one list within a feed; bounds what aliases can multiply

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {"b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.I)
_DURATION = re.compile(rf"(?:{_PART.pattern}\s*)+", re.I)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?b)", re.I)
_INT = re.compile(r"[-+]?\d{1,12}")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ENV = re.compile(r"\$\{([^}]*)(\}?)")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 5.6.2: token
_PORT = re.compile(r":\d{1,5}$")
_HOST_PORT = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]]+)(?::\d{1,5})?")

#: Headers that belong to the connection or to conditional requests, and are always set by us.
_OUR_HEADERS = {
    "accept-encoding", "connection", "content-length", "host", "if-modified-since", "if-none-match", "range",
    "te", "transfer-encoding",
}  # fmt: skip


class Wrong(Exception):
    """A value that cannot be used: the node it stands at, what is wrong, what to do."""

    def __init__(self, node: Node, problem: str, hint: str = "") -> None:
        self.node = node
        self.problem = problem
        self.hint = hint
        super().__init__(problem)


def quoted(value: str) -> str:
    """A value of the user's for a message: at most 60 characters, control characters escaped."""
    return repr(value if len(value) <= 60 else value[:59] + "…")


def kind(node: Node) -> str:
    """What a node is, for "expected ..., got ..."."""
    if isinstance(node, Scalar):
        return "nothing" if node.is_null else quoted(node.text)
    return "a list" if isinstance(node, Sequence) else "a mapping (name: value)"


def text(node: Node) -> str:
    """One line of text without control characters, spaces at its ends cut, at most MAX_TEXT characters."""
    if not isinstance(node, Scalar) or node.is_null:
        raise Wrong(node, f"expected text, got {kind(node)}", _hint_for_text(node))
    value = node.text.strip()
    if not value:
        raise Wrong(node, "empty text")
    if _CONTROL.search(value):
        raise Wrong(node, "line breaks and control characters are not allowed here", "write it on one line")
    if len(value) > MAX_TEXT:
        raise Wrong(node, f"{len(value):,} characters, at most {MAX_TEXT:,} are allowed")
    return value


def _hint_for_text(node: Node) -> str:
    if isinstance(node, Mapping):
        return "put text that holds ': ' in quotes"
    return "put text that begins with [ or # in quotes" if not isinstance(node, Scalar) or node.plain else ""


def texts(node: Node) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of one. Repeated ones once."""
    return _list(node, text)


def _list(node: Node, read: Callable[[Node], str]) -> tuple[str, ...]:
    items = node.items if isinstance(node, Sequence) else [node]
    if len(items) > MAX_ITEMS:
        raise Wrong(node, f"{len(items):,} items, at most {MAX_ITEMS} are allowed")
    return tuple(dict.fromkeys(_all(functools.partial(read, item) for item in items)))


def _all(readers: Iterable[Callable[[], Value]]) -> list[Value]:
    """What each reader gives. Raises an ExceptionGroup of every `Wrong`, so that all are told at once."""
    found: list[Value] = []
    wrongs: list[Wrong] = []
    for read in readers:
        try:
            found.append(read())
        except Wrong as wrong:
            wrongs.append(wrong)
    if wrongs:
        raise ExceptionGroup("wrong values", wrongs)
    return found


def each_wrong(group: BaseExceptionGroup[Wrong]) -> Iterator[Wrong]:
    """The faults in a group, however deep."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from each_wrong(error)
        else:
            yield error


def contact(node: Node) -> str:
    """An e-mail address or URL that fits into a header."""
    value = text(node)
    if not value.isascii() or not ("@" in value or urls.is_web(value)) or any(c in " ()" for c in value):
        raise Wrong(node, f"{quoted(value)} is not an e-mail address or URL", "write you@example.org")
    return value


def tags(node: Node) -> tuple[str, ...]:
    """A list of tags. No commas, no leading slash: OPML separates tags with them (OPML 2.0, category)."""
    return _list(node, _tag)


def _tag(node: Node) -> str:
    value = " ".join(text(node).split())
    if "," in value or value.startswith("/"):
        raise Wrong(node, f"{quoted(value)} holds a comma or begins with a slash", "write tags: [one, two]")
    return value


def selectors(node: Node) -> tuple[str, ...]:
    """A list of CSS selectors, each one compiled once to see that it can be."""
    return _list(node, _selector)


def _selector(node: Node) -> str:
    import soupsieve  # here, because it takes 60 ms and most files name no selector

    value = text(node)
    try:
        soupsieve.compile(value)
    except (soupsieve.SelectorSyntaxError, NotImplementedError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise Wrong(node, f"{quoted(value)} is not a CSS selector ({reason})") from None
    return value


def boolean(node: Node) -> bool:
    """`true` or `false` (`yes no on off` too)."""
    if isinstance(node, Scalar) and node.plain:
        word = node.text.lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise Wrong(node, f"expected true or false, got {kind(node)}")


def integer(node: Node) -> int:
    """A whole number."""
    if isinstance(node, Scalar) and node.plain and _INT.fullmatch(node.text):
        return int(node.text)
    raise Wrong(node, f"expected a whole number, got {kind(node)}")


def duration(node: Node) -> float:
    """A duration in seconds."""
    if isinstance(node, Scalar) and (found := seconds(node.text)) is not None:
        return found
    if isinstance(node, Scalar) and _INT.fullmatch(node.text.strip()):
        raise Wrong(node, f"{node.text.strip()} what", f"write {node.text.strip()}s, 10m, 2h or 1d")
    raise Wrong(node, f"{kind(node)} is not a duration", "write 10m, 2h or 1d")


def seconds(text: str) -> float | None:
    """A duration as it is written (`36h`, `1h30m`) in seconds; None for anything else."""
    if not _DURATION.fullmatch(text := text.strip()):
        return None
    return sum(float(number) * _SECONDS[unit.lower()] for number, unit in _PART.findall(text))


def whole_seconds(node: Node) -> int:
    """A duration in whole seconds."""
    return round(duration(node))


def whole_days(node: Node) -> int:
    """A duration in whole days."""
    seconds = duration(node)
    if seconds % 86_400:
        raise Wrong(node, f"{kind(node)} is not a number of whole days", "write 90d")
    return round(seconds) // 86_400


def size(node: Node) -> int:
    """A size in bytes; decimal units, 1 kB is 1,000 bytes."""
    if isinstance(node, Scalar) and (found := _SIZE.fullmatch(node.text.strip())):
        return round(float(found[1]) * _BYTES[found[2].lower()])
    raise Wrong(node, f"{kind(node)} is not a size", "write 800kB or 15MB")


def url(node: Node) -> str:
    """An http or https URL with a host, as written."""
    value = text(node)
    if urls.is_web(value) and not any(c.isspace() for c in value):
        return value
    if any(c.isspace() for c in value):
        raise Wrong(node, f"{quoted(value)} holds a space", "write %20 where the address really has one")
    scheme = value.split(":", 1)[0].lower() if ":" in value else ""
    if scheme == "feed":
        rest = value.split(":", 1)[1].lstrip("/")
        rest = rest if "://" in rest else f"https://{rest}"
        raise Wrong(node, f"{quoted(value)} is not http or https", f"write {rest}")
    if scheme in ("http", "https"):
        raise Wrong(node, f"{quoted(value)} is not a valid address", "write https://host/path")
    if "." in value.split("/", 1)[0] and scheme in ("", value.split(":", 1)[0]) and "://" not in value:
        raise Wrong(node, f"{quoted(value)} lacks https://", f"write https://{value}")
    raise Wrong(node, f"{quoted(value)} is not http or https")


def same_feed(address: str) -> str:
    """The key under which two URLs of feeds.yaml are one feed: scheme, host's case, fragment do not count."""
    parts = urlsplit(address)
    query = f"?{parts.query}" if parts.query else ""
    return f"{urls.host(address)}{parts.path or '/'}{query}"


def host_ports(node: Node) -> tuple[str, ...]:
    """A list of `host:port`; a host alone stands for its ports 80 and 443."""
    written = _list(node, _host_port)
    return tuple(
        place for one in written for place in ([one] if _PORT.search(one) else [f"{one}:80", f"{one}:443"])
    )


def _host_port(node: Node) -> str:
    value = text(node)
    if not _HOST_PORT.fullmatch(value):
        raise Wrong(
            node, f"{quoted(value)} is not host or host:port", "write 127.0.0.1:8080, without http://"
        )
    return value


def headers(node: Node, environ: Environment[str, str] | None) -> dict[str, str]:
    """Header names and values (RFC 9110 5.5); `${NAME}` comes from `environ`, unset or empty is an error.

    With `environ` None the values are checked for form only, and returned as written.
    """
    if not isinstance(node, Mapping):
        hint = 'write {Authorization: "Bearer ${TOKEN}"}'
        raise Wrong(node, f"expected a mapping (name: value), got {kind(node)}", hint)
    if len(node.pairs) > MAX_ITEMS:
        raise Wrong(node, f"{len(node.pairs):,} headers, at most {MAX_ITEMS} are allowed")
    seen: set[str] = set()
    return dict(_all(functools.partial(_header, *pair, seen, environ) for pair in node.pairs))


def _header(
    key: Scalar, value: Node, seen: set[str], environ: Environment[str, str] | None
) -> tuple[str, str]:
    name = key.text.lower()
    if not _HEADER_NAME.fullmatch(name):
        raise Wrong(key, f"{quoted(key.text)} is not the name of a header")
    if name in _OUR_HEADERS:
        raise Wrong(key, f"{key.text} is set by aggregator itself", "remove it")
    if name in seen:
        raise Wrong(key, f"{key.text} is given twice", "keep one")
    seen.add(name)
    filled = _ENV.sub(lambda match: _variable(value, match, environ), text(value))
    if _CONTROL.search(filled) or not filled.isascii():
        raise Wrong(value, "a header is ASCII text on one line", "check the environment variables in it")
    return key.text, filled


def _variable(node: Node, match: re.Match[str], environ: Environment[str, str] | None) -> str:
    name = match[1]
    if not match[2] or not _ENV_NAME.fullmatch(name):
        raise Wrong(node, f"{quoted(match[0])} is not a variable", "write ${NAME}")
    if environ is None:
        return match[0]
    if not environ.get(name):
        state = "empty" if name in environ else "not set"
        raise Wrong(node, f"the environment variable {name} is {state}", f"export {name}=... before starting")
    return environ[name]
