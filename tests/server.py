"""A small HTTP server on loopback that plays what a test scripts for it, and remembers who asked what.

server.answer("/feed", body=RSS, headers={"ETag": '"1"'})       200, or 304 for a matching If-None-Match
server.answer("/feed", status=301, headers={"Location": "/b"})
server.answer("/feed", Reply(status=500), Reply(body=RSS))      one after the other; the last one stays
server.answer("/odd", raw=b"ICY 200\\r\\n\\r\\n")                  bytes of our own, then the connection closes
[seen.path for seen in server.log]
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RSS = "application/rss+xml; charset=utf-8"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Reply:
    """One scripted answer. Sent as it is, except: a 200 whose ETag was asked with becomes a 304."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    type: str = RSS
    gzip: bool = False  # compress when the client accepts it
    wait: float = 0.0  # seconds before the first byte
    drip: float = 0.0  # seconds between two bytes of the body
    drip_head: float = 0.0  # seconds between two header lines, without end
    cut: int | None = None  # close the connection after so many bytes of the body
    raw: bytes | None = None  # instead of all this
    obey_validators: bool = True


@dataclass(frozen=True)
class Seen:
    """One request that came in. `at` is monotonic seconds."""

    path: str
    headers: dict[str, str]  # names in lower case
    at: float
    connection: int
    method: str = "GET"


class Server:
    """`with Server() as server: server.url("/x")`. Paths without a script are 404."""

    def __init__(self, host: str = "127.0.0.1", tls: tuple[Path, Path] | None = None) -> None:
        """`tls`: files of a certificate and its key, to speak https."""
        self.log: list[Seen] = []
        self.running = 0
        self.most_at_once = 0
        self._script: dict[str, list[Reply | Callable[[Seen], Reply]]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._http = _HTTP((host, 0), _Handler)
        self._http.ours = self
        self.port = self._http.server_address[1]
        self.base = f"http{'s' * bool(tls)}://{host}:{self.port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    def url(self, path: str) -> str:
        return self.base + path

    def answer(self, path: str, *replies: Reply | Callable[[Seen], Reply], **one: Any) -> str:
        """Script a path with replies, or with one made of keywords; returns its URL."""
        self._script[path] = list(replies) or [Reply(**one)]
        return self.url(path)

    def seen(self, path: str) -> list[Seen]:
        return [one for one in self.log if one.path == path]

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._http.shutdown()
        self._http.server_close()

    def _next(self, seen: Seen) -> Reply:
        with self._lock:
            self.log.append(seen)
            script = self._script.get(seen.path) or [Reply(b"nothing here", 404, type="text/plain")]
            reply = script.pop(0) if len(script) > 1 else script[0]
        return reply(seen) if callable(reply) else reply

    def _count(self, step: int) -> None:
        with self._lock:
            self.running += step
            self.most_at_once = max(self.most_at_once, self.running)


class _HTTP(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    ours: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server: Server = self.server.ours  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.path, headers, time.monotonic(), self.client_address[1], self.command)
        reply = server._next(seen)
        server._count(1)
        try:
            with contextlib.suppress(ConnectionError):
                self._play(reply, headers, server._stop)
        finally:
            server._count(-1)

    do_POST = do_HEAD = do_GET

    def _play(self, reply: Reply, asked: dict[str, str], stop: threading.Event) -> None:
        if reply.wait and stop.wait(reply.wait):
            return
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        headers = {"Content-Type": reply.type, **reply.headers}
        status = reply.status
        if reply.gzip and "gzip" in asked.get("accept-encoding", ""):
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        if status == 200 and reply.obey_validators and _matches(headers, asked):
            status, body = 304, b""
        if status not in (204, 304):
            headers.setdefault("Content-Length", str(len(body)))
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Odd"
        self.wfile.write(f"HTTP/1.1 {status} {phrase}\r\n".encode())
        while reply.drip_head:
            self.wfile.write(b"X-Drip: 1\r\n")
            if stop.wait(reply.drip_head):
                return
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(head.encode("latin-1") + b"\r\n")
        if reply.cut is not None:
            self.wfile.write(body[: reply.cut])
            self.close_connection = True
        elif reply.drip:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if stop.wait(reply.drip):
                    return
        else:
            self.wfile.write(body)
        if headers.get("Connection", "").lower() == "close":
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""


def _matches(headers: dict[str, str], asked: dict[str, str]) -> bool:
    etag, modified = headers.get("ETag"), headers.get("Last-Modified")
    if etag is not None and "if-none-match" in asked:
        return asked["if-none-match"] == etag
    return modified is not None and asked.get("if-modified-since") == modified


def refused_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
