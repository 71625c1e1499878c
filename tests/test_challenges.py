# SPDX-License-Identifier: Apache-2.0
"""The desk: who is asked, when it counts, and what is told of it."""

import numpy as np
import pytest

from monitor.challenges import KEPT, Challenges
from monitor.errors import ConflictError, OrderError, SessionError, TokenError
from monitor.liveness.challenge.script import Order
from monitor.values import Challenge, ChallengeKind, ChallengeState, Frame, Picture, Stall
from tests.fakes.answers import Person, look

ORDER = Order(ChallengeKind.TURN_HEAD, directions=("left",))
PICTURE = Picture(np.zeros((6, 4), np.uint8))


class Desk:
    """A desk with ann and bob in the call, a clock, and all it has told."""

    def __init__(self) -> None:
        self.told: list[Challenge] = []
        self.here = {"p", "bob"}
        self.now_s = 1000.0
        self.desk = Challenges(lambda _call, who: who in self.here, self.hear)

    async def hear(self, challenge: Challenge) -> None:
        """Note what is told."""
        self.told.append(challenge)

    async def start(self, who: str = "p", deadline_s: float = 60.0) -> str:
        """Ask somebody; gives the token."""
        return (await self.desk.start("c", who, ORDER, deadline_s, self.now_s)).token

    async def see(self, person: Person | None, who: str = "p", delay_s: float = 0.0) -> list:
        """One look, 0.2 s after the one before; the picture arrived `delay_s` ago."""
        self.now_s += 0.2
        frame = Frame("c", who, self.now_s - 900.0, self.now_s - delay_s, PICTURE)
        return list(await self.desk.answer(frame, look(frame.media_s, person)))

    def open(self, who: str = "p") -> None:
        """The participant looks at the page."""
        assert self.desk.show("c", who, self.now_s) is not None

    @property
    def states(self) -> list[str]:
        """States told so far."""
        return [challenge.state for challenge in self.told]

    async def turn(self) -> None:
        """Rest, then turn left when asked."""
        asked = 0
        for _ in range(40):
            shown = self.desk.show("c", "p", self.now_s)
            asked = asked + 1 if shown and shown[1].arrow == "left" else 0
            await self.see(Person(head=(25.0, 0.0)) if asked > 3 else Person())
            if self.told[-1].state in {"passed", "failed", "inconclusive"}:
                return


async def test_a_challenge_from_start_to_verdict() -> None:
    """Waiting until it is seen, then running, then passed with its measurements; nothing of it is told before."""
    desk = Desk()
    await desk.start()
    await desk.see(Person())
    assert desk.states == ["waiting"]
    desk.open()
    await desk.turn()
    assert desk.states == ["waiting", "running", "passed"]
    assert [challenge.asked for challenge in desk.told] == [(), (), ("left",)]
    assert len({challenge.id for challenge in desk.told}) == 1
    assert await desk.see(Person())
    assert desk.desk.history("c", "p")[-1].state is ChallengeState.PASSED


async def test_one_challenge_at_a_time() -> None:
    """A second order is refused until the first has its verdict; another participant may be asked meanwhile."""
    desk = Desk()
    await desk.start()
    with pytest.raises(ConflictError):
        await desk.start()
    await desk.start("bob")
    desk.open()
    await desk.turn()
    await desk.start()


async def test_who_is_not_there_is_not_asked() -> None:
    """No participant, no challenge, no memory."""
    desk = Desk()
    with pytest.raises(SessionError):
        await desk.start("carol")
    assert desk.told == []
    assert desk.desk.history("c", "carol") == ()
    assert desk.desk._people == {}


async def test_the_answer_of_another_participant_does_not_count() -> None:
    """Bob turns his head; ann, who was asked, sits still and fails. Nor does bob's token open hers."""
    desk = Desk()
    token = await desk.start()
    other = await desk.start("bob")
    desk.desk.authorize("c", "p", token)
    for who, given in (("p", other), ("bob", token), ("p", ""), ("carol", token)):
        with pytest.raises(TokenError):
            desk.desk.authorize("c", who, given)
    desk.open()
    for index in range(80):
        await desk.see(Person(head=(25.0 * (index % 10 > 5), 0.0)), "bob")
        await desk.see(Person())
    assert [challenge.state for challenge in desk.told if challenge.participant == "p"][-1] == "failed"


async def test_nobody_opened_it() -> None:
    """Who was never asked does not fail: inconclusive, and no word on the face."""
    desk = Desk()
    await desk.start(deadline_s=10.0)
    said = [word for _ in range(60) for word in await desk.see(Person())]
    assert desk.states == ["waiting", "inconclusive"]
    assert "opened" in desk.told[-1].sentence
    assert said == []


async def test_the_deadline_holds_when_no_picture_comes() -> None:
    """A stalled stream ends the challenge too."""
    desk = Desk()
    await desk.start(deadline_s=10.0)
    desk.open()
    await desk.see(Person())
    await desk.desk.answer(Stall("c", "p", desk.now_s, desk.now_s + 11.0), None)
    assert desk.states[-1] == "inconclusive"


async def test_pictures_from_before_do_not_count() -> None:
    """A picture that arrived before the participant saw the question cannot hold the answer."""
    desk = Desk()
    await desk.start()
    desk.open()
    for _ in range(60):
        await desk.see(Person(head=(25.0, 0.0)), delay_s=30.0)
    assert desk.states == ["waiting", "running"]


async def test_a_participant_who_leaves() -> None:
    """Leaving mid-challenge is inconclusive; everything about them is forgotten."""
    desk = Desk()
    await desk.start()
    desk.open()
    await desk.see(Person())
    await desk.desk.leave("c", "p")
    await desk.desk.leave("c", "p")
    assert desk.states == ["waiting", "running", "inconclusive"]
    assert "left" in desk.told[-1].sentence
    assert desk.desk._people == {}


async def test_many_challenges_keep_a_bounded_memory() -> None:
    """The oldest are forgotten."""
    desk = Desk()
    for _ in range(3 * KEPT):
        await desk.start(deadline_s=10.0)
        desk.now_s += 11.0
        await desk.see(None)
    assert len(desk.desk.history("c", "p")) == KEPT
    assert set(desk.states) == {"waiting", "inconclusive"}


async def test_a_kind_that_is_not_offered_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the configuration leaves out, and digits where there is no recogniser, cannot be ordered."""
    desk = Challenges(lambda *_: True, kinds=(ChallengeKind.COLOURS,))
    with pytest.raises(OrderError, match="turn_head is not offered"):
        await desk.start("c", "p", ORDER, 60.0, 0.0)
    monkeypatch.setattr("monitor.liveness.challenge.script.installed", lambda: False)
    desk = Challenges(lambda *_: True)
    assert ChallengeKind.TURN_HEAD in desk.offered
    with pytest.raises(OrderError) as refused:
        await desk.start("c", "p", Order(ChallengeKind.SAY_DIGITS), 60.0, 0.0)
    assert "lifesign[speech]" in refused.value.advice


async def test_the_seed_decides_what_is_asked() -> None:
    """The desk draws one seed for each challenge."""
    drawn = iter((1, 2))
    desk = Challenges(lambda *_: True, seeds=lambda: next(drawn))
    await desk.start("c", "p", ORDER, 60.0, 0.0)
    await desk.start("c", "bob", ORDER, 60.0, 0.0)
    assert next(drawn, None) is None
