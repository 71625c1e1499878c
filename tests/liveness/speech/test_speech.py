# SPDX-License-Identifier: Apache-2.0
"""Sound is taken once and whole, speech is heard in it, and agreement with a mouth is a number or unknown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.synchrony.features import MOUTH
from models.voice import SILENCE, load_voice
from monitor.liveness.speech.agreement import agreement
from monitor.liveness.speech.listener import GRID_S
from monitor.liveness.speech.sound import SoundTrack
from tests.fakes.media import data_root
from tests.fakes.sound import chunks, heard, noise, sound_of


@pytest.mark.footage
def test_silero_hears_speech() -> None:
    """The voice network's weights arrived whole."""
    film = next(iter(sorted((data_root() / "val" / "real").glob("liutaocode_RD-Radio*"))))
    spoken = sound_of(film)[: 512 * 100].astype(np.float32) / 32768
    assert np.mean(load_voice().hear(spoken, SILENCE)[0] > 0.5) > 0.5


def test_the_voice_network_hears_the_same_in_pieces() -> None:
    """Its state goes with the sound."""
    sound = noise(2)[: 512 * 60].astype(np.float32) / 32768
    once, _ = load_voice().hear(sound, SILENCE)
    first, state = load_voice().hear(sound[: 512 * 17], SILENCE)
    second, _ = load_voice().hear(sound[512 * 17 :], state)
    assert np.concatenate((first, second)) == pytest.approx(once, abs=1e-5)


def test_chunks_that_come_again_are_taken_once() -> None:
    """Whatever the overlap, the sound comes out whole and in order."""
    sound = noise(5)
    track = SoundTrack()
    out = [piece.samples for now in np.arange(0.1, 5.3, 0.2) for piece in track.take(heard(chunks(sound), now).sound)]
    assert np.array_equal(np.round(np.concatenate(out) * 32768).astype(np.int16), sound)


def test_a_gap_in_the_sound_begins_a_new_stretch() -> None:
    """And so does time that runs back."""
    track = SoundTrack()
    assert [piece.anew for piece in track.take(chunks(noise(0.2)))] == [True, False, False, False]
    assert track.take(chunks(noise(0.1), 1.0))[0].anew
    assert track.take(chunks(noise(0.1), 0.0))[0].anew


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=MOUTH, max_size=MOUTH))
def test_agreement_is_a_correlation_or_unknown(row: list[float]) -> None:
    """Constant and huge mouths give no numbers that are none."""
    times_s = np.arange(40) / 5
    found = agreement(times_s, np.tile(np.float32(row), (40, 1)), 0.0, np.ones((250, MOUTH), np.float32), GRID_S)
    assert found is None or -1.01 <= found.peak <= 1.01
