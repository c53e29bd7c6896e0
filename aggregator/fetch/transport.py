"""One GET: connect to a judged address, obey the deadline, read under a cap. No redirects, no politeness.

requests does the HTTP; four things are put in its place (each measured, see docs/fetching.md):
- one SSLContext for all hosts: requests loads the CA bundle per host, 24 ms of CPU each; shared, 2 ms;
- addresses are resolved and judged here, so the one judged is the one connected to;
- a watchdog shuts the socket at a total deadline: a read time-out starts anew with each dripped byte;
- content codings are undone in `body`, so that neither a bomb nor a truncated stream passes.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import logging
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, SSLError

from aggregator.errors import FetchError
from aggregator.fetch import body, guard
from aggregator.urls import fetchable

WHOLE = frozenset({200, 203})  # 203: a proxy changed it on the way (RFC 9110 15.3.4)
LISTS = frozenset({"cache-control", "content-encoding"})  # may come in several lines (RFC 9110 5.3)
ERROR_BODY = 65_536  # bytes read of an answer that is an error: enough to know a bot wall, and to keep alive
#: Seconds after which a download is slow. Of 200 healthy ones at 50 ms none takes as long, one that hangs takes them
#: all.
SLOW_AFTER = 2.0
CONNECT_TIMEOUT = 10.0  # seconds for one address; a host may have several
REST = 1.0  # seconds for the body of a redirect or an error: what counts was in its head
_PATIENCE = 0.25  # seconds between two looks of the watchdog: how exactly deadlines are kept
_CHUNK = 65_536
#: How files begin that are no pages, whatever their server says, as browsers look, too: PDF, ZIP (Word, EPUB), old
#: Word, JPEG, PNG, GIF, RTF, MP3, OGG.
_NOT_HTML = (
    b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"{\\rtf", b"ID3", b"OggS",
)  # fmt: skip

# It warns of headers it cannot parse, quoting them, control characters and all.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one GET brought. `body` is decoded; of a redirect or an error only the beginning is kept."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    wire_bytes: int


class Cut:
    """One download's emergency brake: its deadline (monotonic seconds), its socket, whether it was pulled."""

    __slots__ = ("deadline", "on_slow", "opened", "pulled", "slow_at", "sock", "told", "url")

    def __init__(
        self, url: str, seconds: float, on_slow: Callable[[], None], told: tuple[str, int] | None = None
    ) -> None:
        self.url = url
        now = time.monotonic()
        self.deadline = now + seconds
        self.slow_at = now + SLOW_AFTER
        self.on_slow: Callable[[], None] | None = on_slow  # called once, when SLOW_AFTER seconds have passed
        self.told = told  # (address, port) that we were told to use for this host
        self.sock: socket.socket | None = None
        self.opened = False  # a new connection was made, rather than one from the pool
        self.pulled = ""  # "timeout" or "stopped"

    @property
    def left(self) -> float:
        """Seconds left; raises when there are none, or when the brake was pulled."""
        left = self.deadline - time.monotonic()
        if self.pulled or left <= 0:
            raise self.error()
        return left

    def pull(self, why: str) -> None:
        self.pulled = why
        if self.sock is not None:
            with contextlib.suppress(OSError, ValueError):
                # Of the plain socket: SSLSocket.shutdown would take its state from under the reading thread.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def error(self) -> FetchError:
        return FetchError(self.url, "stopped" if self.pulled == "stopped" else "timeout")


class Watchdog:
    """A thread that pulls the brake of each download that outlives its deadline, and tells of the slow ones."""

    def __init__(self) -> None:
        self._cuts: set[Cut] = set()
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def watch(self, cut: Cut) -> None:
        with self._lock:
            if self._closed:
                cut.pulled = "stopped"
            self._cuts.add(cut)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fetch-watchdog", daemon=True)
                self._thread.start()
        self._work.set()

    def leave(self, cut: Cut) -> None:
        with self._lock:
            self._cuts.discard(cut)
            cut.sock = None

    def stop(self) -> None:
        """Pull every brake, now and in future."""
        with self._lock:
            self._closed = True
            for cut in self._cuts:
                cut.pull("stopped")
        self._work.set()

    def _run(self) -> None:
        while not self._closed:
            self._work.wait()
            time.sleep(_PATIENCE)
            now = time.monotonic()
            with self._lock:
                for cut in self._cuts:
                    if now >= cut.deadline and not cut.pulled:
                        cut.pull("timeout")
                    if now >= cut.slow_at and cut.on_slow:
                        cut.on_slow()
                        cut.on_slow = None
                if not self._cuts:
                    self._work.clear()


