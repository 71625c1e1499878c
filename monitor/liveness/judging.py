# SPDX-License-Identifier: Apache-2.0
"""What a pipeline asks of an engine, in this process or in another one."""

from collections.abc import Sequence
from typing import Protocol

from monitor.values import NO_CONTEXT, Context, Evidence, FaceCrop, WorstLook

__all__ = ["Judging"]


class Judging(Protocol):
    """Judges crops of all callers; remembers each face until it is forgotten."""

    @property
    def crop_px(self) -> int:
        """Side of the crops that are judged."""
        ...

    @property
    def surroundings(self) -> bool:
        """Whether a cue looks at what lies round the face."""
        ...

    @property
    def healthy(self) -> bool:
        """Whether the last looks gave results."""
        ...

    @property
    def condition(self) -> str:
        """How judging goes, for readiness: a word when it goes, else what is wrong."""
        ...

    async def judge(self, crops: Sequence[FaceCrop], context: Context = NO_CONTEXT) -> tuple[Evidence, ...]:
        """Evidence of every cue on each crop of one frame, in the order of the crops; none where judging failed."""
        ...

    def worst(self, call: str, participant: str, track: int) -> tuple[WorstLook, ...]:
        """The few looks of a track's last half minute that the network scored highest, the highest first."""
        ...

    def forget(self, call: str, participant: str, track: int) -> None:
        """A track has ended."""
        ...

    def forget_participant(self, call: str, participant: str) -> None:
        """A participant has left."""
        ...
