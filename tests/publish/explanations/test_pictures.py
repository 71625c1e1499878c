# SPDX-License-Identifier: Apache-2.0
"""Pictures are written and expire in a task of their own, and a broken disk costs pictures alone."""

import asyncio
import base64
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.config import EvidenceSettings, PathsSettings, Settings
from monitor.errors import CapacityError, PicturesError, PicturesKeyError
from monitor.publish.builder import EventBuilder
from monitor.publish.explanations.album import Album, open_album
from monitor.publish.explanations.explanation import explain
from monitor.publish.explanations.folder import Folder
from monitor.publish.explanations.pictures import MOST_WAITING, Pictures
from monitor.publish.explanations.seal import Seal
from tests.fakes.brokers import until
from tests.fakes.looks import worst_look
from tests.publish.conftest import IDENTITY, clock, make_alert

SEAL = Seal(bytes(range(32)))


def explained(alert: str = "alert-1", *, level: int | None = 90):
    """An explanation and the one look it rests on."""
    looks = (worst_look(level=level),)
    data = EventBuilder(IDENTITY, lambda: "id", clock).alert(make_alert(alert=alert)).data
    return explain(data, looks), looks


def album(path: Path, seal: Seal | None = SEAL, now: Callable[[], float] = lambda: 1.8e9) -> Album:
    """An album that keeps a mebibyte for an hour."""
    return Album(Folder(path / "pictures", 3600.0, 1 << 20, now), seal)


async def test_what_is_put_can_be_read_and_is_sealed(tmp_path: Path) -> None:
    """The explanation comes back whole; no byte of the crop's PNG lies open on the disk."""
    async with Pictures(album(tmp_path)) as pictures:
        pictures.put(*explained())
        await until(lambda: pictures.counts.written == 1)
        kept = await pictures.read("alert-1")
        assert kept is not None
        assert kept.explanation == explained()[0]
        assert kept.crops[0].startswith(b"\x89PNG")
        assert await pictures.read("alert-2") is None
        await until(lambda: pictures.counts.files == 1)
    (file,) = (tmp_path / "pictures").iterdir()
    assert b"PNG" not in file.read_bytes()
    assert b"call-1" not in file.read_bytes()


async def test_what_waits_at_the_end_is_written_first(tmp_path: Path) -> None:
    """Leaving loses nothing; the newest word on an alert is the one that is kept."""
    async with Pictures(album(tmp_path)) as pictures:
        for level in (10, 200):
            pictures.put(*explained(level=level))
        pictures.put(*explained("alert-2"))
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["alert-1.sealed", "alert-2.sealed"]
    assert pictures.counts[:3] == (0, 2, 0)


async def test_off_nothing_is_written_and_what_was_kept_expires(tmp_path: Path) -> None:
    """Turning pictures off keeps no more, and deletes on time what there is."""
    now = [1.8e9]
    before = album(tmp_path, now=lambda: now[0])
    before.write(*explained())
    async with Pictures(album(tmp_path, None, lambda: now[0]), sweep_s=0.01) as pictures:
        pictures.put(*explained("alert-2"))
        assert not pictures.on
        assert await pictures.read("alert-1") is None
        await until(lambda: pictures.counts.files == 1)
        now[0] += 3600.0
        await until(lambda: not list((tmp_path / "pictures").iterdir()))
    assert pictures.counts.written == 0


async def test_looks_without_a_crop_are_not_kept(tmp_path: Path) -> None:
    """There is no picture to keep."""
    async with Pictures(album(tmp_path)) as pictures:
        pictures.put(*explained(level=None))
    assert list((tmp_path / "pictures").iterdir()) == []


async def test_a_full_disk_costs_pictures_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted and said once; when there is room again the next ones are written."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with capture_logs() as said:
        async with Pictures(album(tmp_path)) as pictures:
            with monkeypatch.context() as patch:
                patch.setattr("monitor.publish.explanations.folder.os.utime", full)
                for index in range(5):
                    pictures.put(*explained(f"alert-{index}"))
                await until(lambda: pictures.counts.lost == 5)
            pictures.put(*explained("alert-9"))
            await until(lambda: pictures.counts.written == 1)
    assert [line["event"] for line in said] == ["picture_lost"]


async def test_a_disk_that_hangs_holds_nobody(tmp_path: Path) -> None:
    """What waits is bounded, the oldest goes; whoever reads is told, and putting takes no time."""
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Hanging(Album):
        def write(self, *_: object) -> None:
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    plain = album(tmp_path)
    with capture_logs():
        async with Pictures(Hanging(plain.folder, SEAL), answer_s=0.02) as pictures:
            for index in range(MOST_WAITING + 10):
                pictures.put(*explained(f"alert-{index}"))
                await asyncio.sleep(0)
            with pytest.raises(CapacityError):
                await pictures.read("alert-1")
            assert pictures.counts.waiting == MOST_WAITING
            assert pictures.counts.lost >= 9
            release.set()


async def test_another_key_is_said_at_the_start_and_to_who_asks(tmp_path: Path) -> None:
    """The service starts all the same: keys are changed for good reasons, and old pictures expire."""
    async with Pictures(album(tmp_path)) as pictures:
        pictures.put(*explained())
    with capture_logs() as said:
        async with Pictures(album(tmp_path, Seal(bytes(32)))) as changed:
            with pytest.raises(PicturesKeyError, match="cannot be opened with this key"):
                await changed.read("alert-1")
            changed.put(*explained("alert-2"))
    assert [(line["event"], line["code"]) for line in said] == [("pictures_unread", "pictures_key")]
    assert changed.counts.written == 1


async def test_a_damaged_file_is_skipped_and_counted(tmp_path: Path) -> None:
    """It is as if it were not there."""
    async with Pictures(album(tmp_path)) as pictures:
        pictures.put(*explained())
        await until(lambda: pictures.counts.written == 1)
        file = tmp_path / "pictures" / "alert-1.sealed"
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        os.utime(file, (1.8e9, 1.8e9))
        assert await pictures.read("alert-1") is None
        assert pictures.counts.unreadable == 1


async def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    """The error says where and which setting; with pictures off it is no matter."""
    (tmp_path / "pictures").write_bytes(b"a file, not a folder")
    with pytest.raises(PicturesError, match="cannot be written") as caught:
        async with Pictures(album(tmp_path)):
            pass
    assert "evidence.folder" in caught.value.advice
    async with Pictures(album(tmp_path, None)):
        pass


def test_the_settings_say_where_and_with_which_key(tmp_path: Path) -> None:
    """Off without being asked for, also where a key is set."""
    key = base64.b64encode(bytes(32)).decode()
    paths = PathsSettings(state=tmp_path)
    assert not open_album(Settings(paths=paths, evidence=EvidenceSettings(key=key))).on
    opened = open_album(Settings(paths=paths, evidence=EvidenceSettings(pictures=True, key=key)))
    assert (opened.on, opened.folder.path) == (True, tmp_path / "pictures-lifesign")
