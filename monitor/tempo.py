# SPDX-License-Identifier: Apache-2.0
"""What was said of a participant in, how closely the participant needs to be watched next out; pure."""

from typing import Final

from monitor.capture.sampler import Sampler
from monitor.policy.participant import Decision
from monitor.values import State

__all__ = ["CALM_PER_S", "STEADY_S", "Tempo"]

CALM_PER_S: Final = 2.0
"""About one look in a second is independent of the one before; two leave room for one that cannot be judged."""

STEADY_S: Final = 5.0
"""As long as a face is watched before it may be called clear: so long nothing may have spoken for an attack."""


class Tempo:
    """Knows who has been clear for a while, and which looks at them the network may leave out.

    Before anything was said, and after any change, every look is judged.
    """

    def __init__(self, usual_per_s: float) -> None:
        self._usual_per_s = usual_per_s
        self._calm_per_s = min(CALM_PER_S, usual_per_s)
        self._beat = Sampler(self._calm_per_s)
        self._tracks: tuple[int, ...] = ()
        self._steady_since_s: float | None = None
        self._calm = False

    @property
    def looks_per_s(self) -> float:
        """Looks a second that are enough for the network."""
        return self._calm_per_s if self._calm else self._usual_per_s

    def rests(self, media_s: float) -> bool:
        """Whether the network may leave out the look of this media time; to be asked of every look, in their order."""
        return not self._beat.pick(media_s) and self._calm

    def after(self, decision: Decision, *, asked: bool = False) -> None:
        """Take in what was said: calm is who has been clear, with the same faces and no word against them, for 5 s.

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
        self._calm = since_s is not None and verdict.media_s - since_s >= STEADY_S


def _spoken_against(decision: Decision) -> bool:
    return any(said.llr_nats > 0.0 and said.reliability > 0.0 for said in decision.evidence)
