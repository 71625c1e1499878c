# SPDX-License-Identifier: Apache-2.0
"""Parcels: looks travel as they are, arrays and all."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.liveness.judge import Look
from monitor.processes.parcel import ALIGNED, pack, unpack
from monitor.values import AudioChunk, Context, Landmarks
from tests.fakes.timeline import crop


def sent(value: object) -> object:
    """There and back."""
    return unpack(bytearray(b"".join(pack(value))))


def test_a_look_arrives_as_it_was_sent() -> None:
    """Pixels, surroundings, mesh, sound and facts; what arrives is the receiver's own."""
    sound = tuple(
        AudioChunk("c", "p", each / 50, each / 50, np.arange(each, dtype=np.int16), 16_000) for each in (3, 7)
    )
    mesh = Landmarks(np.ones((478, 3), np.float32), {"jawOpen": 0.5})
    shot = replace(crop(1.5, 3, side=9), landmarks=mesh, wide=np.full((5, 5, 3), 7, np.uint8))
    found = sent(Look(shot, Context(arrived_s=2.0, sound=sound)))
    assert isinstance(found, Look)
    np.testing.assert_array_equal(found.crop.rgb, shot.rgb)
    np.testing.assert_array_equal(found.crop.wide, shot.wide)
    np.testing.assert_array_equal(found.crop.landmarks.points, mesh.points)
    assert [list(each.samples) for each in found.context.sound] == [list(range(3)), list(range(7))]
    assert (found.crop.quality, found.crop.box, found.context.arrived_s) == (shot.quality, shot.box, 2.0)
    found.crop.rgb[:] = 0
    assert shot.rgb.any()


@pytest.mark.parametrize("array", [np.zeros(0, np.uint8), np.arange(24).reshape(2, 3, 4)[:, ::2], np.eye(3, order="F")])
def test_arrays_of_every_layout(array: np.ndarray) -> None:
    """Empty, in steps, in Fortran's order."""
    np.testing.assert_array_equal(sent((array,))[0], array)


def test_arrays_are_aligned() -> None:
    """However long what lies before them is."""
    for length in range(1, 40):
        words, numbers = sent((np.zeros(length, np.uint8), np.arange(4, dtype=np.float64)))
        assert len(words) == length
        assert numbers.flags.aligned
        assert numbers.ctypes.data % ALIGNED == 0
