"""How a round shows itself while it runs, on stderr: bars on a terminal, lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aggregator.cli.output import count, one_line, say

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from aggregator.model import Progress

Watcher = Callable[["Progress"], None]

_NAMES = {"feeds": "Feeds", "history": "Older pages", "pages": "Pages", "texts": "Texts"}


@contextmanager
def watching(verbosity: int) -> Iterator[Watcher]:
    """What to give to `pipeline.run` as `progress`."""
    if verbosity < 0:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bars() as bars:
            tasks: dict[str, TaskID] = {}
            yield lambda step: _move(bars, tasks, step, verbosity)
    else:
        yield lambda step: _line(step, verbosity)


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32, complete_style="cyan", finished_style="green"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[title]}", markup=False, style="dim"),
        console=Console(stderr=True),
        transient=True,
    )


def _move(bars: Bars, tasks: dict[str, TaskID], step: Progress, verbosity: int) -> None:
    if step.stage not in tasks:
        tasks[step.stage] = bars.add_task(_NAMES[step.stage], total=step.total, title="")
    bars.update(tasks[step.stage], completed=step.done, total=step.total, title=one_line(step.title)[:40])
    if verbosity > 0:
        bars.console.out(_words(step), highlight=False)


def _line(step: Progress, verbosity: int) -> None:
    """A feed with news; every feed and page with -v. Feeds in trouble are told at the end, with what to know."""
    if verbosity > 0 or (step.stage in ("feeds", "history") and step.news):
        say(_words(step))


def _words(step: Progress) -> str:
    from aggregator.errors import without_password

    told = step.problem or (
        f"{step.news} new" if step.news else "nothing new" if step.stage in ("feeds", "history") else "read"
    )
    return f"{one_line(without_password(step.title))}: {one_line(told)}"


@contextmanager
def counting(noun: str, verbosity: int) -> Iterator[Callable[[], None]]:
    """A counter for work of unknown length; call what it yields once for each piece."""
    if verbosity < 0 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=None)
        done = 0

        def one_more() -> None:
            nonlocal done
            done += 1
            if done % 100 == 0:
                bar.update(task, description=count(done, noun))

        yield one_more
