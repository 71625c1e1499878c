# SPDX-License-Identifier: Apache-2.0
"""A challenge from its first look to its evidence, whatever the participant does."""

import math
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.replay import Replay
from monitor.config import CaptureSettings, FacesSettings
from monitor.faces.finder import FaceFinder
from monitor.liveness.challenge.recall import COPIED
from monitor.liveness.challenge.script import Order
from monitor.liveness.challenge.trial import Trial
from monitor.liveness.challenge.weight import SPEAKS_S
from monitor.policy.cusum import CLIP_NATS
from monitor.values import AttackKind, ChallengeKind, ChallengeState, FaceLook, Frame
from tests.fakes.answers import PER_S, Person, answered, look
from tests.fakes.media import sample

TURN = Order(ChallengeKind.TURN_HEAD)
AWAY = {"left": (25.0, 0.0), "right": (-25.0, 0.0), "up": (0.0, 15.0), "down": (0.0, -15.0)}


def turner(trial: Trial, delay_s: float = 0.8) -> Callable[[float], Person]:
    """Somebody who turns the head where the arrow points, `delay_s` after it came."""
    arrow: dict[str, tuple[str | None, float]] = {"now": (None, 0.0)}

    def person(at_s: float) -> Person:
        now = trial.shown.arrow
        if now != arrow["now"][0]:
            arrow["now"] = (now, at_s)
        since_s = at_s - arrow["now"][1]
        return Person(head=AWAY[now] if now and since_s >= delay_s else (0.3 * math.sin(at_s), 0.0))

    return person


def test_who_turns_as_asked_passes() -> None:
    """Two turns are asked for, done, timed, and told with the verdict."""
    trial = Trial(TURN, 7)
    answered(trial, turner(trial))
    assert trial.finding is not None
    assert trial.finding.state is ChallengeState.PASSED, trial.finding
    assert trial.finding.measurements["answers"] == 2.0
    assert 0.6 <= trial.finding.measurements["slowest_answer_s"] <= 1.4
    assert len(trial.asked) == 2
    assert trial.asked[0] != trial.asked[1]


def test_who_sits_still_fails() -> None:
    """Not to answer twice is a failure, and says so."""
    trial = answered(Trial(TURN, 7), lambda _: Person())
    assert trial.finding is not None
    assert trial.finding.state is ChallengeState.FAILED
    assert "not done in time" in trial.finding.sentence


def test_an_answer_that_comes_late_fails() -> None:
    """Five seconds after the question are too many."""
    trial = Trial(TURN, 7)
    assert answered(trial, turner(trial, delay_s=5.0)).finding.state is ChallengeState.FAILED


def test_an_answer_before_the_question_can_have_been_seen_fails() -> None:
    """A head that moves in the very look after the question moves by itself: a film."""
    trial = Trial(TURN, 7)
    finding = answered(trial, turner(trial, delay_s=0.0)).finding
    assert finding.state is ChallengeState.FAILED
    assert "before" in finding.sentence


def test_a_turn_already_there_does_not_count() -> None:
    """A head that stays turned from the start on is the rest, not the answer."""
    for head in AWAY.values():
        assert answered(Trial(TURN, 3), lambda _, head=head: Person(head=head)).finding.state is ChallengeState.FAILED


def test_a_head_that_never_rests_is_inconclusive() -> None:
    """A movement under way at the start, and ever after, cannot be asked anything."""
    finding = answered(Trial(TURN, 7), lambda at_s: Person(head=(30.0 * math.sin(4 * at_s), 0.0))).finding
    assert finding.state is ChallengeState.INCONCLUSIVE
    assert "rest" in finding.sentence


def test_one_mistake_is_forgiven_two_are_not() -> None:
    """Left for right once passes; always the other way fails."""
    trial = Trial(TURN, 7)
    mirrored = turner(trial)

    def person(at_s: float, until: int) -> Person:
        right = mirrored(at_s)
        yaw, pitch = right.head
        return Person(head=(-yaw, -pitch)) if len(trial.asked) <= until else right

    assert answered(trial, lambda at_s: person(at_s, 1)).finding.state is ChallengeState.PASSED
    trial = Trial(TURN, 7)
    mirrored = turner(trial)
    finding = answered(trial, lambda at_s: person(at_s, 99)).finding
    assert finding.state is ChallengeState.FAILED
    assert "else" in finding.sentence


