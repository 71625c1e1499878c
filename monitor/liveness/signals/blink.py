# SPDX-License-Identifier: Apache-2.0
"""Eye closures of one face in, a little evidence of a still or a generated face out when it never blinks.

People blink 17 times a minute at rest, 26 times in conversation and 4.5 times when they read (Bentivoglio et al. 1997,
Movement Disorders 12); stills do not, nor do some generators (Pan et al. 2007, ICCV; Li, Chang and Lyu 2018, WIFS,
"In ictu oculi"). Most of today's forgeries blink, so that a blink proves nothing.

A blink lasts 0.15 to 0.4 s, so at 5 looks a second it is seen in one or two, or not at all: how it closes and opens
cannot be told at this rate.
"""

from math import log
from typing import Final

from monitor.liveness.signals.eyelids import SEEN_S, Eyelids
from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop

__all__ = ["QUIET_S", "RareBlink"]

BLINKS_PER_S: Final = 16.0 / 60.0
"""Just under the rate at rest above, for blinks that fall between the looks."""

SHAPE: Final = 1.0
"""How alike people's rates are (shape of their gamma distribution), set low, so that people differ widely. Then, by
the formula, six in a hundred go the first minute without a blink that is seen, as if all of them read, at 4.5 blinks
a minute, and two blinks in five fell between the looks."""

QUIET_S: Final = 30.0
"""Before, no blink says nothing. One blink ends the evidence for as long as the face is watched."""

GAP_S: Final = 3.0
MOST_YAW_DEG: Final = 25.0
MOST_PITCH_DEG: Final = 20.0
LEAST_FACE_PX: Final = 80.0

UNSEEN: Final = "The eyelids could not be found."
TURNED: Final = "The face is turned too far, or is too small, to see it blink."
YOUNG: Final = "No blink was seen yet, which is common in so short a time."
BLINKS: Final = "The eyes blink, as people's eyes and those of most forgeries do."
QUIET: Final = "The eyes have not blinked once since the face was first seen, as in a picture or a generated face."

KINDS: Final = {AttackKind.SYNTHETIC: 0.4, AttackKind.REENACTMENT: 0.3, AttackKind.PRINT: 0.3}
"""Generated and animated faces were seen not to blink; that a print does not goes without measuring."""


class RareBlink:
    """Counts the blinks of one face in a few numbers, whatever the length of the call."""

    cue = "blink"

    def __init__(self) -> None:
        self._eyelids = Eyelids()
        self._last_s: float | None = None

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Speak while a face watched for QUIET_S has never blinked, each second less than the one before."""
        since_s = self._since(crop.media_s)
        closure = _closure(crop)
        if closure is None:
            return abstain(self.cue, crop, UNSEEN)
        if not _frontal(crop):
            return abstain(self.cue, crop, TURNED)
        self._eyelids.see(closure, since_s)
        if self._eyelids.ever or self._eyelids.watched_s < QUIET_S:
            return abstain(self.cue, crop, BLINKS if self._eyelids.ever else YOUNG, self._rarity())
        return Evidence(
            cue=self.cue,
            track=crop.track,
            media_s=crop.media_s,
            llr_nats=self._nats(since_s),
            reliability=crop.quality.weight,
            kinds=KINDS,
            sentence=QUIET,
            measure=self._rarity(),
        )

    def _since(self, media_s: float) -> float:
        """Seconds since the last look; after a gap, or when time runs back, everything begins anew."""
        since_s = media_s - self._last_s if self._last_s is not None else 0.0
        self._last_s = media_s
        if 0.0 <= since_s <= GAP_S:
            return since_s
        self._eyelids = Eyelids()
        return 0.0

    def _nats(self, since_s: float) -> float:
        """Nats a second: the rate still to be expected of such a face, times the share of time that is watched."""
        watched = min(1.0, SEEN_S / max(since_s, SEEN_S))
        return watched * SHAPE / (SHAPE / BLINKS_PER_S + self._eyelids.watched_s)

    def _rarity(self) -> float:
        """Nats by which the face blinks more seldom than people, as far as the time watched can tell."""
        lids = self._eyelids
        rate = (SHAPE + lids.blinks) / (SHAPE / BLINKS_PER_S + lids.recent_s)
        return log(BLINKS_PER_S / rate)


def _closure(crop: FaceCrop) -> float | None:
    """Mean closure 0..1 of both eyes."""
    if crop.landmarks is None:
        return None
    shapes = crop.landmarks.blendshapes
    left, right = shapes.get("eyeBlinkLeft"), shapes.get("eyeBlinkRight")
    return None if left is None or right is None else (left + right) / 2.0


def _frontal(crop: FaceCrop) -> bool:
    quality = crop.quality
    turned = quality.yaw_deg > MOST_YAW_DEG or quality.pitch_deg > MOST_PITCH_DEG
    return not turned and quality.face_px >= LEAST_FACE_PX
