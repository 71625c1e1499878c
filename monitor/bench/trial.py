# SPDX-License-Identifier: Apache-2.0
"""A program's name in; it watches callers for a while, each process on its core, and what it cost and said goes out."""

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from monitor.bench.probe import Mark
from monitor.bench.report import Heard, Measure, measured
from monitor.config import MqttSettings, Settings
from monitor.errors import StartError
from monitor.publish.mqtt import Endpoint, connect

__all__ = ["WARM_UP_S", "Bench", "Child", "Cores", "pinned", "process"]

WARM_UP_S: Final = 5.0
EARLY_S: Final = 10.0
ANSWER_S: Final = 90.0
LEAVE_S: Final = 5.0
SHAPING: Final = {"capture", "faces", "liveness", "policy"}
KEPT: Final = "LIFESIGN_PATHS__CACHE"


@dataclass(frozen=True, slots=True)
class Cores:
    """Numbers of the cores: one for the program under test and its broker, another for everything else."""

    watcher: int
    caller: int

    @classmethod
    def pick(cls) -> Self:
        """The first and the last core this process may use; the same one twice when there is no other."""
        here = sorted(os.sched_getaffinity(0))
        return cls(here[0], here[-1])


@dataclass(frozen=True, slots=True)
class Bench:
    """The same callers for each program: `settings` shape its work, `folder` is scratch space."""

    settings: Settings
    clip: Path
    folder: Path
    streams: int
    seconds: float
    cores: Cores

    async def measure(self, variant: str) -> Measure:
        """Run "plain" or "lifesign" alone; raises StartError when a process fails."""
        token = secrets.token_urlsafe(24)
        async with AsyncExitStack() as stack:
            stack.enter_context(pinned(self.cores.caller))
            watcher = await stack.enter_async_context(process("monitor.bench.watcher", self.cores.watcher, self.folder))
            hello = await watcher.ask({"variant": variant, "settings": self._tree(variant, token)})
            caller = await stack.enter_async_context(process("monitor.bench.caller", self.cores.caller, self.folder))
            heard: list[Heard] = []
            listening = asyncio.create_task(_listen(hello["broker_port"], heard), name="listen")
            stack.callback(listening.cancel)
            job = {"clip": str(self.clip), "url": hello["url"], "token": token, "streams": self.streams}
            began_s = (await caller.ask(job))["began_s"]
            marks = [await watcher.mark(after_s) for after_s in self._pauses()]
            late_s = (await caller.ask("over"))["late_p99_s"]
            if listening.done():
                await listening
        return measured(marks, began_s, heard, late_s)

    def _pauses(self) -> tuple[float, float, float]:
        early_s = min(EARLY_S, self.seconds / 3)
        return min(WARM_UP_S, self.seconds), early_s, self.seconds - early_s

    def _tree(self, variant: str, token: str) -> dict[str, Any]:
        """Settings that are the user's where they shape the work, and private where they reach outside."""
        shaping = self.settings.model_dump(mode="json", include=SHAPING)
        return shaping | {
            "http": {"port": 0},
            "whip": {"tokens": [token], "max_participants": self.streams},
            "mqtt": {"broker": "embedded", "port": 0},
            "paths": {"state": str(self.folder / variant)},
        }


def _passes(name: str) -> bool:
    return name == KEPT or not name.startswith("LIFESIGN_")


@asynccontextmanager
async def process(module: str, core: int, folder: Path) -> AsyncIterator["Child"]:
    """A child that runs a module on one core; its log is kept in `folder` until it has ended."""
    words = folder / f"{module}.log"
    with words.open("wb") as log, pinned(core):
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={name: value for name, value in os.environ.items() if _passes(name)},
        )
    child = Child(started, words)
    try:
        yield child
    finally:
        await child.end()


@dataclass(slots=True)
class Child:
    """A child that answers each JSON line with one."""

    process: asyncio.subprocess.Process
    words: Path

    async def ask(self, question: object) -> dict[str, Any]:
        """Raises StartError, with the child's last words, when it does not answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        line = b""
        with suppress(TimeoutError):
            line = await asyncio.wait_for(self.process.stdout.readline(), ANSWER_S)
        if not line:
            last = self.words.read_text(errors="replace").strip().splitlines()[-5:]
            raise StartError("A process of the benchmark failed: " + " / ".join(last), "Run `lifesign doctor`.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def mark(self, after_s: float) -> Mark:
        """What the process has used and done after a while."""
        await asyncio.sleep(after_s)
        return Mark(**await self.ask("mark"))

    async def end(self) -> None:
        """Let it leave in order; what does not leave (the plain loop works off its queue first) is killed."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), LEAVE_S)
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this thread, and every process that it starts, on one core meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _listen(port: int, heard: list[Heard]) -> None:
    """Note every verdict as it comes."""
    async with connect(Endpoint("127.0.0.1", port, MqttSettings()), "bench-listener") as session:
        await session.subscribe(["lifesign/v1/calls/+/participants/+/verdict"])
        async for message in session.messages():
            at_s = time.monotonic()
            if message.payload:
                data: Mapping[str, Any] = json.loads(message.payload)["data"]
                heard.append(Heard(at_s, str(data["participant"]), float(data["media_s"])))
