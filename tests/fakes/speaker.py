# SPDX-License-Identifier: Apache-2.0
"""Digits and moments in, a microphone's file that says them and a camera's file whose mouth goes with it out."""

import shutil
import subprocess
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from models.digits.recogniser import RATE_HZ, WORDS
from models.digits.speakers import read
from models.synchrony.expectation import load_expectation
from models.synchrony.features import HOP, log_mel, mouth
from monitor.config import FacesSettings
from monitor.faces.finder import FaceFinder
from monitor.values import Frame, Picture
from tests.fakes.media import sample

__all__ = ["camera_that_speaks", "microphone", "said_at"]

PER_S = 10
CHROMIUM_PER_S = 30
"""Chromium plays Motion JPEG at this rate, whatever it was made at."""

SPEECH = (20.0, 12.0)
"""Where in the sample the man talks."""


def word(text: str, folder: Path) -> np.ndarray:
    """A word by a synthetic voice, int16 [n]."""
    if shutil.which("flite") is None:
        pytest.skip("flite is missing: install the Debian package flite")
    file = folder / "word.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", f"{text}.", "-o", file], check=True)
    sound = read(file)
    return np.asarray(sound * (12_000.0 / np.abs(sound).max()), np.int16)


def said_at(digits: Sequence[int], times_s: Sequence[float], marker_s: float, length_s: float, folder: Path):
    """Sound int16 [n] with a marker word and each digit at its time, in the noise of a room."""
    sound = np.random.default_rng(1).normal(0.0, 10.0, round(length_s * RATE_HZ))
    for text, at_s in [("ready", marker_s), *zip([WORDS[digit] for digit in digits], times_s, strict=True)]:
        spoken, first = word(text, folder), round(at_s * RATE_HZ)
        sound[first : first + spoken.size] += spoken
    return sound.astype(np.int16)


def microphone(sound: np.ndarray, target: Path) -> Path:
    """Write it as Chromium reads it."""
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sound.tobytes())
    return target


def camera_that_speaks(sound: np.ndarray, target: Path) -> Path:
    """Pick from a film of a man who talks, for each moment of a sound, the picture whose mouth goes with it."""
    pictures, mouths = _talking()
    expectation = load_expectation()
    frames = log_mel(np.pad(sound.astype(np.float32) / 32_768, 200))
    at = np.arange(0, round(sound.size / HOP), 100 // PER_S)
    wanted = expectation.mouths(frames, np.minimum(at, len(frames) - 1))
    seen = mouths / expectation.scale
    distance = ((wanted - wanted.mean(axis=0)) * 2.0)[:, None] - (seen - seen.mean(axis=0))[None]
    chosen = np.square(distance).sum(axis=2).argmin(axis=1)
    target.write_bytes(b"".join(pictures[index] * (CHROMIUM_PER_S // PER_S) for index in chosen))
    return target


def _talking() -> tuple[list[bytes], np.ndarray]:
    finder = FaceFinder(FacesSettings(), sample("face_landmarker"), "c", "p", 128)
    pictures, mouths = [], []
    with av.open(str(sample("franck"))) as film:
        film.seek(round(SPEECH[0] * 1_000_000))
        for number, picture in enumerate(film.decode(video=0)):
            if picture.time > sum(SPEECH):
                break
            if picture.time < SPEECH[0] or number % 3:
                continue
            crops = finder.look(Frame("c", "p", picture.time, 0.0, Picture(_i420(picture)))).crops
            if crops and crops[0].landmarks is not None:
                mouths.append(mouth(crops[0].landmarks.points, crops[0].landmarks.blendshapes))
                pictures.append(_jpeg(picture))
    finder.close()
    return pictures, np.stack(mouths)


def _i420(picture: av.VideoFrame) -> np.ndarray:
    return picture.reformat(format="yuv420p").to_ndarray()


def _jpeg(picture: av.VideoFrame) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base, encoder.options = Fraction(1, PER_S), {"qmin": "2", "qmax": "4"}
    plain = picture.reformat(format="yuvj420p")
    plain.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(plain), *encoder.encode(None)])
