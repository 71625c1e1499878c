# SPDX-License-Identifier: Apache-2.0
"""A subject and the user's options in; its benchmark runs, and the exit code goes out."""

from pathlib import Path

from monitor.bench import growth, latency, loss, receive, ring, soak
from monitor.bench.comparison import compare
from monitor.bench.subject import Subject
from monitor.config import Settings

__all__ = ["run"]


async def run(
    what: Subject, settings: Settings, *, streams: int, seconds: float, json: bool, readme: Path | None
) -> int:
    """Measure one subject; see the modules for what each raises."""
    match what:
        case Subject.SERVICE:
            return await compare(settings, streams=streams, seconds=seconds, json=json, readme=readme)
        case Subject.LATENCY:
            return await latency.measure(settings, seconds=seconds, json=json, readme=readme)
        case Subject.GROWTH:
            return await growth.measure(settings, seconds=seconds, json=json, readme=readme)
        case Subject.SOAK:
            return await soak.measure(settings, streams=streams, seconds=seconds, json=json, readme=readme)
        case Subject.RECEIVE:
            return await receive.measure(streams=streams, seconds=seconds, json=json, readme=readme)
        case Subject.LOSS:
            return await loss.measure(json=json, readme=readme)
        case Subject.RING:
            return await ring.measure(seconds=seconds, json=json, readme=readme)
