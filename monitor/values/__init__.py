# SPDX-License-Identifier: Apache-2.0
"""The values that flow between the stages: frames in, face crops, evidence, verdicts, alerts out."""

from monitor.values.face import FaceBox, FaceCrop, FaceLook, Landmarks, Quality
from monitor.values.media import (
    NO_CONTEXT,
    NO_FACTS,
    AudioChunk,
    Context,
    Frame,
    Media,
    Picture,
    Stall,
    Stamps,
    StreamFacts,
)
from monitor.values.news import Alert, Challenge
from monitor.values.verdict import Evidence, TimelineStep, TrackVerdict, Verdict
from monitor.values.words import AlertChange, AttackKind, ChallengeKind, ChallengeState, Reason, State
from monitor.values.worst import WorstLook

__all__ = [
    "NO_CONTEXT",
    "NO_FACTS",
    "Alert",
    "AlertChange",
    "AttackKind",
    "AudioChunk",
    "Challenge",
    "ChallengeKind",
    "ChallengeState",
    "Context",
    "Evidence",
    "FaceBox",
    "FaceCrop",
    "FaceLook",
    "Frame",
    "Landmarks",
    "Media",
    "Picture",
    "Quality",
    "Reason",
    "Stall",
    "Stamps",
    "State",
    "StreamFacts",
    "TimelineStep",
    "TrackVerdict",
    "Verdict",
    "WorstLook",
]
