# SPDX-License-Identifier: Apache-2.0
"""Crops of one face in, evidence of a looped recording out when seconds of movement come back as they were.

Nobody moves twice alike: mouth, eyes, head and light together follow a path that does not return. A recording pushed
in through a virtual camera does, once it begins again, and so does one that is played there and back. How likeness is
measured, and where that comes from, is said in `recurrence`.

Measured on bona fide films, 5 looks a second: stretches of 8 s of different people have a cosine of less than .2, a
stretch with itself half a look later one of more than .6. The footage test of this cue asserts both.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.liveness.signals.recurrence import Recurrence, likeness, recurrence
from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop

__all__ = ["LOOKS_PER_S", "WINDOW", "LoopedFace", "Movement"]

SIDE: Final = 8
"""Side of the fingerprint: a mean picture of so many cells, enough to tell a mouth from an eye."""

LOOKS_PER_S: Final = 5.0
STEADY_LOOKS: Final = 9
"""What stays for 1.8 s is taken off: face, light and room are alike in every stretch, a slow turn in many."""

NOISE_LEVELS: Final = 1.0
"""Looks count alike, lest one turn of the head decide, but not where less than this moves: that is coding noise."""

WINDOW: Final = 40
"""Looks that must come back: 8 s. Shorter movements, a nod or a blink, do recur."""

HISTORY: Final = 1500
"""Looks that are remembered, 5 minutes: 384 KiB a face, for as long as the face is watched and no longer."""

LEAST_LOOKS: Final = 10
"""What comes back within 2 s is a rocking chair or a treadmill, not a recording."""

EVERY: Final = 5
AGREEING: Final = 4
SAME_LOOKS: Final = 1.5
"""A search every second; so many in a row must find the same period, for a coincidence does not go on."""

ALIKE: Final = 0.55
"""Between what chance gives one speaker on a long film and the least likeness of a loop; the tests hold it to both."""

MOVING: Final = 0.5
"""Mean length of a fingerprint's movement, 1 being far above the noise: under this, noise would decide."""

GAP_LOOKS: Final = 5
"""After a longer gap the memory begins anew: what was not watched has no period."""

LOOPED_NATS: Final = 1.5
LOOPED_SCORE: Final = 0.7
"""One in 10,000: no bona fide stretch came near the threshold; a tail extrapolated, not observed."""

MOVES: Final = "The face moves as it should, never twice alike."
STILL: Final = "The face moves too little to tell whether its movement comes back."
YOUNG: Final = "The face has not been seen long enough to tell whether its movement comes back."
ROCKS: Final = "The face moves to a beat, so that its movement comes back by itself."

Prints = NDArray[np.float32]


class Movement:
    """Looks in, what moves in them out: fingerprints less what stays for STEADY_LOOKS, each of length up to 1."""

    def __init__(self) -> None:
        self._recent: list[Prints] = []

    def see(self, rgb: NDArray[np.uint8]) -> Prints | None:
        """Take in a crop uint8 [S, S, 3]; give the movement half of STEADY_LOOKS ago, float32 [SIDE²], once known."""
        small = cv2.resize(rgb[..., 1], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        self._recent = [*self._recent, np.asarray(small, np.float32).ravel()][-STEADY_LOOKS:]
        if len(self._recent) < STEADY_LOOKS:
            return None
        moved = self._recent[STEADY_LOOKS // 2] - np.mean(self._recent, axis=0)
        return np.asarray(moved / np.sqrt(np.square(moved).sum() + moved.size * NOISE_LEVELS**2), np.float32)


class LoopedFace:
    """Remembers the movement on a steady beat of LOOKS_PER_S and searches it for the last WINDOW of it."""

    cue = "looped"

    def __init__(self) -> None:
        self._forget()
        self._beat = 0

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Speak for `loop` while the movement is one that was there before; abstain otherwise."""
        self._remember(crop)
        if self._since >= EVERY:
            self._since -= EVERY
            self._search()
        if not _agree(self._found):
            return abstain(self.cue, crop, self._sentence)
        ago_s = self._found[-1].looks / LOOKS_PER_S
        return Evidence(
            cue=self.cue,
            track=crop.track,
            media_s=crop.media_s,
            llr_nats=LOOPED_NATS,
            reliability=crop.quality.weight,
            kinds={AttackKind.LOOP: 1.0},
            sentence=f"The face moves just as it did {ago_s:.0f} s ago, as when a recording is looped.",
            score=LOOPED_SCORE,
        )

    def _forget(self) -> None:
        self._movement = Movement()
        self._prints = np.zeros((0, SIDE * SIDE), np.float32)
        self._since = 0
        self._found: tuple[Recurrence, ...] = ()
        self._sentence = YOUNG

    def _remember(self, crop: FaceCrop) -> None:
        """Put the look on its beat; beats without a look repeat it, a second look on a beat is left out."""
        beat = round(crop.media_s * LOOKS_PER_S)
        steps, self._beat = beat - self._beat, beat
        if not 0 <= steps <= GAP_LOOKS:
            self._forget()
            steps = 1
        seen = [self._movement.see(crop.rgb) for _ in range(steps)]
        fresh = [moved for moved in seen if moved is not None]
        if fresh:
            self._prints = np.concatenate((self._prints, fresh))[-HISTORY:]
            self._since += len(fresh)

    def _search(self) -> None:
        self._sentence = self._reason()
        if self._sentence != MOVES:
            self._found = ()
            return
        self._found = (*self._found, recurrence(self._prints, WINDOW, LEAST_LOOKS))[-AGREEING:]

    def _reason(self) -> str:
        """Why nothing can be found out, or that it can."""
        if len(self._prints) < WINDOW + LEAST_LOOKS:
            return YOUNG
        last = self._prints[-WINDOW:]
        if float(np.linalg.norm(last, axis=1).mean()) < MOVING:
            return STILL
        return ROCKS if _rocks(last) else MOVES


def _agree(found: tuple[Recurrence, ...]) -> bool:
    """Whether enough searches found one and the same earlier stretch going on."""
    if len(found) < AGREEING or min(one.likeness for one in found) < ALIKE:
        return False
    if len({one.mirrored for one in found}) > 1:
        return False
    # Played backwards, past and present run apart: the distance grows by two looks a look.
    growth = 2 * EVERY if found[0].mirrored else 0
    starts = [one.looks - growth * index for index, one in enumerate(found)]
    return max(starts) - min(starts) <= SAME_LOOKS


def _rocks(last: Prints) -> bool:
    """Whether the movement comes back within less than the shortest period of a recording."""
    half = len(last) // 2
    shifted = (last[half - looks : len(last) - looks] for looks in range(3, LEAST_LOOKS))
    return any(likeness(last[half:], earlier) >= ALIKE for earlier in shifted)
