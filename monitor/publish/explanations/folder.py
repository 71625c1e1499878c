# SPDX-License-Identifier: Apache-2.0
"""Sealed bytes of alerts in, one file each out, until they expire; blocking, for one thread."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from monitor.config import ID_PATTERN
from monitor.publish.explanations.seal import HEAD_BYTES, DamagedError, OtherKeyError, Seal

__all__ = ["Folder", "Survey"]

ENDING: Final = ".sealed"
UNFINISHED: Final = ".part"
LARGEST_BYTES: Final = 16 << 20
"""Three crops take about 0.2 MiB; a larger file was not written here."""


class Survey(NamedTuple):
    """What lies in the folder: `files` of ours with their `bytes`, `foreign` ones that are left alone."""

    files: int
    bytes: int
    foreign: int


class _File(NamedTuple):
    path: Path
    written_s: float
    bytes: int


class Folder:
    """One file per alert, for its owner alone; its time stamp says when it was written.

    `now` is seconds since the epoch. Every method but `read` and `damaged` may raise OSError.
    """

    def __init__(self, path: Path, keep_s: float, most_bytes: int, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self._keep_s = keep_s
        self._most_bytes = most_bytes
        self._now = now

    def prepare(self) -> None:
        """Make the folder, and see that it can be written."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = self.path / f"probe{UNFINISHED}"
        _write(probe, b"lifesign")
        probe.unlink(missing_ok=True)

    def write(self, alert: str, sealed: bytes) -> None:
        """Put the alert's file in place of the one before, whole or not at all, then make room for it."""
        target = self._file(alert)
        unfinished = target.with_suffix(UNFINISHED)
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            _write(unfinished, sealed)
            os.utime(unfinished, (self._now(), self._now()))
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        self.sweep()

    def read(self, alert: str) -> bytes | None:
        """The alert's file; None when there is none, none any more, or none that can be read."""
        file = self._file(alert)
        with contextlib.suppress(OSError):
            status = file.lstat()
            if self._now() - status.st_mtime < self._keep_s and status.st_size <= LARGEST_BYTES:
                return file.read_bytes()
        return None

    def sweep(self) -> Survey:
        """Delete what has expired, what was left unfinished, and the oldest beyond the room there is."""
        files, foreign = self._ours()
        left = [file for file in files if not self._expired(file)]
        size = sum(file.bytes for file in left)
        while size > self._most_bytes:
            size -= left.pop(0).bytes
        kept = {file.path for file in left}
        for file in files:
            if file.path not in kept:
                file.path.unlink(missing_ok=True)
        return Survey(len(left), size, foreign)

    def sealed_otherwise(self, seal: Seal) -> int:
        """Files of ours that were sealed with another key, or not at all."""
        return sum(not _opens(seal, file.path) for file in self._ours()[0] if file.path.suffix == ENDING)

    def _expired(self, file: _File) -> bool:
        """Whether its time is over, or lies ahead: then the clock was wrong when it was written or is now."""
        return abs(self._now() - file.written_s) >= self._keep_s or file.path.suffix == UNFINISHED

    def _ours(self) -> tuple[list[_File], int]:
        """Files written here, oldest first, and how many others there are."""
        found = list(_files(self.path))
        ours = [file for file in found if _is_ours(file.path)]
        return sorted(ours, key=lambda file: (file.written_s, file.path)), len(found) - len(ours)

    def _file(self, alert: str) -> Path:
        if not re.match(ID_PATTERN, alert):
            raise ValueError(f"{alert[:80]!r} is not an id")
        return self.path / (alert + ENDING)


def _files(folder: Path) -> Iterator[_File]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield _File(Path(entry.path), status.st_mtime, status.st_size)


def _is_ours(path: Path) -> bool:
    return path.suffix in {ENDING, UNFINISHED} and re.match(ID_PATTERN, path.stem) is not None


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)


def _opens(seal: Seal, path: Path) -> bool:
    try:
        with path.open("rb") as file:
            seal.check(file.read(HEAD_BYTES))
    except (OtherKeyError, DamagedError, OSError):
        return False
    return True
