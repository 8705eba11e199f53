"""Opening the two databases and writing to them.

`mamori.db` holds what must survive (incidents, outbox, audit, people): WAL, ``synchronous=FULL``.
`live.db` holds what must not (line states, live words): it lies in a memory folder and is emptied at every start.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlite_utils

from edge_agent.errors import StoreError, Text
from edge_agent.store.migrations import MAIN
from edge_agent.store.migrations_live import LIVE

BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another process's transaction before it gives up."""
TRY_AGAIN_S = 0.02
EMPTY_WAIT_MS = 50
"""How long it is waited for readers before the write-ahead log is emptied another time."""


class Database(sqlite_utils.Database):
    """A connection bound to the thread that opened it."""

    def __init__(self, file: Path) -> None:
        # isolation_level=None: transactions are begun by writing() alone.
        super().__init__(sqlite3.connect(file, timeout=BUSY_TIMEOUT_S, isolation_level=None))
        self.file = file

    def version(self) -> int:
        """Return a number that differs after another connection has committed."""
        return int(self.conn.execute("PRAGMA data_version").fetchone()[0])

    def put(self, table: str, row: Mapping[str, object], *, key: tuple[str, ...]) -> None:
        """Insert a row, or put it in place of the one with the same key columns.

        This is not left to sqlite-utils' `upsert`: it finds out whether SQLite knows ON CONFLICT by creating a table,
        and when a full disk refuses that, it silently writes nothing to tables with NOT NULL columns ever after.
        """
        columns = ", ".join(row)
        values = ", ".join(f":{column}" for column in row)
        changes = ", ".join(f"{column} = excluded.{column}" for column in row if column not in key)
        self.conn.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608 - names of our own tables and columns
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}",
            dict(row),
        )


def open_main(data: Path) -> Database:
    """Open (or create) what must survive; raise `StoreError` saying what keeps it from opening."""
    return _open(data, "mamori.db", "FULL", MAIN)


def open_live(run: Path) -> Database:
    """Open (or create) what is only for now; raise `StoreError` saying what keeps it from opening."""
    db = _open(run, "live.db", "OFF", LIVE)
    # What is forgotten is written over, not only let go.
    db.conn.execute("PRAGMA secure_delete=ON")
    return db


def empty_log(db: Database) -> bool:
    """Move the write-ahead log into the database and empty it: it holds what has been forgotten since.

    Return False if somebody is reading just now; then it has to be tried again.
    """
    with reading(db):
        # Whoever waits here keeps alerts waiting.
        db.conn.execute(f"PRAGMA busy_timeout={EMPTY_WAIT_MS}")
        busy, _, _ = db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        db.conn.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
    return not busy


def _open(folder: Path, name: str, synchronous: str, migrations: sqlite_utils.Migrations) -> Database:
    file = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        db = Database(file)
    except (OSError, sqlite3.Error) as error:
        raise _error(file, error) from error
    try:
        _write_ahead(db.conn)
        db.conn.execute(f"PRAGMA synchronous={synchronous}")
        with writing(db):
            migrations.apply(db)
    except (StoreError, sqlite3.Error) as error:
        db.close()
        raise error if isinstance(error, StoreError) else _error(file, error) from error
    return db


def _write_ahead(conn: sqlite3.Connection) -> None:
    """Turn to write-ahead logging, waiting for others as everything else does.

    While another process creates the same database SQLite refuses this at once, whatever the busy timeout, because both
    hold a lock that the other needs.
    """
    until = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            conn.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(TRY_AGAIN_S)
        else:
            return


@contextmanager
def writing(db: Database) -> Iterator[Database]:
    """Hold the write lock for one transaction; all of it is kept or nothing is.

    Raises:
        StoreError: if it cannot be written (disk full, read-only, damaged, locked for too long).
    """
    try:
        # Lock now: a deferred read-then-write fails at once if another process wrote in between.
        db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.conn.execute("COMMIT")
        except BaseException:
            if db.conn.in_transaction:
                db.conn.execute("ROLLBACK")
            raise
    except (OSError, sqlite3.Error) as error:
        raise _error(db.file, error) from error


@contextmanager
def reading(db: Database) -> Iterator[Database]:
    """Translate what keeps the database from being read into `StoreError`."""
    try:
        yield db
    except (OSError, sqlite3.Error) as error:
        raise _error(db.file, error) from error


def _error(file: Path, error: Exception) -> StoreError:
    reason = str(error)
    if "full" in reason or "No space" in reason:
        remedy = Text(
            "ディスクに空きがありません。空きを作ると自動で書き込みを再開します。確定済みの記録は失われていません。",
            "The disk is full. Make room and writing goes on by itself. What was committed is intact.",
        )
    else:
        remedy = Text(
            "フォルダーの所有者と空き容量を確認してください。続く場合はバックアップから復元してください。",
            "Check the folder's owner and free space. If it goes on, restore from a backup.",
        )
    return StoreError(
        Text(f"データベース {file} を使えません（{reason}）。", f"Database {file} cannot be used ({reason})."), remedy
    )
