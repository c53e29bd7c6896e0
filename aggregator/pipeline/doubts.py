"""Is what a page says the story of its entry? Walls before it, pages that lead elsewhere, feeds that are closed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from aggregator import urls, words
from aggregator.identity import similar
from aggregator.model import Document, Entry, Pending
from aggregator.store import Store

#: Pages of a feed in a row that could not be read, after which one at a time is tried.
CLOSED_AFTER = 20
#: Share of what an entry says of itself (its title, so many characters of its summary) that stands in the text of its
#: page, if their titles share nothing. By titles alone, of 1,026 pages one is taken for another's that is not (it was
#: read in a wrong encoding), and of 4,000 pages of other stories 78 % are told, 85 % with a summary.
ABOUT, TOLD = 1 / 3, 300
#: Share of the title's words that is enough by itself: one in forty pages of other stories has it.
ABOUT_TITLE = 0.5
#: What fewer words say ("Episode 12") does not tell one page from another.
LEAST_TOLD = 3
#: Words of a text that may be a wall's: of a longer one under two headlines, both are the story's.
WALL_WORDS = 150
#: Words of a feed's text that are better than a wall.
MIN_FEED = 8


def closed(items: Iterable[Pending], store: Store) -> dict[int, str]:
    """The entries whose pages are not visited, and why: if none of a feed's last pages could be read, one is tried to
    see whether that is still so. Who shows us nothing but walls does not want us."""
    by_feed: dict[int, list[int]] = defaultdict(list)
    for item in items:
        by_feed[item.feed_id].append(item.entry_id)
    why = f"not visited: none of the last {CLOSED_AFTER} pages of this feed could be read"
    return {
        entry_id: why
        for feed_id, entries in by_feed.items()
        if len(entries) > 1 and store.reading.is_closed(feed_id, CLOSED_AFTER)
        for entry_id in entries[1:]
    }


def walls(
    items: Mapping[int, Pending], documents: Mapping[int, Document], from_feed: Mapping[int, Document]
) -> dict[int, str]:
    """The entries whose page says something else instead of the story, and what: "Are you a robot?", "Before you
    continue", "Page not found". Nobody can list all of their wordings, so what tells them is the entry: its words are
    not there, or entries of other titles got the same few words.
    """
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, document in documents.items():
        if document.paragraphs and words.count(document.text) < WALL_WORDS:
            alike[urls.site(document.url or ""), document.text].append(i)
    found = {}
    for (_, text), together in alike.items():
        first = items[together[0]].entry.title
        if not all(similar(first, items[i].entry.title) for i in together):
            why = "the page says the same as that of another story"
            found.update({i: why for i in together if not _is_told(items[i].entry, text)})
    for i, document in documents.items():
        if document.paragraphs and not is_about(items[i].entry, document, from_feed[i].text):
            found[i] = f"the page is about something else: {document.title or document.text[:80]}"
    return found


def is_about(entry: Entry, document: Document, of_feed: str = "") -> bool:
    """Whether a page is about an entry: a third of the words that the entry says of itself are in its text, or its
    title has a word of the entry's. That is not enough for a short text, if there is a text of the feed's."""
    title = _telling(entry.title)
    if not title or _is_told(entry, document.text):
        return True
    short = words.count(of_feed) >= MIN_FEED and words.count(document.text) < WALL_WORDS
    return bool(title & _telling(document.title)) and not short


def _is_told(entry: Entry, text: str) -> bool:
    title, said = _telling(entry.title), _telling(text)
    told = title | _telling(entry.summary[:TOLD])  # which may be the same few words under every entry
    return (
        len(told) < LEAST_TOLD
        or len(told & said) >= ABOUT * len(told)
        or len(title & said) >= ABOUT_TITLE * len(title)
    )


def _telling(text: str) -> set[int]:
    return set(words.ids_of(text, words.FUNCTION))


def led_elsewhere(
    items: Mapping[int, Pending], documents: Mapping[int, Document], store: Store
) -> dict[int, str]:
    """The entries whose page is not about them, and why: it redirected to a front page or, under a title unlike the
    feed's, to where other stories lead too. So sites treat the readers of what they took down, or moved."""
    led = {i: urls.canonical(document.url or "") for i, document in documents.items()}
    together = Counter(led.values())
    found = {}
    for i, key in led.items():
        if key == items[i].key:
            continue
        known = store.stories.known([key])
        own = (items[i].article_id, items[i].duplicate_id)
        shared = together[key] > 1 or (known is not None and (known.article_id, known.duplicate_id) != own)
        if urls.is_front_page(key) or (shared and not similar(items[i].entry.title, documents[i].title)):
            found[i] = f"the page redirects to {documents[i].url}, which is not about this story"
    return found
