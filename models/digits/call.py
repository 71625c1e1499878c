# SPDX-License-Identifier: Apache-2.0
"""Clean speech in, speech as a call delivers it out: in a room's noise, through Opus at 24 kbit/s."""

import io
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from models.digits.recogniser import RATE_HZ
from models.digits.speakers import read

__all__ = ["in_noise", "through_opus", "with_pauses"]

Sound = NDArray[np.int16]

OPUS_HZ: Final = 48_000
OPUS_BITS_PER_S: Final = 24_000
LOUD: Final = 8_000.0
BEFORE_S, AFTER_S = 0.5, 0.7
ROOM: Final = 10.0
"""Standard deviation of the noise of a quiet room, of 32,768: no microphone gives digital silence."""


def with_pauses(samples: Sound, random: np.random.Generator) -> Sound:
    """Speech at one level with a quiet room before and after it."""
    level = samples * (LOUD / max(int(np.abs(samples).max()), 1))
    quiet = np.pad(level, (round(BEFORE_S * RATE_HZ), round(AFTER_S * RATE_HZ)))
    return np.asarray(quiet + random.normal(0.0, ROOM, quiet.size), np.int16)


def in_noise(samples: Sound, ratio_db: float, random: np.random.Generator) -> Sound:
    """Add noise whose power falls with frequency, `ratio_db` below that of the loud parts."""
    loud = samples[np.abs(samples) > LOUD / 20].astype(np.float64)
    shape = 1.0 / np.sqrt(np.maximum(np.fft.rfftfreq(samples.size, 1.0 / RATE_HZ), 50.0))
    noise = np.fft.irfft(np.fft.rfft(random.normal(size=samples.size)) * shape, samples.size)
    wanted = float(np.sqrt(np.square(loud).mean())) * 10.0 ** (-ratio_db / 20.0)
    return np.asarray(np.clip(samples + noise * wanted / noise.std(), -32768, 32767), np.int16)


def through_opus(samples: Sound) -> Sound:
    """Encode and decode."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=OPUS_HZ, layout="mono")
        stream.bit_rate = OPUS_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        resampler = av.AudioResampler(format="s16", layout="mono", rate=OPUS_HZ, frame_size=OPUS_HZ // 50)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    file.seek(0)
    return read(file)
