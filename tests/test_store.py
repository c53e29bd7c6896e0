"""The database: every fact with a real file."""

from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator import schema
from aggregator.errors import StoreError
from aggregator.model import (
    Block,
    Entry,
    Feed,
    FeedOutcome,
    HostState,
    Match,
    ParsedFeed,
    RefreshHints,
    Removed,
    Story,
    Terms,
    Validators,
    Verdict,
)
from aggregator.store import Store, leases
from aggregator.store.clock import stamp

NOW = datetime(2026, 5, 11, 8, 30, tzinfo=UTC)
WIRE = Feed("https://wire.example/rss", title="Wire", priority=10, tags=("wire",))
LOCAL = Feed("https://local.example/rss")
FEEDS = {feed.url: feed for feed in (WIRE, LOCAL)}


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "news.db") as opened:
        yield opened


@pytest.fixture
def synced(store):
    store.feeds.sync(list(FEEDS.values()), NOW)
    return store


def story(number: int = 1, **changes) -> Story:
    url = f"https://local.example/{number}"
    values = Story(
        title=f"Ferries stay in port {number}",
        published_at="2026-05-11T08:00:00Z",
        site="local.example",
        feed_id=None,
        agency=None,
        byline="Ana Prado",
        language="en",
        summary=None,
        text="The ferries stayed in port.\n\nNobody knew for how long.",
        words=10,
        image=None,
        tags=("coast",),
        url=url,
        source="page",
        problem=None,
        flags=(),
        first_seen_at="2026-05-11T08:30:00Z",
        keys=(url,),
        removed=(Removed("Latest news", "related", 2, 0.9),),
    )
    return dataclasses.replace(values, **changes)


TERMS = Terms((1, 2, 3), (1, 2, 3), NOW.timestamp())
COPY = Verdict(1, "near_text", 0.8, 0.9, 0.99, {"figures": ["7"]})


def match(guid: str, *, title: str = "Ferries", known_id: int | None = None, status: str = "new") -> Match:
    url = f"https://local.example/{guid}"
    return Match(Entry(guid, url, title, published=NOW), status, known_id, guid, f"hash {title}", "new", url)


def outcome(state, **changes) -> FeedOutcome:
    values = FeedOutcome(
        state,
        NOW,
        "new",
        NOW + timedelta(hours=1),
        "adaptive 1 h",
        matches=(match("a"), match("b")),
        parsed=ParsedFeed(
            "Local Times", "https://local.example", "en", (), RefreshHints(ttl=60.0), ("h1", "h2")
        ),
        validators=Validators('"e1"', None),
        status=200,
    )
    return dataclasses.replace(values, **changes)


# -------------------------------------------------------------------------------- opening


def test_a_new_file_is_migrated_and_marked_as_ours(tmp_path):
    Store(tmp_path / "db" / "news.db").close()
    database = sqlite3.connect(tmp_path / "db" / "news.db")
    assert database.execute("pragma journal_mode").fetchone() == ("wal",)
    assert database.execute("pragma application_id").fetchone() == (0x61676772,)


def test_opening_twice_changes_nothing(tmp_path):
    for _ in range(2):
        Store(tmp_path / "news.db").close()
    database = sqlite3.connect(tmp_path / "news.db")
    assert database.execute("select count(*) from _sqlite_migrations").fetchone() == (
        len(schema.MIGRATION_NAMES),
    )


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table t (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="some other program's database"):
        Store(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "news.db"
    path.write_text("these are not the bytes you are looking for" * 50)
    with pytest.raises(StoreError, match="not an SQLite database"):
        Store(path)


def test_a_database_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "news.db"
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('aggregator', 'm999', 'later')"
        )
    database.close()
    with pytest.raises(StoreError, match=r"newer version.*upgrade"):
        Store(path)


