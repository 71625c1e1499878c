# SPDX-License-Identifier: Apache-2.0
"""Footage in, the same divided by person out, by a hash of the identity so that it never changes."""

import hashlib
from collections.abc import Sequence
from typing import Final

from models.data.crops import Footage

__all__ = ["for_calibration", "is_held_out", "split_people"]

CALIBRATION_SALT: Final = "calibration:"


def split_people(footage: Sequence[Footage], share: float) -> tuple[list[Footage], list[Footage]]:
    """Divide into (learnt from, held out); `share` of the people is held out."""
    held = [is_held_out(one.identity, share) for one in footage]
    learnt = [one for one, out in zip(footage, held, strict=True) if not out]
    return learnt, [one for one, out in zip(footage, held, strict=True) if out]


def is_held_out(identity: str, share: float) -> bool:
    """Whether a person of the training footage is held out when `share` of the people are."""
    return _share(identity) < share


def for_calibration(identity: str) -> bool:
    """Whether a person of the validation footage belongs to the calibration half; the others are reported on."""
    return _share(CALIBRATION_SALT + identity) < 0.5


def _share(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
