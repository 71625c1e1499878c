# SPDX-License-Identifier: Apache-2.0
"""A module's name in; a process that runs it on one core, and answers each JSON line with one, out."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from monitor.bench.probe import Mark
from monitor.errors import StartError

__all__ = ["Child", "Cores", "pinned", "process"]

ANSWER_S: Final = 90.0
LEAVE_S: Final = 5.0
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
