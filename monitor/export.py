# SPDX-License-Identifier: Apache-2.0
"""Labelled footage in, aligned face crops with landmarks out, cut exactly as at run time (for models.train)."""

import argparse
import csv
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from monitor.assets import path as asset_path
from monitor.capture.picture import picture_of
from monitor.config import FacesSettings
from monitor.faces.crop import render
from monitor.faces.finder import FaceFinder
from monitor.values import FaceCrop, Frame, Picture

__all__ = ["CROP_PX", "Outcome", "border_px", "export", "main", "pictures"]

CROP_PX = 128

PROCESSES = 2
INDEX_COLUMNS = ("id", "file", "looked", "written", "tracks", "reasons", "error")
MEASURES = ("face_px", "sharpness", "exposure", "yaw_deg", "pitch_deg", "visible", "weight")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: frames looked at, crops written, faces followed, how often each reason was given."""

    looked: int = 0
    written: int = 0
    tracks: int = 0
    reasons: Mapping[str, int] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A run-time crop and the same with its border, RGB uint8 [1.5 px, 1.5 px, 3]."""

    crop: FaceCrop
    wide: NDArray[np.uint8]


def border_px(crop_px: int) -> int:
    """Surroundings kept on each side of the run-time crop: room to move and to turn it in training."""
    return crop_px // 4


def pictures(source: Path, frames_per_s: float) -> Iterator[tuple[float, Picture]]:
    """Decode a film or a still into (media time, picture), `frames_per_s` on average, by the file's own timestamps.

    Due times keep their beat: a film of 25 frames/s gives 10 frames/s, not the 8.3 that every third frame would.
    """
    due_s: float | None = None
    with av.open(str(source)) as container:
        for frame in container.decode(video=0):
            media_s = float(frame.time or 0.0)
            due_s = media_s if due_s is None else due_s
            if media_s + 1e-3 >= due_s:
                due_s = max(due_s + 1.0 / frames_per_s, media_s)
                yield media_s, picture_of(frame)


def export(source: Path, target: Path, frames_per_s: float, model: Path, crop_px: int = CROP_PX) -> Outcome:
    """Write the crops of a file's main face (the one seen most) as one .npz.

    Arrays over time: rgb uint8 [T, S, S, 3], whose middle `crop_px` are the run-time crop and S is half as much again;
    points float32 [T, 478, 2] in those pixels; media_s, face_px, sharpness, exposure, yaw_deg, pitch_deg, visible,
    weight float32 [T]; reasons str [T]. Faces that the quality gate refuses are written too. A file that cannot be read
    gives an outcome.
    """
    finder = FaceFinder(FacesSettings(), model, "export", "footage", crop_px)
    border = border_px(crop_px)
    looked = 0
    seen: list[Seen] = []
    try:
        for media_s, picture in pictures(source, frames_per_s):
            looked += 1
            look = finder.look(Frame("export", "footage", media_s, media_s, picture))
            seen += [Seen(crop, render(picture, crop.to_crop, crop_px, border)) for crop in look.crops]
    except (OSError, ValueError, IndexError) as error:
        return Outcome(looked, error=f"{type(error).__name__}: {error}")
    return _write(target, looked, seen, border)


def main(arguments: Sequence[str] | None = None) -> int:
    """Export one split; returns 1 when a file could not be read. Counts go to stderr."""
    options = _options(arguments)
    model = options.model or asset_path("face_landmarker")
    rows = _rows(options.data, options.split)
    (options.out / options.split).mkdir(parents=True, exist_ok=True)
    cut = partial(export, frames_per_s=options.fps, model=model, crop_px=options.crop_px)
    work = partial(_export_named, options.data, options.out / options.split, cut)
    console = Console(stderr=True)
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        running = pool.imap_unordered(work, [(name, row["path"]) for name, row in rows.items()], chunksize=4)
        outcomes = dict(track(running, "export", len(rows), console=console, disable=not console.is_terminal))
    _write_index(options.out, options.split, rows, outcomes)
    _summarise(console, options.split, rows, outcomes)
    return int(any(outcome.error for outcome in outcomes.values()))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m monitor.export", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with labels.csv")
    parser.add_argument("out", type=Path, help="folder for the crops and their index")
    parser.add_argument("--split", required=True, help="split of labels.csv to export")
    parser.add_argument("--fps", type=float, default=10.0, help="frames looked at per second")
    parser.add_argument("--crop-px", type=int, default=CROP_PX, help="side of the run-time crop")
    parser.add_argument("--model", type=Path, help="face_landmarker.task; the fetched asset when left out")
    return parser.parse_args(arguments)