_running = threading.local()  # .cut: the brake of the download that this thread is at


class _Judged:
    """For a urllib3 connection: dials for itself, and shows its socket to the watchdog."""

    public_only: ClassVar[bool]

    def _new_conn(self) -> socket.socket:
        cut: Cut = _running.cut
        cut.opened = True
        host, port = cut.told or (self._dns_host, self.port)  # type: ignore[attr-defined]
        return dial(host, port, cut, self.public_only and not cut.told)

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _running.cut.sock = self.sock  # type: ignore[attr-defined]

    def request(self, *args: Any, **kwargs: Any) -> None:
        _running.cut.sock = self.sock  # type: ignore[attr-defined]
        super().request(*args, **kwargs)  # type: ignore[misc]


class _PublicHTTP(_Judged, HTTPConnection):
    public_only = True


class _PublicHTTPS(_Judged, HTTPSConnection):
    public_only = True


class _AnyHTTP(_Judged, HTTPConnection):
    public_only = False


class _AnyHTTPS(_Judged, HTTPSConnection):
    public_only = False


def dial(host: str, port: int, cut: Cut, public_only: bool) -> socket.socket:
    """A connected socket to one of the host's addresses.

    With `public_only`, an address that is not on the public internet is never connected to.
    Raises `FetchError` with kind dns, not_public, connect or timeout.
    """
    addresses = resolve(host.strip("[]"), port, cut)
    if public_only:
        judged = [one for one in addresses if guard.is_public(str(one[4][0]))]
        if not judged:
            found = str(addresses[0][4][0])
            where = host if found == host.strip("[]") else f"{host} is {found}, which"
            raise FetchError(cut.url, "not_public", f"{where} is not on the public internet")
        addresses = judged
    problem = ""
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        cut.sock = sock
        try:
            sock.settimeout(min(cut.left, CONNECT_TIMEOUT))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            problem = f"{address[0]} port {port}: {error.strerror or 'no answer'}"
        except FetchError:
            sock.close()
            raise
    raise FetchError(cut.url, "connect", f"cannot connect to {problem}")


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]


def resolve(host: str, port: int, cut: Cut) -> list[_Address]:
    """The addresses of a host name. In a thread of its own: getaddrinfo cannot be interrupted and has been
    seen to take a minute. Raises `FetchError` with kind dns or timeout."""
    lookup = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    if ":" in host or host.replace(".", "").isdigit():
        return _found(host, cut, _try(lookup))
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_try(lookup)), name=f"dns-{host}"[:40], daemon=True).start()
    while True:
        try:
            return _found(host, cut, answers.get(timeout=min(cut.left, _PATIENCE)))
        except queue.Empty:
            continue


def _try(lookup: Any) -> list[Any] | Exception:
    try:
        found: list[Any] = lookup()
    except (OSError, UnicodeError, ValueError) as error:
        return error
    return found


def _found(host: str, cut: Cut, answer: list[Any] | Exception) -> list[_Address]:
    if isinstance(answer, Exception) or not answer:
        raise FetchError(cut.url, "dns", f"the host name {host} does not resolve")
    return answer


