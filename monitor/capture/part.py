# SPDX-License-Identifier: Apache-2.0
"""What one packet holds and says of a coded picture."""

from dataclasses import dataclass

__all__ = ["Part"]


@dataclass(slots=True)
class Part:
    """One packet's share of a picture.

    `first` says that the picture surely begins here, `keyframe` that it needs no other. `layer` is the temporal layer,
    `sync` whether it refers to the base layer alone, `switch` that later pictures of higher layers refer to none of
    theirs before this one. `base_index` (8 bits) and `picture_id` (`id_bits` bits) count base pictures and pictures;
    `distances` are those to the pictures referred to, in picture ids, None where the stream does not tell.
    `disposable` says that no other picture refers to this one.
    """

    data: bytes
    first: bool = False
    keyframe: bool = False
    layer: int | None = None
    sync: bool = False
    switch: bool = False
    disposable: bool = False
    base_index: int | None = None
    picture_id: int | None = None
    id_bits: int = 15
    distances: tuple[int, ...] | None = None
