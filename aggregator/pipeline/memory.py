"""How this process's memory is to be managed: rounds have many threads and, now and then, a large document.

glibc gives each thread an arena of its own, which it fills and does not give back, and keeps what a large document
took: 5 MB after a first round over 600 feeds, and half of the 106 MB at the peak of one over 165 hostile feeds.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools

ARENAS = 2  # threads wait for each other in Python anyway
#: Bytes from which a piece of memory is a mapping of its own, which goes back when it is freed.
LARGE = 262_144

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # malloc.h


@functools.cache
def frugal() -> None:
    """Ask for little memory from now on. Does nothing where the C library is not glibc."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, LARGE)
