"""Which blocks are the article, and why the others are not.

Two learned stages give every block a probability; a few rules that hold whatever was learned come after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import beside, dates, features, head, labels, people, trees
from .features import NO, Page
from .lexicon import Lexicon
from .tree import HEADINGS, KINDS, Block
from .trees import Scorer

#: Probability from which a block is kept, at most and at least: what is right for a page lies between, see `threshold`.
#: Swept with pages left out by site in three splits, news set (shingle / paragraph F1) and mixed set (word F1, snippets
#: present, leaked): .4 for every page 96.7/92.2 and 95.66, 87.1, 2.5; .45 96.8/92.4 and 95.55, 86.7, 2.3; .5 96.8/92.4
#: and 95.40, 86.4, 2.1; .25 to .45 96.8/92.4 and 95.74, 87.0, 2.3; .15 to .45 the same and 95.77.
KEEP, KEEP_LEAST = 0.45, 0.25
SURE = 0.02  # below that in the first stage, the second is not asked

OUTLET = 60  # characters of an outlet's name behind a linked headline
REPEAT_WORDS = 8  # a shorter block may say the same twice
REPEAT_SHARE = 0.95  # of a block's 4-word shingles that were read before; .8 loses recall, .95 does not

LIVE_UPDATES = 4  # time-stamped updates that make a page a live blog
LIVE_INTRODUCTION = 100  # characters that must stand before them; with less, the updates are all there is
STAMP_LINE = 60  # characters of a line that can be a time stamp

LINE_ABOVE = 80  # characters of a line above the title
#: Characters from which a heading says something without the text under it, as in a list of seven facts. Left out by
#: site, news set: none stays 96.8/92.4, from 60 on 96.9/92.5; on the mixed set nothing changes.
SAYING_HEADING = 60
NOTICE_LINE = 200  # characters of a line that says whose the text is
OUTER_LINK = 120  # characters of a line of links that leads away
SAID_LINE = 150  # characters of a line that says what it is
CREDIT_LINE = 80  # characters of a line that says whose a picture or text is
#: Of a list that is article, and makes the rest so: of the items won, .6 has 20 of 44 right, .75 11 of 16.
LIST_SHARE = 0.75
WEATHER_LINE = 90  # characters of a line that has temperature, place and date in one
WIDGET_LINE = 40  # characters of a line of a widget ...
WIDGET_LINES = 3  # ... of which so many on either side of the temperature
#: "It was 41 °C in Skerry on Monday." is no widget.
SENTENCE_ENDS, SENTENCE_BLANKS = (".", "!", "?", "。"), 4
FRAGMENT_LINE = 200  # characters of a line in a feed entry's content that a phrase may give away
LABEL_LINE = 40  # characters of a line over links, in such a content
_FRAGMENT_KINDS = frozenset(
    ("advertisement", "comments", "copyright", "newsletter", "related", "share", "navigation", "tags")
)
_FRAGMENT_PHRASES = frozenset(("comments", "copyright", "newsletter", "related", "share", "advertisement"))
_ONLY_SYMBOLS = re.compile(r"^\W+$")

#: Labels that are never a line of an article. The others ("Search", "Contents") are sub-headings now and then.
_HARD = frozenset(("advertisement", "caption", "comments", "credits", "newsletter", "related", "share"))
_LIVE_URL = re.compile(
    r"live-?(?:blog|ticker|updates?|stream|coverage)|/live/|newsticker|liveberichterstattung", re.I
)
_NOTICE = re.compile(r"^\W*(?:\(c\)\s|copyright\b|all rights reserved)|©", re.I)
#: A line that says when an update was written: "14:05", "6.15pm GMT", "vor 5 Minuten", "18시 15분".
_STAMP = re.compile(
    r"^.{0,20}?(?<!\d)\d{1,2}\s?(?:[:.h時时시]\s?\d{2}(?!\d)|[ap]\.?m\b).{0,20}$"
    r"|^\W*\d+\s*\w{1,8}\s+(?:ago|geleden|fa|atrás|önce|temu|назад)\b.{0,10}$"
    r"|^\W*(?:vor|hace|há|il y a|för|for)\s+\d+\s+\w+.{0,10}$"
    r"|^\d+\s?(?:분|시간|分|时间|時間|小时|小時)\s?[전前].{0,10}$",
    re.I,
)
_WORD = re.compile(r"\w+")

#: Class kinds that say why a block is not article, most telling first, and the reason they are given as.
_WHY: tuple[tuple[str, str], ...] = (
    ("comments", "comments"), ("related", "related"), ("newsletter", "newsletter"),
    ("advertisement", "advertisement"),
    ("share", "share"), ("caption", "caption"), ("tags", "tags"), ("consent", "consent"),
    ("paywall", "paywall"), ("poll", "poll"),
    ("byline", "byline"), ("author", "author"), ("menu", "navigation"), ("footer", "footer"), ("sidebar", "sidebar"),
    ("teaser", "teaser"), ("modal", "dialog"), ("embed", "embed"), ("figure", "caption"),
    ("form", "form"), ("header", "header"),
)  # fmt: skip


_QUOTE = KINDS["quote"]
_CAPTION = KINDS["caption"]
_BESIDE = KINDS["sidebar"] | KINDS["menu"] | KINDS["related"]


@dataclass
class Judgement:
    """For each block of a page: whether it is kept, why not ('' if kept), and the probability that it is article."""

    kept: list[bool]
    reasons: list[str]
    scores: list[float]
    live: bool = False


def score(page: Page, lexicon: Lexicon, first: Scorer, second: Scorer) -> list[float]:
    """The probability of each block to be article."""
    scores = [NO] * len(page.blocks)
    candidates = page.candidates()
    if not candidates:
        return scores
    rows = features.first_rows(page, candidates, lexicon)
    for i, row in zip(candidates, rows, strict=True):
        scores[i] = trees.probability(first(*row))
    wanted = [at for at, i in enumerate(candidates) if scores[i] >= SURE]
    if wanted:
        again = features.second_rows(page, candidates, rows, scores, wanted)
        for at, row in zip(wanted, again, strict=True):
            scores[candidates[at]] = trees.probability(second(*row))
    return scores


def decide_fragment(page: Page) -> Judgement:
    """A feed entry's content: everything is article but labels, calls to act, and links by themselves at the end."""
    blocks = page.blocks
    result = Judgement([True] * len(blocks), [""] * len(blocks), [1.0] * len(blocks))
    for i, block in enumerate(blocks):
        kind, brief = page.labels[i], len(block.text) <= FRAGMENT_LINE
        if kind is None and brief:
            said = labels.phrases(block.text) & _FRAGMENT_PHRASES
            kind = min(said) if said else _kind(page, i)
        hosted = labels.hosted(block.text)
        is_update = brief and labels.UPDATED.search(block.text) is not None
        if hosted is None and is_update and head.is_dateline(block, page.labels[i]):
            hosted = "byline"
        if kind in _FRAGMENT_KINDS or hosted or (kind is None and _ONLY_SYMBOLS.match(block.text)):
            result.kept[i], result.reasons[i] = False, hosted or kind or "not article"
            result.scores[i] = 0.0
    _titles(page, result)
    _headlines(page, result)
    links = False
    for i in range(len(blocks) - 1, -1, -1):
        if result.kept[i]:
            # "Attachments:" without them says nothing.
            over = links and blocks[i].text.endswith(":") and len(blocks[i].text) <= LABEL_LINE
            if not (over or _is_links(blocks[i])) or not any(result.kept[:i]):
                break
            result.kept[i], result.reasons[i], result.scores[i] = False, "links", 0.0
            links = not over
    _repeats(blocks, result)
    _empty_headings(blocks, result)
    return result


