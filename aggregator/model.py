"""The nouns: frozen dataclasses that travel between the stages. No logic beyond trivial properties.

Conventions: every `datetime` is aware; a `published` keeps the offset it was written with. Times in seconds
are floats, durations in milliseconds say so in their name. Text is plain text unless the name says html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# ------------------------------------------------------------------------------------------ config


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed as feeds.yaml asks for it."""

    url: str
    title: str | None = None
    interval: int | None = None  # seconds; None: adaptive
    tags: tuple[str, ...] = ()
    priority: int = 50  # lower is preferred when two outlets carry the same text
    full_text: bool = True  # False: what the feed carries is enough, never visit the article's page
    keep: tuple[str, ...] = ()  # CSS selectors: what holds the text
    drop: tuple[str, ...] = ()  # CSS selectors: what is taken away
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of feeds.yaml that hold for every feed. All limits are here and documented."""

    contact: str | None = None  # URL or e-mail address, told to publishers in the User-Agent
    min_interval: int = 3600  # seconds; no feed is asked more often by itself
    max_interval: int = 86400  # seconds; no feed waits longer, unless its server says so
    host_delay: float = 1.0  # seconds between two requests to one host
    workers: int = 32  # downloads at the same time
    processes: int = 0  # worker processes for extraction; 0: one per core
    timeout: float = 30.0  # seconds for one whole download, redirects included
    max_feed_bytes: int = 15_000_000  # decoded
    max_page_bytes: int = 10_000_000  # decoded
    window: int = 72 * 3600  # seconds within which two texts may be the same story
    allow: tuple[str, ...] = ()  # host:port that links may lead to although they are private
    keep_fetches: int = 30  # days the fetch log is kept
    #: Host name -> (address, port), like curl --resolve. Not a setting of feeds.yaml: the demo's outlets live here.
    resolve: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    feeds: tuple[Feed, ...]
    settings: Settings = Settings()
    path: str = ""


# ------------------------------------------------------------------------------------------- fetch


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave us to ask "anything new?" with: opaque, sent back byte for byte (RFC 9110 13.1)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer to a GET: 200 (or 203, changed by a proxy) with its decoded body, or 304 with none."""

    url: str  # as asked for
    final_url: str  # after redirects
    status: int  # 200, 203 or 304
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    fetched_at: datetime
    duration_ms: int
    permanent_url: str | None = None  # where the unbroken prefix of 301/308 answers leads, when there is one
    wire_bytes: int = 0  # as transferred, before decoding

    @property
    def validators(self) -> Validators:
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to fetch. `key` is the caller's (a feed's or entry's id) and comes back with the answer."""

    key: int
    url: str
    kind: str = "page"  # "feed": the user wrote it down; "page": a link found in a feed, judged more strictly
    validators: Validators = Validators()
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The feed's URL as the user wrote it: its host:port may be private, and gets `headers`.
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class HostState:
    """What is remembered of a host between rounds and restarts, for politeness."""

    host: str  # as urls.host gives it
    not_before: datetime | None = None  # Retry-After and the like: no request at all before
    why: str | None = None
    robots: str | None = None  # the robots.txt, "" if there is none
    robots_at: datetime | None = None


# ------------------------------------------------------------------------------------------- parse


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed, as the feed tells it."""

    guid: str | None
    url: str | None  # absolute, http(s) only, not yet canonical
    title: str
    summary: str = ""  # plain text
    content_html: str = ""  # as the feed gave it: never stored or shown before extraction
    authors: tuple[str, ...] = ()
    published: datetime | None = None  # None: missing or absurd
    updated: datetime | None = None
    language: str | None = None  # its own, or that of the feed
    image: str | None = None
    tags: tuple[str, ...] = ()
    raw_hash: str = ""  # of the item's bytes; items with a known hash are cut out before parsing
    written: str = ""  # the date as the feed has it, if in no form that feeds have: "27/11/2026 2:30 PM"


@dataclass(frozen=True, slots=True)
class RefreshHints:
    """What a feed document says about how often to come: seconds, hours 0-23 and weekdays 0 (Monday) - 6 in UTC."""

    ttl: float | None = None
    update_period: float | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    title: str
    site_url: str | None
    language: str | None
    entries: tuple[Entry, ...]  # only the items that were not cut as already seen
    hints: RefreshHints = RefreshHints()
    seen_hashes: tuple[str, ...] = ()  # raw_hash of every item in the document, cut or not
    problem: str | None = None  # what is wrong with the document, although the entries are good
    complete: bool = True  # False: entries are missing, so do not store the validators
    older_url: str | None = None  # where earlier entries are: RFC 5005 prev-archive, or the next page
    format: str = ""  # rss20, atom10, rdf, json1, ...


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry of the feed that the database already has, as far as recognising it again needs."""

    id: int
    guid: str  # as stored: the feed's guid, or what stood in for it
    url: str | None  # canonical
    title: str
    content_hash: str  # identity.content_hash of the entry as last stored
    published_at: str | None = None
    problem: str | None = None  # why its page could not be had


