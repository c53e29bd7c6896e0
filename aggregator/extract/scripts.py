"""Pages that are put together by a script in the reader's browser: the article is a string in it, as HTML.

Looked at only where the page itself holds no article. The string is the longest one with paragraphs in it.
"""

from __future__ import annotations

import json
import re
from typing import Any

MIN_ARTICLE = 600  # characters of markup that can be an article
MAX_SCRIPT = 2_000_000  # characters of one script that are looked at
_STRING = re.compile(rf'(?<!\\)"((?:[^"\\]|\\.){{{MIN_ARTICLE},}}+)"', re.S)  # no look back: 98 kB took 26 s
_PARAGRAPHS = re.compile(r"<(?:p|br|div)\b", re.I)


def article(root: Any) -> str | None:
    """The markup of the article in the page's scripts, or None."""
    found = [
        markup
        for script in root.iter("script")
        if script.text and "ld+json" not in (script.get("type") or "")
        for match in _STRING.finditer(script.text[:MAX_SCRIPT])
        if (markup := _markup(match[1]))
    ]
    return max(found, key=len, default=None)


def _markup(string: str) -> str | None:
    """What a string literal holds, if it is markup with paragraphs; scripts write strings into strings."""
    for _ in range(3):
        string = string.strip()
        if _PARAGRAPHS.match(string):
            return string
        if len(string) > 1 and string[0] == string[-1] == '"':
            string = string[1:-1]
        try:
            string = json.loads(f'"{string}"', strict=False)
        except ValueError:
            return None
    return None
