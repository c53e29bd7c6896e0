"""A database full of made-up news for the newsroom's tests: written straight through the migrations."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from aggregator.store import Store

SITES = (
    "harbourherald.example", "valleypost.example", "uplandgazette.example", "skerrymail.example",
    "lantern.example", "halyard.example", "oldmillcourier.example", "saltroadtimes.example",
)  # fmt: skip
AGENCIES = ("Northern Press", "Halyard", None, None, None)

LEAD = (
    "BRACKWATER (Northern Press) - Dockers and ferry companies on the Issel coast agreed on a winter timetable in the "
    "early hours of Tuesday, ending a dispute that had kept the night boats in harbour for eleven days.\n\n"
    "The first sailing left at 05:40 with 212 passengers and a delayed cargo of seed potatoes, the harbour office "
    "said. Both sides called the agreement fair, and neither would say who had moved.\n\n"
    "\u201cWe have listened, and we have moved a little,\u201d said Ines Farrow, who led the talks for the companies. "
    "\u201cNobody wanted a third week of empty quays.\u201d\n\n"
    "Under the deal, crews will work no more than two nights in a row between November and March, and the last boat "
    "will leave an hour earlier than in summer. Freight that cannot wait goes by rail to Tarn.\n\n"
    "The dispute began when a storm on 9 November closed the east mole and the companies asked crews to sail from the "
    "smaller fish quay, which has no shelter and, the union said, one lamp.\n\n"
    "A review is due in April. Until then the port pays for two more lamps."
)
SHORT_CUT = "\n\n".join(LEAD.split("\n\n")[:4])
REWRITTEN = (
    "The night boats are running again. Dockers and ferry companies on the Issel coast agreed on a winter timetable in "
    "the early hours of Tuesday, ending a dispute that had kept the night boats in harbour for eleven days.\n\n"
    + "\n\n".join(LEAD.split("\n\n")[1:3])
    + "\n\nIn our own town the bakery sent forty loaves to the quay.\n\n"
    + LEAD.split("\n\n")[5]
)
HOSTILE = "<script>alert('x')</script> & \"quotes\" <b>bold</b>"

HEADLINES = (
    "Library opens a reading room for people who cannot sleep", "Upland bus timetable loses its last misprint",
    "Orchard keepers ask for a later frost", "Old mill wheel turns again after forty years",
    "Council counts its benches, finds three too many", "Museum of maps finds a town that was never there",
    "Night train to Tarn gets its dining car back", "Seed bank doubles the number of its beans",
    "Lighthouse keeper's logbook is put into verse", "Rates held for a fourth month, bank says",
    "Goats clear the embankment faster than machines", "Earthquake shakes crockery, and little else, in Ansel",
)  # fmt: skip
FILLER = (
    "Nobody had expected it to take less than a year.",
    "The plan goes before the committee on Thursday, and a decision is likely before the holidays.",
    "\u201cIt is a small thing, but it is ours,\u201d said Tobias Wren, who has run the place since 1998.",
    "About 31 crowns per household will be needed, most of it for paint.",
    "Two earlier attempts, in 2011 and 2019, ended in the archive.",
)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(path: Path) -> Database:
    """An empty database with today's schema."""
    Store(path).close()
    return Database(path)


def seed(path: Path, now: datetime | None = None, articles: int = 40) -> Database:
    """Eight feeds, `articles` stories, one of them (id 1) in four copies; one feed dead, one no feed at all."""
    db = create(path)
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    with db.conn:
        _feeds(db, now)
        _lead(db, now - timedelta(minutes=124))
        for n in range(articles - 1):
            _story(db, n, now)
        _hostile(db, now - timedelta(days=3))
        db.execute("update articles set event_id = 1 where id = 2")
    with Store(path) as store, store.transaction():
        pass  # what was written past the program becomes searchable
    return db


def _insert(db: Database, table: str, **values: object) -> int:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    return int(db.execute(f"insert into {table} ({names}) values ({marks})", list(values.values())).lastrowid)


