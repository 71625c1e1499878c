# SPDX-License-Identifier: Apache-2.0
"""An RGB picture in, the landmarks of every face in it out (MediaPipe Tasks FaceLandmarker)."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import mediapipe
import numpy as np
import structlog
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

from monitor.errors import AssetError
from monitor.values import Landmarks

__all__ = ["PRIVATE_HANDLE", "Landmarker", "shared"]

PRIVATE_HANDLE = "_handle"
"""Name under which a MediaPipe task keeps its native handle; see `_abandon`."""

log = structlog.get_logger()


class Landmarker:
    """Finds faces in single pictures; any thread may call, each call borrows an idle task or makes one.

    Pictures are looked at one by one: with several faces allowed the tracking mode misses the same frames, jitters
    as much and takes as long (measured with MediaPipe 0.10.33), but would need one instance per participant and
    strictly rising times. Tasks are kept for good because each creation leaves memory behind
    (50 MB in 60 cycles, 0.10.33).
    """

    def __init__(self, model: Path, max_faces: int) -> None:
        if not model.is_file():
            raise AssetError(f"The face model {model} is missing.", "Run `lifesign setup` to fetch it.")
        self._options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)),
            running_mode=vision.RunningMode.IMAGE,
            num_faces=max_faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._model = model
        self._idle: LifoQueue[Any] = LifoQueue()
        self.created = 0
        self.failed = 0
        self._idle.put(self._make())

    def find(self, rgb: NDArray[np.uint8]) -> tuple[Landmarks, ...]:
        """Find the faces in RGB uint8 [height, width, 3]; points come in this picture's pixels.

        A picture that MediaPipe fails on has no faces; the failed task is replaced at the next call.
        """
        height, width = rgb.shape[:2]
        image = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(rgb))
        try:
            with self._borrowed() as task:
                result = task.detect(image)
        except RuntimeError as error:
            self.failed += 1
            log.warning("face_landmarker_failed", error=str(error), width_px=width, height_px=height)
            return ()
        scale = np.array([width, height, width], np.float32)
        return tuple(_landmarks(result, index, scale) for index in range(len(result.face_landmarks)))

    def close(self) -> None:
        """Close the idle tasks."""
        for task in self._drain():
            task.close()

    def abandon(self) -> None:
        """Let go of the idle tasks without closing them: at the interpreter's exit their threads have gone first."""
        for task in self._drain():
            _abandon(task)

    def _drain(self) -> Iterator[Any]:
        while True:
            try:
                yield self._idle.get_nowait()
            except Empty:
                return

    def _make(self) -> Any:  # noqa: ANN401
        self.created += 1
        try:
            return vision.FaceLandmarker.create_from_options(self._options)
        except (RuntimeError, ValueError) as error:
            what = f"The face model {self._model} cannot be loaded: {error}."
            raise AssetError(what, "Delete it and run `lifesign setup` to fetch it again.") from error

    @contextmanager
    def _borrowed(self) -> Iterator[Any]:
        try:
            task = self._idle.get_nowait()
        except Empty:
            task = self._make()
        try:
            yield task
        except RuntimeError:
            _abandon(task)
            raise
        else:
            self._idle.put(task)


@lru_cache(maxsize=8)
def shared(model: Path, max_faces: int) -> Landmarker:
    """Give the process's one landmarker for a model and number of faces; AssetError when the file is missing."""
    landmarker = Landmarker(model, max_faces)
    atexit.register(landmarker.abandon)
    return landmarker


def _abandon(task: Any) -> None:  # noqa: ANN401
    """Let go of a task without closing it.

    After a graph error closing raises and keeps the handle, so the finaliser closes again from garbage collection;
    when that runs while a thread pool is being made the process deadlocks (0.10.33). Without the handle nothing is
    closed twice.
    """
    setattr(task, PRIVATE_HANDLE, None)


def _landmarks(result: Any, index: int, scale: NDArray[np.float32]) -> Landmarks:  # noqa: ANN401
    points = np.array([(point.x, point.y, point.z) for point in result.face_landmarks[index]], np.float32) * scale
    shapes = {shape.category_name: float(shape.score) for shape in result.face_blendshapes[index]}
    shapes.pop("_neutral", None)
    return Landmarks(points, shapes, np.asarray(result.facial_transformation_matrixes[index], np.float32))
