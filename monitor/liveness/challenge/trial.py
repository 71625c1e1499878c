# SPDX-License-Identifier: Apache-2.0
"""Looks at one participant and their sound in; the progress of a challenge, its finding and its evidence out."""

from collections.abc import Sequence
from typing import Final

from monitor.liveness.challenge.face import OneFace
from monitor.liveness.challenge.recall import COPIED, Answer, likeness
from monitor.liveness.challenge.script import Order, make_task
from monitor.liveness.challenge.task import Finding, Shown, inconclusive
from monitor.liveness.challenge.weight import SPEAKS_S, evidence
from monitor.values import AudioChunk, ChallengeState, Evidence, FaceCrop, FaceLook

__all__ = ["Trial"]

BREAK_S: Final = 3.0
"""Media time that leaps further, or runs back, is another stream: an answer may have been cut in."""


class Trial:
    """One challenge from its first look to its finding; `earlier` are answers that must not come again."""

    def __init__(self, order: Order, seed: int, earlier: Sequence[Answer] = ()) -> None:
        self.kind = order.kind
        self.finding: Finding | None = None
        self.answer = Answer()
        self._task = make_task(order, seed)
        self._earlier = tuple(earlier)
        self._face = OneFace()
        self._began_s: float | None = None
        self._last_s = 0.0
        self._found_s = 0.0

    @property
    def shown(self) -> Shown:
        """What the participant is to see now."""
        return self._task.shown

    @property
    def asked(self) -> tuple[str, ...]:
        """What has been asked so far."""
        return self._task.asked

    @property
    def track(self) -> int | None:
        """The face that answers, once there is one."""
        return self._face.track

    def look(self, look: FaceLook, sound: Sequence[AudioChunk] = ()) -> tuple[Evidence, ...]:
        """Take in the next look and the newest sound; after the finding, say for SPEAKS_S what it means."""
        if self.finding is None:
            self._judge(look, sound)
        return self._said(look)

    def end(self, finding: Finding | None = None) -> None:
        """End with this finding, or because time is up; what has been found already stays."""
        if self.finding is None:
            self._find(finding or self._ended())

    def _judge(self, look: FaceLook, sound: Sequence[AudioChunk]) -> None:
        if self._began_s is None:
            self._began_s = self._last_s = look.media_s
        if not 0.0 <= look.media_s - self._last_s <= BREAK_S:
            self._find(inconclusive("The stream broke off while the challenge ran."))
            return
        self._last_s = look.media_s
        at_s = look.media_s - self._began_s
        seen = self._face.find(look, at_s)
        if isinstance(seen, FaceCrop):
            self.answer.add(seen, at_s)
            seen = self._task.look(seen, at_s, sound)
        if seen is not None:
            self._find(seen)

    def _ended(self) -> Finding:
        return inconclusive("No face was seen.") if self._face.track is None else self._task.end()

    def _find(self, finding: Finding) -> None:
        self._found_s = self._last_s
        self.finding = self._unless_copied(finding)

    def _unless_copied(self, finding: Finding) -> Finding:
        if finding.state is not ChallengeState.PASSED or not self._earlier:
            return finding
        alike = max(likeness(self.answer, other) for other in self._earlier)
        measured = {**finding.measurements, "likeness_to_earlier": round(alike, 3)}
        if alike < COPIED:
            return Finding(finding.state, finding.sentence, measured)
        sentence = "The answer is the same, movement by movement, as an earlier one: a recording."
        return Finding(ChallengeState.FAILED, sentence, measured, copied=True)

    def _said(self, look: FaceLook) -> tuple[Evidence, ...]:
        if self.finding is None or not 0.0 <= look.media_s - self._found_s <= SPEAKS_S:
            return ()
        own = [crop for crop in look.crops if crop.track == self.track]
        return tuple(evidence(self.kind, self.finding, crop) for crop in own)