def _is_links(block: Block) -> bool:
    """Whether a line is links, or links to tags and the word for them: "Tags: sea, fog"."""
    text = block.text
    if labels.prefix(text) == "tags":
        text = "".join(_WORD.findall(text.partition(":")[2])) or text
    return block.linked >= 0.9 * len(text)


def threshold(page: Page, scores: Sequence[float]) -> float:
    """The probability from which a block of this page is kept.

    F1 is greatest when all is kept that is likelier than half of the best F1 to be had (Lipton, Elkan and Naryanaswamy
    2014). What is to be had, the probabilities themselves let expect: where the model is sure of an article that is
    nearly 1; a page unlike those it learned from would lose all its text to a threshold made for sure ones.
    """
    ranked = [(score, block.size) for score, block in zip(scores, page.blocks, strict=True) if score > NO]
    expected = sum(score * size for score, size in ranked)
    right = kept = best = 0.0
    for score, size in sorted(ranked, reverse=True):
        if score < KEEP_LEAST:
            break
        right += score * size
        kept += size
        best = max(best, 2 * right / (kept + expected))
    return min(KEEP, max(KEEP_LEAST, best / 2))


def decide(page: Page, scores: list[float], url: str | None = None, live: bool = False) -> Judgement:
    """Scores to decisions: the threshold, then the rules."""
    blocks = page.blocks
    least = threshold(page, scores)
    kept = [value >= least for value in scores]
    result = Judgement(kept, [""] * len(blocks), scores)
    reasons = result.reasons
    for i, kind in enumerate(page.labels):
        if kept[i]:
            kind = _kind(page, i)
            if kind in _HARD or kind == "paywall":
                kept[i], reasons[i] = False, kind or ""
    proses = [i for i, is_one in enumerate(page.prose) if is_one and kept[i]]
    for i, block in enumerate(blocks):
        if (
            kept[i]
            and block.node.tag not in HEADINGS
            and head.is_dateline(block, page.labels[i])
            and not _is_entry(page, i, proses)
        ):
            kept[i], reasons[i] = False, "byline"
    _whole_lists(page, result)
    _weather(page, result)
    _titles(page, result)
    _repeats(blocks, result)
    beside.other_stories(page, kept, reasons)
    beside.comments(page, kept, reasons)
    if live or _LIVE_URL.search(url or ""):
        _live(page, result)
    _outer_links(page, result)
    _before_title(page, result)
    _notices(page, result)
    _foot(page, result)
    _empty_headings(blocks, result)
    for i, block in enumerate(blocks):
        if not kept[i] and not reasons[i]:
            reasons[i] = why(block, page.labels[i], page.main.above, looked_at=scores[i] != NO)
    return result


