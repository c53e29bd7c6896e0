"""Small feeds of our own making, for the tests of parsing and identity."""

from html import escape

URL = "https://news.example/feed.xml"


def item(
    title="Ferry runs again",
    link="https://news.example/ferry",
    guid="ferry",
    text="It sails at noon.",
    more="",
):
    """An RSS item; None leaves an element out."""
    parts = {"title": title, "link": link, "description": text}
    inside = "".join(
        f"<{name}>{escape(value)}</{name}>" for name, value in parts.items() if value is not None
    )
    if guid is not None:
        inside += f'<guid isPermaLink="false">{escape(guid)}</guid>'
    return f"<item>{inside}{more}</item>"


def rss(*items, head="", declaration='<?xml version="1.0" encoding="utf-8"?>'):
    return (
        f'{declaration}<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
        ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom">'
        f"<channel><title>Harbour News</title><link>https://news.example/</link>{head}{''.join(items)}</channel></rss>"
    ).encode()


def numbered(count, start=0):
    """So many items that differ in everything."""
    return [
        item(f"Story {n} of the day", f"https://news.example/{n}", f"id-{n}", f"What happened, part {n}.")
        for n in range(start, start + count)
    ]


def atom(*entries, head=""):
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f'<title>Harbour News</title><link href="https://news.example/"/>{head}{"".join(entries)}</feed>'
    ).encode()


def rdf(*items):
    return (
        '<?xml version="1.0" encoding="utf-8"?><rdf:RDF xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel rdf:about="https://news.example/">'
        f"<title>Harbour News</title><link>https://news.example/</link></channel>{''.join(items)}</rdf:RDF>"
    ).encode()
