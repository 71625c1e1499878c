# SPDX-License-Identifier: Apache-2.0
"""The metadata of the face geometry: what is read of it, and that nothing else is taken for it."""

import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.faces.canonical import read_canonical
from monitor.faces.networks import GEOMETRY_MEMBER
from tests.fakes.media import sample


def message(*fields: tuple[int, bytes]) -> bytes:
    """Length-delimited fields of a small message."""
    return b"".join(bytes([number << 3 | 2, len(value)]) + value for number, value in fields)


def vertex(*values: float) -> bytes:
    """One vertex, each number a field of its own, as MediaPipe writes them."""
    return b"".join(bytes([3 << 3 | 5]) + struct.pack("<f", value) for value in values)


def basis(index: int, weight: float) -> bytes:
    """One point of the fit."""
    return bytes([1 << 3, index, 2 << 3 | 5]) + struct.pack("<f", weight)


def test_points_and_weights_are_read():
    """Points count from their weighted middle, weights add up to one, the first point has index 0."""
    face = vertex(0, 0, 0, 9, 9) + vertex(4, 0, 0, 9, 9) + vertex(7, 7, 7, 9, 9)
    read = read_canonical(message((1, face), (2, basis(1, 3.0)), (2, basis(0, 1.0))))
    assert read.indices.tolist() == [1, 0]
    np.testing.assert_allclose(read.weights, [0.75, 0.25])
    np.testing.assert_allclose(read.middle, [3, 0, 0])
    np.testing.assert_allclose(read.points, [[1, 0, 0], [-3, 0, 0]])
    assert read.spread == pytest.approx(0.75 * 1 + 0.25 * 9)


def test_the_real_face_is_symmetrical_and_as_large_as_a_face():
    """The fetched file: 33 points, as many on the left as on the right, about 15 cm wide."""
    with zipfile.ZipFile(sample("face_landmarker")) as bundle:
        read = read_canonical(bundle.read(GEOMETRY_MEMBER))
    assert read.indices.shape == (33,)
    assert read.weights.sum() == pytest.approx(1.0)
    assert read.middle[0] == pytest.approx(0.0, abs=1e-3)
    assert 12 < np.ptp(read.points[:, 0]) < 17


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(junk):
    """Whatever is not such a message raises ValueError and nothing else."""
    with pytest.raises(ValueError):
        read_canonical(junk)