@dataclass(frozen=True, slots=True)
class Match:
    """What became of an entry: "new", "same" (nothing to do) or "changed" (its text may have been edited)."""

    entry: Entry
    status: str  # new, same, changed
    known_id: int | None  # KnownEntry.id unless new
    guid: str  # what to store as the entry's guid; unique within the feed
    content_hash: str
    why: str  # "same guid", "same link, new guid", "guid reused for another story", ...
    url_key: str | None = None  # canonical form of the entry's link


# ----------------------------------------------------------------------------------------- extract


@dataclass(frozen=True, slots=True)
class Removed:
    """A block that was taken away. `position` is the index of the paragraph it stood before."""

    text: str
    reason: (
        str  # the rule: "related", "share", "weather", "newsletter", "repeats on this site", "selector", ...
    )
    position: int = 0
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Block:
    """A block's fingerprint, for site memory: hash of its normalised text, its DOM path, whether it was kept."""

    hash: int  # signed 64 bit
    path: str
    kept: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A page, read: the clean article, and what was taken away with the reason."""

    url: str | None
    title: str
    paragraphs: tuple[str, ...]
    byline: str | None = None
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    language: str | None = None
    image: str | None = None
    summary: str | None = None
    canonical_url: str | None = None
    #: Next page, or the single-page version, of a multi-page article; without paragraphs: where the page leads to
    next_url: str | None = None
    flags: tuple[str, ...] = ()  # paywall, consent, index, live, ...
    removed: tuple[Removed, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def text(self) -> str:
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class SiteMemory:
    """What was learned of one site (registrable domain) from the pages already seen of it.

    `blocks`: block hash -> number of different pages it was seen on.
    `paths`: DOM path -> (times kept, times removed).
    """

    site: str
    pages: int = 0
    blocks: Mapping[int, int] = field(default_factory=dict)
    paths: Mapping[str, tuple[int, int]] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------- dedup


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kept story that the index proposes for a new text. `shared`: posting that both have -> number of stories of
    the window that have it too (how common it is)."""

    id: int
    title: str
    text: str
    published: datetime | None = None
    shared: Mapping[int, int] = field(default_factory=dict)
    origin: tuple[int | None, str] | None = None  # the feed it came from, and its site


@dataclass(frozen=True, slots=True)
class Terms:
    """What the index keeps of a text, and what it is asked with: 32-bit shingle hashes; `published` in seconds.
    `tiny`: one shared posting is enough for a comparison."""

    postings: tuple[int, ...]
    probes: tuple[int, ...]
    published: float
    tiny: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Is a text a copy of a kept story, and how do we know? `copy_of` None: it is a new story.

    `resemblance`: Jaccard of the two texts' shingles; `containment`: share of the new text's shingles that
    are in the kept one (Broder 1997). `evidence`: figures and names matched and substituted, and the like.
    """

    copy_of: int | None
    reason: str  # one of VERDICT_REASONS
    resemblance: float = 0.0
    containment: float = 0.0
    confidence: float = 1.0
    evidence: Mapping[str, object] = field(default_factory=dict)


#: Reasons a text was, or was not, folded into another: name -> the words a reader sees.
VERDICT_REASONS: dict[str, str] = {
    "new": "a story of its own",
    "same_text": "the same text, word for word",
    "near_text": "the same text with small edits",
    "contained": "a shorter cut of the same text",
    "contains": "a longer version of the same text",
    "rewritten": "the same story, rewritten",
    "updated": "the same story with newer text",
    "same_headline": "the same headline and blurb, nothing else to go by",
    "by_hand": "folded by hand",
}


# ------------------------------------------------------------------------------------------- store


#: Days over which a feed's new entries are counted, for adaptive polling.
RATE_DAYS = 14


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the database knows about one feed: settings of feeds.yaml, and what was learned."""

    id: int
    feed: Feed
    fetch_url: str  # where it really is now: feed.url, or where three 301s in a row led
    validators: Validators = Validators()
    failures: int = 0  # in a row
    redirect_url: str | None = None  # a permanent redirect seen, not yet believed
    redirect_count: int = 0
    body_hash: str | None = None
    seen_hashes: frozenset[str] = frozenset()
    hints: RefreshHints = RefreshHints()  # of the last document: a 304 does not repeat them
    older_url: str | None = None  # of the last document
    new_entries_14d: int = 0
    age_days: float = 0.0  # of its oldest entry, by its date or else when it was first seen; at most 14


