# SPDX-License-Identifier: Apache-2.0
"""The finder on real films: steady identities, bad pictures, cuts, rotation, resolution, memory."""

import resource
from pathlib import Path

import cv2
import numpy as np
import pytest

from monitor.config import FacesSettings
from monitor.errors import AssetError
from monitor.faces.finder import FaceFinder
from monitor.faces.landmarker import shared
from monitor.values import Picture, Reason
from tests.faces.footage import canvas, finder, frame, image, looks, pictures, rgb_at, still
from tests.fakes.media import sample


def ada() -> np.ndarray:
    """A man on a pale wall, 320 x 280."""
    return rgb_at("cap12", 50)[:280, 40:360]


def bob() -> np.ndarray:
    """Another man on blue, 320 x 280."""
    return rgb_at("franck", 50)[:280, 20:340]


def room() -> np.ndarray:
    """A wall with pictures, 960 x 300."""
    blocks = np.random.default_rng(5).integers(60, 200, (5, 16, 3))
    return np.kron(blocks, np.ones((60, 60, 1))).astype(np.uint8)


def paste(scene: np.ndarray, person: np.ndarray, left: int) -> None:
    """Stand a person, cut out along an oval, before the scene."""
    oval = np.zeros((280, 320), np.uint8)
    cv2.ellipse(oval, (160, 150), (95, 125), 0, 0, 360, 255, -1)
    share = cv2.GaussianBlur(oval, (0, 0), 4)[:, :, None] / 255
    place = scene[10:290, left : left + 320]
    place[...] = (share * person + (1 - share) * place).astype(np.uint8)


def side_by_side(left: int, right: int) -> np.ndarray:
    """Ada at `left`, Bob at `right`, the latter in front."""
    scene = room()
    paste(scene, ada(), left)
    paste(scene, bob(), right)
    return scene


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_one_person_is_one_track_over_a_whole_film():
    """53 seconds of a webcam at five looks a second: always one face, always the same."""
    watching = finder()
    seen = [watching.look(frame(picture, media_s)) for media_s, picture in pictures("cap12", 5)]
    assert len(seen) > 250
    assert {tuple(crop.track for crop in look.crops) for look in seen} == {(1,)}
    assert not any(look.ended_tracks or look.reasons for look in seen)


def test_a_look_is_complete():
    """Crop, box, matrix, landmarks and quality fit each other."""
    (crop,) = finder().look(frame(still("pexels_woman", 420), 1.5)).crops
    assert (crop.call, crop.participant, crop.track, crop.media_s) == ("call", "ada", 1, 1.5)
    assert crop.rgb.shape == (112, 112, 3)
    assert crop.rgb.dtype == np.uint8
    assert crop.quality.judgeable
    middle = crop.to_crop[:, :2] @ (crop.box.left + crop.box.width / 2, crop.box.top + crop.box.height / 2)
    np.testing.assert_allclose(middle + crop.to_crop[:, 2], (56, 56), atol=8)
    assert crop.landmarks.points.shape == (478, 3)


def test_two_people_who_cross_keep_their_identities():
    """One walks left, one walks right, one is hidden behind the other for a moment."""
    scenes = [side_by_side(20 + 40 * step, 620 - 40 * step) for step in range(16)]
    numbers = looks(finder(), scenes)
    assert len(numbers[0]) == 2
    assert numbers[-1] == numbers[0][::-1]
    assert {number for look in numbers for number in look} == {1, 2}


def test_a_cut_to_another_person_starts_another_track():
    """The same place in the next picture, another person: nothing carries over."""
    numbers = looks(finder(), [ada()] * 3 + [bob()] * 3)
    assert numbers == [(1,)] * 3 + [(2,)] * 3


def test_a_flash_and_a_short_occlusion_keep_the_identity():
    """A white frame, a frozen black second: the same person comes back."""
    white, black = np.full_like(ada(), 255), np.zeros_like(ada())
    watching = finder()
    numbers = looks(watching, [ada()] * 3 + [white] + [ada()] * 2 + [black] * 5 + [ada()])
    assert [look for look in numbers if look] == [(1,)] * 6


def test_a_face_that_left_ends_and_a_later_one_is_new():
    """After forget_after_s the end is told once; who comes then has a new number."""
    watching = finder(FacesSettings(forget_after_s=1.0))
    empty = canvas(320, 280)
    ended = [
        watching.look(frame(image(rgb), index * 0.2)).ended_tracks
        for index, rgb in enumerate([ada()] * 2 + [empty] * 10)
    ]
    assert sum(ended, ()) == (1,)
    assert [crop.track for crop in watching.look(frame(image(ada()), 5.0)).crops] == [2]


