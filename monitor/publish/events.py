# SPDX-License-Identifier: Apache-2.0
"""Every message as a CloudEvents 1.0 model: the single source of JSON Schema, AsyncAPI and the topic table."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from monitor.config import Id
from monitor.values import AlertChange, AttackKind, ChallengeKind, ChallengeState, Reason, State

__all__ = [
    "MAX_SENTENCES",
    "MAX_SENTENCE_CHARS",
    "MAX_STEPS",
    "AlertData",
    "AlertEvent",
    "AlertStep",
    "CallData",
    "CallEvent",
    "ChallengeData",
    "ChallengeEvent",
    "Event",
    "FaceSummary",
    "FaceVerdict",
    "ModelIdentity",
    "NodeData",
    "NodeEvent",
    "NodeStatus",
    "ParticipantMedia",
    "Summary",
    "VerdictData",
    "VerdictEvent",
    "parse",
]

# An alert stays below the 20 KB that small brokers take as their largest packet, whatever the words.
MAX_SENTENCES: Final = 8
MAX_SENTENCE_CHARS: Final = 240
MAX_STEPS: Final = 30

Score = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Weights = Mapping[AttackKind, Score]
NodeStatus = Literal["online", "draining", "offline"]


class _Model(BaseModel):
    """Base of all messages: frozen, only finite numbers; what a later version adds is ignored on reading."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True)


class ModelIdentity(_Model):
    """Which weights spoke."""

    name: str = Field(description="Name in the model registry.")
    sha256: Sha256 = Field(description="Hash of the weight file.")


class NodeData(_Model):
    """Availability of one monitor process."""

    status: NodeStatus = Field(description="online takes calls, draining finishes the ones it has, offline is gone.")
    version: str = Field(description="Version of the software.")
    model: ModelIdentity | None = Field(description="Weights in use.")
    configuration_sha256: Sha256 = Field(description="Hash of the settings that shape verdicts.")


class ParticipantMedia(_Model):
    """Health of one participant's media; a count is null when it is not known."""

    participant: Id = Field(description="Participant id.")
    stalled: bool = Field(False, description="No picture has come for a while.")
    codec: str | None = Field(None, description="Video codec, for example VP8 or H264.")
    width_px: int | None = Field(None, ge=0, description="Width of the last picture.")
    height_px: int | None = Field(None, ge=0, description="Height of the last picture.")
    received_frames: int | None = Field(None, ge=0, description="Frames received since joining.")
    sampled_frames: int | None = Field(None, ge=0, description="Frames looked at since joining.")
    dropped_frames: int | None = Field(None, ge=0, description="Sampled frames that a newer one replaced.")
    lost_packets: int | None = Field(None, ge=0, description="Packets that never came.")
    samples_per_s: float | None = Field(
        None,
        gt=0,
        description="Frames looked at per second now; fewer than configured under load or while all is calm.",
    )


class CallData(_Model):
    """Who is in a call, and how well each is received."""

    call: Id = Field(description="Call id.")
    status: Literal["live", "ended"] = Field(description="ended is the last word on a call; never retained.")
    participants: tuple[ParticipantMedia, ...] = Field(description="Everybody in the call now.")


class FaceVerdict(_Model):
    """State of one face of a participant."""

    track: int = Field(description="Face track, stable within the participant.")
    state: State = Field(description="State of this face.")
    score: Score | None = Field(description="Higher speaks for an attack; null: nothing could be judged.")
    since_s: float = Field(description="Media time at which this state began.")
    judged_s: float = Field(ge=0, description="Seconds of this face that could be judged.")
    reasons: tuple[Reason, ...] = Field(description="Why nothing, or nothing certain, can be said.")
    kinds: Weights = Field(description="Weight of each attack kind.")
    contributions_nats: Mapping[str, float] = Field(description="Accumulated evidence of each cue.")
    evidence: tuple[str, ...] = Field(description="Sentences for a person to read.")


class VerdictData(_Model):
    """State of a participant, by the worst face."""

    call: Id = Field(description="Call id.")
    participant: Id = Field(description="Participant id.")
    media_s: float = Field(description="Media time of this verdict.")
    state: State = Field(description="State of the worst face.")
    score: Score | None = Field(
        description="0.5: one bona fide observation in a thousand scores higher; null: nothing could be judged."
    )
    since_s: float = Field(description="Media time at which this state began.")
    reasons: tuple[Reason, ...] = Field(description="Why nothing, or nothing certain, can be said.")
    faces: tuple[FaceVerdict, ...] = Field(description="Every face of the participant.")


class AlertStep(_Model):
    """One second of what led to an alert."""

    media_s: float = Field(description="Media time of this second's end.")
    score: Score | None = Field(description="Recent score of the face then.")
    nats: Mapping[str, float] = Field(description="Evidence each cue added in this second; negative speaks for life.")


