# SPDX-License-Identifier: Apache-2.0
"""A film in, its faces as the service sees them out."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np

from monitor.config import FacesSettings
from monitor.faces.finder import FaceFinder
from monitor.values import FaceCrop, Frame, Picture
from tests.fakes.media import sample

__all__ = ["faces", "footage"]


def footage(path: Path, per_s: float = 5.0) -> Iterator[tuple[float, np.ndarray]]:
    """Pictures of a film, so many a second, with their times; I420."""
    due_s = 0.0
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            if picture.time is not None and picture.time >= due_s:
                due_s += 1 / per_s
                even = picture.reformat(picture.width // 2 * 2, picture.height // 2 * 2, "yuv420p")
                yield float(picture.time), even.to_ndarray()


def faces(pictures: Iterable[tuple[float, np.ndarray]]) -> Iterator[FaceCrop]:
    """The crops of the first face, as the service sees them."""
    finder = FaceFinder(FacesSettings(), sample("face_landmarker"), "c", "p")
    try:
        for media_s, i420 in pictures:
            seen = finder.look(Frame("c", "p", media_s, media_s, Picture(i420)))
            yield from (shot for shot in seen.crops[:1] if shot.quality.judgeable)
    finally:
        finder.close()
