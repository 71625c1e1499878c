# SPDX-License-Identifier: Apache-2.0
"""A pulse in the colour of skin is found where there is one; it accuses and acquits nobody."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.signals.heartbeat import WINDOW, heartbeat
from monitor.liveness.signals.pulse import (
    BEATS,
    CLEAR_SHARE,
    LEAST_LOOKS,
    MOST_LOOKS,
    NO_BEAT,
    UNSEEN,
    YOUNG,
    SkinPulse,
)
from monitor.values import Evidence, FaceCrop
from tests.fakes.films import faces, footage
from tests.fakes.heads import BALL, seen
from tests.fakes.media import sample
from tests.fakes.timeline import crop

PER_S = 5.0
SKIN = np.array([150.0, 110.0, 90.0])
BLOOD = np.array([0.33, 0.77, 0.53])
"""How much a beat moves each colour (Wang et al. 2017)."""


def looks(shots: Iterable[FaceCrop]) -> list[Evidence]:
    """What a new cue says of each crop."""
    cue = SkinPulse()
    return [cue.look(shot) for shot in shots]


def beating(levels: float, rate_hz: float = 1.2, seconds: float = 24.0, per_s: float = PER_S) -> list[FaceCrop]:
    """Skin whose colour beats by so many grey levels, at looks that are not quite even."""
    times = np.arange(int(seconds * per_s)) / per_s + np.random.default_rng(1).uniform(0, 0.03, int(seconds * per_s))
    beats = levels * np.sin(2 * np.pi * rate_hz * times)
    noise = np.random.default_rng(2).normal(0, 0.3, (len(times), 3))
    return [
        seen(float(at), colour=tuple(SKIN + beat * BLOOD + much))
        for at, beat, much in zip(times, beats, noise, strict=True)
    ]


@pytest.mark.parametrize("rate_hz", [0.8, 1.2, 1.9, 2.3])
def test_the_rate_of_a_clear_beat_is_found(rate_hz: float) -> None:
    """From 48 to 138 beats a minute, at uneven times; most of the power lies there."""
    times = np.arange(100) * 0.2 + np.random.default_rng(3).uniform(0, 0.05, 100)
    colours = SKIN + 2.0 * np.sin(2 * np.pi * rate_hz * times)[:, None] * BLOOD
    found = heartbeat(times, colours)
    assert found.rate_hz == pytest.approx(rate_hz, abs=0.06)
    assert found.share > CLEAR_SHARE


def test_light_that_flickers_is_no_pulse() -> None:
    """What dims all colours alike is projected out."""
    times = np.arange(100) * 0.2
    noise = np.random.default_rng(4).normal(0, 0.2, (100, 3))
    beat = np.sin(2 * np.pi * 1.2 * times)[:, None]
    assert heartbeat(times, SKIN * (1 + 0.02 * beat) + noise).share < CLEAR_SHARE
    assert heartbeat(times, SKIN * (1 + 0.02 * beat * BLOOD) + noise).share > CLEAR_SHARE


def test_noise_exceeds_the_level_once_in_a_hundred() -> None:
    """Two or three hundred draws give up to eight."""
    times = np.arange(LEAST_LOOKS) * 0.2
    source = np.random.default_rng(6)
    shares = [heartbeat(times, 128 + source.normal(0, 1, (LEAST_LOOKS, 3))).share for _ in range(300)]
    assert sum(share > CLEAR_SHARE for share in shares) <= 8


def test_a_pulse_is_said_and_speaks_for_nobody() -> None:
    """Deepfakes carry one, compression hides one: no evidence, but a lower measure."""
    with_pulse, without = looks(beating(2.0)), looks(beating(0.0))
    assert (with_pulse[-1].sentence, without[-1].sentence) == (BEATS, NO_BEAT)
    assert with_pulse[-1].measure < without[-1].measure
    assert {word.reliability for word in [*with_pulse, *without]} == {0.0}


def test_it_takes_eight_seconds_and_five_looks_a_second() -> None:
    """A shorter view, or a seldom one, has no measure; more looks are thinned."""
    assert {word.sentence for word in looks(beating(2.0, seconds=LEAST_LOOKS / PER_S))[:-1]} == {YOUNG}
    assert looks(beating(2.0, per_s=2.0))[-1].sentence == YOUNG
    assert looks(beating(2.0, per_s=30.0))[-1].sentence == BEATS


def test_faces_without_landmarks_or_outside_the_crop_have_no_skin() -> None:
    """Said, and nothing breaks; patches that reach over the edge are cut."""
    outside, lost = seen(0.2, BALL + 10.0), seen(0.4, BALL * np.nan)
    assert [word.sentence for word in looks([crop(0.0), outside, lost])] == [UNSEEN] * 3
    assert looks([seen(0.0, BALL + np.array([1.0, 0.0, 0.0]))])[0].sentence == YOUNG


def test_darkness_has_no_pulse() -> None:
    """A black crop gives numbers all the same."""
    words = looks(seen(n / PER_S, colour=(0.0, 0.0, 0.0)) for n in range(60))
    assert words[-1].sentence == NO_BEAT
    assert math.isfinite(words[-1].measure)


def test_a_gap_and_time_that_runs_back_begin_anew() -> None:
    """A beat is not followed over a gap."""
    shots = beating(2.0, seconds=7.0)
    late = [replace(shot, media_s=shot.media_s + 9) for shot in shots]
    assert {word.sentence for word in looks([*shots, *late, *shots])} == {YOUNG}


@given(st.lists(st.tuples(st.floats(-0.2, 0.5), st.floats(0, 255)), max_size=60))
def test_any_order_of_looks_gives_numbers(script: list[tuple[float, float]]) -> None:
    """Gaps, returns in time and any colour."""
    cue, at = SkinPulse(), 0.0
    for step_s, level in script:
        at += step_s
        word = cue.look(seen(at, colour=(level, level, level / 2)))
        assert word.measure is None or math.isfinite(word.measure)


def test_memory_is_bounded() -> None:
    """However long the call."""
    cue = SkinPulse()
    for shot in beating(1.0, seconds=2 * MOST_LOOKS / PER_S):
        cue.look(shot)
    assert len(cue._colours) == MOST_LOOKS > WINDOW


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_on_a_compressed_film_it_measures_and_abstains() -> None:
    """Fifty seconds of a bona fide man."""
    words = looks(faces(footage(sample("cap12"))))
    assert {word.reliability for word in words} == {0.0}
    assert 0.0 < words[-1].measure < 1.0
