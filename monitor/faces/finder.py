# SPDX-License-Identifier: Apache-2.0
"""Frames of one participant in, steady face tracks with their crops out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.config import FacesSettings
from monitor.faces.crop import Steady, place, render, steady, to_crop
from monitor.faces.landmarker import shared
from monitor.faces.picture import luma, search_rgb
from monitor.faces.quality import assess
from monitor.faces.tracker import NO_TRACKS, Sighting, follow
from monitor.values import FaceBox, FaceCrop, FaceLook, Frame, Landmarks, Picture, Reason

__all__ = ["FaceFinder", "box_of"]

SEARCH_PX = 640
"""Longer side of the picture that is searched; MediaPipe's detector sees 128 px of it and the mesh 256 px."""

MESH_POINTS = 468
PATCH_PX = (16, 16)
SCENE_PX = (32, 18)
DUPLICATE_OVERLAP = 0.5


class FaceFinder:
    """Finds and follows the faces of one participant; blocking, one thread at a time."""

    def __init__(self, settings: FacesSettings, model: Path, call: str, participant: str) -> None:
        """Prepare for one participant; AssetError when the model file is missing or cannot be loaded."""
        self._settings = settings
        self._landmarker = shared(model, settings.max_faces)
        self._call = call
        self._participant = participant
        self._tracks = NO_TRACKS
        self._steady: dict[int, Steady] = {}

    def look(self, frame: Frame) -> FaceLook:
        """Look at one frame; without a face the reasons say so, and tracks live on for `forget_after_s`."""
        picture = frame.picture
        small = search_rgb(picture, SEARCH_PX)
        faces = _distinct(_enlarged(self._landmarker.find(small), small, picture))
        boxes = [box_of(face.points) for face in faces]
        sightings = [Sighting(box, _patch(_inside(luma(picture), box), PATCH_PX)) for box in boxes]
        scene = _patch(luma(picture), SCENE_PX)
        followed = follow(self._tracks, sightings, scene, frame.media_s, self._settings.forget_after_s)
        self._tracks = followed.tracks
        for track in followed.ended:
            self._steady.pop(track, None)
        crops = tuple(
            self._crop(frame, face, box, track)
            for face, box, track in zip(faces, boxes, followed.numbers, strict=True)
        )
        reasons = () if crops else (Reason.NO_FACE,)
        return FaceLook(frame.media_s, crops, followed.ended, reasons)

    def close(self) -> None:
        """Forget all faces; the shared model stays for other participants."""
        self._tracks = NO_TRACKS
        self._steady.clear()

    def _crop(self, frame: Frame, face: Landmarks, box: FaceBox, track: int) -> FaceCrop:
        smoothed = steady(self._steady.get(track), place(face.points), frame.media_s)
        self._steady[track] = smoothed
        side = self._settings.crop_px
        matrix = to_crop(smoothed.placement, side)
        pixels = render(frame.picture, matrix, side)
        size = (frame.picture.width_px, frame.picture.height_px)
        quality = assess(pixels, matrix, face, box, size, self._settings.min_face_px)
        return FaceCrop(self._call, self._participant, track, frame.media_s, pixels, box, matrix, quality, face)


def box_of(points: NDArray[np.float32]) -> FaceBox:
    """Bound the face mesh of landmarks float32 [478, 3]."""
    low, high = points[:MESH_POINTS, :2].min(axis=0), points[:MESH_POINTS, :2].max(axis=0)
    return FaceBox(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def _enlarged(faces: Sequence[Landmarks], small: NDArray[np.uint8], picture: Picture) -> list[Landmarks]:
    x, y = picture.width_px / small.shape[1], picture.height_px / small.shape[0]
    scale = np.array([x, y, x], np.float32)
    return [replace(face, points=face.points * scale) for face in faces]


def _distinct(faces: Sequence[Landmarks]) -> list[Landmarks]:
    """Drop a face that lies on a larger one: the detector sometimes reports one face twice."""
    kept: list[tuple[FaceBox, Landmarks]] = []
    for box, face in sorted(((box_of(face.points), face) for face in faces), key=lambda pair: -pair[0].width):
        if all(_overlap(box, other) < DUPLICATE_OVERLAP for other, _ in kept):
            kept.append((box, face))
    return [face for _, face in kept]


def _overlap(one: FaceBox, other: FaceBox) -> float:
    """Share of the smaller box that lies in the other."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    smaller = max(min(one.width * one.height, other.width * other.height), 1e-6)
    return max(width, 0.0) * max(height, 0.0) / smaller


def _inside(plane: NDArray[np.uint8], box: FaceBox) -> NDArray[np.uint8]:
    height, width = plane.shape
    left, top = min(max(int(box.left), 0), width - 1), min(max(int(box.top), 0), height - 1)
    right, bottom = int(box.left + box.width), int(box.top + box.height)
    return plane[top : max(bottom, top + 1), left : max(right, left + 1)]


def _patch(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Shrink a plane and make it a vector of zero mean and unit length, all 0 when flat."""
    small = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32).reshape(-1)
    small = small - small.mean()
    length = float(np.linalg.norm(small))
    return small / length if length > 1e-3 else small * 0
