# SPDX-License-Identifier: Apache-2.0
"""Alerts survive the disk, the process and the broker."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import OutboxError, StartError
from monitor.publish import outbox as outbox_module
from monitor.publish.letter import Letter
from monitor.publish.outbox import Outbox
from monitor.publish.store import Store, connect_file
from tests.fakes.brokers import until


def letter(n: int, topic: str = "t") -> Letter:
    """A numbered letter."""
    return Letter(topic, b"%d" % n, expiry_s=60)


async def payloads(outbox: Outbox, without: tuple[str, ...] = ()) -> list[int]:
    """The numbers of what waits."""
    return [int(entry.letter.payload) for entry in await outbox.oldest(100_000, without)]


class Disk:
    """A connection factory whose disk can be full: inserts and deletes fail as SQLite fails then."""

    def __init__(self) -> None:
        self.full = False

    def connect(self, path: Path) -> sqlite3.Connection:
        """Open as always; a trace refuses writes while full."""
        self._refuse()
        return connect_file(path, factory=lambda *a, **k: _Connection(self, *a, **k))

    def check(self, statement: str) -> None:
        """Refuse a write while the disk is full."""
        if statement.lstrip().startswith(("INSERT", "DELETE")):
            self._refuse()

    def _refuse(self) -> None:
        if self.full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error


class _Connection(sqlite3.Connection):
    def __init__(self, disk: Disk, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._disk = disk

    def execute(self, statement: str, *args: object) -> sqlite3.Cursor:
        self._disk.check(statement)
        return super().execute(statement, *args)


async def test_order_bound_and_age(tmp_path: Path) -> None:
    """Letters wait in order; one too many is an OutboxError that says what to do and leaves the others alone."""
    outbox = Outbox(Store(tmp_path / "o"), max_rows=3, clock=iter(range(1000, 2000)).__next__)
    await outbox.open()
    for n in range(3):
        await outbox.add(letter(n))
    with pytest.raises(OutboxError, match="outbox_max_rows"):
        await outbox.add(letter(3))
    assert await payloads(outbox) == [0, 1, 2]
    assert outbox.state.rows == 3
    assert outbox.state.oldest_s is not None
    await outbox.delete((await outbox.oldest(2))[:2])
    await outbox.add(letter(4))
    assert await payloads(outbox) == [2, 4]
    await outbox.close()


async def test_held_topics_do_not_block_others(tmp_path: Path) -> None:
    """Letters of other topics are found behind any number of held ones."""
    outbox = Outbox(Store(tmp_path / "o"), max_rows=1000)
    await outbox.open()
    for n in range(100):
        await outbox.add(letter(n, "held"))
    await outbox.add(letter(100, "free"))
    assert await payloads(outbox, ("held",)) == [100]
    await outbox.close()


async def test_full_disk_keeps_alerts_in_memory_and_recovers(tmp_path: Path) -> None:
    """While the disk is full alerts wait in memory, in order, with the reason told; then they move to the disk."""
    disk = Disk()
    outbox = Outbox(Store(tmp_path / "o", disk.connect), max_rows=100)
    await outbox.open()
    await outbox.add(letter(0))
    disk.full = True
    for n in range(1, 4):
        await outbox.add(letter(n))
    assert outbox.state.trouble == "database or disk is full"
    assert (outbox.state.rows, outbox.state.spilled) == (4, 3)
    assert await payloads(outbox) == [0, 1, 2, 3]
    disk.full = False
    await outbox.add(letter(4))
    assert outbox.state.trouble is None
    assert outbox.state.spilled == 0
    await outbox.close()
    again = Outbox(Store(tmp_path / "o"), max_rows=100)
    await again.open()
    assert await payloads(again) == [0, 1, 2, 3, 4]
    await again.close()


async def test_full_disk_does_not_deliver_twice(tmp_path: Path) -> None:
    """Rows that were accepted but cannot be deleted yet are not offered again, and go when space returns."""
    disk = Disk()
    outbox = Outbox(Store(tmp_path / "o", disk.connect), max_rows=100)
    await outbox.open()
    for n in range(3):
        await outbox.add(letter(n))
    disk.full = True
    await outbox.delete(await outbox.oldest(2))
    assert await payloads(outbox) == [2]
    assert outbox.state.rows == 1
    disk.full = False
    await outbox.delete(await outbox.oldest(1))
    assert outbox.state.rows == 0
    await outbox.close()
    store = Store(tmp_path / "o")
    assert store.count() == 0
    store.close()


async def test_tend_recovers_without_a_new_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Space that returns is noticed by itself, so that readiness does not wait for the next alert."""
    monkeypatch.setattr(outbox_module, "_RETRY_S", 0.02)
    disk = Disk()
    disk.full = True
    outbox = Outbox(Store(tmp_path / "o", disk.connect), max_rows=100)
    await outbox.open()
    tending = asyncio.create_task(outbox.tend())
    await outbox.add(letter(1))
    await asyncio.sleep(0.1)
    assert outbox.state.spilled == 1
    disk.full = False
    await until(lambda: outbox.state.trouble is None)
    assert outbox.state.spilled == 0
    assert await payloads(outbox) == [1]
    tending.cancel()
    await asyncio.gather(tending, return_exceptions=True)
    await outbox.close()


