# SPDX-License-Identifier: Apache-2.0
"""A detector and footage in, one record of logits per file out, and these records to and from a file."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from models.data.codec import Compression, compress
from models.data.crops import Footage
from models.data.pairs import central_crop
from models.detector import Detector
from models.errors import DataError
from models.forgeries.clip import Pixels
from models.forgeries.detail import sharpness

__all__ = ["CONDITIONS", "Condition", "Prediction", "judge", "read_predictions", "write_predictions"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What happens to a clip before it is judged: the picture's scale, and a codec at a constant quantiser."""

    name: str
    scale: float
    compression: Compression | None

    def apply(self, clip: Pixels) -> Pixels:
        """Damage a clip uint8 [T, S, S, 3]."""
        if self.compression is None:
            return clip
        return compress(clip, self.compression, round(clip.shape[1] * self.scale))


CONDITIONS: Final = (
    Condition("clean", 1.0, None),
    Condition("vp8", 0.8, Compression("vp8", 32)),
    Condition("low", 0.55, Compression("vp8", 44)),
)
"""As it came; a face of about 70 px through VP8 as 360p calls have it; one of 47 px through strong compression."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What was said of one file: label fields, and for every judged frame its logit, face width and sharpness."""

    path: str
    label: str
    method: str
    identity: str
    repo: str
    pair: str
    condition: str
    film: bool
    logits: tuple[float, ...]
    face_px: tuple[float, ...]
    sharpness: tuple[float, ...]

    @property
    def score(self) -> float:
        """The file's mean logit."""
        return float(np.mean(self.logits))


def judge(detector: Detector, footage: Sequence[Footage], condition: Condition) -> list[Prediction]:
    """Judge files as a call would be: in order, at the detector's rate, only crops that the quality gate lets pass.

    Files without any such crop are left out: the monitor would abstain.
    """
    judged = (_judge_one(detector, one, condition) for one in footage)
    return [prediction for prediction in judged if prediction is not None]


def _judge_one(detector: Detector, one: Footage, condition: Condition) -> Prediction | None:
    chosen = sampled(one.media_s, detector.samples_per_s)
    kept = [index for index in chosen if one.judgeable[index]]
    if not kept:
        return None
    crops = central_crop(condition.apply(one.rgb[chosen]))[[chosen.index(index) for index in kept]]
    logits = detector.judge_clip(torch.from_numpy(np.ascontiguousarray(crops))).tolist()
    row = one.row
    return Prediction(
        path=row["path"],
        label=row["label"],
        method=row["method"],
        identity=one.identity,
        repo=row["repo"],
        pair=row["pair"],
        condition=condition.name,
        film=one.frames > 1,
        logits=tuple(round(logit, 4) for logit in logits),
        face_px=tuple(round(float(one.face_px[index]), 1) for index in kept),
        sharpness=tuple(round(sharpness(crop), 2) for crop in crops),
    )


def sampled(media_s: np.ndarray, samples_per_s: float) -> list[int]:
    """Choose frames at most `samples_per_s` a second, on the media clock."""
    chosen: list[int] = []
    due_s = -np.inf
    for index, at_s in enumerate(media_s):
        if at_s + 0.02 >= due_s:
            chosen.append(index)
            due_s = max(float(at_s), due_s) + 1.0 / samples_per_s if chosen[1:] else float(at_s) + 1.0 / samples_per_s
    return chosen


def write_predictions(file: Path, predictions: Iterable[Prediction]) -> None:
    """Write one JSON object a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(asdict(one)) + "\n" for one in predictions), encoding="utf-8")


def read_predictions(file: Path) -> list[Prediction]:
    """Read what `write_predictions` wrote; raises `DataError` for anything else."""
    as_tuple: Callable[[list[float]], tuple[float, ...]] = tuple
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
        series = ("logits", "face_px", "sharpness")
        return [Prediction(**{**row, **{name: as_tuple(row[name]) for name in series}}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{file} cannot be read as predictions: {error}") from error
