# SPDX-License-Identifier: Apache-2.0
"""A film of one person and a face of another in, a film with the face swapped out: the attack of the demo.

A classical swap driven by landmarks: the face is warped triangle by triangle and blended in the gradient domain
(Perez, Gangnet, Blake, "Poisson image editing", SIGGRAPH 2003). It shows the alert path at work and is no stand-in for
the swaps of trained generators.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from monitor.errors import FileError
from monitor.faces.boxes import MESH_POINTS
from monitor.faces.crop import place, to_crop
from monitor.faces.landmarker import Landmarker, shared
from monitor.faces.quality import assess
from monitor.values import Landmarks

__all__ = ["Face", "best_face", "forge", "freeze", "reencode", "swap_face"]

Rgb = NDArray[np.uint8]
Points = NDArray[np.float32]
Told = Callable[[float], None]

EDGE_PX = 5
"""The pasted area ends this far inside the hull of the landmarks, where skin meets skin."""

INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""Ring round the opening of the mouth: teeth and tongue stay the target's own, the mesh knows nothing of them."""

ROOM_PX = 8
"""What is blended round the hull's bounding box; nothing outside it changes."""

LOOKS = 24
"""Frames of the second film among which the best face is chosen."""

CROP_PX = 112
ENCODER = "libx264"
ENCODING = {"crf": "20", "preset": "veryfast", "bf": "0"}


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face to put on another: RGB uint8 [h, w, 3] and its landmarks float32 [478, 3] in those pixels."""

    rgb: Rgb
    points: Points

    def triangles(self) -> NDArray[np.int32]:
        """Give the Delaunay triangles of the face mesh, int32 [n, 3] indices of its points."""
        return np.asarray(Delaunay(self.points[:MESH_POINTS, :2].astype(np.float64)).simplices, np.int32)


def forge(target: Path, face: Path, out: Path, model: Path, told: Told | None = None) -> None:
    """Write the film `target` to `out` with the best face of the film `face` on every face of its own.

    Size, rate, timestamps and sound stay those of `target`; `told` hears the share done, 0..1. The same input gives
    the same output. FileError when a film cannot be read or holds no face, AssetError without the model.
    """
    landmarker = shared(model, 1)
    donor = best_face(face, landmarker)
    triangles = donor.triangles()
    forged = 0

    def edit(rgb: Rgb) -> Rgb:
        nonlocal forged
        for found in landmarker.find(rgb):
            rgb = swap_face(rgb, found.points, donor, triangles)
            forged += 1
        return rgb

    _rewrite(target, out, edit, told)
    if not forged:
        raise FileError(f"No face was found in {target}.", "Choose a film that shows a face.")


def reencode(target: Path, out: Path, told: Told | None = None) -> None:
    """Write the film `target` to `out` by the same way as `forge` does, but unchanged: its genuine twin."""
    _rewrite(target, out, lambda rgb: rgb, told)


def freeze(target: Path, out: Path, seconds: float) -> None:
    """Write the first picture of the film `target` to `out` for `seconds`: a camera that is stuck.

    FileError when the film cannot be read.
    """
    with _opened(target) as source, av.open(str(out), "w") as written:
        picture = source.streams.video[0]
        encoder = _encoder(written, picture)
        rgb = _rgb(next(_frames(source, target)))
        for index in range(round(seconds * float(encoder.codec_context.framerate))):
            still = VideoFrame.from_ndarray(rgb, format="rgb24")
            still.pts, still.time_base = index, 1 / encoder.codec_context.framerate
            written.mux(encoder.encode(still))
        written.mux(encoder.encode(None))


def swap_face(rgb: Rgb, points: Points, face: Face, triangles: NDArray[np.int32] | None = None) -> Rgb:
    """Put `face` on the face that has `points` float32 [478, 3] in RGB uint8 [h, w, 3]; returns a new picture.

    A face that lies so far outside the picture that nothing can be pasted is left as it is.
    """
    triangles = face.triangles() if triangles is None else triangles
    mesh = np.ascontiguousarray(points[:MESH_POINTS])
    height, width = rgb.shape[:2]
    low = np.clip(np.floor(mesh[:, :2].min(axis=0)).astype(int) - ROOM_PX, 0, (width, height))
    high = np.clip(np.ceil(mesh[:, :2].max(axis=0)).astype(int) + ROOM_PX, 0, (width, height))
    swapped = rgb.copy()
    part = swapped[low[1] : high[1], low[0] : high[0]]
    if part.size:
        part[...] = _pasted(part, mesh - np.array([*low, 0], np.float32), face, triangles)
    return swapped


def best_face(film: Path, landmarker: Landmarker) -> Face:
    """Choose the largest, sharpest, most frontal face with open eyes and closed mouth among frames of a film.

    FileError when the film cannot be read or shows no face.
    """
    best: tuple[float, Face] | None = None
    for rgb in _sparse(film):
        for found in landmarker.find(rgb)[:1]:
            value = _portrait_value(rgb, found)
            if best is None or value > best[0]:
                best = (value, Face(rgb, found.points))
    if best is None:
        raise FileError(f"No face was found in {film}.", "Choose a film that shows a face.")
    return best[1]


def _portrait_value(rgb: Rgb, face: Landmarks) -> float:
    matrix = to_crop(place(face.points), CROP_PX)
    crop = cv2.warpAffine(rgb, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_AREA)
    quality = assess(np.asarray(crop, np.uint8), matrix, face, (rgb.shape[1], rgb.shape[0]), 1)
    shapes = face.blendshapes
    closed_eyes = shapes.get("eyeBlinkLeft", 0.0) + shapes.get("eyeBlinkRight", 0.0)
    turned = (quality.yaw_deg + quality.pitch_deg) / 30.0
    return quality.visible + math.log(quality.face_px) - turned - closed_eyes - shapes.get("jawOpen", 0.0)


def _pasted(rgb: Rgb, mesh: Points, face: Face, triangles: NDArray[np.int32]) -> Rgb:
    height, width = rgb.shape[:2]
    area = _mask(mesh, width, height)
    left, top, wide, high = cv2.boundingRect(area)
    if min(wide, high) < 3:
        return rgb
    warped, covered = _warp(mesh, face, triangles, width, height)
    source = np.where(covered[:, :, None], warped, rgb)
    middle = (left + wide // 2, top + high // 2)
    return np.asarray(cv2.seamlessClone(source, np.ascontiguousarray(rgb), area, middle, cv2.NORMAL_CLONE), np.uint8)


def _mask(mesh: Points, width: int, height: int) -> Rgb:
    hull = cv2.convexHull(np.ascontiguousarray(mesh[:, :2]))
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 255)
    mask[[0, -1], :] = 0
    mask[:, [0, -1]] = 0
    cv2.fillPoly(mask, [np.round(mesh[list(INNER_LIPS), :2]).astype(np.int32)], 0)
    kernel = np.ones((EDGE_PX, EDGE_PX), np.uint8)
    return np.asarray(cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)


def _warp(
    mesh: Points, face: Face, triangles: NDArray[np.int32], width: int, height: int
) -> tuple[Rgb, NDArray[np.bool_]]:
    """Draw the face with its triangles moved to `mesh`: RGB uint8 [h, w, 3], and where anything was drawn."""
    owner = _owners(mesh, triangles, width, height)
    covered = owner >= 0
    affine = _affine(mesh[triangles][:, :, :2], face.points[triangles][:, :, :2])[owner]
    y, x = np.mgrid[0:height, 0:width] + 0.5
    map_x = affine[..., 0, 0] * x + affine[..., 0, 1] * y + affine[..., 0, 2] - 0.5
    map_y = affine[..., 1, 0] * x + affine[..., 1, 1] * y + affine[..., 1, 2] - 0.5
    warped = cv2.remap(
        face.rgb, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8), covered


def _owners(mesh: Points, triangles: NDArray[np.int32], width: int, height: int) -> NDArray[np.int32]:
    """Give the triangle each pixel belongs to, int32 [h, w], -1 for none; nearer triangles cover farther ones."""
    owner = np.full((height, width), -1, np.int32)
    depth = mesh[triangles][:, :, 2].mean(axis=1)
    corners = np.round(mesh[triangles][:, :, :2] - 0.5).astype(np.int32)
    for index in np.argsort(-depth, kind="stable").tolist():
        cv2.fillConvexPoly(owner, corners[index], index)
    return owner


def _affine(drawn: Points, source: Points) -> NDArray[np.float64]:
    """Solve the affine maps, float64 [n, 2, 3], that take each drawn triangle [n, 3, 2] to its source."""
    ones = np.ones((*drawn.shape[:2], 1))
    corners = np.concatenate([drawn, ones], axis=2).astype(np.float64)
    return np.asarray((np.linalg.pinv(corners) @ source.astype(np.float64)).transpose(0, 2, 1), np.float64)


def _sparse(film: Path) -> Iterator[Rgb]:
    """Yield up to `LOOKS` frames spread over a film."""
    with _opened(film) as container:
        step_s = float(container.duration or 0) / av.time_base / LOOKS
        due_s = -math.inf
        for frame in _frames(container, film):
            if (frame.time or 0.0) >= due_s:
                due_s = max(due_s, frame.time or 0.0) + step_s
                yield _rgb(frame)


def _opened(film: Path) -> Any:  # noqa: ANN401
    try:
        container = av.open(str(film))
    except (OSError, ValueError) as error:
        raise FileError(f"{film} cannot be read: {error}.", "Choose a film that plays.") from error
    if not container.streams.video:
        container.close()
        raise FileError(f"{film} has no picture.", "Choose a film with a video track.")
    return container


def _frames(container: Any, film: Path) -> Iterator[VideoFrame]:  # noqa: ANN401
    try:
        yield from container.decode(video=0)
    except (OSError, ValueError) as error:
        raise FileError(f"{film} breaks off: {error}.", "Choose a film that plays to its end.") from error


def _rgb(frame: VideoFrame) -> Rgb:
    """Convert a frame, cut to even size."""
    rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return np.ascontiguousarray(rgb[: frame.height // 2 * 2, : frame.width // 2 * 2])


def _rewrite(target: Path, out: Path, edit: Callable[[Rgb], Rgb], told: Told | None) -> None:
    with ExitStack() as stack:
        source = stack.enter_context(_opened(target))
        picture = source.streams.video[0]
        length_s = float(source.duration or 0) / av.time_base
        written = stack.enter_context(av.open(str(out), "w"))
        encoder = _encoder(written, picture)
        sound = source.streams.audio[0] if source.streams.audio else None
        copied = written.add_stream_from_template(sound) if sound else None
        for packet in source.demux([stream for stream in (picture, sound) if stream]):
            if packet.stream is sound:
                _copy(written, packet, copied)
                continue
            for frame in packet.decode():
                written.mux(encoder.encode(_edited(frame, edit)))
                if told and length_s:
                    told(min((frame.time or 0.0) / length_s, 1.0))
        written.mux(encoder.encode(None))
    if told:
        told(1.0)


def _encoder(written: Any, picture: Any) -> Any:  # noqa: ANN401
    encoder = written.add_stream(ENCODER, rate=picture.average_rate or Fraction(25), options=ENCODING)
    encoder.width, encoder.height = picture.width // 2 * 2, picture.height // 2 * 2
    encoder.pix_fmt = "yuv420p"
    encoder.codec_context.time_base = picture.time_base
    encoder.codec_context.thread_count = 1
    return encoder


def _edited(frame: VideoFrame, edit: Callable[[Rgb], Rgb]) -> VideoFrame:
    changed = VideoFrame.from_ndarray(edit(_rgb(frame)), format="rgb24")
    changed.pts, changed.time_base = frame.pts, frame.time_base
    return changed


def _copy(written: Any, packet: Any, stream: Any) -> None:  # noqa: ANN401
    if packet.dts is not None:
        packet.stream = stream
        written.mux(packet)
