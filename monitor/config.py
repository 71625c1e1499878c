# SPDX-License-Identifier: Apache-2.0
"""Command line, environment, secret files and one YAML file in; one frozen settings tree out."""

import base64
import binascii
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_cache_path, user_state_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from monitor.values.words import ChallengeKind

__all__ = [
    "ID_PATTERN",
    "CaptureSettings",
    "ChallengeSettings",
    "CueName",
    "EvidenceSettings",
    "FacesSettings",
    "HttpSettings",
    "Id",
    "LivenessSettings",
    "LoadSettings",
    "LogSettings",
    "MqttSettings",
    "NodeSettings",
    "PolicySettings",
    "Profile",
    "PullSettings",
    "Settings",
    "WhipSettings",
]

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}\Z"
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Positive = Annotated[float, Field(gt=0)]
KEY_BYTES = 32


class Profile(StrEnum):
    """Operating points of the sequential test."""

    ENTERPRISE = "enterprise"
    KYC = "kyc"
    BROADCAST = "broadcast"


class Section(BaseModel):
    """Base of all sections: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeSettings(Section):
    """This process among others."""

    name: Id = Field("lifesign", description="Node id in MQTT topics; unique per broker.")
    drain_s: Positive = Field(20.0, description="Longest time to close verdicts and empty the outbox on SIGTERM.")
    processes: int = Field(
        0, ge=0, le=256, description="Processes that take calls, beside one that judges; 0 does all in one process."
    )
    engines: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that judge, where there are several: each judges its own participants, on the GPUs in "
        "turn unless liveness.device names one.",
    )
    answer_timeout_s: Positive = Field(
        2.0, description="Longest wait for the judging process; a look without an answer says nothing."
    )

    @property
    def sharing(self) -> int:
        """Processes that share the machine's cores."""
        return self.processes + self.engines if self.processes else 1


