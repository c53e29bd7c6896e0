"""From the bytes on the wire to the bytes that were meant: content codings undone, under a cap."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator

MAX_CODINGS = 2  # real servers stack one; two happen behind careless proxies; forty are an attack
#: "none" and character sets are what servers say that mistook the header's meaning.
NO_CODING = frozenset({"", "identity", "none", "utf-8", "utf8"})
_PIECE = 65_536  # bytes inflated at a time: what bounds the memory of a bomb
_GZIP_MAGIC = b"\x1f\x8b"


class BadCoding(Exception):
    """The content coding cannot be undone; the message names it."""


class Incomplete(Exception):
    """The compressed stream ends before its end."""


class TooBig(Exception):
    """More decoded bytes than allowed."""


def codings(header: str | None) -> list[str]:
    """The codings of a Content-Encoding header in the order they were applied. Raises `BadCoding`."""
    names = [name.strip().lower() for name in (header or "").split(",")]
    names = ["gzip" if name == "x-gzip" else name for name in names if name not in NO_CODING]
    if len(names) > MAX_CODINGS:
        raise BadCoding(f"{len(names)} content codings on top of each other")
    for name in names:
        if name not in ("gzip", "deflate"):
            raise BadCoding(f"unknown content coding {name[:40]!r}")
    return names


def decode(chunks: Iterable[bytes], names: list[str], limit: int) -> bytes:
    """All of `chunks` with the codings undone, never holding more than `limit` decoded bytes.

    Raises `TooBig`, `BadCoding` and `Incomplete`.
    """
    for name in reversed(names):
        chunks = _inflated(chunks, name)
    whole = io.BytesIO()  # its getvalue() does not copy; joining a list took twice the memory
    for chunk in chunks:
        if whole.tell() + len(chunk) > limit:
            raise TooBig(f"more than {limit:,} bytes")
        whole.write(chunk)
    return whole.getvalue()


def _inflated(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """`chunks` unpacked, in pieces of at most _PIECE bytes; gzip may have several members (RFC 1952 2.2)."""
    unpack = None
    waiting = b""
    for chunk in chunks:
        # How a stream, or a further member, begins is told by its first two bytes: one of them alone waits.
        chunk = waiting + chunk
        waiting = b""
        while chunk:
            if len(chunk) < len(_GZIP_MAGIC) and (unpack is None or unpack.eof):
                waiting = chunk
                break
            if unpack is None:
                unpack = _unpacker(name, chunk)
            elif unpack.eof:
                if name != "gzip" or not chunk.startswith(_GZIP_MAGIC):
                    chunk = b""  # padding after the end: ignored, as browsers do
                    break
                unpack = _unpacker(name, chunk)
            try:
                piece = unpack.decompress(chunk, _PIECE)
            except zlib.error as error:
                raise BadCoding(f"not {name}, though the server says so") from error
            chunk = unpack.unconsumed_tail or unpack.unused_data
            if piece:
                yield piece
    if unpack is None and waiting:
        raise Incomplete(f"the {name} stream breaks off")
    if unpack is not None and not unpack.eof:
        # What zlib still holds back; bounded by its window.
        tail = unpack.decompress(unpack.unconsumed_tail, _PIECE)
        if tail:
            yield tail
        if not unpack.eof:
            raise Incomplete(f"the {name} stream breaks off")


def _unpacker(name: str, first: bytes) -> zlib._Decompress:
    if name == "gzip":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    # "deflate" means zlib (RFC 9110 8.4.1.2), but some servers send it bare; a zlib header is divisible by 31.
    is_zlib = len(first) >= 2 and first[0] & 0x0F == 8 and (first[0] << 8 | first[1]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
