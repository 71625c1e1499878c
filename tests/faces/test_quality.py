# SPDX-License-Identifier: Apache-2.0
"""The quality gate: what it refuses, with which reason, and that good pictures pass."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from monitor.faces.crop import place, render, to_crop
from monitor.faces.landmarker import shared
from monitor.faces.picture import rgb
from monitor.faces.quality import assess
from monitor.values import Landmarks, Picture, Quality, Reason
from tests.faces.footage import image, rgb_at
from tests.fakes.media import sample

WOMAN = ("pexels_woman", 420)


def judged(picture: Picture, face: Landmarks, min_face_px: int = 64, crop_px: int = 112) -> Quality:
    """Quality of a face in a picture, cut as at run time."""
    matrix = to_crop(place(face.points), crop_px)
    size = (picture.width_px, picture.height_px)
    return assess(render(picture, matrix, crop_px), matrix, face, size, min_face_px)


def found(name: str = WOMAN[0], index: int = WOMAN[1]) -> tuple[np.ndarray, Landmarks]:
    """One frame of a film and the face in it."""
    pixels = rgb_at(name, index)
    return pixels, shared(sample("face_landmarker"), 1).find(pixels)[0]


def test_a_good_face_passes_with_full_weight():
    """A large sharp frontal face may be judged, and is trusted."""
    pixels, face = found("cap12", 50)
    quality = judged(image(pixels), face, 40)
    assert quality.judgeable
    assert quality.weight > 0.8
    assert quality.yaw_deg < 20


def test_sharpness_does_not_depend_on_the_detectors_crop():
    """A larger crop of the same face is as sharp; without a reference it would seem a quarter softer or more."""
    pixels, face = found("cap12", 50)
    small, large = (judged(image(pixels), face, 40, crop_px).sharpness for crop_px in (112, 160))
    assert large == pytest.approx(small, rel=0.12)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rgb: (rgb * 0.15).astype(np.uint8), Reason.TOO_DARK),
        (lambda rgb: (255 - (255 - rgb) * 0.1).astype(np.uint8), Reason.TOO_BRIGHT),
        (lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 9), Reason.BLURRED),
    ],
)
def test_bad_light_and_blur_are_refused(change, reason):
    """The same face in the dark, in glare and out of focus has its reason and no weight."""
    pixels, face = found()
    quality = judged(image(change(pixels)), face)
    assert reason in quality.reasons
    assert quality.weight == 0


def test_a_small_face_is_refused_by_its_shorter_side():
    """The limit is the configured one."""
    pixels, face = found("carphone", 30)
    small = judged(image(pixels), face, 64)
    assert Reason.TOO_SMALL in small.reasons
    assert small.face_px < 64
    assert Reason.TOO_SMALL not in judged(image(pixels), face, 24).reasons


@pytest.mark.parametrize("axis", [0, 1])
def test_a_head_turned_too_far_is_refused(axis):
    """60 degrees about the vertical or the level axis, either way; 10 degrees pass."""
    pixels, face = found()
    for angle, refused in ((60, True), (-60, True), (10, False)):
        radians = np.radians(angle)
        around = [radians, 0.0, 0.0] if axis else [0.0, radians, 0.0]
        pose = np.eye(4, dtype=np.float32)
        pose[:3, :3] = cv2.Rodrigues(np.array(around))[0] * 7.0
        quality = judged(image(pixels), replace(face, pose=pose))
        assert (Reason.TURNED_AWAY in quality.reasons) == refused
        assert max(quality.yaw_deg, quality.pitch_deg) == pytest.approx(abs(angle), abs=1)


def test_a_face_cut_off_by_the_edge_is_occluded():
    """With a quarter of its mesh outside the picture a face is not judged; the share is told."""
    pixels, face = found()
    points = face.points.copy()
    points[:, 0] -= np.quantile(points[:, 0], 0.25)
    quality = judged(image(pixels), replace(face, points=points))
    assert Reason.OCCLUDED in quality.reasons
    assert Reason.OCCLUDED not in judged(image(pixels), face).reasons
    assert quality.visible == pytest.approx(0.75, abs=0.02)


def test_a_folded_mesh_is_occluded():
    """A mesh without the proportions of a face is no face to judge."""
    pixels, face = found()
    folded = face.points.copy()
    folded[::2, :2] = folded[0, :2]
    folded[[13, 14]] = folded[10]
    assert Reason.OCCLUDED in judged(image(pixels), replace(face, points=folded)).reasons


def test_weight_grows_with_size_and_sharpness():
    """A larger and a sharper view of the same face counts for more."""
    pixels, face = found()
    sharp, soft = judged(image(pixels), face), judged(image(cv2.GaussianBlur(pixels, (0, 0), 3)), face)
    assert sharp.sharpness > soft.sharpness
    assert sharp.weight > soft.weight
    assert sharp.weight > judged(image(pixels), face, 150).weight


def test_a_face_without_pose_counts_as_frontal():
    """The pose is optional: nothing is refused for not knowing it."""
    pixels, face = found()
    quality = judged(image(pixels), replace(face, pose=None))
    assert (quality.yaw_deg, quality.pitch_deg) == (0, 0)


def test_rgb_and_picture_agree_on_exposure():
    """Exposure is the mean luma of the face, 0..1."""
    pixels, face = found()
    quality = judged(image(pixels), face)
    hull = cv2.convexHull(np.ascontiguousarray(face.points[:468, :2])).astype(np.int32)
    mask = cv2.fillConvexPoly(np.zeros(pixels.shape[:2], np.uint8), hull, 1)
    grey = cv2.cvtColor(rgb(image(pixels)), cv2.COLOR_RGB2GRAY)
    assert quality.exposure == pytest.approx(cv2.mean(grey, mask)[0] / 255, abs=0.02)
