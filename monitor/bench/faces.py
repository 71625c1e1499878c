# SPDX-License-Identifier: Apache-2.0
"""A clip in, the crops of the one face in it, as a call would have them, out."""

from contextlib import aclosing
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor import assets
from monitor.capture.replay import Replay
from monitor.config import Settings
from monitor.finders import Finders
from monitor.values import Frame

__all__ = ["CLIP", "faces"]

CLIP: Final = "pexels_woman"


async def faces(settings: Settings, clip: Path, crop_px: int, most: int) -> NDArray[np.uint8]:
    """The first crops uint8 [N, S, S, 3] of a clip, at most so many; raises AssetError without the face model."""
    finders = Finders(settings.faces, assets.path("face_landmarker", settings.paths.cache), crop_px, surroundings=False)
    feed = Replay(clip, "bench", "face", settings.capture)
    found: list[NDArray[np.uint8]] = []
    try:
        async with finders.open("bench", "face") as look, aclosing(feed.media()) as media:  # type: ignore[type-var]
            async for each in media:
                if isinstance(each, Frame):
                    found += [crop.rgb for crop in (await look(each)).crops[:1]]
                if len(found) >= most:
                    break
    finally:
        await feed.close()
        finders.close()
    return np.stack(found)