def _kind(page: Page, i: int) -> str | None:
    """What a line is by its words, if it is no text: a label, "Read more" and a link, a caption, a call to act."""
    block, kind, linked = page.blocks[i], page.labels[i], page.linked[i]
    if labels.is_placeholder(block.text):
        return "paywall"
    if kind is not None or len(block.text) > SAID_LINE:
        return kind if kind != "credits" else None  # "Editor" alone is a sub-heading
    if block.node.tag == "figcaption":
        return "caption"
    before = labels.prefix(block.text)
    if linked > 0.5:
        kind = before or labels.label(block.first_piece)
        if kind is None and linked >= 0.9 and i and page.labels[i - 1] == "related":
            kind = "related"  # the headline under "Read also"
    elif before == "caption" or (not page.prose[i] and ("©" in block.text or _is_credit(block))):
        return "caption"
    elif before == "credits" and len(block.text) <= CREDIT_LINE and not page.prose[i]:
        return before
    if kind is None and block.node.tag not in (*HEADINGS, "li") and labels.is_call(block.text):
        return "newsletter"
    if kind is None and max(linked, block.strong / len(block.text)) >= 0.9 and not page.prose[i]:
        return "newsletter" if "newsletter" in labels.phrases(block.text) else None
    return "related" if kind == "navigation" else kind


def _is_credit(block: Block) -> bool:
    text = block.text
    return len(text) <= CREDIT_LINE and block.node.tag not in HEADINGS and labels.is_credit(text)


def _foot(page: Page, result: Judgement) -> None:
    """Last lines that say who wrote it and where it is from: "Source: Coastal Press", "김민수 기자"."""
    for i in range(len(page.blocks) - 1, -1, -1):
        if not result.kept[i]:
            continue
        text = page.blocks[i].text
        if page.prose[i] or len(text) > CREDIT_LINE or text.endswith((":", "：")):
            return
        if (
            labels.prefix(text) in ("author", "byline", "source")
            or head.is_byline(text)
            or people.reporters(text)
        ):
            result.kept[i], result.reasons[i] = False, "byline"


def _is_entry(page: Page, i: int, proses: Sequence[int]) -> bool:
    """Whether a line with a date stands in the text, as over an entry of a timeline."""
    block = page.blocks[i]
    if block.time or labels.prefix(block.text) == "byline" or not proses or i > proses[-1]:
        return False
    return (len(proses) > 1 and i > proses[1]) or head.is_one_of_several(block, page)


