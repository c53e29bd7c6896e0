"""The title: what the page's h1, JSON-LD, og:title and title element agree on, without site name and quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import evidence as ev
from .evidence import Evidence

_SEPARATOR = re.compile(r"\s+[|–—·•:»›/~-]{1,2}\s+|\s*[|｜]\s*|\s+\|\|\s+|_(?=[^_]{2,20}$)|\s*：：\s*")
_QUOTES = {
    "“": "”",
    '"': '"',
    "„": "“",
    "«": "»",
    "»": "«",
    "‘": "’",
    "「": "」",
    "『": "』",
    "'": "'",
    "《": "》",
}
_WORD = re.compile(r"\w+")
MAX_TITLE = 400
#: Likeness of the h1 to og:title from which they are one title, and below which the h1 is something else. In between,
#: news sites mean the og:title (8 of 9 pages where only one of them was right) and others the h1 (51 of 69).
ALIKE, UNLIKE = 0.5, 0.15
SAME = 0.8
MAX_SUBHEADINGS = 5


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def same(one: str, other: str) -> float:
    """Likeness of two titles, 0 to 1: shared words over all words (Jaccard)."""
    a, b = set(words(one)), set(words(other))
    return len(a & b) / len(a | b) if a and b else 0.0


def clean(title: str, sites: Sequence[str] = ()) -> str:
    """A title without the site's name at its ends and without quotes around the whole of it."""
    title = " ".join(title.split())[:MAX_TITLE].strip(" |·•")
    title = strip_site(title, sites)
    close = _QUOTES.get(title[:1])
    if close and len(title) > 2 and title.endswith((close, "”" if title[0] == "„" else close)):
        inner = title[1:-1]
        if title[0] not in inner and close not in inner:
            title = inner.strip()
    return title


def strip_site(title: str, sites: Sequence[str]) -> str:
    """Cut "| Site" and "Site: " where the part is one of the site's names."""
    known = ["".join(words(site)) for site in sites if site]
    lead, colon, rest = title.partition(": ")
    if colon and rest.strip() and "".join(words(lead)) in known:
        title = rest.strip()
    for _ in range(3):
        cuts = list(_SEPARATOR.finditer(title))
        if not cuts:
            break
        head, tail = title[: cuts[-1].start()], title[cuts[-1].end() :]
        if head and _is_site(tail, known):
            title = head.strip()
            continue
        head, tail = title[: cuts[0].start()], title[cuts[0].end() :]
        if tail and _is_site(head, known):
            title = tail.strip()
            continue
        break
    return title


def _is_site(part: str, known: Sequence[str]) -> bool:
    name = "".join(words(part))
    if not name:
        return True
    return any(
        name == site
        or (
            min(len(name), len(site)) > 3 and (name in site or (site in name and len(name) < 1.5 * len(site)))
        )
        for site in known
    )


def site_names(evidence: Evidence, host: str) -> list[str]:
    """What the site may call itself in a title: og:site_name, the publisher, its domain."""
    names = [
        *evidence.meta.get("og:site_name", ()),
        *evidence.meta.get("application-name", ()),
        *evidence.meta.get("twitter:site", ()),
    ]
    names += [ev.text(value) for value in evidence.article("publisher")]
    names += [
        ev.text(item.get("name"))
        for item in evidence.objects
        if {"Organization", "NewsMediaOrganization", "WebSite"} & set(ev.types(item))
    ]
    labels = host.removeprefix("www.").split(".")
    if len(labels) > 1:
        names += [".".join(labels), max(labels[:-1], key=len)]
    return [name for name in names if name]


def choose(
    evidence: Evidence, headings: Sequence[str], host: str, feed: str | None, subheadings: Sequence[str] = ()
) -> str:
    """The title. headings, subheadings: the page's h1s and h2s in document order; feed: the feed entry's title, which
    decides between titles of the page that disagree."""
    sites = site_names(evidence, host)
    title = _of_page(evidence, headings, sites, feed, subheadings)
    told = clean(feed or "", sites)
    parts = {*_SEPARATOR.split(title), *_SEPARATOR.split(evidence.title)}
    if told in parts and same(title, told) >= ALIKE:
        return told  # the rest is a section, a forum, a site that goes by another name elsewhere
    if not told or same(title, told) >= SAME:
        return title
    others = [
        *headings,
        *map(ev.text, evidence.article("headline")),
        evidence.first("og:title"),
        evidence.title,
        *subheadings,  # the h1 is the site's name, and so is the title element
    ]
    return next(
        (other for other in (clean(ev.text(v), sites) for v in others) if same(other, told) >= SAME), title
    )


def _of_page(
    evidence: Evidence,
    headings: Sequence[str],
    sites: Sequence[str],
    feed: str | None,
    subheadings: Sequence[str],
) -> str:
    declared = [ev.text(value) for value in evidence.article("headline", "name")]
    declared += [ev.text(value) for value in (evidence.first("og:title"), evidence.first("twitter:title"))]
    declared = [clean(value, sites) for value in declared if value]
    element = clean(ev.text(evidence.title), sites)
    heads = [clean(value, sites) for value in headings]
    witnesses = [value for value in (*declared, element, clean(feed or "", sites)) if value]
    if not heads or not any(heads):
        return declared[0] if declared else element or clean(feed or "", sites)
    best = max(heads, key=lambda head: max((same(head, witness) for witness in witnesses), default=0.0))
    social = clean(ev.text(evidence.first("og:title", "twitter:title")), sites)
    if not social:
        if not witnesses or max(same(best, witness) for witness in witnesses) >= ALIKE:
            return best
        return declared[0] if declared else element or best
    for value in subheadings[
        :MAX_SUBHEADINGS
    ]:  # the h1 is a kicker or written for search engines, the headline an h2
        if declared and same(best, declared[0]) < ALIKE and same(clean(value, sites), declared[0]) >= SAME:
            return clean(value, sites)
    alike = same(best, social)
    if alike >= ALIKE:
        return best
    is_news = any("NewsArticle" in ev.types(item) for item in evidence.articles)
    if alike < UNLIKE:
        # Two different titles: in news the h1 is a display headline if JSON-LD has it too;
        # elsewhere the h1 is a logo or section.
        return best if is_news and any(same(best, value) > SAME for value in declared[:1]) else social
    return social if is_news else best
