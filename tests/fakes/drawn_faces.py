# SPDX-License-Identifier: Apache-2.0
"""Drawn faces with landmarks in the places of the face mesh, so that tests need no picture of a person."""

import csv
from pathlib import Path

import cv2
import numpy as np

from models.data.crops import Footage
from models.forgeries.clip import Clip
from models.forgeries.regions import INNER_LIPS, LEFT_BROW, LEFT_EYE, MOUTH, NOSE, OVAL, RIGHT_BROW, RIGHT_EYE

__all__ = ["SIDE_PX", "drawn_clip", "drawn_footage", "resized", "write_crops"]

SIDE_PX = 168
RINGS = (
    (OVAL, (84, 84), (32, 43)),
    (LEFT_EYE, (70, 72), (7, 3)),
    (RIGHT_EYE, (98, 72), (7, 3)),
    (LEFT_BROW, (70, 62), (9, 2)),
    (RIGHT_BROW, (98, 62), (9, 2)),
    (NOSE, (84, 86), (6, 12)),
    (MOUTH, (84, 108), (12, 5)),
)


def drawn_clip(frames: int = 3, seed: int = 0) -> Clip:
    """A textured oval with eyes, nose and mouth on a textured ground, moving a little."""
    rng = np.random.default_rng(seed)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8), (0, 0), 2.0)
    skin = rng.integers(110, 220, 3).tolist()
    grain = rng.normal(0, 6, (SIDE_PX, SIDE_PX, 3))
    pictures, points = [], []
    for frame in range(frames):
        shift = np.array([frame, 0.5 * frame], np.float32)
        mesh = _mesh(rng) + shift
        picture = ground.copy()
        for indices, colour in (
            (OVAL, skin),
            (LEFT_EYE, (30, 20, 10)),
            (RIGHT_EYE, (30, 20, 10)),
            (MOUTH, (150, 40, 50)),
        ):
            cv2.fillPoly(
                picture, [np.rint(mesh[list(indices)]).astype(np.int32)], tuple(int(level) for level in colour)
            )
        pictures.append(np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8) + grain, 0, 255).astype(np.uint8))
        points.append(mesh)
    return Clip(np.stack(pictures), np.stack(points).astype(np.float32))


def resized(clip: Clip, side_px: int) -> Clip:
    """The same clip at another side."""
    pictures = [np.asarray(cv2.resize(rgb, (side_px, side_px)), np.uint8) for rgb in clip.rgb]
    return Clip(np.stack(pictures), clip.points * np.float32(side_px / clip.side_px))


def drawn_footage(frames: int = 3, seed: int = 0, **row: str) -> Footage:
    """A drawn clip as if it had been exported."""
    clip = drawn_clip(frames, seed)
    fields = {
        "path": f"train/real/{seed}.mp4", "split": "train", "label": "real", "method": "", "identity": f"person:{seed}",
        "repo": "drawn", "licence": "CC0 1.0", "pair": "",
    }  # fmt: skip
    return Footage(
        rgb=clip.rgb,
        points=clip.points,
        media_s=np.arange(frames, dtype=np.float32) / 10,
        face_px=np.full(frames, 100, np.float32),
        judgeable=np.ones(frames, np.bool_),
        row=fields | row,
        grey=False,
    )


def write_crops(folder: Path, footage: list[Footage], split: str = "train") -> None:
    """Write footage as the export does."""
    (folder / split).mkdir(parents=True)
    with (folder / f"{split}.csv").open("w", newline="") as lines:
        table = csv.DictWriter(lines, ["id", "file", *footage[0].row])
        table.writeheader()
        for number, one in enumerate(footage):
            file = f"{split}/{number}.npz"
            np.savez(folder / file, rgb=one.rgb, points=one.points, media_s=one.media_s, face_px=one.face_px)
            table.writerow({"id": str(number), "file": file, **one.row})


def _mesh(rng: np.random.Generator) -> np.ndarray:
    """478 points: the named rings on ellipses, everything else inside the face."""
    mesh = np.array([84.0, 84.0]) + rng.uniform(-20, 20, (478, 2))
    for indices, middle, radii in RINGS:
        angles = 2 * np.pi * np.arange(len(indices)) / len(indices) - np.pi / 2
        ring = np.stack([np.cos(angles) * radii[0], np.sin(angles) * radii[1]], axis=1)
        mesh[list(indices)] = np.array(middle) + ring
    angles = np.pi - 2 * np.pi * np.arange(len(INNER_LIPS)) / len(INNER_LIPS)
    mesh[list(INNER_LIPS)] = np.array((84, 108)) + np.stack([np.cos(angles) * 8, np.sin(angles) * 1.5], axis=1)
    return mesh.astype(np.float32)
