# SPDX-License-Identifier: Apache-2.0
"""Predictions in, groups of fakes with the bona fide films they are compared with out."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from models.evaluation.predictions import Prediction

__all__ = [
    "CLASSIC_SWAPS", "FAMILIES", "NETWORK_SWAPS", "RECENT_LIPSYNC", "WAV2LIP_CLASS", "Group", "bona_fide", "family_of",
    "groups",
]  # fmt: skip

NETWORK_SWAPS: Final = "swap, network"
CLASSIC_SWAPS: Final = "swap, classic"
WAV2LIP_CLASS: Final = "lipsync, Wav2Lip class"
RECENT_LIPSYNC: Final = "lipsync, recent"

FAMILIES: Final = {
    WAV2LIP_CLASS: ("Wav2Lip", "IP-LAP"),
    RECENT_LIPSYNC: ("DiffDub", "DiffDub ablation", "DAE-Talker", "PC-AVS", "PersonaTalk"),
    NETWORK_SWAPS: ("DiffSwap", "FSGAN", "GHOST", "REFace", "SimSwap", "VividFace"),
    CLASSIC_SWAPS: ("PRNet swap", "thin-plate-spline swap", "triangulation swap", "classic warp swap"),
}
"""Wav2Lip and IP-LAP make a small mouth region anew and paste it in; the recent ones render most of the face or diffuse
the mouth. Classic swaps warp a face by geometry alone and are rough; networks render it.
"""


class Group(NamedTuple):
    """Fakes of one kind; `kind` is label, family, method or source; `reals` are the condition's bona fide films."""

    kind: str
    name: str
    fakes: tuple[Prediction, ...]
    reals: tuple[Prediction, ...]


def family_of(one: Prediction) -> str:
    """The finer group of a method, or the label where there is none."""
    return next((name for name, methods in FAMILIES.items() if one.method in methods), one.label)


def bona_fide(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """The bona fide films."""
    return tuple(one for one in predictions if one.film and one.label == "real")


def groups(predictions: Sequence[Prediction]) -> list[Group]:
    """Group the fakes among the films by label, family, method, and method within one source."""
    reals = bona_fide(predictions)
    fakes = [one for one in predictions if one.film and one.label != "real"]
    found: dict[tuple[str, str], list[Prediction]] = {}
    for one in fakes:
        method = f"{one.label}: {one.method}" if one.method else one.label
        names = {"label": one.label, "family": family_of(one), "method": method, "source": f"{method}, {one.repo}"}
        for kind, name in names.items():
            if kind == "label" or name != one.label:
                found.setdefault((kind, name), []).append(one)
    return [Group(kind, name, tuple(chosen), reals) for (kind, name), chosen in sorted(found.items())] if reals else []
