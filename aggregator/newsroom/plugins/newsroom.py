"""Datasette's door to the newsroom. The pages' contents come from the `aggregator` package and follow its version;
their looks are in ../templates and ../static and are yours to change.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pluggy
from markupsafe import Markup

from aggregator import config
from aggregator.newsroom import pages, searching, wording
from aggregator.schema import COLUMNS

hookimpl = pluggy.HookimplMarker("datasette")

#: The database that the pages show: db/news.db.
DATABASE = "news"
#: Columns of a question's answer that lead to a row's page; the first of them also under the title.
LEADS = {
    "article_id": "articles",
    "duplicate_id": "duplicates",
    "feed_id": "feeds",
    "revision_id": "revisions",
}
#: Views whose id is a row's of this table.
VIEWS = {"wire_stories": "articles", "events": "articles", "feed_health": "feeds"}


@hookimpl
def prepare_jinja2_environment(env: Any) -> None:
    env.filters.update(wording.FILTERS)


@hookimpl
def get_metadata() -> dict[str, Any]:
    """What each column means, from the schema itself (Datasette 0.65)."""
    tables = {table: {"columns": columns} for table, columns in COLUMNS.items()}
    return {"databases": {DATABASE: {"tables": tables}}}


@hookimpl
def startup(datasette: Any) -> Callable[[], Awaitable[None]] | None:
    """The same for Datasette 1.0, which asks no plugin but keeps its own records."""

    async def explain_columns() -> None:
        for table, columns in COLUMNS.items():
            for column, meaning in columns.items():
                await datasette.set_column_metadata(DATABASE, table, column, "description", meaning)

    return explain_columns if hasattr(datasette, "set_column_metadata") else None


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """Whatever is typed into a search box is answered with stories, not with an error of SQLite's."""

    def wrap(app: Any) -> Any:
        async def forgiving(scope: dict[str, Any], receive: Any, send: Any) -> None:
            query = scope.get("query_string", b"")
            if b"_search" in query or b"%00" in query:
                scope = {
                    **scope,
                    "query_string": searching.runnable(query.decode("latin-1")).encode("latin-1"),
                }
            await app(scope, receive, send)

        return forgiving

    return wrap


@hookimpl
def extra_template_vars(datasette: Any, request: Any) -> dict[str, Any]:
    async def front_page() -> dict[str, Any] | None:
        """None when there is no database yet or it may not be seen."""
        if DATABASE not in datasette.databases or not await _visible(datasette, request):
            return None
        return await pages.front(datasette.get_database(DATABASE))

    def page(content: Any) -> Any:
        """A row's page, which Datasette shows only to those who may see the row."""
        return lambda row_id: content(datasette.get_database(DATABASE), row_id)

    async def name() -> str:
        if hasattr(datasette, "get_instance_metadata"):  # 1.0
            metadata = await datasette.get_instance_metadata()
        else:
            metadata = datasette.metadata()
        return str(metadata.get("title") or "Newsroom")

    async def nothing_yet() -> bool:
        return DATABASE not in datasette.databases or await pages.is_empty(datasette.get_database(DATABASE))

    return {
        "advice": lambda text: _advice(datasette, text),
        "today": datetime.now(UTC).isoformat(),
        "newsroom_name": name,
        "newsroom_css": _stylesheet(datasette),
        "nothing_yet": nothing_yet,
        "typed": lambda command: _typed(datasette, command),
        "front_page": front_page,
        "article_page": page(pages.article),
        "copy_page": page(pages.copy),
        "revision_page": page(pages.revision),
        "feed_page": page(pages.feed),
    }


@hookimpl
def render_cell(
    row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any
) -> Markup | None:
    """Addresses open without telling the site where the reader came from; a question's answer leads to its rows."""
    if database != DATABASE:
        return None
    url = wording.weblink(value)
    if url:
        shown = url if len(url) <= 80 else url[:79] + "\u2026"
        return Markup('<a href="{}" rel="noreferrer noopener">{}</a>').format(url, shown)
    if column == "error_kind" and value in wording.CURES:
        cure = Markup(". ") + _advice(datasette, wording.cure(value)) if table is None else ""
        return Markup('<span title="{}">{}<span class="note">{}</span></span>').format(
            value, wording.sentence(wording.trouble(value)), cure
        )
    target = None
    if table in VIEWS and column in ("id", "title"):
        target = VIEWS[table], row["id"]
    elif table is None:
        leads = [name for name in row.keys() if name in LEADS and row[name] is not None]  # noqa: SIM118 (sqlite3.Row)
        lead = column if column in leads else leads[0] if leads and column in ("title", "feed") else None
        target = (LEADS[lead], row[lead]) if lead else None
    if target is None:
        return None
    return Markup('<a href="{}">{}</a>').format(
        datasette.urls.row(database, target[0], str(target[1])), value
    )


def _advice(datasette: Any, text: str) -> Markup:
    """Advice in which `what is to be typed` stands in backticks."""
    parts = text.split("`")
    parts[1::2] = [
        Markup("<code>{}</code>").format(
            _typed(datasette, part.removeprefix("aggregator ")) if part.startswith("aggregator ") else part
        )
        for part in parts[1::2]
    ]
    return Markup("").join(parts)


def _typed(datasette: Any, command: str) -> str:
    """A command for this database, as it is typed where Datasette was started."""
    return config.typed(command, _file(datasette), os.environ, Path.cwd(), Path.home())


def _file(datasette: Any) -> Path:
    """The database's file; where there is none yet, where it will be."""
    if DATABASE in datasette.databases:
        return Path(datasette.get_database(DATABASE).path).absolute()
    return Path(datasette.config_dir or ".").absolute() / f"{DATABASE}.db"


async def _visible(datasette: Any, request: Any) -> bool:
    """Whether whoever asks may see the database."""
    actor = request.actor if request else None
    if hasattr(datasette, "allowed"):  # 1.0
        from datasette.resources import DatabaseResource  # type: ignore[import-untyped]

        return bool(
            await datasette.allowed(action="view-database", resource=DatabaseResource(DATABASE), actor=actor)
        )
    visible, _ = await datasette.check_visibility(
        actor, permissions=[("view-database", DATABASE), "view-instance"]
    )
    return bool(visible)


def _stylesheet(datasette: Any) -> str:
    """The stylesheet's address, with its contents' hash so that a browser takes a new one at once."""
    path = Path(__file__).parent.parent / "static" / "newsroom.css"
    try:
        version = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    except FileNotFoundError:
        version = "0"
    return f"{datasette.urls.path('/static/newsroom.css')}?{version}"
