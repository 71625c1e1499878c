# SPDX-License-Identifier: Apache-2.0
"""Crops of one face in, evidence of a frozen or looped still out when the picture repeats for seconds.

A live face is never still: it breathes, blinks (every 2 to 10 s; Bentivoglio et al. 1997, Movement Disorders 12) and
sways, and a camera adds noise, so that even neighbouring pictures differ. A picture that is shown again and again
differs only by its coding. That a repeated picture shows no live person is the static test of presentation attack
detection (Pan et al. 2007, ICCV: eye blink against photographs).

Measured on 128 bona fide clips of 105 people (13 minutes, 3,871 looks, mostly talking): no firing, and no stretch of
repeats longer than 0.4 s. People who listen without a move are rare in them, hence the wide margins below.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop

__all__ = ["FrozenFace"]

REPEAT_LEVELS: Final = 0.75
"""Mean difference from the first picture, in grey levels of 255, up to which a picture is a repeat.

Bona fide faces differ by several times this within seconds. A still differs by as much as its codec ripples: little
at hundreds of kbit/s, more than this at the lowest rates, where stills are missed.
"""

STILL_S: Final = 3.0
LEAST_LOOKS: Final = 6
"""Repeats must last this long, and be seen this often, before they are said to be repeats."""

GAP_S: Final = 1.0
"""After a longer gap the face was not watched, so its stillness is counted anew."""

FROZEN_NATS: Final = 1.0
"""Camera drivers freeze on bona fide calls too, so a second of repeats speaks softly: an alert takes a quarter
of a minute."""

FROZEN_SCORE: Final = 0.5
"""One in 1,000 bona fide looks, a cautious guess: how rarely a bona fide picture stands still was not observed."""


class FrozenFace:
    """Compares each crop with the first of its still stretch; holds one crop, whatever the length of the call."""

    cue = "frozen"

    def __init__(self) -> None:
        self._anchor: NDArray[np.int16] | None = None
        self._anchor_s = self._last_s = 0.0
        self._looks = 0

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Speak for `frozen` after STILL_S of repeats; abstain otherwise, for a moving picture proves no life."""
        grey = crop.rgb[..., 1].astype(np.int16)
        gap_s = crop.media_s - self._last_s
        self._last_s = crop.media_s
        if not 0.0 <= gap_s <= GAP_S or not self._repeats(grey):
            self._anchor, self._anchor_s, self._looks = grey, crop.media_s, 0
        self._looks += 1
        still_s = crop.media_s - self._anchor_s
        if still_s < STILL_S or self._looks < LEAST_LOOKS:
            return abstain(self.cue, crop, "The picture of the face changes as it should.")
        return Evidence(
            cue=self.cue,
            track=crop.track,
            media_s=crop.media_s,
            llr_nats=FROZEN_NATS,
            reliability=crop.quality.weight,
            kinds={AttackKind.FROZEN: 1.0},
            sentence="The picture of the face has not changed for seconds, as when a still is shown.",
            score=FROZEN_SCORE,
        )

    def _repeats(self, grey: NDArray[np.int16]) -> bool:
        if self._anchor is None or self._anchor.shape != grey.shape:
            return False
        return float(np.abs(grey - self._anchor).mean()) <= REPEAT_LEVELS
