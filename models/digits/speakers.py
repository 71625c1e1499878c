# SPDX-License-Identifier: Apache-2.0
"""Nothing in, spoken digits with what was said out: synthetic voices that are installed, and clips of the GRID corpus.

espeak-ng (formants) and Flite (Clunits and CLUSTERGEN, from recorded people) are Debian packages, Piper (neural) is a
program beside a voice file; none is needed to run Lifesign. GRID: Cooke et al. 2006, JASA 120; the fifth letter of the
name of a clip is the digit that is said in it.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from models.digits.recogniser import RATE_HZ, WORDS

__all__ = ["Spoken", "grid", "read", "synthetic"]

FLITE: Final = ("awb", "kal16", "rms", "slt")
ESPEAK: Final = ("en-us", "en-gb")
PACES: Final = (0.85, 1.15)

GRID_NAME: Final = re.compile(r"(?:^|[_-])[bpls][bgrw][abiw][a-z]([z1-9])[anps](?=[_.])")


class Spoken(NamedTuple):
    """One clip: the voice, the digit in it, int16 samples at RATE_HZ."""

    voice: str
    digit: int
    samples: NDArray[np.int16]


def read(file: Path | BinaryIO) -> NDArray[np.int16]:
    """The sound of a file, mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(file, "r") as container:
        frames = [*container.decode(audio=0), None]
        parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.int16)


def synthetic(piper: Path | None = None, voice: Path | None = None) -> Iterator[Spoken]:
    """Each digit by each voice that is installed, at two paces; `piper` is its program and `voice` a voice of it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        for name, command in _commands(file, piper, voice):
            for digit, word in enumerate(WORDS):
                line = [part.replace("WORD", word) for part in command]
                subprocess.run(line, check=True, input=f"{word}.\n".encode(), capture_output=True)  # noqa: S603
                yield Spoken(name, digit, read(file))


def grid(folder: Path) -> Iterator[Spoken]:
    """Real people: the sound of every clip below a folder that is named as GRID names its sentences."""
    for file in sorted(folder.rglob("*.mp4")):
        said = GRID_NAME.search(file.name)
        if said:
            yield Spoken("GRID", 0 if said[1] == "z" else int(said[1]), read(file))


def _commands(file: Path, piper: Path | None, voice: Path | None) -> Iterator[tuple[str, list[str]]]:
    for pace in PACES:
        if shutil.which("flite"):
            for name in FLITE:
                stretch = f"duration_stretch={pace}"
                yield f"flite {name}", ["flite", "-voice", name, "--setf", stretch, "-t", "WORD.", "-o", str(file)]
        if shutil.which("espeak-ng"):
            for name in ESPEAK:
                yield f"espeak {name}", ["espeak-ng", "-v", name, "-s", str(round(160 / pace)), "-w", str(file), "WORD"]
        if piper and voice:
            yield "piper", [str(piper), "-m", str(voice), "--length-scale", str(pace), "-f", str(file)]
