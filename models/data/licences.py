# SPDX-License-Identifier: Apache-2.0
"""Label rows in; rows whose licence or split forbids learning from them are refused."""

from collections.abc import Sequence
from typing import Final

from models.errors import DataError

__all__ = ["FORBIDDEN", "forbidden", "refuse_forbidden"]

FORBIDDEN: Final = ("none", "non-commercial", "noncommercial", "nc-", "-nc", "research", "academic")
"""Words in a licence that forbid training for a product."""


def forbidden(licence: str) -> bool:
    """Whether a licence text forbids learning from the material (no licence at all forbids it)."""
    text = licence.strip().lower()
    return not text or any(word in text for word in FORBIDDEN)


def refuse_forbidden(rows: Sequence[dict[str, str]], split: str) -> None:
    """Raise `DataError` unless every row is of the training split, real, and under a licence that allows training."""
    if split != "train":
        raise DataError(f"split {split!r} is not for training: only 'train' may be learnt from")
    for row in rows:
        if row["split"] != "train" or row["label"] != "real":
            raise DataError(f"{row['path']} is labelled {row['split']}/{row['label']}: training takes real faces only")
        if forbidden(row["licence"]):
            raise DataError(f"{row['path']} is under the licence {row['licence']!r}, which forbids training on it")
