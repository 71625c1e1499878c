# SPDX-License-Identifier: Apache-2.0
"""The words that values are told in, as they stand in messages."""

from enum import StrEnum

__all__ = ["AlertChange", "AttackKind", "ChallengeKind", "ChallengeState", "Reason", "State"]


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
    SAY_DIGITS = "say_digits"


class ChallengeState(StrEnum):
    """How far a challenge has come; the last three are verdicts."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
