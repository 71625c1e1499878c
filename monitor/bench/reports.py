# SPDX-License-Identifier: Apache-2.0
"""Processes that report once a second in; what they are and have counted, out."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from monitor.bench.probe import Counts
from monitor.errors import ProcessError
from monitor.processes.child import Child

__all__ = ["counted", "kinds_of", "renewed"]

COUNTED: Final = (
    "lifesign_capture_received_frames",
    "lifesign_capture_sampled_frames",
    "lifesign_capture_dropped_frames",
    "lifesign_liveness_crops_total",
)
LOOK_EVERY_S: Final = 0.005


def counted(children: Sequence[Child]) -> Counts:
    """What the newest reports say, of all processes together."""
    found: Counter[str] = Counter()
    for child in children:
        samples = (sample for family in child.report.families for sample in family.samples)
        found.update({sample.name: int(sample.value) for sample in samples if sample.name in COUNTED})
    received, sampled, dropped, judged = (found[name] for name in COUNTED)
    return Counts(received, sampled - dropped, judged)


def kinds_of(children: Sequence[Child]) -> Mapping[int, str]:
    """What each process is, by its id.

    Raises ProcessError once one was started again: what the one before had used is forgotten.
    """
    if lost := [child.name for child in children if child.restarts or child.pid is None]:
        raise ProcessError(f"The {lost[0]} process ended while it was measured.", "Look into its log.")
    return {child.pid: child.kind for child in children if child.pid is not None}


async def renewed(children: Sequence[Child]) -> None:
    """Wait until each process has reported anew: what was counted between two such moments has their distance."""
    before = [child.report for child in children]
    while any(child.report is old for child, old in zip(children, before, strict=True)):  # noqa: ASYNC110 - a report is no event
        await asyncio.sleep(LOOK_EVERY_S)
