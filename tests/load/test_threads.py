# SPDX-License-Identifier: Apache-2.0
"""Processor time by what threads work at."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor.load.threads import ThreadClock, Work, thread_s


class Threads:
    """Threads that a test makes up, by native id: name and seconds."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[str, float]] = {}
        self.total = 0.0

    def clock(self) -> ThreadClock:
        """A clock over them."""
        return ThreadClock(
            lambda: {thread: name for thread, (name, _) in self.known.items()},
            lambda thread: self.known[thread][1],
            lambda: self.total,
        )


def test_threads_are_told_apart_by_their_names() -> None:
    """What no known thread spent went to native ones."""
    threads = Threads()
    threads.known = {
        1: ("MainThread", 1.0),
        2: ("capture_0", 2.0),
        3: ("faces_0", 3.0),
        4: ("torch_0", 4.0),
        5: ("asyncio_0", 5.0),
        6: ("capture_1", 0.5),
    }
    threads.total = 25.5
    spent = threads.clock().read()
    assert spent == dict(zip(Work, (1.0, 2.5, 3.0, 4.0, 10.0, 5.0), strict=True))


def test_a_thread_that_ends_takes_nothing_away() -> None:
    """And the next one of its number starts from nothing."""
    threads = Threads()
    clock = threads.clock()
    threads.known, threads.total = {1: ("faces_0", 5.0)}, 5.0
    clock.read()
    threads.known = {}
    assert clock.read()[Work.FACES] == 5.0
    threads.known, threads.total = {1: ("torch_0", 0.5)}, 5.5
    spent = clock.read()
    assert (spent[Work.FACES], spent[Work.LIVENESS], spent[Work.NATIVE]) == (5.0, 0.5, 0.0)


def test_a_real_thread_is_measured() -> None:
    """The kernel's clock of a thread is the thread's own clock."""

    def work() -> tuple[int, float]:
        while time.thread_time() < 0.02:
            pass
        return threading.get_native_id(), time.thread_time()

    clock = ThreadClock()
    before = clock.read()
    with ThreadPoolExecutor(1, "torch") as pool:
        number, spent_s = pool.submit(work).result()
        assert thread_s(number) == pytest.approx(spent_s, abs=0.01)
        after = clock.read()
    assert after[Work.LIVENESS] - before[Work.LIVENESS] >= 0.02


def test_a_thread_that_is_not_there_has_spent_nothing() -> None:
    """One may end between its listing and its reading; another process's is none of ours."""
    assert thread_s(os.getppid()) == 0.0
