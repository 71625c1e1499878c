# SPDX-License-Identifier: Apache-2.0
"""Films whose looks were judged once in, how a call made of them goes in each way of looking out; pure.

What the network said of a look is remembered, and said again whenever the look comes again: there and back, and where
other looks are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from typing import Final

from monitor.config import Profile
from monitor.policy.participant import ParticipantPolicy
from monitor.rates.rest import ATTACK_S, TRACK, USUAL_PER_S, Outcome
from monitor.tempo import Tempo
from monitor.values import AlertChange, Evidence, FaceLook, State

__all__ = ["CLOSE_PER_S", "WAYS", "Film", "Judged", "Way", "play"]

CLOSE_PER_S: Final = 10.0
STRIDE: Final = round(CLOSE_PER_S / USUAL_PER_S)
DOUBTED: Final = frozenset({State.INCONCLUSIVE, State.SUSPECT})
"""Who is new is inconclusive until enough was seen."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One of ten looks a second, at one face or none, and the network's word of it, None where there is none.

    `every` is what one state says that sees every look; `other` what the one of two states says that sees every other
    look, and this one: five a second, as the network was trained.
    """

    look: FaceLook
    every: Evidence | None = None
    other: Evidence | None = None


Film = Sequence[Judged]


@dataclass(frozen=True, slots=True)
class Way:
    """A way of looking: `close` are the states in which there are ten looks a second, else five, the first or others.

    Ten are judged by two states that take turns, or `joined` by one. Of who is clear and steady the network judges two
    looks a second where it `rests`; where whole looks are `left_out` nobody sees the others.
    """

    title: str
    close: frozenset[State] = frozenset()
    joined: bool = False
    rests: bool = True
    left_out: bool = False
    first: int = 0


WAYS: Final = (
    Way("every look", rests=False),
    Way("every look, those between", rests=False, first=1),
    Way("`liveness.resting`"),
    Way("`capture.adaptive`", left_out=True),
    Way("resting, ten at the doubted, two states", DOUBTED),
    Way("resting, ten at the doubted, one state", DOUBTED, joined=True),
    Way("always ten, two states", frozenset(State), rests=False),
    Way("always ten, one state", frozenset(State), joined=True, rests=False),
)


def play(bona_fide: Film, attack: Film, way: Way, calm_s: float) -> Outcome:
    """Judge a call of a bona fide person for `calm_s` and then of the attack for a minute; films of two looks or more.

    Looks are those that anybody saw, judged those that the network did.
    """
    call = _Call(way)
    seen, judged = [0, 0], [0, 0]
    for step, each in enumerate(_timeline(bona_fide, attack, calm_s)):
        at_s = step / CLOSE_PER_S
        if not call.looks(step, at_s):
            continue
        seen[at_s >= calm_s] += 1
        judged[at_s >= calm_s] += call.judge(at_s, each)
    late_s = [at_s - calm_s for at_s in call.raised_s if at_s >= calm_s]
    early = len(call.raised_s) - len(late_s)
    return Outcome(sum(seen), sum(judged), seen[0], judged[0], early, late_s[0] if late_s else None)


def _timeline(bona_fide: Film, attack: Film, calm_s: float) -> Iterator[Judged]:
    for film, lasting_s in ((bona_fide, calm_s), (attack, ATTACK_S)):
        yield from islice(cycle([*film, *film[-2:0:-1]]), round(lasting_s * CLOSE_PER_S))


class _Call:
    """A call under way, watched in one way."""

    def __init__(self, way: Way) -> None:
        numbers = count()
        self.raised_s: list[float] = []
        self._way = way
        self._policy = ParticipantPolicy("call", way.title, Profile.ENTERPRISE, lambda: str(next(numbers)))
        self._tempo = Tempo(USUAL_PER_S)
        self._state = State.INCONCLUSIVE
        self._rests = False

    def looks(self, step: int, at_s: float) -> bool:
        """Whether anybody looks at this moment, one of ten a second; to be asked of each, in their order."""
        usual = step % STRIDE == self._way.first
        self._rests = usual and self._tempo.rests(at_s) and self._way.rests
        if not usual:
            return self._state in self._way.close
        return not (self._rests and self._way.left_out)

    def judge(self, at_s: float, judged: Judged) -> bool:
        """Take in the look; whether the network had a word of it."""
        close = self._way.joined and self._state in self._way.close
        word = None if self._rests else judged.every if close else judged.other
        crops = tuple(replace(crop, track=TRACK, media_s=at_s) for crop in judged.look.crops)
        said = () if word is None else (replace(word, track=TRACK, media_s=at_s),)
        decision = self._policy.step(at_s, replace(judged.look, media_s=at_s, crops=crops), said)
        self._tempo.after(decision)
        self._state = decision.verdict.state
        self.raised_s += [alert.raised_s for alert in decision.alerts if alert.change is AlertChange.RAISED]
        return bool(said)
