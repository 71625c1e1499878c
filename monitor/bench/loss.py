# SPDX-License-Identifier: Apache-2.0
"""Kinds of packet loss in; how long each path of media stood still, in one run, as a table or JSON out."""

import asyncio
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from json import dumps
from pathlib import Path
from typing import Final, Literal

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame
from rich.console import Console
from rich.table import Table

from monitor.bench.probe import FPS
from monitor.bench.section import machine_facts, rewrite, section
from monitor.capture.intake import Intake
from monitor.capture.peer import Peer
from monitor.capture.route import Route
from monitor.capture.tap import Tap
from monitor.config import CaptureSettings
from monitor.values import Frame

__all__ = ["LOSSES", "Freeze", "Loss", "frozen", "measure"]

SIZE_PX: Final = (240, 320)
SECTION: Final = "bench-loss"
HEAD: Final = ("", "plain: longest", "frozen", "back after", "tap: longest", "frozen", "back after")
FREEZE_S: Final = 0.2
"""A gap between two pictures that a viewer notices."""

BEFORE_S: Final = 3.0
AFTER_S: Final = 9.0
SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Loss:
    """Either a share of all packets, or an outage of all of them; seconds from the first picture."""

    name: str
    share: float = 0.0
    outage_s: float = 0.0


LOSSES: Final = (
    *(Loss(f"{share:.0%} of packets", share=share) for share in (0.0, 0.01, 0.05, 0.1)),
    *(Loss(f"outage of {seconds:g} s", outage_s=seconds) for seconds in (0.1, 1.0, 3.0)),
)


@dataclass(frozen=True, slots=True)
class Freeze:
    """Pictures seen, the longest gap between two, the time in gaps that show, and how long after an outage one came."""

    pictures: int
    longest_s: float
    total_s: float
    back_s: float | None


def frozen(shown_s: Sequence[float], outage_end_s: float | None) -> Freeze:
    """Judge the moments at which pictures were shown; `back_s` is None without an outage or without a picture after."""
    gaps = [later - earlier for earlier, later in pairwise(shown_s)]
    after = [at_s - outage_end_s for at_s in shown_s if outage_end_s is not None and at_s >= outage_end_s]
    return Freeze(
        len(shown_s), max(gaps, default=0.0), sum(gap for gap in gaps if gap > FREEZE_S), min(after, default=None)
    )


class Camera(MediaStreamTrack):
    """A camera whose picture moves everywhere: a texture that drifts, 30 pictures a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        height, width = SIZE_PX
        grain = np.random.default_rng(SEED).integers(60, 190, (height // 8, width // 8), np.uint8)
        self._texture = np.kron(grain, np.ones((8, 8), np.uint8))
        self._began_s = time.monotonic()
        self._step = 0

    async def recv(self) -> VideoFrame:
        """The next picture when its time has come; those whose time is over are left out."""
        self._step = max(self._step + 1, int((time.monotonic() - self._began_s) * FPS))
        await asyncio.sleep(max(0.0, self._began_s + self._step / FPS - time.monotonic()))
        height, width = SIZE_PX
        i420 = np.full((height * 3 // 2, width), 128, np.uint8)
        i420[:height] = np.roll(self._texture, 2 * self._step, axis=1)
        frame = VideoFrame.from_ndarray(i420, format="yuv420p")
        frame.pts, frame.time_base = self._step * 3000, Fraction(1, 90_000)
        return frame


async def _trial(loss: Loss, path: Literal["tap", "plain"]) -> Freeze:
    settings = CaptureSettings(path=path, samples_per_s=FPS, stall_after_s=60, end_after_s=120)
    chance, shown_s = random.Random(SEED), list[float]()  # noqa: S311  # the same losses each time
    outage_s = BEFORE_S, BEFORE_S + loss.outage_s

    def dropped() -> bool:
        since_s = time.monotonic() - shown_s[0] if shown_s else 0.0
        return outage_s[0] <= since_s < outage_s[1] or bool(shown_s and chance.random() < loss.share)

    with ThreadPoolExecutor(1, "capture") as pool:
        tap = Tap("bench", "loss", settings, pool)
        intake = Intake(tap, settings, pool, Route(settings))
        peer, sender = Peer((), intake.attach), RTCPeerConnection(RTCConfiguration(iceServers=[]))
        sender.addTransceiver(Camera(), direction="sendonly")
        try:
            await _connect(sender, peer, dropped)
            await _watch(tap, intake, shown_s, outage_s[1] + AFTER_S)
        finally:
            await sender.close()
            await peer.close()
    return frozen(shown_s, shown_s[0] + outage_s[1] if loss.outage_s and shown_s else None)


async def _connect(sender: RTCPeerConnection, peer: Peer, dropped: Callable[[], bool]) -> None:
    await sender.setLocalDescription(await sender.createOffer())
    answer = await peer.answer(sender.localDescription.sdp)
    peer.lose(dropped)
    await sender.setRemoteDescription(RTCSessionDescription(answer, "answer"))


async def _watch(tap: Tap, intake: Intake, shown_s: list[float], seconds: float) -> None:
    async with asyncio.TaskGroup() as group:
        drain = group.create_task(intake.run(), name="drain")
        async with aclosing(tap.media()) as media:  # type: ignore[type-var]
            async for item in media:
                if isinstance(item, Frame):
                    shown_s.append(time.monotonic())
                if shown_s and time.monotonic() - shown_s[0] > seconds:
                    break
        drain.cancel()


async def measure(*, json: bool = False, readme: Path | None = None) -> int:
    """Try every kind of loss on both paths, one after the other; returns 0.

    Table to stderr, JSON to stdout; `readme` is a file whose section between the markers is rewritten. Raises
    UsageError for a file without them.
    """
    if readme is not None:
        rewrite(readme, None, SECTION)
    console, machine = Console(stderr=True, highlight=False), machine_facts()
    table = Table(*HEAD, title="320 × 240, 30 pictures/s, VP8 with retransmission; one try each")
    results, found = {}, []
    for loss in LOSSES:
        with console.status(f"{loss.name} …"):
            plain, tap = await _trial(loss, "plain"), await _trial(loss, "tap")
        results[loss.name] = {"plain": asdict(plain), "tap": asdict(tap)}
        found.append((loss.name, *_cells(plain), *_cells(tap)))
        table.add_row(*found[-1])
    console.print(table)
    if readme is not None:
        rewrite(readme, section(HEAD, found, "lifesign bench loss", machine), SECTION)
    if json:
        sys.stdout.write(dumps(results) + "\n")
    return 0


def _cells(freeze: Freeze) -> tuple[str, str, str]:
    back = "" if freeze.back_s is None else f"{1000 * freeze.back_s:.0f} ms"
    return f"{1000 * freeze.longest_s:.0f} ms", f"{freeze.total_s:.2f} s", back
