# SPDX-License-Identifier: Apache-2.0
"""The looped recording, and the living face that must not be taken for it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from monitor.liveness.signals.looped import HISTORY, LOOKS_PER_S, MOVES, ROCKS, STILL, WINDOW, LoopedFace, Movement
from monitor.liveness.signals.recurrence import likeness
from monitor.values import AttackKind, Evidence, FaceCrop
from tests.fakes.films import faces, footage
from tests.fakes.media import data_root, sample
from tests.fakes.timeline import crop, quality

SIDE = 32
CLIPS = 5
Face = Callable[[float], np.ndarray]


def mover(seed: int = 0) -> Face:
    """A face whose picture wanders smoothly for ten minutes and never comes back."""
    source = np.random.default_rng(seed)
    moods = source.uniform(60, 200, (1200, 6, 6)).astype(np.float32)

    def at(second: float) -> np.ndarray:
        before = int(second * 2)
        share = second * 2 - before
        mood = (1 - share) * moods[before] + share * moods[before + 1]
        return cv2.resize(mood, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)

    return at


def shots(face: Face, seconds: Iterable[float], noise: float = 1.0) -> Iterable[FaceCrop]:
    """Crops of the face as a coder with some noise shows them, one look a beat."""
    source = np.random.default_rng(9)
    for index, second in enumerate(seconds):
        grey = face(second) + source.normal(0, noise, (SIDE, SIDE))
        rgb = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
        yield replace(crop(index / LOOKS_PER_S), rgb=rgb)


def looks(seen: Iterable[FaceCrop]) -> list[Evidence]:
    """What a new cue says of each crop."""
    cue = LoopedFace()
    return [cue.look(shot) for shot in seen]


def fired(words: Iterable[Evidence]) -> list[float]:
    """Times at which the cue spoke."""
    return [word.media_s for word in words if word.reliability > 0]


def beats(seconds: float) -> np.ndarray:
    """Times of looks."""
    return np.arange(int(seconds * LOOKS_PER_S)) / LOOKS_PER_S


@pytest.mark.parametrize("period_s", [2.6, 7.0, 12.34, 61.1])
def test_a_loop_is_called_one_soon_after_it_has_begun_again(period_s: float) -> None:
    """Whatever the period, also where it is no whole number of looks; and for as long as it goes on."""
    words = looks(shots(mover(), beats(period_s + 30) % period_s))
    assert period_s < fired(words)[0] < period_s + 18
    assert fired(words)[-1] == words[-1].media_s
    assert words[-1].kinds == {AttackKind.LOOP: 1.0}
    assert words[-1].llr_nats > 0


def test_a_loop_played_there_and_back_is_one_too() -> None:
    """The seam of a loop is hidden by playing it backwards."""
    there = beats(24)
    words = looks(shots(mover(3), [*there, *there[::-1], *there, *there[::-1]]))
    assert 24 < fired(words)[0] < 48


def test_the_sentence_says_how_long_ago() -> None:
    """A person reads it."""
    words = looks(shots(mover(), beats(60) % 20))
    assert "20 s ago" in words[-1].sentence


@pytest.mark.parametrize("seed", range(4))
def test_a_face_that_never_comes_back_is_left_alone(seed: int) -> None:
    """Minutes of movement, some of which resembles some other by chance: nothing is said for either side."""
    words = looks(shots(mover(seed), beats(240)))
    assert {(word.llr_nats, word.reliability) for word in words} == {(0.0, 0.0)}


def test_a_turn_of_the_head_that_recurs_is_no_loop() -> None:
    """Somebody looks at a second screen every ten seconds and back, and speaks in between."""
    living, aside = mover(5), mover(6)(0.0) - 128.0

    def turning(second: float) -> np.ndarray:
        return 0.4 * living(second) + 77 + aside * float(np.clip(abs(second % 10 - 5) - 2, 0, 1))

    assert fired(looks(shots(turning, beats(180)))) == []


def test_a_rocking_chair_is_no_loop() -> None:
    """What comes back within two seconds is said to, and no more."""
    pattern = mover(7)(0.0) - 128.0
    words = looks(shots(lambda second: 128 + pattern * float(np.sin(2 * np.pi * second / 1.2)), beats(60)))
    assert fired(words) == []
    assert words[-1].sentence == ROCKS


def test_a_still_face_cannot_be_judged() -> None:
    """Noise alone has no period; the cue says why it is silent."""
    words = looks(shots(lambda _: np.full((SIDE, SIDE), 128.0), beats(40)))
    assert fired(words) == []
    assert words[-1].sentence == STILL


def test_a_gap_and_time_that_runs_back_begin_anew() -> None:
    """What was not watched has no period."""
    seen = list(shots(mover(), beats(60) % 12))
    late = [replace(shot, media_s=shot.media_s + (30 if shot.media_s > 22 else 0)) for shot in seen]
    assert fired(looks(late))[0] > 22 + 30 + 12 + WINDOW / LOOKS_PER_S - 1
    assert fired(looks([*seen[:100], *seen[:100]])) == []


@pytest.mark.parametrize("per_s", [2.5, 4.0, 12.0, 30.0])
def test_other_rates_are_brought_to_the_beat(per_s: float) -> None:
    """Fewer or more looks than it counts change what it finds but little."""
    face, times = mover(8), np.arange(int(60 * per_s)) / per_s
    seen = (
        replace(shot, media_s=float(at)) for at, shot in zip(times, shots(face, times % 15, noise=0.5), strict=True)
    )
    assert 15 < fired(looks(seen))[0] < 45


def test_the_reliability_is_that_of_the_look() -> None:
    """A poor picture speaks softly."""
    poor = (replace(shot, quality=quality(weight=0.4)) for shot in shots(mover(), beats(40) % 10))
    assert looks(poor)[-1].reliability == pytest.approx(0.4)


def test_memory_is_bounded() -> None:
    """However long the call."""
    cue = LoopedFace()
    for index in range(HISTORY + 200):
        cue.look(crop(index / LOOKS_PER_S, level=index % 256))
    assert len(cue._prints) == HISTORY


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_person_on_a_long_film_does_not_come_back() -> None:
    """Fifty seconds of one speaker: every stretch is compared with all before it, and the cue has much to compare."""
    cue = LoopedFace()
    words = [cue.look(shot) for shot in faces(footage(sample("cap12")))]
    assert words[-1].sentence == MOVES
    assert len(words) > 200
    assert fired(words) == []


@pytest.mark.footage
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_bona_fide_people_are_told_from_loops_of_them() -> None:
    """Films stay silent, and speak once they are played again and again, out of step by half a look."""
    root = data_root()
    stretches = []
    for clip in longest([*(root / "val/real").glob("*.mp4"), *(root / "train/real").glob("*.mp4")]):
        seen = list(faces(footage(clip, 2 * LOOKS_PER_S)))
        once, between = seen[: len(seen) // 2 * 2 : 2], seen[1::2]
        again = [*once, *between, *once, *between]
        timed = [replace(shot, media_s=index / LOOKS_PER_S) for index, shot in enumerate(again)]
        assert fired(looks(timed[: len(once)])) == [], clip.name
        assert fired(looks(timed)), clip.name
        stretches.append((_movement(once), _movement(between)))
    assert len(stretches) == CLIPS
    for index, (one, half_later) in enumerate(stretches):
        assert likeness(one[1:WINDOW], 0.5 * (half_later[1:WINDOW] + half_later[: WINDOW - 1])) > 0.6
        assert all(abs(likeness(one[:WINDOW], other[:WINDOW])) < 0.2 for other, _ in stretches[index + 1 :])


def longest(clips: Iterable[Path]) -> list[Path]:
    """The clips that last long enough for a stretch and its repeat, a few of them, of different people."""
    people = {clip.name.split("_")[1]: clip for clip in sorted(clips) if seconds_of(clip) > 9.5}
    return list(people.values())[:CLIPS]


def seconds_of(clip: Path) -> float:
    """Length of a film."""
    with av.open(str(clip)) as film:
        return float(film.duration or 0) / av.time_base


def _movement(seen: Iterable[FaceCrop]) -> np.ndarray:
    movement = Movement()
    found = [movement.see(shot.rgb) for shot in seen]
    return np.array([moved for moved in found if moved is not None])
