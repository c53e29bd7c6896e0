"""Recognising the entries of a feed again: nothing doubled, nothing lost, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import identity
from aggregator.model import Entry, KnownEntry

DAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
TEXT = "The ferry to the northern islands sails again from Monday, the harbour office said."


def entry(
    title="Ferry sails again", text=TEXT, guid="ferry", url="https://news.example/ferry", published=DAY
):
    return Entry(guid, url, title, summary=text, content_html=f"<p>{text}</p>", published=published)


class Memory:
    """What a database does with matches, as far as identity sees it."""

    def __init__(self):
        self.known = {}

    def fetch(self, *entries):
        """The matches of one document, after storing them."""
        listed = identity.listed(entries)
        keys = identity.lookup_keys(listed)
        asked = [
            one
            for one in self.known.values()
            if one.guid in keys.guids or one.url in keys.urls or one.content_hash in keys.hashes
        ]
        matches = identity.match(listed, asked)
        for match in matches:
            number = match.known_id or len(self.known) + 1
            if match.status != "same":
                published = match.entry.published.isoformat() if match.entry.published else None
                self.known[number] = KnownEntry(
                    number, match.guid, match.url_key, match.entry.title, match.content_hash, published
                )
        assert len({one.guid for one in self.known.values()}) == len(self.known), "guids are unique in a feed"
        return matches

    def statuses(self, *entries):
        return [match.status for match in self.fetch(*entries)]


@pytest.fixture
def memory():
    return Memory()


def four(**fields):
    """Four entries; a field may be a template with the number."""
    return [
        entry(
            **{
                "title": f"Ferry {n} sails",
                "text": f"{TEXT} Part {n}.",
                "guid": f"f-{n}",
                "url": f"https://x.example/{n}",
            }
            | {name: value.format(n=n) if isinstance(value, str) else value for name, value in fields.items()}
        )
        for n in range(4)
    ]


# ------------------------------------------------------------------------- the same story, listed again


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({}, {}, "same guid"),
        ({}, {"guid": "new-{n}"}, "same link, new guid"),
        ({}, {"url": "https://x.example/{n}?utm_source=rss&session=2"}, "same guid"),
        ({"guid": "https://x.example/{n}?utm_id=1"}, {"guid": "https://x.example/{n}?utm_id=2"}, "same guid"),
        ({"guid": "http://x.example/{n}"}, {"guid": "https://www.x.example/{n}/"}, "same guid"),
        ({"guid": "https://x.example/{n}#0"}, {"guid": "https://x.example/{n}#1"}, "same guid"),
        ({}, {"published": DAY + timedelta(days=3)}, "same guid"),
        ({"guid": None}, {"guid": None}, "same link, no guid"),
        ({"guid": ""}, {"guid": "  "}, "same link, no guid"),
        ({"guid": None, "url": None}, {"guid": None, "url": None}, "same text, no guid and no link"),
        ({}, {"guid": "new-{n}", "url": "https://y.example/{n}"}, "same text, new guid and link"),
        ({"guid": "g" * 5_000 + "{n}"}, {"guid": "g" * 5_000 + "{n}"}, "same guid"),
        ({"guid": "same"}, {"guid": "same"}, "same guid"),
        (
            {"guid": None, "url": "https://x.example/"},
            {"guid": None, "url": "https://x.example/"},
            "same link, no guid",
        ),
    ],
)
def test_whatever_a_feed_changes_around_a_story_it_is_the_same_story(memory, first, second, why):
    assert memory.statuses(*four(**first)) == ["new"] * 4
    again = memory.fetch(*four(**second))
    assert [match.status for match in again] == ["same"] * 4
    assert {match.known_id for match in again} == {1, 2, 3, 4}
    assert again[0].why == why


def test_the_order_of_the_entries_does_not_matter(memory):
    memory.fetch(*four())
    assert [match.known_id for match in memory.fetch(*reversed(four()))] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Ferry sails again", TEXT.replace("Monday", "Tuesday")),
        ("Ferry sails again at last", TEXT),
        ("Ferry sails again", TEXT + " It was away for a year."),
        ("Ferry sails again", TEXT.replace("islands", "islands, 3 of them")),
    ],
)
def test_an_edited_story_is_changed_not_new(memory, title, text):
    memory.fetch(entry())
    (match,) = memory.fetch(entry(title, text))
    assert (match.status, match.known_id) == ("changed", 1)


def test_a_story_edited_while_its_link_changes_is_one_story(memory):
    memory.fetch(entry())
    (match,) = memory.fetch(entry(title="Ferry sails again today", url="https://news.example/ferry-2"))
    assert (match.status, match.why) == ("changed", "same guid, new link")


def test_a_rewritten_headline_under_the_same_guid_and_link_is_one_story(memory):
    memory.fetch(entry())
    assert memory.statuses(entry("Islands get their boat back", "Another text.")) == ["changed"]


def test_what_was_cut_from_a_document_is_not_needed_to_recognise_the_rest(memory):
    memory.fetch(*four(guid="same"))
    (match,) = memory.fetch(
        entry("Ferry 2 sails", f"{TEXT} Part 2, corrected.", "same", "https://x.example/2")
    )
    assert (match.status, match.known_id) == ("changed", 3)


# ------------------------------------------------------------------------------------- another story


def test_a_guid_reused_for_another_story_loses_neither(memory):
    memory.fetch(entry(guid="latest", url="https://news.example/1"))
    other = entry("Court closes the old bridge", "A judge ruled.", "latest", "https://news.example/2")
    (match,) = memory.fetch(other)
    assert (match.status, match.why) == ("new", "guid reused for another story")
    assert memory.statuses(other) == ["same"]
    assert memory.statuses(entry(guid="latest", url="https://news.example/1")) == ["same"]


def test_stories_that_share_one_guid_in_a_document_are_all_kept(memory):
    first = memory.fetch(*four(guid="same"))
    assert [match.status for match in first] == ["new"] * 4
    assert len({match.guid for match in first}) == 4


def test_stories_that_all_link_to_one_page_are_told_apart(memory):
    page = "https://news.example/status"
    memory.fetch(
        entry("Ferry 1 is late", "Text one.", None, page), entry("Bridge is open", "Text two.", None, page)
    )
    assert memory.statuses(entry("Harbour pilots on strike", "Text three.", None, page)) == ["new"]


@pytest.mark.parametrize("guid", [None, "latest"])
def test_several_new_stories_under_one_link_are_no_edits_of_what_was_there_before(memory, guid):
    page = "https://news.example/status"
    memory.fetch(entry("Ferry 1 is late", "Text one.", guid, page))
    two = entry("Bridge is open", "Text two.", guid, page), entry("Harbour closes", "Text three.", guid, page)
    assert memory.statuses(*two) == ["new", "new"]


def test_a_story_that_links_to_the_front_page_is_no_edit_of_the_last_one_that_did(memory):
    front = "https://news.example/"
    memory.fetch(entry("Ferry 1 is late", "Text one.", None, front))
    assert memory.statuses(entry("Bridge is open", "Text two.", None, front)) == ["new"]


def test_parts_of_a_page_are_different_entries(memory):
    log = "https://news.example/changes"
    memory.fetch(entry("Version one", "Text one.", f"{log}#v1.0", f"{log}#v1.0"))
    assert memory.statuses(entry("Release two", "Text two.", f"{log}#v2.0", f"{log}#v2.0")) == ["new"]


def test_a_recurring_headline_is_a_new_story_each_day(memory):
    memory.fetch(entry("Weather", "Weather for today.", "w-1", "https://news.example/w1"))
    tomorrow = entry(
        "Weather", "Weather for today.", "w-2", "https://news.example/w2", DAY + timedelta(days=1)
    )
    assert memory.statuses(tomorrow) == ["new"]


def test_a_recurring_headline_without_a_date_is_a_new_story(memory):
    memory.fetch(entry("Weather", "Weather for today.", "w-1", "https://news.example/w1", None))
    again = entry("Weather", "Weather for today.", "w-2", "https://news.example/w2", None)
    assert memory.statuses(again) == ["new"]


def test_a_text_that_is_repeated_an_hour_later_under_new_guid_and_link_is_a_new_story(memory):
    memory.fetch(entry(guid="at-ten", url="https://news.example/10"))
    later = entry(guid="at-eleven", url="https://news.example/11", published=DAY + timedelta(hours=1))
    assert memory.statuses(later) == ["new"]


def test_a_headline_without_a_text_is_known_by_its_minute(memory):
    memory.fetch(entry("Ferry sails", "", "f-1", "https://news.example/ferry?session=1"))
    again = entry("Ferry sails", "", "f-2", "https://news.example/ferry?session=2")
    assert memory.statuses(again) == ["same"]


def test_an_entry_listed_twice_word_for_word_is_one(memory):
    assert memory.statuses(entry(), entry()) == ["new"]


def test_an_entry_listed_twice_with_another_picture_is_one(memory):
    assert memory.statuses(entry(), replace(entry(), image="https://news.example/2.jpg")) == ["new"]


def test_a_guid_that_is_a_book_is_stored_short(memory):
    assert len(memory.fetch(entry(guid="g" * 5_000))[0].guid) <= identity.MAX_GUID


def test_a_chinese_headline_that_was_edited_is_told_from_another_one(memory):
    memory.fetch(entry("市议会批准新桥的预算", "一", "latest", "https://news.example/1"))
    assert memory.statuses(entry("市议会批准新桥的预算案", "二", "latest", "https://news.example/9")) == [
        "changed"
    ]
    assert memory.statuses(entry("渡轮周一恢复航行", "三", "latest", "https://news.example/2")) == ["new"]


# --------------------------------------------------------------------------------------- content hash


@pytest.mark.parametrize(
    "html",
    [
        f'<p id="x7" class="ad-3">{TEXT}</p><img src="/pixel?8123">',
        f"<div><p>{TEXT}</p>\n\n</div><!-- rendered in 12 ms -->",
        f"<p>{TEXT.replace('ferry', '<a href=/f?utm_source=rss>ferry</a>')}</p>",
        f"<p>{TEXT.replace(' ', '&nbsp;')}</p><script>var slot = 17;</script>",
        f"<p>{TEXT}</p><p>Comments: 17</p>",
        f"<p>5 minutes ago</p><p>{TEXT}</p>",
        f"<p>{TEXT}</p><p>12 comments</p><p>1,204 views</p>",
        f"<p>{TEXT}</p><p>5 posts - 3 participants</p>",
        f"<p>12 points | 3 comments</p><p>{TEXT}</p>",
    ],
)
def test_markup_and_counters_are_not_content(html):
    assert identity.content_hash(Entry("1", None, "Ferry sails again", content_html=html)) == (
        identity.content_hash(entry())
    )


def test_a_character_of_five_thousand_digits_is_none():
    assert identity.content_hash(entry(text="&#" + "9" * 5000))


@pytest.mark.parametrize("edit", [("again", "never"), ("northern", "southern"), ("Monday", "1 May")])
def test_a_changed_word_is_content(edit):
    assert identity.content_hash(entry(text=TEXT.replace(*edit))) != identity.content_hash(entry())


# ------------------------------------------------------------------------------------------ anything

GUIDS = st.sampled_from([None, "", "a", "b", "https://x.example/a", "http://x.example/a#0"])
LINKS = st.sampled_from(
    [None, "https://x.example/", "https://x.example/a", "https://x.example/b?utm_source=x"]
)
ENTRIES = st.builds(
    entry,
    st.sampled_from(["", "Ferry", "Bridge closed by court"]),
    st.sampled_from(["", TEXT, "x"]),
    GUIDS,
    LINKS,
)
DOCUMENTS = st.lists(ENTRIES, min_size=1, max_size=6, unique_by=identity.content_hash)


@settings(max_examples=300)
@given(st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_a_document_fetched_twice_brings_nothing_new(documents):
    memory = Memory()
    for document in documents:
        memory.fetch(*document)
        assert set(memory.statuses(*document)) <= {"same"}


@settings(max_examples=300)
@given(DOCUMENTS, st.randoms())
def test_a_document_in_another_order_brings_nothing_new(document, random):
    memory = Memory()
    memory.fetch(*document)
    random.shuffle(document)
    assert set(memory.statuses(*document)) <= {"same"}


@pytest.mark.parametrize("before", [None, "https://news.example/"])
def test_a_link_of_its_own_that_comes_later_is_a_change(memory, before):
    memory.fetch(entry(url=before))
    assert memory.statuses(entry()) == ["changed"]
    assert memory.statuses(entry(url=before)) == ["same"]


def test_a_link_to_the_front_page_is_none_of_its_own(memory):
    memory.fetch(entry(url=None))
    assert memory.statuses(entry(url="https://news.example/")) == ["same"]


def test_a_corrected_link_is_a_change_where_the_page_could_not_be_had(memory):
    memory.fetch(entry(url="https://news.example/fery"))
    assert memory.statuses(entry()) == ["same"]
    memory.known[1] = replace(memory.known[1], problem="not found")
    assert memory.statuses(entry()) == ["changed"]


def test_a_session_in_the_link_is_no_change_even_where_the_page_could_not_be_had(memory):
    memory.fetch(entry(url="https://news.example/ferry?sid=1"))
    memory.known[1] = replace(memory.known[1], problem="not found")
    assert memory.statuses(entry(url="https://news.example/ferry?sid=2")) == ["same"]


def test_a_numbered_page_of_the_front_page_s_address_is_a_link_that_tells(memory):
    memory.fetch(entry(guid=None, url="https://blog.example/?p=7"))
    again = entry(
        guid=None, url="https://blog.example/?p=7", title="Storm stops all boats", text="Nothing sails."
    )
    assert memory.statuses(again) == ["changed"]


# ------------------------------------------------------------ whether the whole document is needed


def is_doubtful(memory, first, second):
    (match,) = memory.fetch(first)
    known = [memory.known[1]]
    matches = identity.match(identity.listed([second]), known)
    assert (match.status, matches[0].status) == ("new", "changed")
    return identity.is_doubtful(matches, known)


def test_an_edit_under_the_same_headline_is_no_doubt(memory):
    assert not is_doubtful(memory, entry(guid=None), entry(guid=None, text="Nothing sails."))


def test_a_new_headline_for_a_link_without_a_guid_is_a_doubt_however_alike(memory):
    assert is_doubtful(memory, entry(guid=None), entry(guid=None, title="Ferry sails again: day 2"))


def test_a_retouched_headline_under_the_same_guid_is_no_doubt(memory):
    assert not is_doubtful(memory, entry(), entry(title="Ferry sails again: day 2", text="It does."))
