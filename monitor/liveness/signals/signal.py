# SPDX-License-Identifier: Apache-2.0
"""What every cue beside the network is: one face's looks in, evidence or a reasoned abstention out."""

from typing import Protocol

from monitor.values import Context, Evidence, FaceCrop

__all__ = ["Signal", "abstain"]


class Signal(Protocol):
    """One cue on one face track.

    Its state is bounded, whatever the length of the call. It cites its source in its module's docstring and takes its
    constants from a measurement on bona fide footage. The quality of the look is part of the reliability it states.
    """

    cue: str

    def look(self, crop: FaceCrop, context: Context, /) -> Evidence:
        """Take in the track's next crop, in order of media time, and say what it speaks for."""
        ...


def abstain(
    cue: str, crop: FaceCrop, sentence: str, measure: float | None = None, origin: float | None = None
) -> Evidence:
    """Say nothing, and why: evidence of reliability 0; `measure` where one was taken that is not above `origin`."""
    return Evidence(cue, crop.track, crop.media_s, 0.0, 0.0, {}, sentence, measure=measure, origin=origin)
