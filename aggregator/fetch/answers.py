"""What an HTTP answer means: pure decisions over status, headers and the first bytes."""

from __future__ import annotations

import contextlib
import email.utils
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from aggregator.errors import FetchError
from aggregator.fetch.hosts import MAX_HOLD
from aggregator.fetch.transport import Answer
from aggregator.model import Response, Validators
from aggregator.urls import is_web

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})

#: Marks of the common bot walls' pages, as seen in their HTML.
_WALL = re.compile(
    rb"<title>\s*(?:just a moment|attention required|access denied|ddos-guard|one more step)"
    rb"|<title>\s*pardon our interruption"
    rb"|challenge-(?:running|platform|form)|_incapsula_resource|captcha-delivery\.com|px-captcha|sgcaptcha"
    rb"|making sure you(?:'|&#39;|\xe2\x80\x99)re not a bot",
    re.IGNORECASE,
)


def is_bot_wall(answer: Answer) -> bool:
    """Whether a bot wall answered in the server's place (Cloudflare, Akamai, DataDome, Anubis...)."""
    if answer.headers.get("cf-mitigated", "").lower() == "challenge":
        return True
    return bool(_WALL.search(answer.body))


def retry_after(headers: Mapping[str, str], clock: float) -> float | None:
    """Retry-After in seconds from `clock` (Unix time), of either form (RFC 9110 10.2.3).

    None if there is none or if it makes no sense. Not capped.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):  # the last: of a year with eleven digits
        return None
    seconds = when.replace(tzinfo=when.tzinfo or UTC).timestamp() - clock
    return seconds if seconds > 0 else None


def validators_after(asked_with: Validators, answer: Response) -> Validators:
    """The validators after an answer. RFC 9110 15.4.5: a 304 may bring a new one; one it does not mention stays."""
    if answer.status != 304:
        return answer.validators
    return Validators(
        answer.validators.etag or asked_with.etag, answer.validators.last_modified or asked_with.last_modified
    )


def next_url(url: str, answer: Answer) -> str:
    """Where a redirect leads. Raises `FetchError` when it leads nowhere that we would go."""
    location = answer.headers.get("location", "").strip()
    if not location:
        raise FetchError(
            url, "redirect", f"a {answer.status} that does not say where to", status=answer.status
        )
    with contextlib.suppress(UnicodeError):
        # http.client reads headers as latin-1; a Location with raw UTF-8 in it is common.
        location = location.encode("latin-1").decode("utf-8")
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        web = is_web(target) and "@" not in parts.netloc
    except ValueError:
        web = False
    if not web:
        raise FetchError(
            url, "bad_url", f"redirected to {location[:80]!r}, where we do not go", status=answer.status
        )
    return target


def failure(url: str, answer: Answer, clock: float) -> FetchError:
    """The error that a status other than 200, 304 and the redirects stands for."""
    status = answer.status
    kind, message = "unexpected_status", f"the server answers {status}, which makes no sense here"
    if status == 304:
        message = "the server says that nothing changed (304), though it was not asked"
    if status in (403, 429, 503) and is_bot_wall(answer):
        kind, message = "blocked", f"a bot wall answers in the server's place ({status})"
    elif status in (401, 403, 407):
        kind, message = "unauthorized", f"the server wants a password or forbids us ({status})"
    elif status == 404:
        kind, message = "not_found", "nothing is there (404)"
    elif status == 410:
        kind, message = "gone", "taken down for good (410)"
    elif status == 429:
        kind, message = "rate_limited", "the server asks for patience (429)"
    elif 400 <= status < 500:
        kind, message = "client_error", f"the server refuses ({status})"
    elif status >= 500:
        kind, message = "server_error", f"the server is broken ({status})"
    wait = retry_after(answer.headers, clock) if status >= 300 else None
    if wait is not None:
        until = datetime.fromtimestamp(clock + min(wait, MAX_HOLD), UTC)
        message += f"; it asks us to wait until {until:%Y-%m-%d %H:%M} UTC"
        if wait > MAX_HOLD:
            message += f" (it said {wait:.0f} s, which we take for a mistake)"
            wait = MAX_HOLD
    return FetchError(url, kind, message, status=status, retry_after=wait)
