# SPDX-License-Identifier: Apache-2.0
"""Digits said aloud: what is heard, when, and whether the mouth goes with it, whatever comes."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from models.errors import RecogniserError
from monitor.liveness.challenge.digits import COUNT, SpokenDigits, digits
from monitor.liveness.challenge.utterance import Utterance, judge
from monitor.liveness.speech.agreement import Agreement
from monitor.values import AudioChunk, ChallengeState
from tests.fakes.answers import PER_S, Person, look

RATE_HZ = 16_000
CHUNK = 320
START_S = 100.0
WELL = Agreement(0.4, 0.0, 0.3)


def chunks(samples: np.ndarray, begins_s: float) -> list[AudioChunk]:
    """Sound in pieces of 20 ms, as it arrives."""
    return [
        AudioChunk("c", "p", begins_s + at / RATE_HZ, 0.0, samples[at : at + CHUNK], RATE_HZ)
        for at in range(0, len(samples) - CHUNK + 1, CHUNK)
    ]


def answered(task: SpokenDigits, samples: np.ndarray | None, seconds: float = 25.0) -> object:
    """Look at a still face that is heard like this until the task has a finding."""
    sound = [] if samples is None else chunks(samples, START_S)
    for index in range(round(seconds * PER_S)):
        at_s = index / PER_S
        newest = [each for each in sound if -2.0 < each.media_s - START_S - at_s <= 0.0]
        crop = look(START_S + at_s, Person()).crops[0]
        finding = task.look(crop, at_s, newest)
        if finding is not None:
            return finding
    return task.end()


def never(_: Sequence[np.ndarray]) -> tuple[int | None, ...]:
    """A recogniser that must not be asked."""
    raise AssertionError


def task(seed: int = 5, recognise: object = never) -> SpokenDigits:
    """The task of a seed with another recogniser."""
    made = digits(Random(seed))
    return SpokenDigits(made._digits, made._edges_s, recognise)


def said(**changes: object) -> Utterance:
    """An answer that passes, changed."""
    asked = (3, 1, 4, 1, 5, 9)
    given = {
        "asked": asked,
        "heard": asked,
        "delays_s": (0.8,) * 6,
        "over_the_rest_db": 30.0,
        "looks": 80,
        "opening": 1.0,
        "fit": WELL,
    }
    return Utterance(**(given | changes))


def test_the_same_seed_asks_the_same() -> None:
    """Six digits, never the same twice in a row, at random moments."""
    asked = {digits(Random(seed))._digits for seed in range(50)}
    assert len(asked) == 50
    assert all(len(each) == COUNT and all(a != b for a, b in pairwise(each)) for each in asked)
    assert digits(Random(7))._edges_s == digits(Random(7))._edges_s


def test_digits_are_shown_one_by_one() -> None:
    """What comes is not told before its time; the end asks to wait."""
    made = task()
    seen = []
    for index in range(130):
        made.look(look(START_S + index / PER_S, Person()).crops[0], index / PER_S)
        seen.append(made.shown.digit)
        if made._at_s > made._edges_s[-1]:
            break
        assert len(made.asked) == sum(edge <= index / PER_S for edge in made._edges_s)
    runs = [one for one, before in zip(seen, [None, *seen], strict=False) if one is not None and one != before]
    assert runs == [str(digit) for digit in made._digits]
    assert seen[0] is None


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (None, "No sound"),
        (np.zeros(25 * RATE_HZ, np.int16), "Too little speech"),
        (np.random.default_rng(1).integers(-3000, 3000, 25 * RATE_HZ).astype(np.int16), "Too little speech"),
    ],
    ids=["no track", "silence", "noise"],
)
def test_nothing_intelligible_is_inconclusive(samples: np.ndarray | None, sentence: str) -> None:
    """No sound, silence and noise fail nobody, and the recogniser is not even asked."""
    finding = answered(task(), samples)
    assert finding.state is ChallengeState.INCONCLUSIVE
    assert sentence in finding.sentence


def test_music_is_inconclusive() -> None:
    """Chords with a beat are no speech."""
    at = np.arange(25 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hertz * at) for hertz in (220, 277, 330)) * (1 + np.sign(np.sin(2 * np.pi * 2 * at)))
    finding = answered(task(), (2000 * chord).astype(np.int16))
    assert finding.state is ChallengeState.INCONCLUSIVE


def test_time_that_ends_early_is_inconclusive() -> None:
    """The deadline before the last digit says nothing of the speaker."""
    assert answered(task(), None, seconds=5.0).state is ChallengeState.INCONCLUSIVE


def test_the_right_digits_pass_with_what_was_measured() -> None:
    """One in six may be wrong or unheard; a second decides."""
    assert judge(said()).state is ChallengeState.PASSED
    assert judge(said()).measurements["share_right"] == 1.0
    assert judge(said(heard=(3, 1, 4, 1, 5, 0))).state is ChallengeState.PASSED
    finding = judge(said(heard=(3, 1, 4, 1, 0, 0)))
    assert finding.state is ChallengeState.FAILED
    assert finding.measurements["share_right"] == pytest.approx(0.667)


def test_digits_that_come_too_late_are_those_before() -> None:
    """Every digit in the time of the next is wrong: a late answer and a recording fail alike."""
    assert judge(said(heard=(None, 3, 1, 4, 1, 5))).state is ChallengeState.FAILED
    assert judge(said(heard=(2, 7, 1, 8, 2, 8))).state is ChallengeState.FAILED


def test_noise_that_hides_speech_is_inconclusive() -> None:
    """Wrong digits in speech that hardly stands out are no failure."""
    assert judge(said(heard=(2, 7, 1, 8, 2, 8), over_the_rest_db=3.0)).state is ChallengeState.INCONCLUSIVE


def test_the_mouth_must_have_said_it() -> None:
    """A mouth that stays shut fails; one that does not fit, or was not seen, is inconclusive."""
    shut = judge(said(opening=0.05, fit=Agreement(0.1, 0.0, 0.1)))
    assert shut.state is ChallengeState.FAILED
    assert "mouth did not move" in shut.sentence
    assert judge(said(fit=Agreement(0.15, 0.0, 0.1))).state is ChallengeState.INCONCLUSIVE
    assert judge(said(looks=5)).state is ChallengeState.INCONCLUSIVE
    assert judge(said(fit=None)).state is ChallengeState.INCONCLUSIVE


def test_a_recogniser_that_fails_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that dies is inconclusive."""

    def broken(_: Sequence[np.ndarray]) -> tuple[int | None, ...]:
        raise RecogniserError("gone")

    made = task(recognise=broken)
    monkeypatch.setattr(
        "monitor.liveness.challenge.voice.Recording.spoken", lambda self, _: np.ones(self._samples.size // 512, bool)
    )
    finding = answered(made, np.ones(25 * RATE_HZ, np.int16))
    assert finding.state is ChallengeState.INCONCLUSIVE
    assert "recogniser" in finding.sentence
