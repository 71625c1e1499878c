# SPDX-License-Identifier: Apache-2.0
"""Frames of one participant in, steady face tracks with their crops out."""

from pathlib import Path
from typing import Literal

from monitor.config import FacesSettings
from monitor.faces import crop, tracker
from monitor.faces.boxes import box_of
from monitor.faces.landmarker import shared
from monitor.faces.lite import shared_lite
from monitor.faces.networks import available
from monitor.faces.patch import face_patch, scene_patch
from monitor.faces.quality import assess
from monitor.faces.search import Search
from monitor.faces.wide import WideSchedule, wide
from monitor.values import FaceCrop, FaceLook, Frame, Landmarks, Picture, Reason

__all__ = ["CROP_PX", "FaceFinder", "runtime"]

CROP_PX = 112
"""Side of the crops where no detector asks for another."""


class FaceFinder:
    """Finds and follows the faces of one participant; blocking, one thread at a time."""

    def __init__(
        self,
        settings: FacesSettings,
        model: Path,
        call: str,
        participant: str,
        crop_px: int = CROP_PX,
        *,
        surroundings: bool = True,
    ) -> None:
        """Prepare for one participant, for a detector that takes crops of side `crop_px`.

        `surroundings` says whether somebody wants `FaceCrop.wide`, which takes longer than the crop itself.
        AssetError when the model file is missing or cannot be loaded.
        """
        self._settings = settings
        self._search = _search(settings, model)
        self._call = call
        self._participant = participant
        self._crop_px = crop_px
        self._tracks = tracker.NO_TRACKS
        self._steady: dict[int, crop.Steady] = {}
        self._surroundings = surroundings
        self._wide = WideSchedule()
        self._longest_px = 0

    def look(self, frame: Frame) -> FaceLook:
        """Look at one frame; without a face the reasons say so, and tracks live on for `forget_after_s`."""
        picture = frame.picture
        self._rescale(max(picture.width_px, picture.height_px))
        expected = tracker.expected(self._tracks, frame.media_s)
        faces = self._search.find(picture, expected, frame.media_s)
        sightings = [tracker.Sighting(box, face_patch(picture, box)) for box in (box_of(face.points) for face in faces)]
        followed = tracker.follow(
            self._tracks, sightings, scene_patch(picture), frame.media_s, self._settings.forget_after_s
        )
        self._tracks = followed.tracks
        for track in followed.ended:
            self._steady.pop(track, None)
            self._wide.forget(track)
        crops = tuple(self._crop(frame, face, track) for face, track in zip(faces, followed.numbers, strict=True))
        return FaceLook(frame.media_s, crops, followed.ended, () if crops else (Reason.NO_FACE,))

    def close(self) -> None:
        """Forget all faces; the shared model stays for other participants."""
        self._tracks = tracker.NO_TRACKS
        self._steady.clear()
        self._wide = WideSchedule()

    def _rescale(self, longest_px: int) -> None:
        """Carry all places over to a picture of another size: a sender changes resolution in the middle of a call."""
        factor = longest_px / self._longest_px if self._longest_px else 1.0
        self._longest_px = longest_px
        if factor != 1.0:
            self._tracks = tracker.scaled(self._tracks, factor)
            self._steady = {track: crop.scaled(known, factor) for track, known in self._steady.items()}

    def _crop(self, frame: Frame, face: Landmarks, track: int) -> FaceCrop:
        steady = crop.steady(self._steady.get(track), crop.place(face.points), frame.media_s)
        self._steady[track] = steady
        side = self._crop_px
        to_crop = crop.to_crop(steady.placement, side)
        rgb = crop.render(frame.picture, to_crop, side)
        quality = assess(rgb, to_crop, face, _size(frame.picture), self._settings.min_face_px)
        box = box_of(face.points)
        due = self._surroundings and quality.judgeable and self._wide.due(track, frame.media_s)
        around = wide(frame.picture, steady.placement) if due else None
        return FaceCrop(self._call, self._participant, track, frame.media_s, rgb, box, to_crop, quality, face, around)


def runtime(settings: FacesSettings) -> Literal["mediapipe", "litert"]:
    """What runs the face networks here."""
    if settings.runtime == "auto":
        return "litert" if available() else "mediapipe"
    return settings.runtime


def _search(settings: FacesSettings, model: Path) -> Search:
    open_landmarker = shared_lite if runtime(settings) == "litert" else shared
    landmarker = open_landmarker(model, settings.max_faces)
    return Search(landmarker, settings.max_faces, settings.min_face_px)


def _size(picture: Picture) -> tuple[int, int]:
    return picture.width_px, picture.height_px
