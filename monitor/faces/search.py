# SPDX-License-Identifier: Apache-2.0
"""A picture and where faces were last in, the landmarks of its faces out, at the cost of few looks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitor.faces.boxes import box_of, centre, overlap
from monitor.faces.landmarker import Landmarker
from monitor.faces.lite import LiteLandmarker
from monitor.faces.picture import Region, rgb
from monitor.values import FaceBox, Landmarks, Picture

__all__ = ["Search", "tiles"]

SEEN_SHARE = 8
"""The detector sees 128 px of whatever it is given: it finds every face wider than an eighth of that picture's longer
side, 60 % of those of a tenth and none below (36 faces pasted into 640 x 360 and 1280 x 720, MediaPipe 0.10.33)."""

AROUND = 2.0
"""Side of the region looked at round a known face, in face boxes."""

WHOLE_PX = 640
NEAR_PX = 384
"""Longer side to which the whole picture, and a region round a known face, are shrunk before the look. The mesh sees
256 px of 1.5 face boxes, so that nothing is lost near a known face."""

SEARCH_EVERY_S = 1.0
"""Media time between looks for further faces while those known are in sight."""

TILES_AT_ONCE = 2
"""Tiles looked at per frame while no face is in sight."""

DUPLICATE_OVERLAP = 0.5

GREY = 128


class Search:
    """Looks round known faces in every frame, elsewhere in turn: the whole picture, then tiles for small faces."""

    def __init__(self, landmarker: Landmarker | LiteLandmarker, max_faces: int, min_face_px: int) -> None:
        self._landmarker = landmarker
        self._max_faces = max_faces
        self._min_face_px = min_face_px
        self._searched_s = -math.inf
        self._turn = 0

    def find(self, picture: Picture, expected: Sequence[FaceBox], media_s: float) -> list[Landmarks]:
        """Find at most `max_faces` faces, in source pixels; `expected` are the boxes of known faces.

        Faces near an expected box come first, then the larger ones.
        """
        found: list[Landmarks] = []
        missed = 0
        for box in expected:
            if not _holds(found, box):
                _add(found, self._look(picture, _around(box, picture), NEAR_PX))
                missed += not _holds(found, box)
        if missed or not found:
            self._look_everywhere(picture, found)
        elif len(found) < self._max_faces and not 0.0 <= media_s - self._searched_s < SEARCH_EVERY_S:
            self._look_elsewhere(picture, found)
            self._searched_s = media_s
        return found[: self._max_faces]

    def _look_everywhere(self, picture: Picture, found: list[Landmarks]) -> None:
        _add(found, self._look(picture, _whole(picture), WHOLE_PX))
        every = tiles(picture.width_px, picture.height_px, self._min_face_px)
        for _ in range(min(TILES_AT_ONCE, len(every))):
            if not found:
                self._look_at_next(picture, every, found)

    def _look_elsewhere(self, picture: Picture, found: list[Landmarks]) -> None:
        """Look for further faces with the known ones covered: without a face in sight there is no mesh to pay for."""
        every = tiles(picture.width_px, picture.height_px, self._min_face_px)
        self._look_at_next(picture, (_whole(picture), *every), found, covered=[box_of(face.points) for face in found])

    def _look_at_next(
        self, picture: Picture, regions: Sequence[Region], found: list[Landmarks], covered: Sequence[FaceBox] = ()
    ) -> None:
        self._turn += 1
        _add(found, self._look(picture, regions[self._turn % len(regions)], WHOLE_PX, covered))

    def _look(
        self, picture: Picture, region: Region, longest_px: int, covered: Sequence[FaceBox] = ()
    ) -> list[Landmarks]:
        pixels = rgb(picture, region, longest_px)
        scale_x, scale_y = region.width / pixels.shape[1], region.height / pixels.shape[0]
        for box in covered:
            _cover(pixels, box, region, scale_x, scale_y)
        scale = np.array([scale_x, scale_y, scale_x], np.float32)
        start = np.array([region.left, region.top, 0.0], np.float32)
        return [replace(face, points=face.points * scale + start) for face in self._landmarker.find(pixels)]


def tiles(width_px: int, height_px: int, min_face_px: int) -> tuple[Region, ...]:
    """Cover a picture with overlapping tiles, largest first, in which no face of `min_face_px` is too small to see.

    Each layer of tiles is for faces up to twice its smallest, and overlaps by more than such a face.
    """
    layers: list[tuple[Region, ...]] = []
    side = _even(SEEN_SHARE * min_face_px)
    while side < max(width_px, height_px):
        lefts, width = _spread(width_px, side)
        tops, height = _spread(height_px, side)
        layers.append(tuple(Region(left, top, width, height) for top in tops for left in lefts))
        side *= 2
    return tuple(tile for layer in reversed(layers) for tile in layer)


def _spread(length: int, side: int) -> tuple[list[int], int]:
    if side >= length:
        return [0], length
    shared = side * 3 // (2 * SEEN_SHARE) * 2
    count = math.ceil((length - shared) / (side - shared))
    return [_even((length - side) * index / max(count - 1, 1)) for index in range(count)], side


def _even(length: float) -> int:
    return int(length) // 2 * 2


def _whole(picture: Picture) -> Region:
    return Region(0, 0, picture.width_px, picture.height_px)


def _around(box: FaceBox, picture: Picture) -> Region:
    x, y = centre(box)
    half = max(AROUND * max(box.width, box.height) / 2, 16.0)
    left, right = _bounds(x - half, x + half, picture.width_px)
    top, bottom = _bounds(y - half, y + half, picture.height_px)
    return Region(left, top, right - left, bottom - top)


def _bounds(low: float, high: float, length: int) -> tuple[int, int]:
    start = min(max(_even(low), 0), length - 2)
    return start, max(min(_even(high) + 2, length), start + 2)


def _cover(pixels: NDArray[np.uint8], box: FaceBox, region: Region, scale_x: float, scale_y: float) -> None:
    """Paint grey what lies in a box of the source picture."""
    left, right = ((edge - region.left) / scale_x for edge in (box.left, box.left + box.width))
    top, bottom = ((edge - region.top) / scale_y for edge in (box.top, box.top + box.height))
    pixels[max(int(top), 0) : max(math.ceil(bottom), 0), max(int(left), 0) : max(math.ceil(right), 0)] = GREY


def _holds(found: Iterable[Landmarks], box: FaceBox) -> bool:
    return any(overlap(box_of(face.points), box) >= DUPLICATE_OVERLAP for face in found)


def _add(found: list[Landmarks], more: Iterable[Landmarks]) -> None:
    """Add faces, larger ones first, that do not lie on one already found: one face is sometimes reported twice."""
    for face in sorted(more, key=lambda each: -box_of(each.points).width):
        if not _holds(found, box_of(face.points)):
            found.append(face)