class HttpSettings(Section):
    """Where WHIP, the HTTP API, the console, health and metrics are served."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    tls_certificate: Path | None = Field(None, description="PEM file; browsers publish cameras over HTTPS only.")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's key.")

    @property
    def plain(self) -> "HttpSettings":
        """The same without TLS, for a socket that only this program can reach."""
        return self.model_copy(update={"tls_certificate": None, "tls_key": None})


class IceServer(Section):
    """One STUN or TURN server told to publishers in Link headers and used here."""

    url: str = Field(description="stun:host:port, turn:host:port or turns:host:port.")
    username: str | None = Field(None, description="TURN user.")
    credential: SecretStr | None = Field(None, description="TURN password.")


class WhipSettings(Section):
    """Who may publish, and how much (RFC 9725)."""

    tokens: tuple[SecretStr, ...] = Field(
        (), description="Bearer tokens that may publish; when none is set one is made and kept in the state folder."
    )
    max_participants: int = Field(16, ge=1, description="Sessions at once; more are answered with 503.")
    max_offer_bytes: int = Field(131_072, ge=1024, description="Largest SDP body.")
    retry_after_s: int = Field(10, ge=1, description="Retry-After of a 503 answer.")
    connect_timeout_s: Positive = Field(15.0, description="A session that has no media by then is closed.")
    ice_servers: tuple[IceServer, ...] = Field((), description="STUN and TURN servers.")


class PullSettings(Section):
    """One participant pulled from a media server by WHEP."""

    call: Id = Field(description="Call the participant belongs to.")
    participant: Id = Field(description="Name of the participant.")
    url: str = Field(description="WHEP endpoint, http or https.")
    token: SecretStr | None = Field(None, description="Bearer token of the media server.")


class CaptureSettings(Section):
    """How call media become frames."""

    samples_per_s: Positive = Field(5.0, le=30, description="Frames looked at per second and participant.")
    adaptive: bool = Field(
        False,
        description="Look only twice a second at who is clear and steady: saves processor time, but looped recordings, "
        "blinks and lips are then not followed until something else raises doubt.",
    )
    stall_after_s: Positive = Field(2.0, description="Silence after which a participant counts as stalled.")
    end_after_s: Positive = Field(30.0, description="Silence after which a participant's session is closed.")
    path: Literal["tap", "plain"] = Field(
        "tap", description="tap takes encoded packets and decodes what is looked at; plain lets aiortc decode all."
    )
    jitter_ms: float = Field(150.0, ge=20, le=2000, description="Longest wait for a lost packet, on the tap path.")
    gather_ms: float = Field(
        20.0,
        ge=0,
        le=100,
        description="Packets of all connections are read together at this interval, on the tap path; saves wake-ups. "
        "0 reads each as it comes.",
    )
    bitrate_bps: int = Field(
        1_500_000, ge=100_000, le=20_000_000, description="Bit rate asked of every publisher (REMB)."
    )
    choose_layers: bool = Field(
        True,
        description="Ask media servers (WHEP) for no higher temporal layers than are decoded, and at most 720 rows.",
    )
    decode_threads: int = Field(2, ge=1, le=64, description="Threads that decode and convert sampled frames.")
    backoff_initial_s: Positive = Field(0.5, description="First wait before a WHEP reconnect.")
    backoff_max_s: Positive = Field(30.0, description="Longest wait before a WHEP reconnect.")
    request_timeout_s: Positive = Field(10.0, description="Longest wait for a signalling answer.")


class FacesSettings(Section):
    """How frames become steady face tracks."""

    max_faces: int = Field(4, ge=1, le=16, description="Faces followed per participant.")
    min_face_px: int = Field(64, ge=24, description="Shorter side of a face box below which nothing is said.")
    threads: int = Field(2, ge=1, le=64, description="Face finding threads.")
    forget_after_s: Positive = Field(3.0, description="A face unseen for this long ends its track.")
    runtime: Literal["auto", "mediapipe", "litert"] = Field(
        "auto",
        description="What runs MediaPipe's face networks: its own graph, or LiteRT (extra fast), which measures the "
        "same in less time. auto takes LiteRT where it is installed.",
    )


CueName = Literal[
    "blink", "change", "frozen", "injected", "looped", "parallax", "pulse", "replay", "rigidity", "synchrony"
]


class LivenessSettings(Section):
    """Which network judges the faces, and where it runs."""

    model: str = Field("default", description="Name in `lifesign models list`.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    runtime: Literal["auto", "torch", "onnx"] = Field(
        "auto", description="What runs the network; auto: ONNX Runtime on a CPU where it is installed, else torch."
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="In what convolutions compute; auto: float16 on a GPU, float32 on a CPU."
    )
    threads: int = Field(1, ge=1, le=64, description="Threads of the network on the CPU.")
    batch_deadline_ms: float | None = Field(
        None, ge=0, le=1000, description="Longest wait for a batch to fill; unset: 8 on a GPU, 0 on a CPU."
    )
    largest_step: int | None = Field(
        None, ge=1, le=4096, description="Most faces in one step of the network; unset: 256 on a GPU, 4 on a CPU."
    )
    resting: bool = Field(
        True,
        description="Let the network judge only two looks a second of who is clear and steady; the other cues follow "
        "every look, and any change brings every look back.",
    )
    max_tracks: int = Field(256, ge=1, description="Face tracks with state at once.")
    cues: tuple[CueName, ...] = Field(
        ("blink", "frozen", "injected", "looped", "parallax", "replay", "synchrony"),
        description="What looks at a face beside the network. Off unless named: change compares a face with itself "
        "earlier in the call, which some laws call biometric processing; pulse and rigidity measure and never speak.",
    )


class PolicySettings(Section):
    """How evidence becomes verdicts."""

    profile: Profile = Field(Profile.ENTERPRISE, description="Operating point.")


class EvidenceSettings(Section):
    """Pictures of alerted faces: off unless asked for, sealed on the disk, deleted when they expire."""

    pictures: bool = Field(False, description="Keep the worst crops of each alert, for people to look at.")
    key: SecretStr | None = Field(None, description="32 random bytes in base64, to seal pictures with (AES-256-GCM).")
    keep_h: Positive = Field(72.0, le=8760, description="Hours after which a picture is deleted.")
    most_mib: int = Field(256, ge=1, description="Room for pictures; beyond it the oldest are deleted.")
    folder: Path | None = Field(None, description="Where pictures lie; in the state folder when unset.")

    def key_bytes(self) -> bytes | None:
        """The key; None when there is none. Raises ValueError for anything that is not 32 bytes in base64."""
        if self.key is None:
            return None
        try:
            key = base64.b64decode(self.key.get_secret_value(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError("key must be 32 bytes in base64, such as `openssl rand -base64 32` prints")
        return key

    @model_validator(mode="after")
    def _sealed(self) -> "EvidenceSettings":
        if self.key_bytes() is None and self.pictures:
            raise ValueError("pictures needs a key: set LIFESIGN_EVIDENCE__KEY, or a secret file of that name")
        return self


class ChallengeSettings(Section):
    """What participants may be asked to do."""

    kinds: tuple[ChallengeKind, ...] = Field(
        tuple(ChallengeKind),
        description="Challenges that may be ordered; say_digits is offered only where the extra speech is installed.",
    )


class LoadSettings(Section):
    """What happens when the machine has too little time for everybody."""

    enabled: bool = Field(True, description="Look less often under load, then refuse new participants.")
    budget: float = Field(0.8, gt=0, le=1, description="Share of the processor cores that may be used.")
    least_samples_per_s: float = Field(
        2.0, gt=0, le=30, description="Fewest frames looked at per second and participant under load."
    )
    down_after_s: Positive = Field(2.0, description="Overload that lasts so long means fewer looks.")
    up_after_s: Positive = Field(30.0, description="Room for more looks that lasts so long brings them back.")


class MqttTls(Section):
    """TLS towards the broker."""

    ca: Path | None = Field(None, description="PEM file of the broker's authority; the system's when unset.")
    certificate: Path | None = Field(None, description="PEM file of the client certificate.")
    key: Path | None = Field(None, description="PEM file of the client key.")


class MqttSettings(Section):
    """Where events go."""

    broker: Literal["embedded", "external", "none"] = Field(
        "embedded", description="embedded starts a broker on loopback; none publishes on stdout and HTTP only."
    )
    host: str = Field("127.0.0.1", description="External broker.")
    port: int = Field(
        1883, ge=0, le=65535, description="Broker port; the embedded broker listens here too (0: a free one)."
    )
    version: Literal["5", "3.1.1"] = Field("5", description="MQTT protocol version.")
    username: str | None = Field(None, description="User name.")
    password: SecretStr | None = Field(None, description="Password.")
    tls: MqttTls | None = Field(None, description="TLS; unset is plain text, for loopback only.")
    root: str = Field("lifesign/v1", pattern=r"^[^+#\x00]{1,200}$", description="Root of all topics.")
    client_id: str | None = Field(None, description="MQTT client id; from the node name when unset.")
    publish_timeout_s: Positive = Field(3.0, description="Longest wait for the broker's acknowledgement.")
    reconnect_max_s: Positive = Field(30.0, description="Longest wait between connection attempts.")
    alert_expiry_s: int = Field(86_400, ge=1, description="The broker drops an undelivered alert after this time.")
    outbox: Path | None = Field(None, description="SQLite file; in the state folder when unset.")
    outbox_max_rows: int = Field(100_000, ge=10, description="Alerts kept while the broker is away; full is not ready.")


class LogSettings(Section):
    """What is said on stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level shown.")
    format: Literal["auto", "human", "json"] = Field("auto", description="auto: human on a terminal, JSON otherwise.")


