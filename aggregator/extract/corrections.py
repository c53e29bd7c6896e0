"""Scores corrected by what the model does not see, or hardly listens to: the site's memory, the feed's text, a recipe's
card."""

from __future__ import annotations

import math

from ..model import SiteMemory
from . import features, labels, trees
from .features import NO, Page
from .tree import HEADINGS, KINDS, Block, Node

TOLD = 0.9  # the probability of a sentence that the feed has, too, and of a line of a recipe

PATH_BLOCKS = 6  # blocks that must have been seen at a path before it says anything
PATH_WEIGHT, PATH_LIMIT = (
    0.3,
    3.0,
)  # of a path's log-odds, beside the page's own evidence; research: +-.4 points

_CAPTION = KINDS["caption"]
_RECIPE = KINDS["recipe"]
_BESIDE_RECIPES = sum(KINDS[kind] for kind in ("comments", "footer", "form", "menu", "related", "sidebar"))


def with_memory(page: Page, scores: list[float], site: SiteMemory) -> list[float]:
    """Scores corrected by what the site's other pages did with the same DOM paths."""
    result = []
    for path, value in zip(page.paths, scores, strict=True):
        kept, removed = site.paths.get(path, (0, 0))
        if kept + removed >= PATH_BLOCKS and value > NO:
            seen = math.log((kept + 1) / (removed + 1))
            odds = math.log(max(value, 1e-4) / max(1 - value, 1e-4)) + PATH_WEIGHT * max(
                -PATH_LIMIT, min(PATH_LIMIT, seen)
            )
            value = trees.probability(odds)
        result.append(value)
    return result


def with_feed(page: Page, scores: list[float], text: str) -> list[float]:
    """Scores corrected by what the feed itself carries of the article: a sentence that stands there too is article.

    Captions stand there as well, and are none. The model hardly listens to JSON-LD's text, which would be the same
    evidence: on the pages it learned from, that is a second copy of what it finds anyway.
    """
    told = "".join(text.split())
    return [
        max(score, TOLD)
        if page.prose[i] and not block.node.above & _CAPTION and "".join(block.text.split()) in told
        else score
        for i, (block, score) in enumerate(zip(page.blocks, scores, strict=True))
    ]


def with_recipe(page: Page, scores: list[float]) -> list[float]:
    """Scores corrected for a recipe, whose ingredients and steps are short lines: the card that plugins make has boxes
    named so, elsewhere a heading says so."""
    result = list(scores)
    listed = False  # under a heading of a recipe
    for i, block in enumerate(page.blocks):
        if block.node.tag in HEADINGS:
            listed = labels.is_of_recipe(block.text) and not block.node.above & _BESIDE_RECIPES
            of_recipe = listed or (block.node.above & _RECIPE and _is_of_recipe(block))
        else:
            listed = listed and block.node.tag == "li" and page.linked[i] <= 0.5
            of_recipe = listed or (block.node.above & _RECIPE and _is_of_recipe(block))
        if of_recipe:
            result[i] = max(scores[i], TOLD)
    return result


def _is_of_recipe(block: Block) -> bool:
    """Whether a block in a recipe's card is an item of its lists, a heading or a sentence, and no button."""
    node: Node | None = block.node
    if node is None or block.linked * 2 > len(block.text) or node.above & _BESIDE_RECIPES:
        return False
    if node.tag in HEADINGS or features.is_prose(block):
        return True
    while node is not None and node.tag not in ("li", "ul", "ol"):
        node = node.parent
    return node is not None and node.tag == "li" and bool(node.above & _RECIPE)
