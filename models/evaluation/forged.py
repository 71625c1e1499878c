# SPDX-License-Identifier: Apache-2.0
"""Real footage in, the same footage forged out, to see how forgeries of known people are judged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from models.data.crops import Footage
from models.forgeries.mix import SHARES, forge

__all__ = ["forge_footage"]

MOST_FRAMES: Final = 60


def forge_footage(footage: Sequence[Footage], seed: int) -> list[Footage]:
    """Forge each film or portrait once, the kinds in turn, with another person of `footage` as donor."""
    kinds = list(SHARES)
    forged = []
    for number, one in enumerate(footage):
        rng = np.random.default_rng((seed, number))
        others = [other for other in footage if other.identity != one.identity and other.grey == one.grey] or [one]
        donor = others[int(rng.integers(len(others)))]
        kept = range(min(one.frames, MOST_FRAMES))
        kind = kinds[number % len(kinds)]
        made = forge(kind, one.clip(list(kept)), donor.clip([0]), rng)
        row = {**one.row, "label": "forged", "method": kind}
        forged.append(
            replace(
                one,
                rgb=made.rgb,
                points=one.points[: len(kept)],
                media_s=one.media_s[: len(kept)],
                face_px=one.face_px[: len(kept)],
                judgeable=one.judgeable[: len(kept)],
                row=row,
            )
        )
    return forged
