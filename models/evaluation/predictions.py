# SPDX-License-Identifier: Apache-2.0
"""What a detector said of files, one record of logits per file and condition, and these records to and from a file."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.errors import DataError
from models.scales import Scales

__all__ = ["Prediction", "checked", "joined", "read_predictions", "write_predictions"]

SERIES: Final = ("logits", "face_px", "sharpness", "media_s", "weight", "fine", "coarse")
LOOKS_PER_S: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What was said of one file in one condition: label fields, and what is known of every judged look.

    `logits`, `face_px`, `sharpness`, media time `media_s` and the quality gate's `weight` 0..1 have one entry a look;
    the last two are empty where they are not known. `fine` and `coarse` are what `logits` are joined of, where there
    were two looks. `seconds` is the file's length, `brightness` its mean luma 0..1,
    `kbit_s` its bitrate; None where not known. `looked` counts the looks before the quality gate.
    """

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
    media_s: tuple[float, ...] = ()
    weight: tuple[float, ...] = ()
    seconds: float | None = None
    brightness: float | None = None
    kbit_s: float | None = None
    looked: int | None = None
    fine: tuple[float, ...] = ()
    coarse: tuple[float, ...] = ()

    @property
    def score(self) -> float:
        """The file's mean logit."""
        return float(np.mean(self.logits))

    @property
    def times_s(self) -> tuple[float, ...]:
        """When each look was, from the first look on; at the usual rate where that is not known."""
        if len(self.media_s) == len(self.logits):
            return tuple(at_s - self.media_s[0] for at_s in self.media_s)
        return tuple(index / LOOKS_PER_S for index in range(len(self.logits)))

    @property
    def lasting_s(self) -> float:
        """How long the face was watched: from the first look to one look after the last."""
        return self.times_s[-1] + 1.0 / LOOKS_PER_S


def joined(one: Prediction, scales: Scales) -> Prediction:
    """The same looks at two scales, joined as `scales` says for faces of their sizes."""
    logits = scales.logit(one.fine, one.coarse, one.face_px)
    return replace(one, logits=tuple(round(float(value), 4) for value in logits))


def checked(one: Prediction) -> Prediction:
    """Refuse a record without looks or whose numbers are none."""
    if not one.logits or any(len(part) != len(one.logits) for part in (one.face_px, one.sharpness)):
        raise DataError(f"the prediction of {one.path} has no looks, or not one size and sharpness for each")
    if not all(math.isfinite(value) for name in SERIES for value in getattr(one, name)):
        raise DataError(f"the prediction of {one.path} holds values that are no numbers: the network is broken")
    return one


def write_predictions(file: Path, predictions: Iterable[Prediction]) -> None:
    """Write one JSON object a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(asdict(one)) + "\n" for one in predictions), encoding="utf-8")


def read_predictions(file: Path) -> list[Prediction]:
    """Read what `write_predictions` wrote; raises `DataError` for anything else, and for logits that are no numbers."""
    try:
        found = list(_parsed(file.read_text(encoding="utf-8").splitlines()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{file} cannot be read as predictions: {error}") from error
    if not found:
        raise DataError(f"{file} holds no predictions")
    return found


def _parsed(lines: Iterable[str]) -> Iterator[Prediction]:
    known = {field.name for field in fields(Prediction)}
    for line in filter(str.strip, lines):
        row: dict[str, Any] = json.loads(line)
        values: dict[str, Any] = {
            name: tuple(value) if name in SERIES else value for name, value in row.items() if name in known
        }
        yield checked(Prediction(**values))
