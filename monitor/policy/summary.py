# SPDX-License-Identifier: Apache-2.0
"""Records of a participant's faces in, the last line of a scan out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monitor.values import AttackKind, Reason, State

__all__ = ["BADNESS", "FaceRecord", "keep_worst", "summarise", "worst_face"]

BADNESS: Final[Mapping[State, int]] = {State.CLEAR: 0, State.INCONCLUSIVE: 1, State.SUSPECT: 2, State.ALERT: 3}
"""Order in which the worst face speaks for the participant."""

GLIMPSE_S: Final = 1.0
"""A face judged for less does not speak for the recording while another was judged for longer."""

KEPT_FACES: Final = 32
"""Records kept of a participant's past faces; the worst stay."""


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One face from its first look to its last.

    `state` at the end, or alert if one was raised; `score` 0..1 mean over the observations, None when nothing was
    judged; `first_alert_s` in media time.
    """

    track: int
    state: State
    score: float | None
    first_alert_s: float | None
    judged_s: float
    kinds: Mapping[AttackKind, float]
    reasons: tuple[Reason, ...]


def worst_face(faces: Sequence[FaceRecord]) -> FaceRecord | None:
    """The face that speaks for all: by state, then by score; None when there was no face."""
    looked_at = [face for face in faces if face.judged_s >= GLIMPSE_S] or faces
    return max(looked_at, key=_badness, default=None)


def keep_worst(faces: Sequence[FaceRecord]) -> list[FaceRecord]:
    """At most KEPT_FACES records, the worst of them, in their order."""
    kept = sorted(faces, key=_badness, reverse=True)[:KEPT_FACES]
    return [face for face in faces if any(face is other for other in kept)]


def summarise(file: str, seconds: float, faces: Sequence[FaceRecord], reasons: Sequence[Reason] = ()) -> dict[str, Any]:
    """The `summary` event of one file as a JSON object; `reasons` are the participant's when no face was seen."""
    worst = worst_face(faces)
    alerts_s = [face.first_alert_s for face in faces if face.first_alert_s is not None]
    head = _fields(worst) if worst is not None else _NO_FACE | {"reasons": [str(reason) for reason in reasons]}
    return {
        "event": "summary",
        "file": file,
        **head,
        "first_alert_s": min(alerts_s, default=None),
        "seconds": seconds,
        "faces": [{"track": face.track, **_fields(face)} for face in faces],
    }


_NO_FACE: Final[dict[str, Any]] = {
    "score": None,
    "state": str(State.INCONCLUSIVE),
    "first_alert_s": None,
    "judged_s": 0.0,
    "kinds": {},
}


def _fields(face: FaceRecord) -> dict[str, Any]:
    return {
        "score": face.score,
        "state": str(face.state),
        "first_alert_s": face.first_alert_s,
        "judged_s": face.judged_s,
        "kinds": {str(kind): weight for kind, weight in face.kinds.items()},
        "reasons": [str(reason) for reason in face.reasons],
    }


def _badness(face: FaceRecord) -> tuple[int, float, float]:
    return BADNESS[face.state], -1.0 if face.score is None else face.score, face.judged_s
