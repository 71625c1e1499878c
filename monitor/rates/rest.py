# SPDX-License-Identifier: Apache-2.0
"""Labelled films in, what the network's rest at clear participants saves and how much later attacks are found out.

    python -m monitor.rates.rest DATA [--most N]

A call is a bona fide film, there and back for a minute and a half, and then a forgery made from it for a minute, as if
the attack began in mid-call. Each call is judged twice, with the policy as it runs: every look, and with rests. Only
the network is asked: the other cues see every look in both, and some would take the film that comes back for a loop.
"""

import argparse
import asyncio
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from statistics import fmean, median
from typing import Final

from monitor.config import LivenessSettings, Profile
from monitor.liveness.engine import Engine
from monitor.policy.participant import ParticipantPolicy
from monitor.rates.challenge import endless, looks
from monitor.tempo import Tempo
from monitor.values import AlertChange, Context, FaceCrop, FaceLook

__all__ = ["Call", "Outcome", "largest", "later_s", "main", "pairs", "table", "watch"]

CALM_S: Final = 90.0
ATTACK_S: Final = 60.0
USUAL_PER_S: Final = 5.0
AT_ONCE: Final = 16
TRACK: Final = 1
ROWS: Final = (
    "calls",
    "looks judged before the attack",
    "looks judged in all",
    "alerts before the attack",
    "attacks alerted",
    "median delay",
)


