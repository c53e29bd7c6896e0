"""The exceptions. One base; each says what went wrong, where, and what to do about it.

A feed's or page's error is a *value*: it is stored on the feed or entry and never stops another one.
Only `ConfigError` and `StoreError` end a run. Anything that is not an `AggregatorError` is a bug.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Every way a fetch can fail: kind -> what it means. The kind is stored on the feed and in the fetch log, so these
#: names are part of the database. What the user can do about each is in newsroom/wording.py.
FETCH_ERROR_KINDS: dict[str, str] = {
    "dns": "the host name does not resolve",
    "connect": "the server cannot be reached",
    "tls": "the server's certificate or TLS is broken",
    "timeout": "the server did not finish in time",
    "too_big": "the answer is larger than the limit",
    "incomplete": "the connection broke before the whole answer came",
    "bad_encoding": "the answer's content coding cannot be undone",
    "bad_http": "the answer is not valid HTTP",
    "redirect": "the redirects do not lead anywhere",
    "not_public": "a link leads to a private network",
    "bad_url": "the address is not http or https",
    "unauthorized": "the server wants a password or forbids us (401, 403)",
    "blocked": "a bot wall answered instead of the server",
    "not_found": "nothing is there (404)",
    "gone": "the feed was taken down for good (410)",
    "rate_limited": "the server asks for patience (429)",
    "client_error": "the server refused the request (4xx)",
    "server_error": "the server is broken (5xx)",
    "unexpected_status": "the server's answer makes no sense here (204, 304 unasked, ...)",
    "held": "the host asked for patience, so it was not asked",
    "stopped": "we were told to stop",
    "bug": "this program failed on it; please report it",
    "robots": "robots.txt disallows the page",
    "not_html": "the page is not HTML",
    "not_a_feed": "what came is not a feed",
    "broken_feed": "the feed cannot be read",
    "parse_limit": "reading the feed took too much time or memory",
}


class AggregatorError(Exception):
    """Base of every error this package raises on purpose."""


@dataclass
class ConfigProblem:
    """One fault in feeds.yaml: 1-based line and column (0: the file as a whole), the setting, what is wrong and a hint
    (may be '')."""

    line: int
    column: int
    setting: str
    problem: str
    hint: str = ""

    def format(self, path: str) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        setting = f"{self.setting}: " if self.setting else ""
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{path}{place}: {setting}{self.problem}{hint}"


class ConfigError(AggregatorError):
    """feeds.yaml (or an OPML file) is wrong; carries every problem, in file order."""

    def __init__(self, path: str, problems: list[ConfigProblem]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join(p.format(path) for p in problems))


def _printable(text: str) -> str:
    """Without control and bidi characters: a message may quote the server, and ends in terminals and logs."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def without_password(url: str) -> str:
    """A URL as it may be shown: without the name and password of a server that wants one."""
    return re.sub(r"//[^/?#@]*@", "//", url)


class FetchError(AggregatorError):
    """One URL could not be fetched. `kind` is a key of FETCH_ERROR_KINDS; `retry_after` is in seconds."""

    def __init__(
        self,
        url: str,
        kind: str,
        message: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.url = url
        self.kind = kind
        self.message = _printable(message) or FETCH_ERROR_KINDS[kind]
        self.status = status
        self.retry_after = retry_after
        # What it took to find out, as `Response` has it; None where nothing was asked.
        self.duration_ms: int | None = None
        self.wire_bytes: int | None = None
        super().__init__(f"{self.message} ({without_password(url)})")


class ParseError(AggregatorError):
    """The bytes are not a feed we can read. `kind`: not_a_feed, broken_feed or parse_limit."""

    def __init__(self, url: str, kind: str, message: str) -> None:
        self.url = url
        self.kind = kind
        self.message = message
        super().__init__(f"{message} ({url})")


class StoreError(AggregatorError):
    """The database cannot be used: locked, full, read-only, not ours, or newer than this program."""

    def __init__(self, path: str, problem: str, hint: str = "") -> None:
        self.path = path
        self.problem = problem
        self.hint = hint
        super().__init__(f"{path}: {problem}" + (f"; {hint}" if hint else ""))


class UpgradedError(StoreError):
    """A newer version of this program has changed the database while this one was running: it must start again."""

    def __init__(self, path: str) -> None:
        super().__init__(
            path, "a newer version of this program has changed the database meanwhile", "start it again"
        )
