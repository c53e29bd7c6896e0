"""Words out: data on stdout, talk on stderr, and nothing a stranger wrote reaches the terminal raw.

Titles and texts come from anywhere. Control characters, escape sequences and the marks that turn the direction of
writing are taken out of everything that is printed, here, so that no command can forget it (Trojan Source,
CVE-2021-42574; terminal escapes, CVE-2003-0063). JSON loses nothing by it: there they become `\\u` escapes.
"""

from __future__ import annotations

import csv
import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
Row = Mapping[str, Any]

#: C0 but line break and tab, DEL and C1, bidi embeddings, overrides and isolates, line and paragraph separators,
#: annotation marks, tag characters, lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
LINE = 88  # columns of running text; longer lines are hard to read
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV injection


def visible(text: str) -> str:
    """The text with every character that a terminal would obey instead of show replaced by one that it shows."""
    return _UNSAFE.sub("\ufffd", text)


def one_line(text: str | None) -> str:
    """`visible`, with runs of white space as one space: a title stays on its line."""
    return visible(" ".join((text or "").split()))


# ----------------------------------------------------------------------------------------- colours, streams


@dataclass(frozen=True, slots=True)
class Styled:
    """A piece of text and how it looks where colours are shown."""

    text: str
    colour: str | None = None
    bold: bool = False
    dim: bool = False


def bold(text: str) -> Styled:
    return Styled(text, bold=True)


def dim(text: str) -> Styled:
    return Styled(text, dim=True)


def coloured(text: str, colour: str, *, bold: bool = False) -> Styled:
    return Styled(text, colour, bold)


def put(*parts: str | Styled) -> None:
    """One line, or several, of data: to stdout."""
    _write(parts, err=False)


def say(*parts: str | Styled) -> None:
    """Talk: to stderr."""
    _write(parts, err=True)


def _write(parts: Sequence[str | Styled], *, err: bool) -> None:
    # sys.stderr by name: while progress bars are drawn it is rich's, which puts the line above them.
    # The environment each time: an error is told when click's context, which would know it, is gone.
    click.echo(
        "".join(map(_drawn, parts)), file=sys.stderr if err else sys.stdout, color=colour_wanted(os.environ)
    )


def _drawn(part: str | Styled) -> str:
    if isinstance(part, str):
        return visible(part)
    return click.style(visible(part.text), fg=part.colour, bold=part.bold or None, dim=part.dim or None)


def colour_wanted(environ: Mapping[str, str]) -> bool | None:
    """False for NO_COLOR (https://no-color.org) and dumb terminals, True for FORCE_COLOR, None: if it is a terminal."""
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return True if environ.get("FORCE_COLOR") else None


def is_terminal() -> bool:
    """Whether data goes to a person's screen."""
    return sys.stdout.isatty()


def width(default: int = 100) -> int:
    """Columns of the screen; `default` where there is none."""
    import shutil

    return max(40, shutil.get_terminal_size((default, 24)).columns)


def fitted(text: str, columns: int) -> str:
    """Text cut to so many columns of the screen, when data goes there; wide characters count twice."""
    if not is_terminal():
        return text
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= columns else set_cell_size(text, max(1, columns - 1)).rstrip() + "…"


def running_text(paragraph: str) -> str:
    """A paragraph in lines that are easy to read, when data goes to a screen."""
    if not is_terminal():
        return paragraph
    return "\n".join(
        line for part in paragraph.split("\n") for line in folded(part, min(width() - 2, LINE)) or [""]
    )