@dataclass(frozen=True, slots=True)
class Call:
    """What is seen of a bona fide person, and then of an attack."""

    name: str
    bona_fide: Sequence[FaceLook]
    attack: Sequence[FaceLook]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call judged in one way: looks in all and those judged, before the attack and after it began.

    `false_alerts` came before; `delay_s` is from the beginning of the attack to the first alert on it, None without.
    """

    looks: int
    judged: int
    calm_looks: int
    calm_judged: int
    false_alerts: int
    delay_s: float | None


def pairs(labels: Path, most: int | None = None) -> list[tuple[Path, Path]]:
    """The film of each person in `val`, and each forgery made from it; paths are under the folder of labels.csv.

    With `most` about so many forgeries, evenly chosen.
    """
    with labels.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "val" and row["view"] == "crop" and row["pair"]]
    films = [row for row in rows if row["path"].endswith(".mp4")]
    bona_fide = {row["pair"]: row["path"] for row in films if row["label"] == "real"}
    forged = [row for row in films if row["label"] != "real" and row["pair"] in bona_fide]
    every = max(1, len(forged) // most) if most else 1
    return [(labels.parent / bona_fide[row["pair"]], labels.parent / row["path"]) for row in forged[::every]]


async def watch(engine: Engine, call: Call, *, resting: bool) -> Outcome:
    """Judge one call."""
    numbers = count()
    policy = ParticipantPolicy(call.name, str(resting), Profile.ENTERPRISE, lambda: str(next(numbers)))
    raised: list[float] = []
    tempo, seen, judged = Tempo(USUAL_PER_S), [0, 0], [0, 0]
    for at_s, look in _timeline(call):
        shown = _shown(look, at_s, call.name, str(resting))
        rests = tempo.rests(at_s) and resting
        evidence = await engine.judge(shown.crops, Context(rests=rests))
        decision = policy.step(at_s, shown, evidence)
        tempo.after(decision)
        raised += [alert.raised_s for alert in decision.alerts if alert.change is AlertChange.RAISED]
        seen[at_s >= CALM_S] += 1
        judged[at_s >= CALM_S] += bool(evidence)
    engine.forget_participant(call.name, str(resting))
    late = [at_s - CALM_S for at_s in raised if at_s >= CALM_S]
    return Outcome(sum(seen), sum(judged), seen[0], judged[0], len(raised) - len(late), late[0] if late else None)


def _timeline(call: Call) -> Iterator[tuple[float, FaceLook]]:
    for start_s, lasting_s, film in ((0.0, CALM_S, call.bona_fide), (CALM_S, ATTACK_S, call.attack)):
        for look in endless(film):
            if look.media_s - film[0].media_s >= lasting_s:
                break
            yield start_s + look.media_s - film[0].media_s, look


def _shown(look: FaceLook, at_s: float, call: str, way: str) -> FaceLook:
    """The largest face of a look, as one track of the call."""
    crop = largest(look)
    if crop is None:
        return FaceLook(at_s, reasons=look.reasons)
    return FaceLook(at_s, (replace(crop, call=call, participant=way, track=TRACK, media_s=at_s),))


def largest(look: FaceLook) -> FaceCrop | None:
    """The largest face of a look that can be judged."""
    usable = [crop for crop in look.crops if crop.quality.judgeable]
    return max(usable, key=lambda crop: crop.box.width, default=None)


def table(outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """As Markdown, a column for each way, every look first."""
    columns = [_column(found) for found in outcomes.values()]
    cells = [("", *outcomes), ("---",) * (len(outcomes) + 1), *zip(ROWS, *columns, strict=True)]
    lines = [f"| {' | '.join(line)} |" for line in cells]
    return "\n".join([*lines, "", _later(*outcomes.values())])


def _column(found: Sequence[Outcome]) -> tuple[str, ...]:
    late_s = _late_s(found)
    return (
        str(len(found)),
        f"{fmean(_share(each.calm_judged, each.calm_looks) for each in found):.0%}",
        f"{fmean(_share(each.judged, each.looks) for each in found):.0%}",
        str(sum(each.false_alerts for each in found)),
        str(len(late_s)),
        f"{median(late_s):.1f} s" if late_s else "–",
    )


def _late_s(found: Sequence[Outcome]) -> list[float]:
    return [each.delay_s for each in found if each.delay_s is not None]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def later_s(first: Sequence[Outcome], second: Sequence[Outcome]) -> list[float]:
    """How much later the second way alerted each attack that both alerted, the least first."""
    found = [(one.delay_s, two.delay_s) for one, two in zip(first, second, strict=True)]
    return sorted(two_s - one_s for one_s, two_s in found if one_s is not None and two_s is not None)


def _later(every: Sequence[Outcome], resting: Sequence[Outcome]) -> str:
    late_s = later_s(every, resting)
    missed, more = (len(_late_s(each)) - len(late_s) for each in (every, resting))
    mean = f"on average {fmean(late_s):+.1f} s, from {late_s[0]:+.1f} to {late_s[-1]:+.1f} s" if late_s else "never"
    return f"With rests alerts came later: {mean}; raised only without rests {missed}, only with rests {more}."


async def _measured(calls: Sequence[Call]) -> dict[str, list[Outcome]]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(engine: Engine, call: Call, *, resting: bool) -> Outcome:
        async with room:
            return await watch(engine, call, resting=resting)

    found = {}
    async with Engine(LivenessSettings(cues=(), batch_deadline_ms=1.0)) as engine:
        for title, resting in (("every look", False), ("resting", True)):
            found[title] = list(await asyncio.gather(*(one(engine, call, resting=resting) for call in calls)))
    return found


async def _calls(films: Sequence[tuple[Path, Path]]) -> list[Call]:
    seen = {film: await looks(film) for film in dict.fromkeys(film for pair in films for film in pair)}
    whole = [(real, forged) for real, forged in films if min(len(seen[real]), len(seen[forged])) > 1]
    return [Call(f"call-{at}", seen[real], seen[forged]) for at, (real, forged) in enumerate(whole)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What the network's rest saves, and how much later attacks are found.")
    parser.add_argument("data", type=Path, help="folder with labels.csv")
    parser.add_argument("--most", type=int, help="no more forgeries than this, evenly chosen")
    given = parser.parse_args()
    calls = asyncio.run(_calls(pairs(given.data / "labels.csv", given.most)))
    sys.stdout.write(table(asyncio.run(_measured(calls))) + "\n")


if __name__ == "__main__":
    main()
