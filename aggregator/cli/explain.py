"""`why`: all that is known of one story, and how it came to be as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.finding import find
from aggregator.cli.output import (
    Styled,
    bold,
    coloured,
    count,
    dim,
    fitted,
    folded,
    local,
    one_line,
    put,
    put_json,
    short_time,
    width,
)
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, talk_options

if TYPE_CHECKING:
    from aggregator.dedup import Similarity, Span
    from aggregator.store import Store

LONG = 36  # words of a shared passage from which its middle is left out
EDGE = 12  # words left of it on either side
INDENT = 6  # columns before the texts that stand side by side
GAP = 3  # columns between them
MOST_BLOCKS = 20  # removed blocks shown without -v
#: What the evidence is called, where its own name says too little.
EVIDENCE = {
    "figures_only_here": "figures only in this copy",
    "figures_only_there": "figures only in the kept text",
    "names_only_here": "names only in this copy",
    "names_only_there": "names only in the kept text",
    "containment_of_kept": "share of the kept text in this copy",
    "slots": "short gaps between shared passages",
    "words_shared": "words in shared passages",
    "words": "words of the copy that count",
}


@click.command(short_help="Where a story is from, what was cut, which copies it has, and why.")
@click.argument("what", metavar="URL-or-ID")
@click.option("--diff", is_flag=True, help="Show the texts of story and copy side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@talk_options
@db_option
@feeds_option
@pass_places
def why(places: Places, what: str, diff: bool, as_json: bool) -> None:
    """Tell all about a story: where it was seen, what was taken away from its page and by which rule, which
    copies were folded into it, with the reason and the figures, which other stories report the same event in
    words of their own, and its earlier wordings.

    ID is a story's number (12) or a copy's (c45), as `latest` and `why` show them. A URL may be a copy's too.

    \b
    Examples:
      aggregator why 12
      aggregator why c45 --diff
      aggregator why https://example.org/story.html --json
    """
    with places.store() as store:
        found = find(store, what)
        if found is None:
            _only_listed(store, what, as_json)
            return
        article_id, copy_id = found
        story = _gathered(store, article_id, copy_id)
    likenesses = {copy["id"]: _compared(story["article"], copy) for copy in story["copies"]} if diff else {}
    if as_json:
        for copy in story["copies"]:
            if likeness := likenesses.get(copy["id"]):
                copy["passages"] = list(likeness.passages)
        put_json(story)
    else:
        _tell(story, copy_id, likenesses, places)


_CLOSING = re.compile(r"[.,;:!?)\]”’\"']+")


def _gathered(store: Store, article_id: int, copy_id: int | None) -> dict[str, Any]:
    article = store.reading.article(article_id)
    assert article is not None  # it was found in this database
    copies = store.reading.copies(article_id)
    if copy_id is not None:
        copies = [copy for copy in copies if copy["id"] == copy_id]
        copies[0]["removed"] = store.sites.removed(duplicate_id=copy_id)
        copies[0]["revisions"] = store.reading.revisions(duplicate_id=copy_id)
    return {
        "article": asdict(article),
        "seen_in": store.reading.seen_in(article_id),
        "removed": store.sites.removed(article_id=article_id),
        "copies": copies,
        "reports": store.reading.reports(article_id) if copy_id is None else [],
        "revisions": store.reading.revisions(article_id=article_id),
    }


def _only_listed(store: Store, what: str, as_json: bool) -> None:
    """A URL that a feed lists, but whose story is not stored (yet)."""
    from aggregator import urls
    from aggregator.errors import StoreError

    entries = store.reading.entries_at(urls.canonical(what))
    if not entries:
        raise StoreError(store.path, f"no feed listed {what}", "`aggregator search` looks for words")
    if as_json:
        put_json({"article": None, "seen_in": entries})
        return
    put(bold(one_line(entries[0]["title"])))
    for entry in entries:
        waits = local(entry["not_before"])
        state = f"its page is tried at {short_time(waits)}" if waits else "it is not stored"
        problem = f": {one_line(entry['problem'])}" if entry["problem"] else ""
        put(
            f"  listed by {one_line(entry['feed'])} at {short_time(local(entry['first_seen_at']))}; {state}{problem}"
        )


# ----------------------------------------------------------------------------------------- in words


def _tell(
    story: dict[str, Any], copy_id: int | None, likenesses: dict[int, Similarity], places: Places
) -> None:
    article = story["article"]
    put(bold(one_line(article["title"])), dim(f"  article {article['id']}"))
    facts = [
        article["site"],
        short_time(local(article["published_at"])),
        article["agency"],
        article["byline"],
    ]
    facts += [f"{article['words']:,} words from the {article['source']}", *article["flags"]]
    put("  " + " · ".join(one_line(fact) for fact in facts if fact))
    put(dim(f"  {one_line(article['url'])}"))
    if article["problem"]:
        put(coloured("  ! ", "yellow"), one_line(article["problem"]))
    if copy_id is None:
        _section("Seen in", count(len(story["seen_in"]), "place"))
        for entry in story["seen_in"]:
            when = dim(f"  {short_time(local(entry['first_seen_at']))}  ")
            where = f"c{entry['duplicate_id']}" if entry["duplicate_id"] else one_line(entry["url"])
            put(when, one_line(entry["feed"]), dim(f"  {where}"))
        _removed("Taken away from its page", story["removed"], places.verbosity)
    _copies(article["text"], article["copies"], story["copies"], likenesses)
    if story["copies"]:
        undo = places.typed(f"unfold c{story['copies'][0]['id']}")
        put()
        put(dim(f"  `{undo}` would make it a story of its own, and remember that"))
    for copy in story["copies"]:
        _removed(f"Taken away from the page of c{copy['id']}", copy.get("removed", []), places.verbosity)
    if story["reports"]:
        _section("The same event in other words", count(len(story["reports"]), "report"))
        for row in story["reports"]:
            put(
                dim(f"  {short_time(local(row['published_at']))}  "),
                one_line(row["title"]),
                dim(f"  {one_line(row['site'])}  article {row['id']}"),
            )
    revisions = story["revisions"] if copy_id is None else story["copies"][0]["revisions"]
    if revisions:
        _section("Earlier wordings", count(len(revisions), "revision"))
        for row in revisions:
            put(
                dim(f"  until {short_time(local(row['replaced_at']))}  "),
                f"{row['reason']}: {one_line(row['title'])}",
            )


def _section(title: str, figures: str) -> None:
    put()
    put(bold(title), dim(f"  {figures}"))


def _removed(title: str, blocks: Sequence[dict[str, Any]], verbosity: int) -> None:
    if not blocks:
        return
    _section(title, count(len(blocks), "block"))
    shown = list(blocks) if verbosity > 0 else list(blocks)[:MOST_BLOCKS]
    column = max(len(str(block["reason"])) for block in shown)
    numbers = max(len(f"b{block['id']}") for block in shown)
    for block in shown:
        pages = f"  on {count(block['pages'], 'page')}" if block["pages"] > 1 else ""
        number = f"b{block['id']}".rjust(numbers)
        text = fitted(one_line(block["text"]), max(width() - numbers - column - len(pages) - 8, 20))
        text = text if verbosity > 0 or len(text) < 200 else text[:199] + "…"
        put(
            dim(f"  {number}  "), coloured(f"{block['reason']:<{column}}", "magenta"), f"  {text}", dim(pages)
        )
    if len(shown) < len(blocks):
        put(dim(f"  and {len(blocks) - len(shown)} more; -v shows them"))


def _copies(
    kept: str, total: int, copies: Sequence[dict[str, Any]], likenesses: dict[int, Similarity]
) -> None:
    from aggregator.model import VERDICT_REASONS

    if not copies:
        put()
        put(dim("No other outlet ran this text."))
        return
    all_of_them = count(total, "copy", "copies")
    _section("Folded into it", all_of_them if total <= len(copies) else f"one of {all_of_them}")
    for copy in copies:
        put()
        put(f"  c{copy['id']}  ", bold(one_line(copy["title"])))
        facts = (
            f"  {short_time(local(copy['published_at']))}, {copy['words']:,} words from the {copy['source']}"
        )
        put(coloured(f"      {one_line(copy['site'])}", "cyan"), dim(facts))
        put(dim(f"      {one_line(copy['url'])}"))
        sure = f"({copy['reason']}), {int(100 * copy['confidence'])}% sure"  # .996 is not certain
        put(f"      {VERDICT_REASONS.get(copy['reason'], copy['reason'])} ", dim(sure))
        put(
            "      ",
            *_bar("alike", copy["resemblance"]),
            *_bar("   held in the kept text", copy["containment"]),
        )
        _evidence(copy["evidence"])
        if likeness := likenesses.get(copy["id"]):
            _side_by_side(kept, copy["text"], f"c{copy['id']}", likeness)


def _evidence(evidence: dict[str, Any]) -> None:
    """What else spoke for the decision, and against it; what is empty or nought is left out."""
    told = {
        EVIDENCE.get(name) or one_line(name.replace("_", " ")): value
        for name, value in evidence.items()
        if value
    }
    column = max(map(len, told), default=0)
    for name, value in told.items():
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        words = f"{value:.0%}" if isinstance(value, float) else words
        put(dim(f"      {name:<{column}}  {fitted(one_line(words), max(width() - column - INDENT - 2, 20))}"))


def _bar(name: str, share: float) -> list[str | Styled]:
    full = round(10 * min(max(share, 0.0), 1.0))
    return [f"{name} ", coloured("█" * full, "green"), dim("░" * (10 - full)), f" {share:.0%}"]


# ----------------------------------------------------------------------------------------- side by side


def _compared(article: dict[str, Any], copy: dict[str, Any]) -> Similarity:
    from aggregator import dedup

    return dedup.compare(article["text"], copy["text"], title_a=article["title"], title_b=copy["title"])


def _side_by_side(kept: str, copy: str, name: str, likeness: Similarity) -> None:
    """Both texts in two columns, what they share on one height. Marks: = the same, ~ in other words, - and + on one
    side only; so the picture reads without colours too."""
    column = (min(width(), 160) - INDENT - len("=  ") - GAP) // 2
    put()
    _row(" ", "the kept text", name, column, dim)
    for shared, left, right in _passages(kept, copy, likeness.spans):
        if shared:
            mark, look, sides = "=", dim, (_middle_left_out(left), _middle_left_out(right))
        else:
            mark, look, sides = "~" if left and right else "-" if left else "+", _marked, (left, right)
        for one, other in zip_longest(*(folded(side, column) for side in sides), fillvalue=""):
            _row(mark, one, other, column, look)


def _passages(kept: str, copy: str, spans: Sequence[Span]) -> list[tuple[bool, str, str]]:
    """(shared?, kept text, copy's text) of each span; marks that close a shared passage go with it."""
    found: list[tuple[bool, str, str]] = []
    for span in spans:
        left, right = kept[slice(*span.a)], copy[slice(*span.b)]
        if found and found[-1][0]:
            close_left, close_right = _closing(left), _closing(right)
            found[-1] = (True, found[-1][1] + left[:close_left], found[-1][2] + right[:close_right])
            left, right = left[close_left:], right[close_right:]
        if left.strip() or right.strip():
            found.append((span.shared, left.strip(), right.strip()))
    return found


def _closing(text: str) -> int:
    """How many characters at the start of a text end the sentence before it."""
    match = _CLOSING.match(text)
    return match.end() if match else 0


def _marked(text: str) -> Styled:
    return coloured(text, "yellow")


def _row(mark: str, left: str, right: str, column: int, look: Callable[[str], Styled]) -> None:
    from rich.cells import cell_len

    space = " " * (column - cell_len(left) + GAP)
    put(" " * INDENT, dim(f"{mark}  "), look(left), space, look(right))


def _middle_left_out(text: str) -> str:
    """A long shared passage by its beginning and its end."""
    words = text.split()
    if len(words) < LONG:
        return text
    return f"{' '.join(words[:EDGE])} … {len(words) - 2 * EDGE} words … {' '.join(words[-EDGE:])}"
