# SPDX-License-Identifier: Apache-2.0
"""Labelled films of faces in, the same films as a call would have delivered them out, with their labels.

`python -m models.transcode DATA OUT --split val --height 360 --kbps 500 --loss 0.05`; then `python -m monitor.export`
and `python -m models.evaluate` apply to OUT as to DATA.
"""

import argparse
import csv
import multiprocessing
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from models.data.call import Call, Received, deliver
from models.data.crops import is_film, read_index
from models.data.network import Network
from models.data.people import for_calibration, is_held_out
from models.data.scene import FACE_SHARE
from models.errors import DataError, ModelError
from models.learning.recipe import Recipe

__all__ = ["PEOPLE", "main", "transcode"]

PEOPLE: Final[Mapping[str, Callable[[str], bool]]] = {
    "all": lambda identity: True,
    "calibration": for_calibration,
    "report": lambda identity: not for_calibration(identity),
    "held_out": lambda identity: is_held_out(identity, Recipe().held_out_share),
    "learnt": lambda identity: not is_held_out(identity, Recipe().held_out_share),
}
"""Which people's films are taken: the halves of the validation footage, or the training footage's two parts."""

ADDED: Final = ("condition", "sent_kbps", "taken_frames", "shown_frames", "keyframes")
"""Columns beyond the source's, which go on telling of the source."""

Row = dict[str, str]
Job = tuple[str, float | None]
"""A film's path in the folder and the size of its face, None when not known."""

