"""Where extraction runs: here for a handful of pages, in worker processes for many.

Extraction is 93 % of the CPU of a new article, and pure: a process pool scales it by cores. Starting workers costs
about half a second of CPU each, so a quiet round starts none.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from types import TracebackType
from typing import ParamSpec, TypeVar

from aggregator.model import Settings

P = ParamSpec("P")
T = TypeVar("T")

#: Jobs in one round from which worker processes pay. A page takes some 20 ms, two workers some 1 s to start.
WORTH_IT = 100


class Workers:
    """Runs pure functions on many inputs. Nothing is started before it is needed."""

    def __init__(self, settings: Settings) -> None:
        self._processes = settings.processes or os.cpu_count() or 1
        self._executor: Executor | None = None

    def map(
        self, function: Callable[..., T], jobs: Iterable[tuple[object, ...]], expected: int
    ) -> Iterator[T]:
        """`function(*job)` for every job, in their order; `jobs` is consumed as it comes (it may be a slow generator).

        `expected`: about how many jobs there are.
        """
        if self._processes == 1 or expected < WORTH_IT:
            for job in jobs:
                yield function(*job)
            return
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self._processes, multiprocessing.get_context("spawn"))
        futures = [self._executor.submit(function, *job) for job in jobs]
        for future in futures:
            yield future.result()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
