# SPDX-License-Identifier: Apache-2.0
"""Sound as a participant sends it: noise, the sound of films, in chunks that come again with every frame."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from monitor.liveness.speech.sound import RATE_HZ
from monitor.values import AudioChunk, Context

__all__ = ["SECONDS", "chunks", "heard", "noise", "sound_of"]

CHUNK = 1024
SECONDS = 20.0


def chunks(sound: np.ndarray, begins_s: float = 0.0) -> list[AudioChunk]:
    """Sound in pieces of 64 ms, as a resampler hands it on."""
    pieces = [sound[at : at + CHUNK] for at in range(0, len(sound), CHUNK)]
    return [
        AudioChunk("c", "p", begins_s + index * CHUNK / RATE_HZ, 0.0, piece, RATE_HZ)
        for index, piece in enumerate(pieces)
    ]


def heard(sound: Sequence[AudioChunk], until_s: float) -> Context:
    """The newest two seconds at a moment; they come again with the next frame."""
    return Context(sound=tuple(chunk for chunk in sound if until_s - 2 <= chunk.media_s <= until_s))


def noise(seconds: float = SECONDS) -> np.ndarray:
    """Hiss."""
    return np.random.default_rng(2).normal(0, 900, int(seconds * RATE_HZ)).astype(np.int16)


def sound_of(film: Path) -> np.ndarray:
    """The sound of a film, 16 kHz mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(str(film)) as container:
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts)
