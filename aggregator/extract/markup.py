"""Markup to elements: what libxml2 reads wrong or slowly is mended first, and text in `pre` gets its paragraphs."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

MAX_CHARS = 3_000_000  # of markup that are looked at; the largest of 1,028 news pages had 2.2 million
BULK = 10_000  # characters of a style sheet or script that a page of more does without
#: lxml takes quadratic time to list attributes: 150,000 of them take four minutes. A tag that long loses them.
_LONG_TAG = re.compile(r"<(\w+)\s[^<>]{40000,}>")
#: The page goes on behind them, for browsers; libxml2 drops what comes.
_END = re.compile(r"</(?:body|html)\s*>", re.I)
WRAPPED = 45  # characters of a line of preformatted prose, but for the last of a paragraph
_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_BULK = re.compile(r"<(?:style|script)\b[^<>]{0,500}>", re.I)
_BULK_END = re.compile(r"</(?:style|script)\s*>", re.I)


def _has_long_tag(markup: str) -> bool:
    """Whether a tag of 40,000 characters may be in there: some stretch of half that length has no bracket."""
    step = 20_000
    parts = (markup[i : i + step] for i in range(0, len(markup) - step, step))
    return any("<" not in part and ">" not in part for part in parts)


def _goes_on(markup: str) -> bool:
    """Whether there are paragraphs behind an end of the body."""
    ends = (markup.find(tag) for tag in ("</body", "</html", "</BODY", "</HTML"))
    end = min((at for at in ends if at >= 0), default=len(markup))
    return any(markup.find(tag, end) >= 0 for tag in ("<p>", "<p ", "<P>", "<P ", "<br"))


def _without_bulk(markup: str) -> str:
    """The page without its long style sheets and scripts, but for JSON-LD: what is too long with them may not be so."""
    parts, at = [], 0
    while begin := _BULK.search(markup, at):
        end = _BULK_END.search(markup, begin.end())
        if end is None:
            break
        is_long = end.start() - begin.end() > BULK and "ld+json" not in begin[0]
        parts.append(markup[at : begin.start() if is_long else end.end()])
        at = end.end()
    return "".join([*parts, markup[at:]])


def parse(markup: str) -> Any | None:
    """The page's root element, or None where there is nothing to parse. Never raises."""
    if len(markup) > MAX_CHARS:
        markup = _without_bulk(markup)[:MAX_CHARS]
    if _goes_on(markup):
        markup = _END.sub("", markup)
    if _has_long_tag(markup):
        markup = _LONG_TAG.sub(r"<\1>", markup)
    data = markup.encode("utf-8", "replace")
    # huge_tree: without it libxml2 drops what is nested deeper than 256, which real (broken) pages reach.
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is not None:
        for element in [*root.iter("pre")]:
            if next(element.iterancestors("pre"), None) is not None:
                continue
            for line in [*element.iter("div")]:  # how some highlighters write a line of code
                line.tag, line.tail = "span", f"\n{line.tail or ''}"
            _part_paragraphs(element)
    return root


def is_wrapped(text: str) -> bool:
    """Whether preformatted text is prose in lines of a mail's or a typewriter's length, and no code."""
    parts = [part.split("\n") for part in _EMPTY_LINES.split(text.strip("\n"))]
    lines = [line for part in parts for line in part[:-1]] or [line for part in parts for line in part]
    return 2 * sum(len(line) >= WRAPPED for line in lines) >= len(lines)


def _part_paragraphs(pre: Any) -> None:
    """Put two line breaks where preformatted prose, as of press releases and mails, has empty lines."""
    text = pre.text
    if not text or not _EMPTY_LINES.search(text) or not is_wrapped(text):
        return
    first, *others = _EMPTY_LINES.split(text)
    pre.text = first
    for other in reversed(others):
        after = etree.Element("br")
        after.tail = other
        pre.insert(0, after)
        pre.insert(0, etree.Element("br"))
