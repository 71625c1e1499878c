# SPDX-License-Identifier: Apache-2.0
"""Costs of receiving each kind of stream in; where the tap's CPU time goes, a column for each kind, out; pure."""

from collections.abc import Mapping
from typing import Final

from monitor.bench.costs import LOOP, Cost, percent

__all__ = ["breakdown"]

CORNER: Final = "the tap, % of a core"
TOTAL: Final = "in all"


def _parts(cost: Cost) -> dict[str, float]:
    """Milliseconds a picture: the event loop by cause, decoding, the rest, all of it, and what of it is waking up."""
    tap, sampled = cost.tap, sum(cost.tap.causes.values())
    loop_ms, decode_ms = tap.cpu_ms[LOOP], tap.cpu_ms["decode"]
    return {
        "decoding alone": cost.decode_ms,
        "decoding beside the loop, above that": decode_ms - cost.decode_ms,
        **{f"loop: {cause}": loop_ms * count / sampled for cause, count in sorted(tap.causes.items())},
        "all else": tap.total_ms - loop_ms - decode_ms,
        TOTAL: tap.total_ms,
        "of it, empty wake-ups": tap.wakes * tap.empty_wake_ms,
    }


def breakdown(costs: Mapping[str, Cost]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of a table, in percent of a core for a stream; a cause that was never seen takes nothing."""
    found = [_parts(cost) for cost in costs.values()]
    causes = {cause: max(each.get(cause, 0.0) for each in found) for part in found for cause in part}
    rows = [(cause, *(_cell(each.get(cause, 0.0)) for each in found)) for cause in _ordered(causes)]
    return (CORNER, *costs), rows


def _ordered(causes: Mapping[str, float]) -> list[str]:
    """Decoding, the causes in the loop from the dearest on, then the rest."""
    in_loop = sorted((cause for cause in causes if cause.startswith("loop")), key=lambda cause: -causes[cause])
    others = [cause for cause in causes if not cause.startswith("loop")]
    return [*others[:2], *in_loop, *others[2:]]


def _cell(ms: float) -> str:
    return f"{round(percent(ms), 2) + 0.0:.2f}"