def _rows(data: Path, split: str) -> dict[str, dict[str, str]]:
    """Read labels.csv; whole-frame copies are left out, they show clips that are there already."""
    with (data / "labels.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == split and row.get("view", "crop") == "crop"]
    return {row["path"].rpartition(".")[0].replace("/", "_"): row for row in rows}


def _export_named(
    data: Path, folder: Path, cut: Callable[[Path, Path], Outcome], job: tuple[str, str]
) -> tuple[str, Outcome]:
    name, path = job
    return name, cut(data / path, folder / f"{name}.npz")


def _write(target: Path, looked: int, seen: Sequence[Seen], border: int) -> Outcome:
    if not seen:
        return Outcome(looked)
    times_seen = Counter(one.crop.track for one in seen)
    main_track = min(times_seen, key=lambda number: (-times_seen[number], number))
    kept = [one for one in seen if one.crop.track == main_track]
    reasons = [one.crop.quality.reasons for one in kept]
    arrays: dict[str, Any] = {
        name: np.array([getattr(one.crop.quality, name) for one in kept], np.float32) for name in MEASURES
    }
    np.savez(
        target,
        rgb=np.stack([one.wide for one in kept]),
        points=np.stack([_points(one.crop, border) for one in kept]),
        media_s=np.array([one.crop.media_s for one in kept], np.float32),
        reasons=np.array([" ".join(words) for words in reasons]),
        **arrays,
    )
    counts = Counter(str(word) for words in reasons for word in words)
    return Outcome(looked, len(kept), len(times_seen), dict(sorted(counts.items())))


def _points(crop: FaceCrop, border: int) -> NDArray[np.float32]:
    points = crop.landmarks.points[:, :2] if crop.landmarks else np.empty((0, 2), np.float32)
    inside = points @ crop.to_crop[:, :2].T + crop.to_crop[:, 2]
    return (inside + border).astype(np.float32)


def _write_index(out: Path, split: str, rows: Mapping[str, Mapping[str, str]], outcomes: Mapping[str, Outcome]) -> None:
    with (out / f"{split}.csv").open("w", newline="") as lines:
        table = csv.DictWriter(lines, [*INDEX_COLUMNS, *next(iter(rows.values()), {})])
        table.writeheader()
        for name, row in rows.items():
            table.writerow({**_indexed(name, split, outcomes[name]), **row})


def _indexed(name: str, split: str, outcome: Outcome) -> dict[str, object]:
    return {
        "id": name,
        "file": f"{split}/{name}.npz" if outcome.written else "",
        "looked": outcome.looked,
        "written": outcome.written,
        "tracks": outcome.tracks,
        "reasons": " ".join(f"{reason}:{count}" for reason, count in (outcome.reasons or {}).items()),
        "error": outcome.error,
    }


def _summarise(
    console: Console, split: str, rows: Mapping[str, Mapping[str, str]], outcomes: Mapping[str, Outcome]
) -> None:
    """Print files, frames, crops and the share of crops refused for each reason, label by label."""
    for label in sorted({row["label"] for row in rows.values()}):
        some = [outcomes[name] for name, row in rows.items() if row["label"] == label]
        crops = sum(one.written for one in some)
        refused: Counter[str] = Counter()
        for one in some:
            refused.update(one.reasons or {})
        shares = ", ".join(f"{reason} {count / crops:.2%}" for reason, count in refused.most_common()) or "none refused"
        console.print(
            f"{split} {label}: {len(some)} files, {sum(one.looked for one in some)} frames, {crops} crops, "
            f"{sum(not one.written for one in some)} files without a face, {sum(bool(one.error) for one in some)} "
            f"unreadable; {shares}",
            highlight=False,
            soft_wrap=True,
        )


if __name__ == "__main__":
    sys.exit(main())
