# SPDX-License-Identifier: Apache-2.0
"""Predictions as a detector would have made them, with what a test does not care about filled in."""

from typing import Any

from models.evaluation.predictions import Prediction

__all__ = ["predicted"]


def predicted(path: str, *logits: float, label: str = "real", identity: str = "", **fields: Any) -> Prediction:
    """A film with these looks at five a second, of a person of its own unless said otherwise."""
    looks = len(logits)
    values: dict[str, Any] = {
        "method": "", "repo": "r", "pair": "", "condition": "clean", "film": True, "face_px": (90.0,) * looks,
        "sharpness": (10.0,) * looks, "media_s": tuple(index / 5 for index in range(looks)), "weight": (1.0,) * looks,
        "seconds": looks / 5, "brightness": 0.5, "kbit_s": 300.0, "looked": looks,
    }  # fmt: skip
    return Prediction(path=path, label=label, identity=identity or path, logits=logits, **(values | fields))
