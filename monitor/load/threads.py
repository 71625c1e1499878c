# SPDX-License-Identifier: Apache-2.0
"""The threads of this process in, processor time by stage out (Linux)."""

import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

__all__ = ["ThreadClock", "Work", "thread_s"]


class Work(StrEnum):
    """What a thread works at; native are the threads that Python did not make, MediaPipe's above all."""

    LOOP = "loop"
    DECODE = "decode"
    FACES = "faces"
    LIVENESS = "liveness"
    NATIVE = "native"
    OTHER = "other"


NAMES: Final = (
    ("MainThread", Work.LOOP),
    ("video-decoder", Work.DECODE),
    ("capture", Work.DECODE),
    ("faces", Work.FACES),
    ("ThreadPoolExecutor", Work.FACES),
    ("torch", Work.LIVENESS),
)
"""Beginnings of thread names; MediaPipe's Python layer leaves its pool the default one."""

CLOCK_BITS: Final = 0b110
"""A thread's clock, as the kernel numbers clocks: the thread's complement above these bits (CPUCLOCK_PERTHREAD)."""


def thread_s(thread: int) -> float:
    """Processor time of a thread of this process by its native id, 0 for one that has ended."""
    try:
        return time.clock_gettime(~thread << 3 | CLOCK_BITS)
    except OSError:
        return 0.0


def _alive() -> dict[int, str]:
    return {thread.native_id: thread.name for thread in threading.enumerate() if thread.native_id is not None}


class ThreadClock:
    """Adds up processor time by what threads work at, also that of threads that end between two readings.

    `alive` names the threads that Python made by native id, `spent` is the processor time of one of them, `total` that
    of the process; seconds.
    """

    def __init__(
        self,
        alive: Callable[[], Mapping[int, str]] = _alive,
        spent: Callable[[int], float] = thread_s,
        total: Callable[[], float] = time.process_time,
    ) -> None:
        self._alive = alive
        self._spent = spent
        self._total = total
        self._threads_s: dict[int, float] = {}
        self._total_s = 0.0
        self._sums = dict.fromkeys(Work, 0.0)

    def read(self) -> dict[Work, float]:
        """Seconds by work since the process began; never fewer than at the reading before."""
        names = self._alive()
        now_s = {thread: self._spent(thread) for thread in names}
        total_s = self._total()
        known_s = 0.0
        for thread, seconds in now_s.items():
            # The system gives the number of a thread that has ended to a new one.
            delta_s = seconds - self._threads_s.get(thread, 0.0)
            delta_s = seconds if delta_s < 0 else delta_s
            self._sums[_work(names[thread])] += delta_s
            known_s += delta_s
        self._sums[Work.NATIVE] += max(0.0, total_s - self._total_s - known_s)
        self._threads_s, self._total_s = now_s, total_s
        return dict(self._sums)


def _work(name: str) -> Work:
    return next((work for start, work in NAMES if name.startswith(start)), Work.OTHER)
