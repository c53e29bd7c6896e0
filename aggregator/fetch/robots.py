"""robots.txt (RFC 9309): may this page be fetched, and how slowly?"""

from __future__ import annotations

import codecs
import functools
import re

from protego import Protego

AGENT = "aggregator"  # the product token that robots.txt may address
MAX_BYTES = 512_000  # RFC 9309 2.5: at least 500 KiB must be parsed; the rest is not looked at
MAX_DOWNLOAD = 8 * MAX_BYTES  # a longer one counts as one that could not be had
MAX_AGE = 86_400.0  # seconds; RFC 9309 2.4: not longer than 24 hours
UNREACHABLE_AGE = 3_600.0  # seconds until a robots.txt that could not be had is asked for again
MAX_CRAWL_DELAY = 30.0  # seconds; a larger one is kept to as far as this: 20 pages then take ten minutes

_DELAY = re.compile("crawl[- ]delay", re.I)
#: Whom a group of rules is for. The product token ends where its letters end: "aggregator/0.1 (a feed reader)" is ours.
_FOR = re.compile(r"^([^\S\r\n]*user[- ]?agent[^\S\r\n]*:[^\S\r\n]*)([a-z_-]+)[^\r\n]*", re.I | re.M)


def decoded(body: bytes) -> str:
    """The text of a robots.txt as it was sent: UTF-8 (RFC 9309 2.2), or what its byte order mark says."""
    if len(body) > MAX_BYTES:  # half a line is another rule: "Disallow: /" of "Disallow: /private/"
        body = body[: max(body.rfind(b"\n", 0, MAX_BYTES), body.rfind(b"\r", 0, MAX_BYTES)) + 1]
    wide = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return body.decode("utf-16" if wide else "utf-8-sig", "replace")


@functools.lru_cache(maxsize=256)
def _rules(text: str) -> Protego:
    return Protego.parse(_FOR.sub(_named, text))


def _named(line: re.Match[str]) -> str:
    """A "User-agent:" line with the product token alone. Protego takes "a" or "agg" for us and "aggregator/1" for
    another: a token that is not ours gets what no part of ours has."""
    return f"{line[1]}{AGENT}" if line[2].lower() == AGENT else f"{line[1]}other-{line[2]}"


def allows(text: str, url: str) -> bool:
    """Whether the robots.txt `text` lets us fetch `url`."""
    return bool(_rules(text).can_fetch(url, AGENT))


def crawl_delay(text: str) -> float:
    """Seconds between two requests that the robots.txt asks for, 0 if none, at most MAX_CRAWL_DELAY."""
    # Most have none: a round that visits no page need not understand the rules of every host.
    if not _DELAY.search(text):
        return 0.0
    try:
        delay = float(_rules(text).crawl_delay(AGENT) or 0)
    except (TypeError, ValueError):
        return 0.0
    return min(max(delay, 0.0), MAX_CRAWL_DELAY) if delay == delay else 0.0