class PathsSettings(Section):
    """Where files are kept."""

    cache: Path = Field(default_factory=lambda: user_cache_path("lifesign"), description="Fetched assets.")
    state: Path = Field(default_factory=lambda: user_state_path("lifesign"), description="Outbox and generated token.")


class Settings(BaseSettings):
    """The whole configuration; environment names are LIFESIGN_SECTION__KEY."""

    model_config = SettingsConfigDict(
        env_prefix="LIFESIGN_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    version: Literal[1] = Field(1, description="Version of this file's format.")
    node: NodeSettings = NodeSettings()
    http: HttpSettings = HttpSettings()
    whip: WhipSettings = WhipSettings()
    pulls: tuple[PullSettings, ...] = Field((), description="Participants pulled from media servers by WHEP.")
    capture: CaptureSettings = CaptureSettings()
    faces: FacesSettings = FacesSettings()
    liveness: LivenessSettings = LivenessSettings()
    policy: PolicySettings = PolicySettings()
    evidence: EvidenceSettings = EvidenceSettings()
    challenge: ChallengeSettings = ChallengeSettings()
    load: LoadSettings = LoadSettings()
    mqtt: MqttSettings = MqttSettings()
    log: LogSettings = LogSettings()
    paths: PathsSettings = PathsSettings()

    @model_validator(mode="after")
    def _tls_pair(self) -> "Settings":
        if (self.http.tls_certificate is None) != (self.http.tls_key is None):
            raise ValueError("http.tls_certificate and http.tls_key go together")
        return self
