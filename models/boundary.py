# SPDX-License-Identifier: Apache-2.0
"""Exported crops in, figures out of what the detector's boundary maps say: where blends end, and how alike maps are."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from scipy.stats import mannwhitneyu

from models import registry
from models.data.crops import Footage, is_film, load_crops, read_index, scaled
from models.data.making import Making
from models.data.pairs import Pair, central_crop, make_pair
from models.detector import Detector
from models.errors import ModelError

__all__ = ["Localised", "Looked", "auc", "known_boundaries", "main", "shown", "worst_map"]

FRAMES: Final = 3
BLEND: Final = 0.5
"""Level of a known boundary from which a cell counts as on it; below NO_BLEND it counts as off it."""

NO_BLEND: Final = 0.05
LOOKS: Final = 15

Map = NDArray[np.float32]


class Localised(NamedTuple):
    """What the maps of forged and bona fide twins say on a known boundary and off it, mean over pairs.

    `auc` tells cells on it from cells off it within one map; `genuine_auc` does so by the map of the bona fide twin,
    which knows of no boundary: what is above it was seen, not expected.
    """

    pairs: int
    on: float
    off: float
    genuine_on: float
    auc: float
    genuine_auc: float


class Looked(NamedTuple):
    """The worst look of one film: the map, and the logit it came with."""

    label: str
    map: Map
    logit: float


def auc(higher: Sequence[float] | Map, lower: Sequence[float] | Map) -> float:
    """Share of pairs in which the first is higher, ties half."""
    return float(mannwhitneyu(higher, lower).statistic / (len(higher) * len(lower)))


def known_boundaries(detector: Detector, footage: Sequence[Footage], pairs: int, seed: int = 0) -> Localised:
    """Forge `footage` and compare the maps with where the blends end; forgeries without a boundary are left out."""
    rng, found = np.random.default_rng(seed), list[tuple[float, ...]]()
    while len(found) < pairs:
        pair = make_pair(footage[int(rng.integers(len(footage)))], footage, FRAMES, rng, Making())
        on, off = pair.boundary[-1] >= BLEND, pair.boundary[-1] <= NO_BLEND
        if on.any() and off.any():
            found.append(_compared(detector, pair, on, off))
    return Localised(pairs, *(float(value) for value in np.mean(found, axis=0)))


def _compared(
    detector: Detector, pair: Pair, on: NDArray[np.bool_], off: NDArray[np.bool_]
) -> tuple[float, float, float, float, float]:
    fake, real = (_last(detector, clip) for clip in (pair.fake, pair.real))
    return (
        float(fake[on].mean()),
        float(fake[off].mean()),
        float(real[on].mean()),
        auc(fake[on], fake[off]),
        auc(real[on], real[off]),
    )


def _last(detector: Detector, clip: NDArray[np.uint8]) -> Map:
    state = detector.new_state(1)
    for crop in clip:
        output, state = detector.step(torch.from_numpy(np.ascontiguousarray(crop))[None], state)
    return np.asarray(detector.boundaries(output)[0].numpy())


def worst_map(detector: Detector, footage: Footage) -> Looked:
    """Watch a film's first looks, two a second, and take the one with the highest logit, as an alert would."""
    state, best = detector.new_state(1), None
    step = max(1, round(0.5 / float(np.diff(footage.media_s).mean()))) if footage.frames > 1 else 1
    for crop in central_crop(footage.rgb)[::step][:LOOKS]:
        output, state = detector.step(torch.from_numpy(np.ascontiguousarray(crop))[None], state)
        logit = float(output.logit[0])
        if best is None or logit > best.logit:
            best = Looked(footage.row["label"], np.asarray(detector.boundaries(output)[0].numpy()), logit)
    assert best is not None
    return best


def shown(localised: Localised, films: Sequence[Looked]) -> str:
    """Both findings as Markdown."""
    said = (
        f"Own forgeries of bona fide people, {localised.pairs} pairs: level {localised.on:.3f} on the known boundary, "
        f"{localised.off:.3f} off it, {localised.genuine_on:.3f} at the same cells of the bona fide twin. Cells on the "
        f"boundary are told from those off it with AUC {localised.auc:.3f}, by the bona fide twin's map with "
        f"{localised.genuine_auc:.3f}.\n"
    )
    head = [
        "| worst looks of | films | mean level | highest | alike the usual ring | AUC of mean level | AUC of logit |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    labels = ["real", *sorted({film.label for film in films} - {"real"})]
    return "\n".join([said, *head, *(_row(label, films) for label in labels)])


def _row(label: str, films: Sequence[Looked]) -> str:
    ours, real = ([film for film in films if film.label == one] for one in (label, "real"))
    usual = np.mean([film.map for film in real], axis=0).ravel()
    alike = np.median([np.corrcoef(film.map.ravel(), usual)[0, 1] for film in ours])
    level, peak = (np.mean([of(film.map) for film in ours]) for of in (np.mean, np.max))
    figures = ["", ""]
    if label != "real":
        levels = auc([float(one.map.mean()) for one in ours], [float(one.map.mean()) for one in real])
        figures = [f"{levels:.3f}", f"{auc([one.logit for one in ours], [one.logit for one in real]):.3f}"]
    return f"| {label} | {len(ours)} | {level:.3f} | {peak:.3f} | {alike:.2f} | {figures[0]} | {figures[1]} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit 1 with one line on stderr when the crops cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.boundary", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote; its val split is looked at")
    parser.add_argument("--pairs", type=int, default=300, help="own forgeries to make")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(0)
    try:
        detector = registry.load()
        rows = [row for row in read_index(options.crops / "val.csv") if is_film(row["path"])]
        footage = [scaled(load_crops(options.crops / row["file"], row), detector.crop_px) for row in rows]
    except ModelError as error:
        Console(stderr=True).print(f"no figures: {error}")
        return 1
    real = [one for one in footage if one.row["label"] == "real"]
    localised = known_boundaries(detector, real, options.pairs)
    sys.stdout.write(shown(localised, [worst_map(detector, one) for one in footage]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
