# SPDX-License-Identifier: Apache-2.0
"""The frames of a face clip in, whole camera pictures with that face in a still room out."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

__all__ = ["FACE_SHARE", "Scene"]

FACE_SHARE: Final = 1 / 3
"""Face box over the picture's height: somebody an arm's length away from a laptop's camera."""

ROOM_BLUR: Final = 1 / 12
"""Standard deviation of the blur of the surroundings over the picture's height: a still room, out of focus."""

EDGE: Final = 1 / 24
"""Width of the passage from clip to surroundings over the clip's side."""

Plane = NDArray[np.uint8]


class Place(NamedTuple):
    """Where the clip lies in a plane, in that plane's pixels."""

    left: int
    top: int
    width: int
    height: int


class Scene:
    """A picture of `size_px` (width, height) with the clip in its middle, and still, blurred surroundings made of the
    first frame's edges.

    The clip is shrunk until its face of `face_px` is `face_share` of the height; it is never enlarged.
    """

    def __init__(
        self, size_px: tuple[int, int], first: VideoFrame, face_px: float, face_share: float = FACE_SHARE
    ) -> None:
        self._size_px = size_px
        width, height = size_px
        scale = min(1.0, height * face_share / face_px, height / first.height, width / first.width)
        self._inside_px = _in_fours(first.width * scale), _in_fours(first.height * scale)
        self._places = [self._place(shrink) for shrink in (1, 2, 2)]
        self._rooms = [
            _room(plane, place, (width // shrink, height // shrink))
            for plane, place, shrink in zip(self._planes(first), self._places, (1, 2, 2), strict=True)
        ]
        self._weights = [_weight(place) for place in self._places]

    def show(self, frame: VideoFrame) -> VideoFrame:
        """Put one frame of the clip in its place; the result is I420."""
        placed = [self._placed(index, plane).reshape(-1) for index, plane in enumerate(self._planes(frame))]
        packed = np.concatenate(placed).reshape(self._size_px[1] * 3 // 2, self._size_px[0])
        return VideoFrame.from_ndarray(packed, format="yuv420p")

    def _placed(self, index: int, plane: Plane) -> Plane:
        left, top, width, height = self._places[index]
        rows, columns = slice(top, top + height), slice(left, left + width)
        room, weight = self._rooms[index].copy(), self._weights[index]
        room[rows, columns] = cv2.blendLinear(plane, np.ascontiguousarray(room[rows, columns]), weight, 1.0 - weight)
        return room

    def _place(self, shrink: int) -> Place:
        (width, height), (inner_width, inner_height) = self._size_px, self._inside_px
        left, top = (width - inner_width) // 4 * 2, (height - inner_height) // 4 * 2
        return Place(left // shrink, top // shrink, inner_width // shrink, inner_height // shrink)

    def _planes(self, frame: VideoFrame) -> list[Plane]:
        width, height = self._inside_px
        small = frame.reformat(width, height, "yuv420p", interpolation=Interpolation.AREA)
        packed = np.asarray(small.to_ndarray(), np.uint8)
        blue, red = packed[height:].reshape(2, height // 2, width // 2)
        return [packed[:height], blue, red]


def _in_fours(length: float) -> int:
    return max(16, int(length) // 4 * 4)


def _room(plane: Plane, place: Place, size_px: tuple[int, int]) -> Plane:
    """Repeat the edges of a plane up to the whole size, then blur."""
    width, height = size_px
    left, top = place.left, place.top
    right, bottom = width - left - place.width, height - top - place.height
    wide = cv2.copyMakeBorder(plane, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), height * ROOM_BLUR), np.uint8)


def _weight(place: Place) -> NDArray[np.float32]:
    """Give the clip's opacity: 1 inside, falling to 0 over the last pixels at its edges."""
    across, down = (
        np.minimum(np.arange(length) + 0.5, length - 0.5 - np.arange(length)) / (EDGE * length)
        for length in (place.width, place.height)
    )
    opacity: NDArray[np.float32] = np.minimum(1.0, np.minimum.outer(down, across)).astype(np.float32)
    return opacity
