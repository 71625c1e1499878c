# SPDX-License-Identifier: Apache-2.0
"""Participants and rates in; what a look costs on its way to an engine process and back, as a table or JSON, out."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from monitor.bench.answerer import CROP_PX
from monitor.bench.child import Child, Cores, pinned, process
from monitor.bench.probe import percentile
from monitor.bench.result import Result, Way
from monitor.processes.remote_engine import RemoteEngine
from monitor.values import AudioChunk, Context, FaceBox, FaceCrop, Landmarks, Quality

__all__ = ["Journey", "looks", "measure"]

LOADS: Final = ((1, None), (25, 5.0), (100, 5.0), (32, None))
"""Participants, and looks a second of each; None: the next as soon as the last was answered."""

WARM_UP_S: Final = 1.0
ANSWER_S: Final = 5.0
SOUND_CHUNKS: Final = 100
SOUND_HZ: Final = 16_000
SECTION: Final = "bench-ring"
HEAD: Final = (
    "participants",
    "looks/s",
    "there and back p50",
    "p99",
    "CPU per look, asking",
    "answering",
    "unanswered",
)


@dataclass(frozen=True, slots=True)
class Journey:
    """What looks took: `asking_ms` and `answering_ms` are CPU milliseconds of the two processes for each look."""

    participants: int
    looks_per_s: float
    p50_ms: float
    p99_ms: float
    asking_ms: float
    answering_ms: float
    unanswered: int


def looks(participant: str) -> tuple[FaceCrop, FaceCrop, Context]:
    """A crop without and one with its surroundings, each with landmarks, and two seconds of sound beside them."""
    noise = np.random.default_rng(0)
    rgb = noise.integers(0, 256, (CROP_PX, CROP_PX, 3), np.uint8)
    mesh = Landmarks(noise.random((478, 3), np.float32), {f"blendshape{each}": 0.1 for each in range(52)})
    quality = Quality(120.0, 30.0, 0.5, 0.0, 0.0, 1.0, 1.0)
    box, place = FaceBox(0.0, 0.0, 120.0, 120.0), np.eye(2, 3, dtype=np.float32)
    near = FaceCrop("bench", participant, 1, 0.0, rgb, box, place, quality, mesh)
    wide = noise.integers(0, 256, (192, 192, 3), np.uint8)
    far = FaceCrop("bench", participant, 1, 0.0, rgb, box, place, quality, mesh, wide)
    samples = [np.zeros(SOUND_HZ * 2 // SOUND_CHUNKS, np.int16) for _ in range(SOUND_CHUNKS)]
    sound = (AudioChunk("bench", participant, at / 50, at / 50, each, SOUND_HZ) for at, each in enumerate(samples))
    return near, far, Context(sound=tuple(sound))


async def measure(*, seconds: float, json: bool = False, readme: Path | None = None) -> int:
    """Send looks to a process that answers at once, under one load after the other; returns 0.

    Table to stderr, JSON to stdout; `readme` is a file whose section is rewritten. Raises StartError when the other
    process fails, UsageError for a file without the section's markers.
    """
    way, cores = Way(SECTION, json=json, readme=readme), Cores.pick()
    found = []
    with tempfile.TemporaryDirectory(prefix="lifesign-bench-") as name, pinned(cores.caller):
        folder = Path(name)
        async with process("monitor.bench.answerer", cores.watcher, folder) as answerer:
            await answerer.ask(str(folder / "engine"))
            async with RemoteEngine(folder / "engine", ANSWER_S) as engine:
                for participants, per_s in LOADS:
                    with way.console.status(f"{participants} participants …"):
                        found.append(await _journey(engine, answerer, participants, per_s, seconds))
    title = f"looks of {CROP_PX} px with landmarks, 2 s of sound, every fifth with its surroundings"
    command = f"lifesign bench ring --seconds {seconds:g}"
    way.tell(Result(title, HEAD, [_row(each) for each in found], command), [asdict(each) for each in found])
    return 0


async def _journey(
    engine: RemoteEngine, answerer: Child, participants: int, per_s: float | None, seconds: float
) -> Journey:
    took_s: list[float] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_look(engine, f"p{each}", per_s, took_s)) for each in range(participants)]
        await asyncio.sleep(WARM_UP_S)
        before_s, unanswered = (await answerer.ask("cpu"))["cpu_s"], engine.counts.unanswered
        own_s, began_s = time.process_time(), time.monotonic()
        took_s.clear()
        await asyncio.sleep(seconds)
        spent_s, passed_s = time.process_time() - own_s, time.monotonic() - began_s
        done, sorted_s = len(took_s), sorted(took_s)
        answered_s = (await answerer.ask("cpu"))["cpu_s"] - before_s
        for task in tasks:
            task.cancel()
    return Journey(
        participants,
        done / passed_s,
        1000 * percentile(sorted_s, 0.5),
        1000 * percentile(sorted_s, 0.99),
        1000 * spent_s / done,
        1000 * answered_s / done,
        engine.counts.unanswered - unanswered,
    )


async def _look(engine: RemoteEngine, participant: str, per_s: float | None, took_s: list[float]) -> None:
    near, far, context = looks(participant)
    at = hash(participant) % 5
    if per_s:
        await asyncio.sleep((at + hash(participant) % 97 / 97) / 5 / per_s)
    while True:
        began_s = time.monotonic()
        await engine.judge([far if at % 5 == 0 else near], context)
        took_s.append(time.monotonic() - began_s)
        at += 1
        if per_s:
            await asyncio.sleep(max(0.0, 1 / per_s - took_s[-1]))


def _row(each: Journey) -> Sequence[str]:
    return (
        str(each.participants),
        f"{each.looks_per_s:.0f}",
        f"{each.p50_ms:.2f} ms",
        f"{each.p99_ms:.2f} ms",
        f"{each.asking_ms:.2f} ms",
        f"{each.answering_ms:.2f} ms",
        str(each.unanswered),
    )
