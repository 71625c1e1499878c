# SPDX-License-Identifier: Apache-2.0
"""The search: tiles cover everything, small faces in large pictures are found, known faces are followed cheaply."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.faces.boxes import box_of, overlap
from monitor.faces.landmarker import shared
from monitor.faces.search import SEEN_SHARE, Search, tiles
from monitor.values import FaceBox, Landmarks
from tests.faces.footage import canvas, image, rgb_at
from tests.fakes.media import sample

EVEN = st.integers(1, 1000).map(lambda half: 2 * half)


class CountingLandmarker:
    """A landmarker that never finds anything and remembers what it was shown."""

    def __init__(self):
        self.shown = []

    def find(self, rgb) -> tuple[Landmarks, ...]:
        """Remember the size."""
        self.shown.append(rgb.shape[:2])
        return ()


@given(EVEN, EVEN, st.integers(24, 128))
def test_tiles_are_even_inside_and_small_enough(width, height, smallest):
    """Every tile lies in the picture on even bounds; the smallest face is an eighth of the finest tile."""
    some = tiles(width, height, smallest)
    assert bool(some) == (max(width, height) > SEEN_SHARE * smallest)
    for tile in some:
        assert not any(value % 2 for value in tile)
        assert 0 <= tile.left <= tile.left + tile.width <= width
        assert 0 <= tile.top <= tile.top + tile.height <= height
    if some:
        assert max(some[-1].width, some[-1].height) <= SEEN_SHARE * smallest


@given(st.data())
def test_every_small_face_lies_whole_in_a_tile_that_shows_it(data):
    """Wherever a face is, some tile (or the picture) holds all of it and is at most eight times as wide."""
    width, height = data.draw(EVEN.filter(lambda each: each > 200)), data.draw(EVEN.filter(lambda each: each > 200))
    side = data.draw(st.floats(64, min(width, height) * 0.9))
    left, top = data.draw(st.floats(0, width - side)), data.draw(st.floats(0, height - side))
    whole = [] if max(width, height) > SEEN_SHARE * side else [(0, 0, width, height)]
    assert whole or any(
        tile.left <= left
        and tile.top <= top
        and left + side <= tile.left + tile.width
        and top + side <= tile.top + tile.height
        and max(tile.width, tile.height) <= SEEN_SHARE * side
        for tile in tiles(width, height, 64)
    )


@pytest.mark.parametrize("where", [(0.05, 0.05), (0.5, 0.4), (0.95, 0.95)])
def test_a_small_face_in_a_large_picture_is_found_within_a_second(where):
    """72 px in 1280 x 720, which the whole-picture look misses."""
    face = cv2.resize(rgb_at("franck", 50), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    scene = canvas(1280, 720)
    left, top = int(where[0] * (1280 - face.shape[1])), int(where[1] * (720 - face.shape[0]))
    scene[top : top + face.shape[0], left : left + face.shape[1]] = face
    landmarker = shared(sample("face_landmarker"), 4)
    assert landmarker.find(scene) == ()
    search = Search(landmarker, 4, 64)
    seen = next(faces for faces in (search.find(image(scene), [], look * 0.2) for look in range(6)) if faces)
    box = box_of(seen[0].points)
    assert overlap(box, FaceBox(left, top, face.shape[1], face.shape[0])) > 0.9
    assert 50 < min(box.width, box.height) < 110
    again = search.find(image(scene), [box], 2.0)
    assert overlap(box_of(again[0].points), box) > 0.8


def test_a_known_face_is_found_with_one_small_look():
    """While everybody is in sight only the surroundings of known faces are looked at, but for one look a second."""
    scene = canvas(1280, 720)
    scene[200:488, 400:760] = rgb_at("franck", 50)
    landmarker = shared(sample("face_landmarker"), 4)
    search = Search(landmarker, 4, 64)
    (face,) = search.find(image(scene), [], 0.0)
    counting = CountingLandmarker()
    boxes = [box_of(face.points)]
    shown = []

    def find(rgb):
        shown.append(max(rgb.shape))
        return landmarker.find(rgb)

    counting.find = find
    search._landmarker = counting
    for look in range(10):
        assert len(search.find(image(scene), boxes, 10 + look * 0.2)) == 1
    assert len(shown) <= 10 + 3
    assert sum(longest <= 384 for longest in shown) >= 10


def test_a_second_face_is_found_while_the_first_is_covered():
    """The look for further faces shows the known ones in grey, and finds the others all the same."""
    scene = canvas(640, 320)
    scene[:300, :320] = rgb_at("cap12", 50)[:300, 40:360]
    scene[:288, 320:] = rgb_at("franck", 50)[:288, 20:340]
    landmarker = shared(sample("face_landmarker"), 4)
    known = min((box_of(face.points) for face in landmarker.find(scene)), key=lambda box: box.left)
    shown = []

    class Watched:
        def find(self, rgb) -> tuple[Landmarks, ...]:
            """Remember the picture."""
            shown.append(rgb.copy())
            return landmarker.find(rgb)

    search = Search(Watched(), 4, 64)
    found = [search.find(image(scene), [known], second) for second in range(len(tiles(640, 320, 64)) + 1)]
    assert max(map(len, found)) == 2
    assert not any(overlap(box_of(face.points), known) > 0.5 for faces in found for face in faces[1:])
    x, y = int(known.left + known.width / 2), int(known.top + known.height / 2)
    (whole,) = [rgb for rgb in shown if rgb.shape[:2] == (320, 640)]
    assert (whole[y - 9 : y + 9, x - 9 : x + 9] == 128).all()


def test_a_face_that_is_gone_is_looked_for_everywhere():
    """A missed face costs the whole picture and two tiles, no more."""
    counting = CountingLandmarker()
    search = Search(counting, 4, 64)
    assert search.find(image(canvas(1280, 720)), [FaceBox(100, 100, 80, 80)], 0.0) == []
    assert len(counting.shown) == 4


def test_no_more_faces_than_allowed():
    """The limit holds over all looks of a frame."""
    scene = canvas(640, 320)
    scene[:300, :320] = rgb_at("cap12", 50)[:300, 40:360]
    scene[:288, 320:] = rgb_at("franck", 50)[:288, 20:340]
    landmarker = shared(sample("face_landmarker"), 4)
    assert len(Search(landmarker, 1, 64).find(image(scene), [], 0.0)) == 1
    assert len(Search(landmarker, 4, 64).find(image(scene), [], 0.0)) == 2


@pytest.mark.parametrize("box", [FaceBox(-500, -500, 50, 50), FaceBox(5000, 0, 10, 10), FaceBox(0, 0, 0, 0)])
def test_an_expected_box_anywhere_is_survived(box):
    """Where a face should be may lie outside the picture."""
    counting = CountingLandmarker()
    assert Search(counting, 4, 64).find(image(np.zeros((16, 16, 3), np.uint8)), [box], 0.0) == []
