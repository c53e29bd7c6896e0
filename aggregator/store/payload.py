"""An `Entry` as JSON, for the time between "a feed listed it" and "its story is stored"."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime

from aggregator.model import Entry


def dump_entry(entry: Entry) -> str:
    def plain(value: object) -> object:
        return value.isoformat() if isinstance(value, datetime) else value

    fields = {f.name: getattr(entry, f.name) for f in dataclasses.fields(entry)}
    return json.dumps({k: plain(v) for k, v in fields.items() if v not in (None, "", ())}, ensure_ascii=False)


def load_entry(payload: str) -> Entry:
    fields = json.loads(payload)
    for name in ("published", "updated"):
        if name in fields:
            fields[name] = datetime.fromisoformat(fields[name])
    for name in ("authors", "tags"):
        fields[name] = tuple(fields.get(name, ()))
    return Entry(**{"guid": None, "url": None, "title": "", **fields})
