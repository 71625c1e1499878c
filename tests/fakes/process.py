# SPDX-License-Identifier: Apache-2.0
"""A process that does what its first message says: messages to say, deaths, and silences."""

import asyncio
import os
import socket
import sys

from monitor.processes.channel import Channel
from monitor.processes.messages import Stop


async def live(end: int) -> None:
    """Say each message; a number is the signal that kills it, None waits for Stop, "deaf" for ever."""
    async with await Channel.over(socket.socket(fileno=end)) as channel:
        for message in await channel.receive():
            if isinstance(message, int):
                os.kill(os.getpid(), message)
            if message == "deaf":
                await asyncio.Event().wait()
            if message is not None:
                channel.send(message)
                await channel.settle()
            elif not isinstance(await channel.receive(), Stop):
                return
        await channel.finish()


if __name__ == "__main__":
    asyncio.run(live(int(sys.argv[1])))
