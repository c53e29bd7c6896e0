"""What the processes of one database know of each other: when each host was asked last, and until when not to ask it.

    daemon ----.
               +---> news.db.pace: host -> last start or end, two running requests, Retry-After
    fetch -----'

A file of fixed size beside the database, read and written under a lock (`flock`) of some microseconds. Not a table:
a request must not wait for a writer of the database, nor cost a transaction (this: 20 us a request, measured). A
process that is killed leaves nothing to be tidied: its lock goes with it, its requests are over at their deadline.

Times are monotonic, which is one clock for all processes since the machine started; what was written before that
lies far in the future, and is passed over. Only a Retry-After is in Unix time: it outlives a restart of the machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aggregator.fetch.hosts import MAX_HOLD, MOST_AT_ONCE, SLOW

#: Hosts the file has room for: 640 kB, of which only what is used takes up the disk.
SLOTS = 16_384
#: Slots in which a host may stand. When all are taken the one asked longest ago makes room.
PROBES = 8
#: Seconds that a request is believed to run at most: what is said to end later was written before a restart.
LONGEST = 600.0
#: Seconds that a start or end may lie in the future: the clock is read before the lock is had, and another process may
#: have been quicker. What is further ahead was written before a restart.
QUICKER = 5.0
#: Seconds until a host is looked at again that another process is busy with.
AGAIN = 0.1


def pace_file(database: str | Path) -> Path | None:
    """Where the processes that work on a database keep their distance together; None for one in memory."""
    return None if str(database) == ":memory:" else Path(f"{database}.pace")


_SLOT = struct.Struct("<Q4d")


@dataclass(slots=True)
class _Entry:
    key: int
    last: float  # monotonic: when a request began or ended last
    ends: list[float]  # monotonic: when the requests that run now will be over at the latest
    hold_until: float  # Unix time


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to `take`: ours until `until`, or to be asked for again at `again_at` (both monotonic)."""

    until: float = 0.0
    again_at: float = 0.0
    hold_until: float = 0.0  # Unix time: the host asks for patience, as another process was told


class Pace:
    """One process's view of the file. The caller locks among its threads.

    `path` None: there are no other processes. A file that cannot be used (the disk is full) stops nothing: the
    distance is then kept within this process only.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = None
        if path is not None:
            with contextlib.suppress(OSError):
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def take(self, name: str, now: float, clock: float, spacing: float, seconds: float) -> Turn:
        """The right to ask the host once, for `seconds` at most, if no process has asked it within `spacing`."""
        with contextlib.suppress(OSError), self._locked():
            place, entry = self._find(name)
            if 0 < entry.hold_until - clock <= MAX_HOLD:
                return Turn(again_at=now, hold_until=entry.hold_until)
            running = [end for end in entry.ends if now < end <= now + LONGEST]
            last = entry.last if entry.last <= now + QUICKER else float("-inf")
            ready = last + (max(spacing, SLOW) if running else spacing)
            if len(running) >= MOST_AT_ONCE:
                ready = max(ready, min(running))
            if now < ready:
                # A request that runs may be over any time, and then its host is free before SLOW is.
                again = max(last + spacing, now + AGAIN) if running else ready
                return Turn(again_at=min(again, ready))
            entry.last, entry.ends = now, [*running, now + seconds]
            self._write(place, entry)
            return Turn(until=now + seconds)
        return Turn(until=now + seconds)

    def give_back(self, name: str, until: float, now: float) -> None:
        """The request that had its turn `until` then is over."""
        with contextlib.suppress(OSError), self._locked():
            place, entry = self._find(name)
            if until in entry.ends:
                entry.ends.remove(until)
                entry.last = now
                self._write(place, entry)

    def hold(self, name: str, until: float) -> None:
        """Nobody is to ask the host until then (Unix time)."""
        with contextlib.suppress(OSError), self._locked():
            place, entry = self._find(name)
            entry.hold_until = until
            self._write(place, entry)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if self._file is None:
            raise OSError("no file")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _find(self, name: str) -> tuple[int, _Entry]:
        """The host's place in the file and what stands there; that of the host asked longest ago if it has none."""
        assert self._file is not None
        key = (
            int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "little")
            or 1
        )
        first = key % (SLOTS - PROBES + 1) * _SLOT.size
        data = os.pread(self._file, PROBES * _SLOT.size, first).ljust(PROBES * _SLOT.size, b"\0")
        found = list(_SLOT.iter_unpack(data))
        for n, (known, last, one, two, hold_until) in enumerate(found):
            if known == key:
                return first + n * _SLOT.size, _Entry(key, last, [one, two], hold_until)
        oldest = min(range(PROBES), key=lambda n: found[n][1])
        return first + oldest * _SLOT.size, _Entry(key, float("-inf"), [], 0.0)

    def _write(self, place: int, entry: _Entry) -> None:
        assert self._file is not None
        one, two, *_ = [*entry.ends, 0.0, 0.0]
        os.pwrite(self._file, _SLOT.pack(entry.key, entry.last, one, two, entry.hold_until), place)
