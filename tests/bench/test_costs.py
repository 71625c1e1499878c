# SPDX-License-Identifier: Apache-2.0
"""What the tables of the receiving benchmark say of two marks."""

import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from monitor.bench.breakdown import breakdown
from monitor.bench.causes import OTHER, Sampler, cause_of, empty_wake_ms
from monitor.bench.costs import HEAD, KINDS, Cost, Trial, cost_row, trial_of
from monitor.bench.paths import Delays
from monitor.capture import adapter_receiver, adapter_sockets, adapter_srtp, decode, encoded, jitter, tap, units
from monitor.capture.packet import parse


def told(
    at_s: float, received: int, loop_s: float, decode_s: float, wakes: int = 0, **more: object
) -> dict[str, object]:
    """An answer of the receiving process."""
    cpu_s = {"network and loop": loop_s, "decode": decode_s, "other": 0.0}
    mark = {"at_s": at_s, "cpu_s": cpu_s, "received": received}
    return {"mark": mark, "wakes": wakes, "late_s": [], "causes": {}} | more


def trial(ms: float, rate: float = 30.0) -> Trial:
    """A path whose pictures cost this each."""
    return Trial(
        {"network and loop": ms / 4, "decode": 3 * ms / 4}, 0.5, {"order": 3, "event loop": 1}, (4.0, 9.0), rate, 0.1
    )


def test_costs_are_by_picture() -> None:
    """Time and wake-ups between two answers are shared among the pictures that came meanwhile."""
    made = trial_of(
        told(10.0, 100, 1.0, 2.0, 50), told(12.0, 340, 1.24, 2.6, 170, late_s=[0.01, 0.05], causes={"order": 7}), 4, 0.1
    )
    assert made.cpu_ms == pytest.approx({"network and loop": 1.0, "decode": 2.5, "other": 0.0})
    assert (made.total_ms, made.wakes, made.rate) == pytest.approx((3.5, 0.5, 30.0))
    assert made.late_ms == pytest.approx((10.0, 50.0))
    assert trial_of(told(0.0, 0, 0.0, 0.0), told(1.0, 0, 0.0, 0.0), 1, 0.1).late_ms is None


def test_row_says_ratios_and_who_fell_behind() -> None:
    """Percent of a core, ratios, streams that fit into 70 % of it; a path that received too little says so."""
    row = cost_row("480p", Cost(8, trial(4.0, 12.0), trial(3.0), trial(1.0), 0.5))
    assert row[:5] == ("480p, 8 at once", "12.00 %, at 12/s", "9.00 %", "3.00 %", "1.50 %")
    assert row[5:] == ("4.00 ×", "2.00 ×", "6", "23", "4 / 9 ms", "4 / 9 ms")
    assert len(row) == len(HEAD)
    assert [kind.streams(8) for kind in KINDS] == [8, 8, 8, 4, 4, 4, 8, 8, 8]


def test_row_without_aiortc_compares_with_decoding() -> None:
    """Where only the tap can receive, nothing is said of the others."""
    row = cost_row("480p", Cost(8, None, None, trial(1.0), 0.5))
    assert row == ("480p, 8 at once", "–", "–", "3.00 %", "1.50 %", "–", "2.00 ×", "–", "23", "–", "4 / 9 ms")


def test_breakdown_adds_up() -> None:
    """Decoding, causes and the rest are the tap's whole cost, in percent of a core; wake-ups are part of it."""
    cost = Cost(8, trial(4.0), trial(3.0), trial(1.0), 0.5)
    head, rows = breakdown({"480p": cost, "again": cost})
    assert head[1:] == ("480p", "again")
    assert [row[0] for row in rows[2:4]] == ["loop: order", "loop: event loop"]
    assert all(row[1] == row[2] for row in rows)
    assert sum(float(row[1]) for row in rows[:-2]) == pytest.approx(3.0, abs=0.03)
    assert rows[-2][1] == "3.00"
    assert rows[-1][1] == "0.15"


def test_a_cause_seen_in_one_kind_only_took_nothing_in_the_other() -> None:
    """No row is left out, and no cell is empty."""
    cost = Cost(8, None, None, trial(1.0), 0.5)
    other = replace(cost, tap=replace(cost.tap, causes={"order": 5}))
    told = {row[0]: row[1:] for row in breakdown({"one": cost, "other": other})[1]}
    assert told["loop: event loop"][1] == "0.00"
    assert float(told["loop: event loop"][0]) > 0.0


@pytest.fixture
def sampler() -> Iterator[Sampler]:
    """One that is out of the way afterwards."""
    before = signal.getsignal(signal.SIGPROF)
    made = Sampler()
    yield made
    made.stop()
    signal.signal(signal.SIGPROF, before)


def test_sampler_counts_this_thread_alone(sampler: Sampler) -> None:
    """What the main thread computes is counted by the innermost function with a cause; another thread's work is not."""
    until_s = time.thread_time() + 0.2
    while time.thread_time() < until_s:
        parse(b"\x80" + bytes(30))
    counts = sampler.take()
    assert counts["packets"] > 10
    assert set(counts) <= {"packets", OTHER}
    other = threading.Thread(target=lambda: [sum(range(100)) for _ in range(50_000)])
    other.start()
    other.join()
    assert sum(sampler.take().values()) < 5
    assert cause_of(None) == OTHER


@pytest.mark.parametrize(
    ("module", "cause"),
    [
        (adapter_sockets, "reading sockets"),
        (adapter_srtp, "decrypting"),
        (adapter_receiver, "packets"),
        (jitter, "order"),
        (units, "pictures from packets"),
        (encoded, "choosing pictures"),
        (decode, "handing to a decoder"),
        (tap, "frames and feedback"),
        (asyncio.base_events, "event loop"),
    ],
)
def test_functions_count_for_their_files(module: ModuleType, cause: str) -> None:
    """A file's more exact name goes before the beginning that it shares with others."""
    frame: Any = SimpleNamespace(f_code=SimpleNamespace(co_filename=module.__file__), f_back=None)
    assert cause_of(frame) == cause


def test_delays_are_since_the_picture_was_due() -> None:
    """A picture of media second 2 of a caller that began a second ago comes 1 s early; each is told once."""
    delays = Delays()
    delays.see("alice", 2.0)
    assert delays.take({"alice": time.monotonic() - 1.0}) == [pytest.approx(-1.0, abs=0.5)]
    assert delays.take({}) == []
    assert 0 < empty_wake_ms() < 5
