# SPDX-License-Identifier: Apache-2.0
"""The ring of recent sound."""

import fractions

import numpy as np
import pytest
from av import AudioFrame

from monitor.capture.sound import KEPT_S, RATE_HZ, SoundRing


def sound(step: int, rate: int = 48_000, layout: str = "stereo") -> AudioFrame:
    """20 ms of a 1 kHz tone, the `step`-th of a stream."""
    count, channels = rate // 50, 2 if layout == "stereo" else 1
    wave = (10_000 * np.sin(2 * np.pi * 1000 * (np.arange(count) + step * count) / rate)).astype(np.int16)
    frame = AudioFrame.from_ndarray(np.repeat(wave, channels).reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, step * count, fractions.Fraction(1, rate)
    return frame


def filled(steps: int, **form) -> SoundRing:
    """A ring that heard `steps` frames."""
    ring = SoundRing("call", "alice")
    for step in range(steps):
        ring.add(sound(step, **form), 100 + step / 50, 0.0)
    return ring


@pytest.mark.parametrize(
    "form", [{"rate": 48_000}, {"rate": 48_000, "layout": "mono"}, {"rate": 8_000, "layout": "mono"}]
)
def test_any_sound_becomes_16_khz_mono(form: dict) -> None:
    """Whatever codec the sound came by, the tone is there at its pitch and strength."""
    chunks = filled(50, **form).last(10)
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert samples.dtype == np.int16
    assert samples.size == pytest.approx(RATE_HZ, rel=0.02)
    spectrum = np.abs(np.fft.rfft(samples[-8000:]))
    assert np.argmax(spectrum) * RATE_HZ / 8000 == pytest.approx(1000, abs=5)
    assert np.abs(samples[2000:]).max() == pytest.approx(10_000, rel=0.05)


def test_last_gives_the_newest() -> None:
    """Half a second is the last 25 frames, oldest first, each with its times and its owner."""
    chunks = filled(100).last(0.5)
    assert len(chunks) in {25, 26}
    assert chunks[-1].media_s == pytest.approx(99 / 50)
    assert chunks[-1].arrived_s == pytest.approx(100 + 99 / 50)
    assert [chunk.media_s for chunk in chunks] == sorted(chunk.media_s for chunk in chunks)
    assert {(chunk.call, chunk.participant, chunk.rate_hz) for chunk in chunks} == {("call", "alice", RATE_HZ)}


def test_until_looks_back() -> None:
    """Sound after a media time can be left out."""
    assert filled(100).last(0.2, until_s=1.0)[-1].media_s == pytest.approx(1.0)


def test_ring_is_bounded() -> None:
    """A long call keeps the last seconds only."""
    ring = filled(int(KEPT_S * 50) + 500)
    assert ring.kept_s <= KEPT_S + 0.1
    assert len(ring.last(1e9)) <= KEPT_S * 50 + 2


def test_nothing_heard_is_nothing() -> None:
    """No sound is an empty answer, not an error."""
    assert SoundRing("call", "alice").last(5) == ()