class _Adapter(HTTPAdapter):
    """requests' adapter with our connections and one TLS context, which always verifies."""

    def __init__(self, public_only: bool, tls: ssl.SSLContext, pools: int, at_once: int) -> None:
        self._public_only = public_only
        self._tls = tls
        super().__init__(pool_connections=pools, pool_maxsize=at_once)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **kwargs)
        plain, secure = (_PublicHTTP, _PublicHTTPS) if self._public_only else (_AnyHTTP, _AnyHTTPS)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_HTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_HTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the shared context verifies; what requests would do here is load the CA bundle again."""

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The connections to the request's server. requests looks for a proxy here: 8 us of a request's 300."""
        parts = urlsplit(str(request.url))
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(
            parts.hostname, parts.port, parts.scheme
        )
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """A response of which only `raw` is looked at. requests looks for cookies and an encoding here: 15 us."""
        response = requests.Response()
        response.raw = resp
        return response


def tls_context() -> ssl.SSLContext:
    """The one context for all hosts: the CA certificates that requests would use, certificate and name verified."""
    return _context(
        os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    )


@functools.cache
def _context(bundle: str) -> ssl.SSLContext:
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


class Transport:
    """Connections to many hosts, shared by all threads."""

    def __init__(
        self, workers: int, at_once: int, resolve: Mapping[str, tuple[str, int]] | None = None
    ) -> None:
        """`at_once`: connections kept alive per host. `resolve`: host name -> (address, port) to connect to
        instead of asking DNS; trusted to be private."""
        self._resolve = resolve or {}
        tls = tls_context()
        # Two pools that never mix: a connection made to a private address must not serve a link to it.
        self._public = _Adapter(True, tls, 2 * workers, at_once)
        self._any = _Adapter(False, tls, 2 * workers, at_once)
        self.watchdog = Watchdog()

    def close(self) -> None:
        self.watchdog.stop()
        self._public.close()
        self._any.close()

    def get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        private: bool,
        limit: int,
        html: bool,
        seconds: float,
        on_slow: Callable[[], None],
    ) -> Answer:
        """One GET of an http(s) URL, no redirects followed.

        `private`: the address may be on a private network. `limit`: cap on the decoded bytes of a 200.
        `html`: refuse a 200 that is evidently not a page, before reading it. `seconds`: for all of it.
        `on_slow` is called, from another thread, when it takes longer than SLOW_AFTER. Raises `FetchError`.
        """
        cut = Cut(url, seconds, on_slow, self._resolve.get(urlsplit(url).hostname or ""))
        self.watchdog.watch(cut)
        _running.cut = cut
        try:
            try:
                return self._get(url, headers, private, limit, html, cut)
            except requests.ConnectionError as error:
                # The server closed a kept-alive connection just as we asked: once more (RFC 9112 9.3.1).
                if cut.opened or cut.pulled or not _is_reset(error):
                    raise
                cut.opened = True
                return self._get(url, headers, private, limit, html, cut)
        except FetchError:
            raise
        except Exception as error:
            raise (cut.error() if cut.pulled else _classified(url, error)) from error
        finally:
            self.watchdog.leave(cut)

    def _get(
        self, url: str, headers: Mapping[str, str], private: bool, limit: int, html: bool, cut: Cut
    ) -> Answer:
        adapter = self._any if private else self._public
        response = adapter.send(_prepared(url, headers), stream=True, timeout=cut.left)
        raw: urllib3.HTTPResponse = response.raw
        try:
            status = raw.status
            kept: dict[str, str] = {}
            for name, value in raw.headers.items():
                name = name.lower()
                kept[name] = f"{kept[name]}, {value}" if name in LISTS and name in kept else value
            if status in WHOLE:
                content = self._whole(raw, kept, limit, html, url)
            elif status == 304:
                content = b""
                if kept.get("content-length", "0") != "0" or "transfer-encoding" in kept:
                    raw.close()  # what it announces and may not send would be read as the next request's answer
                else:
                    raw.drain_conn()
            else:
                if status < 200:  # 103 Early Hints: the true answer follows, and would be the next request's
                    raw.close()
                cut.deadline = min(cut.deadline, time.monotonic() + REST)
                content = self._beginning(raw, kept)
                if cut.pulled == "timeout":
                    raw.close()
                    return Answer(status, kept, content, raw.tell())
            if cut.pulled:
                raise cut.error()  # http.client takes a socket that was shut for the end of the answer
            return Answer(status, kept, content, raw.tell())
        except BaseException:
            raw.close()
            raise
        finally:
            raw.release_conn()

    @staticmethod
    def _whole(
        raw: urllib3.HTTPResponse, headers: Mapping[str, str], limit: int, html: bool, url: str
    ) -> bytes:
        if html and not _may_be_html(headers):
            raise FetchError(url, "not_html", f"the page is {headers['content-type'][:60]}", status=200)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            raise FetchError(url, "too_big", f"{int(length):,} bytes, and {limit:,} is the limit", status=200)
        try:
            names = body.codings(headers.get("content-encoding"))
            whole = body.decode(raw.stream(_CHUNK, decode_content=False), names, limit)
        except body.TooBig as error:
            raise FetchError(url, "too_big", f"{error}, which is the limit", status=200) from error
        except body.BadCoding as error:
            raise FetchError(url, "bad_encoding", str(error), status=200) from error
        except body.Incomplete as error:
            raise FetchError(url, "incomplete", str(error), status=200) from error
        if html and whole.startswith(_NOT_HTML):
            raise FetchError(url, "not_html", "the page is a file of another kind, sent as HTML", status=200)
        return whole

    @staticmethod
    def _beginning(raw: urllib3.HTTPResponse, headers: Mapping[str, str]) -> bytes:
        """The first bytes of an answer that is not news. That it may be broken too does not matter."""
        try:
            names = body.codings(headers.get("content-encoding"))
            return body.decode(raw.stream(_CHUNK, decode_content=False), names, ERROR_BODY)
        except (body.TooBig, body.BadCoding, body.Incomplete, HTTPError, OSError):
            raw.close()
            return b""


