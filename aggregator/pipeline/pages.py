"""From entries to clean stories: which pages to visit, what to take from them, what repeats on their site."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

from aggregator import agencies, sites, urls, words
from aggregator.errors import AggregatorError, FetchError
from aggregator.extract import dates, extract_fragment
from aggregator.fetch import Fetcher
from aggregator.identity import similar
from aggregator.model import (
    Config,
    Document,
    Entry,
    Feed,
    PageMemory,
    Pending,
    Progress,
    Saved,
    Story,
    Validators,
)
from aggregator.parse.text import MAX_CONTENT, language_tag, plain, storable
from aggregator.pipeline import doubts, visits
from aggregator.pipeline.visits import Visit
from aggregator.pipeline.workers import Workers
from aggregator.store import Store
from aggregator.store.clock import stamp

if TYPE_CHECKING:
    from aggregator.pipeline import Tally

#: Words from which a feed's own text is taken for the whole article, unless it ends as a teaser does.
FULL_TEXT_WORDS = 250
#: How a teaser ends.
TEASER_ENDINGS = ("…", "...", "[…]", "[...]", "...]", "…]")
#: A page whose text is shorter than this share of what the feed itself says was not read well.
WORSE_THAN_FEED = 0.6
#: Kinds of failure that pass: the feed's text is stored, and the page is tried again after these waits.
PASSING = frozenset(
    {
        "dns",
        "connect",
        "tls",
        "timeout",
        "incomplete",
        "bad_http",
        "bug",
        "held",
        "rate_limited",
        "server_error",
    }
)
#: A page whose host is busy or wants patience was not tried: it waits in the queue, but not for ever.
HELD_RETRY, HELD_AT_MOST = timedelta(minutes=10), timedelta(hours=6)
#: Seconds within which visits begin; what waits in a longer line is for a later batch. Beside 20
#: pages of a host that wants 8 s between two visits, the stories of 20 other hosts were stored after 165 s; after 16 s
#: with 10 here. And a process that is killed asks less again.
BEGIN_WITHIN = 10.0
LONGEST_RETRY = 86400  # seconds; whatever the server's Retry-After says
#: When an entry that ran into a bug of ours is tried again: the program may be newer by then.
AFTER_BUG = timedelta(days=1)
RETRY_AFTER = (timedelta(minutes=20), timedelta(hours=3))
#: Texts this many words long are not furniture-free by chance: shorter ones of a page are told as a problem.
MIN_WORDS = 20
#: Half of a day: who writes it, writes the month first.
_HALF = re.compile(r"\d\s*[ap]\.?m\b", re.I)
#: Tags in the texts of one feed that are read in a batch, some 25 us each; what comes after is taken as words alone. A
#: full text has 50 to 200; a thousand items of 4 kB with nothing but "<li>a" took 24 s.
MOST_TAGS = 120_000


@dataclass(frozen=True, slots=True)
class Ready:
    """An entry with the story to store. `retry_at`: the page is to be tried again then; `page`: what to ask it with."""

    item: Pending
    story: Story
    retry_at: datetime | None = None
    page: PageMemory | None = None


def read(
    batch: Sequence[Pending],
    config: Config,
    store: Store,
    fetcher: Fetcher,
    workers: Workers,
    tally: Tally,
    progress: Callable[[Progress], None],
    stop: Event,
    clock: Callable[[], datetime],
) -> list[Ready]:
    """The stories of a batch of pending entries, in the batch's order.

    Entries whose URL is stored already are linked on the way and not in the result; of several entries with one URL
    only the first is, the others find it stored when they are claimed again. So are those whose page says that it is
    what it was. An entry that runs into a bug of ours is put aside, and the bug is in `tally.bugs`. Those whose page
    was not read before a stop, or whose turn at their host did not come, stay pending.
    """
    feeds = {feed.url: feed for feed in config.feeds}
    items: dict[int, Pending] = {}
    from_feed: dict[int, Document] = {}
    taken: set[str] = set()
    tags: Counter[int] = Counter()

    def feed_of(item: Pending) -> Feed:
        return feeds.get(item.feed_url) or Feed(item.feed_url)

    def put_aside(item: Pending, bug: Exception) -> None:
        tally.bugs.append(bug)
        store.pending.put_aside(item, clock() + AFTER_BUG, f"a bug of ours: {bug!a}")

    for item in batch:
        if stop.is_set():  # 500 texts full of tags took 17 s
            break
        try:
            item = replace(item, entry=dated(item.entry, item.first_seen_at or clock()))
            key = story_keys(item)[0]
            if key in taken or _link_to_known(item, key, store):
                continue
            tags[item.feed_id] += item.entry.content_html.count("<")
            from_feed[item.entry_id] = feed_text(item, words_only=tags[item.feed_id] > MOST_TAGS)
        except AggregatorError:
            raise
        except Exception as bug:
            put_aside(item, bug)
            continue
        taken.add(key)
        items[item.entry_id] = item
    wanted = {
        i: Visit(item.entry.url, feed_of(item), item.entry, item.entry.title, validators_of(item))
        for i, item in items.items()
        if item.entry.url
        and has_own_page(item)
        and feed_of(item).full_text
        and not is_full_text(from_feed[i])
    }
    spared = doubts.closed([items[i] for i in wanted], store)
    found = visits.read_all(
        {i: visit for i, visit in wanted.items() if i not in spared},
        store,
        fetcher,
        workers,
        progress,
        stop,
        BEGIN_WITHIN,
    )
    tally.bugs += found.bugs
    errors = found.errors
    for i in found.unchanged:
        _leave(items[i], found.memories[i], store, clock())
    elsewhere = doubts.walls(items, found.documents, from_feed) | doubts.led_elsewhere(
        items, found.documents, store
    )
    from_page = without_repeats({i: d for i, d in found.documents.items() if i not in elsewhere}, store)

    ready = []
    for entry_id, item in items.items():
        if entry_id in found.missed or entry_id in found.unchanged:
            continue
        page, feed = from_page.get(entry_id), from_feed[entry_id]
        error = errors.get(entry_id)
        if error is not None and error.kind == "held" and not is_old(item, clock()):
            wait = timedelta(seconds=min(error.retry_after or 0, LONGEST_RETRY))
            store.pending.put_aside(item, clock() + max(HELD_RETRY, wait), error.message, tried=False)
            continue
        tally.pages_failed += error is not None
        why = f"{error.message} ({error.kind})" if error else elsewhere.get(entry_id) or spared.get(entry_id)
        try:
            document, source, problem = choose(page, feed, why)
            again = retry_at(error, item.attempts, clock())
            if entry_id in spared and not item.attempts:
                again = clock() + RETRY_AFTER[-1]  # once: its feed's pages may be open by then
            if document.title or document.paragraphs:
                story = make_story(item, feed_of(item), document, source, problem, clock())
                ready.append(
                    Ready(item, story, again, found.memories.get(entry_id) if source == "page" else None)
                )
            elif again:
                store.pending.put_aside(item, again, problem or "")
            else:
                store.pending.give_up(item, problem or "neither a title nor a text")
        except AggregatorError:
            raise
        except Exception as bug:
            put_aside(item, bug)
    return ready


def _link_to_known(item: Pending, key: str, store: Store) -> bool:
    """Whether this page is stored already (another feed listed it); then the entry is linked to it."""
    if item.article_id is not None:
        return False
    if store.stories.known([key]) is None:
        return False
    with store.transaction():
        known = store.stories.known([key])
        if known and store.pending.current(item):
            store.stories.link(item.entry_id, known)
    return known is not None


def validators_of(item: Pending) -> Validators:
    """What to ask an entry's page with: nothing, unless its text is stored and was read from that very address."""
    known = item.page if item.article_id is not None else None
    return known.validators if known and known.url == item.entry.url else Validators()


