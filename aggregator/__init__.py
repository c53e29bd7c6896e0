"""aggregator: a feed aggregator that keeps one clean article per story, and says what it took away and why.

A story goes down one staircase (config, fetch, parse, extract, dedup, store), and only `pipeline` ever sees both the
network and the database. What is public is named in `__all__`, and imported when it is first used:

    from aggregator import Store, load_config, run

    config = load_config("feeds.yaml")
    with Store("db/news.db") as store:
        report = run(config, store)
        for article in store.reading.latest(10):
            print(article.title)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggregator.config import load as load_config
    from aggregator.dedup import compare, find_duplicates
    from aggregator.errors import AggregatorError
    from aggregator.extract import extract
    from aggregator.model import Article, Document, Report
    from aggregator.pipeline import run
    from aggregator.store import Store

__version__ = "0.1.0"
#: The project's home, told to publishers in the User-Agent. The same as `url` in setup.cfg.
HOME = "https://github.com/feed-aggregator/aggregator"

__all__ = [
    "AggregatorError",
    "Article",
    "Document",
    "Report",
    "Store",
    "compare",
    "extract",
    "find_duplicates",
    "load_config",
    "run",
]

_HOMES = {
    "AggregatorError": "errors",
    "Article": "model",
    "Document": "model",
    "Report": "model",
    "Store": "store",
    "compare": "dedup",
    "extract": "extract",
    "find_duplicates": "dedup",
    "load_config": "config",
    "run": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aggregator' has no attribute {name!r}")
    module = importlib.import_module(f"aggregator.{_HOMES[name]}")
    return getattr(module, "load" if name == "load_config" else name)
