# SPDX-License-Identifier: Apache-2.0
"""People who look unusual, and pictures that are hard to judge, through the whole chain: nobody is accused."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import pytest
from av import VideoFrame

from models.forgeries.clip import Clip, Pixels, blend
from models.forgeries.harmless.choice import harmless
from monitor.config import CueName, LivenessSettings, Settings
from monitor.scan import scan
from tests.fakes.films import faces, footage
from tests.fakes.media import sample

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FPS: Final = 10
FRAMES: Final = 60
SIDE_PX: Final = 480
LOWER_FACE: Final = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323,
                     454, 280, 4, 50)  # fmt: skip
"""From ear to ear along the jaw, and back over the cheeks and the tip of the nose (MediaPipe's mesh)."""

CHEEK: Final = 50
Look = Callable[[Clip], Pixels]


@pytest.fixture(scope="module")
def caller() -> Clip:
    """Six seconds of a real person in a square picture, with the mesh of every frame."""
    pictures = [each for _, each in zip(range(FRAMES), footage(sample("pexels_woman"), FPS), strict=False)]
    marks = [crop.landmarks for crop in faces(pictures)]
    assert len(marks) == FRAMES
    points = np.stack([mark.points[:, :2] for mark in marks if mark is not None])
    rgb = [cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420) for _, i420 in pictures]
    height, width = rgb[0].shape[:2]
    side = min(height, width)
    left = int(np.clip(points[..., 0].mean() - side / 2, 0, width - side))
    top = int(np.clip(points[..., 1].mean() - side / 2, 0, height - side))
    square = np.stack([cv2.resize(each[top : top + side, left : left + side], (SIDE_PX, SIDE_PX)) for each in rgb])
    return Clip(square, ((points - [left, top]) * (SIDE_PX / side)).astype(np.float32))


def worn(colour: tuple[int, int, int], strength: float, rough: float) -> Look:
    """Something over the lower face that moves with it: a mask of cloth, or a beard."""

    def look(clip: Clip) -> Pixels:
        grain = np.random.default_rng(1).normal(0, rough, (SIDE_PX, SIDE_PX, 1))
        cloth = np.clip(np.array(colour, np.float64) + grain, 0, 255).astype(np.uint8)
        return np.stack(
            [blend(rgb, cloth, _area(points, strength)) for rgb, points in zip(clip.rgb, clip.points, strict=True)]
        )

    return look


def _area(points: np.ndarray, strength: float) -> np.ndarray:
    area = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    cv2.fillPoly(area, [np.rint(points[list(LOWER_FACE)]).astype(np.int32)], strength, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(area, (0, 0), 2.0), np.float32)


def hand(clip: Clip) -> Pixels:
    """A hand that comes to the cheek and goes away again."""
    shown = []
    for index, (rgb, points) in enumerate(zip(clip.rgb, clip.points, strict=True)):
        away = abs(index - FRAMES // 2) * 4.0
        palm = np.zeros((SIDE_PX, SIDE_PX), np.float32)
        x, y = (round(float(at)) for at in points[CHEEK] + (-20 - away, 20 + away))
        for finger in range(4):
            cv2.ellipse(palm, (x + finger * 14 - 20, y - 10), (8, 34), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
        cv2.ellipse(palm, (x, y + 30), (34, 30), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
        shown.append(blend(rgb, np.full_like(rgb, (196, 150, 128)), cv2.GaussianBlur(palm, (0, 0), 1.0)))
    return np.stack(shown)


def dark(clip: Clip) -> Pixels:
    """Hardly any light."""
    return (clip.rgb * 0.1).astype(np.uint8)


def small(clip: Clip) -> Pixels:
    """Far from the camera."""
    room = np.full_like(clip.rgb, 90)
    size = SIDE_PX // 8
    for shown, rgb in zip(room, clip.rgb, strict=True):
        shown[40 : 40 + size, 60 : 60 + size] = cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA)
    return room


def two(clip: Clip) -> Pixels:
    """Two people side by side, who do not move alike."""
    other = clip.rgb[::-1, :, ::-1]
    return np.stack([np.hstack((one, beside)) for one, beside in zip(clip.rgb, other, strict=True)])


def slides(clip: Clip) -> Pixels:
    """A slide deck instead of a face."""
    pages = np.full_like(clip.rgb, 245)
    for index, page in enumerate(pages):
        for line in range(9):
            text = f"Point {line + 1} of page {index // 15 + 1}"
            cv2.putText(page, text, (40, 60 + 44 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (30, 30, 60), 2)
    return pages


def treated(name: str) -> Look:
    """A treatment of the camera, of a filter or of what people wear."""
    return lambda clip: harmless(clip, np.random.default_rng(5), name)


LOOKS: Final[dict[str, Look]] = {
    "as_filmed": lambda clip: clip.rgb,
    "beard": worn((52, 38, 30), 0.85, 22.0),
    "mask": worn((120, 168, 206), 1.0, 4.0),
    "hand": hand,
    "glasses": treated("glasses_glare"),
    "make_up": treated("make_up"),
    "beauty_filter": treated("smooth_skin"),
    "virtual_background": treated("virtual_background"),
    "low_light": treated("low_light"),
    "two_faces": two,
    "dark": dark,
    "small": small,
    "slides": slides,
}
UNJUDGEABLE: Final = frozenset({"dark", "small", "slides"})


def record(pictures: Pixels, file: Path, *, uneven: bool = False) -> Path:
    """Write a film; `uneven` as of a sender whose rate changes between 2 and 30 pictures a second."""
    steps = np.random.default_rng(3).choice([1, 2, 3, 4, 15], len(pictures)) if uneven else np.full(len(pictures), 3)
    with av.open(str(file), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "20", "preset": "veryfast", "bf": "0"})
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, 30)
        for rgb, at in zip(pictures, np.cumsum(steps), strict=True):
            picture = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            picture.pts, picture.time_base = int(at), Fraction(1, 30)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return file


async def test_nobody_is_accused_for_how_they_look(
    caller: Clip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the shipped network no alert, no cue speaks against anybody, and what cannot be judged is not clear."""
    films = [record(look(caller), tmp_path / f"{name}.mp4") for name, look in LOOKS.items()]
    films.append(record(caller.rgb, tmp_path / "uneven.mp4", uneven=True))
    lines = await _scanned(films, capsys)
    found = {Path(line["file"]).stem: line for line in lines if line["event"] == "summary"}
    assert set(found) == {*LOOKS, "uneven"}
    assert {
        name for name, line in found.items() if line["state"] == "alert" or line["first_alert_s"] is not None
    } == set()
    spoke = [line for line in lines if line["event"] == "evidence" and _accuses(line)]
    assert spoke == []
    for name in UNJUDGEABLE:
        assert found[name]["state"] == "inconclusive", name
        assert found[name]["reasons"], name
    assert all(found[name]["score"] is not None for name in found.keys() - UNJUDGEABLE)


def _accuses(line: dict[str, Any]) -> bool:
    return line["cue"] != "detector" and line["reliability"] > 0 and line["llr_nats"] > 0


async def _scanned(films: list[Path], capsys: pytest.CaptureFixture[str]) -> list[Any]:
    every = LivenessSettings(cues=CueName.__args__)
    settings = Settings(liveness=every)
    await scan(settings, [str(film) for film in films], json=True, strict=False, evidence=True)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