@dataclass(frozen=True, slots=True)
class Article:
    """One story: the copy that was kept. Same order as the table's columns."""

    id: int
    title: str
    published_at: str
    site: str
    feed_id: int | None
    copies: int
    event_id: int | None
    agency: str | None
    byline: str | None
    language: str | None
    summary: str | None
    text: str
    words: int
    image: str | None
    tags: tuple[str, ...]
    url: str
    source: str  # page or feed
    problem: str | None
    flags: tuple[str, ...]
    first_seen_at: str
    changed_at: str


@dataclass(frozen=True, slots=True)
class FeedOutcome:
    """What asking one feed came to; stored with its new entries, all or nothing."""

    state: FeedState
    started_at: datetime
    outcome: str  # new, nothing_new, not_modified, failed
    next_fetch_at: datetime | None  # None: never again by itself
    next_fetch_why: str
    matches: tuple[Match, ...] = ()  # only those that are new or changed
    parsed: ParsedFeed | None = None
    validators: Validators | None = None  # None: keep the old ones
    body_hash: str | None = None
    fetch_url: str | None = None  # None: unchanged
    redirect_url: str | None = None
    redirect_count: int = 0
    status: int | None = None
    wire_bytes: int | None = None
    duration_ms: int | None = None
    error_kind: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry whose story is not extracted yet, or is to be looked at again."""

    entry_id: int
    feed_id: int
    feed_url: str  # as in feeds.yaml
    site_url: str | None
    priority: int
    entry: Entry
    guid: str
    attempts: int = 0
    version: int = 0  # of the wording; another process may have seen a newer one since
    key: str | None = None  # canonical link, None if the entry has none of its own in its feed
    article_id: int | None = None  # set when the entry was stored before and may have changed
    duplicate_id: int | None = None
    first_seen_at: datetime | None = None
    page: PageMemory | None = None  # set when its stored text was read from its page


@dataclass(frozen=True, slots=True)
class PageMemory:
    """What to ask an article's page with when it is fetched again: validators belong to the very URL they came for."""

    url: str
    validators: Validators


@dataclass(frozen=True, slots=True)
class Story:
    """A clean text about to be stored, as an article or as a copy of one."""

    title: str
    published_at: str
    site: str
    feed_id: int | None
    agency: str | None
    byline: str | None
    language: str | None
    summary: str | None
    text: str
    words: int
    image: str | None
    tags: tuple[str, ...]
    url: str
    source: str
    problem: str | None
    flags: tuple[str, ...]
    first_seen_at: str
    keys: tuple[str, ...] = ()  # canonical URLs that are this story's
    removed: tuple[Removed, ...] = ()
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """The kept copy of a story, as far as a better one is measured against it."""

    words: int
    priority: int
    copies: int
    site: str
    agency: str | None


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands in the database for a story or a copy: `source` is "page" or "feed"."""

    title: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a story went: kind is "article", "duplicate", "better_copy", "revised" or "unchanged"."""

    kind: str
    article_id: int
    duplicate_id: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A feed (or page) that failed in a round; `kind` is a key of FETCH_ERROR_KINDS."""

    feed: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of long work, for progress bars: `stage` is "feeds", "history" (older pages), "pages" or "texts" (judged
    again); `news` counts new entries."""

    stage: str
    done: int
    total: int
    title: str
    news: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What one round did."""

    feeds_ok: int = 0
    feeds_failed: int = 0
    feeds_not_modified: int = 0
    entries_new: int = 0
    articles_new: int = 0
    articles_revised: int = 0
    duplicates: int = 0
    pages_failed: int = 0
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    older_pages: int = 0  # of feeds' histories, when asked for
