# SPDX-License-Identifier: Apache-2.0
"""Conversion: whole, region and shrunk pictures agree with each other and with BT.601."""

import cv2
import numpy as np
import pytest

from monitor.faces.picture import Region, planes, rgb
from monitor.values import Picture

RNG = np.random.default_rng(3)


def picture(width: int, height: int) -> Picture:
    """Random planes of a size."""
    return Picture(RNG.integers(16, 236, (height * 3 // 2, width), dtype=np.uint8))


@pytest.mark.parametrize(("width", "height"), [(2, 2), (16, 16), (38, 22), (22, 38), (176, 144)])
def test_a_region_is_the_same_part_of_the_whole(width, height):
    """Cutting before conversion gives bit for bit what cutting after it gives, whatever the size."""
    whole = picture(width, height)
    region = Region(
        width // 4 // 2 * 2, height // 4 // 2 * 2, max(width // 2 // 2 * 2, 2), max(height // 2 // 2 * 2, 2)
    )
    expected = rgb(whole)[region.top :, region.left :][: region.height, : region.width]
    np.testing.assert_array_equal(rgb(whole, region), expected)


def test_black_and_white_are_limited_range():
    """Luma 16 is black and 235 is white (BT.601, limited range)."""
    i420 = np.full((24, 16), 128, np.uint8)
    i420[:8], i420[8:16] = 16, 235
    converted = rgb(Picture(i420))
    assert (converted[:8] == 0).all()
    assert (converted[8:] == 255).all()


def test_a_saturated_colour_follows_bt601():
    """Pure red becomes Y 81, Cb 90, Cr 240 and comes back."""
    i420 = np.empty((3, 2), np.uint8)
    i420[:2], i420[2] = 81, (90, 240)
    np.testing.assert_allclose(rgb(Picture(i420))[0, 0], [255, 0, 0], atol=2)


def test_shrinking_keeps_the_mean_and_even_sides():
    """A shrunk picture averages areas and never exceeds the asked length."""
    whole = picture(642, 360)
    small = rgb(whole, longest_px=100)
    assert small.shape == (56, 100, 3)
    np.testing.assert_allclose(small.mean(axis=(0, 1)), rgb(whole).mean(axis=(0, 1)), atol=16)


def test_shrinking_never_enlarges():
    """A picture smaller than asked stays as it is."""
    whole = picture(16, 16)
    np.testing.assert_array_equal(rgb(whole, longest_px=640), rgb(whole))


def test_planes_are_views():
    """Luma and chroma are not copied."""
    whole = picture(32, 16)
    assert all(np.shares_memory(plane, whole.i420) for plane in planes(whole, Region(4, 2, 8, 8)))
    y, u, v = planes(whole)
    assert (y.shape, u.shape, v.shape) == ((16, 32), (8, 16), (8, 16))
    np.testing.assert_array_equal(cv2.cvtColor(whole.i420, cv2.COLOR_YUV2GRAY_I420), y)