async def test_memory_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that stays full ends in an OutboxError, not in endless memory."""
    monkeypatch.setattr(outbox_module, "_MAX_SPILLED", 5)
    disk = Disk()
    disk.full = True
    outbox = Outbox(Store(tmp_path / "o", disk.connect), max_rows=100)
    await outbox.open()
    for n in range(5):
        await outbox.add(letter(n))
    with pytest.raises(OutboxError, match="Free space"):
        await outbox.add(letter(5))
    await outbox.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root and CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    """Leave no room in a file system; deleting the returned file gives it back."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)
    return filler


async def test_truly_full_disk(tiny_disk: Path) -> None:
    """On a real full file system no alert is lost, and deleting the filler brings the outbox back to the disk."""
    outbox = Outbox(Store(tiny_disk / "o"), max_rows=1000)
    await outbox.open()
    await outbox.add(Letter("t", b"0" * 2000))
    filler = _fill(tiny_disk)
    for _ in range(40):
        await outbox.add(Letter("t", b"0" * 2000))
    assert outbox.state.spilled > 0
    assert outbox.state.trouble is not None
    assert "full" in outbox.state.trouble
    filler.unlink()
    await outbox.add(Letter("t", b"0" * 2000))
    assert (outbox.state.rows, outbox.state.spilled, outbox.state.trouble) == (42, 0, None)
    await outbox.close()


async def test_damaged_file_is_replaced_loudly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A damaged outbox is moved aside with an error in the log, and the service starts with a new one."""
    (tmp_path / "o").write_bytes(b"garbage" * 1000)
    outbox = Outbox(Store(tmp_path / "o"), max_rows=10)
    await outbox.open()
    await outbox.add(letter(1))
    assert await payloads(outbox) == [1]
    assert outbox.state.trouble is None
    await outbox.close()
    assert "outbox_damaged" in "".join(capsys.readouterr())
    assert any("damaged" in name for name in os.listdir(tmp_path))  # noqa: PTH208 - a name is all it needs


async def test_outbox_in_use_stops_the_start(tmp_path: Path) -> None:
    """A second process on the same file is told to use its own."""
    first, second = Outbox(Store(tmp_path / "o"), 10), Outbox(Store(tmp_path / "o"), 10)
    await first.open()
    with pytest.raises(StartError, match=r"mqtt\.outbox"):
        await second.open()
    await second.close()
    await first.close()


async def test_unreachable_folder_stops_the_start(tmp_path: Path) -> None:
    """A path below a file cannot hold an outbox."""
    (tmp_path / "file").write_text("x")
    outbox = Outbox(Store(tmp_path / "file" / "o"), 10)
    with pytest.raises(StartError, match="may write"):
        await outbox.open()
    await outbox.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from monitor.publish.letter import Letter
from monitor.publish.outbox import Outbox
from monitor.publish.store import Store

async def main():
    outbox = Outbox(Store(Path(sys.argv[1])), 100_000)
    await outbox.open()
    n = 0
    while True:
        await outbox.add(Letter("t", b"%d" % n))
        print(n, flush=True)
        n += 1

asyncio.run(main())
"""


def _killed_writer(path: Path) -> int:
    """Let a process write until it is killed; returns the last number it was told is safe."""
    arguments = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    return int([line for line in told if line.endswith(b"\n")][-1])


async def test_alerts_survive_sigkill(tmp_path: Path) -> None:
    """Everything `add` returned for is there after the process was killed, in order."""
    last = await asyncio.to_thread(_killed_writer, tmp_path / "o")
    outbox = Outbox(Store(tmp_path / "o"), 100_000)
    await outbox.open()
    kept = await payloads(outbox)
    assert kept == list(range(len(kept)))
    assert len(kept) > last >= 49
    await outbox.close()
