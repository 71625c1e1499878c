# SPDX-License-Identifier: Apache-2.0
"""Sample films in; what a look at a known face costs each method, and how far apart the ways measure it, out."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import av
import cv2
import numpy as np

from monitor import assets
from monitor.bench.parity import Apart, apart, mean
from monitor.bench.result import Result, Way
from monitor.capture.picture import picture_of
from monitor.config import FacesSettings
from monitor.faces.detection import DETECTOR_PX
from monitor.faces.finder import FaceFinder
from monitor.faces.networks import FaceNetworks
from monitor.faces.roi import MESH_PX
from monitor.values import Frame, Landmarks

__all__ = ["Cost", "measure"]

CLIPS: Final = ("pexels_woman", "selfie_man")
Method = Literal["mediapipe", "litert"]
METHODS: Final[tuple[Method, ...]] = ("mediapipe", "litert")
LOOKS_PER_S: Final = 5.0
CROP_PX: Final = 128
WARM_UP: Final = 3
"""Looks at the start of a film that are not counted: the face is not known yet."""

NETWORK_RUNS: Final = 20
SECTION: Final = "bench-look"
HEAD: Final = ("", "MediaPipe", "LiteRT", "its networks", "MediaPipe / LiteRT", "apart", "MediaPipe of itself")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of a look each method; how far LiteRT is from MediaPipe, and MediaPipe from itself.

    `networks_ms` is what the networks take of `litert_ms` when nothing but them runs.
    """

    mediapipe_ms: float
    litert_ms: float
    networks_ms: float
    litert_apart: Apart
    itself_apart: Apart


def measure(*, rounds: int = 5, json: bool = False, readme: Path | None = None) -> int:
    """Measure every film each method in turn, `rounds` times; returns 0.

    CPU time is the process's, all threads together, the least of the rounds; OpenCV has one thread, as in the service.
    MediaPipe is compared with itself looking at the whole picture. Table to stderr, JSON to stdout; `readme` is a file
    whose section between the markers is rewritten. Raises AssetError without the films, StartError without LiteRT,
    UsageError for a file without markers.
    """
    way = Way(SECTION, json=json, readme=readme)
    cv2.setNumThreads(1)
    costs = {name: _cost(_frames(assets.path(name)), rounds) for name in CLIPS}
    rows = [_row(name, cost) for name, cost in costs.items()]
    result = Result("a look at a known face, CPU time", HEAD, rows, "lifesign bench look")
    way.tell(result, {name: asdict(cost) for name, cost in costs.items()})
    return 0


def _frames(film: Path) -> list[Frame]:
    return list(_thinned(film))


def _thinned(film: Path) -> Iterator[Frame]:
    due_s = 0.0
    with av.open(str(film)) as container:
        for decoded in container.decode(video=0):
            media_s = float(decoded.time or 0.0)
            if media_s >= due_s:
                due_s = max(due_s, media_s - 1 / LOOKS_PER_S) + 1 / LOOKS_PER_S
                yield Frame("bench", "look", media_s, media_s, picture_of(decoded))


def _cost(frames: Sequence[Frame], rounds: int) -> Cost:
    networks = FaceNetworks(assets.path("face_landmarker"))
    turns = [[*(_spent_ms(method, frames) for method in METHODS), _networks_ms(networks)] for _ in range(rounds)]
    mediapipe_ms, litert_ms, networks_ms = (min(each) for each in zip(*turns, strict=True))
    usual, litert, whole = _seen("mediapipe", frames), _seen("litert", frames), _seen_whole(frames)
    return Cost(mediapipe_ms, litert_ms, networks_ms, _apart(usual, litert), _apart(usual, whole))


def _finder(method: Method) -> FaceFinder:
    model = assets.path("face_landmarker")
    return FaceFinder(FacesSettings(runtime=method), model, "bench", "look", CROP_PX)


def _spent_ms(method: Method, frames: Sequence[Frame]) -> float:
    finder = _finder(method)
    for frame in frames[:WARM_UP]:
        finder.look(frame)
    began_s = time.process_time()
    for frame in frames[WARM_UP:]:
        finder.look(frame)
    return 1000 * (time.process_time() - began_s) / len(frames[WARM_UP:])


def _networks_ms(networks: FaceNetworks) -> float:
    small, large = (np.full((side, side, 3), 128, np.uint8) for side in (DETECTOR_PX, MESH_PX))
    began_s = time.process_time()
    for _ in range(NETWORK_RUNS):
        networks.detect(small)
        points, _presence = networks.measure(large)
        networks.blendshapes(points)
    return 1000 * (time.process_time() - began_s) / NETWORK_RUNS


def _seen(method: Method, frames: Sequence[Frame]) -> list[Landmarks | None]:
    finder = _finder(method)
    return [_first(finder, frame) for frame in frames]


def _seen_whole(frames: Sequence[Frame]) -> list[Landmarks | None]:
    return [_first(_finder("mediapipe"), frame) for frame in frames]


def _first(finder: FaceFinder, frame: Frame) -> Landmarks | None:
    return next((crop.landmarks for crop in finder.look(frame).crops), None)


def _apart(ones: Sequence[Landmarks | None], others: Sequence[Landmarks | None]) -> Apart:
    pairs = zip(ones[WARM_UP:], others[WARM_UP:], strict=True)
    return mean([apart(one, other) for one, other in pairs if one is not None and other is not None])


def _row(name: str, cost: Cost) -> tuple[str, ...]:
    ratio = cost.mediapipe_ms / cost.litert_ms
    spent = (f"{each:.1f} ms" for each in (cost.mediapipe_ms, cost.litert_ms, cost.networks_ms))
    return (name, *spent, f"{ratio:.2f} ×", _words(cost.litert_apart), _words(cost.itself_apart))


def _words(distance: Apart) -> str:
    return f"{distance.points_percent:.2f} % of the width, {distance.pose_deg:.2f}°, {distance.blendshapes:.4f}"