def _whole_lists(page: Page, result: Judgement) -> None:
    """Of a list of which most is article, all is: the last step of a recipe is short, and stands where articles end."""
    lists: dict[int, list[int]] = {}
    for block in page.blocks:
        if block.node.tag == "li" and block.node.parent is not None:
            lists.setdefault(id(block.node.parent), []).append(block.index)
    for items in lists.values():
        kept = sum(result.kept[i] for i in items)
        if len(items) * LIST_SHARE <= kept < len(items):
            for i in items:
                if page.linked[i] <= 0.5 and not result.reasons[i] and not _kind(page, i):
                    result.kept[i] = True


def _weather(page: Page, result: Judgement) -> None:
    """The weather widget: a short line with a temperature outside the prose, or anywhere if it has a date too, and
    what stands beside it ("Seoul", "Monday, January 26")."""
    blocks, kept = page.blocks, result.kept
    prose = [i for i, is_one in enumerate(page.prose) if is_one and kept[i]]
    first, last = (prose[0], prose[-1]) if prose else (len(blocks), -1)
    reach = range(-WIDGET_LINES, WIDGET_LINES + 1)
    for i in sorted({i + step for i, is_kept in enumerate(kept) if is_kept for step in reach}):
        text = blocks[i].text if 0 <= i < len(blocks) else ""
        if not text or len(text) > WEATHER_LINE or page.prose[i] or not labels.TEMPERATURE.search(text):
            continue
        if text.endswith(SENTENCE_ENDS) and text.count(" ") >= SENTENCE_BLANKS:
            continue
        dated = dates.visible(text) is not None
        if not (dated or (len(text) <= WIDGET_LINE and not first < i < last)):
            continue
        for step in (-1, 1):
            for j in range(i, i + step * (WIDGET_LINES + 1), step):
                if not 0 <= j < len(blocks) or (j != i and not _is_widget_line(blocks[j])):
                    break
                if kept[j]:
                    kept[j], result.reasons[j] = False, "weather"


def _is_widget_line(block: Block) -> bool:
    return (
        len(block.text) <= WIDGET_LINE
        and block.node.tag not in HEADINGS
        and not block.text.endswith((".", ":", "?", "!", "。"))
    )


def why(block: Block, label: str | None, shared: int = 0, looked_at: bool = True) -> str:
    """The best name for what a block is that is not article: what it says, then what its boxes are called.

    shared: the class kinds of the boxes around the article, which say nothing about what is not in it.
    """
    if label:
        return label
    if looked_at:  # only what could have been article is worth the look-ups
        kind = labels.prefix(block.text)
        if kind:
            return kind
        if head.is_dateline(block, label) or head.is_byline(block.text):
            return "byline"
        said = labels.phrases(block.text)
        if said:
            return min(said)
    node = block.node
    for mask in (node.mask | (node.parent or node).mask, node.above & ~shared):
        for kind, reason in _WHY:
            if mask & KINDS[kind]:
                return reason
    if block.linked * 2 > len(block.text):
        return "links"
    return "not article"


def _titles(page: Page, result: Judgement) -> None:
    """The title is not a paragraph: neither the heading nor its copies before the text."""
    if not page.title:
        return
    words = page.title
    letters = sum(map(len, words))
    for i, block in enumerate(page.blocks):
        if (
            result.kept[i]
            and letters <= len(block.text) <= 2 * letters + 10
            and _same_words(block.text, words)
        ):
            result.kept[i], result.reasons[i] = False, "title"


def _same_words(text: str, words: list[str]) -> bool:
    return _WORD.findall(text.casefold()) == words


def _headlines(page: Page, result: Judgement) -> None:
    """What a search engine's feed has for a text: the headline, linked, with its outlet; and, if that is the first of a
    list, others' headlines on the event, which are no part of this story."""
    if not page.title:
        return
    for i, block in enumerate(page.blocks):
        if not (result.kept[i] and page.linked[i] and _same_words(block.first_piece, page.title)):
            continue
        if len(block.text) - len(block.first_piece) > OUTLET:
            continue
        result.kept[i], result.reasons[i], result.scores[i] = False, "title", 0.0
        if block.node.tag == "li":
            for j in range(i + 1, len(page.blocks)):
                if page.blocks[j].node.tag == "li" and page.linked[j]:
                    result.kept[j], result.reasons[j], result.scores[j] = False, "related", 0.0
        return


