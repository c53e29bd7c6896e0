"""A real `datasette DIRECTORY`, and a writer beside it, for the newsroom's tests."""

from __future__ import annotations

import html
import json
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsroom_data import stamp


class Newsroom:
    """A running `datasette DIRECTORY`."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.database = directory / "news.db"
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = directory.with_name(directory.name + ".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "datasette", str(directory), "-p", str(self.port)],
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Newsroom:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get("/-/versions.json")
                return self
            except OSError:
                time.sleep(0.1)
        self.process.kill()
        raise AssertionError(f"Datasette did not start:\n{self.log.read_text()}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def page(self, path: str) -> str:
        status, body = self.get(path)
        assert status == 200, body
        return body

    def text(self, path: str) -> str:
        """A page as it reads: without markup, blanks run together."""
        main = re.search(r"<main.*</main>", self.page(path), re.DOTALL)
        assert main
        inline = re.sub(r"</?(?:a|b|code|em|i|mark|span|time)\b[^>]*>", "", main[0])
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", inline)).split())

    def json(self, path: str) -> Any:
        return json.loads(self.page(path))


class Writer(threading.Thread):
    """Writes as a round does: a small BEGIN IMMEDIATE transaction every few milliseconds, until told to stop."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path, self.stopped, self.error, self.commits = path, threading.Event(), None, 0

    def run(self) -> None:
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            while not self.stopped.wait(0.005):
                now = stamp(datetime.now(UTC))
                db.execute("begin immediate")
                db.execute(
                    "insert into fetches (feed_id, started_at, outcome, status) values (2, ?, 'nothing_new', 200)",
                    (now,),
                )
                db.execute("update feeds set last_fetch_at = ? where id = 2", (now,))
                db.execute("commit")
                self.commits += 1
        except sqlite3.Error as error:
            self.error = error
        finally:
            db.close()