Work = Callable[[Job], tuple[str, Received]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Transcode; exit 1 when a film could not be read or nothing was there to take, with the reason on stderr."""
    options = _options(arguments)
    console = Console(stderr=True)
    try:
        received = transcode(options.data, options.out, _call(options), options.split, options.people,
                             crops=options.crops, processes=options.processes, console=console)  # fmt: skip
    except ModelError as error:
        console.print(f"transcoding failed: {error}", highlight=False, soft_wrap=True)
        return 1
    for path, one in received.items():
        if one.error:
            console.print(f"{path} could not be read: {one.error}", highlight=False, soft_wrap=True)
    console.print(_summary(_call(options), list(received.values())), highlight=False, soft_wrap=True)
    return int(any(one.error for one in received.values()))


def transcode(
    data: Path,
    out: Path,
    call: Call,
    split: str,
    people: Sequence[str] = ("all",),
    *,
    crops: Path | None = None,
    processes: int = 1,
    console: Console | None = None,
) -> dict[str, Received]:
    """Send every film of a split through `call`; what became of each, by its path in `data`.

    Writes OUT/<path>.mkv and OUT/labels.csv, whose rows of this split are replaced. With `crops`, the export of the
    same footage, the faces' sizes are known and not taken for half the clip. Raises `DataError` without any film.
    """
    rows = [row for row in _rows(data, split) if any(PEOPLE[name](row["identity"]) for name in people)]
    if not rows:
        raise DataError(f"{data}/labels.csv lists no film of {split} for {' or '.join(people)}")
    sizes = _face_sizes(crops, split) if crops else {}
    jobs = [(row["path"], sizes.get(row["path"])) for row in rows]
    work = partial(_deliver_one, data, out, call)
    received = _all(work, jobs, processes, console or Console(quiet=True))
    _write_labels(out, split, call, rows, received)
    return received


def _all(work: Work, jobs: Sequence[Job], processes: int, console: Console) -> dict[str, Received]:
    """Do all jobs, in this process or in others."""
    quiet = not console.is_terminal
    if processes == 1:
        return dict(map(work, track(jobs, "transcode", console=console, disable=quiet)))
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        running = pool.imap_unordered(work, jobs)
        return dict(track(running, "transcode", len(jobs), console=console, disable=quiet))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.transcode", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with labels.csv")
    parser.add_argument("out", type=Path, help="folder for the films as received and their labels.csv")
    parser.add_argument("--split", required=True, help="split of labels.csv to take films from")
    parser.add_argument("--people", nargs="+", choices=sorted(PEOPLE), default=["all"], help="whose films to take")
    parser.add_argument("--height", type=int, required=True, help="height of the 16:9 picture")
    parser.add_argument("--kbps", type=int, required=True, help="bitrate of the video in kbit/s")
    parser.add_argument("--codec", choices=("vp8", "h264"), default="vp8")
    parser.add_argument("--fps", type=float, default=30.0, help="most frames per second")
    parser.add_argument("--face-share", type=float, default=FACE_SHARE, help="face box over the picture's height")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets lost, 0..1")
    parser.add_argument("--burst", type=float, default=1.0, help="packets lost in a row, on average")
    parser.add_argument("--retransmissions", type=int, default=0, help="times a lost packet is sent again")
    parser.add_argument("--crops", type=Path, help="export of the same footage, for the size of each face")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args(arguments)


def _call(options: argparse.Namespace) -> Call:
    network = Network(options.loss, options.burst, options.retransmissions)
    return Call(options.height, options.kbps, options.codec, options.fps, options.face_share, network)


def _rows(data: Path, split: str) -> list[Row]:
    """Read the films of a split; stills and whole-frame copies of films are left out."""
    file = data / "labels.csv"
    if not file.is_file():
        raise DataError(f"no labels at {file}: name the folder that holds labels.csv and the footage")
    with file.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == split and row.get("view", "crop") == "crop"]
    return [row for row in rows if is_film(row["path"])]


def _face_sizes(crops: Path, split: str) -> dict[str, float]:
    """Look up the median size of each film's face, in pixels of the film."""
    sizes = {}
    for row in read_index(crops / f"{split}.csv"):
        if is_film(row["path"]):
            with np.load(crops / row["file"]) as stored:
                sizes[row["path"]] = float(np.median(stored["face_px"]))
    return sizes


def _deliver_one(data: Path, out: Path, call: Call, job: Job) -> tuple[str, Received]:
    cv2.setNumThreads(1)
    path, face_px = job
    return path, deliver(data / path, out / _stored(path), call, face_px, zlib.crc32(path.encode()))


def _stored(path: str) -> str:
    return str(Path(path).with_suffix(".mkv"))


def _write_labels(out: Path, split: str, call: Call, rows: Sequence[Row], received: Mapping[str, Received]) -> None:
    """Write the rows of all films of which something arrived; those of other splits stay."""
    file = out / "labels.csv"
    kept: list[Row] = []
    if file.is_file():
        with file.open(newline="") as lines:
            kept = [row for row in csv.DictReader(lines) if row["split"] != split]
    kept += [_labelled(row, call, received[row["path"]]) for row in rows if received[row["path"]].shown]
    out.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as lines:
        table = csv.DictWriter(lines, [*rows[0], *ADDED])
        table.writeheader()
        table.writerows(kept)


def _labelled(row: Row, call: Call, one: Received) -> Row:
    facts = (call.name, f"{one.kbps:.1f}", str(one.taken), str(one.shown), str(one.keyframes))
    return {**row, "path": _stored(row["path"]), **dict(zip(ADDED, facts, strict=True))}


def _summary(call: Call, received: Sequence[Received]) -> str:
    """Say in one line what was sent and what arrived."""
    read = [one for one in received if not one.error]
    rates = np.percentile([one.kbps for one in read] or [0.0], (10, 50, 90))
    taken, shown = sum(one.taken for one in read), sum(one.shown for one in read)
    return (
        f"{call.name}: {len(received)} films, {len(received) - len(read)} unreadable, "
        f"{sum(not one.shown for one in read)} of which nothing arrived, {sum(one.seconds for one in read):.0f} s; "
        f"sent {rates[0]:.0f} / {rates[1]:.0f} / {rates[2]:.0f} kbit/s (p10 / p50 / p90), "
        f"{sum(one.keyframes for one in read)} keyframes, {taken - sum(one.sent for one in read)} frames left out by "
        f"the encoder, {shown / max(taken, 1):.1%} of {taken} frames shown"
    )


if __name__ == "__main__":
    sys.exit(main())