def _repeats(blocks: Sequence[Block], result: Judgement) -> None:
    """A block that was read before on the page goes: pull quotes, hidden second copies for another screen size."""
    if sum(result.kept) < 2:
        return
    read = ""
    for i, block in enumerate(blocks):
        if not result.kept[i]:
            continue
        words = _WORD.findall(block.text.casefold())
        if len(words) < REPEAT_WORDS:
            continue
        at = len(words) // 2
        if f" {' '.join(words[at - 4 : at])} " in read or f" {' '.join(words[at : at + 4])} " in read:
            shingles = {" ".join(words[j : j + 4]) for j in range(len(words) - 3)}
            if sum(f" {text} " in read for text in shingles) >= REPEAT_SHARE * len(shingles):
                result.kept[i], result.reasons[i] = False, "repeats on this page"
                continue
        read += f" {' '.join(words)} \n"
    for i, block in enumerate(blocks):
        if result.kept[i] and block.node.above & _QUOTE:
            words = _WORD.findall(block.text.casefold())
            if len(words) >= REPEAT_WORDS and read.count(f" {' '.join(words)} ") > 1:
                result.kept[i], result.reasons[i] = False, "repeats on this page"


def _live(page: Page, result: Judgement) -> None:
    """A live blog's article is what stands before its first update: time stamps from one template, each with text."""
    groups: dict[str, list[int]] = {}
    for i, block in enumerate(page.blocks):
        if len(block.text) < STAMP_LINE and (block.time or _STAMP.match(block.text)):
            groups.setdefault(page.paths[i], []).append(i)
    starts = []
    for stamps in groups.values():
        updates = [
            i
            for i, end in zip(stamps, [*stamps[1:], len(page.blocks)], strict=True)
            if any(result.kept[i:end])
        ]
        if len(updates) >= LIVE_UPDATES:
            starts.append(updates[0])
    if not starts:
        return
    start = min(starts)
    if sum(len(block.text) for block in page.blocks[:start] if result.kept[block.index]) < LIVE_INTRODUCTION:
        return
    result.live = True
    for i in range(start, len(page.blocks)):
        if result.kept[i]:
            result.kept[i], result.reasons[i] = False, "live"


def _outer_links(page: Page, result: Judgement) -> None:
    """Lines that are nothing but links, before the first sentence or after the last, lead away from the article."""
    prose = [i for i, is_one in enumerate(page.prose) if is_one and result.kept[i]]
    if not prose:
        return
    for i, block in enumerate(page.blocks):
        if (
            result.kept[i]
            and not prose[0] < i < prose[-1]
            and len(block.text) <= OUTER_LINK
            and page.linked[i] >= 0.9
        ):
            result.kept[i], result.reasons[i] = False, "links"


def _before_title(page: Page, result: Judgement) -> None:
    """Short lines before the title that are links, dates or in a box beside the article are the page's: a ticker."""
    for i in range(page.title_at):
        block = page.blocks[i]
        if (
            result.kept[i]
            and not page.prose[i]
            and len(block.text) <= LINE_ABOVE
            and (page.linked[i] > 0.5 or block.node.above & _BESIDE or dates.visible(block.text))
        ):
            result.kept[i], result.reasons[i] = False, why(block, page.labels[i], page.main.above)


def _notices(page: Page, result: Judgement) -> None:
    """Last lines that say whose the text is ("© 2026 Harbour Herald"), or who may read the rest of it."""
    for i in range(len(page.blocks) - 1, -1, -1):
        if not result.kept[i]:
            continue
        text = page.blocks[i].text
        if len(text) > NOTICE_LINE:
            return
        if _NOTICE.search(text):
            result.kept[i], result.reasons[i] = False, "copyright"
        elif "paywall" in labels.phrases(text):
            result.kept[i], result.reasons[i] = False, "paywall"
        elif page.prose[i]:
            return


def _empty_headings(blocks: Sequence[Block], result: Judgement) -> None:
    """A heading whose text is gone says nothing: "Latest news" with the teasers under it removed."""
    follows = False
    for i in range(len(blocks) - 1, -1, -1):
        if result.kept[i]:
            if blocks[i].node.tag in HEADINGS and not follows and len(blocks[i].text) < SAYING_HEADING:
                result.kept[i], result.reasons[i] = False, labels.label(blocks[i].text) or "empty heading"
            else:
                follows = True
