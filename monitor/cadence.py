# SPDX-License-Identifier: Apache-2.0
"""Verdicts of every frame in, the ones worth publishing out."""

from typing import Final

from monitor.values import Verdict

__all__ = ["EVERY_S", "due"]

EVERY_S: Final = 1.0
"""An unchanged verdict is said again this often in media time: its score moves, and a reader sees that it lives."""


def due(said: Verdict | None, verdict: Verdict) -> bool:
    """Whether a verdict is news after the one said last: another state, another reason, or a second later."""
    if said is None or verdict.state is not said.state or verdict.reasons != said.reasons:
        return True
    return not 0.0 <= verdict.media_s - said.media_s < EVERY_S
