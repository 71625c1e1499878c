# SPDX-License-Identifier: Apache-2.0
"""A path's name on stdin in; callers are received on it, and marks of what that cost go out, one per line asked.

First line in: `{"path", "samples_per_s", "profiled"}`, path "loop" (`track.recv()` and `to_ndarray()`), "plain" or
"tap". First line out: `{"url", "empty_wake_ms"}`. Each further line is `{"began_s"}`, when each caller's first picture
was due, and is answered with what was done since the start, and delays and causes since the line before; the end of the
input ends the program.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import asdict
from resource import RUSAGE_SELF, getrusage

from aiohttp import web

from monitor import logs
from monitor.bench.causes import Sampler, empty_wake_ms
from monitor.bench.paths import Loop, Taps
from monitor.bench.probe import Counts, Probe, percentile
from monitor.capture.adapter import prepare
from monitor.config import CaptureSettings, LogSettings

__all__ = ["main"]


async def _run(path: str, samples_per_s: float, *, profiled: bool) -> None:
    prepare()
    sampler = Sampler() if profiled else None  # for as long as the process lives
    async with AsyncExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1, "capture"))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        settings = CaptureSettings(path="tap" if path == "tap" else "plain", samples_per_s=samples_per_s)
        subject = Loop(group) if path == "loop" else Taps(group, settings, pool)
        url = await _serve(stack, subject)
        probe = Probe(lambda: Counts(subject.received, 0, 0))
        _say({"url": url, "empty_wake_ms": empty_wake_ms()})
        while line := await asyncio.to_thread(sys.stdin.readline):
            _say(_told(probe, subject, sampler, json.loads(line)["began_s"]))
        await subject.close()


def _told(
    probe: Probe, subject: Loop | Taps, sampler: Sampler | None, began_s: Mapping[str, float]
) -> dict[str, object]:
    late_s = subject.delays.take(began_s)
    return {
        "mark": asdict(probe.mark()),
        "wakes": getrusage(RUSAGE_SELF).ru_nvcsw,
        "late_s": [percentile(late_s, share) for share in (0.5, 0.99)] if late_s else [],
        "causes": sampler.take() if sampler else {},
    }


async def _serve(stack: AsyncExitStack, subject: Loop | Taps) -> str:
    async def join(request: web.Request) -> web.Response:
        answer = await subject.join(request.match_info["participant"], await request.text())
        return web.Response(status=201, text=answer, content_type="application/sdp")

    app = web.Application()
    app.router.add_post("/whip/{call}/{participant}", join)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Entry of the process."""
    logs.configure(LogSettings(level="error"))
    job = json.loads(sys.stdin.readline())
    asyncio.run(_run(job["path"], job["samples_per_s"], profiled=job["profiled"]))


if __name__ == "__main__":
    main()