def _feeds(db: Database, now: datetime) -> None:
    for n, site in enumerate(SITES, 1):
        trouble = {
            7: ("gone", "gone", "410 Gone", 1),
            8: ("failing", "not_a_feed", "an HTML page, not a feed", 6),
        }.get(n)
        status, kind, error, failures = trouble or ("ok", None, None, 0)
        _insert(
            db, "feeds", title=site.split(".")[0].title(), url=f"https://{site}/feed.xml", site_url=f"https://{site}/",
            status=status, error_kind=kind, error=error, failures=failures, fetch_url=f"https://{site}/feed.xml",
            next_fetch_at=None if status == "gone" else stamp(now + timedelta(minutes=11 * n)),
            next_fetch_why="adaptive: about one story in 50 min", last_fetch_at=stamp(now - timedelta(minutes=9)),
            last_new_at=stamp(now - timedelta(hours=n)), added_at=stamp(now - timedelta(days=40)),
            tags=json.dumps(["wire"] if n == 1 else ["local"]),
        )  # fmt: skip
        for hour in range(30):
            failed = bool(trouble) and hour < 8
            outcome = "failed" if failed else ("new", "not_modified", "nothing_new")[(hour + n) % 3]
            _insert(
                db, "fetches", feed_id=n, started_at=stamp(now - timedelta(minutes=9, hours=hour)), outcome=outcome,
                status=None if failed else 304 if outcome == "not_modified" else 200, bytes=18_400 + 700 * hour,
                duration_ms=120 + 13 * ((hour * n) % 17), entries=3 if outcome == "new" else 0,
                error_kind=kind if failed else None, error=error if failed else None,
            )  # fmt: skip


def _texts(
    title: str, text: str, site: str, url: str, published: datetime, **more: object
) -> dict[str, object]:
    return {
        "title": title, "text": text, "words": len(text.split()), "site": site, "url": url, "summary": None,
        "published_at": stamp(published), "first_seen_at": stamp(published + timedelta(minutes=6)), "source": "page",
        "language": "en", **more,
    }  # fmt: skip


def _entry(db: Database, title: str, feed_id: int, url: str, seen: datetime, **owner: int | None) -> None:
    _insert(
        db, "entries", title=title, feed_id=feed_id, guid=url, url=url, published_at=stamp(seen), content_hash="0",
        first_seen_at=stamp(seen), changed_at=stamp(seen), **owner,
    )  # fmt: skip


def _removed(
    db: Database, site: str, reason: str, text: str, pages: int, seen: datetime, **owner: int
) -> None:
    found = db.execute("select id from boilerplate where site = ? and text_hash = ?", [site, text]).fetchone()
    block = found[0] if found else _insert(
        db, "boilerplate", site=site, reason=reason, pages=pages, text=text, text_hash=text,
        first_seen_at=stamp(seen), last_seen_at=stamp(seen),
    )  # fmt: skip
    _insert(db, "removed_blocks", boilerplate_id=block, reason=reason, position=3, confidence=0.97, **owner)


def _lead(db: Database, at: datetime) -> None:
    title, url = "Night boats sail again as Issel ferry dispute ends", f"https://{SITES[0]}/2026/night-boats"
    article = _insert(
        db, "articles", **_texts(title, LEAD, SITES[0], url, at), feed_id=1, agency="Northern Press",
        byline="Corin Haddow", changed_at=stamp(at), tags='["wire"]', image=f"https://{SITES[0]}/boat.jpg",
        flags='["live"]',
    )  # fmt: skip
    _entry(db, title, 1, url, at, article_id=article)
    for reason, text, pages in (
        ("related", "Read more: Ferry union to vote on Friday", 1),
        (
            "related",
            "Latest news\nGoats clear the embankment faster than machines\nRates held for a fourth month",
            97,
        ),
        ("share", "Share on everything", 214),
        ("newsletter", "Get the harbour in your inbox every morning", 214),
        ("weather", "Brackwater 7\u00b0 light rain", 41),
    ):
        _removed(db, SITES[0], reason, text, pages, at, article_id=article)
    copies = (
        (2, title, LEAD, "same_text", 1.0, 1.0, 22),
        (3, "Ferry dispute ends", SHORT_CUT, "contained", 0.61, 0.99, 35),
        (4, "The night boats are running again", REWRITTEN, "near_text", 0.55, 0.82, 95),
    )
    for feed, headline, text, reason, resemblance, containment, minutes in copies:
        site, seen = SITES[feed - 1], at + timedelta(minutes=minutes)
        copy = _insert(
            db, "duplicates", **_texts(headline, text, site, f"https://{site}/boats", seen), feed_id=feed,
            article_id=article, reason=reason, resemblance=resemblance, containment=containment, confidence=0.98,
            agency="Northern Press", evidence=json.dumps({"head": 0.91, "contained_in_new": containment}),
            removed_at=stamp(seen),
        )  # fmt: skip
        _entry(db, headline, feed, f"https://{site}/boats", seen, article_id=article, duplicate_id=copy)
        _removed(db, site, "share", "Tell a friend", 12, seen, duplicate_id=copy)
    _insert(
        db, "revisions", title="Night boats may sail again", article_id=article, reason="edited", url=url,
        replaced_at=stamp(at + timedelta(minutes=20)), text=LEAD.replace("212 passengers", "180 passengers"),
    )  # fmt: skip


