# SPDX-License-Identifier: Apache-2.0
"""Pixels in; where they may hold a face, its landmarks and its blendshapes out (MediaPipe's networks on LiteRT)."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.errors import AssetError, StartError
from monitor.faces.blendshapes import NAMES, POINTS
from monitor.faces.canonical import CanonicalFace, read_canonical

__all__ = ["FaceNetworks", "available"]

RUNTIME: Final = "ai_edge_litert"
MEMBERS: Final = ("face_detector.tflite", "face_landmarks_detector.tflite", "face_blendshapes.tflite")
GEOMETRY_MEMBER: Final = "geometry_pipeline_metadata_landmarks.binarypb"

NEUTRAL: Final = "_neutral"
CHOSEN: Final = np.array(POINTS)


def available() -> bool:
    """Whether the runtime of the networks (LiteRT, the extra `fast`) is installed."""
    return find_spec(RUNTIME) is not None


class FaceNetworks:
    """The networks of a `.task` file, for any thread: each call borrows a set of them or makes one.

    `canonical` is the face to which poses are fitted.
    """

    def __init__(self, model: Path) -> None:
        """Read the file and make the first set.

        AssetError when it is missing or does not hold the networks, StartError when LiteRT is not installed.
        """
        if not available():
            advice = "pip install 'lifesign[fast]', or set faces.runtime to mediapipe."
            raise StartError("LiteRT, which is to run the face networks, is not installed.", advice)
        try:
            with zipfile.ZipFile(model) as bundle:
                self._members = [bundle.read(member) for member in MEMBERS]
                self.canonical: CanonicalFace = read_canonical(bundle.read(GEOMETRY_MEMBER))
            self._idle: LifoQueue[_Set] = LifoQueue()
            self._idle.put(_Set(self._members))
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            what = f"The face model {model} cannot be loaded: {error}."
            raise AssetError(what, "Delete it and run `lifesign setup` to fetch it again.") from error
        self.created = 1

    def detect(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give what the detector says of RGB uint8 [128, 128, 3]: candidates float32 [896, 16], their logits [896]."""
        with self._borrowed() as networks:
            return networks.detect(rgb)

    def measure(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        """Measure the face in RGB uint8 [256, 256, 3]: points float32 [478, 3] in its pixels, logit of its presence."""
        with self._borrowed() as networks:
            return networks.measure(rgb)

    def blendshapes(self, points: NDArray[np.float32]) -> dict[str, float]:
        """Give the blendshapes, 0..1 by name, of landmarks float32 [478, 2 or more] in pixels of any picture."""
        with self._borrowed() as networks:
            scores = networks.blendshapes(points[:, :2][CHOSEN])
        shapes = dict(zip(NAMES, scores.tolist(), strict=True))
        del shapes[NEUTRAL]
        return shapes

    @contextmanager
    def _borrowed(self) -> Iterator["_Set"]:
        try:
            networks = self._idle.get_nowait()
        except Empty:
            self.created += 1
            networks = _Set(self._members)
        try:
            yield networks
        finally:
            self._idle.put(networks)


class _Set:
    """All networks, ready to run in one thread at a time."""

    def __init__(self, members: Sequence[bytes]) -> None:
        self._detector, self._mesh, self._shapes = map(_Network, members)

    def detect(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        value = np.multiply(rgb[None], np.float32(1 / 127.5), dtype=np.float32) - np.float32(1)
        numbers, logits = self._detector.run(value)
        return numbers[0], logits[0, :, 0]

    def measure(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        points, presence = self._mesh.run(np.multiply(rgb[None], np.float32(1 / 255), dtype=np.float32))[:2]
        return points.reshape(-1, 3), float(presence.item())

    def blendshapes(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._shapes.run(points[None])[0]


class _Network:
    """One network with memory of its own; it runs in the thread that calls."""

    def __init__(self, network: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - an optional extra

        self._interpreter = Interpreter(model_content=network, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._outputs: list[int] = [output["index"] for output in self._interpreter.get_output_details()]

    def run(self, value: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self._interpreter.set_tensor(self._input, value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]
