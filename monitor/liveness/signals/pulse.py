# SPDX-License-Identifier: Apache-2.0
"""Crops of one face in, whether its skin beats as a pulse does out; it explains and abstains.

Blood changes the colour of skin with each beat (Verkruysse, Svaasand and Nelson 2008, Optics Express 16). How the beat
is found is said in `heartbeat`. It convicts nobody: deepfakes carry the pulse of the person who drives them (Seibold et
al. 2025, Frontiers in Imaging 4), and the compression of a call wipes it out of bona fide faces.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.signals.beat import BEAT_S, Beat, Step
from monitor.liveness.signals.heartbeat import heartbeat
from monitor.liveness.signals.signal import abstain
from monitor.liveness.signals.skin import skin
from monitor.values import NO_CONTEXT, Context, Evidence, FaceCrop

__all__ = ["LEAST_LOOKS", "MOST_LOOKS", "SkinPulse"]

LEAST_LOOKS: Final = 40
MOST_LOOKS: Final = 100
EVERY: Final = 5
"""8 to 20 s are looked at, once a second: eight are ten slow beats."""

GAP_S: Final = 1.75 * BEAT_S
"""Slower looks would fold one heart rate onto another."""

UNSEEN: Final = "No skin could be measured."
YOUNG: Final = "The skin has not been seen long enough, or too seldom, to find a pulse."
BEATS: Final = "The colour of the skin beats at one rate, as with a pulse; forgeries can carry one, too."
NO_BEAT: Final = "No pulse can be told in the colour of the skin, as is usual in compressed video."

CLEAR_SHARE: Final = 0.62
"""About one in a hundred stretches of 8 s of white noise exceeds this; a test draws them."""


class SkinPulse:
    """Holds the mean colours of MOST_LOOKS looks."""

    cue = "pulse"

    def __init__(self) -> None:
        self._beat = Beat(GAP_S)
        self._colours: deque[tuple[float, NDArray[np.float64]]] = deque(maxlen=MOST_LOOKS)
        self._new = 0
        self._share: float | None = None

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Abstain, with the share of power that is not at one heart rate as the measure."""
        colour = None if crop.landmarks is None else skin(crop, crop.landmarks)
        if colour is None:
            return abstain(self.cue, crop, UNSEEN)
        self._remember(crop.media_s, colour)
        if self._share is None:
            return abstain(self.cue, crop, YOUNG)
        sentence = BEATS if self._share > CLEAR_SHARE else NO_BEAT
        return abstain(self.cue, crop, sentence, 1.0 - self._share)

    def _remember(self, media_s: float, colour: NDArray[np.float64]) -> None:
        step = self._beat.step(media_s)
        if step is Step.PASSED_OVER:
            return
        if step is Step.ANEW:
            self._colours.clear()
            self._new, self._share = 0, None
        self._colours.append((media_s, colour))
        self._new += 1
        if len(self._colours) >= LEAST_LOOKS and self._new >= EVERY:
            self._new = 0
            times_s, colours = zip(*self._colours, strict=True)
            self._share = heartbeat(np.array(times_s), np.stack(colours)).share
