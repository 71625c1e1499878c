# SPDX-License-Identifier: Apache-2.0
"""Labelled films in, what ten looks a second at who is new or suspect bring and cost out.

    python -m monitor.rates.looks DATA [--most N]

Every film is looked at ten times a second and judged once by one state of the network, and once by two that take turns.
Printed is what the further looks tell (`monitor.rates.worth`), and how calls go (`monitor.rates.ways`) whose attack
begins after a minute and a half of a bona fide person, or with the call. Only the network is asked.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median
from typing import Final

import numpy as np

from monitor.config import LivenessSettings
from monitor.liveness.engine import Engine
from monitor.rates import worth
from monitor.rates.challenge import looks
from monitor.rates.rest import CALM_S, Outcome, largest, later_s, pairs
from monitor.rates.ways import CLOSE_PER_S, WAYS, Film, Judged, Way, play
from monitor.values import Evidence, FaceCrop, FaceLook

__all__ = ["judged", "main", "table"]

AT_ONCE: Final = 4
STATES: Final = ("all", "even", "odd")
HEAD: Final = (
    "way",
    "looks",
    "of them judged",
    "alerts before the attack",
    "attacks alerted",
    "median delay",
    "later than every look",
)
PIXEL: Final = np.zeros((1, 1, 3), np.uint8)


async def judged(engine: Engine, name: str, seen: Iterable[FaceLook]) -> Film:
    """What the network says of the largest face of each look at a film, ten a second; the pictures are let go."""
    film = [await _judged(engine, name, STATES[1 + step % 2], look) for step, look in enumerate(seen)]
    for state in STATES:
        engine.forget_participant(name, state)
    return film


async def _judged(engine: Engine, name: str, turn: str, look: FaceLook) -> Judged:
    crop = largest(look)
    if crop is None:
        return Judged(replace(look, crops=()))
    every, other = await asyncio.gather(*(_word(engine, name, state, crop) for state in (STATES[0], turn)))
    return Judged(replace(look, crops=(replace(crop, rgb=PIXEL),)), every, other)


async def _word(engine: Engine, name: str, state: str, crop: FaceCrop) -> Evidence | None:
    said = await engine.judge((replace(crop, call=name, participant=state),))
    return said[0] if said else None


def table(outcomes: Mapping[Way, Sequence[Outcome]]) -> str:
    """As Markdown, a row for each way; looks are shares of the first way's."""
    first = next(iter(outcomes.values()))
    return _markdown(HEAD, [(way.title, *_row(found, first)) for way, found in outcomes.items()])


def _row(found: Sequence[Outcome], first: Sequence[Outcome]) -> tuple[str, ...]:
    late_s = [each.delay_s for each in found if each.delay_s is not None]
    usual = sum(each.looks for each in first)
    differ_s = later_s(first, found)
    return (
        f"{sum(each.looks for each in found) / usual:.0%}",
        f"{sum(each.judged for each in found) / usual:.0%}",
        str(sum(each.false_alerts for each in found)),
        f"{len(late_s)} of {len(found)}",
        f"{median(late_s):.1f} s" if late_s else "–",
        f"{fmean(differ_s):+.1f} s ({differ_s[0]:+.1f} to {differ_s[-1]:+.1f})" if differ_s else "–",
    )


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


async def _films(paths: Iterable[Path]) -> dict[Path, Film]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(engine: Engine, path: Path) -> tuple[Path, Film]:
        async with room:
            return path, await judged(engine, path.name, await looks(path, CLOSE_PER_S))

    async with Engine(LivenessSettings(cues=(), batch_deadline_ms=1.0)) as engine:
        return dict(await asyncio.gather(*(one(engine, path) for path in dict.fromkeys(paths))))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="What ten looks a second at who is new or suspect bring and cost.")
    parser.add_argument("data", type=Path, help="folder with labels.csv")
    parser.add_argument("--most", type=int, help="no more forgeries than this, evenly chosen")
    given = parser.parse_args()
    chosen = pairs(given.data / "labels.csv", given.most)
    films = asyncio.run(_films(path for pair in chosen for path in pair))
    calls = [(films[real], films[forged]) for real, forged in chosen if min(map(len, (films[real], films[forged]))) > 1]
    people, attacks = ([films[path] for path in dict.fromkeys(side)] for side in zip(*chosen, strict=True))
    told = worth.rows({"bona fide": people, "forged": attacks})
    sys.stdout.write(_markdown(("network's logits", "bona fide", "forged"), told) + "\n")
    for calm_s in (CALM_S, 0.0):
        played = {way: [play(real, forged, way, calm_s) for real, forged in calls] for way in WAYS}
        sys.stdout.write(f"\nAttack after {calm_s:.0f} s:\n\n{table(played)}\n")


if __name__ == "__main__":
    main()
