# SPDX-License-Identifier: Apache-2.0
"""Exported crops in, a picture of forgeries, treatments or drawn pairs out: `python -m models.sheet CROPS OUT.png`.

The pictures show people: keep them to yourself.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from rich.console import Console

from models.data.crops import Footage, is_film, load_crops, read_index
from models.data.licences import refuse_forbidden
from models.data.making import Making
from models.data.pairs import Pair, make_pair
from models.errors import ModelError
from models.forgeries.clip import Clip, Pixels
from models.forgeries.harmless import TREATMENTS, harmless
from models.forgeries.mix import SHARES, forge

__all__ = ["LABEL_PX", "harmless_sheet", "kinds_sheet", "main", "pairs_sheet"]

FRAMES: Final = 5
POOL: Final = 40
"""Files looked at; a sheet needs no more, and all of them together take gigabytes."""

LEAST_FACE_PX: Final = 64.0
LABEL_PX: Final = 24
INK: Final = (235, 235, 235)


def kinds_sheet(footage: Sequence[Footage], people: int, seed: int, kinds: Sequence[str] = tuple(SHARES)) -> Pixels:
    """Two rows a kind, two columns a person: real and forged first frame; forged last frame and its mask; RGB uint8."""
    return _by_name(kinds, lambda kind, rng: _columns(footage, people, rng, lambda clip, other: _forged(kind, clip,
                    other, rng)), seed)  # fmt: skip


def harmless_sheet(footage: Sequence[Footage], people: int, seed: int) -> Pixels:
    """Two rows a treatment, two columns a person: real and treated, first and last frame; RGB uint8."""
    return _by_name(tuple(TREATMENTS), lambda name, rng: _columns(footage, people, rng, lambda clip, _: _treated(name,
                    clip, rng)), seed)  # fmt: skip


def pairs_sheet(footage: Sequence[Footage], pairs: int, seed: int) -> Pixels:
    """One row a pair as the network sees it: real, forged, boundary, from the first to the last frame."""
    rng = np.random.default_rng(seed)
    drawn = [make_pair(footage[int(rng.integers(len(footage)))], footage, 2, rng, Making()) for _ in range(pairs)]
    return np.vstack([_row(pair) for pair in drawn])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sheet; exit 1 with one line on stderr when the crops cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.sheet", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote")
    parser.add_argument("out", type=Path, help="PNG file; shows people, keep it to yourself")
    parser.add_argument("--of", choices=("kinds", "harmless", "pairs"), default="kinds")
    parser.add_argument("--kind", action="append", choices=list(SHARES), help="only these kinds, may be repeated")
    parser.add_argument("--rows", type=int, default=6, help="people, or pairs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        footage = _some(options.crops, options.seed)
    except ModelError as error:
        Console(stderr=True).print(f"no sheet: {error}")
        return 1
    drawers: Mapping[str, Callable[[], Pixels]] = {
        "kinds": lambda: kinds_sheet(footage, options.rows, options.seed, options.kind or tuple(SHARES)),
        "harmless": lambda: harmless_sheet(footage, options.rows, options.seed),
        "pairs": lambda: pairs_sheet(footage, options.rows, options.seed),
    }
    cv2.imwrite(str(options.out), cv2.cvtColor(drawers[options.of](), cv2.COLOR_RGB2BGR))
    return 0


def _some(folder: Path, seed: int) -> list[Footage]:
    """Load a few lawful files, half of them films where there are films."""
    rows = read_index(folder / "train.csv")
    refuse_forbidden(rows, "train")
    rng = np.random.default_rng(seed)
    films = [row for row in rows if is_film(row["path"])]
    stills = [row for row in rows if not is_film(row["path"])]
    chosen = [group[int(at)] for group in (films, stills) for at in rng.permutation(len(group))[: POOL // 2]]
    loaded = [load_crops(folder / row["file"], row) for row in chosen]
    return [one for one in loaded if float(one.face_px.max()) >= LEAST_FACE_PX] or loaded


def _by_name(names: Sequence[str], draw: Callable[[str, np.random.Generator], Pixels], seed: int) -> Pixels:
    """Stack what is drawn for each name under its name; each name has its own generator."""
    strips = []
    for name in names:
        strip = draw(name, np.random.default_rng((seed, *name.encode())))
        label = np.zeros((LABEL_PX, strip.shape[1], 3), np.uint8)
        cv2.putText(label, name, (6, LABEL_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.6, INK, 1, cv2.LINE_AA)
        strips += [label, strip]
    return np.vstack(strips)


def _columns(
    footage: Sequence[Footage], people: int, rng: np.random.Generator, cells: Callable[[Clip, Clip], list[Pixels]]
) -> Pixels:
    """Draw a clip of a person and a donor for each column, and stack the column's pictures."""
    columns = []
    for _ in range(people):
        one, other = (footage[int(index)] for index in rng.integers(len(footage), size=2))
        start = int(rng.integers(max(1, one.frames - FRAMES)))
        clip = one.clip(np.minimum(np.arange(start, start + FRAMES), one.frames - 1))
        columns.append(np.vstack(cells(clip, other.clip([0]))))
    return np.hstack(columns)


def _forged(kind: str, clip: Clip, donor: Clip, rng: np.random.Generator) -> list[Pixels]:
    forged = forge(kind, clip, donor, rng)
    real = forged.twin(clip)
    return [np.hstack([real[0], forged.rgb[0]]), np.hstack([forged.rgb[-1], _as_picture(forged.mask[-1])])]


def _treated(name: str, clip: Clip, rng: np.random.Generator) -> list[Pixels]:
    treated = harmless(clip, rng, name)
    return [np.hstack([clip.rgb[0], treated[0]]), np.hstack([clip.rgb[-1], treated[-1]])]


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
