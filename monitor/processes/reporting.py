# SPDX-License-Identifier: Apache-2.0
"""What a process counts in; a report to the main process every second out, until that says stop."""

import asyncio
from collections.abc import Callable
from typing import Final

from monitor.metrics import watch_loop
from monitor.processes.channel import Channel
from monitor.processes.messages import Report

__all__ = ["REPORT_EVERY_S", "until_stopped"]

REPORT_EVERY_S: Final = 1.0


async def until_stopped(
    channel: Channel, report: Callable[[], Report], late: Callable[[float], None] = lambda _seconds: None
) -> None:
    """Report until the main process says something, which can only be stop, or is gone.

    `late` is told how late the event loop wakes up.
    """
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(_report(channel, report), name="reports"),
            group.create_task(watch_loop(late=late), name="event loop lag"),
        ]
        await channel.receive()
        for task in beside:
            task.cancel()


async def _report(channel: Channel, report: Callable[[], Report]) -> None:
    while True:
        try:
            await channel.settle()
        except ConnectionError:
            return
        channel.send(report())
        await asyncio.sleep(REPORT_EVERY_S)
