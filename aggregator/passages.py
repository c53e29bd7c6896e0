"""Where the words of a search stand in a text. Pure; for the terminal and for the newsroom."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Letters of a word that must be there. Search takes endings away (ferry finds ferries), so the last ones may differ.
STEM, ENDING = 4, 2


def hits(text: str, search: str) -> Iterator[tuple[int, int]]:
    """The words of the text, as (start, end), that a search for `search` may have meant."""
    words = re.findall(r"\w+", search)
    stems = [
        re.escape(word[: max(STEM, len(word) - ENDING - word.lower().endswith("ies"))]) for word in words
    ]
    if stems:
        for match in re.finditer(rf"\b(?:{'|'.join(stems)})\w*", text, re.IGNORECASE):
            yield match.span()


def passage(text: str, search: str, limit: int = 220) -> list[tuple[str, bool]]:
    """The stretch of the text where a searched word stands first, cut between words: pieces, each with whether it is
    such a word. Empty where there is none (then the headline has it)."""
    found = list(hits(text, search))
    if not found:
        return []
    start = max(0, found[0][0] - limit // 3)
    if start:
        start = text.find(" ", start, found[0][0]) + 1 or found[0][0]
    end = min(len(text), start + limit)
    if end < len(text):
        end = max(text.rfind(" ", start, end), found[0][1])
    pieces, at = [("\u2026" if start else "", False)], start
    for first, last in found:
        if last > end:
            break
        pieces += [(text[at:first], False), (text[first:last], True)]
        at = last
    rest = text[at:end]
    pieces.append((rest.rstrip(" \n.,;:") + "\u2026" if end < len(text) else rest, False))
    return [(" ".join(f"|{piece}|".split())[1:-1], hit) for piece, hit in pieces if piece]
