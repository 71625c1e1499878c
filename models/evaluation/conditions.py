# SPDX-License-Identifier: Apache-2.0
"""What footage went through before it was judged: a name, and for the cheap conditions a codec on the crops alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.data.codec import Compression, compress
from models.errors import DataError
from models.forgeries.clip import Pixels

__all__ = ["CLEAN", "CONDITIONS", "Condition", "chosen", "named"]

CLEAN: Final = "clean"
CROP_MARGIN: Final = 1.3
WIDE: Final = 1.5
"""Side of an exported picture over the run-time crop's, whose side is 1.3 x the face."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What happens to crops before they are judged: width of the face in pixels, and a codec at a constant quantiser.

    None of both leaves them as they are.
    """

    name: str
    face_px: float | None
    compression: Compression | None

    def apply(self, clip: Pixels) -> Pixels:
        """Damage a clip uint8 [T, S, S, 3]."""
        if self.compression is None or self.face_px is None:
            return clip
        return compress(clip, self.compression, min(clip.shape[1], round(self.face_px * CROP_MARGIN * WIDE)))

    def width_px(self, face_px: float) -> float:
        """Width of a face after the condition; it never grows."""
        return face_px if self.face_px is None else min(face_px, self.face_px)


CONDITIONS: Final = (
    Condition(CLEAN, None, None),
    Condition("vp8", 69.0, Compression("vp8", 32)),
    Condition("low", 47.0, Compression("vp8", 44)),
)
"""As it came; a face of about 70 px through VP8 as 360p calls have it; one of 47 px through strong compression."""


def named(names: Sequence[str]) -> list[Condition]:
    """Look conditions up by name; raises `DataError` for one that is not known."""
    known = {condition.name: condition for condition in CONDITIONS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DataError(f"no condition is named {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def chosen(row: Mapping[str, str], conditions: Sequence[Condition]) -> list[Condition]:
    """The conditions to judge one file in: footage that was sent through a codec whole is judged as it came out."""
    own = row.get("condition") or CLEAN
    return list(conditions) if own == CLEAN else [Condition(own, None, None)]