def _leave(item: Pending, page: PageMemory, store: Store, now: datetime) -> None:
    """The feed changed the entry, its page is what it was: so is the story."""
    with store.transaction():
        current = store.pending.current(item)
        if current is not None and current.article_id is not None:
            stored = Saved("unchanged", current.article_id, current.duplicate_id)
            store.stories.link(item.entry_id, stored)
            store.pending.remember_page(item, page, now)


def is_old(item: Pending, now: datetime) -> bool:
    """Whether an entry has waited so long for its page that the feed's own text is shown meanwhile."""
    return item.first_seen_at is not None and now - item.first_seen_at > HELD_AT_MOST


def has_own_page(item: Pending) -> bool:
    """Whether the entry's link is a page about it alone. The home page, a part of a page ("#v2") and a link that
    other entries of the feed have too hold something else, or several stories: what the feed says is the story."""
    return item.key is not None and "#" not in item.key and not urls.is_front_page(item.key)


def retry_at(error: FetchError | None, attempts: int, now: datetime) -> datetime | None:
    """When a page that failed is tried again; None: never, what the feed said is what there is. One that is not found
    is looked for once more."""
    if error is None:
        return None
    # Feeds can be ahead of the servers that have the pages.
    waits = RETRY_AFTER if error.kind in PASSING else RETRY_AFTER[:1] if error.kind == "not_found" else ()
    if attempts >= len(waits):
        return None
    return now + max(waits[attempts], timedelta(seconds=min(error.retry_after or 0, LONGEST_RETRY)))


def dated(entry: Entry, seen: datetime) -> Entry:
    """An entry with its date, if its feed writes that as people do. 05/11/2026 is a day in November or in May: in most
    languages the day comes first, and in English it is the later of the two that were when it was seen."""
    if entry.published is not None or not entry.written:
        return entry
    language = (entry.language or "").split("-")[0]
    orders = (
        (False,) if _HALF.search(entry.written) else (True,) if language not in ("", "en") else (True, False)
    )
    read = (dates.parse(entry.written, day_first=order, language=language) for order in orders)
    return replace(
        entry, published=max((day for day in read if day and dates.plausible(day, seen)), default=None)
    )


