"""`extract` and `dedupe`: the two machines in the middle, each alone, without a database."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from aggregator.cli.output import (
    bold,
    coloured,
    count,
    dim,
    json_text,
    one_line,
    put,
    put_json,
    running_text,
    say,
    short_time,
)
from aggregator.cli.places import Places, db_option, feeds_option, pass_places, talk_options

if TYPE_CHECKING:
    from aggregator.model import Document, SiteMemory

MAX_SOURCE = 50_000_000  # bytes of a page


@click.command(short_help="The clean text of a page, or of a site's pages visited again.")
@click.argument("source", required=False)
@click.option("--url", metavar="URL", help="Where the page is from, when SOURCE is a file or stdin.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: one object, or with --site alone an array."
)
@click.option("--show-removed", is_flag=True, help="Show what was taken away, each block with the rule.")
@click.option("--keep", multiple=True, metavar="CSS", help="What holds the text, as in feeds.yaml.")
@click.option("--drop", multiple=True, metavar="CSS", help="What is to be taken away, as in feeds.yaml.")
@click.option(
    "--site",
    metavar="SITE",
    help="The site, such as example.org, whose memory to use, or whose pages to visit again.",
)
@click.option("-n", "limit", type=click.IntRange(1), metavar="N", help="Of a site, visit the N newest pages.")
@click.option("--apply", "write", is_flag=True, help="Store what visiting a site's pages again changes.")
@click.option("--forget", is_flag=True, help="Forget what was learned of a site's furniture.")
@talk_options
@db_option
@feeds_option
@pass_places
def extract(
    places: Places,
    source: str | None,
    url: str | None,
    as_json: bool,
    show_removed: bool,
    keep: Sequence[str],
    drop: Sequence[str],
    site: str | None,
    limit: int | None,
    write: bool,
    forget: bool,
) -> None:
    """Print the article of a page: SOURCE is a file, - for stdin, or a URL. Of an article in several pages, a URL
    gives all of them.

    JSON has the keys url, title, byline, published, language, text, paragraphs and removed, and more after these.
    With --site, what repeats on that site is taken away too, as far as the database knows.

    With --site and no SOURCE, the pages of the site's articles are visited again (texts are stored, pages are not)
    and read with --keep and --drop, or what feeds.yaml says. It is shown what would change in the 10 newest. With
    --apply all are visited, and what changes is stored.

    \b
    Examples:
      aggregator extract https://example.org/story.html
      aggregator extract page.html --url https://example.org/story.html --json
      aggregator extract page.html --show-removed --drop '.newsletter'
      aggregator extract --site example.org --drop '.newsletter' --apply
    """
    from aggregator import urls
    from aggregator.cli import again
    from aggregator.extract import check_selector
    from aggregator.extract import extract as read

    for option, selectors in (("--keep", keep), ("--drop", drop)):
        for selector in selectors:
            if problem := check_selector(selector):
                raise click.BadParameter(f"{selector!r} is not a CSS selector: {problem}", param_hint=option)
    if site is not None:
        site = urls.site(site if "://" in site else f"http://{site}")
    if source is None:
        if site is None:
            raise click.UsageError("say what to read: a SOURCE, or --site SITE to visit its pages again")
        if forget:
            again.forget(places, site)
        else:
            again.read_again(places, site, keep, drop, limit, write, as_json)
        return
    if limit or write or forget:
        raise click.UsageError("-n, --apply and --forget are for --site without a SOURCE")
    memory = _memory(places, site) if site else None

    def parse(html: bytes, address: str | None, charset: str | None) -> Document:
        return read(html, address, site=memory, keep=keep, drop=drop, charset=charset)

    document = _read(places, source, url, parse)
    if site:
        document = _without_repeats(places, site, document)
    if not document.paragraphs and places.verbosity >= 0:
        say(f"no article was found in {source}; --keep CSS says where it is")
    if as_json:
        put_json(_document(document))
    else:
        _print(document, show_removed)


def _read(
    places: Places,
    source: str,
    url: str | None,
    parse: Callable[[bytes, str | None, str | None], Document],
) -> Document:
    """The document of a file, of stdin, or of an address and the article's further pages."""
    if source == "-":
        return parse(sys.stdin.buffer.read(MAX_SOURCE), url, None)
    if "://" not in source:
        with open(source, "rb") as file:
            return parse(file.read(MAX_SOURCE), url, None)
    from email.message import Message

    from aggregator.errors import FetchError
    from aggregator.extract import join
    from aggregator.fetch import Fetcher, pace_file
    from aggregator.model import Request, Settings
    from aggregator.pipeline.visits import FURTHER_PAGES

    settings = places.config().settings if places.wanted_feeds().path.is_file() else Settings()
    # The user wrote the address down: as a feed's, it may be private.
    with Fetcher(settings, pace=pace_file(places.database().path)) as fetcher:

        def visit(address: str, said: str | None = None) -> Document:
            answer = fetcher.fetch(Request(0, address, "feed"))
            message = Message()
            message["content-type"] = answer.headers.get("content-type", "")
            return parse(answer.body, said or answer.final_url, message.get_content_charset())

        document = visit(source, url)
        for _ in range(FURTHER_PAGES):
            if not document.next_url or not document.paragraphs:
                break
            try:
                document = join(document, visit(document.next_url))
            except FetchError as error:
                say(f"the article goes on, but not for us: {error}")
                break
    return document


