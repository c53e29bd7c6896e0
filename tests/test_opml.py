"""OPML: lists of feeds come in from any reader and go out again."""

from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import config, opml
from aggregator.errors import ConfigError
from aggregator.model import Feed


def document(body: str) -> bytes:
    return f"<?xml version='1.0'?><opml version='2.0'><head/><body>{body}</body></opml>".encode()


def test_folders_become_tags():
    feeds, problems = opml.read(
        document('<outline text="News"><outline text="World"><outline text="A" xmlUrl="https://a.example"/>'
                 '</outline><outline title="B" text="b" xmlUrl="https://b.example"/></outline>')
    )  # fmt: skip
    assert feeds == [
        Feed("https://a.example", title="A", tags=("News", "World")),
        Feed("https://b.example", title="B", tags=("News",)),
    ]
    assert problems == []


def test_categories_become_tags():
    [feed], _ = opml.read(document('<outline xmlUrl="https://a.example" category="x,/Boston/Weather, y"/>'))
    assert feed.tags == ("x", "Boston", "Weather", "y")


def test_a_feed_in_two_folders_is_one_feed_with_both_tags():
    row = '<outline text="A" xmlUrl="https://a.example"/>'
    feeds, _ = opml.read(document(f'<outline text="one">{row}</outline><outline text="two">{row}</outline>'))
    assert feeds == [Feed("https://a.example", title="A", tags=("one", "two"))]


def test_attribute_names_in_any_case_and_feed_scheme_are_understood():
    feeds, _ = opml.read(
        document('<outline XMLURL="feed://a.example/x"/><outline xmlurl="feed:https://b.example/y"/>')
    )
    assert [feed.url for feed in feeds] == ["https://a.example/x", "https://b.example/y"]


def test_an_address_that_is_not_web_is_left_out_and_told_with_its_line():
    feeds, problems = opml.read(
        document('\n<outline xmlUrl="file:///etc/passwd"/>\n<outline xmlUrl="https://a.example"/>')
    )
    assert [feed.url for feed in feeds] == ["https://a.example"]
    assert [problem.format("x.opml") for problem in problems] == [
        "x.opml:2:1: xmlUrl: 'file:///etc/passwd' is not http or https; left out"
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x:1:1: not well-formed XML: no element found"),
        (b"<opml>\n<body>\n</opml>", "x:3:3: not well-formed XML: mismatched tag"),
        (b"<html/>", "x:1:1: not an OPML document; it should begin with <opml>"),
        (
            b'<?xml version="1.0" encoding="klingon"?><opml/>',
            "x:1:1: its encoding cannot be read: unknown encoding: klingon; save it as UTF-8",
        ),
        (
            b'<!DOCTYPE opml [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><opml/>',
            "x:1:28: it declares XML entities; remove its <!DOCTYPE ...>",
        ),
        (
            b'<!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>',
            "x:1:52: it declares XML entities",
        ),
        (b"<opml>" + b'<outline text="x">' * 99, "more than 32 folders within folders"),
    ],
)
def test_a_document_that_cannot_be_read_says_why_and_where(data, message):
    with pytest.raises(ConfigError) as caught:
        opml.read(data, "x")
    assert message in str(caught.value)


def test_eight_bit_encodings_are_read():
    data = '<?xml version="1.0" encoding="iso-8859-1"?><opml><outline text="é" xmlUrl="https://a.example"/></opml>'
    assert opml.read(data.encode("latin-1"))[0][0].title == "é"


def test_what_is_written_is_well_formed_whatever_the_title_holds():
    data = opml.write([Feed("https://a.example/?a=1&b=<2>", title="\"<\x00&'")], title="<&>\x01")
    assert opml.read(data)[0] == [Feed("https://a.example/?a=1&b=<2>", title="\"<&'")]


ANY = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=30)


@given(st.lists(st.tuples(ANY, ANY, ANY, ANY), max_size=4))
def test_whatever_an_opml_file_holds_can_be_added_to_feeds_yaml(tmp_path_factory, rows):
    body = "".join(
        f"<outline text={quoteattr(folder)}><outline text={quoteattr(title)} category={quoteattr(category)}"
        f" xmlUrl={quoteattr('https://a.example/' + path)}/></outline>"
        for folder, title, category, path in rows
    )
    feeds, _ = opml.read(document(body))
    path = tmp_path_factory.mktemp("opml") / "feeds.yaml"
    added = config.append(path, feeds)
    assert not added or tuple(added) == config.load(path).feeds


WORD = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp", "Zs"]), min_size=1, max_size=9)
TAG = WORD.filter(lambda word: "," not in word and word[0] != "/" and not word.isspace())


@given(
    st.lists(
        st.builds(
            Feed,
            url=st.from_regex(r"https?://[a-z]{1,9}\.example/[a-z0-9?=&%#~;'\"<>]{0,20}", fullmatch=True),
            title=st.none() | WORD,
            tags=st.lists(TAG, max_size=4, unique=True).map(tuple),
        ),
        unique_by=lambda feed: feed.url,
    )
)
def test_address_title_and_tags_survive_the_round_trip(feeds):
    back, problems = opml.read(opml.write(feeds))
    assert problems == []
    assert sorted(back, key=lambda feed: feed.url) == sorted(feeds, key=lambda feed: feed.url)
