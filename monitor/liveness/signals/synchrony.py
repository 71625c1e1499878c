# SPDX-License-Identifier: Apache-2.0
"""Faces and sound in, evidence of a mouth drawn from the sound out: it follows the sound more closely than people's do.

From the sound the mouth is told that people have to it (`models.synchrony`), and the mouth that was seen is compared
with it at lags of up to a second, while speech is heard. That generators are rewarded for agreement, so that theirs can
surpass real films', was seen by Prajwal et al. 2020 (ACM Multimedia, Wav2Lip: distances of SyncNet below those of real
films). A mouth that does not follow proves nothing here: somebody else may be speaking.
"""

from collections import deque
from functools import partial
from typing import Final

import numpy as np

from models.synchrony.expectation import Expectation, load_expectation
from models.synchrony.features import mouth
from models.voice import Voice, load_voice
from monitor.liveness.signals.signal import abstain
from monitor.liveness.speech.agreement import Agreement, agreement
from monitor.liveness.speech.listener import GRID_S, Listener
from monitor.liveness.speech.sound import SoundTrack
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop

__all__ = ["Synchrony", "ready"]

WINDOW_S: Final = 10.0
"""Looks that are compared; clips to calibrate on are no longer."""

LEAST_LOOKS: Final = 20
LEAST_SHARE: Final = 0.3
"""Looks while speech is heard, by the share of it within 0.4 s: four seconds at five looks a second."""

MOST_LOOKS: Final = 150
SPACING_S: Final = 0.08
"""Looks that follow sooner are left out: neighbours say the same, and the memory is bounded."""

MOST_YAW_DEG: Final = 35.0
"""A mouth seen from the side has another shape."""

GAP_S: Final = 2.0
LATE_S: Final = 3.0
"""A longer gap between looks begins anew; sound that ends longer before the look has stopped coming."""

ORIGIN: Final = 0.64
"""Margin that one new person in a hundred exceeds at worst (`python -m models.fusion.origins`)."""

SLOPE: Final = 5.0
MOST_NATS: Final = 0.5
"""Half a nat for about each standard deviation beyond, and no more, for the tail is extrapolated: an alert by this cue
alone takes half a minute of speech."""

KINDS: Final = {AttackKind.LIP_SYNC: 0.5, AttackKind.SYNTHETIC: 0.5}

MUTE: Final = "There is no sound to compare the mouth with."
SILENT: Final = "Too little speech is heard to compare the mouth with."
USUAL: Final = "The mouth follows the speech no more closely than people's do."
PERFECT: Final = "The mouth follows the sound more closely than people's do, as when it is drawn from the sound."


class Synchrony:
    """Compares the mouth with the sound each second; holds 14 s of both."""

    cue = "synchrony"

    def __init__(self, voice: Voice, expectation: Expectation) -> None:
        self._scale = expectation.scale
        self._sound = SoundTrack()
        self._listener = Listener(voice, expectation)
        self._looks: deque[tuple[float, np.ndarray[tuple[int], np.dtype[np.float32]]]] = deque(maxlen=MOST_LOOKS)
        self._last_s = 0.0
        self._found: Agreement | None = None

    def look(self, crop: FaceCrop, context: Context = NO_CONTEXT, /) -> Evidence:
        """Speak for `lip_sync` and `synthetic` while the mouth follows too well; abstain otherwise."""
        self._see(crop)
        news = [self._listener.hear(stretch) for stretch in self._sound.take(context.sound)]
        if any(news):
            self._compare()
        if not context.sound or crop.media_s - self._sound.ends_s > LATE_S:
            self._found = None
            return abstain(self.cue, crop, MUTE)
        if self._found is None:
            return abstain(self.cue, crop, SILENT)
        return self._say(crop, self._found.margin)

    def _say(self, crop: FaceCrop, margin: float) -> Evidence:
        if margin <= ORIGIN:
            return abstain(self.cue, crop, USUAL, margin, ORIGIN)
        return Evidence(
            cue=self.cue,
            track=crop.track,
            media_s=crop.media_s,
            llr_nats=min(MOST_NATS, SLOPE * (margin - ORIGIN)),
            reliability=crop.quality.weight,
            kinds=KINDS,
            sentence=PERFECT,
            measure=margin,
            origin=ORIGIN,
        )

    def _see(self, crop: FaceCrop) -> None:
        if not 0.0 <= crop.media_s - self._last_s <= GAP_S:
            self._looks.clear()
            self._found = None
        self._last_s = crop.media_s
        if crop.landmarks is None or crop.quality.yaw_deg > MOST_YAW_DEG:
            return
        if not self._looks or crop.media_s - self._looks[-1][0] >= SPACING_S:
            shape = mouth(crop.landmarks.points, crop.landmarks.blendshapes) / self._scale
            self._looks.append((crop.media_s, shape))

    def _compare(self) -> None:
        begins_s, expected = self._listener.expected
        ends_s = min(self._last_s, begins_s + len(expected) * GRID_S)
        times_s = np.array([at_s for at_s, _ in self._looks])
        mouths = np.array([shape for _, shape in self._looks])
        keep = (times_s > ends_s - WINDOW_S) & (times_s <= ends_s)
        keep &= self._listener.speech_share(times_s) > LEAST_SHARE
        enough = keep.sum() >= LEAST_LOOKS
        self._found = agreement(times_s[keep], mouths[keep], begins_s, expected, GRID_S) if enough else None


def ready() -> partial[Synchrony]:
    """Read the weights once; raises `WeightsError` for weights that must not be used."""
    return partial(Synchrony, load_voice(), load_expectation())