def _memory(places: Places, site: str) -> SiteMemory:
    with places.store() as store:
        return store.sites.memory(site)


def _without_repeats(places: Places, site: str, document: Document) -> Document:
    from aggregator import sites

    hashes = {block.hash for block in document.blocks}
    with places.store() as store:
        memory = store.sites.memory(site, hashes)
    return sites.strip(document, sites.merge(memory, [document]))


def _document(document: Document) -> dict[str, Any]:
    """A document as `extract --json` prints it; the keys up to `removed` are stable."""
    return {
        "url": document.url,
        "title": document.title,
        "byline": document.byline,
        "published": document.published,
        "language": document.language,
        "text": document.text,
        "paragraphs": list(document.paragraphs),
        "removed": [{"text": block.text, "reason": block.reason} for block in document.removed],
        "authors": list(document.authors),
        "summary": document.summary,
        "image": document.image,
        "canonical_url": document.canonical_url,
        "next_url": document.next_url,
        "flags": list(document.flags),
    }


def _print(document: Document, show_removed: bool) -> None:
    put(bold(one_line(document.title)))
    published = short_time(document.published) if document.published else ""
    facts = [document.byline, published, document.language, *document.flags]
    if any(facts):
        put(dim(" · ".join(one_line(fact) for fact in facts if fact)))
    places: dict[int, list[Any]] = {}
    if show_removed:
        for block in document.removed:
            places.setdefault(min(block.position, len(document.paragraphs)), []).append(block)
    for position, paragraph in enumerate([*document.paragraphs, ""]):
        for block in places.get(position, []):
            put()
            put(coloured(f"  ✂ {block.reason}: ", "magenta"), dim(one_line(block.text)))
        if paragraph:
            put()
            put(running_text(paragraph))


# ----------------------------------------------------------------------------------------- dedupe


