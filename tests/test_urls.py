"""Addresses: one canonical form, the site they belong to, and what may be stored as a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import urls

PARTS = st.text("abz019-._~%/?&=#:@+é漢 \u202e", max_size=30)


@given(PARTS, PARTS)
def test_the_canonical_form_of_a_canonical_form_is_itself(path, query):
    url = f"https://example.org/{path}?{query}"
    assert urls.canonical(urls.canonical(url)) == urls.canonical(url)


@pytest.mark.parametrize(
    "other",
    [
        "http://example.org/a/b?x=1&y=2",
        "HTTPS://www.Example.org:443/a/b/?y=2&x=1#comments",
        "https://example.org/a//b/index.html?x=1&y=2&utm_source=rss&fbclid=z",
        "https://example.org./a/%62?x=1&y=2",
        "https://example.org/a/b?x=1&y=2&source=rss-77aa------2&partner=rss&emc=rss",
    ],
)
def test_two_spellings_of_one_address_are_equal(other):
    assert urls.canonical(other) == urls.canonical("https://example.org/a/b?x=1&y=2")


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/a/c",
        "https://example.org:8443/a/b",
        "https://news.example.org/a/b",
        "https://example.org/a/b?id=2",
        "https://example.org/a/b?ferry",
        "https://example.org/a/b?source=wire",
        "https://example.org/a/b?format=rss",
        "https://example.org/A/b",
    ],
)
def test_different_pages_stay_different(other):
    assert urls.canonical(other) != urls.canonical("https://example.org/a/b")


@pytest.mark.parametrize(
    "bad",
    [
        None, "", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://x.example/a", "//x.example/a",
        "https://", "https:///path", "http://[::1", "https://x.example:99999/", "https://x.example/" + "a" * 3000,
        "https://x.example/\ud800",
    ],
)  # fmt: skip
def test_only_web_addresses_are_links(bad):
    assert not urls.is_web(bad)


def test_a_link_is_made_absolute_without_its_control_characters():
    assert urls.absolute("/a\u202e\x00b\n", "https://example.org/feed") == "https://example.org/ab"


@given(st.sampled_from(["https://a.example", "http://www.a.example:8080"]), PARTS, PARTS)
def test_a_whole_link_becomes_what_it_is_beside_any_base(server, path, query):
    link = f"{server}/{path}?{query}"
    assert urls.absolute(link, "http://b.example/feed") == urls.absolute(
        f"\x00{link}", "http://b.example/feed"
    )


@pytest.mark.parametrize(
    "bad",
    [
        "javascript:alert(1)",
        "java script:alert(1)",
        " \tjava\nscript:alert(1)",
        "vbscript:x",
        "mailto:a@b.example",
        "https://a.example/" + "a" * 3000,
        "",
    ],
)
def test_a_link_that_is_no_web_address_is_none(bad):
    assert urls.absolute(bad, "https://example.org/") is None


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (" http://a.example/my file.pdf\n", "http://a.example/my%20file.pdf"),
        ("/s?q=a b", "https://example.org/s?q=a%20b"),
        ("http:// a.example/x", "http://a.example/x"),
        ("http://a.example/long-\n    winded", "http://a.example/long-winded"),
    ],
)
def test_blanks_within_a_path_belong_to_it(link, url):
    assert urls.absolute(link, "https://example.org/") == url


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://news.bbc.co.uk/1", "bbc.co.uk"),
        ("https://www.example.org/", "example.org"),
        ("https://someone.github.io/post", "someone.github.io"),
        ("http://127.0.0.1:8080/a", "127.0.0.1:8080"),
        ("http://192.0.2.7/a", "192.0.2.7"),
        ("not an address", ""),
    ],
)
def test_the_site_is_the_registrable_domain(url, site):
    assert urls.site(url) == site


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.org:443/a", "example.org"),
        ("http://example.org:443/a", "example.org:443"),
        ("http://example.org:8080/a", "example.org:8080"),
    ],
)
def test_the_host_carries_an_unusual_port(url, host):
    assert urls.host(url) == host


def test_what_http_cannot_carry_is_encoded_once():
    assert (
        urls.fetchable("https://example.org/a b/é?q=ü%20x#top")
        == "https://example.org/a%20b/%C3%A9?q=%C3%BC%20x"
    )


@pytest.mark.parametrize(
    ("url", "front"),
    [
        ("https://news.example", True),
        ("https://news.example/", True),
        ("https://news.example/?utm_source=rss", True),
        ("https://news.example/?p=7", False),
        ("https://news.example/index.php?id=7", False),
        ("https://news.example/a", False),
    ],
)
def test_a_front_page_has_neither_path_nor_query(url, front):
    assert urls.is_front_page(urls.canonical(url)) is front


@pytest.mark.parametrize(
    "link",
    [
        "https://www.google.com/url?rct=j&sa=t&url=https://herald.example/bridge%3Fid%3D7&ct=ga&usg=AOv",
        "https://www.google.co.uk/url?q=https%3A%2F%2Fherald.example%2Fbridge%3Fid%3D7&sa=D",
        "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fherald.example%2fbridge%3fid%3d7&c=1",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fherald.example%2Fbridge%3Fid%3D7&h=AT0",
    ],
)
def test_a_link_that_only_counts_its_followers_is_where_it_leads(link):
    assert urls.unwrapped(link) == "https://herald.example/bridge?id=7"


@pytest.mark.parametrize(
    "link",
    [
        "https://herald.example/url?url=https://other.example/",
        "https://google.com.evil.example/url?q=https://other.example/",
        "https://www.google.com/url?url=javascript:alert(1)&x=http",
        "https://www.google.com/search?q=http://other.example/",
        "https://www.bing.com/news/apiclick.aspx?ref=http://x.example",
    ],
)
def test_a_link_with_another_one_in_it_is_else_what_it_says(link):
    assert urls.unwrapped(link) == link
