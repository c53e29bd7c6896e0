"""The user's CSS selectors: what holds the text, and what is taken away. They win over every judgement.

They need the whole page as a BeautifulSoup tree (some 20 ms), which is why it is only built when there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import soupsieve

from .article import transplant
from .features import Page
from .judge import Judgement

REASON = "selector"


def check_selector(css: str) -> str | None:
    """What is wrong with a CSS selector, in one line, or None."""
    if not css.strip():
        return "the selector is empty"
    try:
        soupsieve.compile(css)
    except soupsieve.SelectorSyntaxError as error:
        return str(error).partition("\n")[0]
    return None


def apply(root: Any, page: Page, made: Judgement, keep: Sequence[str], drop: Sequence[str]) -> None:
    """Change a judgement: only what `keep` selects stays, and all of it but what `drop` selects.

    Where no `keep` selector matches (the site changed its template), what was judged stays as it was.
    """
    soup, tags = transplant(root)
    kept_tags = _matches(soup, keep)
    dropped_tags = _matches(soup, drop)
    keeping = {element for element, tag in tags.items() if tag in kept_tags}
    dropping = {element for element, tag in tags.items() if tag in dropped_tags}
    for block in page.blocks:
        above = set()
        for element, is_tail in block.slots[:1]:
            up = element.getparent() if is_tail else element
            while up is not None:
                above.add(up)
                up = up.getparent()
        i = block.index
        if above & dropping or (keeping and not above & keeping):
            if made.kept[i] or above & dropping:
                made.kept[i], made.reasons[i] = False, REASON
        elif keeping:
            made.kept[i], made.reasons[i] = True, ""
    soup.decompose()


def _matches(soup: Any, selectors: Sequence[str]) -> set[int]:
    return {id(tag) for css in selectors for tag in soup.select(css)}