@click.command(short_help="Which documents of a JSON Lines file are copies.")
@click.argument(
    "source", metavar="[INPUT]", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Instead of stdout.",
)
@click.option("--events", is_flag=True, help="Say also which document reports the same event in other words.")
@click.option("--archive", is_flag=True, help="Judge every stored text again, instead of an INPUT.")
@talk_options
@db_option
@feeds_option
@pass_places
def dedupe(places: Places, source: str | None, output: Path | None, events: bool, archive: bool) -> None:
    """Judge a stream of documents: for each, in order, whether it is a copy of one before it.

    INPUT (- for stdin, gzip too) has one JSON object a line, in the order of time: id, text, and if known title,
    published (ISO 8601) and outlet. For each comes one with id, cluster (the id of the kept document), kept,
    reason, resemblance and containment. Every decision is final and uses only what came before it. With --events a
    document that is no copy also names, as event, the first one that reported the same event in words of its own.

    With --archive, or with --db and no INPUT, the texts in the database are judged again, say after an upgrade.
    What was decided by hand stays. It can be interrupted, and goes on where it stopped.

    \b
    Examples:
      aggregator dedupe articles.jsonl -o copies.jsonl
      zcat articles.jsonl.gz | aggregator dedupe - | jq 'select(.kept | not)'
      aggregator dedupe --db db/news.db
    """
    if archive or (source is None and places.db):
        if source is not None or output is not None:
            raise click.UsageError("the archive is judged in its place: no INPUT and no --output go with it")
        _judge_again(places)
    elif source is None:
        raise click.UsageError("Missing argument 'INPUT': a file, - for stdin, or --archive for the database")
    else:
        _judge(places, source, output, events)


def _judge(places: Places, source: str, output: Path | None, events: bool) -> None:
    from aggregator import dedup
    from aggregator.cli.progress import counting

    started = time.monotonic()
    reasons: Counter[str] = Counter()
    with (
        _opened(source) as lines,
        _written(output) as out,
        counting("document", places.verbosity) as one_more,
    ):
        for row in dedup.stream(_documents(lines, source), events=events):
            out.write(json_text(row) + "\n")
            reasons[row["reason"] if not row["kept"] else ""] += 1
            one_more()
    if places.verbosity >= 0:
        stories = reasons.pop("", 0)
        copies = sum(reasons.values())
        how = ", ".join(f"{number:,} {reason}" for reason, number in reasons.most_common())
        say(
            coloured("✓ ", "green"),
            bold(f"{count(stories + copies, 'document')}: {count(stories, 'story', 'stories')},"),
            bold(f" {count(copies, 'copy', 'copies')}"),
            dim(f"{f' ({how})' if how else ''}  {time.monotonic() - started:.1f} s"),
        )


def _judge_again(places: Places) -> None:
    from aggregator import pipeline
    from aggregator.cli.progress import watching
    from aggregator.cli.rounds import until_interrupted
    from aggregator.model import Config

    config = places.config() if places.wanted_feeds().path.is_file() else Config(())
    with places.store() as store, until_interrupted() as stop, watching(places.verbosity) as progress:
        done = pipeline.rejudge(config, store, progress=progress, stop=stop)
    if places.verbosity >= 0:
        say(
            coloured("✓ " if done.finished else "… ", "green" if done.finished else "yellow"),
            bold(
                f"{count(done.texts, 'text')} judged again: {done.folded:,} folded, {done.unfolded:,} unfolded"
            ),
            dim(f"  {done.moved:,} with another reason or other figures"),
        )
    if not done.finished:
        raise KeyboardInterrupt


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    """The lines of a file or stdin, unpacked where they are gzip: told by the first bytes, not by the name."""
    import gzip

    with click.open_file(source, "rb") as file, io.BufferedReader(file) as raw:  # type: ignore[type-var]
        if raw.peek(2)[:2] != b"\x1f\x8b":
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as lines:
            yield cast(IO[bytes], lines)


def _documents(lines: IO[bytes], source: str) -> Iterator[dict[str, Any]]:
    from aggregator.errors import AggregatorError

    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            name = "stdin" if source == "-" else source
            raise AggregatorError(
                f"{name}:{number}: not JSON: {error}; one object is expected on each line"
            ) from None


@contextmanager
def _written(output: Path | None) -> Iterator[IO[str]]:
    """Where results go: stdout, line by line, or a file that appears when it is whole; packed if its name says .gz."""
    import gzip

    if output is None:
        yield sys.stdout
        return
    part = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with (
            gzip.open(part, "wt", encoding="utf-8")
            if output.suffix == ".gz"
            else part.open("w", encoding="utf-8") as out
        ):
            yield cast(IO[str], out)
        os.replace(part, output)
    finally:
        part.unlink(missing_ok=True)
