"""Log lines on stderr, for the daemon and for -vv."""

from __future__ import annotations

import logging
import os

from aggregator.cli.output import visible

TROUBLE, ROUNDS, EVERYTHING = logging.WARNING, logging.INFO, logging.DEBUG


def write(level: int) -> None:
    """Write what is logged from `level` on, with the time unless the journal adds its own."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        _OneLine("%(message)s" if "JOURNAL_STREAM" in os.environ else "%(asctime)s %(message)s")
    )
    logger = logging.getLogger("aggregator")
    logger.handlers[:] = [handler]
    logger.setLevel(level)


class _OneLine(logging.Formatter):
    """Log lines without what a terminal would obey: they hold titles and messages of strangers."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))
