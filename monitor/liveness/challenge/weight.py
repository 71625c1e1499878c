# SPDX-License-Identifier: Apache-2.0
"""A finding in, what it says of the face for the next seconds out, as evidence for the policy.

No recordings of people who were asked something were at hand, so the likelihoods are set, not fitted, and cautiously:
one honest person in ten is taken to fail (one in three where the eyes must follow a point), nine attacks in ten that
cannot answer. A live swap answers as its driver does, so half of the attacks are taken to pass like people.
"""

import math
from collections.abc import Mapping
from typing import Final

from monitor.liveness.challenge.task import Finding
from monitor.values import AttackKind, ChallengeKind, ChallengeState, Evidence, FaceCrop

__all__ = ["CUE", "SPEAKS_S", "evidence"]

CUE: Final = "challenge"

SPEAKS_S: Final = 3.0
"""One answer is one observation; its weight is spread over three of the policy's steps, each within their limit."""

FAILED_NATS: Final = math.log(0.9 / 0.1)
UNCERTAIN_NATS: Final = math.log(0.9 / 0.33)
COPIED_NATS: Final = math.log(0.9 / 0.01)
PASSED_NATS: Final = -math.log(0.9 / (0.5 * 0.9 + 0.5 * 0.1))
"""2.2, 1.0, 4.5 and -0.6 nats in all. None reaches an alert alone (10 to 13 nats); a pass clears nobody alone."""

STILL_MEDIA: Final = {
    AttackKind.REPLAY: 0.35,
    AttackKind.SYNTHETIC: 0.25,
    AttackKind.LOOP: 0.2,
    AttackKind.PRINT: 0.1,
    AttackKind.REENACTMENT: 0.1,
}
KINDS: Final[Mapping[ChallengeKind, Mapping[AttackKind, float]]] = {
    ChallengeKind.TURN_HEAD: STILL_MEDIA,
    ChallengeKind.FOLLOW_POINT: STILL_MEDIA,
    ChallengeKind.COVER_FACE: {AttackKind.FACE_SWAP: 0.25, AttackKind.REPLAY: 0.35, AttackKind.SYNTHETIC: 0.4},
    ChallengeKind.SAY_DIGITS: {
        AttackKind.REPLAY: 0.3,
        AttackKind.LIP_SYNC: 0.2,
        AttackKind.SYNTHETIC: 0.3,
        AttackKind.LOOP: 0.2,
    },
    ChallengeKind.COLOURS: {AttackKind.REPLAY: 0.5, AttackKind.FACE_SWAP: 0.25, AttackKind.SYNTHETIC: 0.25},
}
"""What is likely beforehand, not measured: recordings and pictures cannot answer at all."""


def evidence(kind: ChallengeKind, finding: Finding, crop: FaceCrop) -> Evidence:
    """Say it on one crop; an inconclusive finding abstains."""
    total_nats = _nats(kind, finding)
    return Evidence(
        cue=CUE,
        track=crop.track,
        media_s=crop.media_s,
        llr_nats=total_nats / SPEAKS_S,
        reliability=1.0 if total_nats else 0.0,
        kinds=KINDS[kind] if total_nats > 0.0 else {},
        sentence=f"Challenge: {finding.sentence}",
        measure=total_nats,
    )


def _nats(kind: ChallengeKind, finding: Finding) -> float:
    if finding.state is ChallengeState.PASSED:
        return PASSED_NATS
    if finding.state is not ChallengeState.FAILED:
        return 0.0
    if finding.copied:
        return COPIED_NATS
    return UNCERTAIN_NATS if kind is ChallengeKind.FOLLOW_POINT else FAILED_NATS
