# SPDX-License-Identifier: Apache-2.0
"""A script of looks and evidence in, the policy's decisions out; time is a number, nothing waits."""

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from monitor.policy.participant import Decision, ParticipantPolicy
from monitor.values import (
    NO_FACTS,
    AttackKind,
    Evidence,
    FaceBox,
    FaceCrop,
    FaceLook,
    Quality,
    Reason,
    StreamFacts,
)

__all__ = ["counter", "crop", "evidence", "gaussian_llr", "look", "play", "quality"]

SWAP: Mapping[AttackKind, float] = {AttackKind.FACE_SWAP: 0.7, AttackKind.LIP_SYNC: 0.3}


def counter() -> Callable[[], str]:
    """An id factory that counts: alert-0, alert-1 and so on."""
    numbers = itertools.count()
    return lambda: f"alert-{next(numbers)}"


def quality(*reasons: Reason, face_px: float = 120.0, sharpness: float = 30.0, weight: float = 1.0) -> Quality:
    """A face that can be judged, or not for the given reasons."""
    return Quality(face_px, sharpness, 0.5, 0.0, 0.0, 1.0, weight, reasons)


def crop(media_s: float, track: int = 1, *, seen: Quality | None = None, side: int = 8, level: int = 128) -> FaceCrop:
    """One evenly grey crop of call `c`, participant `p`."""
    rgb = np.full((side, side, 3), level, np.uint8)
    box = FaceBox(0.0, 0.0, 100.0, 100.0)
    return FaceCrop("c", "p", track, media_s, rgb, box, np.eye(2, 3, dtype=np.float32), seen or quality())


def look(media_s: float, *tracks: int, seen: Quality | None = None, ended: Sequence[int] = ()) -> FaceLook:
    """A look at faces of equal quality."""
    crops = tuple(crop(media_s, track, seen=seen) for track in tracks)
    return FaceLook(media_s, crops, tuple(ended), () if tracks else (Reason.NO_FACE,))


def evidence(
    media_s: float,
    llr_nats: float,
    track: int = 1,
    *,
    cue: str = "detector",
    reliability: float = 1.0,
    kinds: Mapping[AttackKind, float] = SWAP,
    score: float | None = 0.1,
) -> Evidence:
    """One cue's word; its sentence names the cue."""
    return Evidence(cue, track, media_s, llr_nats, reliability, kinds, f"{cue} speaks", score)


def gaussian_llr(separation: float, *, forged: bool, seed: int) -> Callable[[], float]:
    """Log-likelihood ratios of two unit normals `separation` apart: N(+-d^2/2, d^2), KL = d^2/2."""
    source = random.Random(seed)
    mean = separation**2 / 2 * (1 if forged else -1)
    return lambda: source.gauss(mean, separation)


def play(
    policy: ParticipantPolicy,
    start_s: float,
    seconds: float,
    llr_nats: Callable[[], float] | float,
    *,
    per_s: float = 5.0,
    facts: StreamFacts = NO_FACTS,
    seen: Quality | None = None,
) -> list[Decision]:
    """Play a stretch of one judged face; returns the decision after each look."""
    decisions = []
    for index in range(math.ceil(seconds * per_s)):
        media_s = start_s + index / per_s
        nats = llr_nats if isinstance(llr_nats, int | float) else llr_nats()
        words = [] if seen is not None and not seen.judgeable else [evidence(media_s, nats)]
        decisions.append(policy.step(media_s, look(media_s, 1, seen=seen), words, facts))
    return decisions
