# SPDX-License-Identifier: Apache-2.0
"""What was said of a participant in, how many looks a second the participant needs next out; pure."""

from typing import Final

from monitor.policy.participant import Decision
from monitor.values import State

__all__ = ["CALM_PER_S", "STEADY_S", "Tempo"]

CALM_PER_S: Final = 2.0
"""About one look in a second is independent of the one before; two leave room for one that cannot be judged."""

STEADY_S: Final = 5.0
"""As long as a face is watched before it may be called clear: so long nothing may have spoken for an attack."""


class Tempo:
    """Lets a participant who has been clear for a while be looked at less often, until anything changes."""

    def __init__(self, usual_per_s: float) -> None:
        self._usual_per_s = usual_per_s
        self._calm_per_s = min(CALM_PER_S, usual_per_s)
        self._tracks: tuple[int, ...] = ()
        self._steady_since_s: float | None = None

    def after(self, decision: Decision, *, asked: bool = False) -> float:
        """Looks a second after this decision: fewer once clear, the same faces and no word against them for 5 s.

        Who is `asked` a question is watched as usual: the answer is measured in the looks.
        """
        verdict = decision.verdict
        tracks = tuple(track.track for track in verdict.tracks)
        clear = verdict.state is State.CLEAR and not asked
        steady = clear and tracks == self._tracks and not _spoken_against(decision)
        self._tracks = tracks
        if not steady:
            self._steady_since_s = None
        elif self._steady_since_s is None or verdict.media_s < self._steady_since_s:
            self._steady_since_s = verdict.media_s
        since_s = self._steady_since_s
        calm = since_s is not None and verdict.media_s - since_s >= STEADY_S
        return self._calm_per_s if calm else self._usual_per_s


def _spoken_against(decision: Decision) -> bool:
    return any(said.llr_nats > 0.0 and said.reliability > 0.0 for said in decision.evidence)
