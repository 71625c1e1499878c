# SPDX-License-Identifier: Apache-2.0
"""A program's name in; it watches callers for a while, each process on its core, and what it cost and said goes out."""

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from monitor import assets
from monitor.bench.caller import HEIGHT_PX, WIDTH_PX, encode
from monitor.bench.child import Child, Cores, pinned, process
from monitor.bench.probe import FPS, Mark
from monitor.bench.report import Heard, Measure, measured
from monitor.config import MqttSettings, Settings
from monitor.publish.mqtt import Endpoint, connect

__all__ = ["WARM_UP_S", "Bench", "Trial", "prepared"]

CLIP: Final = "pexels_woman"
WARM_UP_S: Final = 5.0
EARLY_S: Final = 10.0
SHAPING: Final = {"capture", "faces", "liveness", "policy"}


@dataclass(frozen=True, slots=True)
class Bench:
    """The same callers for each program: `settings` shape its work, `folder` is scratch space.

    The callers send `per_s` pictures of the clip a second, or of `layers`, the same clip in three temporal layers.
    Lifesign runs in `processes` processes as `node.processes` says.
    """

    settings: Settings
    clip: Path
    folder: Path
    streams: int
    seconds: float
    cores: Cores
    per_s: int = FPS
    layers: Path | None = None
    processes: int = 0

    def of(self, streams: int) -> "Bench":
        """The same with another number of callers."""
        return replace(self, streams=streams)

    def over(self, processes: int) -> "Bench":
        """The same over another number of processes."""
        return replace(self, processes=processes)

    async def measure(self, variant: str, *, layered: bool = False) -> Measure:
        """Run "plain" or "lifesign" alone; raises StartError when a process fails."""
        async with self.running(variant, layered=layered) as trial:
            marks = [await trial.mark(after_s) for after_s in self._pauses()]
            late_s = await trial.over()
        return measured(marks, trial.began_s, trial.heard, late_s)

    @asynccontextmanager
    async def running(self, variant: str, *, layered: bool = False) -> AsyncIterator["Trial"]:
        """The program with all its callers in the call; raises StartError when a process fails."""
        token = secrets.token_urlsafe(24)
        async with AsyncExitStack() as stack:
            stack.enter_context(pinned(self.cores.caller))
            watcher = await stack.enter_async_context(process("monitor.bench.watcher", self.cores.watcher, self.folder))
            hello = await watcher.ask({"variant": variant, "settings": self._tree(variant, token)})
            caller = await stack.enter_async_context(process("monitor.bench.caller", self.cores.caller, self.folder))
            heard: list[Heard] = []
            listening = asyncio.create_task(_listen(hello["broker_port"], heard), name="listen")
            stack.callback(listening.cancel)
            job = self._film(layered=layered) | {"url": hello["url"], "token": token, "streams": self.streams}
            began_s = (await caller.ask(job))["began_s"] if self.streams else {}
            yield Trial(watcher, caller, began_s, heard)
            if listening.done():
                await listening

    def _film(self, *, layered: bool) -> dict[str, Any]:
        clip = self.layers if layered else self.clip
        return {"clip": str(clip), "layered": layered, "per_s": self.per_s}

    def _pauses(self) -> tuple[float, float, float]:
        early_s = min(EARLY_S, self.seconds / 3)
        return min(WARM_UP_S, self.seconds), early_s, self.seconds - early_s

    def _tree(self, variant: str, token: str) -> dict[str, Any]:
        """Settings that are the user's where they shape the work, and private where they reach outside."""
        shaping = self.settings.model_dump(mode="json", include=SHAPING)
        return shaping | {
            "http": {"port": 0},
            "whip": {"tokens": [token], "max_participants": max(1, self.streams)},
            "mqtt": {"broker": "embedded", "port": 0},
            "paths": {"state": str(self.folder / variant)},
            "load": {"enabled": False},
            "node": {"processes": self.processes},
        }


@dataclass(slots=True)
class Trial:
    """A program that runs and its callers; `heard` grows with each verdict."""

    watcher: Child
    caller: Child
    began_s: Mapping[str, float]
    heard: list[Heard]

    async def mark(self, after_s: float) -> Mark:
        """What the program has used and done after a while."""
        return await self.watcher.mark(after_s)

    async def over(self) -> float:
        """Send the callers away; how late their pictures were, 99th percentile in seconds."""
        return float((await self.caller.ask("over"))["late_p99_s"])


@asynccontextmanager
async def prepared(
    settings: Settings,
    streams: int,
    seconds: float,
    size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX),
    per_s: int = FPS,
    *,
    layers: bool = False,
) -> AsyncIterator[Bench]:
    """A benchmark whose callers send the sample clip, encoded at this size and rate, with `layers` also in layers.

    Raises AssetError without the clip.
    """
    source = assets.path(CLIP, settings.paths.cache)
    with tempfile.TemporaryDirectory(prefix="lifesign-bench-") as name:
        folder = Path(name)
        clip, layered = folder / "clip.ivf", folder / "layers.ivf" if layers else None
        await asyncio.to_thread(encode, source, clip, size, per_s=per_s)
        if layered:
            await asyncio.to_thread(encode, source, layered, size, layered=True, per_s=per_s)
        yield Bench(settings, clip, folder, streams, seconds, Cores.pick(), per_s, layered)


async def _listen(port: int, heard: list[Heard]) -> None:
    """Note every verdict as it comes."""
    async with connect(Endpoint("127.0.0.1", port, MqttSettings()), "bench-listener") as session:
        await session.subscribe(["lifesign/v1/calls/+/participants/+/verdict"])
        async for message in session.messages():
            at_s = time.monotonic()
            if message.payload:
                data: Mapping[str, Any] = json.loads(message.payload)["data"]
                heard.append(Heard(at_s, str(data["participant"]), float(data["media_s"])))
