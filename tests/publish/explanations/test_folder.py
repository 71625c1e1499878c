# SPDX-License-Identifier: Apache-2.0
"""One file an alert, for its owner alone, deleted when its time is over or there is no more room."""

import errno
import os
import stat
from pathlib import Path

import pytest

from monitor.publish.explanations.folder import Folder
from monitor.publish.explanations.seal import Seal

HOUR_S = 3600.0


class Clock:
    """Seconds since the epoch that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> Folder:
    """Room for 1,000 bytes, for two hours."""
    return Folder(tmp_path / "state" / "pictures", 2 * HOUR_S, 1000, clock)


def names(folder: Folder) -> list[str]:
    """What lies in the folder."""
    return sorted(path.name for path in folder.path.iterdir())


def test_files_are_for_their_owner_alone(folder: Folder) -> None:
    """Folder 0700, files 0600, whatever the umask; nothing unfinished stays."""
    folder.write("a", b"sealed")
    assert names(folder) == ["a.sealed"]
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.path / "a.sealed").stat().st_mode) == 0o600
    folder.write("a", b"again")
    assert (folder.read("a"), names(folder)) == (b"again", ["a.sealed"])


def test_files_expire_to_the_second(folder: Folder, clock: Clock) -> None:
    """An expired file is not read even before it is deleted; writing again starts its time anew."""
    folder.write("a", b"1")
    clock.now_s += 1.9 * HOUR_S
    folder.write("b", b"2")
    clock.now_s += 0.1 * HOUR_S
    assert (folder.read("a"), folder.read("b")) == (None, b"2")
    assert folder.sweep().files == 1
    assert names(folder) == ["b.sealed"]
    clock.now_s += 2 * HOUR_S
    assert folder.sweep() == (0, 0, 0)
    assert names(folder) == []


def test_a_clock_that_was_wrong_keeps_nothing_for_ever(folder: Folder, clock: Clock) -> None:
    """A file from a future further away than the time it may stay is deleted."""
    clock.now_s += 100 * HOUR_S
    folder.write("a", b"1")
    clock.now_s -= 100 * HOUR_S
    assert folder.sweep().files == 0


def test_the_oldest_make_room(folder: Folder, clock: Clock) -> None:
    """A thousand alerts take no more than the room there is; the newest are there."""
    for index in range(1000):
        clock.now_s += 1.0
        folder.write(f"alert-{index}", bytes(100))
    assert folder.sweep() == (10, 1000, 0)
    assert folder.read("alert-999") is not None
    assert folder.read("alert-989") is None


def test_files_of_others_are_left_alone_and_counted(folder: Folder, tmp_path: Path, clock: Clock) -> None:
    """They are neither read nor deleted nor counted as room; links are not followed."""
    folder.write("a", b"1")
    (folder.path / "notes.txt").write_bytes(bytes(5000))
    (folder.path / "no id!.sealed").write_bytes(b"x")
    (tmp_path / "elsewhere").write_bytes(b"x")
    (folder.path / "link.sealed").symlink_to(tmp_path / "elsewhere")
    clock.now_s += 3 * HOUR_S
    assert folder.sweep() == (0, 0, 2)
    assert names(folder) == ["link.sealed", "no id!.sealed", "notes.txt"]


@pytest.mark.parametrize("alert", ["../a", "a/b", "", ".", "a\n", "x" * 65, "a.sealed", "\0"])
def test_an_id_that_is_none_reaches_no_file(folder: Folder, alert: str) -> None:
    """No path is made of it."""
    with pytest.raises(ValueError, match="is not an id"):
        folder.read(alert)
    with pytest.raises(ValueError, match="is not an id"):
        folder.write(alert, b"1")


def test_a_full_disk_leaves_the_file_before(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is told, and half a file is never seen."""
    folder.write("a", b"whole")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("monitor.publish.explanations.folder.os.utime", full)
    with pytest.raises(OSError, match="No space left"):
        folder.write("a", b"half")
    assert (folder.read("a"), names(folder)) == (b"whole", ["a.sealed"])


def test_what_a_crash_left_unfinished_is_swept_and_overwritten(folder: Folder) -> None:
    """A file that was never put in its place is not kept, and does not stand in the way."""
    folder.prepare()
    (folder.path / "a.part").write_bytes(b"half")
    folder.write("a", b"whole")
    (folder.path / "b.part").write_bytes(b"half")
    folder.sweep()
    assert names(folder) == ["a.sealed"]


def test_a_folder_that_is_not_there_is_empty(folder: Folder) -> None:
    """Nothing was kept yet, and looking makes nothing."""
    assert (folder.read("a"), folder.sweep()) == (None, (0, 0, 0))
    assert not folder.path.exists()


def test_files_of_another_key_are_counted(folder: Folder) -> None:
    """By their head, so that a start with many files is quick; damaged ones count too."""
    one, other = Seal(bytes(32)), Seal(bytes(range(32)))
    folder.write("a", one.close("a", b"1"))
    folder.write("b", other.close("b", b"2"))
    folder.write("c", b"junk")
    assert (folder.sealed_otherwise(one), folder.sealed_otherwise(other)) == (2, 2)