def more_copies(db: Database, count: int) -> None:
    """More copies of the first story, each at an outlet of its own."""
    at = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    for n in range(count):
        site = f"paper{n}.example"
        _insert(
            db, "duplicates", **_texts("Ferry dispute ends", SHORT_CUT, site, f"https://{site}/boats", at), feed_id=1,
            article_id=1, reason="contained", resemblance=0.61, containment=0.5, confidence=0.98, removed_at=stamp(at),
        )  # fmt: skip


def add_story(db: Database, title: str, text: str, **more: object) -> int:
    """One more story; its id."""
    at = datetime.now(UTC)
    values = _texts(title, text, "elsewhere.example", f"https://elsewhere.example/{title}", at, **more)
    return _insert(db, "articles", **values, changed_at=stamp(at), feed_id=1)


def _story(db: Database, n: int, now: datetime) -> None:
    at = now - timedelta(minutes=180 + 71 * n)
    site = SITES[n % 6]
    title = HEADLINES[n % len(HEADLINES)] + (
        "" if n < len(HEADLINES) else f", part {n // len(HEADLINES) + 1}"
    )
    text = "\n\n".join([f"{title}, the town said on {at:%A}.", *(FILLER[(n + k) % 5] for k in range(5))])
    url = f"https://{site}/story/{n}"
    article = _insert(
        db, "articles", **_texts(title, text, site, url, at, language="de" if n % 9 == 8 else "en"),
        feed_id=n % 6 + 1, agency=AGENCIES[n % 5], changed_at=stamp(at), tags='["local"]',
    )  # fmt: skip
    _entry(db, title, n % 6 + 1, url, at, article_id=article)
    for k in range((3, 0, 0, 1, 0, 5, 0)[n % 7]):
        other = (n + k + 1) % 6
        seen = at + timedelta(minutes=17 * (k + 1))
        copy = _insert(
            db, "duplicates", **_texts(title, text, SITES[other], f"https://{SITES[other]}/copy/{n}/{k}", seen),
            feed_id=other + 1, article_id=article, reason="same_text", resemblance=1.0, containment=1.0, confidence=1.0,
            removed_at=stamp(seen),
        )  # fmt: skip
        _entry(
            db,
            title,
            other + 1,
            f"https://{SITES[other]}/copy/{n}/{k}",
            seen,
            article_id=article,
            duplicate_id=copy,
        )


def _hostile(db: Database, at: datetime) -> None:
    """Everything a publisher can write, trying to be markup."""
    article = _insert(
        db, "articles", **_texts(HOSTILE, f"{HOSTILE}\n\n{HOSTILE}", "evil.example", "javascript:alert(1)", at),
        byline=HOSTILE, agency=HOSTILE, problem=HOSTILE, changed_at=stamp(at), image="javascript:alert(2)",
        flags=json.dumps([HOSTILE]), tags=json.dumps([HOSTILE]), feed_id=2,
    )  # fmt: skip
    copy = _insert(
        db, "duplicates", **_texts(HOSTILE, HOSTILE, "evil.example", "javascript:alert(3)", at), article_id=article,
        reason=HOSTILE, resemblance=0.9, containment=0.9, confidence=0.9, removed_at=stamp(at),
        evidence=json.dumps({HOSTILE: HOSTILE}),
    )  # fmt: skip
    _removed(db, "evil.example", HOSTILE, HOSTILE, 2, at, article_id=article)
    _removed(db, "evil.example", HOSTILE, HOSTILE, 2, at, duplicate_id=copy)
    _insert(
        db, "revisions", title=HOSTILE, article_id=article, reason="edited", text=HOSTILE, replaced_at=stamp(at),
        url="javascript:alert(4)",
    )  # fmt: skip
