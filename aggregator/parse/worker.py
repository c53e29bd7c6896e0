"""Reading in a process that can be killed: the last defence, for documents nobody thought of yet.

Why not multiprocessing's own pools: they import the caller's main module again, which fails under `python -` and runs
scripts without a main guard twice; and they have no limit of time or memory per task.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import Any, NamedTuple

from aggregator.errors import ParseError
from aggregator.model import ParsedFeed

#: Bytes a worker may add to what it starts with. A feed of 10 MB takes 40 MB, JSON of many small items ten times its
#: size.
MEMORY = 64 * 2**20
#: Bytes of memory with which a worker is replaced after its task, since Python rarely gives memory back.
RETIRE = 64 * 2**20
NICE = 5  # what takes long to read gives way to what does not
WALL = 10  # times the CPU seconds: a worker that sleeps or swaps is stuck too

Task = Callable[..., ParsedFeed]


class WorkerDied(Exception):
    """The process ended, or was killed, before it answered: too much CPU time or memory."""


class Worker:
    """One process that runs tasks, one at a time. Not safe to share among threads."""

    def __init__(self) -> None:
        self._channel, theirs = Pipe()
        path = os.pathsep.join(entry for entry in sys.path if entry)
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    f"from aggregator.parse import worker; worker.serve({theirs.fileno()})",
                ],
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self.alive = True

    def run(self, seconds: float, task: Task, *args: object) -> ParsedFeed:
        """`task(*args)`, within so many seconds of CPU time. Raises WorkerDied, and the task's ParseError."""
        try:
            self._channel.send((seconds, task, args))
            if not self._channel.poll(seconds * WALL):
                raise WorkerDied(f"no answer within {seconds * WALL:.0f} s")
            answer, self.alive = self._channel.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise WorkerDied(f"more than {seconds:g} s of CPU time") from error
        except WorkerDied:
            self.close()
            raise
        if not self.alive:
            self.close()
        if answer is None:
            raise WorkerDied(f"more than {MEMORY >> 20} MB of memory")
        if isinstance(answer, ParsedFeed):
            return answer
        url, kind, message = answer
        raise ParseError(url, kind, message)

    def kill(self) -> None:
        """End the process under whoever waits for it, in another thread: `run` raises WorkerDied there."""
        self._process.kill()

    def close(self) -> None:
        self.alive = False
        self._channel.close()
        self._process.kill()
        self._process.wait()


def serve(descriptor: int) -> None:
    """The process's life: read a task, answer it, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the channel
    with contextlib.suppress(OSError):  # where a service manager forbids it
        os.nice(NICE)
    import feedparser  # noqa: F401  # before the limits are set; the only other door is syndication

    limit = _memory().virtual + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    channel: Connection[Any, Any] = Connection(descriptor)
    while True:
        try:
            seconds, task, args = channel.recv()
        except EOFError:
            return
        # The default action of SIGPROF is to end the process: that works within a regular expression, too.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        answer: ParsedFeed | tuple[str, str, str] | None
        try:
            answer = task(*args)
        except ParseError as error:
            answer = error.url, error.kind, error.message
        except MemoryError:
            answer = None
        signal.setitimer(signal.ITIMER_PROF, 0)
        stays = answer is not None and _memory().resident < RETIRE
        channel.send((answer, stays))


class _Memory(NamedTuple):
    virtual: int
    resident: int


def _memory() -> _Memory:
    """Bytes in use now; ru_maxrss would tell of the parent's too, which was forked. Linux; elsewhere a guess."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            virtual, resident, *_ = (int(pages) * resource.getpagesize() for pages in statm.read().split())
    except OSError:
        return _Memory(2**30, 0)
    return _Memory(virtual, resident)
