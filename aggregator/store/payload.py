"""Dataclasses as JSON: an `Entry` until its story is stored, a feed's `RefreshHints` until the next document."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime

from aggregator.model import Entry, RefreshHints


def dump_entry(entry: Entry) -> str:
    def plain(value: object) -> object:
        return value.isoformat() if isinstance(value, datetime) else value

    fields = {f.name: getattr(entry, f.name) for f in dataclasses.fields(entry)}
    # ASCII: halves of characters, which JSON feeds can name, survive in it and are no text that SQLite takes.
    return json.dumps({k: plain(v) for k, v in fields.items() if v not in (None, "", ())})


def load_entry(payload: str) -> Entry:
    fields = json.loads(payload)
    for name in ("published", "updated"):
        if name in fields:
            fields[name] = datetime.fromisoformat(fields[name])
    for name in ("authors", "tags"):
        fields[name] = tuple(fields.get(name, ()))
    return Entry(**{"guid": None, "url": None, "title": "", **fields})


def dump_hints(hints: RefreshHints) -> str | None:
    if hints == RefreshHints():
        return None
    return json.dumps([hints.ttl, hints.update_period, sorted(hints.skip_hours), sorted(hints.skip_days)])


def load_hints(text: str | None) -> RefreshHints:
    if not text:
        return RefreshHints()
    ttl, period, hours, days = json.loads(text)
    return RefreshHints(ttl, period, frozenset(hours), frozenset(days))