def test_a_locked_database_is_a_clear_error(tmp_path):
    path = tmp_path / "news.db"
    Store(path).close()
    with Store(path, timeout=0.1) as store:
        other = sqlite3.connect(path)
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="another program holds the database"):
            store.feeds.sync([WIRE], NOW)
        other.rollback()
        store.feeds.sync([WIRE], NOW)
        assert store.connection.value("select count(*) from feeds") == 1


def test_a_full_disk_is_a_clear_error_and_leaves_the_database_whole(synced):
    pages = synced.connection.value("pragma page_count")
    synced.connection.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full"):
        synced.stories.add(story(text="word " * 100_000), TERMS, None, NOW)
    synced.connection.execute("pragma max_page_count = 1000000")
    assert synced.connection.value("select count(*) from articles") == 0
    assert synced.connection.value("pragma integrity_check") == "ok"
    assert synced.stories.add(story(), TERMS, None, NOW).article_id == 1


def test_a_transaction_whose_end_never_comes_is_undone_and_holds_nothing_up(store):
    broken_off = store.transaction()  # as when Ctrl-C strikes on the way into __exit__
    broken_off.__enter__()
    store.stories.add(story(1, title="Half"), TERMS, None, NOW)
    del broken_off
    store.stories.add(story(2, title="Whole"), TERMS, None, NOW)
    with Store(store.path) as another:
        assert [row["title"] for row in another.connection.rows("select title from articles")] == ["Whole"]


def test_an_error_in_the_last_part_of_a_transaction_undoes_it(store):
    def fail():
        raise RuntimeError("bug")

    last_part, store.connection.before_commit = store.connection.before_commit, fail
    with pytest.raises(RuntimeError):
        store.stories.add(story(1), TERMS, None, NOW)
    store.connection.before_commit = last_part
    assert store.connection.value("select count(*) from articles") == 0
    assert store.stories.add(story(1), TERMS, None, NOW).article_id == 1


def test_two_programs_may_make_the_database_at_once(tmp_path):
    code = f"from aggregator.store import Store; Store({str(tmp_path / 'news.db')!r}).close()"
    both = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.wait() for process in both] == [0, 0, 0, 0], [p.stderr.read() for p in both]


# -------------------------------------------------------------------------------- feeds


def test_a_new_feed_is_due_at_once(synced):
    assert [state.feed.url for state in synced.feeds.claim(FEEDS, NOW)] == [WIRE.url, LOCAL.url]


def test_a_feed_that_left_feeds_yaml_is_kept_but_off(synced):
    synced.feeds.sync([WIRE], NOW)
    rows = dict(synced.connection.rows("select url, status from feeds"))
    assert rows == {WIRE.url: "new", LOCAL.url: "off"}
    assert [state.feed.url for state in synced.feeds.claim(FEEDS, NOW)] == [WIRE.url]


def test_a_feed_that_came_back_is_due_again(synced):
    synced.feeds.sync([WIRE], NOW)
    synced.feeds.sync(list(FEEDS.values()), NOW)
    assert len(synced.feeds.claim(FEEDS, NOW)) == 2


def test_an_unchanged_feeds_yaml_writes_nothing(synced):
    before = synced.connection.raw.total_changes
    synced.feeds.sync(list(FEEDS.values()), NOW)
    assert synced.connection.raw.total_changes == before


