"""The learned part: small decision trees (gradient boosting), exported as data, added up and squashed.

`trees.json` is made by benchmarks/train_dedup.py from made and hand-written wire copy. Every tree was grown under
monotone constraints: more of the text shared never speaks against a copy, more substituted figures never for one.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from aggregator.dedup.measure import FEATURES


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """All trees, node after node. The right child stands behind the left one; a leaf is its own left child.

    Every feature is there twice, once with unknown values as NaN (no comparison is true of it: they go left) and once
    as infinity (they go right), so that one comparison answers every question: 15 us for 240 trees instead of 65.
    """

    roots: NDArray[np.intp]
    question: NDArray[np.intp]  # index into the doubled features
    threshold: NDArray[np.float64]
    left: NDArray[np.intp]
    value: NDArray[np.float64]
    depth: int

    def probability(self, features: Sequence[float]) -> float:
        """How likely the measured pair is one story: 0 to 1."""
        known = np.array(features, np.float64)
        doubled = np.concatenate((known, np.where(np.isnan(known), np.inf, known)))
        right = doubled[self.question] > self.threshold
        node = self.roots
        for _ in range(self.depth):
            node = self.left[node] + right[node]
        return 1 / (1 + math.exp(-float(self.value[node].sum())))


@functools.cache
def forest() -> Forest:
    """The trees of `trees.json`, read once: lists of nodes from the root down, a question or a leaf's value each."""
    data = json.loads(resources.files("aggregator.dedup").joinpath("trees.json").read_text("utf-8"))
    number = {name: i for i, name in enumerate(FEATURES)}
    roots: list[int] = []
    question: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    value: list[float] = []
    for tree in data["trees"]:
        root = len(left)
        roots.append(root)
        for n, node in enumerate(tree):
            if isinstance(node, list):
                name, limit, child, unknown_left = node
                question.append(number[name] + (0 if unknown_left else len(FEATURES)))
                threshold.append(limit)
                left.append(root + child)
                value.append(0.0)
            else:
                question.append(0)
                threshold.append(math.inf)
                left.append(root + n)
                value.append(node)
    return Forest(
        np.array(roots),
        np.array(question),
        np.array(threshold),
        np.array(left),
        np.array(value),
        data["depth"],
    )
