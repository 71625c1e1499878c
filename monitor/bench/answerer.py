# SPDX-License-Identifier: Apache-2.0
"""A socket's path on stdin in; an engine that judges nothing answers behind it, its CPU time goes out."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np

from monitor.liveness.judge import Judged, Look
from monitor.processes.engine_server import EngineServer
from monitor.values import Evidence

__all__ = ["CROP_PX", "main"]

CROP_PX: Final = 128
CUES: Final = 8
"""As many as the default configuration has, the network with them."""

BOUNDARY: Final = np.zeros((8, 8), np.uint8)


class Idle:
    """Gives every look the same evidence at once: what is left is the way there and back."""

    identity = ("none", "0" * 64)
    crop_px = CROP_PX
    surroundings = True

    async def look(self, look: Look) -> Judged:
        """Evidence as long as that of real cues."""
        crop = look.crop
        said = Evidence(
            "detector", crop.track, crop.media_s, -0.5, 1.0, {}, "The face shows no traces of blending.", 0.1, 0.0
        )
        return Judged((said,) * CUES, BOUNDARY)

    def forget(self, call: str, participant: str, track: int) -> None:
        """Nothing is remembered."""

    def forget_participant(self, call: str, participant: str) -> None:
        """Nothing is remembered."""


async def _answer(path: Path) -> None:
    async with EngineServer(Idle(), path):
        while True:
            sys.stdout.write(json.dumps({"cpu_s": time.process_time()}) + "\n")
            sys.stdout.flush()
            if not await asyncio.to_thread(sys.stdin.readline):
                return


def main() -> None:
    """Answer until the end of the input."""
    asyncio.run(_answer(Path(json.loads(sys.stdin.readline()))))


if __name__ == "__main__":
    main()
