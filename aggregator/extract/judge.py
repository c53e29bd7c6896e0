"""Which blocks are the article?"""

from __future__ import annotations

from . import labels
from .tree import KINDS, Block

_BAD = 0
for _k in ("menu", "footer", "sidebar", "comments", "related", "share", "newsletter", "modal", "consent", "advertisement", "form", "tags", "caption"):
    _BAD |= KINDS[_k]


def judge(blocks: list[Block]) -> tuple[list[float], list[str]]:
    scores, reasons = [], []
    for block in blocks:
        node = block.node
        n = len(block.text)
        density = block.linked / n
        kind = labels.label(block.text)
        bad = node.above & _BAD
        if kind:
            scores.append(0.0); reasons.append(kind)
        elif bad and not (n > 200 and density < 0.2 and node.tag == "p"):
            scores.append(0.1); reasons.append(next(k for k, b in KINDS.items() if b & bad))
        elif n >= 60 and density < 0.4 and node.tag not in ("h1",):
            scores.append(0.9); reasons.append("")
        elif node.tag in ("h2", "h3", "li") and density < 0.4:
            scores.append(0.5); reasons.append("")
        else:
            scores.append(0.2); reasons.append("short")
    strong = [i for i, s in enumerate(scores) if s > 0.8]
    if strong:
        for i, s in enumerate(scores):
            if s == 0.5:
                if strong[0] < i < strong[-1]:
                    scores[i] = 0.6
                else:
                    scores[i] = 0.3; reasons[i] = "short"
    return scores, reasons
