# SPDX-License-Identifier: Apache-2.0
"""Orders for challenges and looks at participants in; their state, their evidence and their news out."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from monitor.errors import ConflictError, OrderError, SessionError, TokenError
from monitor.liveness.challenge.recall import Answer
from monitor.liveness.challenge.script import Order, possible
from monitor.liveness.challenge.task import Finding, Shown, inconclusive
from monitor.liveness.challenge.trial import Trial
from monitor.values import AudioChunk, Challenge, ChallengeKind, ChallengeState, Evidence, FaceLook, Frame, Media

__all__ = ["Challenges", "Started"]

KEPT: Final = 8
"""Challenges remembered of a participant while they are in the call."""

KEPT_ANSWERS: Final = 3
"""Answers of which a copy is known again, 150 KiB each."""

TOKEN_BYTES: Final = 32

SPEECH: Final = "say_digits needs pip install 'lifesign[speech]'; challenge.kinds says what is allowed."

Present = Callable[[str, str], bool]
Tell = Callable[[Challenge], Awaitable[None]]
Seeds = Callable[[], int]


def _chance() -> int:
    return secrets.randbits(64)


def _nobody(_call: str, _participant: str) -> bool:
    return False


async def _to_nobody(_challenge: Challenge) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Started:
    """A challenge that has been started, and the one token with which its participant may read it."""

    challenge: Challenge
    token: str


@dataclass(slots=True)
class _Asked:
    """One challenge; `until_s` is when it ends whatever happens (monotonic)."""

    told: Challenge
    trial: Trial
    digest: bytes
    until_s: float
    opened_s: float | None = None


@dataclass(slots=True)
class _Participant:
    """What is remembered of one participant, oldest first."""

    asked: list[_Asked] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


class Challenges:
    """The desk: one challenge at a time for each participant, measured in the looks the pipeline takes anyway.

    `present(call, participant)` says who is there; `tell` publishes each change; times are monotonic seconds.
    In a recording nobody is there to be asked.
    A challenge waits until its participant has seen it, so that nobody fails who was never asked.
    It asks for the `kinds` that can be judged here; what is asked comes from `seeds`, which nobody may foresee.
    """

    def __init__(
        self,
        present: Present = _nobody,
        tell: Tell = _to_nobody,
        kinds: Collection[ChallengeKind] = tuple(ChallengeKind),
        seeds: Seeds = _chance,
    ) -> None:
        self.offered = tuple(kind for kind in kinds if possible(kind))
        self._present = present
        self._tell = tell
        self.seeds = seeds
        self._people: dict[tuple[str, str], _Participant] = {}

    async def start(self, call: str, participant: str, order: Order, deadline_s: float, now_s: float) -> Started:
        """Ask a participant.

        Raises OrderError for a kind that is not offered, SessionError when they are not there, ConflictError when they
        are being asked.
        """
        if order.kind not in self.offered:
            raise OrderError(f"{order.kind} is not offered here.", f"Offered are: {', '.join(self.offered)}. {SPEECH}")
        if not self._present(call, participant):
            raise SessionError(f"There is no participant {participant} in {call}.", f"GET /v1/calls/{call} lists them.")
        person = self._people.setdefault((call, participant), _Participant())
        if any(asked.trial.finding is None for asked in person.asked):
            raise ConflictError("The participant is being asked something already.", "Wait for its verdict.")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        told = Challenge(secrets.token_hex(16), call, participant, order.kind, ChallengeState.WAITING)
        trial = Trial(order, self.seeds(), person.answers)
        person.asked = [*person.asked, _Asked(told, trial, _digest(token), now_s + deadline_s)][-KEPT:]
        await self._tell(told)
        return Started(told, token)

    def history(self, call: str, participant: str) -> tuple[Challenge, ...]:
        """Challenges of a participant who is there, oldest first; the last KEPT of them."""
        person = self._people.get((call, participant))
        return () if person is None else tuple(asked.told for asked in person.asked)

    def authorize(self, call: str, participant: str, token: str) -> None:
        """Raises TokenError unless the token is that of the participant's newest challenge."""
        newest = self._newest(call, participant)
        if newest is None or not hmac.compare_digest(newest.digest, _digest(token)):
            raise TokenError("The token opens no challenge of this participant.", "Open the address you were sent.")

    def show(self, call: str, participant: str, now_s: float) -> tuple[Challenge, Shown] | None:
        """What the participant is to see now, None without a challenge; seeing it starts it."""
        newest = self._newest(call, participant)
        if newest is None:
            return None
        if newest.opened_s is None and newest.trial.finding is None:
            newest.opened_s = now_s
        return newest.told, newest.trial.shown

    async def answer(
        self, media: Media, seen: FaceLook | None, sound: Sequence[AudioChunk] = ()
    ) -> tuple[Evidence, ...]:
        """Take in what came of a participant; what a challenge that has just ended says of the face.

        `sound` is the newest that was heard, oldest chunk first; chunks may come again.
        """
        newest = self._newest(media.call, media.participant)
        if newest is None:
            return ()
        said = await self._measure(newest, media, seen, sound)
        if _now_s(media) > newest.until_s:
            newest.trial.end(None if newest.opened_s else inconclusive("Nobody opened the challenge in time."))
        await self._news(newest, media)
        return said

    def under_way(self, call: str, participant: str) -> bool:
        """Whether an answer is awaited."""
        newest = self._newest(call, participant)
        return newest is not None and newest.trial.finding is None

    async def leave(self, call: str, participant: str) -> None:
        """Forget a participant who has left; a challenge under way is inconclusive."""
        person = self._people.pop((call, participant), None)
        for asked in person.asked if person else []:
            if asked.trial.finding is None:
                asked.trial.end(inconclusive("The participant left while the challenge ran."))
                await self._say(asked, asked.told.media_s)

    def _newest(self, call: str, participant: str) -> _Asked | None:
        person = self._people.get((call, participant))
        return person.asked[-1] if person and person.asked else None

    async def _measure(
        self, asked: _Asked, media: Media, seen: FaceLook | None, sound: Sequence[AudioChunk]
    ) -> tuple[Evidence, ...]:
        # A picture that arrived before the question was seen cannot hold the answer.
        if not isinstance(media, Frame) or seen is None or asked.opened_s is None or media.arrived_s < asked.opened_s:
            return ()
        # A verdict takes a while, most for spoken digits, which no other call should wait for.
        return await asyncio.to_thread(asked.trial.look, seen, sound)

    async def _news(self, asked: _Asked, media: Media) -> None:
        media_s = media.media_s if isinstance(media, Frame) else asked.told.media_s
        if asked.told.state is ChallengeState.WAITING and asked.opened_s is not None and asked.trial.finding is None:
            asked.told = replace(asked.told, state=ChallengeState.RUNNING, media_s=media_s)
            await self._tell(asked.told)
        if asked.trial.finding is not None and asked.told.state in {ChallengeState.WAITING, ChallengeState.RUNNING}:
            await self._say(asked, media_s)

    async def _say(self, asked: _Asked, media_s: float | None) -> None:
        finding = asked.trial.finding
        assert finding is not None
        person = self._people.get((asked.told.call, asked.told.participant))
        if person is not None and finding.state is ChallengeState.PASSED:
            person.answers = [*person.answers, asked.trial.answer][-KEPT_ANSWERS:]
        asked.told = _told(asked, finding, media_s)
        await self._tell(asked.told)


def _told(asked: _Asked, finding: Finding, media_s: float | None) -> Challenge:
    measured: Mapping[str, float] = finding.measurements
    return replace(
        asked.told,
        state=finding.state,
        media_s=media_s,
        sentence=finding.sentence,
        asked=asked.trial.asked if asked.opened_s is not None else (),
        measurements=measured,
    )


def _now_s(media: Media) -> float:
    return media.arrived_s if isinstance(media, Frame) else media.now_s


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