def _prepared(url: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
    """A request without what Session adds: cookies, netrc passwords, a proxy from the environment."""
    prepared = requests.PreparedRequest()
    prepared.method = "GET"
    prepared.headers = CaseInsensitiveDict(headers)
    if url.isascii():
        prepared.url = fetchable(url)
    else:
        prepared.prepare_url(fetchable(url), None)
    return prepared


def _may_be_html(headers: Mapping[str, str]) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return not kind or kind in ("text/plain", "application/xml", "text/xml") or "html" in kind


def _is_reset(error: BaseException) -> bool:
    return any(isinstance(one, (ConnectionResetError, BrokenPipeError)) for one in _chain(error))


def _classified(url: str, error: BaseException) -> FetchError:
    """The `FetchError` for what requests, urllib3 or the socket raised."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, (ssl.SSLError, SSLError, ssl.CertificateError)):
            return FetchError(url, "tls", f"TLS: {_reason(one)}")
    for one in chain:
        if isinstance(one, (TimeoutError, urllib3.exceptions.TimeoutError)):
            return FetchError(url, "timeout")
        if isinstance(one, urllib3.exceptions.InvalidChunkLength):
            return FetchError(url, "bad_http", "the answer's chunks are broken")
        if isinstance(one, (urllib3.exceptions.IncompleteRead, http.client.IncompleteRead)):
            return FetchError(url, "incomplete")
        if isinstance(one, (ConnectionResetError, BrokenPipeError)):
            return FetchError(url, "incomplete", "the server closed the connection")
    if isinstance(error, (requests.exceptions.InvalidURL, UnicodeError)):
        return FetchError(url, "bad_url")
    if any("ended prematurely" in str(one) for one in chain):
        return FetchError(url, "incomplete")
    if isinstance(error, (requests.RequestException, HTTPError, OSError, ValueError)):
        return FetchError(url, "bad_http", f"not valid HTTP: {_reason(chain[-1])}")
    raise error


def _reason(error: BaseException) -> str:
    return str(getattr(error, "reason", None) or error)[:200]


def _chain(error: BaseException | None) -> list[BaseException]:
    """The exception and everything it wraps, outermost first; causes hide in args and `reason`."""
    found: list[BaseException] = []
    todo = [error]
    while todo:
        one = todo.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            todo += [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]
    return found
