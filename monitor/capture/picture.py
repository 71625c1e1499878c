# SPDX-License-Identifier: Apache-2.0
"""Decoded pictures as PyAV gives them in, upright I420 of even size out."""

from typing import Final

import numpy as np
from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from monitor.values import Picture

__all__ = ["picture_of"]

SMALLEST_PX: Final = 2
BT601: Final = frozenset({2, 5, 6})
"""H.273 matrix codes read as BT.601: unspecified, 470BG and 170M. Most video calls leave it unspecified."""

MATRICES: Final = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}

Plane = NDArray[np.uint8]


def picture_of(frame: VideoFrame) -> Picture:
    """Copy a frame into one contiguous upright I420 picture (BT.601, limited range).

    An odd last row or column is cut off; a side of one pixel is scaled up to two. Other pixel formats, colour
    matrices and full range are converted by swscale. Rotation metadata is applied in quarter turns.
    """
    turns = round(frame.rotation / 90) % 4
    plain = _as_bt601(frame)
    width, height = plain.width // 2, plain.height // 2
    luma, blue, red = plain.planes[:3]
    planes = (_plane(luma, 2 * width, 2 * height), _plane(blue, width, height), _plane(red, width, height))
    return Picture(_packed([np.rot90(each, turns) if turns else each for each in planes]))


def _as_bt601(frame: VideoFrame) -> VideoFrame:
    full = frame.color_range == ColorRange.JPEG or frame.format.name == "yuvj420p"
    tiny = min(frame.width, frame.height) < SMALLEST_PX
    if frame.format.name == "yuv420p" and frame.colorspace in BT601 and not full and not tiny:
        return frame
    return frame.reformat(
        width=max(frame.width, SMALLEST_PX),
        height=max(frame.height, SMALLEST_PX),
        format="yuv420p",
        src_colorspace=MATRICES.get(frame.colorspace, Colorspace.ITU601),
        dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG,
    )


def _plane(plane: VideoPlane, width: int, height: int) -> Plane:
    buffer: Plane = np.frombuffer(memoryview(plane), np.uint8)
    return buffer[: plane.line_size * plane.height].reshape(-1, plane.line_size)[:height, :width]


def _packed(planes: list[Plane]) -> Plane:
    height, width = planes[0].shape
    flat = np.empty(width * height * 3 // 2, np.uint8)
    start = 0
    for plane in planes:
        flat[start : start + plane.size].reshape(plane.shape)[...] = plane
        start += plane.size
    return flat.reshape(height * 3 // 2, width)
