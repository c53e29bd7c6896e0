"""Datasette's door to the newsroom. The pages' contents come from the `aggregator` package and follow its version;
their looks are in ../templates and ../static and are yours to change.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pluggy
from markupsafe import Markup, escape

from aggregator.newsroom import pages, wording
from aggregator.schema import COLUMNS

hookimpl = pluggy.HookimplMarker("datasette")

#: The database that the pages show: db/news.db.
DATABASE = "news"
#: Columns of a query's answer that lead to a row's page.
LEADS = {
    "article_id": "articles",
    "duplicate_id": "duplicates",
    "feed_id": "feeds",
    "revision_id": "revisions",
}


@hookimpl
def prepare_jinja2_environment(env: Any) -> None:
    env.filters.update(wording.FILTERS)


@hookimpl
def get_metadata() -> dict[str, Any]:
    """What each column means, from the schema itself."""
    tables = {table: {"columns": columns} for table, columns in COLUMNS.items()}
    return {"databases": {DATABASE: {"tables": tables}}}


@hookimpl
def extra_template_vars(datasette: Any, request: Any) -> dict[str, Any]:
    def page(content: Any) -> Any:
        """A page's contents, or None when there is no database yet or it may not be seen."""

        async def contents(*args: object) -> dict[str, Any] | None:
            if DATABASE not in datasette.databases:
                return None
            visible, _ = await datasette.check_visibility(
                request.actor if request else None, permissions=[("view-database", DATABASE), "view-instance"]
            )
            if not visible:
                return None
            found: dict[str, Any] | None = await content(datasette.get_database(DATABASE), *args)
            return found

        return contents

    return {
        "today": datetime.now(UTC).isoformat(),
        "newsroom_name": datasette.metadata("title", fallback=False) or "Newsroom",
        "newsroom_css": _stylesheet(datasette),
        "front_page": page(pages.front),
        "article_page": page(pages.article),
        "copy_page": page(pages.copy),
        "revision_page": page(pages.revision),
        "feed_page": page(pages.feed),
    }


@hookimpl
def render_cell(value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    """Addresses open without telling the site where the reader came from; ids in a query's answer are links."""
    if database != DATABASE:
        return None
    url = wording.weblink(value)
    if url:
        shown = url if len(url) <= 80 else url[:79] + "\u2026"
        return Markup('<a href="{}" rel="noreferrer noopener">{}</a>').format(url, shown)
    if table is None and column in LEADS and isinstance(value, int):
        return Markup('<a href="{}/{}">{}</a>').format(
            datasette.urls.table(database, LEADS[column]), value, escape(value)
        )
    return None


def _stylesheet(datasette: Any) -> str:
    """The stylesheet's address, with its contents' hash so that a browser takes a new one at once."""
    path = Path(__file__).parent.parent / "static" / "newsroom.css"
    try:
        version = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    except FileNotFoundError:
        version = "0"
    return f"{datasette.urls.path('/static/newsroom.css')}?{version}"
