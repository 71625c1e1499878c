# SPDX-License-Identifier: Apache-2.0
"""One file's logits in, when the running monitor would raise its alert out, by the monitor's own policy.

The rule that raises alerts must not be copied for its evaluation, so this file, alone in `models`, uses the monitor's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from types import MappingProxyType
from typing import Final

import numpy as np

from models.calibration import Calibration
from models.evaluation.predictions import Prediction
from monitor.config import Profile
from monitor.policy.participant import Decision, ParticipantPolicy
from monitor.values import AlertChange, AttackKind, Evidence, FaceBox, FaceCrop, FaceLook, Quality

__all__ = ["PROFILES", "Watched", "watch"]

PROFILES: Final = tuple(profile.value for profile in Profile)
TRACK: Final = 0
KINDS: Final[Mapping[AttackKind, float]] = MappingProxyType({AttackKind.FACE_SWAP: 1.0})
NO_PICTURE: Final = np.zeros((0, 0, 3), np.uint8)
NO_PLACE: Final = np.zeros((2, 3), np.float32)
FACE_SHAPE: Final = 1.3
"""Height of a face box over its width; the policy looks at neither, only at the size."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A file as a call: `alert_s` media time of the first alert since the first look, None without; `watched_s` the
    whole; `alerts` raised, of which only the first is waited for when the file is forged.
    """

    prediction: Prediction
    alert_s: float | None
    watched_s: float
    alerts: int


def watch(one: Prediction, calibration: Calibration, profile: str, least_s: float = 0.0) -> Watched:
    """Play the looks to the monitor's policy in virtual media time.

    A file shorter than `least_s` is played again and again until then: its evidence is repeated, not new. The end of
    the file is the end of the call, where the policy counts what it has half collected.
    """
    seen = [_seen(one, index, calibration) for index in range(len(one.logits))]
    watched_s = max(least_s, one.lasting_s)
    if all(evidence.llr_nats <= 0.0 for _, evidence in seen):
        return Watched(one, None, watched_s, 0)  # Without a word for an attack the policy's sum stays at zero.
    numbers = count()
    policy = ParticipantPolicy("evaluation", "clip", Profile(profile), lambda: str(next(numbers)))
    raised: list[float] = []
    for at_s, index in _times(one, least_s):
        look, evidence = seen[index]
        crop = replace(look.crops[0], media_s=at_s)
        raised += _raised(policy.step(at_s, FaceLook(at_s, (crop,)), [replace(evidence, media_s=at_s)]))
        if raised and one.label != "real":
            return Watched(one, raised[0], watched_s, 1)
    raised += _raised(policy.finish(watched_s))
    return Watched(one, raised[0] if raised else None, watched_s, len(raised))


def _times(one: Prediction, least_s: float) -> Iterator[tuple[float, int]]:
    """When which look is seen."""
    start_s = 0.0
    while True:
        for index, at_s in enumerate(one.times_s):
            if start_s and start_s + at_s >= least_s:
                return
            yield start_s + at_s, index
        start_s += one.lasting_s
        if start_s >= least_s:
            return


def _raised(decision: Decision) -> Sequence[float]:
    return [alert.raised_s for alert in decision.alerts if alert.change is AlertChange.RAISED]


def _seen(one: Prediction, index: int, calibration: Calibration) -> tuple[FaceLook, Evidence]:
    """What the face stage and the network's cue would have said of this look."""
    at_s, face_px, sharp, logit = one.times_s[index], one.face_px[index], one.sharpness[index], one.logits[index]
    weight = one.weight[index] if len(one.weight) == len(one.logits) else 1.0
    quality = Quality(face_px, sharp, one.brightness or 0.5, 0.0, 0.0, 1.0, weight)
    box = FaceBox(0.0, 0.0, face_px, face_px * FACE_SHAPE)
    crop = FaceCrop("evaluation", "clip", TRACK, at_s, NO_PICTURE, box, NO_PLACE, quality)
    evidence = Evidence(
        cue="detector",
        track=TRACK,
        media_s=at_s,
        llr_nats=calibration.llr_nats(logit, face_px, sharp),
        reliability=weight,
        kinds=KINDS,
        sentence="",
        score=calibration.score(logit),
    )
    return FaceLook(at_s, (crop,)), evidence
