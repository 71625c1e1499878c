# SPDX-License-Identifier: Apache-2.0
"""A detector and footage in, one record of logits per file and condition out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.data.crops import Footage
from models.data.pairs import central_crop
from models.detector import Detector, Output
from models.evaluation.conditions import Condition, chosen
from models.evaluation.predictions import Prediction, checked, joined
from models.forgeries.clip import Pixels
from models.forgeries.detail import sharpness
from models.twofold import Looks, TwofoldDetector

__all__ = ["judge", "sampled"]

STILLS_AT_ONCE: Final = 24

Judging = Detector | TwofoldDetector
Words = dict[str, list[float]]


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """One file's crops uint8 [T, C, C, 3] as the network gets them, with the place of each in the footage."""

    footage: Footage
    condition: Condition
    crops: Pixels
    kept: list[int]
    looked: int


def judge(
    detector: Judging, footage: Iterable[Footage], condition: Condition | Sequence[Condition]
) -> list[Prediction]:
    """Judge files as a call would be: in order, at the detector's rate, only crops that the quality gate lets pass.

    Footage may come one by one, so that not all of it need lie in memory. Files without any such crop are left out:
    the monitor would abstain. Footage that names a condition of its own is judged once, as it came. Raises
    `DataError` where the network's word is not a number.
    """
    conditions = [condition] if isinstance(condition, Condition) else list(condition)
    stills: list[_Looks] = []
    found = []
    for looks in (_look(detector, one, each) for one in footage for each in chosen(one.row, conditions)):
        if looks is None:
            continue
        if len(looks.crops) > 1:
            found.append(_predicted(looks, _judge_clip(detector, looks)))
            continue
        stills.append(looks)
        if len(stills) == STILLS_AT_ONCE:
            found += _judge_stills(detector, stills)
            stills = []
    found += _judge_stills(detector, stills)
    return [joined(one, detector.scales) for one in found] if isinstance(detector, TwofoldDetector) else found


def _judge_stills(detector: Judging, stills: Sequence[_Looks]) -> list[Prediction]:
    """Judge files of a single look together: each is a track of its own."""
    if not stills:
        return []
    crops = _tensor(detector, np.concatenate([one.crops for one in stills]))
    said = _words(detector.step(crops, detector.new_state(len(stills)))[0])
    return [
        _predicted(one, {name: values[index : index + 1] for name, values in said.items()})
        for index, one in enumerate(stills)
    ]


def _judge_clip(detector: Judging, looks: _Looks) -> Words:
    said = detector.judge_clip(_tensor(detector, looks.crops))
    return {"logits": said.tolist()} if isinstance(said, torch.Tensor) else _words(said)


def _words(said: Looks | Output) -> Words:
    """Logits by the name of the record's field."""
    if isinstance(said, Looks):
        return {"logits": said.logit.tolist(), "fine": said.fine.tolist(), "coarse": said.coarse.tolist()}
    return {"logits": said.logit.tolist()}


def _tensor(detector: Judging, crops: Pixels) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(crops)).to(detector.device)


def _look(detector: Judging, one: Footage, condition: Condition) -> _Looks | None:
    looked = sampled(one.media_s, detector.samples_per_s)
    kept = [index for index in looked if one.judgeable[index]]
    if not kept:
        return None
    crops = central_crop(condition.apply(one.rgb[looked]))[[looked.index(index) for index in kept]]
    return _Looks(one, condition, crops, kept, len(looked))


def _predicted(looks: _Looks, said: Words) -> Prediction:
    one, row, kept = looks.footage, looks.footage.row, looks.kept
    return checked(
        Prediction(
            path=row["path"],
            label=row["label"],
            method=row["method"],
            identity=one.identity,
            repo=row["repo"],
            pair=row["pair"],
            condition=looks.condition.name,
            film=one.frames > 1,
            **{name: tuple(round(logit, 4) for logit in logits) for name, logits in said.items()},
            face_px=tuple(round(looks.condition.width_px(float(one.face_px[index])), 1) for index in kept),
            sharpness=tuple(round(sharpness(crop), 2) for crop in looks.crops),
            media_s=tuple(round(float(one.media_s[index]), 3) for index in kept),
            weight=_weights(row, kept),
            seconds=_number(row.get("seconds")),
            brightness=round(float(np.mean([_luma(crop) for crop in looks.crops])), 4),
            kbit_s=_number(row.get("kbit_s")),
            looked=looks.looked,
        )
    )


def _weights(row: dict[str, str], kept: Sequence[int]) -> tuple[float, ...]:
    """The quality gate's weights, where whoever loaded the footage put them."""
    stored = row.get("weights", "").split()
    return tuple(float(stored[index]) for index in kept) if stored else ()


def _luma(crop: Pixels) -> float:
    return float(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).mean()) / 255.0


def _number(text: str | None) -> float | None:
    return float(text) if text else None


def sampled(media_s: NDArray[np.float32], samples_per_s: float) -> list[int]:
    """Choose frames at most `samples_per_s` a second, on the media clock."""
    taken: list[int] = []
    due_s = -np.inf
    for index, at_s in enumerate(media_s):
        if at_s + 0.02 >= due_s:
            taken.append(index)
            due_s = max(float(at_s), due_s) + 1.0 / samples_per_s
    return taken
