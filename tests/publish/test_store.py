# SPDX-License-Identifier: Apache-2.0
"""The outbox file: order, ownership, damage, one process alone."""

import sqlite3
import stat
from pathlib import Path

import pytest

from monitor.publish.letter import Letter
from monitor.publish.store import Store, connect_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder that does not exist yet."""
    return tmp_path / "state" / "outbox.sqlite3"


def letter(n: int, topic: str = "t") -> Letter:
    """A numbered letter."""
    return Letter(topic, b"%d" % n, expiry_s=60)


def test_rows_come_back_in_order_after_reopening(path: Path) -> None:
    """What was written is there after a new start, oldest first, and ids are never used again."""
    store = Store(path)
    for n in range(5):
        store.add(letter(n), float(n))
    store.close()
    store = Store(path)
    entries = store.oldest(3, ())
    assert [entry.letter for entry in entries] == [letter(0), letter(1), letter(2)]
    assert store.count() == 5
    store.delete([entry.id for entry in store.oldest(5, ())])
    store.add(letter(9), 9.0)
    assert store.oldest(1, ())[0].id > max(entry.id for entry in entries)
    store.close()


def test_topics_on_hold_are_left_out(path: Path) -> None:
    """A refused topic does not fill the window."""
    store = Store(path)
    for n in range(4):
        store.add(letter(n, "held" if n % 2 else "free"), 0.0)
    assert [entry.letter.topic for entry in store.oldest(10, ["held"])] == ["free", "free"]
    store.close()


def test_only_the_owner_may_read(path: Path) -> None:
    """The file and its companions are 0600, its folder 0700: alerts name people's calls."""
    store = Store(path)
    store.add(letter(1), 0.0)
    for part in path.parent.iterdir():
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_every_commit_reaches_the_disk(path: Path) -> None:
    """The connection is WAL with synchronous FULL."""
    connection = connect_file(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


def test_one_process_alone(path: Path) -> None:
    """A second user of the same file is locked out rather than sending everything twice."""
    store, other = Store(path), Store(path)
    store.add(letter(1), 0.0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.count()
    store.close()
    assert other.count() == 1
    other.close()


@pytest.mark.parametrize("content", [b"this is no database " * 100, b"SQLite format 3\x00" + b"\x07" * 5000])
def test_a_foreign_file_is_moved_aside(path: Path, content: bytes) -> None:
    """A file that is no database is kept under another name, and the next use begins a new one."""
    path.parent.mkdir()
    path.write_bytes(content)
    store = Store(path)
    with pytest.raises(sqlite3.DatabaseError):
        store.count()
    assert store.moved is not None
    assert store.moved.read_bytes() == content
    assert store.count() == 0
    store.close()


def test_damage_inside_is_found_at_the_start(path: Path) -> None:
    """A database with overwritten pages is moved aside instead of failing later."""
    store = Store(path)
    for n in range(500):
        store.add(Letter("t", b"x" * 500), float(n))
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:40960] = b"\x55" * (40960 - 8192)
    path.write_bytes(content)
    store = Store(path)
    with pytest.raises(sqlite3.DatabaseError):
        store.count()
    assert store.moved is not None
    assert store.count() == 0
    store.close()


def test_a_newer_format_is_left_alone(path: Path) -> None:
    """A file of a later version is neither read nor moved."""
    store = Store(path)
    store.add(letter(1), 0.0)
    store.close()
    connection = connect_file(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(sqlite3.NotSupportedError, match="newer"):
        Store(path).count()
    assert [part.name for part in path.parent.iterdir()] == ["outbox.sqlite3"]
