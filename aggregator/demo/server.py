"""The made-up outlets as real HTTP: one port on loopback, a virtual host for each outlet (RFC 9110 7.2)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aggregator.demo.content import Outlet, editions, outlets
from aggregator.demo.pages import MEDIA_TYPES, feed, page

ADDRESS = "127.0.0.1"
_ROBOTS = b"User-agent: *\nDisallow: /admin/\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands at one URL."""

    body: bytes
    media_type: str
    status: int = 200
    modified: datetime | None = None  # None: no validators, always sent whole
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return f'"{blake2b(self.body, digest_size=8).hexdigest()}"'


#: (host, path with query) -> what makes the answer.
Sites = Mapping[tuple[str, str], Callable[[], Answer]]


def sites(base: datetime, today: datetime) -> Sites:
    """Every URL of every outlet: what was printed by `base`, with the date of `today` on top of the pages."""
    answers: dict[tuple[str, str], Callable[[], Answer]] = {}
    printed = editions(base)
    for outlet in outlets():
        own = [edition for edition in printed if edition.outlet.key == outlet.key]
        answers[outlet.host, outlet.feed.path] = _feed(outlet, partial(feed, outlet, own), base)
        answers[outlet.host, "/robots.txt"] = _fixed(Answer(_ROBOTS, "text/plain"))
        for edition in own:
            others = [other for other in own if other is not edition]
            body = page(edition, others, today)
            where = edition.url.removeprefix(f"http://{outlet.host}")
            answers[outlet.host, where] = _fixed(Answer(body, "text/html", modified=edition.published))
    return answers


def _feed(outlet: Outlet, make: Callable[[], bytes], base: datetime) -> Callable[[], Answer]:
    if outlet.feed.status != 200:
        return _fixed(Answer(b"The printers are out.\n", "text/plain", outlet.feed.status))
    media_type = MEDIA_TYPES[outlet.feed.format]
    if outlet.feed.guids == "changing":
        return lambda: Answer(make(), media_type)
    return _fixed(Answer(make(), media_type, modified=base))


def _fixed(answer: Answer) -> Callable[[], Answer]:
    return lambda: answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up (Ctrl-C) is no news; what else goes wrong here is a bug and printed as one."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(answers: Sites) -> Iterator[int]:
    """Serve `answers` on loopback while the block runs; yields the port. OSError if it cannot listen."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "printing-press"
        sys_version = ""

        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").partition(":")[0]
            answer = answers.get((host, self.path), _fixed(Answer(b"Not here.\n", "text/plain", 404)))()
            unchanged = answer.modified and self._has(answer)
            self.send_response(304 if unchanged else answer.status)
            if answer.modified:
                self.send_header("ETag", answer.etag)
                self.send_header("Last-Modified", _http_date(answer.modified))
            if not unchanged:
                self.send_header("Content-Type", answer.media_type)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if not unchanged:
                self.wfile.write(answer.body)

        def _has(self, answer: Answer) -> bool:
            """Whether the client has this very answer; a tag outweighs a date (RFC 9110 13.1.3)."""
            if tag := self.headers.get("If-None-Match"):
                return tag == answer.etag
            return self.headers.get("If-Modified-Since") == _http_date(answer.modified or datetime.now(UTC))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demo's own words go to the terminal."""

    server = _Server((ADDRESS, 0), Handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo outlets"
    )
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)
