# SPDX-License-Identifier: Apache-2.0
"""The kinds of forgery and how often each is drawn."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from models.forgeries.clip import Clip, Forged, Forger
from models.forgeries.cross_identity import cross_identity
from models.forgeries.drift import drift
from models.forgeries.low_resolution import low_resolution
from models.forgeries.mouth import mouth_blend
from models.forgeries.self_blend import self_blend
from models.forgeries.style import PLAIN, Style

__all__ = ["FORGERS", "SHARES", "draw_kind", "forge"]

FORGERS: Final[Mapping[str, Forger]] = {
    "self_blend": self_blend,
    "low_resolution": low_resolution,
    "cross_identity": cross_identity,
    "mouth": mouth_blend,
    "drift": drift,
}

SHARES: Final[Mapping[str, float]] = {
    "self_blend": 0.5,
    "low_resolution": 0.09,
    "cross_identity": 0.24,
    "mouth": 0.12,
    "drift": 0.05,
}
"""At least half self-blended: fewer cost face swaps more than the others gained on lip-sync."""

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
        if _change(clip, forged) >= LEAST_CHANGE:
            break
        forged = FORGERS[kind](clip, donor, rng, style)
    return forged


def _change(clip: Clip, forged: Forged) -> float:
    """Mean absolute change in grey levels, weighted by the mask, of the first frame."""
    weight = forged.mask[0]
    change = np.abs(forged.rgb[0].astype(np.int16) - forged.twin(clip)[0]).mean(axis=2)
    return float((change * weight).sum() / max(float(weight.sum()), 1.0))
