# SPDX-License-Identifier: Apache-2.0
"""Films of speakers in, the map from sound to mouth out: python -m models.synchrony FILMS.

FILMS is a folder of one `.npz` a film: `identity`, `times_s` [n] and `mouths` [n, MOUTH] of its looks, `samples` int16
16 kHz from time 0. `scripts/mouths` makes them. Only people whose sound is their own may be among them.
"""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Final

import numpy as np

from models.synchrony.expectation import FILE, Film, fit
from models.synchrony.features import FRAMES_PER_S, log_mel
from models.voice import SILENCE, WINDOW, load_voice

__all__ = ["main", "read_film"]

SPOKEN: Final = 0.3
BESIDE: Final = 12
"""A look counts where a third of the windows within 0.4 s of it are speech."""

LEAST_LOOKS: Final = 15
FULL_SCALE: Final = np.float32(32_768)


def read_film(file: Path) -> Film:
    """Read one film and find its speech."""
    with np.load(file) as stored:
        times_s, mouths, samples = stored["times_s"], stored["mouths"], stored["samples"]
        identity = str(stored["identity"])
    sound = samples.astype(np.float32) / FULL_SCALE
    whole = len(sound) // WINDOW * WINDOW
    speech = load_voice().hear(sound[:whole], SILENCE)[0] > 0.5
    frames = log_mel(np.pad(sound, 200))
    at = np.round(times_s * FRAMES_PER_S).astype(int)
    keep = np.array([_speaks(speech, time_s) for time_s in times_s]) & (at < len(frames))
    return Film(identity, frames, at[keep], mouths[keep])


def main() -> None:
    """Learn and write the file that ships."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", type=Path)
    films = [read_film(file) for file in sorted(parser.parse_args().films.glob("*.npz"))]
    films = [film for film in films if len(film.at) >= LEAST_LOOKS]
    content = fit(films).to_bytes()
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content)
    people = len({film.identity for film in films})
    looks = sum(len(film.at) for film in films)
    sys.stdout.write(f"{len(films)} films, {people} people, {looks} looks\n")
    sys.stdout.write(f"{FILE} {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}\n")


def _speaks(speech: np.ndarray[tuple[int], np.dtype[np.bool_]], time_s: float) -> bool:
    middle = int(time_s * 16_000 / WINDOW)
    near = speech[max(0, middle - BESIDE) : middle + BESIDE + 1]
    return bool(near.size and near.mean() > SPOKEN)


if __name__ == "__main__":
    main()
