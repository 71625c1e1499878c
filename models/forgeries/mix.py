# SPDX-License-Identifier: Apache-2.0
"""The kinds of forgery, how often each is drawn, and what kind of attack each stands for."""

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from models.forgeries.animated_still import animated_still
from models.forgeries.clip import Clip, Forged, Forger
from models.forgeries.cross_identity import cross_identity
from models.forgeries.drift import drift
from models.forgeries.flicker import flicker
from models.forgeries.low_resolution import low_resolution
from models.forgeries.mouth import mouth_blend
from models.forgeries.occlusion import occlusion
from models.forgeries.paper import paper
from models.forgeries.rerender import rerender
from models.forgeries.retimed import retimed
from models.forgeries.screen import screen
from models.forgeries.self_blend import self_blend
from models.forgeries.style import PLAIN, Style
from models.forgeries.whole_frame import whole_frame

__all__ = ["ATTACK", "FORGERS", "LEAST_CHANGE", "SELF_BLENDED", "SHARES", "change", "draw_kind", "forge"]

FORGERS: Final[Mapping[str, Forger]] = {
    "self_blend": self_blend,
    "flicker": flicker,
    "low_resolution": low_resolution,
    "cross_identity": cross_identity,
    "mouth": mouth_blend,
    "drift": drift,
    "occlusion": occlusion,
    "animated_still": animated_still,
    "retimed": retimed,
    "whole_frame": whole_frame,
    "rerender": rerender,
    "screen": screen,
    "paper": paper,
}

ATTACK: Final[Mapping[str, str]] = {
    "self_blend": "face_swap",
    "flicker": "face_swap",
    "low_resolution": "face_swap",
    "cross_identity": "face_swap",
    "mouth": "lip_sync",
    "drift": "face_swap",
    "occlusion": "face_swap",
    "animated_still": "reenactment",
    "retimed": "reenactment",
    "whole_frame": "synthetic",
    "rerender": "synthetic",
    "screen": "replay",
    "paper": "print",
}
"""The attack that each kind is nearest to, by the names of the verdict's attack kinds."""

SELF_BLENDED: Final = frozenset({"self_blend", "flicker", "occlusion"})
"""Kinds that blend a changed copy of the face over itself."""

SHARES: Final[Mapping[str, float]] = {
    "self_blend": 0.40,  # at least half of the blends: fewer cost face swaps more than others gained on lip-sync
    "flicker": 0.04,  # a self-blend whose only news is in time, which codecs leave better than detail
    "low_resolution": 0.08,  # small swap networks; with the mouth it lifted lip-sync by .1 to .25
    "cross_identity": 0.11,  # classical swaps: real differences of shape and light, but rougher than networks' swaps
    "mouth": 0.10,  # lip-sync, the commonest attack on calls after swaps
    "drift": 0.04,  # drifting organs, a cue that no other blend has
    "occlusion": 0.03,  # rare in calls, but a challenge asks for just that
    "animated_still": 0.07,  # reenactment and photo animation, which no blend resembles
    "retimed": 0.04,  # motion only, pixels plausible: seen over time or not at all
    "whole_frame": 0.08,  # wholly generated persons have no boundary; but cheap traces are easily over-learnt
    "rerender": 0.04,  # generators' traces; with a quarter of it real generators were told apart worse (0043)
    "screen": 0.02,  # seldom: it teaches another cue, and anything that is easy takes the network's attention
    "paper": 0.01,  # as the screen, and rarer in calls
}
"""Weights of the draw, divided by their sum."""

LEAST_CHANGE: Final = 1.5
TRIES: Final = 3


def draw_kind(rng: np.random.Generator, shares: Mapping[str, float] = SHARES) -> str:
    """Draw a kind of forgery."""
    names = list(shares)
    return str(rng.choice(names, p=np.array([shares[name] for name in names]) / sum(shares.values())))


def forge(kind: str, clip: Clip, donor: Clip, rng: np.random.Generator, style: Style = PLAIN) -> Forged:
    """Forge a clip; a draw that changes next to nothing is drawn again (a twin must differ to be told apart)."""
    forged = FORGERS[kind](clip, donor, rng, style)
    for _ in range(TRIES):
        if change(clip, forged) >= LEAST_CHANGE:
            break
        forged = FORGERS[kind](clip, donor, rng, style)
    return forged


def change(clip: Clip, forged: Forged) -> float:
    """Measure the mean change in grey levels, weighted by the mask, in the frame that changes most."""
    pairs = zip(forged.twin(clip), forged.rgb, forged.mask, strict=True)
    return max(_frame_change(real, fake, mask) for real, fake, mask in pairs)


def _frame_change(real: np.ndarray, fake: np.ndarray, mask: np.ndarray) -> float:
    difference = np.asarray(cv2.absdiff(real, fake), np.float32)
    weighted = float(cv2.multiply(difference.mean(axis=2), mask).sum())
    return weighted / max(float(mask.sum()), 1.0)
