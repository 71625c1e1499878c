# SPDX-License-Identifier: Apache-2.0
"""Last words for a process that is gone: whatever it left open is ended, once."""

from monitor.processes.messages import AlertTold, CallEnded, CallTold, ParticipantLeft
from monitor.processes.mirror import Mirror
from monitor.publish.events import ParticipantMedia
from monitor.values import (
    Alert,
    AlertChange,
    Challenge,
    ChallengeKind,
    ChallengeState,
    Reason,
    State,
    Verdict,
)


def verdict(call: str = "c", participant: str = "p") -> Verdict:
    """An alert's verdict."""
    return Verdict(call, participant, 5.0, State.ALERT, 0.9, 1.0, (), ())


def alert(change: AlertChange, name: str = "x") -> AlertTold:
    """A change of an alert."""
    return AlertTold(Alert(name, change, "c", "p", 1, 5.0, 2.0, 0.9, {}, ("It blends.",), {}), ())


def challenge(state: ChallengeState, name: str = "y") -> Challenge:
    """A change of a challenge."""
    return Challenge(name, "c", "p", ChallengeKind.TURN_HEAD, state)


def media(participant: str) -> ParticipantMedia:
    """A participant's media."""
    return ParticipantMedia(
        participant=participant, stalled=False, received_frames=1, sampled_frames=1, dropped_frames=0
    )


def test_everything_open_is_ended_in_order() -> None:
    """The challenge, the alert under its own id, the verdict, the participant, the call; then nothing is left."""
    mirror = Mirror()
    for told in (
        CallTold("c", (media("p"),)),
        verdict(),
        alert(AlertChange.RAISED),
        alert(AlertChange.UPDATED),
        challenge(ChallengeState.RUNNING),
    ):
        mirror.see(told)
    asked, cleared, last, left, ended = mirror.last_words()
    assert (asked.id, asked.state) == ("y", ChallengeState.INCONCLUSIVE)
    assert (cleared.alert.id, cleared.alert.change, cleared.alert.score) == ("x", AlertChange.CLEARED, 0.9)
    assert "lost" in cleared.alert.sentences[0]
    assert (last.state, last.reasons) == (State.INCONCLUSIVE, (Reason.STALLED,))
    assert (left, ended) == (ParticipantLeft("c", "p"), CallEnded("c"))
    assert mirror.last_words() == ()


def test_what_was_ended_is_not_ended_again() -> None:
    """Cleared alerts, answered challenges, participants who left, calls that are over."""
    mirror = Mirror()
    for told in (
        CallTold("c", (media("p"),)),
        verdict(),
        alert(AlertChange.RAISED),
        alert(AlertChange.CLEARED),
        challenge(ChallengeState.WAITING),
        challenge(ChallengeState.PASSED),
        ParticipantLeft("c", "p"),
        CallEnded("c"),
    ):
        mirror.see(told)
    assert mirror.last_words() == ()


def test_a_call_nobody_was_judged_in_is_ended_too() -> None:
    """Somebody had just come."""
    mirror = Mirror()
    mirror.see(CallTold("c", (media("p"),)))
    assert mirror.last_words() == (CallEnded("c"),)
