# SPDX-License-Identifier: Apache-2.0
"""Upright pixels of one face in, its landmarks and blendshapes out (MediaPipe's networks on LiteRT)."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.errors import AssetError, StartError
from monitor.faces.blendshapes import NAMES, POINTS
from monitor.faces.canonical import CanonicalFace, read_canonical

__all__ = ["MeshNetworks", "available", "shared_mesh"]

RUNTIME: Final = "ai_edge_litert"
MESH_MEMBER: Final = "face_landmarks_detector.tflite"
SHAPES_MEMBER: Final = "face_blendshapes.tflite"
GEOMETRY_MEMBER: Final = "geometry_pipeline_metadata_landmarks.binarypb"

NEUTRAL: Final = "_neutral"
CHOSEN: Final = np.array(POINTS)


def available() -> bool:
    """Whether the runtime of the networks (LiteRT, the extra `fast`) is installed."""
    return find_spec(RUNTIME) is not None


class MeshNetworks:
    """The mesh and the blendshape network of a `.task` file, for any thread: each call borrows a pair or makes one.

    `canonical` is the face to which poses are fitted.
    """

    def __init__(self, model: Path) -> None:
        """Read the file and make the first pair.

        AssetError when it is missing or does not hold the networks, StartError when LiteRT is not installed.
        """
        if not available():
            advice = "pip install 'lifesign[fast]', or set faces.landmarks to mediapipe."
            raise StartError("LiteRT, which measures faces by the mesh alone, is not installed.", advice)
        try:
            with zipfile.ZipFile(model) as bundle:
                self._mesh, self._shapes = bundle.read(MESH_MEMBER), bundle.read(SHAPES_MEMBER)
                self.canonical: CanonicalFace = read_canonical(bundle.read(GEOMETRY_MEMBER))
            self._idle: LifoQueue[_Pair] = LifoQueue()
            self._idle.put(_Pair(self._mesh, self._shapes))
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            what = f"The face model {model} cannot be loaded: {error}."
            raise AssetError(what, "Delete it and run `lifesign setup` to fetch it again.") from error
        self.created = 1

    def measure(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        """Measure the face in RGB uint8 [256, 256, 3]: points float32 [478, 3] in its pixels, logit of its presence."""
        with self._borrowed() as pair:
            return pair.measure(rgb)

    def blendshapes(self, points: NDArray[np.float32]) -> dict[str, float]:
        """Give the blendshapes, 0..1 by name, of landmarks float32 [478, 2 or more] in pixels of any picture."""
        with self._borrowed() as pair:
            scores = pair.blendshapes(points[:, :2][CHOSEN])
        shapes = dict(zip(NAMES, scores.tolist(), strict=True))
        del shapes[NEUTRAL]
        return shapes

    @contextmanager
    def _borrowed(self) -> Iterator["_Pair"]:
        try:
            pair = self._idle.get_nowait()
        except Empty:
            self.created += 1
            pair = _Pair(self._mesh, self._shapes)
        try:
            yield pair
        finally:
            self._idle.put(pair)


class _Pair:
    """Both networks, ready to run in one thread at a time."""

    def __init__(self, mesh: bytes, shapes: bytes) -> None:
        self._mesh, self._shapes = _Network(mesh), _Network(shapes)

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


@lru_cache(maxsize=8)
def shared_mesh(model: Path) -> MeshNetworks:
    """Give the process's one set of networks of a model; AssetError as `MeshNetworks`."""
    return MeshNetworks(model)
