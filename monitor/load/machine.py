# SPDX-License-Identifier: Apache-2.0
"""Affinity and control groups of this process in, how many cores it may use out (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["cores", "quota"]

GROUPS: Final = Path("/proc/self/cgroup")
MOUNT: Final = Path("/sys/fs/cgroup")


def cores(groups: Path = GROUPS, mount: Path = MOUNT) -> float:
    """Cores this process may use: those of its affinity, fewer when a control group allows less time."""
    allowed = float(len(os.sched_getaffinity(0)))
    limit = quota(groups, mount)
    return allowed if limit is None else min(allowed, limit)


def quota(groups: Path, mount: Path) -> float | None:
    """The smallest quota of the process's control group and of those above it, in cores; None without one.

    A container sees its own group as the root, though its path may be told as the host names it: all ancestors count.
    """
    return min((limit for folder in _folders(groups, mount) if (limit := _limit(folder)) is not None), default=None)


def _folders(groups: Path, mount: Path) -> Iterator[Path]:
    for line in _text(groups).splitlines():
        _, controllers, path = line.split(":", 2)
        names = ("", "unified") if not controllers else ("cpu", controllers) if "cpu" in controllers.split(",") else ()
        inside = Path(path.strip("/"))
        for name in names:
            yield from (mount / name / above for above in (inside, *inside.parents))


def _limit(folder: Path) -> float | None:
    """Cores of one group: `cpu.max` of version 2, or the two files of version 1."""
    words = _text(folder / "cpu.max").split()
    if not words:
        words = [*_text(folder / "cpu.cfs_quota_us").split(), *_text(folder / "cpu.cfs_period_us").split()]
    try:
        allowed, period = map(int, words)
    except ValueError:  # no such file, or "max"
        return None
    return allowed / period if allowed > 0 and period > 0 else None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
