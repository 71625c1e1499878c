# SPDX-License-Identifier: Apache-2.0
"""Labelled footage in, aligned face crops with landmarks out, cut exactly as at run time (for models.train)."""

import argparse
import csv
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from monitor.config import FacesSettings
from monitor.faces.crop import render
from monitor.faces.finder import FaceFinder
from monitor.values import FaceCrop, Frame, Picture

__all__ = ["export", "main", "pictures"]

CROP_PX = 112
BORDER_PX = 28
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Job:
    """One labelled file and where its crops go."""

    id: str
    source: Path
    target: Path
    frames_per_s: float
    model: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: frames looked at, crops written, and how often each reason was given."""

    id: str
    looked: int = 0
    written: int = 0
    tracks: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    error: str = ""


def pictures(source: Path, frames_per_s: float) -> Iterator[tuple[float, Picture]]:
    """Decode a film or still into (media time, picture), at most `frames_per_s`, on the file's own timestamps."""
    with av.open(str(source)) as container:
        due_s = None
        for frame in container.decode(video=0):
            media_s = float(frame.time or 0.0)
            due_s = media_s if due_s is None else due_s
            if media_s + 1e-3 < due_s:
                continue
            due_s = max(due_s + 1.0 / frames_per_s, media_s)
            yield media_s, _picture(frame)


def export(job: Job) -> Outcome:
    """Write the crops of the file's main face as one .npz; a file that cannot be read is an outcome, not an error."""
    finder = FaceFinder(FacesSettings(crop_px=CROP_PX), job.model, "export", job.id)
    seen: list[tuple[FaceCrop, NDArray[np.uint8]]] = []
    looked = 0
    try:
        for media_s, picture in pictures(job.source, job.frames_per_s):
            looked += 1
            look = finder.look(Frame("export", job.id, media_s, media_s, picture))
            seen += [(crop, render(picture, crop.to_crop, CROP_PX, BORDER_PX)) for crop in look.crops]
    except (OSError, ValueError) as error:
        return Outcome(job.id, looked, error=str(error))
    return _write(job, looked, seen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Export one split of labelled footage; counts go to stderr."""
    options = _options(arguments)
    jobs, rows = _jobs(options)
    (options.out / options.split).mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        running = pool.imap_unordered(export, jobs, chunksize=4)
        shown = track(running, f"export {options.split}", len(jobs), console=console, disable=not sys.stderr.isatty())
        outcomes = {outcome.id: outcome for outcome in shown}
    _write_index(options.out / f"{options.split}.csv", rows, outcomes)
    _summarise(console, outcomes.values(), rows)
    return 1 if any(outcome.error for outcome in outcomes.values()) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m monitor.export", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with labels.csv")
    parser.add_argument("out", type=Path, help="folder for the crops")
    parser.add_argument("--split", required=True, help="split of labels.csv to export")
    parser.add_argument("--fps", type=float, default=10.0, help="frames looked at per second")
    parser.add_argument("--model", type=Path, help="face_landmarker.task; the fetched asset when left out")
    options = parser.parse_args(arguments)
    if options.model is None:
        from monitor import assets  # noqa: PLC0415

        options.model = assets.path("face_landmarker")
    return options


def _jobs(options: argparse.Namespace) -> tuple[list[Job], dict[str, dict[str, str]]]:
    with (options.data / "labels.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == options.split and row["view"] == "crop"]
    named = {row["path"].rpartition(".")[0].replace("/", "_"): row for row in rows}
    jobs = [
        Job(name, options.data / row["path"], options.out / options.split / f"{name}.npz", options.fps, options.model)
        for name, row in named.items()
    ]
    return jobs, named


def _picture(frame: av.VideoFrame) -> Picture:
    """Give a frame as limited-range BT.601 4:2:0 of even size, as a call's decoder would."""
    even = (max(2, frame.width // 2 * 2), max(2, frame.height // 2 * 2))
    full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    still = full_range or not frame.format.name.startswith("yuv")
    reformatted = frame.reformat(
        *((frame.width, frame.height) if not still else even),
        format="yuv420p",
        **({"dst_colorspace": Colorspace.ITU601, "dst_color_range": ColorRange.MPEG} if still else {}),
    )
    if (reformatted.width, reformatted.height) != even:
        reformatted = reformatted.reformat(*even)
    return Picture(np.ascontiguousarray(reformatted.to_ndarray()))


def _write(job: Job, looked: int, seen: Sequence[tuple[FaceCrop, NDArray[np.uint8]]]) -> Outcome:
    if not seen:
        return Outcome(job.id, looked)
    sizes: Counter[int] = Counter()
    for crop, _ in seen:
        sizes[crop.track] += 1
    main_track = max(sizes, key=lambda number: (sizes[number], -number))
    kept = [(crop, wide) for crop, wide in seen if crop.track == main_track]
    reasons = [[str(reason) for reason in crop.quality.reasons] for crop, _ in kept]
    np.savez(
        job.target,
        rgb=np.stack([wide for _, wide in kept]),
        points=np.stack([_points(crop) for crop, _ in kept]),
        media_s=np.array([crop.media_s for crop, _ in kept], np.float32),
        face_px=np.array([crop.quality.face_px for crop, _ in kept], np.float32),
        sharpness=np.array([crop.quality.sharpness for crop, _ in kept], np.float32),
        exposure=np.array([crop.quality.exposure for crop, _ in kept], np.float32),
        yaw_deg=np.array([crop.quality.yaw_deg for crop, _ in kept], np.float32),
        pitch_deg=np.array([crop.quality.pitch_deg for crop, _ in kept], np.float32),
        visible=np.array([crop.quality.visible for crop, _ in kept], np.float32),
        weight=np.array([crop.quality.weight for crop, _ in kept], np.float32),
        reasons=np.array([" ".join(words) for words in reasons]),
    )
    counts = Counter(word for words in reasons for word in words)
    return Outcome(job.id, looked, len(kept), len(sizes), tuple(sorted(counts.items())))


def _points(crop: FaceCrop) -> NDArray[np.float32]:
    """Give the landmarks float32 [478, 2] in pixels of the exported picture."""
    assert crop.landmarks is not None
    inside = crop.landmarks.points[:, :2] @ crop.to_crop[:, :2].T + crop.to_crop[:, 2]
    return (inside + BORDER_PX).astype(np.float32)


def _write_index(target: Path, rows: dict[str, dict[str, str]], outcomes: dict[str, Outcome]) -> None:
    fields = ["id", "file", "looked", "written", "tracks", "reasons", "error"]
    columns = fields + [name for name in next(iter(rows.values()))]
    with target.open("w", newline="") as lines:
        table = csv.DictWriter(lines, columns)
        table.writeheader()
        for name, row in rows.items():
            done = outcomes[name]
            reasons = " ".join(f"{reason}:{count}" for reason, count in done.reasons)
            file = f"{target.stem}/{name}.npz" if done.written else ""
            table.writerow({"id": name, "file": file, "looked": done.looked, "written": done.written,
                            "tracks": done.tracks, "reasons": reasons, "error": done.error, **row})


def _summarise(console: Console, outcomes: object, rows: dict[str, dict[str, str]]) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
