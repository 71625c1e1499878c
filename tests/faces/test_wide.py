# SPDX-License-Identifier: Apache-2.0
"""The face in its surroundings: what is shown, and how often."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import FacesSettings
from monitor.faces.crop import Placement, render, to_crop
from monitor.faces.finder import FaceFinder
from monitor.faces.wide import EVERY_S, WIDE_PX, WideSchedule, wide
from tests.faces.footage import canvas, finder, frame, image, pictures, rgb_at
from tests.fakes.media import sample


def test_its_middle_is_the_crop_itself() -> None:
    """The border is added round exactly the picture that the detector is shown."""
    picture = image(np.ascontiguousarray(rgb_at("cap12", 50)))
    placement = Placement(200.0, 160.0, 140.0, 0.1)
    around = wide(picture, placement)
    assert around.shape == (WIDE_PX, WIDE_PX, 3)
    assert np.array_equal(around[32:-32, 32:-32], render(picture, to_crop(placement, 128), 128))


def test_beyond_the_picture_its_edge_is_repeated() -> None:
    """A face in the corner of a picture still gives a whole square."""
    around = wide(image(canvas(320, 240)), Placement(5.0, 5.0, 100.0, 0.0))
    assert around.shape == (WIDE_PX, WIDE_PX, 3)
    assert np.ptp(around[:40, :40].astype(int)) <= np.ptp(around.astype(int))


def test_about_one_look_a_second_has_it() -> None:
    """Of ten looks in two seconds, the first and the sixth; with landmarks of one face."""
    watching = finder()
    seen = [watching.look(frame(picture, media_s)) for media_s, picture in pictures("cap12", 5, seconds=1.9)]
    assert [crop.wide is not None for look in seen for crop in look.crops] == [True, *[False] * 4, True, *[False] * 4]


def test_none_has_it_where_no_cue_wants_it() -> None:
    """What nobody looks at is not cut."""
    watching = FaceFinder(FacesSettings(), sample("face_landmarker"), "call", "ada", surroundings=False)
    seen = [watching.look(frame(picture, media_s)) for media_s, picture in pictures("cap12", 5, seconds=0.5)]
    assert [crop.wide for look in seen for crop in look.crops] == [None] * 3


def test_a_track_that_ended_and_a_clock_that_ran_back_begin_anew() -> None:
    """Nothing is remembered of a track that was forgotten, nor of a later time."""
    schedule = WideSchedule()
    assert [schedule.due(1, media_s) for media_s in (5.0, 5.5, 4.0, 4.2)] == [True, False, True, False]
    schedule.forget(1)
    assert schedule.due(1, 4.3)
    assert schedule.due(2, 4.3)


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60))
def test_it_is_never_due_more_often_than_once_in_a_while(steps: list[float]) -> None:
    """However unevenly the looks come, two that are due lie nearly a second apart."""
    schedule, due_s, media_s = WideSchedule(), [], 0.0
    for step in steps:
        media_s += step
        if schedule.due(7, media_s):
            due_s.append(media_s)
    assert all(later - sooner >= EVERY_S - 0.06 for sooner, later in pairwise(due_s))
