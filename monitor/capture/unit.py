# SPDX-License-Identifier: Apache-2.0
"""One coded picture (access unit) and what is known of it."""

from typing import NamedTuple

from .av1_frame import Slots

__all__ = ["Unit"]


class Unit(NamedTuple):
    """One coded picture, whole.

    `stamp` is its RTP timestamp (32 bits), `arrived_s` monotonic seconds of its last packet; `lost` is how many
    packets, and so perhaps pictures, are missing since the unit before; `slots` are the references that an AV1 picture
    uses and replaces. The others are as in `Part`.
    """

    codec: str
    data: bytes
    stamp: int
    arrived_s: float
    keyframe: bool = False
    layer: int | None = None
    sync: bool = False
    disposable: bool = False
    base_index: int | None = None
    picture_id: int | None = None
    id_bits: int = 15
    lost: int = 0
    switch: bool = False
    distances: tuple[int, ...] | None = None
    slots: Slots | None = None
