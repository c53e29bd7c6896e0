"""Boosted decision trees, learned offline, evaluated in plain Python.

The data is readable: a tree is `[feature, threshold, if not greater, if greater]` down to its leaves, which are
numbers; the score of a row is the sum of the leaves it reaches, a log-odds. Walking nested lists costs 29 us a
block for 150 trees; the same trees written as one Python expression and compiled once cost 8 us, so that is
what is done: from our own data file, with feature names checked, and nothing else goes into the expression.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from math import exp
from typing import Any

Scorer = Callable[..., float]  # takes the numbers of a row one by one: names are read faster than items


def compile_trees(trees: Sequence[Any], names: Sequence[str], bias: float = 0.0) -> Scorer:
    """A function from a row's numbers, in the order of `names`, to a log-odds. Raises KeyError for an unknown name."""
    index = {name: i for i, name in enumerate(names)}
    arguments = ", ".join(f"x{i}" for i in range(len(names)))
    source = " + ".join([repr(float(bias)), *(_expression(tree, index) for tree in trees)])
    scorer: Scorer = eval(compile(f"lambda {arguments}: {source}", "<trees>", "eval"), {"__builtins__": {}})
    return scorer


def _expression(tree: Any, index: dict[str, int]) -> str:
    if isinstance(tree, list):
        name, threshold, low, high = tree
        below, over = _expression(low, index), _expression(high, index)
        return f"({below} if x{index[name]} <= {float(threshold)!r} else {over})"
    return repr(float(tree))


def probability(log_odds: float) -> float:
    return 1.0 / (1.0 + exp(-log_odds)) if log_odds > -30 else 0.0


@cache
def learned() -> tuple[Scorer, Scorer]:
    """The two stages that ship with the package: a block by itself, then with what was said of its neighbours."""
    from .features import FIRST, SECOND

    data = json.loads(resources.files(__package__).joinpath("trees.json").read_text("utf-8"))
    return (
        compile_trees(data["first"]["trees"], FIRST, data["first"]["bias"]),
        compile_trees(data["second"]["trees"], SECOND, data["second"]["bias"]),
    )
