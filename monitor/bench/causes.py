# SPDX-License-Identifier: Apache-2.0
"""The event loop's thread in; what its CPU time goes to, by cause, out (Linux)."""

import ctypes
import signal
import time
from collections import Counter
from collections.abc import Mapping
from types import FrameType
from typing import Final

__all__ = ["CAUSES", "OTHER", "Sampler", "cause_of", "empty_wake_ms"]

CAUSES: Final = (
    ("/monitor/capture/adapter_sockets", "reading sockets"),
    ("/monitor/capture/adapter_ports", "reading sockets"),
    ("/monitor/capture/adapter_srtp", "decrypting"),
    ("/pylibsrtp/", "decrypting"),
    ("/monitor/capture/adapter", "packets"),
    ("/monitor/capture/packet", "packets"),
    ("/aiortc/rtcrtpreceiver", "packets"),
    ("/monitor/capture/jitter", "order"),
    ("/monitor/capture/payload", "pictures from packets"),
    ("/monitor/capture/units", "pictures from packets"),
    ("/monitor/capture/encoded", "choosing pictures"),
    ("/monitor/capture/references", "choosing pictures"),
    ("/monitor/capture/layers", "choosing pictures"),
    ("/monitor/capture/decode", "handing to a decoder"),
    ("/concurrent/futures/", "handing to a decoder"),
    ("/monitor/capture/", "frames and feedback"),
    ("/aiortc/", "aiortc's own tasks"),
    ("/aioice/", "aiortc's own tasks"),
    ("/asyncio/", "event loop"),
    ("/selectors.py", "event loop"),
)
"""Part of a file's path, and the cause that its functions, and what they call elsewhere, count for."""

OTHER: Final = "other"
EVERY_NS: Final = 1_000_000
THREAD_CPUTIME: Final = 3
"""CLOCK_THREAD_CPUTIME_ID of Linux; the timer's clock is that of the thread that makes it."""

BY_SIGNAL: Final = 0
EMPTY_WAKES: Final = 40
WAKE_S: Final = 0.01


class SignalEvent(ctypes.Structure):
    """`struct sigevent` of 64-bit Linux."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("padding", ctypes.c_int * 12),
    )


class TimerSpan(ctypes.Structure):
    """`struct itimerspec`."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns"))


class Sampler:
    """Counts causes of the main thread's CPU time: one sample for each millisecond spent, or each tick of the kernel.

    Made in the main thread, where Python runs signal handlers. C functions count for the line that called them.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        signal.signal(signal.SIGPROF, self._sample)
        self._system = system = ctypes.CDLL(None, use_errno=True)
        event = SignalEvent(signal=signal.SIGPROF, notify=BY_SIGNAL)
        self._timer = timer = ctypes.c_void_p()
        span = TimerSpan(0, EVERY_NS, 0, EVERY_NS)
        failed = system.timer_create(THREAD_CPUTIME, ctypes.byref(event), ctypes.byref(timer))
        if failed or system.timer_settime(timer, 0, ctypes.byref(span), None):
            raise OSError(ctypes.get_errno(), "a CPU timer cannot be set")

    def stop(self) -> None:
        """Count no further."""
        self._system.timer_delete(self._timer)

    def take(self) -> Mapping[str, int]:
        """Samples by cause since the last time."""
        taken, self.counts = self.counts, Counter()
        return taken

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        self.counts[cause_of(frame)] += 1


def cause_of(frame: FrameType | None) -> str:
    """The cause of the innermost function that has one."""
    while frame is not None:
        path = frame.f_code.co_filename
        for part, cause in CAUSES:
            if part in path:
                return cause
        frame = frame.f_back
    return OTHER


def empty_wake_ms() -> float:
    """CPU milliseconds of this thread for waking up, on this machine and this core, with nothing to do."""
    began_s = time.thread_time()
    for _ in range(EMPTY_WAKES):
        time.sleep(WAKE_S)
    return 1000 * (time.thread_time() - began_s) / EMPTY_WAKES
