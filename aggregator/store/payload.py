"""Dataclasses as JSON: an `Entry` until its story is stored, a feed's `RefreshHints` until the next document."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime

from aggregator.model import Entry, RefreshHints

_FIELDS = tuple(field.name for field in dataclasses.fields(Entry))
#: ASCII: halves of characters, which JSON feeds can name, survive in it and are no text that SQLite takes.
_encode = json.JSONEncoder(default=datetime.isoformat).encode


def dump_entry(entry: Entry) -> str:
    return _encode({name: value for name in _FIELDS if (value := getattr(entry, name))})


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
