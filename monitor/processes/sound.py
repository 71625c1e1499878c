# SPDX-License-Identifier: Apache-2.0
"""A look in; the same look with its sound as one run of samples, a fraction of the work to send, out; and back."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.judge import Look
from monitor.values import AudioChunk

__all__ = ["Travelling", "arrived", "leaving"]


class Travelling(NamedTuple):
    """A look without sound, and the sound: `times_s` float64 [2, n] media time and arrival of each chunk,
    `ends` int64 [n] where it ends in `samples` int16, `rates_hz` int64 [n].
    """

    look: Look
    times_s: NDArray[np.float64]
    ends: NDArray[np.int64]
    rates_hz: NDArray[np.int64]
    samples: NDArray[np.int16]


def leaving(look: Look) -> Travelling:
    """Pack the sound together; all of it is the participant's own."""
    chunks = look.context.sound
    silent = Look(look.crop, replace(look.context, sound=()))
    times_s = np.array([[chunk.media_s for chunk in chunks], [chunk.arrived_s for chunk in chunks]])
    ends = np.cumsum([chunk.samples.size for chunk in chunks], dtype=np.int64)
    rates_hz = np.array([chunk.rate_hz for chunk in chunks], np.int64)
    samples = np.concatenate([chunk.samples for chunk in chunks]) if chunks else np.empty(0, np.int16)
    return Travelling(silent, times_s, ends, rates_hz, samples)


def arrived(sent: Travelling) -> Look:
    """Unpack the sound: the look as it was."""
    crop, context = sent.look
    if not sent.ends.size:
        return sent.look
    ends = sent.ends.tolist()
    facts = zip(*sent.times_s.tolist(), [0, *ends[:-1]], ends, sent.rates_hz.tolist(), strict=True)
    sound = tuple(
        AudioChunk(crop.call, crop.participant, media_s, arrived_s, sent.samples[start:end], rate_hz)
        for media_s, arrived_s, start, end, rate_hz in facts
    )
    return Look(crop, replace(context, sound=sound))
