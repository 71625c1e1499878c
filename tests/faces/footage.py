# SPDX-License-Identifier: Apache-2.0
"""Sample films in; pictures, frames and composed scenes for the face tests out."""

from collections.abc import Iterator
from functools import cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.capture.picture import picture_of
from monitor.config import FacesSettings
from monitor.faces.finder import FaceFinder
from monitor.values import Frame, Picture
from tests.fakes.media import sample

__all__ = ["canvas", "finder", "frame", "image", "looks", "pictures", "rgb_at", "still"]

SETTINGS = FacesSettings()


def finder(settings: FacesSettings = SETTINGS) -> FaceFinder:
    """A finder with the fetched model."""
    return FaceFinder(settings, sample("face_landmarker"), "call", "ada")


def frame(picture: Picture, media_s: float) -> Frame:
    """A frame of the participant that `finder` watches."""
    return Frame("call", "ada", media_s, media_s, picture)


def image(rgb: NDArray[np.uint8]) -> Picture:
    """RGB of even size as a picture."""
    return Picture(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8))


def pictures(name: str, frames_per_s: float, seconds: float = 1e9) -> Iterator[tuple[float, Picture]]:
    """Frames of a sample film, thinned out by its timestamps."""
    due_s = 0.0
    with av.open(str(sample(name))) as container:
        for decoded in container.decode(video=0):
            if decoded.time > seconds:
                return
            if decoded.time + 1e-3 >= due_s:
                due_s = max(due_s + 1 / frames_per_s, decoded.time)
                yield decoded.time, picture_of(decoded)


@cache
def rgb_at(name: str, index: int) -> NDArray[np.uint8]:
    """One frame of a sample film as RGB."""
    with av.open(str(sample(name))) as container:
        for number, decoded in enumerate(container.decode(video=0)):
            if number == index:
                rgb = decoded.to_ndarray(format="rgb24")
                rgb.setflags(write=False)
                return rgb
    raise IndexError(name, index)


def still(name: str, index: int) -> Picture:
    """One frame of a sample film as a picture."""
    return image(rgb_at(name, index))


def canvas(width: int, height: int, grey: int = 90) -> NDArray[np.uint8]:
    """An empty RGB picture with a little texture, so that it is a scene and not a flat plane."""
    noise = np.random.default_rng(7).integers(-6, 7, (height, width, 1))
    return np.repeat(np.clip(grey + noise, 0, 255), 3, axis=2).astype(np.uint8)


def looks(watching: FaceFinder, scenes: list[NDArray[np.uint8]], step_s: float = 0.2) -> list[tuple[int, ...]]:
    """Track numbers seen in each scene, left to right."""
    seen = []
    for number, rgb in enumerate(scenes):
        look = watching.look(frame(image(rgb), number * step_s))
        seen.append(tuple(crop.track for crop in sorted(look.crops, key=lambda each: each.box.left)))
    return seen
