# SPDX-License-Identifier: Apache-2.0
"""Exported crops in, a picture of drawn pairs out: `python -m models.sheet CROPS OUT.png`; it shows people."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from models.data.crops import Footage, load_footage
from models.data.pairs import Pair, make_pair
from models.errors import ModelError
from models.forgeries.clip import Clip, Pixels
from models.forgeries.mix import SHARES, forge

__all__ = ["kinds_sheet", "main", "pairs_sheet"]


def kinds_sheet(footage: Sequence[Footage], people: int, seed: int) -> Pixels:
    """One row a person: the original, then every kind of forgery with its mask; uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(people):
        one, other = (footage[int(index)] for index in rng.integers(len(footage), size=2))
        clip = one.clip([0])
        rows.append(np.hstack([clip.rgb[0], *(cell for kind in SHARES for cell in _cells(kind, clip, other, rng))]))
    return np.vstack(rows)


def pairs_sheet(footage: Sequence[Footage], pairs: int, seed: int) -> Pixels:
    """One row a pair as the network sees it: real, forged, boundary, from the first to the last frame."""
    rng = np.random.default_rng(seed)
    drawn = [make_pair(footage[int(rng.integers(len(footage)))], footage, 2, rng) for _ in range(pairs)]
    return np.vstack([_row(pair) for pair in drawn])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sheet; exit 1 with one line on stderr when the crops cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.sheet", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote")
    parser.add_argument("out", type=Path, help="PNG file; shows people, keep it to yourself")
    parser.add_argument("--pairs", action="store_true", help="pairs after all damage, instead of forgeries by kind")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        footage = load_footage(options.crops, "train", for_training=True, least_px=64)
    except ModelError as error:
        Console(stderr=True).print(f"no sheet: {error}")
        return 1
    draw = pairs_sheet if options.pairs else kinds_sheet
    cv2.imwrite(str(options.out), cv2.cvtColor(draw(footage, options.rows, options.seed), cv2.COLOR_RGB2BGR))
    return 0


def _cells(kind: str, clip: Clip, other: Footage, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    forged = forge(kind, clip, other.clip([0]), rng)
    return forged.rgb[0], _as_picture(forged.mask[0])


def _as_picture(values: np.ndarray, side_px: int | None = None) -> Pixels:
    levels = np.clip(values * 255, 0, 255).astype(np.uint8)
    if side_px:
        levels = np.asarray(cv2.resize(levels, (side_px, side_px), interpolation=cv2.INTER_NEAREST), np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)


def _row(pair: Pair) -> Pixels:
    cells = zip(pair.real, pair.fake, pair.boundary, strict=True)
    return np.hstack([np.hstack([real, fake, _as_picture(edge, len(real))]) for real, fake, edge in cells])


if __name__ == "__main__":
    sys.exit(main())
