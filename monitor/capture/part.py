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

    def join(self, later: "Part") -> None:
        """Let this part, the first of a picture, tell what a later one adds; `data` stays as it is."""
        self.keyframe |= later.keyframe
        self.sync |= later.sync
        self.disposable |= later.disposable
        if self.layer is None:
            self.layer = later.layer
        if self.distances is not None and later.distances:
            self.distances = tuple(sorted({*self.distances, *later.distances}))
