"""The process that reads large documents: it starts late, can be killed, and is replaced."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from made_feeds import URL, item, numbered, rss

import aggregator.parse
from aggregator.errors import ParseError
from aggregator.parse import Parser, parse

LONG = rss(
    *(
        item(f"Story {n}", f"https://news.example/{n}", f"id-{n}", "It sails at noon. " * 150)
        for n in range(20)
    )
)
#: No cap is known for this: tags without number in an item, in no field.
STUCK = rss(f"<item>{'<x>' * 150_000}{'</x>' * 150_000}</item>", *numbered(3))


@pytest.fixture
def parser():
    with Parser() as running:
        yield running


def workers_of(parser):
    return [worker._process.pid for worker in parser._workers]


def test_a_worker_reads_what_parse_reads(parser):
    assert parser.parse(LONG, URL) == parse(LONG, URL)
    assert len(workers_of(parser)) == 1


def test_small_documents_and_html_pages_need_no_worker(parser):
    parser.parse(rss(*numbered(20)), URL)
    with pytest.raises(ParseError, match="an HTML page"):
        parser.parse(b"<!doctype html><html><body>" + b"<p>Hello</p>" * 30_000, URL)
    assert workers_of(parser) == []


def test_a_normal_poll_of_a_large_feed_needs_no_worker(parser):
    hashes = [entry.raw_hash for entry in parse(LONG, URL).entries]
    found = parser.parse(LONG, URL, seen=frozenset(hashes[1:]))
    assert [entry.guid for entry in found.entries] == ["id-0"]
    assert workers_of(parser) == []


def test_a_document_that_takes_too_long_is_given_up_and_the_next_is_read(parser, monkeypatch):
    monkeypatch.setattr(aggregator.parse, "CPU_SECONDS", 0.3)
    monkeypatch.setattr(aggregator.parse, "LEAN_CPU_SECONDS", 0.3)
    with pytest.raises(ParseError, match=re.escape("more than 0.3 s of CPU time")) as caught:
        parser.parse(STUCK, URL)
    assert caught.value.kind == "parse_limit"
    assert len(parser.parse(LONG, URL).entries) == 20


def test_a_document_that_takes_too_much_memory_is_given_up(parser):
    bomb = b'{"version":"https://jsonfeed.org/version/1.1","items":[' + b"[]," * 3_000_000 + b"[]]}"
    with pytest.raises(ParseError, match="MB of memory") as caught:
        parser.parse(bomb, URL)
    assert caught.value.kind == "parse_limit"


def test_what_is_slow_for_its_long_texts_is_read_without_them(parser, monkeypatch):
    parser.parse(LONG, URL)
    body = rss(*(item(f"Story {n}", guid=f"id-{n}", text="<p>It sails.</p>" * 2_500) for n in range(200)))
    monkeypatch.setattr(aggregator.parse, "CPU_SECONDS", 0.03)
    found = parser.parse(body, URL)
    assert [entry.title for entry in found.entries] == [f"Story {n}" for n in range(100)]
    assert "read without long texts" in found.problem
    assert not found.complete


def test_the_error_of_a_worker_is_the_error_of_parse(parser):
    with pytest.raises(ParseError) as caught:
        parser.parse(b'{"version":"https://jsonfeed.org/version/1.1","items":[' + b'{"id":"1"},' * 5_000, URL)
    assert (caught.value.kind, caught.value.url) == ("broken_feed", URL)


def test_a_worker_killed_from_outside_is_replaced(parser):
    parser.parse(LONG, URL)
    os.kill(workers_of(parser)[0], signal.SIGKILL)
    time.sleep(0.1)
    assert len(parser.parse(LONG, URL).entries) == 20


def test_threads_share_a_parser():
    with Parser(processes=2) as parser:
        found = []
        threads = [threading.Thread(target=lambda: found.append(parser.parse(LONG, URL))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [len(feed.entries) for feed in found] == [20] * 8
        assert len(workers_of(parser)) <= 2


def test_closing_a_parser_ends_its_workers():
    parser = Parser()
    parser.parse(LONG, URL)
    (pid,) = workers_of(parser)
    parser.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_ends_with_its_parent(tmp_path):
    script = (
        "import os, sys; from aggregator.parse import Parser; p = Parser();"
        "p.parse(open(sys.argv[1], 'rb').read(), 'https://news.example/');"
        "print(p._workers[0]._process.pid, flush=True); os._exit(0)"
    )
    (tmp_path / "feed.xml").write_bytes(LONG)
    pid = subprocess.check_output([sys.executable, "-c", script, str(tmp_path / "feed.xml")], text=True)
    for _ in range(50):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the worker outlived its parent")


def test_importing_the_parser_does_not_import_feedparser():
    script = "import sys, aggregator.parse; sys.exit('feedparser' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
