"""Datasette 1.0 keeps in datasette.yaml what 0.65 keeps in metadata.yaml and settings.json: say it there too.

`python tests/datasette_yaml.py` writes aggregator/newsroom/datasette.yaml anew; a test tells when that is due.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

NEWSROOM = Path(__file__).parent.parent / "aggregator" / "newsroom"
HEAD = """\
# For Datasette 1.0 and later; 0.65 reads metadata.yaml and settings.json instead. This says the same as they do.
"""
#: What of a database and of a table is description, and stays in metadata.yaml.
DESCRIPTIONS = {"title", "description", "columns", "source", "license", "about"}


def configuration() -> dict[str, Any]:
    """The 1.0 form of what metadata.yaml and settings.json say."""
    metadata = yaml.safe_load((NEWSROOM / "metadata.yaml").read_text())
    news = metadata["databases"]["news"]
    tables = {
        name: {key: value for key, value in table.items() if key not in DESCRIPTIONS}
        for name, table in news["tables"].items()
    }
    return {
        "settings": json.loads((NEWSROOM / "settings.json").read_text()),
        "plugins": metadata["plugins"],
        "databases": {"news": {"queries": news["queries"], "tables": {n: t for n, t in tables.items() if t}}},
    }


class _Plain(yaml.SafeDumper):
    """No anchors, and long texts as they were written."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Plain.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def render() -> str:
    return HEAD + yaml.dump(configuration(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


if __name__ == "__main__":
    (NEWSROOM / "datasette.yaml").write_text(render())
