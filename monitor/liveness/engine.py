# SPDX-License-Identifier: Apache-2.0
"""Face crops of all calls in, calibrated evidence out; the one place that uses `models`."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import NamedTuple, Self

import torch

from monitor.config import LivenessSettings
from monitor.errors import DeviceError, ModelError
from monitor.liveness.batcher import Batcher
from monitor.liveness.catalog import refusals
from monitor.liveness.cues import ready
from monitor.liveness.detector import Detector, Load
from monitor.liveness.devices import loader, resolve_device
from monitor.liveness.faults import named
from monitor.liveness.judge import Judge, Judged, Look
from monitor.liveness.pool import Slots
from monitor.liveness.runner import GPU_WAIT_MS, Runner
from monitor.liveness.worst import Worst, shown
from monitor.values import NO_CONTEXT, Context, Evidence, FaceCrop, WorstLook

__all__ = ["Engine", "EngineCounts", "Identity"]

ROOM_PER_TRACK = 4
"""Crops of one track that may be inside: one in the step, one in the next batch, and as many again after a hiccup."""


class Identity(NamedTuple):
    """Which weights judge: the model's name and the SHA-256 of its file."""

    name: str
    sha256: str


class EngineCounts(NamedTuple):
    """What the engine has done so far; `waiting` and `last_*` are of this moment."""

    tracks: int
    restarted_tracks: int
    waiting: int
    batches: int
    crops: int
    failures: int
    cancelled: int
    last_batch: int
    last_wait_s: float
    last_step_s: float
    step_s: float
    cues_s: float
    state_bytes: int
    out_of_memory: int
    largest_step: int
    device_lost: bool


class _Item(NamedTuple):
    key: tuple[str, str, int]
    look: Look


