# SPDX-License-Identifier: Apache-2.0
"""Digits said by a synthetic voice with a mouth, through voice detector, recogniser and judgement; nothing is faked."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from models.digits.recogniser import RATE_HZ, installed
from models.synchrony.expectation import load_expectation
from models.synchrony.features import CORNERS, EYES, HOP, INNER_LIPS, SHAPES, log_mel
from monitor.liveness.challenge.digits import digits
from monitor.liveness.challenge.task import Finding
from monitor.values import AudioChunk, ChallengeState, FaceCrop, Landmarks
from tests.fakes.answers import PER_S, Person, look
from tests.fakes.speaker import said_at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(110),
    pytest.mark.skipif(not installed(), reason="pip install 'lifesign[speech]'"),
]
SEED = 11
LENGTH_S = 20.0
CHUNK = 320


def speech(folder: Path, *, add: int = 0, delay_s: float = 0.9) -> np.ndarray:
    """The digits of SEED, each that much after it is shown; with `add`, others."""
    task = digits(Random(SEED))
    said = [(digit + add) % 10 for digit in task._digits]
    return said_at(said, [edge_s + delay_s for edge_s in task._edges_s[:-1]], LENGTH_S, LENGTH_S + 2.0, folder)


def mouth_of(sound: np.ndarray, at_s: float) -> Landmarks:
    """The mouth that people have to this sound, as landmarks and blendshapes."""
    expectation = load_expectation()
    frames = log_mel(np.pad(sound.astype(np.float32) / 32_768, 200))
    at = min(round(at_s * RATE_HZ / HOP), len(frames) - 1)
    shape = (0.3 + expectation.mouths(frames, np.array([at]))[0] * expectation.scale * 2.0).tolist()
    points = np.zeros((478, 3), np.float32)
    points[EYES[1], 0], points[CORNERS[1], 0] = 1.0, max(shape[1], 0.05)
    for above, below in INNER_LIPS:
        points[above, 0] = points[below, 0] = 0.2
        points[below, 1] = shape[0] * points[CORNERS[1], 0]
    return Landmarks(points, {name: value for names, value in zip(SHAPES, shape[2:], strict=True) for name in names})


def answer(sound: np.ndarray, late_s: float = 0.0, *, moves: bool = True) -> Finding:
    """Be asked the digits of SEED; sound stamps are late by so much, and the mouth goes with the sound or stays."""
    task = digits(Random(SEED))
    for index in range(round(30 * PER_S)):
        at_s = index / PER_S
        crop: FaceCrop = look(100.0 + at_s, Person()).crops[0]
        if moves:
            crop = replace(crop, landmarks=mouth_of(sound, at_s))
        low, high = max(0.0, at_s - 2.0 - late_s), max(0.0, at_s - late_s)
        newest = [
            AudioChunk("c", "p", 100.0 + first / RATE_HZ + late_s, 0.0, sound[first : first + CHUNK], RATE_HZ)
            for first in range(int(low * RATE_HZ) // CHUNK * CHUNK, int(high * RATE_HZ) // CHUNK * CHUNK, CHUNK)
            if first + CHUNK <= sound.size
        ]
        finding = task.look(crop, at_s, newest)
        if finding is not None:
            return finding
    return task.end()


def test_the_right_digits_from_a_mouth_that_fits_pass(tmp_path: Path) -> None:
    """All is measured: digits, delays, the mouth."""
    finding = answer(speech(tmp_path))
    assert finding.state is ChallengeState.PASSED, finding
    assert finding.measurements["share_right"] >= 0.8
    assert finding.measurements["median_delay_s"] == pytest.approx(0.9, abs=0.25)


def test_sound_half_a_second_late_passes(tmp_path: Path) -> None:
    """The skew is found and told."""
    finding = answer(speech(tmp_path), late_s=0.5)
    assert finding.state is ChallengeState.PASSED, finding
    assert finding.measurements["mouth_lag_s"] == pytest.approx(0.5, abs=0.1)


def test_other_digits_fail(tmp_path: Path) -> None:
    """An answer recorded for another challenge, in the same rhythm and with a mouth that fits."""
    finding = answer(speech(tmp_path, add=3))
    assert finding.state is ChallengeState.FAILED, finding
    assert "Other words" in finding.sentence


def test_the_right_digits_in_the_time_of_the_next_fail(tmp_path: Path) -> None:
    """Three seconds late is not an answer."""
    assert answer(speech(tmp_path, delay_s=3.0)).state is ChallengeState.FAILED


def test_a_mouth_that_stays_shut_fails(tmp_path: Path) -> None:
    """The right words from somebody who is not seen to speak."""
    finding = answer(speech(tmp_path), moves=False)
    assert finding.state is ChallengeState.FAILED, finding
    assert "mouth did not move" in finding.sentence


def test_two_voices_at_once_never_pass_for_the_wrong_one(tmp_path: Path) -> None:
    """Who says other digits, as loud as somebody who says the right ones half as loud, does not pass."""
    both = speech(tmp_path, add=3).astype(np.int32) + speech(tmp_path) // 2
    assert answer(np.clip(both, -32_768, 32_767).astype(np.int16)).state is not ChallengeState.PASSED