def folded(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns of the screen; wide characters count twice."""
    from rich.cells import cell_len, chop_cells

    lines: list[str] = []
    line = ""
    for word in visible(text).split():
        for piece in [word] if cell_len(word) <= columns else chop_cells(word, columns):
            if line and cell_len(line) + 1 + cell_len(piece) > columns:
                lines.append(line)
                line = piece
            else:
                line = f"{line} {piece}".lstrip()
    return [*lines, line] if line else lines


# ----------------------------------------------------------------------------------------- rows


@dataclass(frozen=True, slots=True)
class Form:
    """How rows are to come out: json, csv, table, or None for words."""

    name: str | None
    csv_safe: bool


def row_options(command: Command) -> Command:
    """--json, --csv, --table and --csv-safe, with the meanings of sqlite-utils; gives the command `form`."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with a header line.")
    @click.option("-t", "--table", "as_table", is_flag=True, help="Print a plain table.")
    @click.option("--csv-safe", is_flag=True, help="CSV that no spreadsheet takes for formulas.")
    @functools.wraps(command)
    def wrapped(
        *args: Any, as_json: bool, as_csv: bool, as_table: bool, csv_safe: bool, **kwargs: Any
    ) -> Any:
        names = [
            name for name, on in (("json", as_json), ("csv", as_csv or csv_safe), ("table", as_table)) if on
        ]
        if len(names) > 1:
            raise click.UsageError(f"give one of --json, --csv and --table, not {' and '.join(names)}")
        return command(*args, form=Form(names[0] if names else None, csv_safe), **kwargs)

    return wrapped  # type: ignore[return-value]


def put_rows(rows: Iterable[Row], form: Form, columns: Sequence[str] | None = None) -> None:
    """Rows to stdout as the form says. `columns`: which, in CSV and tables; by default the first row's."""
    if form.name == "json":
        first = True
        for row in rows:
            click.echo(("[" if first else ",\n ") + json_text(row), nl=False)
            first = False
        click.echo("[]" if first else "]")
        return
    rows = list(rows)
    names = list(columns or (rows[0] if rows else ()))
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    if form.name == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_csv_safe(cell) if form.csv_safe else cell for cell in row] for row in cells)
    else:
        put_table(names, cells)


def json_text(value: object, indent: int | None = None) -> str:
    """JSON in which what a terminal would obey is escaped. Times are ISO 8601."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_json_default)
    return _UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def put_json(value: object) -> None:
    """One JSON object to stdout, indented when a person reads it."""
    click.echo(json_text(value, indent=2))


def _json_default(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not JSON: {type(value).__name__}")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict):
        return json_text(value)
    return visible(str(value))


def _csv_safe(cell: str) -> str:
    numeric = re.fullmatch(r"-?\d+(\.\d+)?", cell)
    return f"'{cell}" if cell.startswith(_FORMULA) and not numeric else cell


def put_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table with aligned columns, numbers to the right; on a screen the widest text columns give way."""
    from rich.cells import cell_len

    lines = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(names, *lines, strict=True)]
    if is_terminal():
        spare = width() - 2 * len(names) - sum(widths)
        while spare < 0 and max(widths, default=0) > 12:
            widest = widths.index(max(widths))
            widths[widest] -= 1
            spare += 1
    right = [
        all(re.fullmatch(r"-?[\d.,]*", row[i]) for row in lines) and bool(lines) for i in range(len(names))
    ]
    put(bold(_table_row(names, widths, right)))
    put(dim("  ".join("─" * size for size in widths)))
    for row in lines:
        put(_table_row(row, widths, right))


def _table_row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    from rich.cells import cell_len

    drawn = []
    for cell, size, numeric in zip(cells, widths, right, strict=True):
        short = fitted(cell, size)
        space = " " * (size - cell_len(short))
        drawn.append(space + short if numeric else short + space)
    return "  ".join(drawn).rstrip()


# ----------------------------------------------------------------------------------------- words


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 feed`, `2,310 feeds`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def local(stamp: str | None) -> datetime | None:
    """A time of the database in the reader's time zone."""
    return datetime.fromisoformat(stamp).astimezone() if stamp else None


def day(moment: datetime) -> str:
    """`Tuesday 24 November 2026`."""
    return f"{moment:%A} {moment.day} {moment:%B %Y}"


def short_time(moment: datetime | None) -> str:
    """`24 Nov 2026 09:12`."""
    return f"{moment.day} {moment:%b %Y %H:%M}" if moment else ""


def span(gap: timedelta) -> str:
    """A length of time in the two words a person would use: `4 minutes`, `3 hours`, `12 days`."""
    seconds = abs(gap.total_seconds())
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 0.99 * size:  # 59 minutes and 40 seconds are an hour
            return count(round(seconds / size), name)
    return count(round(seconds), "second")


def bytes_size(number: int) -> str:
    """`12.3 MB`."""
    for size, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if number >= size:
            return f"{number / size:.1f} {name}"
    return f"{number} bytes"
