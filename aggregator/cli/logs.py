"""Log lines on stderr, for the daemon and for -vv."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime

from aggregator.cli.output import visible

TROUBLE, ROUNDS, EVERYTHING = logging.WARNING, logging.INFO, logging.DEBUG


def write(level: int, form: str = "text") -> None:
    """Write what is logged from `level` on: as text, with the time unless the journal adds its own, or as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        _Json()
        if form == "json"
        else _OneLine("%(message)s" if "JOURNAL_STREAM" in os.environ else "%(asctime)s %(message)s")
    )
    logger = logging.getLogger("aggregator")
    logger.handlers[:] = [handler]
    logger.setLevel(level)


class _Json(logging.Formatter):
    """One JSON object a line: `at`, `level`, `message`, and what the line is about where that is known by name."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)  # ASCII only: control characters of strangers are escaped


class _OneLine(logging.Formatter):
    """Log lines without what a terminal would obey: they hold titles and messages of strangers."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))
