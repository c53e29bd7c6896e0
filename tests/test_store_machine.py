"""Any sequence of what can happen to stories leaves the database whole, and every text that ever came in findable."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from test_store import FEEDS, NOW, TERMS, story

from aggregator import pipeline
from aggregator.model import Config, Removed, Saved, Story, Verdict
from aggregator.store import Store

#: What must have no row, ever.
FORBIDDEN = (
    "select id from articles a where copies <> (select count(*) from duplicates where article_id = a.id)",
    "select 1 from _urls where (article_id is null) = (duplicate_id is null)",
    "select 1 from removed_blocks where (article_id is null) = (duplicate_id is null)",
    "select 1 from revisions where (article_id is null) = (duplicate_id is null)",
    "select 1 from entries where article_id is null",
    "select 1 from entries e join duplicates d on d.id = e.duplicate_id where d.article_id <> e.article_id",
    "select 1 from boilerplate where pages < 1",
    "select id from articles a where not exists (select 1 from _urls where article_id = a.id)",
    "pragma foreign_key_check",
)


def alike(article_id: int) -> Verdict:
    return Verdict(article_id, "near_text", 0.8, 0.9, 0.9, {})


class StoryLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = Store(":memory:")
        self.store.feeds.sync(list(FEEDS.values()), NOW)
        self.count = 0
        self.texts: set[str] = set()

    def teardown(self) -> None:
        self.store.close()

    def some(self, data: st.DataObject, table: str, *without: int) -> int:
        ids = [row["id"] for row in self.store.connection.rows(f"select id from {table} order by id")]
        return data.draw(st.sampled_from([i for i in ids if i not in without]))

    def has(self, table: str, number: int = 1) -> bool:
        return self.store.connection.value(f"select count(*) from {table}") >= number

    def new(self) -> Story:
        self.count += 1
        text = f"word{self.count} first\n\nsecond word{self.count} caf\u00e9"
        self.texts.add(text)
        url = f"https://local.example/{self.count}"
        summary = (None, "", "a summary")[self.count % 3]
        removed = (Removed(f"block {self.count % 3}", "related", 1, 0.5),)
        return story(self.count, text=text, keys=(url,), url=url, summary=summary, removed=removed)

    def entry(self) -> int:
        values = {
            "feed_id": 1,
            "guid": str(self.count),
            "content_hash": "h",
            "first_seen_at": "x",
            "changed_at": "x",
        }
        return self.store.connection.insert("entries", **values)

    @rule()
    def add(self) -> None:
        self.store.stories.add(self.new(), TERMS, self.entry(), NOW)

    @precondition(lambda self: self.has("articles"))
    @rule(data=st.data())
    def add_copy(self, data: st.DataObject) -> None:
        self.store.stories.add_copy(self.new(), alike(self.some(data, "articles")), self.entry(), NOW)

    @precondition(lambda self: self.has("articles"))
    @rule(data=st.data())
    def add_better(self, data: st.DataObject) -> None:
        self.store.stories.add_better(
            self.new(), alike(self.some(data, "articles")), TERMS, self.entry(), NOW
        )

    @precondition(lambda self: self.has("entries"))
    @rule(data=st.data())
    def revise(self, data: st.DataObject) -> None:
        row = self.store.connection.one("select * from entries where id = ?", (self.some(data, "entries"),))
        saved = Saved("unchanged", row["article_id"], row["duplicate_id"])
        self.store.stories.revise(saved, self.new(), TERMS, row["id"], NOW)

    @precondition(lambda self: self.has("articles", 2))
    @rule(data=st.data(), remember=st.booleans())
    def fold(self, data: st.DataObject, remember: bool) -> None:
        article = self.some(data, "articles")
        into = self.some(data, "articles", article)
        self.store.folding.fold(article, into, alike(into), NOW, remember=remember)

    @precondition(lambda self: self.has("duplicates"))
    @rule(data=st.data(), remember=st.booleans())
    def unfold(self, data: st.DataObject, remember: bool) -> None:
        self.store.folding.unfold(self.some(data, "duplicates"), TERMS, NOW, remember=remember)

    @precondition(lambda self: self.has("removed_blocks"))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        pipeline.restore(self.store, self.some(data, "removed_blocks"), NOW)

    @rule()
    def rejudge(self) -> None:
        pipeline.rejudge(Config(()), self.store, clock=lambda: NOW)

    @invariant()
    def the_database_is_whole(self) -> None:
        for question in FORBIDDEN:
            assert self.store.connection.rows(question) == [], question
        self.store.connection.execute(
            "insert into articles_fts(articles_fts, rank) values ('integrity-check', 1)"
        )

    @invariant()
    def every_text_is_somewhere(self) -> None:
        rows = self.store.connection.rows(
            "select text from articles union select text from duplicates union select text from revisions"
        )
        assert self.texts <= {row["text"] for row in rows}


StoryLife.TestCase.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStoryLife = StoryLife.TestCase
