# SPDX-License-Identifier: Apache-2.0
"""Identities: stable over time, order, occlusion and cuts, and never used twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.faces.tracker import NO_TRACKS, Sighting, expected, follow, scaled
from monitor.values import FaceBox

FORGET_S = 3.0


def look_of(seed: int, noise: float = 0.0) -> np.ndarray:
    """A fingerprint of zero mean and unit length; noise makes the same face look a little different."""
    values = np.random.default_rng(seed).normal(size=64) + noise * np.random.default_rng(seed + 999).normal(size=64)
    values -= values.mean()
    return (values / np.linalg.norm(values)).astype(np.float32)


ROOM, STREET = look_of(1), look_of(2)
ADA, BOB = look_of(10), look_of(20)


def face(x: float, y: float = 100.0, size: float = 100.0, patch: np.ndarray = ADA) -> Sighting:
    """A square sighting centred on (x, y)."""
    return Sighting(FaceBox(x - size / 2, y - size / 2, size, size), patch)


def run(*steps, scene=ROOM, forget_s=FORGET_S):
    """Follow (media_s, sightings) steps; gives the numbers of each step and the last result."""
    tracks, numbers, followed = NO_TRACKS, [], None
    for step in steps:
        media_s, sightings, *rest = step
        followed = follow(tracks, sightings, rest[0] if rest else scene, media_s, forget_s)
        tracks = followed.tracks
        numbers.append(followed.numbers)
    return numbers, followed


def test_a_moving_face_keeps_its_number():
    """Half a face width per look is no other person."""
    numbers, _ = run(*[(index * 0.2, [face(100 + 50 * index)]) for index in range(20)])
    assert set(numbers) == {(1,)}


def test_two_faces_that_cross_keep_their_numbers():
    """Movement and looks tell them apart when their places are the same."""
    steps = [(i * 0.2, [face(100 + 40 * i, patch=ADA), face(500 - 40 * i, patch=BOB)]) for i in range(11)]
    numbers, _ = run(*steps)
    assert set(numbers) == {(1, 2)}


def test_a_short_occlusion_is_bridged_and_a_long_one_ends_the_track():
    """After forget_after_s the track has ended, is reported once, and its number is gone."""
    numbers, _ = run((0.0, [face(100)]), (1.0, []), (2.5, [face(120)]))
    assert numbers[-1] == (1,)
    numbers, last = run((0.0, [face(100)]), (4.0, [face(100)]))
    assert numbers[-1] == (2,)
    assert last.ended == (1,)
    _, last = run((0.0, [face(100)]), (4.0, []), (4.2, []))
    assert last.ended == ()


def test_the_end_is_told_even_while_nothing_is_seen():
    """A face that left is reported as ended by an empty look."""
    _, last = run((0.0, [face(100)]), (4.0, []))
    assert last.ended == (1,)
    assert last.tracks.known == ()


def test_another_face_after_a_cut_is_another_track():
    """Same place, other scene, other looks: not the same person."""
    numbers, _ = run((0.0, [face(100, patch=ADA)]), (0.2, [face(100, patch=BOB)], STREET))
    assert numbers == [(1,), (2,)]


def test_the_same_face_in_the_same_place_survives_a_change_of_scene():
    """Switching a virtual background makes nobody another person."""
    numbers, _ = run((0.0, [face(100, patch=ADA)]), (0.2, [face(104, patch=look_of(10, 0.2))], STREET))
    assert numbers == [(1,), (1,)]


def test_a_flash_between_two_looks_changes_nothing():
    """One frame of white, with no face and no scene, leaves the track; looks may differ as within a scene."""
    flash = np.zeros(64, np.float32)
    numbers, _ = run((0.0, [face(100)]), (0.2, [], flash), (0.4, [face(100, patch=look_of(10, 0.8))]))
    assert numbers[-1] == (1,)


def test_a_far_away_or_much_larger_face_is_another_track():
    """Nobody jumps across the picture or grows threefold in a fifth of a second."""
    numbers, _ = run((0.0, [face(100)]), (0.2, [face(500)]), (0.4, [face(500, size=300)]))
    assert numbers == [(1,), (2,), (3,)]


def test_resolution_changes_scale_the_tracks():
    """Twice the picture, twice the box, the same face; and it is expected where it moves."""
    _, last = run((0.0, [face(100)]), (0.2, [face(110)]))
    larger = scaled(last.tracks, 2)
    assert follow(larger, [face(230, y=200, size=200)], ROOM, 0.4, FORGET_S).numbers == (1,)
    (box,) = expected(larger, 0.4)
    assert box.width == 200
    assert box.left > 2 * (110 - 50)


def test_time_that_stands_still_or_runs_back_is_survived():
    """Timestamps come from the network."""
    numbers, _ = run((1.0, [face(100)]), (1.0, [face(102)]), (0.5, [face(104)]), (1.2, [face(106)]))
    assert set(numbers) == {(1,)}


PLACES = st.lists(st.tuples(st.floats(0, 2000), st.integers(0, 5)), max_size=6)


PRESENT = st.dictionaries(st.integers(0, 5), st.floats(-40, 40), max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.lists(PRESENT, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_detections_does_not_matter(script, shuffler):
    """People who come, go and fidget: shuffled detections tell the same person the same, frame by frame."""
    straight, shuffled = NO_TRACKS, NO_TRACKS
    named: dict[int, int] = {}
    for index, present in enumerate(script):
        faces = {person: face(250 * person + place, patch=look_of(10 + person)) for person, place in present.items()}
        order = list(faces)
        shuffler.shuffle(order)
        one = follow(straight, list(faces.values()), ROOM, index * 0.2, FORGET_S)
        other = follow(shuffled, [faces[person] for person in order], ROOM, index * 0.2, FORGET_S)
        numbers = dict(zip(order, other.numbers, strict=True))
        for person, number in zip(faces, one.numbers, strict=True):
            assert named.setdefault(number, numbers[person]) == numbers[person]
        straight, shuffled = one.tracks, other.tracks


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(PLACES, st.floats(0.0, 2.0), st.booleans()), min_size=1, max_size=15))
def test_numbers_are_never_used_twice(script):
    """A number names one face from its first sighting to its end, one face per frame, and never again."""
    tracks, media_s, over = NO_TRACKS, 0.0, set()
    for places, step_s, cut in script:
        media_s += step_s
        before = tracks.next_number
        faces = [face(x, patch=look_of(10 + seed)) for x, seed in places]
        followed = follow(tracks, faces, STREET if cut else ROOM, media_s, FORGET_S)
        assert len(set(followed.numbers)) == len(faces)
        assert not over & set(followed.numbers)
        alive = {track.number for track in followed.tracks.known}
        assert {track.number for track in tracks.known} <= alive | set(followed.ended)
        assert all(number < followed.tracks.next_number for number in followed.numbers)
        assert followed.tracks.next_number - before == sum(number >= before for number in followed.numbers)
        over |= set(followed.ended)
        tracks = followed.tracks


@pytest.mark.parametrize("many", [1, 4, 16])
def test_resting_faces_keep_their_numbers_for_long(many):
    """Ten minutes at five looks a second change nothing."""
    faces = [face(200 * index, patch=look_of(30 + index)) for index in range(many)]
    numbers, _ = run(*[(index * 0.2, faces) for index in range(0, 3000, 10 if many > 4 else 1)])
    assert len(set(numbers)) == 1
