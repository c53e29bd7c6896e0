"""Where extraction runs: here for a handful of pages, in worker processes for many.

Extraction is 93 % of the CPU of a new article, and pure: a process pool scales it by cores. Starting workers costs
about half a second of CPU each, so a quiet round starts none.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

from aggregator.model import Settings

T = TypeVar("T")
Job = tuple[Any, ...]

#: Jobs in one round from which worker processes pay. A page takes some 20 ms, two workers some 1 s to start.
WORTH_IT = 100
#: Jobs handed out ahead of the one whose result is waited for: bounds the pages held in memory.
AHEAD = 16


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))


@contextmanager
def _unheard() -> Iterator[None]:
    """Processes started in here do not hear Ctrl-C, which reaches every process of a terminal: who ends the workers is
    the process that started them. A blocked signal is inherited, so they are deaf before their first line; one that
    was interrupted while it started up took all the others with it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _submit(pool: ProcessPoolExecutor, function: Callable[..., T], job: Job) -> Future[T]:
    with _unheard():  # the pool starts its processes as jobs come
        return pool.submit(function, *job)


class Workers:
    """Runs pure functions on many inputs. Nothing is started before it is needed."""

    def __init__(self, settings: Settings) -> None:
        self._processes = settings.processes or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def map(
        self, function: Callable[..., T], jobs: Iterable[Job], expected: int, died: Callable[[Job], T]
    ) -> Iterator[T]:
        """`function(*job)` for every job, in their order; `jobs` is consumed as it comes.

        `expected`: about how many jobs there are. `died`: what stands for the result of a job that killed its
        worker process twice (out of memory).
        """
        if expected < WORTH_IT or not self._start():
            for job in jobs:
                yield function(*job)
            return
        waiting: deque[tuple[Future[T], Job]] = deque()
        for job in jobs:
            waiting.append((self._submit(function, job), job))
            if len(waiting) > AHEAD:
                yield self._result(function, *waiting.popleft(), died)
        while waiting:
            yield self._result(function, *waiting.popleft(), died)

    def _start(self) -> bool:
        """Whether there are worker processes. There can be none where a script has no `__main__` guard: each worker
        would run the script again, and dies of it. Then everything runs here."""
        if self._pool is None and self._processes > 1:
            self._pool = _pool(self._processes)
            try:
                _submit(self._pool, os.getpid, ()).result()
            except BrokenProcessPool:
                self._pool, self._processes = None, 1
        return self._pool is not None

    def _submit(self, function: Callable[..., T], job: Job) -> Future[T]:
        assert self._pool is not None
        try:
            return _submit(self._pool, function, job)
        except BrokenProcessPool:
            self._pool = _pool(self._processes)
            return _submit(self._pool, function, job)

    def _result(self, function: Callable[..., T], future: Future[T], job: Job, died: Callable[[Job], T]) -> T:
        """A result; a job whose worker died is tried once more, alone: another may have killed it."""
        try:
            return future.result()
        except BrokenProcessPool:
            with _pool(1) as alone:
                try:
                    return _submit(alone, function, job).result()
                except BrokenProcessPool:
                    return died(job)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
