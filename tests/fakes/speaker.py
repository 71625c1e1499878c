# SPDX-License-Identifier: Apache-2.0
"""Digits and moments in, sound that says them, as a microphone's file too, out."""

import shutil
import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.digits.recogniser import RATE_HZ, WORDS
from models.digits.speakers import read

__all__ = ["microphone", "said_at"]


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