class Engine:
    """Async context manager: loads the weights, then judges crops of all callers in common batches.

    Raises ModelError when the weights must not be used, DeviceError when the device is not there or too small.
    `load` makes the detector from a model name and a device; the shipped weights when None. Of each face the worst
    looks are remembered, with `pictures` their crops, too.
    """

    def __init__(self, settings: LivenessSettings, load: Load | None = None, *, pictures: bool = False) -> None:
        self._settings = settings
        self._pictures = pictures
        self._load = load or loader(settings)
        self._stack = AsyncExitStack()
        self._failure = ""
        self._slots: Slots[tuple[str, str, int]] = Slots(settings.max_tracks)
        self._worst: Worst[tuple[str, str, int]] = Worst()
        self._batcher: Batcher[_Item, Judged] = Batcher(
            run=self._run,
            key=lambda item: item.key,
            deadline_s=(settings.batch_deadline_ms or 0.0) / 1000.0,
            most=settings.max_tracks,
            room=settings.max_tracks * ROOM_PER_TRACK,
        )
        self._thread: ThreadPoolExecutor
        self._runner: Runner
        self._judge: Judge
        self._detector: Detector

    async def __aenter__(self) -> Self:
        threads = self._settings.threads
        self._thread = ThreadPoolExecutor(1, "torch", initializer=torch.set_num_threads, initargs=(threads,))
        async with AsyncExitStack() as stack:
            stack.callback(self._thread.shutdown, wait=False)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            group.create_task(self._batcher.serve(), name="liveness batches")
            stack.callback(self._batcher.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _open(self) -> None:
        device = resolve_device(self._settings.device)
        with refusals(self._settings.model), named():
            self._detector = self._load(self._settings.model, device)
        self._runner = Runner(self._detector, self._settings.max_tracks, self._settings.largest_step)
        if self._settings.batch_deadline_ms is None and self._runner.on_gpu:
            self._batcher.deadline_s = GPU_WAIT_MS / 1000.0
        self._runner.warm_up()
        self._judge = Judge(self._runner, ready(self._settings.cues))

    @property
    def identity(self) -> Identity:
        """Which weights judge."""
        return Identity(*self._detector.identity)

    @property
    def crop_px(self) -> int:
        """Side of the crops the detector takes."""
        return self._detector.crop_px

    @property
    def surroundings(self) -> bool:
        """Whether a cue looks at what lies round the face."""
        return "replay" in self._settings.cues

    @property
    def samples_per_s(self) -> float:
        """Looks per second the detector was trained for."""
        return self._detector.samples_per_s

    @property
    def healthy(self) -> bool:
        """Whether the last batch gave results."""
        return self._batcher.failures_in_a_row == 0 and self._runner.lost is None

    @property
    def condition(self) -> str:
        """How judging goes, for readiness: a word when it goes, else the code of what is wrong and what to do."""
        if self._runner.lost is not None:
            return str(self._runner.lost)
        if self._batcher.failures_in_a_row:
            return self._failure
        short = f", at most {self._runner.largest} faces a step: the GPU's memory ran short"
        return f"judges{short if self._runner.out_of_memory else ''}"

    @property
    def counts(self) -> EngineCounts:
        """A snapshot for metrics."""
        batcher = self._batcher
        return EngineCounts(
            tracks=len(self._slots),
            restarted_tracks=self._slots.restarted,
            waiting=batcher.waiting,
            batches=batcher.batches,
            crops=batcher.items,
            failures=batcher.failures,
            cancelled=batcher.cancelled,
            last_batch=batcher.last_batch,
            last_wait_s=batcher.last_wait_s,
            last_step_s=batcher.last_step_s,
            step_s=batcher.step_s_total,
            cues_s=self._judge.cues_s,
            state_bytes=self._runner.state_bytes,
            out_of_memory=self._runner.out_of_memory,
            largest_step=self._runner.largest,
            device_lost=self._runner.lost is not None,
        )

    async def judge(self, crops: Sequence[FaceCrop], context: Context = NO_CONTEXT) -> tuple[Evidence, ...]:
        """Evidence of every cue on each crop of one frame, in the order of the crops; crops must be judgeable.

        A crop whose batch failed gives no evidence. Raises ModelError for a crop of another size than `crop_px`.
        """
        results = await asyncio.gather(*(self.look(Look(crop, context)) for crop in crops))
        return tuple(evidence for result in results if result is not None for evidence in result.evidence)

    async def look(self, look: Look) -> Judged | None:
        """What is found of one look, None when its batch failed. Raises ModelError as `judge` does."""
        crop = look.crop
        self._check(crop)
        return await self._batcher.submit(_Item((crop.call, crop.participant, crop.track), look))

    def worst(self, call: str, participant: str, track: int) -> tuple[WorstLook, ...]:
        """The few looks of a track's last half minute that the network scored highest, the highest first."""
        return self._worst.of((call, participant, track))

    def forget(self, call: str, participant: str, track: int) -> None:
        """Free the state of a track that has ended."""
        self._slots.forget(lambda key: key == (call, participant, track))
        self._worst.forget(lambda key: key not in self._slots)

    def forget_participant(self, call: str, participant: str) -> None:
        """Free the state of all tracks of a participant who has left."""
        self._slots.forget(lambda key: key[:2] == (call, participant))
        self._worst.forget(lambda key: key not in self._slots)

    async def _run(self, items: Sequence[_Item]) -> Sequence[Judged]:
        lease = self._slots.lease([item.key for item in items])
        loop = asyncio.get_running_loop()
        try:
            judged = await loop.run_in_executor(self._thread, self._judge.judge, lease, [item.look for item in items])
        except Exception as error:
            self._failure = str(error) if isinstance(error, DeviceError) else "the last batch failed; see the log"
            # A new track's slot may still hold the state of the track before it.
            fresh = {item.key for item, slot in zip(items, lease.slots, strict=True) if slot in lease.fresh}
            self._slots.forget(lambda key: key in fresh)
            raise
        self._remember(items, judged)
        return judged

    def _remember(self, items: Sequence[_Item], judged: Sequence[Judged]) -> None:
        for item, each in zip(items, judged, strict=True):
            if item.key in self._slots and each.boundary is not None:
                self._worst.see(item.key, shown(item.look.crop, each.evidence[0], each.boundary, rgb=self._pictures))
        if len(self._worst) > len(self._slots):
            self._worst.forget(lambda key: key not in self._slots)

    def _check(self, crop: FaceCrop) -> None:
        side = self._detector.crop_px
        if crop.rgb.shape != (side, side, 3) or crop.rgb.dtype != "uint8":
            raise ModelError(
                f"The detector takes crops of {side} px, not {crop.rgb.dtype} {crop.rgb.shape}.",
                "Report this: crops are cut to the side that the detector asks for.",
            )