def test_seeds_ask_differently() -> None:
    """What is asked, and when, cannot be foreseen; the same seed asks the same."""
    asked = set()
    for seed in range(20):
        trial = Trial(TURN, seed)
        asked.add((answered(trial, turner(trial)).asked, round(trial.finding.measurements["slowest_answer_s"], 1)))
    assert len({each[0] for each in asked}) >= 6
    twice = [answered(Trial(TURN, 5), lambda _: Person()).asked for _ in range(2)]
    assert twice[0] == twice[1]


def test_two_faces_are_inconclusive() -> None:
    """When two are before the camera nobody knows who answers; a small face far behind does not matter."""
    trial = Trial(TURN, 7)
    for index in range(4):
        trial.look(look(index / PER_S, Person(), more=1))
    assert trial.finding is not None
    assert "More than one face" in trial.finding.sentence
    trial = Trial(TURN, 7)
    for index in range(10):
        near, far = look(index / PER_S, Person()), look(index / PER_S, Person(), 2, size_px=40.0)
        trial.look(FaceLook(near.media_s, near.crops + far.crops))
    assert trial.finding is None


def test_a_lost_face_is_inconclusive() -> None:
    """Two seconds without the face end it; so does another face in its place, and no face at all."""
    gone = answered(Trial(TURN, 7), lambda at_s: Person() if at_s < 1.0 else None).finding
    assert gone.state is ChallengeState.INCONCLUSIVE
    assert "lost" in gone.sentence
    trial = Trial(TURN, 7)
    trial.look(look(0.0, Person(), 1))
    trial.look(look(0.2, Person(), 2))
    assert "Another face" in trial.finding.sentence
    assert answered(Trial(TURN, 7), lambda _: None).finding.state is ChallengeState.INCONCLUSIVE


@pytest.mark.parametrize("leap_s", [-1.0, 20.0])
def test_a_broken_timeline_is_inconclusive(leap_s: float) -> None:
    """Media time that runs back or leaps may be another film."""
    trial = Trial(TURN, 7)
    trial.look(look(50.0, Person()))
    trial.look(look(50.0 + leap_s, Person()))
    assert trial.finding is not None
    assert "broke off" in trial.finding.sentence


def test_an_answer_after_the_verdict_changes_nothing() -> None:
    """Answered twice: the first verdict stays."""
    trial = answered(Trial(TURN, 7), lambda _: Person())
    first = trial.finding
    answered(trial, turner(trial), start_s=200.0)
    trial.end()
    assert trial.finding is first


def test_evidence_is_bounded_and_ends() -> None:
    """A failure speaks for an attack for a few seconds, well under an alert; a pass against one, more softly."""
    for person, sign in ((None, 1.0), ("turns", -1.0)):
        trial = Trial(TURN, 7)
        answered(trial, turner(trial) if person else lambda _: Person())
        end_s = 100.0 + 60.0
        trial._found_s = end_s
        said = [word for index in range(100) for word in trial.look(look(end_s + index / PER_S, Person()))]
        total_nats = sum(word.llr_nats for word in said) / PER_S
        assert 0.0 < sign * total_nats < 5.0
        assert {word.cue for word in said} == {"challenge"}
        assert said[-1].media_s - end_s <= SPEAKS_S
        assert max(abs(word.llr_nats) for word in said) < CLIP_NATS
        assert all(sum(word.kinds.values()) == pytest.approx(1.0 if sign > 0 else 0.0) for word in said)
        assert all(isinstance(kind, AttackKind) for word in said for kind in word.kinds)


