# SPDX-License-Identifier: Apache-2.0
"""The last line of a scan."""

import json

from monitor.config import Profile
from monitor.policy.participant import ParticipantPolicy
from monitor.policy.summary import KEPT_FACES, FaceRecord, keep_worst, summarise, worst_face
from monitor.values import AttackKind, Reason, State
from tests.fakes.timeline import counter, look, play, quality

FIELDS = ["event", "faces", "file", "first_alert_s", "judged_s", "kinds", "reasons", "score", "seconds", "state"]


def face(track: int, state: State, score: float | None, judged_s: float = 9.0, **fields) -> FaceRecord:
    """A record of one face."""
    rest = {"first_alert_s": None, "kinds": {}, "reasons": ()} | fields
    return FaceRecord(track, state, score, judged_s=judged_s, **rest)


def test_a_forged_recording_is_summed_up_as_alert():
    """State alert and its time remain although the alert was cleared at the end."""
    policy = ParticipantPolicy("c", "p", Profile.ENTERPRISE, counter())
    decisions = play(policy, 0.0, 20.0, 1.5)
    raised_s = next(alert.media_s for decision in decisions for alert in decision.alerts)
    policy.finish(20.0)
    summary = summarise("a.mp4", 20.0, policy.faces)
    assert sorted(summary) == FIELDS
    assert summary["event"] == "summary"
    assert (summary["state"], summary["first_alert_s"]) == ("alert", raised_s)
    assert summary["judged_s"] > 18.0
    assert max(summary["kinds"], key=summary["kinds"].get) == "face_swap"
    assert summary["score"] == summary["faces"][0]["score"]
    assert json.loads(json.dumps(summary)) == summary


def test_a_genuine_recording_names_no_attack():
    """Clear, no kinds, no alert time."""
    policy = ParticipantPolicy("c", "p", Profile.ENTERPRISE, counter())
    play(policy, 0.0, 20.0, -1.5)
    policy.finish(20.0)
    summary = summarise("a.mp4", 20.0, policy.faces)
    assert (summary["state"], summary["first_alert_s"], summary["kinds"]) == ("clear", None, {})


def test_an_alert_outlives_the_face_that_raised_it():
    """A forged face that left before the end still makes the recording an alert."""
    policy = ParticipantPolicy("c", "p", Profile.ENTERPRISE, counter())
    play(policy, 0.0, 12.0, 2.0)
    policy.step(12.0, look(12.0, ended=[1]), [])
    policy.finish(13.0)
    summary = summarise("a.mp4", 13.0, policy.faces)
    assert summary["state"] == "alert"
    assert [record["track"] for record in summary["faces"]] == [1]


def test_without_a_judged_face_there_is_no_score():
    """Null, inconclusive, and the reasons: of the face when there was one, else of the participant."""
    policy = ParticipantPolicy("c", "p", Profile.ENTERPRISE, counter())
    play(policy, 0.0, 5.0, 0.0, seen=quality(Reason.TOO_SMALL))
    policy.finish(5.0)
    summary = summarise("a.mp4", 5.0, policy.faces)
    assert (summary["score"], summary["state"], summary["judged_s"]) == (None, "inconclusive", 0.0)
    assert summary["reasons"] == ["too_small"]
    empty = summarise("b.mp4", 5.0, (), (Reason.NO_FACE,))
    assert sorted(empty) == FIELDS
    assert (empty["score"], empty["reasons"], empty["faces"]) == (None, ["no_face"], [])


def test_the_worst_face_is_by_state_then_by_score():
    """An alert outweighs a high score; a glimpse of half a second does not speak for the recording."""
    calm, odd = face(1, State.CLEAR, 0.1), face(2, State.CLEAR, 0.6)
    assert worst_face([calm, odd]) is odd
    assert worst_face([odd, face(3, State.ALERT, 0.2)]).track == 3
    assert worst_face([calm, face(4, State.INCONCLUSIVE, 0.9, judged_s=0.4)]) is calm
    assert worst_face([face(4, State.INCONCLUSIVE, 0.9, judged_s=0.4)]).track == 4
    assert worst_face([]) is None


def test_the_worst_of_many_past_faces_are_kept():
    """Hours of scene cuts keep the records that matter, in their order."""
    faces = [face(track, State.CLEAR, track / 1000) for track in range(500)]
    faces[7] = face(7, State.ALERT, 0.0, first_alert_s=3.0, kinds={AttackKind.FACE_SWAP: 1.0})
    kept = keep_worst(faces)
    assert len(kept) == KEPT_FACES
    assert [record.track for record in kept] == [7, *range(500 - KEPT_FACES + 1, 500)]
