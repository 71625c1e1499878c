# SPDX-License-Identifier: Apache-2.0
"""A job on stdin in; one of the two programs under test runs, and its marks go out on stdout, one per line asked.

First line in: `{"variant", "settings"}`. First line out: `{"url", "broker_port"}`, once it takes callers. Each further
line in is answered with a mark; the end of the input ends the program.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

from monitor import logs
from monitor.app import serving, serving_processes
from monitor.bench.plain import open_plain
from monitor.bench.probe import Counts, Probe
from monitor.bench.reports import counted, kinds_of, renewed
from monitor.config import LogSettings, Settings
from monitor.service import Service

__all__ = ["main"]


async def _at_once() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Subject:
    """A program that runs; `counts` are of this moment once `fresh` has been waited for."""

    url: str
    broker_port: int
    counts: Callable[[], Counts]
    kinds: Callable[[], Mapping[int, str]] = dict
    fresh: Callable[[], Awaitable[None]] = _at_once


async def _lifesign(stack: AsyncExitStack, settings: Settings) -> Subject:
    if settings.node.processes:
        fleet = await serving_processes(stack, settings)
        assert fleet.publisher.address is not None
        read = (partial(counted, fleet.children), partial(kinds_of, fleet.children), partial(renewed, fleet.children))
        return Subject(fleet.url, fleet.publisher.address[1], *read)
    service = await serving(stack, settings)
    assert service.publisher.address is not None
    return Subject(service.url, service.publisher.address[1], lambda: _counts(service))


def _counts(service: Service) -> Counts:
    feeds = [feed.counts for feed in service.calls.all_feeds()]
    received, looked = (sum(getattr(counts, name) for counts in feeds) for name in ("received", "yielded"))
    engine = service.engine.counts
    return Counts(received, looked, engine.crops, cues_s=engine.cues_s)


async def _plain(stack: AsyncExitStack, settings: Settings) -> Subject:
    loop, url, port = await open_plain(stack, settings)
    return Subject(url, port, lambda: loop.counts)


VARIANTS: Final = {"lifesign": _lifesign, "plain": _plain}


async def _run(variant: str, settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        subject = await VARIANTS[variant](stack, settings)
        probe = Probe(subject.counts, subject.kinds)
        lag = asyncio.create_task(probe.run(), name="loop lag")
        stack.callback(lag.cancel)
        _say({"url": subject.url, "broker_port": subject.broker_port})
        while await asyncio.to_thread(sys.stdin.readline):
            await subject.fresh()
            _say(asdict(probe.mark()))


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Entry of the process."""
    logs.configure(LogSettings(level="warning"))
    job = json.loads(sys.stdin.readline())
    asyncio.run(_run(job["variant"], Settings(**job["settings"])))


if __name__ == "__main__":
    main()
