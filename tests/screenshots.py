"""The pictures in docs/, made from the demo: `python tests/screenshots.py`."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from browser import chromium
from newsroom_process import Newsroom

from aggregator import demo
from aggregator.newsroom import install

DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS))
import examples  # noqa: E402


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        result = demo.run(Path(scratch) / "demo")
        database = result.directory / "db"
        install(database)
        with sqlite3.connect(database / "news.db") as db:
            (story,) = db.execute(examples.PICTURED).fetchone()
        pages = {"front-page": ("/", 1040), "article": (f"/news/articles/{story}", 960),
                 "dashboard": ("/-/dashboards/newsroom", 1030)}  # fmt: skip
        with Newsroom(database) as newsroom, chromium(Path(scratch) / "profile") as browser:
            for name, (path, height) in pages.items():
                browser.open(newsroom.url + path, width=1240, height=height)
                if name == "dashboard":
                    browser.wait_for(".vega-embed svg", 8)
                    time.sleep(0.5)  # the last chart is laid out after it is there
                browser.screenshot(DOCS / f"{name}.png")


if __name__ == "__main__":
    main()
