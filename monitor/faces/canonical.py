# SPDX-License-Identifier: Apache-2.0
"""Metadata of MediaPipe's face geometry (protobuf) in, the canonical face and the weights of its points out; pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["CanonicalFace", "read_canonical"]

FACE: Final = 1
BASIS: Final = 2
VERTICES: Final = 3
POINT: Final = 1
WEIGHT: Final = 2
"""Numbers of the fields that are read: the face's vertices; a point of the fit and what it counts."""

FLOATS_PER_VERTEX: Final = 5
"""x, y, z in centimetres and a place in a texture."""

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalFace:
    """Points of the fit: `indices` int [n] into the mesh, and what is known of them.

    `weights` float64 [n] add up to 1; `points` float64 [n, 3] in cm count from their weighted `middle` float64 [3];
    `spread` is the weighted sum of their squares.
    """

    indices: NDArray[np.int64]
    weights: NDArray[np.float64]
    middle: NDArray[np.float64]
    points: NDArray[np.float64]
    spread: float


def read_canonical(metadata: bytes) -> CanonicalFace:
    """Read the metadata; raises ValueError when it does not hold a face and weights for its points."""
    try:
        return _read(metadata)
    except (KeyError, IndexError, OverflowError, struct.error) as error:
        raise ValueError("it is no metadata of a face geometry") from error


def _read(metadata: bytes) -> CanonicalFace:
    face, basis = b"", []
    for number, value in _fields(metadata):
        if number == FACE:
            face = value
        elif number == BASIS:
            basis.append(dict(_fields(value)))
    vertices = b"".join(value for number, value in _fields(face) if number == VERTICES)
    if not vertices or not basis:
        raise ValueError("there is no canonical face in it")
    points = np.frombuffer(vertices, "<f4").reshape(-1, FLOATS_PER_VERTEX)[:, :3].astype(np.float64)
    indices = np.array([int.from_bytes(each.get(POINT, b""), "little") for each in basis])
    weights = np.array([struct.unpack("<f", each[WEIGHT])[0] for each in basis])
    return _centred(indices, points[indices], weights / weights.sum())


def _centred(indices: NDArray[np.int64], points: NDArray[np.float64], weights: NDArray[np.float64]) -> CanonicalFace:
    middle = weights @ points
    centred = points - middle
    return CanonicalFace(indices, weights, middle, centred, float(weights @ (centred**2).sum(axis=1)))


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Split a message into numbers and values; a varint comes as little-endian bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == VARINT:
            number, at = _varint(message, at)
            yield key >> 3, number.to_bytes(8, "little")
            continue
        length, at = _varint(message, at) if kind == BYTES else ({FIXED_32: 4, FIXED_64: 8}[kind], at)
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while message[at] & 0x80:
        number |= (message[at] & 0x7F) << shift
        shift += 7
        at += 1
    return number | message[at] << shift, at + 1
