# SPDX-License-Identifier: Apache-2.0
"""Decoded frames to upright I420."""

import numpy as np
import pytest
from av import VideoFrame
from av.video.reformatter import ColorRange

from monitor.capture.picture import picture_of
from tests.fakes.clips import rotated_frame


def frame_of(width: int, height: int) -> VideoFrame:
    """A frame whose luma says its column and row, and whose chroma planes are 90 and 160."""
    frame = VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (None, 90, 160), strict=True):
        rows, columns = np.mgrid[0 : plane.height, 0 : plane.line_size]
        samples = (16 + 3 * rows + columns) % 200 if value is None else np.full(rows.shape, value)
        plane.update(samples.astype(np.uint8).tobytes())
    return frame


def test_planes_are_packed() -> None:
    """Padding of the decoder is left out; each plane lies where OpenCV looks for it."""
    picture = picture_of(frame_of(18, 12))
    assert picture.i420.shape == (18, 18)
    assert picture.i420.flags["C_CONTIGUOUS"]
    assert (picture.width_px, picture.height_px) == (18, 12)
    assert picture.i420[2, 5] == 16 + 3 * 2 + 5
    flat = picture.i420.reshape(-1)
    assert set(flat[216:270]) == {90}
    assert set(flat[270:]) == {160}


def test_picture_is_a_copy() -> None:
    """The decoder may reuse its buffer at once."""
    frame = frame_of(16, 16)
    picture = picture_of(frame)
    before = picture.i420.copy()
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    assert np.array_equal(picture.i420, before)


@pytest.mark.parametrize(
    ("size", "expected"), [((33, 17), (32, 16)), ((16, 16), (16, 16)), ((1, 1), (2, 2)), ((1, 9), (2, 8))]
)
def test_sizes_become_even(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """An odd last row or column is cut off, a single pixel doubled; nothing else moves."""
    picture = picture_of(frame_of(*size))
    assert (picture.width_px, picture.height_px) == expected
    assert abs(int(picture.i420[0, 0]) - 16) <= 1


@pytest.mark.parametrize("turn", [0, 90, 180, -90])
def test_rotation_metadata_is_applied(turn: int) -> None:
    """The bright corner is where a player would show it: rotation metadata turns counterclockwise."""
    picture = picture_of(rotated_frame(turn))
    corners = {0: (0, 0), 90: (-1, 0), 180: (-1, -1), -90: (0, -1)}
    assert (picture.width_px, picture.height_px) == ((64, 32) if turn in {0, 180} else (32, 64))
    luma = picture.i420[: picture.height_px]
    assert luma[corners[turn]] > 150
    assert sum(int(luma[corner]) > 150 for corner in corners.values()) == 1


def test_full_range_becomes_limited() -> None:
    """White and black of a full-range stream are white and black of limited range."""
    frame = VideoFrame.from_ndarray(np.full((24, 16), 128, np.uint8), format="yuv420p")
    frame.planes[0].update(bytes([255]) * 128 + bytes([0]) * 128)
    frame.color_range = ColorRange.JPEG
    picture = picture_of(frame)
    assert abs(int(picture.i420[0, 0]) - 235) <= 1
    assert abs(int(picture.i420[15, 0]) - 16) <= 1


def test_other_pixel_formats_are_converted() -> None:
    """A red RGB frame becomes BT.601 red."""
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    flat = picture_of(VideoFrame.from_ndarray(red, format="rgb24")).i420.reshape(-1)
    assert np.allclose([flat[0], flat[256], flat[320]], [81, 90, 240], atol=2)


def test_bt709_becomes_bt601() -> None:
    """BT.709 red and BT.601 red are the same colour, written differently."""
    frame = VideoFrame.from_ndarray(np.full((24, 16), 63, np.uint8), format="yuv420p")
    frame.planes[1].update(bytes([102]) * frame.planes[1].buffer_size)
    frame.planes[2].update(bytes([240]) * frame.planes[2].buffer_size)
    frame.colorspace = 1
    flat = picture_of(frame).i420.reshape(-1)
    assert np.allclose([flat[0], flat[256], flat[320]], [81, 90, 240], atol=3)
