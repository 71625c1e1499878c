# SPDX-License-Identifier: Apache-2.0
"""Films of people who were asked nothing in, how often they pass each challenge by chance out.

    python -m monitor.rates.challenge [--seeds N] FILM...

That is what a film recorded beforehand passes when it is played to the camera: the false acceptance of a challenge
(ISO/IEC 30107-3, APCER of a replayed or injected recording). Short films are played there and back until the challenge
has ended. Spoken digits are left out: what passes them by chance is reckoned, not counted (`python -m models.digits`).
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from monitor import assets
from monitor.capture.replay import Replay
from monitor.config import CaptureSettings, FacesSettings
from monitor.faces.finder import FaceFinder
from monitor.liveness.challenge.script import Order
from monitor.liveness.challenge.trial import Trial
from monitor.values import ChallengeKind, ChallengeState, FaceLook, Frame

__all__ = ["KINDS", "chance", "endless", "highest", "looks", "main", "table"]

KINDS: Final = (
    ChallengeKind.TURN_HEAD,
    ChallengeKind.FOLLOW_POINT,
    ChallengeKind.COVER_FACE,
    ChallengeKind.COLOURS,
)
LONGEST_S: Final = 45.0
"""The deadline of a challenge."""

USUAL_PER_S: Final = 5.0
CROP_PX: Final = 128
SURE: Final = 0.95


async def looks(film: Path, per_s: float = USUAL_PER_S) -> list[FaceLook]:
    """What is seen in a film at so many looks a second; at the rate of a call unless told."""
    finder = FaceFinder(FacesSettings(), assets.path("face_landmarker"), "films", "film", CROP_PX)
    replay = Replay(str(film), "films", "film", CaptureSettings(samples_per_s=per_s), pace="fast")
    try:
        return [await asyncio.to_thread(finder.look, each) async for each in replay.media() if isinstance(each, Frame)]
    finally:
        await replay.close()
        finder.close()


def endless(seen: Sequence[FaceLook]) -> Iterator[FaceLook]:
    """The looks of a film there and back, again and again, in times that only rise; none when it has fewer than two."""
    if len(seen) < 2:
        return
    steps_s = [after.media_s - before.media_s for before, after in pairwise(seen)]
    at_s = seen[0].media_s
    yield seen[0]
    while True:
        for step_s, look in [*zip(steps_s, seen[1:], strict=True), *zip(steps_s[::-1], seen[-2::-1], strict=True)]:
            at_s += step_s
            yield _at(look, at_s)


def chance(seen: Sequence[FaceLook], kind: ChallengeKind, seeds: Iterable[int]) -> Counter[ChallengeState]:
    """Verdicts of challenges of one kind, one for each seed, laid over a film."""
    return Counter(_verdict(seen, kind, seed) for seed in seeds)


def highest(hits: int, trials: int) -> float:
    """What the true share is below with 95 % confidence, if trials are independent (Clopper and Pearson 1934)."""
    low, high = hits / max(trials, 1), 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(hits, trials, middle) > 1.0 - SURE else (low, middle)
    return high


def table(counts: dict[ChallengeKind, Counter[ChallengeState]], films: int) -> str:
    """As Markdown."""
    lines = [
        f"| kind | challenges on {films} films | passed | at most, by films (95 %) | failed | inconclusive |",
        "|---|---|---|---|---|---|",
    ]
    for kind, count in counts.items():
        trials, passed = count.total(), count[ChallengeState.PASSED]
        shares = [count[state] / max(trials, 1) for state in (ChallengeState.FAILED, ChallengeState.INCONCLUSIVE)]
        bound = highest(round(passed / max(trials, 1) * films), films)
        lines.append(f"| `{kind}` | {trials} | {passed} | {bound:.3f} | {shares[0]:.2f} | {shares[1]:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How often people who were asked nothing pass each challenge.")
    parser.add_argument("--seeds", type=int, default=20, help="challenges of each kind on each film")
    parser.add_argument("films", type=Path, nargs="+")
    given = parser.parse_args()
    counts = {kind: Counter[ChallengeState]() for kind in KINDS}
    for film in given.films:
        seen = asyncio.run(looks(film))
        for kind, count in counts.items():
            count.update(chance(seen, kind, range(given.seeds)))
    sys.stdout.write(table(counts, len(given.films)) + "\n")


def _verdict(seen: Sequence[FaceLook], kind: ChallengeKind, seed: int) -> ChallengeState:
    trial = Trial(Order(kind), seed)
    for look in endless(seen):
        trial.look(look)
        if trial.finding is not None or look.media_s - seen[0].media_s > LONGEST_S:
            break
    trial.end()
    assert trial.finding is not None
    return trial.finding.state


def _at(look: FaceLook, media_s: float) -> FaceLook:
    return replace(look, media_s=media_s, crops=tuple(replace(crop, media_s=media_s) for crop in look.crops))


def _at_most(hits: int, trials: int, share: float) -> float:
    """Probability of no more than `hits` of `trials`."""
    term, total = (1.0 - share) ** trials, 0.0
    for index in range(hits + 1):
        total += term
        term *= (trials - index) / (index + 1) * share / max(1.0 - share, 1e-12)
    return total


if __name__ == "__main__":
    main()
