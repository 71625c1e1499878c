# SPDX-License-Identifier: Apache-2.0
"""Letters in, rows of one SQLite file out; blocking, for one thread."""

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitor.publish.letter import Letter

__all__ = ["Entry", "Store", "connect_file"]

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    expiry_s INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY CHECK (id = 1), at_s REAL NOT NULL) STRICT;
"""
_BROKEN: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, slots=True)
class Entry:
    """A letter that waits since `at_s` (seconds since the epoch); ids grow in the order of writing."""

    id: int
    at_s: float
    letter: Letter


def connect_file(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """Open a SQLite file that only its owner may read, for one process alone.

    WAL with synchronous FULL: every alert is on the disk before `add` returns, power loss included
    (NORMAL may lose the last commits); docs/decisions has the cost.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise _as_sqlite(error) from error
    connection = sqlite3.connect(path, timeout=0.5, isolation_level=None, factory=factory)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _as_sqlite(error: OSError) -> sqlite3.OperationalError:
    """The error SQLite itself would have raised."""
    failure = sqlite3.OperationalError(str(error))
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    failure.sqlite_errorcode = sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_CANTOPEN
    return failure


class Store:
    """The file; opened at first use, opened again after an error. Every method may raise sqlite3.Error.

    A file that is no database, or a damaged one, is moved aside (`moved` names where) and a new one is begun.
    """

    def __init__(self, path: Path, connect: Callable[[Path], sqlite3.Connection] = connect_file) -> None:
        self.path = path
        self.moved: Path | None = None
        self._connect = connect
        self._open: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The open connection; a damaged file is moved aside before the error passes on."""
        try:
            if self._open is None:
                self._open = self._prepare()
            yield self._open
        except sqlite3.DatabaseError as error:
            if _primary(error) in _BROKEN:
                self._move_aside()
            raise

    def _prepare(self) -> sqlite3.Connection:
        connection = self._connect(self.path)
        try:
            self._check(connection)
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @staticmethod
    def _check(connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise sqlite3.NotSupportedError(f"written by a newer version (format {version})")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            error = sqlite3.DatabaseError(verdict)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error

    def _move_aside(self) -> None:
        self.close()
        with contextlib.suppress(OSError):
            self.moved = self._rename_all()

    def _rename_all(self) -> Path:
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        return aside

    def add(self, letter: Letter, at_s: float) -> None:
        """Write one letter; it is on the disk when this returns."""
        row = (at_s, letter.topic, letter.payload, letter.expiry_s)
        with self._database() as database:
            database.execute("INSERT INTO letters (at_s, topic, payload, expiry_s) VALUES (?, ?, ?, ?)", row)

    def oldest(self, limit: int, without: Collection[str]) -> list[Entry]:
        """The oldest letters whose topics are not in `without`."""
        marks = ",".join("?" * len(without))
        query = (
            f"SELECT id, at_s, topic, payload, expiry_s FROM letters WHERE topic NOT IN ({marks}) ORDER BY id LIMIT ?"  # noqa: S608 - marks only
        )
        with self._database() as database:
            rows = database.execute(query, (*without, limit)).fetchall()
        return [Entry(row[0], row[1], Letter(row[2], row[3], expiry_s=row[4])) for row in rows]

    def delete(self, ids: Collection[int]) -> None:
        """Delete these rows in one transaction."""
        marks = ",".join("?" * len(ids))
        with self._database() as database:
            database.execute(f"DELETE FROM letters WHERE id IN ({marks})", tuple(ids))  # noqa: S608 - marks only

    def count(self) -> int:
        """Rows in the file."""
        with self._database() as database:
            (rows,) = database.execute("SELECT COUNT(*) FROM letters").fetchone()
        return int(rows)

    def probe(self, at_s: float) -> None:
        """Write something small: raises when the disk is still full."""
        with self._database() as database:
            database.execute(
                "INSERT INTO probe VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at_s = excluded.at_s", (at_s,)
            )

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        connection, self._open = self._open, None
        if connection is not None:
            connection.close()


def _primary(error: sqlite3.Error) -> int | None:
    """The primary result code: extended codes carry it in the low byte."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
