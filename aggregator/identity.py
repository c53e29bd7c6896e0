"""Which entry is which: recognise entries of a feed again, whatever the feed changes about them. Pure.

Requirements: a story that is listed again is never doubled, although its guid, its link or the scheme of either
changed; a guid that is reused for another story loses neither story; an entry without any guid or link is still the
same entry next time; every decision says why.

Theory of operation: an entry and a known entry may agree in guid, in canonical link and in content. All pairs that
agree in anything are ranked by how much they agree in, and taken from the top, each entry and each known entry once.
Where only the guid or only the link agrees, the titles decide between "edited" and "reused for another story".

Known exceptions: a feed that changes guid and headline of a story at once has it twice (deduplication by text
folds it later). A guid reused with the same link, as pages that are rewritten all day do, is one entry with revisions.
Entries of one document that say the same under each other's guids or links may be taken for each other.
Rejected: trusting guids alone (`reader` makes 8 to 12 entries of 4), and fuzzy texts (deduplication's work).
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from aggregator import urls
from aggregator.entities import unescaped
from aggregator.model import Entry, KnownEntry, Match

MAX_GUID = 500  # characters; a longer guid is stored as its hash
#: Share of title words in common (Jaccard) from which one guid, or one link, is one story that was edited.
SAME_STORY = 0.4
MIN_TEXT = 40  # letters of title and text, below which equal texts under new guids and links are a recurring headline

_TAG = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>", re.I | re.S)
#: What ticks at every fetch: "Points: 12", "5 minutes ago", "1,204 views", "5 posts - 3 participants", "12 points | 3
#: comments". The pattern and the words find who needs the last one, and are quick because each begins with a letter to
#: look for. Points, posts and votes alone are news, too.
_COLON = re.compile(r":\s*\d")
_COUNTED = (" ago", " comment", " likes", " participant", " replies", " views")
_COUNTER = re.compile(
    r"(?:comments|likes|points|replies|score|shares|views|votes)\s*:\s*\d+"
    r"|(?<!\d)\d{1,9} (?:(?:minute|hour|day)s? ago\b|comments?\b)"
    r"|(?<!\d)\d[\d,.]{0,12}[km]? (?:comments|likes|replies|views)\b"
    r"|(?<!\d)\d{1,9} posts? - \d{1,9} participants?\b|(?<!\d)\d{1,9} points? \|"
)
_PUNCTUATION = bytes(byte for byte in range(128) if not chr(byte).isalnum())
#: Fragments that count versions or visits ("#0", "#xtor=RSS-1"); others name a part of a page, as in change logs.
_VOLATILE_FRAGMENT = re.compile(r"\d{1,2}$|.*=")
_SUFFIX = re.compile(r" ~[0-9a-f]{12}(?:\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Keys:
    """What to ask the store for: known entries of the feed with any of these."""

    guids: tuple[str, ...]
    urls: tuple[str, ...]  # canonical
    hashes: tuple[str, ...]  # of contents


def guid_key(entry: Entry) -> str | None:
    """The entry's guid as stored and compared: URLs canonical, long ones as a hash; None if there is none."""
    guid = " ".join((entry.guid or "").encode("utf-8", "replace").decode("utf-8").replace("\0", "").split())
    if not guid:
        return None
    if urls.is_web(guid):
        guid = _page(guid)
    return guid if len(guid) <= MAX_GUID else f"hash:{_digest(guid.encode(errors='surrogatepass'))}"


def url_key(entry: Entry) -> str | None:
    """The entry's link as stored and compared: canonical, with the fragment if that names a part of the page."""
    return _page(entry.url) if entry.url else None


def _page(url: str) -> str:
    fragment = urlsplit(url).fragment if "#" in url else ""
    keep = fragment and not _VOLATILE_FRAGMENT.match(fragment)
    return f"{urls.canonical(url)}#{fragment}" if keep else urls.canonical(url)


def content_hash(entry: Entry) -> str:
    """A hash of what a reader reads: the letters and digits of title and text.

    Markup, links, tracking pixels, white space, punctuation, counters and dates of the entry do not count.
    """
    return _digest(_letters(entry))