class AlertData(_Model):
    """An alert's change; `alert` stays the same from raised to cleared, so redelivery is harmless."""

    alert: str = Field(min_length=1, description="Alert id.")
    change: AlertChange = Field(description="What happened to the alert.")
    call: Id = Field(description="Call id.")
    participant: Id = Field(description="Participant id.")
    track: int = Field(description="Face track the alert is about.")
    media_s: float = Field(description="Media time of this change.")
    raised_s: float = Field(description="Media time at which the alert was raised.")
    score: Score | None = Field(description="Higher speaks for an attack.")
    kinds: Weights = Field(description="Weight of each attack kind.")
    evidence: tuple[str, ...] = Field(max_length=MAX_SENTENCES, description="Sentences for a person to read.")
    contributions_nats: Mapping[str, float] = Field(description="Accumulated evidence of each cue.")
    timeline: tuple[AlertStep, ...] = Field(
        (), max_length=MAX_STEPS, description="What led to it, second by second, oldest first."
    )
    model: ModelIdentity | None = Field(description="Weights that spoke.")
    configuration_sha256: Sha256 = Field(description="Hash of the settings that shaped the alert.")


class ChallengeData(_Model):
    """How far a challenge has come; `challenge` stays the same from waiting to the verdict."""

    challenge: str = Field(min_length=1, description="Challenge id.")
    call: Id = Field(description="Call id.")
    participant: Id = Field(description="Participant id.")
    kind: ChallengeKind = Field(description="What the participant is asked to do.")
    state: ChallengeState = Field(description="waiting until the participant sees it, running, then the verdict.")
    media_s: float | None = Field(description="Media time of this change; null: no picture has come since the start.")
    sentence: str = Field(max_length=MAX_SENTENCE_CHARS, description="The verdict in words; empty before it.")
    asked: tuple[str, ...] = Field(description="What was asked for, in order; told with the verdict, not before.")
    measurements: Mapping[str, float] = Field(description="What was measured, units in the names.")


class _Envelope(_Model):
    """CloudEvents 1.0 context attributes."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, description="Unique per source; the same again is the same event redelivered.")
    source: Id = Field(description="Node that says it.")
    subject: str = Field(description="Node, call, or call/participant.")
    time: AwareDatetime = Field(description="When it was said (RFC 3339).")
    datacontenttype: Literal["application/json"] = "application/json"

    def payload(self) -> bytes:
        """The event as UTF-8 JSON."""
        return self.model_dump_json().encode()


class NodeEvent(_Envelope):
    """A node came, drains, or is gone."""

    type: Literal["lifesign.node.v1"] = "lifesign.node.v1"
    data: NodeData


class CallEvent(_Envelope):
    """The participants of a call, or the health of their media, changed."""

    type: Literal["lifesign.call.v1"] = "lifesign.call.v1"
    data: CallData


class VerdictEvent(_Envelope):
    """What is known of a participant."""

    type: Literal["lifesign.verdict.v1"] = "lifesign.verdict.v1"
    data: VerdictData


class AlertEvent(_Envelope):
    """An alert was raised, updated or cleared."""

    type: Literal["lifesign.alert.v1"] = "lifesign.alert.v1"
    data: AlertData


class ChallengeEvent(_Envelope):
    """A challenge was started, taken up or judged."""

    type: Literal["lifesign.challenge.v1"] = "lifesign.challenge.v1"
    data: ChallengeData


Event = NodeEvent | CallEvent | VerdictEvent | AlertEvent | ChallengeEvent
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


class FaceSummary(_Model):
    """The outcome of a recording for one face."""

    track: int = Field(description="Face track.")
    score: Score | None = Field(description="Higher speaks for an attack; null: nothing could be judged.")
    state: State = Field(description="State at the end, or alert if one was raised.")
    first_alert_s: float | None = Field(description="Media time of the first alert.")
    judged_s: float = Field(ge=0, description="Seconds that could be judged.")
    kinds: Weights = Field(description="Weight of each attack kind.")
    reasons: tuple[Reason, ...] = Field(description="Why nothing, or nothing certain, can be said.")


class Summary(_Model):
    """The outcome of a recording: the last line `lifesign scan --json` prints for a file."""

    event: Literal["summary"] = "summary"
    file: str = Field(description="Path or address as it was given.")
    score: Score | None = Field(description="Higher speaks for an attack; null: nothing could be judged.")
    state: State = Field(description="State of the worst face at the end, or alert if one was raised.")
    first_alert_s: float | None = Field(description="Media time of the first alert.")
    judged_s: float = Field(ge=0, description="Seconds that could be judged.")
    seconds: float = Field(ge=0, description="Length of the recording in media time.")
    kinds: Weights = Field(description="Weight of each attack kind.")
    reasons: tuple[Reason, ...] = Field(description="Why nothing, or nothing certain, can be said.")
    faces: tuple[FaceSummary, ...] = Field(description="The same for each face track.")


def parse(payload: bytes) -> Event:
    """Read an event; raises ValueError for anything that is not one."""
    return _EVENT.validate_json(payload)