def test_the_same_film_does_not_answer_twice() -> None:
    """An answer that repeats an earlier one movement by movement is a recording; a person's next turn is not."""
    order = Order(ChallengeKind.TURN_HEAD, directions=("left",))
    first = Trial(order, 1)

    def film(at_s: float) -> Person:
        # What the crop shows while the head turns is light that moves over it; the same every time it is played.
        turned = 2.2 <= at_s < 3.4
        shade = 0.2 + 0.1 * math.sin(3 * at_s) + (0.15 if turned else 0.0)
        return Person(head=(25.0, 0.0) if turned else (0.0, 0.0), light=(shade, shade, shade))

    def person(at_s: float) -> Person:
        turned = 2.2 <= at_s < 3.4
        shade = 0.2 + 0.1 * math.cos(5 * at_s + 1)
        return Person(head=(25.0, 0.0) if turned else (0.0, 0.0), light=(shade, 0.2, shade))

    answered(first, film)
    assert first.finding.state is ChallengeState.PASSED, first.finding
    again = answered(Trial(order, 1, (first.answer,)), film)
    assert again.finding.state is ChallengeState.FAILED
    assert again.finding.copied
    fresh = answered(Trial(order, 1, (first.answer,)), person)
    assert fresh.finding.state is ChallengeState.PASSED
    assert fresh.finding.measurements["likeness_to_earlier"] < COPIED


LOOKS = st.lists(
    st.tuples(
        st.floats(-1.0, 4.0),
        st.sampled_from([None, 1, 2]),
        st.floats(-40, 40),
        st.booleans(),
    ),
    max_size=40,
)


@given(kind=st.sampled_from(ChallengeKind), seed=st.integers(0, 2**64), steps=LOOKS)
def test_any_order_of_looks_ends_in_a_verdict(kind: ChallengeKind, seed: int, steps: list) -> None:
    """Gaps, jumps, faces that come and go, poses that are not known: always a finding, never a number that is none."""
    trial, media_s = Trial(Order(kind), seed), 10.0
    for step_s, track, yaw, covered in steps:
        media_s += step_s
        eyes = frozenset({"left eye"}) if covered else frozenset()
        person = None if track is None else Person(head=(yaw, 0.0), covered=eyes)
        said = trial.look(look(media_s, person, track or 1))
        assert all(math.isfinite(word.llr_nats) for word in said)
        assert trial.shown.words
        assert 0.0 <= trial.shown.progress <= 1.0
    trial.end()
    assert trial.finding is not None
    assert all(math.isfinite(value) for value in trial.finding.measurements.values())


def test_memory_and_time_are_bounded() -> None:
    """An hour of looks keeps no more than two minutes do, and a look late in it costs no more than an early one."""
    trial = Trial(Order(ChallengeKind.TURN_HEAD), 7)
    person = Person(head=(0.0, 0.0))
    looks = [look(index / PER_S, person) for index in range(50)]

    def spent_s(count: int) -> float:
        began_s = time.perf_counter()
        for index in range(count):
            trial.answer.add(looks[index % 50].crops[0], index / PER_S)
        return (time.perf_counter() - began_s) / count

    early_s = spent_s(500)
    kept = len(trial.answer.steady())
    late_s = spent_s(18_000)
    assert len(trial.answer.steady()) <= max(kept, 1300)
    assert late_s < 5 * early_s
    assert sys.getsizeof(trial.answer._looks) < 100_000


@pytest.mark.slow
@pytest.mark.timeout(110)
async def test_a_film_of_somebody_who_was_not_asked_does_not_pass() -> None:
    """Half a minute of a real man who talks and moves: none of twenty challenges of each kind is passed by chance."""
    film, model = sample("franck"), sample("face_landmarker")
    finder = FaceFinder(FacesSettings(), model, "c", "p", 128)
    replay = Replay(str(film), "c", "p", CaptureSettings(), pace="fast")
    looks = []
    async for media in replay.media():
        if isinstance(media, Frame):
            looks.append(finder.look(media))
        if len(looks) == 150:
            break
    await replay.close()
    for kind in (ChallengeKind.TURN_HEAD, ChallengeKind.COVER_FACE, ChallengeKind.FOLLOW_POINT, ChallengeKind.COLOURS):
        for seed in range(20):
            trial = Trial(Order(kind), seed)
            for each in looks:
                trial.look(each)
            trial.end()
            assert trial.finding is not None
            assert trial.finding.state is not ChallengeState.PASSED, (kind, seed, trial.finding)