def feed_text(item: Pending, *, words_only: bool = False) -> Document:
    """What the feed itself says of an entry, as a clean document; `words_only`: in one paragraph."""
    entry = item.entry
    document = extract_fragment("" if words_only else entry.content_html or "", entry.url, hint=entry)
    if words_only and (text := plain(entry.content_html, MAX_CONTENT)):
        document = replace(document, paragraphs=(text,))
    if not document.paragraphs and not document.removed and entry.summary:
        document = replace(document, paragraphs=tuple(p for p in entry.summary.split("\n\n") if p.strip()))
    return document


def is_full_text(document: Document) -> bool:
    """Whether a feed's text is the article, not a teaser for it."""
    return words.count(document.text) >= FULL_TEXT_WORDS and not document.text.rstrip().endswith(
        TEASER_ENDINGS
    )


def choose(page: Document | None, feed: Document, problem: str | None) -> tuple[Document, str, str | None]:
    """The better of the page's and the feed's text: (document, "page" or "feed", what is wrong or None).

    A page is not taken when it gave nothing, or much less than the feed itself (a consent wall, an index page): good
    feed content is never replaced by worse.
    """
    if page is None:
        return feed, "feed", problem
    of_page, of_feed = words.count(page.text), words.count(feed.text)
    if of_page >= WORSE_THAN_FEED * of_feed and of_page >= min(MIN_WORDS, of_feed + 1):
        return (
            replace(page, title=page.title or feed.title, summary=page.summary or feed.summary),
            "page",
            None,
        )
    what = ", ".join(page.flags) if page.flags else f"only {of_page} words"
    if similar(page.title, feed.title):  # a page that a script puts together may still say what it is
        feed = replace(feed, summary=feed.summary or page.summary, image=feed.image or page.image)
    return (
        replace(feed, title=feed.title or page.title, flags=page.flags),
        "feed",
        f"the page gave no article ({what})",
    )


def without_repeats(documents: dict[int, Document], store: Store) -> dict[int, Document]:
    """The documents without the blocks that repeat on other pages of their site: the pages already stored and those
    of this batch. Killed and begun again, the rest of a batch sees the same pages: some of them stored by then."""
    by_site: dict[str, list[int]] = defaultdict(list)
    for entry_id, document in documents.items():
        by_site[urls.site(document.url or "")].append(entry_id)
    clean = dict(documents)
    for site, ids in by_site.items():
        hashes = {block.hash for i in ids for block in documents[i].blocks}
        memory = sites.merge(store.sites.memory(site, hashes), [documents[i] for i in ids])
        for i in ids:
            clean[i] = sites.strip(documents[i], memory)
    return clean


def story_keys(item: Pending, *others: str | None) -> tuple[str, ...]:
    """The canonical URLs that are this entry's; an entry without a page of its own has its place in its feed."""
    if not item.key or not has_own_page(item):
        return (f"{item.feed_url}#{item.guid}",)
    keys = [item.key]
    # A page that redirected to a front page is gone; its address is no story's.
    keys += [key for url in others if url and not urls.is_front_page(key := urls.canonical(url))]
    return tuple(dict.fromkeys(keys))


def make_story(
    item: Pending, feed: Feed, document: Document, source: str, problem: str | None, now: datetime
) -> Story:
    """What is stored of an entry."""
    entry, first_seen = item.entry, item.first_seen_at or now
    url = (document.url if source == "page" else None) or entry.url or item.site_url or item.feed_url
    byline = storable(document.byline or ", ".join(document.authors)) or None
    text = storable(document.text)
    is_furniture = source == "feed" and bool(document.removed) and not text  # and so is its beginning
    return Story(
        title=storable(document.title or entry.title or document.paragraphs[0][:120]),
        published_at=published(document.published or entry.published, first_seen),
        site=urls.site(url),
        feed_id=item.feed_id,
        agency=agencies.agency(text, byline),
        byline=byline,
        language=(language_tag(document.language) or language_tag(entry.language) or "").split("-")[0]
        or None,
        summary=storable("" if is_furniture else document.summary or entry.summary or "") or None,
        text=text,
        words=words.count(text),
        image=document.image or entry.image,
        tags=feed.tags,
        url=url,
        source=source,
        problem=problem,
        flags=document.flags,
        first_seen_at=stamp(first_seen),
        keys=story_keys(item, document.url if source == "page" else None),
        removed=tuple(replace(block, text=storable(block.text)) for block in document.removed),
        blocks=document.blocks if source == "page" else (),
    )


def published(moment: datetime | None, first_seen: datetime) -> str:
    """When a story counts as published. A date after we saw it would stick to the top: then it is when we saw it."""
    return stamp(min(moment, first_seen) if moment is not None else first_seen)
