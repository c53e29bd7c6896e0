"""Which entry is which: recognise entries of a feed again, whatever the feed changes about them. Pure.

Requirements: a story that is listed again is never doubled, although its guid, its link or the scheme of either
changed; a guid that is reused for another story loses neither story; an entry without any guid or link is still the
same entry next time; every decision says why.

Theory of operation: an entry is known by its guid, else by its canonical link, else by its content hash. A guid or a link
that several entries of one document carry says nothing ("latest", the home page): there the content decides.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator import urls
from aggregator.model import Entry, KnownEntry, Match

MAX_GUID = 500  # characters; a longer guid is stored as its hash
SAME_STORY = 0.4  # share of title words in common from which a reused guid is an edit, not another story

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^<>]*>", re.I | re.S)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Keys:
    """What to ask the store for: known entries of the feed with any of these."""

    guids: frozenset[str]
    urls: frozenset[str]  # canonical
    content_hashes: frozenset[str]


def guid_key(entry: Entry) -> str | None:
    """The entry's guid as stored and compared: URLs canonical, long ones as a hash; None if there is none."""
    guid = " ".join((entry.guid or "").split())
    if not guid:
        return None
    if urls.is_web(guid):
        guid = urls.canonical(guid)
    return guid if len(guid) <= MAX_GUID else "hash:" + _digest(guid)


def url_key(entry: Entry) -> str | None:
    """The entry's canonical link, None if there is none."""
    return urls.canonical(entry.url) if entry.url else None


def content_hash(entry: Entry) -> str:
    """A hash of what a reader reads: the words of title and text.

    Markup, links, tracking pixels, white space and dates do not count; a changed word does.
    """
    text = _TAG.sub(" ", entry.content_html) if entry.content_html else entry.summary
    words = _WORD.findall(f"{entry.title}\n{text}".casefold())
    return _digest(" ".join(words))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def lookup_keys(entries: Sequence[Entry]) -> Keys:
    """What `match` needs to know of: ask the store for entries of this feed that have any of these."""
    return Keys(
        guids=frozenset(key for entry in entries if (key := guid_key(entry))),
        urls=frozenset(key for entry in entries if (key := url_key(entry))),
        content_hashes=frozenset(map(content_hash, entries)),
    )
