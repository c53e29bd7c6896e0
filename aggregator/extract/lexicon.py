"""Learned words: which class names and which words of short lines go with article text, and which do not.

A weight is a log-odds ratio: 0 says nothing, +2 "seven times as likely article as furniture", -2 the opposite.
Made by benchmarks/train_extraction.py; every word was seen on several sites, and each site has one vote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

Sums = tuple[float, int, float, float]  # sum, number, smallest, largest

NOTHING: Sums = (0.0, 0, 0.0, 0.0)
MAX_LINE = 300  # characters of a line whose words are looked up; longer ones are told by their shape
_MAX_CACHE = 20_000

_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


class Lexicon:
    """`near`: words in the class names of an element and its parent; `far`: of what is further up;
    `words`: words of a short line."""

    def __init__(
        self, near: Mapping[str, float], far: Mapping[str, float], words: Mapping[str, float]
    ) -> None:
        self._near = near
        self._far = far
        self._words = words
        self._names: dict[str, tuple[Sums, Sums]] = {}

    def name(self, name: str) -> tuple[Sums, Sums]:
        """Sums of the near and far weights of a class name's words."""
        found = self._names.get(name)
        if found is None:
            if len(self._names) > _MAX_CACHE:
                self._names.clear()
            words = name_words(name)
            found = self._names[name] = (_sums(words, self._near), _sums(words, self._far))
        return found

    def line(self, bag: set[str]) -> Sums:
        """Sums of the weights of a line's different words."""
        return _sums(bag & self._words.keys(), self._words)


def name_words(name: str) -> list[str]:
    return [word.lower() for word in _NAME.findall(name[:300]) if 2 < len(word) < 20]


def line_words(bag: set[str]) -> set[str]:
    """Of the different words of a line, those that get a weight."""
    return {word for word in bag if len(word) > 1 and word.isalpha()}


def _sums(words: list[str] | set[str], weights: Mapping[str, float]) -> Sums:
    found = [weights[word] for word in words if word in weights]
    return (sum(found), len(found), min(found), max(found)) if found else NOTHING


def add(one: Sums, other: Sums) -> Sums:
    if not other[1]:
        return one
    if not one[1]:
        return other
    return (one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3]))


@cache
def learned() -> Lexicon:
    """The lexicon that ships with the package."""
    data = json.loads(resources.files(__package__).joinpath("lexicon.json").read_text("utf-8"))
    return Lexicon(data["near"], data["far"], data["words"])
