"""Tutorial, smoke test and source of the screenshots: made-up outlets, fetched by the real pipeline.

    run(directory)      serve the outlets, fetch them in one real round, say what was found
    serve(directory)    serve them while a block runs: for tests, and to run other commands against them
    editions(base)      what they print: every page's exact text, and which pages are one story

The outlets are virtual hosts named *.example (RFC 2606) on one port of loopback, reached through
`Settings.resolve`: what is stored looks like the addresses of real outlets, and nothing leaves the machine.
The folder remembers when the outlets went to print, so a second run finds the same pages and adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aggregator import config, pipeline
from aggregator.demo.content import Edition, editions, outlets
from aggregator.demo.server import ADDRESS, serving, sites
from aggregator.errors import ConfigError, ConfigProblem
from aggregator.model import Config, Progress, Report
from aggregator.store import Store

__all__ = ["DIRECTORY", "DemoResult", "Edition", "editions", "run", "serve"]

DIRECTORY = Path(
    "aggregator-demo"
)  # apart from the user's own feeds.yaml and db/: made-up news stays out of them
_PRINTED_AT = "printed-at.txt"
_FEEDS_HEAD = """\
# Made-up outlets, to be reached only while `aggregator demo` runs. Two are in trouble on purpose.
feeds:
"""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What one run of the demo did, and what its database holds now."""

    directory: Path
    report: Report
    feeds: int  # that could be read
    entries: int
    articles: int
    copies: int

    @property
    def summary(self) -> str:
        """One sentence: "44 entries from 8 feeds: 20 articles, 24 copies folded away, 2 feeds failed"."""
        return (
            f"{self.entries} entries from {self.feeds} feeds: {self.articles} articles,"
            f" {self.copies} copies folded away, {self.report.feeds_failed} feeds failed"
        )


def run(
    directory: Path | str = DIRECTORY, *, progress: Callable[[Progress], None] | None = None
) -> DemoResult:
    """Serve the outlets and fetch all of them once into `directory` (made where missing).

    Raises `ConfigError` if `directory` holds a feeds.yaml that is not the demo's, `StoreError` if its
    database cannot be used, OSError if it cannot be written or no port can be listened on.
    """
    directory = Path(directory)
    with serve(directory) as settled, Store(directory / "db" / "news.db") as store:
        report = pipeline.run(settled, store, urls=[feed.url for feed in settled.feeds], progress=progress)
        totals = store.reading.totals(datetime.now(UTC))
    return DemoResult(
        directory=directory,
        report=report,
        feeds=len(settled.feeds) - report.feeds_failed,
        entries=totals["entries"],
        articles=totals["articles"],
        copies=totals["copies"],
    )


@contextmanager
def serve(directory: Path | str = DIRECTORY) -> Iterator[Config]:
    """Serve the outlets while the block runs.

    Yields what to run the pipeline with: the feeds.yaml in `directory` (written where missing), no delay
    between requests, and where the outlets really are. Raises as `run`.
    """
    directory = Path(directory)
    printed_at = _prepare(directory)
    loaded = config.load(directory / "feeds.yaml")
    with serving(sites(printed_at, today=datetime.now(UTC))) as port:
        resolve = {outlet.host: (ADDRESS, port) for outlet in outlets()}
        yield replace(loaded, settings=replace(loaded.settings, host_delay=0.0, resolve=resolve))


def _prepare(directory: Path) -> datetime:
    """Make the folder ready; returns when the outlets went to print: at the first run in this folder."""
    feeds_yaml, printed_at = directory / "feeds.yaml", directory / _PRINTED_AT
    if feeds_yaml.exists() and not printed_at.exists():
        hint = f"give the demo a folder of its own, such as {DIRECTORY}"
        raise ConfigError(str(feeds_yaml), [ConfigProblem(0, 0, "", "was not written by the demo", hint)])
    (directory / "db").mkdir(parents=True, exist_ok=True)
    if not printed_at.exists():
        printed_at.write_text(datetime.now(UTC).isoformat(timespec="minutes") + "\n")
    if not feeds_yaml.exists():
        feeds_yaml.write_text(_FEEDS_HEAD + "".join(_feed_lines()), encoding="utf-8")
    return datetime.fromisoformat(printed_at.read_text().strip())


def _feed_lines() -> Iterator[str]:
    for outlet in outlets():
        yield f"  - url: {outlet.feed_url}\n    title: {outlet.name}\n"
        if outlet.priority != 50:
            yield f"    priority: {outlet.priority}  # a text it has too is shown as it tells it\n"
