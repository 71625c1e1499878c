# SPDX-License-Identifier: Apache-2.0
"""The running process in; CPU time by stage, memory, counts and event loop lag at a moment out (Linux /proc)."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["BROKER", "FPS", "STAGES", "Counts", "Mark", "Probe", "attribute", "by_kind", "percentile"]

FPS: Final = 30
"""Frames that each caller sends in a second."""

THREADS: Final = (
    ("MainThread", "network and loop"),
    ("video-decoder", "decode"),
    ("capture", "decode"),
    ("faces", "faces"),
    ("ThreadPoolExecutor", "faces"),
    ("torch", "liveness"),
)
"""Beginnings of thread names, by aiortc and by Lifesign; MediaPipe's Python layer leaves its pool the default one."""

NATIVE: Final = "faces (native)"
"""Threads that Python did not make: those of MediaPipe and its XNNPACK pool."""

CUES: Final = "liveness (cues)"
BROKER: Final = "broker"
OTHER: Final = "other"
STAGES: Final = ("network and loop", "decode", "convert", "faces", NATIVE, "liveness", CUES, BROKER, OTHER)
LOOK_EVERY_S: Final = 0.05
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Counts:
    """Frames since the start; `converted_s` is CPU time of conversions inside the event loop's thread, `cues_s` that of
    the cues inside the network's.
    """

    received: int
    looked: int
    judged: int
    converted_s: float = 0.0
    cues_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment of a program: `cpu_s` by stage and counts since its start, loop lag since the mark before.

    `processes_s` is the processor time of its processes beside the first one, by what they are.
    """

    at_s: float
    cpu_s: Mapping[str, float]
    resident_bytes: int
    received: int
    looked: int
    judged: int
    loop_lag_p99_s: float
    processes_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Probe:
    """Looks at this process; `run` measures how late the event loop wakes up, 20 times a second.

    `kinds` are the ids of the program's other processes and what they are; any further child is the broker.
    """

    counts: Callable[[], Counts]
    kinds: Callable[[], Mapping[int, str]] = dict
    _late_s: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due_s = time.monotonic() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            self._late_s.append(max(0.0, time.monotonic() - due_s))

    def mark(self) -> Mark:
        """What has been used and done so far."""
        counts, kinds = self.counts(), self.kinds()
        children = {_process(stat): stat for stat in _children(os.getpid(), _process_stats())}
        brokers = [stat for process, stat in children.items() if process not in kinds]
        cpu_s = attribute(_thread_stats(), _thread_names(), brokers)
        cpu_s["network and loop"] -= counts.converted_s
        cpu_s["convert"] += counts.converted_s
        cpu_s["liveness"] -= counts.cues_s
        cpu_s[CUES] += counts.cues_s
        late_s, self._late_s = self._late_s, []
        lag_s = percentile(late_s, 0.99) if late_s else 0.0
        resident_bytes = sum(map(_resident, (os.getpid(), *kinds)))
        seen = (counts.received, counts.looked, counts.judged)
        return Mark(time.monotonic(), cpu_s, resident_bytes, *seen, lag_s, by_kind(children, kinds))


def attribute(threads: Mapping[int, str], names: Mapping[int, str], children: Iterable[str] = ()) -> dict[str, float]:
    """CPU seconds by stage of the lines /proc/self/task/*/stat by thread id, and of the stat lines of child processes.

    `names` holds the names of the threads that Python knows; a thread without one is native.
    """
    spent = dict.fromkeys(STAGES, 0.0)
    for thread, stat in threads.items():
        spent[_stage(names.get(thread))] += _cpu_s(stat)
    spent[BROKER] += sum(_cpu_s(stat) for stat in children)
    return spent


def by_kind(stats: Mapping[int, str], kinds: Mapping[int, str]) -> dict[str, float]:
    """CPU seconds of the processes in `kinds`, by what they are, from the stat line of each process."""
    spent = dict.fromkeys(kinds.values(), 0.0)
    for process, kind in kinds.items():
        spent[kind] += _cpu_s(stats[process])
    return spent


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed; raises ValueError for no values."""
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _stage(name: str | None) -> str:
    if name is None:
        return NATIVE
    return next((stage for start, stage in THREADS if name.startswith(start)), OTHER)


def _fields(stat: str) -> list[str]:
    """The fields after the name, which may itself hold spaces and brackets; the first is the state (proc(5))."""
    return stat[stat.rindex(")") + 1 :].split()


def _cpu_s(stat: str) -> float:
    user, system = _fields(stat)[11:13]
    return (int(user) + int(system)) / TICKS_PER_S


def _process(stat: str) -> int:
    return int(stat.split(" ", 1)[0])


def _children(parent: int, stats: Iterable[str]) -> list[str]:
    return [stat for stat in stats if int(_fields(stat)[1]) == parent]


def _thread_names() -> dict[int, str]:
    return {thread.native_id: thread.name for thread in threading.enumerate() if thread.native_id is not None}


def _thread_stats() -> dict[int, str]:
    stats = (_read(folder) for folder in Path("/proc/self/task").iterdir())
    return {_process(stat): stat for stat in stats if stat}


def _process_stats() -> list[str]:
    return [stat for stat in (_read(folder) for folder in Path("/proc").glob("[0-9]*")) if stat]


def _read(folder: Path) -> str:
    """A thread or process may end between the listing and the reading."""
    try:
        return (folder / "stat").read_text(errors="replace")
    except OSError:
        return ""


def _resident(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