@pytest.mark.parametrize("size", [(2, 2), (16, 16), (34, 18), (144, 256)])
def test_without_a_face_the_look_says_so(size):
    """Any picture without a face gives the reason and nothing else."""
    look = finder().look(frame(Picture(np.full((size[1] * 3 // 2, size[0]), 90, np.uint8)), 0.0))
    assert look.crops == ()
    assert look.reasons == (Reason.NO_FACE,)


def test_a_person_shrunk_to_16_pixels_breaks_nothing():
    """16 x 16 video in the middle of a call: maybe no face, never an error, and the call goes on."""
    watching = finder()
    tiny = np.asarray(cv2.resize(ada(), (16, 16), interpolation=cv2.INTER_AREA), np.uint8)
    watching.look(frame(image(ada()), 0.0))
    look = watching.look(frame(image(tiny), 0.2))
    assert all(Reason.TOO_SMALL in crop.quality.reasons for crop in look.crops)
    assert [crop.track for crop in watching.look(frame(image(ada()), 0.4)).crops] == [1]


@pytest.mark.parametrize("degrees", [-15, 15])
def test_a_rotated_picture_gives_an_upright_crop(degrees):
    """The camera hangs askew by 15 degrees: the crop is the same as if it did not, but for resampling."""
    turn = cv2.getRotationMatrix2D((160, 140), degrees, 1.0)
    askew = np.asarray(cv2.warpAffine(ada(), turn, (320, 280), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    (upright,) = finder().look(frame(image(ada()), 0.0)).crops
    (turned,) = finder().look(frame(image(askew), 0.0)).crops
    assert turned.quality.judgeable
    correlation = np.corrcoef(upright.rgb.ravel(), turned.rgb.ravel())[0, 1]
    assert correlation > 0.95


def test_portrait_pictures_are_fine():
    """A phone held upright."""
    scene = canvas(280, 520)
    scene[100:380] = ada()[:, 20:300]
    (crop,) = finder().look(frame(image(scene), 0.0)).crops
    assert crop.quality.judgeable


def test_the_identity_survives_a_change_of_resolution():
    """The sender goes to half and to double resolution: same person, same placement in the scene."""
    watching = finder()
    sides = []
    for index, scale in enumerate([1.0, 1.0, 0.5, 0.5, 2.0, 1.0]):
        rgb = np.asarray(cv2.resize(ada(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        (crop,) = watching.look(frame(image(rgb), index * 0.2)).crops
        assert crop.track == 1
        sides.append(112 / np.linalg.norm(crop.to_crop[0, :2]) / scale)
    np.testing.assert_allclose(sides, sides[0], rtol=0.06)


def test_a_small_face_is_followed_but_not_judged():
    """The man in the car has 49 px: a steady track, never judgeable."""
    watching = finder()
    for media_s, picture in pictures("carphone", 5):
        (crop,) = watching.look(frame(picture, media_s)).crops
        assert crop.track == 1
        assert Reason.TOO_SMALL in crop.quality.reasons


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rgb: (rgb * 0.12).astype(np.uint8), Reason.TOO_DARK),
        (lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 8), Reason.BLURRED),
    ],
)
def test_dark_and_blurred_films_are_not_judged(change, reason):
    """A face is either not found or refused with the reason."""
    look = finder().look(frame(image(change(rgb_at("pexels_woman", 420))), 0.0))
    assert all(reason in crop.quality.reasons for crop in look.crops)
    assert look.crops or look.reasons == (Reason.NO_FACE,)


def test_the_same_film_gives_the_same_looks():
    """Two finders agree bit for bit."""

    def crops() -> list[np.ndarray]:
        watching = finder()
        return [
            crop.rgb
            for media_s, picture in pictures("pexels_woman", 5, seconds=2)
            for crop in watching.look(frame(picture, media_s)).crops
        ]

    first, second = crops(), crops()
    assert len(first) > 8
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_finders_come_and_go_without_growing():
    """Hundreds of participants share the model: no new task, no memory left behind."""
    picture = image(ada())
    for _ in range(3):
        finder().look(frame(picture, 0.0))
    landmarker = shared(sample("face_landmarker"), 4)
    tasks, before = landmarker.created, _resident_mb()
    for _ in range(150):
        watching = finder()
        watching.look(frame(picture, 0.0))
        watching.close()
    assert landmarker.created == tasks
    assert _resident_mb() - before < 12


def test_close_forgets_everybody():
    """After close nothing of the participant is kept."""
    watching = finder()
    watching.look(frame(image(ada()), 0.0))
    watching.close()
    watching.close()
    assert watching._tracks.known == ()


def test_without_the_model_there_is_no_finder():
    """A missing model is told at once, with the way to it."""
    with pytest.raises(AssetError, match="lifesign setup"):
        FaceFinder(FacesSettings(), Path("absent.task"), "call", "ada")


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
