# SPDX-License-Identifier: Apache-2.0
"""Times and mean colours of skin in, the share of the colour's beat that lies at one heart rate out.

The beat is POS, the plane orthogonal to skin (Wang, den Brinker, Stuijk and de Haan 2017, IEEE TBME 64), over windows
of 1.6 s as there; its spectrum is taken at the true times of the looks, which are not even (Lomb 1976, Astrophysics and
Space Science 39). The share of power near the highest peak and twice its rate is the signal quality of de Haan and
Jeanne 2013 (IEEE TBME 60).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["WINDOW", "Heartbeat", "heartbeat"]

WINDOW: Final = 8
RATES_HZ: Final = np.arange(0.7, 2.41, 0.05)
"""42 to 144 beats a minute; five looks a second tell nothing of rates above 2.5 Hz."""

NEAR_HZ: Final = 0.12
TINY: Final = 1e-9

Floats = NDArray[np.float64]


class Heartbeat(NamedTuple):
    """`share` 0..1 of the power in the band that lies near `rate_hz` and twice that."""

    share: float
    rate_hz: float


def heartbeat(times_s: Floats, colours: Floats) -> Heartbeat:
    """Find the beat in mean RGB [T, 3] at `times_s` [T]; T must be WINDOW or more."""
    power = _power(times_s - times_s.mean(), _pulse(colours))
    peak = float(RATES_HZ[int(power.argmax())])
    near = (np.abs(RATES_HZ - peak) <= NEAR_HZ) | (np.abs(RATES_HZ - 2.0 * peak) <= NEAR_HZ)
    return Heartbeat(float(power[near].sum() / (power.sum() + TINY)), peak)


def _pulse(colours: Floats) -> Floats:
    """POS: each window by its mean colour, projected, tuned, and added where it lies."""
    windows = sliding_window_view(colours, WINDOW, axis=0)
    red, green, blue = np.moveaxis(windows / np.maximum(windows.mean(axis=2, keepdims=True), TINY), 1, 0)
    one, other = green - blue, green + blue - 2.0 * red
    beat = one + one.std(axis=1, keepdims=True) / (other.std(axis=1, keepdims=True) + TINY) * other
    beat -= beat.mean(axis=1, keepdims=True)
    pulse = np.zeros(len(colours))
    for index in range(WINDOW):
        pulse[index : index + len(beat)] += beat[:, index]
    return pulse


def _power(times_s: Floats, pulse: Floats) -> Floats:
    """Power at RATES_HZ, at the true times, under a Hann window."""
    tapered = (pulse - pulse.mean()) * np.hanning(len(pulse) + 2)[1:-1]
    return np.asarray(np.abs(np.exp(-2j * np.pi * np.outer(RATES_HZ, times_s)) @ tapered) ** 2)
