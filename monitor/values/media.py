# SPDX-License-Identifier: Apache-2.0
"""What comes in of a participant: pictures, sound, silence, and what the stream says of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NO_CONTEXT",
    "NO_FACTS",
    "AudioChunk",
    "Context",
    "Frame",
    "Media",
    "Picture",
    "Stall",
    "Stamps",
    "StreamFacts",
]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One decoded picture, planar YUV 4:2:0 (BT.601, limited range).

    `i420` is uint8 [height * 3 // 2, width] as OpenCV lays it out; width and height are even.
    """

    i420: NDArray[np.uint8]

    @property
    def width_px(self) -> int:
        """Width of the luma plane."""
        return int(self.i420.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the luma plane."""
        return int(self.i420.shape[0]) * 2 // 3


@dataclass(frozen=True, slots=True)
class Stamps:
    """RTP timestamps of all pictures since the frame yielded before, looked at or not.

    `steps` from one to the next were counted; `even` of them keep, to a tick or two of 1/90,000 s, the beat of those
    before them, and that beat is no whole number of milliseconds.
    """

    steps: int
    even: int


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the stream says of a frame without looking at its pixels.

    `lost_packets` and `received_bytes` count since the frame yielded before this one; `stamps` are None for a file,
    whose timestamps are no sender's.
    """

    codec: str = "unknown"
    keyframe: bool = False
    temporal_layer: int | None = None
    lost_packets: int = 0
    received_bytes: int | None = None
    stamps: Stamps | None = None


NO_FACTS: Final = StreamFacts()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture of one participant; `media_s` is from the RTP timestamp, `arrived_s` monotonic."""

    call: str
    participant: str
    media_s: float
    arrived_s: float
    picture: Picture
    facts: StreamFacts = NO_FACTS


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Sound of one participant: `samples` int16 [n], mono, at `rate_hz`."""

    call: str
    participant: str
    media_s: float
    arrived_s: float
    samples: NDArray[np.int16]
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Stall:
    """No picture has come since `since_s` (monotonic); silence is news."""

    call: str
    participant: str
    since_s: float
    now_s: float


Media = Frame | Stall


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a participant's media say beside the faces of one frame.

    `sound` is the newest of it, oldest chunk first, without gaps unless the sender left some; chunks come again until
    they are too old. It may end before the frame or after it: sound and picture travel apart. `rests` says that the
    network need not judge this frame, only the other cues.
    """

    facts: StreamFacts = NO_FACTS
    arrived_s: float = 0.0
    sound: tuple[AudioChunk, ...] = ()
    rests: bool = False


NO_CONTEXT: Final = Context()