def _letters(entry: Entry) -> bytes:
    text = _TAG.sub(" ", entry.content_html) if entry.content_html else entry.summary
    text = f"{entry.title}\n{unescaped(text)}".casefold().replace("\xa0", " ")
    if _COLON.search(text) or any(word in text for word in _COUNTED):
        text = _COUNTER.sub("", text)
    return text.encode(errors="surrogatepass").translate(None, _PUNCTUATION)


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def lookup_keys(listed: Sequence[Listed]) -> Keys:
    """What `match` needs to know of: ask the store for entries of this feed that have any of these."""
    guids = [guid for one in listed for guid in (one.guid_if_new, one.unique_guid)]
    return Keys(
        guids=tuple(dict.fromkeys(guids)),
        urls=tuple(dict.fromkeys(one.url for one in listed if one.url)),
        hashes=tuple(dict.fromkeys(one.content for one in listed)),
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the document with its keys."""

    entry: Entry
    guid: str | None
    url: str | None
    content: str
    letters: int

    @property
    def guid_if_new(self) -> str:
        """What the entry is stored under: its guid, or what stands in for it."""
        return self.guid or (f"link:{self.url}" if self.url else f"text:{self.content}")

    @property
    def unique_guid(self) -> str:
        """What it is stored under when another story has that already."""
        return f"{self.guid_if_new} ~{_digest(f'{self.url} {self.content}'.encode())[:12]}"


def match(listed: Sequence[Listed], known: Sequence[KnownEntry]) -> list[Match]:
    """Say of each entry of one document whether it is new, the same or changed, and why.

    `known` are the feed's stored entries that share any of `lookup_keys(listed)`; more do no harm. The matches
    come in the order of the entries. The guids of new entries differ from each other and from the known ones.
    """
    chosen = _choose(listed, known) if known else {}
    guids = {one.guid for one in known}
    matches = []
    for position, one in enumerate(listed):
        if position in chosen:
            other, why = chosen[position]
            same = other.content_hash == one.content and not _better_link(one, other)
            status = "same" if same else "changed"
            matches.append(Match(one.entry, status, other.id, other.guid, one.content, why, one.url))
        else:
            guid, why = _new_guid(one, guids)
            guids.add(guid)
            matches.append(Match(one.entry, "new", None, guid, one.content, why, one.url))
    return matches


def is_doubtful(matches: Sequence[Match], known: Sequence[KnownEntry]) -> bool:
    """Whether an entry was taken for a known one, under another headline. That was right if the known one is not listed
    any more; if it stands unchanged beside it, and was cut for that, these are two stories with one guid or link."""
    titles = {other.id: other.title for other in known}
    return any(
        one.status == "changed"
        and one.known_id is not None
        and one.entry.title != titles[one.known_id]
        and (not one.entry.guid or not similar(one.entry.title, titles[one.known_id]))
        for one in matches
    )


def listed(entries: Sequence[Entry]) -> list[Listed]:
    """The entries of one document with their keys; one that is listed twice word for word comes once."""
    found: dict[tuple[str | None, str | None, str], Listed] = {}
    for entry in entries:
        letters = _letters(entry)
        one = Listed(entry, guid_key(entry), url_key(entry), _digest(letters), len(letters))
        found.setdefault((one.guid, one.url, one.content), one)
    return list(found.values())


def _choose(listed: Sequence[Listed], known: Sequence[KnownEntry]) -> dict[int, tuple[KnownEntry, str]]:
    """Position of an entry -> the known entry it is, and why: the pairs that agree most go first."""
    index: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for number, other in enumerate(known):
        for key in (("guid", _base(other.guid)), ("url", other.url), ("content", other.content_hash)):
            index[key].append(number)
    listed_urls = Counter(one.url for one in listed)
    pairs = []
    for position, one in enumerate(listed):
        keys = ("guid", one.guid), ("url", one.url), ("content", one.content)
        link_tells = (
            one.url is not None
            and not urls.is_front_page(one.url)
            and listed_urls[one.url] == 1
            and len(index["url", one.url]) == 1
        )
        for number in {number for key in keys if key[1] is not None for number in index.get(key, ())}:
            if agreement := _agreement(one, known[number], link_tells):
                rank, why = agreement
                pairs.append((rank, position, number, why))
    chosen: dict[int, tuple[KnownEntry, str]] = {}
    taken: set[int] = set()
    for _, position, number, why in sorted(pairs):
        if position not in chosen and number not in taken:
            chosen[position] = known[number], why
            taken.add(number)
    return chosen


def _base(guid: str) -> str:
    """The guid as the feed gave it, without what makes a stored guid unique."""
    return _SUFFIX.sub("", guid)


def _agreement(one: Listed, other: KnownEntry, link_tells: bool) -> tuple[int, str] | None:
    """How much an entry agrees with a known one: a rank, 0 the best, and why; None if they are two stories.

    `link_tells`: the link is that of one entry only, and not the home page.
    """
    same_guid = one.guid is not None and _base(other.guid) == one.guid
    same_url = one.url is not None and one.url == other.url
    same_content = one.content == other.content_hash
    link = "same link, no guid" if one.guid is None else "same link, new guid"
    if same_guid and same_content:
        return (0 if one.url == other.url else 1), "same guid"
    if same_url and same_content:
        return 2, link
    if same_content and _tells(one, other):
        bare = one.guid is None and one.url is None
        return 3, "same text, no guid and no link" if bare else "same text, new guid and link"
    if same_guid and same_url and (link_tells or similar(one.entry.title, other.title)):
        return 4, "same guid"
    if same_guid and similar(one.entry.title, other.title):
        return 5, "same guid, new link"
    if same_url and link_tells and (one.guid is None or similar(one.entry.title, other.title)):
        return 6, link
    return None


def _better_link(one: Listed, other: KnownEntry) -> bool:
    """Whether an entry has a link of its own at last, or another one where the page of the old one could not be had.
    Then only the path counts: a session's number in the query is another one at every fetch."""
    if one.url is None or one.url == other.url or urls.is_front_page(one.url):
        return False
    if other.url is None or urls.is_front_page(other.url):
        return True
    return other.problem is not None and urlsplit(one.url).path != urlsplit(other.url).path


def similar(title: str, other: str) -> bool:
    """Whether two titles may head one story. Entries without titles have nothing to tell them apart by."""
    from aggregator.words import words  # with it comes numpy: 0.1 s, for edited entries only

    one, two = set(words(title)), set(words(other))
    return not (one or two) or len(one & two) / len(one | two) >= SAME_STORY


def _tells(one: Listed, other: KnownEntry) -> bool:
    """Whether equal texts are one story: "Weather for today" under a new guid and link each day is not."""
    if one.guid is None and one.url is None:
        return True
    date = one.entry.published
    if not (date and other.published_at):
        return one.letters >= MIN_TEXT
    # The same minute tells even a short headline, of feeds that have nothing else; midnight is but a day.
    tells = one.letters >= MIN_TEXT or bool(date.hour or date.minute or date.second)
    return tells and _seconds_apart(date, other.published_at) < 60


def _seconds_apart(date: datetime, stored: str) -> float:
    try:
        return abs((datetime.fromisoformat(stored) - date).total_seconds())
    except (ValueError, TypeError):
        return float("inf")


def _new_guid(one: Listed, taken: set[str]) -> tuple[str, str]:
    """What a new entry is stored under, and in what way it is new."""
    if one.guid is not None:
        why, twice = "new guid", "guid reused for another story"
    elif one.url is not None:
        why, twice = "no guid: known by its link", "no guid, and a link that others have too"
    else:
        why = twice = "no guid and no link: known by its text"
    if one.guid_if_new not in taken:
        return one.guid_if_new, why
    if one.unique_guid not in taken:
        return one.unique_guid, twice
    return next(guid for n in itertools.count(2) if (guid := f"{one.unique_guid}.{n}") not in taken), twice
