"""One SQLite connection: how it is opened, how it writes, and what its errors mean to a user.

WAL, so that Datasette reads while we write; synchronous=NORMAL: after a power cut the database is whole and ends
at some commit, and as feed state and entries share transactions, what is missing is fetched again. Every write is
BEGIN IMMEDIATE: a deferred transaction that turns into a writer ignores the busy timeout.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

from aggregator import schema
from aggregator.errors import StoreError, UpgradedError

#: Seconds to wait for another writer. Ours hold the lock for milliseconds; a `vacuum` or a backup tool for longer.
BUSY_TIMEOUT = 60.0
#: Bytes the WAL file is cut back to after a checkpoint, when a long reader let it grow.
WAL_LIMIT = 16 * 1024 * 1024

_HINTS = (
    ("is locked", "another program holds the database", "close what writes to it, or try again"),
    ("disk is full", "the disk is full", "free some space and run again; nothing that was stored is lost"),
    (
        "disk i/o error",
        "the disk reports an error",
        "check the disk, and that the folder is not on a network share",
    ),
    ("readonly", "the database is read-only", "make the file and its folder writable for this user"),
    ("read-only", "the database is read-only", "make the file and its folder writable for this user"),
    ("unable to open", "the database cannot be opened", "check that its folder exists and is writable"),
    ("not a database", "this is not an SQLite database", "choose another file with --db"),
    (
        "malformed",
        "the database file is damaged",
        "restore the last backup (docs/running.md), or salvage it with 'sqlite3 FILE .recover'",
    ),
)


class Connection:
    """A connection whose errors are `StoreError`s. Usable from several threads, which take turns: none sees another's
    half-done transaction, nor is its reading cut off when that is undone."""

    def __init__(self, path: Path | str, *, timeout: float = BUSY_TIMEOUT) -> None:
        self.path = str(path)
        self._lock = threading.RLock()
        self._owner: int | None = None  # the thread whose transaction is open
        self._schema = -1  # SQLite's number of the schema that we know
        #: Number of transactions begun: what was read in one with the same number is still so.
        self.begun = 0
        #: Called at the end of every transaction, as its last part.
        self.before_commit: Callable[[], None] = lambda: None
        memory = self.path == ":memory:"
        if not memory:
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(self.path, f"its folder cannot be made: {error.strerror}") from error
        with self._translated():
            self.raw = sqlite3.connect(
                self.path, timeout=timeout, isolation_level=None, check_same_thread=False
            )
            self.raw.row_factory = sqlite3.Row
            try:
                self._prepare(timeout)
            except BaseException:
                self.raw.close()
                raise

    def _prepare(self, timeout: float) -> None:
        # One statement: between two, another program may make the tables.
        row = self.one(
            "select application_id, (select count(*) from sqlite_master) from pragma_application_id"
        )
        assert row is not None
        application, empty = row[0], not row[1]
        if application not in (0, schema.APPLICATION_ID) or (application == 0 and not empty):
            raise StoreError(
                self.path,
                "this is some other program's database",
                "choose another file with --db; nothing was changed",
            )
        self._use_wal(timeout)
        self.execute("pragma synchronous = normal")
        self.execute("pragma foreign_keys = on")
        self.execute("pragma cache_size = -16000")
        self.execute(f"pragma journal_size_limit = {WAL_LIMIT}")
        self._migrate()
        # Else each statement that may be undone halfway (with a trigger, "or replace") copies the pages it is about to
        # change to a file first: half of all writes of a round. After migrating, which may sort a whole archive.
        self.execute("pragma temp_store = memory")

    def _use_wal(self, timeout: float) -> None:
        """Once in the life of a file. SQLite does not wait for its lock here as it does elsewhere, and two programs
        that make the database together do meet (2 of 480 on a busy machine)."""
        until = time.monotonic() + timeout
        while True:
            try:
                self.raw.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                if "is locked" not in str(error) or time.monotonic() > until:
                    self._fail(error)
            time.sleep(0.05)

    def _applied(self) -> list[str]:
        if not self.value("select count(*) from sqlite_master where name = '_sqlite_migrations'"):
            return []
        return [
            row[0]
            for row in self.rows("select name from _sqlite_migrations where migration_set = 'aggregator'")
        ]

    def _unknown(self) -> list[str]:
        """Migrations that a newer version of this program has made."""
        return sorted(set(self._applied()) - set(schema.MIGRATION_NAMES))

    def _check_schema(self) -> None:
        """The package may be upgraded, and another process migrate the database, while this one runs: what it would
        write then, it no longer knows."""
        version = self.value("pragma schema_version")
        if version != self._schema:
            if self._unknown():
                raise UpgradedError(self.path)
            self._schema = version

    def _migrate(self) -> None:
        applied = self._applied()
        if unknown := self._unknown():
            raise StoreError(
                self.path,
                f"the database was made by a newer version ({', '.join(unknown)})",
                "upgrade this program: pip install --upgrade feed-aggregator",
            )
        if len(applied) == len(schema.MIGRATION_NAMES):
            return
        from sqlite_utils import Database

        # Two programs that start together take turns; the second finds nothing to do.
        with self.transaction():
            self.execute(f"pragma application_id = {schema.APPLICATION_ID}")
            schema.migrations().apply(Database(self.raw, execute_plugins=False))

    # ------------------------------------------------------------------------------------ reading

    def rows(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        try:
            with self._lock:
                return self.raw.execute(sql, params).fetchall()
        except sqlite3.DatabaseError as error:
            self._fail(error)

    def one(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        try:
            with self._lock:
                row: sqlite3.Row | None = self.raw.execute(sql, params).fetchone()
        except sqlite3.DatabaseError as error:
            self._fail(error)
        return row

    def value(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> Any:
        row = self.one(sql, params)
        return row[0] if row else None

    # ------------------------------------------------------------------------------------ writing

    def execute(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Cursor:
        try:
            with self._lock:
                return self.raw.execute(sql, params)
        except sqlite3.DatabaseError as error:
            self._fail(error)

    def executemany(self, sql: str, params: Iterable[Sequence[Any]]) -> None:
        try:
            with self._lock:
                self.raw.executemany(sql, params)
        except sqlite3.DatabaseError as error:
            self._fail(error)

    def insert(self, table: str, **values: Any) -> int:
        """Insert one row and return its id. Table and column names are ours, never input."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        return int(
            self.execute(f"insert into {table} ({names}) values ({marks})", tuple(values.values())).lastrowid
            or 0
        )

    def alone(self) -> AbstractContextManager[object]:
        """While in here, other threads wait; they go on as with a transaction of ours."""
        return self._lock

    @contextlib.contextmanager
    def large_statements(self) -> Iterator[None]:
        """For statements that change much of a large database at once: what would undo them is kept on the disk."""
        with self.alone():
            self.execute("pragma temp_store = file")
            try:
                yield
            finally:
                self.execute("pragma temp_store = memory")

    @property
    def in_transaction(self) -> bool:
        """Whether the calling thread is in one of our transactions."""
        return self._owner == threading.get_ident()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing: an exception that leaves the outermost block undoes the whole. Nested blocks join it.

        A nested one is nothing at all (a story is stored in five of them), and the outermost one is a generator, which
        Python closes, and which then rolls back, also when Ctrl-C strikes on the way into its `__exit__`.
        """
        return contextlib.nullcontext() if self.in_transaction else self._outermost()

    @contextlib.contextmanager
    def _outermost(self) -> Iterator[None]:
        with self._lock:
            try:
                self.execute("begin immediate")
                self.begun += 1
                self._owner = threading.get_ident()
                self._check_schema()
                yield
                self.before_commit()
                self.execute("commit")
            except BaseException as error:
                if self.raw.in_transaction:
                    self.raw.execute("rollback")
                if isinstance(error, sqlite3.DatabaseError):
                    self._fail(error)
                raise
            finally:
                self._owner = None

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            self._fail(error)

    def _fail(self, error: sqlite3.DatabaseError) -> NoReturn:
        """Raises the `StoreError` that tells a user what to do; the error itself where it is a bug of ours."""
        text = str(error).lower()
        if not isinstance(error, sqlite3.IntegrityError):
            for sign, problem, hint in _HINTS:
                if sign in text:
                    raise StoreError(self.path, problem, hint) from error
        raise error

    def close(self) -> None:
        self.raw.close()
