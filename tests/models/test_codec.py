# SPDX-License-Identifier: Apache-2.0
"""Pictures in, pictures after a real encoder out, at a quantiser or a bitrate."""

import cv2
import numpy as np
import pytest

from models.data.codec import Compression, Scaler, compress
from tests.fakes.drawn_faces import SIDE_PX, drawn_clip


def _loss(clip: np.ndarray, compression: Compression, width_px: int = SIDE_PX, scaler: Scaler | None = None) -> float:
    result = compress(clip, compression, width_px, scaler or Scaler())
    assert result.shape == clip.shape
    return float(np.abs(result.astype(int) - clip).mean())


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_lower_bitrate_loses_more(codec: str) -> None:
    """20 kbit/s against 1,000, told as a coarser level too."""
    clip = drawn_clip(5, seed=7).rgb
    low, high = Compression(codec, kbps=20.0, fps=5.0), Compression(codec, kbps=1000.0, fps=5.0)
    assert _loss(clip, low) > 1.3 * _loss(clip, high)
    assert low.level(SIDE_PX) > high.level(SIDE_PX)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_rate_and_a_quantiser_are_repeatable(codec: str) -> None:
    """The same clip gives the same pictures, bit for bit: the effort does not depend on the clock."""
    clip = drawn_clip(4, seed=7).rgb
    for compression in (Compression(codec, kbps=100.0), Compression(codec, 30)):
        assert (compress(clip, compression, 120) == compress(clip, compression, 120)).all()


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_keyframe_stands_alone(codec: str) -> None:
    """What came before a keyframe at a constant quantiser does not matter for what comes after."""
    clip, other = drawn_clip(4, seed=7).rgb, drawn_clip(4, seed=8).rgb
    mixed = np.concatenate([other[:2], clip[2:]])
    anew = Compression(codec, 30, keyframes=(2,))
    leaning = Compression(codec, 30)
    assert (compress(clip, anew, SIDE_PX)[2:] == compress(mixed, anew, SIDE_PX)[2:]).all()
    assert not (compress(clip, leaning, SIDE_PX)[2:] == compress(mixed, leaning, SIDE_PX)[2:]).all()


def test_scalers_and_chroma_differ_a_little() -> None:
    """Each way of scaling and of dropping colour gives pictures of its own, none far from the others."""
    clip = drawn_clip(2, seed=7).rgb
    ways = [Scaler(), Scaler(cv2.INTER_CUBIC), Scaler(up=cv2.INTER_CUBIC), Scaler(point_chroma=True)]
    results = [compress(clip, Compression("h264", 20), 100, way).astype(int) for way in ways]
    gaps = [float(np.abs(one - results[0]).mean()) for one in results[1:]]
    assert all(0.0 < gap < 6.0 for gap in gaps)


def test_odd_and_tiny_sizes_are_made_fit() -> None:
    """Sides that no encoder takes."""
    clip = drawn_clip(2).rgb
    assert all(_loss(clip, Compression("vp8", 20), width_px) > 0 for width_px in (3, 61, SIDE_PX))