def test_two_processes_never_claim_the_same_feed(synced, tmp_path):
    code = (
        "import sys; from datetime import *; from aggregator.store import Store; from aggregator.model import Feed\n"
        f"store = Store({synced.path!r}); feeds = {{u: Feed(u) for u in {list(FEEDS)!r}}}\n"
        f"print(len(store.feeds.claim(feeds, datetime.fromisoformat({NOW.isoformat()!r}))), flush=True)\n"
        "sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "2\n"
    assert synced.feeds.claim(FEEDS, NOW) == []
    other.kill()
    other.wait()
    assert len(synced.feeds.claim(FEEDS, NOW)) == 2, "the lease of a process that died is void"


def test_a_feed_with_a_next_time_written_by_a_wrong_clock_is_counted_as_due(synced):
    synced.connection.execute("update feeds set next_fetch_at = ?", (stamp(NOW + timedelta(days=400)),))
    assert synced.feeds.due_count(NOW) == 2


def test_a_feed_that_comes_back_to_feeds_yaml_is_due_at_once(synced):
    state = next(s for s in synced.feeds.claim(FEEDS, NOW) if s.feed == LOCAL)
    synced.feeds.record(outcome(state, next_fetch_at=NOW + timedelta(days=20)), NOW)
    synced.feeds.sync([WIRE], NOW)
    synced.feeds.sync(list(FEEDS.values()), NOW)
    again = synced.connection.one(
        "select next_fetch_at, next_fetch_why from feeds where url = ?", (LOCAL.url,)
    )
    assert tuple(again) == (stamp(NOW), "back in feeds.yaml")


def test_a_success_ends_the_count_of_failures(synced):
    for given in ("failed", "new"):
        state = synced.feeds.claim(FEEDS, NOW, urls=[LOCAL.url])[0]
        synced.feeds.record(outcome(state, outcome=given, matches=()), NOW)
    assert synced.feeds.claim(FEEDS, NOW, urls=[LOCAL.url])[0].failures == 0


def undated(synced, days):
    """The state of a feed that brought ten entries without a date on each of these days."""
    for day in days:
        now = NOW + timedelta(days=day)
        state = synced.feeds.claim(FEEDS, now, urls=[LOCAL.url])[0]
        new = [match(f"{day}-{n}") for n in range(10)]
        new = [dataclasses.replace(m, entry=dataclasses.replace(m.entry, published=None)) for m in new]
        synced.feeds.record(outcome(state, matches=tuple(new)), now)
    return synced.feeds.claim(FEEDS, NOW + timedelta(days=20), urls=[LOCAL.url])[0]


def test_entries_without_a_date_count_when_they_are_first_seen(synced):
    state = undated(synced, range(20))
    assert (state.new_entries_14d, state.age_days) == (130, 14)


def test_a_feed_without_dates_that_fell_silent_is_known_as_silent(synced):
    state = undated(synced, range(3))
    assert (state.new_entries_14d, state.age_days) == (0, 14)


def test_a_young_feed_without_dates_is_as_old_as_its_first_entry(synced):
    assert undated(synced, range(18, 20)).age_days == 2


def test_the_title_that_the_user_wrote_stays(synced):
    mine = dataclasses.replace(LOCAL, title="Mine")
    synced.feeds.sync([mine], NOW)
    state = synced.feeds.claim({LOCAL.url: mine}, NOW)[0]
    synced.feeds.record(outcome(state), NOW)
    assert synced.connection.value("select title from feeds where url = ?", (LOCAL.url,)) == "Mine"


def test_a_feed_that_is_removed_while_it_is_asked_stays_off(synced):
    state = synced.feeds.claim(FEEDS, NOW, urls=[LOCAL.url])[0]
    synced.feeds.sync([WIRE], NOW)
    synced.feeds.record(outcome(state), NOW)
    assert synced.connection.value("select status from feeds where url = ?", (LOCAL.url,)) == "off"


def test_a_feed_that_is_postponed_is_given_back(synced):
    state = synced.feeds.claim(FEEDS, NOW, limit=1)[0]
    synced.feeds.postpone(state, NOW + timedelta(hours=1), "Retry-After")
    assert synced.connection.value("select lease_owner from _feed_memory") is None


def test_a_feed_of_another_feeds_yaml_is_not_claimed(synced):
    assert [state.feed for state in synced.feeds.claim({WIRE.url: WIRE}, NOW)] == [WIRE]


def test_a_lease_is_void_when_another_process_has_the_number_of_the_one_that_took_it():
    host, pid, _ = leases.owner().split("/")
    assert not leases.is_live(f"{host}/{pid}/1", NOW, NOW)


def test_only_leases_of_its_own_are_given_back(synced):
    states = synced.feeds.claim(FEEDS, NOW)
    synced.connection.execute("update _feed_memory set lease_owner = 'elsewhere/1/1'")
    synced.feeds.release(states)
    assert synced.feeds.claim(FEEDS, NOW) == []


def test_recording_stores_entries_validators_and_the_next_time_together(synced):
    state = next(s for s in synced.feeds.claim(FEEDS, NOW) if s.feed.url == LOCAL.url)
    synced.feeds.record(outcome(state), NOW)
    row = synced.connection.one("select * from feeds where url = ?", (LOCAL.url,))
    assert (row["status"], row["etag"], row["next_fetch_why"], row["title"]) == (
        "ok", '"e1"', "adaptive 1 h", "Local Times",
    )  # fmt: skip
    assert synced.pending.count(NOW) == 2
    assert synced.feeds.claim(FEEDS, NOW + timedelta(minutes=59)) != []  # the other feed
    again = synced.feeds.claim(FEEDS, NOW + timedelta(minutes=61))
    mine = next(s for s in again if s.feed.url == LOCAL.url)
    assert (mine.seen_hashes, mine.hints.ttl, mine.validators.etag) == (frozenset({"h1", "h2"}), 60.0, '"e1"')


def test_a_recording_that_breaks_off_stores_nothing(synced):
    state = synced.feeds.claim(FEEDS, NOW)[0]
    broken = outcome(state, matches=(match("a"), match("a")))  # the same guid twice: a bug of the caller
    with pytest.raises(sqlite3.IntegrityError):
        synced.feeds.record(broken, NOW)
    assert synced.pending.count(NOW) == 0
    assert synced.connection.value("select etag from feeds where id = ?", (state.id,)) is None


def test_a_failure_is_counted_and_keeps_the_validators(synced):
    state = synced.feeds.claim(FEEDS, NOW)[0]
    synced.feeds.record(outcome(state), NOW)
    state = synced.feeds.claim(FEEDS, NOW, urls=[state.feed.url])[0]
    synced.feeds.record(
        outcome(
            state,
            outcome="failed",
            matches=(),
            parsed=None,
            validators=None,
            error_kind="timeout",
            error="slow",
        ),
        NOW,
    )
    row = synced.connection.one("select * from feeds where id = ?", (state.id,))
    assert (row["status"], row["failures"], row["error_kind"], row["etag"]) == (
        "failing",
        1,
        "timeout",
        '"e1"',
    )


def test_a_feed_that_is_gone_is_not_due_but_may_be_asked_by_hand(synced):
    state = synced.feeds.claim(FEEDS, NOW, urls=[LOCAL.url])[0]
    synced.feeds.record(
        outcome(state, outcome="failed", next_fetch_at=None, error_kind="gone", error="410", matches=()), NOW
    )
    assert [s.feed.url for s in synced.feeds.claim(FEEDS, NOW + timedelta(days=400))] == [WIRE.url]
    assert len(synced.feeds.claim(FEEDS, NOW, urls=[LOCAL.url])) == 1


def test_a_next_time_written_by_a_wrong_clock_does_not_silence_a_feed(synced):
    synced.connection.execute("update feeds set next_fetch_at = '2031-01-01T00:00:00Z'")
    assert len(synced.feeds.claim(FEEDS, NOW)) == 2


def test_hosts_are_remembered(synced):
    host = HostState("wire.example", NOW, "Retry-After", "User-agent: *", NOW)
    synced.feeds.save_hosts([host])
    assert synced.feeds.hosts() == {"wire.example": host}


# -------------------------------------------------------------------------------- pending


def test_entries_are_claimed_in_the_order_they_are_judged_in(synced):
    states = synced.feeds.claim(FEEDS, NOW)
    late, early = match("late"), match("early")
    early = dataclasses.replace(
        early, entry=dataclasses.replace(early.entry, published=NOW - timedelta(hours=3))
    )
    for state in states:
        synced.feeds.record(outcome(state, matches=(late, early)), NOW)
    claimed = synced.pending.claim(synced.pending.due(NOW)[:10], NOW)
    assert [(item.guid, item.feed_url) for item in claimed] == [
        ("early", WIRE.url), ("early", LOCAL.url), ("late", WIRE.url), ("late", LOCAL.url),
    ]  # fmt: skip


@pytest.fixture
def waiting(synced):
    """The store, with one entry that waits for its page."""
    synced.feeds.record(outcome(synced.feeds.claim(FEEDS, NOW)[0], matches=(match("g"),)), NOW)
    return synced


def test_an_entry_that_another_process_took_meanwhile_is_not_taken_too(waiting):
    due = waiting.pending.due(NOW)
    assert len(due) == 1
    waiting.connection.execute(
        "update _pending set lease_owner = 'elsewhere/1/1', leased_at = ?", (stamp(NOW),)
    )
    assert waiting.pending.claim(due, NOW) == []


def test_an_entry_put_aside_by_a_clock_that_was_wrong_is_due(waiting):
    (item,) = waiting.pending.claim(waiting.pending.due(NOW), NOW)
    waiting.pending.put_aside(item, NOW + timedelta(days=400), "later")
    assert (waiting.pending.count(NOW), len(waiting.pending.due(NOW))) == (1, 1)


def test_an_entry_comes_back_from_the_database_as_it_went_in(synced):
    entry = Entry(
        "g",
        "https://local.example/g",
        "Ferries",
        "sum",
        "<p>x</p>",
        ("Ana", "Bo"),
        NOW,
        None,
        "pt",
        None,
        ("sea",),
        "h",
    )
    state = synced.feeds.claim(FEEDS, NOW)[0]
    synced.feeds.record(outcome(state, matches=(dataclasses.replace(match("g"), entry=entry),)), NOW)
    assert synced.pending.claim(synced.pending.due(NOW)[:1], NOW)[0].entry == entry


# -------------------------------------------------------------------------------- stories


def test_a_story_is_found_by_its_url(store):
    store.stories.add(story(), TERMS, None, NOW)
    assert store.stories.known(["https://local.example/1"]).article_id == 1
    assert store.stories.known(["https://local.example/2"]) is None


def test_a_copy_is_folded_with_its_evidence_and_counted(store):
    store.stories.add(story(), TERMS, None, NOW)
    saved = store.stories.add_copy(story(2), COPY, None, NOW)
    assert (saved.kind, saved.article_id) == ("duplicate", 1)
    copy = store.reading.copies(1)[0]
    assert (copy["reason"], copy["resemblance"], copy["evidence"]) == ("near_text", 0.8, {"figures": ["7"]})
    assert store.reading.article(1).copies == 1


def test_a_better_copy_takes_the_text_over_under_the_same_id(store):
    store.stories.add(story(), TERMS, None, NOW)
    store.stories.add_better(story(2, text="The fuller text.", site="wire.example"), COPY, TERMS, None, NOW)
    article = store.reading.article(1)
    assert (article.text, article.site, article.copies) == ("The fuller text.", "wire.example", 1)
    assert store.reading.copies(1)[0]["text"].startswith("The ferries")
    assert store.reading.revisions(article_id=1)[0]["reason"] == "better_copy"
    assert store.stories.known(["https://local.example/1"]).duplicate_id == 1
    assert store.stories.known(["https://local.example/2"]).duplicate_id is None


def test_a_new_text_is_compared_with_the_better_copy_and_with_the_text_it_replaced(store):
    store.stories.add(story(), TERMS, None, NOW)
    store.stories.add_better(story(2, text="The fuller text.", site="wire.example"), COPY, TERMS, None, NOW)
    proposed = store.stories.candidates(TERMS, window=3600)
    assert [(c.id, c.text) for c in proposed] == [(1, "The fuller text."), (1, story().text)]


def test_an_edit_keeps_the_earlier_wording(store):
    first = store.stories.add(story(), TERMS, None, NOW)
    saved = store.stories.revise(first, story(text="Corrected."), TERMS, None, NOW)
    assert saved.kind == "revised"
    assert store.reading.article(1).text == "Corrected."
    assert store.reading.revisions(article_id=1)[0]["text"].startswith("The ferries")


def test_an_edit_that_changes_nothing_writes_no_revision(store):
    first = store.stories.add(story(), TERMS, None, NOW)
    assert store.stories.revise(first, story(), TERMS, None, NOW).kind == "unchanged"
    assert store.reading.revisions(article_id=1) == []


def test_search_finds_a_revised_text_and_not_the_earlier_one(store):
    first = store.stories.add(story(), TERMS, None, NOW)
    store.stories.revise(first, story(text="Zeppelins instead."), TERMS, None, NOW)
    assert [article.id for article in store.reading.search("zeppelins")] == [1]
    assert store.reading.search("nobody knew") == []


def test_unfolding_brings_the_copy_back_whole(store):
    store.stories.add(story(), TERMS, None, NOW)
    saved = store.stories.add_copy(story(2), COPY, None, NOW)
    back = store.folding.unfold(saved.duplicate_id, TERMS, NOW)
    article = store.reading.article(back.article_id)
    assert (article.title, article.text, article.url) == (story(2).title, story(2).text, story(2).url)
    assert store.reading.article(1).copies == 0
    assert [row["reason"] for row in store.sites.removed(article_id=back.article_id)] == ["related"]


def test_unfolding_is_remembered_for_the_url(store):
    store.stories.add(story(), TERMS, None, NOW)
    saved = store.stories.add_copy(story(2), COPY, None, NOW)
    store.folding.unfold(saved.duplicate_id, TERMS, NOW)
    assert store.folding.decisions(["https://local.example/2"]) == {1: False}


def test_folding_moves_the_copies_along_and_never_chains(store):
    store.stories.add(story(1), TERMS, None, NOW)
    store.stories.add(story(2), TERMS, None, NOW)
    store.stories.add_copy(story(3), dataclasses.replace(COPY, copy_of=2), None, NOW)
    store.folding.fold(2, 1, Verdict(1, "by_hand"), NOW, remember=True)
    assert store.reading.article(2) is None
    assert store.reading.article(1).copies == 2
    assert store.connection.value("select count(distinct article_id) from duplicates") == 1
    assert store.folding.decisions(["https://local.example/2"]) == {1: True}


def test_an_article_number_is_never_used_again(store):
    store.stories.add(story(1), TERMS, None, NOW)
    store.stories.add(story(2), TERMS, None, NOW)
    store.folding.fold(2, 1, Verdict(1, "by_hand"), NOW, remember=False)
    assert store.stories.add(story(4), TERMS, None, NOW).article_id == 3


def test_a_story_and_its_entry_are_stored_together_or_not_at_all(synced):
    state = synced.feeds.claim(FEEDS, NOW)[0]
    synced.feeds.record(outcome(state, matches=(match("a"),)), NOW)
    item = synced.pending.claim(synced.pending.due(NOW)[:1], NOW)[0]

    def break_off():
        with synced.transaction():
            synced.stories.add(story(), TERMS, item.entry_id, NOW)
            synced.connection.execute("insert into entries (id) values (null)")

    with pytest.raises(sqlite3.IntegrityError):
        break_off()
    assert synced.connection.value("select count(*) from articles") == 0
    assert synced.pending.count(NOW) == 1
    synced.stories.add(story(), TERMS, item.entry_id, NOW)
    assert synced.pending.count(NOW) == 0
    assert synced.reading.seen_in(1)[0]["id"] == item.entry_id


# -------------------------------------------------------------------------------- what was removed


def test_removed_blocks_are_kept_with_rule_and_place(store):
    store.stories.add(story(), TERMS, None, NOW)
    (block,) = store.sites.removed(article_id=1)
    assert (block["text"], block["reason"], block["position"], block["pages"]) == (
        "Latest news",
        "related",
        2,
        1,
    )


def test_a_block_that_repeats_is_stored_once_and_counted(store):
    for number in range(1, 6):
        store.stories.add(story(number), TERMS, None, NOW)
    rows = store.connection.rows("select text, pages from boilerplate")
    assert [tuple(row) for row in rows] == [("Latest news", 5)]


def test_site_memory_counts_pages_not_occurrences(store):
    block = Block(-5, "body/div", False)
    for number in (1, 2):
        store.stories.add(story(number, blocks=(block, block)), TERMS, None, NOW)
    memory = store.sites.memory("local.example")
    assert (memory.pages, memory.blocks, memory.paths) == (2, {-5: 2}, {"body/div": (0, 4)})


def test_site_memory_can_be_reset(store):
    store.stories.add(story(blocks=(Block(7, "p", True),)), TERMS, None, NOW)
    assert store.sites.forget("local.example") == 1
    assert store.sites.memory("local.example").pages == 0


# -------------------------------------------------------------------------------- reading, upkeep


@pytest.mark.parametrize(
    "words", ['"', "*", "AND", "a OR", "col:x", "NEAR(", "'; drop table articles", "\x00", "^x", "-x"]
)
def test_search_takes_anything_a_user_may_type(store, words):
    store.stories.add(story(), TERMS, None, NOW)
    store.reading.search(words)


def test_search_knows_phrases_and_prefixes(store):
    store.stories.add(story(), TERMS, None, NOW)
    assert len(store.reading.search('"stayed in port"')) == 1
    assert store.reading.search('"port in stayed"') == []
    assert len(store.reading.search("ferr*")) == 1


def test_a_backup_is_the_same_river(store, tmp_path):
    store.stories.add(story(), TERMS, None, NOW)
    store.stories.add_copy(story(2), COPY, None, NOW)
    assert store.upkeep.backup(tmp_path / "copy.db") > 0
    with Store(tmp_path / "copy.db") as copy:
        assert copy.reading.latest(10) == store.reading.latest(10)
        assert copy.reading.copies(1) == store.reading.copies(1)
        assert len(copy.reading.search("ferries")) == 1


def test_a_backup_into_a_folder_that_is_not_there_says_so(store, tmp_path):
    with pytest.raises(StoreError, match="its folder does not exist"):
        store.upkeep.backup(tmp_path / "nowhere" / "copy.db")


def test_a_backup_never_overwrites(store, tmp_path):
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(StoreError, match="there is a file already"):
        store.upkeep.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_pruning_deletes_old_articles_with_their_copies_only(store):
    store.stories.add(story(1, first_seen_at="2025-01-01T00:00:00Z"), TERMS, None, NOW)
    store.stories.add_copy(story(2), COPY, None, NOW)
    store.stories.add(story(3), TERMS, None, NOW)
    assert store.upkeep.prune(NOW - timedelta(days=30)) == (1, 1)
    assert [article.id for article in store.reading.latest(10)] == [2]
    assert store.connection.value("select count(*) from duplicates") == 0


def test_the_file_opens_with_plain_tools(store):
    store.stories.add(story(), TERMS, None, NOW)
    database = sqlite3.connect(Path(store.path))
    assert database.execute("select title, json_extract(tags, '$[0]') from articles").fetchone() == (
        story().title,
        "coast",
    )


def test_a_thread_sees_nothing_of_another_threads_half_done_transaction(synced):
    counts = []
    with synced.transaction():
        synced.stories.add(story(), TERMS, None, NOW)
        reading = threading.Thread(
            target=lambda: counts.append(synced.connection.value("select count(*) from articles"))
        )
        reading.start()
        reading.join(0.2)
        assert not counts
        synced.stories.add(story(2), TERMS, None, NOW)
    reading.join()
    assert counts == [2]


def test_what_would_undo_a_large_deletion_is_kept_on_the_disk(store):
    """In memory, it took 127 MB for 30,000 articles."""
    where = []
    store.connection.before_commit = lambda: where.append(store.connection.value("pragma temp_store"))
    store.upkeep.prune(NOW)
    assert (where, store.connection.value("pragma temp_store")) == ([1], 2)
