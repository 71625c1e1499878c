# SPDX-License-Identifier: Apache-2.0
"""Sound on its way: every chunk arrives as it left."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.judge import Look
from monitor.processes.parcel import pack, unpack
from monitor.processes.sound import arrived, leaving
from monitor.values import AudioChunk, Context
from tests.fakes.timeline import crop

TIMES = st.floats(0, 1e6)
CHUNKS = st.lists(st.tuples(TIMES, TIMES, st.lists(st.integers(-32768, 32767), max_size=5)), max_size=6)


@given(chunks=CHUNKS, rests=st.booleans())
def test_chunks_arrive_as_they_left(*, chunks: list[tuple[float, float, list[int]]], rests: bool) -> None:
    """However long, also without any, with everything else of the context."""
    sound = tuple(
        AudioChunk("c", "p", media_s, arrived_s, np.array(samples, np.int16), 16_000)
        for media_s, arrived_s, samples in chunks
    )
    sent = Look(crop(1.5), Context(arrived_s=2.0, sound=sound, rests=rests))
    found = arrived(unpack(bytearray(b"".join(pack(leaving(sent))))))
    assert (found.context.arrived_s, found.context.rests, found.crop.media_s) == (2.0, rests, 1.5)
    assert [
        (chunk.media_s, chunk.arrived_s, chunk.rate_hz, chunk.samples.tolist()) for chunk in found.context.sound
    ] == [(media_s, arrived_s, 16_000, samples) for media_s, arrived_s, samples in chunks]
