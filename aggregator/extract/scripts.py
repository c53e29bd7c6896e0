"""Pages that are put together by a script in the reader's browser: the article is in it, as one string of HTML, or as
data that has a string for each paragraph; or JSON-LD has it.

Looked at only where the page itself holds no article. The string is the longest one with paragraphs in it. The
paragraphs are the strings at that place of the data (all items of a list are one place) which holds most prose. Strings
beside a headline or an address are teasers of other stories.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from .evidence import Evidence
from .features import PROSE
from .tree import SENTENCE_END

MIN_ARTICLE = 600  # characters of markup that can be an article
MAX_SCRIPT = 2_000_000  # characters of one script that are looked at
_STRING = re.compile(rf'(?<!\\)"((?:[^"\\]|\\.){{{MIN_ARTICLE},}}+)"', re.S)  # no look back: 98 kB took 26 s
MIN_PROSE = 3  # sentences at one place that can be an article
PROSE_SHARE = 1 / 3  # of the strings there: sub-headings and list items are none
DEEPEST = 40  # levels of data
#: What an object has that stands for another page, and so holds its teaser.
_TEASER = frozenset(("headline", "href", "link", "path", "permalink", "slug", "thumbnail", "title", "url"))
_OBJECT = re.compile(r"[{]\s*\"")
_PARAGRAPHS = re.compile(r"<(?:p|br|div)\b", re.I)


def article(root: Any, facts: Evidence) -> str | None:
    """The markup of the article in the page's scripts, or None."""
    return _string(root) or _marked_up(_data(root)) or _marked_up(_declared(facts))


def _marked_up(paragraphs: Sequence[str]) -> str:
    return "".join(f"<p>{text if '<' in text else escape(text)}</p>" for text in paragraphs)


def _declared(facts: Evidence) -> list[str]:
    """The paragraphs that JSON-LD has, if all may read them."""
    if any(str(item.get("isAccessibleForFree")).lower() == "false" for item in facts.articles):
        return []
    bodies = [value for value in facts.article("articleBody") if isinstance(value, str)]
    return [line for line in max(bodies, key=len, default="").split("\n") if line.strip()]


def _data(root: Any) -> list[str]:
    """The paragraphs that a script's data has."""
    best: list[str] = []
    for script in root.iter("script"):
        source = script.text or ""
        begin = _OBJECT.search(source)
        if begin is None or len(source) > MAX_SCRIPT or "ld+json" in (script.get("type") or ""):
            continue
        try:
            data = json.JSONDecoder(strict=False).raw_decode(source, begin.start())[0]
        except (ValueError, RecursionError):
            continue
        places: dict[tuple[str, ...], dict[tuple[str, ...], list[str]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for place, at, text in _strings(data, (), ()):
            places[place][at].append(text)
        for groups in places.values():
            # Where each paragraph is a list of pieces, as of what is bold in it and what is not, they are joined.
            pieces = list(groups.values())
            if len(pieces) < MIN_PROSE:
                pieces = [[text] for texts in pieces for text in texts]
            texts = ["".join(of) for of in pieces]
            prose = [text for text in texts if _is_prose(text)]
            if len(prose) >= max(MIN_PROSE, PROSE_SHARE * len(texts)) and _size(prose) > _size(best):
                best = texts
    return best


def _is_prose(text: str) -> bool:
    return len(text.encode(errors="replace")) >= PROSE and SENTENCE_END.search(text) is not None


def _size(texts: Sequence[str]) -> int:
    return sum(map(len, texts))


def _strings(
    value: Any, place: tuple[str, ...], at: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """The strings in data: the place, where it is without the number of the last list, and the string."""
    if len(place) > DEEPEST:
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, (*place, "*"), (*at, str(number)))
    elif isinstance(value, dict):
        is_teaser = not _TEASER.isdisjoint(value)
        for key, item in value.items():
            if is_teaser and isinstance(item, str):
                continue
            of_many = any(map(str.isdigit, key))  # "Paragraph:17" and the like: one of a list
            yield from _strings(item, (*place, "*" if of_many else key), (*at, key))
    elif isinstance(value, str) and value.strip():
        numbers = [i for i, step in enumerate(place) if step == "*"]
        yield place, at[: numbers[-1]] if numbers else at, value


def _string(root: Any) -> str | None:
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
