# SPDX-License-Identifier: Apache-2.0
"""The face that never blinks, and the people who must not be taken for it."""

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.signals.blink import BLINKS, QUIET_S, TURNED, UNSEEN, YOUNG, RareBlink
from monitor.values import AttackKind, Evidence, FaceCrop, Landmarks
from tests.fakes.films import faces, footage
from tests.fakes.heads import seen
from tests.fakes.media import sample
from tests.fakes.timeline import crop, quality

PER_S = 5.0
ALERT_NATS = 12.8


def looks(shots: Iterable[FaceCrop]) -> list[Evidence]:
    """What a new cue says of each crop."""
    cue = RareBlink()
    return [cue.look(shot) for shot in shots]


def staring(seconds: float, blinks_s: Iterable[float] = (), per_s: float = PER_S) -> list[FaceCrop]:
    """A face with open eyes that are shut at some times."""
    shut = {round(at * per_s) for at in blinks_s}
    return [seen(n / per_s, closure=0.6 if n in shut else 0.1) for n in range(int(seconds * per_s))]


def fired(words: Iterable[Evidence]) -> list[float]:
    """Times at which the cue spoke."""
    return [word.media_s for word in words if word.reliability > 0]


def test_a_face_that_never_blinks_is_worth_a_little_after_half_a_minute() -> None:
    """It speaks for generated, animated and printed faces, and less with every second."""
    words = looks(staring(90))
    assert fired(words)[0] == pytest.approx(QUIET_S, abs=0.5)
    assert set(words[-1].kinds) == {AttackKind.SYNTHETIC, AttackKind.REENACTMENT, AttackKind.PRINT}
    assert sum(words[-1].kinds.values()) == pytest.approx(1.0)
    spoken = [word.llr_nats for word in words if word.reliability > 0]
    assert spoken == sorted(spoken, reverse=True)
    assert 0 < spoken[-1] < spoken[0] < 0.1


def test_hours_without_a_blink_raise_no_alert_by_themselves() -> None:
    """Dark glasses hide every blink: four hours of them add up to less than half an alert."""
    shot = seen(0.0)
    words = looks(replace(shot, media_s=float(second)) for second in range(4 * 3600))
    nats = sum(word.llr_nats * word.reliability for word in words)
    assert 2.0 < nats < ALERT_NATS / 2


def test_one_blink_ends_it() -> None:
    """Who has blinked once may stare for the rest of the call."""
    words = looks(staring(120, blinks_s=[45.0]))
    assert fired(words)[-1] < 45.0
    assert words[-1].sentence == BLINKS


def test_until_then_it_says_that_this_is_common() -> None:
    """A measure is given all the same: rarer than people, by as much as the time can tell."""
    words = looks(staring(20))
    assert (fired(words), words[-1].sentence) == ([], YOUNG)
    assert words[-1].measure > words[10].measure > 0


def test_the_measure_falls_with_each_blink() -> None:
    """Many blinks are more than people's rate: below nought."""
    seldom, often = (looks(staring(30, [4 + n * every for n in range(12)]))[-1].measure for every in (20.0, 2.0))
    assert often < 0 < seldom


@pytest.mark.parametrize("per_s", [2.0, 5.0, 10.0, 30.0])
def test_a_closure_counts_once_at_any_rate(per_s: float) -> None:
    """Two blinks of one second each, at few or many looks a second, are two."""
    cue = RareBlink()
    for shot in staring(
        20, [n / per_s for at in (8, 14) for n in range(int(at * per_s), int((at + 1) * per_s))], per_s
    ):
        cue.look(shot)
    assert cue._eyelids.blinks == pytest.approx(2.0, abs=0.4)


def test_at_two_looks_a_second_less_is_watched() -> None:
    """Most blinks fall between such looks, so that the quiet time must be longer."""
    assert fired(looks(staring(70, per_s=2.0))) == []
    assert fired(looks(staring(90, per_s=2.0)))


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        (replace(quality(), yaw_deg=40.0), TURNED),
        (replace(quality(), pitch_deg=30.0), TURNED),
        (quality(face_px=65.0), TURNED),
    ],
)
def test_profile_and_small_faces_are_not_watched(of, sentence: str) -> None:
    """A minute of them counts for nothing."""
    words = looks(seen(n / PER_S, of=of) for n in range(300))
    assert (fired(words), words[-1].sentence, words[-1].measure) == ([], sentence, None)


def test_landmarks_or_blendshapes_may_be_missing() -> None:
    """The cue abstains and says why."""
    bare = seen(0.2)
    assert bare.landmarks is not None
    without = replace(bare, landmarks=Landmarks(bare.landmarks.points))
    assert [word.sentence for word in looks([crop(0.0), without])] == [UNSEEN, UNSEEN]


def test_a_gap_and_time_that_runs_back_begin_anew() -> None:
    """What was not watched may have blinked."""
    first = staring(29)
    late = [replace(shot, media_s=shot.media_s + 60) for shot in staring(29)]
    assert fired(looks([*first, *late])) == []
    assert fired(looks([*first, *first])) == []


steps = st.tuples(st.floats(-5, 5), st.floats(0, 1), st.sampled_from(["seen", "none", "turned"]))


@given(st.lists(steps, max_size=80))
def test_any_order_of_looks_gives_numbers(script: list[tuple[float, float, str]]) -> None:
    """Gaps, returns in time and missing landmarks in any order: finite words, bounded state."""
    cue, at = RareBlink(), 0.0
    for step_s, closure, kind in script:
        at += step_s
        of = replace(quality(), yaw_deg=90.0) if kind == "turned" else None
        word = cue.look(crop(at) if kind == "none" else seen(at, closure=closure, of=of))
        assert math.isfinite(word.llr_nats)
        assert word.measure is None or math.isfinite(word.measure)
    assert len(cue._eyelids._closures) <= 15


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_man_on_a_long_film_blinks() -> None:
    """Fifty seconds of a bona fide face: blinks are seen, nothing is said against it."""
    words = looks(faces(footage(sample("cap12"))))
    assert len(words) > 200
    assert fired(words) == []
    assert words[-1].sentence == BLINKS
