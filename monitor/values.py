# SPDX-License-Identifier: Apache-2.0
"""The values that flow between the stages: frames in, face crops, evidence, verdicts, alerts out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
]


class AttackKind(StrEnum):
    """What a participant may be instead of a live person (ISO/IEC 30107-3 attack species)."""

    FACE_SWAP = "face_swap"
    REENACTMENT = "reenactment"
    LIP_SYNC = "lip_sync"
    SYNTHETIC = "synthetic"
    REPLAY = "replay"
    PRINT = "print"
    FROZEN = "frozen"
    LOOP = "loop"
    VOICE = "voice"


class State(StrEnum):
    """State of a face track and, by its worst track, of a participant."""

    INCONCLUSIVE = "inconclusive"
    CLEAR = "clear"
    SUSPECT = "suspect"
    ALERT = "alert"


class Reason(StrEnum):
    """Why nothing, or nothing certain, can be said of a face."""

    NO_FACE = "no_face"
    TOO_SMALL = "too_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    OCCLUDED = "occluded"
    FROZEN = "frozen"
    LOW_BITRATE = "low_bitrate"
    STALLED = "stalled"
    WARMING_UP = "warming_up"
    WEAK_EVIDENCE = "weak_evidence"
    NETWORK_CHANGED = "network_changed"


class AlertChange(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    UPDATED = "updated"
    CLEARED = "cleared"


class ChallengeKind(StrEnum):
    """What a participant can be asked to do."""

    TURN_HEAD = "turn_head"
    FOLLOW_POINT = "follow_point"
    COVER_FACE = "cover_face"
    COLOURS = "colours"


class ChallengeState(StrEnum):
    """How far a challenge has come; the last three are verdicts."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One decoded picture, planar YUV 4:2:0 (BT.601, limited range).

    `i420` is uint8 [height * 3 // 2, width] as OpenCV lays it out; width and height are even.
    """

    i420: NDArray[np.uint8]

    @property
    def width_px(self) -> int:
        """Width of the luma plane."""
        return int(self.i420.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the luma plane."""
        return int(self.i420.shape[0]) * 2 // 3


@dataclass(frozen=True, slots=True)
class Stamps:
    """RTP timestamps of all pictures since the frame yielded before, looked at or not.

    `steps` from one to the next were counted; `even` of them keep, to a tick or two of 1/90,000 s, the beat of those
    before them, and that beat is no whole number of milliseconds.
    """

    steps: int
    even: int


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the stream says of a frame without looking at its pixels.

    `lost_packets` and `received_bytes` count since the frame yielded before this one; `stamps` are None for a file,
    whose timestamps are no sender's.
    """

    codec: str = "unknown"
    keyframe: bool = False
    temporal_layer: int | None = None
    lost_packets: int = 0
    received_bytes: int | None = None
    stamps: Stamps | None = None


NO_FACTS: Final = StreamFacts()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture of one participant; `media_s` is from the RTP timestamp, `arrived_s` monotonic."""

    call: str
    participant: str
    media_s: float
    arrived_s: float
    picture: Picture
    facts: StreamFacts = NO_FACTS


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Sound of one participant: `samples` int16 [n], mono, at `rate_hz`."""

    call: str
    participant: str
    media_s: float
    arrived_s: float
    samples: NDArray[np.int16]
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Stall:
    """No picture has come since `since_s` (monotonic); silence is news."""

    call: str
    participant: str
    since_s: float
    now_s: float


Media = Frame | Stall


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a participant's media say beside the faces of one frame.

    `sound` is the newest of it, oldest chunk first, without gaps unless the sender left some; chunks come again until
    they are too old. It may end before the frame or after it: sound and picture travel apart.
    """

    facts: StreamFacts = NO_FACTS
    arrived_s: float = 0.0
    sound: tuple[AudioChunk, ...] = ()


NO_CONTEXT: Final = Context()


class FaceBox(NamedTuple):
    """Face bounding box in source pixels; may reach over the picture's edge."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """MediaPipe face mesh: `points` float32 [478, 3] in source pixels (z on the scale of x).

    `blendshapes` maps MediaPipe names to 0..1; `pose` is the 4x4 head pose float32, or None.
    """

    points: NDArray[np.float32]
    blendshapes: Mapping[str, float] = field(default_factory=dict)
    pose: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be judged.

    `face_px` shorter side of the face box in source pixels; `sharpness` standard deviation of the
    Laplacian of the luma at crop size; `exposure` mean luma 0..1; `yaw_deg`, `pitch_deg` absolute head angles;
    `visible` share 0..1 of the face inside the picture; `weight` 0..1 is the trust in an observation.
    `reasons` is empty when the crop may be judged.
    """

    face_px: float
    sharpness: float
    exposure: float
    yaw_deg: float
    pitch_deg: float
    visible: float
    weight: float
    reasons: tuple[Reason, ...] = ()

    @property
    def judgeable(self) -> bool:
        """Whether the crop may be judged at all."""
        return not self.reasons


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """One look at one face: `rgb` uint8 [side, side, 3], aligned smoothly over time.

    `track` is stable within the participant; `to_crop` float32 [2, 3] maps source pixels to crop pixels. `wide` uint8
    [192, 192, 3] shows the face in its surroundings, 1.5 x as far as `rgb` each way; about one look a second has it.
    """

    call: str
    participant: str
    track: int
    media_s: float
    rgb: NDArray[np.uint8]
    box: FaceBox
    to_crop: NDArray[np.float32]
    quality: Quality
    landmarks: Landmarks | None = None
    wide: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FaceLook:
    """What was seen in one frame: a crop for each face, the tracks that ended, reasons when no face can be used."""

    media_s: float
    crops: tuple[FaceCrop, ...] = ()
    ended_tracks: tuple[int, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One cue's word on one face.

    `llr_nats` is the log-likelihood ratio, positive speaks for an attack; `reliability` 0..1;
    `score` 0..1 on the release-stable scale (0.5: one bona fide observation in a thousand scores higher);
    `measure` is what the evidence was read from, on the cue's own scale, higher where it speaks for an attack;
    `sentence` is for a person to read. A cue that abstains has reliability 0 and says why in the sentence.
    """

    cue: str
    track: int
    media_s: float
    llr_nats: float
    reliability: float
    kinds: Mapping[AttackKind, float]
    sentence: str
    score: float | None = None
    measure: float | None = None


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One second of a face: what each cue added for an attack, in nats, and the recent score 0..1 then."""

    media_s: float
    score: float | None
    nats: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TrackVerdict:
    """State of one face track; `contributions` maps cues to accumulated nats, `timeline` is its last half minute."""

    track: int
    state: State
    score: float | None
    since_s: float
    reasons: tuple[Reason, ...] = ()
    contributions: Mapping[str, float] = field(default_factory=dict)
    kinds: Mapping[AttackKind, float] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    judged_s: float = 0.0
    timeline: tuple[TimelineStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """State of a participant by its worst face track; times are media seconds."""

    call: str
    participant: str
    media_s: float
    state: State
    score: float | None
    since_s: float
    reasons: tuple[Reason, ...]
    tracks: tuple[TrackVerdict, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert's change; `id` stays the same from raised to cleared, so redelivery is harmless.

    `timeline` is what led to it, second by second, oldest first.
    """

    id: str
    change: AlertChange
    call: str
    participant: str
    track: int
    media_s: float
    raised_s: float
    score: float
    kinds: Mapping[AttackKind, float]
    sentences: tuple[str, ...]
    contributions: Mapping[str, float]
    timeline: tuple[TimelineStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A change of a challenge; `id` stays the same from waiting to the verdict.

    `media_s` is the participant's media time, None before their next picture; `asked` what was asked for, told with the
    verdict only; `measurements` by name, with their unit in it.
    """

    id: str
    call: str
    participant: str
    kind: ChallengeKind
    state: ChallengeState
    media_s: float | None = None
    sentence: str = ""
    asked: tuple[str, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
